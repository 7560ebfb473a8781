"""Which machine this is: the same whatever it is called, and another one where its files were copied to."""

import shutil
import threading
from pathlib import Path

from orchestrator.neighbour import identity

MINE, THEIRS = "3d1219c7c4c5404aaa1f6d2a48adfda4", "9b0cde8fb2b24a2fa6a2d41d2b6a3d11"


def said(folder: Path, text: str) -> tuple[Path]:
    """A file as machine-id(5) has it."""
    file = folder / f"machine-id-{len(list(folder.iterdir()))}"
    file.write_text(f"{text}\n")
    return (file,)


def test_a_machine_is_the_same_each_time_and_its_own_id_is_not_told(tmp_path: Path) -> None:
    home, ids = tmp_path / "home", said(tmp_path, MINE)
    first = identity(home, ids=ids)
    assert identity(home, ids=ids) == first
    assert MINE not in first
    assert (home / "installation").stat().st_mode & 0o077 == 0


def test_files_that_were_copied_to_another_machine_are_not_its_own(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = identity(home, ids=said(tmp_path, MINE))
    shutil.copytree(home, tmp_path / "copied")
    assert identity(tmp_path / "copied", ids=said(tmp_path, THEIRS)) != first


def test_two_homes_of_one_machine_are_told_apart(tmp_path: Path) -> None:
    """As two containers of one image are, which have one id."""
    ids = said(tmp_path, MINE)
    assert identity(tmp_path / "one", ids=ids) != identity(tmp_path / "two", ids=ids)


def test_where_nobody_gave_the_machine_an_id_its_home_counts(tmp_path: Path) -> None:
    """A container may have none, or what stands in an image that was never set up."""
    home = tmp_path / "home"
    without = identity(home, ids=(tmp_path / "none",))
    for text in ("", "uninitialized", "0" * 32, MINE.upper()):
        assert identity(home, ids=said(tmp_path, text)) == without
    assert identity(home, ids=(tmp_path / "none", *said(tmp_path, MINE))) != without, "the next place is asked"


def test_engines_that_start_at_once_agree(tmp_path: Path) -> None:
    ids = said(tmp_path, MINE)
    begin = threading.Barrier(8)
    told: list[str] = []

    def ask() -> None:
        begin.wait()
        told.append(identity(tmp_path / "home", ids=ids))

    asking = [threading.Thread(target=ask) for _ in range(8)]
    for each in asking:
        each.start()
    for each in asking:
        each.join(10)
    assert len(told) == 8
    assert len(set(told)) == 1
    assert [file.name for file in (tmp_path / "home").iterdir()] == ["installation"]
