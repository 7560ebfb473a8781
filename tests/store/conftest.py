"""What the store's tests ask for."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Database, make_reachable_directory
from tests.store.kit import Kit
from tests.store.proxy import Proxy


@pytest.fixture
def kit(database: Database, tmp_path: Path) -> Iterator[Kit]:
    """The store over a database of its own, with a key file of its own."""
    kit = Kit(database, tmp_path / "keys" / "kek")
    yield kit
    kit.close()


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    """The way to the database that can be cut."""
    directory = make_reachable_directory("rl-proxy-")
    proxy = Proxy(directory, database.writer)
    yield proxy
    proxy.close()
    shutil.rmtree(directory)
