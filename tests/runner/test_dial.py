"""An agent who dials a number: told by hand, in each state, whoever gives up first.

Features 1.2, 4.3; complaint 18. In the weather of seeds: `tests/simulation/dialers.py`.
"""

from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.audit.verify import verify
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import dial_events as d
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import MILLISECOND, Event
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.staff.answering import AT_DESK
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import BridgeLegs, DialOutside, HangUpLeg, PlayRinging, RingAgent
from orchestrator.runner import inputs
from tests.runner.scene import NODE, Scene, agent, names, story
from tests.runner.test_at_desk import ready_at_desk

NUMBER = "+8613800138000"
RULES = OutsideConfigured(
    allowed=("+86",),
    refused=("+86900",),
    show="+8675512345678",
    show_at={"shanghai": "+862161000000"},
    ring_ms=30_000,
    at_most=1,
)


class Dialled(Scene):
    """A scene in which agent 1, of the branch in Shanghai, may call numbers outside."""

    def __init__(
        self, agents: int = 1, *, branch: str = "shanghai", answer: str = "phone", rules: OutsideConfigured = RULES
    ) -> None:
        super().__init__(agents)
        self.configure({"outside-main": rules, "agent-a1": at(branch, answer)})

    @property
    def it(self) -> Contact:
        """The one contact."""
        (contact,) = self.world.contacts.values()
        return contact

    def dial(self, number: str = NUMBER, agent: int = 1) -> str:
        """The code with which it is refused; empty where it is not."""
        return self.refusal(inputs.Dial(agent=f"100{agent}", number=number))

    def agent_answers(self) -> RingAgent:
        """The agent's own phone rings and is picked up."""
        (ring,) = self.instructions(RingAgent)
        self.ringing(ring)
        self.answer(ring)
        return ring

    def called(self) -> DialOutside:
        """The one call to the number."""
        (dialled,) = self.instructions(DialOutside)
        return dialled

    def number_answers(self) -> str:
        """The leg to the number is made, answers and parks."""
        leg = self.called().leg
        for kind in (facts.LegCreated, facts.LegAnswered, facts.LegParked):
            self.give(kind(node=NODE, leg=leg, contact=self.it.contact_id))
        return leg

    def ended(self) -> list[str]:
        """How contacts ended."""
        return [event.reason for event in self.events(c.ContactEnded)]

    def let_go(self) -> None:
        """The switch does what it was told last of legs."""
        for told in self.instructions(HangUpLeg):
            if told.leg in self.world.contact_of_leg:
                self.hang_up(told.leg, told.cause)


def at(branch: str, answer: str) -> AgentConfigured:
    """Agent 1001 of this branch."""
    return AgentConfigured(
        number="1001", name="Agent 1", extension="1001", skills={"zh": 3}, branch=branch, answer=answer
    )


def test_the_agents_phone_rings_then_the_number_and_it_sees_the_number_of_the_agents_branch() -> None:
    """Feature 1.2: the one who is called sees the branch; no queue, no visit, one end."""
    scene = Dialled()
    scene.ready(1)
    assert scene.dial("+86 138-0013-8000") == ""
    assert story(scene.outcome) == ["ContactDialled", "OfferMade", "AgentReserved"]
    (ring,) = scene.instructions(RingAgent)
    assert (ring.extension, ring.caller_number, ring.answers) == ("1001", NUMBER, False)
    assert not scene.instructions(DialOutside)
    scene.agent_answers()
    dialled = scene.called()
    assert (dialled.number, dialled.show, dialled.trunk) == (NUMBER, "+862161000000", "outside")
    assert (scene.it.status, scene.status(1)) == ("dialling", "reserved")
    assert not scene.instructions(BridgeLegs)
    leg = scene.number_answers()
    assert [(each.leg, each.other) for each in scene.instructions(BridgeLegs)] == [(leg, ring.leg)]
    scene.bridge(leg, ring)
    assert (scene.it.status, scene.it.caller_leg, scene.status(1)) == ("connected", leg, "talking")
    scene.hang_up(leg)
    scene.hang_up(ring.leg)
    assert (scene.ended(), scene.status(1)) == (["completed"], "wrapping_up")
    never: tuple[type[Event], ...] = (c.ContactQueued, c.QueueVisitEnded, c.ContactArrived, d.DialEnded)
    assert not any(scene.events(kind) for kind in never)
    assert not scene.world.contacts


@pytest.mark.parametrize(
    ("branch", "shown", "alarms"),
    (("", "+8675512345678", []), ("kunming", "+8675512345678", ["kunming"])),
)
def test_without_a_number_of_the_branch_the_common_one_is_shown_and_a_branch_without_one_is_an_alarm(
    branch: str, shown: str, alarms: list[str]
) -> None:
    scene = Dialled(branch=branch)
    scene.ready(1)
    assert scene.dial() == ""
    scene.agent_answers()
    assert scene.called().show == shown
    assert [event.branch for event in scene.events(d.BranchNumberMissing)] == alarms


def test_an_agent_who_answers_at_the_desk_has_accepted_by_dialling_and_the_phone_picks_up_by_itself() -> None:
    """Decision 0086."""
    scene = Dialled(answer=AT_DESK)
    ready_at_desk(scene)
    assert scene.dial() == ""
    (ring,) = scene.instructions(RingAgent)
    assert ring.answers
    assert scene.it.legs == (ring.leg,)


def test_without_an_open_desk_the_phone_rings() -> None:
    """Decision 0095."""
    scene = Dialled(answer=AT_DESK)
    scene.ready(1)
    assert scene.dial() == ""
    (ring,) = scene.instructions(RingAgent)
    assert not ring.answers


def test_two_clicks_are_one_call_and_another_number_meanwhile_is_refused() -> None:
    scene = Dialled(2)
    scene.ready(1, 2)
    assert scene.dial() == ""
    assert (scene.dial("+86 13800138000"), scene.outcome.records) == ("", ())
    assert scene.dial("+8613900139000") == "being_offered"
    scene.agent_answers()
    assert (scene.dial(), scene.outcome.records) == ("", ())
    assert scene.dial("+8613900139000", agent=2) == "outside_full"
    assert len(scene.world.contacts) == 1


@pytest.mark.parametrize(
    ("number", "code"),
    (
        ("", "withheld"),
        ("anonymous", "withheld"),
        ("110", "withheld"),
        ("+861380013800012345", "withheld"),
        ("+8690012345", "not_allowed"),
        ("+15551234567", "not_allowed"),
        ("1002", "internal_number"),
        (" 1001 ", "internal_number"),
        ("+8675512345678", "own_number"),
        ("+86 21 6100 0000", "own_number"),
    ),
)
def test_a_number_that_may_not_be_called_is_refused_and_nothing_begins(number: str, code: str) -> None:
    """Feature 1.2: no emergency number, no colleague, no number of the house, none that the rules do not allow."""
    scene = Dialled(2)
    scene.ready(1)
    assert scene.dial(number) == code
    assert not scene.world.contacts


@pytest.mark.parametrize("typed", ("80001", "80 001", " 8-0001"))
def test_a_colleagues_long_number_is_one_however_it_is_written(typed: str) -> None:
    scene = Dialled(2, rules=replace(RULES, allowed=("8",)))
    scene.configure({"agent-a2": replace(agent(2), extension="80001")})
    scene.ready(1)
    assert scene.dial(typed) == "internal_number"


def test_whoever_cannot_take_a_call_cannot_make_one_either() -> None:
    scene = Dialled()
    assert scene.dial() == "not_signed_in"
    scene.talk(1)
    assert scene.dial() == "at_capacity"
    without = Scene(1)
    without.ready(1)
    assert without.refusal(inputs.Dial(agent="1001", number=NUMBER)) == "no_outside"
    gone = Dialled()
    gone.ready(1)
    gone.snapshot(phones={"1001": False})
    assert gone.dial() == "phone_gone"
    away = Dialled()
    away.ready(1)
    away.disconnect()
    assert away.dial() == "switch_away"


def test_an_agent_who_is_not_ready_may_dial_and_is_not_ready_after_it() -> None:
    """As with a contact that is picked by hand."""
    scene = Dialled()
    scene.ready(1)
    scene.give(inputs.Pause(agent="1001", reason="break"))
    assert scene.dial() == ""
    scene.agent_answers()
    scene.hang_up(scene.called().leg, "USER_BUSY")
    scene.let_go()
    assert scene.status(1) == "paused"


@pytest.mark.parametrize(
    ("cause", "reason"),
    (
        ("NO_ANSWER", "own_phone_no_answer"),
        ("USER_BUSY", "own_phone_no_answer"),
        ("CALL_REJECTED", "dial_cancelled"),
        ("USER_NOT_REGISTERED", "own_phone_unreachable"),
        ("SWITCH_CONGESTION", "dial_failed"),
    ),
)
def test_where_the_agents_own_phone_is_not_taken_nobody_outside_is_called(cause: str, reason: str) -> None:
    """Complaint 18."""
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    (ring,) = scene.instructions(RingAgent)
    scene.ringing(ring)
    scene.hang_up(ring.leg, cause)
    assert (scene.ended(), scene.instructions(DialOutside)) == ([reason], [])
    assert not scene.world.contacts


def test_an_own_phone_that_rings_too_long_ends_the_dialling_with_its_last_leg() -> None:
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    (ring,) = scene.instructions(RingAgent)
    scene.ringing(ring)
    scene.wait(60_000)
    assert [(event.outcome, event.cause) for event in scene.events(d.DialEnded)] == [
        ("own_phone_no_answer", "NO_ANSWER")
    ]
    scene.hang_up(ring.leg)
    assert scene.ended() == ["own_phone_no_answer"]


@pytest.mark.parametrize(
    ("cause", "reason"),
    (
        ("USER_BUSY", "number_busy"),
        ("NO_ANSWER", "number_no_answer"),
        ("UNALLOCATED_NUMBER", "number_wrong"),
        ("CALL_REJECTED", "number_barred"),
        ("GATEWAY_DOWN", "dial_failed"),
    ),
)
def test_a_number_that_is_not_reached_ends_it_and_blames_nobody(cause: str, reason: str) -> None:
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    ring = scene.agent_answers()
    scene.hang_up(scene.called().leg, cause)
    assert scene.instructions(HangUpLeg)[-1].leg == ring.leg
    scene.hang_up(ring.leg)
    assert (scene.ended(), scene.status(1)) == ([reason], "ready")
    assert [event.outcome for event in scene.events(s.AgentReleased)] == ["withdrawn"]
    assert not scene.events(s.AgentStoodDown)


def test_a_number_that_rings_too_long_is_given_up() -> None:
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    scene.agent_answers()
    scene.wait(30_000)
    scene.let_go()
    assert scene.ended() == ["number_no_answer"]


def test_a_number_that_is_forbidden_while_the_own_phone_rings_is_not_called() -> None:
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    scene.configure({"outside-main": OutsideConfigured(allowed=("+44",))})
    scene.agent_answers()
    scene.let_go()
    assert (scene.ended(), scene.instructions(DialOutside)) == (["number_barred"], [])


@pytest.mark.parametrize("how", ("desk", "reject", "phone", "named"))
@pytest.mark.parametrize("when", ("own_phone", "number"))
def test_the_agent_thinks_better_of_it(when: str, how: str) -> None:
    """At the desk by either key, or by the handset: whatever rings stops."""
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    (ring,) = scene.instructions(RingAgent)
    scene.ringing(ring)
    if when == "number":
        scene.answer(ring)
    match how:
        case "desk":
            assert scene.refusal(inputs.HangUp(agent="1001")) == ""
        case "named":
            assert scene.refusal(inputs.HangUp(agent="1001", about=scene.it.contact_id)) == ""
        case "reject":
            assert scene.refusal(inputs.Reject(agent="1001")) == ""
        case "phone":
            scene.hang_up(ring.leg, "NORMAL_CLEARING" if when == "number" else "CALL_REJECTED")
    scene.let_go()
    scene.let_go()
    assert scene.ended() == ["dial_cancelled"]
    assert not scene.world.contacts
    assert not scene.world.outside_legs
    if when == "number":  # by whichever key: nothing was missed, and nobody has to cool down
        assert [event.outcome for event in scene.events(s.AgentReleased)] == ["withdrawn"]
        assert scene.is_free(1)


def test_whoever_answers_and_hangs_up_before_they_are_joined_ends_it() -> None:
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    scene.agent_answers()
    leg = scene.number_answers()
    scene.hang_up(leg)
    scene.let_go()
    assert (scene.ended(), scene.status(1)) == (["number_hung_up"], "ready")


def test_an_agent_lost_before_they_are_joined_leaves_nobody_alone_on_the_line() -> None:
    """Whoever was called waits in no queue: they are hung up."""
    scene = Dialled(2)
    scene.ready(1, 2)
    scene.dial()
    ring = scene.agent_answers()
    leg = scene.number_answers()
    scene.hang_up(ring.leg)
    assert scene.instructions(HangUpLeg)[-1].leg == leg
    scene.let_go()
    assert scene.ended() == ["dial_cancelled"]
    assert len(scene.instructions(RingAgent)) == 1


@pytest.mark.parametrize("state", ("own_phone", "number", "answered", "talking"))
def test_a_restart_finds_it_where_it_was(state: str) -> None:
    """Each state is taken up as the switch has it: nobody is rung or called a second time."""
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    (ring,) = scene.instructions(RingAgent)
    scene.ringing(ring)
    seen = [scene.seen_phone(ring)]
    if state != "own_phone":
        scene.answer(ring)
        leg = scene.called().leg
        there = state != "number"
        seen = [
            scene.seen_phone(ring, answered=True, parked=True),
            scene.seen_phone(ring, answered=there, parked=there),
        ]
        seen[1] = facts.SeenLeg(
            leg=leg, inbound=False, contact=ring.contact, offer=ring.offer, answered=there, parked=there
        )
    if state == "talking":
        scene.number_answers()
        scene.bridge(scene.it.caller_leg, ring)
    scene.wait(5_000)
    scene.restart()
    scene.connect(legs=tuple(seen))
    assert not scene.events(d.DialEnded)
    assert len(scene.instructions(RingAgent)) == 1
    if state == "own_phone":
        scene.answer(ring)
    if state in ("own_phone", "number"):
        scene.number_answers()
    if state != "talking":
        scene.bridge(scene.called().leg, ring)
    assert (scene.it.status, scene.status(1)) == ("connected", "talking")
    assert len(scene.instructions(DialOutside)) == 1


def test_a_switch_that_was_restarted_ends_it_once() -> None:
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    scene.agent_answers()
    scene.connect(core="core-2")
    assert (scene.ended(), scene.status(1)) == (["switch_lost"], "ready")


def test_once_they_talk_whoever_was_dialled_is_held_passed_on_and_parked_like_a_caller() -> None:
    """Feature 4.3: in the queue whose settings hold."""
    scene = Dialled(2)
    scene.ready(1, 2)
    scene.dial()
    ring = scene.agent_answers()
    leg = scene.number_answers()
    scene.bridge(leg, ring)
    scene.wait(1_000)
    assert scene.refusal(inputs.Hold(agent="1001")) == ""
    assert scene.refusal(inputs.Transfer(agent="1001", to_agent="1002")) == ""
    assert names(scene.events(c.ContactQueued)) == ["ContactQueued"]
    assert scene.it.queue_id == "support"
    second = scene.instructions(RingAgent)[-1]
    assert (second.extension, second.caller_number) == ("1002", NUMBER)
    scene.hang_up(second.leg, "USER_BUSY")
    assert scene.it.status in ("waiting", "offered")
    scene.hang_up(leg)
    scene.let_go()
    assert scene.ended() == ["abandoned"]


def test_a_switch_that_is_restarted_during_the_talk_is_why_it_ended() -> None:
    """Feature 12.5: the agent's leg is the older one here, and whose end is heard of first must not hide why."""
    scene = talking()
    scene.connect(core="core-2")
    assert scene.ended() == ["switch_lost"]
    assert [event.ended_by for event in scene.events(c.AgentSegmentEnded)] == ["system"]


def test_whoever_was_dialled_passed_on_and_asked_to_be_called_back_is_called() -> None:
    """Feature 3.5; complaint 20: once they have talked they are a customer like any other."""
    scene = talking(2)
    assert scene.refusal(inputs.Transfer(agent="1001", to_queue="support")) == ""
    scene.let_go()
    assert scene.refusal(inputs.AskCallback(contact_id=scene.it.contact_id)) == ""
    scene.hang_up(scene.it.farewell)
    assert (scene.it.status, scene.it.legs) == ("awaiting_callback", ())
    scene.ready(2)
    ring = scene.instructions(RingAgent)[-1]
    scene.ringing(ring)
    scene.answer(ring)
    assert scene.it.status == "calling_back"
    called = scene.instructions(DialOutside)[-1]
    assert (called.number, len(scene.instructions(DialOutside))) == (NUMBER, 2)
    for kind in (facts.LegCreated, facts.LegAnswered, facts.LegParked):
        scene.give(kind(node=NODE, leg=called.leg, contact=scene.it.contact_id))
    scene.bridge(called.leg, ring)
    assert (scene.it.status, scene.status(2)) == ("connected", "talking")


def talking(agents: int = 1) -> Dialled:
    """Agent 1 talks with the number that they dialled; nobody else is signed in."""
    scene = Dialled(agents)
    scene.ready(1)
    assert scene.dial() == ""
    ring = scene.agent_answers()
    scene.bridge(scene.number_answers(), ring)
    return scene


# --- what the agent hears meanwhile ----------------------------------------------------------------------------------
def dialling() -> tuple[Dialled, RingAgent, str]:
    """The agent is off the hook, the number is being called: the scene, the agent's phone, the leg to the number."""
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    ring = scene.agent_answers()
    assert scene.called().early
    return scene, ring, scene.called().leg


def test_while_the_number_rings_the_agent_hears_so_once() -> None:
    scene, ring, leg = dialling()
    assert not scene.instructions(PlayRinging), "nobody hears a phone that does not ring yet"
    for _ in range(2):
        scene.give(facts.LegRinging(node=NODE, leg=leg, contact=scene.it.contact_id))
    assert [each.leg for each in scene.instructions(PlayRinging)] == [ring.leg]
    assert len(scene.events(d.NumberDelivered)) == 1
    scene.number_answers()
    assert [(each.leg, each.other) for each in scene.instructions(BridgeLegs)] == [(leg, ring.leg)]


def test_what_the_far_end_sends_before_it_answers_is_heard_and_its_answer_is_none_before() -> None:
    scene, ring, leg = dialling()
    about: dict[str, Any] = {"node": NODE, "leg": leg, "contact": scene.it.contact_id}
    scene.give(facts.LegParked(early=True, **about))
    assert [(each.leg, each.other) for each in scene.instructions(BridgeLegs)] == [(ring.leg, leg)]
    scene.give(facts.LegBridged(node=NODE, leg=ring.leg, other=leg))
    assert (scene.it.status, scene.status(1)) == ("dialling", "reserved")
    scene.give(facts.LegRinging(**about))
    assert not scene.instructions(PlayRinging), "no tone over what is heard"
    answer = facts.LegAnswered(**about)
    assert not scene.runner.is_no_news(answer)
    scene.give(answer)
    assert [(each.leg, each.other) for each in scene.instructions(BridgeLegs)][1:] == [(leg, ring.leg)]
    scene.bridge(leg, ring)
    assert (scene.it.status, scene.it.caller_leg) == ("connected", leg)
    assert names(scene.events(d.NumberSounded)) == ["NumberSounded"]


@pytest.mark.parametrize("first", ("number", "agent"))
def test_a_number_that_says_by_sound_why_it_is_not_reached_is_not_reached(first: str) -> None:
    """A network plays `no such number`, then refuses; the agent's leg goes too; whose end is told first is chance."""
    scene, ring, leg = dialling()
    scene.give(facts.LegParked(node=NODE, leg=leg, contact=scene.it.contact_id, early=True))
    scene.give(facts.LegBridged(node=NODE, leg=ring.leg, other=leg))
    for gone in (leg, ring.leg) if first == "number" else (ring.leg, leg):
        scene.hang_up(gone, "UNALLOCATED_NUMBER")
    assert scene.ended() == ["number_wrong"]
    assert scene.status(1) == "ready"


def test_whoever_puts_down_while_the_far_end_is_heard_has_thought_better_of_it() -> None:
    scene, ring, leg = dialling()
    scene.give(facts.LegParked(node=NODE, leg=leg, contact=scene.it.contact_id, early=True))
    scene.give(facts.LegBridged(node=NODE, leg=ring.leg, other=leg))
    scene.give(facts.LegHungUp(node=NODE, leg=ring.leg, cause="NORMAL_CLEARING", by_far_end=True))
    scene.let_go()
    assert scene.ended() == ["dial_cancelled"]


def test_a_number_that_is_heard_and_never_answers_is_given_up_in_time() -> None:
    """The switch does not ring it any more then, and so would not give it up by itself."""
    scene, ring, leg = dialling()
    scene.give(facts.LegParked(node=NODE, leg=leg, contact=scene.it.contact_id, early=True))
    scene.give(facts.LegBridged(node=NODE, leg=ring.leg, other=leg))
    scene.wait(RULES.ring_ms + 1_000)
    scene.let_go()
    assert scene.ended() == ["number_no_answer"]


@pytest.mark.parametrize("heard", (False, True))
def test_a_restart_lets_the_agent_hear_it_again(*, heard: bool) -> None:
    scene, ring, leg = dialling()
    contact = scene.it.contact_id
    fact = facts.LegParked(node=NODE, leg=leg, contact=contact, early=True) if heard else None
    scene.give(fact or facts.LegRinging(node=NODE, leg=leg, contact=contact))
    told = len(scene.told)
    scene.restart()
    agents = scene.seen_phone(ring, answered=True, parked=True)
    number = facts.SeenLeg(leg=leg, inbound=False, parked=heard, contact=contact, offer=ring.offer)
    scene.connect(legs=(agents, number))
    again = [each for each in scene.told[told:] if isinstance(each, BridgeLegs | PlayRinging)]
    assert [(type(each), each.leg) for each in again] == [(BridgeLegs if heard else PlayRinging, ring.leg)]


@pytest.mark.parametrize("how", ("link", "restart", "doubt"))
def test_sound_that_began_unheard_is_found_and_its_answer_then_joins_the_two(how: str) -> None:
    """The leg has parked by then, and does not once more as somebody answers."""
    scene, ring, leg = dialling()
    contact = scene.it.contact_id
    agents = scene.seen_phone(ring, answered=True, parked=True)
    number = facts.SeenLeg(leg=leg, inbound=False, parked=True, contact=contact, offer=ring.offer)
    if how == "link":
        scene.disconnect()
    if how == "restart":
        scene.restart()
    if how == "doubt":
        scene.snapshot(agents, number)
    else:
        scene.connect(legs=(agents, number))
    assert names(scene.events(d.NumberSounded)) == ["NumberSounded"]
    assert [(each.leg, each.other) for each in scene.instructions(BridgeLegs)] == [(ring.leg, leg)]
    answer = facts.LegAnswered(node=NODE, leg=leg, contact=contact)
    assert not scene.runner.is_no_news(answer)
    scene.give(answer)
    assert [(each.leg, each.other) for each in scene.instructions(BridgeLegs)][1:] == [(leg, ring.leg)]
    scene.bridge(leg, ring)
    assert (scene.it.status, scene.status(1)) == ("connected", "talking")


def test_an_answer_that_was_missed_while_the_number_was_heard_is_seen() -> None:
    scene, ring, leg = dialling()
    contact = scene.it.contact_id
    scene.give(facts.LegParked(node=NODE, leg=leg, contact=contact, early=True))
    scene.give(facts.LegBridged(node=NODE, leg=ring.leg, other=leg))
    agents = scene.seen_phone(ring, answered=True, bridged_to=leg)
    number = facts.SeenLeg(leg=leg, inbound=False, answered=True, bridged_to=ring.leg, contact=contact)
    scene.snapshot(agents, number)
    assert scene.events(d.NumberAnswered)
    assert (scene.instructions(BridgeLegs)[-1].leg, scene.instructions(BridgeLegs)[-1].other) == (leg, ring.leg)


# --- from the middle of after-call work ------------------------------------------------------------------------------
def wrapping_up(**more: object) -> tuple[Dialled, str]:
    """Agent 1 has talked, and has done 3 s of the 10 s of after-call work; the contact that it is of."""
    scene = Dialled()
    scene.configure({"queue-support": replace(scene.world.queues["support"].settings, wrap_up_ms=10_000)})
    caller, ring = scene.talk(1)
    contact = scene.live(caller).contact_id
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    assert scene.status(1) == "wrapping_up"
    scene.wait(3_000)
    return scene, contact


def test_whoever_dials_in_the_middle_of_after_call_work_does_the_rest_of_it_after_the_talk() -> None:
    scene, contact = wrapping_up()
    assert scene.dial() == ""
    assert story(scene.outcome) == ["ContactDialled", "OfferMade", "AgentReserved", "WrapUpPostponed"]
    (postponed,) = scene.events(s.WrapUpPostponed)
    assert (postponed.contact_id, postponed.wrap_up_ms, postponed.most_ms) == (contact, 7_000, 297_000)
    assert scene.status(1) == "reserved"
    scene.wait(8_000)
    assert not scene.events(s.WrapUpEnded), "its clock stands still"
    ring = scene.instructions(RingAgent)[-1]
    scene.ringing(ring)
    scene.answer(ring)
    leg = scene.number_answers()
    scene.bridge(leg, ring)
    assert scene.status(1) == "talking"
    scene.hang_up(leg)
    scene.hang_up(ring.leg)
    first, own, *_ = scene.events(s.WrapUpStarted)
    assert own.contact_id != first.contact_id == contact
    scene.give(inputs.WrapUp(agent="1001"))
    *_, rest = scene.events(s.WrapUpStarted)
    assert (rest.contact_id, rest.segment_id, rest.until - scene.now) == (
        contact,
        first.segment_id,
        7_000 * MILLISECOND,
    )
    assert scene.status(1) == "wrapping_up"
    scene.wait(7_000)
    assert scene.status(1) == "ready"
    report = verify(scene.records, expect_contacts=0)
    assert report.ok, str(report)


@pytest.mark.parametrize("end", ("busy", "own phone", "cancelled"))
def test_a_number_that_is_not_reached_from_after_call_work_leaves_the_rest_of_it_and_no_offer_comes_between(
    end: str,
) -> None:
    scene, contact = wrapping_up()
    waiting = scene.park()
    assert scene.dial() == ""
    ring = scene.instructions(RingAgent)[-1]
    if end == "busy":
        scene.ringing(ring)
        scene.answer(ring)
        scene.hang_up(scene.called().leg, "USER_BUSY")
    elif end == "own phone":
        scene.ringing(ring)
        scene.hang_up(ring.leg, "NO_ANSWER")
    else:
        assert not scene.refusal(inputs.HangUp(agent="1001"))
    scene.let_go()
    assert (scene.status(1), scene.live(waiting).status) == ("wrapping_up", "waiting")
    *_, rest = scene.events(s.WrapUpStarted)
    assert (rest.contact_id, rest.until - scene.now) == (contact, 7_000 * MILLISECOND)
    scene.wait(7_000)
    assert scene.live(waiting).status == "offered"
    report = verify(scene.records, expect_contacts=0)
    assert report.ok, str(report)


def test_whoever_signs_out_while_dialling_from_after_call_work_leaves_nothing_open() -> None:
    scene, _ = wrapping_up()
    scene.dial()
    scene.give(inputs.SignOut(agent="1001"))
    scene.let_go()
    assert scene.status(1) == "wrapping_up", "first what is left of it, as after any contact"
    scene.wait(7_000)
    assert scene.shift(1) is None
    report = verify(scene.records, expect_contacts=0)
    assert report.ok, str(report)
