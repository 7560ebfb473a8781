"""The generated documents say what code and tests say."""

from orchestrator import documents
from orchestrator.domain.catalogue import CATALOGUE


def test_every_event_of_the_catalogue_stands_in_the_list_with_its_sealed_fields() -> None:
    text = next(text for path, text in documents.pages().items() if path.name == "events.md")
    for name in CATALOGUE:
        assert f"### {name} (version " in text
    assert "- `caller_number`: str *sealed*" in text
    assert "- `node`: str\n" in text


def test_a_quoted_row_is_listed_with_the_test_that_quotes_it() -> None:
    """Feature 11.8 is quoted here on purpose."""
    text = next(text for path, text in documents.pages().items() if path.name == "features.md")
    row = next(line for line in text.splitlines() if line.startswith("| 11.8 |"))
    assert "tests/test_documents.py::test_a_quoted_row_is_listed_with_the_test_that_quotes_it" in row


def test_numbers_are_told_apart_by_the_word_before_them() -> None:
    quoted = set(documents._quoted("Features 3.6, 11.8 and 12.1; complaints 5 and 9. See section 4.2 of 7."))
    assert quoted == {
        ("feature", "3.6"),
        ("feature", "11.8"),
        ("feature", "12.1"),
        ("complaint", "5"),
        ("complaint", "9"),
    }
