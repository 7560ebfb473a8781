"""What is kept at the door on screens takes effect in the running engine: the blacklist and the notices."""

import re
from collections.abc import Callable

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import Event
from tests.lab.patience import until
from tests.web.conftest import Browser
from tests.web.desk.conftest import Office

pytestmark = pytest.mark.slow
NUMBER = "+8613800138000"
# The engine looks for what services wrote once a second.
KNOWN_WITHIN_S = 15.0
NOTICE = """
[notice.storm]
name = "Storm"
prompt = "notice_weather"
"""


def person(office: Office, role: str) -> Browser:
    """Somebody of this role, with a page whose forms they can send."""
    browser = office.site.as_role(role)
    browser.get("/sessions")
    return browser


def called(office: Office) -> Event:
    """What the engine decides of one more call of this number; the call is over then."""
    ledger, before = office.house.ledger, len(office.house.ledger.contacts())
    caller = office.house.driver.call(number=NUMBER)

    def look() -> Event | None:
        new = [f"contact-{ident}" for ident in ledger.contacts()[before:]]
        for record in ledger.records:
            if record.stream in new and isinstance(record.event, c.ContactQueued | c.ContactTurnedAway):
                return record.event
        return None

    found = until(look, "the call to be decided")
    if isinstance(found, c.ContactQueued):
        caller.hang_up()
    office.house.await_no_contacts()
    return found


def until_called(office: Office, fits: Callable[[Event], bool], what: str) -> Event:
    """Call until the decision fits."""

    def look() -> Event | None:
        decided = called(office)
        return decided if fits(decided) else None

    return until(look, what, within_s=KNOWN_WITHIN_S)


def test_a_number_added_on_the_screen_is_refused_and_taken_again_once_it_is_taken_off(office: Office) -> None:
    """Feature 5.5, over the whole house: screen, log, engine, switch."""
    assert isinstance(called(office), c.ContactQueued)
    leader = person(office, "leader")
    added = leader.submit("/blacklist/", number="138 0013 8000", reason="fraud", key="a")
    assert added.status_code == 303, added.text
    refused = until_called(office, lambda event: isinstance(event, c.ContactTurnedAway), "a call to be refused")
    assert isinstance(refused, c.ContactTurnedAway)
    assert (refused.reason, refused.answered, refused.cause) == ("blacklisted", False, "CALL_REJECTED")
    assert isinstance(called(office), c.ContactTurnedAway)
    assert leader.submit(f"{added.headers['Location']}/lift", key="l").status_code == 303
    until_called(office, lambda event: isinstance(event, c.ContactQueued), "a call to be taken again")


def test_what_an_agent_marked_stands_in_the_list_in_their_name_and_its_end_is_given_there(office: Office) -> None:
    """Feature 5.5: from the desk's button to the list, and back to a number that may call."""
    ann = office.talking("ann", number=NUMBER)
    ann.press("mark_nuisance")
    ann.press("hang_up")
    leader = person(office, "leader")
    path = until(
        lambda: (
            found[0]
            if (found := re.findall(r'href="(/blacklist/[0-9a-f-]{36})"', leader.get("/blacklist/").text))
            else None
        ),
        "the list to show the number",
    )
    assert "Ann Archer" in leader.get(path).text
    assert isinstance(called(office), c.ContactTurnedAway)
    assert leader.submit(f"{path}/expire", key="e").status_code == 303
    until_called(office, lambda event: isinstance(event, c.ContactQueued), "a call to be taken again")


def test_a_notice_that_is_switched_on_is_heard_by_the_next_callers(office: Office) -> None:
    """Feature 2.6, over the whole house."""
    office.house.apply(office.house.configuration + NOTICE)
    ops = person(office, "ops")
    for wish, heard in (("on", 1), ("off", 0)):
        (seen,) = re.findall(r'name="version" value="(\d+)"', ops.get("/notices/").text)
        assert ops.submit("/notices/storm/switch", to=wish, version=seen).status_code == 303

        def told(event: Event, heard: int = heard) -> bool:
            return isinstance(event, c.ContactQueued) and len(event.notices) == heard

        until_called(office, told, f"callers to be told {heard} notices")
