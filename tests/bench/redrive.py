"""Re-drive: how many events of the log today's code makes again in a second, on one core, and compares; and bundles.

A simulated centre of a busy day with its own tape: what is measured is translation-free, as a pseudonymous bundle is.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from orchestrator.bundle import opened
from orchestrator.domain.kernel import SECOND
from orchestrator.redrive import redrive
from tests.bundle.kit import window, write
from tests.redrive.taped import TapedRun, UnwatchedRun
from tests.simulation.run import Size
from tests.simulation.weather import Weather

BUSY: Final = Size(contacts=2_500, agents=100, lasts=3_000 * SECOND, willing=True)
SEED: Final = 5


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group."""
    played = UnwatchedRun(SEED, weather=Weather(), size=BUSY).play()
    tape, log = played.tape(), played.log()
    report, spent = _timed(tape, log)
    assert report.same, "the code that recorded it decides otherwise"
    yield {
        "name": "redrive.events_per_s",
        "value": round(report.records / spent),
        "unit": "1/s",
        "what": "events made again and compared, on one core",
        "steps_per_s": round(report.inputs / spent),
        "events": report.records,
        "instructions": report.instructions,
    }
    with TemporaryDirectory() as folder:
        yield from _bundle(Path(folder) / "busy.bundle", played)


def _timed(tape: Any, log: Any) -> tuple[Any, float]:  # noqa: ANN401 - what a run gives
    begun = time.process_time()
    report = redrive(tape, log)
    return report, time.process_time() - begun


def _bundle(path: Path, played: TapedRun) -> Iterator[dict[str, Any]]:
    begun = time.process_time()
    manifest = write(path, window(played), sealed=True)
    made = time.process_time() - begun
    yield {
        "name": "bundle.make_events_per_s",
        "value": round(manifest.events / made),
        "unit": "1/s",
        "what": "driven again included",
    }
    yield {
        "name": "bundle.bytes_per_event",
        "value": round(path.stat().st_size / manifest.events, 1),
        "unit": "bytes",
        "what": "its tape included",
    }
    begun = time.process_time()
    with opened(path) as found:
        found.records()
    yield {
        "name": "bundle.open_events_per_s",
        "value": round(manifest.events / (time.process_time() - begun)),
        "unit": "1/s",
    }
