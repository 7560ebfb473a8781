"""Recordings: real WAV files, telephone quality, so that whoever digests or listens to one finds something there.

The recorded leg's own voice is a tone of 400 Hz; what it hears is a tone of 500 Hz while it is bridged, silence
otherwise. With RECORD_STEREO they lie on two channels, its own on the first, as the real switch does it.
"""

import math
import wave
from array import array
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from freeswitch.simulator.bus import Headers
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.timeline import SECOND

_RATE: Final = 8_000
_OWN: Final = 400
_HEARD: Final = 500


@dataclass(slots=True)
class Recording:
    """One file being written. `spans` are the times (µs) in which the leg heard somebody; masked ones are silent."""

    path: str
    stereo: bool
    began: int
    spans: list[tuple[int, int]] = field(default_factory=list)
    masked: list[tuple[int, int]] = field(default_factory=list)
    mask_began: int = 0


def start(switch: Switch, leg: Channel, path: str) -> bool:
    """Begin to record. Asking twice for one path changes nothing. False when the file could not be written."""
    if path in leg.recordings:
        return True
    if switch.options.write_recordings:
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).touch()  # it is there from the first moment; what was heard by then a killed switch takes along
        except OSError:
            return False
    leg.recordings[path] = Recording(path, leg.true("RECORD_STEREO"), switch.now)
    switch.tell(leg, "RECORD_START", last={"Record-File-Path": path})
    media: Headers = {"Media-Bug-Function": "session_record", "Media-Bug-Target": path}
    switch.tell(leg, "MEDIA_BUG_START", first=media)
    return True


def stop(switch: Switch, leg: Channel, path: str) -> bool:
    """End one recording, or all of a leg with the path `all`. False when there is none of that path.

    A file shorter than the leg's RECORD_MIN_SEC, or empty, is thrown away, and RECORD_STOP says why.
    """
    if path == "all":
        paths = list(leg.recordings)
        for each in paths:
            stop(switch, leg, each)
        return bool(paths)
    recording = leg.recordings.pop(path, None)
    if recording is None:
        return False
    length = switch.now - recording.began
    samples = length * _RATE // SECOND
    shortest = leg.get("RECORD_MIN_SEC")
    if not samples:
        outcome = "empty-file"
    elif length < (int(shortest) if shortest.isdigit() else 0) * SECOND:
        outcome = "input-too-short"
    else:
        outcome = "success-maxtime" if leg.up else "success-silence"
    if not outcome.startswith("success"):
        leg.set("RECORD_DISCARDED", "true")
        if switch.options.write_recordings:
            Path(path).unlink(missing_ok=True)
    size = 0
    if switch.options.write_recordings and outcome.startswith("success"):
        size = _write(recording, _heard(leg, recording, switch.now), samples, switch.now)
    leg.set("record_file_size", str(size))
    leg.set("record_samples", str(samples))
    leg.set("record_seconds", str(length // SECOND))
    leg.set("record_ms", str(length // 1_000))
    leg.set("record_completion_cause", outcome)
    news: Headers = {"Record-File-Path": path, "Record-Completion-Cause": outcome}
    switch.tell(leg, "RECORD_STOP", last=news)
    switch.tell(leg, "MEDIA_BUG_STOP", first={"Media-Bug-Function": "session_record", "Media-Bug-Target": path})
    return True


def mask(switch: Switch, leg: Channel, path: str, *, on: bool) -> bool:
    """Begin or end to record silence instead of sound. False when nothing is recorded to this very path."""
    recording = leg.recordings.get(path)
    if recording is None:
        return False
    if on and not recording.mask_began:
        recording.mask_began = switch.now
    elif not on and recording.mask_began:
        recording.masked.append((recording.mask_began, switch.now))
        recording.mask_began = 0
    return True


def _heard(leg: Channel, recording: Recording, now: int) -> tuple[int, int]:
    """When the leg heard somebody: from its last bridge on, or never."""
    if not leg.bridged_at:
        return now, now
    return max(leg.bridged_at, recording.began), now


def _write(recording: Recording, heard: tuple[int, int], samples: int, now: int) -> int:
    """Write the file and return its size in bytes."""
    own, other = array("h", _tone(_OWN, samples)), array("h", bytes(2 * samples))
    first, last = (_at(recording, moment, samples) for moment in heard)
    other[first:last] = array("h", _tone(_HEARD, last - first))
    masked = list(recording.masked)
    if recording.mask_began:
        masked.append((recording.mask_began, now))
    for began, ended in masked:
        first, last = _at(recording, began, samples), _at(recording, ended, samples)
        silence = array("h", bytes(2 * (last - first)))
        own[first:last] = silence
        other[first:last] = silence
    if recording.stereo:
        sound = array("h", bytes(4 * samples))
        sound[0::2] = own
        sound[1::2] = other
    else:
        sound = array("h", (left + right for left, right in zip(own, other, strict=True)))
    path = Path(recording.path)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2 if recording.stereo else 1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(sound.tobytes())
    return path.stat().st_size


def _at(recording: Recording, moment: int, samples: int) -> int:
    return min(max((moment - recording.began) * _RATE // SECOND, 0), samples)


def _tone(pitch: int, samples: int) -> bytes:
    """So many samples of a sine at a third of full loudness."""
    second = _second(pitch)
    whole, rest = divmod(samples * 2, len(second))
    return second * whole + second[:rest]


@cache
def _second(pitch: int) -> bytes:
    step = 2 * math.pi * pitch / _RATE
    return array("h", (round(10_000 * math.sin(step * sample)) for sample in range(_RATE))).tobytes()
