"""This installation's own tape and log, opened for a re-drive."""

import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from orchestrator import cluster
from orchestrator.domain.kernel import Instant, Record, Refused
from orchestrator.redrive.compared import Report
from orchestrator.redrive.drive import redrive
from orchestrator.redrive.gathered import begun, rests_on, taped
from orchestrator.replay.moments import local
from orchestrator.replay.snapshots import stood_at
from orchestrator.settings import Settings
from orchestrator.store import DeskWriter, KeyShelf, Log, Source
from orchestrator.tape import segments
from orchestrator.vault import Vault

# What is held in memory at once, and driven in a minute or two.
MOST_EVENTS: Final = 1_000_000


class Home(NamedTuple):
    """What there is here, with its keys."""

    settings: Settings
    log: Log
    desk: DeskWriter
    vault: Vault
    actor: str
    """Whoever runs this."""


@contextmanager
def opened(settings: Settings) -> Iterator[Home]:
    """The settings' own database and keys, while they are needed. Raises what opening them raises."""
    database = cluster.ensure_running(settings, lambda _: None)
    source = Source(database.url_writer, name="ringledger redrive")
    try:
        vault = Vault.unlock(settings.kek_file, KeyShelf(source))
        actor = f"admin:{pwd.getpwuid(os.geteuid()).pw_name}"
        yield Home(settings, Log(source, vault=vault), DeskWriter(source, vault), vault, actor)
    finally:
        source.close()
        database.stop()


class Driven(NamedTuple):
    """A re-drive, and what it rests on."""

    report: Report
    records: list[Record]
    whole: bool
    """Whether that is the log from its beginning."""


def redrive_here(home: Home, since: Instant | None, until: Instant | None) -> Driven:
    """Re-drive this installation's own tape between two instants, by default all of it.

    Raises `Refused` (`bad_window`).
    """
    paths = segments(home.settings.tapes)
    begins, ends = _window(home.log, home.settings.timezone, paths, since, until)
    records, whole = rests_on(home.log, begins, ends)
    lines = taped(paths, home.vault, begins, ends)
    return Driven(redrive(lines, records, since=begins, until=ends), records, whole)


def fits(log: Log, after: int, most: int) -> Instant:
    """The last instant up to which there are no more than so many events behind this position, where there are more."""
    beyond = log.page(after + most, 1)[0]
    return Instant(beyond.about.at - 1)


def _window(
    log: Log, zone: ZoneInfo, paths: Sequence[Path], since: Instant | None, until: Instant | None
) -> tuple[Instant, Instant]:
    if since is not None and until is not None and since >= until:
        raise Refused("bad_window", "The window must begin before it ends.")
    last = log.page(max(0, log.position() - 1), 1)
    # What came after the last event that is in the log now has no other side yet.
    newest = last[0].about.at if last else Instant(0)
    begins = since if since is not None else begun(paths) or Instant(0)
    ends = min(until, newest) if until is not None else newest
    first = stood_at(log, begins)
    count = stood_at(log, ends) - first
    if count > MOST_EVENTS:
        raise Refused(
            "bad_window",
            f"There are {count} events from {local(begins, zone)} to {local(ends, zone)}; {MOST_EVENTS} are driven at "
            f"once. Take a shorter window, for example --from {local(begins, zone)} "
            f"--to {local(fits(log, first, MOST_EVENTS), zone)}.",
        )
    return begins, ends
