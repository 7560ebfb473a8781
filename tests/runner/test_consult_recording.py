"""What becomes of a recording while somebody is consulted: it goes on, and ends when the caller is handed over.

Features 4.3, 8.1; complaints 13, 15.
"""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from orchestrator.audit.verify import verify
from orchestrator.domain.contacts import recording as r
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.routing.recording import RecordingsConfigured
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    BridgeLegs,
    MaskRecording,
    RingAgent,
    StartRecording,
    StopRecording,
    UnmaskRecording,
)
from orchestrator.runner import inputs
from tests.runner.scene import agent, story
from tests.runner.tapes import Tapes
from tests.runner.test_consult import Consulted, outside

OF_RECORDINGS = (StartRecording, StopRecording, MaskRecording, UnmaskRecording)


class Taped(Tapes, Consulted):
    """Agent 1 talks with a caller, and what is recorded by rule has begun."""

    def __init__(self, *, heard: bool = True, **queue: object) -> None:
        super().__init__(**queue)
        if heard:
            self.begun()
        self.first = self.segment

    def masked(self) -> str:
        """The talk is masked, and the switch has said so; the file."""
        assert self.press(inputs.MaskRecording) == ""
        self.mask_set(self.file, on=True)
        return self.file

    def of_recordings(self) -> list[str]:
        """What the switch was told of recordings since the last one told."""
        found = [type(each).__name__ for each in self.told if isinstance(each, OF_RECORDINGS)]
        self.told.clear()
        return found

    def three(self, ring: RingAgent) -> tuple[facts.SeenLeg, ...]:
        """What a snapshot shows while agent and colleague talk."""
        return (
            self.seen(self.caller),
            self.seen_phone(self.ring, answered=True, bridged_to=ring.leg),
            self.seen_phone(ring, answered=True, bridged_to=self.ring.leg),
        )

    def proven(self) -> None:
        """Everybody leaves, and the independent verifier finds nothing wrong."""
        for leg in self.it.legs:
            self.hang_up(leg)
        self.wait(20_000)
        report = verify(self.records, expect_contacts=1)
        assert not report.problems, report.problems


# --- by rule ---------------------------------------------------------------------------------------------------------
def test_one_file_holds_the_talk_through_a_consultation_and_the_colleague_has_a_file_of_their_own() -> None:
    """Decided so in 0062: whichever two of the three talk, it is the caller's leg that is recorded."""
    scene = Taped()
    first = scene.file
    scene.told.clear()
    ring = scene.both_talk()
    scene.press(inputs.SwitchConsult)
    scene.joined(scene.caller, scene.ring.leg)
    scene.parked(ring.leg)
    scene.press(inputs.SwitchConsult)
    scene.parked(scene.caller)
    scene.joined(scene.ring.leg, ring.leg)
    assert (scene.of_recordings(), scene.file) == ([], first)
    scene.press(inputs.CompleteConsult)
    assert scene.events(r.RecordingEndAsked) == [r.RecordingEndAsked(file=first, reason="transfer")]
    told = [each for each in scene.outcome.instructions if isinstance(each, StopRecording | BridgeLegs)]
    assert [type(each) for each in told] == [StopRecording, BridgeLegs], "no file holds two agents"
    scene.finished(first)
    scene.joined(scene.caller, ring.leg)
    scene.begun()
    assert scene.it.files == (first, r.file_of(scene.segment))
    assert scene.first != scene.segment
    scene.proven()


@pytest.mark.parametrize(("word", "recorded"), (("never", []), ("as_queue", ["StartRecording"])))
def test_the_talk_with_the_colleague_is_judged_anew_when_its_legs_are_joined(word: str, recorded: list[str]) -> None:
    """Feature 8.1: nobody who was promised it is recorded in the talk of somebody else; nor the other way round."""
    scene = Taped()
    scene.configure({"agent-a2": replace(agent(2, support=3), record=word)})
    ring = scene.both_talk()
    scene.press(inputs.CompleteConsult)
    scene.told.clear()
    scene.joined(scene.caller, ring.leg)
    assert scene.of_recordings() == recorded


def test_a_consultation_that_is_cancelled_changes_nothing_about_the_recording() -> None:
    scene = Taped()
    file = scene.masked()
    scene.told.clear()
    ring = scene.both_talk()
    scene.press(inputs.EndConsult)
    scene.hang_up(ring.leg)
    scene.joined(scene.caller, scene.ring.leg)
    assert scene.of_recordings() == []
    recording = scene.it.recording
    assert recording is not None
    assert (recording.file, recording.masked, recording.ending) == (file, True, False)
    scene.finished(file)
    scene.proven()


# --- masked ----------------------------------------------------------------------------------------------------------
def _completes(scene: Taped, _ring: RingAgent) -> None:
    scene.press(inputs.CompleteConsult)


def _hangs_up_at_the_desk(scene: Taped, _ring: RingAgent) -> None:
    scene.press(inputs.HangUp)


def _puts_down(scene: Taped, _ring: RingAgent) -> None:
    scene.hang_up(scene.ring.leg)


def _cannot_come_back(scene: Taped, ring: RingAgent) -> None:
    scene.press(inputs.EndConsult)
    scene.hang_up(ring.leg)
    scene.wait(10_000)


def _goes_on_the_way_back(scene: Taped, ring: RingAgent) -> None:
    scene.press(inputs.EndConsult)
    scene.hang_up(ring.leg)
    scene.hang_up(scene.ring.leg)


GOES = (_completes, _hangs_up_at_the_desk, _puts_down, _cannot_come_back, _goes_on_the_way_back)


@pytest.mark.parametrize("confirmed", (False, True))
@pytest.mark.parametrize("goes", GOES, ids=lambda goes: goes.__name__)
def test_recording_and_mask_end_with_the_talk_however_the_agent_leaves_the_caller(
    goes: Callable[[Taped, RingAgent], None], *, confirmed: bool
) -> None:
    """The next talk begins with sound, and the switch is told nothing of the first one's mask."""
    scene = Taped()
    ring = scene.both_talk()
    file = scene.file
    assert scene.press(inputs.MaskRecording) == ""
    if confirmed:
        scene.mask_set(file, on=True)
    goes(scene, ring)
    assert len(scene.events(ContactTransferred)) == 1
    assert scene.events(r.RecordingUnmasked) == [r.RecordingUnmasked(file=file, reason="finished")]
    assert scene.events(r.RecordingEndAsked) == [r.RecordingEndAsked(file=file, reason="transfer")]
    assert [each.file for each in scene.instructions(StopRecording)] == [file]
    assert not scene.instructions(UnmaskRecording)
    scene.mask_set(file, on=True)
    assert story(scene.outcome) == [], "an answer that comes late masks nothing"
    scene.finished(file)
    assert scene.it.recording is None
    scene.proven()


def test_a_mask_may_be_asked_for_and_ended_while_somebody_is_consulted_and_ends_by_itself() -> None:
    """Feature 8.1: the caller still is the agent's, and so is what is recorded of them."""
    scene = Taped()
    scene.both_talk()
    file = scene.masked()
    assert scene.press(inputs.UnmaskRecording) == ""
    scene.mask_set(file, on=False)
    scene.masked()
    scene.told.clear()
    scene.wait(180_000)
    assert [event.reason for event in scene.events(r.UnmaskAsked)] == ["agent", "limit"]
    assert scene.of_recordings() == ["UnmaskRecording"]
    scene.mask_set(file, on=False)
    scene.finished(file)
    scene.proven()


def test_a_caller_who_hangs_up_meanwhile_takes_the_mask_along() -> None:
    scene = Taped()
    scene.both_talk()
    file = scene.masked()
    scene.hang_up(scene.caller)
    assert scene.events(r.RecordingUnmasked) == [r.RecordingUnmasked(file=file, reason="leg_gone")]
    scene.proven()


def test_whoever_is_asked_has_no_say_in_the_recording_until_the_caller_is_theirs() -> None:
    scene = Taped()
    ring = scene.both_talk()
    first, about = scene.file, scene.it.contact_id
    for kind in (inputs.MaskRecording, inputs.UnmaskRecording, inputs.StartRecording, inputs.StopRecording):
        assert scene.refusal(kind(agent="1002", about=about)) == "not_talking"
    scene.press(inputs.CompleteConsult)
    scene.joined(scene.caller, ring.leg)
    assert story(scene.give(inputs.MaskRecording(agent="1002"))) == ["MaskAsked"]
    scene.begun()
    assert scene.events(r.MaskAsked)[-1].file == r.file_of(scene.segment) != first


# --- on demand -------------------------------------------------------------------------------------------------------
def test_an_agent_asks_for_a_recording_during_a_consultation_and_the_colleague_asks_anew() -> None:
    scene = Taped(record="on_demand")
    ring = scene.both_talk()
    assert scene.press(inputs.StartRecording) == ""
    scene.begun()
    first = scene.file
    scene.press(inputs.CompleteConsult)
    assert [each.file for each in scene.instructions(StopRecording)] == [first]
    scene.joined(scene.caller, ring.leg)
    scene.told.clear()
    assert story(scene.give(inputs.StartRecording(agent="1002"))) == ["RecordingAsked"]
    assert scene.of_recordings() == ["StartRecording"]


def test_a_talk_that_is_not_recorded_leaves_nothing_to_end() -> None:
    scene = Taped(record="never")
    scene.both_talk()
    scene.press(inputs.CompleteConsult)
    assert not scene.instructions(StopRecording)
    assert not scene.events(r.RecordingEndAsked)


# --- a number outside ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("rule", "recorded"), (("as_queue", ["StartRecording"]), ("never", [])))
def test_the_talk_with_a_number_outside_is_judged_anew_too(rule: str, recorded: list[str]) -> None:
    scene = Taped()
    first = scene.file
    dialled = outside(scene)
    assert [each.file for each in scene.instructions(StartRecording)] == [first]
    scene.configure({"recordings-main": RecordingsConfigured(rule=rule)})
    scene.press(inputs.CompleteConsult)
    assert [each.file for each in scene.instructions(StopRecording)] == [first], "what was begun ends all the same"
    scene.told.clear()
    scene.joined(scene.caller, dialled.leg)
    assert scene.of_recordings() == recorded


# --- what the switch says late, or not at all ------------------------------------------------------------------------
@pytest.mark.parametrize("lost", (Taped.disconnect, Taped.restart), ids=lambda lost: lost.__name__)
def test_what_is_wished_of_a_recording_is_told_again_in_the_middle_of_a_consultation(
    lost: Callable[[Taped], object],
) -> None:
    """Complaint 15: the link is lost, or the engine; a file that was begun is not begun again."""
    scene = Taped()
    ring = scene.both_talk()
    scene.press(inputs.MaskRecording)
    lost(scene)
    scene.told.clear()
    scene.connect(legs=scene.three(ring))
    assert scene.of_recordings() == ["MaskRecording"]
    scene.mask_set(scene.file, on=True)
    assert scene.it.recording is not None
    assert scene.it.recording.masked


def test_an_engine_that_starts_again_begins_a_recording_of_which_nobody_has_heard() -> None:
    scene = Taped(heard=False)
    ring = scene.both_talk()
    scene.restart()
    scene.told.clear()
    scene.connect(legs=scene.three(ring))
    assert [each.file for each in scene.instructions(StartRecording)] == [r.file_of(scene.first)]


def test_a_recording_that_is_heard_of_after_the_caller_was_handed_over_ends_once_more() -> None:
    """Its end may overtake its beginning."""
    scene = Taped(heard=False)
    ring = scene.both_talk()
    scene.press(inputs.CompleteConsult)
    first = r.file_of(scene.first)
    assert [each.file for each in scene.instructions(StopRecording)] == [first]
    scene.joined(scene.caller, ring.leg)
    scene.begun(first)
    assert [each.file for each in scene.instructions(StopRecording)] == [first, first]
    scene.begun()
    scene.finished(first)
    assert scene.file == r.file_of(scene.segment)
