"""The last calls of an agent, beside what `test_live.py` shows of them."""

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import Contact
from projections.live_calls import name_of
from tests.runner.scene import Scene


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
