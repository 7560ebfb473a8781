"""The generated documents say what code and tests say, and the same every time."""

import functools
import shutil
from pathlib import Path

import pytest

from orchestrator import documents
from orchestrator.documents.features import UnknownRow, quoted
from orchestrator.domain.catalogue import CATALOGUE


@functools.cache
def pages() -> dict[Path, str]:
    """All of them, made once: every test of ours is read for that."""
    return documents.pages()


def page(name: str) -> str:
    return next(text for path, text in pages().items() if path.name == name)


def test_every_event_of_the_catalogue_stands_in_the_list_with_its_sealed_fields() -> None:
    text = page("events.md")
    for name in CATALOGUE:
        assert text.count(f"\n### {name} (version ") == 1
    assert "| `caller_number` | text, **sealed** |" in text
    assert "| `number` | text, **sealed**, found by a blind index |" in text
    assert "| `node` | text |" in text


def test_fields_and_the_parts_of_events_are_explained() -> None:
    text = page("events.md")
    assert "| `ring_at_once` | whole number (1 where not given) | How many phones one offer rings" in text
    assert "| `reservations` | list of [Reservation](#reservation) |  |" in text
    assert "\n### Reservation\n" in text
    assert "| `candidates` | list of [Candidate](#candidate) |  |" in text
    assert "| `others` | text to whole number | The other signed-in agents who have the skill" in text
    assert "| `cause` | text |" in text.partition("### OfferTimedOut")[2].partition("###")[0]


def test_a_quoted_row_is_listed_with_the_test_that_quotes_it() -> None:
    """Feature 11.8 is quoted here on purpose."""
    row = next(line for line in page("features.md").splitlines() if line.startswith("| 11.8 |"))
    assert "tests/test_documents.py::test_a_quoted_row_is_listed_with_the_test_that_quotes_it" in row


def test_a_row_without_a_test_says_so() -> None:
    assert "| 7.6 | marketing activities | not yet |  |" in page("features.md").splitlines()


def test_a_row_shown_through_switch_and_log_goes_further_than_one_shown_in_part(tmp_path: Path) -> None:
    for room in ("acceptance", "domain"):
        (tmp_path / "tests" / room).mkdir(parents=True)
    quote = 'def test_it() -> None:\n    """Feature 3.6."""\n'
    (tmp_path / "tests" / "domain" / "test_a.py").write_text(quote)
    documents.write(tmp_path)
    assert "| 3.6 | offers with deadline and outcome, stand-down | part | `tests/domain/test_a.py::test_it` |" in (
        (tmp_path / "docs" / "features.md").read_text()
    )
    assert documents.check(tmp_path) == []
    (tmp_path / "tests" / "acceptance" / "test_b.py").write_text(quote)
    assert documents.check(tmp_path) == ["docs/features.md"]
    documents.write(tmp_path)
    assert "| 3.6 | offers with deadline and outcome, stand-down | engine |" in (
        (tmp_path / "docs" / "features.md").read_text()
    )
    shutil.rmtree(tmp_path / "docs")
    assert documents.check(tmp_path) == ["docs/events.md", "docs/rules.md", "docs/features.md"]


def test_a_row_that_there_is_not_is_named_with_the_test_that_quotes_it(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text('def test_it() -> None:\n    """Feature 13.9."""\n')
    with pytest.raises(UnknownRow, match=r"tests/test_a\.py::test_it quotes feature 13\.9, and there is no such row"):
        documents.check(tmp_path)


def test_numbers_are_told_apart_by_the_word_before_them() -> None:
    found = set(quoted("Features 3.6, 11.8\n    and 12.1; complaints 5 and 9. See section 4.2 of 7."))
    assert found == {
        ("feature", "3.6"),
        ("feature", "11.8"),
        ("feature", "12.1"),
        ("complaint", "5"),
        ("complaint", "9"),
    }


def test_the_documents_are_the_same_every_time() -> None:
    assert documents.pages() == pages()
