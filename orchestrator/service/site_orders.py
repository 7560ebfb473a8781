"""Types of work orders in the site's file: lists of tables, each with keys of its own, and what must fit together.

[ordertype.pickup]
name = "Pick-up"
first = "open"
fields = [ { id = "address", name = "Address", required = true, personal = true } ]
states = [ { id = "open", name = "Open" }, { id = "done", name = "Done", kind = "done" } ]
moves = [ { action = "done", name = "Done", from = ["open"], to = "done", roles = ["agent"] } ]
"""

from typing import Any, Final

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
from orchestrator.service.site_rows import MOST_ROWS, ROW_ID, names, rows, written
from orchestrator.service.site_values import Field, Read, Section, Unfit, flag, near, one_of, text


def _list(read_one: Read, example: str) -> Read:
    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or not 0 < len(value) <= MOST_ROWS:
            raise Unfit(f"write a list of 1 to {MOST_ROWS}, such as {example}")
        return tuple(read_one(each) for each in value)

    return read


_ids = _list(ROW_ID, '["open"]')
_roles = _list(one_of(ROLES), '["agent", "back_office"]')


def _may(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise Unfit('write who may do what, such as { open = ["agent"], assign = ["leader"] }')
    for action in value:
        if action not in ACTIONS:
            raise Unfit(f"{action}: there is no such key; {near(action, ACTIONS)}")
    return {action: _roles(given) for action, given in sorted(value.items())}


_CHOICE: Final = (
    Field("id", "id", ROW_ID, required=True),
    Field("name", "name", text, required=True),
    Field("names", "names", names),
)
_FIELD: Final = (
    Field("id", "id", ROW_ID, required=True),
    Field("name", "name", text, required=True),
    Field("names", "names", names),
    Field("kind", "kind", one_of(KINDS)),
    Field("required", "required", flag),
    Field("personal", "personal", flag),
    Field("choices", "choices", rows(Choice, _CHOICE, '{ id = "am", name = "Morning" }'), write=written(_CHOICE)),
)
_STATE: Final = (
    Field("id", "id", ROW_ID, required=True),
    Field("name", "name", text, required=True),
    Field("names", "names", names),
    Field("kind", "kind", one_of(STATE_KINDS)),
    Field("on_assign", "on_assign", ROW_ID),
)
_MOVE: Final = (
    Field("action", "action", ROW_ID, required=True),
    Field("name", "name", text, required=True),
    Field("names", "names", names),
    Field("from", "before", _ids, required=True, write=list),
    Field("to", "after", ROW_ID, required=True),
    Field("roles", "roles", _roles, write=list),
)

ORDERTYPE: Final = Section(
    "ordertype",
    OrderTypeConfigured,
    OrderTypeRemoved,
    (
        Field("name", "name", text, required=True),
        Field("names", "names", names),
        Field("first", "first", ROW_ID, required=True),
        Field(
            "fields",
            "fields",
            rows(FieldSpec, _FIELD, '{ id = "address", name = "Address" }', may_be_none=True),
            required=True,
            write=written(_FIELD),
        ),
        Field(
            "states",
            "states",
            rows(StateSpec, _STATE, '{ id = "open", name = "Open" }'),
            required=True,
            write=written(_STATE),
        ),
        Field(
            "moves",
            "moves",
            rows(Move, _MOVE, '{ action = "done", name = "Done", from = ["open"], to = "done" }'),
            required=True,
            write=written(_MOVE),
        ),
        Field("may", "may", _may, write=lambda value: {action: list(roles) for action, roles in value.items()}),
    ),
)
