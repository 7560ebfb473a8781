"""The simulated switch alone: that it is no bottleneck of whatever is measured or tested against it."""

from collections.abc import Iterator
from typing import Any, Final

from tests.simulator.load import measure

RATE: Final = 250
SECONDS: Final = 5


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group."""
    figures = measure(RATE, SECONDS)
    about = {"asked_per_s": RATE, "calls": figures.calls}
    yield {"name": "simulator.calls_per_s", "value": figures.calls_per_s, "unit": "calls/s", "at_least": 200, **about}
    yield {"name": "simulator.cpu_ms_per_call", "value": figures.cpu_ms_per_call, "unit": "ms", "at_most": 5, **about}
