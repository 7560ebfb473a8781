"""A ledger with a made-up day: 60 calls on the second of March 2026, from ten o'clock in Shanghai."""

from collections.abc import Iterator

import pytest

from orchestrator.domain.catalogue import CATALOGUE
from tests.postgres import Database
from tests.projections.kit import ReadKit
from tests.projections.test_half_hours import MODEL
from tests.store.kit import Kit
from tests.web.conftest import Site
from tests.whatif import made

DAY = "2026-03-02"


@pytest.fixture
def empty(site: Site, database: Database) -> Iterator[ReadKit]:
    """A ledger in which nothing has happened yet."""
    kit = Kit(database, site.parts.settings.kek_file, entries=CATALOGUE)
    reads = ReadKit(kit, database)
    try:
        reads.build(MODEL)
        yield reads
    finally:
        reads.close()
        kit.close()


@pytest.fixture
def day(empty: ReadKit) -> ReadKit:
    """The same ledger, with the day in it."""
    empty.store(made.records(made.brought(60, 4, hours=(10, 11), agents_pause=False)))
    empty.keep_up(MODEL)
    return empty
