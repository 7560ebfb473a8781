"""What leaves the house of a person: nothing of one who was erased, and pseudonyms where they are asked for.

The key of an erased person is gone, so the log says `‹erased›`; the tape was sealed under a key of its own and still
knows. In a bundle it does not: what came of their legs, and what was asked for about them, loses its personal text.

A pseudonym is the same wherever the same text stands, in log and tape, and nobody can turn it back: the key is thrown
away with the veil. Of a number the last eight digits are others, so that it stays what it was to the rules: of its
country and its area. What the switch said is kept as we understood it (facts), not in its own words.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Record, UnknownEvent, ident_of, kind_of
from orchestrator.domain.personal import changed, texts_of
from orchestrator.domain.switch.facts import LegFact, LegParked, SeenLeg, Snapshot
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.esl.events import SwitchEvent
from orchestrator.runner import Followed
from orchestrator.tape.form import Hole, Recorded, Told
from orchestrator.tape.reader import inputs_of
from orchestrator.vault import ERASED

_DIGITS: Final = 8
_NUMBER: Final = re.compile(r"[+*#0-9 ().-]{3,}")
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")
_DIGIT: Final = re.compile(r"[0-9]")
_S = TypeVar("_S", bound=Struct)


class Erased(Struct, frozen=True):
    """What of a log belongs to people who were erased."""

    streams: frozenset[str]
    legs: frozenset[str]
    causes: frozenset[str]
    """The inputs that led to what stands in their streams."""


def erased_in(records: Iterable[Record]) -> Erased:
    """Whoever was erased among these."""
    kept = list(records)
    streams = {record.stream for record in kept if any(text.text == ERASED for text in texts_of(record.event))}
    legs: set[str] = set()
    causes: set[str] = set()
    for record in kept if streams else ():
        if record.stream in streams:
            causes.add(record.about.causation)
            legs.update(_legs(msgspec.to_builtins(record.event)))
    return Erased(frozenset(streams), frozenset(legs), frozenset(causes))


class Veil:
    """Applied to what goes into a bundle."""

    def __init__(self, erased: Erased, *, pseudonymous: bool) -> None:
        self._erased = erased
        self._contacts = frozenset(ident_of(name) for name in erased.streams if kind_of(name) == "contact")
        self._pseudonymous = pseudonymous
        self._key = secrets.token_bytes(32)
        self._known: dict[str, str] = {}
        self._taken: set[str] = set()

    def record(self, record: Record) -> Record:
        """A record of the log; of a person who was erased it says so already."""
        if not self._pseudonymous or isinstance(record.event, UnknownEvent):
            return record
        return replace(record, event=changed(record.event, self.text))

    def lines(self, items: Iterable[Recorded | Hole]) -> Iterator[Recorded | Hole]:
        """The tape."""
        for item in items:
            if isinstance(item, Hole):
                yield item
            elif isinstance(item.body, Told):
                told = tuple(self._instruction(each) for each in item.body.instructions)
                yield replace(item, body=Told(told))
            else:
                yield from self._input(item)

    def text(self, text: str) -> str:
        """The pseudonym of a text."""
        if text == ERASED:
            return text
        if not _NUMBER.fullmatch(text):
            # Letters alone, for a text that has a digit may be a number to the rules; one that had one has one.
            return f"p-{self._digest(text)[:8].translate(_LETTERS)}{'0' * any(map(str.isdigit, text))}"
        digits = _DIGIT.findall(text)[-_DIGITS:]
        others = iter(self._digits("".join(digits)))
        kept = len(_DIGIT.findall(text)) - len(digits)
        seen = 0
        made = []
        for letter in text:
            if letter.isdigit():
                seen += 1
                made.append(next(others) if seen > kept else letter)
            else:
                made.append(letter)
        return "".join(made)

    # --- the tape ----------------------------------------------------------------------------------------------------
    def _input(self, line: Recorded) -> Iterator[Recorded]:
        understood = [Recorded(given.id, given.at, "", given.body) for given in inputs_of(line)]
        raw = line.body
        theirs = isinstance(raw, SwitchEvent) and not self._erased.legs.isdisjoint((raw.leg, raw.other))
        if not self._pseudonymous and not theirs and not any(self._concerns(each) for each in understood):
            yield line
            return
        for each in understood:
            body: Any = each.body
            if isinstance(body, Followed):
                if body.record.stream in self._erased.streams:
                    body = Followed(record=replace(body.record, event=changed(body.record.event, _erase)))
                yield replace(each, body=Followed(record=self.record(body.record)))
            elif isinstance(body, Snapshot):
                legs = tuple(self._seen(leg) for leg in body.legs)
                yield replace(each, body=replace(body, legs=legs))
            else:
                yield replace(each, body=self._struct(body, erased=self._concerns(each)))

    def _concerns(self, line: Recorded) -> bool:
        """Whether this input is of somebody who was erased."""
        body = line.body
        match body:
            case LegFact():
                mine = body.leg in self._erased.legs or body.contact in self._contacts
            case Snapshot():
                mine = any(leg.leg in self._erased.legs for leg in body.legs)
            case Followed(record=record):
                mine = record.stream in self._erased.streams
            case _:
                mine = getattr(body, "contact_id", "") in self._contacts
        return mine or line.id in self._erased.causes

    def _seen(self, leg: SeenLeg) -> SeenLeg:
        return self._struct(leg, erased=leg.leg in self._erased.legs)

    def _instruction(self, told: Instruction) -> Instruction:
        return self._struct(told, erased=told.contact in self._contacts or told.leg in self._erased.legs)

    def _struct(self, body: _S, *, erased: bool) -> _S:
        how: Callable[[str], str] | None = _erase if erased else self.text if self._pseudonymous else None
        if how is None:
            return body
        if isinstance(body, LegParked | SeenLeg) and not body.inbound and body.dialled:
            # Of a leg that we made this is whoever was called.
            body = replace(body, dialled=how(body.dialled))
        return changed(body, how)

    # --- pseudonyms --------------------------------------------------------------------------------------------------
    def _digits(self, digits: str) -> Sequence[str]:
        """As many other digits, the same for the same, and those of no other number."""
        if digits not in self._known:
            turn = 0
            while True:
                number = int(self._digest(f"{digits} {turn}"), 16) % 10 ** len(digits)
                made = f"{number:0{len(digits)}}" if digits else ""
                turn += 1
                if made not in self._taken or len(self._taken) >= 10 ** len(digits):
                    break
            self._known[digits] = made
            self._taken.add(made)
        return self._known[digits]

    def _digest(self, text: str) -> str:
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._key, digest_size=16).hexdigest()


def _erase(_text: str) -> str:
    return ERASED


def _legs(value: Any) -> Iterator[str]:  # noqa: ANN401 - plain data
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "leg" and isinstance(part, str) and part:
                yield part
            else:
                yield from _legs(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _legs(part)
