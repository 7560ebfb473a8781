"""A day of 50 000 calls, played again with unchanged rules: how fast, and how near to the day that it was.

The day is made up (`tests.whatif.made`) and played once with one seed: its records are the log. What callers and agents
bring is then read from those records alone, their patience estimated, and the day played with another seed. Measured in
time on the processor, so that what else runs on the machine does not count.
"""

import gc
import time
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from orchestrator.whatif import asking
from orchestrator.whatif.changes import Changes, Wanted
from tests.whatif import made

CALLS: Final = 50_000
AGENTS: Final = 105
_A_MINUTE: Final = 60


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group."""
    day = made.records(made.brought(CALLS, AGENTS))
    begun = time.thread_time()
    real = asking.taken(day, made.FIRST, made.LAST)
    read_s = time.thread_time() - begun
    setting = Changes(real.day, Wanted(region="CN"), date(2026, 3, 1)).of(1)
    gc.collect()
    gc.freeze()
    begun = time.thread_time()
    played = asking.play(real, setting, 1)
    spent = time.thread_time() - begun
    gc.unfreeze()
    was, now = real.measured.of_queue(), played.of_queue()
    yield {
        "name": "whatif.calls_per_s",
        "value": round(CALLS / spent),
        "unit": "1/s",
        "at_least": CALLS / _A_MINUTE,
        "what": f"{CALLS} calls through the production step, one seed, one core; the day's records taken in before",
        "agents": AGENTS,
        "taken_in_s": round(read_s, 1),
    }
    figures = ("service_level", "given_up", "occupancy")
    apart = {name: abs((now[name] or 0.0) - (was[name] or 0.0)) for name in figures}
    yield {
        "name": "whatif.error_percent",
        "value": round(100 * max(apart.values()), 2),
        "unit": "points",
        "at_most": 3.0,
        "what": "unchanged rules beside the day itself: the worst of service level, given up and occupancy",
        **{name: [round(100 * (found[name] or 0.0), 1) for found in (was, now)] for name in figures},
    }
