"""Half hours: what each queue was asked, how long it took, who was there; and a day sized from them."""

from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts
from orchestrator.domain.kernel import Instant, Refused
from orchestrator.domain.routing.queues import QueueConfigured, QueueRemoved
from orchestrator.domain.sizing import seats
from orchestrator.domain.staff import shifts
from orchestrator.domain.staff.agents import AgentConfigured, AgentRemoved
from projections import half_hours, sizing
from projections.base import Site
from projections.catalogue import PROJECTIONS
from projections.half_hours import HalfHour
from projections.sizing import Asked, Load, Sheet
from tests.projections.kit import MORNING, ReadKit
from tests.projections.test_contact_log import arrived, queued
from tests.projections.test_rebuild import SEEDS, simulated

MODEL = PROJECTIONS["half_hours"]
TODAY, TOMORROW = "2026-01-01", "2026-01-02"
S = 1_000_000
HALF = 1_800
LATE = Instant(MORNING + 10 * 24 * 3_600 * S)


def configure(kit: ReadKit, *agents: str) -> None:
    """A queue that asks for sell at level 2; agents with that skill at level 5."""
    kit.tell("queue-sales", QueueConfigured(name="Sales", skill="sell", min_level=2, answer_target_ms=20_000))
    for agent in agents:
        employ(kit, agent, sell=5)


def employ(kit: ReadKit, agent: str, at: float = 0, **skills: int) -> None:
    kit.tell(f"agent-{agent}", AgentConfigured(number=agent, name="Lin", extension=agent, skills=skills), at)


def sit_down(kit: ReadKit, agent: str, at: float) -> None:
    kit.tell(f"shift-{agent}", shifts.AgentSignedIn(agent_id=agent, extension=agent), at)
    kit.tell(f"shift-{agent}", shifts.AgentMadeReady(), at)


def serve(
    kit: ReadKit, ident: str, agent: str, at: float, *, wait: float = 10, talk: float = 100, wrap: float = 20
) -> None:
    """A call that waits, is talked with, and is wrapped up."""
    stream, shift = f"contact-{ident}", f"shift-{agent}"
    kit.tell(stream, arrived(), at)
    kit.tell(stream, queued(), at)
    joined = contacts.ContactConnected(segment_id="s1", offer_id="o1", shift_id=agent, agent_id=agent, leg="leg-2")
    kit.tell(stream, joined, at + wait)
    kit.tell(stream, contacts.QueueVisitEnded(visit_id="v1", queue_id="sales", outcome="answered"), at + wait)
    over = at + wait + talk
    ended = contacts.AgentSegmentEnded(segment_id="s1", shift_id=agent, ended_by="caller", cause="NORMAL_CLEARING")
    kit.tell(stream, ended, over)
    kit.tell(shift, shifts.WrapUpStarted(contact_id=ident, segment_id="s1", until=Instant(0)), over)
    kit.tell(stream, contacts.ContactEnded(reason="completed", phase="connected"), over)
    kit.tell(shift, shifts.WrapUpEnded(how="agent"), over + wrap)


def give_up(kit: ReadKit, ident: str, at: float, wait: float, outcome: str = "abandoned") -> None:
    kit.tell(f"contact-{ident}", arrived(), at)
    kit.tell(f"contact-{ident}", queued(), at)
    kit.tell(f"contact-{ident}", contacts.QueueVisitEnded(visit_id="v1", queue_id="sales", outcome=outcome), at + wait)
    kit.tell(f"contact-{ident}", contacts.ContactEnded(reason="abandoned", phase="queued"), at + wait)


def loads(kit: ReadKit, queue_id: str = "", day: str = TODAY, now: Instant = LATE) -> list[Load]:
    kit.keep_up(MODEL)
    queue = next((each for each in kit.read(sizing.queues) if each.queue_id == queue_id), None)
    return kit.read(lambda c: sizing.loads(c, kit.site, day, now, queue))


def sheet(kit: ReadKit, now: Instant = LATE, **asked: object) -> Sheet:
    kit.keep_up(MODEL)
    wanted = Asked(day=TODAY, **asked)  # type: ignore[arg-type]
    return kit.read(lambda c: sizing.sheet(c, kit.site, wanted, now))


def test_a_call_counts_in_the_half_hour_in_which_it_was_queued_with_all_the_work_that_came_of_it(kit: ReadKit) -> None:
    """Feature 10.2: from the centre's own history."""
    configure(kit, "a1")
    kit.build(MODEL)
    sit_down(kit, "a1", 0)
    serve(kit, "c1", "a1", HALF - 5, wait=15, talk=100, wrap=25)
    give_up(kit, "c2", HALF - 1, 33)
    give_up(kit, "c3", HALF + 1, 7, "timed_out")
    kit.tell("shift-a1", shifts.AgentSignedOut(reason="agent"), 2 * HALF)
    first, second = loads(kit, "sales")
    assert first.asked == HalfHour(
        "sales",
        MORNING,
        offered=2,
        answered=1,
        answered_in_target=1,
        abandoned=1,
        answered_wait_ms=15_000,
        abandoned_wait_ms=33_000,
        handled=1,
        talk_ms=100_000,
        wrap_up_ms=25_000,
    )
    assert second.asked == HalfHour("sales", MORNING + HALF * S, offered=1, left_otherwise=1, left_wait_ms=7_000)


def test_a_caller_who_was_found_late_counts_from_when_they_came(kit: ReadKit) -> None:
    """Feature 12.4: nobody heard of the caller for half a minute, in which they waited all the same."""
    configure(kit, "a1")
    kit.build(MODEL)
    came_at = Instant(MORNING + (HALF - 25) * S)
    kit.tell("contact-c1", replace(arrived(), came_at=came_at, found="resync"), HALF + 5)
    kit.tell("contact-c1", replace(queued(), came_at=came_at, waiting_since=came_at), HALF + 5)
    kit.tell("contact-c1", contacts.QueueVisitEnded(visit_id="v1", queue_id="sales", outcome="abandoned"), HALF + 10)
    first = loads(kit, "sales")[0]
    assert first.asked == HalfHour("sales", MORNING, offered=1, abandoned=1, abandoned_wait_ms=35_000)


def test_who_is_there_counts_for_the_time_there_and_a_break_is_away(kit: ReadKit) -> None:
    configure(kit, "a1", "a2")
    kit.build(MODEL)
    sit_down(kit, "a1", 600)
    kit.tell("shift-a2", shifts.AgentSignedIn(agent_id="a2", extension="a2"), 900)
    kit.tell("shift-a1", shifts.AgentPaused(reason="break"), HALF + 600)
    kit.tell("shift-a1", shifts.AgentMadeReady(), HALF + 900)
    kit.tell("shift-a1", shifts.AgentStoodDown(reason="ring_no_answer", offer_id="o1"), 2 * HALF)
    kit.tell("shift-a1", shifts.AgentSignedOut(reason="agent"), 2 * HALF)
    kit.tell("shift-a2", shifts.AgentSignedOut(reason="agent"), HALF)
    first, second = loads(kit, "sales")
    assert (first.there_ms, first.away_ms) == (1_200_000, 900_000)
    assert (second.there_ms, second.away_ms) == (1_500_000, 300_000)
    assert first.agents == pytest.approx(1_200 / 1_800)


def test_who_is_still_there_counts_until_now_and_a_half_hour_that_goes_on_is_not_shown(kit: ReadKit) -> None:
    configure(kit, "a1")
    kit.build(MODEL)
    sit_down(kit, "a1", 900)
    give_up(kit, "c1", HALF + 1, 5)
    (only,) = loads(kit, "sales", now=Instant(MORNING + (HALF + 600) * S))
    assert (only.there_ms, only.asked.offered) == (900_000, 0)


def test_only_those_who_can_serve_a_queue_are_there_for_it(kit: ReadKit) -> None:
    """What an agent can do is as it was then: a skill that is given at noon was not there in the morning."""
    configure(kit, "a1")
    employ(kit, "a2", sell=1)
    employ(kit, "a3", zh=9)
    kit.build(MODEL)
    for agent in ("a1", "a2", "a3"):
        sit_down(kit, agent, 0)
    employ(kit, "a3", HALF, zh=9, sell=2)
    kit.tell("agent-a1", AgentRemoved(), HALF + 900)
    first, second = loads(kit, "sales", now=Instant(MORNING + 2 * HALF * S))
    assert (first.agents, second.agents) == (1, 1.5)
    first, second = loads(kit, now=Instant(MORNING + 2 * HALF * S))
    assert (first.agents, second.agents) == (3, 3)


def test_after_call_work_that_is_postponed_belongs_to_its_own_call(kit: ReadKit) -> None:
    configure(kit, "a1")
    kit.build(MODEL)
    sit_down(kit, "a1", 0)
    for ident, at in (("c1", 10), ("c2", HALF + 10)):
        kit.tell(f"contact-{ident}", queued(), at)
        joined = contacts.ContactConnected(segment_id=ident, offer_id="o", shift_id="a1", agent_id="a1", leg="l")
        kit.tell(f"contact-{ident}", joined, at + 5)
    for ident, at in (("c1", HALF + 100), ("c2", HALF + 200)):
        ended = contacts.AgentSegmentEnded(segment_id=ident, shift_id="a1", ended_by="caller", cause="NORMAL_CLEARING")
        kit.tell(f"contact-{ident}", ended, at)
        kit.tell(f"contact-{ident}", contacts.ContactEnded(reason="completed", phase="connected"), at)
    for ident, at in (("c2", HALF + 200), ("c1", HALF + 230)):
        kit.tell("shift-a1", shifts.WrapUpStarted(contact_id=ident, segment_id=ident, until=Instant(0)), at)
        kit.tell("shift-a1", shifts.WrapUpEnded(how="agent"), at + 30 + 10 * (ident == "c1"))
    kit.tell("shift-a1", shifts.AgentSignedOut(reason="agent"), 2 * HALF)
    first, second = loads(kit, "sales")
    assert (first.asked.talk_ms, first.asked.wrap_up_ms) == (HALF * 1_000 + 85_000, 40_000)
    assert (second.asked.talk_ms, second.asked.wrap_up_ms) == (185_000, 30_000)


def test_half_hours_go_by_the_sites_clock_and_days_end_at_its_midnight() -> None:
    """Where the offset is no whole half hour, and where a day has 23 hours."""
    kathmandu = Site(ZoneInfo("Asia/Kathmandu"))
    assert kathmandu.half_hour(Instant(MORNING)) == MORNING - 15 * 60 * S
    assert kathmandu.half_hour(Instant(MORNING + 15 * 60 * S - 1)) == MORNING - 15 * 60 * S
    assert kathmandu.half_hour(Instant(MORNING + 15 * 60 * S)) == MORNING + 15 * 60 * S
    first, last = Site(ZoneInfo("Europe/Berlin")).bounds("2026-03-29")
    assert last - first == 23 * 3_600 * S


@pytest.mark.parametrize("seed", SEEDS)
def test_half_hours_are_what_one_counts_in_the_log_by_hand(kit: ReadKit, seed: int) -> None:
    """Complaint 12: recomputed from the log, equal; whatever goes wrong, no time is counted twice."""
    records = simulated(seed)
    kit.store(records)
    kit.build(MODEL)
    whole, later = HalfHour("", 0), Instant(records[-1].about.at + 3_600 * S)
    for day in {kit.site.day(record.about.at) for record in records}:
        for load in kit.read(lambda c, day=day: sizing.loads(c, kit.site, day, later)):  # type: ignore[misc]
            half_hours.add(whole, load.asked)
    events = [record.event for record in records]
    ended = [event for event in events if isinstance(event, contacts.QueueVisitEnded)]
    assert whole.offered == sum(isinstance(event, contacts.ContactQueued) for event in events)
    assert whole.answered == sum(event.outcome == "answered" for event in ended)
    assert whole.abandoned == sum(event.outcome == "abandoned" for event in ended)
    assert whole.left_otherwise == len(ended) - whole.answered - whole.abandoned
    assert whole.handled == sum(isinstance(event, contacts.AgentSegmentEnded) for event in events)
    begun = {
        record.event.segment_id: record.about.at
        for record in records
        if isinstance(record.event, contacts.ContactConnected)
    }
    talked = sum(
        (record.about.at - begun[record.event.segment_id]) // 1000
        for record in records
        if isinstance(record.event, contacts.AgentSegmentEnded)
    )
    assert whole.talk_ms == talked
    live = {record.stream for record in records if isinstance(record.event, contacts.ContactArrived)} - {
        record.stream for record in records if isinstance(record.event, contacts.ContactEnded)
    }
    assert len(kit.rows(MODEL)["half_hours_visits"]) <= len(live), "what is over is forgotten"


# --- a day sized -----------------------------------------------------------------------------------------------------
def busy_half_hour(kit: ReadKit, home: float = 0) -> None:
    """Two agents, 40 calls of 120 s in half an hour, of whom 12 give up after 50 s. `home`: when both sign out."""
    configure(kit, "a1", "a2")
    kit.tell("queue-removed", QueueConfigured(name="Old", skill="old"))
    kit.tell("queue-removed", QueueRemoved())
    kit.build(MODEL)
    for agent in ("a1", "a2"):
        sit_down(kit, agent, 0)
    for number in range(28):
        serve(kit, f"c{number}", f"a{1 + number % 2}", 60 * number, wait=25 if number % 4 else 5)
    for number in range(12):
        give_up(kit, f"g{number}", 100 * number, 50)
    if home:
        for agent in ("a1", "a2"):
            kit.tell(f"shift-{agent}", shifts.AgentSignedOut(reason="agent"), home)


def test_a_half_hour_is_sized_by_every_formula_beside_who_was_there_and_what_was_reached(kit: ReadKit) -> None:
    """Features 10.1 and 10.2."""
    busy_half_hour(kit)
    found = sheet(kit, Instant(MORNING + HALF * S), queue_id="sales", level_percent=80.0, occupancy_percent=85.0)
    (row,) = found.rows
    assert (found.calls, found.handling_s, found.shrinkage) == (40, 120, 0)
    assert row.demand.traffic == pytest.approx(40 * 120 / HALF)
    assert row.there == 2
    assert row.load == pytest.approx(28 * 120 / (2 * HALF))
    assert (row.reached, row.gave_up) == (7 / 40, 12 / 40)
    assert row.sizes == seats.sizes(row.demand, found.terms)
    assert row.sizes.planning.agents == 4
    assert row.sizes.erlang_c.agents == 5
    assert row.patient is not None
    assert row.impatient is not None
    assert row.patient.level == 0, "2 agents cannot do the work of 2.67"
    assert row.impatient.gives_up > 0.25
    assert found.busiest is row


def test_the_patience_is_that_of_those_who_gave_up_where_there_are_enough_of_them(kit: ReadKit) -> None:
    """Waits that ended otherwise count above the line: those callers had more patience than that."""
    busy_half_hour(kit)
    found = sheet(kit)
    assert found.patience == "told"
    assert found.terms.patience_s == pytest.approx((7 * 5 + 21 * 25 + 12 * 50) / 12)
    assert sheet(kit, patience_s=77.0).terms.patience_s == 77
    assert sheet(kit, patience_s=77.0).patience == "given"


def test_the_queues_own_target_is_the_time_within_which_callers_are_to_be_answered(kit: ReadKit) -> None:
    configure(kit, "a1")
    kit.tell("queue-sales", QueueConfigured(name="Sales", skill="sell", answer_target_ms=45_000))
    kit.build(MODEL)
    assert sheet(kit, queue_id="sales").terms.within_s == 45
    assert sheet(kit, queue_id="sales", within_s=10.0).terms.within_s == 10
    assert sheet(kit).terms.within_s == 20


def test_a_day_on_which_nobody_called_needs_nobody(kit: ReadKit) -> None:
    configure(kit, "a1")
    kit.build(MODEL)
    sit_down(kit, "a1", 0)
    kit.tell("shift-a1", shifts.AgentSignedOut(reason="agent"), HALF)
    found = sheet(kit)
    (row,) = found.rows
    assert (row.sizes.erlang_c.agents, row.reached, row.patient, found.busiest) == (0, None, None, None)
    assert (found.patience, found.terms.patience_s) == ("usual", 120)


def test_a_queue_that_there_is_not_and_terms_without_sense_are_refused(kit: ReadKit) -> None:
    configure(kit)
    kit.build(MODEL)
    with pytest.raises(Refused, match="There is no queue 'nowhere'"):
        sheet(kit, queue_id="nowhere")
    with pytest.raises(Refused, match="Service level, percent: write a number from 1"):
        sheet(kit, level_percent=100.0)


@pytest.mark.parametrize("text", ("", "yesterday", "2026-13-01", "0001-01-01", "9999-12-31", "20260101x"))
def test_a_day_that_is_none_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(Refused, match="Write a day as 2026-11-30"):
        sizing.parse_day(text)
    assert sizing.parse_day(" 2026-01-31 ") == "2026-01-31"
