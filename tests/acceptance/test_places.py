"""Whoever waits is told their place and the wait, through every process that production has, on both switches."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import ident_of
from tests.acceptance.conftest import Build

EVERY_S = 15
"""The shortest time that a queue may have between two tellings."""


@pytest.mark.slow
def test_the_second_of_two_callers_hears_place_2_and_place_1_once_the_first_is_served(build: Build) -> None:
    """Complaint 20, "queue callback, position and wait time missing": position and wait are built in, and announced.

    Feature 2.5. The log says what each was told, and the switch which sentences each leg heard.
    """
    house = build(queue=f"tell_place_every_s = {EVERY_S}")
    house.open()
    house.driver.phone("1001")
    with house.driver.control() as control:
        control.subscribe("MEDIA_BUG_START")
        first = house.driver.call()
        house.ledger.await_event(c.ContactArrived)
        second = house.driver.call()
        house.ledger.await_event(c.ContactArrived, count=2)
        legs = [arrived.leg for arrived in house.ledger.all(c.ContactArrived)]
        house.ledger.await_event(c.PlaceTold, count=2, within_s=EVERY_S + 10)
        house.sign_in("801")
        house.await_state("801", "talking")
        house.ledger.await_event(c.PlaceTold, count=3, within_s=EVERY_S + 10)
        heard = [
            control.await_event("MEDIA_BUG_START", Unique_ID=leg, Media_Bug_Function="displace")["Media-Bug-Target"]
            for leg in (legs[0], legs[1], legs[1])
        ]
    contacts = house.ledger.contacts()
    told = {
        contact: [
            (record.event.position, record.event.estimate_ms)
            for record in house.ledger.read()
            if isinstance(record.event, c.PlaceTold) and ident_of(record.stream) == contact
        ]
        for contact in contacts
    }
    assert told[contacts[0]] == [(1, -1)], "nobody was served yet: nothing is said of the wait"
    before, after = told[contacts[1]]
    assert before == (2, -1)
    assert after[0] == 1
    assert 0 < after[1] < 2 * (EVERY_S + 10) * 1_000
    wait = "wait_1" if after[1] > 30_000 else "wait_less"
    assert heard == [f"file_string://{said}" for said in ("place_1.wav", "place_2.wav", f"place_1.wav!{wait}.wav")]
    second.hang_up()
    first.hang_up()
    house.close_day(contacts=2)
