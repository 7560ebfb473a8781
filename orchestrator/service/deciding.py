"""Load a desk stream, decide, append at the expected version; again where somebody was faster; once for each key."""

import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import Event, Instant, Provenance, Record, Refused, derived_id, ident_of
from orchestrator.store import DeskWriter, Log, VersionConflict

_TRIES: Final = 8
# Ids are ours: UUIDs, or such as a configuration has. What else comes as one came from outside, and names no stream.
_ID: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")


class Who(Struct, frozen=True, kw_only=True):
    """Who wants it: `agent:lin-mei`, `user:ann`, `token:…`; with which roles; under which trace."""

    actor: str
    roles: tuple[str, ...] = ()
    trace: str = ""


class Written(Struct, frozen=True, kw_only=True):
    """What a write came to. A reader that has come to `position` sees it."""

    ident: str
    """The id of the stream: of the order, the customer, the contact."""
    position: int
    version: int
    changed: bool
    """False where it was so already, or where the same key had done it before."""


Decide = Callable[[Sequence[Record]], tuple[Event, ...]]
"""The stream so far, and what follows."""
About = Callable[[Sequence[Record], tuple[Event, ...]], str]
"""The stream so far and what follows, and the stream of what it is about (`Provenance.correlation`)."""
Beside = Callable[[tuple[Event, ...]], Mapping[str, Event]]
"""What follows, and which new streams begin with it."""


class Desk:
    """What services write through. Thread-safe."""

    def __init__(self, desk: DeskWriter, log: Log) -> None:
        self.log = log
        self.writer = desk

    def write(
        self,
        name: str,
        decide: Decide,
        *,
        who: Who,
        key: str = "",
        sole: tuple[str, str] | None = None,
        about: About | None = None,
        beside: Beside | None = None,
    ) -> Written:
        """Append what `decide` says to the stream of this name.

        `key`: whatever it decides, the same actor with the same key writes to this stream once only. `sole`: as in
        `DeskWriter.append_desk`. `about`: the stream that ties these events to others, by default their own. `beside`:
        streams that begin in the same transaction, each with its one event. Raises what `decide` raises, `Refused`
        (`bad_key`, `busy`), `AlreadyHeld`, `Away`, and `Unsure` where the database went away in the middle: with a key,
        a repeat is safe.
        """
        if key and not _KEY.fullmatch(key):
            raise Refused("bad_key", "An idempotency key has 1 to 200 visible ASCII characters.")
        command = derived_id(name, who.actor, key) if key else str(uuid.uuid4())
        for left in reversed(range(_TRIES)):
            before = list(self.log.stream(name))
            if done := [record for record in before if record.about.causation == command]:
                return _written(done[-1], changed=False)
            events = decide(before)
            if not events:
                return _written(before[-1], changed=False) if before else _nothing(name)
            tie = about(before, events) if about is not None else name
            records = _records(name, len(before), events, command, who, tie or name)
            last = records[-1]
            for other, event in beside(events).items() if beside is not None else ():
                records += _records(other, 0, (event,), command, who, tie or name)
            try:
                position = self.writer.append_desk(records, sole=sole)
            except VersionConflict:
                if not left:
                    raise Refused("busy", "Others change this at the same moment; try again.") from None
                continue
            return Written(ident=ident_of(name), position=position, version=last.version, changed=True)
        raise AssertionError("the last try returns or raises")


def checked_id(ident: str, kind: str) -> str:
    """The id, if it can be one of ours; raises `Refused` (`no_such_<kind>`)."""
    if not _ID.fullmatch(ident):
        raise Refused(f"no_such_{kind}", f"There is no such {kind}.")
    return ident


def _records(name: str, version: int, events: Sequence[Event], command: str, who: Who, tie: str) -> list[Record]:
    about = Provenance(
        at=Instant(time.time_ns() // 1000),
        actor=who.actor,
        origin="command",
        causation=command,
        correlation=tie,
        trace=who.trace,
    )
    return [
        Record(
            stream=name,
            version=version + place,
            event=event,
            event_id=derived_id(name, command, place),
            about=about,
        )
        for place, event in enumerate(events, 1)
    ]


def _written(last: Record, *, changed: bool) -> Written:
    return Written(ident=ident_of(last.stream), position=last.position, version=last.version, changed=changed)


def _nothing(name: str) -> Written:
    return Written(ident=ident_of(name), position=0, version=0, changed=False)
