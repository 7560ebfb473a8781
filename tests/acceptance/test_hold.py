"""Hold and resume pressed faster than a switch can bear: music is heard during the hold, and never after it."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.handling import SETTLE
from orchestrator.domain.kernel import Event
from orchestrator.runner import inputs
from tests.acceptance.house import House

QUIET_S = 1.0
"""A switch begins what it was told too soon within 200 ms after the resume."""


def test_a_hold_pressed_with_the_bridge_and_resumed_with_the_hold_leaves_no_music_over_the_talk(house: House) -> None:
    """Feature 4.3: nobody is refused; the switch is told when it can bear it."""
    house.driver.phone("1001")
    house.sign_in("801")
    with house.driver.control() as watch:
        watch.subscribe("PLAYBACK_START PLAYBACK_STOP")
        house.driver.call()
        house.ledger.await_event(c.ContactConnected)
        house.do(inputs.Hold(agent="801"))
        house.ledger.await_event(c.ContactHeld)
        house.do(inputs.Resume(agent="801"))
        house.ledger.await_event(c.ContactResumed)
        played = [event["Event-Name"] for event in watch.drain(QUIET_S)]
    assert played == ["PLAYBACK_START", "PLAYBACK_STOP"] * 2, "while waiting, and while on hold"
    for earlier, later in ((c.ContactConnected, c.ContactHeld), (c.ContactHeld, c.ContactResumed)):
        assert _at(house, later) - _at(house, earlier) >= SETTLE
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)


def test_a_hold_that_is_taken_back_at_once_is_never_heard(house: House) -> None:
    """Feature 4.3: a double click."""
    house.driver.phone("1001")
    house.sign_in("801")
    house.driver.call()
    house.ledger.await_event(c.ContactConnected)
    house.do(inputs.Hold(agent="801"))
    asked = house.ledger.await_event(c.HoldRequested)
    waits = asked.not_before > _at(house, c.HoldRequested)
    if waits:
        house.do(inputs.Resume(agent="801"))
        house.ledger.await_event(c.ResumeRequested)
    house.driver.let_hear(int(QUIET_S * 1_000))
    assert bool(house.ledger.all(c.ContactHeld)) == (not waits)
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)


def _at(house: House, kind: type[Event]) -> int:
    """When the first such event was recorded."""
    return next(record.about.at for record in house.ledger.read() if isinstance(record.event, kind))


def test_an_agent_who_hangs_up_just_after_a_hold_does_not_leave_the_caller_in_the_music(house: House) -> None:
    """Complaint 16: a real switch says nothing more of such a caller, who is bridged to nobody and hears music."""
    phone = house.driver.phone("1001")
    house.sign_in("801")
    house.driver.call()
    connected = house.ledger.await_event(c.ContactConnected)
    house.do(inputs.Hold(agent="801"))
    house.ledger.await_event(c.ContactHeld)
    phone.hang_up()
    assert house.ledger.await_event(c.ContactEnded).reason == "completed"
    assert [segment.segment_id for segment in house.ledger.all(c.AgentSegmentEnded)] == [connected.segment_id]
    house.close_day(contacts=1)
