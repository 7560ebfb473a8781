"""Texts that people type: short ones of one line, long ones of several. Kept as typed, but for what would mislead."""

import unicodedata
from typing import Final

from orchestrator.domain.kernel import Refused

NAME: Final = 80
LINE: Final = 300
NOTE: Final = 4_000

# Characters that turn the reading direction or hide themselves: a name that reads like another, a note that hides what
# it says (Unicode TR 36, 2.5.1). Joiners (U+200C, U+200D) are letters' business and stay.
_MISLEADING: Final = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


def one_line(text: str, what: str, limit: int = NAME) -> str:
    """The text without space around it and with single spaces inside; maybe empty.

    Raises `Refused` (`bad_text`) where it is longer than `limit` characters, or holds what is no text.
    """
    return _checked(" ".join(text.split()), what, limit, "")


def lines(text: str, what: str, limit: int = NOTE) -> str:
    """The text with its line breaks (LF), without space around it; maybe empty. Raises as `one_line`."""
    return _checked("\n".join(line.rstrip() for line in text.splitlines()).strip(), what, limit, "\n\t")


def _checked(text: str, what: str, limit: int, allowed: str) -> str:
    if len(text) > limit:
        raise Refused("bad_text", f"{what}: write up to {limit} characters; these are {len(text)}.")
    for each in text:
        if each in allowed:
            continue
        category = unicodedata.category(each)
        if category in ("Cc", "Cs", "Co", "Cn") or each in _MISLEADING:
            raise Refused("bad_text", f"{what}: the character U+{ord(each):04X} is no text; take it out.")
    return text
