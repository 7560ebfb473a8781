"""The engine dies, the link breaks, the switch restarts, a leg is nobody's: what is kept, and what is put right."""

from itertools import pairwise

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.staff.agents import AgentRemoved
from orchestrator.domain.switch import facts, nodes
from orchestrator.domain.switch.instructions import (
    AnswerCaller,
    BridgeLegs,
    CheckLeg,
    HangUpLeg,
    HoldLeg,
    PlayApology,
    PlayWaiting,
    ResumeLeg,
    RingAgent,
    StartRecording,
    TakeSnapshot,
)
from orchestrator.runner import inputs
from tests.runner.scene import NODE, Scene, story

# --- the engine was restarted ----------------------------------------------------------------------------------------


def test_after_a_restart_nothing_is_decided_about_calls_before_the_switch_was_looked_at() -> None:
    """Feature 12.1: timers that fell due meanwhile end nothing that nobody can see."""
    scene = Scene(agents=1, max_wait_ms=60_000)
    scene.ready(1)
    caller = scene.park()
    scene.ringing(scene.ring_of(caller))
    scene.sleep(120_000)
    scene.restart()
    assert story(scene.outcome) == ["NodeLost"]
    scene.wait(1_000)
    assert [event.cause for event in scene.events(c.OfferWithdrawn)] == ["node_down"]
    assert scene.status(1) == "ready"
    assert scene.live(caller).status == "waiting"
    assert not scene.events(c.ContactTurnedAway)


def test_an_agent_who_is_removed_while_nobody_decides_is_signed_out_by_whoever_decides_next() -> None:
    """Features 4.1, 12.1: the record is in the log, and nobody took it as news (`policies.dismiss`)."""
    scene = Scene(agents=3)
    _, ring = scene.talk()
    scene.ready(2, 3)
    scene.configure({"agent-a3": AgentRemoved()})
    scene.append({"agent-a1": AgentRemoved(), "agent-a2": AgentRemoved()})
    scene.restart()
    assert story(scene.outcome) == ["NodeLost", "SignOutRequested", "AgentSignedOut"]
    assert scene.status(1) == "talking"
    scene.hang_up(ring.leg)
    scene.restart()
    assert story(scene.outcome) == ["NodeLost"], "who is to leave after the contact is not told again"
    scene.wait(30_000)
    assert [event.reason for event in scene.events(s.AgentSignedOut)] == ["removed"] * 3


def test_after_a_restart_callers_who_wait_are_kept_and_hear_music() -> None:
    """Feature 12.1: answering and music may have been decided and never performed."""
    scene = Scene(agents=0)
    caller = scene.park()
    scene.restart()
    scene.connect(legs=(scene.seen(caller, answered=False),))
    assert [type(each) for each in scene.outcome.instructions] == [AnswerCaller, PlayWaiting]
    assert scene.live(caller).status == "waiting"


def test_after_a_restart_talks_are_kept_and_what_was_asked_for_is_done() -> None:
    """Features 12.1, 4.3, 8.1: the recording begins (again), and the hold that was pressed."""
    scene = Scene()
    caller, ring = scene.talk()
    scene.give(inputs.Hold(agent="1001"))
    scene.wait(1_000)
    scene.restart()
    scene.connect(
        legs=(
            scene.seen(caller, parked=False, bridged_to=ring.leg),
            scene.seen_phone(ring, answered=True, bridged_to=caller),
        )
    )
    assert [type(each) for each in scene.outcome.instructions] == [HoldLeg, StartRecording]
    assert scene.live(caller).status == "connected"


def test_after_a_restart_a_hold_that_was_to_end_is_ended() -> None:
    """Features 12.1, 4.3."""
    scene = Scene()
    caller, ring = scene.talk()
    scene.give(inputs.Hold(agent="1001"))
    scene.give(facts.LegHeld(node=NODE, leg=ring.leg))
    scene.give(inputs.Resume(agent="1001"))
    scene.wait(1_000)
    scene.restart()
    scene.connect(legs=(scene.seen(caller, bridged_to=ring.leg), scene.seen_phone(ring, answered=True, held=True)))
    assert ResumeLeg in [type(each) for each in scene.outcome.instructions]


def test_after_a_restart_a_ringing_phone_is_stopped_and_the_caller_is_offered_again_when_it_is_quiet() -> None:
    """Feature 12.1: open offers are withdrawn and made anew; nobody is blamed."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.restart()
    scene.connect(legs=(scene.seen(caller), scene.seen_phone(ring)))
    assert [event.cause for event in scene.events(c.OfferWithdrawn)] == ["engine_restarted"]
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [ring.leg]
    assert not scene.rings_of(caller)
    scene.hang_up(ring.leg)
    assert len(scene.rings_of(caller)) == 1


def test_after_a_restart_an_agent_who_had_been_accepted_is_joined_with_the_caller() -> None:
    """Feature 12.1: the agent has answered and waits; whether the legs were told to join cannot be known."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.sleep(30_000)
    scene.restart()
    scene.wait(100)
    scene.connect(legs=(scene.seen(caller), scene.seen_phone(ring, answered=True, parked=True)))
    assert [each.other for each in scene.instructions(BridgeLegs)] == [ring.leg, ring.leg]
    scene.bridge(caller, ring)
    assert scene.live(caller).status == "connected"


def test_an_agent_who_answers_as_the_link_comes_up_is_joined_with_the_caller_once() -> None:
    """Feature 12.1: a new engine hears it live before the switch has listed its channels, and tells the two to be
    joined; the list that comes right after does not show it yet. Told again, the switch joins them a second time.
    """
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.restart()
    scene.give(facts.LinkUp(node=NODE, core="core-1"))
    scene.answer(ring)
    scene.snapshot(scene.seen(caller), scene.seen_phone(ring, answered=True, parked=True))
    assert [each.other for each in scene.instructions(BridgeLegs)] == [ring.leg]
    assert not scene.events(c.OfferExtended)


def test_what_was_told_over_a_link_that_broke_is_told_again() -> None:
    """The same, and the link goes before the list comes: nobody knows what the switch was told."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.restart()
    scene.give(facts.LinkUp(node=NODE, core="core-1"))
    scene.answer(ring)
    scene.disconnect()
    scene.connect(legs=(scene.seen(caller), scene.seen_phone(ring, answered=True, parked=True)))
    assert [each.other for each in scene.instructions(BridgeLegs)] == [ring.leg, ring.leg]
    assert [event.cause for event in scene.events(c.OfferExtended)] == ["joined_again"]


def test_after_a_restart_an_agent_who_answered_meanwhile_gets_the_caller() -> None:
    """Feature 12.1: better than a caller who rings once more and an agent who hears silence."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.restart()
    told = len(scene.instructions(PlayWaiting))
    scene.connect(legs=(scene.seen(caller), scene.seen_phone(ring, answered=True, parked=True)))
    assert [each.other for each in scene.instructions(BridgeLegs)] == [ring.leg]
    assert len(scene.instructions(PlayWaiting)) == told, "music told right before the bridge is heard over the talk"


def test_after_a_restart_a_join_that_had_happened_is_seen() -> None:
    """Feature 12.1: the news of it was lost with the process."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.restart()
    scene.connect(
        legs=(
            scene.seen(caller, parked=False, bridged_to=ring.leg),
            scene.seen_phone(ring, answered=True, bridged_to=caller),
        )
    )
    assert scene.live(caller).status == "connected"
    assert not scene.instructions(HangUpLeg)


def test_after_a_restart_an_apology_is_said_again_and_ends_the_call() -> None:
    """Feature 12.1: whoever was turned away must not be left on the line."""
    scene = Scene()
    caller = scene.park("9999")
    scene.restart()
    scene.connect(legs=(scene.seen(caller),))
    assert [each.leg for each in scene.instructions(PlayApology)] == [caller, caller]
    assert not scene.instructions(HangUpLeg)


def test_a_wait_that_ended_while_the_link_was_down_ends_with_an_apology_when_it_is_back() -> None:
    """Features 2.5, 12.4."""
    scene = Scene(agents=0, max_wait_ms=10_000)
    caller = scene.park()
    scene.disconnect()
    scene.wait(20_000)
    assert scene.live(caller).status == "waiting"
    scene.connect(legs=(scene.seen(caller),))
    assert [each.leg for each in scene.instructions(PlayApology)] == [caller]


def test_callers_whose_news_was_lost_are_served_in_the_order_of_their_calls() -> None:
    """Features 3.3, 12.4: an agent is free, two callers are found; the one who called first is rung for."""
    scene = Scene(agents=1)
    scene.ready(1)
    scene.disconnect()
    scene.connect(legs=(scene.seen("late", created=2), scene.seen("early", created=1)))
    assert len(scene.rings_of("early")) == 1
    assert not scene.rings_of("late")


# --- the link and the switch -----------------------------------------------------------------------------------------


def test_a_ring_that_passes_its_deadline_while_the_link_is_down_blames_nobody() -> None:
    """Features 3.6, 12.4."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    scene.ringing(scene.ring_of(caller))
    scene.disconnect()
    scene.wait(20_000)
    assert [event.cause for event in scene.events(c.OfferWithdrawn)] == ["node_down"]
    assert scene.status(1) == "ready"
    assert not scene.rings_of(caller)


@pytest.mark.parametrize(("rings", "reason"), ((True, "ring_no_answer"), (False, "phone_unreachable")))
def test_a_phone_that_began_to_ring_while_nobody_listened_rang(rings: bool, reason: str) -> None:  # noqa: FBT001
    """Feature 3.6, seed 4863 of the soak: its agent missed a call; the phone is not one that cannot be reached."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.disconnect()
    scene.connect(legs=(scene.seen(caller), scene.seen_phone(ring, ringing=rings)))
    assert len(scene.events(c.OfferDelivered)) == rings
    scene.wait(20_000)
    assert [event.reason for event in scene.events(s.AgentStoodDown)] == [reason]


def test_an_accepted_agent_is_not_let_go_while_the_switch_cannot_be_asked() -> None:
    """Complaint 5; feature 12.4: they may be talking."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.disconnect()
    scene.wait(50_000)
    assert {event.cause for event in scene.events(c.OfferExtended)} == {"node_down"}
    scene.connect(legs=(scene.seen(caller, bridged_to=ring.leg), scene.seen_phone(ring, answered=True)))
    assert scene.live(caller).status == "connected"


def test_a_snapshot_of_a_connection_that_is_lost_by_now_says_nothing() -> None:
    """Complaint 15."""
    scene = Scene()
    caller = scene.park()
    scene.disconnect()
    assert not scene.snapshot().records
    assert scene.live(caller).status == "waiting"


def test_a_heartbeat_that_disagrees_once_is_a_call_that_comes_or_goes() -> None:
    """Feature 12.4: two in a row are worth a snapshot, and then the count begins anew."""
    scene = Scene()
    scene.park()
    for sessions, snapshots in ((2, 0), (1, 0), (2, 0), (2, 1), (2, 1), (2, 2)):
        scene.give(facts.Heartbeat(node=NODE, core="core-1", sessions=sessions))
        assert len(scene.instructions(TakeSnapshot)) == snapshots


def test_legs_that_were_asked_for_a_moment_ago_are_not_doubted() -> None:
    """Feature 12.4: the switch may not have made them yet."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    scene.snapshot(scene.seen(caller))
    assert not scene.instructions(CheckLeg)
    ring = scene.ring_of(caller)
    scene.presence(ring.leg, exists=False)
    assert scene.live(caller).status == "offered"
    scene.wait(2_000)
    scene.snapshot(scene.seen(caller))
    assert [each.leg for each in scene.instructions(CheckLeg)] == [ring.leg]


def test_a_leg_that_does_not_die_is_asked_after_less_and_less_often() -> None:
    """Law 9: every wait has an end, and a switch that is away for a day does not fill the log."""
    scene = Scene(agents=1)
    caller, ring = scene.talk()
    scene.hang_up(caller)
    scene.disconnect()
    scene.wait(50_000)
    asked = [event.again_at for event in scene.events(c.LegOverdue)]
    assert [(later - sooner) // 1_000_000 for sooner, later in pairwise(asked)] == [10, 20, 40]
    scene.connect(legs=(scene.seen_phone(ring, answered=True),))
    assert [each.leg for each in scene.instructions(HangUpLeg)][-1] == ring.leg


# --- legs of nobody --------------------------------------------------------------------------------------------------


def test_a_phone_that_dials_by_itself_is_seen_and_ended() -> None:
    """Feature 11.5: an event says so."""
    scene = Scene()
    leg = scene.park(context="ringledger-agents")
    assert story(scene.outcome) == ["StrayLegFound"]
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [leg]
    scene.hang_up(leg)
    assert story(scene.outcome) == ["StrayLegClosed"]


@pytest.mark.parametrize("exists", (True, False))
def test_a_stray_leg_that_does_not_end_is_asked_after_until_it_is_gone(*, exists: bool) -> None:
    """Law 9; complaint 5: also where the instruction to end it, or the news of its end, was lost."""
    scene = Scene()
    leg = scene.park(context="ringledger-agents")
    scene.wait(5_000)
    assert [event.legs for event in scene.events(nodes.StrayLegOverdue)] == [(leg,)]
    assert scene.instructions(CheckLeg)[-1].leg == leg
    scene.presence(leg, exists=exists)
    if exists:
        assert len(scene.instructions(HangUpLeg)) == 2
        scene.wait(10_000)
        scene.presence(leg, exists=False)
    assert [event.leg for event in scene.events(nodes.StrayLegClosed)] == [leg]
    assert scene.runner.next_due() is None


def test_a_stray_leg_is_ended_by_the_next_process_where_this_one_died_first() -> None:
    """Feature 12.1; complaint 5."""
    scene = Scene()
    leg = scene.park(context="ringledger-agents")
    scene.restart()
    scene.connect(legs=(scene.seen(leg, context="ringledger-agents"),))
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [leg, leg]


def test_a_pair_whose_spool_was_put_aside_goes_on_talking_and_whoever_stays_is_looked_after() -> None:
    """Features 12.2, 12.4; issue 6, bad input: the log has never heard of them."""
    scene = Scene(agents=1)
    caller, phone = "unheard-caller", "unheard-phone"
    talk = (
        scene.seen(caller, parked=False, bridged_to=phone, contact="lost"),
        scene.seen(phone, inbound=False, parked=False, bridged_to=caller, contact="lost", offer="lost", context=""),
    )
    scene.disconnect()
    scene.connect(legs=talk)
    assert not scene.instructions(HangUpLeg)
    assert not scene.events(nodes.StrayLegFound)
    scene.give(facts.LegParked(node=NODE, leg=phone, inbound=False, contact="lost", offer="lost"))
    assert [told.leg for told in scene.instructions(HangUpLeg)] == [phone]
    scene.give(facts.LegParked(node=NODE, leg=caller, inbound=True, dialled="4001", context="ringledger-inbound"))
    assert [event.leg for event in scene.events(c.ContactArrived)] == [caller]


def unheard_talk(scene: Scene, phone: str = "1001") -> tuple[facts.SeenLeg, ...]:
    """A pair that talks, of which the log knows nothing."""
    caller, leg = "unheard-caller", "unheard-phone"
    about = {"contact": "lost", "answered": True, "parked": False}
    return (
        scene.seen(caller, bridged_to=leg, **about),
        scene.seen(leg, inbound=False, bridged_to=caller, offer="lost", context="", dialled="x", phone=phone, **about),
    )


@pytest.mark.parametrize("ends_by", ("hang_up", "park", "unseen", "restart", "death"))
def test_nobody_is_offered_to_a_phone_that_talks_with_somebody_of_whom_nothing_is_known(ends_by: str) -> None:
    """Feature 12.4; complaint 8: found by the variable of its leg, until it is free, however that comes."""
    scene = Scene(agents=1)
    scene.ready(1)
    scene.disconnect()
    talk = unheard_talk(scene)
    scene.connect(legs=talk)
    assert [(event.leg, event.extension) for event in scene.events(nodes.UnknownTalkFound)] == [
        ("unheard-phone", "1001")
    ]
    caller = scene.park()
    assert not scene.rings_of(caller)
    looks = len(scene.instructions(TakeSnapshot))
    for _ in range(3):  # its two channels and the caller's are what the switch should have
        scene.give(facts.Heartbeat(node=NODE, core="core-1", sessions=3))
    assert len(scene.instructions(TakeSnapshot)) == looks, "a talk that is known of is no reason to look again"
    scene.snapshot(scene.seen(caller), *talk)
    assert len(scene.events(nodes.UnknownTalkFound)) == 1
    scene.restart()
    scene.connect(legs=(scene.seen(caller), *talk))
    assert not scene.rings_of(caller)
    match ends_by:
        case "hang_up":
            scene.hang_up("unheard-phone")
        case "park":
            scene.give(facts.LegParked(node=NODE, leg="unheard-phone", inbound=False, contact="lost", offer="lost"))
            assert [told.leg for told in scene.instructions(HangUpLeg)] == ["unheard-phone"]
            assert not scene.rings_of(caller), "it is not on the hook yet"
            scene.hang_up("unheard-phone")
        case "unseen":
            scene.snapshot(scene.seen(caller))
        case "restart":
            scene.disconnect()
            scene.connect(core="another")
            caller = scene.park()
        case "death":
            scene.disconnect()
            scene.wait(61_000)
            assert not any(node.talks for node in scene.world.nodes.values())
            return
    assert len(scene.rings_of(caller)) == 1
    assert not any(node.talks for node in scene.world.nodes.values())


def test_a_caller_whom_nobody_had_heard_of_keeps_the_time_waited_and_so_the_place() -> None:
    """Features 12.1, 12.4: by the channel's time, whatever the switch's clock says; not by one that is wrong."""
    scene = Scene(agents=1)
    known = scene.park()
    off = -7_200 * SECOND
    scene.give(facts.Heartbeat(node=NODE, core="core-1", sessions=1, at=Instant(scene.now + off)))
    scene.wait(30_000)
    scene.disconnect()
    seen = [
        scene.seen(leg, created=Instant(scene.now + off - ago_s * SECOND))
        for leg, ago_s in (("ten-minutes", 600), ("ten-seconds", 10), ("a-day", 86_400))
    ]
    scene.connect(legs=(scene.seen(known), *seen))
    since = {each.caller_leg: each.visit.since for each in scene.world.contacts.values() if each.visit is not None}
    assert since["ten-minutes"] == scene.now - 600 * SECOND
    assert since["ten-seconds"] == scene.now - 10 * SECOND
    assert since["a-day"] == scene.now
    # What history measures: whoever was heard of at once, or whose clock is not to be believed, from the queueing on.
    measured = [event.came_at for event in scene.events(c.ContactQueued)]
    assert sorted(measured) == [0, 0, since["ten-minutes"], since["ten-seconds"]]
    scene.ready(1)
    assert scene.rings_of("ten-minutes")


def test_an_agents_leg_whose_contact_has_ended_is_found_by_a_snapshot() -> None:
    """Feature 12.4; complaint 5."""
    scene = Scene()
    ghost = facts.SeenLeg(leg="ghost", inbound=False, answered=True, contact="gone", offer="over")
    scene.snapshot(ghost)
    assert [event.leg for event in scene.events(nodes.StrayLegFound)] == ["ghost"]
    assert [each.leg for each in scene.instructions(HangUpLeg)] == ["ghost"]
    assert scene.events(nodes.NodeRepaired)[-1].strays == 1


def test_calls_on_another_switch_are_served_while_one_is_away() -> None:
    """Features 1.1, 12.4; complaint 8: the waiting caller of the lost switch keeps the place and is served when it is
    back.
    """
    scene = Scene(agents=2)
    lost = scene.park()
    scene.disconnect()
    scene.give(facts.LinkUp(node="sw2", core="other"))
    scene.give(facts.Snapshot(node="sw2", core="other", legs=()))
    scene.ready(1)
    assert not scene.rings_of(lost)
    scene.give(facts.LegParked(node="sw2", leg="there", inbound=True, dialled="4001", context="ringledger-inbound"))
    assert [each.node for each in scene.instructions(RingAgent)] == ["sw2"]
    scene.ready(2)
    scene.connect(legs=(scene.seen(lost),))
    assert len(scene.rings_of(lost)) == 1


def test_a_switch_that_does_not_say_what_it_has_is_told_of_in_the_log_and_its_callers_keep_their_places() -> None:
    """Law 5: nobody is rung for a caller of whom nobody knows whether they are still there."""
    scene = Scene(agents=1)
    caller = scene.park()
    scene.disconnect()
    scene.give(facts.LinkUp(node=NODE, core="core-1"))
    scene.give(facts.SnapshotMissing(node=NODE, failures=5))
    assert story(scene.outcome) == ["SnapshotFailed"]
    scene.ready(1)
    assert not scene.rings_of(caller)
    scene.snapshot(scene.seen(caller))
    assert len(scene.rings_of(caller)) == 1


def test_that_the_database_was_away_stands_in_the_log_before_what_is_decided_late() -> None:
    """Feature 12.2: what fell due meanwhile is explained by a fact, not by silence."""
    scene = Scene(agents=1)
    scene.ready(1)
    scene.ringing(scene.ring_of(scene.park()))
    scene.sleep(60_000)
    scene.give(inputs.DatabaseBack(away_ms=60_000, held=3))
    scene.wait(10)
    said = [type(record.event).__name__ for record in scene.records if record.about.at >= scene.now - 10_000]
    assert said[0] == "DatabaseReturned"
    assert "OfferWithdrawn" in said
    record = next(record for record in scene.records if record.stream == "engine-main")
    assert (record.version, record.about.origin, record.about.actor) == (1, "engine", "system")
    scene.restart()
    scene.give(inputs.DatabaseBack(away_ms=5, held=0))
    assert scene.outcome.records[-1].version == 2
