"""What callers hear, made here: the music, the prompts, and the ears with which the other tests listen."""

import wave
from array import array
from itertools import pairwise
from pathlib import Path

import pytest

from freeswitch.prompts.__main__ import make
from freeswitch.prompts.music import music
from freeswitch.prompts.sound import RATE, silence, tone, trim_wav, write_wav
from freeswitch.prompts.speak import UNSPOKEN_S, Prompt, information_tone, prompts, speak, speaker
from tests.lab.sound import alaw_tone, length_s, listen


def test_the_music_is_half_a_minute_without_a_seam_or_a_clipped_sample() -> None:
    piece = music()
    assert 25 < len(piece) / RATE < 35
    assert 0.2 < max(map(abs, piece)) < 0.5
    jumps = [abs(b - a) for a, b in pairwise(piece)]
    assert abs(piece[0] - piece[-1]) <= max(jumps), "the loop's seam is a step like any other"


def test_the_music_is_the_same_each_time_it_is_made() -> None:
    assert music() == music()


def test_every_prompt_is_there_in_every_language() -> None:
    names: dict[str, set[str]] = {}
    for prompt in prompts():
        names.setdefault(prompt.language, set()).add(prompt.name)
        assert prompt.text.strip()
    assert set(names) == {"en", "zh", "yue"}
    assert len(set(map(frozenset, names.values()))) == 1
    assert "apology" in names["en"]


def test_without_a_speaker_a_prompt_becomes_the_tones_that_every_telephone_knows(tmp_path: Path) -> None:
    path = tmp_path / "en" / "apology.wav"
    assert not speak(Prompt("en", "apology", "en", "Sorry."), path, speaker=None)
    assert length_s(path) == pytest.approx(len(information_tone()) / RATE)
    for number, hertz in enumerate((950, 1400, 1800)):
        heard = listen(path, 0, from_s=0.33 * number + 0.02, to_s=0.33 * number + 0.32, for_hz=(950, 1400, 1800))
        assert heard.dominant == hertz


def test_a_speaker_that_cannot_speak_the_language_gives_tones_too(tmp_path: Path) -> None:
    deaf = tmp_path / "speaker"
    deaf.write_text("#!/bin/sh\nexit 1\n")
    deaf.chmod(0o755)
    path = tmp_path / "xx" / "apology.wav"
    assert not speak(Prompt("xx", "apology", "no-such-voice", "Sorry."), path, speaker=str(deaf))
    assert length_s(path) == pytest.approx(len(information_tone()) / RATE)
    assert list(path.parent.iterdir()) == [path]


def test_without_a_speaker_the_parts_of_a_sentence_are_short_silence(tmp_path: Path) -> None:
    """Feature 4.2: whoever is connected must not hear eight alarms instead of a number."""
    path = tmp_path / "zh" / "digit_8.wav"
    assert not speak(Prompt("zh", "digit_8", "cmn", "8", part=True, silent=True), path, speaker=None)
    assert length_s(path) == pytest.approx(UNSPOKEN_S)
    assert listen(path, 0).silent


def test_without_a_speaker_whoever_waits_hears_a_short_silence_in_the_music(tmp_path: Path) -> None:
    """Feature 2.5: an alarm every minute would tell them to hang up."""
    place = next(prompt for prompt in prompts() if prompt.name == "place_2")
    path = tmp_path / "place_2.wav"
    assert not speak(place, path, speaker=None)
    assert length_s(path) == pytest.approx(UNSPOKEN_S)


def test_trimming_keeps_the_sound_and_an_edge_of_silence(tmp_path: Path) -> None:
    path = tmp_path / "word.wav"
    write_wav(path, [*silence(0.3), *tone(500, 0.5), *silence(0.4)])
    trim_wav(path, edge_s=0.05)
    assert length_s(path) == pytest.approx(0.6, abs=0.02)
    assert listen(path, 0, from_s=0.05, to_s=0.55).dominant == 500
    write_wav(path, silence(0.3))
    trim_wav(path)
    assert length_s(path) == pytest.approx(0.3)


@pytest.mark.skipif(speaker() is None, reason="espeak-ng is not installed")
def test_with_a_speaker_every_prompt_is_words_of_a_few_seconds(tmp_path: Path) -> None:
    for prompt in prompts():
        path = tmp_path / prompt.language / f"{prompt.name}.wav"
        assert speak(prompt, path, speaker())
        shortest, longest = (0.2, 2.5) if prompt.part else (1, 6) if prompt.silent else (3, 20)
        assert shortest < length_s(path) < longest, prompt
        assert not listen(path, 0).silent


def test_making_the_sounds_again_keeps_what_an_operator_put_in_their_place(tmp_path: Path) -> None:
    assert len(make(tmp_path)) == 1 + len(prompts())
    recording = tmp_path / "zh" / "apology.wav"
    write_wav(recording, tone(440, 0.5))
    assert make(tmp_path) == []
    assert length_s(recording) == pytest.approx(0.5)
    assert len(make(tmp_path, again=True)) == 1 + len(prompts())
    assert length_s(recording) > 0.5


# --- the ears --------------------------------------------------------------------------------------------------------
def test_a_listener_tells_two_speakers_on_two_channels_apart(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    left, right = tone(1_000, 2), tone(500, 2)
    both = array("h", (round(v * 32_767) for pair in zip(left, right, strict=True) for v in pair))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(both.tobytes())
    assert listen(path, 0).dominant == 1_000
    assert listen(path, 1).dominant == 500


def test_a_listener_hears_neither_tone_in_silence_nor_in_music(tmp_path: Path) -> None:
    path = tmp_path / "one.wav"
    write_wav(path, silence(1))
    assert listen(path, 0).silent
    assert listen(path, 0).dominant == 0
    write_wav(path, music())
    assert not listen(path, 0).silent
    assert listen(path, 0).dominant == 0
    with pytest.raises(ValueError, match="channel"):
        listen(path, 1)
    with pytest.raises(ValueError, match="nothing between"):
        listen(path, 0, from_s=60)


def test_what_a_caller_sends_is_a_law_of_the_right_pitch(tmp_path: Path) -> None:
    coded = alaw_tone(tmp_path / "tone.alaw", 1_000).read_bytes()
    assert len(coded) == RATE
    assert coded[:8] == coded[8:16], "1000 Hz repeats every 8 samples"
    assert {0xD5, 0x55} & set(coded), "silence between the half-waves is 0xD5 or 0x55 (G.711)"
