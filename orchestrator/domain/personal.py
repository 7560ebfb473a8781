"""Where in a struct personal text stands (law 11), found by the marks of its annotations and nothing else."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, inspect

_S = TypeVar("_S", bound=Struct)


class PersonalText(Struct, frozen=True):
    """One personal text of a body: where it stands, and the index under which it can be looked up."""

    path: str
    text: str
    index: str
    holder: Any
    key: Any


# The shape of a class's personal fields: a leaf (index name, maybe empty), named parts, or parts all alike.
class Shape(Struct, frozen=True):
    """What of a value is personal."""


class _Leaf(Shape, frozen=True):
    index: str


class _Fields(Shape, frozen=True):
    parts: dict[str, Shape]


class _Items(Shape, frozen=True):
    part: Shape


@cache
def shape_of(kind: type[Struct]) -> Shape | None:
    """Where in values of this class personal text stands; None where there is none."""
    return _shape(inspect.type_info(kind), ())


def is_flat(shape: Shape) -> bool:
    """Whether every personal text is a field of the value itself, none of a part of it."""
    return isinstance(shape, _Fields) and all(isinstance(part, _Leaf) for part in shape.parts.values())


def changed(value: _S, change: Callable[[str], str]) -> _S:
    """The same with each of its personal texts that is not empty changed so; itself where it has none."""
    shape = shape_of(type(value))
    if shape is None:
        return value
    body = msgspec.to_builtins(value)
    texts: list[PersonalText] = []
    collect(shape, body, "", texts)
    if not texts:
        return value
    for each in texts:
        each.holder[each.key] = change(each.text)
    return msgspec.convert(body, type(value))


def texts_of(value: Struct) -> list[PersonalText]:
    """Its personal texts that are not empty."""
    shape = shape_of(type(value))
    texts: list[PersonalText] = []
    if shape is not None:
        collect(shape, msgspec.to_builtins(value), "", texts)
    return texts


def collect(shape: Shape, value: Any, path: str, found: list[PersonalText]) -> None:  # noqa: ANN401 - plain data
    """Every non-empty personal text below `value`, with its holder, so that it can be replaced in place."""
    pairs: list[tuple[Any, Shape]]
    match shape:
        case _Fields(parts):
            pairs = [(name, part) for name, part in parts.items() if name in value]
        case _Items(part):
            keys = value if isinstance(value, dict) else range(len(value))
            pairs = [(key, part) for key in keys]
        case _:
            raise TypeError("a leaf has no parts")
    for key, part in pairs:
        below = value[key]
        if below is None or below == "":
            continue
        if isinstance(part, _Leaf):
            found.append(PersonalText(f"{path}{key}", below, part.index, value, key))
        else:
            collect(part, below, f"{path}{key}.", found)


def _shape(info: inspect.Type, above: tuple[type, ...]) -> Shape | None:
    match info:
        case inspect.Metadata(extra=extra) if extra and extra.get("personal"):
            return _Leaf(str(extra.get("index", "")))
        case inspect.Metadata(type=inner):
            return _shape(inner, above)
        case inspect.StructType(cls=cls, fields=fields) if cls not in above:
            parts = {field.encode_name: _shape(field.type, (*above, cls)) for field in fields}
            personal = {name: part for name, part in parts.items() if part is not None}
            if personal and info.array_like:
                raise TypeError(f"{cls.__name__} is array_like and has personal fields: give it named ones.")
            return _Fields(personal) if personal else None
        case inspect.UnionType(types=types):
            return _merged([_shape(each, above) for each in types])
        case inspect.DictType(value_type=inner) | inspect.ListType(item_type=inner):
            return _items(inner, above)
        case inspect.VarTupleType(item_type=inner) | inspect.SetType(item_type=inner):
            return _items(inner, above)
        case inspect.TupleType(item_types=inners):
            whole = _merged([_shape(each, above) for each in inners])
            return _Items(whole) if whole is not None else None
    return None


def _items(inner: inspect.Type, above: tuple[type, ...]) -> Shape | None:
    part = _shape(inner, above)
    return None if part is None else _Items(part)


def _merged(shapes: list[Shape | None]) -> Shape | None:
    """One shape for a union: its members' personal fields together."""
    personal = [shape for shape in shapes if shape is not None]
    if len(personal) <= 1:
        return personal[0] if personal else None
    parts: dict[str, Shape] = {}
    for shape in personal:
        if not isinstance(shape, _Fields):
            raise TypeError("A union may be personal in its structs only, or in one member.")
        parts |= shape.parts
    return _Fields(parts)
