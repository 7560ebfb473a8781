"""What somebody who is queued can expect, from what the queue did lately. Feature 3.10, complaint 20."""

from orchestrator.domain.contacts.contacts import ContactQueued
from orchestrator.domain.kernel import SECOND
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.routing.queues import Spill
from orchestrator.domain.routing.waits import KEPT, Wait
from orchestrator.runner import inputs
from tests.runner.scene import Scene


def waiting(scene: Scene, number: int) -> str:
    return scene.park(number=f"+86139001390{number:02}")


def serve(scene: Scene, after_ms: int) -> None:
    """The agent takes whoever is next, and is ready again after this long."""
    caller = next(each for each in scene.world.contacts.values() if each.status == "offered").caller_leg
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.bridge(caller, ring)
    scene.wait(after_ms)
    scene.hang_up(caller)
    scene.hang_up(ring.leg)


def expected(scene: Scene, *, free: bool = False, priority: int = 0) -> Wait:
    return scene.world.waits.expected("support", priority, free=free)


def test_whoever_finds_a_free_agent_waits_for_nobody_and_before_anybody_was_served_nobody_can_say() -> None:
    scene = Scene(1)
    assert expected(scene) == Wait(1, -1)
    assert expected(scene, free=True) == Wait(1, 0)
    waiting(scene, 1)
    assert expected(scene, free=True) == Wait(2, -1)


def test_the_wait_is_the_place_times_the_mean_time_between_the_last_service_starts() -> None:
    scene = Scene(1, wrap_up_ms=0)
    for number in range(5):
        waiting(scene, number)
    scene.ready(1)
    for _ in range(3):
        serve(scene, 60_000)
    # Starts: at once after a second of signing in, then one a minute; two still wait, and one of them rings.
    assert expected(scene) == Wait(3, 3 * (1_000 + 60_000 + 60_000) // 3)


def test_quiet_hours_do_not_make_a_queue_look_slow() -> None:
    scene = Scene(1, wrap_up_ms=0)
    scene.ready(1)
    for number in range(3):
        waiting(scene, number)
        serve(scene, 1_000)
        scene.wait(3_600_000)
    assert expected(scene).estimate_ms == 0


def test_only_the_last_starts_count() -> None:
    scene = Scene(1, wrap_up_ms=0, max_wait_ms=86_400_000)
    for number in range(KEPT + 5):
        waiting(scene, number)
    scene.ready(1)
    for _ in range(4):
        serve(scene, 600_000)
    for _ in range(KEPT):
        serve(scene, 10_000)
    assert expected(scene).estimate_ms < 2 * 40_000


def test_whoever_is_more_urgent_has_fewer_people_ahead_and_an_abandoned_place_is_free_again() -> None:
    scene = Scene(1)
    callers = [waiting(scene, number) for number in range(3)]
    assert [expected(scene, priority=priority).position for priority in (0, 5)] == [4, 1]
    scene.hang_up(callers[1])
    assert expected(scene).position == 3


def test_whoever_is_left_in_peace_or_sent_outside_is_not_in_line() -> None:
    scene = Scene(1, overflow=(Spill(when="wait", after_ms=5_000, to="outside:+8675500000001"),))
    scene.configure({"outside-main": OutsideConfigured(allowed=("+86",))})
    waiting(scene, 1)
    assert expected(scene).position == 2
    scene.wait(5_000)
    assert expected(scene).position == 1


def test_what_somebody_was_told_stands_in_the_log() -> None:
    """It can be held against what came of it (`make bench ONLY=estimate`)."""
    scene = Scene(1, wrap_up_ms=0)
    for number in range(4):
        waiting(scene, number)
    scene.ready(1)
    serve(scene, 30_000)
    serve(scene, 30_000)
    waiting(scene, 9)
    queued = scene.events(ContactQueued)
    assert [event.position for event in queued] == [1, 2, 3, 4, 3]
    assert [event.estimate_ms for event in queued[:4]] == [-1, -1, -1, -1]
    assert queued[-1].estimate_ms == 3 * (1 * SECOND + 30 * SECOND) // 2 // 1_000


def test_while_nobody_is_at_work_who_could_serve_nobody_can_say() -> None:
    scene = Scene(1, wrap_up_ms=0)
    waiting(scene, 1)
    scene.ready(1)
    serve(scene, 30_000)
    scene.give(inputs.Pause(agent="1001", reason="break"))
    waiting(scene, 2)
    assert scene.events(ContactQueued)[-1].estimate_ms == -1
