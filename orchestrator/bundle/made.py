"""Making a bundle: log and tape of a window, veiled, driven again, told in the log, written where it was asked for."""

import os
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from orchestrator.bundle.form import FORMAT, BadBundle, Check, Manifest, Packer, write_key
from orchestrator.bundle.parts import events_parts, tape_parts
from orchestrator.bundle.veil import Veil, erased_in
from orchestrator.domain.access.bundles import BundleMade
from orchestrator.domain.kernel import Instant, Record, stream
from orchestrator.redrive import redrive
from orchestrator.redrive.gathered import rests_on, taped
from orchestrator.redrive.here import Home, fits
from orchestrator.replay.moments import local
from orchestrator.replay.snapshots import stood_at
from orchestrator.service.deciding import Desk, Who
from orchestrator.tape import Hole, Recorded, segments
from orchestrator.vault import DataKey

# What a laptop holds in memory and looks at in a breath; a busy hour of 60 calls/s is about two million.
MOST_EVENTS: Final = 500_000
MOST_LINES: Final = 2_000_000


class Window(Struct, frozen=True, kw_only=True):
    """What a bundle is made of. `records` in the order of the log, with what the window's decisions rest on."""

    site: str
    zone: ZoneInfo
    begins: Instant
    ends: Instant
    records: Sequence[Record]
    whole: bool
    items: Sequence[Recorded | Hole]


class Made(Struct, frozen=True, kw_only=True):
    """What was written."""

    manifest: Manifest
    fingerprint: str
    key: Path | None


def make(home: Home, since: Instant, until: Instant, path: Path, *, pseudonymous: bool, reason: str) -> Made:
    """A bundle of this installation's log and tape between two instants, written to `path`; and, unless it is
    `pseudonymous`, its key beside it in a file that only its owner reads.

    Raises `Refused` (`bundle_bad_window`, `bundle_too_large`, `bundle_exists`), and what opening log and keys raises.
    """
    if since >= until:
        raise BadBundle("bad_window", "The window must begin before it ends.")
    window = _gathered(home, since, until)
    key_path = None if pseudonymous else path.with_name(f"{path.name}.key")
    for each in (path, key_path):
        if each is not None and each.exists():
            raise BadBundle("exists", f"{each} is there already; nothing is written over. Choose another name.")
    key = None if pseudonymous else DataKey.fresh()
    with _beside(path) as file:
        manifest, fingerprint = pack(window, file, key, made_at=Instant(time.time_ns() // 1000))
        _tell(home, manifest, fingerprint, reason)
        if key is not None and key_path is not None:
            write_key(key_path, key)
    return Made(manifest=manifest, fingerprint=fingerprint, key=key_path)


def pack(window: Window, file: IO[bytes], key: DataKey | None, *, made_at: Instant) -> tuple[Manifest, str]:
    """Write a bundle of this window; its manifest and fingerprint. Without a key it is pseudonymous."""
    erased = erased_in(window.records)
    veil = Veil(erased, window.records, pseudonymous=key is None)
    records = [veil.record(record) for record in window.records]
    items = list(veil.lines(window.items))
    blind = key is None or bool(erased.streams)
    report = redrive(items, records, since=window.begins, until=window.ends, blind=blind)
    otherwise = {each.input_id for each in report.differences}
    if key is None and otherwise:
        bare = redrive(window.items, window.records, since=window.begins, until=window.ends, blind=bool(erased.streams))
        otherwise -= {each.input_id for each in bare.differences}
    packer = Packer(file, key)
    for name, part in (*events_parts(records), *tape_parts(items)):
        packer.add(name, part)
    within = [record.position for record in records if record.about.at >= window.begins]
    manifest = Manifest(
        format=FORMAT,
        site=window.site,
        timezone=window.zone.key,
        made_at=made_at,
        begins=window.begins,
        ends=window.ends,
        first_position=min(within, default=0),
        whole=window.whole,
        events=len(records),
        lines=sum(isinstance(item, Recorded) for item in items),
        holes=sum(isinstance(item, Hole) for item in items),
        sealed=key is not None,
        pseudonymous=key is None,
        erased=len(erased.streams),
        check=Check(steps=report.inputs, differences=len(report.differences), undriven=report.undriven),
        by_veil=tuple(sorted(otherwise)) if key is None else (),
        parts=packer.parts,
    )
    return manifest, packer.close(manifest)


def _gathered(home: Home, since: Instant, until: Instant) -> Window:
    first, last = stood_at(home.log, since), stood_at(home.log, until)
    if last - first > MOST_EVENTS:
        zone = home.settings.timezone
        shorter = fits(home.log, first, MOST_EVENTS)
        raise BadBundle(
            "too_large",
            f"There are {last - first} events from {local(since, zone)} to {local(until, zone)}; a bundle takes "
            f"{MOST_EVENTS}. Take a shorter window, for example --from {local(since, zone)} "
            f"--to {local(shorter, zone)}.",
        )
    # The tape first: what it tells is then in the log, too.
    lines = taped(segments(home.settings.tapes), home.vault, since, until)
    items = bounded(lines, since, until, home.settings.timezone)
    records, whole = rests_on(home.log, since, until)
    settings = home.settings
    return Window(
        site=settings.site,
        zone=settings.timezone,
        begins=since,
        ends=until,
        records=records,
        whole=whole,
        items=items,
    )


def bounded(lines: Iterable[Recorded | Hole], since: Instant, until: Instant, zone: ZoneInfo) -> list[Recorded | Hole]:
    """The tape of a window, as far as a bundle takes so many lines. Raises `BadBundle`."""
    items: list[Recorded | Hole] = []
    last = since
    for item in lines:
        if len(items) >= MOST_LINES:
            raise BadBundle(
                "too_large",
                f"The tape from {local(since, zone)} to {local(until, zone)} has more than {MOST_LINES} lines. Take a "
                f"shorter window, for example --from {local(since, zone)} --to {local(last, zone)}.",
            )
        items.append(item)
        # What is decided at the instant of a line that has no room is left out with it.
        last = Instant(item.at - 1) if isinstance(item, Recorded) else last
    return items


def _tell(home: Home, manifest: Manifest, fingerprint: str, reason: str) -> None:
    event = BundleMade(
        fingerprint=fingerprint,
        begins=manifest.begins,
        ends=manifest.ends,
        pseudonymous=manifest.pseudonymous,
        events=manifest.events,
        lines=manifest.lines,
        reason=reason,
    )
    name = stream("bundle", str(uuid.uuid4()))
    Desk(home.desk, home.log).write(name, lambda _: (event,), who=Who(actor=home.actor))


@contextmanager
def _beside(path: Path) -> Iterator[IO[bytes]]:
    """A file that has its name once it is whole and safe on the disk, and is gone where that fails."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(half, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:  # noqa: PTH123
            yield file
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
    finally:
        half.unlink(missing_ok=True)
