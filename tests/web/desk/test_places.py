"""The number of a place, as somebody types it at the desk (feature 4.3)."""

import pytest
from flask import Flask

from web.desk.views import _place


@pytest.mark.parametrize(
    ("typed", "place"), (("7", 7), (" 12 ", 12), ("100", 100), ("", 0), ("two", 0), ("-1", 0), ("٣", 0), ("9" * 60, 0))
)
def test_what_is_no_number_of_a_place_is_no_place(typed: str, place: int) -> None:
    """Law 10: sixty digits are a number in JSON, and none that anybody can retrieve from."""
    with Flask("desk").test_request_context(method="POST", data={"place": typed}):
        assert _place() == place
