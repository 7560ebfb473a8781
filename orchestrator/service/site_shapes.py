"""What kind of value each key of the site's file has, so that a screen can offer a fitting input for a key that it
never heard of: told by the key's own reader where that knows limits, else by the type of the event's field.
"""

from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from orchestrator.service.site_fields import SECTIONS
from orchestrator.service.site_rows import Written
from orchestrator.service.site_values import Field, Section, Within

KINDS: Final = (
    "text", "whole", "seconds", "flag", "choice", "one_of_ids", "words", "levels", "texts", "lists", "rows", "raw",
)  # fmt: skip


class Shape(Struct, frozen=True, kw_only=True):
    """One key's kind of value.

    `whole` and `seconds` have limits where these are known, `choice` its words, `one_of_ids` (and `words`, where they
    are ids) the section whose ids they are, and words that may stand instead of one; `levels` are a table of words to
    whole numbers, `texts` of words to texts, `lists` of words to lists of words; `rows` a list of tables with the keys
    `rows`; `raw` is anything else, written as in the file.
    """

    key: str
    kind: str
    required: bool = False
    low: float | None = None
    high: float | None = None
    among: tuple[str, ...] = ()
    section: str = ""
    rows: tuple["Shape", ...] = ()


def shapes_of(section: Section) -> tuple[Shape, ...]:
    """The shapes of a section's keys, in the order of the file."""
    return _shapes(section.fields, section.event)


def _shapes(fields: tuple[Field, ...], cls: type[Struct]) -> tuple[Shape, ...]:
    hints = get_type_hints(cls)
    return tuple(_shape(field, hints[field.attribute]) for field in fields)


def _shape(field: Field, hint: Any) -> Shape:  # noqa: ANN401 - an annotation is anything
    hint = _plain(hint)
    known = field.read if isinstance(field.read, Within) else Within(field.read)
    kind, section = field.kind or _kind(field, hint), _section(field)
    rows: tuple[Shape, ...] = ()
    if kind == "text" and section:
        kind = "one_of_ids"
    elif known.among:
        kind = "choice"
    elif kind == "rows":
        rows = _shapes(_keys(field), get_args(hint)[0])
    return Shape(
        key=field.key,
        kind=kind,
        required=field.required,
        low=known.low,
        high=known.high,
        among=known.among,
        section=section if kind in ("one_of_ids", "words") else "",
        rows=rows,
    )


def _kind(field: Field, hint: Any) -> str:  # noqa: ANN401 - an annotation is anything
    arguments = get_args(hint)
    if hint is bool:
        return "flag"
    if hint in (int, float) or getattr(hint, "__supertype__", None) is int:
        return "seconds" if field.key.endswith("_s") else "whole"
    if hint is str:
        return "text"
    if get_origin(hint) is dict and arguments[0] is str and arguments[1] in (int, str):
        return "levels" if arguments[1] is int else "texts"
    if get_origin(hint) is tuple:
        if arguments[0] is str:
            return "words"
        if _keys(field) and isinstance(arguments[0], type) and issubclass(arguments[0], Struct):
            return "rows"
    return "raw"


def _keys(field: Field) -> tuple[Field, ...]:
    """The keys of each table, where the value is a list of tables."""
    return field.write.keys if isinstance(field.write, Written) else ()


def _plain(hint: Any) -> Any:  # noqa: ANN401 - an annotation is anything
    """Without what says no more than that it is personal or may be missing."""
    if get_origin(hint) is Annotated:
        return _plain(get_args(hint)[0])
    if get_origin(hint) in (UnionType, Union):
        left = [each for each in get_args(hint) if each is not type(None)]
        return _plain(left[0]) if len(left) == 1 else hint
    return hint


def _section(field: Field) -> str:
    """The section whose ids the value names: by the house's habit the key or the attribute is called after it."""
    kinds = {section.kind for section in SECTIONS}
    for name in (field.key, field.attribute.removesuffix("_id"), field.key.removesuffix("s")):
        if name in kinds:
            return name
    return ""
