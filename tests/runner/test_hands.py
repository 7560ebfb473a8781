"""What is done by hand with who waits and who is in hand: taken, given, moved, hurried; one active, the others held."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.handling import SETTLE
from orchestrator.domain.kernel import MILLISECOND
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import HangUpLeg, HoldLeg, PlayWaiting, ResumeLeg, RingAgent
from orchestrator.runner import inputs as i
from tests.runner.scene import NODE, Scene, agent, story

SETTLE_MS = SETTLE // MILLISECOND


def centre(agents: int = 2, *, lines: int = 2, **queue: object) -> Scene:
    """Agents whose phones have so many lines, and a second queue that nobody serves yet."""
    scene = Scene(agents=agents, **queue)  # type: ignore[arg-type]  # a test's own words
    several = {f"agent-a{n}": replace(agent(n), capacity={"voice": lines}) for n in range(1, agents + 1)}
    sales = QueueConfigured(name="Sales", skill="sell", music="sales", max_wait_ms=60_000)
    scene.configure({**several, "queue-sales": sales})
    return scene


def contact_of(scene: Scene, caller: str) -> str:
    return scene.live(caller).contact_id


def pick(scene: Scene, caller: str, number: int = 1, **more: Any) -> str:  # noqa: ANN401 - fields of the command
    """Agent 100n takes this caller; the refusal, if any."""
    return scene.refusal(i.Pick(agent=f"100{number}", contact=contact_of(scene, caller), **more))


def connect(scene: Scene, caller: str) -> RingAgent:
    """The one phone that rings for this caller answers, and both hear each other."""
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.answer(ring)
    scene.bridge(caller, ring)
    return ring


def hold(scene: Scene, ring: RingAgent, number: int = 1) -> None:
    scene.wait(SETTLE_MS)
    scene.give(i.Hold(agent=f"100{number}"))
    scene.give(facts.LegHeld(node=NODE, leg=ring.leg))


def two_in_hand() -> tuple[Scene, tuple[str, RingAgent], tuple[str, RingAgent]]:
    """Agent 1 holds one caller and talks with another, whom they took by hand."""
    scene = centre(agents=1, wrap_up_ms=10_000)
    first, ring = scene.talk()
    hold(scene, ring)
    second = scene.park()
    assert pick(scene, second) == ""
    return scene, (first, ring), (second, connect(scene, second))


def settled(scene: Scene) -> None:
    scene.wait(SETTLE_MS)


# --- picking ---------------------------------------------------------------------------------------------------------
def test_an_agent_takes_a_younger_caller_and_the_record_says_by_hand_and_whom_it_passed_over() -> None:
    """Features 3.8, 3.9; complaint 25."""
    scene = centre()
    scene.give(i.SignIn(agent="1001"))
    older = []
    for _ in range(5):
        older.append(scene.park())
        scene.wait(1_000)
    young = scene.park()
    assert pick(scene, young, reason="by_hand") == ""
    assert story(scene.outcome)[:3] == ["ContactPicked", "OfferMade", "AgentReserved"]
    (offer,) = scene.events(c.OfferMade)
    assert offer.by_hand
    assert [held.extension for held in offer.reservations] == ["1001"]
    assert offer.decision.rule == "picked_by_hand"
    assert offer.decision.passed == tuple(contact_of(scene, caller) for caller in older[:3])
    assert offer.decision.passed_over == 5
    assert scene.events(c.ContactPicked) == [
        c.ContactPicked(shift_id=offer.reservations[0].shift_id, agent_id="a1", reason="by_hand")
    ]
    connect(scene, young)
    assert scene.status(1) == "talking"


def test_the_events_say_who_took_it_and_who_gave_it() -> None:
    """Feature 3.7."""
    scene = centre()
    scene.give(i.SignIn(agent="1001"))
    scene.give(i.SignIn(agent="1002"))
    for caller, number, by in ((scene.park(), 1, ""), (scene.park(), 2, "user:ann")):
        assert pick(scene, caller, number, by=by) == ""
    actors = [record.about.actor for record in scene.records if isinstance(record.event, c.ContactPicked)]
    assert actors == ["agent:1001", "user:ann"]


def test_whoever_takes_one_while_not_ready_is_not_ready_again_afterwards() -> None:
    """Feature 3.8: taking one by hand is no wish to be offered more."""
    scene = centre(wrap_up_ms=5_000)
    scene.give(i.SignIn(agent="1001"))
    scene.give(i.Pause(agent="1001", reason="paperwork"))
    caller = scene.park()
    assert pick(scene, caller) == ""
    connect(scene, caller)
    scene.hang_up(caller)
    scene.hang_up(scene.instructions(RingAgent)[0].leg)
    assert scene.status(1) == "wrapping_up"
    scene.wait(5_000)
    shift = scene.shift(1)
    assert shift is not None
    assert (shift.status, shift.reason) == ("paused", "paperwork")


def test_a_picked_phone_that_nobody_answers_leaves_the_caller_in_its_place() -> None:
    """Complaints 1, 10: the agent is stood down with a reason as after any ring, and nobody is passed for good."""
    scene = centre(ring_ms=20_000)
    scene.give(i.SignIn(agent="1001"))
    first, second = scene.park(), scene.park()
    assert pick(scene, second) == ""
    scene.ringing(scene.ring_of(second))
    scene.wait(20_000)
    assert (scene.live(first).status, scene.live(second).status) == ("waiting", "waiting")
    shift = scene.shift(1)
    assert shift is not None
    assert (shift.status, shift.reason) == ("paused", "ring_no_answer")
    scene.hang_up(scene.instructions(RingAgent)[0].leg, "NO_ANSWER")
    scene.give(i.SignIn(agent="1002"))
    scene.give(i.Ready(agent="1002"))
    assert scene.live(first).status == "offered"


def waits(scene: Scene) -> str:
    return scene.park()


def rings_elsewhere(scene: Scene) -> str:
    scene.ready(2)
    return scene.park()


def talks_elsewhere(scene: Scene) -> str:
    caller, _ = scene.talk(2)
    return caller


def talks_here(scene: Scene) -> str:
    scene.talk(1)
    return scene.park()


def rings_here(scene: Scene) -> str:
    scene.ready(1)
    scene.park()
    return scene.park()


def wraps_up_here(scene: Scene) -> str:
    caller, _ = scene.talk(1)
    scene.hang_up(caller)
    return scene.park()


def holds_here(scene: Scene) -> str:
    _, ring = scene.talk(1)
    hold(scene, ring)
    return scene.park()


def switch_lost(scene: Scene) -> str:
    caller = scene.park()
    scene.disconnect()
    return caller


PICK_REFUSED: tuple[tuple[str, Callable[[Scene], str], dict[str, object]], ...] = (
    ("already_taken", rings_elsewhere, {}),
    ("already_taken", talks_elsewhere, {}),
    ("hold_first", talks_here, {}),
    ("being_offered", rings_here, {}),
    ("wrapping_up", wraps_up_here, {}),
    ("at_capacity", holds_here, {"lines": 1}),
    ("skill_missing", waits, {"min_level": 5}),
    ("no_picking", waits, {"pick": "nobody"}),
    ("switch_away", switch_lost, {}),
)


@pytest.mark.parametrize(("code", "make", "settings"), PICK_REFUSED, ids=lambda x: getattr(x, "__name__", str(x)))
def test_a_pick_that_cannot_be_is_refused_with_a_code_and_nothing_happens(
    code: str, make: Callable[[Scene], str], settings: dict[str, object]
) -> None:
    """Feature 3.8; bad input of issue 4."""
    scene = centre(**settings)  # type: ignore[arg-type]  # a test's own words
    caller = make(scene)
    if scene.shift(1) is None:
        scene.give(i.SignIn(agent="1001"))
    assert pick(scene, caller) == code
    assert story(scene.outcome) == []


def test_a_pick_of_nobody_and_by_nobody_is_refused() -> None:
    scene = centre()
    assert scene.refusal(i.Pick(agent="1001", contact="x")) == "not_signed_in"
    scene.give(i.SignIn(agent="1001"))
    assert scene.refusal(i.Pick(agent="1001", contact="0" * 36)) == "no_such_contact"
    caller = scene.park()
    contact = contact_of(scene, caller)
    assert scene.refusal(i.Pick(agent="1001", contact=contact[:7])) == "no_such_contact"
    assert scene.refusal(i.Pick(agent="1001", contact=contact, reason="a b")) == "bad_reason"
    assert scene.refusal(i.Pick(agent="1001", contact=contact[:8])) == ""


def test_a_queue_may_let_anyone_take_its_callers_and_a_leader_may_give_those_that_nobody_takes() -> None:
    """Feature 3.7."""
    scene = centre(pick="anyone", min_level=9)
    scene.give(i.SignIn(agent="1001"))
    assert pick(scene, scene.park()) == ""
    scene = centre(pick="nobody")
    scene.give(i.SignIn(agent="1001"))
    caller = scene.park()
    assert pick(scene, caller) == "no_picking"
    assert pick(scene, caller, by="user:ann") == ""


def test_of_two_picks_one_gets_the_caller_and_the_same_wish_twice_is_one_pick() -> None:
    """Complaint 3."""
    scene = centre()
    scene.give(i.SignIn(agent="1001"))
    scene.give(i.SignIn(agent="1002"))
    caller = scene.park()
    assert pick(scene, caller, 1) == ""
    assert pick(scene, caller, 2) == "already_taken"
    assert scene.status(2) == "paused"
    assert pick(scene, caller, 1) == ""
    assert story(scene.outcome) == []
    assert len(scene.events(c.OfferMade)) == 1


# --- several in hand -------------------------------------------------------------------------------------------------
def test_an_agent_holds_one_caller_and_takes_another_on_a_second_line() -> None:
    """Features 3.8, 4.5."""
    scene, (first, ring), (second, other) = two_in_hand()
    assert ring.leg != other.leg
    assert (ring.extension, other.extension) == ("1001", "1001")
    assert (scene.live(first).status, scene.live(second).status) == ("held", "connected")
    shift = scene.shift(1)
    assert shift is not None
    assert shift.status == "talking"
    assert [each.contact_id for each in shift.engagements] == [contact_of(scene, first), contact_of(scene, second)]


def test_nobody_is_offered_a_second_caller_by_distribution_however_many_they_may_hold() -> None:
    """Complaint 10: a call has its agent's ears alone."""
    scene = centre(agents=1, lines=6)
    scene.talk()
    caller = scene.park()
    assert scene.live(caller).status == "waiting"
    assert not scene.is_free(1)


def test_what_is_pressed_for_a_caller_in_hand_is_not_done_to_the_one_who_is_offered() -> None:
    """Feature 3.8: no double action, found by the simulation's seed 317."""
    scene = centre(agents=1)
    first, ring = scene.talk()
    hold(scene, ring)
    assert pick(scene, scene.park()) == ""
    assert scene.refusal(i.Accept(agent="1001", about=contact_of(scene, first))) == ""
    assert story(scene.outcome) == [], "it was accepted before"
    assert scene.refusal(i.Reject(agent="1001", about=contact_of(scene, first))) == "no_offer"


def test_switching_is_one_wish_the_active_caller_first_held_then_the_other_resumed() -> None:
    """Feature 3.8."""
    scene, (first, ring), (_, other) = two_in_hand()
    wish = i.Resume(agent="1001", about=contact_of(scene, first))
    assert scene.refusal(wish) == ""
    (asked,) = [event for event in scene.events(c.HoldRequested) if event.then]
    assert asked.then == contact_of(scene, first)
    assert scene.refusal(wish) == ""
    assert story(scene.outcome) == []
    settled(scene)
    assert [each.leg for each in scene.instructions(HoldLeg)] == [ring.leg, other.leg]
    assert scene.instructions(ResumeLeg) == []
    scene.give(facts.LegHeld(node=NODE, leg=other.leg))
    assert [each.leg for each in scene.instructions(ResumeLeg)] == [ring.leg]
    scene.give(facts.LegResumed(node=NODE, leg=ring.leg))
    assert scene.live(first).status == "connected"


def test_a_switch_is_done_all_the_same_where_the_active_caller_hangs_up_meanwhile() -> None:
    """Feature 3.8: both ends hang up in any order."""
    scene, (first, ring), (second, _) = two_in_hand()
    settled(scene)
    scene.give(i.Resume(agent="1001", about=contact_of(scene, first)))
    scene.hang_up(second)
    assert [each.leg for each in scene.instructions(ResumeLeg)] == [ring.leg]


def test_a_switch_to_somebody_who_hangs_up_meanwhile_leaves_the_other_on_hold() -> None:
    scene, (first, ring), (second, other) = two_in_hand()
    settled(scene)
    scene.give(i.Resume(agent="1001", about=contact_of(scene, first)))
    scene.hang_up(first)
    scene.give(facts.LegHeld(node=NODE, leg=other.leg))
    assert scene.instructions(ResumeLeg) == []
    assert scene.live(second).status == "held"
    settled(scene)
    assert scene.refusal(i.Resume(agent="1001")) == ""
    assert [each.leg for each in scene.instructions(ResumeLeg)] == [other.leg]
    assert ring.leg in [each.leg for each in scene.instructions(HangUpLeg)]


def test_whoever_is_resumed_at_the_phone_is_active_and_the_other_is_put_on_hold() -> None:
    """Feature 3.8: a phone has keys of its own."""
    scene, (_, ring), (_, other) = two_in_hand()
    settled(scene)
    scene.give(facts.LegResumed(node=NODE, leg=ring.leg))
    assert [each.leg for each in scene.instructions(HoldLeg)] == [ring.leg, other.leg]


def test_a_first_caller_who_was_not_held_in_time_is_held_when_the_second_is_joined() -> None:
    scene = centre(agents=1)
    first, ring = scene.talk()
    hold(scene, ring)
    second = scene.park()
    assert pick(scene, second) == ""
    settled(scene)
    scene.give(i.Resume(agent="1001", about=contact_of(scene, first)))
    scene.give(facts.LegResumed(node=NODE, leg=ring.leg))
    connect(scene, second)
    settled(scene)
    assert [each.leg for each in scene.instructions(HoldLeg)] == [ring.leg, ring.leg]


def test_hold_and_hang_up_mean_the_active_caller_unless_another_is_named() -> None:
    scene, (first, ring), (second, other) = two_in_hand()
    assert scene.refusal(i.HangUp(agent="1001", about=contact_of(scene, first))) == ""
    assert (scene.live(first).status, scene.live(second).status) == ("leaving", "connected")
    assert ring.leg in [each.leg for each in scene.instructions(HangUpLeg)]
    assert scene.refusal(i.HangUp(agent="1001")) == ""
    assert scene.live(second).status == "leaving"
    assert other.leg in [each.leg for each in scene.instructions(HangUpLeg)]


def test_of_several_on_hold_somebody_must_say_whom_to_go_on_with() -> None:
    scene, (first, ring), (_, other) = two_in_hand()
    hold(scene, other)
    settled(scene)
    assert scene.refusal(i.Resume(agent="1001")) == "which_one"
    assert scene.refusal(i.Resume(agent="1001", about=contact_of(scene, first))) == ""
    assert [each.leg for each in scene.instructions(ResumeLeg)] == [ring.leg]


@pytest.mark.parametrize("first_to_go", (0, 1))
def test_each_contact_has_its_own_wrap_up_once_nobody_is_in_hand_whoever_hangs_up_first(first_to_go: int) -> None:
    """Complaint 11: never cut short, never invisible. The one that ended last comes first."""
    scene, one, two = two_in_hand()
    goes, stays = (one, two) if first_to_go == 0 else (two, one)
    contacts = {caller: contact_of(scene, caller) for caller, _ in (goes, stays)}
    scene.hang_up(goes[0])
    assert [event.contact_id for event in scene.events(s.WrapUpPostponed)] == [contacts[goes[0]]]
    assert scene.status(1) == "talking"
    scene.wait(60_000)
    assert scene.status(1) == "talking"
    scene.hang_up(stays[0])
    assert [event.contact_id for event in scene.events(s.WrapUpStarted)] == [contacts[stays[0]]]
    scene.wait(9_999)
    assert len(scene.events(s.WrapUpEnded)) == 0
    scene.wait(1)
    started = scene.events(s.WrapUpStarted)
    assert [event.contact_id for event in started] == [contacts[stays[0]], contacts[goes[0]]]
    assert started[1].until == scene.now + 10_000 * MILLISECOND
    assert scene.status(1) == "wrapping_up"
    scene.wait(10_000)
    assert [event.how for event in scene.events(s.WrapUpEnded)] == ["timer", "timer"]
    assert scene.status(1) == "ready"


def test_each_after_call_work_is_finished_by_itself_and_a_pause_comes_after_the_last() -> None:
    scene, (first, _), (second, _) = two_in_hand()
    scene.hang_up(first)
    scene.hang_up(second)
    assert scene.refusal(i.WrapUp(agent="1001", code="solved")) == ""
    assert scene.status(1) == "wrapping_up"
    scene.give(i.Pause(agent="1001", reason="break"))
    assert scene.status(1) == "paused"
    assert [event.code for event in scene.events(s.WrapUpEnded)] == ["solved", ""]


def test_a_pause_in_the_first_of_two_wrap_ups_waits_for_the_second() -> None:
    scene, (first, _), (second, _) = two_in_hand()
    scene.hang_up(first)
    scene.hang_up(second)
    scene.give(i.Pause(agent="1001", reason="break"))
    assert scene.status(1) == "wrapping_up"
    scene.wait(10_000)
    assert scene.status(1) == "paused"


def test_whoever_signs_out_ends_every_after_call_work_that_is_left() -> None:
    """Complaint 11: each begins and ends in the log."""
    scene, (first, _), (second, _) = two_in_hand()
    scene.hang_up(first)
    scene.hang_up(second)
    scene.give(i.SignOut(agent="1001"))
    assert scene.shift(1) is None
    assert [event.how for event in scene.events(s.WrapUpEnded)] == ["signed_out", "signed_out"]


def test_a_caller_who_hangs_up_while_the_second_line_rings_leaves_its_wrap_up_for_later() -> None:
    """Held is not wrap-up, and neither is ringing."""
    scene = centre(agents=1, wrap_up_ms=10_000, ring_ms=5_000)
    first, ring = scene.talk()
    hold(scene, ring)
    second = scene.park()
    assert pick(scene, second) == ""
    scene.hang_up(first)
    assert scene.status(1) == "reserved"
    scene.ringing(scene.ring_of(second))
    scene.wait(5_000)
    assert scene.live(second).status == "waiting"
    assert scene.status(1) == "wrapping_up"
    scene.wait(10_000)
    assert scene.status(1) == "ready"


def test_a_second_line_that_is_not_answered_stands_nobody_down_who_talks() -> None:
    scene = centre(agents=1, ring_ms=5_000)
    first, ring = scene.talk()
    hold(scene, ring)
    second = scene.park()
    assert pick(scene, second) == ""
    scene.ringing(scene.ring_of(second))
    scene.wait(5_000)
    assert scene.status(1) == "talking"
    assert scene.live(first).status == "held"
    assert not scene.events(s.AgentStoodDown)


def test_a_restart_finds_both_callers_and_the_work_that_was_postponed() -> None:
    """Feature 12.1: the fold of the log has it all."""
    for one_is_gone in (False, True):
        scene, (first, _), _ = two_in_hand()
        if one_is_gone:
            scene.hang_up(first)
        before = scene.shift(1)
        assert before is not None
        assert bool(before.postponed) == one_is_gone
        scene.restart()
        assert scene.shift(1) == before


# --- moving and hurrying ---------------------------------------------------------------------------------------------
def move(scene: Scene, caller: str, queue: str = "sales", reason: str = "wrong_queue") -> str:
    return scene.refusal(i.Move(contact=contact_of(scene, caller), queue=queue, reason=reason, by="user:ann"))


def test_a_leader_moves_a_waiting_caller_who_keeps_the_time_waited_and_hears_the_other_music() -> None:
    """Feature 3.7."""
    scene = centre()
    caller = scene.park()
    since = scene.now
    scene.wait(30_000)
    assert move(scene, caller) == ""
    assert story(scene.outcome) == ["QueueVisitEnded", "ContactMoved", "ContactQueued"]
    (ended,) = scene.events(c.QueueVisitEnded)
    assert (ended.queue_id, ended.outcome) == ("support", "moved")
    contact = scene.live(caller)
    assert contact.visit is not None
    assert (contact.queue_id, contact.visit.queued_at, contact.visit.waiting_since) == ("sales", scene.now, since)
    assert contact.visit.leave_by == scene.now + 60_000 * MILLISECOND
    assert scene.instructions(PlayWaiting)[-1].music == "sales"
    actors = [record.about.actor for record in scene.records if isinstance(record.event, c.ContactMoved)]
    assert actors == ["user:ann"]


def test_a_move_while_a_phone_rings_takes_the_offer_back_first_and_blames_nobody() -> None:
    scene = centre()
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    assert move(scene, caller) == ""
    assert story(scene.outcome)[:4] == ["OfferWithdrawn", "QueueVisitEnded", "ContactMoved", "ContactQueued"]
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [ring.leg]
    assert scene.status(1) == "ready"
    scene.hang_up(ring.leg, "ORIGINATOR_CANCEL")
    assert scene.live(caller).status == "waiting"


def test_a_moved_caller_is_offered_at_once_where_somebody_there_is_free_and_the_place_left_is_taken() -> None:
    """Complaint 21."""
    scene = centre(agents=2)
    scene.configure({"agent-a2": replace(agent(2, sell=3), capacity={})})
    scene.ready(2)
    first, second = scene.park(), scene.park()
    assert move(scene, first) == ""
    assert [held.agent_id for held in scene.live(first).offer.reservations] == ["a2"]  # type: ignore[union-attr]
    scene.ready(1)
    assert scene.live(second).status == "offered"


MOVE_REFUSED: tuple[tuple[str, Callable[[Scene], str], str], ...] = (
    ("same_queue", waits, "support"),
    ("no_such_queue", waits, "nowhere"),
    ("already_taken", talks_elsewhere, "sales"),
)


@pytest.mark.parametrize(("code", "make", "queue"), MOVE_REFUSED, ids=lambda x: getattr(x, "__name__", str(x)))
def test_a_move_that_cannot_be_is_refused(code: str, make: Callable[[Scene], str], queue: str) -> None:
    scene = centre()
    caller = make(scene)
    assert move(scene, caller, queue) == code
    assert story(scene.outcome) == []


def test_a_move_while_somebody_has_just_picked_up_is_refused() -> None:
    scene = centre()
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.answer(ring)
    assert move(scene, caller) == "already_taken"


def test_a_caller_who_hangs_up_in_the_same_tick_is_not_moved_picked_or_hurried() -> None:
    scene = centre()
    scene.give(i.SignIn(agent="1001"))
    caller = scene.park()
    contact = contact_of(scene, caller)
    scene.hang_up(caller)
    for command in (
        i.Pick(agent="1001", contact=contact),
        i.Move(contact=contact, queue="sales", reason="x"),
        i.Prioritise(contact=contact, points=5, reason="x"),
    ):
        assert scene.refusal(command) == "no_such_contact"


def hurry(scene: Scene, caller: str, points: int) -> str:
    return scene.refusal(i.Prioritise(contact=contact_of(scene, caller), points=points, reason="important"))


def test_a_leader_changes_how_urgent_a_caller_is_and_takes_it_back() -> None:
    """Feature 3.7."""
    scene = centre()
    first, second = scene.park(), scene.park()
    assert hurry(scene, second, 10) == ""
    assert story(scene.outcome) == ["ContactReprioritised"]
    (event,) = scene.events(c.ContactReprioritised)
    assert (event.given, event.was, event.reason) == (10, 0, "important")
    assert hurry(scene, second, 10) == ""
    assert story(scene.outcome) == []
    assert hurry(scene, second, 0) == ""
    scene.ready(1)
    assert (scene.live(first).status, scene.live(second).status) == ("offered", "waiting")


def test_a_hurried_caller_is_served_first_and_keeps_the_points_when_moved() -> None:
    scene = centre(agents=1)
    first, second = scene.park(), scene.park()
    assert hurry(scene, second, 10) == ""
    scene.ready(1)
    assert (scene.live(first).status, scene.live(second).status) == ("waiting", "offered")
    assert move(scene, second) == ""
    assert scene.live(second).given == 10
    assert scene.live(first).status == "waiting"
    scene.hang_up(scene.instructions(RingAgent)[0].leg, "ORIGINATOR_CANCEL")
    assert scene.live(first).status == "offered"


@pytest.mark.parametrize("points", (-1_001, 1_001, 2**70))
def test_points_are_bounded(points: int) -> None:
    """Bad input of issue 4: priority out of range."""
    scene = centre()
    assert hurry(scene, scene.park(), points) == "bad_priority"
