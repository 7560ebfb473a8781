"""What a visitor asks of sizing: the fields of a form, read; where one cannot be, what to write instead."""

from collections.abc import Mapping
from typing import Final

from orchestrator.domain.sizing import seats
from orchestrator.domain.sizing.seats import LABELS, Plan, Terms
from projections.sizing import Asked, parse_day
from web import refusals

TERMS: Final = Terms.__struct_fields__
PLAN: Final = Plan.__struct_fields__


def labels() -> dict[str, str]:
    """What each field is called, in the reader's language."""
    return {name: refusals.field(label) for name, label in LABELS.items()}


def of_day(typed: Mapping[str, str], today: str) -> Asked:
    """A day and terms; what is empty is left to the queue, the callers, or custom. Raises `Refused`."""
    day = typed.get("day", "").strip()
    return Asked(day=parse_day(day) if day else today, queue_id=typed.get("queue", ""), **_given(typed, TERMS))


def of_plan(typed: Mapping[str, str]) -> tuple[Plan, Terms]:
    """A plan, of which every field is needed, and terms. Raises `Refused`."""
    plan = Plan(**{name: seats.read(name, typed.get(name, "")) for name in PLAN})
    return plan, Terms(**_given(typed, TERMS))


def _given(typed: Mapping[str, str], names: tuple[str, ...]) -> dict[str, float]:
    return {name: seats.read(name, text) for name in names if (text := typed.get(name, "").strip())}
