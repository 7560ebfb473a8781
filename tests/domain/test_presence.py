"""A shift and its desk, case by case: given its events, when a desk comes or goes, then this follows."""

import pytest

from orchestrator.domain.kernel import Event, Instant
from orchestrator.domain.staff import presence as p
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.timers import Timers, set_for_shift
from tests.domain.cases import NOW, Case

UNTIL = Instant(NOW + 15)
IN = s.AgentSignedIn(agent_id="a1", extension="1001")
ATTACHED = p.DeskAttached(desk_id="d1")
LOST = p.DeskLost(desk_id="d1", until=UNTIL, cause="closed")
RETURNED = p.DeskReturned(desk_id="d1")
OVER = p.DeskGraceEnded(desk_id="d1")
DOWN = s.AgentStoodDown(reason="desk_lost", offer_id="")
READY = (IN, ATTACHED, s.AgentMadeReady())
RESERVED = (*READY, s.AgentReserved(offer_id="o1", contact_id="c1"))
TALKING = (*RESERVED, s.AgentConnected(contact_id="c1", offer_id="o1", segment_id="g1"))
WRAPPING = (*TALKING, s.WrapUpStarted(contact_id="c1", segment_id="g1", until=UNTIL))
LOSE = p.LoseDesk(desk_id="d1", until=UNTIL, cause="closed")


def given(*history: Event) -> Case[s.Shift, s.Command]:
    return Case(s.evolve, s.decide, history)


def opened(desk_id: str) -> p.SeeDesk:
    return p.SeeDesk(desk_id=desk_id, by="opened")


def state_of(shift: s.Shift | None) -> str:
    return shift.desk.state if shift is not None and shift.desk is not None else ""


def test_whoever_signs_in_at_a_desk_has_it_and_whoever_does_not_has_none() -> None:
    """Feature 4.1; desk presence."""
    given().when(s.SignIn(agent_id="a1", extension="1001", desk_id="d1")).then(IN, ATTACHED)
    assert state_of(given().when(s.SignIn(agent_id="a1", extension="1001")).then(IN)) == ""


def test_a_desk_is_attached_once_however_often_it_is_seen() -> None:
    """Desk presence."""
    given(IN).when(opened("d1")).then(ATTACHED)
    for by in ("opened", "beat", "taken_over"):
        given(IN, ATTACHED).when(p.SeeDesk(desk_id="d1", by=by)).then()


@pytest.mark.parametrize("history", (READY, RESERVED, TALKING, WRAPPING), ids=("ready", "rung", "talking", "wrapping"))
def test_within_the_grace_nothing_changes_but_the_desk(history: tuple[Event, ...]) -> None:
    """Desk presence; complaint 19: a phone that rings goes on ringing."""
    before = given(*history).state
    lost = given(*history).when(LOSE).then(LOST)
    back = given(*history, LOST).when(opened("d1")).then(RETURNED)
    assert before is not None
    assert lost is not None
    assert back is not None
    assert (lost.status, back.status) == (before.status, before.status)
    assert s.available(lost) == s.available(back) == s.available(before)
    assert (state_of(lost), state_of(back)) == ("lost", "attached")


def test_a_ready_agent_whose_desk_stays_away_is_stood_down_with_a_reason() -> None:
    """Desk presence; complaint 19: a reason, a notice and a way back."""
    shift = given(*READY, LOST).when(p.EndGrace()).then(OVER, DOWN)
    assert shift is not None
    assert (shift.status, shift.reason, state_of(shift)) == ("paused", "desk_lost", "absent")
    assert not s.available(shift)


def test_the_way_back_is_to_open_the_desk_and_be_ready_with_one_click() -> None:
    """Desk presence; complaint 19."""
    gone = (*READY, LOST, OVER, DOWN)
    given(*gone).when(s.MakeReady()).refused("desk_lost")
    given(*gone).when(opened("d1")).then(RETURNED)
    given(*gone, RETURNED).when(s.MakeReady()).then(s.AgentMadeReady())
    given(*gone).when(opened("d2")).then(p.DeskAttached(desk_id="d2"))


def test_a_ring_goes_on_when_the_grace_ends_and_the_stand_down_comes_after_it() -> None:
    """Desk presence; no lost ring."""
    rung = (*RESERVED, LOST)
    shift = given(*rung).when(p.EndGrace()).then(OVER)
    assert shift is not None
    assert shift.status == "reserved"
    released = s.AgentReleased(offer_id="o1", outcome="withdrawn")
    release = s.Release(offer_id="o1", outcome="withdrawn", cool_until=UNTIL)
    given(*rung, OVER).when(release).then(released, DOWN)
    given(*rung, OVER).when(s.Connect(contact_id="c1", offer_id="o1", segment_id="g1")).then(TALKING[-1])


def test_a_talk_goes_on_and_its_wrap_up_ends_by_its_own_time() -> None:
    """Desk presence; complaint 11."""
    given(*TALKING, LOST).when(p.EndGrace()).then(OVER)
    given(*WRAPPING, LOST).when(p.EndGrace()).then(OVER)
    given(*WRAPPING, LOST, OVER).when(s.EndWrapUp(how="timer")).then(s.WrapUpEnded(how="timer"), DOWN)
    given(*WRAPPING, LOST, OVER, RETURNED).when(s.EndWrapUp(how="timer")).then(s.WrapUpEnded(how="timer"))


def test_a_wish_of_the_agent_comes_before_the_stand_down() -> None:
    """Feature 4.1; desk presence."""
    wrapping = (*TALKING, s.PauseRequested(reason="break"), WRAPPING[-1], LOST, OVER)
    end = s.EndWrapUp(how="timer")
    given(*wrapping).when(end).then(s.WrapUpEnded(how="timer"), s.AgentPaused(reason="break"))


def test_a_pause_stays_a_pause_when_the_desk_goes_and_comes() -> None:
    """Desk presence."""
    paused = (*READY, s.AgentPaused(reason="break"), LOST)
    shift = given(*paused).when(p.EndGrace()).then(OVER)
    assert shift is not None
    assert shift.reason == "break"


def test_the_second_desk_is_told_of_the_first_and_may_take_over() -> None:
    """Two desks for one agent."""
    given(*READY).when(opened("d2")).refused("desk_elsewhere")
    taken = p.DeskTakenOver(desk_id="d2", earlier="d1")
    shift = given(*READY).when(p.SeeDesk(desk_id="d2", by="taken_over")).then(taken)
    assert shift is not None
    assert shift.desk is not None
    assert (shift.desk.desk_id, shift.desk.state, shift.status) == ("d2", "attached", "ready")


def test_the_end_of_the_desk_that_stepped_back_changes_nothing() -> None:
    """Two desks for one agent: the first is closed after the take-over."""
    given(*READY, p.DeskTakenOver(desk_id="d2", earlier="d1")).when(LOSE).then()
    given(*READY, LOST).when(LOSE).then()
    given(IN).when(LOSE).then()


def test_a_beat_of_a_desk_that_stepped_back_takes_nothing_from_the_other() -> None:
    """Two desks for one agent: only a person takes over, unless the other one is absent; then whoever is there counts,
    so that nobody is kept out before a page that is open (complaint 19).
    """
    given(*READY).when(p.SeeDesk(desk_id="d2", by="beat")).then()
    given(*READY, LOST).when(p.SeeDesk(desk_id="d2", by="beat")).then()
    given(*READY, LOST, OVER, DOWN).when(p.SeeDesk(desk_id="d2", by="beat")).then(p.DeskAttached(desk_id="d2"))
    given(*READY, LOST, OVER).when(p.SeeDesk(desk_id="d1", by="beat")).then(RETURNED)


def test_a_grace_that_ended_while_we_were_away_is_given_once_more() -> None:
    """Decision 0018: nobody is blamed for what nobody saw."""
    again = Instant(UNTIL + 10)
    extended = p.DeskGraceExtended(desk_id="d1", until=again)
    assert s.decide(given(*READY, LOST).state, p.EndGrace(again_at=again)) == (extended,)
    given(*READY, LOST, extended).when(p.EndGrace()).then(OVER, DOWN)
    given(*READY).when(p.EndGrace(again_at=again)).then()


def test_nothing_follows_for_a_desk_after_the_sign_out() -> None:
    given(*READY, s.AgentSignedOut(reason="agent")).when(opened("d1")).then()
    given(*READY, LOST, s.AgentSignedOut(reason="agent")).when(p.EndGrace()).then()


def test_the_grace_has_a_timer_for_as_long_as_it_lasts() -> None:
    """Law 9; decision 0004."""
    timers = Timers()
    for event, due in (
        (ATTACHED, None),
        (LOST, UNTIL),
        (p.DeskGraceExtended(desk_id="d1", until=Instant(UNTIL + 9)), UNTIL + 9),
        (RETURNED, None),
        (LOST, UNTIL),
        (OVER, None),
        (LOST, UNTIL),
        (p.DeskTakenOver(desk_id="d2", earlier="d1"), None),
        (LOST, UNTIL),
        (s.AgentSignedOut(reason="agent"), None),
    ):
        set_for_shift(timers, "x1", event)
        assert timers.due_of(("desk", "x1")) == due
