"""Bundles of simulated runs, made without a database."""

import io
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestrator.bundle.form import Manifest, write_key
from orchestrator.bundle.made import Window, pack
from orchestrator.domain.kernel import Instant
from orchestrator.vault import DataKey
from tests.redrive.taped import TapedRun

ZONE = ZoneInfo("Asia/Shanghai")


def window(run: TapedRun, *, since: Instant | None = None, until: Instant | None = None) -> Window:
    """All of a run, or what is between two instants."""
    tape = run.tape()
    ends = until if until is not None else tape[-1].at
    return Window(
        site="main",
        zone=ZONE,
        begins=since if since is not None else tape[0].at,
        ends=ends,
        records=[record for record in run.log() if record.about.at <= ends],
        whole=True,
        items=[line for line in tape if line.at <= ends],
    )


def write(path: Path, what: Window, *, sealed: bool = False) -> Manifest:
    """A bundle of this window at `path`, with its key beside it where it is sealed."""
    key = DataKey.fresh() if sealed else None
    file = io.BytesIO()
    manifest, _ = pack(what, file, key, made_at=Instant(what.ends + 1))
    path.write_bytes(file.getvalue())
    if key is not None:
        write_key(path.with_name(f"{path.name}.key"), key)
    return manifest
