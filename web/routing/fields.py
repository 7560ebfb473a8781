"""The keys of one thing as inputs of a form, and what was typed into them as the site's file would have it.

What cannot be read is kept as the text that was typed: the file's own reader then says what is wrong with it, at its
key, and the text stands in the input still.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from flask_babel import gettext as _
from msgspec import Struct

from orchestrator.service import site_text
from orchestrator.service.site_shapes import Shape
from web.routing.labels import key_name
from web.words import code
from web.words.codes import rule

FIELD: Final = "f."
DROP: Final = "-drop"
# Empty lines to add to, in a table of levels and in a list of tables.
SPARE: Final = 2
_MOST_ROWS: Final = 80
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,12}")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,6})?")

# Tables of words to something, and what that is.
_TABLES: Final = {"levels": "whole", "texts": "text", "lists": "words"}

Table = dict[str, Any]


class Option(Struct, frozen=True):
    """One choice of a list."""

    value: str
    label: str


class Input(Struct, frozen=True):
    """One input: its name in the form, what stands in it, what may be chosen."""

    name: str
    shape: Shape
    label: str
    text: str
    options: Sequence[Option] = ()


class Shown(Struct, frozen=True):
    """One key on the page. `pairs`: a table's names and values; `rows`: a list of tables, each a row of inputs."""

    input: Input
    hint: str
    problem: str = ""
    pairs: Sequence[tuple[Input, Input]] = ()
    rows: Sequence[Sequence[Input]] = ()
    changed: bool = False


# --- onto the page ---------------------------------------------------------------------------------------------------
def shown(
    shapes: Sequence[Shape],
    table: Table,
    in_force: Table | None,
    problems: Mapping[str, str],
    options: Mapping[str, Sequence[Option]],
) -> list[Shown]:
    """The keys of a thing with what stands in them. `options`: the ids of each section that may be chosen."""
    found = []
    for shape in shapes:
        value = table.get(shape.key)
        changed = in_force is not None and shape.key in table and in_force.get(shape.key) != value
        found.append(_one(shape, value, problems.get(shape.key, ""), options, changed=changed))
    return found


def _one(shape: Shape, value: object, problem: str, options: Mapping[str, Sequence[Option]], *, changed: bool) -> Shown:
    name = FIELD + shape.key
    plain = Input(name, shape, key_name(shape.key), to_text(shape, value), _options(shape, value, options))
    pairs: tuple[tuple[Input, Input], ...] = ()
    rows: tuple[list[Input], ...] = ()
    if shape.kind in _TABLES and (value is None or isinstance(value, dict)):
        pairs = tuple(_pairs(name, shape, value or {}))
    elif shape.kind == "rows" and (value is None or _is_rows(value)):
        rows = tuple(_rows(name, shape, value or [], options))  # type: ignore[arg-type]  # a list of tables by now
    return Shown(plain, _hint(shape), problem, pairs, rows, changed)


def _pairs(name: str, shape: Shape, table: Mapping[str, object]) -> Iterator[tuple[Input, Input]]:
    word = Shape(key="word", kind="text")
    value = Shape(key="level", kind=_TABLES[shape.kind])
    lines = [*table.items(), *[("", None)] * SPARE]
    for place, (key, each) in enumerate(lines):
        yield (
            Input(f"{name}.{place}.key", word, _("Name %(place)s", place=place + 1), key),
            Input(
                f"{name}.{place}.value",
                value,
                _("Value %(place)s", place=place + 1),
                ", ".join(to_text(value, each).split("\n")),
            ),
        )


def _rows(
    name: str, shape: Shape, rows: Sequence[Table], options: Mapping[str, Sequence[Option]]
) -> Iterator[list[Input]]:
    for place, row in enumerate([*rows, *[{}] * SPARE]):
        yield [
            Input(
                f"{name}.{place}.{column.key}",
                column,
                f"{key_name(column.key)} {place + 1}",
                to_text(column, row.get(column.key)),
                _options(column, row.get(column.key), options),
            )
            for column in shape.rows
        ]


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _options(shape: Shape, value: object, options: Mapping[str, Sequence[Option]]) -> Sequence[Option]:
    """What may be chosen, with what stands there though it may not."""
    match shape.kind:
        case "choice":
            words = rule if shape.key == "rule" else code
            found = [Option(each, words(each)) for each in shape.among]
        case "one_of_ids":
            instead = [Option(each, code(each)) for each in shape.among]
            found = [*instead, *options.get(shape.section, ())]
        case "flag":
            found = [Option("true", _("yes")), Option("false", _("no"))]
        case _:
            return ()
    text = to_text(shape, value)
    if text and all(option.value != text for option in found):
        found.append(Option(text, text))
    return found


def _hint(shape: Shape) -> str:
    if shape.low is not None and shape.high is not None:
        limits = str(_("%(low)s to %(high)s", low=f"{shape.low:g}", high=f"{shape.high:g}"))
        return str(_("%(limits)s seconds", limits=limits)) if shape.kind == "seconds" else limits
    words = {"seconds": _("seconds"), "words": _("one a line"), "raw": _("as in the site’s file")}
    return str(words.get(shape.kind, ""))


def to_text(shape: Shape, value: object) -> str:
    """What stands in an input for a value; as typed, where it could not be read."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list() if shape.kind == "words" and all(isinstance(each, str) for each in value):
            return "\n".join(value)
    return site_text.lines(value)


# --- off the page ----------------------------------------------------------------------------------------------------
def typed(shapes: Sequence[Shape], form: Mapping[str, str]) -> Table:
    """The table that a form describes. A key whose input is empty is left out: it is then as usual."""
    found = {}
    for shape in shapes:
        value = _typed(shape, form)
        if value is not None:
            found[shape.key] = value
    return found


def _typed(shape: Shape, form: Mapping[str, str]) -> object:
    name = FIELD + shape.key
    if name in form:
        return from_text(shape, form[name])
    if shape.kind in _TABLES:
        return _typed_pairs(name, shape, form)
    if shape.kind == "rows":
        rows = list(_typed_rows(name, shape, form))
        return rows if rows or shape.required else None
    return None


def _typed_pairs(name: str, shape: Shape, form: Mapping[str, str]) -> object:
    value = Shape(key="level", kind=_TABLES[shape.kind])
    lines = []
    for place in _places(name, form):
        key, text = form.get(f"{name}.{place}.key", "").strip(), form.get(f"{name}.{place}.value", "").strip()
        if key or text:
            empty: object = [] if shape.kind == "lists" else None
            lines.append((key, from_text(value, text) if text else empty))
    found = dict(lines)
    if len(found) < len(lines):
        # A name that stands twice: which was meant? The text is kept, and the reader asks for a table.
        return ", ".join(f"{key} = {value}" for key, value in lines)
    return found if found or shape.required else None


def _typed_rows(name: str, shape: Shape, form: Mapping[str, str]) -> Iterator[Table]:
    for place in _places(name, form):
        if f"{name}.{place}.{DROP}" in form:
            continue
        row = {}
        for column in shape.rows:
            value = from_text(column, form.get(f"{name}.{place}.{column.key}", ""))
            if value is not None:
                row[column.key] = value
        if row:
            yield row


def _places(name: str, form: Mapping[str, str]) -> list[int]:
    places = {each[len(name) + 1 :].partition(".")[0] for each in form if each.startswith(f"{name}.")}
    return sorted(int(place) for place in places if place.isascii() and place.isdecimal() and int(place) < _MOST_ROWS)


def from_text(shape: Shape, text: str) -> object:
    """The value that a text means; the text itself where it means none, None where there is no text."""
    text = text.strip()
    if not text:
        return None
    match shape.kind:
        case "whole" if _WHOLE.fullmatch(text):
            return int(text)
        case "seconds" if _DECIMAL.fullmatch(text):
            return float(text) if "." in text else int(text)
        case "flag" if text in ("true", "false"):
            return text == "true"
        case "words":
            return [each for line in re.split(r"[\r\n,]+", text) if (each := line.strip())]
        case "levels" | "texts" | "lists" | "rows" | "raw":
            return _toml(text)
    return text


def _toml(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}").get("value", text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
