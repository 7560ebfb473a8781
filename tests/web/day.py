"""A busy day in the ledger of a web application's test, folded into the read models and the live view.

The ledger of a test that asks for the fixture `day` is a clone of one in which the day has been already: `lay_down`
wrote it and folded it, once a run.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.customers.people import CustomerCreated
from orchestrator.domain.kernel import Provenance, Record
from orchestrator.runner.inputs import IdentifyContact
from projections.catalogue import PROJECTIONS
from projections.live import LiveView
from tests.audit.centre import BEGINNING, CALLER, Centre
from tests.audit.test_verify import busy_day
from tests.postgres import Database
from tests.projections.kit import ReadKit
from tests.store.kit import Kit
from web.push import present

if TYPE_CHECKING:
    from tests.web.conftest import Site

CUSTOMER = "c0ffee00-0000-4000-8000-000000000001"


class Day:
    """What happened, and where it can be looked at."""

    def __init__(self, centre: Centre, last: int, reads: ReadKit) -> None:
        self.centre = centre
        self.last = last
        self.reads = reads
        self.contacts = [
            record.stream.removeprefix("contact-")
            for record in centre.records
            if type(record.event).__name__ == "ContactArrived"
        ]


@contextmanager
def reads_of(database: Database, kek: Path) -> Iterator[ReadKit]:
    """What writes into this ledger and folds it, while the context lasts."""
    with ExitStack() as stack:
        kit = Kit(database, kek, entries=CATALOGUE)
        stack.callback(kit.close)
        reads = ReadKit(kit, database)
        stack.callback(reads.close)
        yield reads


@contextmanager
def played(site: "Site", database: Database) -> Iterator[Day]:
    """A day with every kind of ending and a last, identified caller who still waits."""
    centre, records = _happened()
    view = LiveView(site.reading.log)
    with reads_of(database, site.parts.settings.kek_file) as reads:
        try:
            last = reads.log.position() or _write(reads, records)
            assert last == len(records), "of this ledger's day something is missing, or something else is in it"
            view.start().wait_ready(10)
            present.install(site.app, view)
            yield Day(centre, last, reads)
        finally:
            view.stop()


def lay_down(database: Database, kek: Path) -> None:
    """Write the day into this empty ledger, and fold it, for `played` to find."""
    with reads_of(database, kek) as reads:
        _write(reads, _happened()[1])


def _happened() -> tuple[Centre, list[Record]]:
    """The day, played by hand, and all that is written of it: the same every time."""
    centre = busy_day()
    centre.call()
    contact_id = next(iter(centre.world.contacts))
    made = Record(
        stream=f"customer-{CUSTOMER}",
        version=1,
        event=CustomerCreated(number=CALLER, region="CN"),
        event_id="made",
        about=Provenance(at=BEGINNING),
    )
    centre.give(IdentifyContact(contact_id=contact_id, customer_id=CUSTOMER))
    return centre, [made, *centre.records]


def _write(reads: ReadKit, records: list[Record]) -> int:
    last = reads.store(records)
    reads.provide(*PROJECTIONS.values())
    return last
