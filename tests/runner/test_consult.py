"""An agent who consults somebody about a caller, and then leaves the two to each other, or not: whatever goes wrong.

Feature 4.3; complaint 13.
"""

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts.consults import CALLER, CONSULTED
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    AnswerPhone,
    BridgeLegs,
    CheckLeg,
    DialOutside,
    HangUpLeg,
    KeepLeg,
    ParkLeg,
    PlayWaiting,
    RingAgent,
    StartRecording,
    StopRecording,
    TakeSnapshot,
)
from orchestrator.runner import inputs
from tests.runner.scene import NODE, Scene, names, story

NUMBER = "+8675500000001"


class Consulted(Scene):
    """Agent 1 talks with a caller, and may consult agent 2, who is ready."""

    def __init__(self, **queue: object) -> None:
        super().__init__(2, wrap_up_ms=10_000, **queue)  # type: ignore[arg-type]  # a test's own words
        self.configure({"outside-main": OutsideConfigured(allowed=("+86",), ring_ms=30_000)})
        self.caller, self.ring = self.talk()
        self.ready(2)

    @property
    def it(self) -> Contact:
        """The contact, which must be there."""
        return self.live(self.caller)

    def consult(self, **to: str) -> str:
        """Agent 1 consults somebody, agent 2 unless said otherwise; the code of the refusal."""
        about = to.pop("about", self.it.contact_id)
        return self.refusal(replace(inputs.Consult(agent="1001", about=about), **(to or {"to_agent": "1002"})))

    def press(self, kind: type[inputs.AgentCommand]) -> str:
        """Agent 1 presses a button; the code of the refusal."""
        return self.refusal(kind(agent="1001", about=self.it.contact_id))

    def parked(self, leg: str) -> None:
        """The switch says that a leg is parked."""
        inbound = leg == self.caller
        self.give(facts.LegParked(node=NODE, leg=leg, inbound=inbound, contact=self.it.contact_id))

    def colleague(self) -> RingAgent:
        """The ring of whoever is consulted."""
        return self.instructions(RingAgent)[-1]

    def asked(self) -> RingAgent:
        """Agent 2 is consulted, the phone rings, and the caller hears music."""
        assert self.consult() == ""
        self.parked(self.ring.leg)
        self.parked(self.caller)
        ring = self.colleague()
        self.ringing(ring)
        return ring

    def both_talk(self) -> RingAgent:
        """Agents 1 and 2 talk with each other about the caller."""
        ring = self.asked()
        self.answer(ring)
        self.joined(self.ring.leg, ring.leg)
        return ring

    def joined(self, leg: str, other: str) -> None:
        """The switch says that two hear each other."""
        self.give(facts.LegBridged(node=NODE, leg=leg, other=other))

    def bridges(self) -> list[tuple[str, str]]:
        """Who was to be joined with whom since the last one told."""
        found = [(each.leg, each.other) for each in self.instructions(BridgeLegs)]
        self.told.clear()
        return found


# --- consult ---------------------------------------------------------------------------------------------------------
def test_the_agents_leg_is_kept_the_caller_is_parked_hears_music_and_a_colleagues_phone_rings() -> None:
    scene = Consulted()
    assert scene.consult() == ""
    assert story(scene.outcome) == ["ConsultAsked", "AgentReserved"]
    told = scene.outcome.instructions
    assert [type(each) for each in told] == [KeepLeg, ParkLeg, RingAgent]
    assert [each.leg for each in told[:2]] == [scene.ring.leg, scene.caller]
    ring = scene.colleague()
    assert (ring.extension, ring.caller_number, ring.stays) == ("1002", "+8613800138000", True)
    scene.parked(scene.caller)
    assert scene.instructions(PlayWaiting)[-1].leg == scene.caller
    scene.parked(scene.ring.leg)
    assert (scene.it.status, scene.status(1), scene.status(2)) == ("consulting", "talking", "reserved")
    scene.ringing(ring)
    scene.told.clear()
    scene.answer(ring)
    assert scene.bridges() == [(scene.ring.leg, ring.leg)]
    scene.joined(scene.ring.leg, ring.leg)
    assert scene.it.consult is not None
    assert scene.it.consult.hears == CONSULTED


def test_the_recording_goes_on_through_a_consultation_and_ends_when_the_caller_goes_to_the_colleague() -> None:
    scene = Consulted()
    scene.both_talk()
    assert not scene.instructions(StopRecording)
    scene.press(inputs.CompleteConsult)
    assert len(scene.instructions(StopRecording)) == 1


def test_an_agent_completes_and_the_colleague_has_the_caller_with_all_that_is_known() -> None:
    scene = Consulted()
    contact_id = scene.it.contact_id
    ring = scene.both_talk()
    scene.told.clear()
    assert scene.press(inputs.CompleteConsult) == ""
    assert story(scene.outcome)[:9] == [
        "ContactTransferred", "RecordingEndAsked", "AgentSegmentEnded", "ContactQueued", "ContactPicked", "OfferMade",
        "OfferDelivered", "OfferAnswered", "OfferAccepted",
    ]  # fmt: skip
    assert not scene.instructions(ParkLeg), "whoever is joined at once needs no music"
    assert not scene.instructions(PlayWaiting), "told right before the bridge, it would be played over the talk"
    assert not scene.instructions(RingAgent), "the colleague is there"
    assert scene.bridges() == [(scene.caller, ring.leg)]
    scene.joined(scene.caller, ring.leg)
    assert (scene.it.contact_id, scene.it.status) == (contact_id, "connected")
    assert [event.agent_id for event in scene.events(c.ContactConnected)] == ["a1", "a2"]
    assert (scene.status(1), scene.status(2)) == ("wrapping_up", "talking")
    assert len(scene.events(s.AgentReserved)) == 2, "the colleague stays reserved as they were"
    assert len(scene.instructions(StartRecording)) == 1
    scene.hang_up(scene.ring.leg)
    scene.hang_up(scene.caller)
    scene.hang_up(ring.leg)
    assert scene.status(2) == "wrapping_up"
    assert [event.ended_by for event in scene.events(c.AgentSegmentEnded)] == ["transfer", "caller"]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["completed"]


def test_the_caller_is_joined_with_the_agent_again_when_the_agent_cancels() -> None:
    scene = Consulted()
    ring = scene.both_talk()
    scene.told.clear()
    assert scene.press(inputs.EndConsult) == ""
    assert story(scene.outcome) == ["ConsultClosed", "AgentReleased"]
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [ring.leg]
    assert scene.bridges() == [(scene.caller, scene.ring.leg)]
    scene.hang_up(ring.leg)
    scene.joined(scene.caller, scene.ring.leg)
    assert (scene.it.status, scene.status(1), scene.status(2)) == ("connected", "talking", "ready")
    assert scene.consult() == "", "and may be consulted anew"


def test_an_agent_goes_from_one_to_the_other_and_who_is_left_hears_music() -> None:
    scene = Consulted()
    ring = scene.both_talk()
    scene.told.clear()
    assert scene.press(inputs.SwitchConsult) == ""
    assert scene.bridges() == [(scene.caller, scene.ring.leg)]
    scene.joined(scene.caller, scene.ring.leg)
    scene.parked(ring.leg)
    assert [each.leg for each in scene.instructions(PlayWaiting)] == [ring.leg]
    assert scene.it.consult is not None
    assert scene.it.consult.hears == CALLER
    scene.told.clear()
    assert scene.press(inputs.SwitchConsult) == ""
    assert scene.bridges() == [(scene.ring.leg, ring.leg)]
    scene.joined(scene.ring.leg, ring.leg)
    scene.parked(scene.caller)
    assert [each.leg for each in scene.instructions(PlayWaiting)] == [scene.caller]
    assert [event.hears for event in scene.events(e.ConsultJoined)] == [CONSULTED, CALLER, CONSULTED]


def test_with_the_caller_on_the_line_cancelling_needs_no_switch() -> None:
    scene = Consulted()
    scene.both_talk()
    scene.press(inputs.SwitchConsult)
    scene.joined(scene.caller, scene.ring.leg)
    scene.told.clear()
    scene.press(inputs.EndConsult)
    assert scene.bridges() == []
    assert scene.it.status == "connected"


# --- whoever is consulted does not come, or goes ---------------------------------------------------------------------
@pytest.mark.parametrize("cause", ("NO_ANSWER", "USER_BUSY", "CALL_REJECTED", "USER_NOT_REGISTERED"))
def test_a_colleague_who_does_not_answer_leaves_caller_and_agent_together(cause: str) -> None:
    """And is blamed for nothing: a question of a colleague is no offer that was missed."""
    scene = Consulted()
    ring = scene.asked()
    scene.told.clear()
    scene.hang_up(ring.leg, cause)
    assert [(event.outcome, event.cause) for event in scene.events(e.ConsultClosed)] == [("missed", cause)]
    assert scene.bridges() == [(scene.caller, scene.ring.leg)]
    scene.joined(scene.caller, scene.ring.leg)
    assert (scene.it.status, scene.status(2)) == ("connected", "ready")
    assert not scene.events(s.AgentStoodDown)


def test_a_phone_that_rings_for_ever_is_hung_up_after_its_time() -> None:
    scene = Consulted(ring_ms=20_000)
    ring = scene.asked()
    scene.wait(20_000)
    assert scene.it.consult is not None
    assert scene.it.consult.over
    assert scene.instructions(HangUpLeg)[-1].leg == ring.leg
    assert scene.instructions(BridgeLegs)[-1].other == scene.ring.leg


def test_a_colleague_accepts_or_refuses_at_the_desk() -> None:
    scene = Consulted()
    ring = scene.asked()
    for _ in range(2):
        assert scene.refusal(inputs.Accept(agent="1002")) == ""
    assert [each.leg for each in scene.instructions(AnswerPhone)] == [ring.leg]
    for _ in range(2):
        assert scene.refusal(inputs.Reject(agent="1002")) == ""
    assert [(each.leg, each.cause) for each in scene.instructions(HangUpLeg)] == [(ring.leg, "CALL_REJECTED")]
    scene.hang_up(ring.leg, "CALL_REJECTED")
    assert scene.events(e.ConsultClosed)[-1].outcome == "missed"


def test_a_colleague_who_signs_out_while_the_phone_rings_is_asked_no_more() -> None:
    scene = Consulted()
    ring = scene.asked()
    scene.give(inputs.SignOut(agent="1002"))
    assert scene.events(e.ConsultClosed)[-1].cause == "agent_signed_out"
    assert scene.instructions(HangUpLeg)[-1].leg == ring.leg
    assert scene.status(2) == ""


def test_a_colleague_who_signs_out_during_the_consultation_leaves_after_it() -> None:
    scene = Consulted()
    scene.both_talk()
    scene.give(inputs.SignOut(agent="1002"))
    assert scene.status(2) == "reserved"
    scene.press(inputs.EndConsult)
    assert scene.status(2) == ""


def test_a_colleague_who_hangs_up_leaves_caller_and_agent_together() -> None:
    scene = Consulted()
    ring = scene.both_talk()
    scene.told.clear()
    scene.hang_up(ring.leg)
    assert scene.events(e.ConsultClosed)[-1].outcome == "left"
    assert scene.bridges() == [(scene.caller, scene.ring.leg)]


# --- the agent goes --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("where", ("desk", "handset"))
def test_an_agent_who_hangs_up_while_the_colleague_is_there_has_completed(where: str) -> None:
    scene = Consulted()
    ring = scene.both_talk()
    scene.told.clear()
    if where == "desk":
        assert scene.press(inputs.HangUp) == ""
    else:
        scene.hang_up(scene.ring.leg)
    assert len(scene.events(ContactTransferred)) == 1
    assert scene.bridges() == [(scene.caller, ring.leg)]
    scene.joined(scene.caller, ring.leg)
    assert (scene.it.status, scene.status(1), scene.status(2)) == ("connected", "wrapping_up", "talking")


def test_an_agent_who_hangs_up_while_it_still_rings_leaves_the_ring_to_the_caller() -> None:
    scene = Consulted()
    ring = scene.asked()
    scene.told.clear()
    scene.hang_up(scene.ring.leg)
    assert (scene.it.status, scene.bridges()) == ("offered", [])
    scene.answer(ring)
    assert scene.bridges() == [(scene.caller, ring.leg)]


def test_both_ends_hang_up_in_the_same_tick_and_the_caller_waits_in_the_queue() -> None:
    """Complaint 13. Whichever is heard of first."""
    for agent_first in (True, False):
        scene = Consulted()
        ring = scene.both_talk()
        legs = (scene.ring.leg, ring.leg) if agent_first else (ring.leg, scene.ring.leg)
        for leg in legs:
            scene.hang_up(leg)
        assert (scene.it.status, scene.it.queue_id) in {("waiting", "support"), ("offered", "support")}
        assert scene.status(1) == "wrapping_up"
        for leg in scene.it.legs:
            scene.hang_up(leg)
        assert len(scene.events(c.ContactEnded)) == 1


def test_a_colleague_who_dies_while_being_joined_with_the_caller_leaves_the_caller_in_the_queue() -> None:
    scene = Consulted()
    ring = scene.both_talk()
    scene.press(inputs.CompleteConsult)
    scene.hang_up(ring.leg)
    assert scene.it.queue_id == "support"
    assert scene.it.status in {"waiting", "offered"}


# --- the caller goes -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("moment", ("rings", "talks"))
def test_a_caller_who_hangs_up_meanwhile_ends_it_for_both(moment: str) -> None:
    scene = Consulted()
    ring = scene.asked() if moment == "rings" else scene.both_talk()
    scene.hang_up(scene.caller)
    assert {"ConsultClosed", "AgentSegmentEnded", "AgentReleased"} <= set(story(scene.outcome))
    assert {each.leg for each in scene.instructions(HangUpLeg)} >= {ring.leg, scene.ring.leg}
    scene.hang_up(ring.leg)
    scene.hang_up(scene.ring.leg)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["completed"]
    assert (scene.status(1), scene.status(2)) == ("wrapping_up", "ready")
    assert not scene.world.contacts


# --- refused, or asked for twice -------------------------------------------------------------------------------------
def test_nobody_is_consulted_who_cannot_take_a_call() -> None:
    scene = Consulted()
    assert scene.consult(to_agent="1001") == "same_agent"
    assert scene.consult(to_agent="1009") == "unknown_agent"
    assert scene.consult(to_agent="1002", to_number=NUMBER) == "bad_target"
    scene.give(inputs.Pause(agent="1002", reason="break"))
    assert scene.consult() == "agent_not_ready"
    scene.give(inputs.SignOut(agent="1002"))
    assert scene.consult() == "agent_away"
    assert not scene.events(e.ConsultAsked)


def test_a_caller_on_hold_is_talked_with_first() -> None:
    scene = Consulted()
    scene.wait(1_000)
    scene.give(inputs.Hold(agent="1001"))
    scene.give(facts.LegHeld(node=NODE, leg=scene.ring.leg))
    assert scene.consult() == "on_hold"


def test_the_same_wish_sent_twice_is_done_once_and_another_one_is_refused() -> None:
    scene = Consulted()
    contact_id = scene.it.contact_id
    for _ in range(2):
        assert scene.consult(to_agent="1002", about=contact_id) == ""
    assert len(scene.events(e.ConsultAsked)) == 1
    assert scene.consult(to_number=NUMBER) == "consulting"
    assert scene.press(inputs.SwitchConsult) == "not_answered"
    for _ in range(2):
        assert scene.refusal(inputs.CompleteConsult(agent="1001", about=contact_id)) == ""
    assert len(scene.events(ContactTransferred)) == 1


def test_who_consults_nobody_has_nothing_to_complete_or_to_end() -> None:
    scene = Consulted()
    for kind in (inputs.SwitchConsult, inputs.CompleteConsult, inputs.EndConsult):
        assert scene.press(kind) == "not_consulting"


def test_whoever_is_asked_has_no_say_in_the_conversation() -> None:
    scene = Consulted()
    scene.both_talk()
    about = scene.it.contact_id
    for kind in (inputs.HangUp, inputs.CompleteConsult, inputs.EndConsult, inputs.Hold):
        assert scene.refusal(kind(agent="1002", about=about)) == "not_talking"


def test_hold_and_passing_on_wait_until_the_consultation_is_over() -> None:
    scene = Consulted()
    scene.both_talk()
    assert scene.press(inputs.Hold) == "consulting"
    assert scene.press(inputs.Resume) == "consulting"
    about = scene.it.contact_id
    assert scene.refusal(inputs.Transfer(agent="1001", about=about, to_queue="support")) == "consulting"


def test_while_the_switch_is_away_nobody_is_consulted() -> None:
    scene = Consulted()
    scene.disconnect()
    assert scene.consult() == "switch_away"


def test_while_the_switch_is_away_nobody_goes_from_one_to_the_other_and_whoever_hangs_up_has_completed() -> None:
    """Told to be joined before the first look at the legs, they would be told twice."""
    scene = Consulted()
    scene.both_talk()
    scene.disconnect()
    for kind in (inputs.SwitchConsult, inputs.CompleteConsult, inputs.EndConsult):
        assert scene.press(kind) == "switch_away"
    assert scene.press(inputs.HangUp) == ""
    assert len(scene.events(ContactTransferred)) == 1


# --- to a number outside ---------------------------------------------------------------------------------------------
def outside(scene: Consulted) -> DialOutside:
    """A number outside is consulted, answers, and talks with the agent."""
    assert scene.consult(to_number=NUMBER) == ""
    scene.parked(scene.ring.leg)
    scene.parked(scene.caller)
    dialled = scene.instructions(DialOutside)[-1]
    for kind in (facts.LegCreated, facts.LegRinging, facts.LegAnswered, facts.LegParked):
        scene.give(kind(node=NODE, leg=dialled.leg, contact=scene.it.contact_id))
    scene.joined(scene.ring.leg, dialled.leg)
    return dialled


def test_a_number_outside_is_consulted_and_has_the_caller_in_the_end() -> None:
    scene = Consulted()
    dialled = outside(scene)
    scene.told.clear()
    assert scene.press(inputs.CompleteConsult) == ""
    assert not scene.instructions(DialOutside), "it is on the line"
    assert scene.bridges() == [(scene.caller, dialled.leg)]
    scene.joined(scene.caller, dialled.leg)
    assert [event.outcome for event in scene.events(c.QueueVisitEnded)] == ["answered", "transferred"]
    scene.hang_up(dialled.leg)
    scene.hang_up(scene.caller)
    assert [event.ended_by for event in scene.events(o.OutsideSegmentEnded)] == ["outside"]


def test_a_number_outside_that_is_not_wanted_any_more_is_hung_up() -> None:
    scene = Consulted()
    dialled = outside(scene)
    scene.told.clear()
    scene.press(inputs.EndConsult)
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [dialled.leg]
    scene.hang_up(dialled.leg)
    assert not scene.world.outside_legs


# --- what the switch says late, or not at all ------------------------------------------------------------------------
def test_two_who_are_not_joined_in_time_are_looked_for_and_then_the_caller_is_with_the_agent_again() -> None:
    scene = Consulted()
    ring = scene.asked()
    scene.answer(ring)
    scene.told.clear()
    scene.wait(5_000)
    assert len(scene.instructions(TakeSnapshot)) == 1
    scene.wait(5_000)
    assert scene.events(e.ConsultClosed)[-1].cause == "not_connected_in_time"
    assert scene.bridges() == [(scene.caller, scene.ring.leg)]


def test_a_caller_of_whom_the_switch_does_not_say_that_they_are_parked_is_asked_after_and_parked_anew() -> None:
    """Complaints 13, 15; law 9: where that news was lost, the caller would hear silence as long as the two talk."""
    scene = Consulted()
    assert scene.consult() == ""
    scene.wait(1_000)
    assert [event.legs for event in scene.events(c.LegOverdue)] == [(scene.caller,)]
    assert scene.instructions(CheckLeg)[-1].leg == scene.caller
    scene.presence(scene.caller, exists=True)
    scene.snapshot(scene.seen(scene.caller, parked=False))
    assert len(scene.instructions(ParkLeg)) == 2
    scene.parked(scene.caller)
    assert story(scene.outcome) == ["CallerParked"]
    assert [each.leg for each in scene.instructions(PlayWaiting)[-1:]] == [scene.caller]
    scene.wait(5_000)
    assert len(scene.events(c.LegOverdue)) == 1


@pytest.mark.parametrize("heard", (True, False))
def test_a_caller_who_is_left_again_for_the_colleague_hears_music_or_is_asked_after(*, heard: bool) -> None:
    """The agent is taken out of their talk without a word to the caller's leg, which parks sooner than they join."""
    scene = Consulted()
    ring = scene.both_talk()
    scene.press(inputs.SwitchConsult)
    scene.joined(scene.caller, scene.ring.leg)
    scene.press(inputs.SwitchConsult)
    scene.told.clear()
    if heard:
        scene.parked(scene.caller)
    scene.joined(scene.ring.leg, ring.leg)
    scene.wait(1_000)
    assert [each.leg for each in scene.instructions(PlayWaiting)] == ([scene.caller] if heard else [])
    assert [each.leg for each in scene.instructions(CheckLeg)] == ([] if heard else [scene.caller])
    scene.presence(scene.caller, exists=True)
    scene.snapshot(scene.seen(scene.caller, parked=heard))
    assert [each.leg for each in scene.instructions(ParkLeg)] == ([] if heard else [scene.caller])


def test_a_colleague_who_is_left_for_the_caller_hears_music_though_the_two_are_joined_later() -> None:
    scene = Consulted()
    ring = scene.both_talk()
    scene.press(inputs.SwitchConsult)
    scene.told.clear()
    scene.parked(ring.leg)
    assert [each.leg for each in scene.instructions(PlayWaiting)] == [ring.leg]


def test_a_caller_with_whom_the_agent_talks_in_turn_is_not_asked_after_though_nobody_said_they_were_parked() -> None:
    """Parked anew, they would be taken out of that talk."""
    scene = Consulted()
    assert scene.consult() == ""
    ring = scene.colleague()
    scene.ringing(ring)
    scene.answer(ring)
    scene.joined(scene.ring.leg, ring.leg)
    scene.press(inputs.SwitchConsult)
    scene.joined(scene.caller, scene.ring.leg)
    scene.wait(30_000)
    assert not scene.events(c.LegOverdue)
    scene.presence(scene.caller, exists=True)
    assert len(scene.instructions(ParkLeg)) == 1


@pytest.mark.parametrize("heard", (True, False))
def test_a_caller_who_hears_music_is_not_parked_anew_when_the_agent_leaves_the_ring_to_them(*, heard: bool) -> None:
    scene = Consulted()
    assert scene.consult() == ""
    if heard:
        scene.parked(scene.caller)
    scene.told.clear()
    scene.hang_up(scene.ring.leg)
    assert [each.leg for each in scene.instructions(ParkLeg)] == ([] if heard else [scene.caller])
    scene.wait(1_000)
    assert len(scene.events(c.LegOverdue)) == (0 if heard else 1)


def test_a_caller_whose_colleague_dies_while_they_are_joined_hears_music_at_once() -> None:
    scene = Consulted()
    ring = scene.both_talk()
    scene.press(inputs.CompleteConsult)
    scene.told.clear()
    scene.hang_up(ring.leg)
    assert [each.leg for each in scene.instructions(PlayWaiting)] == [scene.caller]
    scene.wait(5_000)
    assert not [each for each in scene.instructions(CheckLeg) if each.leg == scene.caller]


def test_an_agent_who_cannot_go_to_the_caller_in_turn_asks_nobody_any_more_and_comes_back() -> None:
    scene = Consulted()
    scene.both_talk()
    scene.press(inputs.SwitchConsult)
    scene.wait(5_000)
    scene.told.clear()
    scene.wait(5_000)
    assert scene.events(e.ConsultClosed)[-1].cause == "not_connected_in_time"
    assert scene.bridges() == [(scene.caller, scene.ring.leg)]
    scene.joined(scene.caller, scene.ring.leg)
    assert scene.it.status == "connected"


def test_a_caller_who_cannot_be_joined_with_the_agent_again_waits_for_another_one() -> None:
    scene = Consulted()
    scene.both_talk()
    scene.press(inputs.EndConsult)
    scene.wait(10_000)
    assert scene.it.queue_id == "support"
    assert scene.it.status in {"waiting", "offered"}
    assert scene.status(1) == "wrapping_up"


def test_a_caller_and_agent_who_are_not_joined_again_in_time_are_told_to_be_once_more() -> None:
    """Where the agent's leg never says that it is parked."""
    scene = Consulted()
    ring = scene.asked()
    scene.answer(ring)
    scene.hang_up(ring.leg, "CALL_REJECTED")
    scene.told.clear()
    scene.wait(5_000)
    assert len(scene.instructions(TakeSnapshot)) == 1
    assert scene.bridges() == [(scene.caller, scene.ring.leg)]
    scene.joined(scene.caller, scene.ring.leg)
    assert scene.it.status == "connected"


@pytest.mark.parametrize("first", ("parked", "gone", "refused"))
def test_race_a_colleague_hangs_up_while_being_joined_and_the_agent_is_joined_once_their_leg_is_parked(
    first: str,
) -> None:
    """Told before, a switch cancels the first bridge after the second, and the caller waits for nobody. The leg may say
    so before the colleague's does, or the switch found nobody to join it with.
    """
    scene = Consulted()
    ring = scene.asked()
    scene.answer(ring)
    (told,) = [each for each in scene.instructions(BridgeLegs) if each.other == ring.leg]
    scene.told.clear()
    if first == "parked":
        scene.parked(scene.ring.leg)
        assert scene.bridges() == []
    scene.hang_up(ring.leg, "NORMAL_CLEARING")
    if first != "parked":
        assert scene.bridges() == []
    if first == "refused":
        scene.failed(told, "Invalid uuid")
    if first == "gone":
        scene.parked(scene.ring.leg)
    assert scene.bridges() == [(scene.caller, scene.ring.leg)]
    assert [event.cause for event in scene.events(e.ConsultExtended)] == ["agent_away", "agent_parked"]
    scene.parked(scene.ring.leg)
    assert scene.bridges() == [], "once is enough: told again, the two would be parted again"
    scene.joined(scene.caller, scene.ring.leg)
    assert scene.it.status == "connected"
    scene.parked(scene.ring.leg)
    assert scene.bridges() == []


def test_race_a_colleague_who_answers_at_once_is_joined_when_the_agents_leg_has_left_the_caller() -> None:
    """Complaint 13; decision 0108: told before, that the leg left the caller would be taken for the bridge's end."""
    scene = Consulted()
    assert scene.consult() == ""
    ring = scene.colleague()
    scene.told.clear()
    scene.answer(ring)
    scene.parked(scene.caller)
    assert scene.bridges() == []
    scene.parked(scene.ring.leg)
    assert scene.bridges() == [(scene.ring.leg, ring.leg)]
    scene.hang_up(ring.leg, "NORMAL_CLEARING")
    assert scene.bridges() == [], "the switch is still about to cancel that bridge"
    scene.parked(scene.ring.leg)
    assert scene.bridges() == [(scene.caller, scene.ring.leg)]
    assert [event.cause for event in scene.events(e.ConsultExtended)] == ["agent_away", "agent_parked"]
    scene.joined(scene.caller, scene.ring.leg)
    assert scene.it.status == "connected"


def test_race_a_colleague_who_leaves_before_they_were_to_be_joined_has_caller_and_agent_together_once() -> None:
    scene = Consulted()
    assert scene.consult() == ""
    ring = scene.colleague()
    scene.told.clear()
    scene.answer(ring)
    scene.hang_up(ring.leg, "NORMAL_CLEARING")
    assert scene.bridges() == [(scene.caller, scene.ring.leg)], "there is no other bridge to be cancelled"
    scene.parked(scene.ring.leg)
    assert scene.bridges() == []
    scene.joined(scene.caller, scene.ring.leg)
    assert scene.it.status == "connected"


def test_an_agents_leg_that_never_says_that_it_left_the_caller_is_looked_for() -> None:
    scene = Consulted()
    assert scene.consult() == ""
    ring = scene.colleague()
    scene.answer(ring)
    scene.told.clear()
    scene.wait(5_000)
    assert len(scene.instructions(TakeSnapshot)) == 1
    phones = (scene.seen_phone(each, answered=True, parked=True) for each in (scene.ring, ring))
    scene.snapshot(scene.seen(scene.caller), *phones)
    assert scene.bridges() == [(scene.ring.leg, ring.leg)]
    scene.joined(scene.ring.leg, ring.leg)
    assert scene.it.consult is not None
    assert scene.it.consult.hears == CONSULTED


def test_an_agent_who_parks_because_a_colleague_has_left_a_talk_is_not_joined_twice() -> None:
    scene = Consulted()
    ring = scene.both_talk()
    scene.bridges()
    scene.hang_up(ring.leg)
    scene.parked(scene.ring.leg)
    assert scene.bridges() == [(scene.caller, scene.ring.leg)]


def test_a_restart_in_the_middle_keeps_the_consultation() -> None:
    scene = Consulted()
    ring = scene.both_talk()
    scene.restart()
    scene.told.clear()
    scene.connect(
        legs=(
            scene.seen(scene.caller),
            scene.seen_phone(scene.ring, answered=True, bridged_to=ring.leg),
            scene.seen_phone(ring, answered=True, bridged_to=scene.ring.leg),
        )
    )
    assert [each.leg for each in scene.instructions(KeepLeg)] == [scene.ring.leg]
    assert [each.leg for each in scene.instructions(PlayWaiting)] == [scene.caller]
    assert not scene.instructions(HangUpLeg)
    assert scene.press(inputs.CompleteConsult) == ""
    scene.joined(scene.caller, ring.leg)
    assert scene.it.status == "connected"


def test_a_restart_after_the_agent_has_left_lets_the_caller_hear_music_while_that_is_asked_after() -> None:
    """Feature 12.1, seed 904: the engine died before it had told the switch to play it."""
    scene = Consulted()
    ring = scene.both_talk()
    scene.restart()
    scene.told.clear()
    scene.connect(legs=(scene.seen(scene.caller), scene.seen_phone(ring, answered=True)))
    assert scene.ring.leg in [each.leg for each in scene.instructions(CheckLeg)]
    assert [each.leg for each in scene.instructions(PlayWaiting)] == [scene.caller]


def test_a_restart_after_the_colleague_picked_up_and_the_agent_left_gives_the_caller_to_the_colleague() -> None:
    """Feature 12.1, seed 3857: both happened while nobody decided, and the colleague has missed no call."""
    scene = Consulted()
    scene.consult()
    ring = scene.colleague()
    scene.ringing(ring)
    scene.restart()
    scene.told.clear()
    scene.connect(legs=(scene.seen(scene.caller), scene.seen_phone(ring, answered=True, parked=True)))
    assert scene.ring.leg in [each.leg for each in scene.instructions(CheckLeg)]
    scene.presence(scene.ring.leg, exists=False)
    assert scene.bridges()[-1] == (scene.caller, ring.leg)
    scene.joined(scene.caller, ring.leg)
    assert (scene.it.status, scene.status(2)) == ("connected", "talking")


def test_a_colleague_who_answers_as_the_link_comes_up_is_joined_with_the_agent_once() -> None:
    """Feature 12.1: as an agent's phone (`test_recovery`)."""
    scene = Consulted()
    ring = scene.asked()
    scene.restart()
    scene.told.clear()
    scene.give(facts.LinkUp(node=NODE, core="core-1"))
    scene.answer(ring)
    phones = (scene.seen_phone(each, answered=True, parked=True) for each in (scene.ring, ring))
    scene.snapshot(scene.seen(scene.caller), *phones)
    assert scene.bridges() == [(scene.ring.leg, ring.leg)]
    assert [event.cause for event in scene.events(e.ConsultExtended)] == ["agent_away"]


def test_a_restart_before_the_switch_was_told_parks_the_caller_and_asks_after_the_phone() -> None:
    scene = Consulted()
    scene.consult()
    ring = scene.colleague()
    scene.restart()
    scene.sleep(3_000)
    scene.told.clear()
    scene.connect(
        legs=(
            scene.seen(scene.caller, parked=False, bridged_to=scene.ring.leg),
            scene.seen_phone(scene.ring, answered=True, bridged_to=scene.caller),
        )
    )
    assert [each.leg for each in scene.instructions(CheckLeg)] == [ring.leg]
    assert [each.leg for each in scene.instructions(ParkLeg)] == [scene.caller]
    scene.presence(ring.leg, exists=False)
    assert scene.events(e.ConsultClosed)[-1].outcome == "missed"
    scene.joined(scene.caller, scene.ring.leg)
    assert scene.it.status == "connected"


def test_a_restart_of_the_switch_ends_all_of_it() -> None:
    scene = Consulted()
    scene.both_talk()
    scene.disconnect()
    scene.connect("core-2")
    assert not scene.world.contacts
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["switch_lost"]
    assert scene.status(2) == "ready"
    assert "ContactTransferred" not in names(record.event for record in scene.records)


@pytest.mark.parametrize("agent", ("consulted", "given"))
def test_a_caller_who_goes_to_a_colleague_by_choice_makes_no_queue_look_quicker(agent: str) -> None:
    """Feature 3.10: in a consultation as in a transfer, the visit is answered at once, by nobody of the queue."""
    scene = Consulted()
    before = scene.world.waits.expected("support", 0, free=False)
    assert before.estimate_ms >= 0, "one caller was served"
    if agent == "consulted":
        ring = scene.both_talk()
        scene.press(inputs.CompleteConsult)
    else:
        scene.give(inputs.Transfer(agent="1001", about=scene.it.contact_id, to_agent="1002"))
        scene.parked(scene.caller)
        ring = scene.ring_of(scene.caller)
        scene.ringing(ring)
        scene.answer(ring)
    scene.wait(1_000)
    scene.bridge(scene.caller, ring)
    assert scene.it.status == "connected"
    assert scene.events(c.QueueVisitEnded)[-1].outcome == "answered"
    assert scene.world.waits.expected("support", 0, free=False) == before
