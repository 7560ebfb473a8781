"""A file kept encrypted, in pieces: written in one pass whatever its size, read from anywhere without reading it whole.

    sealed file   RINGFILE1, a line feed, then pieces: each up to PIECE bytes under AES-256-GCM (28 bytes longer)

Each piece is bound to the file's name, its place and whether it is the last: none can be left out, added, moved or
taken from another file.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import structlog
from msgspec import Struct

from orchestrator.domain.kernel import Refused
from orchestrator.durable import sync_folder
from orchestrator.vault import DataKey, Tampered

log = structlog.get_logger(__name__)

MAGIC: Final = b"RINGFILE1\n"
PIECE: Final = 65_536
# Nonce and tag of a piece (`vault.DataKey.seal`).
_MORE: Final = 28
# Pieces that are read in one go where all are: a megabyte, about 3 ms.
_AT_ONCE: Final = 16
HALF: Final = ".half"
"""The ending of a sealed file that is being written."""


def unreadable(file: str, why: object) -> Refused:
    """What to raise where the disk with this file answers with an error: what lies there may be whole."""
    log.error("recording-unreadable", file=file, why=str(why), remedy="look at the disk on which it lies")
    return Refused(
        "recording_unreadable",
        "The disk on which this recording lies cannot be read now. Nothing is taken for lost: have that disk looked "
        "at, and try again then.",
    )


class Summary(Struct, frozen=True):
    """What was sealed: its SHA-256 in hexadecimal digits, and its length in bytes."""

    digest: str
    length: int


def seal(source: Path, target: Path, key: DataKey, name: str) -> Summary:
    """Write `source` encrypted to `target`; once this returns it outlives a loss of power. Raises OSError.

    What stood at `target` is replaced at one stroke. Nothing of a failed attempt is left.
    """
    half = target.with_name(target.name + HALF)
    try:
        with source.open("rb") as plain, half.open("wb") as out:
            summary = _write(plain, out, key, name)
            out.flush()
            os.fsync(out.fileno())
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)
    sync_folder(target.parent)
    return summary


def digest_of(path: Path) -> Summary:
    """Digest and length of a file in the clear."""
    digest, length = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            length += len(piece)
    return Summary(digest.hexdigest(), length)


class Readable(Protocol):
    """Sealed bytes, one after another."""

    def read(self, amount: int, /) -> bytes:
        """The next ones, as many as asked for unless they end."""
        ...


class Place(Protocol):
    """Where a sealed file lies: here, or on another machine."""

    def begin(self, length: int) -> tuple[bytes, int]:
        """The first bytes, and how many there are in all."""
        ...

    def opened(self, begin: int, end: int) -> AbstractContextManager[Readable]:
        """The bytes from `begin` up to `end` (not included)."""
        ...


class OnDisk:
    """A sealed file of this machine. Raises OSError where it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, length: int) -> tuple[bytes, int]:
        with self._path.open("rb") as file:
            return file.read(length), os.fstat(file.fileno()).st_size

    def opened(self, begin: int, _end: int) -> BinaryIO:
        file = self._path.open("rb")
        file.seek(begin)
        return file


class SealedFile:
    """Reads a sealed file. Each piece that does not fit raises `Tampered`."""

    def __init__(self, place: Place | Path, key: DataKey, name: str) -> None:
        """Raises what the place raises where it cannot be read, `Tampered` where it is no sealed file."""
        self._place = OnDisk(place) if isinstance(place, Path) else place
        self._key = key
        self._name = name
        begins, whole = self._place.begin(len(MAGIC))
        size = whole - len(MAGIC)
        self._pieces, rest = divmod(size, PIECE + _MORE)
        if rest or not self._pieces:
            self._pieces += 1
        self.length = size - _MORE * self._pieces
        """Of what was sealed, in bytes."""
        if begins != MAGIC or self.length < 0:
            raise Tampered("This is no sealed file of ours, or it is damaged.")

    def read(self, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `begin` up to `end` (not included), piece by piece."""
        end = self.length if end is None else min(end, self.length)
        place = begin // PIECE
        if place * PIECE >= end:
            return
        size = PIECE + _MORE
        last = min(len(MAGIC) + -(-end // PIECE) * size, len(MAGIC) + self.length + self._pieces * _MORE)
        with self._place.opened(len(MAGIC) + place * size, last) as file:
            while place * PIECE < end:
                piece = self._key.open(file.read(size), _bound(self._name, place, place == self._pieces - 1))
                first = place * PIECE
                yield piece[max(0, begin - first) : end - first]
                place += 1

    def summary(self) -> Summary:
        """Digest and length of what was sealed, by reading all of it."""
        digest, length = hashlib.sha256(), 0
        for place, piece in enumerate(self.read()):
            digest.update(piece)
            length += len(piece)
            if place % _AT_ONCE == 0:
                time.sleep(0)  # whoever shares this thread goes on
        return Summary(digest.hexdigest(), length)


def _write(plain: BinaryIO, out: BinaryIO, key: DataKey, name: str) -> Summary:
    digest, length, place = hashlib.sha256(), 0, 0
    out.write(MAGIC)
    piece = plain.read(PIECE)
    while True:
        following = plain.read(PIECE) if len(piece) == PIECE else b""
        digest.update(piece)
        length += len(piece)
        out.write(key.seal(piece, _bound(name, place, not following)))
        if not following:
            return Summary(digest.hexdigest(), length)
        piece, place = following, place + 1


def _bound(name: str, place: int, last: bool) -> bytes:  # noqa: FBT001 - of one caller each
    return f"{name}\x1f{place}\x1f{int(last)}".encode()
