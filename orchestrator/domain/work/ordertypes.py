"""A type of work order, as data: its fields, its states, who may do what with it.

Stream `ordertype-<id>`. Written by `config apply` (a desk stream); read by whoever writes or shows an order.

An order begins in the state `first`. A `Move` leads from some states to another; what kind of state it leads to
(`open`, `done`, `closed`) decides which event records it. Names are data too: `name` as the site writes it, `names` in
other languages (`zh`).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time
from typing import Final

from msgspec import Struct
from msgspec import field as default

from orchestrator.domain import texts
from orchestrator.domain.kernel import Event, Refused

KINDS: Final = ("text", "lines", "number", "date", "time", "choice", "flag", "phone")
STATE_KINDS: Final = ("open", "done", "closed")
WORKERS: Final = ("agent", "leader", "back_office", "service_point", "admin")
"""Who may do what nobody else is named for."""
ACTIONS: Final = ("open", "assign", "note", "amend")
"""What can be done with every order and is no move."""

_NUMBER: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{4,14}")  # E.164: at most fifteen digits
_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "")

Given = Mapping[str, str | int | float | bool | None]
"""The values of fields as a form or a program brings them."""


class Choice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the values that a field of kind `choice` may have."""

    id: str
    name: str
    names: dict[str, str] = {}


class FieldSpec(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One field. What is `personal` is sealed under the customer's key."""

    id: str
    name: str
    kind: str = "text"
    names: dict[str, str] = {}
    required: bool = False
    personal: bool = False
    choices: tuple[Choice, ...] = ()


class StateSpec(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One state. `on_assign` is the state that an order in this one comes to when somebody gets it."""

    id: str
    name: str
    kind: str = "open"
    names: dict[str, str] = {}
    on_assign: str = ""


class Move(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What leads from any of some states to another, and who may do it."""

    action: str
    name: str
    before: tuple[str, ...]
    after: str
    names: dict[str, str] = {}
    roles: tuple[str, ...] = WORKERS


# --- events ------------------------------------------------------------------------------------------------------


class OrderTypeConfigured(Event, frozen=True, kw_only=True):
    """Orders of this type are as described from now on, those that are open already too."""

    name: str
    first: str
    fields: tuple[FieldSpec, ...]
    states: tuple[StateSpec, ...]
    moves: tuple[Move, ...]
    names: dict[str, str] = default(default_factory=dict)
    may: dict[str, tuple[str, ...]] = default(default_factory=dict)
    """Who may open, assign, note and amend; `WORKERS` where it says nothing."""


class OrderTypeRemoved(Event, frozen=True, kw_only=True):
    """No more orders of this type are opened. Those that are there keep its last rules."""


# --- state -------------------------------------------------------------------------------------------------------


class OrderType(Struct, frozen=True, kw_only=True):
    """A type as configured now."""

    type_id: str
    settings: OrderTypeConfigured
    open: bool = True

    def state(self, state_id: str) -> StateSpec | None:
        """The state with this id, None where the type has (now) none."""
        return next((state for state in self.settings.states if state.id == state_id), None)

    def moves_from(self, state_id: str) -> tuple[Move, ...]:
        """What can be done with an order in this state, whoever does it."""
        return tuple(move for move in self.settings.moves if state_id in move.before)

    def allows(self, action: str, roles: tuple[str, ...]) -> bool:
        """Whether one of these roles may do this: one of `ACTIONS`."""
        return not set(roles).isdisjoint(self.settings.may.get(action, WORKERS))


def evolve(known: OrderType | None, event: Event, type_id: str) -> OrderType | None:
    """The type after one more event. Never raises."""
    match event:
        case OrderTypeConfigured():
            return OrderType(type_id=type_id, settings=event)
        case OrderTypeRemoved() if known is not None:
            return OrderType(type_id=type_id, settings=known.settings, open=False)
    return known


def label(thing: Choice | FieldSpec | StateSpec | Move | OrderTypeConfigured, language: str) -> str:
    """The thing's name in this language, or as the site writes it."""
    return thing.names.get(language) or thing.name


# --- what is wrong with a type -----------------------------------------------------------------------------------


def faults(settings: OrderTypeConfigured) -> Iterator[tuple[str, str]]:
    """What does not fit together: the key in which it stands, and what to write instead."""
    states = {state.id for state in settings.states}
    listed = ", ".join(sorted(states)) or "none"
    if settings.first not in states:
        yield "first", f"there is no state {settings.first}; there are {listed}"
    elif next(state.kind for state in settings.states if state.id == settings.first) != "open":
        yield "first", f"an order cannot begin in {settings.first}, which is not open"
    if all(state.kind == "open" for state in settings.states):
        yield "states", "no state is done or closed: no order would ever be finished"
    for key, ids in (("fields", [f.id for f in settings.fields]), ("states", [s.id for s in settings.states])):
        yield from ((key, f"{each} stands here twice") for each in sorted({i for i in ids if ids.count(i) > 1}))
    for state in settings.states:
        if state.on_assign and state.on_assign not in states:
            yield "states", f"{state.id}: there is no state {state.on_assign} to assign to; there are {listed}"
    for field in settings.fields:
        if (field.kind == "choice") != bool(field.choices):
            advice = "needs choices" if field.kind == "choice" else "has choices but is no choice"
            yield "fields", f"{field.id} {advice}"
    taken: set[tuple[str, str]] = set()
    for move in settings.moves:
        if move.action in ACTIONS:
            yield "moves", f"{move.action} is there for every order; name the move otherwise"
        for each in (*move.before, move.after):
            if each not in states:
                yield "moves", f"{move.action}: there is no state {each}; there are {listed}"
        for each in move.before:
            if (move.action, each) in taken:
                yield "moves", f"{move.action} leads from {each} to two states"
            taken.add((move.action, each))


# --- what is wrong with an order's fields ------------------------------------------------------------------------


def fit(known: OrderType, given: Given, *, partly: bool = False) -> tuple[dict[str, str], dict[str, str]]:
    """The fields' values in their one written form: those that all may see, and those that are personal.

    Empty values are left out, unless `partly`: then only what is given is looked at, and an empty value empties the
    field. Raises `Refused` (`bad_fields`), which tells all that is wrong at once.
    """
    plain: dict[str, str] = {}
    personal: dict[str, str] = {}
    wrong: list[str] = []
    specs = {field.id: field for field in known.settings.fields}
    wrong += [f"There is no field {name[:40]!r}." for name in given if name not in specs]
    for field in specs.values():
        if partly and field.id not in given:
            continue
        try:
            value = _value(field, given.get(field.id))
        except Refused as refused:
            wrong.append(refused.message)
            continue
        if not value and field.required:
            wrong.append(f"{field.name} is missing.")
        elif value or partly:
            (personal if field.personal else plain)[field.id] = value
    if wrong:
        raise Refused("bad_fields", " ".join(wrong))
    return plain, personal


def _value(field: FieldSpec, given: str | float | bool | None) -> str:  # noqa: FBT001 - a value, no switch
    if given is None:
        return ""
    text = ("true" if given else "false") if isinstance(given, bool) else str(given)
    return _READERS[field.kind](field, text.strip())


def _number(field: FieldSpec, text: str) -> str:
    if text and not _NUMBER.fullmatch(text):
        raise Refused("bad_field", f"{field.name}: write a number, such as 12 or 3.5.")
    return text


def _date(field: FieldSpec, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise Refused("bad_field", f"{field.name}: write a day as 2026-11-30.") from None


def _time(field: FieldSpec, text: str) -> str:
    try:
        return time.fromisoformat(text).replace(tzinfo=None).isoformat("minutes") if text else ""
    except ValueError:
        raise Refused("bad_field", f"{field.name}: write a time as 14:30.") from None


def _choice(field: FieldSpec, text: str) -> str:
    known = [choice.id for choice in field.choices]
    if text and text not in known:
        raise Refused("bad_field", f"{field.name}: choose one of {', '.join(known)}.")
    return text


def _flag(field: FieldSpec, text: str) -> str:
    if text.lower() not in (*_YES, *_NO):
        raise Refused("bad_field", f"{field.name}: write true or false.")
    return "true" if text.lower() in _YES else ""


def _phone(field: FieldSpec, text: str) -> str:
    if text and not _PHONE.fullmatch(text):
        raise Refused("bad_field", f"{field.name}: this is no telephone number; write it as +8613800138000.")
    return text


_READERS: Final[Mapping[str, Callable[[FieldSpec, str], str]]] = {
    "text": lambda field, text: texts.one_line(text, field.name, texts.LINE),
    "lines": lambda field, text: texts.lines(text, field.name),
    "number": _number,
    "date": _date,
    "time": _time,
    "choice": _choice,
    "flag": _flag,
    "phone": _phone,
}
