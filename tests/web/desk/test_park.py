"""Parking a caller, over a whole house: what the desks offer and refuse, programs, the floor, and the command line."""

import pytest

from orchestrator.domain.access.scope import Scope
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from tests.web.api.conftest import Program
from tests.web.desk.conftest import Office

pytestmark = pytest.mark.slow


def test_a_caller_is_parked_at_the_desk_and_fetched_by_a_program_in_the_name_of_a_colleague(office: Office) -> None:
    """Feature 4.3: whoever serves the queue sees the place, who left them there, and how long ago."""
    ann, bob = office.talking("ann"), office.desk("bob")
    contact_id = ann.sees().about
    program = Program(office.site, office.site.reading.tokens.issue("leader", days=1, actor="admin:test"))
    assert program.found("/parked")["items"] == []
    assert ann.refused("retrieve", about="", place="1") == "place_empty"
    assert ann.refused("retrieve", about="", place="next to 1") == "no_such_place"
    ann.press("park")
    desk = ann.await_state("wrapping_up")
    assert [(each.place, each.contact_id) for each in desk.parked] == [(1, contact_id)]
    assert "retrieve" in desk.may
    assert "Place 1" in bob.page()
    assert "parked by Ann Archer" in bob.page()
    (found,) = program.found("/parked")["items"]
    assert (found["place"], found["agent"], found["contact_id"]) == (1, "801", contact_id)
    code, told = office.house.run("parked")
    assert code == 0
    assert contact_id[:8] in told
    office.house.driver.phone("1002", "obeys")
    bob.press("sign_in")
    assert program.refused(409, "POST", "/agents/802/retrieve", {"place": 2}) == "place_empty"
    program.does("POST", "/agents/802/retrieve", {"place": 1})
    assert bob.await_state("ringing").rings[0].contact_id == contact_id
    assert not ann.sees().parked
    bob.press("accept")
    bob.await_state("talking")
    bob.press("hang_up")
    office.house.ledger.await_event(c.ContactEnded)
    assert [event.agent_id for event in office.house.ledger.all(ContactParked)] == ["ann"]
    assert [event.agent_id for event in office.house.ledger.all(ParkEnded)] == ["bob"]


@pytest.mark.parametrize("by", ("teams", "branches"))
def test_a_leader_of_one_team_or_branch_sees_whom_its_agents_parked(office: Office, by: str) -> None:
    """Feature 12.6."""
    house = office.house
    where = 'name = "Ann Archer"\nteam = "north"\nbranch = "north"'
    branch = '[branch.north]\nname = "North"\n'
    house.apply(house.configuration.replace('name = "Ann Archer"', where) + branch)
    ann = office.talking("ann")
    ann.press("park")
    ann.await_state("wrapping_up")

    def places(role: str, **scope: tuple[str, ...]) -> list[int]:
        token = office.site.reading.tokens.issue(role, days=1, scope=Scope(**scope), actor="admin:test")
        return [each["place"] for each in Program(office.site, token).found("/parked")["items"]]

    assert places("leader") == [1]
    assert places("leader", **{by: ("north",)}) == [1]
    assert places("leader", **{by: ("south",)}) == []
