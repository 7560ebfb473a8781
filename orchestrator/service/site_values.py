"""Values in the site's file: how each kind is read and checked, and what keys and sections are made of."""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct

from orchestrator.domain.kernel import Event

_NAME_LENGTH: Final = 80

# Ids become stream names for ever; words become parts of commands to the switch: both keep to what nothing misreads.
ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_EXTENSION: Final = re.compile(r"[A-Za-z0-9]{1,20}")

Read = Callable[[Any], Any]
"""The value for the event; raises `Unfit`."""


class Unfit(Exception):
    """A value that a key cannot have; the message says what to write instead."""


class Within(Struct, frozen=True):
    """Reads a value that lies within limits or is one of these: what an input on a screen can say beforehand."""

    read: Read
    low: float | None = None
    high: float | None = None
    among: tuple[str, ...] = ()

    def __call__(self, value: object) -> Any:  # noqa: ANN401 - whatever the event has there
        return self.read(value)


class Field(Struct, frozen=True):
    """One key: its name in the file and in the event. `kind` is that of its value (`site_shapes.KINDS`), where neither
    its reader nor the type of the event's field tells. `by_site`: where it is left out, or empty, the site's settings
    say it, and not the event's default.
    """

    key: str
    attribute: str
    read: Read
    required: bool = False
    write: Callable[[Any], Any] = lambda value: value
    kind: str = ""
    by_site: bool = False


class Section(Struct, frozen=True):
    """One kind of thing in the file, `[queue.sales]`: the id follows the kind."""

    kind: str
    """The section's name and the kind of its streams."""
    event: type[Event]
    removed: type[Event]
    fields: tuple[Field, ...]

    def key(self, attribute: str) -> Field:
        """The key that stands for an attribute of the event."""
        return next(field for field in self.fields if field.attribute == attribute)


def near(name: str, known: Iterable[str]) -> str:
    """What may have been meant, as the end of a sentence."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are {', '.join(known)}." if known else "there is none."


def text(value: object) -> str:
    """A name: one line that is not empty. Raises `Unfit`, as all of these do."""
    if not isinstance(value, str) or not value.strip():
        raise Unfit("write a text that is not empty, in quotes")
    if len(value) > _NAME_LENGTH or any(unicodedata.category(c)[0] == "C" for c in value):
        raise Unfit(f"write up to {_NAME_LENGTH} characters without line breaks or control characters")
    return value.strip()


def matching(pattern: re.Pattern[str], what: str) -> Read:
    """A text of this form."""

    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Unfit(f"write {what}, in quotes")
        return value

    return read


word = matching(_WORD, "a word of up to 40 letters a-z, digits, - and _")
extension = matching(_EXTENSION, "up to 20 letters a-z and digits")


def whole(low: int, high: int) -> Read:
    """A whole number within limits, which belong to it."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Unfit(f"write a whole number from {low} to {high}")
        return value

    return Within(read, low, high)


def seconds(low: float, high: float) -> Read:
    """Seconds within limits, as milliseconds."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise Unfit(f"write seconds from {low:g} to {high:g}")
        return round(value * 1000)

    return Within(read, low, high)


def one_of(known: Iterable[str]) -> Read:
    """One of these words."""
    known = tuple(known)

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise Unfit(f"{value!r} is none of these; {near(str(value), known)}")
        return value

    return Within(read, among=known)


def from_ms(value: int) -> int | float:
    """Milliseconds as seconds, without a point where none is needed."""
    return value // 1000 if value % 1000 == 0 else value / 1000


def flag(value: object) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise Unfit("write true or false, without quotes")
    return value
