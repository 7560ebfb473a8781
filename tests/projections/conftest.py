"""What the tests of read models ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.catalogue import CATALOGUE
from tests.postgres import Database
from tests.projections.kit import ReadKit
from tests.store.kit import Kit


@pytest.fixture
def kit(database: Database, tmp_path: Path) -> Iterator[ReadKit]:
    """A log of the product's own events, and read models of it."""
    store = Kit(database, tmp_path / "keys" / "kek", entries=CATALOGUE)
    kit = ReadKit(store, database)
    yield kit
    kit.close()
    store.close()
