"""Other media onto which old recordings are moved: folders, each of which bears its own name.

The name stands in a file in the folder, not in its path: whatever is mounted where, a medium is known again, and a
mount point whose disk is away is no medium. The name stands in the log with each recording that lies there.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from orchestrator.settings import SettingsError

LABEL: Final = ".medium"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")


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

    def where(self, name: str) -> Path | None:
        """Where the medium of this name is now; None where it is away."""
        return next((folder for found, folder in self.mounted() if found == name), None)


def name_of(folder: Path) -> str:
    """What this medium is called; empty where it is none, or cannot be read."""
    try:
        name = (folder / LABEL).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return name if _NAME.fullmatch(name) else ""


def label(folder: Path, name: str) -> None:
    """Make this folder a medium of this name. Raises `SettingsError` where it has another, or for no name;
    OSError where it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError("A medium is called by up to 40 letters a-z, digits and -.")
    before = name_of(folder)
    if before not in ("", name):
        raise SettingsError(f"{folder} is the medium {before} already; recordings may lie there by that name.")
    (folder / LABEL).write_text(f"{name}\n", encoding="utf-8")
