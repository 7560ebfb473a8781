"""A place told to somebody who waits: heard instead of the music, which goes on after it; never over a talk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from freeswitch.prompts.sound import tone, write_wav
from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver, RealDriver
from tests.lab.control import Control
from tests.lab.sound import AGENT_HZ, listen, stretches

ENDS_WITHIN_S = 15
PITCHES = {"place_2": 1_300, "wait_3": 1_700}
"""What is heard instead of the two sentences on a real switch, so that a test can tell them apart."""
SENTENCE_S = 2.0
BUGS = "MEDIA_BUG_START MEDIA_BUG_STOP PLAYBACK_STOP"


@pytest.fixture(autouse=True)
def tones(driver: Driver) -> Iterator[None]:
    """Recordings of an operator's own in the place of the words."""
    if not isinstance(driver, RealDriver):
        yield
        return
    folder = driver.real.sounds / driver.real.plan.language
    kept = {name: (folder / f"{name}.wav").read_bytes() for name in PITCHES}
    for name, hertz in PITCHES.items():
        write_wav(folder / f"{name}.wav", tone(hertz, SENTENCE_S))
    yield
    for name, content in kept.items():
        (folder / f"{name}.wav").write_bytes(content)


def waiting_caller(driver: Driver, desk: Desk) -> str:
    """Somebody who hears music; the leg."""
    driver.call()
    leg = desk.parked_caller()
    desk.answer(leg, desk.next_id())
    desk.play(leg)
    desk.await_fact(f.LegAnswered, leg=leg)
    return leg


def tell(desk: Desk, watch: Control, leg: str) -> None:
    """Tell the place; returns once it is being spoken."""
    desk.tell_place(leg)
    assert watch.await_event("MEDIA_BUG_START", Unique_ID=leg)["Media-Bug-Function"] == "displace"


def ear(driver: Driver, watch: Control, leg: str) -> Path:
    """Record what this leg hears from now on, whatever is heard in the place of something else."""
    path = driver.recordings / f"ear-{leg}.wav"
    assert watch.api(f"uuid_record {leg} start {path}").startswith("+OK")
    return path


def heard_s(path: Path, hertz: int) -> float:
    """For how long in all this tone was heard."""
    return sum(length for _, length in stretches(path, 1, hertz))


def test_a_place_is_heard_instead_of_the_music_which_goes_on_after_it(driver: Driver, desk: Desk) -> None:
    """Feature 2.5, complaint 20."""
    leg = waiting_caller(driver, desk)
    with driver.control() as watch:
        watch.subscribe(BUGS)
        tell(desk, watch, leg)
        heard = ear(driver, watch, leg)
        again = desk.tell_place(leg)
        assert desk.await_fact(f.InstructionFailed, instruction=again).answer.startswith("Cannot displace session")
        ended = watch.await_event("MEDIA_BUG_STOP", Unique_ID=leg, within_s=ENDS_WITHIN_S)
        assert ended["Media-Bug-Function"] == "displace"
        driver.let_hear(1_500)
        assert not [each for each in watch.drain(0.1) if each["Event-Name"] == "PLAYBACK_STOP"], "the music went on"
        desk.hang_up(leg)
        desk.await_fact(f.LegHungUp, leg=leg)
    if driver.has_sound:
        place, wait = (stretches(heard, 1, hertz) for hertz in PITCHES.values())
        assert [round(length) for _, length in (*place, *wait)] == [SENTENCE_S, SENTENCE_S]
        assert place[0][0] < wait[0][0], "the place, then the wait"
        after = wait[0][0] + wait[0][1] + 0.3
        music = listen(heard, 1, from_s=after, to_s=after + 1.0, for_hz=(AGENT_HZ, *PITCHES.values()))
        assert (music.silent, music.dominant) == (False, 0)


def test_an_agent_who_picks_up_in_the_middle_of_the_sentence_is_heard_and_it_is_not(driver: Driver, desk: Desk) -> None:
    """Feature 2.5, complaint 20."""
    driver.phone("1001")
    leg = waiting_caller(driver, desk)
    other = desk.agents_leg("1001", desk.next_id())
    with driver.control() as watch:
        watch.subscribe(BUGS)
        tell(desk, watch, leg)
        heard = ear(driver, watch, leg)
        driver.let_hear(600)
        desk.hush_place(leg)
        desk.bridge(leg, other)
        watch.await_event("MEDIA_BUG_STOP", Unique_ID=leg, Media_Bug_Function="displace")
        desk.await_fact(f.LegBridged, leg=leg, other=other)
        driver.let_hear(2_000)
        assert not desk.said(f.InstructionFailed)
        desk.hang_up(leg)  # and with it the other, sooner or later
        desk.await_fact(f.LegHungUp, leg=leg)
        desk.hang_up(other)
        desk.await_fact(f.LegHungUp, leg=other)
    if driver.has_sound:
        assert heard_s(heard, PITCHES["place_2"]) < 1.0
        assert not stretches(heard, 1, PITCHES["wait_3"])
        assert heard_s(heard, AGENT_HZ) > 1.5


def test_what_is_not_spoken_any_more_is_ended_without_a_word_and_a_leg_that_is_gone_hears_nothing(
    driver: Driver, desk: Desk
) -> None:
    """Feature 2.5."""
    leg = waiting_caller(driver, desk)
    desk.hush_place(leg)
    assert desk.exists(leg)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.hush_place(leg)
    failed = desk.tell_place(leg)
    assert desk.await_fact(f.InstructionFailed, instruction=failed).answer.startswith("Cannot locate session")
    assert not desk.said(f.InstructionFailed)
    driver.await_empty()


def test_a_caller_who_is_turned_away_in_the_middle_of_the_sentence_hears_the_apology(
    driver: Driver, desk: Desk
) -> None:
    """Features 2.5, 3.11."""
    leg = waiting_caller(driver, desk)
    with driver.control() as watch:
        watch.subscribe(f"{BUGS} PLAYBACK_START")
        tell(desk, watch, leg)
        desk.hush_place(leg)
        desk.apologise(leg)
        watch.await_event("MEDIA_BUG_STOP", Unique_ID=leg, Media_Bug_Function="displace")
        assert "apology" in watch.await_event("PLAYBACK_START", Unique_ID=leg)["Playback-File-Path"]
    desk.await_fact(f.LegHungUp, leg=leg, within_s=30)
    driver.await_empty()
