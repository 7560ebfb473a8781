"""Keys, sealing and the key file (law 11), without a database."""

import os
import stat
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.vault import (
    DataKey,
    KeyFileMissing,
    KeyFileWrong,
    Tampered,
    Vault,
    WrappedKey,
    open_text,
    seal_text,
)


@dataclass
class Shelf:
    """A shelf in memory that counts how often it is asked."""

    rows: dict[str, WrappedKey] = field(default_factory=dict)
    value: str | None = None
    asked: list[str] = field(default_factory=list)

    def fetch(self, subjects: Collection[str]) -> Mapping[str, WrappedKey]:
        self.asked += subjects
        found: dict[str, WrappedKey] = {}
        waiting = list(subjects)
        while waiting:
            row = self.rows.get(waiting.pop())
            if row is not None and row.subject not in found:
                found[row.subject] = row
                waiting += [row.parent] if row.parent else []
        return found

    def check_value(self) -> str | None:
        return self.value

    def remember_check_value(self, value: str) -> str:
        self.value = self.value or value
        return self.value

    def put(self, vault: Vault, subject: str, parent: str | None = None) -> DataKey:
        key = DataKey.fresh()
        above = vault.keys([parent])[parent] if parent else None
        self.rows[subject] = WrappedKey(subject, parent, vault.wrap(subject, key, above))
        return key


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "kek"


# --- the key file ----------------------------------------------------------------------------------------------------
def test_the_first_start_makes_a_key_file_for_our_eyes_only(file: Path) -> None:
    shelf = Shelf()
    Vault.unlock(file, shelf)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert shelf.value is not None
    assert list(file.parent.iterdir()) == [file], "nothing half-made is left"
    assert file.read_text().split()[-1] not in shelf.value


def test_the_next_start_uses_the_same_key(file: Path) -> None:
    shelf = Shelf()
    first = Vault.unlock(file, shelf)
    key = shelf.put(first, "customer-1")
    again = Vault.unlock(file, shelf).keys(["customer-1"])["customer-1"]
    assert again is not None
    assert again.raw == key.raw


def test_first_starts_at_the_same_moment_agree_on_one_key(file: Path) -> None:
    shelf = Shelf()
    barrier = threading.Barrier(8)
    vaults: list[Vault] = []

    def start() -> None:
        barrier.wait()
        vaults.append(Vault.unlock(file, shelf))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({vault.token("number", "1") for vault in vaults}) == 1
    assert len(vaults) == 8


def test_a_missing_file_with_keys_in_the_database_is_refused_with_what_to_do_and_not_made_anew(file: Path) -> None:
    shelf = Shelf()
    Vault.unlock(file, shelf)
    file.unlink()
    with pytest.raises(KeyFileMissing, match=r"Copy the file back.*RINGLEDGER_KEK_FILE"):
        Vault.unlock(file, shelf)
    assert not file.exists()


def test_the_file_of_another_database_is_refused(file: Path, tmp_path: Path) -> None:
    shelf = Shelf()
    Vault.unlock(file, shelf)
    other = tmp_path / "other" / "kek"
    Vault.unlock(other, Shelf())
    with pytest.raises(KeyFileWrong, match=r"not the key.*Put the right file"):
        Vault.unlock(other, shelf)


@pytest.mark.parametrize("mode", (0o640, 0o604, 0o660))
def test_a_file_that_others_can_read_is_refused_with_the_command_that_helps(file: Path, mode: int) -> None:
    shelf = Shelf()
    Vault.unlock(file, shelf)
    file.chmod(mode)
    with pytest.raises(KeyFileWrong, match=f"chmod 600 {file}"):
        Vault.unlock(file, shelf)


@pytest.mark.parametrize(
    "content", ("", "ringledger-kek-1 ", "ringledger-kek-1 c2hvcnQ=", "something else", "\xff\xfe")
)
def test_a_damaged_file_is_refused(file: Path, content: str) -> None:
    shelf = Shelf()
    Vault.unlock(file, shelf)
    file.write_text(content, encoding="latin-1")
    with pytest.raises(KeyFileWrong, match="damaged"):
        Vault.unlock(file, shelf)


def test_a_key_file_that_was_put_there_beforehand_is_taken(file: Path) -> None:
    Vault.unlock(file, Shelf())
    content = file.read_bytes()
    shelf = Shelf()
    Vault.unlock(file, shelf)
    assert file.read_bytes() == content


# --- sealing ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ("+8613800138000", "王小明", "a\x00b", "x" * 10_000))
def test_sealed_text_opens_to_what_it_was_and_shows_nothing_of_it(text: str) -> None:
    key = DataKey.fresh()
    sealed = seal_text(key, "contact-1", "name", text)
    assert open_text(key, "contact-1", "name", sealed) == text
    assert text not in sealed
    assert sealed != seal_text(key, "contact-1", "name", text), "each time another nonce"


@pytest.mark.parametrize(
    ("stream", "name"),
    (("contact-2", "name"), ("contact-1", "number"), ("contact-1\x1fname", ""), ("contact-", "1name")),
)
def test_sealed_text_cannot_be_moved_to_another_stream_or_field(stream: str, name: str) -> None:
    key = DataKey.fresh()
    sealed = seal_text(key, "contact-1", "name", "Wang")
    with pytest.raises(Tampered):
        open_text(key, stream, name, sealed)


def test_altered_sealed_text_is_noticed() -> None:
    key = DataKey.fresh()
    sealed = seal_text(key, "contact-1", "name", "Wang")
    other = "B" if sealed[0] == "A" else "A"
    for damaged in (sealed[:-4], other + sealed[1:], sealed + "AAAA", "", "*", "é"):
        with pytest.raises(Tampered):
            open_text(key, "contact-1", "name", damaged)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Tampered):
        open_text(DataKey.fresh(), "contact-1", "name", seal_text(DataKey.fresh(), "contact-1", "name", "Wang"))


# --- the hierarchy ---------------------------------------------------------------------------------------------------
def test_a_key_hangs_under_its_parents_and_falls_with_any_of_them(file: Path) -> None:
    shelf = Shelf()
    vault = Vault.unlock(file, shelf)
    shelf.put(vault, "company-1")
    shelf.put(vault, "customer-1", "company-1")
    contact = shelf.put(vault, "contact-1", "customer-1")
    vault.forget()
    opened = vault.keys(["contact-1"])["contact-1"]
    assert opened is not None
    assert opened.raw == contact.raw
    shelf.rows["company-1"] = WrappedKey("company-1", None, None)
    vault.forget()
    assert vault.keys(["contact-1", "customer-1", "company-1", "other-1"]) == dict.fromkeys(
        ("contact-1", "customer-1", "company-1")
    )


def test_a_wrapped_key_cannot_be_passed_off_as_another_subjects(file: Path) -> None:
    shelf = Shelf()
    vault = Vault.unlock(file, shelf)
    shelf.put(vault, "customer-1")
    shelf.rows["customer-2"] = WrappedKey("customer-2", None, shelf.rows["customer-1"].wrapped)
    with pytest.raises(Tampered):
        vault.keys(["customer-2"])


def test_open_keys_are_few_and_grow_old(file: Path) -> None:
    shelf = Shelf()
    vault = Vault.unlock(file, shelf, cache_size=3)
    for number in range(5):
        shelf.put(vault, f"customer-{number}")
    subjects = [f"customer-{number}" for number in range(5)]
    for subject in subjects:
        vault.keys([subject])
    shelf.asked.clear()
    vault.keys(subjects[2:])
    assert shelf.asked == []
    vault.keys(["customer-0"])
    assert shelf.asked == ["customer-0"], "the oldest had to go"
    stale = Vault.unlock(file, shelf, cache_s=0)
    stale.keys(["customer-1"])
    shelf.rows["customer-1"] = WrappedKey("customer-1", None, None)
    assert stale.keys(["customer-1"]) == {"customer-1": None}, "an erasure elsewhere is noticed"


# --- look-up and named keys ------------------------------------------------------------------------------------------
def test_tokens_are_equal_for_equal_values_only_and_differ_by_index_and_by_key(file: Path, tmp_path: Path) -> None:
    vault = Vault.unlock(file, Shelf())
    token = vault.token("number", "+8613800138000")
    assert token == vault.token("number", "+8613800138000")
    assert len(token) == 32
    others = {
        vault.token("number", "+8613800138001"),
        vault.token("mail", "+8613800138000"),
        Vault.unlock(tmp_path / "other", Shelf()).token("number", "+8613800138000"),
    }
    assert token not in others
    assert len(others) == 3


def test_bytes_under_a_named_key_need_no_shelf_and_open_under_that_name_only(file: Path) -> None:
    shelf = Shelf()
    vault = Vault.unlock(file, shelf)
    shelf.asked.clear()
    sealed = vault.seal_bytes("tape-1", b"frame", b"segment 7")
    assert vault.open_bytes("tape-1", sealed, b"segment 7") == b"frame"
    assert Vault.unlock(file, shelf).open_bytes("tape-1", sealed, b"segment 7") == b"frame"
    for name, bound in (("tape-2", b"segment 7"), ("tape-1", b"segment 8")):
        with pytest.raises(Tampered):
            vault.open_bytes(name, sealed, bound)
    for number in range(200):  # many names do not fill memory, and none of them is confused with another
        vault.seal_bytes(f"tape-{number}", os.urandom(8))
    assert vault.open_bytes("tape-1", sealed, b"segment 7") == b"frame"
    assert shelf.asked == []
