"""A file kept encrypted in pieces: the same from anywhere, whatever its length, and nothing of it can be exchanged."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.service.sealed_files import MAGIC, PIECE, SealedFile, Summary, digest_of, seal
from orchestrator.vault import DataKey, Tampered

LENGTHS = (0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7)


def sealed(folder: Path, length: int, name: str = "a.wav") -> tuple[bytes, Path, DataKey]:
    """So many bytes, and where they are sealed under which key."""
    plain = (bytes(range(256)) * (length // 256 + 1))[:length]
    source, target, key = folder / name, folder / f"{name}.sealed", DataKey.fresh()
    source.write_bytes(plain)
    assert seal(source, target, key, name) == Summary(hashlib.sha256(plain).hexdigest(), length) == digest_of(source)
    return plain, target, key


@pytest.mark.parametrize("length", LENGTHS)
def test_what_was_sealed_is_read_again_and_is_not_in_the_file(tmp_path: Path, length: int) -> None:
    plain, target, key = sealed(tmp_path, length)
    opened = SealedFile(target, key, "a.wav")
    assert opened.length == length
    assert b"".join(opened.read()) == plain
    assert opened.summary().digest == hashlib.sha256(plain).hexdigest()
    assert bytes(range(32)) not in target.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "a.wav.sealed"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(begin=st.integers(0, 3 * PIECE + 7), length=st.integers(0, 2 * PIECE))
def test_any_stretch_is_read_by_itself(tmp_path: Path, begin: int, length: int) -> None:
    """A browser asks for ranges."""
    plain, target, key = sealed(tmp_path, 3 * PIECE + 7)
    assert b"".join(SealedFile(target, key, "a.wav").read(begin, begin + length)) == plain[begin : begin + length]


def _flip(data: bytes) -> bytes:
    return data[:-20] + bytes([data[-20] ^ 1]) + data[-19:]


def _swap(data: bytes) -> bytes:
    size, first = PIECE + 28, len(MAGIC)
    one, other = data[first : first + size], data[first + size : first + 2 * size]
    return data[:first] + other + one + data[first + 2 * size :]


@pytest.mark.parametrize(
    "change",
    (
        _flip,
        _swap,
        lambda data: data[: len(MAGIC) + 2 * (PIECE + 28)],
        lambda data: data[:-1],
        lambda data: data + data[len(MAGIC) : len(MAGIC) + PIECE + 28],
        lambda data: b"OTHERFILE\n" + data[len(MAGIC) :],
        lambda _: b"",
    ),
    ids=("flipped", "swapped", "cut-at-a-piece", "cut", "longer", "another-kind", "empty"),
)
def test_a_file_that_was_changed_is_no_file_of_ours(tmp_path: Path, change: object) -> None:
    _, target, key = sealed(tmp_path, 3 * PIECE + 7)
    target.write_bytes(change(target.read_bytes()))  # type: ignore[operator]  # one of the above
    with pytest.raises(Tampered):
        SealedFile(target, key, "a.wav").summary()


def test_another_name_or_key_opens_nothing(tmp_path: Path) -> None:
    _, target, key = sealed(tmp_path, 10)
    for wrong in (SealedFile(target, key, "b.wav"), SealedFile(target, DataKey.fresh(), "a.wav")):
        with pytest.raises(Tampered):
            wrong.summary()


def test_a_disk_that_is_full_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    source = tmp_path / "a.wav"
    source.write_bytes(b"sound")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        seal(source, tmp_path / "a.sealed", DataKey.fresh(), "a.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
