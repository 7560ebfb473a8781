"""The runner of the figures."""

import pytest

from tests.bench.__main__ import missed


@pytest.mark.parametrize(
    ("limits", "late"),
    (
        ({}, False),
        ({"at_least": 5}, False),
        ({"at_least": 6}, True),
        ({"at_most": 5}, False),
        ({"at_most": 4}, True),
        ({"target": 6}, True),
        ({"at_least": 1, "at_most": 9}, False),
    ),
)
def test_a_figure_beyond_its_limit_is_named(limits: dict[str, int], late: bool) -> None:  # noqa: FBT001 - a table
    assert missed({"name": "x", "value": 5, **limits}) is late
