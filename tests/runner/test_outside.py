"""A waiting caller for whom a number outside is called, told by hand, whatever goes wrong on the way.

Feature 3.5; complaints 1, 18.
"""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    BridgeLegs,
    DialOutside,
    HangUpLeg,
    PlayWaiting,
    RingAgent,
    StartRecording,
    TakeSnapshot,
)
from orchestrator.runner import inputs
from tests.runner.scene import NODE, Scene, names

NUMBER = "+8675500000001"


class Sent(Scene):
    """A scene with a waiting caller for whom a number outside is called."""

    def __init__(self, agents: int = 1, *, at_most: int = 10, **queue: object) -> None:
        super().__init__(agents, **queue)  # type: ignore[arg-type]  # a test's own words
        rules = OutsideConfigured(
            allowed=("+86",), show_for={"main": "+8675512345678"}, ring_ms=30_000, at_most=at_most
        )
        self.configure({"outside-main": rules})
        self.caller = self.park()
        self.send()
        self.leg = self.instructions(DialOutside)[-1].leg

    @property
    def it(self) -> Contact:
        """The contact, which must be there."""
        return self.live(self.caller)

    def send(self) -> None:
        """Somebody sends the caller outside."""
        assert self.refusal(inputs.SendOutside(contact_id=self.it.contact_id, number=NUMBER)) == ""

    def answers(self) -> None:
        """The number outside answers and its leg parks."""
        for kind in (facts.LegCreated, facts.LegRinging, facts.LegAnswered, facts.LegParked):
            self.give(kind(node=NODE, leg=self.leg, contact=self.it.contact_id))

    def joined(self) -> None:
        """Both hear each other."""
        self.answers()
        self.give(facts.LegBridged(node=NODE, leg=self.caller, other=self.leg))


def test_a_caller_hears_music_until_the_number_outside_answers_is_joined_recorded_and_ends_once() -> None:
    scene = Sent()
    dialled = scene.instructions(DialOutside)[-1]
    assert (dialled.number, dialled.show, dialled.contact) == (NUMBER, "+8675512345678", scene.it.contact_id)
    assert scene.it.status == "sent_outside"
    assert not scene.instructions(HangUpLeg)
    scene.answers()
    assert [(each.leg, each.other) for each in scene.instructions(BridgeLegs)] == [(scene.caller, scene.leg)]
    scene.give(facts.LegBridged(node=NODE, leg=scene.caller, other=scene.leg))
    assert scene.it.status == "talking_outside"
    assert [event.outcome for event in scene.events(c.QueueVisitEnded)] == ["overflowed"]
    assert [each.leg for each in scene.instructions(StartRecording)] == [scene.caller]
    scene.hang_up(scene.leg)
    assert scene.instructions(HangUpLeg)[-1].leg == scene.caller
    scene.hang_up(scene.caller)
    assert [event.ended_by for event in scene.events(o.OutsideSegmentEnded)] == ["outside"]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["completed"]


def test_a_caller_who_hangs_up_first_ends_the_talk_outside() -> None:
    scene = Sent()
    scene.joined()
    scene.hang_up(scene.caller)
    assert scene.instructions(HangUpLeg)[-1].leg == scene.leg
    scene.hang_up(scene.leg)
    assert [event.ended_by for event in scene.events(o.OutsideSegmentEnded)] == ["caller"]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["completed"]


@pytest.mark.parametrize("cause", ("USER_BUSY", "NO_ANSWER", "UNALLOCATED_NUMBER", "NORMAL_TEMPORARY_FAILURE"))
def test_a_caller_for_whom_nobody_is_reached_outside_waits_on_in_the_same_place(cause: str) -> None:
    scene = Sent()
    younger = scene.park(number="+8613900139000")
    scene.ready(1)
    assert scene.live(younger).status == "offered", "whoever is sent outside is not offered to agents meanwhile"
    scene.hang_up(scene.leg, cause)
    assert scene.it.status == "waiting"
    scene.hang_up(younger)
    scene.hang_up(scene.instructions(RingAgent)[-1].leg)
    assert scene.it.status == "offered"


def test_a_caller_who_hangs_up_while_it_rings_outside_stops_the_ringing() -> None:
    """Complaint 18: nobody is called on whom nobody waits for."""
    scene = Sent()
    scene.hang_up(scene.caller)
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [scene.leg]
    assert scene.leg not in scene.world.open_offers
    scene.hang_up(scene.leg, "ORIGINATOR_CANCEL")
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["abandoned"]


def test_a_number_outside_of_which_nothing_is_heard_is_given_up_in_time() -> None:
    """Complaint 1, law 9."""
    scene = Sent()
    scene.wait(30_000)
    assert [event.cause for event in scene.events(o.OutsideMissed)] == ["NO_ANSWER"]
    assert scene.it.status == "waiting"
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [scene.leg]


def test_legs_that_are_not_joined_in_time_are_asked_after_and_then_given_up() -> None:
    scene = Sent()
    scene.answers()
    scene.wait(5_000)
    assert len(scene.instructions(TakeSnapshot)) == 1
    scene.wait(5_000)
    assert scene.it.status == "waiting"
    assert scene.instructions(PlayWaiting)[-1].leg == scene.caller


def test_a_wait_that_is_over_while_it_rings_outside_ends_when_nobody_answers() -> None:
    scene = Sent(max_wait_ms=20_000)
    scene.wait(30_000)
    assert [event.reason for event in scene.events(c.ContactTurnedAway)] == ["no_agent_in_time"]


@pytest.mark.parametrize("state", ("rings", "answered", "joined", "gone"))
def test_an_engine_that_is_killed_finds_the_call_outside_where_it_was(state: str) -> None:
    scene = Sent()
    if state in ("answered", "joined"):
        scene.answers()
    scene.wait(3_000)
    scene.restart()
    outside = facts.SeenLeg(
        leg=scene.leg,
        inbound=False,
        contact=scene.it.contact_id,
        answered=state != "rings",
        parked=state == "answered",
        bridged_to=scene.caller if state == "joined" else "",
    )
    caller = scene.seen(scene.caller, bridged_to=scene.leg if state == "joined" else "", parked=state != "joined")
    scene.connect(legs=(caller,) if state == "gone" else (caller, outside))
    if state == "gone":
        scene.presence(scene.leg, exists=False)
    expected = {"rings": "sent_outside", "answered": "sent_outside", "joined": "talking_outside", "gone": "waiting"}
    assert scene.it.status == expected[state]
    if state == "answered":
        assert scene.instructions(BridgeLegs)[-1].other == scene.leg
        assert names(scene.events(o.OutsideExtended)) == ["OutsideExtended"]


def test_a_number_outside_that_answers_as_the_link_comes_up_is_joined_with_the_caller_once() -> None:
    """Feature 12.1: as an agent's phone (`test_recovery`)."""
    scene = Sent()
    scene.restart()
    scene.give(facts.LinkUp(node=NODE, core="core-1"))
    scene.answers()
    outside = facts.SeenLeg(
        leg=scene.leg, inbound=False, contact=scene.it.contact_id, answered=True, parked=True, bridged_to=""
    )
    scene.snapshot(scene.seen(scene.caller), outside)
    assert [each.other for each in scene.instructions(BridgeLegs)] == [scene.leg]
    assert not scene.events(o.OutsideExtended)


def test_a_number_that_may_not_be_called_is_not_called_and_the_caller_waits_on() -> None:
    scene = Sent(at_most=1)
    other = scene.park(number="+8613900139000")
    for number, code in (("+1212555000", "not_allowed"), (NUMBER, "outside_full"), ("no number", "withheld")):
        ask = inputs.SendOutside(contact_id=scene.live(other).contact_id, number=number)
        assert scene.refusal(ask) == code
    assert scene.refusal(inputs.SendOutside(contact_id=scene.it.contact_id, number=NUMBER)) == "not_waiting"
    assert scene.live(other).status == "waiting"


def test_whoever_ends_everything_ends_calls_outside_too() -> None:
    scene = Sent()
    scene.give(inputs.EndAll())
    for leg in (scene.leg, scene.caller):
        scene.hang_up(leg)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["stopped"]
