"""The log as a test reads it while it grows: what has happened, and waiting until something has."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from orchestrator.audit.report import Report
from orchestrator.audit.verify import verify
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.contacts.events import ContactArrived, ContactEnded
from orchestrator.domain.kernel import Event, Record, ident_of, kind_of
from orchestrator.store import Away, Log, Source
from tests.lab.patience import until

E = TypeVar("E", bound=Event)


class Ledger:
    """Records in the order of the log. Read as the reader; personal text only through `opened`."""

    def __init__(self, reader_url: str) -> None:
        self.source = Source(reader_url, name="acceptance reader")
        self.log = Log(self.source)
        self.records: list[Record] = []

    def close(self) -> None:
        self.source.close()

    def read(self) -> list[Record]:
        """All records so far."""
        after = self.records[-1].position if self.records else 0
        self.records += self.log.history(after)
        return self.records

    def all(self, kind: type[E], /, fits: Callable[[E], bool] = lambda _: True) -> list[E]:
        """Every event of this class so far."""
        return [r.event for r in self.read() if isinstance(r.event, kind) and fits(r.event)]

    def contacts(self) -> list[str]:
        """The ids of all contacts, in order of arrival."""
        return list(dict.fromkeys(ident_of(r.stream) for r in self.read() if kind_of(r.stream) == "contact"))

    def story(self, contact_id: str) -> list[str]:
        """The names of this contact's events, in order."""
        return [type(r.event).__name__ for r in self.read() if r.stream == f"contact-{contact_id}"]

    def await_event(
        self, kind: type[E], /, fits: Callable[[E], bool] = lambda _: True, *, count: int = 1, within_s: float = 30.0
    ) -> E:
        """The `count`-th such event, in the log already or to come."""

        def look() -> E | None:
            try:
                found = self.all(kind, fits)
            except Away:
                return None  # some tests take the database away; the deadline stands
            return found[count - 1] if len(found) >= count else None

        return until(look, f"{count} {kind.__name__} in the log", within_s=within_s)

    def await_settled(self) -> None:
        """Return once the log, which is a moment behind the engine's memory, has the end of every contact."""
        begun = (ContactArrived, ContactDialled)
        until(
            lambda: sum(len(self.all(kind)) for kind in begun) == len(self.all(ContactEnded)),
            "every contact's end in the log",
        )

    def verify(self, *, contacts: int, settled: bool = True) -> Report:
        """The verifier's report over the whole log; AssertionError with its words where it finds anything wrong."""
        report = verify(self.log.history(), expect_contacts=contacts, settled=settled)
        assert report.ok, report.text()
        return report

    def text(self, last: int = 80) -> str:
        """The last records as lines, for a test that failed; those read before where the database is gone."""
        with suppress(Away):
            self.read()
        return "\n".join(
            f"{r.position:>6} {r.about.at / 1e6:.3f} {r.stream[:16]} {r.version:>3} {r.event}"[:240]
            for r in self.records[-last:]
        )
