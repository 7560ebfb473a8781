"""What somebody who is queued can expect, from what the queue did lately. Feature 3.10, complaint 20."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import Contact, ContactQueued, Visit
from orchestrator.domain.engine import DatabaseReturned
from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.routing.queues import Spill
from orchestrator.domain.routing.waits import KEPT, Wait, Waits
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


# --- the place of somebody who is in line -----------------------------------------------------------------------------
NOTHING = DatabaseReturned(away_ms=0, held=0)


def in_queue(ident: int, *, base: int, per_min: int, cap: int, since: int) -> Contact:
    visit = Visit(
        visit_id="v",
        queue_id="support",
        priority=base,
        queued_at=Instant(since),
        leave_by=Instant(0),
        age_per_min=per_min,
        age_cap=cap,
    )
    return Contact(
        contact_id=str(ident),
        status="waiting",
        node="sw1",
        caller_leg="",
        dialled="",
        arrived_at=Instant(0),
        visit=visit,
    )


PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "base": st.integers(-3, 3),
            "per_min": st.sampled_from((0, 1, 2, 60)),
            "cap": st.sampled_from((0, 1, 5, 1_000)),
            "since": st.integers(0, 6).map(lambda each: each * 30 * SECOND),
        }
    ),
    max_size=30,
)


WHO = st.sets(st.integers(0, 29))


@settings(deadline=None)
@given(people=PEOPLE, minutes=st.integers(3, 30), leave=WHO, hurry=WHO, aside=WHO)
def test_a_place_is_how_many_are_ranked_before_whoever_asks_however_they_age(
    people: list[dict[str, int]], minutes: int, leave: set[int], hurry: set[int], aside: set[int]
) -> None:
    """Complaint 20: held against counting everybody by the rank that distribution goes by. Whoever was called for
    outside in vain is back in the same place.
    """
    waits, now = Waits(), Instant(minutes * 60 * SECOND)
    line: dict[int, Contact] = {}

    def note(ident: int, after: Contact | None) -> None:
        before = line.pop(ident, None)
        gone = after or Contact(
            contact_id=str(ident), status="ended", node="", caller_leg="", dialled="", arrived_at=Instant(0)
        )
        waits.note(before, gone, NOTHING, now)
        if after is not None:
            line[ident] = after

    for ident, person in enumerate(people):
        note(ident, in_queue(ident, **person))
    for ident in sorted(hurry & line.keys()):
        note(ident, in_queue(ident, **people[ident] | {"base": 2}))
    for ident in sorted(aside & line.keys()):
        back = line[ident]
        note(ident, replace(back, status="sent_outside"))
        assert waits.standing(str(ident), now, able=True) is None
        note(ident, back)
    for ident in sorted(leave & line.keys()):
        note(ident, None)
    # Of two who are alike in everything, whoever came first is first.
    order = sorted(line, key=lambda ident: (*_visit(line[ident]).rank(now), ident))
    for place, ident in enumerate(order, 1):
        assert waits.standing(str(ident), now, able=True) == Wait(place, -1)
    for ident in leave & set(range(len(people))):
        assert waits.standing(str(ident), now, able=True) is None


def _visit(contact: Contact) -> Visit:
    assert contact.visit is not None
    return contact.visit
