"""Two are on the way into a conference as whoever was asked first leaves it, on both switches (feature 4.3)."""

import pytest

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import guest_events as g
from orchestrator.domain.kernel import Event
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import House
from tests.lab.control import Control
from tests.lab.patience import until

pytestmark = pytest.mark.slow
DEE = """
[agent.dee]
number = "804"
name = "Dee Dyer"
extension = "1004"
skills = {support = 5}
"""
MOST_ROUNDS = 15


def _next(house: House, kind: type[Event], wish: inputs.AgentCommand) -> None:
    """Ask for it, and wait until this happened once more."""
    before = len(house.ledger.all(kind))
    house.do(wish)
    house.ledger.await_event(kind, count=before + 1)


def test_two_who_are_brought_back_as_whoever_was_asked_first_hangs_up_are_both_there(build: Build) -> None:
    """Decision 0104: nobody is cut off who was told into the room, at whatever moment of it the other one leaves."""
    house = build()
    house.apply(house.configuration + DEE)
    house.open()
    for number in ("801", "802", "803", "804"):
        house.driver.phone(f"100{number[-1]}")
    rounds = several = 0
    with house.driver.control() as control:
        while not several and rounds < MOST_ROUNDS:
            rounds += 1
            several += _round(house, control)
            house.do(inputs.EndAll(reason="evening"))
            house.await_no_contacts()
    assert several, "never two on the way at once"
    assert house.close_day(contacts=rounds).ok


def _round(house: House, control: Control) -> bool:
    """One conference of five, whose first guest leaves; whether both others were on the way in then."""
    house.sign_in("801")
    house.driver.call()
    until(lambda: house.agent("801")["state"] == "talking", "the two to talk")
    for number in ("802", "803", "804"):
        house.sign_in(number)
    _next(house, e.ConsultJoined, inputs.Consult(agent="801", to_agent="802"))
    _next(house, e.ConsultJoined, inputs.Confer(agent="801"))
    for number in ("803", "804"):
        _next(house, g.GuestJoined, inputs.Invite(agent="801", to_agent=number))
        _next(house, g.GuestHeld, inputs.HoldMember(agent="801", to_agent=number))
    guests = {event.guest_id for event in house.ledger.all(g.GuestInvited)[-2:]}
    before = {
        kind: len(house.ledger.all(kind)) for kind in (g.GuestClosed, g.GuestJoined, g.GuestPromoted, e.ConsultJoined)
    }
    reservation = house.ledger.all(e.ConsultAsked)[-1].reservation
    assert reservation is not None
    for number in ("803", "804"):
        house.do(inputs.RecallMember(agent="801", to_agent=number))
    assert control.api(f"uuid_kill {reservation.leg}").startswith("+OK")

    def came() -> set[str]:
        joined = {event.guest_id for event in house.ledger.all(g.GuestJoined)[before[g.GuestJoined] :]}
        return joined | {event.consult_id for event in house.ledger.all(e.ConsultJoined)[before[e.ConsultJoined] :]}

    house.ledger.await_event(g.GuestPromoted, count=before[g.GuestPromoted] + 1)
    until(lambda: came() == guests, "both to be in the room")
    assert len(house.ledger.all(g.GuestClosed)) == before[g.GuestClosed], "nobody is cut off"
    contact_id = house.ledger.contacts()[-1]
    story = house.ledger.story(contact_id)
    return {"MemberJoined", "GuestJoined"} <= {*story[story.index("GuestPromoted") :]}
