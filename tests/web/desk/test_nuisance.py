"""A nuisance caller: one press at the desk during the call, and the next call is refused before anything rings."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.customers.blacklist import NumberBlacklisted
from tests.lab.patience import until
from tests.web.desk.conftest import Office

pytestmark = pytest.mark.slow
NUMBER = "+8613800138000"


def test_a_caller_marked_at_the_desk_is_listed_in_the_agents_name_and_refused_from_then_on(office: Office) -> None:
    """Feature 5.5, over the whole house: desk, engine, service, log, switch."""
    ann = office.ready("ann")
    office.house.driver.call(number=NUMBER)
    ann.await_state("ringing")
    ann.press("accept")
    desk = ann.await_state("talking")
    assert "mark_nuisance" in desk.may
    assert "Nuisance caller" in ann.page()
    ann.press("mark_nuisance")
    assert "further calls are refused" in ann.page()
    assert "mark_nuisance" not in ann.sees().may
    contact_id = desk.about

    def listed() -> list[NumberBlacklisted]:
        return [r.event for r in office.house.opened() if isinstance(r.event, NumberBlacklisted)]

    (entry,) = until(listed, "the service to list the number")
    assert (entry.number, entry.reason) == (NUMBER, "nuisance")
    (record,) = [r for r in office.house.opened() if isinstance(r.event, NumberBlacklisted)]
    assert (record.stream, record.about.actor) == (f"blacklist-{contact_id}", "agent:801")
    ann.press("hang_up")
    ann.await_state("wrapping_up")
    office.house.driver.call(number=NUMBER)
    until(lambda: office.house.ledger.all(c.ContactTurnedAway), "the next call to be refused")
    (refused,) = office.house.ledger.all(c.ContactTurnedAway)
    assert (refused.reason, refused.answered, refused.cause) == ("blacklisted", False, "CALL_REJECTED")
