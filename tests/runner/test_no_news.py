"""What the loop passes over: signs of life of legs that are wanted and there. Every test of this folder, and every seed
of the simulation, asserts beside it that a step with such a fact leads to nothing.
"""

import pytest

from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import CheckLeg, HangUpLeg, RingAgent
from tests.runner.scene import NODE, Scene


def answered(leg: str) -> facts.LegAnswered:
    return facts.LegAnswered(node=NODE, leg=leg)


@pytest.fixture
def rung() -> tuple[Scene, str, RingAgent]:
    """A caller for whom the phone of the one agent rings, and was heard to."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    return scene, caller, ring


def test_four_facts_of_a_call_that_goes_as_it_should_are_no_news(rung: tuple[Scene, str, RingAgent]) -> None:
    scene, caller, ring = rung
    assert scene.runner.is_no_news(facts.LegCreated(node=NODE, leg="caller-2", inbound=True))
    assert scene.runner.is_no_news(answered(caller))
    assert scene.runner.is_no_news(answered(ring.leg))
    scene.answer(ring)
    scene.bridge(caller, ring)
    assert scene.runner.is_no_news(facts.LegUnbridged(node=NODE, leg=caller, other=ring.leg))


def test_a_leg_of_ours_that_was_never_heard_of_is_news() -> None:
    scene = Scene(agents=1)
    scene.ready(1)
    ring = scene.ring_of(scene.park())
    assert not scene.runner.is_no_news(facts.LegCreated(node=NODE, leg=ring.leg, contact=ring.contact))
    assert not scene.runner.is_no_news(answered(ring.leg))


def test_a_leg_that_should_be_gone_is_news_and_is_hung_up_again(rung: tuple[Scene, str, RingAgent]) -> None:
    """Complaint 5: the hang-up may have come before the leg was made."""
    scene, caller, ring = rung
    scene.hang_up(caller)
    assert not scene.runner.is_no_news(answered(ring.leg))
    (again,) = scene.give(answered(ring.leg)).instructions
    assert isinstance(again, HangUpLeg)


def test_a_leg_that_was_closed_is_news_and_is_asked_after(rung: tuple[Scene, str, RingAgent]) -> None:
    scene, caller, ring = rung
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    for leg in (caller, ring.leg):
        late = facts.LegCreated(node=NODE, leg=leg, inbound=leg == caller)
        assert not scene.runner.is_no_news(late)
        (check,) = scene.give(late).instructions
        assert isinstance(check, CheckLeg)


def test_a_phone_that_nobody_knows_is_news() -> None:
    """A leg of ours without a contact is a stray, whatever it tells first."""
    scene = Scene()
    assert not scene.runner.is_no_news(facts.LegCreated(node=NODE, leg="stray-1", contact="c1", inbound=False))
    assert not scene.runner.is_no_news(answered("stray-1"))
