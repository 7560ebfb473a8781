"""A caller whom the agent passes on: to a colleague, into a queue, or to a number outside, whatever goes wrong then.

Features 4.3, 4.4; complaint 13.
"""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.recording import file_of
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.kernel import MILLISECOND
from orchestrator.domain.routing.calendars import CalendarConfigured
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.routing.queues import QueueConfigured, QueueRemoved
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    BridgeLegs,
    CheckLeg,
    DialOutside,
    HangUpLeg,
    ParkLeg,
    PlayWaiting,
    RingAgent,
    StartRecording,
    StopRecording,
    TakeSnapshot,
)
from orchestrator.runner import inputs
from tests.runner.scene import NODE, Scene, agent, names, story

NUMBER = "+8675500000001"


class Passed(Scene):
    """Agent 1 talks with a caller; agent 2 is ready; there is a queue for sales and a way out of the house."""

    def __init__(self, *, others: bool = True, **queue: object) -> None:
        super().__init__(2, wrap_up_ms=10_000, **queue)  # type: ignore[arg-type]  # a test's own words
        self.configure(
            {
                "queue-sales": QueueConfigured(name="Sales", skill="sell", music="jazz"),
                "outside-main": OutsideConfigured(allowed=("+86",), refused=("+8690",), ring_ms=30_000),
                "agent-a3": agent(3, sell=3),
            }
        )
        self.caller, self.ring = self.talk()
        if others:
            self.ready(2, 3)

    @property
    def it(self) -> Contact:
        """The contact, which must be there."""
        return self.live(self.caller)

    def pass_on(self, **to: str) -> str:
        """Agent 1 passes the caller on; the code of the refusal."""
        about = to.pop("about", self.it.contact_id)
        return self.refusal(replace(inputs.Transfer(agent="1001", about=about), **to))

    def parked(self, leg: str = "") -> None:
        """The switch says that the caller's leg is parked."""
        self.give(facts.LegParked(node=NODE, leg=leg or self.caller, inbound=True, contact=self.it.contact_id))

    def join_second(self) -> RingAgent:
        """The phone that is rung now is picked up, and the switch joins it with the caller."""
        ring = self.ring_of(self.caller)
        self.ringing(ring)
        self.answer(ring)
        self.bridge(self.caller, ring)
        return ring


# --- into a queue ----------------------------------------------------------------------------------------------------
def test_a_caller_passed_on_into_a_queue_is_parked_hears_its_music_and_is_offered_to_who_serves_there() -> None:
    scene = Passed()
    contact_id, first = scene.it.contact_id, scene.it.segment
    assert first is not None
    scene.wait(5_000)
    assert scene.pass_on(to_queue="sales") == ""
    first_words = ["ContactTransferred", "RecordingEndAsked", "AgentSegmentEnded", "ContactQueued"]
    assert story(scene.outcome)[: len(first_words)] == first_words
    told = [each for each in scene.outcome.instructions if not isinstance(each, StopRecording)]
    assert [(type(each), each.leg) for each in told[:2]] == [(ParkLeg, scene.caller), (HangUpLeg, scene.ring.leg)]
    assert not any(isinstance(each, PlayWaiting) for each in told), (
        "on a leg that is still joined it would not be heard"
    )
    assert [each.file for each in scene.instructions(StopRecording)] == [file_of(first.segment_id)]
    scene.parked()
    assert scene.instructions(PlayWaiting)[-1].music == "jazz"
    scene.hang_up(scene.ring.leg)
    second = scene.join_second()
    assert second.extension == "1003"
    assert (scene.it.contact_id, scene.it.status) == (contact_id, "connected")
    assert [event.agent_id for event in scene.events(c.ContactConnected)] == ["a1", "a3"]
    assert [event.queue_id for event in scene.events(c.ContactQueued)] == ["support", "sales"]
    assert len(scene.instructions(StartRecording)) == 2
    assert scene.status(1) == "wrapping_up"
    scene.wait(10_000)
    assert scene.status(1) == "ready"
    scene.hang_up(scene.caller)
    scene.hang_up(second.leg)
    assert [event.ended_by for event in scene.events(c.AgentSegmentEnded)] == ["transfer", "caller"]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["completed"]


def test_a_caller_who_is_passed_on_keeps_the_time_of_waiting_that_they_had_and_no_more() -> None:
    scene = Scene(1)
    scene.configure({"queue-sales": QueueConfigured(name="Sales", skill="sell")})
    caller = scene.park()
    scene.wait(7_000)
    scene.ready(1)
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.bridge(caller, ring)
    scene.wait(60_000)
    assert scene.refusal(inputs.Transfer(agent="1001", to_queue="sales")) == ""
    visit = scene.live(caller).visit
    assert visit is not None
    assert scene.now - visit.since == 8_000 * MILLISECOND, "an agent becomes ready within a second"


def test_a_caller_on_hold_is_passed_on_like_one_who_talks() -> None:
    scene = Passed()
    scene.wait(1_000)
    scene.give(inputs.Hold(agent="1001"))
    scene.give(facts.LegHeld(node=NODE, leg=scene.ring.leg))
    assert scene.pass_on(to_queue="sales") == ""
    scene.parked()
    assert scene.it.status == "offered"


def test_somebody_passed_on_who_hangs_up_while_waiting_has_abandoned_that_queue() -> None:
    scene = Passed(others=False)
    scene.pass_on(to_queue="sales")
    scene.hang_up(scene.ring.leg)
    scene.hang_up(scene.caller)
    assert [event.outcome for event in scene.events(c.QueueVisitEnded)] == ["answered", "abandoned"]
    (ended,) = scene.events(c.ContactEnded)
    assert (ended.reason, ended.phase) == ("abandoned", "waiting")


def test_the_caller_may_hang_up_before_the_agents_leg_is_gone() -> None:
    scene = Passed()
    scene.pass_on(to_queue="sales")
    scene.hang_up(scene.caller)
    scene.hang_up(scene.ring.leg)
    scene.hang_up(scene.instructions(RingAgent)[-1].leg)
    assert len(scene.events(c.ContactEnded)) == 1
    assert not scene.world.contacts


def test_an_agent_who_hangs_up_at_once_after_pressing_loses_nobody() -> None:
    """Complaint 13: transfers race. Whichever of its two ends is heard of first, the caller goes on."""
    scene = Passed()
    scene.pass_on(to_agent="1002")
    scene.give(facts.LegHungUp(node=NODE, leg=scene.ring.leg, cause="NORMAL_CLEARING", by_far_end=True))
    assert scene.it.status == "offered"
    scene.parked()
    scene.join_second()
    assert scene.it.status == "connected"


def test_an_agent_who_hung_up_before_the_wish_came_is_told_that_the_conversation_is_over() -> None:
    scene = Passed()
    contact_id = scene.it.contact_id
    scene.hang_up(scene.ring.leg)
    assert scene.pass_on(about=contact_id, to_queue="sales") in {"not_talking", "stale"}
    assert not scene.events(ContactTransferred)


# --- to an agent -----------------------------------------------------------------------------------------------------
def test_a_colleagues_phone_rings_for_the_caller_alone_and_both_talk() -> None:
    scene = Passed()
    assert scene.pass_on(to_agent="1002") == ""
    ring = scene.ring_of(scene.caller)
    assert (ring.extension, ring.caller_number) == ("1002", "+8613800138000")
    (picked,) = scene.events(c.ContactPicked)
    assert (picked.agent_id, picked.reason) == ("a2", "transferred")
    scene.parked()
    assert scene.instructions(PlayWaiting)[-1].leg == scene.caller
    scene.join_second()
    assert scene.status(2) == "talking"


@pytest.mark.parametrize("cause", ("NO_ANSWER", "USER_BUSY", "CALL_REJECTED", "USER_NOT_REGISTERED"))
def test_a_colleague_who_does_not_take_it_leaves_the_caller_in_the_queue_from_which_they_came(cause: str) -> None:
    """Decided so in 0061: whoever passed it on has after-call work, and may have left."""
    scene = Passed()
    scene.pass_on(to_agent="1002")
    scene.parked()
    scene.hang_up(scene.ring_of(scene.caller).leg, cause)
    assert (scene.it.status, scene.it.queue_id) == ("waiting", "support")
    scene.hang_up(scene.ring.leg)
    scene.wait(10_000)
    assert scene.ring_of(scene.caller).extension in {"1001", "1002"}, "whoever is ready is offered the caller in turn"


def test_a_colleague_who_signs_out_while_the_phone_rings_leaves_the_caller_in_the_queue() -> None:
    scene = Passed()
    scene.pass_on(to_agent="1002")
    ring = scene.ring_of(scene.caller)
    scene.give(inputs.SignOut(agent="1002"))
    assert scene.it.status == "waiting"
    assert scene.instructions(HangUpLeg)[-1].leg == ring.leg


def test_a_colleague_who_signs_out_in_the_same_tick_is_gone_or_asked_no_more_whichever_comes_first() -> None:
    """Bad input of call control: transfer to an agent who signs out meanwhile."""
    first, then = Passed(), Passed()
    first.give(inputs.SignOut(agent="1002"))
    assert first.pass_on(to_agent="1002") == "agent_away"
    assert (first.it.status, first.status(1)) == ("connected", "talking")
    assert then.pass_on(to_agent="1002") == ""
    then.give(inputs.SignOut(agent="1002"))
    assert (then.it.status, then.status(2)) == ("waiting", "")


def test_a_colleague_who_signs_out_while_being_joined_has_the_caller_and_leaves_after_them() -> None:
    scene = Passed()
    scene.pass_on(to_agent="1002")
    ring = scene.ring_of(scene.caller)
    scene.answer(ring)
    scene.give(inputs.SignOut(agent="1002"))
    scene.bridge(scene.caller, ring)
    assert (scene.it.status, scene.status(2)) == ("connected", "talking")
    scene.hang_up(scene.caller)
    scene.hang_up(ring.leg)
    scene.give(inputs.WrapUp(agent="1002", code="solved"))
    assert scene.status(2) == ""


def test_nobody_is_passed_on_to_whom_cannot_take_a_call() -> None:
    scene = Passed()
    assert scene.pass_on(to_agent="1001") == "same_agent"
    assert scene.pass_on(to_agent="1009") == "unknown_agent"
    scene.give(inputs.Pause(agent="1002", reason="break"))
    assert scene.pass_on(to_agent="1002") == "agent_not_ready"
    scene.give(inputs.SignOut(agent="1002"))
    assert scene.pass_on(to_agent="1002") == "agent_away"
    scene.ready(2)
    other = scene.park()
    assert scene.live(other).status == "offered"
    assert scene.pass_on(to_agent="1002") == "agent_busy"
    scene.give(facts.PhoneRegistered(node=NODE, extension="1003"))
    scene.give(facts.PhoneGone(node=NODE, extension="1003"))
    assert scene.pass_on(to_agent="1003") == "agent_unreachable"
    assert scene.it.status == "connected"
    assert not scene.events(ContactTransferred)


# --- to a number outside ---------------------------------------------------------------------------------------------
def test_a_number_outside_is_called_while_the_caller_hears_music_and_both_talk_and_are_recorded() -> None:
    scene = Passed()
    assert scene.pass_on(to_number=NUMBER) == ""
    dialled = scene.instructions(DialOutside)[-1]
    assert (dialled.number, scene.it.status) == (NUMBER, "sent_outside")
    scene.parked()
    assert scene.instructions(PlayWaiting)[-1].leg == scene.caller
    scene.hang_up(scene.ring.leg)
    for kind in (facts.LegCreated, facts.LegRinging, facts.LegAnswered, facts.LegParked):
        scene.give(kind(node=NODE, leg=dialled.leg, contact=scene.it.contact_id))
    assert scene.instructions(BridgeLegs)[-1].other == dialled.leg
    scene.give(facts.LegBridged(node=NODE, leg=scene.caller, other=dialled.leg))
    assert [event.outcome for event in scene.events(c.QueueVisitEnded)] == ["answered", "transferred"]
    assert len(scene.instructions(StartRecording)) == 2
    scene.hang_up(dialled.leg)
    scene.hang_up(scene.caller)
    assert [event.ended_by for event in scene.events(o.OutsideSegmentEnded)] == ["outside"]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["completed"]


@pytest.mark.parametrize("cause", ("UNALLOCATED_NUMBER", "NO_ANSWER", "USER_BUSY"))
def test_a_dead_number_leaves_the_caller_in_the_queue_from_which_they_came(cause: str) -> None:
    scene = Passed(others=False)
    scene.pass_on(to_number=NUMBER)
    scene.parked()
    scene.hang_up(scene.instructions(DialOutside)[-1].leg, cause)
    assert (scene.it.status, scene.it.queue_id) == ("waiting", "support")
    assert [event.cause for event in scene.events(o.OutsideMissed)] == [cause]


def test_a_number_that_may_not_be_called_is_refused_and_the_caller_stays() -> None:
    scene = Passed()
    assert scene.pass_on(to_number="+8690000000") == "not_allowed"
    assert scene.pass_on(to_number="110") == "withheld"
    assert scene.it.status == "connected"


# --- refused, or asked for twice -------------------------------------------------------------------------------------
def test_a_queue_that_is_unknown_closed_or_full_takes_nobody() -> None:
    scene = Passed(others=False)
    assert scene.pass_on(to_queue="nowhere") == "no_such_queue"
    scene.configure({"queue-sales": QueueRemoved()})
    assert scene.pass_on(to_queue="sales") == "no_such_queue"
    closed = CalendarConfigured(name="never", zone="UTC", week=((),) * 7)
    scene.configure(
        {"calendar-never": closed, "queue-sales": QueueConfigured(name="Sales", skill="sell", calendar="never")}
    )
    assert scene.pass_on(to_queue="sales") == "queue_closed"
    full = QueueConfigured(name="Sales", skill="sell", most_waiting=1)
    scene.configure({"queue-sales": full})
    other = scene.park()
    scene.give(inputs.Move(contact=scene.live(other).contact_id, queue="sales", reason="wrong_queue"))
    assert scene.pass_on(to_queue="sales") == "queue_full"
    assert scene.it.status == "connected"


def test_one_target_must_be_named_and_no_more_than_one() -> None:
    scene = Passed()
    assert scene.pass_on() == "bad_target"
    assert scene.pass_on(to_queue="sales", to_agent="1002") == "bad_target"


def test_the_same_wish_sent_twice_is_done_once() -> None:
    scene = Passed()
    contact_id = scene.it.contact_id
    for to in ({"to_agent": "1002"}, {"to_agent": "1002"}):
        assert scene.pass_on(about=contact_id, **to) == ""
    assert len(scene.events(ContactTransferred)) == 1
    assert scene.pass_on(about=contact_id, to_agent="1003") == "not_talking"
    assert len(scene.events(ContactTransferred)) == 1


def test_while_the_switch_is_away_nobody_is_passed_on() -> None:
    scene = Passed()
    scene.disconnect()
    assert scene.pass_on(to_queue="sales") == "switch_away"


# --- what the switch says late, or not at all ------------------------------------------------------------------------
def test_a_caller_who_is_still_joined_after_a_restart_is_parked_once_the_switch_says_so() -> None:
    scene = Passed()
    scene.pass_on(to_queue="sales")
    scene.restart()
    scene.told.clear()
    joined = scene.seen(scene.caller, parked=False, bridged_to=scene.ring.leg)
    scene.connect(legs=(joined, scene.seen_phone(scene.ring, answered=True, bridged_to=scene.caller)))
    assert [each.leg for each in scene.instructions(ParkLeg)] == [scene.caller]
    assert scene.ring.leg in {each.leg for each in scene.instructions(HangUpLeg)}
    assert not scene.instructions(PlayWaiting)
    scene.parked()
    assert scene.instructions(PlayWaiting)


def test_a_switch_that_cannot_park_the_caller_is_asked_whether_they_are_there() -> None:
    scene = Passed()
    scene.pass_on(to_queue="sales")
    scene.failed(scene.instructions(ParkLeg)[-1], "No such channel!")
    assert scene.instructions(CheckLeg)[-1].leg == scene.caller
    scene.presence(scene.caller, exists=False)
    scene.hang_up(scene.ring.leg)
    assert "QueueVisitEnded" in names(record.event for record in scene.records)


@pytest.mark.parametrize("to", ({"to_queue": "sales"}, {"to_agent": "1002"}, {"to_number": NUMBER}), ids=str)
def test_a_caller_of_whom_the_switch_does_not_say_that_they_are_parked_is_asked_after_and_parked_anew(
    to: dict[str, str],
) -> None:
    """Complaints 13, 15; law 9: where that news was lost, the caller would hear silence until somebody serves them."""
    scene = Passed(others="to_agent" in to)
    assert scene.pass_on(**to) == ""
    scene.hang_up(scene.ring.leg)
    scene.wait(1_000)
    assert [event.legs for event in scene.events(c.LegOverdue)] == [(scene.caller,)]
    assert scene.instructions(CheckLeg)[-1].leg == scene.caller
    scene.presence(scene.caller, exists=True)
    scene.snapshot(scene.seen(scene.caller, parked=False))
    assert len(scene.instructions(ParkLeg)) == 2
    scene.parked()
    assert story(scene.outcome) == ["CallerParked"]
    assert scene.instructions(PlayWaiting)[-1].leg == scene.caller
    scene.wait(5_000)
    assert len(scene.events(c.LegOverdue)) == 1


def test_a_caller_who_is_parked_unheard_is_not_parked_twice_however_often_the_switch_says_that_they_live() -> None:
    """Law 9: music that is told once the first park is heard of would be ended by the second, and where that one's news
    is lost, nobody would tell it again.
    """
    scene = Passed(others=False)
    scene.pass_on(to_queue="sales")
    scene.hang_up(scene.ring.leg)
    scene.wait(1_000)
    scene.presence(scene.caller, exists=True)
    scene.presence(scene.caller, exists=True)
    assert len(scene.instructions(TakeSnapshot)) == 1
    scene.snapshot(scene.seen(scene.caller))
    assert scene.instructions(PlayWaiting)[-1].leg == scene.caller
    scene.parked()
    scene.wait(30_000)
    assert len(scene.instructions(ParkLeg)) == 1


def test_a_caller_who_is_to_park_and_whom_the_look_does_not_list_is_parked_anew_when_they_are_asked_after_again() -> (
    None
):
    """A list of channels may lag; it is not looked at over and over meanwhile."""
    scene = Passed(others=False)
    scene.pass_on(to_queue="sales")
    scene.hang_up(scene.ring.leg)
    scene.wait(1_000)
    scene.presence(scene.caller, exists=True)
    scene.snapshot()
    scene.presence(scene.caller, exists=True)
    assert (len(scene.instructions(TakeSnapshot)), len(scene.instructions(ParkLeg))) == (1, 1)
    scene.wait(2_000)
    scene.presence(scene.caller, exists=True)
    assert (len(scene.instructions(TakeSnapshot)), len(scene.instructions(ParkLeg))) == (1, 2)


def test_a_caller_who_is_parked_in_time_is_not_asked_after() -> None:
    scene = Passed(others=False)
    scene.pass_on(to_queue="sales")
    scene.parked()
    scene.parked()
    scene.hang_up(scene.ring.leg)
    scene.wait(30_000)
    assert len(scene.events(c.CallerParked)) == 1
    assert not scene.events(c.LegOverdue)


def test_a_caller_who_is_being_joined_with_the_next_is_not_asked_after_though_nobody_said_they_are_parked() -> None:
    """Parked anew, they would be taken out of the talk that begins."""
    scene = Passed()
    scene.pass_on(to_agent="1002")
    scene.hang_up(scene.ring.leg)
    scene.join_second()
    scene.wait(10_000)
    assert not scene.events(c.LegOverdue)
    scene.presence(scene.caller, exists=True)
    assert len(scene.instructions(ParkLeg)) == 1


def test_a_caller_who_stays_in_doubt_is_asked_after_less_and_less_often_and_again_after_a_restart() -> None:
    """Law 9; feature 12.1: the timer is set again by the fold of the log."""
    scene = Passed(others=False)
    scene.pass_on(to_queue="sales")
    scene.hang_up(scene.ring.leg)
    scene.wait(10_000)
    asked = [event.again_at for event in scene.events(c.LegOverdue)]
    assert [(later - sooner) // 1_000_000 for sooner, later in pairwise(asked)] == [2, 4, 8]
    scene.restart()
    scene.connect(legs=(scene.seen(scene.caller, parked=True),))
    assert scene.events(c.CallerParked)
    assert scene.instructions(PlayWaiting)[-1].leg == scene.caller


def test_a_snapshot_that_shows_the_caller_parked_is_news_enough() -> None:
    scene = Passed(others=False)
    scene.pass_on(to_queue="sales")
    scene.hang_up(scene.ring.leg)
    scene.snapshot(scene.seen(scene.caller, parked=True))
    assert "CallerParked" in story(scene.outcome)
    assert scene.instructions(PlayWaiting)[-1].leg == scene.caller


def test_the_news_that_the_first_two_are_joined_may_come_after_the_caller_was_passed_on() -> None:
    """The window between `uuid_bridge` and CHANNEL_BRIDGE, told twice or late: it makes no second conversation."""
    scene = Passed()
    scene.pass_on(to_agent="1002")
    scene.bridge(scene.caller, scene.ring)
    assert scene.it.status == "offered"
    assert len(scene.events(c.ContactConnected)) == 1
