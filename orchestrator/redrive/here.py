"""This installation's own tape and log, opened for a re-drive."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from orchestrator import cluster
from orchestrator.domain.kernel import Instant, Record, Refused
from orchestrator.redrive.compared import Report
from orchestrator.redrive.drive import redrive
from orchestrator.redrive.gathered import rests_on, taped
from orchestrator.settings import Settings
from orchestrator.store import DeskWriter, KeyShelf, Log, Source
from orchestrator.tape import segments
from orchestrator.vault import Vault


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
    """Re-drive this installation's own tape between two instants."""
    begins, ends = _window(home.log, since, until)
    records, whole = rests_on(home.log, begins, ends)
    lines = taped(segments(home.settings.tapes), home.vault, begins, ends)
    return Driven(redrive(lines, records, since=begins, until=ends), records, whole)


def _window(log: Log, since: Instant | None, until: Instant | None) -> tuple[Instant, Instant]:
    """The two instants, each where it was not given the end of what there is. Raises `Refused` (`bad_window`)."""
    if since is not None and until is not None and since >= until:
        raise Refused("bad_window", "The window must begin before it ends.")
    last = log.page(max(0, log.position() - 1), 1)
    # What came after the last event that is in the log now has no other side yet.
    newest = last[0].about.at if last else Instant(0)
    return since if since is not None else Instant(0), min(until, newest) if until is not None else newest
