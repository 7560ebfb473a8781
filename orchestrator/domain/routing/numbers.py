"""Numbers as networks write them, and as decisions want them: rules that rewrite what was dialled and who calls.

Stream `rewrite-<id>`. Written by `config apply` (a desk stream); read by the runner.

A carrier may hand over `02162798000` for `+862162798000`, and an access code for the number that people dial. A rule
takes off leading characters and puts others in front. Rules are asked in their `order`, then by id; the first that
matches is the only one. A pattern is a number, or the beginning of one with `*` after it: nothing that takes long.
"""

import re
from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import Event

ANY: Final = "*"
# E.164 has up to 15 digits; short numbers of a network have none of its shape.
_NUMBER: Final = re.compile(r"\+?[0-9]{2,20}")
_WRITTEN: Final = str.maketrans("", "", " -().")
_LONGEST: Final = 40


class RewriteConfigured(Event, frozen=True, kw_only=True):
    """Numbers that match are rewritten from now on. `of`: `dialled` or `caller`."""

    name: str
    of: str
    match: str = ANY
    trunk: str = ""
    """Only calls of this trunk group; empty: of all."""
    length: int = 0
    """Only numbers of so many characters; 0: of any length."""
    strip: int = 0
    """How many leading characters go."""
    prepend: str = ""
    """What comes in front of the rest."""
    order: int = 100


class RewriteRemoved(Event, frozen=True, kw_only=True):
    """The rule is no more."""


def matches(pattern: str, number: str) -> bool:
    """Whether a number fits a pattern: itself, or the beginning before a `*`."""
    return number.startswith(pattern[:-1]) if pattern.endswith(ANY) else number == pattern


def written(raw: str) -> str:
    """A number without the signs that people put between digits; empty for what is none, or withheld."""
    text = raw[:_LONGEST].translate(_WRITTEN)
    return text if _NUMBER.fullmatch(text) else ""


class _Rule(Struct, frozen=True):
    order: int
    rule_id: str
    of: str
    settings: RewriteConfigured


class Rewriting:
    """All rules, in the order in which they are asked."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def configure(self, rule_id: str, event: Event) -> None:
        """Take over one rule's settings, or that it is gone."""
        self._rules = [rule for rule in self._rules if rule.rule_id != rule_id]
        if isinstance(event, RewriteConfigured):
            self._rules.append(_Rule(event.order, rule_id, event.of, event))
            self._rules.sort(key=lambda rule: (rule.order, rule.rule_id))

    def caller(self, raw: str, trunk: str) -> str:
        """Who calls, as decisions want it; empty where the number is withheld or none."""
        number = written(raw)
        return written(self._rewritten("caller", number, trunk)) if number else ""

    def dialled(self, number: str, trunk: str) -> str:
        """What was dialled, as entry points know it. The number has been cleaned; it need not consist of digits."""
        return self._rewritten("dialled", number, trunk)

    def _rewritten(self, of: str, number: str, trunk: str) -> str:
        for rule in self._rules:
            settings = rule.settings
            if rule.of != of or settings.trunk not in ("", trunk) or settings.length not in (0, len(number)):
                continue
            if matches(settings.match, number):
                return settings.prepend + number[settings.strip :]
        return number
