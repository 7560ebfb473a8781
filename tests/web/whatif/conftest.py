"""A ledger with a made-up day of 120 calls on the first of March 2026, from two in the morning (10:00 in Shanghai)."""

from collections.abc import Iterator

import pytest

from orchestrator.domain.catalogue import CATALOGUE
from tests.postgres import Database
from tests.projections.kit import ReadKit
from tests.projections.test_half_hours import MODEL
from tests.store.kit import Kit
from tests.web.conftest import Site
from tests.whatif import made

DAY = "2026-03-01"


@pytest.fixture
def day(site: Site, database: Database) -> Iterator[ReadKit]:
    """The same ledger, with the day in it."""
    kit = Kit(database, site.parts.settings.kek_file, entries=CATALOGUE)
    reads = ReadKit(kit, database)
    try:
        reads.store(made.records(made.brought(120, 4, hours=(2, 4), agents_pause=False)))
        reads.build(MODEL)
        yield reads
    finally:
        reads.close()
        kit.close()
