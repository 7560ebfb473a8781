"""More than three in one room of the switch: each hears each, and two who go on alone leave the others as they are."""

from pathlib import Path

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver
from tests.lab.sound import AGENT_HZ, CALLER_HZ, listen

COLLEAGUE_HZ, FOURTH_HZ = 700, 1_300
ALL_HZ = (AGENT_HZ, COLLEAGUE_HZ, CALLER_HZ, FOURTH_HZ)
TRACE, PART = 0.01, 0.04
ROOM = "room-of-four"


def test_each_of_four_hears_each_until_two_are_taken_out_by_a_bridge_and_two_stay(driver: Driver, desk: Desk) -> None:
    """Features 4.3, 8.1, by samples: the files of all four legs hold all four voices, then two of them each."""
    for extension, hertz in (("1001", AGENT_HZ), ("1002", COLLEAGUE_HZ), ("1003", FOURTH_HZ)):
        driver.phone(extension, hertz=hertz)
    driver.call()
    caller, agent, contact = desk.talk()
    desk.keep(agent)
    others = [desk.ring(extension, contact=contact, stays=True) for extension in ("1002", "1003")]
    for leg in others:
        desk.await_fact(f.LegParked, leg=leg)
    legs = [caller, agent, *others]
    for leg in legs:
        desk.confer(leg, ROOM)
    for leg in legs:
        desk.await_fact(f.ConferenceChanged, leg=leg, conference=ROOM, action="add-member")
    assert {leg.room for leg in desk.snapshot().legs} == {ROOM}
    together = _recorded(driver, desk, legs, "four")
    desk.bridge(caller, agent)
    desk.await_fact(f.LegBridged, leg=caller, other=agent)
    for leg in (caller, agent):
        desk.await_fact(f.ConferenceChanged, leg=leg, conference=ROOM, action="del-member")
    apart = _recorded(driver, desk, legs, "two")
    for leg in legs:
        desk.hang_up(leg)
        desk.await_fact(f.LegHungUp, leg=leg)
    if driver.has_sound:
        assert _heard(together[0], 1) == {AGENT_HZ, COLLEAGUE_HZ, FOURTH_HZ}
        for path in together[1:]:  # one channel, of both directions
            assert _heard(path, 0) == set(ALL_HZ)
        assert _heard(apart[0], 1) == {AGENT_HZ}
        assert _heard(apart[1], 0) == {AGENT_HZ, CALLER_HZ}
        assert _heard(apart[2], 0) == _heard(apart[3], 0) == {COLLEAGUE_HZ, FOURTH_HZ}
    driver.await_empty()


def _recorded(driver: Driver, desk: Desk, legs: list[str], name: str) -> list[Path]:
    """A second of what each leg says and hears."""
    files = [f"{name}-{at}.wav" for at in range(len(legs))]
    for leg, file in zip(legs, files, strict=True):
        desk.record(leg, file)
    paths = [Path(desk.await_fact(f.RecordingStarted, leg=leg).path) for leg in legs]
    driver.let_hear(1_500)
    for leg, file in zip(legs, files, strict=True):
        desk.stop_recording(leg, file)
        desk.await_fact(f.RecordingStopped, leg=leg)
    return paths


def _heard(path: Path, side: int) -> set[int]:
    """Whose tones are on this side; a trace is nobody's."""
    share = listen(path, side, from_s=0.4, to_s=1.2, for_hz=ALL_HZ).share
    assert all(each < TRACE or each > PART for each in share.values()), share
    return {hertz for hertz, each in share.items() if each > PART}
