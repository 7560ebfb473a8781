"""A database that is there and slow: news is held back before the writer would refuse it, and taken when it can."""

from collections import deque
from collections.abc import Callable, Iterator

import gevent
import pytest

from orchestrator import loop
from orchestrator.domain.kernel import Instant, Record
from orchestrator.domain.switch import facts as f
from orchestrator.domain.world import World
from orchestrator.loop import Engine, Services, wall_clock
from orchestrator.metrics import Metrics
from orchestrator.runner import Runner
from orchestrator.store import Away, StoreError

NODE = "sw1"


class SlowWriter:
    """Takes records and stores them when it is told to."""

    def __init__(self) -> None:
        self.away = False
        self.taken: list[Record] = []
        self._waiting: deque[tuple[int, Callable[[int], None]]] = deque()

    @property
    def waiting(self) -> int:
        return sum(count for count, _ in self._waiting)

    def submit(
        self,
        records: tuple[Record, ...],
        on_stored: Callable[[int], None],
        on_lost: Callable[[StoreError], None],
        *,
        patient: bool,
    ) -> None:
        self.taken += records
        self._waiting.append((len(records), on_stored))

    def store_one(self) -> None:
        """The oldest submission is durable."""
        _, on_stored = self._waiting.popleft()
        on_stored(len(self.taken))
        gevent.sleep(0)


class NoTape:
    """Keeps nothing."""

    def write(self, input_id: str, at: Instant, body: object) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, SlowWriter]]:
    monkeypatch.setattr(loop, "MOST_UNSTORED", 4)
    writer = SlowWriter()
    engine = Engine(
        Runner(World()),
        epoch=1,
        last_at=Instant(0),
        tape=NoTape(),
        may_write=lambda: True,
        services=Services(identify=lambda numbers: [None for _ in numbers], list_marked=lambda *_: None),
        metrics=Metrics(),
    )
    engine.start(writer, lambda _: None, 0)
    yield engine, writer
    engine.stop()


def test_news_waits_for_a_slow_database_in_its_order_and_none_is_lost(engine: tuple[Engine, SlowWriter]) -> None:
    """Feature 12.1: ten switches come up while nothing is stored; an engine that took all of it would end itself."""
    heart, writer = engine
    for number in range(10):
        heart.deliver(f"n{number}", f.LinkUp(node=f"n{number}", core="c"), wall_clock())
    assert writer.waiting == 4
    while writer.waiting:
        writer.store_one()
    assert [record.stream for record in writer.taken] == [f"node-n{number}" for number in range(10)]


def test_the_sign_of_life_goes_on_for_a_while_without_the_database_and_not_for_ever(
    engine: tuple[Engine, SlowWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features 12.2, 12.3: a database that restarts takes no caller out of a queue; one that stays away does."""
    one, writer = engine
    assert one.lives()
    writer.away = True
    one.database_away(Away("it is gone"))
    assert one.lives()
    monkeypatch.setattr(loop, "SILENT_AFTER", -1)
    assert not one.lives()
    writer.away = False
    assert one.lives()
    one.stop()
    assert not one.lives()
