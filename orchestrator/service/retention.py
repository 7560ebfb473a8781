"""Recordings whose time is over: found in the log, deleted one by one, and what is held left alone. And before that
those that are old enough for other media, which are moved there one by one.

How long is configuration: the site's `keep_days`, and `keep_days_of` for single queues; what holds now holds for what
was recorded before. A deletion is decided on the recording's own stream, where holds stand, too: whoever was faster is
seen, and nothing is deleted that somebody has just held.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

import structlog
from msgspec import Struct

from orchestrator.domain.contacts import keeping
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.contacts.events import ContactEnded, ContactQueued, RecordingBegun
from orchestrator.domain.kernel import SECOND, Instant, Record, ident_of, kind_of
from orchestrator.domain.routing import recording
from orchestrator.service.recordings import Recordings
from orchestrator.settings import SettingsError
from orchestrator.store import Log

log = structlog.get_logger(__name__)

DAY: Final = 86_400 * SECOND


class Due(Struct, frozen=True, kw_only=True):
    """A recording whose time is over. `held`: it stays for all that."""

    file: str
    contact_id: str
    queue_id: str
    recorded_at: Instant
    days: int
    held: bool
    away: str = ""
    """The medium on which it lies, where that is not there now: it goes once that is mounted."""


class _File(Struct):
    """A recording that the log tells of."""

    contact_id: str
    queue_id: str
    at: Instant
    sealed: bool = False
    node: str = ""
    holds: int = 0
    medium: str = ""


def find(reading: Log, recordings: Recordings, now: Instant) -> list[Due]:
    """The recordings of this machine whose time is over at this instant, the oldest first. Reads the log; keeps in
    memory what is live, and a few words of each recording that is kept.
    """
    told = _told(reading)
    return sorted(told.due(recordings, now), key=lambda due: (due.recorded_at, due.file))


def retain(recordings: Recordings, found: list[Due]) -> list[Due]:
    """Delete these but those that are held; which went. Of a file that the disk does not let go the log says that it is
    deleted: `check` finds it. Raises `Away` where the database is not there: a repeat goes on where it ended;
    `SettingsError` where the folder is not the one.
    """
    return [due for due in retaining(recordings, found) if due is not None]


def retaining(recordings: Recordings, found: list[Due]) -> Iterator[Due | None]:
    """`retain`, one after another, so that something else can be done in between: each that went, None for one that did
    not. Raises as that.
    """
    recordings.insist()
    for due in found:
        if not due.held and not due.away:
            recordings.insist()
            yield due if _delete(recordings, due) else None


def find_old(reading: Log, recordings: Recordings, now: Instant, days: int | None = None) -> list[str]:
    """The recordings of this machine that are to be moved to other media, the oldest first: those that are older than
    so many days, by default the site's `archive_days`, and lie on none yet.
    """
    told = _told(reading)
    return told.old(recordings, now, told.site.archive_days if days is None else days)


class Move:
    """Recordings on their way to the medium that is filled now, as many at once as there is time for. `moved`: those
    that went.
    """

    def __init__(self, recordings: Recordings, found: list[str]) -> None:
        self._recordings = recordings
        self._waiting = deque(found)
        self.moved: list[str] = []

    @property
    def waiting(self) -> int:
        """How many were not looked at yet."""
        return len(self._waiting)

    def go_on(self, enough: Callable[[], bool]) -> bool:
        """Move one after another, until after one of them it is enough; whether any is waiting still. A medium that
        takes no more ends it: the rest goes in another night.

        Raises `SettingsError` where no medium is there, or the folder is not the one, and `Away` where the database is
        not: a repeat goes on where it ended.
        """
        while self._waiting:
            file = self._waiting[0]
            try:
                _insist(self._recordings)
                if self._recordings.archive(file):
                    self.moved.append(file)
            except OSError as error:
                log.warning("recordings-medium-refused", file=file, why=str(error))
                return False
            self._waiting.popleft()
            if enough():
                break
        return bool(self._waiting)


def archive(recordings: Recordings, found: list[str]) -> list[str]:
    """Move these, all in one go; which went. Raises as `Move.go_on`."""
    move = Move(recordings, found)
    move.go_on(lambda: False)
    return move.moved


def _insist(recordings: Recordings) -> None:
    """Raise `SettingsError` where there is nothing to move from, or to."""
    recordings.insist()
    if recordings.media.filled() is None:
        folders = ", ".join(map(str, recordings.media.folders)) or "no folder is named"
        raise SettingsError(
            f"RINGLEDGER_ARCHIVE: no medium is there ({folders}). Mount one; a new one is begun with `ringledger "
            f"recordings medium FOLDER NAME`."
        )


def _delete(recordings: Recordings, due: Due) -> bool:
    try:
        return recordings.delete(due.file, due.days)
    except OSError as error:
        log.warning("recording-not-deleted", file=due.file, why=str(error))
        return False


def _told(reading: Log) -> "_Told":
    told = _Told()
    for record in reading.history(kinds=("contact", "recording", "recordings")):
        told.note(record)
    return told


class _Told:
    """What the log says of recordings, and of how long they are kept."""

    def __init__(self) -> None:
        self.site = recording.Recordings()
        self.queues: dict[str, str] = {}
        """Of live contacts: the queue."""
        self.files: dict[str, _File] = {}

    def note(self, record: Record) -> None:
        event, ident = record.event, ident_of(record.stream)
        if kind_of(record.stream) == "recordings":
            self.site = recording.evolve(self.site, event)
            return
        match event:
            case ContactQueued() | ContactDialled():
                self.queues[ident] = event.queue_id
            case ContactEnded():
                self.queues.pop(ident, None)
            case RecordingBegun():
                self.files.setdefault(
                    event.file, _File(ident, self.queues.get(ident, ""), record.about.at, node=record.about.node)
                )
            case keeping.RecordingSealed():
                file = self.files.setdefault(event.file, _File(event.contact_id, "", record.about.at))
                file.sealed, file.node = True, event.node or file.node
            case keeping.RecordingHeld() if event.file in self.files:
                self.files[event.file].holds += 1
            case keeping.RecordingReleased() if event.file in self.files:
                self.files[event.file].holds -= 1
            case keeping.RecordingArchived() if event.file in self.files:
                self.files[event.file].medium = event.medium
            case keeping.RecordingDeleted() | keeping.RecordingDiscarded():
                self.files.pop(event.file, None)

    def due(self, recordings: Recordings, now: Instant) -> Iterator[Due]:
        for name, file in self.files.items():
            days = self.site.days_of(file.queue_id)
            if not file.sealed or not days or file.at + days * DAY > now or recordings.is_elsewhere(file.node):
                continue
            yield Due(
                file=name,
                contact_id=file.contact_id,
                queue_id=file.queue_id,
                recorded_at=file.at,
                days=days,
                held=file.holds > 0,
                away=file.medium if recordings.is_away(file.medium) else "",
            )

    def old(self, recordings: Recordings, now: Instant, days: int) -> list[str]:
        if not days:
            return []
        found = (
            (file.at, name)
            for name, file in self.files.items()
            if file.sealed
            and not file.medium
            and file.at + days * DAY <= now
            and not recordings.is_elsewhere(file.node)
        )
        return [name for _, name in sorted(found)]
