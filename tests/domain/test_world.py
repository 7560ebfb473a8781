"""Everything live is one fold of the log: rebuilt at any place, it is what it was."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import world as module
from orchestrator.domain.contacts.contacts import ContactEnded
from orchestrator.domain.kernel import Instant, Provenance, Record, UnknownEvent
from orchestrator.domain.world import World
from orchestrator.runner import inputs
from tests.runner.scene import Scene
from tests.simulation.comparing import difference, fold, picture


def a_day() -> Scene:
    """Two agents, a talk with hold, a missed ring, a caller who gives up, one turned away, a restart, a new skill."""
    scene = Scene(agents=2, max_wait_ms=40_000, cool_down_ms=3_000)
    caller, ring = scene.talk(1)
    scene.give(inputs.Hold(agent="1001"))
    scene.ready(2)
    missed = scene.park()
    scene.ringing(scene.ring_of(missed))
    scene.wait(20_000)
    scene.hang_up(missed)
    scene.park("9999")
    scene.disconnect()
    scene.park()
    scene.connect("core-1", (scene.seen(caller, bridged_to=ring.leg), scene.seen_phone(ring, answered=True)))
    scene.hang_up(ring.leg)
    scene.hang_up(caller)
    scene.wait(60_000)
    return scene


def test_a_world_folded_from_the_records_is_the_live_one() -> None:
    """Feature 11.1: the state of anything is a fold of the log."""
    scene = a_day()
    assert difference(picture(scene.world, scene.now), picture(fold(scene.records), scene.now)) == ""


@given(st.data())
def test_folding_in_two_pieces_is_folding_once(data: st.DataObject) -> None:
    """Feature 11.2: any prefix is a state of its own, and the rest goes on from it."""
    records = a_day().records
    cut = data.draw(st.integers(0, len(records)))
    world = fold(records[:cut])
    for record in records[cut:]:
        world.apply(record)
    now = records[-1].about.at
    assert difference(picture(world, now), picture(fold(records), now)) == ""


def test_contacts_and_shifts_that_ended_leave_nothing_behind() -> None:
    """Feature 12.5: memory holds what is live."""
    scene = a_day()
    scene.give(inputs.EndAll())
    for leg in list(scene.world.contact_of_leg):
        scene.hang_up(leg)
    scene.wait(120_000)
    world = scene.world
    assert (world.contacts, world.shifts, world.contact_of_leg, world.open_offers) == ({}, {}, {}, set())
    assert (world.shift_of_agent, world.shift_at, world.lines) == ({}, {}, {})
    assert [name for name in world.versions if not name.startswith("node-")] == []
    assert list(world.timers) == []


def test_only_the_last_closed_legs_are_remembered() -> None:
    """Feature 12.5; complaint 15: enough for news that comes late, no more."""
    scene = Scene(agents=0)
    before, module.CLOSED_LEGS_KEPT = module.CLOSED_LEGS_KEPT, 3
    try:
        for _ in range(5):
            scene.hang_up(scene.park())
    finally:
        module.CLOSED_LEGS_KEPT = before
    assert list(scene.world.closed_legs) == ["caller-3", "caller-4", "caller-5"]
    assert len(scene.events(ContactEnded)) == 5


def test_what_this_code_does_not_know_changes_nothing() -> None:
    """Feature 11.1: events of a later version, or of streams that somebody else reads."""
    world = World()
    for stream in ("contact-1", "shift-1", "node-1", "agent-1", "queue-1", "entry-1", "order-1", "customer-1"):
        unknown = UnknownEvent(name="SomethingNew", version=7, body=b"{}")
        about = Provenance(at=Instant(1))
        world.apply(Record(stream=stream, version=1, event=unknown, event_id="e", about=about))
    assert (world.contacts, world.shifts, world.agents, world.queues, world.entries) == ({}, {}, {}, {}, {})
