"""A supervisor who listens, whispers, barges in and takes over: whatever goes wrong, caller and agent talk on.

Features 1.2, 8.3; complaint 14.
"""

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import monitor_events as m
from orchestrator.domain.contacts.monitors import BARGE, LISTEN, WHISPER
from orchestrator.domain.contacts.recording import RecordingEndAsked
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    AnswerPhone,
    BridgeLegs,
    EavesdropLeg,
    HangUpLeg,
    ParkLeg,
    RingAgent,
    StartRecording,
    SteerEavesdrop,
    StopRecording,
)
from orchestrator.runner import inputs
from tests.runner.scene import NODE, agent, story
from tests.runner.tapes import Tapes


class Monitored(Tapes):
    """Agent 1 talks with a caller; agent 3 is a supervisor who is signed in and not ready."""

    def __init__(self, *, recorded: str = "", **queue: object) -> None:
        """`recorded`: what is configured for agent 1, where that is not what the queue says."""
        super().__init__(3, wrap_up_ms=10_000, **queue)  # type: ignore[arg-type]  # a test's own words
        if recorded:
            self.configure({"agent-a1": replace(agent(1), record=recorded)})
        self.caller, self.ring = self.talk()
        self.give(inputs.SignIn(agent="1003"))

    def monitor(self, mode: str = LISTEN, *, number: int = 3, contact: str = "") -> str:
        """Agent 3 wants to hear the talk; the code of the refusal."""
        named = contact or self.it.contact_id
        return self.refusal(inputs.Monitor(agent=f"100{number}", contact=named, mode=mode, reason="coaching"))

    def own(self) -> RingAgent:
        """The ring of the supervisor's own phone."""
        return self.instructions(RingAgent)[-1]

    def taken(self, mode: str) -> None:
        """The switch says that it has taken the mode."""
        self.give(facts.EavesdropSet(node=NODE, leg=self.own().leg, mode=mode))

    def taken_by(self, ring: RingAgent, mode: str) -> None:
        """The same of a ring that was before a restart."""
        self.give(facts.EavesdropSet(node=NODE, leg=ring.leg, mode=mode))

    def hears(self, mode: str = LISTEN) -> RingAgent:
        """The supervisor hears the talk."""
        assert self.monitor(mode) == ""
        ring = self.own()
        self.ringing(ring)
        self.answer(ring)
        self.taken(mode)
        return ring

    def take_over(self) -> str:
        """The code of the refusal."""
        return self.refusal(inputs.TakeOverCall(agent="1003", about=self.it.contact_id, reason="complaint"))

    def closed(self) -> list[str]:
        """How it ended, each time."""
        return [event.outcome for event in self.events(m.MonitorClosed)]


# --- listen, whisper, barge ------------------------------------------------------------------------------------------
def test_the_supervisors_own_phone_rings_and_hears_the_talk_once_it_is_picked_up() -> None:
    scene = Monitored()
    assert scene.monitor() == ""
    assert story(scene.outcome) == ["MonitorAsked", "AgentReserved", "PauseRequested"]
    ring = scene.own()
    assert (ring.extension, [type(each) for each in scene.outcome.instructions]) == ("1003", [RingAgent])
    scene.ringing(ring)
    assert scene.instructions(AnswerPhone)[-1].leg == ring.leg, "who asked at the desk need not lift the handset, too"
    scene.answer(ring)
    (told,) = scene.instructions(EavesdropLeg)
    assert (told.leg, told.other, told.mode) == (ring.leg, scene.ring.leg, LISTEN)
    scene.taken(LISTEN)
    assert [event.mode for event in scene.events(m.MonitorBegun)] == [LISTEN]
    assert (scene.it.status, scene.status(1), scene.status(3)) == ("connected", "talking", "reserved")
    assert not scene.instructions(BridgeLegs)[1:], "joined with nobody"


def test_the_same_session_goes_from_one_mode_to_the_other_and_each_is_an_event_with_its_reason() -> None:
    scene = Monitored()
    scene.hears()
    for mode in (WHISPER, BARGE, LISTEN):
        assert scene.monitor(mode) == ""
        assert scene.monitor(mode) == "", "the same wish sent again is done once"
        assert scene.instructions(SteerEavesdrop)[-1].mode == mode
        scene.taken(mode)
    assert [event.mode for event in scene.events(m.MonitorBegun)] == [LISTEN, WHISPER, BARGE, LISTEN]
    assert [(event.mode, event.reason) for event in scene.events(m.MonitorModeAsked)] == [
        (mode, "coaching") for mode in (WHISPER, BARGE, LISTEN)
    ]
    assert len(scene.instructions(EavesdropLeg)) == 1


def test_a_mode_that_is_wished_while_the_phone_rings_is_the_one_that_begins() -> None:
    scene = Monitored()
    scene.monitor(LISTEN)
    assert scene.monitor(WHISPER) == ""
    scene.answer(scene.own())
    assert [each.mode for each in scene.instructions(EavesdropLeg)] == [WHISPER]
    scene.taken(LISTEN)
    assert not scene.events(m.MonitorBegun), "late news of another mode is none of this one"
    scene.taken(WHISPER)
    assert len(scene.events(m.MonitorBegun)) == 1


@pytest.mark.parametrize(
    ("mode", "shows", "seen"), ((LISTEN, False, False), (LISTEN, True, True), (WHISPER, False, True))
)
def test_the_agent_is_told_of_one_who_listens_where_the_queue_says_so_and_of_one_who_speaks_always(
    mode: str, *, shows: bool, seen: bool
) -> None:
    scene = Monitored(show_listening=shows)
    scene.hears(mode)
    assert scene.it.monitor is not None
    assert scene.it.monitor.seen == seen


# --- the end ---------------------------------------------------------------------------------------------------------
def test_a_supervisor_who_hangs_up_or_stops_at_the_desk_touches_nobody_else() -> None:
    scene = Monitored()
    ring = scene.hears()
    scene.told.clear()
    scene.hang_up(ring.leg)
    assert (scene.closed(), scene.told) == (["left"], [])
    ring = scene.hears(WHISPER)
    assert scene.refusal(inputs.EndMonitor(agent="1003")) == ""
    assert [each.leg for each in scene.outcome.instructions if isinstance(each, HangUpLeg)] == [ring.leg]
    assert scene.refusal(inputs.EndMonitor(agent="1003")) == "", "done already"
    assert scene.closed() == ["left", "cancelled"]
    assert (scene.it.status, scene.status(1), scene.status(3)) == ("connected", "talking", "paused")
    assert not scene.events(RecordingEndAsked)


@pytest.mark.parametrize("who", ("caller", "agent", "desk"))
def test_whoever_ends_the_talk_ends_the_listening_in_the_same_step(who: str) -> None:
    scene = Monitored()
    ring = scene.hears(BARGE)
    if who == "desk":
        scene.give(inputs.HangUp(agent="1001"))
    else:
        scene.hang_up(scene.caller if who == "caller" else scene.ring.leg)
    assert story(scene.outcome).index("MonitorClosed") < len(scene.outcome.records)
    assert scene.closed() == ["talk_over"]
    assert ring.leg in [each.leg for each in scene.outcome.instructions if isinstance(each, HangUpLeg)]
    assert scene.status(3) == "paused"


@pytest.mark.parametrize("how", ("handset", "passes on", "leaves a consultation"))
def test_a_whisper_that_is_on_its_way_as_the_agent_leaves_ends_with_the_talk(how: str) -> None:
    """Bad input of call control: whisper when the agent leaves. Late news of it begins nothing, and nobody is held."""
    scene = Monitored()
    ring = scene.hears()
    if how == "leaves a consultation":
        scene.ready(2)
        scene.give(inputs.Consult(agent="1001", to_agent="1002"))
        scene.answer(scene.instructions(RingAgent)[-1])
    assert scene.monitor(WHISPER) == ""
    if how == "passes on":
        scene.give(inputs.Transfer(agent="1001", to_queue="support"))
    else:
        scene.hang_up(scene.ring.leg)
    scene.taken_by(ring, WHISPER)
    assert (scene.closed(), scene.it.monitor, scene.status(3)) == (["talk_over"], None, "paused")
    assert [event.mode for event in scene.events(m.MonitorBegun)] == [LISTEN]
    assert ring.leg in [each.leg for each in scene.instructions(HangUpLeg)]
    assert scene.monitor(WHISPER) == "not_talking"


def test_a_phone_that_nobody_picks_up_is_nobodys_fault_and_stops_ringing() -> None:
    scene = Monitored()
    scene.monitor()
    scene.ringing(scene.own())
    scene.wait(21_000)
    assert scene.closed() == ["missed"]
    assert scene.instructions(HangUpLeg)[-1].leg == scene.own().leg
    assert scene.status(3) == "paused"


def test_a_supervisor_who_signs_out_hears_no_more() -> None:
    scene = Monitored()
    scene.hears()
    scene.give(inputs.SignOut(agent="1003"))
    assert (scene.closed(), scene.status(3), scene.it.status) == (["left"], "", "connected")


def test_a_mode_that_the_switch_does_not_take_is_told_again_and_then_given_up() -> None:
    scene = Monitored()
    scene.monitor(WHISPER)
    scene.answer(scene.own())
    scene.wait(5_001)
    assert [event.cause for event in scene.events(m.MonitorExtended)] == ["told_again"]
    assert len(scene.instructions(EavesdropLeg)) == 2
    assert scene.instructions(SteerEavesdrop)[-1].mode == WHISPER
    scene.wait(5_001)
    assert scene.closed() == ["failed"]
    scene.hang_up(scene.own().leg)
    scene.monitor()
    scene.answer(scene.own())
    scene.failed(scene.instructions(EavesdropLeg)[-1], "invalid session id")
    assert scene.closed() == ["failed", "failed"]


def test_hold_and_a_consultation_go_on_while_somebody_listens() -> None:
    scene = Monitored()
    scene.hears()
    scene.ready(2)
    scene.give(inputs.Hold(agent="1001"))
    scene.give(facts.LegHeld(node=NODE, leg=scene.ring.leg))
    assert scene.it.status == "held"
    scene.give(facts.LegResumed(node=NODE, leg=scene.ring.leg))
    assert scene.refusal(inputs.Consult(agent="1001", to_agent="1002")) == ""
    assert scene.it.monitor is not None
    assert scene.take_over() == "consulting"
    colleague = scene.own()
    scene.answer(colleague)
    scene.give(facts.LegBridged(node=NODE, leg=scene.ring.leg, other=colleague.leg))
    scene.give(inputs.CompleteConsult(agent="1001"))
    assert scene.closed() == ["talk_over"], "the talk that was heard is over; the next one is another's"


# --- take over -------------------------------------------------------------------------------------------------------
def test_the_supervisor_has_the_caller_the_agent_wraps_up_and_contact_and_recording_stay_whole() -> None:
    scene = Monitored()
    scene.begun()
    contact_id, file = scene.it.contact_id, scene.file
    ring = scene.hears()
    scene.told.clear()
    assert scene.take_over() == ""
    assert story(scene.outcome)[:8] == [
        "TalkTakenOver", "ContactTransferred", "AgentSegmentEnded", "ContactQueued", "ContactPicked", "OfferMade",
        "OfferAnswered", "OfferAccepted",
    ]  # fmt: skip
    assert [(type(each), each.leg) for each in scene.told] == [(BridgeLegs, scene.caller)]
    assert scene.status(1) == "wrapping_up"
    assert scene.take_over() == "", "the same wish sent again"
    scene.bridge(scene.caller, ring)
    scene.hang_up(scene.ring.leg)
    assert (scene.it.contact_id, scene.it.status, scene.status(3)) == (contact_id, "connected", "talking")
    assert (scene.file, scene.it.monitor) == (file, None)
    assert not scene.instructions(StopRecording)
    assert not scene.instructions(StartRecording)
    assert [event.agent_id for event in scene.events(c.ContactConnected)] == ["a1", "a3"]
    assert scene.refusal(inputs.MaskRecording(agent="1003")) == "", "the one file is the supervisor's now"
    scene.hang_up(scene.caller)
    scene.finished(file)
    scene.hang_up(ring.leg)
    assert (scene.status(3), scene.contact(scene.caller)) == ("wrapping_up", None)
    assert scene.events(c.ContactEnded)[-1].reason == "completed"


def test_a_supervisor_who_is_lost_while_taking_over_leaves_the_caller_waiting_and_the_recording_ends() -> None:
    """Complaint 13: nobody is lost, and the wait is not recorded."""
    scene = Monitored()
    scene.begun()
    file = scene.file
    ring = scene.hears()
    scene.take_over()
    scene.hang_up(ring.leg, "NORMAL_TEMPORARY_FAILURE")
    assert scene.it.status == "waiting"
    assert [event.file for event in scene.events(RecordingEndAsked)] == [file]
    assert [each.file for each in scene.instructions(StopRecording)] == [file]
    scene.told.clear()
    scene.wait(1_001)
    scene.presence(scene.caller, exists=True)
    scene.snapshot(scene.seen(scene.caller, parked=False))
    assert [each.leg for each in scene.instructions(ParkLeg)] == [scene.caller], "out of the first agent's talk"


def test_the_caller_hangs_up_while_being_taken_over_and_all_of_it_ends() -> None:
    scene = Monitored()
    ring = scene.hears()
    scene.take_over()
    scene.hang_up(scene.caller)
    scene.hang_up(scene.ring.leg)
    scene.hang_up(ring.leg)
    assert (scene.contact(scene.caller), scene.status(1), scene.status(3)) == (None, "wrapping_up", "paused")


def test_a_talk_is_not_taken_over_before_it_is_heard_while_on_hold_or_by_somebody_else() -> None:
    scene = Monitored()
    assert scene.refusal(inputs.TakeOverCall(agent="1003", reason="x")) == "not_monitoring"
    scene.monitor()
    assert scene.take_over() == "not_answered"
    scene.answer(scene.own())
    scene.taken(LISTEN)
    scene.give(facts.LegHeld(node=NODE, leg=scene.ring.leg))
    assert scene.take_over() == "on_hold"
    scene.give(facts.LegResumed(node=NODE, leg=scene.ring.leg))
    assert scene.refusal(inputs.TakeOverCall(agent="1003", reason="no code!")) == "bad_reason"
    scene.give(inputs.SignIn(agent="1002"))
    assert scene.refusal(inputs.TakeOverCall(agent="1002", reason="x")) == "not_monitoring"


# --- refused ---------------------------------------------------------------------------------------------------------
def test_what_cannot_be_heard_is_refused_with_a_code_and_changes_nothing() -> None:
    scene = Monitored()
    before = len(scene.records)
    named = scene.it.contact_id
    assert scene.monitor("shout") == "bad_mode"
    assert scene.refusal(inputs.Monitor(agent="1003", contact=named, mode=LISTEN, reason="")) == "bad_reason"
    assert scene.refusal(inputs.Monitor(agent="1002", contact=named, mode=LISTEN, reason="x")) == "not_signed_in"
    assert scene.monitor(number=1) == "same_agent"
    assert scene.monitor(contact="00000000") == "no_such_contact"
    waiting = scene.park()
    assert scene.monitor(contact=scene.live(waiting).contact_id) == "not_talking"
    scene.hang_up(waiting)
    scene.give(facts.PhoneRegistered(node=NODE, extension="1003"))
    scene.give(facts.PhoneGone(node=NODE, extension="1003"))
    assert scene.monitor() == "phone_gone"
    scene.give(facts.PhoneRegistered(node=NODE, extension="1003"))
    scene.disconnect()
    assert scene.monitor() == "switch_away"
    assert not scene.events(m.MonitorAsked)
    assert len(scene.records) > before


def test_one_supervisor_hears_one_talk_at_a_time_and_a_talk_is_heard_by_one() -> None:
    scene = Monitored()
    scene.hears()
    scene.give(inputs.SignIn(agent="1002"))
    assert scene.monitor(number=2) == "monitored"
    first = scene.it.contact_id
    scene.ready(2)
    other = scene.park()
    scene.answer(scene.ring_of(other))
    scene.bridge(other, scene.own())
    assert scene.monitor(contact=scene.live(other).contact_id) == "monitoring"
    assert scene.monitor(contact=first, number=2) == "in_contact"
    assert len(scene.events(m.MonitorAsked)) == 1


def test_a_talk_that_ended_while_the_supervisor_pressed_is_not_heard() -> None:
    scene = Monitored()
    named = scene.it.contact_id
    scene.hang_up(scene.ring.leg)
    assert scene.monitor(contact=named) == "not_talking"
    scene.hang_up(scene.caller)
    assert scene.monitor(contact=named) == "no_such_contact"


# --- after a gap -----------------------------------------------------------------------------------------------------
def test_a_restart_finds_the_supervisor_and_tells_the_switch_only_what_it_has_not_confirmed() -> None:
    scene = Monitored()
    ring = scene.hears()
    here = _all_three(scene, ring)
    scene.restart()
    scene.told.clear()
    scene.connect(legs=here)
    assert not [each for each in scene.told if isinstance(each, EavesdropLeg | SteerEavesdrop | HangUpLeg)]
    scene.monitor(BARGE)
    scene.restart()
    scene.told.clear()
    scene.connect(legs=here)
    assert [each.mode for each in scene.instructions(SteerEavesdrop)] == [BARGE]
    scene.taken_by(ring, BARGE)
    assert scene.it.monitor is not None
    assert scene.it.monitor.mode == BARGE


def test_a_restart_that_missed_the_answer_lets_the_supervisor_hear_and_one_that_missed_the_end_ends_it() -> None:
    scene = Monitored()
    scene.monitor()
    ring = scene.own()
    scene.restart()
    scene.connect(legs=_all_three(scene, ring, parked=True))
    assert [each.leg for each in scene.instructions(EavesdropLeg)] == [ring.leg]
    scene.taken_by(ring, LISTEN)
    scene.restart()
    scene.connect(legs=_all_three(scene, ring)[:2])
    scene.presence(ring.leg, exists=False)
    assert scene.closed() == ["left"]
    assert scene.it.status == "connected"


def test_a_supervisor_who_answers_as_the_link_comes_up_is_let_in_once() -> None:
    """Feature 12.1: as an agent's phone (`test_recovery`)."""
    scene = Monitored()
    scene.monitor()
    ring = scene.own()
    scene.restart()
    scene.give(facts.LinkUp(node=NODE, core="core-1"))
    scene.answer(ring)
    scene.snapshot(*_all_three(scene, ring, parked=True))
    assert [each.leg for each in scene.instructions(EavesdropLeg)] == [ring.leg]
    scene.taken_by(ring, LISTEN)
    assert scene.it.monitor is not None
    assert scene.it.monitor.mode == LISTEN


def _all_three(scene: Monitored, ring: RingAgent, *, parked: bool = False) -> tuple[facts.SeenLeg, ...]:
    return (
        scene.seen(scene.caller, parked=False, bridged_to=scene.ring.leg),
        scene.seen_phone(scene.ring, answered=True, bridged_to=scene.caller),
        scene.seen_phone(ring, answered=True, parked=parked),
    )


# --- while the agent is muted ----------------------------------------------------------------------------------------
def _muted(scene: Monitored) -> None:
    scene.give(inputs.Mute(agent="1001"))
    scene.give(facts.MuteSet(node=NODE, leg=scene.ring.leg, on=True))


def _let_in(scene: Monitored) -> list[tuple[str, str]]:
    """What the supervisor's leg was told since then, with its mode."""
    kinds = (ParkLeg, EavesdropLeg)
    return [(type(each).__name__, getattr(each, "mode", "")) for each in scene.told if isinstance(each, kinds)]


@pytest.mark.parametrize("mode", (LISTEN, BARGE))
def test_a_supervisor_who_was_there_before_a_mute_is_let_in_again_behind_it(mode: str) -> None:
    """Decision 0083: otherwise they would be silenced with the agent, at once or when they barge in later."""
    scene = Monitored()
    ring = scene.hears(mode)
    scene.told.clear()
    _muted(scene)
    assert _let_in(scene) == [("ParkLeg", ""), ("EavesdropLeg", mode)]
    assert {each.leg for each in scene.told if isinstance(each, ParkLeg | EavesdropLeg)} == {ring.leg}
    scene.give(facts.LegParked(node=NODE, leg=ring.leg))
    scene.taken_by(ring, mode)
    assert (scene.it.monitor is not None and scene.it.monitor.mode, scene.closed()) == (mode, [])
    assert len(scene.events(m.MonitorBegun)) == 1, "nothing of it is new to the log"


def test_one_who_comes_after_a_mute_is_let_in_once() -> None:
    scene = Monitored()
    _muted(scene)
    scene.told.clear()
    scene.hears(BARGE)
    assert _let_in(scene) == [("EavesdropLeg", BARGE)]


def test_an_engine_that_starts_again_lets_them_in_again_where_the_agent_is_muted() -> None:
    scene = Monitored()
    ring = scene.hears(BARGE)
    _muted(scene)
    scene.restart()
    scene.told.clear()
    scene.connect(legs=_all_three(scene, ring))
    assert _let_in(scene) == [("ParkLeg", ""), ("EavesdropLeg", BARGE)]


# --- beside other things ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("listened", (False, True))
def test_a_caller_who_is_passed_on_is_parked_before_anybody_is_hung_up_also_where_somebody_listened(
    *, listened: bool
) -> None:
    """Decisions 0061, 0078: an agent's leg that goes first takes the caller's along."""
    scene = Monitored()
    scene.begun()
    if listened:
        scene.hears()
    scene.told.clear()
    assert scene.refusal(inputs.Transfer(agent="1001", to_queue="support")) == ""
    told = [(type(each).__name__, each.leg) for each in scene.told]
    park, stop = told.index(("ParkLeg", scene.caller)), told.index(("StopRecording", scene.caller))
    assert max(park, stop) < min(at for at, (kind, _) in enumerate(told) if kind == "HangUpLeg")


def test_a_snapshot_while_the_caller_is_taken_over_hangs_nobody_up() -> None:
    """Decision 0078: the first agent's leg still has the caller, and goes when they are taken from it."""
    scene = Monitored()
    ring = scene.hears()
    assert scene.take_over() == ""
    scene.told.clear()
    scene.snapshot(
        scene.seen(scene.caller, parked=False, bridged_to=scene.ring.leg),
        scene.seen_phone(scene.ring, answered=True, bridged_to=scene.caller),
        scene.seen_phone(ring, answered=True),
    )
    assert not scene.instructions(HangUpLeg)


def test_a_talk_that_is_taken_over_from_somebody_who_is_never_recorded_is_filed_under_the_supervisor() -> None:
    """Features 8.1, 8.2: a team finds what its own people said."""
    scene = Monitored(recorded="never")
    first, ring = scene.segment, scene.hears()
    assert scene.take_over() == ""
    scene.bridge(scene.caller, ring)
    (start,) = scene.instructions(StartRecording)
    assert start.file.startswith(scene.segment)
    assert scene.segment != first
