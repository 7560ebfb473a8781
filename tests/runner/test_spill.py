"""Overflow that leads out of the house: to a callback in the same place, or to a number outside. Told by hand.

Features 3.5, 3.10; complaint 20.
"""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.routing.queues import Spill
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import DialOutside, PlayApology, RingAgent
from tests.runner.scene import NODE, Scene, names

ELSEWHERE, ANYWHERE = "+8675500000001", "+8675500000002"
RULES = OutsideConfigured(allowed=("+86",), ring_ms=10_000)


def wait(to: str, after_s: int = 5) -> Spill:
    return Spill(when="wait", after_ms=after_s * 1_000, to=to)


def scene_of(*overflow: Spill, rules: OutsideConfigured | None = RULES, agents: int = 1, **queue: object) -> Scene:
    scene = Scene(agents, overflow=overflow, **queue)  # type: ignore[arg-type]  # a test's own words
    if rules is not None:
        scene.configure({"outside-main": rules})
    return scene


def test_who_has_waited_for_long_enough_is_called_back_talks_and_ends_once() -> None:
    """Features 3.5, 3.10: overflow wait → callback → called back in turn → talk → end."""
    scene = scene_of(wait("callback"))
    caller = scene.park()
    ident = scene.live(caller).contact_id
    scene.wait(5_000)
    assert [each.prompt for each in scene.instructions(PlayApology)] == ["callback_promised"]
    scene.hang_up(caller)
    scene.ready(1)
    ring = scene.instructions(RingAgent)[-1]
    scene.ringing(ring)
    scene.answer(ring)
    (dialled,) = scene.instructions(DialOutside)
    scene.give(facts.LegParked(node=NODE, leg=dialled.leg, contact=ident))
    scene.bridge(dialled.leg, ring)
    scene.hang_up(dialled.leg)
    scene.hang_up(ring.leg)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["completed"]
    assert [event.outcome for event in scene.events(c.QueueVisitEnded)] == ["answered"]


def test_whoever_cannot_be_called_back_goes_where_the_next_row_leads() -> None:
    """Withheld, and not allowed: no callback, next overflow."""
    for number in ("", "anonymous", "+1212555000"):
        scene = scene_of(wait("callback"), wait("apology:sorry"))
        scene.park(number=number)
        scene.wait(5_000)
        assert not scene.events(o.CallbackAsked)
        assert [event.prompt for event in scene.events(c.ContactTurnedAway)] == ["sorry"]


def test_without_rules_for_the_outside_such_rows_lead_nowhere_and_the_caller_waits_to_the_end() -> None:
    scene = scene_of(wait("callback"), wait(f"outside:{ELSEWHERE}"), rules=None, max_wait_ms=60_000)
    caller = scene.park()
    scene.wait(59_000)
    assert scene.live(caller).status == "waiting"
    scene.wait(1_000)
    assert names(scene.events(c.ContactTurnedAway)) == ["ContactTurnedAway"]


def test_a_number_outside_that_is_not_reached_leads_to_the_next_row_and_is_called_once() -> None:
    scene = scene_of(wait(f"outside:{ELSEWHERE}"), wait(f"outside:{ANYWHERE}"), wait("apology:sorry"))
    caller = scene.park()
    scene.wait(5_000)
    assert [each.number for each in scene.instructions(DialOutside)] == [ELSEWHERE]
    scene.hang_up(scene.instructions(DialOutside)[0].leg, "USER_BUSY")
    assert [each.number for each in scene.instructions(DialOutside)] == [ELSEWHERE, ANYWHERE]
    assert scene.live(caller).status == "sent_outside"
    scene.wait(10_000)
    assert [event.prompt for event in scene.events(c.ContactTurnedAway)] == ["sorry"]
    assert len(scene.instructions(DialOutside)) == 2


def test_nobody_signed_in_leads_to_a_number_outside_at_once() -> None:
    """Feature 3.5: overflow nobody → outside number."""
    scene = scene_of(Spill(when="nobody", to=f"outside:{ELSEWHERE}"))
    caller = scene.park()
    (dialled,) = scene.instructions(DialOutside)
    assert (dialled.number, scene.live(caller).status) == (ELSEWHERE, "sent_outside")
    scene.give(facts.LegParked(node=NODE, leg=dialled.leg, contact=scene.live(caller).contact_id))
    scene.give(facts.LegBridged(node=NODE, leg=caller, other=dialled.leg))
    scene.hang_up(caller)
    scene.hang_up(dialled.leg)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["completed"]


def test_a_queue_that_is_too_long_promises_a_call_to_whoever_comes_now() -> None:
    scene = scene_of(Spill(when="length", over=1, to="callback"))
    first, second = scene.park(number="+8613900139000"), scene.park()
    assert scene.live(first).status == "waiting"
    assert scene.contact(second) is None
    asked = [each for each in scene.world.contacts.values() if each.status == "awaiting_callback"]
    assert [each.callback.number for each in asked if each.callback is not None] == ["+8613800138000"]


def test_a_customer_who_was_called_back_and_lost_the_agent_is_not_sent_on() -> None:
    scene = scene_of(wait("callback"), wait("apology:sorry"))
    caller = scene.park()
    ident = scene.live(caller).contact_id
    scene.wait(5_000)
    scene.hang_up(caller)
    scene.ready(1)
    ring = scene.instructions(RingAgent)[-1]
    scene.ringing(ring)
    scene.answer(ring)
    leg = scene.instructions(DialOutside)[-1].leg
    scene.give(facts.LegParked(node=NODE, leg=leg, contact=ident))
    scene.hang_up(ring.leg)
    assert scene.world.contacts[ident].status in ("waiting", "offered")
    assert not scene.events(c.ContactTurnedAway)
