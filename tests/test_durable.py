"""Files that outlive a loss of power (law 10: what somebody else laid there is not written through)."""

import os
from pathlib import Path

import pytest

from orchestrator import durable


def test_what_stands_there_is_replaced_whole_and_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("old")
    path.chmod(0o644)
    durable.replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keys"]


def test_the_folder_is_synced_after_the_file_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename that is not synced may be gone after a power cut, and the file with it where there was none before."""
    synced: list[tuple[bool, bool]] = []
    path = tmp_path / "keys"

    def noted(descriptor: int) -> None:
        is_folder = Path(f"/proc/self/fd/{descriptor}").resolve() == tmp_path.resolve()
        synced.append((is_folder, path.exists()))

    monkeypatch.setattr(os, "fsync", noted)
    durable.replace(path, b"new")
    assert synced == [(False, False), (True, True)]


def test_what_else_is_to_be_done_is_done_before_anybody_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    durable.replace(path, b"new", lambda descriptor: os.fchmod(descriptor, 0o640 if not path.exists() else 0o777))
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_that_somebody_laid_in_the_way_is_removed_and_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    (tmp_path / ".keys.half").symlink_to(elsewhere)
    durable.replace(tmp_path / "keys", b"ours")
    assert elsewhere.read_text() == "theirs"
    assert (tmp_path / "keys").read_bytes() == b"ours"
