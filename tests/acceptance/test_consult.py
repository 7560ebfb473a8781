"""Agents who ask somebody about a caller, on both switches, from the first agent to the end."""

from random import Random

import pytest

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts import recording as r
from orchestrator.domain.kernel import Refused
from orchestrator.domain.switch.nodes import NodeReconciled
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import ELSEWHERE, OUTSIDE, House, talking

RACES = 8


def _hears(house: House, whom: str, times: int) -> None:
    """The switch has said so often that the agent talks with this one of the two."""
    house.ledger.await_event(e.ConsultJoined, fits=lambda event: event.hears == whom, count=times)


def test_an_agent_asks_a_colleague_goes_to_and_fro_and_leaves_the_caller_to_them(house: House) -> None:
    """Features 4.3, 4.4; complaints 13, 14: one contact, two conversations, two recordings, two wrap-ups."""
    house.driver.phone("1002")
    talking(house, "802")
    house.driver.let_hear(1_500)
    house.do(inputs.Consult(agent="801", to_agent="802"))
    _hears(house, "consulted", 1)
    house.do(inputs.SwitchConsult(agent="801"))
    _hears(house, "caller", 1)
    house.do(inputs.SwitchConsult(agent="801"))
    _hears(house, "consulted", 2)
    house.do(inputs.CompleteConsult(agent="801"))
    house.await_state("802", "talking")
    house.driver.let_hear(1_500)
    house.do(inputs.HangUp(agent="802"))
    report = house.close_day(contacts=1)
    assert (report.counts.consults, report.counts.transfers) == (1, 1)
    first, second = house.ledger.all(c.ContactConnected)
    assert [event.agent_id for event in (first, second)] == ["ann", "bob"]
    assert [event.ended_by for event in house.ledger.all(c.AgentSegmentEnded)] == ["transfer", "agent"]
    files = [event.file for event in house.ledger.all(c.RecordingFinished)]
    assert files == [f"{first.segment_id}.wav", f"{second.segment_id}.wav"]
    for file in files:
        house.driver.assert_recorded(str(house.driver.recordings / file), left=1_000, right=500, from_s=0.9, to_s=1.3)


def test_all_three_hear_each_other_until_the_agent_leaves_and_one_recording_has_it_all(house: House) -> None:
    """Features 4.3, 8.1; complaint 13: from the command line as from the desk."""
    house.driver.phone("1002")
    talking(house, "802")
    house.do(inputs.Consult(agent="801", to_agent="802"))
    _hears(house, "consulted", 1)
    assert house.run("confer", "801")[0] == 0
    _hears(house, "together", 1)
    assert house.refusal(inputs.Consult(agent="801", to_agent="803")) == "consulting"
    house.driver.let_hear(1_500)
    house.engines[-1].child.kill()
    house.open()
    house.ledger.await_event(NodeReconciled, count=2)
    house.do(inputs.HangUp(agent="801"))
    house.await_state("802", "talking")
    # Both are commands in the background: hung up before, a leg may be gone as its recording is to begin.
    house.ledger.await_event(c.RecordingBegun, count=2)
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)
    assert [event.agent_id for event in house.ledger.all(c.ContactConnected)] == ["ann", "bob"]
    assert len(house.ledger.all(c.RecordingFinished)) == 2


def test_a_mask_that_is_open_while_somebody_is_asked_ends_with_the_talk_and_the_next_one_is_heard(house: House) -> None:
    """Features 4.3, 8.1: the mask is the first talk's, and its end stands in the log before that of its recording."""
    house.driver.phone("1002")
    talking(house, "802")
    house.do(inputs.Consult(agent="801", to_agent="802"))
    _hears(house, "consulted", 1)
    house.do(inputs.MaskRecording(agent="801"))
    house.ledger.await_event(r.RecordingMasked)
    house.do(inputs.CompleteConsult(agent="801"))
    assert house.ledger.await_event(r.RecordingUnmasked).reason == "finished"
    assert house.ledger.await_event(r.RecordingEndAsked).reason == "transfer"
    house.await_state("802", "talking")
    house.driver.let_hear(1_500)
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)
    files = [f"{event.segment_id}.wav" for event in house.ledger.all(c.ContactConnected)]
    assert [event.file for event in house.ledger.all(c.RecordingFinished)] == files
    file = house.driver.recordings / files[1]
    house.driver.assert_recorded(str(file), left=1_000, right=500, from_s=0.9, to_s=1.3)
    assert len(house.ledger.all(r.RecordingUnmasked)) == 1


def test_a_colleague_who_is_asked_no_more_is_free_and_the_caller_talks_with_the_agent_again(house: House) -> None:
    house.driver.phone("1002")
    talking(house, "802")
    house.do(inputs.Consult(agent="801", to_agent="802"))
    _hears(house, "consulted", 1)
    house.do(inputs.EndConsult(agent="801"))
    house.ledger.await_event(e.ContactRejoined)
    house.await_state("802", "ready")
    house.await_state("801", "talking")
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)
    assert [event.agent_id for event in house.ledger.all(c.ContactConnected)] == ["ann"]
    assert [event.outcome for event in house.ledger.all(e.ConsultClosed)] == ["cancelled"]


def test_a_colleague_who_does_not_answer_leaves_caller_and_agent_together(build: Build) -> None:
    house = build(ring_s=2)
    house.open()
    house.driver.phone("1002", "rings")
    talking(house, "802")
    house.do(inputs.Consult(agent="801", to_agent="802"))
    assert house.ledger.await_event(e.ConsultClosed).outcome == "missed"
    house.ledger.await_event(e.ContactRejoined)
    house.await_state("802", "ready")
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)


def test_an_engine_that_starts_again_in_the_middle_finds_all_three(house: House) -> None:
    """Complaint 13; feature 11.8: nobody is cut off, and the agent completes what they began."""
    house.driver.phone("1002")
    talking(house, "802")
    house.do(inputs.Consult(agent="801", to_agent="802"))
    _hears(house, "consulted", 1)
    house.engines[-1].child.kill()
    house.open()
    house.ledger.await_event(NodeReconciled, count=2)
    house.do(inputs.CompleteConsult(agent="801"))
    house.await_state("802", "talking")
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)
    assert [event.agent_id for event in house.ledger.all(c.ContactConnected)] == ["ann", "bob"]


@pytest.mark.slow
def test_race_a_colleague_who_hangs_up_while_being_joined_has_caller_and_agent_together_at_once(house: House) -> None:
    """Complaint 13: whatever moment of the milliseconds it is, nobody waits for a question to the switch."""
    house.driver.phone("1002")
    talking(house, "802")
    dice = Random(8)
    for count in range(1, RACES + 1):
        house.await_state("802", "ready")
        house.do(inputs.Consult(agent="801", to_agent="802"))
        house.ledger.await_event(e.ConsultAnswered, count=count)
        house.driver.let_hear(dice.randrange(50))  # where in the window it is, the seed says
        with house.driver.control() as control:
            control.api(f"uuid_kill {house.ledger.all(e.ConsultAsked)[-1].leg}")
        house.ledger.await_event(e.ContactRejoined, count=count)
    causes = {event.cause for event in house.ledger.all(e.ConsultExtended)}
    assert causes <= {"agent_away", "agent_parked"}, "nobody had to be asked why they are not joined"
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)


@pytest.mark.parametrize("completes", (True, False))
def test_a_number_outside_is_asked_and_has_the_caller_or_not(build: Build, *, completes: bool) -> None:
    house = build()
    house.apply(house.configuration + OUTSIDE.format(ring_s=5))
    house.open()
    house.driver.outside(ELSEWHERE)
    talking(house)
    with pytest.raises(Refused, match="may not be called"):
        house.do(inputs.Consult(agent="801", to_number="+8613800138000"))
    house.do(inputs.Consult(agent="801", to_number=ELSEWHERE))
    _hears(house, "consulted", 1)
    if completes:
        house.do(inputs.CompleteConsult(agent="801"))
        house.ledger.await_event(o.OutsideConnected)
    else:
        house.do(inputs.EndConsult(agent="801"))
        house.ledger.await_event(e.ContactRejoined)
    house.do(inputs.EndAll(reason="evening"))
    house.close_day(contacts=1)
    outcomes = [event.outcome for event in house.ledger.all(c.QueueVisitEnded)]
    assert outcomes == (["answered", "transferred"] if completes else ["answered"])
