"""Bundles that were cut, altered, made to harm or made by a newer program: refused in words, nothing unpacked."""

import zipfile
from contextlib import suppress
from pathlib import Path
from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from orchestrator.bundle import BadBundle, form, opened
from orchestrator.store import Corrupt, StoreError
from tests.bundle.kit import altered, window, with_manifest, with_part, write
from tests.redrive.taped import TapedRun
from web.redrive import bundles


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pseudonymous bundle, and a sealed one beside it."""
    folder = tmp_path_factory.mktemp("good")
    what = window(TapedRun(3).play())
    write(folder / "plain.bundle", what)
    write(folder / "sealed.bundle", what, sealed=True)
    return folder


def refused(path: Path, key: Path | None = None) -> BadBundle:
    with pytest.raises(BadBundle) as caught, opened(path, key):
        pass
    return caught.value


def test_one_of_a_newer_version_says_which_version_opens_it(good: Path, tmp_path: Path) -> None:
    found = refused(altered(good / "plain.bundle", tmp_path / "b", with_manifest(format=2, new="shape")))
    assert found.code == "bundle_newer"
    assert "Open it with that version or a later one." in found.message


def test_one_that_was_cut_short_says_so_wherever_it_was_cut(good: Path, tmp_path: Path) -> None:
    whole = (good / "plain.bundle").read_bytes()
    for cut in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "b").write_bytes(whole[:cut])
        assert refused(tmp_path / "b").code == "bundle_cut_short"


def test_a_part_that_is_missing_is_named(good: Path, tmp_path: Path) -> None:
    path = altered(
        good / "plain.bundle",
        tmp_path / "b",
        lambda parts: {k: v for k, v in parts.items() if k != "tape/000001.lines"},
    )
    assert "tape/000001.lines" in refused(path).message


def test_a_part_that_was_altered_is_no_longer_what_the_manifest_says(good: Path, tmp_path: Path) -> None:
    def change(parts: dict[str, bytes]) -> dict[str, bytes]:
        name = "events/000001.jsonl"
        return {**parts, name: parts[name].replace(b"completed", b"abandoned", 1)}

    found = refused(altered(good / "plain.bundle", tmp_path / "b", change))
    assert found.code == "bundle_forged"
    assert "events/000001.jsonl is not what the manifest says" in found.message


def test_whoever_alters_a_manifest_of_a_sealed_one_has_not_its_key(good: Path, tmp_path: Path) -> None:
    path = altered(good / "sealed.bundle", tmp_path / "b", with_manifest(site="another"))
    assert refused(path, good / "sealed.bundle.key").code == "bundle_forged"


def test_a_sealed_part_cannot_stand_in_for_another(good: Path, tmp_path: Path) -> None:
    """Each is bound to its name, even where manifest and digests are made to agree."""
    with zipfile.ZipFile(good / "sealed.bundle") as archive:
        events, tape = archive.read("events/000001.jsonl"), archive.read("tape/000001.lines")
    key = form.read_key(good / "sealed.bundle.key")
    assert key.open(events, b"events/000001.jsonl")
    with pytest.raises(Exception, match="does not fit its key"):
        key.open(tape, b"events/000001.jsonl")


@pytest.mark.parametrize(
    "name",
    (
        "../../etc/cron.d/x",
        "/etc/passwd",
        "events/../../x.jsonl",
        "events/000001.jsonl/",
        "tape\\..\\x",
        "READ.ME",
        "events/000002.exe",
    ),
)
def test_a_part_with_a_name_that_no_bundle_has_is_refused_and_nothing_is_written(
    good: Path, tmp_path: Path, name: str
) -> None:
    """Path traversal: no name is ever a path."""
    path = altered(good / "plain.bundle", tmp_path / "b", lambda parts: {**parts, name: b"harm"})
    before = sorted(tmp_path.rglob("*"))
    assert refused(path).code == "bundle_forged"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_part_of_which_the_manifest_knows_nothing_is_refused(good: Path, tmp_path: Path) -> None:
    path = altered(good / "plain.bundle", tmp_path / "b", lambda parts: {**parts, "events/000009.jsonl": b"{}\n"})
    assert "knows nothing" in refused(path).message


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_part_that_is_there_twice_is_refused(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "b"
    path.write_bytes((good / "plain.bundle").read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("events/000001.jsonl", b"{}\n")
    assert "twice" in refused(path).message


def test_a_bomb_is_unpacked_no_further_than_its_bound(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form, "MOST_PART_BYTES", 1024 * 1024)
    for name in ("plain.bundle", "sealed.bundle"):
        bomb = b"\0" * (3 * 1024 * 1024)
        path = altered(good / name, tmp_path / name, lambda parts: {**parts, "tape/000001.lines": bomb})  # noqa: B023
        assert refused(path, good / "sealed.bundle.key" if name.startswith("s") else None).code == "bundle_too_large"


def test_a_sealed_bomb_is_unpacked_no_further_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the key may still be no friend."""
    monkeypatch.setattr(form, "MOST_PART_BYTES", 1024 * 1024)
    write(tmp_path / "b", window(TapedRun(3).play()), sealed=True)
    monkeypatch.setattr(form, "MOST_PART_BYTES", 64 * 1024)
    assert refused(tmp_path / "b").code == "bundle_too_large"


def test_a_manifest_that_promises_more_than_memory_holds_is_refused(good: Path, tmp_path: Path) -> None:
    parts = {"events/000001.jsonl": {"length": 1 << 40, "digest": "x"}}
    assert (
        refused(altered(good / "plain.bundle", tmp_path / "b", with_manifest(parts=parts))).code == "bundle_too_large"
    )


def test_a_length_below_nothing_does_not_make_up_for_one_that_is_too_large(good: Path, tmp_path: Path) -> None:
    def change(parts: dict[str, bytes]) -> dict[str, bytes]:
        manifest = msgspec.json.decode(parts[form.MANIFEST])
        manifest["parts"]["events/000002.jsonl"] = {"length": 1 << 40, "digest": "x"}
        manifest["parts"]["tape/000002.lines"] = {"length": -(1 << 40), "digest": "x"}
        more = {"events/000002.jsonl": b"", "tape/000002.lines": b""}
        return {**parts, **more, form.MANIFEST: msgspec.json.encode(manifest)}

    found = refused(altered(good / "plain.bundle", tmp_path / "b", change))
    assert found.code == "bundle_forged"
    assert "length" in found.message


@pytest.mark.parametrize("how", (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
def test_a_part_that_is_packed_otherwise_is_not_unpacked(good: Path, tmp_path: Path, how: int) -> None:
    found = refused(altered(good / "plain.bundle", tmp_path / "b", dict, how))
    assert found.code == "bundle_forged"
    assert "is packed as no bundle's part is" in found.message


@pytest.mark.parametrize("name", (form.MANIFEST, "events/000001.jsonl"))
def test_what_is_nested_beyond_measure_is_refused(good: Path, tmp_path: Path, name: str) -> None:
    deep = b'{"format":1,"position":1,"state":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    change = with_part(name, deep) if name != form.MANIFEST else lambda parts: {**parts, name: deep}
    assert refused(altered(good / "plain.bundle", tmp_path / "b", change)).code == "bundle_forged"


@pytest.mark.parametrize(
    "other",
    (
        {"timezone": "../../etc/passwd"},
        {"timezone": "Nowhere/City"},
        {"timezone": ""},
        {"timezone": "\0"},
        {"timezone": "x" * 5_000},
        {"begins": 1 << 62},
        {"ends": -(1 << 62)},
    ),
    ids=str,
)
def test_times_and_time_zones_that_are_none_are_refused(good: Path, tmp_path: Path, other: dict[str, object]) -> None:
    found = refused(altered(good / "plain.bundle", tmp_path / "b", with_manifest(**other)))
    assert found.code == "bundle_forged"
    assert "time" in found.message


def test_what_is_no_bundle_at_all_is_refused_in_words(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere").code == "bundle_missing"
    (tmp_path / "text").write_text("hello")
    assert "no bundle" in refused(tmp_path / "text").message
    with zipfile.ZipFile(tmp_path / "zip", "w"):
        pass
    assert refused(tmp_path / "zip").code == "bundle_cut_short"


def test_a_key_that_is_none_is_refused_and_a_needless_one_too(good: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ringledger-bundle-key-1 AAAA\n")
    assert refused(good / "sealed.bundle", tmp_path / "key").code == "bundle_no_key"
    assert refused(good / "plain.bundle", tmp_path / "key").code == "bundle_no_key"


def test_lines_that_are_no_events_and_no_tape_are_refused_or_told(good: Path, tmp_path: Path) -> None:
    assert (
        "is no event"
        in refused(altered(good / "plain.bundle", tmp_path / "a", with_part("events/000001.jsonl", b"{}\n"))).message
    )
    assert (
        "inside a line"
        in refused(altered(good / "plain.bundle", tmp_path / "b", with_part("tape/000001.lines", b"L\0"))).message
    )
    strange = b"L\0\0\0\x03abc"
    with opened(altered(good / "plain.bundle", tmp_path / "c", with_part("tape/000001.lines", strange))) as found:
        assert "cannot read" in found.holes[0].why


def test_a_byte_that_was_changed_anywhere_is_told_in_words_or_changes_nothing(tmp_path: Path) -> None:
    """Bad input: what a disk or a stranger made of it, also where that changes how the archive itself is read."""
    some = window(TapedRun(3).play())
    small = replace(some, records=some.records[:40], items=some.items[:10])
    write(tmp_path / "small", small)
    whole = (tmp_path / "small").read_bytes()
    dice = Random(1)
    # All of the archive's own words at its end and its beginning, and some of what is packed.
    places = {*range(60), *range(len(whole) - 260, len(whole)), *dice.sample(range(len(whole)), 60)}
    for place in sorted(places):
        changed = whole[place] ^ dice.randint(1, 255)
        (tmp_path / "b").write_bytes(whole[:place] + bytes([changed]) + whole[place + 1 :])
        with suppress(BadBundle, StoreError), opened(tmp_path / "b") as found:
            bundles.overview(found, "b")


def test_an_event_that_does_not_say_when_it_was_is_corrupt_in_words(good: Path, tmp_path: Path) -> None:
    line = b'{"position":1,"stream":"contact-1","version":1,"topic":"ContactArrived.v1","state":{"id":"x"}}\n'
    path = altered(good / "plain.bundle", tmp_path / "b", with_part("events/000001.jsonl", line))
    with opened(path) as found, pytest.raises(Corrupt, match="does not say when it was"):
        found.log.position_at(found.manifest.ends)


@pytest.mark.parametrize("offset", (4, 6, 8, 10, 28))
def test_an_archive_of_a_kind_that_is_not_known_is_refused_in_words(good: Path, tmp_path: Path, offset: int) -> None:
    """The version that it needs, its flags, how it is packed: in the list at the archive's end."""
    whole = bytearray((good / "plain.bundle").read_bytes())
    whole[whole.index(b"PK\x01\x02") + offset] ^= 0xFF
    (tmp_path / "b").write_bytes(whole)
    with suppress(BadBundle), opened(tmp_path / "b"):
        pass
