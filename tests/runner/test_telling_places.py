"""Whoever waits is told their place and the wait: in time, rightly, and never over what is to be heard next."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.routing.queues import QueueConfigured, Spill
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    BridgeLegs,
    HushPlace,
    PlayApology,
    PlayWaiting,
    SayPlace,
)
from orchestrator.runner import inputs
from tests.runner.scene import NODE, Scene

EVERY_MS = 30_000


def telling(agents: int = 1, **queue: object) -> Scene:
    return Scene(agents, connected=True, tell_place_every_ms=EVERY_MS, wrap_up_ms=0, **queue)


def waiting(scene: Scene, number: int) -> str:
    return scene.park(number=f"+86139001390{number:02}")


def told(scene: Scene, caller: str) -> list[tuple[str, ...]]:
    """What this caller was told, by the prompts."""
    return [each.prompts for each in scene.instructions(SayPlace) if each.leg == caller]


def serve(scene: Scene, caller: str, after_ms: int) -> None:
    """The agent takes this caller, whose phone rings, and is ready again after this long."""
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.bridge(caller, ring)
    scene.wait(after_ms)
    scene.hang_up(caller)
    scene.hang_up(ring.leg)


def test_each_who_waits_hears_the_place_and_once_somebody_was_served_the_wait() -> None:
    """Feature 2.5, complaint 20."""
    scene = telling()
    callers = [waiting(scene, number) for number in range(3)]
    scene.wait(EVERY_MS)
    assert [told(scene, each) for each in callers] == [[("place_1",)], [("place_2",)], [("place_3",)]]
    scene.ready(1)
    serve(scene, callers[0], 20_000)
    scene.wait(EVERY_MS)
    # The first was served after 31 s, and those behind come on in as much each.
    assert told(scene, callers[1])[1:] == [("place_1", "wait_1")]
    assert told(scene, callers[2])[1:] == [("place_2", "wait_2")]
    assert told(scene, callers[0]) == [("place_1",)], "whoever is served hears no more of it"
    events = [event for event in scene.events(c.PlaceTold) if event.position == 2]
    assert [event.estimate_ms for event in events] == [-1, 2 * (EVERY_MS + 1_000)]


def test_a_queue_that_tells_nothing_costs_nothing() -> None:
    """Feature 2.5: none of it is there for queues as they were configured before."""
    scene = Scene(1)
    caller = waiting(scene, 1)
    scene.wait(300_000)
    assert scene.events(c.ContactQueued)[0].tell_at == 0
    assert scene.world.timers.due_of(("place", scene.live(caller).contact_id)) is None
    assert not scene.events(c.PlaceTold)


def test_nobody_who_leaves_is_told_anything_any_more() -> None:
    """Feature 2.5."""
    scene = telling()
    caller = waiting(scene, 1)
    contact_id = scene.live(caller).contact_id
    scene.hang_up(caller)
    assert scene.world.timers.due_of(("place", contact_id)) is None
    scene.wait(2 * EVERY_MS)
    assert not scene.instructions(SayPlace)


def test_a_caller_is_told_while_phones_ring_and_hears_no_more_of_it_once_one_has_answered() -> None:
    """Feature 2.5: the sentence would be heard in the place of the agent."""
    scene = telling(ring_ms=120_000)
    scene.ready(1)
    caller = waiting(scene, 1)
    ring = scene.ring_of(caller)
    scene.wait(EVERY_MS)
    assert told(scene, caller) == [("place_1",)]
    scene.answer(ring)
    hush, bridge = scene.outcome.instructions
    assert isinstance(hush, HushPlace)
    assert isinstance(bridge, BridgeLegs)
    assert (hush.leg, hush.prompts) == (caller, ("place_1",))


def test_a_caller_who_was_told_nothing_is_joined_as_ever() -> None:
    """Feature 2.5."""
    scene = telling()
    scene.ready(1)
    caller = waiting(scene, 1)
    scene.answer(scene.ring_of(caller))
    assert not scene.instructions(HushPlace)


def test_nobody_is_told_while_a_phone_that_has_answered_is_being_joined() -> None:
    """Feature 2.5: the next time, where the two are not joined after all."""
    scene = telling(ring_ms=120_000)
    scene.ready(1)
    caller = waiting(scene, 1)
    scene.wait(EVERY_MS - 1_000)
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.wait(1_000)
    assert not told(scene, caller)
    (deferred,) = scene.events(c.PlaceDeferred)
    assert deferred.again_at == scene.now + EVERY_MS * MILLISECOND
    scene.hang_up(ring.leg)
    scene.wait(EVERY_MS)
    assert told(scene, caller) == [("place_1",)]


@pytest.mark.parametrize(("answer", "tell_at_ms"), (("at_once", 30_000), ("after", 50_000), ("when_connected", 0)))
def test_nobody_is_told_before_the_line_is_answered(answer: str, tell_at_ms: int) -> None:
    """Feature 2.5: what is heard unanswered is music; a place that is told begins no billing."""
    scene = telling()
    scene.configure(
        {
            "entry-main": EntryPointConfigured(
                name="main", numbers=("4001",), queue_id="support", answer=answer, answer_after_ms=50_000
            )
        }
    )
    begun = scene.now
    caller = waiting(scene, 1)
    queued = scene.events(c.ContactQueued)[0]
    assert queued.tell_at == (begun + tell_at_ms * MILLISECOND if tell_at_ms else 0)
    scene.wait(49_999)
    assert bool(told(scene, caller)) == (answer == "at_once")
    scene.wait(EVERY_MS)
    assert bool(told(scene, caller)) == (answer != "when_connected")


def test_a_caller_whose_switch_cannot_be_told_hears_it_the_next_time() -> None:
    """Feature 2.5, law 5."""
    scene = telling()
    caller = waiting(scene, 1)
    scene.disconnect()
    scene.wait(EVERY_MS)
    assert not told(scene, caller)
    scene.connect(legs=(scene.seen(caller),))
    scene.wait(EVERY_MS)
    assert told(scene, caller) == [("place_1",)]


def test_after_we_were_away_callers_are_told_one_after_the_other_within_the_time_in_which_each_is() -> None:
    """Features 2.5, 12.1: not hundreds at once by a switch that has just come back."""
    scene = telling(max_wait_ms=3_600_000)
    callers = [waiting(scene, number) for number in range(40)]
    scene.sleep(10 * EVERY_MS)
    scene.restart()
    scene.connect(legs=tuple(scene.seen(each) for each in callers))
    scene.wait(0)
    assert not scene.instructions(SayPlace)
    dues = sorted(event.again_at for event in scene.events(c.PlaceDeferred))
    assert len(set(dues)) > 30
    assert scene.now < dues[0] < dues[-1] <= scene.now + EVERY_MS * MILLISECOND
    scene.wait(EVERY_MS)
    assert [len(told(scene, each)) for each in callers] == [1] * 40


def test_a_restart_tells_nobody_sooner_or_later_than_it_was_due() -> None:
    """Features 2.5, 12.1."""
    scene = telling()
    caller = waiting(scene, 1)
    scene.wait(EVERY_MS - 10_000)
    scene.restart()
    scene.connect(legs=(scene.seen(caller),))
    scene.wait(9_999)
    assert not told(scene, caller)
    scene.wait(1)
    assert told(scene, caller) == [("place_1",)]


def test_an_urgent_caller_goes_ahead_and_the_others_hear_that_they_are_one_place_further_back() -> None:
    """Features 2.5, 3.6."""
    scene = telling()
    callers = [waiting(scene, number) for number in range(3)]
    urgent = scene.live(callers[2]).contact_id
    scene.give(inputs.Prioritise(contact=urgent, points=50, reason="vip", by="user:lea"))
    scene.wait(EVERY_MS)
    assert [told(scene, each) for each in callers] == [[("place_2",)], [("place_3",)], [("place_1",)]]


def test_whoever_is_turned_away_hears_the_apology_and_not_the_place() -> None:
    """Features 2.5, 3.11."""
    scene = telling(max_wait_ms=EVERY_MS + 1_000)
    caller = waiting(scene, 1)
    scene.wait(EVERY_MS + 1_000)
    hush, sorry = scene.outcome.instructions
    assert (hush.leg, sorry.leg) == (caller, caller)
    assert isinstance(hush, HushPlace)
    assert isinstance(sorry, PlayApology)


def test_whoever_goes_to_another_queue_hears_no_more_of_the_first_ones_place() -> None:
    """Features 2.5, 3.9."""
    scene = telling(overflow=(Spill(when="wait", after_ms=EVERY_MS + 1_000, to="queue:second"),))
    scene.configure({"queue-second": QueueConfigured(name="Second", skill="zh", tell_place_every_ms=20_000)})
    caller = waiting(scene, 1)
    scene.wait(EVERY_MS + 1_000)
    assert [type(each) for each in scene.outcome.instructions] == [HushPlace, PlayWaiting]
    scene.wait(20_000)
    assert [event.queue_id for event in scene.events(c.PlaceTold)] == ["support", "second"]
    assert told(scene, caller) == [("place_1",)] * 2


def test_whoever_is_called_back_instead_hears_the_promise_and_later_no_places() -> None:
    """Features 2.5, 3.10."""
    spill = Spill(when="wait", after_ms=EVERY_MS + 1_000, to="callback")
    scene = telling(overflow=(spill,), callback_most_wait_ms=900_000)
    scene.configure({"outside-main": OutsideConfigured(allowed=("+86",))})
    caller = waiting(scene, 1)
    scene.wait(EVERY_MS + 1_000)
    assert isinstance(scene.outcome.instructions[0], HushPlace)
    assert isinstance(scene.outcome.instructions[-1], PlayApology)
    scene.hang_up(caller)
    scene.wait(10 * EVERY_MS)
    assert len(scene.instructions(SayPlace)) == 1


def test_a_queue_that_stops_telling_stops_at_once_and_one_that_begins_tells_those_who_come() -> None:
    """Feature 2.5."""
    scene = telling()
    first = waiting(scene, 1)
    scene.configure({"queue-support": QueueConfigured(name="Support", skill="zh")})
    second = waiting(scene, 2)
    scene.wait(EVERY_MS)
    scene.configure({"queue-support": QueueConfigured(name="Support", skill="zh", tell_place_every_ms=EVERY_MS)})
    third = waiting(scene, 3)
    scene.wait(EVERY_MS)
    assert [len(told(scene, each)) for each in (first, second, third)] == [0, 0, 1]
    assert told(scene, third) == [("place_3",)]


def test_a_sentence_that_the_switch_refuses_changes_nothing() -> None:
    """Feature 2.5: the place is told again before long."""
    scene = telling()
    caller = waiting(scene, 1)
    scene.wait(EVERY_MS)
    (said,) = scene.instructions(SayPlace)
    scene.failed(said, "Cannot displace session!")
    assert scene.outcome.records == ()
    scene.give(facts.InstructionSkipped(node=NODE, instruction=said.id, kind="SayPlace", leg=caller, why="lease"))
    assert scene.outcome.records == ()
    scene.wait(EVERY_MS)
    assert len(told(scene, caller)) == 2


def test_the_fold_of_the_log_knows_when_somebody_is_told_next() -> None:
    """Law 9."""
    scene = telling()
    contact_id = scene.live(waiting(scene, 1)).contact_id
    for round_ in (1, 2, 3):
        assert scene.world.timers.due_of(("place", contact_id)) == Instant(
            scene.records[0].about.at + round_ * EVERY_MS * MILLISECOND
        )
        scene.wait(EVERY_MS)
