"""An engine that starts folds a long log by several processes, while its other greenlets go on (feature 11.2)."""

from collections.abc import Sequence

import gevent
import pytest
from msgspec.structs import replace

from orchestrator.control import ANSWERS_KEPT_S, Done
from orchestrator.domain import parted
from orchestrator.domain.kernel import LIVE_KINDS, SECOND, Instant, Record, kind_of
from orchestrator.domain.parted import Part
from orchestrator.domain.world import World
from orchestrator.replay import together
from orchestrator.standby import Shadow
from orchestrator.store import Log
from tests.replay.conftest import store
from tests.simulation import comparing
from tests.simulation.run import Run
from tests.store.kit import Kit


def test_an_engine_that_starts_has_the_state_and_what_comes_after(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is not a long one; it is taken for one, on however few processors. Personal texts are there, too."""
    monkeypatch.setattr(together, "LEAST", 1)
    monkeypatch.setattr(together, "MOST", 2)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    records = Run(5).play().ledger.records()
    cut = len(records) * 2 // 3
    store(kit, records[:cut])
    turns = 0

    def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0.01)

    def failed(error: Exception) -> None:
        raise AssertionError from error

    joined: list[int] = []

    def join(parts: Sequence[Part], into: World) -> None:
        joined.append(len(parts))
        parted.join(parts, into)

    monkeypatch.setattr(together, "join", join)
    heard: list[Record] = []
    at_work = gevent.spawn(others)
    shadow = Shadow(kit.log, heard.append, failed=failed)
    shadow.begin()
    at_work.kill()
    shadow.stop()
    assert joined == [2]
    assert turns > 10
    assert shadow.position == kit.log.position()
    now = shadow.last_at
    assert comparing.difference(comparing.picture(shadow.world, now), comparing.picture(whole(kit.log), now)) == ""


def test_an_engine_that_starts_knows_what_was_asked_for_lately(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent again, because its engine died before it answered, it is not done again, however long the log is."""
    records = Run(5).play().ledger.records()
    wished = [
        replace(each, about=replace(each.about, wish=f"ready {number}")) if number % 3 == 0 else each
        for number, each in enumerate(records)
    ]
    store(kit, wished)

    def failed(error: Exception) -> None:
        raise AssertionError from error

    def known() -> dict[str, Done]:
        shadow = Shadow(kit.log, lambda _: None, failed=failed)
        shadow.begin()
        shadow.stop()
        oldest = shadow.last_at / SECOND - ANSWERS_KEPT_S
        return {asked: done for asked, done in shadow.wishes if done.at_s > oldest}

    alone = known()
    monkeypatch.setattr(together, "LEAST", 1)
    monkeypatch.setattr(together, "MOST", 2)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    joined: list[int] = []

    def join(parts: Sequence[Part], into: World) -> None:
        joined.append(len(parts))
        parted.join(parts, into)

    monkeypatch.setattr(together, "join", join)
    found = known()
    assert joined == [2]
    assert len(found) == len(alone) > 0
    assert found == alone


def whole(log: Log) -> World:
    world = World()
    for record in log.history():
        world.apply(record)
    return world


def test_what_others_appended_by_a_wrong_clock_moves_no_engines_time(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 6, clocks an hour apart: a web's, too. Else the next engine went on from there, with all timers overdue."""
    records = Run(5).play().ledger.records()
    decided = max(each.about.at for each in records if kind_of(each.stream) in LIVE_KINDS)
    other = next(each for each in records if kind_of(each.stream) == "queue")
    later = replace(other.about, at=Instant(decided + 3_600 * SECOND))
    ahead = replace(other, stream="queue-ahead", version=1, event_id="ahead", about=later)
    store(kit, [*records, ahead])
    monkeypatch.setattr(together, "LEAST", 1)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})

    def failed(error: Exception) -> None:
        raise AssertionError from error

    shadow = Shadow(kit.log, lambda _: None, failed=failed)
    shadow.begin()
    shadow.stop()
    assert (shadow.decided_at, shadow.last_at) == (decided, ahead.about.at)
    monkeypatch.setattr(together, "LEAST", 10**9)
    alone = Shadow(kit.log, lambda _: None, failed=failed)
    alone.begin()
    alone.stop()
    assert (alone.decided_at, alone.last_at) == (decided, ahead.about.at)
