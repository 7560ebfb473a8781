"""A busy day in the ledger of a web application's test, folded into the read models and the live view."""

from collections.abc import Iterator
from contextlib import contextmanager

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
from tests.web.conftest import Site
from web.push import present

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
def played(site: Site, database: Database) -> Iterator[Day]:
    """A day with every kind of ending and a last, identified caller who still waits."""
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
    kit = Kit(database, site.parts.settings.kek_file, entries=CATALOGUE)
    reads = ReadKit(kit, database)
    view = LiveView(site.reading.log)
    try:
        last = reads.store([made, *centre.records])
        reads.provide(*PROJECTIONS.values())
        view.start().wait_ready(10)
        present.install(site.app, view)
        yield Day(centre, last, reads)
    finally:
        view.stop()
        reads.close()
        kit.close()
