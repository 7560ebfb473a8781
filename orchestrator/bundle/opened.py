"""A bundle that was opened: a log in memory and a tape, for everything that looks at the past."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.audit.report import Report as Verified
from orchestrator.audit.verify import verify
from orchestrator.bundle import parts
from orchestrator.bundle.form import BadBundle, Manifest, Unpacker, read_key
from orchestrator.domain.kernel import Instant, Record, UnknownEvent
from orchestrator.redrive import Report, redrive
from orchestrator.replay import parse_time, picture_at
from orchestrator.replay.moments import local
from orchestrator.store.filed import FiledLog
from orchestrator.tape import Hole, Recorded


class Opened:
    """What is in it. `log` reads like any other, and never asks a database."""

    def __init__(self, unpacker: Unpacker) -> None:
        self.manifest: Manifest = unpacker.manifest
        self.fingerprint = unpacker.fingerprint
        self.log = FiledLog(parts.rows(unpacker.parts("events")))
        self.tape: Sequence[Recorded | Hole] = list(parts.lines(unpacker.parts("tape")))

    @property
    def site(self) -> str:
        """Whose it is."""
        return self.manifest.site

    @property
    def timezone(self) -> ZoneInfo:
        """Whose clock the site's people read."""
        return ZoneInfo(self.manifest.timezone)

    @property
    def holes(self) -> list[Hole]:
        """Where the tape lacks something."""
        return [item for item in self.tape if isinstance(item, Hole)]

    def records(self) -> list[Record]:
        """All events, also those before the window. Raises `Corrupt`."""
        return list(self.log.history())

    def within(self) -> list[Record]:
        """The events of the window."""
        if not self.manifest.first_position:
            return []
        return list(self.log.history(after=self.manifest.first_position - 1))

    def unknown(self) -> list[Record]:
        """Events that this version does not know: kept and shown, and no part of any state."""
        return [record for record in self.log.history() if isinstance(record.event, UnknownEvent)]

    def verified(self) -> Verified | None:
        """What the events prove by themselves; None where the beginning of the log is not there."""
        return verify(self.log.history(), expect_contacts=0) if self.manifest.whole else None

    def picture(self, when: str) -> dict[str, Any]:
        """Queues, shifts and contacts at an instant that the bundle reaches. Raises `Refused`."""
        manifest, zone = self.manifest, self.timezone
        instant = parse_time(when, zone)
        first = Instant(0) if manifest.whole else manifest.begins
        if not first <= instant <= manifest.ends:
            reach = "its window, " * (not manifest.whole) + f"up to {local(manifest.ends, zone)}"
            raise BadBundle("not_there", f"The bundle knows {reach}; {local(instant, zone)} lies outside.")
        return picture_at(self.log, when, zone, now=manifest.ends)

    def redriven(self, watch: Collection[str] = ()) -> Report:
        """The tape through today's code. `watch`: inputs of which the report says whether they were compared."""
        manifest = self.manifest
        return redrive(
            self.tape, self.records(), since=manifest.begins, until=manifest.ends, blind=manifest.veiled, watch=watch
        )


@contextmanager
def opened(path: Path, key: Path | None = None) -> Iterator[Opened]:
    """The bundle in this file, every digest compared. `key`: the file with its key, by default the one beside it.

    Raises `BadBundle`: `missing`, `cut_short`, `newer`, `forged`, `too_large`, `no_key`.
    """
    unpacker = Unpacker(path)
    try:
        if unpacker.manifest.sealed:
            unpacker.unlock(read_key(key if key is not None else path.with_name(f"{path.name}.key")))
        elif key is not None:
            raise BadBundle("no_key", "The bundle is not sealed: leave --key out.")
        yield Opened(unpacker)
    finally:
        unpacker.close()
