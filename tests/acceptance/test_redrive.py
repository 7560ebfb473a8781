"""The tape of a real run, put through the runner again, makes the very same records (feature 11.4; law 3)."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator import cluster
from orchestrator.bundle import BadBundle, made, opened
from orchestrator.calls import recent
from orchestrator.domain.access.bundles import BundleMade
from orchestrator.domain.contacts.contacts import ContactArrived, ContactEnded
from orchestrator.domain.kernel import LIVE_KINDS, Record, Refused, kind_of
from orchestrator.redrive import WARM, gathered, here
from orchestrator.replay.picture import picture
from orchestrator.settings import Settings
from orchestrator.store import Log, Source
from tests.lab.patience import until
from tests.postgres import make_reachable_directory, settings_for
from tests.simulation.comparing import fold

ENDED = 3


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that does not exist yet, gone after the test."""
    place = make_reachable_directory()
    yield place / "home"
    shutil.rmtree(place)


def test_a_tape_drives_the_same_records_with_the_same_ids(home: Path) -> None:
    """Feature 11.4: every live record of the log is made again, and no other; by hand and out of a bundle."""
    settings = settings_for(home)
    _run_the_demo_until(settings, ENDED)
    with here.opened(settings) as own:
        report, records, whole = here.redrive_here(own, None, None)
        _of_a_long_log_what_was_going_on_is_enough(own, records)
    live = [record for record in records if kind_of(record.stream) in LIVE_KINDS]
    assert whole
    assert report.differences == ()
    assert report.holes == ()
    assert report.records == len(live) > 50
    assert report.instructions > 20
    assert report.undriven == report.unstored == report.unsure == 0
    _a_bundle_of_it(
        settings, home.parent, {r.event.caller_number for r in records if isinstance(r.event, ContactArrived)}
    )


def _of_a_long_log_what_was_going_on_is_enough(own: here.Home, records: list[Record]) -> None:
    """A log of millions of events is not folded from its beginning for a window of a minute."""
    begins = next(record.about.at for record in records if isinstance(record.event, ContactEnded))
    ends = records[-1].about.at
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathered, "MOST_WHOLE", -1)
        driven = here.redrive_here(own, begins, ends)
        assert (driven.whole, driven.report.differences) == (False, ())
        patch.setattr(gathered, "DAY", -WARM)
        fewer, _ = gathered.rests_on(own.log, begins, ends)
        patch.setattr(here, "MOST_EVENTS", 20)
        with pytest.raises(Refused, match="Take a shorter window, for example --from"):
            here.redrive_here(own, None, None)
        patch.setattr(made, "MOST_EVENTS", 20)
        with pytest.raises(BadBundle, match="Take a shorter window, for example --from"):
            made.make(own, begins, ends, own.settings.home / "never", pseudonymous=True, reason="")
    pictures = [
        picture(fold([record for record in some if record.about.at <= begins]), begins, position=0)
        for some in (fewer, records)
    ]
    assert len(fewer) < len(records)
    for part in ("contacts", "shifts"):
        assert pictures[0][part] == pictures[1][part]


def _a_bundle_of_it(settings: Settings, folder: Path, numbers: set[str]) -> None:
    """By the commands that a person types; both kinds, and the log says that they were made."""
    begins, ends = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC)
    window = ("--from", begins.isoformat(), "--to", ends.isoformat())
    sealed = _ringledger(settings, "bundle", "make", str(folder / "night.bundle"), *window, "--reason", "an exercise")
    assert "all the same" in sealed
    plain = _ringledger(settings, "bundle", "make", str(folder / "plain.bundle"), *window, "--pseudonymous")
    assert "pseudonyms" in plain
    prints = re.findall("fingerprint ([0-9a-f]{64})", sealed + plain)
    with here.opened(settings) as own:
        told = [each.event for each in own.log.history(kinds=("bundle",)) if isinstance(each.event, BundleMade)]
    assert [each.fingerprint for each in told] == prints
    assert [(each.reason, each.pseudonymous) for each in told] == [("an exercise", False), ("", True)]
    nowhere = settings_for(folder / "laptop")
    for name in ("night.bundle", "plain.bundle"):
        shown = _ringledger(nowhere, "bundle", "open", str(folder / name))
        assert "verify: the log holds" in shown
        assert "today's code decides all the same" in shown
        with opened(folder / name) as found:
            texts = repr(found.records()) + repr(found.tape)
        assert any(number in texts for number in numbers) == (name == "night.bundle")
    assert not (folder / "laptop").exists()


def _ringledger(settings: Settings, *words: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RINGLEDGER_")}
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", *words],
        env=environ | {"RINGLEDGER_HOME": str(settings.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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
