"""What an engine had still to do beside the calls when it ended is done by the next one (features 12.1, 12.2)."""

from collections.abc import Sequence

from orchestrator.clock import wall_clock
from orchestrator.domain.contacts.contacts import ContactIdentified
from orchestrator.domain.kernel import Instant
from orchestrator.loop import Engine, Services
from orchestrator.metrics import Metrics
from orchestrator.runner import Runner
from orchestrator.runner.inputs import IdentifyContact
from orchestrator.service.customers import Caller
from tests.lab.patience import until
from tests.loop.patched.conftest import NoTape, SlowWriter
from tests.runner.scene import Scene


def test_callers_of_an_outage_whose_engine_died_in_it_are_identified_by_the_next() -> None:
    """The line of those whose customers were to be found is in memory only; who is in it follows from the log."""
    scene = Scene(agents=1)
    known, unknown = (
        scene.world.contact_of_leg[scene.park(number=number)] for number in ("+31201111111", "+31202222222")
    )
    scene.give(IdentifyContact(contact_id=known, customer_id="c-1", level=""))
    asked: list[str] = []

    def identify(numbers: Sequence[str]) -> list[Caller | None]:
        asked.extend(numbers)
        return [Caller("c-2") for _ in numbers]

    writer = SlowWriter()
    engine = Engine(
        Runner(scene.world),
        epoch=2,
        last_at=Instant(0),
        tape=NoTape(),
        may_write=lambda: True,
        services=Services(identify=identify, list_marked=lambda *_: None),
        metrics=Metrics(),
        clock=wall_clock,
    )
    engine.start(writer, lambda _: None, 0)
    try:
        until(lambda: any(isinstance(each.event, ContactIdentified) for each in writer.taken), "the caller to be known")
    finally:
        engine.stop()
    assert asked == ["+31202222222"]
    (said,) = (each for each in writer.taken if isinstance(each.event, ContactIdentified))
    assert said.stream == f"contact-{unknown}"
