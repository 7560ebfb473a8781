"""Other media onto which old recordings are moved: folders, each of which bears its own name.

The name stands in a file in the folder, not in its path: whatever is mounted where, a medium is known again, and a
mount point whose disk is away is no medium. The name stands in the log with each recording that lies there; it ends in
eight digits drawn by lot, so that no two media bear one name but a medium and its copy.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from orchestrator.settings import SettingsError

LABEL: Final = ".medium"
_GIVEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")
_NAME: Final = re.compile(rf"{_GIVEN.pattern}(\.[0-9a-f]{{8}})?")


class Media:
    """The folders in which media may be found, the first that is one being that which is filled now."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self.folders = tuple(folders)

    def mounted(self) -> Iterator[tuple[str, Path]]:
        """The names of those that are there, and where."""
        for folder in self.folders:
            if name := name_of(folder):
                yield name, folder

    def filled(self) -> tuple[str, Path] | None:
        """The one onto which is moved, by its name; None where none is there."""
        return next(self.mounted(), None)

    def is_there(self, name: str) -> bool:
        """Whether a medium of this name is there."""
        return any(found == name for found, _ in self.mounted())

    def place(self, name: str, file: str) -> Path | None:
        """Where this file is on the medium of this name, or would be; None where that is away. Where a copy of a medium
        is there as well, it may lie on either.
        """
        places = [folder / file for found, folder in self.mounted() if found == name]
        return next((place for place in places if place.is_file()), places[0] if places else None)


def name_of(folder: Path) -> str:
    """What this medium is called; empty where it is none, or cannot be read."""
    try:
        name = (folder / LABEL).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return name if _NAME.fullmatch(name) else ""


def label(folder: Path, name: str, *, kept: Path) -> str:
    """Make this folder a medium that is called so; its whole name, which no other medium has. `kept`: where sealed
    files are before they are moved.

    Raises `SettingsError` where it has another name, for no name, and for `kept` itself; OSError where it cannot be
    written.
    """
    if not _GIVEN.fullmatch(name):
        raise SettingsError("A medium is called by up to 40 letters a-z, digits and -.")
    if kept.exists() and folder.samefile(kept):
        raise SettingsError(f"{folder} is the folder of RINGLEDGER_KEPT: that is where recordings are moved from.")
    before = name_of(folder)
    if before.partition(".")[0] == name:
        return before
    if before:
        raise SettingsError(f"{folder} is the medium {before} already; recordings may lie there by that name.")
    whole = f"{name}.{secrets.token_hex(4)}"
    (folder / LABEL).write_text(f"{whole}\n", encoding="utf-8")
    return whole
