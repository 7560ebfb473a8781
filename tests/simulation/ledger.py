"""A model of the log: what is committed stays, one transaction at a time, fenced by the epoch (law 4). And of a spool
beside it, where a run has one: what is in it stays as well, and comes to the log in its order.
"""

from orchestrator.domain.engine import STREAM, EngineActivated
from orchestrator.domain.kernel import LIVE_KINDS, Instant, Provenance, Record, kind_of


class Fenced(Exception):
    """A batch came from an epoch that is over."""


class Gap(Exception):
    """A batch does not continue its stream."""


class DatabaseAway(Exception):
    """Nobody answers; with `stored`, the batch was stored all the same and only the answer was lost."""


class Ledger:
    """Committed records in order, each with the epoch that wrote it."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, Record]] = []
        self.epoch = 0
        self.newest = 0
        """The newest epoch that has written a row."""
        self.away = False
        self.spools = False
        """Whether events are spooled while it is away."""
        self.spool: list[tuple[int, Record]] = []
        self._versions: dict[str, int] = {}
        self._ids: set[str] = set()
        self._kept: set[str] = set()

    def take_over(self, now: Instant) -> int:
        """Raise the epoch: from now on the one before is over. What is in the spool is brought to the log first, and
        that an engine decides again says where it ends.
        """
        self.epoch += 1
        if self.spool:
            self.drain(len(self.spool))
            self._commit(self.epoch, [self._activated(now)])
        return self.epoch

    def _activated(self, now: Instant) -> Record:
        return Record(
            stream=STREAM,
            version=self.version(STREAM) + 1,
            event=EngineActivated(epoch=self.epoch, why="process_ended", host="simulated"),
            event_id=f"activated-{self.epoch}",
            about=Provenance(at=now, actor="system", origin="engine"),
        )

    def append(self, epoch: int, records: list[Record]) -> None:
        """Commit these together. Raises `Fenced`, `Gap` or `DatabaseAway`, and then nothing is committed."""
        if self.away:
            raise DatabaseAway
        self.check_fence(epoch)
        if self.spool:
            raise Gap("something would pass what is in the spool")
        self._commit(epoch, records)

    def keep(self, epoch: int, records: list[Record]) -> None:
        """Put these into the spool, together. Raises `Fenced`."""
        self.check_fence(epoch)
        self.spool += [(epoch, record) for record in records]
        self._kept.update(record.event_id for record in records)

    def drain(self, events: int, *, died: bool = False) -> None:
        """Bring so many of the spool's oldest to the log, and those of the same step; `died`: before they were dropped
        from it.
        """
        while 0 < events < len(self.spool) and _cause(self.spool[events - 1]) == _cause(self.spool[events]):
            events += 1
        for epoch, record in self.spool[:events]:
            self._commit(epoch, [record])
        if not died:
            del self.spool[:events]

    def _commit(self, epoch: int, records: list[Record]) -> None:
        if records and records[0].event_id in self._ids:
            return  # a COMMIT whose answer was lost: it is stored
        last: dict[str, int] = {}
        for record in records:
            expected = last.get(record.stream, self._versions.get(record.stream, 0)) + 1
            if record.version != expected:
                raise Gap(f"{record.stream} is at {expected - 1}, version {record.version} came")
            last[record.stream] = record.version
        self._versions.update(last)
        self.newest = max(self.newest, epoch)
        for record in records:
            self._ids.add(record.event_id)
            self.rows.append((epoch, record))

    def check_fence(self, epoch: int) -> None:
        """Raise `Fenced` where a newer epoch has begun."""
        if epoch != self.epoch:
            raise Fenced(f"epoch {epoch} is over, {self.epoch} has begun")

    def configure(self, records: list[Record]) -> None:
        """Commit records of desk streams, which no epoch fences."""
        for record in records:
            if kind_of(record.stream) in LIVE_KINDS:
                raise Gap(f"{record.stream} is no desk stream")
            self._versions[record.stream] = record.version
            self.rows.append((self.epoch, record))
        self.newest = max(self.newest, self.epoch)

    def version(self, stream: str) -> int:
        """The version of the stream's last record, 0 where it has none."""
        return self._versions.get(stream, 0)

    def holds(self, event_id: str) -> bool:
        """Whether this event is committed, or was in the spool."""
        return event_id in self._ids or event_id in self._kept

    def records(self) -> list[Record]:
        """All records in order, those in the spool last."""
        kept = [record for _, record in self.spool if record.event_id not in self._ids]
        return [*(record for _, record in self.rows), *kept]


def _cause(kept: tuple[int, Record]) -> str:
    return kept[1].about.causation
