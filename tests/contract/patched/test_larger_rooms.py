"""More than three in one room of the switch: each hears each, and two who go on alone leave the others as they are."""

import time
from pathlib import Path

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver
from tests.lab.sound import AGENT_HZ, CALLER_HZ, listen

COLLEAGUE_HZ, FOURTH_HZ = 700, 1_300
ALL_HZ = (AGENT_HZ, COLLEAGUE_HZ, CALLER_HZ, FOURTH_HZ)
EDGE_S = 0.3
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


def test_one_who_comes_later_hears_all_and_whoever_leaves_takes_nobody_along(driver: Driver, desk: Desk) -> None:
    """Features 4.3, 8.1, by samples: what the caller hears, in one recording: three, two without the agent, the last
    one by a bridge.
    """
    phones = [
        driver.phone(ext, hertz=hz) for ext, hz in (("1001", AGENT_HZ), ("1002", COLLEAGUE_HZ), ("1003", FOURTH_HZ))
    ]
    driver.call()
    caller, agent, contact = desk.talk()
    desk.keep(agent)
    colleague = desk.ring("1002", contact=contact, stays=True)
    desk.await_fact(f.LegParked, leg=colleague)
    for leg in (caller, agent, colleague):
        desk.confer(leg, ROOM)
    for leg in (caller, agent, colleague):
        desk.await_fact(f.ConferenceChanged, leg=leg, conference=ROOM, action="add-member")
    desk.record(caller, "later.wav")
    path = Path(desk.await_fact(f.RecordingStarted, leg=caller).path)
    began = time.monotonic()
    guest = desk.ring("1003", contact=contact, stays=True)
    desk.await_fact(f.LegParked, leg=guest)
    desk.confer(guest, ROOM)
    desk.await_fact(f.ConferenceChanged, leg=guest, conference=ROOM, action="add-member")
    parting = ((agent, phones[0], (caller, colleague, guest)), (colleague, phones[1], (caller, guest)))
    spans = []
    for leg, phone, stay in parting:
        from_s = time.monotonic() - began
        driver.let_hear(1_500)
        spans.append((from_s, time.monotonic() - began))
        phone.hang_up()
        desk.await_fact(f.LegHungUp, leg=leg)
        seen = {each.leg: each.room for each in desk.snapshot().legs}
        assert {seen[each] for each in stay} == {ROOM}
    desk.bridge(caller, guest)
    desk.await_fact(f.LegBridged, leg=caller, other=guest)
    from_s = time.monotonic() - began
    driver.let_hear(1_500)
    spans.append((from_s, time.monotonic() - began))
    desk.stop_recording(caller, "later.wav")
    desk.await_fact(f.RecordingStopped, leg=caller)
    if driver.has_sound:
        tones = [_heard(path, 1, from_s=from_s + EDGE_S, to_s=to_s - EDGE_S) for from_s, to_s in spans]
        assert tones == [{AGENT_HZ, COLLEAGUE_HZ, FOURTH_HZ}, {COLLEAGUE_HZ, FOURTH_HZ}, {FOURTH_HZ}]
    desk.hang_up(guest)
    desk.await_fact(f.LegHungUp, leg=guest)
    desk.hang_up(caller)
    desk.await_fact(f.LegHungUp, leg=caller)
    driver.await_empty()


def test_one_is_apart_and_the_others_go_on(driver: Driver, desk: Desk) -> None:
    """Feature 4.3, by samples: a muted one is not heard; one on hold hears music and is not heard; one with whom the
    agent speaks alone hears the agent, and the others hear each other. All come back.
    """
    for extension, hertz in (("1001", AGENT_HZ), ("1002", COLLEAGUE_HZ), ("1003", FOURTH_HZ)):
        driver.phone(extension, hertz=hertz)
    driver.call()
    caller, agent, contact = desk.talk()
    desk.keep(agent)
    colleague, guest = (desk.ring(extension, contact=contact, stays=True) for extension in ("1002", "1003"))
    for leg in (colleague, guest):
        desk.await_fact(f.LegParked, leg=leg)
    legs = [caller, agent, colleague, guest]
    _enter(desk, legs)
    desk.mute(guest)
    desk.await_fact(f.MuteSet, leg=guest, on=True)
    muted = _recorded(driver, desk, legs, "muted")
    desk.mute(guest, on=False)
    desk.await_fact(f.MuteSet, leg=guest, on=False)
    desk.park(guest)
    desk.await_fact(f.LegParked, leg=guest)
    desk.play(guest)
    held = _recorded(driver, desk, legs, "on-hold")
    desk.mute(guest)
    desk.await_fact(f.MuteSet, leg=guest, on=True)
    (music,) = _recorded(driver, desk, [guest], "music-alone")  # without what the guest says, what is left is heard
    desk.mute(guest, on=False)
    desk.await_fact(f.MuteSet, leg=guest, on=False)
    _enter(desk, [guest])
    again = _recorded(driver, desk, legs, "held-again")
    desk.bridge(agent, guest)
    desk.await_fact(f.LegBridged, leg=agent, other=guest)
    alone = _recorded(driver, desk, legs, "alone")
    desk.confer(agent, ROOM)
    desk.await_fact(f.LegParked, leg=guest)
    desk.play(guest)
    _enter(desk, [guest])
    desk.await_fact(f.ConferenceChanged, leg=agent, conference=ROOM, action="add-member")
    together = _recorded(driver, desk, legs, "all-again")
    for leg in legs:
        desk.hang_up(leg)
        desk.await_fact(f.LegHungUp, leg=leg)
    if driver.has_sound:
        assert _heard(muted[0], 1) == {AGENT_HZ, COLLEAGUE_HZ}
        assert _heard(held[0], 1) == {AGENT_HZ, COLLEAGUE_HZ}
        heard = listen(music, 0, from_s=0.4, to_s=1.2, for_hz=ALL_HZ)
        assert not heard.silent
        assert sum(heard.share.values()) < 0.5, heard.share  # a quarter is a note of the music's own
        assert _heard(held[3], 0) <= {FOURTH_HZ}
        assert _heard(again[0], 1) == _heard(together[0], 1) == {AGENT_HZ, COLLEAGUE_HZ, FOURTH_HZ}
        assert _heard(alone[0], 1) == {COLLEAGUE_HZ}
        assert _heard(alone[1], 0) == _heard(alone[3], 0) == {AGENT_HZ, FOURTH_HZ}
    driver.await_empty()


def test_two_who_are_told_into_the_room_as_another_leaves_it_both_come(driver: Driver, desk: Desk) -> None:
    """Feature 4.3, by samples: the one who was asked first goes in the very moment; nobody is told twice."""
    phones = [
        driver.phone(ext, hertz=hz) for ext, hz in (("1001", AGENT_HZ), ("1002", COLLEAGUE_HZ), ("1003", FOURTH_HZ))
    ]
    driver.phone("1004", hertz=COLLEAGUE_HZ)
    driver.call()
    caller, agent, contact = desk.talk()
    desk.keep(agent)
    colleague, first, second = (desk.ring(ext, contact=contact, stays=True) for ext in ("1002", "1003", "1004"))
    for leg in (colleague, first, second):
        desk.await_fact(f.LegParked, leg=leg)
    _enter(desk, [caller, agent, colleague])
    desk.confer(first, ROOM)
    phones[1].hang_up()
    desk.confer(second, ROOM)
    for leg in (first, second):
        desk.await_fact(f.ConferenceChanged, leg=leg, conference=ROOM, action="add-member")
    desk.await_fact(f.LegHungUp, leg=colleague)
    legs = [caller, agent, first, second]
    assert {each.room for each in desk.snapshot().legs if each.leg in legs} == {ROOM}
    heard = _recorded(driver, desk, legs, "came-in")
    for leg in legs:
        desk.hang_up(leg)
        desk.await_fact(f.LegHungUp, leg=leg)
    if driver.has_sound:
        assert _heard(heard[0], 1) == {AGENT_HZ, FOURTH_HZ, COLLEAGUE_HZ}
        assert _heard(heard[3], 0) == set(ALL_HZ), "what it says and hears"
    driver.await_empty()


def _enter(desk: Desk, legs: list[str]) -> None:
    for leg in legs:
        desk.confer(leg, ROOM)
    for leg in legs:
        desk.await_fact(f.ConferenceChanged, leg=leg, conference=ROOM, action="add-member")


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


def _heard(path: Path, side: int, from_s: float = 0.4, to_s: float = 1.2) -> set[int]:
    """Whose tones are on this side; a trace is nobody's."""
    share = listen(path, side, from_s=from_s, to_s=to_s, for_hz=ALL_HZ).share
    assert all(each < TRACE or each > PART for each in share.values()), share
    return {hertz for hertz, each in share.items() if each > PART}
