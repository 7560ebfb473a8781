"""The store with the product's own vocabulary, on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.catalogue import CATALOGUE
from tests.postgres import Database
from tests.service.recorder import Keeping
from tests.store.kit import Kit


@pytest.fixture
def kit(database: Database, tmp_path: Path) -> Iterator[Kit]:
    kit = Kit(database, tmp_path / "keys" / "kek", entries=CATALOGUE)
    yield kit
    kit.close()


@pytest.fixture
def kept(kit: Kit, tmp_path: Path) -> Keeping:
    return Keeping(kit, tmp_path)
