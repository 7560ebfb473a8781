"""One of a conference apart from the others: on hold with music, muted, or alone with the agent (feature 4.3)."""

import pytest
from msgspec.structs import replace

from orchestrator.audit.verify import verify
from orchestrator.domain.contacts import guest_events as g
from orchestrator.domain.contacts.asides import hushed_of
from orchestrator.domain.contacts.consults import CALLER, CONSULTED, TOGETHER
from orchestrator.domain.contacts.contacts import ContactConnected, ContactEnded
from orchestrator.domain.contacts.guests import members
from orchestrator.domain.routing.conference import ConferenceConfigured
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    BridgeLegs,
    ConferLeg,
    HangUpLeg,
    Instruction,
    MuteLeg,
    ParkLeg,
    PlayWaiting,
    RingAgent,
    SendDigits,
    TakeSnapshot,
    UnmuteLeg,
)
from orchestrator.runner import inputs as i
from tests.runner.scene import NODE, story
from tests.runner.test_guests import NUMBER, Room

KINDS: dict[str, type[i.OfMember]] = {
    "hold": i.HoldMember,
    "recall": i.RecallMember,
    "alone": i.SpeakAlone,
    "mute": i.MuteMember,
    "unmute": i.UnmuteMember,
}
PAIRS = (BridgeLegs, ConferLeg, ParkLeg, PlayWaiting, MuteLeg, UnmuteLeg)


class Apart(Room):
    """Agents 1, 2 and 3 and a caller hear each other; agent 1 has the caller, 2 was asked first, 3 is a guest."""

    def __init__(self) -> None:
        super().__init__()
        self.guest = self.joins("1003")
        self.told.clear()

    @property
    def room(self) -> str:
        """What the room is called, also where nobody was told into it lately."""
        consult = self.it.consult
        return (consult.room or consult.consult_id) if consult is not None else ""

    def does(self, what: str, who: str = "1003") -> str:
        """Agent 1 does this with one of them; the code of the refusal."""
        target = {"to_number": who} if who.startswith("+") else {"to_agent": who}
        return self.refusal(replace(KINDS[what](agent="1001", about=self.it.contact_id), **target))

    def parked(self, leg: str) -> list[str]:
        """The switch says that this leg is parked."""
        return story(self.give(facts.LegParked(node=NODE, leg=leg, contact=self.it.contact_id)))

    def joined(self, leg: str, other: str) -> list[str]:
        """The switch says that two hear each other."""
        return story(self.give(facts.LegBridged(node=NODE, leg=leg, other=other)))

    def muted(self, leg: str, *, on: bool) -> list[str]:
        """The switch answers that this leg is muted, or heard."""
        return story(self.give(facts.MuteSet(node=NODE, leg=leg, on=on)))

    def done(self) -> list[tuple[str, ...]]:
        """What the switch was told since the last look."""
        found = [_brief(each) for each in self.told if isinstance(each, PAIRS)]
        self.told.clear()
        return found

    def speaks_alone(self) -> None:
        """Agent 1 and the guest speak alone."""
        assert self.does("alone") == ""
        assert self.joined(self.ring.leg, self.guest) == ["AsideBegun"]
        self.told.clear()


def _brief(each: Instruction) -> tuple[str, ...]:
    other = getattr(each, "other", "")
    return (type(each).__name__, each.leg, other) if other else (type(each).__name__, each.leg)


@pytest.fixture
def room() -> Apart:
    return Apart()


# --- on hold ---------------------------------------------------------------------------------------------------------
def test_a_guest_on_hold_is_parked_hears_music_once_it_is_and_comes_back_and_nobody_else_is_moved(room: Apart) -> None:
    assert room.does("hold") == ""
    assert story(room.outcome) == ["GuestHoldAsked"]
    assert room.done() == [("ParkLeg", room.guest)]
    assert members(room.it) == (room.caller, room.ring.leg, room.first)
    assert room.parked(room.guest) == ["GuestHeld"]
    assert room.done() == [("PlayWaiting", room.guest)]
    assert room.does("hold") == ""
    assert story(room.outcome) == []
    assert room.enters(room.guest) == [], "late news from the room"
    assert room.does("recall") == ""
    assert room.done() == [("ConferLeg", room.guest)]
    assert room.enters(room.guest) == ["GuestJoined"]
    assert ("guests", room.it.contact_id) not in dict(room.world.timers)


def test_a_hold_of_which_the_switch_says_nothing_is_looked_for_and_then_the_guest_is_let_go(room: Apart) -> None:
    room.does("hold")
    room.told.clear()
    room.wait(5_000)
    assert len(room.instructions(TakeSnapshot)) == 1
    room.wait(5_000)
    assert room.events(g.GuestClosed)[-1].cause == "not_connected_in_time"
    assert [each.leg for each in room.instructions(HangUpLeg)] == [room.guest]
    assert members(room.it) == (room.caller, room.ring.leg, room.first)


def test_who_was_asked_first_is_put_on_hold_by_changing_places_with_who_is_in_the_room(room: Apart) -> None:
    assert room.does("hold", "1002") == ""
    assert story(room.outcome) == ["PlacesSwapped", "GuestHoldAsked"]
    assert room.done() == [("ParkLeg", room.first)]
    assert room.parked(room.first) == ["GuestHeld"]
    assert members(room.it) == (room.caller, room.ring.leg, room.guest)
    assert room.does("hold", "1003") == "last_one"
    assert room.does("alone", "1003") == "last_one"
    room.hang_up(room.guest)
    assert room.it.consult is not None
    assert (room.it.consult.leg, room.it.consult.wish, room.it.guests) == (room.first, CALLER, ())


def test_who_was_asked_first_leaves_while_the_guest_is_on_hold_and_the_agent_talks_with_the_caller(room: Apart) -> None:
    room.does("hold")
    room.parked(room.guest)
    room.told.clear()
    room.hang_up(room.first)
    assert ("BridgeLegs", room.caller, room.ring.leg) in room.done()
    assert room.joined(room.caller, room.ring.leg) == ["ConsultJoined"]
    assert room.it.consult is not None
    assert (room.it.consult.leg, room.it.consult.hears) == (room.guest, CALLER)
    assert room.refusal(i.SwitchConsult(agent="1001")) == ""


def test_the_agent_leaves_while_the_only_guest_is_on_hold_and_the_guest_goes_with_them(room: Apart) -> None:
    room.does("hold")
    room.parked(room.guest)
    room.told.clear()
    room.hang_up(room.ring.leg)
    assert ("BridgeLegs", room.caller, room.first) in room.done()
    assert room.events(g.GuestClosed)[-1].outcome == "ended"
    room.joined(room.caller, room.first)
    assert [event.agent_id for event in room.events(ContactConnected)] == ["a1", "a2"]


# --- alone -----------------------------------------------------------------------------------------------------------
def test_agent_and_guest_speak_alone_while_the_others_go_on_and_come_back_together(room: Apart) -> None:
    assert room.does("alone") == ""
    assert room.done() == [("BridgeLegs", room.ring.leg, room.guest)]
    assert members(room.it) == (room.caller, room.first)
    assert room.joined(room.ring.leg, room.guest) == ["AsideBegun"]
    assert room.joined(room.ring.leg, room.guest) == []
    assert room.does("alone") == ""
    assert room.does("alone", "1002") == "aside"
    assert room.does("hold", "1002") == "last_one"
    assert room.invites("1004") == "aside"
    assert room.refusal(i.SwitchConsult(agent="1001")) == "in_conference"
    room.give(i.SendDigits(agent="1001", digits="42#"))
    assert [each.leg for each in room.instructions(SendDigits)] == [room.guest]
    room.told.clear()
    assert room.does("recall") == ""
    assert story(room.outcome) == ["AsideEnded", "GuestRecalled"]
    assert room.done() == [("ConferLeg", room.ring.leg), ("ConferLeg", room.guest)]
    assert room.enters(room.ring.leg) == ["AgentReturned"]
    assert room.enters(room.guest) == ["GuestJoined"]
    assert members(room.it) == (room.caller, room.ring.leg, room.first, room.guest)
    assert ("guests", room.it.contact_id) not in dict(room.world.timers)


def test_one_more_is_spoken_with_alone_as_they_pick_up_before_they_are_brought_in(room: Apart) -> None:
    assert room.refusal(i.Invite(agent="1001", to_agent="1004", alone=True)) == ""
    assert story(room.outcome)[:2] == ["GuestInvited", "AsideIntended"]
    assert room.does("alone") == "aside"
    fifth = room.pick_up()
    assert story(room.outcome) == ["GuestAnswered", "AsideAsked"]
    assert room.done() == [("BridgeLegs", room.ring.leg, fifth)]
    assert members(room.it) == (room.caller, room.first, room.guest)
    assert room.joined(room.ring.leg, fifth) == ["AsideBegun"]
    assert room.does("recall", "1004") == ""
    assert room.enters(fifth) == ["GuestJoined"]
    assert room.enters(room.ring.leg) == ["AgentReturned"]


def test_a_number_outside_is_spoken_with_alone_and_put_on_hold_while_the_agent_goes_back() -> None:
    room = Apart()
    room.refusal(i.Invite(agent="1001", to_number=NUMBER, alone=True))
    fifth = room.pick_up()
    room.joined(room.ring.leg, fifth)
    room.told.clear()
    assert room.does("hold", NUMBER) == ""
    assert story(room.outcome) == ["AsideEnded", "GuestHoldAsked"]
    assert room.done() == [("ConferLeg", room.ring.leg)], "whom the agent leaves is left parked by that alone"
    assert room.parked(fifth) == ["GuestHeld"]
    assert room.done() == [("PlayWaiting", fifth)]
    assert room.enters(room.ring.leg) == ["AgentReturned"]
    assert room.does("alone", NUMBER) == ""
    assert room.done() == [("BridgeLegs", room.ring.leg, fifth)]


@pytest.mark.parametrize("let_go", (False, True))
def test_a_guest_who_leaves_the_agent_alone_brings_the_agent_back(room: Apart, *, let_go: bool) -> None:
    room.speaks_alone()
    if let_go:
        assert room.lets_go("1003") == ""
    else:
        room.hang_up(room.guest)
    assert story(room.outcome)[-2:][:1] == ["AsideEnded"] or "AsideEnded" in story(room.outcome)
    assert room.done() == [("ConferLeg", room.ring.leg)]
    room.parked(room.ring.leg)
    assert room.done() == [], "parked by a talk that was over: told once is enough"
    assert room.enters(room.ring.leg) == ["AgentReturned"]
    assert room.it.guests == ()


def test_race_a_guest_who_leaves_as_the_agent_is_joined_with_them_and_the_agent_is_parked_behind_the_way_back(
    room: Apart,
) -> None:
    """As of a consultation: the bridge is cancelled after the switch was told to bring the agent back."""
    room.does("alone")
    room.hang_up(room.guest)
    room.told.clear()
    assert room.parked(room.ring.leg) == ["AsideExtended"]
    assert room.done() == [("ConferLeg", room.ring.leg)]
    assert room.parked(room.ring.leg) == []


def test_who_was_asked_first_leaves_while_agent_and_guest_speak_alone_and_the_caller_waits_for_them(
    room: Apart,
) -> None:
    room.speaks_alone()
    room.hang_up(room.first)
    assert [("ParkLeg", room.caller)] == room.done()
    assert room.it.consult is not None
    assert (room.it.consult.leg, room.it.consult.hears, room.it.guests, room.it.aside) == (
        room.guest, CONSULTED, (), None,
    )  # fmt: skip
    inbound = facts.LegParked(node=NODE, leg=room.caller, inbound=True, contact=room.it.contact_id)
    room.give(inbound)
    assert [each.leg for each in room.instructions(PlayWaiting)] == [room.caller]
    assert room.refusal(i.CompleteConsult(agent="1001")) == ""


def test_the_agent_leaves_out_of_a_talk_alone_and_the_caller_is_with_who_was_asked_first(room: Apart) -> None:
    room.speaks_alone()
    room.hang_up(room.ring.leg)
    assert ("BridgeLegs", room.caller, room.first) in room.done()
    room.joined(room.caller, room.first)
    assert (room.it.status, room.it.aside) == ("connected", None)


def test_the_caller_leaves_while_two_speak_alone_and_all_of_it_ends_once(room: Apart) -> None:
    room.speaks_alone()
    legs = room.it.legs
    room.hang_up(room.caller)
    for leg in legs:
        room.hang_up(leg)
    assert len(room.events(ContactEnded)) == 1
    assert not room.world.contacts


def test_agent_and_guest_who_are_not_joined_in_time_are_looked_for_and_then_the_guest_goes(room: Apart) -> None:
    room.does("alone")
    room.told.clear()
    room.wait(5_000)
    assert len(room.instructions(TakeSnapshot)) == 1
    room.told.clear()
    room.wait(5_000)
    assert [event.outcome for event in room.events(g.AsideEnded)] == ["left"]
    assert room.done() == [("ConferLeg", room.ring.leg)]
    room.wait(10_000)
    assert room.done()[-1] == ("BridgeLegs", room.caller, room.ring.leg), "an agent who cannot be brought back"
    room.joined(room.caller, room.ring.leg)
    assert room.it.status == "connected"


# --- on the way back in as whoever was asked first leaves -------------------------------------------------------------
def _whole(room: Apart) -> None:
    """Nobody is let go, and everybody hears each other in the end."""
    assert not room.instructions(HangUpLeg)
    assert members(room.it) == (room.caller, room.ring.leg, room.guest)
    assert room.it.consult is not None
    assert (room.it.consult.leg, room.it.consult.hears, room.it.consult.due) == (room.guest, TOGETHER, 0)
    assert (room.it.guests, room.it.aside) == ((), None)
    report = verify(room.records, expect_contacts=0)
    assert report.ok, report.problems[:3]


@pytest.mark.parametrize("agent_first", (False, True))
def test_who_was_asked_first_leaves_while_agent_and_guest_are_on_the_way_back_and_they_are_three(
    room: Apart, *, agent_first: bool
) -> None:
    room.speaks_alone()
    room.does("recall")
    room.told.clear()
    room.hang_up(room.first)
    assert story(room.outcome)[:3] == ["LegClosed", "ConsultClosed", "GuestPromoted"]
    assert room.done() == [], "both have been told into the room already, and the caller is there"
    comes = (room.ring.leg, room.guest) if agent_first else (room.guest, room.ring.leg)
    assert room.enters(comes[0]) == ["MemberJoined"]
    assert room.enters(comes[1]) == ["MemberJoined", "ConsultJoined"]
    _whole(room)
    assert room.refusal(i.SwitchConsult(agent="1001")) == ""


@pytest.mark.parametrize("comes", ("recalled", "invited"))
def test_who_was_asked_first_leaves_while_a_guest_is_on_the_way_in_to_the_agent_and_they_are_three(comes: str) -> None:
    room = Apart()
    if comes == "recalled":
        room.does("hold")
        room.parked(room.guest)
        room.does("recall")
    else:
        room.lets_go("1003")
        room.hang_up(room.guest)
        room.invites("1004")
        room.guest = room.pick_up()
    room.told.clear()
    room.hang_up(room.first)
    assert room.done() == []
    assert room.enters(room.guest) == ["MemberJoined", "ConsultJoined"]
    _whole(room)


def test_one_who_is_on_the_way_in_is_kept_and_those_who_are_not_go(room: Apart) -> None:
    held = room.joins("1004")
    room.does("hold", "1004")
    room.parked(held)
    room.does("hold")
    room.parked(room.guest)
    room.does("recall")
    room.told.clear()
    room.hang_up(room.first)
    assert [each.leg for each in room.instructions(HangUpLeg)] == [held]
    room.told.clear()
    room.hang_up(held)
    assert room.enters(room.guest) == ["MemberJoined", "ConsultJoined"]
    _whole(room)


def test_a_guest_on_the_way_in_who_does_not_come_is_looked_for_and_then_agent_and_caller_go_on(room: Apart) -> None:
    room.speaks_alone()
    room.does("recall")
    room.hang_up(room.first)
    room.enters(room.ring.leg)
    room.told.clear()
    room.wait(5_000)
    assert len(room.instructions(TakeSnapshot)) == 1
    room.wait(10_000)
    assert [each.leg for each in room.instructions(HangUpLeg)] == [room.guest]
    assert ("BridgeLegs", room.caller, room.ring.leg) in room.done()
    room.joined(room.caller, room.ring.leg)
    assert room.it.status == "connected"


def _everybody(scene: Apart, **agent: object) -> tuple[facts.SeenLeg, ...]:
    """What the switch lists: caller and first colleague in the room, the agent somewhere."""
    inside = (scene.seen(leg, room=scene.room, parked=False) for leg in (scene.caller, scene.first))
    return (*inside, scene.seen(scene.ring.leg, **agent))


def test_one_to_be_spoken_with_alone_who_answers_as_the_link_comes_up_is_joined_once(room: Apart) -> None:
    """Feature 12.1: as an agent's phone (`test_recovery`)."""
    room.lets_go("1003")
    room.hang_up(room.guest)
    assert room.refusal(i.Invite(agent="1001", to_agent="1004", alone=True)) == ""
    ring = room.instructions(RingAgent)[-1]
    room.restart()
    room.told.clear()
    room.give(facts.LinkUp(node=NODE, core="core-1"))
    fifth = ring.leg
    room.answer(ring)
    room.snapshot(*_everybody(room, room=room.room, parked=False), room.seen(fifth))
    assert room.done() == [("BridgeLegs", room.ring.leg, fifth)]
    assert not room.events(g.AsideExtended)


def test_an_agent_whose_guest_hangs_up_as_the_link_comes_up_is_told_back_into_the_room_once(room: Apart) -> None:
    """Feature 12.1: as an agent's phone (`test_recovery`)."""
    room.speaks_alone()
    room.restart()
    room.told.clear()
    room.give(facts.LinkUp(node=NODE, core="core-1"))
    room.hang_up(room.guest)
    room.snapshot(*_everybody(room))
    assert [each for each in room.done() if each[0] == "ConferLeg"] == [("ConferLeg", room.ring.leg)]
    assert not room.events(g.AsideExtended)
    room.enters(room.ring.leg)


def test_an_engine_that_starts_again_meanwhile_brings_in_who_is_not_there(room: Apart) -> None:
    room.speaks_alone()
    room.does("recall")
    room.hang_up(room.first)
    room.restart()
    room.told.clear()
    there = room.seen(room.caller, room=room.room, parked=False)
    apart = room.seen(room.ring.leg, bridged_to=room.guest, parked=False)
    other = room.seen(room.guest, bridged_to=room.ring.leg, parked=False, answered=True)
    room.connect(legs=(there, apart, other))
    assert [each for each in room.done() if each[0] == "ConferLeg"] == [
        ("ConferLeg", room.ring.leg),
        ("ConferLeg", room.guest),
    ]
    room.enters(room.ring.leg)
    room.enters(room.guest)
    _whole(room)


@pytest.mark.parametrize("stays", (False, True))
def test_race_the_agent_is_parked_behind_the_way_back_and_is_brought_in_once_more(room: Apart, *, stays: bool) -> None:
    """A bridge to somebody who leaves is cancelled late, as another guest comes in and whoever was asked first goes."""
    gone = room.joins("1004")
    room.does("hold")
    room.parked(room.guest)
    room.does("alone", "1004")
    room.hang_up(gone)
    room.does("recall")
    room.hang_up(room.first)
    room.told.clear()
    if not stays:
        room.hang_up(room.guest)
        assert room.done() == [], "the bridge with the caller would be cancelled, too"
        room.parked(room.ring.leg)
        assert room.done() == [("BridgeLegs", room.caller, room.ring.leg)]
        return
    assert room.parked(room.ring.leg) == ["ConsultExtended"]
    assert room.done() == [("ConferLeg", room.ring.leg)]
    assert room.parked(room.ring.leg) == []
    room.enters(room.guest)
    room.enters(room.ring.leg)
    _whole(room)


# --- two on the way in ------------------------------------------------------------------------------------------------
AGENT_TOO = pytest.mark.parametrize("agent_too", (False, True), ids=("guests", "agent_too"))


def _two_on_the_way(room: Apart, *, agent_too: bool) -> str:
    """Guest 3 and one more are on the way in, and with `agent_too` the agent is on the way back; the other's leg."""
    if agent_too:
        other = room.joins("1004")
        room.does("hold", "1004")
        room.parked(other)
        room.speaks_alone()
        room.does("recall")
        room.does("recall", "1004")
    else:
        room.does("hold")
        room.parked(room.guest)
        room.does("recall")
        room.invites("1004")
        other = room.pick_up()
    room.told.clear()
    return other


def _all_four(room: Apart, other: str) -> None:
    """Nobody was let go, nobody is waited for, and all hear each other."""
    assert not room.instructions(HangUpLeg)
    consult = room.it.consult
    assert consult is not None
    assert {*members(room.it)} == {room.caller, room.ring.leg, room.guest, other}
    assert (consult.hears, consult.wish, consult.due, consult.inside) == (TOGETHER, "", 0, ())
    assert [(guest.joined, guest.due) for guest in room.it.guests] == [(True, 0)]
    report = verify(room.records, expect_contacts=0)
    assert report.ok, report.problems[:3]


@AGENT_TOO
@pytest.mark.parametrize("order", ("first", "second", "agent"))
def test_who_was_asked_first_leaves_while_two_are_on_the_way_in_and_both_are_kept(
    *, agent_too: bool, order: str
) -> None:
    """Decision 0104: nobody is cut off who was told into the room."""
    room = Apart()
    other = _two_on_the_way(room, agent_too=agent_too)
    room.hang_up(room.first)
    assert story(room.outcome)[:3] == ["LegClosed", "ConsultClosed", "GuestPromoted"]
    assert room.done() == [], "all have been told into the room already"
    assert room.refusal(i.Invite(agent="1001", about=room.it.contact_id, to_agent="1005")) == "not_together"
    assert room.refusal(i.SwitchConsult(agent="1001")) == "in_conference"
    agent = (room.ring.leg,) if agent_too else ()
    comes = {
        "first": (room.guest, other, *agent),
        "second": (other, room.guest, *agent),
        "agent": (*agent, other, room.guest),
    }[order]
    told = [event for leg in comes for event in room.enters(leg)]
    assert sorted(told) == sorted([*["MemberJoined"] * (1 + agent_too), "ConsultJoined", "GuestJoined"])
    _all_four(room, other)
    assert room.lets_go("1004") == ""
    room.hang_up(other)
    assert room.refusal(i.SwitchConsult(agent="1001")) == "", "two are left, and are as any two"


@AGENT_TOO
@pytest.mark.parametrize("there", ("nobody", "other", "agent", "both"))
@pytest.mark.parametrize("how", ("hangs_up", "let_go", "late"))
def test_the_next_one_leaves_before_all_are_there_and_the_other_takes_the_place(
    *, agent_too: bool, there: str, how: str
) -> None:
    room = Apart()
    other = _two_on_the_way(room, agent_too=agent_too)
    room.hang_up(room.first)
    inside = {"nobody": (), "other": (other,), "agent": (room.ring.leg,), "both": (other, room.ring.leg)}[there]
    for leg in inside:
        room.enters(leg)
    room.told.clear()
    if how == "hangs_up":
        room.hang_up(room.guest)
    elif how == "let_go":
        assert room.lets_go("1003") == ""
    else:
        room.wait(5_000)
        assert len(room.instructions(TakeSnapshot)) >= 1
        for leg in (other, room.ring.leg):
            room.enters(leg)
        room.wait(10_000)
    if how != "hangs_up":
        assert [each.leg for each in room.instructions(HangUpLeg)] == [room.guest]
        room.hang_up(room.guest)
    assert room.done() == [], "nobody who stays is moved"
    for leg in (other, room.ring.leg):
        room.enters(leg)
    room.guest = other
    room.told.clear()
    _whole(room)
    assert room.runner.next_due() is None or not {"consult", "guests"} & {kind for kind, _ in dict(room.world.timers)}


@AGENT_TOO
@pytest.mark.parametrize("who", ("agent", "caller"))
def test_who_has_the_room_leaves_while_two_come_and_nobody_is_left_alone(*, agent_too: bool, who: str) -> None:
    room = Apart()
    other = _two_on_the_way(room, agent_too=agent_too)
    room.hang_up(room.first)
    room.enters(other)
    room.told.clear()
    room.hang_up(room.ring.leg if who == "agent" else room.caller)
    gone = {each.leg for each in room.instructions(HangUpLeg)}
    if who == "caller":
        assert gone == {room.ring.leg, room.guest, other}
        return
    assert gone == {other}, "the caller is joined with whoever is asked by then"
    assert ("BridgeLegs", room.caller, room.guest) in room.done()


@AGENT_TOO
def test_an_engine_that_starts_again_while_two_come_brings_in_who_is_not_there(*, agent_too: bool) -> None:
    room = Apart()
    other = _two_on_the_way(room, agent_too=agent_too)
    room.hang_up(room.first)
    room.restart()
    room.told.clear()
    agent = (
        room.seen(room.ring.leg, bridged_to=room.guest, parked=False)
        if agent_too
        else room.seen(room.ring.leg, room=room.room, parked=False)
    )
    room.connect(
        legs=(
            room.seen(room.caller, room=room.room, parked=False),
            agent,
            room.seen(room.guest, answered=True),
            room.seen(other, room=room.room, parked=False, answered=True),
        )
    )
    brought = {each[1] for each in room.done() if each[0] == "ConferLeg"}
    assert brought == {room.guest, *((room.ring.leg,) if agent_too else ())}
    for leg in (room.guest, room.ring.leg):
        room.enters(leg)
    _all_four(room, other)


# --- on the way in while the agent speaks with another one alone ------------------------------------------------------
def _one_comes_while_two_speak_alone(room: Apart, how: str) -> str:
    """Agent 1 speaks with guest 3 alone, and agent 4 is on the way into the room; their leg."""
    if how == "recalled":
        other = room.joins("1004")
        room.does("hold", "1004")
        room.parked(other)
        room.speaks_alone()
        assert room.does("recall", "1004") == ""
    else:
        assert room.invites("1004") == ""
        rung = [each for each in room.told if isinstance(each, RingAgent)][-1]
        room.speaks_alone()
        room.told.append(rung)
        other = room.pick_up()
    assert ("ConferLeg", other) in room.done()
    return other


@pytest.mark.parametrize("how", ("recalled", "invited"))
def test_who_was_asked_first_leaves_while_one_comes_in_and_the_agent_speaks_with_another_alone(
    room: Apart, how: str
) -> None:
    """Decision 0104: who comes in is with the caller, and the two who speak alone are not disturbed."""
    other = _one_comes_while_two_speak_alone(room, how)
    room.hang_up(room.first)
    assert story(room.outcome)[:3] == ["LegClosed", "ConsultClosed", "GuestPromoted"]
    assert room.done() == [], "nobody is moved"
    assert room.enters(other) == ["MemberJoined", "ConsultJoined"]
    assert members(room.it) == (room.caller, other)
    assert not room.instructions(HangUpLeg)
    assert room.does("recall") == ""
    assert sorted(room.done()) == sorted([("ConferLeg", room.ring.leg), ("ConferLeg", room.guest)])
    assert room.enters(room.ring.leg) == ["AgentReturned"]
    assert room.enters(room.guest) == ["GuestJoined"]
    _all_four(room, other)


@pytest.mark.parametrize("how", ("hangs_up", "late"))
def test_who_comes_in_leaves_before_they_are_there_and_the_agent_consults_the_one_they_speak_with(
    room: Apart, how: str
) -> None:
    other = _one_comes_while_two_speak_alone(room, "recalled")
    room.hang_up(room.first)
    if how == "hangs_up":
        room.hang_up(other)
    else:
        room.wait(5_000)
        assert len(room.instructions(TakeSnapshot)) == 1
        room.wait(10_000)
        assert [each.leg for each in room.instructions(HangUpLeg)] == [other]
    assert room.done() == [("ParkLeg", room.caller)], "the caller would be alone in the room"
    assert room.it.consult is not None
    assert (room.it.consult.leg, room.it.consult.hears, room.it.guests) == (room.guest, CONSULTED, ())
    report = verify(room.records, expect_contacts=0)
    assert report.ok, report.problems[:3]


def test_the_one_spoken_with_alone_leaves_while_the_other_comes_in_and_the_agent_is_with_them(room: Apart) -> None:
    other = _one_comes_while_two_speak_alone(room, "recalled")
    room.hang_up(room.first)
    room.hang_up(room.guest)
    assert room.done() == [("ConferLeg", room.ring.leg)]
    assert room.enters(room.ring.leg) == ["AgentReturned"]
    assert room.enters(other) == ["MemberJoined", "ConsultJoined"]
    assert members(room.it) == (room.caller, room.ring.leg, other)
    report = verify(room.records, expect_contacts=0)
    assert report.ok, report.problems[:3]


@pytest.mark.parametrize("comes", (False, True), ids=("alone", "another_comes"))
def test_one_who_rings_goes_and_it_is_on_record_that_the_conference_is_over(room: Apart, *, comes: bool) -> None:
    room.configure({"conference-main": ConferenceConfigured(most=6)})
    other = room.joins("1004")
    room.does("hold", "1004")
    room.parked(other)
    assert room.invites("1005") == ""
    rung = [each for each in room.told if isinstance(each, RingAgent)][-1]
    room.speaks_alone()
    if comes:
        room.does("recall", "1004")
    room.hang_up(room.first)
    gone = [rung.leg] if comes else [other, rung.leg]
    assert [event.outcome for event in room.events(g.GuestClosed)] == ["ended"] * len(gone)
    assert [each.leg for each in room.instructions(HangUpLeg)] == gone
    report = verify(room.records, expect_contacts=0)
    assert report.ok, report.problems[:3]


def test_an_engine_that_starts_again_while_one_comes_in_and_two_speak_alone(room: Apart) -> None:
    other = _one_comes_while_two_speak_alone(room, "recalled")
    room.hang_up(room.first)
    room.restart()
    room.told.clear()
    room.connect(
        legs=(
            room.seen(room.caller, room=room.room, parked=False),
            room.seen(room.ring.leg, bridged_to=room.guest, parked=False),
            room.seen(room.guest, bridged_to=room.ring.leg, parked=False, answered=True),
            room.seen(other, answered=True),
        )
    )
    assert room.done() == [("ConferLeg", other)], "one is brought in, and two are left alone"
    assert room.enters(other) == ["MemberJoined", "ConsultJoined"]
    assert members(room.it) == (room.caller, other)


def test_race_the_agent_is_parked_behind_the_way_back_though_the_next_one_has_left_meanwhile(room: Apart) -> None:
    """A bridge that was cancelled late parks the agent alone, and they are brought in once more, whoever is asked."""
    room.configure({"conference-main": ConferenceConfigured(most=6)})
    gone = room.joins("1005")
    other = room.joins("1004")
    for who, leg in (("1003", room.guest), ("1004", other)):
        room.does("hold", who)
        room.parked(leg)
    room.does("alone", "1005")
    room.hang_up(gone)
    room.does("recall")
    room.does("recall", "1004")
    room.hang_up(room.first)
    room.hang_up(room.guest)
    room.told.clear()
    assert room.parked(room.ring.leg) == ["ConsultExtended"]
    assert room.done() == [("ConferLeg", room.ring.leg)]
    room.guest = other
    room.enters(room.ring.leg)
    room.enters(other)
    _whole(room)


# --- muted -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ("1002", "1003"))
def test_one_is_muted_and_heard_again_and_the_switch_has_the_last_word(room: Apart, who: str) -> None:
    leg = room.first if who == "1002" else room.guest
    assert room.does("mute", who) == ""
    assert room.done() == [("MuteLeg", leg)]
    assert room.muted(leg, on=True) == ["MemberMuted"]
    assert room.muted(leg, on=True) == []
    assert room.does("mute", who) == ""
    assert room.done() == []
    known = hushed_of(room.it, leg)
    assert known is not None
    assert known.muted
    assert room.does("unmute", who) == ""
    assert room.done() == [("UnmuteLeg", leg)]
    assert room.muted(leg, on=False) == ["MemberUnmuted"]
    assert room.it.hushed == ()


def test_a_mute_that_fails_is_said_and_a_second_press_tells_the_switch_again(room: Apart) -> None:
    room.does("mute")
    (told,) = room.instructions(MuteLeg)
    assert story(room.failed(told, "timeout")) == ["MemberMuteFailed"]
    room.told.clear()
    assert room.does("mute") == ""
    assert room.done() == [("MuteLeg", room.guest)]


def test_a_mute_goes_along_through_a_hold_and_ends_when_they_are_spoken_with_alone(room: Apart) -> None:
    room.does("mute")
    room.muted(room.guest, on=True)
    room.does("hold")
    room.parked(room.guest)
    room.does("recall")
    room.enters(room.guest)
    assert hushed_of(room.it, room.guest) is not None
    room.told.clear()
    room.does("alone")
    assert ("UnmuteLeg", room.guest) in room.done()
    assert room.does("mute") == "not_in_room"
    assert room.muted(room.guest, on=False) == ["MemberUnmuted"]
    assert room.it.hushed == ()


def test_who_has_the_caller_or_talks_in_two_is_heard(room: Apart) -> None:
    """Nobody is left who could let them be heard."""
    room.does("mute", "1002")
    room.muted(room.first, on=True)
    room.does("mute")
    room.muted(room.guest, on=True)
    room.told.clear()
    room.hang_up(room.ring.leg)
    assert room.done() == [("UnmuteLeg", room.first)], "the heir; the guest stays muted in the room"
    assert [each.leg for each in room.it.hushed] == [room.guest]
    room.hang_up(room.first)
    assert ("UnmuteLeg", room.guest) in room.done()


@pytest.mark.parametrize("guests", (False, True))
def test_who_has_the_caller_is_told_to_be_heard_until_the_switch_says_so(*, guests: bool) -> None:
    """An engine that ends between the commit and the write has not told the switch: its heir does."""
    room = Apart()
    if not guests:
        room.lets_go("1003")
        room.hang_up(room.guest)
    room.does("mute", "1002")
    room.muted(room.first, on=True)
    heard = room.first
    room.hang_up(room.ring.leg)
    if not guests:
        assert ("BridgeLegs", room.caller, heard) in room.done()
    stay = [leg for leg in (room.caller, heard, room.guest) if leg in room.it.legs]
    room.restart()
    told: UnmuteLeg | None = None
    for again in range(2):
        room.disconnect()
        room.told.clear()
        where = {"room": room.room} if guests else {"bridged_to": heard if again else ""}
        room.connect(legs=tuple(room.seen(leg, parked=False, **where) for leg in stay))
        told = next(each for each in room.instructions(UnmuteLeg) if each.leg == heard)
        if not guests and not again:
            room.joined(room.caller, heard)
        segment = room.it.segment
        assert segment is not None
        assert (segment.leg, segment.muted, segment.mute_wish) == (heard, True, "unmute")
    room.told.clear()
    assert told is not None
    assert story(room.failed(told, "timeout")) == ["MuteFailed"]
    assert room.refusal(i.Unmute(agent="1002")) == ""
    assert ("UnmuteLeg", heard) in room.done()
    assert room.muted(heard, on=False) == ["AgentUnmuted"]
    assert room.it.segment is not None
    assert (room.it.segment.muted, room.it.segment.mute_wish, room.it.hushed) == (False, "", ())
    report = verify(room.records, expect_contacts=0)
    assert report.ok, report.problems[:3]


def test_the_switch_says_that_who_is_to_have_the_caller_is_heard_before_they_have(room: Apart) -> None:
    room.lets_go("1003")
    room.hang_up(room.guest)
    room.does("mute", "1002")
    room.muted(room.first, on=True)
    room.hang_up(room.ring.leg)
    assert room.muted(room.first, on=False) == ["MemberUnmuted"]
    room.joined(room.caller, room.first)
    segment = room.it.segment
    assert segment is not None
    assert (segment.leg, segment.muted, segment.mute_wish) == (room.first, False, "")
    report = verify(room.records, expect_contacts=0)
    assert report.ok, report.problems[:3]


def test_of_a_leg_that_is_gone_no_mute_is_left(room: Apart) -> None:
    room.does("mute", "1002")
    room.muted(room.first, on=True)
    room.hang_up(room.first)
    assert room.it.hushed == ()


# --- restarts and refusals -------------------------------------------------------------------------------------------
def test_what_cannot_be_is_refused_by_the_name_of_the_reason(room: Apart) -> None:
    assert room.does("hold", "1004") == "no_such_guest"
    assert room.does("recall", "1003") == ""
    assert story(room.outcome) == []
    assert room.refusal(i.HoldMember(agent="1001")) == "bad_target"
    assert room.refusal(i.HoldMember(agent="1002", to_agent="1003")) in {"not_talking", "stale"}
    room.invites("1004")
    assert [room.does(what, "1004") for what in ("hold", "recall", "alone", "mute")] == ["not_in_room"] * 4
    room.disconnect()
    assert room.does("hold") == "switch_away"


def test_an_engine_that_starts_again_finds_a_guest_on_hold_and_one_who_is_muted(room: Apart) -> None:
    room.does("hold")
    room.parked(room.guest)
    room.does("mute", "1002")
    room.muted(room.first, on=True)
    room.restart()
    room.told.clear()
    legs = [room.seen(leg, room=room.room, parked=False) for leg in (room.caller, room.ring.leg, room.first)]
    room.connect(legs=(*legs, room.seen(room.guest, parked=True, answered=True)))
    done = room.done()
    assert ("PlayWaiting", room.guest) in done
    assert ("MuteLeg", room.first) in done
    assert not [each for each in done if each[0] == "ConferLeg"]


def test_an_engine_that_starts_again_joins_two_who_are_to_speak_alone_and_were_not_told(room: Apart) -> None:
    room.does("alone")
    room.restart()
    room.told.clear()
    seen = (room.caller, room.ring.leg, room.first, room.guest)
    room.connect(legs=tuple(room.seen(leg, room=room.room, parked=False) for leg in seen))
    assert ("BridgeLegs", room.ring.leg, room.guest) in room.done()
