"""The fields of an order: one written form for each kind, or a sentence that says what to write."""

import pytest

from orchestrator.domain.kernel import Refused
from orchestrator.domain.work.ordertypes import (
    Choice,
    FieldSpec,
    OrderType,
    OrderTypeConfigured,
    OrderTypeRemoved,
    StateSpec,
    evolve,
    faults,
    fit,
    label,
)

SETTINGS = OrderTypeConfigured(
    name="Everything",
    first="open",
    fields=(
        FieldSpec(id="text", name="Text"),
        FieldSpec(id="lines", name="Lines", kind="lines", personal=True),
        FieldSpec(id="number", name="Number", kind="number"),
        FieldSpec(id="date", name="Date", kind="date"),
        FieldSpec(id="time", name="Time", kind="time"),
        FieldSpec(id="choice", name="Choice", kind="choice", choices=(Choice(id="am", name="Morning"),)),
        FieldSpec(id="flag", name="Flag", kind="flag"),
        FieldSpec(id="phone", name="Phone", kind="phone", personal=True),
    ),
    states=(StateSpec(id="open", name="Open"), StateSpec(id="done", name="Done", kind="done")),
    moves=(),
)
KIND = OrderType(type_id="all", settings=SETTINGS)


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    (
        ("text", "  two   words ", "two words"),
        ("text", "", None),
        ("text", None, None),
        ("lines", "one\r\n  two \n", "one\n  two"),
        ("number", 12, "12"),
        ("number", "-3.5", "-3.5"),
        ("date", "2026-11-30", "2026-11-30"),
        ("time", "14:30", "14:30"),
        ("time", "14:30:59", "14:30"),
        ("choice", "am", "am"),
        ("flag", True, "true"),
        ("flag", "on", "true"),
        ("flag", False, None),
        ("phone", "+8613800138000", "+8613800138000"),
    ),
)
def test_a_field_has_one_written_form(field: str, given: str | float | None, kept: str | None) -> None:
    """Feature 6.1."""
    plain, personal = fit(KIND, {field: given})
    assert {**plain, **personal} == ({} if kept is None else {field: kept})
    assert set(personal) <= {"lines", "phone"}


@pytest.mark.parametrize(
    ("field", "given", "advice"),
    (
        ("text", "x" * 301, "up to 300 characters"),
        ("text", "a\x00b", "U+0000"),
        ("lines", "\ud800", "U+D800"),
        ("number", "twelve", "such as 12 or 3.5"),
        ("number", "1e400", "such as 12 or 3.5"),
        ("number", float("inf"), "such as 12 or 3.5"),
        ("date", "30.11.2026", "2026-11-30"),
        ("date", "2026-02-30", "2026-11-30"),
        ("time", "25:00", "14:30"),
        ("choice", "pm", "choose one of am"),
        ("flag", "maybe", "true or false"),
        ("phone", "sip:evil@example", "+8613800138000"),
    ),
)
def test_what_does_not_fit_is_refused_with_what_to_write(field: str, given: str | float, advice: str) -> None:
    """Bad input."""
    with pytest.raises(Refused) as refused:
        fit(KIND, {field: given})
    assert refused.value.code == "bad_fields"
    assert advice in refused.value.message


def test_a_type_is_what_was_configured_last() -> None:
    known = evolve(None, SETTINGS, "all")
    assert known is not None
    assert known.open
    gone = evolve(known, OrderTypeRemoved(), "all")
    assert gone is not None
    assert (gone.open, gone.settings) == (False, SETTINGS)
    assert evolve(None, OrderTypeRemoved(), "all") is None
    assert not list(faults(SETTINGS))


def test_a_name_is_told_in_the_readers_language_or_as_the_site_writes_it() -> None:
    state = StateSpec(id="open", name="Open", names={"zh": "待处理"})
    assert (label(state, "zh"), label(state, "en"), label(state, "fr")) == ("待处理", "Open", "Open")
