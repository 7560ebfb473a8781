"""What is spoken of numbers, as prompt ids that are the same in every language: the agent's employee number, the place
in a queue and the wait, and the place at which somebody is parked.

What is said stands in `freeswitch/prompts`, one file a prompt and a folder a language; the switch looks in its own. The
employee number and the place of a park are put together from parts; place and wait are whole sentences each, because no
two languages count alike.
"""

from typing import Final

BEFORE: Final = "number_before"
AFTER: Final = "number_after"
PARKED_AT: Final = "parked_at"

PLACES: Final = 20
"""Places up to this have a sentence each; whoever is further back hears that it is so."""
WAITS: Final = (1, 2, 3, 4, 5, 10, 15, 20, 30)
"""The waits that have a sentence each, in minutes. What is said is the next longer one: an estimate errs by half
(docs/decisions/0047), and nobody minds being served sooner.
"""
_MINUTE_MS: Final = 60_000


def digits_of(number: str) -> str:
    """What is spoken of an employee number: its digits. Letters and signs are passed over."""
    return "".join(each for each in number if each in "0123456789")


def prompts_for(number: str) -> tuple[str, ...]:
    """The prompts that say these digits, in their order."""
    return (BEFORE, *(f"digit_{digit}" for digit in number), AFTER)


def prompts_for_park(place: int) -> tuple[str, ...]:
    """The prompts that say at which place somebody is parked, digit by digit, as one dials it."""
    return (PARKED_AT, *(f"digit_{digit}" for digit in str(place)))


def prompts_for_place(position: int, estimate_ms: int) -> tuple[str, ...]:
    """The prompts that say a place, 1 for who comes next, and the wait, of which nothing is said where it is -1."""
    place = f"place_{position}" if position <= PLACES else "place_more"
    return (place,) if estimate_ms < 0 else (place, _wait(estimate_ms))


def _wait(estimate_ms: int) -> str:
    if 2 * estimate_ms <= _MINUTE_MS:
        return "wait_less"
    return next((f"wait_{each}" for each in WAITS if estimate_ms <= each * _MINUTE_MS), "wait_more")
