"""A log with a busy day in it, on a real PostgreSQL."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import pytest

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.kernel import LIVE_KINDS, Record, kind_of
from tests.postgres import Database
from tests.store.kit import Kit


@pytest.fixture
def kit(database: Database, tmp_path: Path) -> Iterator[Kit]:
    """The store with the product's own vocabulary."""
    kit = Kit(database, tmp_path / "keys" / "kek", entries=CATALOGUE)
    yield kit
    kit.close()


def store(kit: Kit, records: Iterable[Record]) -> int:
    """Append these in order, live ones through the live writer, the others through the desk's; the last position."""
    writer = kit.writer()
    position = 0
    for is_live, group in groupby(records, lambda record: kind_of(record.stream) in LIVE_KINDS):
        position = (writer.append_live if is_live else kit.desk.append_desk)(list(group))
    writer.close()
    return position
