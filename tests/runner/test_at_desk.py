"""Agents who answer at the desk: the phone is rung once the desk has accepted, and picks up by itself (feature 4.1)."""

from typing import Any

from msgspec.structs import replace

from orchestrator.audit import verify
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.staff.answering import AS_SITE, AT_DESK, BY_PHONE, DesksConfigured, DesksRemoved
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.between import far_leg
from orchestrator.domain.switch.instructions import AnswerPhone, CheckLeg, HangUpLeg, RingAgent
from orchestrator.runner import inputs as i
from tests.runner.scene import NODE, Scene, agent, names, story

_RING_MS = 20_000


def desks(agents: int = 1, **queue: Any) -> Scene:  # noqa: ANN401 - settings of the queue
    """Agents who are ready, and answer at their desks."""
    scene = Scene(agents=agents, ring_ms=_RING_MS, **queue)
    scene.configure({f"agent-a{n}": replace(agent(n), answer=AT_DESK) for n in range(1, agents + 1)})
    for number in range(1, agents + 1):
        ready_at_desk(scene, number)
    return scene


def ready_at_desk(scene: Scene, number: int = 1) -> None:
    """This agent signs in at a page that is open, and is ready."""
    scene.give(i.SignIn(agent=f"100{number}", desk=f"d{number}"))
    scene.give(i.Ready(agent=f"100{number}"))
    scene.wait(1_000)


def call(scene: Scene) -> tuple[list[str], int]:
    """The story of one call from its offer on, without what the desk asked for; and when it was answered."""
    caller = scene.park()
    if not scene.instructions(RingAgent):
        scene.give(i.Accept(agent="1001"))
    ring = scene.ring_of(caller)
    scene.wait(2_000)
    scene.ringing(ring)
    scene.answer(ring)
    scene.bridge(caller, ring)
    (at,) = [record.about.at for record in scene.records if isinstance(record.event, c.OfferAccepted)]
    told = names(record.event for record in scene.records)
    return [name for name in told[told.index("OfferMade") :] if name != "OfferAcceptRequested"], at


def test_both_ways_of_answering_are_the_same_events_at_the_same_instant() -> None:
    """Issue 5: answered is when the switch says that the agent's phone has picked up, whoever made it do so."""
    by_phone = Scene(agents=1, ring_ms=_RING_MS)
    by_phone.ready(1)
    assert call(by_phone) == call(desks())


def test_the_phone_is_not_rung_before_the_desk_accepts_and_then_picks_up_by_itself() -> None:
    scene = desks()
    caller = scene.park()
    assert scene.instructions(RingAgent) == []
    assert scene.live(caller).legs == (caller,), "there is no leg after which anybody could ask the switch"
    for _ in range(2):
        scene.give(i.Accept(agent="1001"))
    (ring,) = scene.instructions(RingAgent)
    assert ring.answers
    assert scene.instructions(AnswerPhone) == []
    assert scene.live(caller).legs == (caller, ring.leg)


def test_an_agent_whose_desk_is_not_open_is_rung_at_the_phone_instead_of_being_stood_down() -> None:
    """Decision 0095: who signed in at the phone, whose page was closed a moment ago, and whose page is open again."""
    scene = Scene(agents=1, ring_ms=_RING_MS)
    scene.configure({"agent-a1": replace(agent(1), answer=AT_DESK)})
    scene.ready(1)
    rung_at_once(scene)
    scene.give(i.DeskSeen(agent="1001", desk="d1"))
    scene.hang_up(scene.park())
    assert scene.instructions(RingAgent) == [], "the desk is open, and the phone is silent"
    scene.give(i.DeskGone(agent="1001", desk="d1"))
    rung_at_once(scene)
    assert scene.events(s.AgentStoodDown) == []


def test_the_sites_word_holds_for_whoever_says_nothing() -> None:
    for site, own, at_once in (
        (AT_DESK, AS_SITE, False),
        (AT_DESK, BY_PHONE, True),
        (BY_PHONE, AS_SITE, True),
        (BY_PHONE, AT_DESK, False),
    ):
        scene = Scene(agents=1, ring_ms=_RING_MS)
        scene.configure({"desks-main": DesksConfigured(answer=site), "agent-a1": replace(agent(1), answer=own)})
        ready_at_desk(scene)
        scene.park()
        assert bool(scene.instructions(RingAgent)) is at_once, (site, own)
    scene = Scene(agents=1, ring_ms=_RING_MS)
    scene.configure({"desks-main": DesksConfigured(answer=AT_DESK)})
    scene.configure({"desks-main": DesksRemoved()})
    ready_at_desk(scene)
    rung_at_once(scene)


def rung_at_once(scene: Scene) -> None:
    """Somebody calls, and the phone rings without anybody having accepted; then they leave."""
    scene.told.clear()
    caller = scene.park()
    (ring,) = scene.instructions(RingAgent)
    assert not ring.answers
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    scene.told.clear()


def test_a_desk_that_lets_it_ring_out_has_missed_it_as_a_phone_has() -> None:
    """Feature 4.1: stood down with the same reason, and the caller goes to the next."""
    scene = desks()
    caller = scene.park()
    scene.wait(_RING_MS)
    assert scene.live(caller).status == "waiting"
    assert [event.cause for event in scene.events(c.OfferTimedOut)] == ["NO_ANSWER"]
    assert [event.reason for event in scene.events(s.AgentStoodDown)] == ["ring_no_answer"]
    assert scene.instructions(HangUpLeg) == []


def test_a_phone_that_does_not_pick_up_after_the_desk_accepted_ends_the_offer_at_its_time() -> None:
    scene = desks()
    caller = scene.park()
    scene.give(i.Accept(agent="1001"))
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.wait(_RING_MS)
    assert len(scene.events(c.OfferTimedOut)) == 1
    assert [told.leg for told in scene.instructions(HangUpLeg)] == [ring.leg]
    scene.hang_up(ring.leg, "ORIGINATOR_CANCEL")
    assert scene.live(caller).legs == (caller,)


def test_whoever_accepts_too_late_for_the_phone_to_ring_is_not_stood_down() -> None:
    scene = desks()
    caller = scene.park()
    scene.wait(_RING_MS - 1)
    scene.give(i.Accept(agent="1001"))
    ring = scene.ring_of(caller)
    scene.give(facts.LegCreated(node=NODE, leg=ring.leg, contact=ring.contact, offer=ring.offer))
    scene.wait(1)
    assert len(scene.events(c.OfferTimedOut)) == 1
    assert scene.events(s.AgentStoodDown) == []


def test_a_desk_rejects_at_once_and_nothing_is_hung_up() -> None:
    """Feature 4.3; with others the offer goes on without it."""
    scene = desks()
    caller = scene.park()
    assert story(scene.give(i.Reject(agent="1001")))[0] == "OfferRejected"
    assert scene.instructions(HangUpLeg) == []
    assert scene.refusal(i.Accept(agent="1001")) == "no_offer"
    assert scene.live(caller).status == "waiting"
    several = desks(2, rule="ring_all", ring_at_once=2)
    caller = several.park()
    assert story(several.give(i.Reject(agent="1001")))[0] == "OfferDeclined"
    several.give(i.Accept(agent="1002"))
    assert several.ring_of(caller).extension == "1002"


def test_a_caller_who_leaves_before_the_desk_accepts_leaves_nothing_behind() -> None:
    scene = desks()
    caller = scene.park()
    scene.hang_up(caller)
    assert scene.contact(caller) is None
    assert scene.refusal(i.Accept(agent="1001")) == "no_offer"
    assert scene.status(1) == "ready"


def test_a_phone_at_another_switch_is_told_there_once_it_rings() -> None:
    """The trunk between two switches carries no wish to pick up."""
    scene = Scene(agents=1, ring_ms=_RING_MS, connected=False)
    scene.configure({"agent-a1": replace(agent(1), answer=AT_DESK)})
    scene.connect()
    scene.connect(node="sw2", core="core-2", phones={"1001": True})
    ready_at_desk(scene)
    caller = scene.park()
    scene.give(i.Accept(agent="1001"))
    ring = scene.ring_of(caller)
    assert ring.via == "sw2"
    assert scene.instructions(AnswerPhone) == []
    scene.give(facts.LegCreated(node="sw2", leg=far_leg(ring.leg), contact="", offer=""))
    scene.ringing(ring)
    (told,) = scene.instructions(AnswerPhone)
    assert (told.node, told.leg) == ("sw2", far_leg(ring.leg))


def test_a_snapshot_and_a_restart_while_the_desk_rings_doubt_no_leg() -> None:
    scene = desks()
    caller = scene.park()
    scene.snapshot(scene.seen(caller))
    offer = scene.live(caller).offer
    assert offer is not None
    assert offer.reservations[0].at_desk
    assert scene.instructions(CheckLeg) == []
    scene.restart()
    scene.connect(legs=(scene.seen(caller),))
    assert scene.live(caller).legs == (caller,)
    assert verify(scene.records, expect_contacts=0).problems == ()


def test_a_whole_day_of_it_is_what_the_verifier_expects() -> None:
    scene = desks()
    call(scene)
    for ring in scene.instructions(RingAgent):
        scene.hang_up(ring.leg)
    scene.hang_up("caller-1")
    scene.give(i.WrapUp(agent="1001", code="solved"))
    report = verify(scene.records, settled=True)
    assert (report.problems, report.counts.legs) == ((), 2)
