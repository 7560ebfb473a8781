"""What leaves the house of a person: nothing of one who was erased, and pseudonyms where they are asked for.

The key of an erased person is gone, so the log says `‹erased›`; the tape was sealed under a key of its own and still
knows. In a bundle it does not: what came of their legs, and what was asked for about them, loses its personal text.

A pseudonym is the same wherever the same text stands, in log and tape, and nobody can turn it back: the key is thrown
away with the veil. Of a number the subscriber's digits are others, so that it stays what it was to the rules (see
`numbers`). What the switch said is kept as we understood it (facts), not in its own words.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from orchestrator.bundle.numbers import Numbers
from orchestrator.domain.kernel import Record, UnknownEvent, ident_of, kind_of
from orchestrator.domain.personal import changed, texts_of
from orchestrator.domain.switch import contexts
from orchestrator.domain.switch.facts import LegFact, LegParked, SeenLeg, Snapshot
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.esl.events import SwitchEvent
from orchestrator.runner import Followed, phone_codes
from orchestrator.tape.form import Hole, Recorded, Told
from orchestrator.tape.reader import inputs_of
from orchestrator.vault import ERASED

_NUMBERS: Final = re.compile(r"[+*#0-9 ().-]{3,}")
# One number, and nothing beside it: the longest has so many digits.
_NUMBER: Final = re.compile(r"\+?[0-9 ().-]+")
_LONGEST: Final = 15
_GROUP: Final = re.compile(r"[0-9]+")
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")
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
    """Applied to what goes into a bundle. `records`: the configuration, with everything else or without it."""

    def __init__(self, erased: Erased, records: Iterable[Record] = (), *, pseudonymous: bool) -> None:
        self._erased = erased
        self._contacts = frozenset(ident_of(name) for name in erased.streams if kind_of(name) == "contact")
        self._pseudonymous = pseudonymous
        self._key = secrets.token_bytes(32)
        self._numbers = Numbers(records, lambda text: int(self._digest(text), 16))

    def record(self, record: Record) -> Record:
        """A record of the log; of a person who was erased it says so already."""
        if not self._pseudonymous or isinstance(record.event, UnknownEvent):
            return record
        return replace(record, event=self._numbers.event(changed(record.event, self.text)))

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
        if not _NUMBERS.fullmatch(text):
            # Letters alone, for a text that has a digit may be a number to the rules; one that had one has one.
            return f"p-{self._digest(text)[:8].translate(_LETTERS)}{'0' * any(map(str.isdigit, text))}"
        if _NUMBER.fullmatch(text) and sum(map(str.isdigit, text)) <= _LONGEST:
            return self._numbers.text(text)
        made = (self._grouped(text, turn) for turn in count())
        return next(each for each in made if phone_codes.read(each) is None)

    # --- the tape ----------------------------------------------------------------------------------------------------
    def _input(self, line: Recorded) -> Iterator[Recorded]:
        understood = [Recorded(given.id, given.at, "", given.body) for given in inputs_of(line)]
        raw = line.body
        theirs = isinstance(raw, SwitchEvent) and not self._erased.legs.isdisjoint((raw.leg, raw.other))
        if not self._pseudonymous and not theirs and not any(map(self._is_veiled, understood)):
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

    def _is_veiled(self, line: Recorded) -> bool:
        """Whether there is something in this input that does not leave the house, sealed or not."""
        body = line.body
        legs = body.legs if isinstance(body, Snapshot) else (body,) if isinstance(body, LegParked) else ()
        return self._concerns(line) or any(_past_the_desk(leg) and self._is_somebody(leg) for leg in legs)

    def _seen(self, leg: SeenLeg) -> SeenLeg:
        return self._struct(leg, erased=leg.leg in self._erased.legs)

    def _instruction(self, told: Instruction) -> Instruction:
        return self._struct(told, erased=told.contact in self._contacts or told.leg in self._erased.legs)

    def _struct(self, body: _S, *, erased: bool) -> _S:
        how: Callable[[str], str] | None = _erase if erased else self.text if self._pseudonymous else None
        if isinstance(body, LegParked | SeenLeg) and self._is_somebody(body) and (how or _past_the_desk(body)):
            # Who that is no event says, and so nobody knows whether they were erased.
            body = replace(body, dialled=(how or _erase)(body.dialled))
        return body if how is None else changed(body, how)

    def _is_somebody(self, leg: LegParked | SeenLeg) -> bool:
        """Whether what was dialled is whoever was called: of a leg that we made, or that a phone of ours has."""
        if leg.inbound and leg.context == contexts.INBOUND:
            return False
        dialled = leg.dialled
        return bool(dialled) and phone_codes.read(dialled) is None and not self._numbers.is_of_the_house(dialled)

    # --- pseudonyms --------------------------------------------------------------------------------------------------
    def _grouped(self, text: str, turn: int) -> str:
        """As many other digits in each group. What a phone dialled is no code by chance: that would be a wish."""

        def digits(group: re.Match[str]) -> str:
            many = len(group[0])
            return f"{int(self._digest(f'{group[0]} {turn}'), 16) % 10**many:0{many}}"

        return _GROUP.sub(digits, text)

    def _digest(self, text: str) -> str:
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._key, digest_size=16).hexdigest()


def _past_the_desk(leg: LegParked | SeenLeg) -> bool:
    """Whether an agent's phone has called somebody by itself."""
    return leg.inbound and leg.context == contexts.AGENTS


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
