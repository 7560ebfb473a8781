"""Strings from outside, made harmless before a phone shows them; the raw ones stay in the ledger."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.contacts.names import (
    DIALLED_LENGTH,
    SHOWN_NAME_LENGTH,
    SHOWN_NUMBER_LENGTH,
    clean_dialled,
    shown_name,
    shown_number,
)

# What splits, quotes or expands in the event socket, in `originate`, in SIP or in XML.
DANGEROUS = set("{}[]()<>,;:'\"`\\$^|%=\r\n\t\x00\x7f\u2028\u202e\u200b")


@pytest.mark.parametrize(
    ("raw", "shown"),
    (
        ("Wang Fang", "Wang Fang"),
        ("李雷", "李雷"),
        ("O'Brien & Söhne", "OBrien Söhne"),
        ("x\nUnique-ID: forged", "xUnique-ID forged"),
        ("%0AUnique-ID%3A", "0AUnique-ID3A"),
        ('a"b,{c=d}', "abcd"),
        ("<script>alert(1)</script>", "scriptalert1script"),
        ("   \t\r\n  ", ""),
        ("\u202egnaw", "gnaw"),
        ("a" * 2_048, "a" * SHOWN_NAME_LENGTH),
    ),
)
def test_a_name_keeps_its_letters_and_loses_its_tricks(raw: str, shown: str) -> None:
    """Law 10; feature 4.5."""
    assert shown_name(raw) == shown


@given(st.text(max_size=500) | st.text(alphabet=sorted(DANGEROUS) + list("ab 1"), max_size=60))
def test_no_name_carries_anything_that_a_switch_would_read(raw: str) -> None:
    """Law 10."""
    shown = shown_name(raw)
    assert not set(shown) & DANGEROUS
    assert shown.isprintable()
    assert shown == shown.strip()
    assert len(shown) <= SHOWN_NAME_LENGTH
    assert shown_name(shown) == shown


@pytest.mark.parametrize(
    ("raw", "shown"),
    (
        ("+8613800138000", "+8613800138000"),
        ("4001", "4001"),
        ("", ""),
        ("+", ""),
        ("anonymous", ""),
        ("1;2", ""),
        ("13800138000 ", ""),
        ("１３８", ""),
        ("9" * 60, "9" * SHOWN_NUMBER_LENGTH),
    ),
)
def test_a_number_is_shown_where_it_is_one(raw: str, shown: str) -> None:
    """Law 10: nothing is guessed."""
    assert shown_number(raw) == shown


@given(st.text(max_size=300))
def test_what_was_dialled_is_reduced_to_what_a_number_may_have(raw: str) -> None:
    """Law 10; feature 3.11: it is looked up, and stands in an alarm."""
    dialled = clean_dialled(raw)
    assert len(dialled) <= DIALLED_LENGTH
    assert dialled.isascii()
    assert not set(dialled) & DANGEROUS
    assert clean_dialled(dialled) == dialled
