"""What the store's tests ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Database
from tests.store.kit import Kit


@pytest.fixture
def kit(database: Database, tmp_path: Path) -> Iterator[Kit]:
    """The store over a database of its own, with a key file of its own."""
    kit = Kit(database, tmp_path / "keys" / "kek")
    yield kit
    kit.close()
