"""A customer who is called back in the place that they had in the queue, told by hand, whatever goes wrong on the way.

Features 3.5, 3.10; complaints 10, 18, 20. In the weather of seeds: `tests/simulation/test_complaints.py`.
"""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.routing.queues import QueueConfigured, QueueRemoved
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    BridgeLegs,
    DialOutside,
    HangUpLeg,
    PlayApology,
    PlayWaiting,
    RingAgent,
)
from orchestrator.runner import inputs
from tests.runner.scene import NODE, Scene, names

NUMBER = "+8613800138000"
RULES = OutsideConfigured(allowed=("+86",), show="+8675512345678", ring_ms=30_000)


class Callback(Scene):
    """A scene with a caller who has asked to be called back, and is not on the line any more."""

    def __init__(self, agents: int = 1, *, rules: OutsideConfigured = RULES, **queue: object) -> None:
        super().__init__(agents, **queue)  # type: ignore[arg-type]  # a test's own words
        self.configure({"outside-main": rules})
        self.caller = self.park()
        self.ident = self.live(self.caller).contact_id

    @property
    def it(self) -> Contact:
        """The contact, which must be there."""
        return self.world.contacts[self.ident]

    def ask(self) -> None:
        """Ask for the callback, and let the prompt come to its end."""
        assert self.refusal(inputs.AskCallback(contact_id=self.ident)) == ""
        self.wait(2_000)
        self.hang_up(self.caller)

    def agent_answers(self) -> RingAgent:
        """The phone of whoever is offered it rings and is picked up."""
        ring = self.instructions(RingAgent)[-1]
        self.ringing(ring)
        self.answer(ring)
        return ring

    def dialled(self) -> DialOutside:
        """The one call to the customer that was made last."""
        return self.instructions(DialOutside)[-1]

    def customer_answers(self) -> str:
        """The customer's leg is made, answers and parks."""
        leg = self.dialled().leg
        for kind in (facts.LegCreated, facts.LegAnswered, facts.LegParked):
            self.give(kind(node=NODE, leg=leg, contact=self.ident))
        return leg

    def outcomes(self) -> list[str]:
        """How the offers ended for the agents."""
        return [event.outcome for event in self.events(s.AgentReleased)]


def test_a_caller_who_asks_to_be_called_back_hears_so_keeps_the_place_and_is_called_once_an_agent_is_there() -> None:
    """Features 3.5, 3.10: the contact lives on without a leg, and ends once."""
    scene = Callback(1)
    queued_at = scene.now
    scene.wait(60_000)
    younger = scene.park(number="+8613900139000")
    scene.ask()
    prompt = scene.instructions(PlayApology)
    assert [(each.leg, each.prompt) for each in prompt] == [(scene.caller, "callback_promised")]
    assert not scene.instructions(HangUpLeg)
    assert (scene.it.status, scene.it.legs) == ("awaiting_callback", ())
    assert scene.it.visit is not None
    assert scene.it.visit.queued_at == queued_at
    scene.ready(1)
    ring = scene.instructions(RingAgent)[-1]
    assert (ring.contact, ring.caller_number) == (scene.ident, NUMBER)
    assert not scene.instructions(DialOutside)
    scene.agent_answers()
    dialled = scene.dialled()
    assert (dialled.number, dialled.show, dialled.trunk) == (NUMBER, "+8675512345678", "outside")
    assert not scene.instructions(BridgeLegs)
    leg = scene.customer_answers()
    assert [(each.leg, each.other) for each in scene.instructions(BridgeLegs)] == [(leg, ring.leg)]
    scene.bridge(leg, ring)
    assert (scene.it.status, scene.status(1)) == ("connected", "talking")
    scene.hang_up(leg)
    scene.hang_up(ring.leg)
    ended = [event.reason for event in scene.events(c.ContactEnded)]
    assert ended == ["completed"]
    assert scene.live(younger).status == "waiting"


@pytest.mark.parametrize(
    "cause", ("USER_BUSY", "NO_ANSWER", "NO_ROUTE_DESTINATION", "GATEWAY_DOWN", "NORMAL_TEMPORARY_FAILURE")
)
def test_a_customer_who_is_not_reached_is_tried_again_by_the_plan_and_no_agent_is_to_blame(cause: str) -> None:
    scene = Callback(1, callback_tries=2, callback_again_ms=60_000)
    scene.ask()
    scene.ready(1)
    ring = scene.agent_answers()
    scene.hang_up(scene.dialled().leg, cause)
    assert (scene.it.status, scene.status(1), scene.outcomes()) == ("callback_later", "ready", ["withdrawn"])
    assert not scene.events(s.AgentStoodDown)
    assert not scene.events(s.AgentCooledDown)
    assert scene.instructions(HangUpLeg)[-1].leg == ring.leg
    scene.hang_up(ring.leg)
    scene.wait(59_000)
    assert len(scene.instructions(RingAgent)) == 1
    scene.wait(1_000)
    assert names(scene.events(o.CallbackResumed)) == ["CallbackResumed"]
    ring = scene.agent_answers()
    assert len(scene.instructions(DialOutside)) == 2
    scene.hang_up(scene.dialled().leg, cause)
    scene.hang_up(ring.leg)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["callback_failed"]
    assert [event.outcome for event in scene.events(c.QueueVisitEnded)] == ["callback_failed"]
    assert not scene.world.contacts


def test_a_switch_that_refuses_the_call_at_once_is_a_try_like_any_other() -> None:
    scene = Callback(1, callback_tries=1)
    scene.ask()
    scene.ready(1)
    ring = scene.agent_answers()
    scene.failed(scene.dialled(), "INVALID_GATEWAY")
    scene.hang_up(ring.leg)
    assert [(event.cause, event.counted) for event in scene.events(o.CallbackMissed)] == [("INVALID_GATEWAY", True)]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["callback_failed"]


def test_a_customer_whose_phone_rings_in_vain_is_given_up_by_us_where_the_switch_says_nothing() -> None:
    """Complaint 1; law 9: the time of ringing is ours."""
    scene = Callback(1)
    scene.ask()
    scene.ready(1)
    ring = scene.agent_answers()
    scene.wait(30_000)
    assert scene.it.status == "callback_later"
    assert {each.leg for each in scene.instructions(HangUpLeg)} == {scene.dialled().leg, ring.leg}


def test_an_agent_who_hangs_up_while_the_customer_rings_leaves_the_contact_in_its_place() -> None:
    """Complaint 18: whose agent is gone is not called on; it was no try."""
    scene = Callback(2)
    scene.ask()
    scene.ready(1)
    ring = scene.agent_answers()
    first = scene.dialled().leg
    scene.hang_up(ring.leg)
    assert scene.it.status == "awaiting_callback"
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [first]
    scene.hang_up(first, "ORIGINATOR_CANCEL")
    scene.ready(2)
    scene.agent_answers()
    assert scene.dialled().leg != first
    assert not scene.events(o.CallbackMissed)


def test_an_agent_may_reject_at_the_desk_while_the_customer_rings() -> None:
    scene = Callback(1)
    scene.ask()
    scene.ready(1)
    ring = scene.agent_answers()
    assert scene.refusal(inputs.Reject(agent="1001")) == ""
    assert scene.instructions(HangUpLeg)[-1].leg == ring.leg
    scene.hang_up(ring.leg)
    assert (scene.it.status, scene.status(1)) == ("awaiting_callback", "ready")


def test_a_customer_who_answers_in_the_tick_in_which_the_agent_dies_waits_first_in_line_with_music() -> None:
    scene = Callback(2)
    scene.ask()
    scene.ready(1)
    ring = scene.agent_answers()
    leg = scene.customer_answers()
    scene.hang_up(ring.leg)
    assert (scene.it.status, scene.it.caller_leg) == ("waiting", leg)
    assert scene.instructions(PlayWaiting)[-1].leg == leg
    assert scene.it.visit is not None
    assert scene.it.visit.leave_by == scene.now + 600_000_000
    scene.ready(2)
    again = scene.agent_answers()
    assert (scene.instructions(BridgeLegs)[-1].leg, scene.instructions(BridgeLegs)[-1].other) == (leg, again.leg)


def test_a_customer_who_answers_just_after_the_agent_died_is_let_go_and_called_again() -> None:
    scene = Callback(1)
    scene.ask()
    scene.ready(1)
    ring = scene.agent_answers()
    leg = scene.dialled().leg
    scene.hang_up(ring.leg)
    scene.customer_answers()
    assert {each.leg for each in scene.instructions(HangUpLeg)} == {leg}
    scene.hang_up(leg)
    assert scene.it.status == "awaiting_callback"


@pytest.mark.parametrize("moment", ("awaiting", "offered", "calling", "answered", "later"))
def test_an_engine_that_is_killed_at_any_moment_finds_the_contact_where_it_was(moment: str) -> None:
    """Feature 11.8: nothing of a callback is only in memory."""
    scene = Callback(1)
    scene.ask()
    seen: list[facts.SeenLeg] = []
    if moment != "awaiting":
        scene.ready(1)
        ring = scene.instructions(RingAgent)[-1]
        if moment == "offered":
            scene.ringing(ring)
        else:
            scene.agent_answers()
            seen.append(scene.seen_phone(ring, answered=True, parked=True))
    if moment in ("calling", "answered"):
        leg = scene.dialled().leg
        up = moment == "answered"
        seen.append(facts.SeenLeg(leg=leg, inbound=False, contact=scene.ident, answered=up, parked=up))
    if moment == "later":
        scene.hang_up(scene.dialled().leg, "USER_BUSY")
        scene.hang_up(scene.instructions(RingAgent)[-1].leg)
        seen = []
    dials = len(scene.instructions(DialOutside))
    scene.restart()
    scene.connect(legs=tuple(seen))
    for leg in scene.it.legs:
        if leg not in {each.leg for each in seen}:
            scene.presence(leg, exists=False)
    expected = {"later": "callback_later", "calling": "calling_back", "answered": "connecting"}
    assert scene.it.status in (expected.get(moment, "awaiting_callback"), "offered")
    assert len(scene.instructions(DialOutside)) == dials
    scene.wait(20_000_000)
    assert not scene.world.callbacks


def test_a_call_that_was_committed_and_never_made_is_no_try_and_the_next_agent_makes_it() -> None:
    """Feature 11.8: the engine dies between the commit and the command."""
    scene = Callback(1)
    scene.ask()
    scene.ready(1)
    ring = scene.agent_answers()
    scene.wait(3_000)
    scene.restart()
    scene.connect(legs=(scene.seen_phone(ring, answered=True, parked=True),))
    scene.presence(scene.dialled().leg, exists=False)
    assert [event.counted for event in scene.events(o.CallbackMissed)] == [False]
    scene.hang_up(ring.leg)
    scene.wait(10_000)
    scene.agent_answers()
    assert len(scene.instructions(DialOutside)) == 2


def test_a_switch_that_is_restarted_takes_no_callback_with_it() -> None:
    scene = Callback(1)
    scene.ask()
    scene.ready(1)
    scene.agent_answers()
    scene.connect(core="core-2")
    assert (scene.it.status, scene.it.legs) in (("awaiting_callback", ()), ("offered", scene.it.legs))
    assert not scene.events(c.ContactEnded)


def test_a_talk_with_a_customer_who_was_called_back_is_lost_with_its_switch() -> None:
    """Feature 12.4: the agent's leg is the older one here."""
    scene = Callback(1)
    scene.ask()
    scene.ready(1)
    ring = scene.agent_answers()
    scene.bridge(scene.customer_answers(), ring)
    scene.connect(core="core-2")
    assert [event.ended_by for event in scene.events(c.AgentSegmentEnded)] == ["system"]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["switch_lost"]


def test_a_queue_that_is_removed_keeps_its_callbacks_to_their_end() -> None:
    scene = Callback(1, callback_most_wait_ms=60_000)
    scene.ask()
    scene.configure({"queue-support": QueueRemoved()})
    scene.ready(1)
    scene.agent_answers()
    assert scene.dialled().number == NUMBER


def test_a_callback_for_which_nobody_has_time_is_given_up_when_its_time_is_over() -> None:
    """Law 9, also where the switch is away."""
    scene = Callback(1, callback_most_wait_ms=60_000)
    scene.ask()
    scene.disconnect()
    scene.wait(60_000)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["callback_failed"]


def test_a_customer_who_calls_again_takes_up_the_place_and_is_not_called_as_well() -> None:
    """Feature 3.10, complaint 20: one person, one place."""
    scene = Callback(1)
    queued_at = scene.now
    scene.ask()
    other = scene.park(number="+8613900139000")
    scene.wait(30_000)
    again = scene.park()
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["called_again"]
    visit = scene.live(again).visit
    assert visit is not None
    assert visit.since == queued_at
    scene.ready(1)
    assert scene.live(again).status == "offered"
    assert scene.live(other).status == "waiting"
    assert scene.world.callbacks == {}


def test_a_customer_who_calls_again_while_being_called_is_not_called_on() -> None:
    scene = Callback(1)
    scene.ask()
    scene.ready(1)
    ring = scene.agent_answers()
    leg = scene.dialled().leg
    again = scene.park()
    assert {each.leg for each in scene.instructions(HangUpLeg)} == {leg, ring.leg}
    scene.hang_up(leg, "ORIGINATOR_CANCEL")
    scene.hang_up(ring.leg)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["called_again"]
    assert scene.live(again).status == "offered"


def test_a_callback_that_a_person_cancels_is_over_at_once_wherever_it_stands() -> None:
    """Feature 3.10: while it waits, while the agent's phone rings, while the customer's does, and between the tries."""
    for stands in ("awaiting_callback", "offered", "calling_back", "callback_later"):
        scene = Callback(1, callback_tries=2, callback_again_ms=60_000)
        scene.ask()
        if stands != "awaiting_callback":
            scene.ready(1)
        if stands in ("calling_back", "callback_later"):
            ring = scene.agent_answers()
            if stands == "callback_later":
                scene.hang_up(scene.dialled().leg, "USER_BUSY")
                scene.hang_up(ring.leg)
        assert scene.it.status == stands
        assert scene.refusal(inputs.CancelCallback(contact_id=scene.ident, reason="customer_asked")) == ""
        rung = [each.leg for each in scene.instructions(RingAgent)]
        called = [each.leg for each in scene.instructions(DialOutside)]
        if stands in ("offered", "calling_back"):
            assert {each.leg for each in scene.instructions(HangUpLeg)} >= {*rung, *called}, stands
            for leg in (*called, *rung):
                scene.hang_up(leg, "ORIGINATOR_CANCEL")
        (ended,) = scene.events(o.CallbackEnded)
        assert (ended.reason, ended.why) == ("callback_cancelled", "customer_asked")
        assert [event.reason for event in scene.events(c.ContactEnded)] == ["callback_cancelled"], stands
        assert not scene.events(s.AgentStoodDown)
        scene.wait(600_000)
        assert len(scene.instructions(RingAgent)) == len(rung), "nobody is rung for it any more"
        assert scene.world.callbacks == {}


def test_a_callback_is_cancelled_while_the_promise_is_still_heard_and_only_once() -> None:
    scene = Callback(1)
    assert scene.refusal(inputs.CancelCallback(contact_id=scene.ident, reason="mistake")) == "no_callback"
    assert scene.refusal(inputs.AskCallback(contact_id=scene.ident)) == ""
    assert scene.refusal(inputs.CancelCallback(contact_id=scene.ident, reason="no code!")) == "bad_reason"
    assert scene.refusal(inputs.CancelCallback(contact_id=scene.ident, reason="mistake")) == ""
    assert scene.refusal(inputs.CancelCallback(contact_id=scene.ident, reason="mistake")) == "no_callback"
    scene.hang_up(scene.caller)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["callback_cancelled"]


@pytest.mark.parametrize(
    ("number", "code"),
    (
        ("", "withheld"),
        ("anonymous", "withheld"),
        ("110", "withheld"),
        ("+8690012345", "not_allowed"),
        ("+1212555", "not_allowed"),
    ),
)
def test_nobody_is_promised_a_call_to_a_number_that_may_not_be_called(number: str, code: str) -> None:
    """Features 3.5, 3.10; law 10: emergency numbers, dear ones, and no number at all."""
    rules = OutsideConfigured(allowed=("+86", "1"), refused=("+8690",))
    scene = Callback(1, rules=rules)
    caller = scene.park(number=number)
    assert scene.refusal(inputs.AskCallback(contact_id=scene.live(caller).contact_id)) == code
    assert scene.live(caller).status == "waiting"


def test_without_rules_nobody_outside_is_called() -> None:
    scene = Scene(1)
    caller = scene.park()
    assert scene.refusal(inputs.AskCallback(contact_id=scene.live(caller).contact_id)) == "no_outside"


def test_an_agent_is_not_rung_again_at_once_where_no_line_is_free_though_the_plan_has_no_pause() -> None:
    """Complaint 10: what is no try has no number of tries that ends it."""
    scene = Callback(2, rules=OutsideConfigured(allowed=("+86",), at_most=1), callback_again_ms=0)
    sent = scene.park(number="+8613900139000")
    assert scene.refusal(inputs.SendOutside(contact_id=scene.live(sent).contact_id, number="+8675500000")) == ""
    scene.ask()
    scene.ready(1)
    scene.hang_up(scene.agent_answers().leg)
    scene.wait(9_900)
    assert len(scene.instructions(RingAgent)) == 1
    scene.wait(200)
    assert len(scene.instructions(RingAgent)) == 2


def test_a_callback_that_finds_no_line_free_waits_and_is_no_try() -> None:
    """Toll fraud is bounded; complaint 10: the agent's phone does not ring in a loop meanwhile."""
    scene = Callback(2, rules=OutsideConfigured(allowed=("+86",), at_most=1), callback_again_ms=60_000)
    sent = scene.park(number="+8613900139000")
    assert scene.refusal(inputs.SendOutside(contact_id=scene.live(sent).contact_id, number="+8675500000")) == ""
    scene.ask()
    scene.ready(1)
    scene.agent_answers()
    assert len(scene.instructions(DialOutside)) == 1
    assert [(event.cause, event.counted) for event in scene.events(o.CallbackMissed)] == [("outside_full", False)]
    assert scene.it.status == "callback_later"
    scene.wait(59_000)
    assert len(scene.instructions(RingAgent)) == 1


def test_a_callback_rings_one_agent_though_the_queue_rings_all() -> None:
    scene = Callback(3, ring_at_once=3)
    scene.ask()
    scene.ready(1, 2, 3)
    assert len([each for each in scene.instructions(RingAgent) if each.contact == scene.ident]) == 1


def test_whoever_ends_everything_ends_the_callbacks_too() -> None:
    scene = Callback(1)
    scene.ask()
    scene.give(inputs.EndAll())
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["stopped"]


def test_a_customer_who_hangs_up_in_the_middle_of_the_prompt_is_called_all_the_same() -> None:
    scene = Callback(1)
    assert scene.refusal(inputs.AskCallback(contact_id=scene.ident)) == ""
    scene.hang_up(scene.caller, "ORIGINATOR_CANCEL")
    assert scene.it.status == "awaiting_callback"


def test_a_prompt_is_played_to_its_end_though_the_leg_shows_signs_of_life() -> None:
    scene = Callback(1)
    scene.give(inputs.AskCallback(contact_id=scene.ident))
    scene.give(facts.LegAnswered(node=NODE, leg=scene.caller))
    scene.snapshot(scene.seen(scene.caller))
    assert not scene.instructions(HangUpLeg)
    scene.wait(60_000)
    scene.presence(scene.caller, exists=True)
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [scene.caller]


def test_settings_of_a_callback_are_those_of_when_it_was_asked_for() -> None:
    scene = Callback(1, callback_tries=1)
    scene.ask()
    scene.configure({"queue-support": QueueConfigured(name="Support", skill="zh", callback_tries=9)})
    scene.ready(1)
    ring = scene.agent_answers()
    scene.hang_up(scene.dialled().leg, "USER_BUSY")
    scene.hang_up(ring.leg)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["callback_failed"]
