"""`ringledger projections …`, on a home of its own."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from orchestrator import cluster as clusters
from orchestrator.cluster import Cluster
from orchestrator.commandline import ringledger
from orchestrator.domain.kernel import Refused
from orchestrator.store import DeskWriter, KeyShelf, Source, schema
from orchestrator.vault import Vault
from projections import command
from projections.catalogue import PROJECTIONS
from tests.postgres import make_reachable_directory, settings_for
from tests.projections.lives import PICKUP, numbered


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A RINGLEDGER_HOME with a running database and a few events in it."""
    place = make_reachable_directory("rl-command-")
    running = clusters.ensure_running(settings_for(place / "home"), lambda _: None)
    monkeypatch.setenv("RINGLEDGER_HOME", str(place / "home"))
    _fill(running, place)
    yield place / "home"
    running.stop()
    socket = Path(parse_qs(urlsplit(running.url_writer).query)["host"][0])
    if socket.name.startswith("ringledger-"):
        shutil.rmtree(socket, ignore_errors=True)
    shutil.rmtree(place)


def _fill(running: Cluster, place: Path) -> None:
    schema.create(running.url_owner, admin_url=running.url_admin)
    source = Source(running.url_writer)
    vault = Vault.unlock(place / "home" / "keys" / "kek", KeyShelf(source))
    DeskWriter(source, vault).append_desk(numbered(iter([("ordertype-pickup", PICKUP)])))
    source.close()


def test_status_and_rebuild_say_where_every_model_stands(home: Path) -> None:
    """Feature 11.7."""
    before = set(threading.enumerate())
    settings = settings_for(home)
    assert {row.state for row in command.status(settings)} == {"missing"}
    said: list[str] = []
    assert command.rebuild(settings, ["audit_trail"], said.append) == 0
    assert any(line.startswith("audit_trail: rebuilt to position 1 ") for line in said)
    states = {row.name: (row.state, row.position, row.behind) for row in command.status(settings)}
    assert states["audit_trail"] == ("stopped", 1, 0)
    assert states["queue_state"] == ("missing", 0, 1)
    assert command.rebuild(settings, [], said.append) == 0
    assert {(row.state, row.position) for row in command.status(settings)} == {("stopped", 1)}
    shown = CliRunner().invoke(ringledger, ["projections", "status"], catch_exceptions=False)
    assert shown.exit_code == 0
    for name in PROJECTIONS:
        assert name in shown.output
    assert CliRunner().invoke(ringledger, ["projections", "rebuild"]).exit_code == 2
    assert set(threading.enumerate()) <= before, "no thread is left behind"


def test_a_read_model_that_there_is_not_is_named_with_those_that_there_are(home: Path) -> None:
    with pytest.raises(Refused, match="no read model 'queues'; there are queue_state"):
        command.rebuild(settings_for(home), ["queues"], lambda _: None)
