"""What a re-drive of a window rests on: the lines of its tape, and what of the log has to be folded before them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from orchestrator.domain.kernel import LIVE_KINDS, SECOND, Instant, Record
from orchestrator.domain.routing import admission
from orchestrator.redrive.drive import WARM
from orchestrator.replay.snapshots import stood_at
from orchestrator.service.planning import SECTION_OF
from orchestrator.store import Log
from orchestrator.tape import Hole, Recorded, read
from orchestrator.tape.form import Sealer, read_header

# The configuration and the blacklist. Customers, orders and users are no part of any decision of the runner, and stay.
CONFIGURATION: Final = tuple(sorted({*SECTION_OF, *admission.KINDS, "config"}))
KINDS: Final = (*sorted(LIVE_KINDS), *CONFIGURATION)
# A log of up to so many events is folded whole; of a longer one what is still going on and the last day.
MOST_WHOLE: Final = 300_000
DAY: Final = 24 * 3600 * SECOND
_HEADER: Final = 64 * 1024
_NEVER: Final = Instant(1 << 62)
_BEGUN: Final = ("ContactArrived", "ContactDialled", "AgentSignedIn", "NodeConnected")
_ENDED: Final = ("ContactEnded", "AgentSignedOut")


def taped(paths: Sequence[Path], vault: Sealer, since: Instant, until: Instant) -> Iterator[Recorded | Hole]:
    """The tape's lines from a minute (`WARM`) before `since` to `until`, and the holes between them. So is the one
    before the first line, which may reach into the window.
    """
    begun = False
    before: Hole | None = None
    for item in read(_from(paths, since), vault):
        if isinstance(item, Hole):
            if begun:
                yield item
            before = item
        elif item.at > until:
            break
        elif item.at >= since - WARM:
            if not begun and before is not None:
                yield before
            begun = True
            yield item
        else:
            before = None
    if not begun and before is not None:
        yield before


def rests_on(log: Log, since: Instant, until: Instant) -> tuple[list[Record], bool]:
    """The records up to `until`, in order, that decisions between the two instants rest on; and whether that is all of
    the log, or of a long one what was still going on and the day before.
    """
    last = stood_at(log, until)
    first = stood_at(log, Instant(max(0, since - WARM)))
    if first <= MOST_WHOLE:
        return list(log.history(until=last, kinds=KINDS)), True
    recent = stood_at(log, Instant(since - WARM - DAY))
    going_on = log.open_streams(_BEGUN, _ENDED, recent)
    found = list(log.history(until=recent, kinds=CONFIGURATION))
    found += (record for record in log.streams(going_on, recent))
    found.sort(key=lambda record: record.position)
    return [*found, *log.history(after=recent, until=last, kinds=KINDS)], False


def begun(paths: Sequence[Path]) -> Instant | None:
    """An instant before all lines of these segments; None where there is none that says when it was begun."""
    found = min((at for at in map(_began, paths) if at != _NEVER), default=None)
    # A segment is begun a moment after its first line came.
    return None if found is None else Instant(found - WARM)


def _from(paths: Iterable[Path], since: Instant) -> list[Path]:
    """The segments from the one on in which this instant, and a minute before it, may be."""
    found: list[Path] = []
    for path in paths:
        if found and _began(path) <= since - WARM:
            found.clear()
        found.append(path)
    return found


def _began(path: Path) -> Instant:
    """When this segment was begun; never where it cannot be told, so that it is read."""
    try:
        with path.open("rb") as file:
            return read_header(file.read(_HEADER))[0].began
    except (OSError, ValueError):
        return _NEVER
