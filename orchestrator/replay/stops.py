"""Where a replay stops by itself: "queue > 20", "offer refused", "agent stood down", or any event by name.

    state at a position ──fold record by record──▶ the first one at which a stop comes true

A length of a queue comes true where it is passed, not while it lasts, so that going on from there goes on.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.outward import IN_TURN
from orchestrator.domain.kernel import Record, Refused, UnknownEvent
from orchestrator.domain.world import World

ANY_QUEUE: Final = "*"
UNKNOWN: Final = "unknown"
"""Stands for every event that this program does not know."""
MOST: Final = 10
_QUEUE: Final = re.compile(r"queue:([a-z0-9-]{1,64}|\*):([0-9]{1,5})")
_EVENT: Final = re.compile(r"event:([A-Za-z]{1,60})")


class QueueAbove(Struct, frozen=True):
    """More than so many wait in this queue, or in any."""

    queue_id: str
    most: int


class EventNamed(Struct, frozen=True):
    """An event of this name happens."""

    name: str


Stop = QueueAbove | EventNamed


class Found(Struct, frozen=True):
    """Where a search came to: the last position that was looked at, and which stop is true there, if any. `queue_id`:
    in which queue.
    """

    position: int
    stop: Stop | None = None
    queue_id: str = ""


def parse(texts: Iterable[str]) -> tuple[Stop, ...]:
    """Stops as addresses have them, `queue:sales:20`, `queue:*:20`, `event:OfferRejected`.

    Raises `Refused` (`bad_stop`) for what is none, with how it is written.
    """
    found: list[Stop] = []
    for text in texts:
        if queue := _QUEUE.fullmatch(text):
            found.append(QueueAbove(queue[1], int(queue[2])))
        elif (event := _EVENT.fullmatch(text)) and (event[1] in CATALOGUE or event[1] == UNKNOWN):
            found.append(EventNamed(event[1]))
        else:
            raise Refused("bad_stop", f"{text[:60]!r} is no place to stop; write queue:ID:20 or event:OfferRejected.")
    if len(found) > MOST:
        raise Refused("bad_stop", f"At most {MOST} places to stop can be looked for at a time.")
    return tuple(found)


def first(world: World, records: Iterable[Record], stops: tuple[Stop, ...], position: int) -> Found:
    """The first of these records at which a stop comes true; `world` is the state before them, at `position`, and is
    changed.
    """
    waiting = Counter(each.queue_id for each in world.contacts.values() if each.status in IN_TURN)
    for record in records:
        before, after = world.apply(record)
        position = record.position
        name = UNKNOWN if isinstance(record.event, UnknownEvent) else type(record.event).__name__
        if EventNamed(name) in stops:
            return Found(position, EventNamed(name))
        grown = _count(waiting, before, after)
        for stop in stops:
            if isinstance(stop, QueueAbove) and _is_passed(stop, grown, waiting):
                return Found(position, stop, grown)
    return Found(position)


def _is_passed(stop: QueueAbove, grown: str, waiting: Counter[str]) -> bool:
    return bool(grown) and stop.queue_id in (ANY_QUEUE, grown) and waiting[grown] == stop.most + 1


def _count(waiting: Counter[str], before: object, after: object) -> str:
    """Count this change in; the queue that grew by it, if one did."""
    was, now = (
        each.queue_id if isinstance(each, Contact) and each.status in IN_TURN else "" for each in (before, after)
    )
    if was == now:
        return ""
    if was:
        waiting[was] -= 1
    if now:
        waiting[now] += 1
    return now
