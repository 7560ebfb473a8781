"""The keys of the site's file: how each is read into an event, checked, and written back.

Seconds in the file, milliseconds in the events.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct

from orchestrator.domain.contacts.names import clean_dialled
from orchestrator.domain.kernel import Event
from orchestrator.domain.routing.entries import DEFAULT, EntryPointConfigured, EntryPointRemoved
from orchestrator.domain.routing.queues import QueueConfigured, QueueRemoved
from orchestrator.domain.routing.rules import RULES
from orchestrator.domain.staff.agents import AgentConfigured, AgentRemoved

# Levels of skills, of agents and asked for by queues.
LEVELS: Final = (1, 9)
_NAME_LENGTH: Final = 80
_MOST_NUMBERS: Final = 1_000

# Ids become stream names for ever; words become parts of commands to the switch: both keep to what nothing misreads.
ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_EXTENSION: Final = re.compile(r"[A-Za-z0-9]{1,20}")

Read = Callable[[Any], Any]
"""The value for the event; raises `Unfit`."""


class Unfit(Exception):
    """A value that a key cannot have; the message says what to write instead."""


class Field(Struct, frozen=True):
    """One key: its name in the file and in the event."""

    key: str
    attribute: str
    read: Read
    required: bool = False
    write: Callable[[Any], Any] = lambda value: value


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


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Unfit("write a text that is not empty, in quotes")
    if len(value) > _NAME_LENGTH or any(unicodedata.category(c)[0] == "C" for c in value):
        raise Unfit(f"write up to {_NAME_LENGTH} characters without line breaks or control characters")
    return value.strip()


def _matching(pattern: re.Pattern[str], what: str) -> Read:
    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Unfit(f"write {what}, in quotes")
        return value

    return read


_word = _matching(_WORD, "a word of up to 40 letters a-z, digits, - and _")
_extension = _matching(_EXTENSION, "up to 20 letters a-z and digits")


def _whole(low: int, high: int) -> Read:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Unfit(f"write a whole number from {low} to {high}")
        return value

    return read


def _seconds(low: float, high: float) -> Read:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise Unfit(f"write seconds from {low:g} to {high:g}")
        return round(value * 1000)

    return read


def _from_ms(value: int) -> int | float:
    return value // 1000 if value % 1000 == 0 else value / 1000


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unfit("write true or false, without quotes")
    return value


def _rule(value: object) -> str:
    if not isinstance(value, str) or value not in RULES:
        raise Unfit(f"{value!r} is no rule; {near(str(value), RULES)}")
    return value


def _numbers(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_NUMBERS:
        raise Unfit(f'write a list of 1 to {_MOST_NUMBERS} numbers, such as ["4008001001"]')
    for number in value:
        if number != DEFAULT and (not isinstance(number, str) or not number or clean_dialled(number) != number):
            raise Unfit(
                f'{number!r} cannot be dialled; write digits in quotes, such as "4008001001", or "{DEFAULT}" for every '
                "number that no other entry point has"
            )
    return tuple(value)


def _skills(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise Unfit("write skills with levels, such as { sales = 5, english = 3 }")
    level = _whole(*LEVELS)
    return {_word(skill): level(given) for skill, given in sorted(value.items())}


QUEUE: Final = Section(
    "queue",
    QueueConfigured,
    QueueRemoved,
    (
        Field("name", "name", _text, required=True),
        Field("skill", "skill", _word, required=True),
        Field("min_level", "min_level", _whole(*LEVELS)),
        Field("priority", "priority", _whole(0, 1_000)),
        Field("rule", "rule", _rule),
        Field("ring_s", "ring_ms", _seconds(1, 300), write=_from_ms),
        Field("ring_at_once", "ring_at_once", _whole(1, 20)),
        Field("wrap_up_s", "wrap_up_ms", _seconds(0, 3_600), write=_from_ms),
        Field("cool_down_s", "cool_down_ms", _seconds(0, 3_600), write=_from_ms),
        Field("max_wait_s", "max_wait_ms", _seconds(1, 86_400), write=_from_ms),
        Field("music", "music", _word),
        Field("apology", "apology", _word),
        Field("record", "record", _flag),
    ),
)
ENTRY: Final = Section(
    "entry",
    EntryPointConfigured,
    EntryPointRemoved,
    (
        Field("name", "name", _text, required=True),
        Field("numbers", "numbers", _numbers, required=True, write=list),
        Field("queue", "queue_id", _matching(ID, "the id of a queue"), required=True),
    ),
)
AGENT: Final = Section(
    "agent",
    AgentConfigured,
    AgentRemoved,
    (
        Field("number", "number", _extension, required=True),
        Field("name", "name", _text, required=True),
        Field("extension", "extension", _extension, required=True),
        Field("skills", "skills", _skills, required=True),
    ),
)
SECTIONS: Final = (QUEUE, ENTRY, AGENT)
