"""What becomes of a recording when its caller is passed on: each talk has files of its own, and the wait has none.

Features 4.3, 8.1; complaint 14.
"""

import pytest
from msgspec.structs import replace

from orchestrator.audit.verify import verify
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import recording as r
from orchestrator.domain.routing.recording import RecordingsConfigured
from orchestrator.domain.switch.instructions import (
    MaskRecording,
    ParkLeg,
    RingAgent,
    StartRecording,
    StopRecording,
    UnmaskRecording,
)
from orchestrator.runner import inputs as i
from tests.runner.scene import agent, story
from tests.runner.tapes import Tapes
from tests.runner.test_transfer import Passed

MASKS = (MaskRecording, UnmaskRecording)


class Taped(Tapes, Passed):
    """Agent 1 talks with a caller, and what is recorded by rule has begun; agent 3 serves the queue for sales."""

    def __init__(self, *, heard: bool = True, **queue: object) -> None:
        super().__init__(**queue)  # type: ignore[arg-type]  # a test's own words
        self.second: RingAgent | None = None
        if heard:
            self.begun()

    def let_go(self) -> None:
        """The switch parks the caller, and the first agent's leg is gone."""
        self.parked()
        self.hang_up(self.ring.leg)

    def talk_on(self) -> None:
        """The second agent talks with the caller."""
        self.second = self.join_second()

    def proven(self) -> None:
        """Everybody leaves, and the independent verifier finds nothing wrong."""
        self.hang_up(self.caller)
        if self.second is not None:
            self.hang_up(self.second.leg)
        report = verify(self.records, expect_contacts=1)
        assert not report.problems, report.problems


# --- by rule ---------------------------------------------------------------------------------------------------------
def test_a_recording_ends_with_its_talk_and_the_next_talk_has_a_file_of_its_own() -> None:
    """Decided so in 0061: the wait is not recorded, and no file holds two agents."""
    scene = Taped()
    first = scene.file
    assert scene.pass_on(to_queue="sales") == ""
    assert scene.events(r.RecordingEndAsked) == [r.RecordingEndAsked(file=first, reason="transfer")]
    told = [each for each in scene.outcome.instructions if isinstance(each, StopRecording | ParkLeg)]
    assert [type(each) for each in told] == [StopRecording, ParkLeg], "the file holds the talk to its end, and no more"
    scene.finished(first)
    assert scene.file == ""
    scene.let_go()
    assert len(scene.instructions(StartRecording)) == 1
    scene.talk_on()
    second = scene.instructions(StartRecording)[-1].file
    assert second == r.file_of(scene.segment) != first
    scene.begun()
    assert scene.it.files == (first, second)
    assert len(scene.instructions(StopRecording)) == 1
    scene.proven()


@pytest.mark.parametrize(("word", "recorded"), (("never", 1), ("as_queue", 2)))
def test_the_next_talk_is_judged_anew_when_its_legs_are_joined(word: str, recorded: int) -> None:
    """Feature 8.1: nobody who was promised it is recorded in the talk of somebody else."""
    scene = Taped()
    scene.configure({"agent-a3": replace(agent(3, sell=3), record=word)})
    first = scene.file
    scene.pass_on(to_queue="sales")
    scene.let_go()
    scene.talk_on()
    assert len(scene.instructions(StartRecording)) == recorded
    assert [each.file for each in scene.instructions(StopRecording)] == [first]


def test_a_talk_that_is_not_recorded_leaves_nothing_to_end() -> None:
    scene = Taped(record="never")
    assert scene.pass_on(to_queue="sales") == ""
    assert not scene.instructions(StopRecording)
    assert not scene.events(r.RecordingEndAsked)


def test_of_two_talks_that_are_recorded_one_after_the_other_the_desk_knows_only_its_own() -> None:
    """Complaint 15: the end of the first was never told. The second is recorded, masked and ended like any other."""
    scene = Taped()
    first = scene.file
    scene.pass_on(to_queue="sales")
    scene.let_go()
    scene.talk_on()
    assert story(scene.give(i.MaskRecording(agent="1003"))) == ["MaskAsked"], "of what is its own, begun or not"
    assert r.is_of(scene.file, scene.segment)
    scene.begun()
    scene.begun(first)
    assert story(scene.outcome) == [], "told twice"
    scene.mask_set(scene.file, on=True)
    scene.finished(first)
    recording = scene.it.recording
    assert recording is not None
    assert recording.masked
    scene.proven()


# --- masked ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("confirmed", (False, True))
def test_a_mask_ends_with_the_talk_in_which_it_was_asked_for(*, confirmed: bool) -> None:
    """Feature 8.1: the second agent's talk begins with sound, and the switch is told nothing of the first one's."""
    scene = Taped()
    first = scene.file
    scene.give(i.MaskRecording(agent="1001"))
    if confirmed:
        scene.mask_set(first, on=True)
    scene.pass_on(to_queue="sales")
    ends = [name for name in story(scene.outcome) if name in ("RecordingUnmasked", "RecordingEndAsked")]
    assert ends == ["RecordingUnmasked", "RecordingEndAsked"]
    assert scene.events(r.RecordingUnmasked) == [r.RecordingUnmasked(file=first, reason="finished")]
    scene.mask_set(first, on=True)
    assert story(scene.outcome) == [], "an answer that comes late masks nothing"
    scene.finished(first)
    assert story(scene.outcome) == ["RecordingFinished"]
    scene.let_go()
    scene.talk_on()
    scene.begun()
    recording = scene.it.recording
    assert recording is not None
    assert (recording.hushed, recording.mask_failed) == (False, False)
    scene.wait(600_000)
    assert [type(each) for each in scene.told if isinstance(each, MASKS)] == [MaskRecording]
    scene.proven()


# --- on demand -------------------------------------------------------------------------------------------------------
def test_what_one_agent_asked_for_ends_with_the_talk_and_the_next_agent_may_ask_anew() -> None:
    """Feature 8.1: on demand."""
    scene = Taped(record="on_demand")
    scene.configure({"queue-sales": replace(scene.world.queues["sales"].settings, record="on_demand")})
    scene.give(i.StartRecording(agent="1001"))
    scene.begun()
    first = scene.file
    scene.pass_on(to_queue="sales")
    assert [each.file for each in scene.instructions(StopRecording)] == [first]
    scene.let_go()
    scene.talk_on()
    assert len(scene.instructions(StartRecording)) == 1
    assert story(scene.give(i.StartRecording(agent="1003"))) == ["RecordingAsked"], "the first end was not told yet"
    scene.begun()
    scene.finished(first)
    assert scene.file == r.file_of(scene.segment)
    assert story(scene.give(i.StopRecording(agent="1003"))) == ["RecordingEndAsked"]
    assert [event.reason for event in scene.events(r.RecordingEndAsked)] == ["transfer", "agent"]
    scene.proven()


# --- what the switch says late, or not at all ------------------------------------------------------------------------
def test_a_recording_of_which_nobody_has_heard_ends_all_the_same_and_again_once_it_begins() -> None:
    """Its end may overtake its beginning."""
    scene = Taped(heard=False)
    file = scene.instructions(StartRecording)[-1].file
    scene.pass_on(to_queue="sales")
    assert [each.file for each in scene.instructions(StopRecording)] == [file]
    scene.begun()
    assert story(scene.outcome) == ["RecordingBegun"]
    assert [each.file for each in scene.instructions(StopRecording)] == [file, file]
    scene.finished(file)
    assert scene.file == ""


def test_a_recording_that_no_rule_asks_for_any_more_ends_when_it_is_heard_of_after_its_talk() -> None:
    scene = Taped(heard=False)
    scene.configure({"recordings-main": RecordingsConfigured(rule="never")})
    scene.pass_on(to_queue="sales")
    assert not scene.instructions(StopRecording)
    scene.begun()
    assert story(scene.outcome) == ["RecordingBegun", "RecordingEndAsked"]
    assert len(scene.instructions(StopRecording)) == 1


def test_an_end_that_may_never_have_reached_the_switch_is_told_again_while_the_caller_waits() -> None:
    """Complaint 15: the link is lost, or the engine."""
    for lost in (Taped.disconnect, Taped.restart):
        scene = Taped()
        file = scene.file
        scene.pass_on(to_queue="sales")
        scene.parked()
        lost(scene)
        scene.connect(legs=(scene.seen(scene.caller),))
        assert [each.file for each in scene.instructions(StopRecording)] == [file, file]
        assert len(scene.instructions(StartRecording)) == 1, "nobody talks with them"


def test_an_engine_that_starts_again_ends_the_first_file_and_begins_the_second() -> None:
    """Features 8.1, 12.1: neither is known to the log."""
    scene = Taped()
    first = scene.file
    scene.pass_on(to_queue="sales")
    scene.let_go()
    scene.talk_on()
    second = scene.instructions(StartRecording)[-1].file
    assert scene.second is not None
    scene.restart()
    scene.told.clear()
    scene.connect(
        legs=(
            scene.seen(scene.caller, parked=False, bridged_to=scene.second.leg),
            scene.seen_phone(scene.second, answered=True, bridged_to=scene.caller),
        )
    )
    assert [each.file for each in scene.instructions(StopRecording)] == [first]
    assert [each.file for each in scene.instructions(StartRecording)] == [second]


def test_a_second_recording_that_cannot_begin_is_an_alarm_though_the_first_has_not_ended() -> None:
    """Feature 9.2: recording failing."""
    scene = Taped()
    scene.pass_on(to_queue="sales")
    scene.let_go()
    scene.talk_on()
    told = scene.instructions(StartRecording)[-1]
    scene.failed(told, "Cannot record session!")
    assert scene.events(r.RecordingFailed) == [r.RecordingFailed(file=told.file, cause="Cannot record session!")]
    assert scene.events(c.RecordingBegun)[-1].file != told.file
