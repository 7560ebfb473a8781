"""Overflow: where somebody goes who cannot wait in a queue, or has waited there for too long. Pure.

A queue's list is read from its beginning; the first row that holds and leads somewhere is taken.

| when     | holds                                                     | without a row                      |
|----------|-----------------------------------------------------------|------------------------------------|
| `closed` | on arrival: the queue's calendar is closed                | apology `closed`                   |
| `length` | on arrival: so many (`over`) wait there already           | at `most_waiting`: `queue_full`    |
| `nobody` | on arrival, and when the last one signs out: nobody could | waits on                           |
| `wait`   | after so long in this queue (`after_ms`)                  | waits on, up to the longest wait   |

Nobody comes back to a queue, takes more than `MOST_HOPS` hops, or is sent from a wait to a place that takes nobody.
The last resort is a spoken apology: nobody is left without a way out.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from orchestrator.domain.contacts.events import Hop
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing.entries import EntryPoint
from orchestrator.domain.routing.queues import APOLOGY, Queue, Spill

WHENS: Final = ("wait", "length", "closed", "nobody")
MOST_HOPS: Final = 5

QUEUE: Final = "queue"
ENTRY: Final = "entry"
APOLOGISE: Final = "apology"
CALLBACK: Final = "callback"
OUTSIDE: Final = "outside"

# What a caller hears, where nothing else was configured, and why the contact is turned away.
PROMPTS: Final = {"closed": "closed", "length": "queue_full", "nobody": APOLOGY, "wait": APOLOGY}
REASONS: Final = {"closed": "closed", "length": "queue_full", "nobody": "nobody_signed_in", "wait": "no_agent_in_time"}
NO_ENTRY_POINT: Final = "no_entry_point"


class Target(Struct, frozen=True):
    """Where somebody is sent: `queue:sales` is kind `queue` and name `sales`."""

    kind: str
    name: str = ""


def target(text: str) -> Target:
    """The target that a text of the configuration names."""
    kind, _, name = text.partition(":")
    return Target(kind, name)


class Sight(Struct, frozen=True):
    """What a queue is like at this moment."""

    queue: Queue
    closed: bool
    waiting: int
    nobody: bool
    """Whether nobody is signed in who could serve it."""


class House(Struct, frozen=True):
    """How to look at what is there."""

    queue: Callable[[str], Sight | None]
    entry: Callable[[str], EntryPoint | None]
    open: Callable[[str], bool]
    """Whether this calendar is open."""
    call: Callable[[Target], bool] = lambda _target: False
    """Whether the caller may be called back, or this number be called for them."""


class Settled(Struct, frozen=True):
    """Where somebody ends up: in a queue, or at another target. `entry_id` where another entry point took the call."""

    target: Target
    hops: tuple[Hop, ...]
    entry_id: str = ""
    why: str = ""
    """Where it is no queue: which of the reasons sent the caller there."""
    last_resort: bool = False
    """An apology that nobody configured."""


def settle(start: Target, hops: tuple[Hop, ...], house: House, why: str = "") -> Settled:
    """Follow a target to where it takes the caller, who has come by `hops`."""
    return _settle(start, hops, house, why, "", ())


def _settle(
    start: Target, hops: tuple[Hop, ...], house: House, why: str, entry_id: str, entered: tuple[str, ...]
) -> Settled:
    match start.kind:
        case "queue":
            return _enter(start, hops, house, why, entry_id, entered)
        case "entry" if start.name not in entered:
            entry = house.entry(start.name)
            if entry is not None:
                return enter(entry, hops, house, why, (*entered, start.name))
        case "entry":
            pass
        case "callback" | "outside" if not house.call(start):
            pass
        case _:
            return Settled(start, hops, entry_id, why)
    return _sorry(hops, entry_id, why or NO_ENTRY_POINT)


def enter(
    entry: EntryPoint, hops: tuple[Hop, ...], house: House, why: str = "", entered: tuple[str, ...] = ()
) -> Settled:
    """Follow an entry point to where it takes the caller."""
    settings = entry.settings
    entered = entered or (entry.entry_id,)
    if settings.hours and not house.open(settings.hours):
        away = target(settings.closed)
        if hops and away.kind == APOLOGISE:
            return _sorry(hops, entry.entry_id, "closed")
        if away.kind in (CALLBACK, OUTSIDE):
            # Who is called back, or waits for a number outside, has a place in the queue that is closed to others.
            hops = (*hops, Hop(queue_id=settings.queue_id, when="closed"))
        return _settle(away, hops, house, "closed", entry.entry_id, entered)
    return _settle(Target(QUEUE, settings.queue_id), hops, house, why, entry.entry_id, entered)


def _enter(
    start: Target, hops: tuple[Hop, ...], house: House, why: str, entry_id: str, entered: tuple[str, ...]
) -> Settled:
    sight = house.queue(start.name)
    if sight is None or not sight.queue.open or any(hop.queue_id == start.name for hop in hops):
        return _sorry(hops, entry_id, why or NO_ENTRY_POINT)
    settings = sight.queue.settings
    for row in settings.overflow:
        if _holds_on_arrival(row, sight):
            found = _spill(row, start.name, hops, house, entry_id, entered)
            if found is not None:
                return found
    if sight.closed:
        return _sorry((*hops, Hop(queue_id=start.name, when="closed")), entry_id, "closed")
    if settings.most_waiting and sight.waiting >= settings.most_waiting:
        return _sorry((*hops, Hop(queue_id=start.name, when="length")), entry_id, "length")
    return Settled(start, hops, entry_id)


def _holds_on_arrival(row: Spill, sight: Sight) -> bool:
    match row.when:
        case "closed":
            return sight.closed
        case "length":
            return sight.waiting >= row.over
        case "nobody":
            return sight.nobody
    return False


def _spill(
    row: Spill, queue_id: str, hops: tuple[Hop, ...], house: House, entry_id: str, entered: tuple[str, ...]
) -> Settled | None:
    """Where this row leads; None where it leads nowhere."""
    if len(hops) >= MOST_HOPS:
        return None
    further = (*hops, Hop(queue_id=queue_id, when=row.when))
    found = _settle(target(row.to), further, house, row.when, entry_id, entered)
    return None if found.last_resort else found


def _sorry(hops: tuple[Hop, ...], entry_id: str, why: str) -> Settled:
    return Settled(Target(APOLOGISE, PROMPTS.get(why, why)), hops, entry_id, why, last_resort=True)


# --- somebody who waits ---------------------------------------------------------------------------------------------


def leave(queue: Queue, waited_ms: int, hops: tuple[Hop, ...], house: House, *, nobody: bool) -> Settled | None:
    """Where somebody goes who has waited so long in this queue, or whom nobody could serve now; None: they stay."""
    for row in queue.settings.overflow:
        due = (row.when == "wait" and waited_ms >= row.after_ms) or (row.when == "nobody" and nobody)
        if due and (found := _spill(row, queue.queue_id, hops, house, "", ())) is not None:
            return found
    return None


def next_look(rows: tuple[Spill, ...], queued_at: Instant, now: Instant) -> Instant:
    """When a row may send somebody on who was queued at this instant; 0 where none will."""
    dues = [queued_at + row.after_ms * MILLISECOND for row in rows if row.when == "wait"]
    return Instant(min((due for due in dues if due > now), default=0))
