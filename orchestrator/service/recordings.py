"""Recordings as files: sealed and kept once the switch has written them, read again by whoever may hear them, and
deleted when their time is over.

What the switch wrote goes only after the sealed file is safe on the disk and the log has said so, and what is sealed
only after the log has said that it goes; whatever fails in between is begun anew and finds what was done. Of one file
one process takes care; two do no harm to each other.
"""

import base64
import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import structlog

from orchestrator.domain.contacts import keeping
from orchestrator.domain.contacts.keeping import (
    Alarm,
    Archive,
    Command,
    Delete,
    Discard,
    Kept,
    RecordingKeyCopied,
    Seal,
)
from orchestrator.domain.kernel import Record, Refused, stream
from orchestrator.domain.routing import recording
from orchestrator.durable import sync_folder
from orchestrator.service.deciding import Desk, Who
from orchestrator.service.fetching import Elsewhere, Fetched
from orchestrator.service.media import LABEL, Media, name_of
from orchestrator.service.sealed_files import HALF, SealedFile, digest_of, seal, unreadable
from orchestrator.service.waveforms import HEAD_MOST, Waveform, length_ms_of, waveform_of
from orchestrator.settings import SettingsError
from orchestrator.store import DeskWriter, Log
from orchestrator.vault import ERASED, DataKey, Tampered

log = structlog.get_logger(__name__)

KIND: Final = "recording"
HOLD: Final = "hold"
SUFFIX: Final = ".sealed"
SHAPE: Final = ".peaks"
# It lies in the folder from the first sealed file on, and so proves that the folder is that one.
_LOCK: Final = ".lock"
_FEW: Final = 100
# What the engine calls its files. The name comes from an event, and that from a switch: it names no other folder.
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,80}\.wav")
_KEEPER: Final = Who(actor="system")
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PIECE: Final = 65_536
_AT_ONCE: Final = 1_048_576
# A shape is 600 numbers for each side, some 5 kB.
_SHAPE_MOST: Final = 65_536


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
            while begin < end and (piece := file.read(min(_PIECE, end - begin))):
                begin += len(piece)
                yield piece


class Recordings:
    """The recordings of one machine, and through `elsewhere` those of others. `clear`: where its switch writes; `kept`:
    where the sealed files are, until they are moved to one of `media`; `node`: the only switch whose recordings are
    here (empty: those of all that are not elsewhere).
    """

    def __init__(
        self,
        desk: DeskWriter,
        log: Log,
        *,
        clear: Path,
        kept: Path,
        elsewhere: Elsewhere | None = None,
        node: str = "",
        media: Media | None = None,
    ) -> None:
        self._desk = Desk(desk, log)
        self._log = log
        self._elsewhere = elsewhere
        self._node = node
        self.clear = clear
        self.kept = kept
        self.media = media or Media()

    # --- keeping -----------------------------------------------------------------------------------------------------
    def keep(self, contact_id: str, file: str, *, found: str = keeping.FINISHED, node: str = "") -> str:
        """Seal this file, and let the clear one go; empty once that is so, otherwise why not (`keeping.MISSING`, …).
        `node`: the switch that wrote it; the one whose recordings are here where nobody told.

        Raises `Away` and `Unsure` where the database is not there: then nothing was removed.
        """
        target = self._path(file, SUFFIX)
        try:
            if not self.is_there():
                known = self.state(file)
                return "" if known.sealed is not None or known.discarded else keeping.UNREADABLE
            self.kept.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone():
                return self._keep(contact_id, file, target, found, node)
        except OSError as error:
            return keeping.NO_ROOM if error.errno in _NO_ROOM else keeping.UNREADABLE

    def is_there(self) -> bool:
        """Whether the folder is the one into which the log says that was sealed: where its disk is not mounted, another
        stands in its place or none, and what is not in it is not lost.
        """
        return (self.kept / _LOCK).is_file() or self._is_new()

    def _is_new(self) -> bool:
        """Whether the log knows of nothing that was ever sealed here."""
        told = (record.event for record in self._log.history(kinds=(KIND,), batch=_FEW))
        return not any(isinstance(event, keeping.RecordingSealed) and self._is_here(event.node) for event in told)

    def insist(self) -> None:
        """Raise `SettingsError` where the folder is not the one."""
        if not self.is_there():
            raise SettingsError(
                f"RINGLEDGER_KEPT: {self.kept} is not the folder into which recordings were sealed: nothing is put "
                f"right or deleted. Mount the disk that has it; where that is gone for good, make an empty file "
                f"{_LOCK} in it."
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process of this machine seals meanwhile: it would write another key's file over ours. Raises OSError
        where the folder is not there any more: a lock in the mount point of its disk would make that the folder.
        """
        path = self.kept / _LOCK
        try:
            lock = path.open("r+")
        except FileNotFoundError:
            if not self._is_new():
                raise
            lock = path.open("w")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _keep(self, contact_id: str, file: str, target: Path, found: str, node: str) -> str:
        source, known = self.in_clear(file), self.state(file)
        if known.sealed is not None:
            return self._again(contact_id, file, source, known)
        if source is None:
            return "" if known.discarded else keeping.MISSING
        if known.discarded:
            source.unlink(missing_ok=True)
            return ""
        key = DataKey.fresh()
        summary = seal(source, target, key, file)
        command = Seal(
            contact_id=contact_id,
            file=file,
            digest=summary.digest,
            length=summary.length,
            key=base64.b64encode(key.raw).decode(),
            found=found,
            node=node or self._node,
            length_ms=length_ms_of(_head_of(source), summary.length),
        )
        self._write(file, contact_id, command)
        self._draw(file, key, Sound(source))
        source.unlink(missing_ok=True)
        return ""

    def discard(self, contact_id: str, file: str, length_ms: int, least_ms: int) -> str:
        """Let a file go that is too short to be kept; the log says so first. One that is sealed stays. Empty once that
        is so, otherwise why not.
        """
        self._write(file, contact_id, Discard(contact_id=contact_id, file=file, length_ms=length_ms, least_ms=least_ms))
        source = self.in_clear(file)
        try:
            if source is not None and self.state(file).discarded:
                source.unlink(missing_ok=True)
        except OSError:
            return keeping.UNREADABLE
        return ""

    def delete(self, file: str, days: int) -> bool:
        """Let a recording go whose time is over, unless it is held, or its medium is away; whether it is gone."""
        known = self.state(file)
        if known.sealed is None or self.is_away(known.medium):
            return False
        self._write(file, known.sealed.contact_id, Delete(file=file, days=days))
        return self.remove_deleted(file)

    def remove_deleted(self, file: str) -> bool:
        """Remove the sealed file, wherever it lies, and its shape, if the log says that they go; whether it does.

        Raises OSError where one of them cannot be removed: then the others are.
        """
        if not self.state(file).deleted:
            return False
        sealed, refused = self._path(file, SUFFIX), []
        for path in (sealed, self._path(file, SHAPE), *(folder / sealed.name for _, folder in self.media.mounted())):
            try:
                if path.is_file():  # a medium that is read-only refuses even what it does not have
                    path.unlink(missing_ok=True)
            except OSError as error:
                refused.append(error)
        if refused:
            raise refused[0]
        return True

    def archive(self, file: str) -> str:
        """Move the sealed file to the medium that is filled now; its name, empty where the file stays. The shape stays.

        What is not what was sealed stays, with an alarm, and what nobody can compare any more, its person being erased.
        Raises OSError where the medium cannot be written, or one of the two folders is not there any more, and
        `SettingsError` where they are one and the same: then nothing went.
        """
        to = self.media.filled()
        if to is None:
            return ""
        name, folder = to
        disk = folder.stat().st_dev
        with self._alone():
            # By its label the folder of sealed files is known by whatever way it is mounted.
            if name_of(self.kept) == name:
                raise SettingsError(
                    f"RINGLEDGER_ARCHIVE: {folder} is the folder of RINGLEDGER_KEPT, or that is called {name}, too: "
                    f"nothing is moved. Name a folder on another disk, and remove {LABEL} from {self.kept}."
                )
            known, source = self.state(file), self._path(file, SUFFIX)
            key = self.key_of(known)
            if known.sealed is None or known.deleted or known.medium or key is None or not source.is_file():
                return ""
            if why := self._damage(known, key):
                self.insist()
                self.alarm(known.sealed.contact_id, file, why)
                return ""
            target = folder / source.name
            _copy(source, target)
            if _damage_of(target, key, known.sealed):
                target.unlink()
                raise OSError(errno.EIO, "What was written is not what is read again", str(target))
            if name_of(folder) != name or folder.stat().st_dev != disk:
                target.unlink(missing_ok=True)
                raise OSError(errno.ENODEV, "The medium went while it was written", str(folder))
            self._write(file, known.sealed.contact_id, Archive(file=file, medium=name))
            if self.state(file).deleted:
                target.unlink()  # its time was over meanwhile
                return ""
            source.unlink()
        return name

    def drop_copied(self, file: str) -> bool:
        """Remove the sealed file of one that the log says is archived from the folder here, where the one on the medium
        is whole; whether it is.
        """
        known, source = self.state(file), self._path(file, SUFFIX)
        there, key = self.media.place(known.medium, source.name), self.key_of(known)
        if not known.medium or there is None or known.sealed is None or name_of(self.kept) == known.medium:
            return False
        # Of an erased person nobody can compare anything, and nothing can be heard.
        whole = there.is_file() if key is None else not _damage_of(there, key, known.sealed)
        if whole:
            source.unlink(missing_ok=True)
        return whole

    def rename_second(self, file: str) -> str:
        """Give a clear file a name of its own whose name another one has that is kept; the name, empty where it is the
        very same file. Two of the same sound get the same name.
        """
        source, known = self.in_clear(file), self.state(file)
        if source is None or known.sealed is None:
            return ""
        digest = digest_of(source).digest
        if digest == known.sealed.digest:
            return ""
        name = f"{_plain(file)[:60]}-second-{digest[:8]}.wav"
        source.replace(self.clear / name)
        return name

    def drop_stray(self, file: str) -> bool:
        """Remove a sealed file that the log does not know, where the clear one is there to be sealed anew."""
        with self._alone():
            if self.state(file).sealed is not None or self.in_clear(file) is None:
                return False
            self._path(file, SUFFIX).unlink(missing_ok=True)
        return True

    def alarm(self, contact_id: str, file: str, why: str) -> None:
        """Say in the log that this file is not kept; once for each reason."""
        self._write(file, contact_id, Alarm(contact_id=contact_id, file=file, why=why))

    def least_ms(self) -> int:
        """What is shorter is not kept, by what is configured now."""
        site = recording.Recordings()
        for record in self._log.stream(stream("recordings", recording.THE_ONE)):
            site = recording.evolve(site, record.event)
        return site.least_ms

    def _again(self, contact_id: str, file: str, source: Path | None, known: Kept) -> str:
        """It is sealed already. A clear file that is still there goes, if it is the one that was sealed."""
        if source is None:
            return ""
        same = known.sealed is not None and digest_of(source).digest == known.sealed.digest
        if same and (known.deleted or self.damage(known) == ""):
            source.unlink(missing_ok=True)
            return ""
        self.alarm(contact_id, file, keeping.TWICE)
        return keeping.TWICE

    def _write(self, file: str, contact_id: str, command: Command) -> None:
        tie = stream("contact", contact_id) if contact_id else ""
        self._desk.write(
            stream_of(file),
            lambda before: keeping.decide(folded(before), command),
            who=_KEEPER,
            about=lambda _before, _events: tie,
        )

    def _draw(self, file: str, key: DataKey, sound: Sound) -> Waveform | None:
        """Work out the shape and keep it; where there is no room for it, it is worked out anew when it is asked for."""
        shape = waveform_of(sound.read(0, sound.length), sound.length)
        target = self._path(file, SHAPE)
        half = target.with_name(f"{target.name}.half")
        try:
            half.write_bytes(key.seal(msgspec.json.encode(shape), _of_shape(file)))
            half.replace(target)
        except OSError as error:
            log.warning("shape-not-kept", file=file, why=str(error))
            half.unlink(missing_ok=True)
        return shape

    # --- reading -----------------------------------------------------------------------------------------------------
    def is_elsewhere(self, node: str) -> bool:
        """Whether the recordings of this switch lie on another machine."""
        if self._node and node:
            return node != self._node
        return self._elsewhere is not None and node in self._elsewhere

    def _is_here(self, node: str) -> bool:
        return node == self._node if self._node else not self.is_elsewhere(node)

    def has(self, file: str, node: str) -> bool:
        """Whether the sealed file of this switch is here, or may be on its machine."""
        if not is_file_name(file):
            return False
        try:
            return self._lies(self.state(file), file).is_file() or self.is_elsewhere(node)
        except OSError as error:
            log.warning("recording-unreadable", file=file, why=str(error))
            return True  # whoever plays it is told

    def is_away(self, medium: str) -> bool:
        """Whether this is the name of a medium that is not mounted here."""
        return bool(medium) and not self.media.is_there(medium)

    def is_erased(self, file: str) -> bool:
        """Whether this is sealed, and nobody can hear it any more."""
        known = self.state(file)
        return known.sealed is not None and self.key_of(known) is None

    def state(self, file: str) -> Kept:
        """What is known of this file."""
        return folded(self._log.stream(stream_of(file)))

    def sound(self, file: str, *, whole: bool) -> Sound | None:
        """The recording in this file; None where there is none here. `whole`: first make sure that it is what was
        recorded, to the last byte. Raises `Refused` (`recording_erased`, `recording_damaged`,
        `recording_away`, `recording_medium_away`, `recording_unreadable`).
        """
        if not is_file_name(file):
            return None
        known = self.state(file)
        if known.deleted:
            raise Refused("recording_deleted", "This recording was kept for its time, and deleted.")
        key = self.key_of(known)
        if known.sealed is not None and key is None:
            raise Refused("recording_erased", "Whoever is heard in this recording was erased; nobody can hear it.")
        try:
            if known.sealed is None or key is None:
                path = self.in_clear(file)
                return None if path is None else Sound(path)
            opened = self._open(known, key)
            if not whole or opened.summary().digest == known.sealed.digest:
                return Sound(opened)
            why = keeping.DAMAGED
        except FileNotFoundError:
            why = keeping.LOST
        except Tampered:
            why = keeping.DAMAGED
        except OSError as error:
            raise unreadable(file, error) from error
        if known.sealed is None:
            return None  # the clear file has just gone
        far = self._far(known, self._lies(known, file))
        if why == keeping.LOST and known.medium and (far is not None or self.is_away(known.medium)):
            raise Refused(
                "recording_medium_away",
                f"This recording lies on the medium {known.medium}, which is not there now. It is kept; once the "
                f"medium is mounted it can be heard.",
            )
        if why == keeping.DAMAGED and far is not None:
            # That machine proves how long its file is, and not what comes over the line.
            raise far.away("what came is not what was recorded")
        self.alarm(known.sealed.contact_id, file, why)
        if why == keeping.LOST:
            return None
        raise Refused("recording_damaged", "This recording is not what was recorded: its file was changed or damaged.")

    def shape(self, file: str) -> Waveform | None:
        """The shape of this recording; None where there is none here, or where it has none. Raises as `sound`."""
        known = self.state(file) if is_file_name(file) else Kept()
        key = self.key_of(known) if known.sealed is not None and not known.deleted else None
        if key is not None:
            try:
                sealed = self._read_shape(known, file)
                return msgspec.json.decode(key.open(sealed, _of_shape(file)), type=Waveform | None)
            except (OSError, Tampered) as error:
                log.info("shape-drawn-anew", file=file, why=str(error))
        sound = self.sound(file, whole=False)
        if sound is None:
            return None
        try:
            if key is None or not self._lies(known, file).is_file():
                return waveform_of(sound.read(0, sound.length), sound.length)
            return self._draw(file, key, sound)
        except Tampered:
            return None  # whoever listens is told
        except OSError as error:
            raise unreadable(file, error) from error

    def damage(self, known: Kept) -> str:
        """What is wrong with the sealed file (`keeping.LOST`, `keeping.DAMAGED`), by reading all of it; else empty."""
        key = self.key_of(known)
        if key is None:
            sealed = known.sealed
            return "" if sealed is not None and self._lies(known, sealed.file).is_file() else keeping.LOST
        return self._damage(known, key)

    def key_of(self, known: Kept) -> DataKey | None:
        """The key of the file: its own or, where its person was erased, the copy that a hold keeps; None without."""
        if known.sealed is None:
            return None
        texts = [known.sealed.key]
        if known.sealed.key in ("", ERASED):
            texts = [
                record.event.key
                for hold in known.holds
                for record in self._log.stream(stream(HOLD, hold.hold_id))
                if isinstance(record.event, RecordingKeyCopied)
            ]
        return next((DataKey(base64.b64decode(text)) for text in texts if text not in ("", ERASED)), None)

    def in_clear(self, file: str) -> Path | None:
        """The file as the switch wrote it; None where it is not here, or the name is not one of ours."""
        path = self.clear / file
        return path if is_file_name(file) and path.is_file() and not path.is_symlink() else None

    def _damage(self, known: Kept, key: DataKey) -> str:
        assert known.sealed is not None  # noqa: S101 - whoever has its key has looked
        return _damage_of(self._place(known), key, known.sealed)

    def _open(self, known: Kept, key: DataKey) -> SealedFile:
        assert known.sealed is not None  # noqa: S101 - whoever has its key has looked
        return SealedFile(self._place(known), key, known.sealed.file)

    def _place(self, known: Kept) -> Path | Fetched:
        assert known.sealed is not None  # noqa: S101 - whoever asks has looked
        path = self._lies(known, known.sealed.file)
        return self._far(known, path) or path

    def _far(self, known: Kept, path: Path) -> Fetched | None:
        """This file on the machine of its switch, where it is not here."""
        node = known.sealed.node if known.sealed is not None else ""
        if self._elsewhere is None or node not in self._elsewhere or path.is_file():
            return None
        return self._elsewhere.place(node, path.name)

    def _read_shape(self, known: Kept, file: str) -> bytes:
        path = self._path(file, SHAPE)
        far = self._far(known, path)
        return path.read_bytes() if far is None else far.whole(_SHAPE_MOST)

    def _lies(self, known: Kept, file: str) -> Path:
        """Where the sealed file is: in the folder here, or on its medium."""
        path = self._path(file, SUFFIX)
        there = self.media.place(known.medium, path.name) if known.medium and not path.is_file() else None
        return path if there is None else there

    def _path(self, file: str, suffix: str) -> Path:
        return self.kept / f"{_plain(file)}{suffix}"


def is_file_name(file: str) -> bool:
    """Whether this is a name that the engine gives, which leads nowhere else."""
    return bool(_FILE.fullmatch(file))


def _plain(file: str) -> str:
    if not is_file_name(file):
        raise Refused("no_such_recording", "This is no name of a recording.")
    return file.removesuffix(".wav")


def stream_of(file: str) -> str:
    """The stream of this file. Raises `Refused` (`no_such_recording`) for what is no name of ours."""
    return stream(KIND, _plain(file))


def folded(records: Iterable[Record]) -> Kept:
    """What these records of one file's stream come to."""
    kept = Kept()
    for record in records:
        kept = keeping.evolve(kept, record.event)
    return kept


def _head_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(HEAD_MOST)


def _damage_of(place: Path | Fetched, key: DataKey, sealed: keeping.RecordingSealed) -> str:
    """What is wrong with the sealed file at this place, by reading all of it; else empty."""
    try:
        digest = SealedFile(place, key, sealed.file).summary().digest
    except OSError:
        return keeping.LOST
    except Tampered:
        return keeping.DAMAGED
    return "" if digest == sealed.digest else keeping.DAMAGED


def _copy(source: Path, target: Path) -> None:
    """Copy a file; once this returns it outlives a loss of power. Raises OSError, and leaves nothing then."""
    half = target.with_name(target.name + HALF)
    try:
        with source.open("rb") as read, half.open("wb") as written:
            shutil.copyfileobj(read, written, _AT_ONCE)
            written.flush()
            os.fsync(written.fileno())
            os.posix_fadvise(written.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # read again, it comes from the medium
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)
    sync_folder(target.parent)


def _of_shape(file: str) -> bytes:
    return f"{file}\x1fshape".encode()
