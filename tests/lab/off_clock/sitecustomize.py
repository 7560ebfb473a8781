"""For a process of the tests whose host's clock is wrong: this folder first on PYTHONPATH, and in `CLOCK_OFF` a file
with the seconds by which it is off. Python reads this before anything else; what the file says may change meanwhile.
"""

import os
import time

_right = time.time_ns


def _off_s() -> int:
    with open(os.environ["CLOCK_OFF"], "rb") as file:  # noqa: PTH123 - before anything else is imported
        return int(file.read() or b"0")


def _time_ns() -> int:
    return _right() + _off_s() * 1_000_000_000


time.time_ns = _time_ns
time.time = lambda: _time_ns() / 1e9
