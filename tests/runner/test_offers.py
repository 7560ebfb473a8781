"""Offers from the first ring to their end: who is rung, who is blamed, who is free again."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.routing.queues import QueueConfigured, QueueRemoved
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.staff.agents import AgentRemoved
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import BridgeLegs, CheckLeg, HangUpLeg, PlayApology, PlayWaiting, RingAgent
from orchestrator.runner import inputs
from tests.runner.scene import NODE, Scene, agent, story


def test_a_caller_who_finds_a_free_agent_is_answered_hears_music_and_rings_the_phone() -> None:
    """Features 1.1, 3.6: one step, one transaction; the phone is rung last."""
    scene = Scene()
    scene.ready(1)
    scene.park()
    assert story(scene.outcome) == ["ContactArrived", "ContactQueued", "OfferMade", "AgentReserved"]
    assert [type(each).__name__ for each in scene.outcome.instructions] == ["AnswerCaller", "PlayWaiting", "RingAgent"]


def test_nobody_is_rung_while_an_old_leg_to_the_same_phone_still_dies() -> None:
    """Complaints 3, 5: wrap-up of no length ends before the phone is on the hook; the next caller waits that moment."""
    scene = Scene(agents=1, wrap_up_ms=0)
    caller, ring = scene.talk()
    waiting = scene.park()
    scene.hang_up(caller)
    assert scene.status(1) == "ready"
    assert not scene.rings_of(waiting)
    scene.hang_up(ring.leg)
    assert len(scene.rings_of(waiting)) == 1


def test_a_loser_is_rung_for_the_next_caller_only_when_the_phone_has_stopped_ringing() -> None:
    """Complaint 3."""
    scene = Scene(agents=2, ring_at_once=2)
    scene.ready(1, 2)
    first, second = scene.park(), scene.park()
    winner, loser = scene.rings_of(first)
    scene.answer(winner)
    scene.bridge(first, winner)
    assert not scene.rings_of(second)
    scene.hang_up(loser.leg, "LOSE_RACE")
    assert [ring.extension for ring in scene.rings_of(second)] == [loser.extension]


def test_news_of_the_end_of_a_call_that_nobody_knew_makes_no_contact_later() -> None:
    """Complaint 5: the hang-up overtakes the arrival; nobody is rung for a caller who has gone."""
    scene = Scene()
    scene.ready(1)
    scene.hang_up("caller-1", "ORIGINATOR_CANCEL")
    scene.park()
    assert not scene.outcome.records
    scene.snapshot(scene.seen("caller-1"))
    assert not scene.events(c.ContactArrived)


def test_a_caller_who_is_gone_before_the_answer_ends_as_abandoned_whatever_the_switch_replies() -> None:
    """Feature 11.8: hang-up while AnswerCaller is on its way."""
    scene = Scene()
    caller = scene.park()
    answer = scene.outcome.instructions[0]
    scene.hang_up(caller)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["abandoned"]
    assert not scene.failed(answer, "invalid session id").records


def test_an_instruction_that_finds_no_caller_makes_us_ask_whether_the_caller_is_there() -> None:
    """Complaint 15: the hang-up itself was lost."""
    scene = Scene()
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.failed(scene.told[0], "invalid session id")
    assert [each.leg for each in scene.instructions(CheckLeg)] == [caller]
    scene.presence(caller, exists=False)
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [ring.leg]


@pytest.mark.parametrize("order", ("job first", "leg first"))
def test_the_end_of_a_ring_is_told_twice_and_counted_once(order: str) -> None:
    """Complaint 15: the leg's own end and that of its job, in either order, and the refusal of the instruction."""
    scene = Scene()
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    told = [
        facts.JobDone(node=NODE, job=ring.id, ok=False, answer="USER_BUSY"),
        facts.LegHungUp(node=NODE, leg=ring.leg, cause="USER_BUSY"),
    ]
    for fact in told if order == "job first" else reversed(told):
        scene.give(fact)
    scene.failed(ring, "USER_BUSY")
    assert [event.cause for event in scene.events(c.OfferRejected)] == ["USER_BUSY"]
    assert [event.outcome for event in scene.events(s.AgentReleased)] == ["busy"]
    assert len(scene.events(c.LegClosed)) == 1


def test_the_longest_wait_does_not_cut_a_phone_that_rings() -> None:
    """Features 2.5, 3.5: it ends when the offer does, unless the agent answers."""
    scene = Scene(max_wait_ms=10_000, ring_ms=20_000)
    scene.ready(1)
    caller = scene.park()
    scene.ringing(scene.ring_of(caller))
    scene.wait(15_000)
    assert scene.live(caller).status == "offered"
    scene.wait(5_000)
    assert [event.reason for event in scene.events(c.ContactTurnedAway)] == ["no_agent_in_time"]
    assert scene.events(c.QueueVisitEnded)[-1].outcome == "timed_out"
    assert [each.leg for each in scene.instructions(PlayApology)] == [caller]


def test_a_caller_who_waited_too_long_hears_an_apology_and_is_not_cut_off() -> None:
    """Features 2.5, 3.11."""
    scene = Scene(max_wait_ms=10_000)
    caller = scene.park()
    scene.wait(10_000)
    assert [each.prompt for each in scene.instructions(PlayApology)] == ["apology"]
    assert not scene.instructions(HangUpLeg)
    scene.hang_up(caller)
    assert [(event.reason, event.phase) for event in scene.events(c.ContactEnded)] == [("turned_away", "waiting")]


def test_callers_in_a_queue_that_is_removed_keep_their_place() -> None:
    """Features 3.11, 11.1; new callers are turned away, those who wait are served."""
    scene = Scene()
    caller = scene.park()
    scene.configure({"queue-support": QueueRemoved()})
    refused = scene.park()
    assert scene.live(refused).told == "turned_away"
    scene.ready(1)
    assert len(scene.rings_of(caller)) == 1


def test_a_queue_that_changes_while_callers_wait_serves_them_by_its_new_rules() -> None:
    """Features 3.1, 11.1: the agents who have the new skill."""
    scene = Scene(agents=1)
    scene.configure({"agent-a2": agent(2, en=5)})
    scene.ready(2)
    caller = scene.park()
    assert not scene.rings_of(caller)
    scene.configure({"queue-support": QueueConfigured(name="Support", skill="en")})
    assert [ring.extension for ring in scene.rings_of(caller)] == ["1002"]


def test_an_agent_who_is_removed_is_signed_out_at_once_where_no_contact_hangs_on_it() -> None:
    """Feature 4.1: nobody could sign that agent out any more."""
    scene = Scene(agents=1)
    scene.ready(1)
    scene.configure({"agent-a1": AgentRemoved()})
    assert [event.reason for event in scene.events(s.AgentSignedOut)] == ["removed"]
    assert scene.world.shifts == {}


def test_an_agent_who_is_removed_while_the_phone_rings_is_signed_out_and_the_caller_waits_on() -> None:
    """Features 3.6, 4.1."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    scene.configure({"agent-a1": AgentRemoved()})
    assert [event.reason for event in scene.events(s.AgentSignedOut)] == ["removed"]
    assert scene.live(caller).status == "waiting"


def test_an_agent_who_is_removed_while_talking_is_signed_out_after_the_wrap_up() -> None:
    """Feature 4.1."""
    scene = Scene(agents=1)
    caller, ring = scene.talk()
    scene.configure({"agent-a1": AgentRemoved()})
    assert scene.status(1) == "talking"
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    scene.wait(30_000)
    assert [event.reason for event in scene.events(s.AgentSignedOut)] == ["removed"]


def test_signing_out_while_the_phone_rings_gives_the_caller_to_the_next_agent() -> None:
    """Features 3.6, 4.1."""
    scene = Scene(agents=2)
    scene.ready(1, 2)
    caller = scene.park()
    first = scene.ring_of(caller)
    scene.ringing(first)
    scene.give(inputs.SignOut(agent="1001"))
    assert [event.cause for event in scene.events(c.OfferWithdrawn)] == ["agent_signed_out"]
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [first.leg]
    assert [ring.extension for ring in scene.rings_of(caller)] == ["1002"]
    assert scene.status(1) == ""


def test_signing_out_between_the_answer_and_the_bridge_waits_until_the_talk_is_over() -> None:
    """Features 3.6, 4.1: a leg that is ended in that window may take the caller along."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.give(inputs.SignOut(agent="1001"))
    assert not scene.instructions(HangUpLeg)
    scene.bridge(caller, ring)
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    scene.wait(30_000)
    assert scene.world.shifts == {}


def test_a_phone_that_is_rejected_at_the_desk_and_picked_up_at_once_gets_no_caller() -> None:
    """Complaint 10; feature 4.3: the two crossed; its leg is ended again, and the offer goes to the next."""
    scene = Scene(agents=2)
    scene.ready(1, 2)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.give(inputs.Reject(agent="1001"))
    scene.answer(ring)
    assert not scene.instructions(BridgeLegs)
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [ring.leg, ring.leg]
    scene.hang_up(ring.leg, "CALL_REJECTED")
    assert [event.cause for event in scene.events(c.OfferRejected)] == ["desk"]
    assert [each.extension for each in scene.rings_of(caller)] == ["1002"]


# --- who is to blame -------------------------------------------------------------------------------------------------


def outcomes(scene: Scene) -> list[str]:
    return [event.outcome for event in scene.events(s.AgentReleased)]


@pytest.mark.parametrize(("rang", "outcome"), ((False, "unreachable"), (True, "failed")))
def test_a_phone_whose_machine_says_that_nobody_listens_is_not_there(*, rang: bool, outcome: str) -> None:
    """Complaint 6: a real switch gives such a phone up at once, without waiting for an answer that cannot come."""
    scene = Scene()
    scene.ready(1)
    caller = scene.park()
    (ring,) = scene.rings_of(caller)
    if rang:
        scene.ringing(ring)
    scene.hang_up(ring.leg, "NORMAL_TEMPORARY_FAILURE")
    assert outcomes(scene) == [outcome]
    assert [event.reason for event in scene.events(s.AgentStoodDown)] == ([] if rang else ["phone_unreachable"])


def test_only_a_phone_that_rang_has_missed_a_call() -> None:
    """Complaint 6; feature 3.6: of three phones one rang, one was made and stayed silent, one was never made."""
    scene = Scene(agents=3, ring_at_once=3)
    scene.ready(1, 2, 3)
    caller = scene.park()
    rang, silent, _ = scene.rings_of(caller)
    scene.ringing(rang)
    scene.give(facts.LegCreated(node=NODE, leg=silent.leg, contact=silent.contact, offer=silent.offer))
    scene.wait(20_000)
    assert sorted(outcomes(scene)) == ["failed", "timed_out", "unreachable"]
    assert sorted(event.reason for event in scene.events(s.AgentStoodDown)) == ["phone_unreachable", "ring_no_answer"]
    assert [event.cause for event in scene.events(s.AgentCooledDown)] == ["failed"]


def test_nobody_is_blamed_when_the_engine_comes_late() -> None:
    """Feature 12.2: the database was away while the deadline passed."""
    scene = Scene()
    scene.ready(1)
    caller = scene.park()
    scene.ringing(scene.ring_of(caller))
    scene.sleep(30_000)
    scene.wait(0)
    assert [event.cause for event in scene.events(c.OfferWithdrawn)] == ["engine_late"]
    assert outcomes(scene) == ["withdrawn"]
    assert scene.status(1) == "ready"


def test_nobody_is_blamed_for_a_phone_that_was_never_rung() -> None:
    """Feature 3.6: the instruction came too late to be written."""
    scene = Scene()
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.give(facts.InstructionSkipped(node=NODE, instruction=ring.id, kind="RingAgent", leg=ring.leg, why="deadline"))
    assert outcomes(scene) == ["withdrawn"]
    assert not scene.events(s.AgentStoodDown)
    assert len(scene.rings_of(caller)) == 1


def test_a_ring_whose_outcome_nobody_heard_is_asked_after_not_closed() -> None:
    """Complaint 5: the leg may live."""
    scene = Scene()
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.failed(ring, "timeout")
    assert scene.live(caller).status == "offered"
    assert [each.leg for each in scene.instructions(CheckLeg)] == [ring.leg]
    scene.presence(ring.leg, exists=True)
    scene.answer(ring)
    assert scene.live(caller).status == "connecting"


def test_agents_who_were_still_ringing_when_a_join_failed_are_not_blamed_for_it() -> None:
    """Complaint 3: and they have the time that they had."""
    scene = Scene(agents=2, ring_at_once=2, ring_ms=30_000)
    scene.ready(1, 2)
    caller = scene.park()
    first, second = scene.rings_of(caller)
    scene.ringing(first)
    scene.ringing(second)
    scene.answer(first)
    scene.wait(5_000)
    scene.wait(5_000)
    assert outcomes(scene) == ["failed"]
    assert scene.live(caller).status == "offered"
    scene.wait(19_999)
    assert outcomes(scene) == ["failed"]
    scene.wait(1)
    assert outcomes(scene) == ["failed", "timed_out"]


def test_an_agent_who_picked_up_and_put_down_missed_nothing() -> None:
    """Feature 3.6: left alone for a while, not stood down, whatever cause the switch gives."""
    scene = Scene()
    scene.ready(1)
    ring = scene.ring_of(scene.park())
    scene.answer(ring)
    scene.hang_up(ring.leg, "NO_ANSWER")
    assert outcomes(scene) == ["failed"]
    assert not scene.events(s.AgentStoodDown)


# --- what the caller hears -------------------------------------------------------------------------------------------


def test_a_caller_whose_join_failed_hears_music_again() -> None:
    """Feature 2.5: joining ended the music."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.hang_up(ring.leg)
    assert [each.leg for each in scene.instructions(PlayWaiting)] == [caller, caller]


def test_a_caller_who_is_parked_anew_while_waiting_hears_music_again() -> None:
    """Features 2.5, 12.4: `park_after_bridge` of our dialplan."""
    scene = Scene(agents=0)
    caller = scene.park()
    scene.give(facts.LegParked(node=NODE, leg=caller, inbound=True, context="ringledger-inbound"))
    assert len(scene.instructions(PlayWaiting)) == 2


def test_hostile_names_reach_the_phone_cleaned_and_the_ledger_raw() -> None:
    """Law 10: a line feed, quotes and braces in a display name."""
    scene = Scene()
    scene.ready(1)
    raw = 'x"y\nUnique-ID: z{a=b},<script>'
    caller = scene.park(name=raw, number="+86138;drop")
    assert scene.events(c.ContactArrived)[0].caller_name == raw
    ring = scene.ring_of(caller)
    assert isinstance(ring, RingAgent)
    assert not set(ring.caller_name) & set('"\n{},<>;=')
    assert ring.caller_number == ""
