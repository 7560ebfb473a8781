"""Recordings as files: sealed and kept once the switch has written them, and read again by whoever may hear them.

What the switch wrote goes only after the sealed file is safe on the disk and the log has said so; whatever fails in
between is begun anew and finds what was done. Of one file one process takes care; two do no harm to each other.
"""

import base64
import errno
import fcntl
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from orchestrator.domain.contacts import keeping
from orchestrator.domain.contacts.events import ContactEnded, RecordingBegun, RecordingFinished
from orchestrator.domain.contacts.keeping import Alarm, Kept, RecordingSealed, Seal
from orchestrator.domain.contacts.recording import WITHOUT_A_FILE
from orchestrator.domain.kernel import Record, Refused, ident_of, stream
from orchestrator.service.deciding import Desk, Who
from orchestrator.service.sealed_files import SealedFile, digest_of, seal
from orchestrator.store import DeskWriter, Log
from orchestrator.vault import ERASED, DataKey, Tampered

KIND: Final = "recording"
SUFFIX: Final = ".sealed"
# What the engine calls its files. The name comes from an event, and that from a switch: it names no other folder.
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,80}\.wav")
_KEEPER: Final = Who(actor="system")
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Part(Struct, frozen=True, kw_only=True):
    """One recording of a contact."""

    file: str
    length_ms: int
    """0 where the switch never said how long it is."""


class Sound:
    """A recording that can be heard. `length` in bytes."""

    def __init__(self, source: SealedFile | Path) -> None:
        self._source = source
        self.length = source.length if isinstance(source, SealedFile) else source.stat().st_size

    def read(self, begin: int, end: int) -> Iterator[bytes]:
        """The bytes from `begin` up to `end` (not included), piece by piece. Raises `Tampered`."""
        if isinstance(self._source, SealedFile):
            yield from self._source.read(begin, end)
            return
        with self._source.open("rb") as file:
            file.seek(begin)
            while begin < end and (piece := file.read(min(65_536, end - begin))):
                begin += len(piece)
                yield piece


class Recordings:
    """The recordings of one node. `clear`: where its switch writes; `kept`: where the sealed files are."""

    def __init__(self, desk: DeskWriter, log: Log, *, clear: Path, kept: Path) -> None:
        self._desk = Desk(desk, log)
        self._log = log
        self.clear = clear
        self.kept = kept

    # --- keeping -----------------------------------------------------------------------------------------------------
    def keep(self, contact_id: str, file: str, *, found: str = keeping.FINISHED) -> str:
        """Seal this file, and let the clear one go; empty once that is so, otherwise why not (`keeping.MISSING`, …).

        Raises `Away` and `Unsure` where the database is not there: then nothing was removed.
        """
        target = self._sealed_path(file)
        try:
            self.kept.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone():
                return self._keep(contact_id, file, target, found)
        except OSError as error:
            return keeping.NO_ROOM if error.errno in _NO_ROOM else keeping.UNREADABLE

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process of this machine seals meanwhile: it would write another key's file over ours."""
        with (self.kept / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _keep(self, contact_id: str, file: str, target: Path, found: str) -> str:
        source, known = self.in_clear(file), self.state(file)
        if known.sealed is not None:
            return self._again(contact_id, file, source, known.sealed)
        if source is None:
            return keeping.MISSING
        key = DataKey.fresh()
        summary = seal(source, target, key, file)
        command = Seal(
            contact_id=contact_id,
            file=file,
            digest=summary.digest,
            length=summary.length,
            key=base64.b64encode(key.raw).decode(),
            found=found,
        )
        self._write(file, command)
        source.unlink(missing_ok=True)
        return ""

    def drop_stray(self, file: str) -> bool:
        """Remove a sealed file that the log does not know, where the clear one is there to be sealed anew."""
        with self._alone():
            if self.state(file).sealed is not None or self.in_clear(file) is None:
                return False
            self._sealed_path(file).unlink(missing_ok=True)
        return True

    def alarm(self, contact_id: str, file: str, why: str) -> None:
        """Say in the log that this file is not kept; once for each reason."""
        self._write(file, Alarm(contact_id=contact_id, file=file, why=why))

    def _again(self, contact_id: str, file: str, source: Path | None, sealed: RecordingSealed) -> str:
        """It is sealed already. A clear file that is still there goes, if it is the one that was sealed."""
        if source is None:
            return ""
        if digest_of(source).digest == sealed.digest and self.damage(sealed) == "":
            source.unlink(missing_ok=True)
            return ""
        self.alarm(contact_id, file, keeping.TWICE)
        return keeping.TWICE

    def _write(self, file: str, command: Seal | Alarm) -> None:
        tie = stream("contact", command.contact_id) if command.contact_id else ""
        self._desk.write(
            _stream(file),
            lambda before: keeping.decide(_fold(before), command),
            who=_KEEPER,
            about=lambda _before, _events: tie,
        )

    # --- reading -----------------------------------------------------------------------------------------------------
    def parts(self, contact_id: str) -> list[Part]:
        """The recordings of a contact of which there is a file, in their order; one that is being written, not yet."""
        lengths: dict[str, int] = {}
        ended = False
        for record in self._log.stream(stream("contact", contact_id)):
            match record.event:
                case RecordingBegun() as event:
                    lengths.setdefault(event.file, -1)
                case RecordingFinished(cause=cause) as event if cause in WITHOUT_A_FILE:
                    lengths.pop(event.file, None)
                case RecordingFinished() as event:
                    lengths[event.file] = event.length_ms
                case ContactEnded():
                    ended = True
        found = {file: length for file, length in lengths.items() if is_file_name(file) and (ended or length >= 0)}
        return [Part(file=file, length_ms=max(0, length)) for file, length in found.items()]

    def state(self, file: str) -> Kept:
        """What is known of this file."""
        return _fold(self._log.stream(_stream(file)))

    def sound(self, file: str, *, whole: bool) -> Sound | None:
        """The recording in this file; None where there is none here. `whole`: first make sure that it is what was
        recorded, to the last byte. Raises `Refused` (`recording_erased`, `recording_damaged`).
        """
        if not is_file_name(file):
            return None
        sealed = self.state(file).sealed
        if sealed is None:
            path = self.in_clear(file)
            return None if path is None else Sound(path)
        if sealed.key in ("", ERASED):
            raise Refused("recording_erased", "Whoever is heard in this recording was erased; nobody can hear it.")
        try:
            why = self.damage(sealed) if whole else ""
            if not why:
                return Sound(self._open(sealed))
        except FileNotFoundError:
            why = keeping.LOST
        except Tampered:
            why = keeping.DAMAGED
        self.alarm(sealed.contact_id, file, why)
        if why == keeping.LOST:
            return None
        raise Refused("recording_damaged", "This recording is not what was recorded: its file was changed or damaged.")

    def damage(self, sealed: RecordingSealed) -> str:
        """What is wrong with the sealed file (`keeping.LOST`, `keeping.DAMAGED`), by reading all of it; else empty."""
        if sealed.key in ("", ERASED):
            return "" if self._sealed_path(sealed.file).is_file() else keeping.LOST
        try:
            return "" if self._open(sealed).summary().digest == sealed.digest else keeping.DAMAGED
        except OSError:
            return keeping.LOST
        except Tampered:
            return keeping.DAMAGED

    def in_clear(self, file: str) -> Path | None:
        """The file as the switch wrote it; None where it is not here, or the name is not one of ours."""
        path = self.clear / file
        return path if is_file_name(file) and path.is_file() and not path.is_symlink() else None

    def _open(self, sealed: RecordingSealed) -> SealedFile:
        return SealedFile(self._sealed_path(sealed.file), DataKey(base64.b64decode(sealed.key)), sealed.file)

    def _sealed_path(self, file: str) -> Path:
        return self.kept / f"{_plain(file)}{SUFFIX}"


def is_file_name(file: str) -> bool:
    """Whether this is a name that the engine gives, which leads nowhere else."""
    return bool(_FILE.fullmatch(file))


def _plain(file: str) -> str:
    if not is_file_name(file):
        raise Refused("no_such_recording", "This is no name of a recording.")
    return file.removesuffix(".wav")


def _stream(file: str) -> str:
    return stream(KIND, _plain(file))


def _fold(records: Iterable[Record]) -> Kept:
    kept = Kept()
    for record in records:
        kept = keeping.evolve(kept, record.event)
    return kept


def file_of(stream_name: str) -> str:
    """The file that a stream is about."""
    return f"{ident_of(stream_name)}.wav"
