"""The tape of a real run, put through the runner again, makes the very same records (feature 11.4; law 3)."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from orchestrator import cluster
from orchestrator.calls import recent
from orchestrator.domain.kernel import LIVE_KINDS, Record, kind_of
from orchestrator.domain.world import World
from orchestrator.runner import Outcome, Runner, Started
from orchestrator.settings import Settings
from orchestrator.store import KeyShelf, Log, Source
from orchestrator.tape import Hole, inputs_of, read, segments
from orchestrator.vault import Vault
from tests.lab.patience import until
from tests.postgres import make_reachable_directory, settings_for

ENDED = 3


def test_a_tape_drives_the_same_records_with_the_same_ids() -> None:
    """Feature 11.4: every live record of the log is made again, and no other."""
    home = make_reachable_directory() / "home"
    settings = settings_for(home)
    _run_the_demo_until(settings, ENDED)
    database = cluster.ensure_running(settings, lambda _: None)
    source = Source(database.url_reader, name="redrive")
    try:
        vault = Vault.unlock(settings.kek_file, KeyShelf(source))
        records = list(Log(source, vault=vault).history())
        again = [record for outcome in _redriven(settings, vault, records) for record in outcome.records]
    finally:
        source.close()
        database.stop()
    live = [record for record in records if kind_of(record.stream) in LIVE_KINDS]
    assert len(live) > 50
    for expected, made in zip(live, again, strict=True):
        assert (made.stream, made.version, made.event_id, made.event, made.about) == (
            expected.stream,
            expected.version,
            expected.event_id,
            expected.event,
            expected.about,
        )


def _redriven(settings: Settings, vault: Vault, records: list[Record]) -> list[Outcome]:
    runner = Runner(World())
    outcomes = []
    for item in read(segments(settings.tapes), vault):
        assert not isinstance(item, Hole), item
        for given in inputs_of(item):
            if isinstance(given.body, Started):
                world = World()
                for record in records:
                    if record.position <= given.body.position:
                        world.apply(record)
                runner = Runner(world)
            outcomes.append(runner.step(given))
    return outcomes


def _run_the_demo_until(settings: Settings, ended: int) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RINGLEDGER_")}
    environ |= {"RINGLEDGER_HOME": str(settings.home), "RINGLEDGER_METRICS": ""}
    output = Path(f"{settings.home}.out")
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", "run"], env=environ, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        until(lambda: "engine: active" in output.read_text(), f"the engine to run, see {output}", within_s=60)
        database = cluster.ensure_running(settings, lambda _: None)
        source = Source(database.url_reader, name="waiting")
        try:
            log = Log(source)
            until(
                lambda: sum(bool(call.ended) for call in recent(log.history(kinds=("contact",)))) >= ended,
                f"{ended} contacts to end",
                within_s=180,
            )
        finally:
            source.close()
            database.stop()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, output.read_text()
