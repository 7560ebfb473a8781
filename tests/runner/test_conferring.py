"""Three who hear each other: brought together from a consultation, and left in any order (feature 4.3)."""

import pytest

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.consults import CALLER, TOGETHER
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    BridgeLegs,
    ConferLeg,
    HangUpLeg,
    ParkLeg,
    PlayWaiting,
    RingAgent,
    TakeSnapshot,
)
from orchestrator.runner import inputs as i
from tests.runner.scene import NODE, Scene, story

CONFER = i.Confer(agent="1001")


class Three(Scene):
    """Agent 1 talks with a caller and has asked agent 2, who has answered: agent 1 hears agent 2."""

    def __init__(self) -> None:
        super().__init__(agents=2)
        self.ready(1)
        self.caller, self.ring = self.talk(1)
        self.ready(2)
        self.give(i.Consult(agent="1001", to_agent="1002"))
        self.asked = self.instructions(RingAgent)[-1]
        self.ringing(self.asked)
        self.answer(self.asked)
        self.joined(self.ring.leg, self.asked.leg)
        self.legs = (self.caller, self.ring.leg, self.asked.leg)

    def joined(self, leg: str, other: str) -> None:
        self.give(facts.LegBridged(node=NODE, leg=leg, other=other))

    def enters(self, leg: str, room: str = "") -> list[str]:
        """The switch says that this leg is in a room: in the one that is meant, unless said otherwise."""
        room = room or self.instructions(ConferLeg)[-1].room
        return story(self.give(facts.ConferenceChanged(node=NODE, leg=leg, conference=room, action="add-member")))

    def together(self) -> None:
        self.give(CONFER)
        for leg in self.legs:
            self.enters(leg)

    @property
    def hears(self) -> str:
        consult = self.live(self.caller).consult
        return consult.hears if consult is not None else ""

    def told_since(self, begun: int, kind: type) -> list[str]:
        return [each.leg for each in self.told[begun:] if isinstance(each, kind)]


@pytest.fixture
def three() -> Three:
    return Three()


def test_all_three_are_together_once_the_switch_has_said_so_of_each(three: Three) -> None:
    assert story(three.give(CONFER)) == ["ConsultSwitched"]
    assert tuple(each.leg for each in three.instructions(ConferLeg)) == three.legs
    assert len({each.room for each in three.instructions(ConferLeg)}) == 1
    assert three.enters(three.legs[1]) == ["MemberJoined"]
    assert three.enters(three.legs[1]) == []
    assert three.enters(three.legs[0], "another-room") == []
    assert three.enters(three.legs[0]) == ["MemberJoined"]
    assert three.enters(three.legs[2]) == ["MemberJoined", "ConsultJoined"]
    assert three.hears == TOGETHER
    assert story(three.give(CONFER)) == []


def test_nobody_hears_music_on_the_way_into_the_room_or_in_it(three: Three) -> None:
    """A leg that leaves a bridge parks for a moment before it comes into the room."""
    three.give(CONFER)
    begun = len(three.told)
    for leg in three.legs:
        three.give(facts.LegParked(node=NODE, leg=leg, inbound=leg == three.caller, context="ringledger-inbound"))
        three.enters(leg)
    assert three.told_since(begun, PlayWaiting) == []


def test_whoever_is_asked_hangs_up_and_the_other_two_are_joined_by_a_bridge(three: Three) -> None:
    three.together()
    begun = len(three.told)
    assert story(three.hang_up(three.asked.leg)) == ["LegClosed", "ConsultClosed", "AgentReleased"]
    (bridge,) = [each for each in three.told[begun:] if isinstance(each, BridgeLegs)]
    assert {bridge.leg, bridge.other} == {three.caller, three.ring.leg}
    three.joined(three.caller, three.ring.leg)
    assert three.live(three.caller).status == "connected"


def test_the_agent_hangs_up_and_the_caller_stays_with_whoever_was_asked(three: Three) -> None:
    """Complaint 13: who leaves a room of three lets nobody fall."""
    three.together()
    three.hang_up(three.ring.leg)
    three.joined(three.caller, three.asked.leg)
    contact = three.live(three.caller)
    assert contact.segment is not None
    assert (contact.status, contact.segment.agent_id) == ("connected", "a2")
    assert len(three.events(c.ContactConnected)) == 2


def test_the_caller_hangs_up_and_the_contact_ends_once(three: Three) -> None:
    three.together()
    three.hang_up(three.caller)
    assert {each.leg for each in three.instructions(HangUpLeg)} >= {three.ring.leg, three.asked.leg}
    three.hang_up(three.asked.leg)
    three.hang_up(three.ring.leg)
    assert len(three.events(c.ContactEnded)) == 1
    assert (three.status(1), three.status(2)) == ("wrapping_up", "ready")


def test_the_agent_talks_with_the_caller_alone_and_the_third_hears_music_until_they_are_together_again(
    three: Three,
) -> None:
    three.together()
    begun = len(three.told)
    three.give(i.SwitchConsult(agent="1001"))
    assert three.told_since(begun, ParkLeg) == [three.asked.leg]
    three.give(facts.LegParked(node=NODE, leg=three.asked.leg))
    assert three.told_since(begun, PlayWaiting) == [three.asked.leg]
    three.joined(three.caller, three.ring.leg)
    assert three.hears == CALLER
    three.together()
    assert three.hears == TOGETHER


def test_a_second_consultation_of_three_who_are_together_is_refused_by_the_name_of_the_reason(three: Three) -> None:
    three.together()
    assert three.refusal(i.Consult(agent="1001", to_agent="1003")) == "consulting"
    assert three.hears == TOGETHER


def test_late_news_of_a_bridge_takes_nobody_out_of_the_room(three: Three) -> None:
    three.together()
    three.joined(three.ring.leg, three.asked.leg)
    assert three.hears == TOGETHER


def test_a_room_that_does_not_come_about_ends_with_caller_and_agent_together(three: Three) -> None:
    """Law 9: the switch is asked first, then the one who was asked is let go."""
    three.give(CONFER)
    three.enters(three.legs[0])
    three.wait(6_000)
    assert three.instructions(TakeSnapshot)
    begun = len(three.told)
    three.wait(10_000)
    assert [each.outcome for each in three.events(e.ConsultClosed)] == ["left"]
    bridges = [each for each in three.told[begun:] if isinstance(each, BridgeLegs)]
    assert len(bridges) == 2, "once more, as the switch does not say that they are joined"
    assert all({bridge.leg, bridge.other} == {three.caller, three.ring.leg} for bridge in bridges)


def test_an_engine_that_starts_again_sees_who_is_in_the_room_and_brings_in_the_others(three: Three) -> None:
    """Law 5: what was decided and not done is done, and what was done is seen."""
    three.give(CONFER)
    room = three.instructions(ConferLeg)[-1].room
    three.restart()
    begun = len(three.told)
    three.connect(
        legs=(
            three.seen(three.caller, parked=False, room=room),
            three.seen_phone(three.ring, answered=True, room=room),
            three.seen_phone(three.asked, answered=True, parked=True),
        )
    )
    assert len(three.events(e.MemberJoined)) == 2
    assert three.told_since(begun, ConferLeg) == [three.asked.leg]
    three.enters(three.asked.leg, room)
    assert three.hears == TOGETHER


def test_whoever_is_left_alone_in_the_room_is_parked_after_a_restart(three: Three) -> None:
    three.together()
    room = three.instructions(ConferLeg)[-1].room
    three.give(i.SwitchConsult(agent="1001"))
    three.restart()
    begun = len(three.told)
    three.connect(
        legs=(
            three.seen(three.caller, parked=False, bridged_to=three.ring.leg),
            three.seen_phone(three.ring, answered=True, bridged_to=three.caller),
            three.seen_phone(three.asked, answered=True, room=room),
        )
    )
    assert three.told_since(begun, ParkLeg) == [three.asked.leg]


def test_nobody_is_brought_together_before_somebody_has_answered() -> None:
    """Bad input of call control: whoever is consulted never answers."""
    scene = Scene(agents=2)
    scene.ready(1)
    assert scene.refusal(CONFER) == "not_talking"
    scene.talk(1)
    assert scene.refusal(CONFER) == "not_consulting"
    scene.ready(2)
    scene.give(i.Consult(agent="1001", to_agent="1002"))
    assert scene.refusal(CONFER) == "not_answered"
    scene.disconnect()
    assert scene.refusal(CONFER) == "switch_away"


def test_a_waiting_caller_whom_a_late_switch_takes_to_a_room_is_parked_again_and_hears_music() -> None:
    """Feature 12.4, seed 3571 of the soak: told before they were parked, done after."""
    scene = Scene(agents=1)
    caller = scene.park()
    taken = scene.give(facts.ConferenceChanged(node=NODE, leg=caller, conference="room-1", action="add-member"))
    assert [(type(told).__name__, told.leg) for told in taken.instructions] == [("ParkLeg", caller)]
    assert story(taken) == []
    parked = scene.give(facts.LegParked(node=NODE, leg=caller, inbound=True, dialled="4000"))
    assert [type(told).__name__ for told in parked.instructions] == ["PlayWaiting"]
