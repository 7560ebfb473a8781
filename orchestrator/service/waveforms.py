"""The shape of a recording: how loud each side was, so that a player can show where somebody speaks.

Worked out once, when the file is sealed, in one pass and constant memory; kept encrypted beside it under the same key.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

# So many peaks each side has: more than most screens have room for.
PEAKS: Final = 600
HEAD_MOST: Final = 65_536
"""So many bytes tell what a file is."""
_PCM: Final = 1
_SAMPLE: Final = 2
_MOST_SIDES: Final = 2
# From the upper byte of a sample, little-endian and signed, to how loud it is.
_LOUDNESS: Final = bytes(2 * (byte if byte < 128 else 255 - byte) for byte in range(256))  # noqa: PLR2004 - of 8 bits


class Waveform(Struct, frozen=True, kw_only=True):
    """How loud it was, from 0 to 254, in equal stretches of time; `sides`: the caller first, then whom they heard."""

    length_ms: int
    sides: list[list[int]]


class _Form(Struct, frozen=True):
    """What the head of a WAV file says: how many channels, frames a second, and where the sound begins."""

    channels: int
    rate: int
    begin: int


def length_ms_of(head: bytes, length: int) -> int:
    """How long a WAV file of `length` bytes lasts, by its first ones (`HEAD_MOST` are enough); -1 where it is none of
    the kind that switches write.
    """
    form = _form_of(head[:HEAD_MOST])
    if form is None:
        return -1
    return max(0, length - form.begin) // (form.channels * _SAMPLE) * 1000 // form.rate


def waveform_of(pieces: Iterable[bytes], length: int) -> Waveform | None:
    """The shape of a WAV file of `length` bytes, given piece by piece; None where it is none of the kind that switches
    write: PCM, 16 bits, one channel or two. What its head says of its length is not believed: of a file that was cut
    short it is wrong.
    """
    held = bytearray()
    form: _Form | None = None
    stretch, size = 0, 0
    sides: list[list[int]] = []
    for piece in pieces:
        held += piece
        if form is None:
            form = _form_of(bytes(held[:HEAD_MOST]))
            if form is None:
                if len(held) >= HEAD_MOST:
                    return None
                continue
            del held[: form.begin]
            frame = form.channels * _SAMPLE
            frames = max(1, (length - form.begin) // frame)
            stretch = -(-frames // PEAKS) * frame
            size = frames * frame
            sides = [[] for _ in range(form.channels)]
        while len(held) >= stretch:
            _peaks(held[:stretch], sides)
            del held[:stretch]
    if form is None:
        return None
    frame = form.channels * _SAMPLE
    if rest := len(held) // frame * frame:
        _peaks(held[:rest], sides)
    return Waveform(length_ms=size // frame * 1000 // form.rate, sides=sides)


def _peaks(raw: bytes | bytearray, sides: list[list[int]]) -> None:
    """The upper byte of each sample says enough to draw, and is compared ten times as fast as the sample."""
    for place, side in enumerate(sides):
        side.append(max(raw[_SAMPLE * place + 1 :: _SAMPLE * len(sides)].translate(_LOUDNESS)))


def _form_of(head: bytes) -> _Form | None:
    """None where it is no such file, or where not enough of it is there yet."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, channels, rate = 12, 0, 0
    while at + 8 <= len(head):
        name, size = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"data":
            return _Form(channels, rate, at + 8) if channels else None
        if name == b"fmt " and at + 24 <= len(head):
            kind, channels = (int.from_bytes(head[at + n : at + n + 2], "little") for n in (8, 10))
            rate = int.from_bytes(head[at + 12 : at + 16], "little")
            bits = int.from_bytes(head[at + 22 : at + 24], "little")
            if kind != _PCM or bits != 8 * _SAMPLE or not 0 < channels <= _MOST_SIDES or not rate:
                return None
        at += 8 + size + size % 2
    return None
