"""Queue rules: among agents of the same level, who comes first.

A rule is a pure function from an agent's standing to a tuple; the smallest tuple wins. To add one, write it here and
list it in `RULES`; nothing else changes, because a standing is made anew whenever something in it changes.
"""

from collections.abc import Callable

from msgspec import Struct

from orchestrator.domain.kernel import Instant


class Standing(Struct, frozen=True, kw_only=True):
    """What a rule may look at: one free agent in one queue."""

    shift_id: str
    agent_id: str
    level: int
    idle_since: Instant


Key = tuple[int, ...]
Rule = Callable[[Standing], Key]


def longest_idle(standing: Standing) -> Key:
    """The agent who has been without a contact for longest."""
    return (standing.idle_since,)


RULES: dict[str, Rule] = {"longest_idle": longest_idle}
