"""What somebody waits for is stored at once; what nobody notices a moment later shares a commit (issue 2's figures)."""

from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import BridgeLegs, HangUpLeg, Instruction, RingAgent
from tests.loop.patched.conftest import SlowWriter, beating
from tests.runner.scene import NODE, Scene


def test_a_ring_and_a_join_are_stored_at_once_and_the_end_of_the_other_leg_may_wait() -> None:
    """A caller who is served: nothing is told before its record is stored, and only the last of it is in no hurry."""
    scene = Scene(agents=1)
    scene.ready(1)
    writer = SlowWriter()
    told: list[Instruction] = []
    with beating(scene.runner, writer, told.extend, clock=lambda: scene.now, last_at=scene.now) as engine:

        def news(fact: facts.Fact) -> None:
            before = len(told)
            engine.deliver("", fact, scene.now)
            assert len(told) == before, "told before it was stored"
            writer.store_all()

        news(facts.LinkUp(node=NODE, core="core-1"))
        news(facts.Snapshot(node=NODE, core="core-1", legs=()))
        caller = facts.LegParked(
            node=NODE, leg="caller", inbound=True, dialled="4001", context="ringledger-inbound", caller_number="1234567"
        )
        news(caller)
        (ring,) = (each for each in told if isinstance(each, RingAgent))
        assert not writer.patient["OfferMade"]
        news(facts.LegParked(node=NODE, leg=ring.leg, contact=ring.contact, offer=ring.offer))
        assert isinstance(told[-1], BridgeLegs)
        assert not writer.patient["OfferAccepted"]
        news(facts.LegBridged(node=NODE, leg="caller", other=ring.leg))
        news(facts.LegHungUp(node=NODE, leg="caller", cause="NORMAL_CLEARING"))
        assert any(isinstance(each, HangUpLeg) and each.leg == ring.leg for each in told)
        assert writer.patient["AgentSegmentEnded"]
