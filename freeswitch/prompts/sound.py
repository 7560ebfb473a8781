"""Samples and WAV files: 8 kHz, 16 bits, one channel, which is what a telephone carries."""

import math
import os
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path

RATE = 8_000
"""Samples a second (G.711)."""

LOUD = 32_767


def tone(hertz: float, seconds: float, level: float = 0.3, ramp_s: float = 0.008) -> list[float]:
    """A sine between -level and level (full scale is 1), rising and falling over `ramp_s` so that it does not click."""
    count = round(seconds * RATE)
    ramp = max(1, round(ramp_s * RATE))
    step = 2 * math.pi * hertz / RATE
    return [level * min(1.0, i / ramp, (count - i) / ramp) * math.sin(step * i) for i in range(count)]


def silence(seconds: float) -> list[float]:
    """Nothing, for `seconds`."""
    return [0.0] * round(seconds * RATE)


def write_wav(path: Path, samples: Sequence[float]) -> None:
    """Write samples of full scale 1 to `path`; what lies outside is clipped. The file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = array("h", (max(-LOUD, min(LOUD, round(sample * LOUD))) for sample in samples))
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with wave.open(str(fresh), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(data.tobytes())
    fresh.replace(path)


def trim_wav(path: Path, *, edge_s: float = 0.04, floor: int = 300) -> None:
    """Cut the silence off both ends of a file of one channel, but for `edge_s`. `floor` is the loudest silence."""
    with wave.open(str(path), "rb") as file:
        form, samples = file.getparams(), array("h", file.readframes(file.getnframes()))
    loud = [i for i, sample in enumerate(samples) if abs(sample) > floor]
    if not loud:
        return
    edge = round(edge_s * form.framerate)
    kept = samples[max(0, loud[0] - edge) : loud[-1] + edge]
    with wave.open(str(path), "wb") as file:
        file.setparams(form)
        file.writeframes(kept.tobytes())
