"""Making a caller's tone, and hearing in a recording who speaks on which side."""

import math
import wave
from array import array
from dataclasses import dataclass
from pathlib import Path

RATE = 8_000

CALLER_HZ = 1_000
"""What our sipp callers send."""
AGENT_HZ = 500
"""What our baresip phones send."""

QUIET = 100.0
"""Root mean square below which a 16-bit channel counts as silent: A-law noise is far below, our tones far above."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a stretch of one channel holds."""

    loudness: float
    """Root mean square of 16-bit samples."""
    share: dict[int, float]
    """For each frequency asked for, the share (0 to 1) of the stretch's energy that lies there."""

    @property
    def silent(self) -> bool:
        return self.loudness < QUIET

    @property
    def dominant(self) -> int:
        """The frequency asked for that carries most, 0 where the stretch is silent or none carries half."""
        best = max(self.share, key=lambda hertz: self.share[hertz])
        return 0 if self.silent or self.share[best] < 0.5 else best


def listen(
    path: Path, channel: int, *, from_s: float = 0.0, to_s: float | None = None, for_hz: tuple[int, ...] = (500, 1_000)
) -> Heard:
    """What `channel` (0 left, 1 right) of a WAV file holds between two moments; ValueError where there is none."""
    with wave.open(str(path), "rb") as file:
        channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
        if channel >= channels or width != 2:
            raise ValueError(f"{path}: {channels} channels of {width} bytes, wanted 16 bits and channel {channel}")
        samples = array("h", file.readframes(file.getnframes()))[channel::channels]
    part = samples[round(from_s * rate) : None if to_s is None else round(to_s * rate)]
    if not part:
        raise ValueError(f"{path}: nothing between {from_s} s and {to_s} s, it lasts {len(samples) / rate} s")
    energy = sum(sample * sample for sample in part)
    share = {hertz: _power(part, hertz, rate) / energy if energy else 0.0 for hertz in for_hz}
    return Heard(loudness=math.sqrt(energy / len(part)), share=share)


def stretches(path: Path, channel: int, hertz: int, *, step_s: float = 0.05) -> list[tuple[float, float]]:
    """When this frequency is heard in a channel, whatever else is heard with it: (from, for how long), in seconds.

    Of each `step_s` it counts where a tone at a tenth of full scale or more would lie.
    """
    with wave.open(str(path), "rb") as file:
        channels, rate = file.getnchannels(), file.getframerate()
        samples = array("h", file.readframes(file.getnframes()))[channel::channels]
    block = round(step_s * rate)
    least = block * (0.1 * 32_767) ** 2 / 2
    found: list[tuple[float, float]] = []
    for number in range(len(samples) // block):
        if _power(samples[number * block : (number + 1) * block], hertz, rate, block) < least:
            continue
        at = number * step_s
        if found and found[-1][0] + found[-1][1] > at - step_s / 2:
            found[-1] = (found[-1][0], found[-1][1] + step_s)
        else:
            found.append((at, step_s))
    return found


def length_s(path: Path) -> float:
    """How long a WAV file plays."""
    with wave.open(str(path), "rb") as file:
        return file.getnframes() / file.getframerate()


def _power(samples: "array[int]", hertz: int, rate: int, block: int = 0) -> float:
    """Energy of one frequency, by Goertzel's recurrence in blocks of 0.1 s, or of so many samples.

    Blocks, because a sender's clock is not ours: over seconds a tone drifts out of phase and would cancel itself.
    """
    block = block or rate // 10
    turn = 2 * math.cos(2 * math.pi * hertz / rate)
    total = 0.0
    for start in range(0, len(samples) - block + 1, block):
        before = last = 0.0
        for sample in samples[start : start + block]:
            before, last = last, sample + turn * last - before
        total += 2 * (before * before + last * last - turn * before * last) / block
    return total


def alaw_tone(path: Path, hertz: int = CALLER_HZ, *, seconds: float = 1.0, level: float = 0.3) -> Path:
    """Write raw A-law samples (G.711) of a sine, full scale 1, and return the path: what sipp streams over RTP."""
    step = 2 * math.pi * hertz / RATE
    path.write_bytes(bytes(_alaw(round(level * 32_767 * math.sin(step * i))) for i in range(round(seconds * RATE))))
    return path


def _alaw(sample: int) -> int:
    """One 16-bit sample as A-law (ITU-T G.711, table 1a)."""
    sign = 0x80 if sample >= 0 else 0
    magnitude = min(abs(sample), 32_767) >> 4
    if magnitude < 32:
        code = magnitude
    else:
        exponent = magnitude.bit_length() - 4
        code = exponent << 4 | (magnitude >> (exponent - 1)) & 0x0F
    return (code | sign) ^ 0x55
