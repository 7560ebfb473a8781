"""An engine whose database stores what it is given when it is told to."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
import pytest

from orchestrator import loop
from orchestrator.clock import Clock, wall_clock
from orchestrator.domain.kernel import Instant, Record
from orchestrator.domain.world import World
from orchestrator.loop import Engine, Perform, Services
from orchestrator.metrics import Metrics
from orchestrator.runner import Runner
from orchestrator.store import StoreError


class SlowWriter:
    """Takes records and stores them when it is told to."""

    def __init__(self) -> None:
        self.away = False
        self.taken: list[Record] = []
        self.patient: dict[str, bool] = {}
        """Whether the records with an event of this kind may wait for company, by the name of its class."""
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
        self.patient.update((type(each.event).__name__, patient) for each in records)
        self._waiting.append((len(records), on_stored))

    def store_one(self, position: int | None = None) -> None:
        """The oldest submission is durable, there or in its place in the log."""
        _, on_stored = self._waiting.popleft()
        on_stored(len(self.taken) if position is None else position)
        gevent.sleep(0)

    def store_all(self) -> None:
        """All of it, and what follows from that."""
        while self._waiting:
            self.store_one()


class NoTape:
    """Keeps nothing."""

    def write(self, input_id: str, at: Instant, body: object) -> None: ...

    def close(self) -> None: ...


@contextmanager
def beating(
    runner: Runner,
    writer: SlowWriter,
    perform: Perform = lambda _: None,
    *,
    clock: Clock = wall_clock,
    last_at: int = 0,
) -> Iterator[Engine]:
    """An engine that decides by this runner and clock, for the length of a block."""
    engine = Engine(
        runner,
        epoch=1,
        last_at=Instant(last_at),
        tape=NoTape(),
        may_write=lambda: True,
        services=Services(identify=lambda numbers: [None for _ in numbers], list_marked=lambda *_: None),
        metrics=Metrics(),
        clock=clock,
    )
    engine.start(writer, perform, 0)
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, SlowWriter]]:
    monkeypatch.setattr(loop, "MOST_UNSTORED", 4)
    writer = SlowWriter()
    with beating(Runner(World()), writer) as engine:
        yield engine, writer
