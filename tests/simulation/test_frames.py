"""Seeds through frames: the bundled simulator's bytes in, the production performer's commands out."""

import pytest

from orchestrator.domain.kernel import SECOND
from tests.simulation.frames import FrameRun
from tests.simulation.run import Size

_SIZE = Size(contacts=12, agents=5, lasts=60 * SECOND, phones=2)
_CHUNK = 25


@pytest.mark.parametrize("first", range(0, 150, _CHUNK))
def test_calls_go_through_bytes_and_back_whatever_goes_wrong(first: int) -> None:
    """Features 3.6, 11.1, 11.8, 12.1, 12.4; complaints 5, 15, 16: all but the network and the switch is the product."""
    for seed in range(first, first + _CHUNK):
        FrameRun(seed, size=_SIZE).play()
