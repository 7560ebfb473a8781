"""What an agent's phone shows of a caller: the network's strings made harmless. The raw ones stay sealed in the event.

A display name with an escaped quote, passed on raw, makes the agent's leg die at once; a line feed forges headers.
"""

import re
import unicodedata

SHOWN_NAME_LENGTH = 40
SHOWN_NUMBER_LENGTH = 20
DIALLED_LENGTH = 32

# Letters, marks, numbers and spaces of any script, and the few signs that occur in names and mean nothing to a switch.
_SIGNS = frozenset(" .-_@")

# What nearly all names and numbers are made of: nothing of it needs to be looked at one by one.
_PLAIN_NAME = re.compile(r"[0-9A-Za-z]+(?: [0-9A-Za-z]+)*")
_PLAIN_DIALLED = re.compile(r"[0-9A-Za-z+*#_.-]*")


def shown_name(raw: str) -> str:
    """The name without anything that a switch, SIP or XML would read as more than a name; "" where nothing is left."""
    if len(raw) <= SHOWN_NAME_LENGTH and _PLAIN_NAME.fullmatch(raw):
        return raw
    kept = "".join(c for c in raw[:400] if c in _SIGNS or unicodedata.category(c)[0] in "LMN")
    return " ".join(kept.split())[:SHOWN_NAME_LENGTH].rstrip()


def shown_number(raw: str) -> str:
    """The number's digits with a leading plus, if any; "" for what is no number."""
    plus = "+" if raw.startswith("+") else ""
    digits = raw[len(plus) :]
    if not digits or not digits.isascii() or not digits.isdigit():
        return ""
    return plus + digits[:SHOWN_NUMBER_LENGTH]


def clean_dialled(raw: str) -> str:
    """The dialled number reduced to the characters that a number or extension may have."""
    if len(raw) <= DIALLED_LENGTH and _PLAIN_DIALLED.fullmatch(raw):
        return raw
    return "".join(c for c in raw[:200] if c.isascii() and (c.isalnum() or c in "+*#_.-"))[:DIALLED_LENGTH]
