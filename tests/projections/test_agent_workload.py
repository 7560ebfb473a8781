"""Agents: what they do now, and what they did today."""

from zoneinfo import ZoneInfo

import pytest

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.consult_events import ConsultAnswered, ConsultAsked
from orchestrator.domain.contacts.guest_events import GuestAnswered, GuestInvited
from orchestrator.domain.contacts.monitor_events import MonitorAnswered, MonitorAsked, MonitorClosed, TalkTakenOver
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.kernel import Instant
from orchestrator.domain.staff import shifts
from orchestrator.domain.staff.agents import AgentConfigured, AgentRemoved
from orchestrator.vault import open_text
from projections import agent_workload
from projections.agent_workload import Agent, Day
from projections.base import Site
from projections.catalogue import PROJECTIONS
from tests.projections.kit import MORNING, ReadKit
from tests.projections.test_rebuild import SEEDS, played

AGENTS = PROJECTIONS["agent_workload"]
TODAY, TOMORROW = "2026-01-01", "2026-01-02"
S = 1_000_000
SHIFT = "shift-s1"


def sign_in(kit: ReadKit, at: float = 0) -> None:
    kit.tell("agent-a1", AgentConfigured(number="101", name="Lin Mei", extension="1001", skills={"sell": 5}))
    kit.tell(SHIFT, shifts.AgentSignedIn(agent_id="a1", extension="1001"), at)


def serve(kit: ReadKit, at: float) -> None:
    """Ready for 10 s, rung for 4 s, talks for 20 s of which 7 s are hold, wraps up for 6 s."""
    kit.tell(SHIFT, shifts.AgentMadeReady(), at)
    kit.tell(SHIFT, shifts.AgentReserved(offer_id="o1", contact_id="c1"), at + 10)
    kit.tell(SHIFT, shifts.AgentConnected(contact_id="c1", offer_id="o1", segment_id="g1"), at + 14)
    kit.tell("contact-c1", contacts.ContactHeld(segment_id="g1"), at + 20)
    kit.tell("contact-c1", contacts.ContactResumed(segment_id="g1"), at + 27)
    until = Instant(MORNING + 60 * S)
    ended = shifts.WrapUpStarted(contact_id="c1", segment_id="g1", until=until, at_most=until)
    kit.tell(SHIFT, ended, at + 34)
    kit.tell(SHIFT, shifts.WrapUpEnded(how="agent", code="solved"), at + 40)


def now(kit: ReadKit) -> Agent:
    kit.keep_up(AGENTS)
    (found,) = kit.read(agent_workload.now)
    return found


def day(kit: ReadKit, name: str = TODAY, at: float = 0) -> Day:
    kit.keep_up(AGENTS)
    instant = Instant(MORNING + round(at * S))
    ((_, found),) = kit.read(lambda c: agent_workload.workload(c, kit.site, name, instant))
    return found


def test_a_caller_who_is_passed_on_counts_for_whoever_did_it(kit: ReadKit) -> None:
    """Feature 4.3."""
    kit.build(AGENTS)
    sign_in(kit)
    sent = ContactTransferred(
        segment_id="g1", shift_id="s1", agent_id="a1", to="queue", visit_id="v2", queue_id="sales"
    )
    kit.tell("contact-c1", sent, 34)
    assert day(kit, at=40).transfers == 1


@pytest.mark.parametrize("completes", (True, False))
def test_whoever_is_consulted_rings_then_talks_and_is_offered_nothing_until_the_caller_is_theirs(
    kit: ReadKit, *, completes: bool
) -> None:
    """Feature 4.3: a question of a colleague is no offer, and no contact."""
    kit.build(AGENTS)
    sign_in(kit)
    kit.tell("shift-s1", shifts.AgentMadeReady(), 10)
    held = contacts.Reservation(shift_id="s1", agent_id="a1", extension="1001", leg="l2")
    asked = ConsultAsked(consult_id="o1", segment_id="g0", leg="l2", answer_by=Instant(0), reservation=held)
    kit.tell("contact-c1", asked, 20)
    kit.tell("shift-s1", shifts.AgentReserved(offer_id="o1", contact_id="c1"), 20)
    kit.tell("contact-c1", ConsultAnswered(consult_id="o1", connect_by=Instant(0)), 23)
    if completes:
        sent = ContactTransferred(
            segment_id="g0", shift_id="s2", agent_id="a2", to="agent", visit_id="v2", queue_id="q", to_agent="a1"
        )
        kit.tell("contact-c1", sent, 30)
        kit.tell("shift-s1", shifts.AgentConnected(contact_id="c1", offer_id="o1", segment_id="g1"), 30)
    else:
        kit.tell("shift-s1", shifts.AgentReleased(offer_id="o1", outcome="withdrawn"), 30)
    kit.keep_up(AGENTS)
    days = kit.read(lambda c: agent_workload.workload(c, kit.site, TODAY, Instant(MORNING + 40 * S)))
    found = next(day for agent, day in days if agent.agent_id == "a1")
    assert (found.ringing_ms, found.offers, found.contacts) == (3_000, completes, completes)
    assert found.talk_ms == (17_000 if completes else 7_000)
    assert found.unserved == {}


def test_a_guest_of_a_conference_rings_then_talks_and_is_offered_nothing_when_another_has_the_caller(
    kit: ReadKit,
) -> None:
    """Feature 4.3: the agent leaves the room to whoever was asked first, and the guest stays."""
    kit.build(AGENTS)
    sign_in(kit)
    kit.tell("shift-s1", shifts.AgentMadeReady(), 10)
    held = contacts.Reservation(shift_id="s1", agent_id="a1", extension="1001", leg="l3")
    invited = GuestInvited(guest_id="o2", segment_id="g0", leg="l3", answer_by=Instant(0), reservation=held)
    kit.tell("contact-c1", invited, 20)
    kit.tell("shift-s1", shifts.AgentReserved(offer_id="o2", contact_id="c1", by_hand=True), 20)
    kit.tell("contact-c1", GuestAnswered(guest_id="o2", connect_by=Instant(0), shift_id="s1"), 23)
    sent = ContactTransferred(
        segment_id="g0", shift_id="s2", agent_id="a2", to="agent", visit_id="v2", queue_id="q", to_agent="a3"
    )
    kit.tell("contact-c1", sent, 25)
    kit.tell("shift-s1", shifts.AgentReleased(offer_id="o2", outcome="withdrawn"), 30)
    kit.keep_up(AGENTS)
    days = kit.read(lambda c: agent_workload.workload(c, kit.site, TODAY, Instant(MORNING + 40 * S)))
    found = next(day for agent, day in days if agent.agent_id == "a1")
    assert (found.ringing_ms, found.talk_ms, found.offers, found.contacts) == (3_000, 7_000, 0, 0)
    assert found.unserved == {}


@pytest.mark.parametrize("to", ("queue", "outside"))
def test_who_still_rings_as_a_guest_is_offered_nothing_when_the_caller_goes_to_nobody_who_was_asked(
    kit: ReadKit, to: str
) -> None:
    """Features 4.3 and 8.2: into a queue because nobody could be joined any more, or to the number outside."""
    kit.build(AGENTS)
    sign_in(kit)
    kit.tell("shift-s1", shifts.AgentMadeReady(), 10)
    held = contacts.Reservation(shift_id="s1", agent_id="a1", extension="1001", leg="l3")
    invited = GuestInvited(guest_id="o2", segment_id="g0", leg="l3", answer_by=Instant(0), reservation=held)
    kit.tell("contact-c1", invited, 20)
    kit.tell("shift-s1", shifts.AgentReserved(offer_id="o2", contact_id="c1", by_hand=True), 20)
    sent = ContactTransferred(segment_id="g0", shift_id="s2", agent_id="a2", to=to, visit_id="v2", queue_id="q")
    kit.tell("contact-c1", sent, 25)
    kit.tell("shift-s1", shifts.AgentReleased(offer_id="o2", outcome="withdrawn"), 30)
    kit.keep_up(AGENTS)
    days = kit.read(lambda c: agent_workload.workload(c, kit.site, TODAY, Instant(MORNING + 40 * S)))
    found = next(day for agent, day in days if agent.agent_id == "a1")
    assert (found.ringing_ms, found.offers, found.contacts) == (10_000, 0, 0)
    assert found.unserved == {}


@pytest.mark.parametrize("takes_over", (True, False))
def test_a_supervisor_who_hears_a_talk_rings_then_talks_and_is_offered_nothing_until_they_take_over(
    kit: ReadKit, *, takes_over: bool
) -> None:
    """Feature 8.3: and whose talk it was passed nobody on."""
    kit.build(AGENTS)
    sign_in(kit)
    held = contacts.Reservation(shift_id="s1", agent_id="a1", extension="1001", leg="l2")
    asked = MonitorAsked(
        monitor_id="o1", segment_id="g0", reservation=held, mode="listen", reason="coaching", answer_by=Instant(0)
    )
    kit.tell("contact-c1", asked, 20)
    kit.tell("shift-s1", shifts.AgentReserved(offer_id="o1", contact_id="c1", by_hand=True), 20)
    kit.tell("contact-c1", MonitorAnswered(monitor_id="o1", begin_by=Instant(0)), 23)
    taken = TalkTakenOver(monitor_id="o1", segment_id="g0", shift_id="s1", agent_id="a1", reason="complaint")
    closed = MonitorClosed(monitor_id="o1", outcome="talk_over")
    kit.tell("contact-c1", taken if takes_over else closed, 30)
    sent = ContactTransferred(
        segment_id="g0", shift_id="s2", agent_id="a2", to="agent", visit_id="v2", queue_id="q", taken=takes_over
    )
    kit.tell("contact-c1", sent, 30)
    if takes_over:
        kit.tell("shift-s1", shifts.AgentConnected(contact_id="c1", offer_id="o1", segment_id="g1"), 30)
    else:
        kit.tell("shift-s1", shifts.AgentReleased(offer_id="o1", outcome="withdrawn"), 30)
    kit.keep_up(AGENTS)
    days = kit.read(lambda c: agent_workload.workload(c, kit.site, TODAY, Instant(MORNING + 40 * S)))
    found = {agent.agent_id: day for agent, day in days}
    supervisor = found["a1"]
    assert (supervisor.ringing_ms, supervisor.offers, supervisor.contacts) == (3_000, takes_over, takes_over)
    assert supervisor.talk_ms == (17_000 if takes_over else 7_000)
    assert supervisor.unserved == {}
    assert found["a2"].transfers == (not takes_over)


def test_hold_is_neither_talk_nor_wrap_up(kit: ReadKit) -> None:
    """Complaint 24: "two clocks, two orders; wallboard shows a false state": one log, one order, states derived, hold
    is not wrap-up.
    """
    kit.build(AGENTS)
    sign_in(kit)
    serve(kit, 5)
    kit.tell(SHIFT, shifts.AgentPaused(reason="break"), 60)
    kit.tell(SHIFT, shifts.AgentSignedOut(reason="agent"), 90)
    found = day(kit)
    assert (found.ready_ms, found.ringing_ms, found.talk_ms) == (10_000 + 15_000, 4_000, 13_000)
    assert (found.hold_ms, found.wrap_up_ms, found.pause_ms) == (7_000, 6_000, 5_000 + 30_000)
    assert (found.offers, found.contacts, found.missed, found.sign_ins) == (1, 1, 0, 1)
    assert found.signed_in_ms == 90_000


def test_the_state_follows_the_events_one_by_one(kit: ReadKit) -> None:
    """Feature 9.1; complaint 24, seen from the wallboard: each event leads to one state, and to nothing in between."""
    kit.build(AGENTS)
    seen = []
    sign_in(kit)
    seen.append((now(kit).state, now(kit).reason))
    tell = kit.tell

    def told(*given: object, **more: object) -> object:
        record = tell(*given, **more)  # type: ignore[arg-type]
        found = now(kit)
        seen.append((found.state, found.reason))
        assert found.since == record.about.at
        return record

    kit.tell = told  # type: ignore[method-assign, assignment]
    serve(kit, 5)
    states = ["paused", "ready", "ringing", "talking", "held", "talking", "wrapping_up", "ready"]
    assert [state for state, _ in seen] == states
    assert seen[0][1] == "signed_in"


def test_a_missed_offer_is_counted_by_its_reason_and_one_that_was_withdrawn_is_no_fault(kit: ReadKit) -> None:
    kit.build(AGENTS)
    sign_in(kit)
    kit.tell(SHIFT, shifts.AgentMadeReady(), 1)
    for at, outcome in ((10, "rejected"), (20, "withdrawn"), (30, "rejected"), (40, "timed_out")):
        kit.tell(SHIFT, shifts.AgentReserved(offer_id=f"o{at}", contact_id="c1"), at)
        kit.tell(SHIFT, shifts.AgentReleased(offer_id=f"o{at}", outcome=outcome), at + 3)
    kit.tell(SHIFT, shifts.AgentStoodDown(reason="ring_no_answer", offer_id="o40"), 43)
    found = day(kit)
    assert found.unserved == {"rejected": 2, "withdrawn": 1, "timed_out": 1}
    assert (found.offers, found.missed) == (4, 3)
    assert (now(kit).state, now(kit).reason, now(kit).contact_id) == ("paused", "ring_no_answer", "")


def test_a_state_over_midnight_is_cut_there_and_its_parts_add_up(kit: ReadKit) -> None:
    kit.build(AGENTS)
    midnight = 14 * 3600  # it is ten in the morning there at MORNING
    sign_in(kit, midnight - 100)
    kit.tell(SHIFT, shifts.AgentMadeReady(), midnight - 60.0005)
    kit.tell(SHIFT, shifts.AgentSignedOut(reason="agent"), midnight + 30)
    first, second = day(kit), day(kit, TOMORROW)
    assert (first.pause_ms, first.ready_ms, second.ready_ms, second.pause_ms) == (39_999, 60_000, 30_000, 0)


def test_what_runs_on_counts_until_now(kit: ReadKit) -> None:
    kit.build(AGENTS)
    sign_in(kit)
    kit.tell(SHIFT, shifts.AgentMadeReady(), 5)
    assert (day(kit, at=65).ready_ms, day(kit, at=65).pause_ms) == (60_000, 5_000)
    assert day(kit, TOMORROW, at=65).ready_ms == 0


@pytest.mark.parametrize("zone", ("Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"))
def test_parts_of_days_add_up_in_every_zone_also_when_clocks_are_changed(zone: str) -> None:
    site = Site(ZoneInfo(zone))
    begin, end = Instant(MORNING + 123_456), Instant(MORNING + 300 * 86_400 * S + 999)
    parts = site.days(begin, end)
    assert sum(length for _, length in parts) == (end - begin) // 1000
    assert [name for name, _ in parts] == sorted({name for name, _ in parts})
    assert {length for _, length in parts[1:-1]} <= {h * 1_800_000 for h in (46, 47, 48, 49, 50)}
    for name, _ in parts[:3]:
        assert name.startswith(("2026-01-0",))


def test_an_agent_who_left_is_listed_no_more_and_the_days_stay(kit: ReadKit) -> None:
    kit.build(AGENTS)
    sign_in(kit)
    kit.tell(SHIFT, shifts.AgentSignedOut(reason="agent"), 30)
    kit.tell("agent-a1", AgentRemoved(), 40)
    kit.keep_up(AGENTS)
    assert kit.read(agent_workload.now) == []
    (kept,) = kit.read(lambda c: agent_workload.days(c, "a1", TODAY, TODAY))
    assert kept.pause_ms == 30_000


def test_an_agents_name_is_sealed_and_opens_with_the_agents_key(kit: ReadKit) -> None:
    kit.build(AGENTS)
    sign_in(kit)
    found = now(kit)
    assert "Lin" not in str(kit.rows(AGENTS))
    key = kit.kit.vault.keys(["agent-a1"])["agent-a1"]
    assert key is not None
    assert open_text(key, "agent-a1", "name", found.name) == "Lin Mei"


@pytest.mark.parametrize("seed", SEEDS)
def test_agents_counters_are_what_one_counts_in_the_log_by_hand(kit: ReadKit, seed: int) -> None:
    """Feature 9.4; complaint 12: counters are projections, recomputed from the log, equal."""
    records = played(seed)
    kit.store(records)
    kit.build(AGENTS)
    agent_of = {
        record.stream: record.event.agent_id for record in records if isinstance(record.event, shifts.AgentSignedIn)
    }
    offers: dict[str, int] = {}
    connected: dict[str, int] = {}
    signed_in: dict[str, int] = {}
    since: dict[str, int] = {}
    for record in records:
        agent = agent_of.get(record.stream, "")
        match record.event:
            case shifts.AgentReserved():
                offers[agent] = offers.get(agent, 0) + 1
            case shifts.AgentConnected():
                connected[agent] = connected.get(agent, 0) + 1
            case shifts.AgentSignedIn():
                since[record.stream] = record.about.at
            case shifts.AgentSignedOut():
                signed_in[agent] = signed_in.get(agent, 0) + record.about.at - since.pop(record.stream)
    for agent in agent_of.values():
        found = kit.read(lambda c, agent=agent: agent_workload.days(c, agent, "0", "9"))  # type: ignore[misc]
        assert sum(each.offers for each in found) == offers.get(agent, 0)
        assert sum(each.contacts for each in found) == connected.get(agent, 0)
        if agent_of.values() and agent not in {agent_of[stream] for stream in since}:
            # Each interval is cut to whole milliseconds, so a shift of n states may lose n of them.
            lost = signed_in.get(agent, 0) // 1000 - sum(each.signed_in_ms for each in found)
            assert 0 <= lost < sum(each.offers for each in found) * 4 + 50


def test_the_day_so_far_says_what_runs_on_and_since_when(kit: ReadKit) -> None:
    """Screens and safety 4.1: what has ended is counted, what lasts is counted on; at midnight from nothing."""
    kit.build(AGENTS)
    sign_in(kit)
    serve(kit, 5)
    kit.tell(SHIFT, shifts.AgentPaused(reason="break"), 60)
    kit.keep_up(AGENTS)

    def so_far(at_s: float) -> agent_workload.Running:
        instant = Instant(MORNING + round(at_s * S))
        found = kit.read(lambda c: agent_workload.today(c, kit.site, instant, ["a1", "nobody"]))
        assert list(found) == ["a1"]
        return found["a1"]

    found = so_far(90)
    assert (found.day.contacts, found.day.talk_ms, found.day.hold_ms, found.day.pause_ms) == (1, 13_000, 7_000, 5_000)
    assert (found.state, found.since) == ("paused", Instant(MORNING + 60 * S))
    midnight_s = 14 * 3600
    after = so_far(midnight_s + 30)
    assert (after.day.day, after.day.contacts, after.day.pause_ms) == (TOMORROW, 0, 0)
    assert (after.state, after.since) == ("paused", Instant(MORNING + midnight_s * S))
    kit.tell(SHIFT, shifts.AgentSignedOut(reason="agent"), 90)
    kit.keep_up(AGENTS)
    assert so_far(100).since is None
    assert so_far(100).day.pause_ms == 35_000


def two_in_hand(kit: ReadKit) -> None:
    """One caller on hold from 20 s on, another joined at 24 s; the first of them leaves at 40 s, the other at 50 s."""
    kit.tell(SHIFT, shifts.AgentMadeReady(), 5)
    for contact, offer, at in (("c1", "o1", 10), ("c2", "o2", 21)):
        kit.tell(SHIFT, shifts.AgentReserved(offer_id=offer, contact_id=contact, by_hand=contact == "c2"), at)
        kit.tell(SHIFT, shifts.AgentConnected(contact_id=contact, offer_id=offer, segment_id=f"g-{contact}"), at + 3)
        if contact == "c1":
            kit.tell("contact-c1", contacts.ContactHeld(segment_id="g-c1"), 20)


def test_of_several_callers_in_hand_no_time_counts_twice_and_hold_is_only_where_nobody_is_active(kit: ReadKit) -> None:
    """Features 3.8, 9.1; complaint 24: talking, else held, else ringing."""
    kit.build(AGENTS)
    sign_in(kit)
    two_in_hand(kit)
    assert (now(kit).state, now(kit).contact_id) == ("talking", "c2")
    assert now(kit).in_hand == {"c1": "held", "c2": "talking"}
    kit.tell("contact-c2", contacts.ContactHeld(segment_id="g-c2"), 30)
    assert now(kit).state == "held"
    kit.tell("contact-c1", contacts.ContactResumed(segment_id="g-c1"), 32)
    assert (now(kit).state, now(kit).contact_id) == ("talking", "c1")
    kit.tell(SHIFT, shifts.WrapUpPostponed(contact_id="c1", segment_id="g-c1", wrap_up_ms=9_000, most_ms=9_000), 40)
    assert (now(kit).state, now(kit).in_hand) == ("held", {"c2": "held"})
    kit.tell(SHIFT, shifts.WrapUpStarted(contact_id="c2", segment_id="g-c2", until=Instant(0)), 50)
    assert (now(kit).state, now(kit).contact_id, now(kit).in_hand) == ("wrapping_up", "c2", {})
    kit.tell(SHIFT, shifts.WrapUpEnded(how="agent"), 56)
    kit.tell(SHIFT, shifts.WrapUpStarted(contact_id="c1", segment_id="g-c1", until=Instant(0)), 56)
    assert (now(kit).state, now(kit).contact_id) == ("wrapping_up", "c1")
    kit.tell(SHIFT, shifts.WrapUpEnded(how="agent"), 60)
    kit.tell(SHIFT, shifts.AgentSignedOut(reason="agent"), 61)
    found = day(kit)
    assert (found.pause_ms, found.ready_ms, found.ringing_ms) == (5_000, 5_000 + 1_000, 3_000)
    assert (found.talk_ms, found.hold_ms, found.wrap_up_ms) == (7_000 + 6_000 + 8_000, 4_000 + 2_000 + 10_000, 10_000)
    assert found.signed_in_ms == 61_000
    assert (found.offers, found.contacts) == (2, 2)


def test_a_second_line_that_is_not_answered_leaves_the_caller_on_hold(kit: ReadKit) -> None:
    kit.build(AGENTS)
    sign_in(kit)
    kit.tell(SHIFT, shifts.AgentMadeReady(), 5)
    kit.tell(SHIFT, shifts.AgentReserved(offer_id="o1", contact_id="c1"), 10)
    kit.tell(SHIFT, shifts.AgentConnected(contact_id="c1", offer_id="o1", segment_id="g1"), 13)
    kit.tell("contact-c1", contacts.ContactHeld(segment_id="g1"), 20)
    kit.tell(SHIFT, shifts.AgentReserved(offer_id="o2", contact_id="c2", by_hand=True), 21)
    assert (now(kit).state, now(kit).contact_id) == ("held", "c1")
    kit.tell(SHIFT, shifts.AgentReleased(offer_id="o2", outcome="timed_out"), 30)
    assert (now(kit).state, now(kit).in_hand) == ("held", {"c1": "held"})
    assert day(kit).unserved == {"timed_out": 1}
