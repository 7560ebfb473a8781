"""The caller hears by whom they are served: once, when connected, and no recording holds it as the agent's words."""

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import AnnounceNumber, RingAgent, StartRecording
from orchestrator.runner import inputs as i
from tests.runner.scene import NODE, Scene, agent, story
from tests.runner.test_consult import Consulted

PROMPTS = ("number_before", "digit_1", "digit_0", "digit_0", "digit_1", "number_after")


def begun(scene: Scene, caller: str) -> None:
    """The switch says that it records."""
    (recording,) = scene.instructions(StartRecording)
    scene.give(facts.RecordingStarted(node=NODE, leg=caller, path=f"/recordings/{recording.file}"))


def spoken(scene: Scene, caller: str, ring: RingAgent) -> None:
    """The number of agent 1001 was spoken to both, once, by a decision of the log."""
    (told,) = scene.instructions(AnnounceNumber)
    assert (told.leg, told.other, told.prompts) == (caller, ring.leg, PROMPTS)
    assert [r.event.number for r in scene.records if isinstance(r.event, c.NumberAnnounced)] == ["1001"]


def test_the_number_is_spoken_once_the_recording_has_begun_and_never_again_in_this_talk() -> None:
    """Feature 4.2: what is laid over a talk before its recording begins is recorded as the agent's words."""
    scene = Scene(agents=1)
    caller, ring = scene.talk()
    assert not scene.instructions(AnnounceNumber)
    begun(scene, caller)
    assert story(scene.outcome) == ["RecordingBegun", "NumberAnnounced"]
    spoken(scene, caller, ring)
    begun(scene, caller)
    scene.give(facts.LegHeld(node=NODE, leg=ring.leg))
    scene.give(facts.LegResumed(node=NODE, leg=ring.leg))
    scene.give(facts.LegBridged(node=NODE, leg=caller, other=ring.leg))
    spoken(scene, caller, ring)


def test_a_queue_that_records_nothing_speaks_at_once() -> None:
    """Feature 4.2."""
    scene = Scene(agents=1, record="never")
    caller, ring = scene.talk()
    spoken(scene, caller, ring)
    assert story(scene.outcome)[:1] == ["ContactConnected"]


def test_a_recording_that_cannot_begin_keeps_nobody_from_hearing_the_number() -> None:
    """Feature 4.2: a full disk."""
    scene = Scene(agents=1)
    caller, ring = scene.talk()
    (recording,) = scene.instructions(StartRecording)
    scene.give(
        facts.InstructionFailed(
            node=NODE, instruction=recording.id, kind="StartRecording", leg=caller, answer="Cannot record session!"
        )
    )
    spoken(scene, caller, ring)


def test_a_queue_that_announces_nobody_and_a_number_without_digits_leave_everything_as_it_was() -> None:
    """Feature 4.2."""
    scene = Scene(agents=1, announce_agent=False)
    caller, _ = scene.talk()
    begun(scene, caller)
    assert story(scene.outcome) == ["RecordingBegun"]
    scene = Scene(agents=1, record="never")
    scene.ready(1)
    scene.configure({"agent-a1": replace(agent(1), number="ann")})
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.bridge(caller, ring)
    assert scene.live(caller).status == "connected"
    assert not scene.instructions(AnnounceNumber)


def test_a_hold_pressed_while_the_number_is_spoken_goes_its_usual_way() -> None:
    """Features 4.2, 4.3: the number is laid over whatever is heard, and delays no hold."""
    scene = Scene(agents=1)
    caller, ring = scene.talk()
    begun(scene, caller)
    scene.wait(1_000)
    assert scene.refusal(i.Hold(agent="1001")) == ""
    scene.give(facts.LegHeld(node=NODE, leg=ring.leg))
    assert scene.live(caller).status == "held"
    spoken(scene, caller, ring)


def test_an_engine_that_starts_again_does_not_say_it_a_second_time() -> None:
    """Features 4.2, 12.1: it is said at most once; where nobody can tell whether it was, it was."""
    scene = Scene(agents=1)
    caller, ring = scene.talk()
    begun(scene, caller)
    scene.restart()
    seen = (
        scene.seen(caller, parked=False, bridged_to=ring.leg),
        scene.seen_phone(ring, answered=True, bridged_to=caller),
    )
    scene.connect(legs=seen)
    assert len(scene.instructions(StartRecording)) == 1, "what was begun is not begun again, over itself"
    spoken(scene, caller, ring)


def test_an_engine_that_died_before_the_recording_began_says_it_when_it_has() -> None:
    """Features 4.2, 12.1."""
    scene = Scene(agents=1)
    caller, ring = scene.talk()
    scene.restart()
    seen = (
        scene.seen(caller, parked=False, bridged_to=ring.leg),
        scene.seen_phone(ring, answered=True, bridged_to=caller),
    )
    scene.connect(legs=seen)
    recording = scene.instructions(StartRecording)[-1]
    scene.give(facts.RecordingStarted(node=NODE, leg=caller, path=f"/recordings/{recording.file}"))
    spoken(scene, caller, ring)


@pytest.mark.parametrize("late", (True, False))
def test_an_agent_who_consults_before_the_number_was_spoken_has_it_spoken_when_they_talk_with_the_caller_in_turn(
    *, late: bool
) -> None:
    """Feature 4.2: once, and not over a talk with the consulted; also where the recording is heard of only then."""
    scene = Consulted()
    caller, first = scene.caller, scene.ring
    (recording,) = scene.instructions(StartRecording)
    ring = scene.both_talk()
    heard = facts.RecordingStarted(node=NODE, leg=caller, path=f"/recordings/{recording.file}")
    if not late:
        scene.give(heard)
    assert not scene.instructions(AnnounceNumber)
    scene.press(i.SwitchConsult)
    scene.parked(ring.leg)
    assert not scene.instructions(AnnounceNumber)
    scene.joined(caller, first.leg)
    if late:
        assert not scene.instructions(AnnounceNumber)
        scene.give(heard)
    spoken(scene, caller, first)
    scene.press(i.SwitchConsult)
    scene.joined(first.leg, ring.leg)
    scene.press(i.SwitchConsult)
    scene.joined(caller, first.leg)
    spoken(scene, caller, first)
