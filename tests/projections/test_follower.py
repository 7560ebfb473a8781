"""The process that keeps read models up to date: killed, misled by its own code, overtaken by a new version."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import psycopg
import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import ContactArrived
from projections import contact_log, follower
from projections.base import Batch, NotBuilt, Projection, run_batch, schema_of
from projections.building import BeingBuilt, build
from projections.catalogue import PROJECTIONS
from projections.contact_log import Search
from projections.feed import Feed
from projections.follower import Follower
from projections.status import Late, Standing, position_of, standing, wait_for
from tests.projections.kit import ReadKit
from tests.projections.test_contact_log import arrived, served
from tests.projections.test_rebuild import ALL, played, rows

CONTACT_LOG = PROJECTIONS["contact_log"]
QUEUES = PROJECTIONS["queue_state"]
_PATIENCE_S = 60.0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.01)


def changed(projection: Projection, apply: Callable[[Batch], None], *, newer: int = 0) -> Projection:
    return replace(projection, version=projection.version + newer, apply=apply)


@contextmanager
def following(kit: ReadKit, *projections: Projection) -> Iterator[Follower]:
    running = Follower(kit.projector, kit.site, projections).start()
    try:
        yield running
    finally:
        running.stop()


def child(kit: ReadKit, work: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "tests.projections.child", work, kit.database.projector, str(kit.kit.kek)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=_PATIENCE_S)


def stand(kit: ReadKit, projection: Projection) -> Standing:
    return standing(kit.reader, kit.log, projection)


@pytest.mark.slow
def test_killed_again_and_again_while_events_come_it_ends_up_with_the_fold_of_the_log(kit: ReadKit) -> None:
    """Feature 11.7, law 7. SIGKILL at random moments of folding, seven models at once."""
    dice = Random(11)
    records = played(21)
    kit.build(*ALL)
    share = len(records) // 6
    for turn in range(6):
        process = child(kit, "follow")
        part = records[turn * share : (turn + 1) * share if turn < 5 else len(records)]
        writing = threading.Thread(target=kit.store, args=(part,))
        before = position_of(kit.reader, "contact_log")
        writing.start()
        until(lambda before=before: position_of(kit.reader, "contact_log") > before, "the child folds")  # type: ignore[misc]
        time.sleep(dice.uniform(0, 0.05))  # the moment of the kill is drawn, nothing is waited for
        kill(process)
        writing.join()
    last = child(kit, "follow")
    end = kit.log.position()
    for projection in ALL:
        wait_for(kit.reader, projection.name, end, _PATIENCE_S)
    last.communicate(timeout=_PATIENCE_S)
    followed = rows(kit)
    kit.build(*ALL)
    assert rows(kit) == followed


@pytest.mark.slow
def test_readers_never_see_an_empty_or_half_model_though_rebuilds_are_killed_at_random(kit: ReadKit) -> None:
    """Feature 11.7: blue-green. Every answer during the rebuilds and kills is the whole model."""
    dice = Random(12)
    records = played(22)
    kit.store(records)
    kit.build(*ALL)
    whole = rows(kit)
    expected = sum(isinstance(record.event, ContactArrived) for record in records)
    ended = threading.Event()
    wrong: list[object] = []
    asked = 0

    def read() -> None:
        nonlocal asked
        while not ended.is_set():
            try:
                found = len(kit.read(lambda c: contact_log.search(c, Search(), limit=500)).items)
            except psycopg.Error as error:
                found = -1
                wrong.append(error)
            if found != expected:
                wrong.append(found)
            asked += 1

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(5):
        process = child(kit, "rebuild")
        time.sleep(dice.uniform(0, 0.6))  # the moment of the kill is drawn, nothing is waited for
        kill(process)
        assert rows(kit) == whole
    until(lambda: asked > 50, "the reader asks")
    until(lambda: _rebuilt(kit), "nobody holds the locks of those who were killed")
    ended.set()
    reader.join()
    assert not wrong
    assert rows(kit) == whole
    assert _schemas(kit) == _live_schemas(kit)


def _rebuilt(kit: ReadKit) -> bool:
    try:
        kit.build(*ALL)
    except BeingBuilt:  # the server has not noticed the death of the last child yet
        return False
    return True


def _schemas(kit: ReadKit) -> set[str]:
    with psycopg.connect(kit.database.projector) as connection:
        found = connection.execute("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'read\\_%'").fetchall()
    return {str(name) for (name,) in found}


def _live_schemas(kit: ReadKit) -> set[str]:
    with psycopg.connect(kit.database.projector) as connection:
        found = connection.execute("SELECT name, generation FROM read.projections WHERE live").fetchall()
    assert len(found) == len(ALL)
    return {schema_of(name, generation) for name, generation in found}


def test_a_model_whose_code_raises_stops_alone_says_why_and_goes_on_when_mended(
    kit: ReadKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "_FIRST_PAUSE_S", 0.05)
    broken = threading.Event()
    broken.set()

    def apply(batch: Batch) -> None:
        if broken.is_set() and any(record.stream == "contact-bad" for record in batch.records):
            raise KeyError("a queue of number +8613800138000")
        contact_log.apply(batch)

    kit.build(CONTACT_LOG, QUEUES)
    with following(kit, changed(CONTACT_LOG, apply), QUEUES):
        served(kit, "good")
        good = kit.log.position()
        wait_for(kit.reader, "contact_log", good, _PATIENCE_S)
        kit.tell("contact-bad", arrived())
        end = kit.log.position()
        until(lambda: stand(kit, CONTACT_LOG).state == "failed", "it says that it failed")
        wait_for(kit.reader, "queue_state", end, _PATIENCE_S)
        found = stand(kit, CONTACT_LOG)
        assert (found.position, found.behind) == (good, end - good)
        assert "KeyError" in found.error
        assert "13800138000" not in found.error
        assert stand(kit, QUEUES).state == "following"
        with pytest.raises(Late, match=f"at {good} and has not come to {end}"):
            wait_for(kit.reader, "contact_log", end, 0.05)
        broken.clear()
        wait_for(kit.reader, "contact_log", end, _PATIENCE_S)
        assert (stand(kit, CONTACT_LOG).state, stand(kit, CONTACT_LOG).error) == ("following", "")
    assert stand(kit, CONTACT_LOG).state == "stopped"


def test_a_new_version_is_built_beside_the_old_one_by_itself(kit: ReadKit) -> None:
    served(kit, "c1")
    assert stand(kit, CONTACT_LOG).state == "missing"
    with following(kit, CONTACT_LOG):
        wait_for(kit.reader, "contact_log", kit.log.position(), _PATIENCE_S)
    first = stand(kit, CONTACT_LOG)

    def only_live(batch: Batch) -> None:
        contact_log.apply(batch)
        batch.cursor.execute("DELETE FROM contact_log WHERE outcome <> ''")

    newer = changed(CONTACT_LOG, only_live, newer=1)
    with pytest.raises(NotBuilt):
        run_batch(kit.connection, newer, Feed(kit.log), kit.site)
    with following(kit, newer):
        until(lambda: stand(kit, newer).version == newer.version, "the new version is live")
    assert stand(kit, newer).generation > first.generation
    assert kit.read(lambda c: contact_log.search(c, Search())).items == []
    assert _schemas(kit) == {schema_of("contact_log", stand(kit, newer).generation)}


def test_another_time_zone_counts_other_days_and_so_is_another_shape(kit: ReadKit) -> None:
    kit.build(QUEUES)
    elsewhere = type(kit.site)(type(kit.site.zone)("Europe/Berlin"))
    with pytest.raises(NotBuilt):
        run_batch(kit.connection, QUEUES, Feed(kit.log), elsewhere)


def test_in_another_country_a_number_is_another_one_and_so_its_model_is_of_another_shape(kit: ReadKit) -> None:
    kit.build(CONTACT_LOG, QUEUES)
    elsewhere = type(kit.site)(kit.site.zone, kit.kit.vault, region="DE")
    with pytest.raises(NotBuilt):
        run_batch(kit.connection, CONTACT_LOG, Feed(kit.log), elsewhere)
    assert run_batch(kit.connection, QUEUES, Feed(kit.log), elsewhere) == (0, 0)


def test_a_long_query_on_the_old_tables_holds_up_the_switch_and_nobody_else(kit: ReadKit) -> None:
    served(kit, "c1")
    kit.build(CONTACT_LOG)
    generation = stand(kit, CONTACT_LOG).generation
    with psycopg.connect(kit.database.reader) as slow:
        slow.execute("SELECT count(*) FROM read.contact_log")  # and its transaction stays open
        building = threading.Thread(target=kit.build, args=(CONTACT_LOG,))
        building.start()
        until(lambda: stand(kit, CONTACT_LOG).building == kit.log.position(), "it is built and waits to switch")
        for _ in range(20):
            assert len(kit.read(lambda c: contact_log.search(c, Search())).items) == 1
        assert stand(kit, CONTACT_LOG).generation == generation
    building.join(_PATIENCE_S)
    assert stand(kit, CONTACT_LOG).generation > generation


def test_of_two_who_rebuild_one_model_the_second_is_told(kit: ReadKit) -> None:
    kit.build(CONTACT_LOG)

    class Reentrant:
        """A log at whose end somebody else begins to rebuild, too."""

        def after(self, position: int, limit: int) -> tuple[()]:
            with kit.projector.connect() as other, pytest.raises(BeingBuilt, match="by somebody else"):
                build(other, CONTACT_LOG, Feed(kit.log), kit.site)
            return ()

    build(kit.connection, CONTACT_LOG, Reentrant(), kit.site)


def test_the_reader_reads_models_and_the_projector_cannot_append(kit: ReadKit) -> None:
    kit.build(CONTACT_LOG)
    served(kit, "c1")
    with psycopg.connect(kit.database.projector) as projector, pytest.raises(psycopg.errors.InsufficientPrivilege):
        projector.execute("INSERT INTO ringledger_events VALUES ('customer-x', 1, 'CustomerErased.v1', '{}')")
    for url in (kit.database.reader, kit.database.writer):
        with psycopg.connect(url) as reader:
            assert reader.execute("SELECT count(*) FROM read.contact_log").fetchone() == (0,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute("DELETE FROM read.projections")
