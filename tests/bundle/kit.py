"""Bundles of simulated runs, made without a database."""

import io
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from orchestrator.bundle import form
from orchestrator.bundle.form import Manifest, write_key
from orchestrator.bundle.made import Window, pack
from orchestrator.bundle.veil import Erased, Veil
from orchestrator.domain.kernel import Instant
from orchestrator.tape import Hole, Recorded
from orchestrator.vault import DataKey
from tests.redrive.taped import TapedRun

ZONE = ZoneInfo("Asia/Shanghai")
AT = Instant(1)
NOBODY = Erased(frozenset(), frozenset(), frozenset())
GONE = Erased(frozenset({"contact-c-1"}), frozenset({"leg-1"}), frozenset({"3-9"}))
Altered = Callable[[dict[str, bytes]], dict[str, bytes]]


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


def veiled(veil: Veil, *bodies: object) -> list[Recorded | Hole]:
    """What a veil leaves of these, as lines of a tape."""
    lines = [Recorded(f"3-{n}", AT, "fs1", body) for n, body in enumerate(bodies, 1)]  # type: ignore[arg-type]
    return list(veil.lines(lines))


def altered(path: Path, target: Path, change: Altered, how: int = zipfile.ZIP_DEFLATED) -> Path:
    """A copy of a bundle with other parts."""
    with zipfile.ZipFile(path) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(target, "w", how) as archive:
        for each, data in change(parts).items():
            archive.writestr(each, data)
    return target


def with_manifest(**other: object) -> Altered:
    """A manifest that says something else."""

    def change(parts: dict[str, bytes]) -> dict[str, bytes]:
        manifest = msgspec.json.decode(parts[form.MANIFEST])
        return {**parts, form.MANIFEST: msgspec.json.encode({**manifest, **other})}

    return change


def with_part(name: str, data: bytes) -> Altered:
    """Another part, of which the manifest says the truth."""

    def change(parts: dict[str, bytes]) -> dict[str, bytes]:
        manifest = msgspec.json.decode(parts[form.MANIFEST])
        manifest["parts"][name] = {"length": len(data), "digest": sha256(data).hexdigest()}
        return {**parts, name: data, form.MANIFEST: msgspec.json.encode(manifest)}

    return change
