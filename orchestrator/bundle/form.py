"""The container: a zip archive of a manifest and parts, each with its digest; sealed where it holds personal data.

    manifest.json           what it is, from when to when, and of each part its length and SHA-256
    manifest.seal           of a sealed one: proof that whoever wrote the manifest had the key
    events/000001.jsonl     the log: a JSON object a line, as `position stream version topic state`
    tape/000001.lines       the tape: `<kind> <u32 length> bytes`, a line or a hole

A sealed part is its deflated bytes under the bundle's key, bound to the part's name. Whatever is read is bounded before
it is unpacked, no name of a part is ever a path, and nothing is used whose digest is not the manifest's.
"""

import base64
import hashlib
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from orchestrator.domain.kernel import Instant, Refused
from orchestrator.replay.moments import iso
from orchestrator.vault import DataKey, Tampered

FORMAT: Final = 1
MANIFEST, SEAL = "manifest.json", "manifest.seal"
PART_BYTES: Final = 8 * 1024 * 1024
# Whoever forges a bundle must not fill the memory of whoever opens it.
MOST_PART_BYTES: Final = 64 * 1024 * 1024
MOST_BYTES: Final = 4 * 1024 * 1024 * 1024
MOST_PARTS: Final = 2_000
MOST_MANIFEST_BYTES: Final = 4 * 1024 * 1024
_PART: Final = re.compile(r"(events/[0-9]{6}\.jsonl|tape/[0-9]{6}\.lines)")
_KEY_HEAD: Final = "ringledger-bundle-key-1 "
_KEY_BYTES: Final = 32
_LEVEL: Final = 6
# Others unpack with modules of their own, and fail in ways of their own.
_PACKED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What a damaged archive makes the reader of archives raise, when it looks at it and when it reads a part.
_UNREADABLE: Final = (
    OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, struct.error,
)  # fmt: skip
# What zip writes where nobody says when: two bundles of the same are the same bytes.
_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)


class BadBundle(Refused):
    """A bundle that cannot be used; the message says why, and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"bundle_{code}", message)


class Part(Struct, frozen=True, kw_only=True):
    """One part: its length once unpacked, and the digest of its bytes in the archive."""

    length: Annotated[int, Meta(ge=0)]
    digest: str


class Check(Struct, frozen=True, kw_only=True):
    """What the code that made the bundle came to when it drove it again."""

    steps: int
    differences: int
    undriven: int = 0
    """Events of the window whose inputs are not on the tape."""


class Manifest(Struct, frozen=True, kw_only=True):
    """What a bundle says of itself. Nothing in it is personal."""

    format: int
    site: str
    timezone: str
    made_at: Instant
    begins: Instant
    ends: Instant
    first_position: int
    """The position of the first event within the window; what comes before it is what decisions rest on."""
    whole: bool
    """Whether everything before the window is there; otherwise what was going on then, and the day before."""
    events: int
    lines: int
    holes: int
    sealed: bool
    pseudonymous: bool
    erased: int
    """Streams of people whose personal text was erased: it is not in the tape, either."""
    check: Check
    by_veil: tuple[str, ...] = ()
    """Inputs that are decided otherwise because of their pseudonyms alone. Incomplete where `check.differences` is
    `MOST_DIFFERENCES`: after so many nothing more is compared.
    """
    parts: dict[str, Part]

    @property
    def veiled(self) -> bool:
        """Whether personal text is not what it was."""
        return self.pseudonymous or bool(self.erased)


class _Format(Struct):
    format: int


# --- writing ---------------------------------------------------------------------------------------------------------
class Packer:
    """Parts into an archive, the manifest last."""

    def __init__(self, file: IO[bytes], key: DataKey | None) -> None:
        self._zip = zipfile.ZipFile(file, "w")
        self._key = key
        self.parts: dict[str, Part] = {}

    def add(self, name: str, plain: bytes) -> None:
        """One part."""
        data = plain
        if self._key is not None:
            data = self._key.seal(zlib.compress(plain, _LEVEL), name.encode())
        self.parts[name] = Part(length=len(plain), digest=hashlib.sha256(data).hexdigest())
        self._write(name, data)

    def close(self, manifest: Manifest) -> str:
        """The manifest, and the end; the bundle's fingerprint."""
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        self._write(MANIFEST, text)
        if self._key is not None:
            self._write(SEAL, self._key.seal(b"", text))
        self._zip.close()
        return hashlib.sha256(text).hexdigest()

    def _write(self, name: str, data: bytes) -> None:
        how = zipfile.ZIP_STORED if self._key is not None else zipfile.ZIP_DEFLATED
        info = zipfile.ZipInfo(name, _NO_DATE)
        info.compress_type = how
        info.external_attr = 0o600 << 16
        self._zip.writestr(info, data, compresslevel=_LEVEL)


def write_key(path: Path, key: DataKey) -> None:
    """The key in a file that only its owner reads. Raises FileExistsError."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(_KEY_HEAD + base64.b64encode(key.raw).decode() + "\n")


def read_key(path: Path) -> DataKey:
    """The key of this file. Raises `BadBundle`."""
    try:
        text = path.read_text(encoding="ascii").strip()
        raw = base64.b64decode(text.removeprefix(_KEY_HEAD), validate=True)
    except (OSError, ValueError) as error:
        raise BadBundle(
            "no_key", f"The bundle is sealed and its key {path} cannot be read ({error}); ask whoever made it for it."
        ) from None
    if not text.startswith(_KEY_HEAD) or len(raw) != _KEY_BYTES:
        raise BadBundle("no_key", f"{path} is not the key of a bundle.")
    return DataKey(raw)


# --- reading ---------------------------------------------------------------------------------------------------------
class Unpacker:
    """A bundle that was looked at: its manifest, and its parts once they are asked for. Raises `BadBundle`."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise BadBundle("missing", f"There is no file {path}.") from None
        except _UNREADABLE as error:
            raise BadBundle(
                "cut_short", f"{path} is no bundle, or was cut short on its way ({error}); copy it again."
            ) from None
        self._path = path
        self._key: DataKey | None = None
        self._infos = self._checked(self._zip.infolist())
        self._text = self._read(MANIFEST, MOST_MANIFEST_BYTES)
        self.fingerprint = hashlib.sha256(self._text).hexdigest()
        self.manifest = self._manifest(self._text)

    def unlock(self, key: DataKey) -> None:
        """Read a sealed bundle with its key, which proves that its manifest was not altered."""
        try:
            key.open(self._read(SEAL, MOST_MANIFEST_BYTES), self._text)
        except Tampered:
            raise BadBundle(
                "forged", "The key does not fit the bundle: it is that of another one, or the bundle was altered."
            ) from None
        self._key = key

    def parts(self, folder: str) -> Iterator[bytes]:
        """The parts of this folder, in their order, unpacked."""
        for name in sorted(self.manifest.parts):
            if name.startswith(f"{folder}/"):
                yield self._part(name, self.manifest.parts[name])

    def close(self) -> None:
        """Let the file go."""
        self._zip.close()

    def _checked(self, infos: list[zipfile.ZipInfo]) -> Mapping[str, zipfile.ZipInfo]:
        found: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            name = info.filename
            if name not in (MANIFEST, SEAL) and not _PART.fullmatch(name):
                raise BadBundle(
                    "forged", f"The bundle holds {name[:60]!r}, which no bundle does. Nothing was unpacked."
                )
            if name in found:
                raise BadBundle("forged", f"The bundle holds {name} twice. Nothing was unpacked.")
            if info.compress_type not in _PACKED:
                raise BadBundle("forged", f"{name} is packed as no bundle's part is. Nothing was unpacked.")
            found[name] = info
        if len(found) > MOST_PARTS:
            raise BadBundle("too_large", f"The bundle has {len(found)} parts; at most {MOST_PARTS} are read.")
        return found

    def _manifest(self, text: bytes) -> Manifest:
        try:
            told = msgspec.json.decode(text, type=_Format)
            if told.format > FORMAT:
                raise BadBundle(
                    "newer",
                    f"The bundle was made by a newer Ringledger (format {told.format}; this one reads up to {FORMAT}). "
                    "Open it with that version or a later one.",
                )
            manifest = msgspec.json.decode(text, type=Manifest)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadBundle("forged", f"The bundle's manifest cannot be read: {error}") from None
        try:
            ZoneInfo(manifest.timezone)
            for instant in (manifest.made_at, manifest.begins, manifest.ends):
                iso(instant)
        except (ZoneInfoNotFoundError, ValueError, OSError, OverflowError) as error:
            raise BadBundle(
                "forged", f"The bundle's manifest has a time, or a time zone, that is none: {str(error)[:200]}"
            ) from None
        if sum(part.length for part in manifest.parts.values()) > MOST_BYTES:
            raise BadBundle("too_large", f"The bundle would take more than {MOST_BYTES >> 30} GiB of memory.")
        missing = sorted(manifest.parts.keys() - self._infos.keys())
        if missing:
            raise BadBundle("cut_short", f"The bundle lacks {', '.join(missing[:3])}; copy it again.")
        extra = sorted(self._infos.keys() - manifest.parts.keys() - {MANIFEST, SEAL})
        if extra:
            raise BadBundle("forged", f"The bundle holds {extra[0]}, of which its manifest knows nothing.")
        return manifest

    def _part(self, name: str, told: Part) -> bytes:
        data = self._read(name, MOST_PART_BYTES)
        if hashlib.sha256(data).hexdigest() != told.digest:
            raise BadBundle("forged", f"{name} is not what the manifest says: the bundle was altered or damaged.")
        if self._key is not None:
            data = _unsealed(name, data, self._key)
        if len(data) != told.length:
            raise BadBundle("forged", f"{name} does not have the length that the manifest says.")
        return data

    def _read(self, name: str, most: int) -> bytes:
        """The bytes of a part, of which no more than `most` are ever unpacked."""
        info = self._infos.get(name)
        if info is None:
            raise BadBundle("cut_short", f"{self._path} has no {name}: it is no bundle, or not all of one.")
        try:
            with self._zip.open(info) as file:
                data = file.read(most + 1)
        except _UNREADABLE as error:
            raise BadBundle(
                "cut_short", f"{name} cannot be read ({error}): damaged or cut short; copy it again."
            ) from None
        if len(data) > most:
            raise BadBundle("too_large", f"{name} would be larger than {most >> 20} MiB.")
        return data


def _unsealed(name: str, data: bytes, key: DataKey) -> bytes:
    try:
        unzip = zlib.decompressobj()
        plain = unzip.decompress(key.open(data, name.encode()), MOST_PART_BYTES)
    except (Tampered, zlib.error):
        raise BadBundle("forged", f"{name} does not fit the key: the bundle was altered or damaged.") from None
    if unzip.unconsumed_tail:
        raise BadBundle("too_large", f"{name} would be larger than {MOST_PART_BYTES >> 20} MiB.")
    return plain
