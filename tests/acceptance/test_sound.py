"""What caller and agent hear on a real switch, told by the recording that our own engine asked for."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import SECOND, Record
from orchestrator.runner import inputs
from tests.acceptance.conftest import REAL
from tests.acceptance.house import House
from tests.lab.sound import AGENT_HZ, CALLER_HZ

KINDS = REAL
TALK_MS, HOLD_MS = 1_500, 1_500
EDGE_S = 0.3
"""Cut off each end of a stretch: the log says when we heard of a change, the sound changes a few frames away."""


@pytest.mark.slow
def test_both_hear_each_other_and_a_held_caller_hears_music(house: House) -> None:
    """Features 8.1 and 3.8: the caller's tone on one channel, on the other what the caller hears."""
    house.driver.phone("1001")
    house.sign_in("801")
    caller = house.driver.call()
    house.await_state("801", "talking")
    house.ledger.await_event(c.RecordingBegun)
    house.driver.let_hear(TALK_MS)
    house.do(inputs.Hold(agent="801"))
    house.await_state("801", "held")
    house.driver.let_hear(HOLD_MS)
    house.do(inputs.Resume(agent="801"))
    house.await_state("801", "talking")
    house.driver.let_hear(TALK_MS)
    caller.hang_up()
    finished = house.ledger.await_event(c.RecordingFinished)
    house.close_day(contacts=1)
    held, resumed = (_at(house, kind) - _at(house, c.RecordingBegun) for kind in (c.ContactHeld, c.ContactResumed))
    path = str(house.driver.recordings / finished.file)
    recorded = house.driver.assert_recorded
    recorded(path, left=CALLER_HZ, right=AGENT_HZ, from_s=EDGE_S, to_s=held - EDGE_S)
    recorded(path, left=CALLER_HZ, right="music", from_s=held + EDGE_S, to_s=resumed - EDGE_S)
    recorded(path, left=CALLER_HZ, right=AGENT_HZ, from_s=resumed + EDGE_S, to_s=finished.length_ms / 1000 - EDGE_S)
    assert finished.length_ms >= 2 * TALK_MS + HOLD_MS - 500


def _at(house: House, kind: type) -> float:
    """Seconds, by the switch's clock, at which the first such event happened."""
    found: Record = next(record for record in house.ledger.read() if isinstance(record.event, kind))
    assert found.about.switch_at is not None, f"{kind.__name__} came from the switch"
    return found.about.switch_at / SECOND
