"""The files in which a switch says what became of the calls that it served by itself, in their folder.

    LEG.taken.json   its first word, when it takes a caller (freeswitch/conf/taken.lua)
    LEG.cdr.json     its record, when the call is over (mod_json_cdr)

A file is what somebody else wrote: it is read within bounds, and one that cannot be used is put aside, sealed, with an
alarm, and never deleted (`ringledger recordings aside` shows it).
"""

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import structlog
from msgspec import Struct

from orchestrator.service import sealed_files
from orchestrator.vault import Vault

log = structlog.get_logger(__name__)

SUFFIX: Final = ".cdr.json"
FIRST: Final = ".taken.json"
# What the switch died over was written whole or in part.
HALF: Final = f"{FIRST}.new"
_KINDS: Final = (SUFFIX, FIRST, HALF)
ASIDE: Final = "aside"
ASIDE_KEY: Final = "unattended aside"
SEALED: Final = ".sealed"
# A real one has 14 kB; its caller's headers may make it ten times that.
LARGEST: Final = 262_144
# The switch writes a file in one go, and not whole from the start. What makes sense is whole (no beginning of a JSON
# object is one); what makes none a moment later never will.
SETTLED_S: Final = 2.0
# As many as a switch has calls, some of which go on and keep their files waiting: they must not keep others from sight.
AT_ONCE: Final = 5_000
# So many names are read before others go on: some milliseconds.
_IN_A_TURN: Final = 100
# A link, or what is no file at all: of these it is certain that no switch wrote them. What else keeps us from opening a
# file (rights, a disk, too many open ones) may pass.
_NO_FILE: Final = (errno.ELOOP, errno.ENXIO, errno.ENODEV)


class Unreadable(ValueError):
    """This is no record of a call that a switch served by itself. The message says why, and quotes nothing of it."""


class Told(Struct, frozen=True):
    """What a file says, whether the message of its caller lies beside it, and whether nobody writes it any more.
    `first`: it is the switch's first word, and there is no record.
    """

    data: bytes
    message: bool
    settled: bool = True
    first: bool = False

    @property
    def digest(self) -> str:
        """By which it is known again that this is what was read."""
        return hashlib.sha256(self.data).hexdigest()


class Unreached(OSError):
    """The place itself cannot be reached: asking there for another file leads to nothing either."""


class Place(Protocol):
    """Where such files lie: here, or on another machine. Every method raises `Unreached` where it cannot be reached,
    and another OSError where the disk refuses this file.
    """

    def waiting(self) -> dict[str, str]:
        """The oldest, by the calls that their names say, each with a mark that is another one once the file is; empty
        where nobody can say.
        """
        ...

    def told(self, leg: str) -> Told:
        """What this one says, within bounds. Raises `Unreadable` for what is no plain file."""
        ...

    def done(self, leg: str, digest: str) -> None:
        """It is in the log: it goes, where it still says what was read."""
        ...

    def put_aside(self, leg: str, why: str, digest: str | None = None) -> None:
        """It cannot be used, for this reason, where it still says what was read: empty for what is no plain file. None:
        whatever it says.
        """
        ...


def folder_beside(recordings: Path) -> Path:
    """Where the switches of this machine lay such files."""
    return recordings.with_name("unattended")


def message_of(leg: str) -> str:
    """The name of the file in which this caller left a message (freeswitch/conf/dialplan.xml)."""
    return f"message-{leg}.wav"


def _oldest(found: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """So many of these as are looked at in one go. Records first: the others are of calls that go on, but for those of
    a switch that died.
    """
    return dict(sorted(found.items(), key=lambda each: (each[1], each[0]))[:AT_ONCE])


def spoken_of(folder: Path) -> set[str]:
    """The calls of which anything is said in this folder, whatever it says."""
    if not folder.is_dir():
        return set()
    with os.scandir(folder) as entries:
        return {entry.name.removesuffix(kind) for entry in entries for kind in _KINDS if entry.name.endswith(kind)}


class CallFiles:
    """Those of this machine's switches (`Place`)."""

    def __init__(
        self,
        folder: Path,
        recordings: Path,
        vault: Vault,
        *,
        settled_s: float = SETTLED_S,
        aside: Callable[[Callable[..., object], tuple[object, ...]], object] = lambda work, given: work(*given),
    ) -> None:
        """`aside` does work that may take long: on a thread of its own, where calls go on meanwhile."""
        self._aside = aside
        self._looked = False
        self._alarmed: dict[str, str] = {}
        self._folder = folder
        self._recordings = recordings
        self._vault = vault
        self._settled_s = settled_s

    def waiting(self) -> dict[str, str]:
        if not self._folder.is_dir():
            return {}
        if not self._looked:
            self._seal_what_lies_open()
            self._looked = True
        found: dict[str, tuple[int, int]] = {}
        with os.scandir(self._folder) as entries:
            for number, entry in enumerate(entries, 1):
                if number % _IN_A_TURN == 0:
                    time.sleep(0)  # whoever shares this thread goes on
                kind = next((rank for rank, suffix in enumerate(_KINDS) if entry.name.endswith(suffix)), None)
                if kind is None:
                    continue
                try:
                    rank = kind, entry.stat(follow_symlinks=False).st_mtime_ns
                except FileNotFoundError:
                    continue  # its call is over, and the record there
                leg = entry.name.removesuffix(_KINDS[kind])
                found[leg] = min(rank, found.get(leg, rank))
                if len(found) >= 2 * AT_ONCE:
                    found = _oldest(found)
        return {leg: "{}:{}".format(*rank) for leg, rank in _oldest(found).items()}

    def spoken_of(self) -> set[str]:
        """The calls of which anything is said."""
        return spoken_of(self._folder)

    def told(self, leg: str) -> Told:
        # Between two of these looks a first word may get its name, and the call end.
        for suffix in (*_KINDS, FIRST, SUFFIX):
            try:
                return self._told(leg, suffix)
            except FileNotFoundError:
                continue
        raise FileNotFoundError(f"nothing is said of the call {leg} any more")

    def _told(self, leg: str, suffix: str) -> Told:
        try:
            number = os.open(self._folder / f"{leg}{suffix}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno not in _NO_FILE:
                raise
            raise Unreadable(f"it cannot be opened ({error.strerror})") from None
        with os.fdopen(number, "rb") as file:
            about = os.fstat(number)
            if not stat.S_ISREG(about.st_mode):
                raise Unreadable("it is no plain file")
            data = file.read(LARGEST + 1)
        settled = about.st_mtime <= time.time() - self._settled_s
        message = (self._recordings / message_of(leg)).is_file()
        return Told(data, message, settled, first=suffix != SUFFIX)

    def done(self, leg: str, digest: str) -> None:
        if self._digest(leg) != digest:
            return
        # Its record last: without it what is left would count as a word about a call that goes on.
        for suffix in reversed(_KINDS):
            (self._folder / f"{leg}{suffix}").unlink(missing_ok=True)

    def _digest(self, leg: str) -> str | None:
        """Of what is said of this call now; empty for what is no plain file, None where nothing is."""
        try:
            return self.told(leg).digest
        except Unreadable:
            return ""
        except FileNotFoundError:
            return None

    def put_aside(self, leg: str, why: str, digest: str | None = None) -> None:
        path = self._path(leg)
        if digest is not None and self._digest(leg) != digest:
            return  # the next look reads what is there by now
        folder = self._folder / ASIDE
        place, number = folder / f"{path.name}{SEALED}", 1
        while os.path.lexists(place):
            number += 1
            place = folder / f"{path.name}.{number}{SEALED}"
        # Before it is sealed, which the disk may refuse; once, for that is tried again at each look.
        if self._alarmed.get(path.name) != why:
            self._alarmed[path.name] = why
            log.error(
                "call-record-unreadable",
                file=place.name,
                why=why,
                remedy=f"`ringledger recordings aside {place.name}` shows it; it is kept in {folder}",
            )
        folder.mkdir(mode=0o700, exist_ok=True)
        self._seal(path, place)
        self._alarmed.pop(path.name, None)

    def _seal_what_lies_open(self) -> None:
        """Seal what an earlier version put aside as it was."""
        folder = self._folder / ASIDE
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix not in {SEALED, sealed_files.HALF} and stat.S_ISREG(path.lstat().st_mode):
                try:
                    self._seal(path, path.with_name(f"{path.name}{SEALED}"))
                except OSError as error:  # until the next start, and no reason to read nothing of today
                    log.warning("call-record-lies-open", file=path.name, why=str(error))

    def _path(self, leg: str) -> Path:
        """Where that lies which is said of this call."""
        paths = [self._folder / f"{leg}{suffix}" for suffix in _KINDS]
        return next((path for path in paths if os.path.lexists(path)), paths[0])

    def _seal(self, path: Path, place: Path) -> None:
        """Move it there, where its caller's name is not to be read. What is no plain file holds none."""
        if stat.S_ISREG(path.lstat().st_mode):
            self._aside(sealed_files.seal, (path, place, self._vault.named_key(ASIDE_KEY), place.name))
            path.unlink()
        else:
            path.rename(place.with_name(place.name.removesuffix(SEALED)))


def aside(folder: Path, name: str, vault: Vault) -> Iterator[bytes]:
    """What was put aside under this name, piece by piece. Raises OSError where nothing was, `Tampered` where it is not
    as it was sealed.
    """
    return sealed_files.SealedFile(folder / ASIDE / name, vault.named_key(ASIDE_KEY), name).read()
