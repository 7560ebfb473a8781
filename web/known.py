"""Sentences that engine and services speak, in English, known by their patterns and said in the reader's language."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from flask_babel import LazyString
from msgspec import Struct

Row = tuple[str, LazyString]
"""A pattern for the whole sentence, and its words; what the pattern names fills the words' places."""


class Known(Struct, frozen=True):
    """Some sentences. `fill`: how values that are words themselves are said, by their names."""

    rows: tuple[tuple[re.Pattern[str], LazyString], ...]
    fill: Mapping[str, Callable[[str], str]]

    def said(self, sentence: str) -> str | None:
        """The sentence in the reader's language; None where it is not one of these."""
        for pattern, words in self.rows:
            found = pattern.fullmatch(sentence)
            if found is not None:
                given = {name: self.fill.get(name, _as_it_is)(value) for name, value in found.groupdict().items()}
                return str(words) % given if given else str(words)
        return None


def known(rows: Iterable[Row], **fill: Callable[[str], str]) -> Known:
    """These sentences; the first pattern that fits counts."""
    return Known(tuple((re.compile(pattern, re.DOTALL), words) for pattern, words in rows), fill)


def _as_it_is(value: str) -> str:
    return value


ANY: Final = ".*"
