"""The phones' passwords: made by us, kept in one private file, never in the log, the ledger or the configuration."""

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from freeswitch.directory import Phone

BYTES = 18
"""144 bits of chance, 24 characters: out of reach of guessing, still possible to type into a desk phone."""


def phones(path: Path, extensions: Iterable[str]) -> list[Phone]:
    """The accounts of `extensions`, in their order; whoever has no password yet gets one, written to `path` first.

    A password outlives its agent's absence from the configuration, so that a phone still works when it comes back.
    Raises ValueError when the file is not ours to read, and OSError as the file system does.
    """
    wanted = list(dict.fromkeys(extensions))
    known = _read(path)
    missing = [extension for extension in wanted if extension not in known]
    if missing:
        known |= {extension: secrets.token_urlsafe(BYTES) for extension in missing}
        _write(path, known)
    return [Phone(extension, known[extension]) for extension in wanted]


def _read(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    try:
        kept = json.loads(text)
    except ValueError as cause:
        raise ValueError(
            f"{path} is not the JSON that we wrote: restore it, or remove it to make new passwords"
        ) from cause
    if not isinstance(kept, dict) or not all(isinstance(value, str) and value for value in kept.values()):
        raise ValueError(f"{path} must map extensions to passwords: restore it, or remove it to make new passwords")
    return kept


def _write(path: Path, known: dict[str, str]) -> None:
    """Replace the file in one step, readable by its owner only from its first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(known, file, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
