"""What waits to be recorded: durable, in order, once, sealed."""

import sqlite3
from pathlib import Path

import pytest

from orchestrator.store import Later, NotKept
from orchestrator.vault import Vault


@pytest.fixture
def vault() -> Vault:
    return Vault(b"k" * 32, None)  # type: ignore[arg-type]  # no data key is asked for


def words(later: Later) -> list[bytes]:
    return [each.plain for each in later.all()]


def test_what_is_kept_is_there_for_whoever_opens_it_next_in_order_and_once(tmp_path: Path, vault: Vault) -> None:
    later = Later(tmp_path / "meanwhile", vault)
    assert (later.count, later.all()) == (0, [])
    assert not (tmp_path / "meanwhile").exists(), "nothing is made before there is something to keep"
    for name in ("a", "b", "a"):
        later.keep(name, name.encode())
    again = Later(tmp_path / "meanwhile", vault)
    assert words(again) == [b"a", b"b"]
    again.drop(again.all()[0].place)
    assert words(later) == [b"b"]
    assert later.count == 1
    assert oct((tmp_path / "meanwhile" / "later.db").stat().st_mode)[-3:] == "600"


def test_nothing_of_it_can_be_read_or_put_elsewhere_and_one_that_was_altered_hides_no_other(
    tmp_path: Path, vault: Vault
) -> None:
    later = Later(tmp_path, vault)
    for name in ("a", "b"):
        later.keep(name, b"a note on a person")
    assert not any(b"a note" in path.read_bytes() for path in tmp_path.iterdir())
    with sqlite3.connect(tmp_path / "later.db") as connection:
        connection.execute(
            "UPDATE entries SET sealed = (SELECT sealed FROM entries WHERE ident = 'b') WHERE ident = 'a'"
        )
    connection.close()
    assert [each.ident for each in later.all()] == ["b"]
    assert later.count == 2, "it stays in the file"


def test_a_disk_that_takes_nothing_is_said(tmp_path: Path, vault: Vault) -> None:
    (tmp_path / "meanwhile").write_text("no folder")
    with pytest.raises(NotKept):
        Later(tmp_path / "meanwhile", vault).keep("a", b"a")
