"""Recordings of the simulated switch are files that one can hear: two voices, on two channels."""

import math
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path

import pytest

from freeswitch.simulator import Options
from tests.simulator.stage import Stage


def stage() -> Stage:
    return Stage(Options(poll_ms=0))


def channels(path: Path) -> tuple[list[Sequence[int]], int]:
    with wave.open(str(path), "rb") as file:
        count, rate = file.getnchannels(), file.getframerate()
        sound = array("h", file.readframes(file.getnframes()))
    return [sound[channel::count] for channel in range(count)], rate


def loudness(samples: Sequence[int], rate: int, pitch: int) -> float:
    """How much of this pitch is in the samples (Goertzel, normalised by their number)."""
    if not samples:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * pitch / rate)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    return math.sqrt(abs(last * last + before * before - turn * last * before)) / len(samples)


def test_a_talk_is_recorded_with_the_caller_on_the_first_channel_and_the_agent_on_the_second(tmp_path: Path) -> None:
    play = stage()
    caller, _ = play.talk()
    path = tmp_path / "made" / "on demand" / "talk.wav"
    assert play.api(f"uuid_record {caller} start '{path}'") == "+OK Success\n"
    assert play.api(f"uuid_record {caller} start '{path}'") == "+OK Success\n"
    play.run(2_000)
    assert play.api(f"uuid_record {caller} stop /elsewhere.wav") == "-ERR Cannot stop record session!\n"
    assert play.api(f"uuid_record {caller} stop '{path}'") == "+OK Success\n"
    play.run(50)
    assert play.names(caller).count("RECORD_START") == 1
    stop = play.until_told("RECORD_STOP", caller)
    assert stop.get("Record-File-Path") == str(path)
    assert stop.get("variable_record_ms") == "2000"
    assert stop.get("variable_record_file_size") == str(path.stat().st_size)
    (own, other), rate = channels(path)
    assert (len(own), rate) == (16_000, 8_000)
    assert loudness(own, rate, 400) > 20 * loudness(own, rate, 500)
    assert loudness(other, rate, 500) > 20 * loudness(other, rate, 400)


def test_the_agent_is_heard_only_from_the_bridge_on_and_masked_sound_is_silence(tmp_path: Path) -> None:
    play = stage()
    caller = play.answered_caller()
    path = tmp_path / "talk.wav"
    play.api(f"uuid_record {caller} start {path}")
    play.run(1_000)
    agent = play.agent()
    play.background(f"uuid_bridge {caller} {agent}")
    play.until_told("CHANNEL_BRIDGE", caller)
    play.run(1_000)
    assert play.api(f"uuid_record {caller} mask {path}") == "+OK Success\n"
    masked_from = play.now
    play.run(1_000)
    assert play.api(f"uuid_record {caller} unmask {path}") == "+OK Success\n"
    assert play.api(f"uuid_record {caller} mask {path}x") == "-ERR Cannot mask recording session!\n"
    play.run(1_000)
    play.api(f"uuid_record {caller} stop {path}")
    (own, other), rate = channels(path)
    assert max(other[: rate // 2]) == 0
    middle = len(own) - rate - rate // 2
    assert max(own[middle : middle + 100]) == max(other[middle : middle + 100]) == 0
    assert max(own[-100:]) > 0
    assert masked_from < play.now


@pytest.mark.parametrize(("stereo", "count"), (("true", 2), ("false", 1)))
def test_a_leg_is_recorded_as_its_variable_says(tmp_path: Path, stereo: str, count: int) -> None:
    play = stage()
    caller = play.answered_caller()
    play.api(f"uuid_setvar {caller} RECORD_STEREO {stereo}")
    path = tmp_path / "one.wav"
    play.api(f"uuid_record {caller} start {path}")
    play.run(200)
    play.api(f"uuid_record {caller} stop all")
    assert len(channels(path)[0]) == count


def test_a_recording_ends_with_its_leg(tmp_path: Path) -> None:
    play = stage()
    caller, _ = play.talk()
    path = tmp_path / "talk.wav"
    play.api(f"uuid_record {caller} start {path}")
    play.run(500)
    play.model.hang_up(caller, play.now)
    stop = play.until_told("RECORD_STOP", caller)
    assert stop.get("Record-Completion-Cause") == "success-silence"
    names = play.names(caller)
    play.until_told("CHANNEL_HANGUP_COMPLETE", caller)
    assert names.index("CHANNEL_HANGUP") < names.index("RECORD_STOP")
    assert path.exists()


def test_a_recording_shorter_than_its_leg_wants_is_thrown_away_and_says_so(tmp_path: Path) -> None:
    play = stage()
    caller = play.answered_caller()
    play.api(f"uuid_setvar {caller} RECORD_MIN_SEC 3")
    path = tmp_path / "short.wav"
    play.api(f"uuid_record {caller} start {path}")
    play.run(1_000)
    play.api(f"uuid_record {caller} stop {path}")
    assert play.until_told("RECORD_STOP", caller).get("Record-Completion-Cause") == "input-too-short"
    assert not path.exists()


def test_a_place_where_nobody_may_write_refuses_the_recording(tmp_path: Path) -> None:
    play = stage()
    caller = play.answered_caller()
    (tmp_path / "file").write_text("no folder")
    assert play.api(f"uuid_record {caller} start {tmp_path / 'file' / 'x.wav'}") == "-ERR Cannot record session!\n"
