"""Files about calls in a folder that holds many: whoever shares the engine's thread goes on meanwhile."""

from pathlib import Path

import gevent

from orchestrator.service.call_files import AT_ONCE, FIRST, SUFFIX, CallFiles
from tests.service.test_importing import VAULT

MANY = 2 * AT_ONCE + 500


def test_calls_go_on_while_a_long_list_is_read_and_its_oldest_are_looked_at_first(tmp_path: Path) -> None:
    for number in range(MANY):
        (tmp_path / f"{number:08}{FIRST if number % 2 else SUFFIX}").touch()
    turns = 0

    def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    beside = gevent.spawn(others)
    try:
        waiting = CallFiles(tmp_path, tmp_path, VAULT).waiting()
    finally:
        beside.kill()
    assert turns > 50
    assert len(waiting) == AT_ONCE
    assert all(mark.startswith("0:") for mark in waiting.values()), "records first"
    marks = [int(mark.partition(":")[2]) for mark in waiting.values()]
    assert marks == sorted(marks)
