"""The last calls of an agent, beside what `test_live.py` shows of them."""

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.switch.facts import LegBridged
from orchestrator.domain.world import World
from projections.live_calls import Calls, name_of
from tests.runner.scene import NODE, Scene
from tests.runner.test_guests import Room


@pytest.fixture
def contact() -> Contact:
    """Somebody who waits."""
    scene = Scene()
    return scene.live(scene.park())


@pytest.mark.parametrize(
    ("told", "number", "name"),
    (
        ("Wang Fang", "+8613800138000", "Wang Fang"),
        ("13800138000", "13800138000", ""),
        ("13800138000", "+8613800138000", ""),
        ("+8613800138000", "+8613800138000", ""),
        ("075523456789", "+8675523456789", ""),
        ("13800138001", "+8613800138000", "13800138001"),
        ("Depot 4", "+8613800138004", "Depot 4"),
        ("", "", ""),
    ),
)
def test_a_number_that_stands_where_a_name_should_is_no_name(
    contact: Contact, told: str, number: str, name: str
) -> None:
    """Screens and safety 4: the number is shown once."""
    assert name_of(replace(contact, caller_name=told, caller_number=number)) == name


def test_whoever_a_colleague_asks_rings_until_they_are_there_and_is_with_a_colleague_then() -> None:
    """Feature 4.3: in a conference they talk, though the caller is somebody else's; and afterwards they did."""
    room = Room()
    assert _outcome(room, "a2") == "consulted"
    room.invites("1003")
    assert _outcome(room, "a3") == "ringing"
    guest = room.pick_up()
    assert _outcome(room, "a3") == "consulted"
    room.enters(guest)
    room.lets_go("1003")
    assert _outcome(room, "a3") == "consulted"
    room.invites("1004")
    room.lets_go("1004")
    assert _outcome(room, "a4") == "withdrawn", "who never picked up was not there"
    room.hang_up(room.ring.leg)
    room.give(LegBridged(node=NODE, leg=room.caller, other=room.first))
    assert (_outcome(room, "a1"), _outcome(room, "a2")) == ("talked", "talking")


def _outcome(scene: Room, agent: str) -> str:
    """What this agent's newest call has come to."""
    world, calls = World(), Calls()
    for record in scene.records:
        calls.fold(record, *world.apply(record), world)
    return calls.of(agent)[0].outcome
