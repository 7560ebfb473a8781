"""A shift, case by case: given its events, when something is asked, then this follows."""

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from orchestrator.domain.kernel import Event, Instant, Refused
from orchestrator.domain.staff import presence as p
from orchestrator.domain.staff import shifts as s
from tests.domain.cases import NOW, Case

IN = s.AgentSignedIn(agent_id="a1", extension="1001")
READY = s.AgentMadeReady()
RESERVED = s.AgentReserved(offer_id="o1", contact_id="c1")
CONNECTED = s.AgentConnected(contact_id="c1", offer_id="o1", segment_id="g1")
WRAPPING = s.WrapUpStarted(contact_id="c1", segment_id="g1", until=Instant(NOW + 5))
COOL = Instant(NOW + 10)

READY_SHIFT = (IN, READY)
RESERVED_SHIFT = (*READY_SHIFT, RESERVED)
TALKING_SHIFT = (*RESERVED_SHIFT, CONNECTED)
WRAPPING_SHIFT = (*TALKING_SHIFT, WRAPPING)


def given(*history: Event) -> Case[s.Shift, s.Command]:
    return Case(s.evolve, s.decide, history)


def release(outcome: str) -> s.Release:
    return s.Release(offer_id="o1", outcome=outcome, cool_until=COOL)


def released(outcome: str) -> s.AgentReleased:
    return s.AgentReleased(offer_id="o1", outcome=outcome)


def test_whoever_signs_in_is_not_ready_yet() -> None:
    """Feature 4.1."""
    shift = given().when(s.SignIn(agent_id="a1", extension="1001")).then(IN)
    assert shift is not None
    assert (shift.status, shift.reason) == ("paused", "signed_in")


def test_a_shift_without_a_sign_in_is_none() -> None:
    assert given().when(s.MakeReady()).then() is None
    assert given(READY, RESERVED).state is None


def test_ready_and_pause_are_events_with_a_reason_and_a_repeat_is_nothing() -> None:
    """Feature 4.1."""
    given(IN).when(s.MakeReady()).then(READY)
    given(*READY_SHIFT).when(s.MakeReady()).then()
    given(*READY_SHIFT).when(s.Pause(reason="break")).then(s.AgentPaused(reason="break"))
    given(*READY_SHIFT, s.AgentPaused(reason="break")).when(s.Pause(reason="break")).then()
    given(*READY_SHIFT, s.AgentPaused(reason="break")).when(s.Pause(reason="lunch")).then(s.AgentPaused(reason="lunch"))


def test_only_a_free_agent_can_be_reserved() -> None:
    """Feature 3.6; complaint 3."""
    reserve = s.Reserve(offer_id="o1", contact_id="c1")
    given(*READY_SHIFT).when(reserve).then(RESERVED)
    for history in ((IN,), RESERVED_SHIFT, TALKING_SHIFT, WRAPPING_SHIFT):
        given(*history).when(s.Reserve(offer_id="o2", contact_id="c2")).then()
    given(*READY_SHIFT, s.AgentCooledDown(until=COOL, cause="busy")).when(reserve).then()


@pytest.mark.parametrize(
    ("outcome", "after"),
    (
        ("timed_out", (s.AgentStoodDown(reason="ring_no_answer", offer_id="o1"),)),
        ("unreachable", (s.AgentStoodDown(reason="phone_unreachable", offer_id="o1"),)),
        ("busy", (s.AgentCooledDown(until=COOL, cause="busy"),)),
        ("rejected", (s.AgentCooledDown(until=COOL, cause="rejected"),)),
        ("failed", (s.AgentCooledDown(until=COOL, cause="failed"),)),
        ("withdrawn", ()),
        ("lost", ()),
    ),
)
def test_what_the_end_of_an_offer_means_for_its_agent(outcome: str, after: tuple[Event, ...]) -> None:
    """Complaints 10, 19; feature 3.6: a missed ring stands down with a way back, a refusing phone is left alone."""
    shift = given(*RESERVED_SHIFT).when(release(outcome)).then(released(outcome), *after)
    assert shift is not None
    assert s.available(shift) == (after == ())
    assert given(*RESERVED_SHIFT, released(outcome), *after).when(release(outcome)).then() == shift


def test_a_release_from_another_offer_changes_nothing() -> None:
    """Complaint 15: it comes late."""
    given(*RESERVED_SHIFT).when(s.Release(offer_id="o0", outcome="lost", cool_until=COOL)).then()
    given(*TALKING_SHIFT).when(release("lost")).then()


def test_after_a_missed_ring_the_way_back_is_to_be_ready_again() -> None:
    """Complaint 19; feature 3.6."""
    down = (*RESERVED_SHIFT, released("timed_out"), s.AgentStoodDown(reason="ring_no_answer", offer_id="o1"))
    given(*down).when(s.MakeReady()).then(READY)


def test_what_was_asked_for_during_the_ring_comes_after_it() -> None:
    """Feature 4.1."""
    pausing = (*RESERVED_SHIFT, s.PauseRequested(reason="break"))
    given(*pausing).when(release("lost")).then(released("lost"), s.AgentPaused(reason="break"))
    leaving = (*RESERVED_SHIFT, s.SignOutRequested(reason="agent"))
    given(*leaving).when(release("lost")).then(released("lost"), s.AgentSignedOut(reason="agent"))
    given(*leaving).when(release("timed_out")).then(
        released("timed_out"),
        s.AgentStoodDown(reason="ring_no_answer", offer_id="o1"),
        s.AgentSignedOut(reason="agent"),
    )


def test_a_pause_that_was_wished_before_a_stand_down_is_not_remembered() -> None:
    """Feature 4.1: being paused is what was wished."""
    history = (*RESERVED_SHIFT, s.PauseRequested(reason="break"))
    down = s.AgentStoodDown(reason="ring_no_answer", offer_id="o1")
    shift = given(*history).when(release("timed_out")).then(released("timed_out"), down)
    assert shift is not None
    assert shift.next_pause == ""


def test_a_talk_belongs_to_the_offer_that_reserved_the_agent() -> None:
    given(*RESERVED_SHIFT).when(s.Connect(contact_id="c1", offer_id="o1", segment_id="g1")).then(CONNECTED)
    given(*RESERVED_SHIFT).when(s.Connect(contact_id="c2", offer_id="o2", segment_id="g2")).then()


def test_wrap_up_follows_the_talk_and_ends_by_time_or_by_the_agent() -> None:
    """Complaint 11; feature 4.1."""
    start = s.StartWrapUp(contact_id="c1", segment_id="g1", until=Instant(NOW + 5))
    given(*TALKING_SHIFT).when(start).then(WRAPPING)
    given(*READY_SHIFT).when(start).then()
    given(*WRAPPING_SHIFT).when(s.EndWrapUp(how="timer")).then(s.WrapUpEnded(how="timer"))
    given(*WRAPPING_SHIFT).when(s.EndWrapUp(how="agent", code="solved")).then(s.WrapUpEnded(how="agent", code="solved"))
    given(*WRAPPING_SHIFT).when(s.Pause(reason="break")).then(s.WrapUpEnded(how="agent"), s.AgentPaused(reason="break"))
    given(*READY_SHIFT).when(s.EndWrapUp(how="timer")).then()
    given(*READY_SHIFT).when(s.EndWrapUp(how="agent")).refused("not_wrapping_up")


def test_after_wrap_up_comes_what_was_asked_for_during_the_talk() -> None:
    """Feature 4.1."""
    ended = s.WrapUpEnded(how="timer")
    pausing = (*TALKING_SHIFT, s.PauseRequested(reason="break"), WRAPPING)
    given(*pausing).when(s.EndWrapUp(how="timer")).then(ended, s.AgentPaused(reason="break"))
    leaving = (*TALKING_SHIFT, s.SignOutRequested(reason="agent"), WRAPPING)
    given(*leaving).when(s.EndWrapUp(how="timer")).then(ended, s.AgentSignedOut(reason="agent"))


def test_signing_out_is_at_once_where_no_contact_hangs_on_it() -> None:
    """Feature 4.1."""
    out, sign_out = s.AgentSignedOut(reason="agent"), s.SignOut(reason="agent")
    given(IN).when(sign_out).then(out)
    given(*READY_SHIFT).when(sign_out).then(out)
    given(*WRAPPING_SHIFT).when(sign_out).then(s.WrapUpEnded(how="signed_out"), out)
    for history in (RESERVED_SHIFT, TALKING_SHIFT):
        given(*history).when(sign_out).then(s.SignOutRequested(reason="agent"))
        given(*history, s.SignOutRequested(reason="agent")).when(sign_out).then()


def test_nothing_follows_a_sign_out() -> None:
    for command in (s.MakeReady(), s.Pause(reason="x"), s.Reserve(offer_id="o", contact_id="c"), s.SignOut(reason="x")):
        given(*READY_SHIFT, s.AgentSignedOut(reason="agent")).when(command).then()


def test_ready_during_a_contact_takes_wishes_back_or_is_refused() -> None:
    """Feature 4.1."""
    given(*TALKING_SHIFT).when(s.MakeReady()).refused("in_contact")
    given(*TALKING_SHIFT, s.PauseRequested(reason="break")).when(s.MakeReady()).then(s.PauseRequested(reason=""))
    given(*TALKING_SHIFT, s.SignOutRequested(reason="x")).when(s.MakeReady()).then(s.SignOutRequested(reason=""))


def test_a_cool_down_ends_once_and_outlives_changes_of_status() -> None:
    """Complaint 10."""
    cooling = (*READY_SHIFT, s.AgentCooledDown(until=COOL, cause="busy"))
    given(*cooling).when(s.EndCoolDown()).then(s.CoolDownEnded())
    given(*cooling, s.CoolDownEnded()).when(s.EndCoolDown()).then()
    shift = given(*cooling, s.AgentPaused(reason="break"), READY).state
    assert shift is not None
    assert not s.available(shift)


def test_after_call_work_is_extended_up_to_its_limit() -> None:
    """Features 4.1, 4.7."""
    most = Instant(NOW + 25_000)
    wrapping = s.WrapUpStarted(contact_id="c1", segment_id="g1", until=Instant(NOW + 5_000), at_most=most)
    start = s.StartWrapUp(contact_id="c1", segment_id="g1", until=Instant(NOW + 5_000), at_most=most)
    given(*TALKING_SHIFT).when(start).then(wrapping)
    extended = s.WrapUpExtended(until=Instant(NOW + 15_000))
    more = s.ExtendWrapUp(by_ms=10)
    assert s.decide(given(*TALKING_SHIFT, wrapping).state, more) == (extended,)
    assert s.decide(given(*TALKING_SHIFT, wrapping, extended).state, more) == (s.WrapUpExtended(until=most),)
    given(*TALKING_SHIFT, wrapping, s.WrapUpExtended(until=most)).when(more).refused("wrap_up_limit")
    given(*WRAPPING_SHIFT).when(more).refused("wrap_up_limit")
    given(*READY_SHIFT).when(more).refused("not_wrapping_up")


EVENTS = st.sampled_from(
    (
        IN, READY, RESERVED, CONNECTED, WRAPPING, released("lost"), s.AgentPaused(reason="break"),
        s.AgentStoodDown(reason="ring_no_answer", offer_id="o1"), s.AgentCooledDown(until=COOL, cause="busy"),
        s.CoolDownEnded(), s.WrapUpEnded(how="timer"), s.PauseRequested(reason="break"),
        s.SignOutRequested(reason="agent"), s.AgentSignedOut(reason="agent"), s.WrapUpExtended(until=COOL),
        p.DeskAttached(desk_id="d1"), p.DeskLost(desk_id="d1", until=COOL, cause="closed"),
        p.DeskReturned(desk_id="d1"), p.DeskGraceEnded(desk_id="d1"), p.DeskTakenOver(desk_id="d2", earlier="d1"),
    )
)  # fmt: skip
COMMANDS = st.sampled_from(
    (
        s.SignIn(agent_id="a1", extension="1001"), s.MakeReady(), s.Pause(reason="lunch"),
        s.Reserve(offer_id="o1", contact_id="c1"), release("busy"), release("timed_out"), release("lost"),
        s.Connect(contact_id="c1", offer_id="o1", segment_id="g1"),
        s.StartWrapUp(contact_id="c1", segment_id="g1", until=COOL), s.EndWrapUp(how="timer"),
        s.EndWrapUp(how="agent"), s.EndCoolDown(), s.SignOut(reason="agent"), s.ExtendWrapUp(by_ms=1),
        p.SeeDesk(desk_id="d1", by="opened"), p.SeeDesk(desk_id="d2", by="taken_over"), p.EndGrace(),
        p.LoseDesk(desk_id="d1", until=COOL, cause="closed"), p.LoseDesk(desk_id="d2", until=COOL, cause="silent"),
    )
)  # fmt: skip


@for_any(st.lists(EVENTS, max_size=25))
def test_no_history_is_too_odd_to_be_folded(history: list[Event]) -> None:
    """Law 2: evolve never raises."""
    given(*history)


@for_any(st.lists(COMMANDS, max_size=40))
def test_any_commands_lead_to_states_that_fit_together(commands: list[s.Command]) -> None:
    """Feature 3.6; complaint 3: reserved with an offer, talking with a contact, and free of both otherwise."""
    case = given()
    for command in commands:
        case.when(command)
        try:
            events = s.decide(case.state, command)
        except Refused:
            continue
        for event in events:
            case.state = s.evolve(case.state, event, NOW, "x1")
        shift = case.state
        if shift is not None:
            assert (shift.status == "reserved") == bool(shift.offer_id)
            assert shift.contact_id == "" or shift.status in ("reserved", "talking", "wrapping_up")
            assert shift.status == "ready" or not s.available(shift)
            assert shift.status != "ready" or not p.absent(shift.desk)
