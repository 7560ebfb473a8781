"""Callers lost, doubled and left as ghosts while every process of an installation is killed: `make chaos`, a minute."""

import shutil
from collections.abc import Iterator
from typing import Any

from tests.acceptance.chaos.run import Setting, play
from tests.postgres import make_reachable_directory

SETTING = Setting(seed=7, seconds=60.0)


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group."""
    folder = make_reachable_directory()
    try:
        outcome = play(SETTING, folder)
    finally:
        shutil.rmtree(folder)
    yield from outcome.figures()
    assert outcome.whole, outcome.text()
