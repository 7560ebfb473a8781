"""Callers whose names and numbers are attacks (law 10), and what of any caller is to be found afterwards (law 11)."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.names import SHOWN_NAME_LENGTH
from orchestrator.domain.customers.people import CustomerCreated
from orchestrator.runner import inputs
from orchestrator.vault import SEALED
from tests.acceptance.house import House
from tests.contract.driver import shown

NAMES = {
    "a forged header": b'"Eve%0AUnique-ID%3A forged%0AEvent-Name%3A CHANNEL_HANGUP_COMPLETE" ',
    "an escaped quote": rb'"Quentin \"the leaf\" Adams" ',
    "braces and commas": b'"{origination_uuid=evil,execute_on_answer=hangup}[x] Bracey" ',
    "a variable": b'"${system(touch /tmp/evil)} $${esl_password} Vera" ',
    "HTML": b'"<script>alert(1)</script> Hanna" ',
    "SQL": b'"Robert\'); DROP TABLE ringledger_events;--" ',
    "2 kB": b'"' + b"Lang" * 500 + b'" ',
    "invalid UTF-8": b'"Ren\xe9 \xff\xfe Broken" ',
}
NUMBERS = ("anonymous", "0", "999999999999999999999", "1-or-1", "%2B31%0A6")
TROUBLE = set("\"\\{}[]<>$'`;,%|\r\n\t\0")
PATIENCE_S = 30  # as of the ledger: a switch and an engine on a busy machine take longer than a socket


def _is_outbound(event: dict[str, str]) -> bool:
    return event["Call-Direction"] == "outbound"


def test_a_hostile_name_is_served_shown_clean_and_kept_sealed(house: House) -> None:
    """The escaped quote made the agent's leg die at once with mod_callcenter; the forged header fooled greenswitch."""
    house.driver.phone("1001")
    house.sign_in("801")
    with house.driver.control() as control:
        control.subscribe("CHANNEL_CREATE")
        for count, (what, name) in enumerate(NAMES.items(), 1):
            caller = house.driver.call(name=name)
            what_rings = f"a phone to ring: {what}"
            agent = control.await_that(_is_outbound, what_rings, within_s=PATIENCE_S)
            seen = agent["Caller-Caller-ID-Name"]
            assert not TROUBLE & set(seen), what
            assert 0 < len(seen) <= SHOWN_NAME_LENGTH, what
            house.ledger.await_event(c.ContactConnected, count=count)
            caller.hang_up()
            house.ledger.await_event(c.ContactEnded, count=count)
            house.await_state("801", "ready")
    report = house.close_day(contacts=len(NAMES))
    assert report.counts.ended_by_reason == {"completed": len(NAMES)}
    assert {arrived.caller_name for arrived in house.ledger.all(c.ContactArrived)} == {SEALED}
    opened = [record.event for record in house.opened()]
    raw = [event.caller_name for event in opened if isinstance(event, c.ContactArrived)]
    assert raw == [shown(name) for name in NAMES.values()]
    house.assert_nowhere("Quentin", "Bracey", "Hanna", "DROP TABLE ringledger_events;--", "LangLang", "Broken")


def test_a_number_that_is_none_is_served_and_makes_no_customer(house: House) -> None:
    house.driver.phone("1001")
    house.sign_in("801")
    for count, number in enumerate(NUMBERS, 1):
        caller = house.driver.call(number=number)
        house.ledger.await_event(c.ContactConnected, count=count)
        caller.hang_up()
        house.ledger.await_event(c.ContactEnded, count=count)
        house.await_state("801", "ready")
    house.close_day(contacts=len(NUMBERS))
    assert not house.ledger.all(CustomerCreated)


def test_no_number_and_no_name_stands_in_any_file(house: House) -> None:
    """Law 11: not in the database or what it logs, not on the tape, not in our logs, not in file names, not printed."""
    number, name = "+4915112345678", "Wilhelmina Findmenot"
    house.driver.phone("1001")
    house.sign_in("801")
    caller = house.driver.call(number=number, name=f'"{name}" '.encode())
    house.await_state("801", "talking")
    house.ledger.await_event(c.ContactIdentified)
    said = [house.run(*words)[1] for words in (("calls",), ("calls", "--json"), ("agents",), ("queues",), ("status",))]
    said.append(str(house.client.ask("picture")))
    house.do(inputs.Hold(agent="801"))
    house.await_state("801", "held")
    caller.hang_up()
    report = house.close_day(contacts=1)
    assert report.counts.customers == 1
    (arrived,) = (r.event for r in house.opened() if isinstance(r.event, c.ContactArrived))
    assert (arrived.caller_number, arrived.caller_name) == (number, name), "who may see it finds it"
    house.engines[-1].child.stop()
    digits = number.removeprefix("+49")
    for text in said:
        assert digits not in text
        assert name not in text
    house.assert_nowhere(number, digits, name, "Ann Archer")
    with pytest.raises(AssertionError, match="stands in"):
        house.assert_nowhere("longest_idle")  # so that the search is known to find what is there
