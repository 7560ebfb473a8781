"""What an engine tells screens of what it has decided while the log is away: all of it, in order, or that it cannot."""

import base64
from pathlib import Path

import pytest

from orchestrator.domain.kernel import Record, Refused
from orchestrator.store import SPOOLED, Announced, Announcer, Hearing
from orchestrator.vault import Tampered, Vault
from tests.store.kit import CATALOGUE, NUMBER, CallTaken, Kit, calls, record

FEW = 5


@pytest.fixture
def announcer(kit: Kit) -> Announcer:
    """Of an engine that began to decide at position 10, and remembers little."""
    return Announcer(kit.vault, 3, 10, kept=FEW, catalogue=CATALOGUE)


def asked(kit: Kit, announcer: Announcer, position: int, epoch: int = 0, number: int = 0) -> Announced:
    answer = announcer.since(f"{position} {epoch} {number}", under_way=True)
    return Hearing(kit.vault, catalogue=CATALOGUE).opened(answer)


def texts(told: Announced) -> list[str]:
    return [each.event.note for each in told.records if isinstance(each.event, CallTaken)]


def test_what_the_log_had_last_and_what_the_spool_has_come_in_their_order(kit: Kit, announcer: Announcer) -> None:
    announcer.told(calls("contact-a", 1, 2), 12)
    announcer.told(calls("contact-b", 1), SPOOLED)
    told = asked(kit, announcer, 10)
    assert told.whole
    assert texts(told) == ["contact-a/1", "contact-a/2", "contact-b/1"]
    assert texts(asked(kit, announcer, 12)) == ["contact-b/1"], "who has read the log further is told no more of it"
    announcer.told(calls("contact-b", 2), SPOOLED)
    assert texts(asked(kit, announcer, 12, told.epoch, told.last)) == ["contact-b/2"]


def test_whoever_is_too_far_behind_is_told_so_and_nothing_else(kit: Kit, announcer: Announcer) -> None:
    assert not asked(kit, announcer, 9).whole, "what was before this engine is in the log alone"
    announcer.told(calls("contact-a", 1, 2, 3), 13)
    first = asked(kit, announcer, 10)
    announcer.told(calls("contact-b", *range(1, FEW + 1)), 18)
    assert not asked(kit, announcer, 12).whole
    assert asked(kit, announcer, 13).whole
    announcer.told(calls("contact-c", 1, 2), SPOOLED)
    announcer.told(calls("contact-c", 3, 4, 5, 6), SPOOLED)
    late = asked(kit, announcer, 18, first.epoch, first.last)
    assert (late.whole, late.records) == (False, ())
    assert not asked(kit, announcer, 18).whole, "a part of the spool is forgotten"


def test_a_number_of_another_engine_counts_for_nothing(kit: Kit, announcer: Announcer) -> None:
    announcer.told(calls("contact-a", 1, 2), SPOOLED)
    assert len(asked(kit, announcer, 10, 2, 2).records) == 2
    assert len(asked(kit, announcer, 10, 3, 99).records) == 2
    assert asked(kit, announcer, 10, 3, 2).records == ()


def test_of_much_a_part_is_told_and_the_rest_at_once(kit: Kit) -> None:
    announcer = Announcer(kit.vault, 1, 0, catalogue=CATALOGUE)
    announcer.told(calls("contact-a", *range(1, 701)), SPOOLED)
    found: list[Record] = []
    told = asked(kit, announcer, 0)
    while told.more:
        found += told.records
        told = asked(kit, announcer, 0, told.epoch, told.last)
    found += told.records
    assert [each.version for each in found] == list(range(1, 701))


def test_nobody_without_the_key_reads_it_and_the_log_away_is_the_only_reason(
    kit: Kit, announcer: Announcer, tmp_path: Path
) -> None:
    announcer.told([record("contact-a", 1, CallTaken(number=NUMBER))], SPOOLED)
    answer = announcer.since("10 0 0", under_way=True)
    assert NUMBER.encode() not in base64.b64decode(str(answer["sealed"]))
    stranger = Vault(b"x" * 32, None)  # type: ignore[arg-type]  # it opens no data key
    with pytest.raises(Tampered):
        Hearing(stranger, catalogue=CATALOGUE).opened(answer)
    quiet = announcer.since("10 0 0", under_way=False)
    assert (quiet["under_way"], quiet["sealed"]) == (False, "")


@pytest.mark.parametrize("words", ("", "1", "1 2", "1 2 3 4", "a b c", "-1 0 0", "1 2 ٣"))
def test_what_cannot_be_read_is_refused(announcer: Announcer, words: str) -> None:
    with pytest.raises(Refused):
        announcer.since(words, under_way=True)


def test_what_a_spool_had_is_told_no_more_once_it_is_in_the_log(kit: Kit, announcer: Announcer) -> None:
    announcer.told(calls("contact-a", 1, 2), SPOOLED)
    announcer.in_log(12)
    assert asked(kit, announcer, 12).records == (), "a screen that is new since then knows them from the log"
    assert texts(asked(kit, announcer, 11)) == ["contact-a/1", "contact-a/2"]
    announcer.told(calls("contact-b", 1), SPOOLED)
    assert texts(asked(kit, announcer, 12)) == ["contact-b/1"]


def test_a_part_of_a_spool_that_was_forgotten_is_missing_until_it_is_in_the_log(kit: Kit, announcer: Announcer) -> None:
    announcer.told(calls("contact-a", *range(1, FEW + 2)), SPOOLED)
    assert not asked(kit, announcer, 16).whole
    announcer.in_log(16)
    announcer.told(calls("contact-b", 1), SPOOLED)
    again = asked(kit, announcer, 16)
    assert (again.whole, texts(again)) == (True, ["contact-b/1"])
    assert not asked(kit, announcer, 15).whole
