"""Which process is killed when: drawn from a seed, so that a run that failed can be played again."""

from random import Random
from typing import Final, NamedTuple

KINDS: Final = ("engine", "projections", "web", "database", "switch")
"""Each is killed once before any is killed again. `engine` is the one that decides."""
LATER: Final = (*KINDS, "standby")


class Kill(NamedTuple):
    """One SIGKILL, so many seconds after the first call."""

    at_s: float
    kind: str


def kills(seed: int, seconds: float, gaps_s: tuple[float, float]) -> list[Kill]:
    """The kills of a run of this length, one such gap after another. ValueError where it is too short for each kind."""
    dice = Random(seed)
    kinds = dice.sample(KINDS, len(KINDS))
    found: list[Kill] = []
    at_s = dice.uniform(*gaps_s)
    while at_s < seconds:
        found.append(Kill(round(at_s, 2), kinds[len(found)] if len(found) < len(kinds) else dice.choice(LATER)))
        at_s += dice.uniform(*gaps_s)
    if len(found) < len(KINDS):
        raise ValueError(f"{seconds:g} s are too short to kill each of {', '.join(KINDS)} once: give more seconds")
    return found
