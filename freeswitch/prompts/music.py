"""The queue's music: a slow broken-chord piece that we compose here, so nobody's rights are touched.

Four bars of C, A minor, F and G, arpeggiated twice with a small melody above, on a voice like a soft music box: a few
partials that fade at their own pace. It ends where it begins, so the player's endless loop has no seam.
"""

import math

from freeswitch.prompts.sound import RATE

BEAT_S = 0.6

# Notes as half-tones above middle C. Each bar: chord tones played one after another, and one melody note over all.
BARS: tuple[tuple[tuple[int, ...], int], ...] = (
    ((0, 4, 7, 12, 7, 4), 16),
    ((-3, 0, 4, 9, 4, 0), 12),
    ((-7, -3, 0, 5, 0, -3), 9),
    ((-5, 2, 5, 7, 5, 2), 14),
    ((0, 4, 7, 12, 7, 4), 19),
    ((-3, 0, 4, 9, 4, 0), 16),
    ((-7, -3, 0, 5, 0, -3), 17),
    ((-5, 2, 5, 7, 5, 2), 14),
)

# (multiple of the pitch, strength, seconds until it has faded to a third)
PARTIALS = ((1, 1.0, 1.1), (2, 0.35, 0.7), (3, 0.12, 0.4))

MIDDLE_C = 261.626
"""Hz, in equal temperament with A at 440 Hz."""


def music() -> list[float]:
    """The whole piece, about 29 s, samples of full scale 1 at 8 kHz."""
    step = BEAT_S
    bar_s = step * 6
    total = round(bar_s * len(BARS) * RATE)
    mix = [0.0] * total
    for number, (chord, melody) in enumerate(BARS):
        start = number * bar_s
        _pluck(mix, start, melody, 0.5)
        for beat, note in enumerate(chord):
            _pluck(mix, start + beat * step, note, 0.4)
    peak = max(abs(sample) for sample in mix)
    return [0.35 * sample / peak for sample in mix]


def _pluck(mix: list[float], at_s: float, note: int, level: float) -> None:
    """Add one note to the mix; what rings past the end goes on at the beginning."""
    pitch = MIDDLE_C * 2 ** (note / 12)
    first = round(at_s * RATE)
    total = len(mix)
    for multiple, strength, fade_s in PARTIALS:
        turn = 2 * math.pi * pitch * multiple / RATE
        decay = math.exp(-1 / (fade_s * RATE))
        loud = level * strength
        for i in range(round(3 * fade_s * RATE)):
            attack = min(1.0, i / 80)
            mix[(first + i) % total] += attack * loud * math.sin(turn * i)
            loud *= decay
