"""Files that outlive a loss of power: what is in them, and that they are there."""

import os
from collections.abc import Callable
from pathlib import Path

Mark = Callable[[int], None]
"""What else is to be done with the new file, by its descriptor, before it takes the place of the old one."""


def replace(path: Path, data: bytes, mark: Mark | None = None) -> None:
    """Let this stand there, for us alone: all of it or what was there before. Raises OSError."""
    half = path.with_name(f".{path.name}.half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        if mark is not None:
            mark(file.fileno())
    half.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """What happened to the names in a folder stands. Raises OSError."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
