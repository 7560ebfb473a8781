"""The recording of a talk: by rule, when the agent asks, masked for a card number, and what the switch says of it."""

import pytest
from msgspec.structs import replace

from orchestrator.audit.verify import verify
from orchestrator.domain.contacts import recording as r
from orchestrator.domain.contacts.contacts import Contact, RecordingBegun, RecordingFinished
from orchestrator.domain.routing.recording import RecordingsConfigured
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    AnnounceNumber,
    Instruction,
    MaskRecording,
    StartRecording,
    StopRecording,
    UnmaskRecording,
)
from orchestrator.runner import inputs as i
from tests.runner.scene import NODE, Scene, agent, story

START, STOP = i.StartRecording(agent="1001"), i.StopRecording(agent="1001")
MASK, UNMASK = i.MaskRecording(agent="1001"), i.UnmaskRecording(agent="1001")


class Recorded(Scene):
    """A talk whose recording has begun, unless the queue says otherwise."""

    def __init__(self, **queue: object) -> None:
        super().__init__(agents=1, **queue)  # type: ignore[arg-type]  # a test's own words
        self.caller, self.ring = self.talk()
        self.begun()

    def begun(self) -> None:
        """The switch begins whatever it was told last to record."""
        for told in self.instructions(StartRecording)[-1:]:
            self.give(facts.RecordingStarted(node=NODE, leg=self.caller, path=f"/recordings/{told.file}"))

    def finished(self, file: str, cause: str = "success-silence") -> None:
        """The switch says that the file is complete."""
        self.give(
            facts.RecordingStopped(node=NODE, leg=self.caller, path=f"/recordings/{file}", length_ms=4_000, cause=cause)
        )

    @property
    def file(self) -> str:
        """What is being recorded."""
        recording = self.live(self.caller).recording
        return recording.file if recording is not None else ""

    def mask_set(self, *, on: bool) -> None:
        """The switch has done it."""
        self.give(facts.MaskSet(node=NODE, leg=self.caller, file=self.file, on=on))

    def masked(self) -> "Recorded":
        """The same, masked."""
        self.give(MASK)
        self.mask_set(on=True)
        return self

    def told_of_masks(self) -> list[type[Instruction]]:
        """Which masks and ends of masks the switch was told of."""
        return [type(each) for each in self.told if isinstance(each, MaskRecording | UnmaskRecording)]

    def back(self) -> None:
        """The engine starts again, and sees the switch as it is."""
        self.restart()
        self.connect(
            legs=(
                self.seen(self.caller, parked=False, bridged_to=self.ring.leg),
                self.seen_phone(self.ring, answered=True, bridged_to=self.caller),
            )
        )


def proven(scene: Recorded) -> None:
    """Everybody leaves, and the independent verifier finds nothing wrong."""
    for leg in (scene.caller, scene.ring.leg):
        scene.hang_up(leg)
    report = verify(scene.records, expect_contacts=1)
    assert not report.problems, report.problems


# --- by rule ---------------------------------------------------------------------------------------------------------
def test_an_agents_own_word_counts_beside_the_queues() -> None:
    """Feature 8.1: some agents."""
    for queue, own, recorded in (("as_agent", "always", 1), ("always", "never", 0), ("as_agent", "as_queue", 0)):
        scene = Scene(agents=1, record=queue)
        scene.configure({"agent-a1": replace(agent(1), record=own)})
        scene.talk()
        assert len(scene.instructions(StartRecording)) == recorded, (queue, own)


@pytest.mark.parametrize(("rule", "queue", "recorded"), (("always", "never", 1), ("never", "always", 0)))
def test_the_sites_word_is_over_all(rule: str, queue: str, recorded: int) -> None:
    """Feature 8.1: all, and off."""
    scene = Scene(agents=1, record=queue)
    scene.configure({"recordings-main": RecordingsConfigured(rule=rule)})
    scene.talk()
    assert len(scene.instructions(StartRecording)) == recorded


def test_what_is_decided_when_the_legs_are_joined_holds_whatever_is_configured_later() -> None:
    """Feature 8.1: a talk that was begun as recorded is recorded to its end."""
    scene = Recorded()
    scene.configure({"recordings-main": RecordingsConfigured(rule="never")})
    scene.back()
    assert scene.instructions(StartRecording)[-1].file == scene.file
    assert not scene.instructions(StopRecording)


# --- on demand -------------------------------------------------------------------------------------------------------
def test_an_agent_who_asks_has_the_rest_of_the_talk_recorded_and_may_end_it() -> None:
    """Feature 8.1: on demand; sent twice it is done once, and each recording has a file of its own."""
    scene = Recorded(record="on_demand")
    assert scene.file == ""
    assert story(scene.give(START)) == ["RecordingAsked"]
    assert story(scene.give(START)) == []
    scene.begun()
    first = scene.file
    assert story(scene.give(STOP)) == ["RecordingEndAsked"]
    assert story(scene.give(STOP)) == []
    assert [each.file for each in scene.instructions(StopRecording)] == [first]
    scene.finished(first)
    assert story(scene.give(STOP)) == []
    scene.give(START)
    scene.begun()
    assert scene.file not in ("", first)
    assert scene.live(scene.caller).files == (first, scene.file)
    proven(scene)


def test_a_recording_that_is_to_end_takes_its_mask_with_it() -> None:
    """Every mask has an end in the log, also where the agent ends the recording under it and asks for the next."""
    scene = Recorded(record="on_demand")
    scene.give(START)
    scene.begun()
    first = scene.masked().file
    assert story(scene.give(STOP)) == ["RecordingUnmasked", "RecordingEndAsked"]
    assert scene.events(r.RecordingUnmasked) == [r.RecordingUnmasked(file=first, reason="finished")]
    assert story(scene.give(START)) == ["RecordingAsked"]
    scene.finished(first)
    assert story(scene.outcome) == ["RecordingFinished"]
    scene.begun()
    scene.wait(600_000)
    assert scene.told_of_masks() == [MaskRecording], "what is to end is told nothing of sound"
    proven(scene)


def test_a_recording_whose_end_overtook_its_beginning_is_ended_again() -> None:
    """Two background jobs of a switch: the second may be done before the first."""
    scene = Recorded(record="on_demand")
    scene.give(START)
    scene.give(STOP)
    scene.begun()
    assert len(scene.instructions(StopRecording)) == 2


@pytest.mark.parametrize(
    ("queue", "command", "code"),
    (
        ("never", START, "recording_not_allowed"),
        ("as_agent", START, "recording_not_allowed"),
        ("always", STOP, "recorded_by_rule"),
        ("never", MASK, "not_recorded"),
        ("on_demand", MASK, "not_recorded"),
        ("on_demand", UNMASK, "not_recorded"),
    ),
)
def test_what_the_rule_does_not_allow_is_refused(queue: str, command: i.AgentCommand, code: str) -> None:
    """Feature 8.1; bad input: a mask where nothing is recorded."""
    assert Recorded(record=queue).refusal(command) == code


def test_whoever_is_in_no_talk_asks_in_vain() -> None:
    scene = Scene(agents=1)
    scene.ready(1)
    assert {scene.refusal(each) for each in (START, STOP, MASK, UNMASK)} == {"not_talking"}


def test_what_was_asked_for_and_not_begun_is_told_again_by_the_next_engine() -> None:
    """Features 8.1, 12.1."""
    scene = Recorded(record="on_demand")
    scene.give(START)
    scene.back()
    first, second = scene.instructions(StartRecording)
    assert (first.file, first.leg) == (second.file, second.leg)
    scene.begun()
    scene.give(STOP)
    scene.back()
    assert len(scene.instructions(StopRecording)) == 2
    assert len(scene.instructions(StartRecording)) == 2, "what is to end is not begun again"


def test_a_file_that_has_ended_is_not_begun_again_over_itself() -> None:
    """Bad input: a path that exists. The switch would write over what was recorded."""
    scene = Recorded()
    scene.finished(scene.file, "uri-failure")
    scene.back()
    assert len(scene.instructions(StartRecording)) == 1


# --- masks -----------------------------------------------------------------------------------------------------------
def test_a_mask_is_asked_for_told_and_confirmed_and_so_is_its_end() -> None:
    """Feature 8.1: pause for card numbers."""
    scene = Recorded()
    assert story(scene.give(MASK)) == ["MaskAsked"]
    recording = scene.live(scene.caller).recording
    assert recording is not None
    assert not recording.masked, "nobody may be told that it is masked before the switch has said so"
    scene.mask_set(on=True)
    assert story(scene.outcome) == ["RecordingMasked"]
    assert story(scene.give(UNMASK)) == ["UnmaskAsked"]
    scene.mask_set(on=False)
    assert [event.reason for event in scene.events(r.RecordingUnmasked)] == ["agent"]
    assert scene.told_of_masks() == [MaskRecording, UnmaskRecording]
    assert {each.file for each in scene.instructions(MaskRecording)} == {scene.file}
    scene.wait(600_000)
    assert scene.told_of_masks() == [MaskRecording, UnmaskRecording]
    proven(scene)


def test_pressed_again_it_changes_nothing() -> None:
    scene = Recorded()
    assert story(scene.give(UNMASK)) == []
    scene.give(MASK)
    assert story(scene.give(MASK)) == []
    scene.mask_set(on=True)
    assert story(scene.give(MASK)) == []
    scene.mask_set(on=True)
    assert story(scene.outcome) == []
    scene.give(UNMASK)
    assert story(scene.give(UNMASK)) == []
    scene.mask_set(on=False)
    scene.mask_set(on=False)
    assert story(scene.outcome) == []


def test_a_mask_that_nobody_ends_ends_by_itself() -> None:
    """Feature 8.1: what was forgotten must not silence the rest of the talk."""
    scene = Recorded()
    scene.configure({"recordings-main": RecordingsConfigured(mask_most_ms=60_000)})
    scene.masked()
    scene.wait(59_999)
    assert scene.told_of_masks() == [MaskRecording]
    scene.wait(1)
    assert scene.told_of_masks() == [MaskRecording, UnmaskRecording]
    scene.mask_set(on=False)
    assert [event.reason for event in scene.events(r.RecordingUnmasked)] == ["limit"]
    scene.masked()
    scene.wait(59_999)
    assert len(scene.told_of_masks()) == 3, "the next mask has its own time"


def test_a_recording_that_ends_ends_its_mask_before_it() -> None:
    """Every mask has an end in the log."""
    scene = Recorded().masked()
    scene.finished(scene.file)
    assert story(scene.outcome) == ["RecordingUnmasked", "RecordingFinished"]
    assert scene.events(r.RecordingUnmasked)[-1].reason == "finished"
    scene.wait(600_000)
    assert scene.told_of_masks() == [MaskRecording]


def test_so_does_a_call_whose_recordings_end_was_never_told() -> None:
    """Complaint 15: an event is lost."""
    scene = Recorded().masked()
    scene.hang_up(scene.caller)
    assert scene.events(r.RecordingUnmasked)[-1].reason == "leg_gone"
    proven(scene)


def test_an_engine_that_starts_again_leaves_what_is_masked_masked_until_its_time() -> None:
    """Features 8.1, 12.1: the state is the log's; the switch is told nothing that it knows."""
    scene = Recorded().masked()
    scene.wait(100_000)
    scene.back()
    assert scene.told_of_masks() == [MaskRecording]
    recording = scene.live(scene.caller).recording
    assert recording is not None
    assert recording.masked
    scene.wait(80_000)
    assert scene.told_of_masks() == [MaskRecording, UnmaskRecording]
    scene.mask_set(on=False)
    proven(scene)


@pytest.mark.parametrize("ends", (False, True))
def test_what_the_switch_has_not_confirmed_is_told_again_when_its_link_is_back(*, ends: bool) -> None:
    """Complaint 15."""
    scene = Recorded()
    if ends:
        scene.masked()
        scene.give(UNMASK)
    else:
        scene.give(MASK)
    scene.disconnect()
    before = len(scene.told_of_masks())
    scene.connect(
        legs=(
            scene.seen(scene.caller, parked=False, bridged_to=scene.ring.leg),
            scene.seen_phone(scene.ring, answered=True, bridged_to=scene.caller),
        )
    )
    assert scene.told_of_masks()[before:] == [UnmaskRecording if ends else MaskRecording]
    assert not scene.instructions(StopRecording)


def test_a_mask_of_which_nobody_knows_is_told_again_and_says_so() -> None:
    """Law 9: no answer is no mask; the agent is told, and the switch is told again until it answers."""
    scene = Recorded()
    scene.give(MASK)
    scene.failed(scene.instructions(MaskRecording)[-1], "timeout")
    assert story(scene.outcome) == ["MaskFailed"]
    recording = scene.live(scene.caller).recording
    assert recording is not None
    assert recording.mask_failed
    scene.wait(r.AGAIN // 1_000)
    assert len(scene.instructions(MaskRecording)) == 2
    scene.mask_set(on=True)
    scene.give(UNMASK)
    scene.failed(scene.instructions(UnmaskRecording)[-1], "link_down")
    scene.wait(r.AGAIN // 1_000)
    assert len(scene.instructions(UnmaskRecording)) == 2
    scene.mask_set(on=False)
    assert [event.reason for event in scene.events(r.RecordingUnmasked)] == ["agent"]
    proven(scene)


def test_a_mask_that_the_switch_refuses_is_over() -> None:
    """The file is not being written, whatever we thought."""
    scene = Recorded()
    scene.give(MASK)
    scene.failed(scene.instructions(MaskRecording)[-1], "Cannot mask recording session!")
    recording = scene.live(scene.caller).recording
    assert recording is not None
    assert (recording.hushed, recording.mask_failed) == (False, True)
    scene.wait(600_000)
    assert len(scene.instructions(MaskRecording)) == 1
    proven(scene)


def test_an_end_that_nobody_answers_is_told_again_until_somebody_does() -> None:
    """Law 9: every wait has an end, also where not even a failure is heard of."""
    scene = Recorded().masked()
    scene.give(UNMASK)
    scene.wait(3 * r.AGAIN // 1_000)
    assert len(scene.instructions(UnmaskRecording)) == 4
    scene.mask_set(on=False)
    scene.wait(600_000)
    assert len(scene.instructions(UnmaskRecording)) == 4
    proven(scene)


def test_masked_again_before_its_end_was_told_stays_masked() -> None:
    """A double click."""
    scene = Recorded().masked()
    scene.give(UNMASK)
    scene.give(MASK)
    scene.mask_set(on=False)
    scene.mask_set(on=True)
    recording = scene.live(scene.caller).recording
    assert recording is not None
    assert (recording.masked, recording.wish) == (True, "")
    assert scene.told_of_masks() == [MaskRecording, UnmaskRecording, MaskRecording]
    scene.give(UNMASK)
    scene.mask_set(on=False)
    proven(scene)


def test_digits_pressed_while_it_is_masked_reach_no_event() -> None:
    """Law 11; bad input: digits while masked. They are not subscribed to, and would come to nothing."""
    scene = Recorded().masked()
    before = len(scene.records)
    for digit in "4111":
        scene.give(facts.DigitPressed(node=NODE, leg=scene.caller, digit=digit))
    assert len(scene.records) == before


# --- a beginning that nobody heard of ---------------------------------------------------------------------------------
class Unheard(Recorded):
    """A talk that is recorded by rule: the switch writes the file, and its RECORD_START is lost."""

    def begun(self) -> None:
        """Nothing is heard of it."""

    def told_again(self) -> None:
        """The switch writes it already: of a repeated start it tells no event, and answers it."""
        told = self.instructions(StartRecording)[-1]
        self.give(facts.RecordingSet(node=NODE, leg=self.caller, file=told.file))


def test_a_card_number_is_masked_though_the_beginning_of_the_recording_was_never_heard_of() -> None:
    """Feature 8.1; complaint 15. Whether there is a recording to be masked, the answer to the mask says."""
    scene = Unheard()
    (file,) = {each.file for each in scene.instructions(StartRecording)}
    assert story(scene.give(MASK)) == ["MaskAsked"]
    assert [each.file for each in scene.instructions(MaskRecording)] == [file] == [scene.file]
    assert story(scene.give(MASK)) == []
    scene.mask_set(on=True)
    assert story(scene.outcome) == ["RecordingMasked"]
    scene.give(UNMASK)
    scene.mask_set(on=False)
    assert [event.reason for event in scene.events(r.RecordingUnmasked)] == ["agent"]
    proven(scene)


def test_a_beginning_that_comes_late_does_not_end_the_mask() -> None:
    scene = Unheard(announce_agent=False)
    scene.give(MASK)
    scene.mask_set(on=True)
    scene.told_again()
    assert story(scene.outcome) == ["RecordingBegun"]
    assert scene.live(scene.caller).recording == r.Recording(
        file=scene.file, begun=True, masked=True, mask_until=scene.events(r.MaskAsked)[0].until
    )


@pytest.mark.parametrize("killed", (True, False), ids=("the engine was killed", "the link was lost"))
def test_a_recording_whose_beginning_was_lost_with_whoever_should_hear_it_is_begun_in_the_log(*, killed: bool) -> None:
    """Features 4.2, 8.1, 12.1: the start is told again, and its answer says what its event would: the agent's number is
    heard, and the recording can be masked.
    """
    scene = Unheard(announce_agent=True)
    if not killed:
        scene.disconnect()
        scene.connect(
            legs=(
                scene.seen(scene.caller, parked=False, bridged_to=scene.ring.leg),
                scene.seen_phone(scene.ring, answered=True, bridged_to=scene.caller),
            )
        )
    else:
        scene.back()
    first, again = scene.instructions(StartRecording)
    assert (first.file, first.leg) == (again.file, again.leg)
    assert not scene.instructions(AnnounceNumber)
    scene.told_again()
    assert story(scene.outcome) == ["RecordingBegun", "NumberAnnounced"]
    assert len(scene.instructions(AnnounceNumber)) == 1
    scene.told_again()
    assert story(scene.outcome) == [], "told twice"
    assert story(scene.give(MASK)) == ["MaskAsked"]
    scene.disconnect()
    scene.connect(legs=(scene.seen(scene.caller, parked=False, bridged_to=scene.ring.leg),))
    assert len(scene.instructions(StartRecording)) == 2, "what has begun is not begun again"


# --- what the switch says --------------------------------------------------------------------------------------------
def test_a_recording_that_cannot_begin_is_an_alarm() -> None:
    """Feature 9.2: recording failing."""
    scene = Scene(agents=1)
    scene.talk()
    (told,) = scene.instructions(StartRecording)
    scene.failed(told, "Cannot record session!")
    assert scene.events(r.RecordingFailed) == [r.RecordingFailed(file=told.file, cause="Cannot record session!")]


def test_no_answer_in_time_is_no_alarm_for_a_recording_that_has_begun() -> None:
    scene = Recorded()
    scene.failed(scene.instructions(StartRecording)[-1], "timeout")
    assert not scene.events(r.RecordingFailed)


def test_an_end_that_is_told_twice_is_one_end() -> None:
    """Law 2: RECORD_STOP is doubled, at once or after the next file has begun."""
    scene = Recorded(record="on_demand")
    scene.give(START)
    scene.begun()
    first = scene.file
    scene.finished(first)
    scene.finished(first)
    assert story(scene.outcome) == []
    scene.give(START)
    scene.begun()
    scene.finished(first)
    assert story(scene.outcome) == []
    scene.finished(scene.file)
    assert [event.file for event in scene.events(RecordingFinished)] == list(scene.live(scene.caller).files)
    proven(scene)


def test_a_file_of_which_the_end_alone_was_heard_is_not_begun_again_over_itself() -> None:
    """Complaint 15: RECORD_START is lost, and the disk full."""
    scene = Unheard()
    (told,) = scene.instructions(StartRecording)
    scene.finished(told.file, "uri-failure")
    scene.told_again()
    assert story(scene.outcome) == [], "an answer that comes late"
    scene.back()
    assert len(scene.instructions(StartRecording)) == 1


def test_a_disk_that_is_full_ends_the_file_and_is_an_alarm() -> None:
    """Bad input: disk full."""
    scene = Recorded()
    file = scene.file
    scene.finished(file, "uri-failure")
    assert story(scene.outcome) == ["RecordingFinished", "RecordingFailed"]
    assert scene.events(RecordingFinished)[-1].cause == "uri-failure"
    assert scene.events(r.RecordingFailed)[-1] == r.RecordingFailed(file=file, cause=r.STOPPED_EARLY)


def test_a_hostile_path_and_cause_are_cleaned() -> None:
    """Law 10."""
    scene = Recorded()
    scene.give(facts.RecordingStarted(node=NODE, leg=scene.caller, path="/x/../../a b;rm.wav\n"))
    assert scene.events(RecordingBegun)[-1].file == "abrm.wav"
    assert isinstance(scene.live(scene.caller), Contact)
