"""The shape of a recording, whatever its file is cut into (feature 8.2: player with waveform)."""

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.service.waveforms import PEAKS, waveform_of


def wav(
    frames: Sequence[tuple[int, ...]], *, rate: int = 8_000, kind: int = 1, bits: int = 16, extra: bytes = b""
) -> bytes:
    """A WAV file as a switch writes it; `extra`: chunks before the sound."""
    channels = len(frames[0]) if frames else 1
    sound = b"".join(struct.pack(f"<{channels}h", *frame) for frame in frames)
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * channels * 2, channels * 2, bits)
    # A switch that was killed leaves zeros where the lengths should stand.
    return b"RIFF\0\0\0\0WAVE" + extra + b"fmt " + struct.pack("<I", len(form)) + form + b"data\0\0\0\0" + sound


def test_each_side_has_its_own_shape() -> None:
    """The caller speaks in the first second, the agent in the second."""
    frames = [(20_000, 0)] * 8_000 + [(0, -32_768)] * 8_000
    sound = wav(frames)
    found = waveform_of([sound], len(sound))
    assert found is not None
    assert found.length_ms == 2_000
    caller, agent = found.sides
    assert len(caller) == len(agent) <= PEAKS
    half = len(caller) // 2
    assert set(caller[: half - 1]) == {156}
    assert set(caller[half + 1 :]) == {0}
    assert (set(agent[: half - 1]), set(agent[half + 1 :])) == ({0}, {254})


@given(
    st.lists(st.tuples(st.integers(-32_768, 32_767)), min_size=1, max_size=3_000),
    st.integers(1, 500),
    st.sampled_from((b"", b"LIST\x03\0\0\0abc\0")),
)
def test_it_is_the_same_in_whatever_pieces_the_file_comes(
    frames: list[tuple[int, ...]], size: int, extra: bytes
) -> None:
    sound = wav(frames, extra=extra)
    pieces = [sound[at : at + size] for at in range(0, len(sound), size)]
    found = waveform_of(pieces, len(sound))
    assert found is not None
    assert found == waveform_of([sound], len(sound))
    assert max(found.sides[0]) == max(2 * ((value if value >= 0 else ~value) >> 8) for (value,) in frames)
    assert 0 < len(found.sides[0]) <= PEAKS


@pytest.mark.parametrize(
    "sound",
    (
        b"",
        b"RIFF",
        b"RIFF" + bytes(range(256)) * 400,
        wav([(1,)], kind=7),
        wav([(1,)], bits=8),
        wav([(1,)], rate=0),
        wav([(1, 2, 3)]),
        b"RIFF\0\0\0\0WAVEdata\0\0\0\0xxxx",
        b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff" + b"\0" * 100,
    ),
)
def test_what_is_no_recording_of_a_switch_has_no_shape(sound: bytes) -> None:
    assert waveform_of([sound], len(sound)) is None


def test_a_file_without_a_sample_is_silent() -> None:
    sound = wav([])
    found = waveform_of([sound], len(sound))
    assert found is not None
    assert found.sides == [[]]
