"""More than three who hear each other: invited, let go, and left in any order (feature 4.3)."""

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import guest_events as g
from orchestrator.domain.contacts.consult_events import ConsultClosed
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guests import members
from orchestrator.domain.routing.conference import ConferenceConfigured, ConferenceRemoved
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    BridgeLegs,
    ConferLeg,
    DialOutside,
    HangUpLeg,
    Instruction,
    ParkLeg,
    RingAgent,
    StopRecording,
    TakeSnapshot,
)
from orchestrator.runner import inputs as i
from tests.runner.scene import NODE, Scene, story

NUMBER, OTHER_NUMBER = "+8675500000001", "+8675500000002"
MOVED = (BridgeLegs, ConferLeg, ParkLeg)


class Room(Scene):
    """Agents 1 and 2 and a caller hear each other; agents 3 to 6 are ready."""

    def __init__(self, *, first: str = "1002", **queue: object) -> None:
        super().__init__(6, wrap_up_ms=10_000, **queue)  # type: ignore[arg-type]  # a test's own words
        self.configure({"outside-main": OutsideConfigured(allowed=("+86",), ring_ms=30_000)})
        self.caller, self.ring = self.talk(1)
        self.ready(2, 3, 4, 5, 6)
        self.give(replace(i.Consult(agent="1001"), **_target(first)))
        self.first = self.pick_up()
        self.give(facts.LegBridged(node=NODE, leg=self.ring.leg, other=self.first))
        self.give(i.Confer(agent="1001"))
        for leg in (self.caller, self.ring.leg, self.first):
            self.enters(leg)

    @property
    def it(self) -> Contact:
        return self.live(self.caller)

    @property
    def room(self) -> str:
        return self.instructions(ConferLeg)[-1].room

    def enters(self, leg: str) -> list[str]:
        """The switch says that this leg is in the room."""
        return story(self.give(facts.ConferenceChanged(node=NODE, leg=leg, conference=self.room, action="add-member")))

    def invites(self, who: str) -> str:
        """Agent 1 invites an agent or a number; the code of the refusal."""
        return self.refusal(replace(i.Invite(agent="1001", about=self.it.contact_id), **_target(who)))

    def lets_go(self, who: str) -> str:
        return self.refusal(replace(i.LetGo(agent="1001", about=self.it.contact_id), **_target(who)))

    def pick_up(self) -> str:
        """Whoever is rung last answers; their leg."""
        rung: RingAgent | DialOutside = [each for each in self.told if isinstance(each, RingAgent | DialOutside)][-1]
        for kind in (facts.LegCreated, facts.LegRinging, facts.LegAnswered, facts.LegParked):
            self.give(kind(node=NODE, leg=rung.leg, contact=self.it.contact_id))
        return rung.leg

    def joins(self, who: str) -> str:
        """This one is invited, answers, and is in the room."""
        assert self.invites(who) == ""
        leg = self.pick_up()
        assert self.enters(leg) == ["GuestJoined"]
        return leg

    def moved_since(self, begun: int) -> list[Instruction]:
        """Whom the switch was told to move since then."""
        return [each for each in self.told[begun:] if isinstance(each, MOVED)]

    @property
    def holder(self) -> str:
        return self.it.segment.agent_id if self.it.segment is not None else ""


def _target(who: str) -> dict[str, str]:
    return {"to_number": who} if who.startswith("+") else {"to_agent": who}


@pytest.fixture
def room() -> Room:
    return Room()


# --- who comes -------------------------------------------------------------------------------------------------------
def test_a_fourth_is_held_rung_and_brought_in_and_nobody_else_is_moved(room: Room) -> None:
    begun = len(room.told)
    assert room.invites("1003") == ""
    assert story(room.outcome) == ["GuestInvited", "AgentReserved"]
    (ring,) = [each for each in room.told[begun:] if isinstance(each, RingAgent)]
    assert (ring.extension, ring.stays, room.status(3)) == ("1003", True, "reserved")
    fourth = room.pick_up()
    assert story(room.outcome) == ["GuestAnswered"]
    assert [(each.leg, each.room) for each in room.moved_since(begun) if isinstance(each, ConferLeg)] == [
        (fourth, room.it.consult.consult_id)  # type: ignore[union-attr]  # three are together
    ]
    assert len(room.moved_since(begun)) == 1
    assert room.enters(fourth) == ["GuestJoined"]
    assert room.enters(fourth) == []
    assert members(room.it) == (room.caller, room.ring.leg, room.first, fourth)
    assert room.runner.next_due() is None or ("guests", room.it.contact_id) not in dict(room.world.timers)


def test_a_number_outside_is_invited_by_the_rules_of_calls_to_the_outside(room: Room) -> None:
    assert room.invites("+4912345") == "not_allowed"
    room.joins(NUMBER)
    assert room.invites(NUMBER) == "already_in"
    assert len(room.world.outside_legs) == 1


def test_a_full_room_refuses_before_anybody_is_rung_and_has_a_place_again_once_somebody_has_gone(room: Room) -> None:
    """Bad input of call control: to a full conference."""
    room.joins("1003")
    room.invites("1004")  # who rings has a place, too
    begun = len(room.told)
    assert room.invites("1005") == room.invites(NUMBER) == "conference_full"
    assert room.told[begun:] == []
    assert room.status(5) == "ready"
    room.lets_go("1004")
    assert room.invites("1005") == ""


def test_the_limit_is_configured_and_whoever_is_in_stays_when_it_falls(room: Room) -> None:
    room.configure({"conference-main": ConferenceConfigured(most=4)})
    fourth = room.joins("1003")
    assert room.invites("1004") == "conference_full"
    room.configure({"conference-main": ConferenceConfigured(most=3)})
    assert fourth in members(room.it)
    room.configure({"conference-main": ConferenceRemoved()})
    assert room.invites("1004") == ""


def test_who_cannot_be_invited_is_refused_by_the_name_of_the_reason_and_nothing_changes(room: Room) -> None:
    """Bad input of call control: oneself, somebody who is in, nobody, two, a number that is none."""
    room.joins("1003")
    assert room.invites("1001") == "same_agent"
    assert room.invites("1002") == room.invites("1003") == "already_in"
    assert room.invites("1009") == "unknown_agent"
    assert room.invites("+") == "withheld"
    assert room.refusal(i.Invite(agent="1001")) == "bad_target"
    assert room.refusal(i.Invite(agent="1001", to_agent="1004", to_number=NUMBER)) == "bad_target"
    room.give(i.Pause(agent="1004", reason="break"))
    assert room.invites("1004") == "agent_not_ready"
    assert room.refusal(i.Invite(agent="1002", to_agent="1005")) == "not_talking"
    assert room.lets_go("1005") == "no_such_guest"
    assert len(room.it.guests) == 1


def test_nobody_is_invited_before_three_are_together() -> None:
    scene = Scene(agents=3)
    scene.ready(1)
    scene.talk(1)
    scene.ready(2, 3)
    assert scene.refusal(i.Invite(agent="1001", to_agent="1002")) == "not_together"
    scene.give(i.Consult(agent="1001", to_agent="1002"))
    assert scene.refusal(i.Invite(agent="1001", to_agent="1003")) == "not_together"


def test_the_same_invitation_sent_again_is_one_and_a_switch_that_is_away_refuses(room: Room) -> None:
    room.invites("1003")
    assert room.invites("1003") == ""
    assert len(room.events(g.GuestInvited)) == 1
    room.disconnect()
    assert room.invites("1004") == room.lets_go("1003") == "switch_away"


def test_nobody_goes_to_and_fro_while_more_than_three_hear_each_other(room: Room) -> None:
    room.joins("1003")
    assert room.refusal(i.SwitchConsult(agent="1001")) == "in_conference"
    assert room.refusal(i.Hold(agent="1001")) == "consulting"


# --- who does not come -----------------------------------------------------------------------------------------------
def test_a_guest_who_never_answers_is_let_go_without_blame_and_the_others_go_on(room: Room) -> None:
    """Bad input of call control: who is asked never answers. Law 9."""
    room.invites("1003")
    begun = len(room.told)
    room.wait(room.world.queues["support"].settings.ring_ms)
    (closed,) = room.events(g.GuestClosed)
    assert (closed.outcome, closed.cause) == ("missed", "NO_ANSWER")
    assert [type(each) for each in room.told[begun:]] == [HangUpLeg]
    assert (room.status(3), len(members(room.it))) == ("ready", 3)


def test_a_guest_who_signs_out_or_rejects_while_it_rings_is_not_rung_any_more(room: Room) -> None:
    """Bad input of call control: an agent who signs out meanwhile."""
    room.invites("1003")
    room.give(i.SignOut(agent="1003"))
    assert story(room.outcome) == ["SignOutRequested", "GuestClosed", "AgentReleased", "AgentSignedOut"]
    room.invites("1004")
    rung = room.instructions(RingAgent)[-1].leg
    room.ringing(room.instructions(RingAgent)[-1])
    room.give(i.Reject(agent="1004"))
    assert room.instructions(HangUpLeg)[-1].leg == rung
    room.hang_up(rung, "CALL_REJECTED")
    assert (room.status(4), len(room.it.guests)) == ("ready", 0)


def test_a_number_that_is_dead_is_let_go_with_the_cause_of_the_network(room: Room) -> None:
    """Bad input of call control: to a dead number."""
    room.invites(NUMBER)
    dialled = room.instructions(DialOutside)[-1]
    room.give(facts.JobDone(node=NODE, job=dialled.leg, ok=False, answer="UNALLOCATED_NUMBER"))
    (closed,) = room.events(g.GuestClosed)
    assert (closed.outcome, closed.cause) == ("missed", "UNALLOCATED_NUMBER")
    assert not room.world.outside_legs


def test_a_guest_who_does_not_come_into_the_room_is_looked_for_and_then_let_go(room: Room) -> None:
    room.invites("1003")
    leg = room.pick_up()
    room.wait(6_000)
    assert len(room.instructions(TakeSnapshot)) == 1
    room.wait(6_000)
    assert room.events(g.GuestClosed)[-1].cause == "not_connected_in_time"
    assert room.instructions(HangUpLeg)[-1].leg == leg


# --- who leaves ------------------------------------------------------------------------------------------------------
def test_a_guest_leaves_or_is_let_go_and_nobody_else_is_moved(room: Room) -> None:
    third, fourth = room.joins("1003"), room.joins("1004")
    begun = len(room.told)
    assert story(room.hang_up(third)) == ["LegClosed", "GuestClosed", "AgentReleased"]
    assert room.lets_go("1004") == ""
    assert [each.leg for each in room.told[begun:] if isinstance(each, HangUpLeg)] == [fourth]
    assert room.moved_since(begun) == []
    assert (room.status(3), room.status(4), room.holder) == ("ready", "ready", "a1")
    room.hang_up(fourth)
    assert room.refusal(i.SwitchConsult(agent="1001")) == ""


@pytest.mark.parametrize("let_go", (False, True))
def test_who_was_asked_first_leaves_and_the_next_takes_the_place_in_the_same_room(room: Room, *, let_go: bool) -> None:
    fourth, fifth = room.joins("1003"), room.joins("1004")
    name, begun = room.room, len(room.told)
    if let_go:
        assert room.lets_go("1002") == ""
        assert [type(each) for each in room.told[begun:]] == [HangUpLeg]
    room.hang_up(room.first)
    assert room.moved_since(begun) == []
    assert members(room.it) == (room.caller, room.ring.leg, fourth, fifth)
    assert (room.status(2), room.status(3)) == ("ready", "reserved")
    room.invites("1005")
    assert room.pick_up()
    assert room.instructions(ConferLeg)[-1].room == name


def test_when_two_are_left_they_are_joined_by_a_bridge_and_who_rang_rings_no_more(room: Room) -> None:
    room.invites("1003")
    rung, begun = room.instructions(RingAgent)[-1].leg, len(room.told)
    room.hang_up(room.first)
    (bridge,) = room.moved_since(begun)
    assert isinstance(bridge, BridgeLegs)
    assert {bridge.leg, bridge.other} == {room.caller, room.ring.leg}
    assert rung in {each.leg for each in room.instructions(HangUpLeg)}
    assert room.status(3) == "ready"
    room.give(facts.LegBridged(node=NODE, leg=room.caller, other=room.ring.leg))
    assert room.it.status == "connected"


@pytest.mark.parametrize("at_desk", (False, True))
def test_the_holder_leaves_and_the_first_agent_has_the_caller_with_nobody_taken_out(
    room: Room, *, at_desk: bool
) -> None:
    """Complaint 13: who leaves a conference lets nobody fall."""
    fourth = room.joins("1003")
    begun = len(room.told)
    if at_desk:
        room.give(i.HangUp(agent="1001", about=room.it.contact_id))
        assert [each.leg for each in room.told[begun:] if isinstance(each, HangUpLeg)] == [room.ring.leg]
    room.hang_up(room.ring.leg)
    assert room.moved_since(begun) == []
    assert (room.holder, room.it.status) == ("a2", "consulting")
    assert set(members(room.it)) == {room.caller, room.first, fourth}
    assert (room.status(1), room.status(2), room.status(3)) == ("wrapping_up", "talking", "reserved")
    assert room.refusal(i.Invite(agent="1002", to_agent="1005")) == ""
    assert [each.outcome for each in room.events(c.QueueVisitEnded)] == ["answered", "answered"]


def test_where_the_first_is_a_number_outside_a_guest_who_is_an_agent_has_the_caller() -> None:
    room = Room(first=NUMBER)
    fourth = room.joins("1003")
    begun = len(room.told)
    room.hang_up(room.ring.leg)
    assert room.moved_since(begun) == []
    assert room.holder == "a3"
    assert set(members(room.it)) == {room.caller, fourth, room.first}


def test_where_nobody_who_stays_is_an_agent_the_caller_is_joined_with_whoever_was_asked_first() -> None:
    room = Room(first=NUMBER)
    guest = room.joins(OTHER_NUMBER)
    begun = len(room.told)
    room.hang_up(room.ring.leg)
    (bridge,) = room.moved_since(begun)
    assert isinstance(bridge, BridgeLegs)
    assert (bridge.leg, bridge.other) == (room.caller, room.first)
    assert guest in {each.leg for each in room.told[begun:] if isinstance(each, HangUpLeg)}


def test_the_caller_leaves_and_all_of_it_ends_once(room: Room) -> None:
    third = room.joins("1003")
    room.invites("1004")
    fourth = room.instructions(RingAgent)[-1].leg
    room.hang_up(room.caller)
    assert {each.leg for each in room.instructions(HangUpLeg)} >= {room.ring.leg, room.first, third, fourth}
    assert {each.outcome for each in room.events(g.GuestClosed)} == {"caller_left"}
    for leg in (third, fourth, room.first, room.ring.leg):
        room.hang_up(leg)
    assert len(room.events(c.ContactEnded)) == 1
    assert [room.status(n) for n in (1, 2, 3, 4)] == ["wrapping_up", "ready", "ready", "ready"]


def test_all_of_them_hang_up_in_one_tick_in_any_order_and_the_contact_ends_once() -> None:
    """Bad input of call control: two hang up in the same tick. Complaint 13."""
    for turn in range(5):
        room = Room()
        legs = [room.ring.leg, room.first, room.joins("1003"), room.joins("1004"), room.caller]
        for leg in legs[turn:] + legs[:turn]:
            room.hang_up(leg)
        for leg in room.it.legs if room.contact(room.caller) is not None else ():  # of whom it was offered to meanwhile
            assert room.instructions(HangUpLeg)[-1].leg == leg
            room.hang_up(leg)
        assert room.contact(room.caller) is None
        assert len(room.events(c.ContactEnded)) == 1
        assert not room.world.contact_of_leg
        held = [shift for shift in room.world.shifts.values() if shift.status in ("reserved", "talking")]
        assert not held


def test_holder_and_first_leave_in_one_tick_and_the_caller_is_joined_with_the_last_by_a_bridge(room: Room) -> None:
    fourth = room.joins("1003")
    room.hang_up(room.ring.leg)
    begun = len(room.told)
    room.hang_up(room.first)  # who has had the caller for a moment
    (bridge,) = room.moved_since(begun)
    assert isinstance(bridge, BridgeLegs)
    assert {bridge.leg, bridge.other} == {room.caller, fourth}
    room.give(facts.LegBridged(node=NODE, leg=room.caller, other=fourth))
    assert (room.holder, room.it.status) == ("a3", "connected")


# --- recording, after-call work, restarts ----------------------------------------------------------------------------
def test_the_recording_goes_on_in_its_file_whoever_leaves() -> None:
    """Feature 8.1."""
    room = Room(record="always")
    file = f"{room.it.segment.segment_id}.wav"  # type: ignore[union-attr]  # agent 1 talks
    room.give(facts.RecordingStarted(node=NODE, leg=room.caller, path=f"/tmp/{file}"))  # noqa: S108 - a switch's word
    room.joins("1003")
    room.hang_up(room.ring.leg)
    room.hang_up(room.instructions(RingAgent)[-1].leg)
    assert room.instructions(StopRecording) == []
    assert room.it.recording is not None
    assert room.it.recording.file == file


def test_a_guest_has_no_after_call_work_and_a_wish_to_sign_out_waits_for_the_end(room: Room) -> None:
    third = room.joins("1003")
    room.give(i.SignOut(agent="1003"))
    assert third in members(room.it)
    room.hang_up(third)
    assert story(room.outcome) == ["LegClosed", "GuestClosed", "AgentReleased", "AgentSignedOut"]
    assert not room.events(s.WrapUpStarted)


def test_an_engine_that_starts_again_sees_who_is_in_and_brings_in_who_has_answered(room: Room) -> None:
    """Law 5, in each state of a guest: in the room, answered, and ringing."""
    third = room.joins("1003")
    room.invites("1004")
    fourth = room.pick_up()
    name = room.room
    in_room = [room.seen(room.caller, parked=False, room=name), _seen(room.it, room.ring.leg, room=name)]
    in_room += [_seen(room.it, leg, room=name) for leg in (room.first, third)]
    room.restart()
    begun = len(room.told)
    room.connect(legs=(*in_room, _seen(room.it, fourth, parked=True)))
    assert [each.leg for each in room.moved_since(begun)] == [fourth]
    assert room.enters(fourth) == ["GuestJoined"]


def test_an_engine_that_starts_again_takes_the_snapshots_word_for_who_came_meanwhile(room: Room) -> None:
    room.invites("1003")
    leg = room.instructions(RingAgent)[-1].leg
    room.ringing(room.instructions(RingAgent)[-1])
    name = room.room
    in_room = [room.seen(room.caller, parked=False, room=name), _seen(room.it, room.ring.leg, room=name)]
    in_room.append(_seen(room.it, room.first, room=name))
    room.restart()
    room.connect(legs=(*in_room, _seen(room.it, leg, parked=True)))
    assert story(room.outcome)[:1] == ["GuestAnswered"]
    room.disconnect()
    begun = len(room.told)
    room.connect(legs=(*in_room, _seen(room.it, leg, room=name)))
    assert room.moved_since(begun) == []
    assert leg in members(room.it)


def test_a_guest_who_answers_as_the_link_comes_up_is_brought_in_once(room: Room) -> None:
    """Feature 12.1: as an agent's phone (`test_recovery`)."""
    room.invites("1003")
    name = room.room
    in_room = [room.seen(room.caller, parked=False, room=name), _seen(room.it, room.ring.leg, room=name)]
    in_room.append(_seen(room.it, room.first, room=name))
    room.restart()
    begun = len(room.told)
    room.give(facts.LinkUp(node=NODE, core="core-1"))
    leg = room.pick_up()
    room.snapshot(*in_room, _seen(room.it, leg, parked=True))
    assert [each.leg for each in room.moved_since(begun)] == [leg]
    assert room.enters(leg) == ["GuestJoined"]


def _seen(contact: Contact, leg: str, **more: object) -> facts.SeenLeg:
    fields: dict[str, object] = {"leg": leg, "inbound": False, "answered": True, "contact": contact.contact_id, **more}
    return facts.SeenLeg(**fields)  # type: ignore[arg-type]  # a test's own words


def test_with_the_whole_switch_all_of_it_ends(room: Room) -> None:
    """Feature 12.5."""
    room.joins("1003")
    room.disconnect()
    room.connect(core="core-2")
    (ended,) = room.events(c.ContactEnded)
    assert ended.reason == "switch_lost"
    assert [event.outcome for event in room.events(ConsultClosed)] == ["caller_left"]
