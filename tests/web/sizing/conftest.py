"""A ledger in which two agents had a busy half hour on the first of January 2026."""

from collections.abc import Iterator

import pytest

from orchestrator.domain.catalogue import CATALOGUE
from tests.postgres import Database
from tests.projections.kit import ReadKit
from tests.projections.test_half_hours import HALF, MODEL, busy_half_hour
from tests.store.kit import Kit
from tests.web.conftest import Site


@pytest.fixture
def reads(site: Site, database: Database) -> Iterator[ReadKit]:
    """The same ledger, to tell more to."""
    kit = Kit(database, site.parts.settings.kek_file, entries=CATALOGUE)
    reads = ReadKit(kit, database)
    try:
        yield reads
    finally:
        reads.close()
        kit.close()


@pytest.fixture
def busy(reads: ReadKit) -> ReadKit:
    """Two agents, 40 calls in half an hour from ten o'clock, 12 of whom give up; then both go home."""
    busy_half_hour(reads, home=2 * HALF)
    reads.keep_up(MODEL)
    return reads
