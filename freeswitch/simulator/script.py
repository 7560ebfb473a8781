"""A script of phones and callers, from JSON or TOML, played to a model.

    {"phones":  [{"extension": "1001", "behaviour": "answer", "answer_after_ms": 1500}],
     "calls":   [{"at_ms": 0, "dialled": "4001", "name": "Li Wei", "patience_ms": 60000, "talk_ms": 8000}],
     "streams": [{"per_minute": 30, "count": 0, "dialled": ["4001", "4002"], "patience_ms": [20000, 60000],
                  "talk_ms": [5000, 20000], "names": ["Li Wei", "Wang Fang"], "number_prefix": "138000"}]}

A stream's callers arrive at random (a Poisson stream) at this rate, `count` of them or, with 0, for ever. Pairs of
figures are limits between which each caller's own is drawn. All draws come from the script's seed.
"""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from freeswitch.simulator.control import made
from freeswitch.simulator.model import Model
from freeswitch.simulator.people import Caller, Phone
from freeswitch.simulator.timeline import MILLISECOND, SECOND


@dataclass(slots=True, kw_only=True)
class Stream:
    """Callers that arrive at random."""

    per_minute: float
    count: int = 0
    dialled: list[str]
    names: list[str] = field(default_factory=list)
    number_prefix: str = "1380000"
    patience_ms: list[int] = field(default_factory=list)
    talk_ms: list[int] = field(default_factory=list)
    hang_up_when: str = ""
    start_ms: int = 0

    def problem(self) -> str:
        """What is wrong with this stream, empty when nothing is."""
        if self.per_minute <= 0:
            return "per_minute must be more than 0"
        if not self.dialled:
            return "dialled needs at least one number"
        for name, limits in (("patience_ms", self.patience_ms), ("talk_ms", self.talk_ms)):
            if limits and (len(limits) != 2 or limits[0] > limits[1]):  # noqa: PLR2004 - a pair of limits
                return f"{name} needs two figures, the smaller one first"
        return ""


class Script:
    """Phones, single calls and streams of callers, and when the next of them is due."""

    def __init__(
        self,
        *,
        phones: list[Phone] | None = None,
        calls: list[tuple[int, Caller]] | None = None,
        streams: list[Stream] | None = None,
        seed: int = 0,
    ) -> None:
        self.phones = phones or []
        self.calls = sorted(calls or [], key=lambda call: call[0])
        self.streams = streams or []
        self.made = 0
        """Callers that have arrived so far."""
        self._random = Random(seed)
        self._began = 0
        self._next: list[tuple[int, Stream]] = []
        self._left: dict[int, int] = {}

    def begin(self, model: Model, now: int) -> None:
        """Register the phones; from now on callers come."""
        self._began = now
        for phone in self.phones:
            model.phone(phone, now)
        for stream in self.streams:
            if stream.count:
                self._left[id(stream)] = stream.count
            self._next.append((now + stream.start_ms * MILLISECOND + self._gap(stream), stream))

    def next_due(self) -> int | None:
        """When the next caller comes, None when there is none."""
        due = [moment for moment, _ in self._next]
        if self.calls:
            due.append(self._began + self.calls[0][0] * MILLISECOND)
        return min(due, default=None)

    def advance(self, model: Model, now: int) -> None:
        """Let everybody call who is due by now."""
        while self.calls and self._began + self.calls[0][0] * MILLISECOND <= now:
            self._arrive(model, self.calls.pop(0)[1], now)
        still: list[tuple[int, Stream]] = []
        for moment, stream in self._next:
            due: int | None = moment
            while due is not None and due <= now:
                self._arrive(model, self._caller(stream), now)
                due = self._after(stream, due)
            if due is not None:
                still.append((due, stream))
        self._next = still

    def _after(self, stream: Stream, moment: int) -> int | None:
        if stream.count:
            self._left[id(stream)] -= 1
            if self._left[id(stream)] <= 0:
                return None
        return moment + self._gap(stream)

    def _arrive(self, model: Model, caller: Caller, now: int) -> None:
        self.made += 1
        model.call(caller, now)

    def _gap(self, stream: Stream) -> int:
        return int(self._random.expovariate(stream.per_minute / 60) * SECOND)

    def _caller(self, stream: Stream) -> Caller:
        draw = self._random
        digits = max(11 - len(stream.number_prefix), 1)
        return Caller(
            dialled=draw.choice(stream.dialled),
            number=f"{stream.number_prefix}{draw.randrange(10**digits):0{digits}}",
            name=draw.choice(stream.names) if stream.names else "",
            patience_ms=draw.randint(*stream.patience_ms) if stream.patience_ms else None,
            talk_ms=draw.randint(*stream.talk_ms) if stream.talk_ms else None,
            hang_up_when=stream.hang_up_when,
        )


def load(path: Path, *, seed: int = 0) -> Script:
    """Read a script. Raises ValueError that names the file and the entry that makes no sense."""
    try:
        text = path.read_text(encoding="utf-8")
        asked: dict[str, Any] = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, json.JSONDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ValueError(f"{path}: {problem}") from problem
    try:
        return parse(asked, seed=seed)
    except ValueError as problem:
        raise ValueError(f"{path}: {problem}") from problem


def parse(asked: dict[str, Any], *, seed: int = 0) -> Script:
    """A script from its tables. Raises ValueError that names the entry that makes no sense."""
    unknown = set(asked) - {"phones", "calls", "streams"}
    if unknown:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}: use phones, calls, streams")
    phones = [_entry(Phone, entry, f"phones[{number}]") for number, entry in enumerate(asked.get("phones", []))]
    streams = [_entry(Stream, entry, f"streams[{number}]") for number, entry in enumerate(asked.get("streams", []))]
    calls = []
    for number, entry in enumerate(asked.get("calls", [])):
        rest = dict(entry)
        at = int(rest.pop("at_ms", 0))
        calls.append((at, _entry(Caller, rest, f"calls[{number}]")))
    return Script(phones=phones, calls=calls, streams=streams, seed=seed)


def _entry(kind: type[Any], entry: dict[str, Any], where: str) -> Any:  # noqa: ANN401 - of the kind asked for
    try:
        thing = made(kind, entry)
    except ValueError as problem:
        raise ValueError(f"{where}: {problem}") from problem
    wrong = thing.problem()
    if wrong:
        raise ValueError(f"{where}: {wrong}")
    return thing
