"""Several switches: whose phones ring where, one that is drained, and one that is dead (issue 5, nodes)."""

from collections.abc import Callable

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts.monitor_events import MonitorClosed
from orchestrator.domain.contacts.monitors import LISTEN
from orchestrator.domain.contacts.transfers import PHONE_LOST
from orchestrator.domain.kernel import MILLISECOND
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch import facts, nodes
from orchestrator.domain.switch.between import far_leg
from orchestrator.domain.switch.causes import SWITCH_DEAD, SWITCH_RESTARTED, SWITCH_STOPPED
from orchestrator.domain.switch.instructions import (
    AnswerPhone,
    CheckLeg,
    HangUpLeg,
    MarkDrained,
    ParkLeg,
    PlayApology,
    PlayWaiting,
    RingAgent,
    StartRecording,
    StopRecording,
    TakeSnapshot,
)
from orchestrator.runner import Outcome, inputs
from tests.runner.scene import NODE, Scene, story

OTHER = "sw2"
SILENT_MS = 60_000
"""How long a switch may be silent."""


def two(
    agents: int = 2, *, here: tuple[str, ...] = (), there: tuple[str, ...] = ("1001", "1002"), **more: object
) -> Scene:
    """Callers arrive at sw1; these phones are registered here, those at sw2, and both list every account."""
    scene = Scene(agents=agents, connected=False, **more)
    accounts = ("1001", "1002")
    scene.connect(phones={extension: extension in here for extension in accounts})
    scene.connect("core-2", phones={extension: extension in there for extension in accounts}, node=OTHER)
    return scene


def at(scene: Scene, kind: type[facts.LegFact], leg: str, **more: object) -> Outcome:
    """News of the other switch."""
    return scene.give(kind(node=OTHER, leg=leg, **more))  # type: ignore[arg-type]  # a test's own words


def talking(scene: Scene) -> tuple[str, RingAgent]:
    """A caller of sw1 talks with a phone of sw2."""
    caller, ring = scene.talk()
    assert ring.via == OTHER
    return caller, ring


# --- where a phone rings ---------------------------------------------------------------------------------------------
def test_a_phone_is_rung_over_the_switch_that_has_it_and_the_log_says_which() -> None:
    """Feature 12.5: the agent's leg is made on the caller's switch, and leads to the other."""
    scene = two(here=("1001",), there=("1002",))
    scene.ready(1)
    own = scene.ring_of(scene.park())
    assert (own.node, own.via, own.extension) == (NODE, "", "1001")
    scene.ready(2)
    far = scene.ring_of(scene.park())
    assert (far.node, far.via, far.extension) == (NODE, OTHER, "1002")
    assert [held.via for made in scene.events(c.OfferMade) for held in made.reservations] == ["", OTHER]


def test_the_callers_own_switch_comes_first_and_a_drained_one_last() -> None:
    scene = two(agents=1, here=("1001",), there=("1001",))
    scene.connect("core-3", phones={"1001": True}, node="sw3")
    assert scene.world.via(NODE, "1001") == ""
    scene.give(facts.PhoneGone(node=NODE, extension="1001"))
    assert scene.world.via(NODE, "1001") == "sw3"
    scene.give(inputs.DrainNode(node="sw3"))
    assert scene.world.via(NODE, "1001") == OTHER
    scene.give(facts.PhoneGone(node=OTHER, extension="1001"))
    assert scene.world.via(NODE, "1001") == "sw3"


def test_an_unreachable_phone_is_never_offered_and_is_at_once_wherever_it_registers() -> None:
    scene = two(there=())
    scene.ready(1)
    caller = scene.park()
    assert not scene.events(c.OfferMade)
    scene.give(facts.PhoneRegistered(node=OTHER, extension="1001"))
    assert scene.ring_of(caller).via == OTHER


def test_a_phone_of_a_switch_that_is_lost_is_not_rung_over_it() -> None:
    """Unknown is not gone; but the caller's own switch says that it has no such phone."""
    scene = two()
    scene.ready(1)
    scene.disconnect(OTHER)
    caller = scene.park()
    assert not scene.events(c.OfferMade)
    scene.connect("core-2", phones={"1001": True}, node=OTHER)
    assert scene.ring_of(caller).via == OTHER


def test_who_is_picked_by_hand_is_rung_over_the_same_switch() -> None:
    scene = two(agents=1, pick="anyone")
    scene.ready(1)
    scene.give(inputs.Pause(agent="1001", reason="break"))
    caller = scene.park()
    scene.give(inputs.Ready(agent="1001"))
    assert scene.ring_of(caller).via == OTHER
    scene.hang_up(caller)
    assert scene.world.far_legs
    scene.hang_up(scene.instructions(RingAgent)[-1].leg)
    assert not scene.world.far_legs


# --- the two halves of a leg -----------------------------------------------------------------------------------------
def test_a_phone_of_the_other_switch_is_asked_there_to_answer() -> None:
    scene = two(agents=1)
    scene.ready(1)
    ring = scene.ring_of(scene.park())
    scene.give(inputs.Accept(agent="1001"))
    (asked,) = scene.instructions(AnswerPhone)
    assert (asked.node, asked.leg) == (OTHER, far_leg(ring.leg))


def test_the_phones_own_hold_key_is_heard_from_its_switch() -> None:
    """Phones that act alone are translated into the same events (issue 5)."""
    scene = two(agents=1)
    caller, ring = talking(scene)
    at(scene, facts.LegHeld, far_leg(ring.leg))
    assert scene.live(caller).status == "held"
    at(scene, facts.LegResumed, far_leg(ring.leg))
    assert scene.live(caller).status == "connected"


def test_the_far_half_is_counted_with_its_switch_and_no_stray() -> None:
    scene = two(agents=1)
    _, ring = talking(scene)
    legs = (
        facts.SeenLeg(leg="trunk-1", inbound=True, answered=True, context="ringledger-nodes"),
        facts.SeenLeg(leg=far_leg(ring.leg), inbound=False, answered=True, bridged_to="trunk-1"),
    )
    assert story(scene.snapshot(*legs, core="core-2", phones={"1001": True}, node=OTHER)) == []
    for _ in range(3):
        scene.give(facts.Heartbeat(node=OTHER, core="core-2", sessions=2))
        scene.give(facts.Heartbeat(node=NODE, core="core-1", sessions=2))
    assert not scene.instructions(TakeSnapshot)


def test_a_far_half_that_nobody_has_any_more_is_hung_up_on_sight() -> None:
    """Law 5: what could not be told while the link was down."""
    scene = two(agents=1)
    caller, ring = talking(scene)
    scene.disconnect(OTHER)
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    half = facts.SeenLeg(leg=far_leg(ring.leg), inbound=False, answered=True, bridged_to="trunk-1")
    scene.connect("core-2", (half,), phones={"1001": True}, node=OTHER)
    told = scene.instructions(HangUpLeg)[-1]
    assert (told.node, told.leg) == (OTHER, far_leg(ring.leg))
    at(scene, facts.LegHungUp, far_leg(ring.leg), cause="NORMAL_CLEARING")
    assert story(scene.outcome) == ["StrayLegClosed"]


@pytest.mark.parametrize("rang", (False, True))
def test_nobody_is_blamed_for_a_trunk_that_is_down(rang: bool) -> None:  # noqa: FBT001
    """Decision 0018: what the agent knows nothing of is no missed call, also where the phone rang until then."""
    scene = two(agents=1)
    scene.ready(1)
    ring = scene.ring_of(scene.park())
    if rang:
        scene.ringing(ring)
    scene.hang_up(ring.leg, "RECOVERY_ON_TIMER_EXPIRE")
    assert not scene.events(s.AgentStoodDown)
    assert [event.outcome for event in scene.events(s.AgentReleased)] == ["failed"]


def test_a_ring_that_never_came_to_the_other_switch_is_no_missed_one_and_one_that_came_is() -> None:
    for came in (False, True):
        scene = two(agents=1)
        scene.ready(1)
        ring = scene.ring_of(scene.park())
        scene.give(facts.LegCreated(node=NODE, leg=ring.leg, contact=ring.contact, offer=ring.offer))
        if came:
            at(scene, facts.LegCreated, far_leg(ring.leg))
        scene.wait(60_000)
        assert [event.reason for event in scene.events(s.AgentStoodDown)][:1] == ["phone_unreachable"] * came


def test_a_hold_by_the_far_phones_own_key_is_not_undone_by_a_snapshot_of_the_callers_switch() -> None:
    """Decision 0072: the near half knows nothing of it; what the phone's switch says counts, also in its snapshots."""
    scene = two(agents=1)
    caller, ring = talking(scene)
    near = (
        scene.seen(caller, parked=False, bridged_to=ring.leg),
        scene.seen_phone(ring, answered=True, bridged_to=caller),
    )
    at(scene, facts.LegHeld, far_leg(ring.leg))
    scene.snapshot(*near)
    assert scene.live(caller).status == "held"
    half = facts.SeenLeg(leg=far_leg(ring.leg), inbound=False, answered=True, bridged_to="trunk-1")
    scene.disconnect(OTHER)
    scene.connect("core-2", (half,), phones={"1001": True}, node=OTHER)
    scene.snapshot(*near)
    assert scene.live(caller).status == "connected"


# --- drained ---------------------------------------------------------------------------------------------------------
def test_a_drained_switch_finishes_what_it_has_and_takes_no_new_call() -> None:
    """Issue 5: the carrier goes to another, by 503 before an answer; who did it and why stands on the node's stream."""
    scene = two(here=("1001",), there=("1002",))
    waits = scene.park()
    scene.give(inputs.DrainNode(node=NODE, reason="new_disk", by="user:ann"))
    (record,) = scene.outcome.records
    assert (record.stream, record.about.actor) == (f"node-{NODE}", "user:ann")
    assert record.event == nodes.NodeDrained(reason="new_disk")
    assert [(told.node, told.on) for told in scene.instructions(MarkDrained)] == [(NODE, True)]
    late = scene.park()
    (refused,) = scene.events(c.ContactTurnedAway)
    assert (refused.reason, refused.answered, refused.cause) == ("drained", False, "SWITCH_CONGESTION")
    assert not scene.instructions(PlayApology)
    scene.hang_up(late)
    assert scene.park(node=OTHER) in {contact.caller_leg for contact in scene.world.contacts.values()}
    scene.ready(1)
    assert scene.ring_of(waits).via == ""
    scene.give(inputs.UndrainNode(node=NODE, by="user:ann"))
    assert [told.on for told in scene.instructions(MarkDrained)] == [True, False]
    assert scene.contact(scene.park()) is not None


def test_what_is_asked_of_a_node_twice_is_done_once_and_nonsense_is_refused() -> None:
    scene = two()
    assert scene.refusal(inputs.DrainNode(node="sw9")) == "unknown_node"
    assert scene.refusal(inputs.DrainNode(node=OTHER, reason="a reason!")) == "bad_reason"
    assert story(scene.give(inputs.UndrainNode(node=OTHER))) == []
    assert story(scene.give(inputs.DrainNode(node=OTHER))) == ["NodeDrained"]
    assert story(scene.give(inputs.DrainNode(node=OTHER))) == []
    assert scene.refusal(inputs.DrainNode(node=NODE)) == "last_node"
    assert story(scene.give(inputs.DrainNode(node=NODE, anyway=True))) == ["NodeDrained"]


def test_a_switch_that_was_away_is_told_whether_it_is_drained() -> None:
    """Law 5; a switch that was restarted has forgotten it, one that only lost us remembers what is over."""
    scene = two()
    scene.give(inputs.DrainNode(node=OTHER))
    scene.disconnect(OTHER)
    scene.connect("core-3", phones={}, node=OTHER)
    assert [told.on for told in scene.instructions(MarkDrained)] == [True, True]
    scene.disconnect(OTHER)
    assert story(scene.give(inputs.UndrainNode(node=OTHER))) == ["NodeUndrained"]
    assert [told.on for told in scene.instructions(MarkDrained)] == [True, True]
    scene.connect("core-3", phones={}, node=OTHER)
    assert [told.on for told in scene.instructions(MarkDrained)] == [True, True, False]


def callback(scene: Scene) -> str:
    """A customer of sw1 who is to be called back; the contact's id."""
    scene.configure({"outside-main": OutsideConfigured(allowed=("+86",), trunk="outside")})
    caller = scene.park()
    contact_id = scene.live(caller).contact_id
    scene.give(inputs.AskCallback(contact_id=contact_id))
    scene.hang_up(caller)
    return contact_id


def test_who_is_to_be_called_back_is_called_over_another_switch_when_theirs_is_drained_or_dead() -> None:
    """Feature 3.11: a promise outlives the switch at which it was given."""
    for trouble in ("drained", "dead"):
        scene = two(there=())
        contact_id = callback(scene)
        if trouble == "drained":
            scene.give(inputs.DrainNode(node=NODE))
        else:
            scene.disconnect()
            scene.wait(SILENT_MS)
        assert scene.events(o.CallbackMoved) == [o.CallbackMoved(node=OTHER)]
        scene.ready(1)
        scene.give(facts.PhoneRegistered(node=OTHER, extension="1001"))
        (ring,) = scene.instructions(RingAgent)
        assert (ring.contact, ring.node, ring.via) == (contact_id, OTHER, "")


# --- dead ------------------------------------------------------------------------------------------------------------
def test_a_switch_that_is_silent_for_a_minute_is_dead_its_contacts_end_and_its_phones_are_gone() -> None:
    """Issue 5: contacts closed with cause, agents unreachable, phones of other switches let go."""
    scene = two(here=("1002",))
    caller, ring = talking(scene)
    waits = scene.park()
    scene.disconnect()
    scene.wait(SILENT_MS - 1)
    assert scene.contact(waits) is not None
    assert scene.world.phone("1002") == nodes.REGISTERED  # sw2 has it, too
    scene.give(facts.PhoneGone(node=OTHER, extension="1002"))
    scene.wait(1)
    assert scene.events(nodes.NodeDied) == [nodes.NodeDied(silent_ms=SILENT_MS)]
    assert not scene.world.contacts
    ends = {(event.leg, event.cause, event.repair) for event in scene.events(c.LegClosed)}
    assert ends == {(leg, SWITCH_DEAD, "switch_dead") for leg in (caller, ring.leg, waits)}
    assert {event.reason for event in scene.events(c.ContactEnded)} == {"switch_lost"}
    told = scene.instructions(HangUpLeg)[-1]
    assert (told.node, told.leg) == (OTHER, far_leg(ring.leg))
    assert scene.world.phone("1002") == nodes.GONE
    assert scene.world.phone("1001") == nodes.REGISTERED


def test_a_dead_switch_that_is_back_is_compared_and_what_survived_there_is_ended() -> None:
    """The agent may be talking with somebody else by now."""
    scene = two(agents=1)
    caller, _ = talking(scene)
    scene.disconnect()
    scene.wait(SILENT_MS)
    scene.connect(legs=(scene.seen(caller),), phones={"1001": False})
    assert scene.world.in_step(NODE)
    assert [each.leg for each in scene.instructions(CheckLeg)] == [caller]
    scene.presence(caller, exists=True)
    assert story(scene.outcome) == ["StrayLegFound"]
    assert scene.instructions(HangUpLeg)[-1].leg == caller
    assert scene.contact(scene.park()) is not None


def test_a_switch_that_is_back_in_time_has_lost_nothing() -> None:
    scene = two(agents=1)
    caller, ring = talking(scene)
    scene.disconnect()
    scene.wait(SILENT_MS - 1_000)
    scene.connect(legs=(scene.seen(caller, bridged_to=ring.leg), scene.seen_phone(ring, answered=True)))
    scene.wait(SILENT_MS)
    assert not scene.events(nodes.NodeDied)
    assert scene.live(caller).status == "connected"


def restarted(scene: Scene) -> None:
    scene.connect("core-3", phones={}, node=OTHER)


def stopping(scene: Scene) -> None:
    scene.give(facts.SwitchStopping(node=OTHER))


def silent(scene: Scene) -> None:
    scene.disconnect(OTHER)
    scene.wait(SILENT_MS)


GONE = pytest.mark.parametrize(
    ("goes", "cause"), ((restarted, SWITCH_RESTARTED), (stopping, SWITCH_STOPPED), (silent, SWITCH_DEAD))
)


@GONE
def test_whose_agent_lost_the_phone_with_its_switch_waits_again_in_the_old_place_and_hears_music(
    goes: Callable[[Scene], None], cause: str
) -> None:
    """Issues 5 and 6: no caller is dropped, and nobody hung up. The other half is on a switch that does not know."""
    scene = two(here=("1002",), there=("1001",), max_wait_ms=600_000)
    first = scene.park()
    scene.wait(5_000)
    scene.ready(1)
    ring = scene.ring_of(first)
    scene.ringing(ring)
    scene.answer(ring)
    scene.bridge(first, ring)
    came = scene.live(first).arrived_at
    scene.give(facts.RecordingStarted(node=NODE, leg=first, path=scene.instructions(StartRecording)[-1].file))
    scene.told.clear()
    goes(scene)
    (ended,) = scene.events(c.AgentSegmentEnded)
    assert (ended.ended_by, ended.cause) == (PHONE_LOST, cause)
    told = [(type(each), each.leg) for each in scene.told if each.node == NODE]
    assert told == [(StopRecording, first), (ParkLeg, first), (HangUpLeg, ring.leg)]
    scene.give(facts.LegParked(node=NODE, leg=first, inbound=True))
    assert [each.leg for each in scene.instructions(PlayWaiting)] == [first]
    visit = scene.live(first).visit
    assert visit is not None
    talked = SILENT_MS * MILLISECOND if goes is silent else 0
    assert visit.waiting_since == came + talked, "the talk is no waiting, and what came before it is"
    scene.hang_up(ring.leg, "NORMAL_TEMPORARY_FAILURE")
    assert (scene.status(1), scene.is_free(1)) == ("ready", False)
    assert [event.how for event in scene.events(s.WrapUpEnded)] == ["timer"]
    scene.ready(2)
    assert scene.ring_of(first).via == ""
    assert SWITCH_RESTARTED not in {event.cause for event in scene.events(c.LegClosed)}


def test_a_bye_of_the_agents_switch_that_shuts_down_may_come_before_its_own_word() -> None:
    """The two come over different sockets; the caller waits again all the same, and everything is as with the word."""
    scene = two(here=("1002",), there=("1001",))
    caller, ring = talking(scene)
    scene.told.clear()
    scene.give(
        facts.LegHungUp(node=NODE, leg=ring.leg, cause="NORMAL_CLEARING", by_far_end=True, shut_down=True),
    )
    (ended,) = scene.events(c.AgentSegmentEnded)
    assert (ended.ended_by, ended.cause) == (PHONE_LOST, SWITCH_STOPPED)
    assert not scene.events(c.ContactEnded)
    stopping(scene)
    scene.give(facts.LegParked(node=NODE, leg=caller, inbound=True))
    assert scene.live(caller).status == "waiting"
    assert not scene.events(s.AgentStoodDown)
    scene.ready(2)
    assert scene.ring_of(caller).via == ""


def test_a_phone_of_the_callers_own_switch_is_not_lost_by_what_a_bye_says() -> None:
    """Whoever claims so on a switch that lives has put down."""
    scene = two(here=("1001",), there=())
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.bridge(caller, ring)
    scene.give(
        facts.LegHungUp(node=NODE, leg=ring.leg, cause="NORMAL_CLEARING", by_far_end=True, shut_down=True),
    )
    (ended,) = scene.events(c.AgentSegmentEnded)
    assert ended.ended_by == "agent"


@GONE
def test_a_phone_that_rang_on_a_switch_that_is_lost_has_missed_no_call(
    goes: Callable[[Scene], None], cause: str
) -> None:
    """Decision 0018."""
    scene = two(here=("1002",), there=("1001",))
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    goes(scene)
    (withdrawn,) = scene.events(c.OfferWithdrawn)
    assert withdrawn.cause == ("node_down" if goes is silent else cause)
    assert scene.instructions(HangUpLeg)[-1].leg == ring.leg
    scene.hang_up(ring.leg, "ORIGINATOR_CANCEL")
    assert not scene.events(s.AgentStoodDown)
    assert scene.live(caller).status == "waiting"


def ringing_at_both(ring_ms: int = 120_000) -> tuple[Scene, str, RingAgent, RingAgent]:
    """One caller for whom a phone here and one of the other switch ring together."""
    scene = two(here=("1001",), there=("1002",), rule="ring_all", ring_most=2, ring_ms=ring_ms)
    scene.ready(1, 2)
    caller = scene.park()
    own, far = scene.rings_of(caller)
    assert (own.via, far.via) == ("", OTHER)
    for ring in (own, far):
        scene.ringing(ring)
    scene.told.clear()
    return scene, caller, own, far


@GONE
def test_of_several_that_ring_together_only_those_of_the_lost_switch_are_withdrawn(
    goes: Callable[[Scene], None], cause: str
) -> None:
    """Issue 5, decision 0018: the caller waits for those that ring on, and the offer is the same."""
    scene, caller, own, far = ringing_at_both()
    goes(scene)
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [far.leg]
    (declined,) = scene.events(c.OfferDeclined)
    assert (declined.leg, declined.outcome, declined.cause) == (far.leg, "withdrawn", cause)
    scene.hang_up(far.leg, "ORIGINATOR_CANCEL")
    scene.answer(own)
    scene.bridge(caller, own)
    assert len(scene.events(c.OfferMade)) == 1
    assert not scene.events(s.AgentStoodDown)
    assert (scene.status(1), scene.status(2)) == ("talking", "ready")


@GONE
def test_where_the_first_to_answer_is_lost_with_its_switch_the_others_ring_on(
    goes: Callable[[Scene], None], cause: str
) -> None:
    """Complaint 9: the winner is not joined yet."""
    scene, caller, own, far = ringing_at_both()
    scene.answer(far)
    goes(scene)
    lost = [event for event in scene.events(c.OfferDeclined) if event.leg == far.leg]
    assert len(lost) == 1
    assert lost[0].outcome in ("withdrawn", "failed"), cause
    assert not scene.events(c.ContactEnded)
    scene.answer(own)
    scene.bridge(caller, own)
    assert not scene.events(s.AgentStoodDown)
    assert scene.status(1) == "talking"


def test_of_several_that_ring_in_vain_only_those_that_can_be_heard_have_missed_the_call() -> None:
    """Decision 0018: of a phone whose switch is silent nobody knows whether it rings."""
    scene, _, _, far = ringing_at_both(ring_ms=20_000)
    scene.disconnect(OTHER)
    scene.wait(20_000)
    assert [event.reason for event in scene.events(s.AgentStoodDown)] == ["ring_no_answer"]
    assert [event.outcome for event in scene.events(s.AgentReleased)] == ["withdrawn", "timed_out"]
    (declined,) = scene.events(c.OfferDeclined)
    assert (declined.leg, declined.outcome, declined.cause) == (far.leg, "withdrawn", "node_down")
    assert scene.status(2) == "ready"


@pytest.mark.parametrize("goes", (restarted, stopping, silent))
def test_one_who_was_being_joined_with_a_phone_that_is_lost_waits_on(goes: Callable[[Scene], None]) -> None:
    scene = two(here=("1002",), there=("1001",))
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.answer(ring)
    goes(scene)
    assert scene.live(caller).status == "waiting"
    assert not scene.events(s.AgentStoodDown)
    assert not scene.events(c.ContactEnded)


@GONE
def test_whoever_monitors_by_a_phone_that_is_lost_is_gone_and_the_talk_goes_on(
    goes: Callable[[Scene], None], cause: str
) -> None:
    scene = two(here=("1001",), there=("1002",))
    caller, _ = scene.talk()
    scene.give(inputs.SignIn(agent="1002"))
    scene.give(inputs.Monitor(agent="1002", contact=scene.live(caller).contact_id, mode=LISTEN, reason="coaching"))
    assert scene.instructions(RingAgent)[-1].via == OTHER
    listens = scene.instructions(RingAgent)[-1]
    scene.answer(listens)
    scene.give(facts.EavesdropSet(node=NODE, leg=listens.leg, mode=LISTEN))
    goes(scene)
    (closed,) = scene.events(MonitorClosed)
    assert (closed.outcome, closed.cause) == ("left", cause)
    assert scene.live(caller).status == "connected"


def test_a_phones_end_while_its_switch_cannot_be_heard_is_nobodys() -> None:
    """Decision 0018: whether the agent hung up, or the switch did, nobody saw."""
    scene = two(agents=1)
    caller, ring = talking(scene)
    scene.disconnect(OTHER)
    scene.give(facts.LegHungUp(node=NODE, leg=ring.leg, cause="RECOVERY_ON_TIMER_EXPIRE"))
    (ended,) = scene.events(c.AgentSegmentEnded)
    assert (ended.ended_by, ended.cause) == (PHONE_LOST, SWITCH_DEAD)
    assert [event.cause for event in scene.events(c.LegClosed)] == ["RECOVERY_ON_TIMER_EXPIRE"]
    assert scene.live(caller).status == "waiting"


def test_a_talk_with_a_phone_of_a_switch_that_is_heard_again_in_time_goes_on() -> None:
    scene = two(agents=1)
    caller, ring = talking(scene)
    scene.disconnect(OTHER)
    scene.wait(SILENT_MS - 1_000)
    scene.connect("core-2", phones={"1001": True}, node=OTHER)
    scene.wait(SILENT_MS)
    assert scene.live(caller).status == "connected"
    scene.give(facts.LegHungUp(node=NODE, leg=ring.leg, cause="NORMAL_CLEARING", by_far_end=True))
    assert [event.ended_by for event in scene.events(c.AgentSegmentEnded)] == ["agent"]


def test_an_engine_that_was_away_itself_gives_every_switch_its_time() -> None:
    """Features 11.5, 12.1: callers survive our restart, however long it took."""
    scene = two(agents=1, max_wait_ms=7_200_000)
    caller = scene.park()
    scene.disconnect()
    scene.sleep(600_000)
    scene.wait(0)
    assert scene.events(nodes.NodeLost)[-1].why == "engine_late"
    scene.sleep(600_000)
    scene.restart()
    scene.wait(SILENT_MS - 1_000)
    assert scene.contact(caller) is not None
    scene.connect(legs=(scene.seen(caller),))
    assert scene.live(caller).status == "waiting"
    assert not scene.events(nodes.NodeDied)


def test_who_asks_for_a_callback_at_a_switch_that_is_drained_already_is_called_over_another() -> None:
    scene = two(there=())
    caller = scene.park()
    scene.configure({"outside-main": OutsideConfigured(allowed=("+86",), trunk="outside")})
    scene.give(inputs.DrainNode(node=NODE))
    scene.give(inputs.AskCallback(contact_id=scene.live(caller).contact_id))
    assert not scene.events(o.CallbackMoved)
    scene.hang_up(caller)
    assert scene.events(o.CallbackMoved) == [o.CallbackMoved(node=OTHER)]


def test_a_phone_that_is_rung_over_another_switch_in_the_same_step_is_not_closed_with_the_dead_one() -> None:
    """Found by seed 335: the customer is moved, and offered, while the legs of the dead switch are being closed."""
    scene = two(here=("1001",))
    callback(scene)
    scene.ready(1)
    assert scene.instructions(RingAgent)[-1].node == NODE
    scene.disconnect()
    scene.wait(SILENT_MS)
    (moved,) = scene.events(o.CallbackMoved)
    (contact,) = scene.world.contacts.values()
    assert (moved.node, contact.node, contact.status) == (OTHER, OTHER, "offered")
    assert {event.leg for event in scene.events(c.LegClosed)}.isdisjoint(contact.legs)
