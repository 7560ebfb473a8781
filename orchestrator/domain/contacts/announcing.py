"""The agent's employee number as it is spoken: a sentence of prompt ids, the same in every language.

What is said stands in `freeswitch/prompts`, one file a part and a folder a language; the switch looks in its own.
"""

from typing import Final

BEFORE: Final = "number_before"
AFTER: Final = "number_after"


def digits_of(number: str) -> str:
    """What is spoken of an employee number: its digits. Letters and signs are passed over."""
    return "".join(each for each in number if each in "0123456789")


def prompts_for(number: str) -> tuple[str, ...]:
    """The prompts that say these digits, in their order."""
    return (BEFORE, *(f"digit_{digit}" for digit in number), AFTER)
