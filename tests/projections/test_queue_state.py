"""Queues: who waits, what became of them, and every formula over the same day."""

import random
from functools import partial

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts
from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.observed import Observed
from orchestrator.domain.routing.queues import QueueConfigured, QueueRemoved
from projections import queue_state
from projections.base import run_batch
from projections.building import build
from projections.catalogue import PROJECTIONS
from projections.feed import Feed
from projections.queue_state import Day
from projections.service_level import FORMULAS
from tests.projections.kit import MORNING, ReadKit, Records
from tests.projections.test_contact_log import arrived, queued
from tests.projections.test_rebuild import SEEDS, simulated

QUEUES = PROJECTIONS["queue_state"]
TODAY, TOMORROW = "2026-01-01", "2026-01-02"
S = 1_000_000


def queue(target_ms: int = 20_000, short_ms: int = 5_000) -> QueueConfigured:
    return QueueConfigured(name="Sales", skill="sell", answer_target_ms=target_ms, short_abandon_ms=short_ms)


def visit(kit: ReadKit, ident: str, begin: float, wait: float, outcome: str) -> None:
    stream = f"contact-{ident}"
    kit.tell(stream, arrived(), begin)
    kit.tell(stream, queued(), begin)
    kit.tell(stream, contacts.QueueVisitEnded(visit_id="v1", queue_id="sales", outcome=outcome), begin + wait)


def today(kit: ReadKit, day: str = TODAY) -> Day:
    kit.keep_up(QUEUES)
    (found,) = kit.read(lambda c: queue_state.days(c, day, day, queue_id="sales"))
    return found


# A set of known answers: 100 offered, T = 20 s; 70 answered within T and 15 after; 4 left within 5 s, 3 within T, 6
# after it; 2 left otherwise after T.
SET = ((70, 10, "answered"), (15, 30, "answered"), (4, 4, "abandoned"), (3, 15, "abandoned"), (6, 40, "abandoned"))


def test_a_caller_who_was_found_late_waits_since_they_came(kit: ReadKit) -> None:
    """Feature 12.4: nobody heard of the caller for half a minute, in which they waited all the same."""
    kit.tell("queue-sales", queue())
    came_at = Instant(MORNING + 70 * SECOND)
    kit.tell("contact-c1", replace(arrived(), came_at=came_at, found="resync"), 100)
    kit.tell("contact-c1", replace(queued(), came_at=came_at, waiting_since=came_at), 100)
    kit.build(QUEUES)
    kit.keep_up(QUEUES)
    (waits,) = kit.read(queue_state.now)
    assert waits.oldest == came_at
    kit.tell("contact-c1", contacts.QueueVisitEnded(visit_id="v1", queue_id="sales", outcome="answered"), 105)
    assert (today(kit).answered_in_target, today(kit).answered_wait_ms) == (0, 35_000)


def test_one_day_is_70_to_82_percent_by_formula_and_each_says_which_it_is(kit: ReadKit) -> None:
    """Feature 9.4: known answers, and no figure without its formula, version and clock."""
    kit.tell("queue-sales", queue())
    number = 0
    for count, wait, outcome in (*SET, (2, 60, "timed_out")):
        for _ in range(count):
            number += 1
            visit(kit, f"c{number}", number, wait, outcome)
    kit.build(QUEUES)
    day = today(kit)
    assert (day.offered, day.answered, day.abandoned, day.left_otherwise, day.timed_out) == (100, 85, 13, 2, 2)
    expected = {
        "in_target_of_answered": 82.35,
        "handled_in_target_of_finished": 78.57,
        "out_of_queue_in_target": 77.00,
        "in_target_abandons_ignored": 75.27,
        "in_target_of_finished_without_short": 74.47,
        "in_target_of_offered_without_short": 72.92,
        "in_target_of_finished": 71.43,
        "in_target_of_offered": 70.00,
        "in_target_of_finished_and_left": 70.00,
        "abandoned_of_offered": 13.00,
        "abandoned_of_finished": 13.27,
        "abandoned_without_short": 9.38,
        "abandoned_without_short_of_finished": 9.57,
        "average_speed_of_answer": (70 * 10_000 + 15 * 30_000) / 85,
        "average_wait_of_abandoned": (4 * 4_000 + 3 * 15_000 + 6 * 40_000) / 13,
    }
    assert {name: formula.of(day) for name, formula in FORMULAS.items()} == pytest.approx(expected, abs=0.0051)
    for formula in FORMULAS.values():
        assert formula.version >= 1
        assert formula.words
        assert formula.clock == "ours: ContactQueued.at, or its came_at where set, to QueueVisitEnded.at"


def test_a_day_without_calls_has_no_percentage(kit: ReadKit) -> None:
    assert {formula.of(Day("sales", TODAY)) for formula in FORMULAS.values()} == {None}


def test_who_waits_now_and_since_when(kit: ReadKit) -> None:
    """Feature 9.1."""
    kit.tell("queue-sales", queue())
    kit.tell("queue-closed", queue())
    kit.tell("queue-closed", QueueRemoved())
    for ident, begin in (("c1", 10), ("c2", 5), ("c3", 20)):
        kit.tell(f"contact-{ident}", arrived(), begin)
        kit.tell(f"contact-{ident}", queued(), begin)
    kit.tell("contact-c2", offer("o1"), 21)
    kit.build(QUEUES)
    (sales,) = kit.read(queue_state.now)
    assert (sales.queue_id, sales.waiting, sales.ringing, sales.oldest) == ("sales", 2, 1, MORNING + 5 * S)
    kit.tell("contact-c2", contacts.OfferTimedOut(offer_id="o1", cause="deadline"), 33)
    kit.tell("contact-c1", contacts.QueueVisitEnded(visit_id="v1", queue_id="sales", outcome="abandoned"), 34)
    kit.keep_up(QUEUES)
    (sales,) = kit.read(queue_state.now)
    assert (sales.waiting, sales.ringing, sales.oldest) == (2, 0, MORNING + 5 * S)


def offer(offer_id: str) -> contacts.OfferMade:
    decision = contacts.Decision(
        rule="longest_idle", config_version=1, skill="sell", min_level=1, candidates=(), others={}
    )
    return contacts.OfferMade(
        offer_id=offer_id, visit_id="v1", queue_id="sales", reservations=(), deadline=Instant(0), decision=decision
    )


def test_a_target_that_is_changed_at_noon_changes_no_call_of_the_morning(kit: ReadKit) -> None:
    """Law 6: what is counted was judged by the configuration in force when it ended."""
    kit.tell("queue-sales", queue(target_ms=20_000))
    visit(kit, "c1", 0, 15, "answered")
    kit.tell("queue-sales", queue(target_ms=10_000), 100)
    visit(kit, "c2", 200, 15, "answered")
    kit.build(QUEUES)
    day = today(kit)
    assert (day.answered, day.answered_in_target) == (2, 1)


def test_the_limits_themselves_are_within(kit: ReadKit) -> None:
    kit.tell("queue-sales", queue())
    visit(kit, "c1", 0, 20, "answered")
    visit(kit, "c2", 0, 20.001, "answered")
    visit(kit, "c3", 0, 5, "abandoned")
    visit(kit, "c4", 0, 5.001, "abandoned")
    kit.build(QUEUES)
    day = today(kit)
    assert (day.answered_in_target, day.abandoned_short, day.abandoned_in_target) == (1, 1, 2)


def test_a_wait_over_midnight_counts_once_on_the_day_on_which_it_began(kit: ReadKit) -> None:
    kit.tell("queue-sales", queue())
    midnight = 14 * 3600  # it is ten in the morning there at MORNING
    visit(kit, "c1", midnight - 8, 16, "answered")
    kit.build(QUEUES)
    assert today(kit).answered == 1
    assert kit.read(lambda c: queue_state.days(c, TOMORROW, TOMORROW)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_counters_are_what_one_counts_in_the_log_by_hand(kit: ReadKit, seed: int) -> None:
    """Complaint 12: "counters double or never reset": counters are projections, recomputed from the log, equal."""
    records = simulated(seed)
    kit.store(records)
    kit.build(QUEUES)
    begun: dict[str, int] = {}
    outcomes: dict[tuple[str, str], int] = {}
    waits = 0
    for record in records:
        match record.event:
            case contacts.ContactQueued():
                begun[record.stream] = record.about.at
                outcomes[record.event.queue_id, "offered"] = outcomes.get((record.event.queue_id, "offered"), 0) + 1
            case contacts.QueueVisitEnded():
                key = (record.event.queue_id, record.event.outcome)
                outcomes[key] = outcomes.get(key, 0) + 1
                if record.event.outcome == "answered":
                    waits += (record.about.at - begun[record.stream]) // 1000
    days = kit.read(lambda c: queue_state.days(c, "0", "9"))
    whole = queue_state.total(days)
    for word in ("offered", "answered", "abandoned", "timed_out"):
        assert getattr(whole, word) == sum(n for (_, outcome), n in outcomes.items() if outcome == word)
    assert whole.answered_wait_ms == waits
    assert whole.offered == whole.answered + whole.abandoned + whole.left_otherwise
    for queue_id in {queue_id for queue_id, _ in outcomes}:
        of_one = queue_state.total([day for day in days if day.queue_id == queue_id])
        assert of_one.answered == outcomes.get((queue_id, "answered"), 0)


def test_a_caller_who_is_moved_is_a_visit_of_each_queue_and_waits_in_one(kit: ReadKit) -> None:
    """Feature 3.7: moved is neither answered nor abandoned where it was."""
    kit.tell("queue-sales", queue())
    kit.tell("queue-support", QueueConfigured(name="Support", skill="zh"))
    kit.tell("contact-c1", arrived(), 0)
    kit.tell("contact-c1", queued(), 0)
    kit.tell("contact-c1", contacts.QueueVisitEnded(visit_id="v1", queue_id="sales", outcome="moved"), 30)
    moved = contacts.ContactMoved(visit_id="v1", from_queue="sales", to_queue="support", reason="wrong_queue")
    kit.tell("contact-c1", moved, 30)
    again = contacts.ContactQueued(
        visit_id="v2",
        queue_id="support",
        entry_id="main",
        skill="zh",
        min_level=1,
        priority=0,
        music="m",
        leave_by=Instant(0),
        waiting_since=Instant(MORNING),
    )
    kit.tell("contact-c1", again, 30)
    kit.build(QUEUES)
    found = today(kit)
    assert (found.offered, found.answered, found.abandoned, found.left_otherwise) == (1, 0, 0, 1)
    assert [(each.queue_id, each.waiting) for each in kit.read(queue_state.now)] == [("sales", 0), ("support", 1)]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_look_into_the_past_counts_is_what_the_read_model_had_at_that_position(kit: ReadKit, seed: int) -> None:
    """Feature 11.3: exact after every batch, and over a midnight."""
    records = simulated(seed)
    midnight = kit.site.bounds(TOMORROW)[0]
    answered = {each.stream for each in records if getattr(each.event, "outcome", "") == "answered"}
    began = sorted(
        each.about.at for each in records if each.stream in answered and isinstance(each.event, contacts.ContactQueued)
    )
    shift = midnight - began[len(began) // 2]
    kit.store(replace(each, about=replace(each.about, at=Instant(each.about.at + shift))) for each in records)
    kit.build(QUEUES)
    build(kit.connection, QUEUES, Records(()), kit.site)
    dice, feed, world = random.Random(seed), Feed(kit.log), Observed()
    seen: set[str] = set()
    reached = 0
    while moved := run_batch(kit.connection, QUEUES, feed, kit.site, limit=dice.randint(1, 60)):
        count, position = moved
        if not count:
            break
        for record in kit.log.history(after=reached, until=position):
            world.apply(record)
        reached = position
        for day in (TODAY, TOMORROW):
            found = kit.read(partial(queue_state.days, first=day, last=day))
            assert world.counted(*kit.site.bounds(day)) == [replace(each, day="") for each in found]
            seen.update(day for each in found if each.answered)
    assert seen == {TODAY, TOMORROW}
