"""Hosts whose clocks are an hour apart, and one whose clock is set under calls (issue 6, bad input)."""

from pathlib import Path

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import SECOND
from orchestrator.domain.staff import shifts as s
from tests.acceptance.conftest import Build
from tests.acceptance.house import ROOT

_HOUR_S = 3_600
_WRAP_UP_S = 2
_OFF = ROOT / "tests" / "lab" / "off_clock"


@pytest.mark.parametrize("off_s", (_HOUR_S, -_HOUR_S), ids=("ahead", "behind"))
def test_a_successor_on_a_host_with_a_wrong_clock_keeps_every_place_and_every_deadline(
    build: Build, tmp_path: Path, off_s: int
) -> None:
    """Complaints 1, 2: nobody who waits is turned away and a wrap-up ends on time, also where the clock is then set."""
    house = build(wrap_up_s=_WRAP_UP_S, max_wait_s=120)
    first = house.open()
    clock = tmp_path / "clock-off"
    clock.write_text(str(off_s))
    second = house.stand_by(PYTHONPATH=str(_OFF), CLOCK_OFF=str(clock))
    house.driver.phone("1001")
    house.sign_in("801")
    talking = house.driver.call()
    served = house.await_state("801", "talking")["contact_id"]
    waiting = house.driver.call()
    house.ledger.await_event(c.ContactQueued, count=2)
    first.child.kill()
    house.client.close()
    house.await_switch()
    second.await_log("host-clock-off")
    assert house.agent("801")["contact_id"] == served

    talking.hang_up()
    house.ledger.await_event(s.WrapUpEnded)
    house.await_state("801", "talking")
    clock.write_text(str(-off_s))
    waiting.hang_up()
    house.ledger.await_event(s.WrapUpEnded, count=2)
    house.await_state("801", "ready")
    status = house.status()
    assert status is not None
    assert status["clock"]["host_off_s"] == pytest.approx(-off_s, abs=5)
    assert abs(status["clock"]["database_off_s"]) < 1

    begun = [each.about.at for each in house.ledger.read() if isinstance(each.event, s.WrapUpStarted)]
    ended = [each.about.at for each in house.ledger.read() if isinstance(each.event, s.WrapUpEnded)]
    lasted = [(end - begin) / SECOND for begin, end in zip(begun, ended, strict=True)]
    assert lasted == pytest.approx([_WRAP_UP_S] * 2, abs=1)
    assert not house.ledger.all(c.ContactTurnedAway)
    assert house.close_day(contacts=2).counts.ended_by_reason == {"completed": 2}
