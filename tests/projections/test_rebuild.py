"""What must hold of every read model: twice changes nothing, a rebuild equals what was followed, nothing is readable.

The logs are the simulation's (the production step, played by seed through hold, faults, restarts and two engines) and,
after that, customers and work orders.
"""

import threading
from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.domain.kernel import Record
from projections.base import Batch, Projection, run_batch
from projections.building import build
from projections.catalogue import PROJECTIONS
from projections.feed import Feed
from tests.projections.kit import ReadKit
from tests.projections.lives import lives
from tests.simulation.run import Run, Size

SEEDS = (7, 42, 1912)
ALL = tuple(PROJECTIONS.values())
Rows = dict[str, dict[str, list[tuple[Any, ...]]]]


def simulated(seed: int) -> list[Record]:
    """Everything that was recorded in a run of the simulation."""
    return Run(seed, size=Size(contacts=30)).play().ledger.records()


def played(seed: int) -> list[Record]:
    """The same, and some customers' lives."""
    return [*simulated(seed), *lives(seed)]


@pytest.fixture(params=SEEDS)
def log(request: pytest.FixtureRequest, kit: ReadKit) -> ReadKit:
    kit.store(played(request.param))
    return kit


def rows(kit: ReadKit) -> Rows:
    return {projection.name: kit.rows(projection) for projection in ALL}


def test_a_rebuild_equals_what_was_followed_however_the_log_was_cut_into_batches(log: ReadKit) -> None:
    """Feature 11.7. Complaint 12: counters are projections, recomputed from the log, equal."""
    log.build(*ALL)
    whole = rows(log)
    for name, tables in whole.items():
        assert any(tables.values()), f"{name} folds nothing out of a busy hour, which proves nothing"
    for projection in ALL:
        build(log.connection, projection, _Nothing(), log.site)
        assert log.position(projection) == 0
        assert not any(log.rows(projection).values())
        feed = Feed(log.log)
        for limit in (1, 7, 100):
            for _ in range(12):
                run_batch(log.connection, projection, feed, log.site, limit=limit)
        log.keep_up(projection)
    assert rows(log) == whole


class _Nothing:
    """A log in which nothing stands yet."""

    def after(self, position: int, limit: int) -> tuple[Record, ...]:
        return ()


def test_folding_what_was_folded_changes_nothing(log: ReadKit) -> None:
    log.build(*ALL)
    before = rows(log)
    for projection in ALL:
        assert run_batch(log.connection, projection, Feed(log.log), log.site) == (0, log.log.position())
    assert rows(log) == before


def test_followers_of_one_model_take_turns_and_fold_each_event_once(kit: ReadKit) -> None:
    records = played(3)
    kit.build(*ALL)
    kit.store(records)
    for projection in ALL:
        counts: list[int] = []

        def follow(projection: Projection, counts: list[int]) -> None:
            with kit.projector.connect() as connection:
                while moved := run_batch(connection, projection, Feed(kit.log), kit.site, limit=50)[0]:
                    counts.append(moved)

        threads = [threading.Thread(target=follow, args=(projection, counts)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(counts) == len(records)
    followed = rows(kit)
    kit.build(*ALL)
    assert rows(kit) == followed


def test_a_batch_that_fails_half_way_leaves_neither_rows_nor_position(kit: ReadKit) -> None:
    kit.build(*ALL)
    kit.store(played(3))
    before = rows(kit)
    for projection in ALL:
        broken = replace(projection, apply=half(projection))
        with pytest.raises(ZeroDivisionError):
            run_batch(kit.connection, broken, Feed(kit.log), kit.site)
        assert kit.position(projection) == 0
    assert rows(kit) == before


def half(projection: Projection) -> Any:  # noqa: ANN401 - an apply
    def apply(batch: Batch) -> None:
        projection.apply(Batch(batch.cursor, batch.records[: len(batch.records) // 2], batch.site))
        raise ZeroDivisionError

    return apply


def test_no_personal_text_stands_in_any_table(log: ReadKit) -> None:
    """Feature 5.8: callers' numbers and names, agents' names. Customers' own: test_customer_timeline."""
    log.build(*ALL)
    told = str(rows(log))
    for personal in ("13800138000", "FORGED", "李雷", "An Agent"):
        assert personal not in told
