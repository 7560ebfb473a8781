"""Types of work orders in the site's file: lists of tables, each with keys of its own, and what must fit together.

[ordertype.pickup]
name = "Pick-up"
first = "open"
fields = [ { id = "address", name = "Address", required = true, personal = true } ]
states = [ { id = "open", name = "Open" }, { id = "done", name = "Done", kind = "done" } ]
moves = [ { action = "done", name = "Done", from = ["open"], to = "done", roles = ["agent"] } ]
"""

import re
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import fields

from orchestrator.domain.access.users import ROLES
from orchestrator.domain.work.ordertypes import (
    ACTIONS,
    KINDS,
    STATE_KINDS,
    Choice,
    FieldSpec,
    Move,
    OrderTypeConfigured,
    OrderTypeRemoved,
    StateSpec,
)
from orchestrator.service.site_values import Field, Read, Section, Unfit, flag, matching, near, one_of, text

_MOST_ROWS: Final = 60
# Ids of fields become names in forms, those of states and actions parts of addresses.
_ID: Final = matching(
    re.compile(r"[a-z][a-z0-9_]{0,39}"), "an id of up to 40 small letters a-z, digits and _, beginning with a letter"
)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")


def _list(read_one: Read, example: str) -> Read:
    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or not 0 < len(value) <= _MOST_ROWS:
            raise Unfit(f"write a list of 1 to {_MOST_ROWS}, such as {example}")
        return tuple(read_one(each) for each in value)

    return read


_ids = _list(_ID, '["open"]')
_roles = _list(one_of(ROLES), '["agent", "back_office"]')


def _names(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(_LANGUAGE.fullmatch(language) for language in value):
        raise Unfit('write names in other languages, such as { zh = "取件" }')
    return {language: text(name) for language, name in sorted(value.items())}


def _may(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise Unfit('write who may do what, such as { open = ["agent"], assign = ["leader"] }')
    for action in value:
        if action not in ACTIONS:
            raise Unfit(f"{action}: there is no such key; {near(action, ACTIONS)}")
    return {action: _roles(given) for action, given in sorted(value.items())}


def _rows(cls: type[Struct], keys: tuple[Field, ...], example: str, *, may_be_none: bool = False) -> Read:
    """A list of tables as a tuple of `cls`."""
    by_key = {field.key: field for field in keys}

    def read(value: object) -> tuple[Struct, ...]:
        if not isinstance(value, list) or len(value) > _MOST_ROWS or not (value or may_be_none):
            raise Unfit(f"write a list of 1 to {_MOST_ROWS} tables, such as [ {example} ]")
        return tuple(one(place, each) for place, each in enumerate(value, 1))

    def one(place: int, given: object) -> Struct:
        if not isinstance(given, dict):
            raise Unfit(f"entry {place}: write a table, such as {example}")
        where = next((given[field.key] for field in keys[:1] if isinstance(given.get(field.key), str)), place)
        if unknown := next((key for key in given if key not in by_key), None):
            raise Unfit(f"entry {where}: {unknown}: there is no such key; {near(unknown, by_key)}")
        found = {}
        for field in keys:
            if field.key in given:
                try:
                    found[field.attribute] = field.read(given[field.key])
                except Unfit as error:
                    raise Unfit(f"entry {where}: {field.key}: {error}") from None
            elif field.required:
                raise Unfit(f"entry {where}: {field.key} is missing")
        return cls(**found)

    return read


def _written(keys: tuple[Field, ...]) -> Callable[[tuple[Struct, ...]], list[dict[str, Any]]]:
    """The way back: tables with what is not as usual."""

    def write(rows: tuple[Struct, ...]) -> list[dict[str, Any]]:
        return [
            {
                field.key: field.write(value)
                for field in keys
                if (value := getattr(row, field.attribute)) != _usual(type(row), field.attribute)
            }
            for row in rows
        ]

    return write


def _usual(cls: type[Struct], attribute: str) -> object:
    info = next(info for info in fields(cls) if info.name == attribute)
    return info.default_factory() if callable(info.default_factory) else info.default


_CHOICE: Final = (
    Field("id", "id", _ID, required=True),
    Field("name", "name", text, required=True),
    Field("names", "names", _names),
)
_FIELD: Final = (
    Field("id", "id", _ID, required=True),
    Field("name", "name", text, required=True),
    Field("names", "names", _names),
    Field("kind", "kind", one_of(KINDS)),
    Field("required", "required", flag),
    Field("personal", "personal", flag),
    Field(
        "choices",
        "choices",
        _rows(Choice, _CHOICE, '{ id = "am", name = "Morning" }'),
        write=_written(_CHOICE),
        rows=_CHOICE,
    ),
)
_STATE: Final = (
    Field("id", "id", _ID, required=True),
    Field("name", "name", text, required=True),
    Field("names", "names", _names),
    Field("kind", "kind", one_of(STATE_KINDS)),
    Field("on_assign", "on_assign", _ID),
)
_MOVE: Final = (
    Field("action", "action", _ID, required=True),
    Field("name", "name", text, required=True),
    Field("names", "names", _names),
    Field("from", "before", _ids, required=True, write=list),
    Field("to", "after", _ID, required=True),
    Field("roles", "roles", _roles, write=list),
)

ORDERTYPE: Final = Section(
    "ordertype",
    OrderTypeConfigured,
    OrderTypeRemoved,
    (
        Field("name", "name", text, required=True),
        Field("names", "names", _names),
        Field("first", "first", _ID, required=True),
        Field(
            "fields",
            "fields",
            _rows(FieldSpec, _FIELD, '{ id = "address", name = "Address" }', may_be_none=True),
            required=True,
            write=_written(_FIELD),
            rows=_FIELD,
        ),
        Field(
            "states",
            "states",
            _rows(StateSpec, _STATE, '{ id = "open", name = "Open" }'),
            required=True,
            write=_written(_STATE),
            rows=_STATE,
        ),
        Field(
            "moves",
            "moves",
            _rows(Move, _MOVE, '{ action = "done", name = "Done", from = ["open"], to = "done" }'),
            required=True,
            write=_written(_MOVE),
            rows=_MOVE,
        ),
        Field("may", "may", _may, write=lambda value: {action: list(roles) for action, roles in value.items()}),
    ),
)
