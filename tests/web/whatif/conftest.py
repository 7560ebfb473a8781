"""A ledger with a made-up day: 60 calls on the second of March 2026, from ten o'clock in Shanghai."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from orchestrator.domain.catalogue import CATALOGUE
from tests.postgres import Database
from tests.projections.kit import ReadKit
from tests.projections.test_half_hours import MODEL
from tests.store.kit import Kit
from tests.web.conftest import Site
from tests.whatif import made

DAY = "2026-03-02"


@contextmanager
def ledger(site: Site, database: Database) -> Iterator[ReadKit]:
    """The site's ledger, to be told more."""
    kit = Kit(database, site.parts.settings.kek_file, entries=CATALOGUE)
    reads = ReadKit(kit, database)
    try:
        reads.build(MODEL)
        yield reads
    finally:
        reads.close()
        kit.close()


def tell_day(reads: ReadKit, calls: int = 60, agents: int = 4, *, until: int = 11) -> None:
    """Tell it the day."""
    reads.store(made.records(made.brought(calls, agents, hours=(10, until), agents_pause=False)))
    reads.keep_up(MODEL)


@pytest.fixture
def empty(site: Site, database: Database) -> Iterator[ReadKit]:
    """A ledger in which nothing has happened yet."""
    with ledger(site, database) as reads:
        yield reads


@pytest.fixture
def sixty_calls(empty: ReadKit) -> ReadKit:
    """The same ledger, with the day in it."""
    tell_day(empty)
    return empty
