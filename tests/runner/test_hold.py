"""Hold and resume pressed sooner than a switch can bear: taken at once, told to the switch a moment later."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.handling import SETTLE
from orchestrator.domain.kernel import MILLISECOND
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import HoldLeg, Instruction, ResumeLeg, RingAgent
from orchestrator.runner import inputs as i
from tests.runner.scene import NODE, Scene, story

SETTLE_MS = SETTLE // MILLISECOND


def talking() -> tuple[Scene, str, RingAgent]:
    """A talk that has just begun."""
    scene = Scene(agents=1)
    caller, ring = scene.talk()
    return scene, caller, ring


def told(scene: Scene) -> list[type[Instruction]]:
    """Which holds and resumes the switch was told of, in order."""
    return [type(each) for each in scene.told if isinstance(each, HoldLeg | ResumeLeg)]


def test_a_hold_at_once_after_the_bridge_is_recorded_now_and_told_to_the_switch_when_the_bridge_has_settled() -> None:
    """Feature 4.3."""
    scene, _, ring = talking()
    scene.wait(100)
    assert scene.refusal(i.Hold(agent="1001")) == ""
    assert story(scene.outcome) == ["HoldRequested"]
    scene.wait(SETTLE_MS - 101)
    assert told(scene) == []
    scene.wait(1)
    assert [each.leg for each in scene.instructions(HoldLeg)] == [ring.leg]
    scene.wait(10_000)
    assert told(scene) == [HoldLeg]


def test_a_double_click_on_hold_ends_as_it_was_pressed_last_with_time_between_the_two() -> None:
    """Feature 4.3: the second click comes 60 ms after the caller is on hold."""
    scene, caller, ring = talking()
    scene.wait(5_000)
    scene.give(i.Hold(agent="1001"))
    assert told(scene) == [HoldLeg]
    scene.give(facts.LegHeld(node=NODE, leg=ring.leg))
    scene.wait(60)
    assert scene.refusal(i.Resume(agent="1001")) == ""
    scene.wait(SETTLE_MS - 61)
    assert told(scene) == [HoldLeg]
    scene.wait(1)
    assert told(scene) == [HoldLeg, ResumeLeg]
    scene.give(facts.LegResumed(node=NODE, leg=ring.leg))
    assert scene.live(caller).status == "connected"


def test_a_press_that_is_taken_back_in_time_never_reaches_the_switch() -> None:
    """Feature 4.3."""
    scene, caller, ring = talking()
    scene.give(i.Hold(agent="1001"))
    scene.give(i.Resume(agent="1001"))
    scene.wait(10_000)
    assert told(scene) == []
    scene.give(i.Hold(agent="1001"))
    scene.give(facts.LegHeld(node=NODE, leg=ring.leg))
    scene.give(i.Resume(agent="1001"))
    scene.give(i.Hold(agent="1001"))
    scene.wait(10_000)
    assert told(scene) == [HoldLeg]
    assert scene.live(caller).status == "held"


def test_a_hold_that_waits_is_carried_out_after_a_restart_when_it_is_due_and_not_sooner() -> None:
    """Features 4.3, 12.1: the fold of the log sets its timer again."""
    scene, caller, ring = talking()
    scene.give(i.Hold(agent="1001"))
    scene.restart()
    scene.connect(
        legs=(
            scene.seen(caller, parked=False, bridged_to=ring.leg),
            scene.seen_phone(ring, answered=True, bridged_to=caller),
        )
    )
    assert told(scene) == []
    scene.wait(SETTLE_MS)
    assert told(scene) == [HoldLeg]


def test_a_hold_that_waits_is_forgotten_with_the_talk_or_when_the_phone_was_faster() -> None:
    """Feature 4.3."""
    scene, _, ring = talking()
    scene.give(i.Hold(agent="1001"))
    scene.give(facts.LegHeld(node=NODE, leg=ring.leg))
    scene.wait(10_000)
    assert told(scene) == []
    scene, caller, _ = talking()
    scene.give(i.Hold(agent="1001"))
    scene.hang_up(caller)
    scene.wait(10_000)
    assert told(scene) == []
    assert len(scene.events(c.HoldRequested)) == 1
