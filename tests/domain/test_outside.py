"""Which numbers may be called: pure rules over what anybody may have typed or sent. Features 3.5, 3.10; law 10."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.routing.outside import (
    LONGEST,
    SHORTEST,
    Outside,
    OutsideConfigured,
    OutsideRemoved,
    callable_number,
    evolve,
    shown,
    why_not,
)

RULES = OutsideConfigured(
    allowed=("+86", "0"), refused=("+8690", "+86"), show="1000000", show_for={"main": "2000000"}, at_most=2
)


@pytest.mark.parametrize(
    ("raw", "number"),
    (
        ("+86 138-0013-8000", "+8613800138000"),
        ("0755 (1234) 5678", "075512345678"),
        ("anonymous", ""),
        ("", ""),
        ("+", ""),
        ("110", ""),
        ("++8613800138000", ""),
        ("+861380013800012345", ""),
        ("12345\n67890", ""),
        ("１２３４５６", ""),
        ("12345;x=1", ""),
    ),
)
def test_a_number_is_what_a_machine_may_call_and_nothing_else(raw: str, number: str) -> None:
    assert callable_number(raw) == number


@given(st.text(max_size=60))
def test_whatever_comes_a_number_has_digits_alone_and_a_bounded_length(raw: str) -> None:
    number = callable_number(raw)
    digits = number.removeprefix("+")
    assert not number or (digits.isascii() and digits.isdigit() and SHORTEST <= len(digits) <= LONGEST)


def test_the_longest_prefix_decides_and_where_both_are_as_long_it_is_refused() -> None:
    allowed = OutsideConfigured(allowed=("+86", "+869011"), refused=("+8690",))
    rules = Outside(settings=allowed)
    assert why_not(rules, "+8613800138000", 0) == ""
    assert why_not(rules, "+869000000", 0) == "not_allowed"
    assert why_not(rules, "+869011000", 0) == ""
    assert why_not(Outside(settings=RULES), "+8613800138000", 0) == "not_allowed"
    assert why_not(rules, "13800138000", 0) == "not_allowed"


def test_calls_at_once_are_bounded_and_nobody_is_called_without_rules_or_a_number() -> None:
    rules = Outside(settings=RULES)
    assert [why_not(rules, "075512345678", calling) for calling in (0, 1, 2)] == ["", "", "outside_full"]
    assert why_not(rules, "", 0) == "withheld"
    assert why_not(None, "075512345678", 0) == "no_outside"


def test_what_is_shown_is_the_entry_points_own_number_or_the_general_one() -> None:
    assert [shown(RULES, entry) for entry in ("main", "other", "")] == ["2000000", "1000000", "1000000"]


def test_rules_that_are_removed_allow_nothing() -> None:
    now = evolve(None, RULES)
    assert now == Outside(settings=RULES)
    assert evolve(now, OutsideRemoved()) is None
