"""Callers whom their switch serves by itself: their contacts end, and nobody touches their legs (feature 12.3)."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.switch import facts, nodes
from orchestrator.domain.switch.instructions import CheckLeg, HangUpLeg
from tests.runner.scene import NODE, Scene

SERVED = {"context": "ringledger-unattended", "parked": False}


def _touched(scene: Scene, leg: str) -> list[str]:
    """What is told to this leg, or asked of it, from now on ends here."""
    return [type(each).__name__ for each in scene.told if each.leg == leg]


def test_the_contact_of_a_caller_who_waited_ends_and_the_leg_is_the_switch_s() -> None:
    """Complaint 16: the engine was away for too long, and is back."""
    scene = Scene(agents=0)
    caller = scene.park()
    scene.sleep(30_000)
    scene.restart()
    scene.told.clear()
    scene.connect(legs=(scene.seen(caller, **SERVED),))
    assert [event.outcome for event in scene.events(c.QueueVisitEnded)] == ["unattended"]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["unattended"]
    assert [event.repair for event in scene.events(c.LegClosed)] == ["unattended"]
    assert not _touched(scene, caller)


def test_one_whom_the_switch_takes_at_this_moment_is_let_go_and_the_ringing_phone_is_not() -> None:
    """The word came too late: the switch has taken the caller, and a phone rings for nobody (complaint 1)."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.give(facts.LegUnattended(node=NODE, leg=caller))
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [ring.leg]
    scene.hang_up(ring.leg, "ORIGINATOR_CANCEL")
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["unattended"]
    assert scene.status(1) == "ready"


def test_late_news_and_later_snapshots_of_such_a_leg_lead_to_nothing_also_after_a_restart() -> None:
    """Complaint 15: the leg is in no list of ours, so it is neither adopted nor hung up as a ghost."""
    scene = Scene(agents=0)
    caller = scene.park()
    contact = scene.live(caller).contact_id
    scene.give(facts.LegUnattended(node=NODE, leg=caller))
    scene.told.clear()
    seen = scene.seen(caller, contact=contact, bridged_to="phone", **SERVED)
    phone = facts.SeenLeg(leg="phone", inbound=False, answered=True, bridged_to=caller, context="default")
    scene.give(facts.LegAnswered(node=NODE, leg=caller, contact=contact))
    scene.give(facts.LegBridged(node=NODE, leg=caller, other="phone", contact=contact))
    scene.snapshot(seen, phone)
    scene.restart()
    scene.connect(legs=(seen, phone))
    scene.hang_up(caller)
    assert not scene.instructions(HangUpLeg)
    assert not scene.instructions(CheckLeg)
    assert not scene.events(nodes.StrayLegFound)
    assert len(scene.events(c.ContactArrived)) == 1


def test_a_talk_that_went_on_meanwhile_goes_on() -> None:
    scene = Scene()
    caller, ring = scene.talk()
    scene.restart()
    scene.connect(
        legs=(
            scene.seen(caller, parked=False, bridged_to=ring.leg),
            scene.seen_phone(ring, answered=True, bridged_to=caller),
        )
    )
    assert scene.live(caller).status == "connected"
    assert not scene.events(c.ContactEnded)
