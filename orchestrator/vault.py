"""Keys and sealing (law 11): personal text leaves the process only under a key of the person whom it is about.

    key-encryption key (a file, outside the database)
      └─ wraps the data key of customer-X                 destroy this one, and all below is noise
           └─ wraps the data key of contact-Y             once its person is known; before, the file's key

A data key is AES-256-GCM and belongs to one subject, which is a stream's name. The sealed text is bound to its stream
and field, so that it cannot be moved to another. Beside the text stands a blind index: a keyed hash by which a number
can be found though nobody can read it.

Nothing here talks to a database: wrapped keys come from and go to a `Shelf`.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEALED: Final = "‹sealed›"
"""What a personal field reads as where no vault is at hand."""
ERASED: Final = "‹erased›"
"""What a personal field reads as after its subject's key was destroyed."""

_KEY_BYTES: Final = 32
# NIST SP 800-38D, 8.2: 96 random bits are a sound nonce for up to 2^32 texts under one key; no subject comes near.
_NONCE_BYTES: Final = 12
_FILE_HEAD: Final = "ringledger-kek-1 "


class VaultError(Exception):
    """Keys and database do not fit together; the message says what to do."""


class KeyFileMissing(VaultError):
    """The database holds keys, but the file of the key that opens them is not there."""


class KeyFileWrong(VaultError):
    """The key file is not the one that the database's keys were wrapped with, or it is damaged or open to others."""


class Tampered(VaultError):
    """Sealed text that does not fit its key, stream and field."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A row of the shelf. `wrapped` is None once the key was destroyed; `parent` is None under the file's key."""

    subject: str
    parent: str | None
    wrapped: bytes | None


class Shelf(Protocol):
    """Where wrapped keys are kept."""

    def fetch(self, subjects: Collection[str]) -> Mapping[str, WrappedKey]:
        """The rows of these subjects and of all their parents; none for a subject that never had a key."""
        ...

    def check_value(self) -> str | None:
        """What was remembered of the key-encryption key, None before the first start."""
        ...

    def remember_check_value(self, value: str) -> str:
        """Store it unless there is one already; the one that is stored then."""
        ...


class DataKey:
    """A subject's key, opened."""

    __slots__ = ("_cipher", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._cipher = AESGCM(raw)

    @classmethod
    def fresh(cls) -> "DataKey":
        return cls(AESGCM.generate_key(_KEY_BYTES * 8))

    def seal(self, plain: bytes, bound_to: bytes) -> bytes:
        """Nonce, cipher text and tag in one; 28 bytes longer than the plain text."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, bound_to)

    def open(self, sealed: bytes, bound_to: bytes) -> bytes:
        """The plain text; raises `Tampered` unless key, text and what it was bound to all fit."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError) as error:
            raise Tampered("Sealed text does not fit its key, stream and field: moved, altered or damaged.") from error


class Vault:
    """Opens and closes data keys, keeps a bounded number of them open for a bounded time.

    An erasure elsewhere is noticed here after at most `cache_s` seconds.
    """

    def __init__(self, kek: bytes, shelf: Shelf, *, cache_size: int = 20_000, cache_s: float = 60.0) -> None:
        self._kek = DataKey(kek)
        self._index_key = _derived(kek, "blind index")
        self._named: dict[str, DataKey] = {}
        self._shelf = shelf
        self._cache: OrderedDict[str, tuple[DataKey | None, float]] = OrderedDict()
        self._cache_size = cache_size
        self._cache_s = cache_s
        self._lock = threading.Lock()

    @classmethod
    def unlock(cls, path: Path, shelf: Shelf, *, cache_size: int = 20_000, cache_s: float = 60.0) -> "Vault":
        """The vault of this file and shelf; at the very first start the file is made.

        Raises `KeyFileMissing` or `KeyFileWrong` with advice, and whatever the shelf raises when it cannot be reached.
        """
        known = shelf.check_value()
        if known is None:
            kek = _read_file(path) if path.exists() else _make_file(path)
            known = shelf.remember_check_value(check_value(kek))
        elif not path.exists():
            raise KeyFileMissing(
                f"The database holds encrypted personal data, but its key file {path} is not there. Copy the file back "
                f"from where you keep it, or point RINGLEDGER_KEK_FILE at it. Without it names and numbers "
                f"cannot be read by anybody; a new key is not made, since it would open nothing."
            )
        else:
            kek = _read_file(path)
        if not hmac.compare_digest(known, check_value(kek)):
            raise KeyFileWrong(
                f"{path} is not the key that this database's personal data was encrypted with. Put the right file "
                f"there, or point RINGLEDGER_KEK_FILE at it, or RINGLEDGER_DATABASE_URL at the database that "
                f"belongs to this key. Nothing was changed."
            )
        return cls(kek, shelf, cache_size=cache_size, cache_s=cache_s)

    # --- data keys ---------------------------------------------------------------------------------------------------
    def keys(self, subjects: Collection[str]) -> dict[str, DataKey | None]:
        """The open key of each subject, None where it was destroyed; a subject that never had one is missing."""
        now = time.monotonic()
        found: dict[str, DataKey | None] = {}
        missing: list[str] = []
        with self._lock:
            for subject in subjects:
                kept = self._cache.get(subject)
                if kept is None or kept[1] < now:
                    missing.append(subject)
                else:
                    self._cache.move_to_end(subject)
                    found[subject] = kept[0]
        if missing:
            rows = self._shelf.fetch(missing)
            for subject in missing:
                if subject in rows:
                    found[subject] = self._open_row(subject, rows)
            self.keep({subject: found[subject] for subject in missing if subject in found})
        return found

    def keep(self, keys: Mapping[str, DataKey | None]) -> None:
        """Hold these keys open, for they are in the database now."""
        until = time.monotonic() + self._cache_s
        with self._lock:
            for subject, key in keys.items():
                self._cache[subject] = (key, until)
                self._cache.move_to_end(subject)
            while len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)

    def forget(self, subjects: Collection[str] | None = None) -> None:
        """Close the keys of these subjects, or all."""
        with self._lock:
            if subjects is None:
                self._cache.clear()
            else:
                for subject in subjects:
                    self._cache.pop(subject, None)

    def wrap(self, subject: str, key: DataKey, under: DataKey | None = None) -> bytes:
        """The key as it may be stored: under another subject's key, or under the file's."""
        return (under or self._kek).seal(key.raw, b"key\x1f" + subject.encode())

    def _open_row(self, subject: str, rows: Mapping[str, WrappedKey]) -> DataKey | None:
        row = rows[subject]
        if row.wrapped is None:
            return None
        holder: DataKey | None = self._kek
        if row.parent is not None:
            holder = self._open_row(row.parent, rows) if row.parent in rows else None
        return None if holder is None else DataKey(holder.open(row.wrapped, b"key\x1f" + subject.encode()))

    # --- look-up and named keys --------------------------------------------------------------------------------------
    def token(self, index: str, value: str) -> bytes:
        """The blind-index token of a value, 32 bytes; equal for equal values, and telling nothing without the key."""
        return hmac.digest(self._index_key, index.encode() + b"\x1f" + value.encode(), "sha256")

    def seal_bytes(self, name: str, plain: bytes, bound_to: bytes = b"") -> bytes:
        """`plain` under the key of this name, which needs no database: the tape must record while that is away."""
        return self.named_key(name).seal(plain, bound_to)

    def open_bytes(self, name: str, sealed: bytes, bound_to: bytes = b"") -> bytes:
        """What `seal_bytes` was given; raises `Tampered`."""
        return self.named_key(name).open(sealed, bound_to)

    def named_key(self, name: str) -> DataKey:
        """The key of this name, which needs no database, as in `seal_bytes`."""
        with self._lock:
            key = self._named.get(name)
        if key is None:
            key = DataKey(_derived(self._kek.raw, "named\x1f" + name))
            with self._lock:
                # Names are few (a tape segment each); whoever makes many must not fill memory with them.
                if len(self._named) >= 64:  # noqa: PLR2004 - a bound of no meaning
                    self._named.clear()
                self._named[name] = key
        return key


def seal_text(key: DataKey, stream: str, field: str, plain: str) -> str:
    """A personal field's text as it is stored: base64 of nonce, cipher text and tag, bound to stream and field."""
    return base64.b64encode(key.seal(plain.encode(), _bound(stream, field))).decode()


def open_text(key: DataKey, stream: str, field: str, sealed: str) -> str:
    """What `seal_text` was given; raises `Tampered`."""
    try:
        raw = base64.b64decode(sealed, validate=True)
    except ValueError as error:
        raise Tampered("Sealed text is no base64: altered or damaged.") from error
    return key.open(raw, _bound(stream, field)).decode()


def check_value(kek: bytes) -> str:
    """What the database remembers of the key-encryption key: enough to know it again, useless to find it."""
    return hashlib.sha256(_derived(kek, "check")).hexdigest()


def _bound(stream: str, field: str) -> bytes:
    return stream.encode() + b"\x1f" + field.encode()


def _derived(kek: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"ringledger " + purpose.encode()).derive(kek)


def _read_file(path: Path) -> bytes:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyFileWrong(f"Others can read the key file {path} (mode {mode:04o}). Run: chmod 600 {path}")
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        kek = base64.b64decode(text.removeprefix(_FILE_HEAD), validate=True)
    except ValueError:
        kek = b""
    if not text.startswith(_FILE_HEAD) or len(kek) != _KEY_BYTES:
        raise KeyFileWrong(f"{path} is not a key file of ours, or is damaged. Copy it back from where you keep it.")
    return kek


def _make_file(path: Path) -> bytes:
    """Write a new key so that no crash leaves half a file, and of two first starts at once both use the same."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(_FILE_HEAD + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            os.link(half, path)
    finally:
        half.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return _read_file(path)
