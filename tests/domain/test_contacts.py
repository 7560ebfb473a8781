"""A contact, case by case: given its events, when something is asked, then this follows."""

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from orchestrator.domain.contacts import commands as k
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.contacts import HOLD_WITHIN
from orchestrator.domain.contacts.handling import SETTLE, decide
from orchestrator.domain.contacts.legs import LEG_GRACE
from orchestrator.domain.contacts.recording import NoteRecording
from orchestrator.domain.kernel import Event, Instant, Refused
from orchestrator.domain.switch.causes import NEVER_MADE, SWITCH_RESTARTED
from tests.domain.cases import NOW, Case

LATER = Instant(NOW + 5_000_000)
SETTLED = Instant(NOW + SETTLE)
DECISION = c.Decision(rule="longest_idle", config_version=1, skill="zh", min_level=1, candidates=(), others={})
ARRIVED = c.ContactArrived(node="sw1", leg="L", dialled="4001")
QUEUED = c.ContactQueued(
    visit_id="v1",
    queue_id="q",
    entry_id="e",
    skill="zh",
    min_level=1,
    priority=0,
    music="m",
    leave_by=Instant(NOW + 60_000_000),
)


def held(number: int) -> c.Reservation:
    return c.Reservation(shift_id=f"s{number}", agent_id=f"a{number}", extension=f"100{number}", leg=f"A{number}")


def made(*numbers: int) -> c.OfferMade:
    return c.OfferMade(
        offer_id="o1",
        visit_id="v1",
        queue_id="q",
        reservations=tuple(held(n) for n in numbers),
        deadline=Instant(NOW + 20_000_000),
        decision=DECISION,
    )


def answered(number: int) -> c.OfferAnswered:
    return c.OfferAnswered(offer_id="o1", shift_id=f"s{number}", leg=f"A{number}")


def accepted(number: int) -> c.OfferAccepted:
    return c.OfferAccepted(offer_id="o1", shift_id=f"s{number}", leg=f"A{number}", connect_by=LATER)


def declined(number: int, outcome: str, cause: str) -> c.OfferDeclined:
    return c.OfferDeclined(offer_id="o1", shift_id=f"s{number}", leg=f"A{number}", outcome=outcome, cause=cause)


def delivered(number: int) -> c.OfferDelivered:
    return c.OfferDelivered(offer_id="o1", shift_id=f"s{number}", leg=f"A{number}")


def connected(number: int) -> c.ContactConnected:
    return c.ContactConnected(
        segment_id="g1", offer_id="o1", shift_id=f"s{number}", agent_id=f"a{number}", leg=f"A{number}"
    )


def visit_ended(outcome: str) -> c.QueueVisitEnded:
    return c.QueueVisitEnded(visit_id="v1", queue_id="q", outcome=outcome)


def gone(leg: str, cause: str = "NORMAL_CLEARING", **more: str) -> k.NoteLegGone:
    return k.NoteLegGone(leg=leg, cause=cause, next_connect_by=LATER, **more)  # type: ignore[arg-type]  # repair alone


def closed(leg: str, cause: str = "NORMAL_CLEARING", repair: str = "") -> c.LegClosed:
    return c.LegClosed(leg=leg, cause=cause, repair=repair)


def expire(blameless: str = "", unmade: tuple[str, ...] = ()) -> k.ExpireOffer:
    return k.ExpireOffer(offer_id="o1", again_at=LATER, blameless=blameless, unmade=unmade)


WAITING = (ARRIVED, QUEUED)
OFFERED = (*WAITING, made(1))
OFFERED_TO_TWO = (*WAITING, made(1, 2))
CONNECTING = (*OFFERED, answered(1), accepted(1))
TALKING = (*CONNECTING, connected(1), visit_ended("answered"))


def given(*history: Event) -> Case[c.Contact, k.Command]:
    return Case(c.evolve, decide, history)


def status(*history: Event) -> str:
    state = given(*history).state
    return state.status if state is not None else ""


# --- arriving and waiting --------------------------------------------------------------------------------------------


def test_a_caller_who_parks_is_a_contact_and_a_second_park_is_nothing() -> None:
    """Feature 1.1; complaint 15."""
    receive = k.Receive(node="sw1", leg="L", dialled="4001", caller_number="", caller_name="")
    given().when(receive).then(ARRIVED)
    given(ARRIVED).when(receive).then()


def test_what_was_never_seen_to_arrive_can_do_nothing() -> None:
    for command in (gone("L"), k.HangUp(reason="stopped"), expire(), k.Identify(customer_id="c")):
        given().when(command).then()


def test_a_number_that_nobody_configured_is_an_alarm_before_it_is_anything_else() -> None:
    """Feature 3.11."""
    turn_away = k.TurnAway(reason="no_entry_point", prompt="no_entry_point", unknown_number=True)
    state = (
        given(ARRIVED)
        .when(turn_away)
        .then(
            c.EntryPointMissing(dialled="4001"),
            c.ContactTurnedAway(reason="no_entry_point", prompt="no_entry_point"),
        )
    )
    assert state is not None
    assert (state.status, state.told, state.apology) == ("leaving", "turned_away", "no_entry_point")


def test_a_wait_ends_when_its_longest_time_is_over_and_not_before() -> None:
    """Features 2.5, 3.5."""
    early, late = Instant(QUEUED.leave_by - 1), QUEUED.leave_by
    given(*WAITING).when(k.ExpireVisit(prompt="sorry", now=early)).then()
    given(*WAITING).when(k.ExpireVisit(prompt="sorry", now=late)).then(
        c.ContactTurnedAway(reason="no_agent_in_time", prompt="sorry"), visit_ended("timed_out")
    )
    given(*OFFERED).when(k.ExpireVisit(prompt="sorry", now=late)).then()


# --- offers ----------------------------------------------------------------------------------------------------------


def test_only_a_contact_that_waits_is_offered() -> None:
    """Feature 3.6."""
    offer = k.MakeOffer(offer_id="o1", reservations=(held(1),), deadline=Instant(NOW + 20_000_000), decision=DECISION)
    given(*WAITING).when(offer).then(made(1))
    for history in ((ARRIVED,), OFFERED, CONNECTING, TALKING, (*WAITING, c.HangUpRequested(reason="stopped"))):
        given(*history).when(offer).then()


def test_a_ring_and_an_answer_are_noted_once() -> None:
    """Complaint 15."""
    given(*OFFERED).when(k.NoteDelivered(leg="A1")).then(delivered(1))
    given(*OFFERED, delivered(1)).when(k.NoteDelivered(leg="A1")).then()
    given(*OFFERED, answered(1), accepted(1)).when(k.NoteDelivered(leg="A1")).then()
    given(*OFFERED).when(k.NoteAnswered(leg="A1", connect_by=LATER)).then(answered(1), accepted(1))
    given(*CONNECTING).when(k.NoteAnswered(leg="A1", connect_by=LATER)).then()
    given(*OFFERED).when(k.NoteAnswered(leg="A9", connect_by=LATER)).then()


def test_the_first_to_answer_is_accepted_and_the_second_is_remembered() -> None:
    """Complaint 9; feature 3.2."""
    first = (*OFFERED_TO_TWO, answered(2), accepted(2))
    given(*first).when(k.NoteAnswered(leg="A1", connect_by=LATER)).then(answered(1))
    given(*first, answered(1)).when(gone("A2")).then(
        closed("A2"), declined(2, "failed", "NORMAL_CLEARING"), accepted(1)
    )


def test_losers_drop_out_in_the_same_breath_as_the_winner_is_connected() -> None:
    """Complaints 3, 9."""
    history = (*OFFERED_TO_TWO, answered(2), accepted(2))
    state = (
        given(*history)
        .when(k.NoteBridged(leg="L", other="A2", segment_id="g1"))
        .then(declined(1, "lost", "answered_elsewhere"), connected(2), visit_ended("answered"))
    )
    assert state is not None
    assert state.offer is None
    assert c.doomed_legs(state) == ("A1",)


def test_a_bridge_counts_though_its_answer_was_never_heard() -> None:
    """Complaint 15."""
    given(*OFFERED).when(k.NoteBridged(leg="A1", other="L", segment_id="g1")).then(
        connected(1), visit_ended("answered")
    )


def test_a_bridge_of_other_legs_is_no_news() -> None:
    for pair in (("L", "A9"), ("A1", "A2"), ("X", "Y")):
        given(*OFFERED).when(k.NoteBridged(leg=pair[0], other=pair[1], segment_id="g1")).then()
    given(*WAITING).when(k.NoteBridged(leg="L", other="A1", segment_id="g1")).then()


@pytest.mark.parametrize(
    ("rang", "cause", "event"),
    (
        (True, "NO_ANSWER", c.OfferTimedOut),
        (False, "NO_ANSWER", c.OfferFailed),
        (True, "USER_BUSY", c.OfferRejected),
        (True, "CALL_REJECTED", c.OfferRejected),
        (False, "USER_NOT_REGISTERED", c.OfferFailed),
        (False, "NEVER_RUNG", c.OfferWithdrawn),
        (True, "UNKNOWN", c.OfferWithdrawn),
        (True, "NORMAL_CLEARING", c.OfferFailed),
        (True, "SOMETHING_NEW_IN_A_LATER_RELEASE", c.OfferFailed),
    ),
)
def test_how_an_offer_ends_by_the_cause_of_its_phone(*, rang: bool, cause: str, event: type[c.OfferClosed]) -> None:
    """Feature 3.6."""
    history = (*OFFERED, delivered(1)) if rang else OFFERED
    state = given(*history).when(gone("A1", cause)).then(closed("A1", cause), event(offer_id="o1", cause=cause))
    assert state is not None
    assert state.status == "waiting"
    assert state.visit is not None
    assert state.visit.queued_at == NOW


def test_a_deadline_ends_an_offer_as_what_it_was() -> None:
    """Complaint 1; feature 3.6."""
    given(*OFFERED, delivered(1)).when(expire()).then(c.OfferTimedOut(offer_id="o1", cause="NO_ANSWER"))
    given(*OFFERED).when(expire("node_down")).then(c.OfferWithdrawn(offer_id="o1", cause="node_down"))
    given(*OFFERED).when(expire(unmade=("A1",))).then(c.OfferFailed(offer_id="o1", cause=NEVER_MADE))
    given(*OFFERED_TO_TWO).when(expire(unmade=("A2",))).then(
        declined(2, "failed", NEVER_MADE), c.OfferTimedOut(offer_id="o1", cause="NO_ANSWER")
    )
    given(*OFFERED).when(k.ExpireOffer(offer_id="another", again_at=LATER)).then()
    given(*WAITING).when(expire()).then()


def test_a_join_that_does_not_happen_is_doubted_before_it_is_given_up() -> None:
    """Complaint 5, law 5: the switch may have joined them, and the news of it be lost."""
    doubted = c.OfferExtended(offer_id="o1", until=LATER, cause="not_connected_in_time")
    given(*CONNECTING).when(expire()).then(doubted)
    given(*CONNECTING, doubted).when(expire()).then(c.OfferFailed(offer_id="o1", cause="not_connected_in_time"))
    given(*CONNECTING, doubted).when(expire("node_down")).then(
        c.OfferExtended(offer_id="o1", until=LATER, cause="node_down")
    )


def test_when_a_join_is_given_up_the_next_who_answered_is_accepted() -> None:
    """Complaint 9."""
    doubted = c.OfferExtended(offer_id="o1", until=LATER, cause="not_connected_in_time")
    history = (*OFFERED_TO_TWO, answered(1), accepted(1), answered(2), doubted)
    given(*history).when(expire()).then(declined(1, "failed", "not_connected_in_time"), accepted(2))


def test_an_offer_is_taken_back_whole_or_for_one_agent() -> None:
    """Features 3.6, 4.1."""
    given(*OFFERED).when(k.WithdrawOffer(cause="x")).then(c.OfferWithdrawn(offer_id="o1", cause="x"))
    given(*OFFERED).when(k.WithdrawOffer(cause="x", shift_id="s1")).then(c.OfferWithdrawn(offer_id="o1", cause="x"))
    given(*OFFERED_TO_TWO).when(k.WithdrawOffer(cause="x", shift_id="s2")).then(declined(2, "withdrawn", "x"))
    given(*OFFERED).when(k.WithdrawOffer(cause="x", shift_id="s9")).then()
    given(*CONNECTING).when(k.WithdrawOffer(cause="x", shift_id="s1")).then()


# --- leaving ---------------------------------------------------------------------------------------------------------


def test_a_caller_who_leaves_takes_the_offer_the_visit_and_in_the_end_the_contact_along() -> None:
    """Complaint 5; feature 11.8."""
    state = (
        given(*OFFERED)
        .when(gone("L"))
        .then(closed("L"), c.OfferWithdrawn(offer_id="o1", cause="caller_left"), visit_ended("abandoned"))
    )
    assert state is not None
    assert c.doomed_legs(state) == ("A1",)
    case = given(*OFFERED, closed("L"), c.OfferWithdrawn(offer_id="o1", cause="caller_left"), visit_ended("abandoned"))
    case.when(gone("A1")).then(closed("A1"), c.ContactEnded(reason="abandoned", phase="offered"))
    assert case.when(gone("A1")).then() is not None


@pytest.mark.parametrize(
    ("history", "phase"),
    (((ARRIVED,), "arrived"), (WAITING, "waiting"), (OFFERED, "offered"), (CONNECTING, "connecting")),
)
def test_a_contact_that_was_given_up_says_where(history: tuple[Event, ...], phase: str) -> None:
    """Feature 9.1."""
    case = given(*history)
    told: list[Event] = []
    for leg in ("L", "A1"):
        for event in decide(case.state, gone(leg)):
            case.state = c.evolve(case.state, event, NOW, "x1")
            told.append(event)
    assert told[-1] == c.ContactEnded(reason="abandoned", phase=phase)


def test_a_talk_ends_for_its_agent_when_either_leg_goes() -> None:
    """Features 4.3, 11.8."""
    given(*TALKING).when(gone("L")).then(
        closed("L"),
        c.AgentSegmentEnded(segment_id="g1", shift_id="s1", ended_by="caller", cause="NORMAL_CLEARING"),
    )
    given(*TALKING).when(k.NoteLegGone(leg="A1", cause="NORMAL_CLEARING", next_connect_by=LATER, by_far_end=True)).then(
        closed("A1"),
        c.AgentSegmentEnded(segment_id="g1", shift_id="s1", ended_by="agent", cause="NORMAL_CLEARING"),
    )


def test_a_switch_that_restarts_ends_contacts_as_lost_unless_they_were_over() -> None:
    """Feature 12.4."""
    repair = "switch_restarted"
    lost = gone("L", SWITCH_RESTARTED, repair=repair)
    given(*WAITING).when(lost).then(
        closed("L", SWITCH_RESTARTED, repair),
        visit_ended("switch_lost"),
        c.ContactEnded(reason="switch_lost", phase="waiting"),
    )
    given(*TALKING).when(lost).then(
        closed("L", SWITCH_RESTARTED, repair),
        c.AgentSegmentEnded(segment_id="g1", shift_id="s1", ended_by="system", cause=SWITCH_RESTARTED),
    )
    over = (
        *TALKING,
        closed("A1"),
        c.AgentSegmentEnded(segment_id="g1", shift_id="s1", ended_by="agent", cause="NORMAL_CLEARING"),
    )
    given(*over).when(lost).then(
        closed("L", SWITCH_RESTARTED, repair), c.ContactEnded(reason="completed", phase="connected")
    )


def test_hanging_up_ends_what_is_open_and_only_once() -> None:
    """Features 4.3, 11.8."""
    hang_up, asked = k.HangUp(reason="stopped"), c.HangUpRequested(reason="stopped")
    given(*WAITING).when(hang_up).then(asked, visit_ended("stopped"))
    given(*OFFERED).when(hang_up).then(asked, c.OfferWithdrawn(offer_id="o1", cause="stopped"), visit_ended("stopped"))
    given(*TALKING).when(hang_up).then(asked)
    given(*TALKING, asked).when(hang_up).then()
    given(*WAITING, visit_ended("abandoned"), closed("L")).when(hang_up).then()


def test_legs_that_do_not_die_are_asked_after_at_growing_distances() -> None:
    """Law 9."""
    case = given(*TALKING, c.HangUpRequested(reason="agent"))
    for factor in (1, 2, 4, 8, 16, 16):
        again_at = Instant(NOW + LEG_GRACE * factor)
        case.when(k.CheckOverdue(now=NOW)).then(c.LegOverdue(legs=("L", "A1"), again_at=again_at))
    given(*TALKING).when(k.CheckOverdue(now=NOW)).then()


# --- hold and the desk -----------------------------------------------------------------------------------------------


def test_hold_is_asked_for_and_is_so_when_the_switch_says_so() -> None:
    """Feature 4.3."""
    wish = c.HoldRequested(segment_id="g1", not_before=SETTLED)
    state = given(*TALKING).when(k.Hold(shift_id="s1", now=LATER)).then(wish)
    assert state is not None
    assert state.status == "connected"
    given(*TALKING, wish).when(k.NoteHold(leg="A1", on=True)).then(c.ContactHeld(segment_id="g1"))
    given(*TALKING).when(k.NoteHold(leg="A1", on=False)).then()
    given(*TALKING).when(k.NoteHold(leg="L", on=True)).then()
    assert status(*TALKING, c.ContactHeld(segment_id="g1")) == "held"


def test_a_hold_or_resume_that_comes_too_soon_is_taken_and_waits_until_the_switch_can_bear_it() -> None:
    """Feature 4.3: nobody is refused, and nobody hears music over the talk."""
    held_now = c.ContactHeld(segment_id="g1")
    for history, press, said in (
        (TALKING, k.Hold(shift_id="s1", now=NOW), c.HoldRequested(segment_id="g1", not_before=SETTLED)),
        (
            (*TALKING, held_now),
            k.Resume(shift_id="s1", now=NOW),
            c.ResumeRequested(segment_id="g1", not_before=SETTLED),
        ),
    ):
        state = given(*history).when(press).then(said)
        assert state is not None
        assert state.segment is not None
        assert state.segment.wish_due == SETTLED > NOW


def test_a_press_that_waits_is_taken_back_by_the_other_key_and_not_doubled_by_its_own() -> None:
    """Feature 4.3: what the agent pressed last is what holds."""
    hold = c.HoldRequested(segment_id="g1", not_before=SETTLED)
    resume = c.ResumeRequested(segment_id="g1", not_before=SETTLED)
    given(*TALKING, hold).when(k.Hold(shift_id="s1", now=NOW)).then()
    state = given(*TALKING, hold).when(k.Resume(shift_id="s1", now=NOW)).then(resume)
    assert state is not None
    assert state.segment is not None
    assert (state.status, state.segment.wish) == ("connected", "")
    held = (*TALKING, c.ContactHeld(segment_id="g1"))
    given(*held, resume).when(k.Resume(shift_id="s1", now=NOW)).then()
    state = given(*held, resume).when(k.Hold(shift_id="s1", now=NOW)).then(hold)
    assert state is not None
    assert state.segment is not None
    assert (state.status, state.segment.wish) == ("held", "")


def test_a_press_of_which_the_switch_was_told_can_be_repeated_and_a_hold_ended() -> None:
    """Feature 4.3: it may have been lost on the way, be carried out at any moment, or be heard by the caller."""
    hold = c.HoldRequested(segment_id="g1", not_before=SETTLED)
    given(*TALKING, hold).when(k.Hold(shift_id="s1", now=LATER)).then(hold)
    told = c.HoldRequested(segment_id="g1", not_before=NOW)
    given(*TALKING, told).when(k.Resume(shift_id="s1", now=NOW)).refused("not_held")
    end = c.ResumeRequested(segment_id="g1", not_before=Instant(NOW + HOLD_WITHIN + SETTLE))
    state = given(*TALKING, told).when(k.Resume(shift_id="s1", now=Instant(NOW + HOLD_WITHIN))).then(end)
    assert state is not None
    assert state.segment is not None
    assert (state.status, state.segment.wish) == ("connected", "resume")


def test_the_agents_number_is_announced_once_in_a_talk_on_hold_or_not() -> None:
    """Feature 4.2."""
    announce, announced = k.Announce(number="801"), c.NumberAnnounced(segment_id="g1", number="801")
    given(*TALKING).when(announce).then(announced)
    given(*TALKING, c.ContactHeld(segment_id="g1")).when(announce).then(announced)
    given(*TALKING, announced).when(announce).then()
    again = (c.ContactHeld(segment_id="g1"), c.ContactResumed(segment_id="g1"))
    given(*TALKING, announced, *again).when(announce).then()
    given(*CONNECTING).when(announce).then()
    given(*TALKING, closed("L")).when(announce).then()


def test_the_desk_is_refused_what_the_state_does_not_allow() -> None:
    """Features 4.1, 4.3."""
    given(*WAITING).when(k.AcceptAtDesk(shift_id="s1")).refused("no_offer")
    given(*OFFERED).when(k.AcceptAtDesk(shift_id="s9")).refused("no_offer")
    given(*CONNECTING).when(k.RejectAtDesk(shift_id="s1")).refused("no_offer")
    given(*OFFERED).when(k.Hold(shift_id="s1", now=NOW)).refused("not_talking")
    given(*TALKING).when(k.Hold(shift_id="s2", now=NOW)).refused("not_talking")
    given(*TALKING).when(k.Resume(shift_id="s1", now=NOW)).refused("not_held")
    given(*TALKING, c.ContactHeld(segment_id="g1")).when(k.Hold(shift_id="s1", now=NOW)).refused("already_held")


# --- properties ------------------------------------------------------------------------------------------------------

EVENTS = st.sampled_from(
    (
        ARRIVED, QUEUED, made(1), made(1, 2), delivered(1), answered(1), answered(2), accepted(1), accepted(2),
        declined(1, "busy", "USER_BUSY"), declined(2, "lost", "x"), connected(1), visit_ended("answered"),
        closed("L"), closed("A1"), closed("A2"), c.OfferTimedOut(offer_id="o1", cause="NO_ANSWER"),
        c.OfferExtended(offer_id="o1", until=LATER, cause="node_down"), c.HoldRequested(segment_id="g1"),
        c.ContactHeld(segment_id="g1"), c.ContactResumed(segment_id="g1"), c.HangUpRequested(reason="agent"),
        c.AgentSegmentEnded(segment_id="g1", shift_id="s1", ended_by="agent", cause="x"),
        c.ContactTurnedAway(reason="no_agent_in_time", prompt="sorry"), c.ContactIdentified(customer_id="c"),
        c.LegOverdue(legs=("L",), again_at=LATER), c.CallerParked(leg="L"), c.RecordingBegun(file="f"),
        c.NumberAnnounced(segment_id="g1", number="801"),
        c.ContactEnded(reason="completed", phase="connected"),
    )
)  # fmt: skip
COMMANDS = st.sampled_from(
    (
        k.Receive(node="sw1", leg="L", dialled="4001", caller_number="", caller_name=""),
        k.Queue(
            visit_id="v1", queue_id="q", entry_id="e", skill="zh", min_level=1, priority=0, music="m", leave_by=LATER
        ),
        k.TurnAway(reason="no_entry_point", prompt="x"), k.Identify(customer_id="c"),
        k.MakeOffer(offer_id="o1", reservations=(held(1), held(2)), deadline=LATER, decision=DECISION),
        k.NoteDelivered(leg="A1"), k.NoteAnswered(leg="A1", connect_by=LATER),
        k.NoteAnswered(leg="A2", connect_by=LATER),
        k.NoteBridged(leg="L", other="A1", segment_id="g1"), k.NoteBridged(leg="L", other="A2", segment_id="g1"),
        k.NoteHold(leg="A1", on=True), k.NoteHold(leg="A1", on=False), gone("A1", "USER_BUSY"), gone("A2"), gone("L"),
        expire(), expire("node_down"), expire(unmade=("A1",)), k.ExpireVisit(prompt="x", now=LATER),
        k.WithdrawOffer(cause="x"), k.WithdrawOffer(cause="x", shift_id="s1"), k.JoinAgain(connect_by=LATER),
        k.AcceptAtDesk(shift_id="s1"), k.RejectAtDesk(shift_id="s2"), k.Hold(shift_id="s1", now=NOW),
        k.Resume(shift_id="s1", now=NOW),
        k.HangUp(reason="agent"), k.CheckOverdue(now=NOW), k.NoteParked(leg="L"), NoteRecording(file="f"),
        k.Announce(number="801"),
    )
)  # fmt: skip


@for_any(st.lists(EVENTS, max_size=40))
def test_no_history_is_too_odd_to_be_folded(history: list[Event]) -> None:
    """Law 2: evolve never raises."""
    given(*history)


@for_any(st.lists(COMMANDS, max_size=60))
def test_any_commands_lead_to_states_that_fit_together(commands: list[k.Command]) -> None:
    """Feature 11.8: whatever is asked in whatever order, a contact ends once, with nothing left open."""
    case = given()
    ended = 0
    for command in commands:
        try:
            events = decide(case.state, command)
        except Refused:
            continue
        for event in events:
            assert not ended, "something follows the end"
            ended += isinstance(event, c.ContactEnded)
            case.state = c.evolve(case.state, event, NOW, "x1")
        contact = case.state
        if contact is None:
            continue
        assert (contact.offer is not None) == (contact.status in ("offered", "connecting"))
        assert contact.segment is None or contact.status in ("connected", "held", "leaving")
        assert contact.offer is None or contact.offer.reservations
        assert not (ended and (contact.legs or contact.visit or contact.offer or contact.segment))
        assert ended or contact.caller_leg in contact.legs or contact.status == "leaving"
