"""Callers who are passed on, on both switches, from the first agent to the end: to a colleague, a queue, outside."""

from typing import TypeVar

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts import recording as r
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.kernel import Event, Refused
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import ELSEWHERE, OUTSIDE, House, talking

E = TypeVar("E", bound=Event)


@pytest.mark.parametrize("held", (False, True))
def test_a_caller_passed_on_to_a_colleague_talks_with_them_and_each_talk_has_its_recording(
    house: House, *, held: bool
) -> None:
    """Features 4.3, 4.4; complaints 13, 14: one contact, two conversations, two recordings, two wrap-ups."""
    house.driver.phone("1002")
    talking(house, "802")
    house.driver.let_hear(1_500)
    if held:
        house.do(inputs.Hold(agent="801"))
        house.ledger.await_event(c.ContactHeld)
    house.do(inputs.Transfer(agent="801", to_agent="802"))
    finished = house.ledger.await_event(c.RecordingFinished)
    assert finished.length_ms >= 1_300
    house.await_state("802", "talking")
    house.driver.let_hear(1_500)
    house.do(inputs.HangUp(agent="802"))
    report = house.close_day(contacts=1)
    assert report.counts.transfers == 1
    first, second = house.ledger.all(c.ContactConnected)
    assert [event.ended_by for event in house.ledger.all(c.AgentSegmentEnded)] == ["transfer", "agent"]
    files = [event.file for event in house.ledger.all(c.RecordingFinished)]
    assert files == [f"{first.segment_id}.wav", f"{second.segment_id}.wav"]
    for file in files:
        house.driver.assert_recorded(str(house.driver.recordings / file), left=1_000, right=500, from_s=0.9, to_s=1.3)


def test_a_caller_passed_on_under_a_mask_is_heard_in_the_next_recording(house: House) -> None:
    """Features 4.3, 8.1: the mask is the first talk's, and its end stands in the log before that of its recording."""
    house.driver.phone("1002")
    talking(house, "802")
    house.do(inputs.MaskRecording(agent="801"))
    house.ledger.await_event(r.RecordingMasked)
    house.do(inputs.Transfer(agent="801", to_agent="802"))
    assert house.ledger.await_event(r.RecordingUnmasked).reason == "finished"
    assert house.ledger.await_event(r.RecordingEndAsked).reason == "transfer"
    house.ledger.await_event(c.RecordingFinished)
    house.await_state("802", "talking")
    house.driver.let_hear(1_500)
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)
    second = house.ledger.all(c.ContactConnected)[1]
    file = _last(house, c.RecordingFinished).file
    assert file == f"{second.segment_id}.wav"
    house.driver.assert_recorded(str(house.driver.recordings / file), left=1_000, right=500, from_s=0.9, to_s=1.3)
    assert len(house.ledger.all(r.RecordingUnmasked)) == 1


def test_a_colleague_who_does_not_answer_leaves_the_caller_in_the_queue_for_the_next(build: Build) -> None:
    house = build(ring_s=2)
    house.open()
    house.driver.phone("1002", "rings")
    talking(house, "802")
    house.do(inputs.Transfer(agent="801", to_agent="802"))
    house.ledger.await_event(c.OfferTimedOut)
    house.await_state("801", "talking")
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)
    assert [event.agent_id for event in house.ledger.all(c.ContactConnected)] == ["ann", "ann"]
    assert [event.queue_id for event in house.ledger.all(c.ContactQueued)] == ["support", "support"]


def test_a_caller_passed_on_into_a_queue_waits_there_until_an_agent_comes(house: House) -> None:
    house.driver.phone("1003")
    talking(house)
    house.do(inputs.Transfer(agent="801", to_queue="sales"))
    assert _last(house, c.ContactQueued).queue_id == "sales"
    house.sign_in("803")
    house.await_state("803", "talking")
    house.do(inputs.HangUp(agent="803"))
    house.close_day(contacts=1)
    assert [event.outcome for event in house.ledger.all(c.QueueVisitEnded)] == ["answered", "answered"]


def test_a_caller_passed_on_outside_talks_to_the_number_and_a_dead_one_leaves_them_in_the_queue(build: Build) -> None:
    house = build()
    house.apply(house.configuration + OUTSIDE.format(ring_s=5))
    house.open()
    house.driver.outside(ELSEWHERE)
    talking(house)
    with pytest.raises(Refused, match="may not be called"):
        house.do(inputs.Transfer(agent="801", to_number="+8613800138000"))
    house.do(inputs.Transfer(agent="801", to_number=ELSEWHERE))
    house.ledger.await_event(o.OutsideConnected)
    assert _last(house, c.QueueVisitEnded).outcome == "transferred"
    house.do(inputs.EndAll(reason="evening"))
    house.close_day(contacts=1)
    assert [event.to for event in house.ledger.all(ContactTransferred)] == ["outside"]


def _last(house: House, kind: type[E]) -> E:
    return house.ledger.all(kind)[-1]
