"""Callers whose names are attacks. Each is served like anybody else, and nothing that it wrote becomes a command."""

import pytest

from orchestrator.domain.switch import facts as f
from orchestrator.esl.commands import clean_name
from tests.contract.desk import Desk
from tests.contract.driver import Driver, shown

NAMES = {
    "a forged header": b'"Eve%0AUnique-ID%3A forged%0AEvent-Name%3A CHANNEL_HANGUP_COMPLETE" ',
    "an escaped quote": rb'"Eve \"the leaf\" Adams" ',
    "braces and commas": b'"{origination_uuid=evil,execute_on_answer=hangup}[x]" ',
    "a variable": b'"${system(touch /tmp/evil)} $${esl_password}" ',
    "HTML": b'"<script>alert(1)</script>" ',
    "2 kB": b'"' + b"A" * 2_000 + b'" ',
    "invalid UTF-8": b'"Ren\xe9 \xff\xfe" ',
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_caller_with_a_hostile_name_is_served_and_its_agent_sees_a_clean_one(
    driver: Driver, desk: Desk, name: bytes
) -> None:
    driver.phone("1001")
    caller = driver.call(name=name)
    parked = desk.await_fact(f.LegParked, inbound=True)
    assert parked.caller_name == shown(name)
    assert parked.dialled == "4000"
    leg, contact = parked.leg, desk.next_id()
    desk.answer(leg, contact)
    desk.await_fact(f.LegAnswered, leg=leg)
    other = desk.ring("1001", contact=contact, name=clean_name(parked.caller_name))
    desk.await_fact(f.LegParked, leg=other, contact=contact)
    desk.bridge(leg, other)
    desk.await_fact(f.LegBridged, leg=leg, other=other)
    caller.hang_up()
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.await_fact(f.LegHungUp, leg=other)
    assert {fact.leg for fact in desk.told if isinstance(fact, f.LegFact)} == {leg, other}
    driver.await_empty()
