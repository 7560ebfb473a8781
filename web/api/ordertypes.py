"""Types of work orders, as the site configured them."""

from typing import Literal

from msgspec import Struct

from orchestrator.domain.work import ordertypes
from orchestrator.domain.work.ordertypes import OrderType
from projections import work_orders
from web import language
from web.api.forms import Items
from web.parts import parts

Kind = Literal["open", "done", "closed"]


class Choice(Struct, frozen=True, kw_only=True):
    """A value that a field may have."""

    id: str
    name: str


class Field(Struct, frozen=True, kw_only=True):
    """A field of a type. `kind`: text, lines, number, date, time, choice, flag, phone."""

    id: str
    name: str
    kind: str
    required: bool
    personal: bool
    choices: list[Choice]


class State(Struct, frozen=True, kw_only=True):
    """A state of a type."""

    id: str
    name: str
    kind: Kind


class Move(Struct, frozen=True, kw_only=True):
    """What leads from some states to another, and who may do it."""

    action: str
    name: str
    before: list[str]
    after: str
    roles: list[str]


class Type(Struct, frozen=True, kw_only=True):
    """A type of order as configured; names in the language that Accept-Language asks for. Of one that is not open no
    more orders are opened.
    """

    type_id: str
    name: str
    open: bool
    first: str
    fields: list[Field]
    states: list[State]
    moves: list[Move]


def types() -> Items[Type]:
    """Types of work orders, with their fields, states and moves"""
    with parts().reading.reader.borrow() as connection:
        known = work_orders.types(connection)
    return Items([_type(each) for each in known.values()])


def _type(known: OrderType) -> Type:
    settings, tongue = known.settings, language.current()
    return Type(
        type_id=known.type_id,
        name=ordertypes.label(settings, tongue),
        open=known.open,
        first=settings.first,
        fields=[
            Field(
                id=field.id,
                name=ordertypes.label(field, tongue),
                kind=field.kind,
                required=field.required,
                personal=field.personal,
                choices=[Choice(id=each.id, name=ordertypes.label(each, tongue)) for each in field.choices],
            )
            for field in settings.fields
        ],
        states=[
            State(id=state.id, name=ordertypes.label(state, tongue), kind=state.kind)  # type: ignore[arg-type]
            for state in settings.states
        ],
        moves=[
            Move(
                action=move.action,
                name=ordertypes.label(move, tongue),
                before=list(move.before),
                after=move.after,
                roles=list(move.roles),
            )
            for move in settings.moves
        ],
    )
