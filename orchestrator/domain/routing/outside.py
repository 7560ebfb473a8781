"""Which numbers outside may be called, by which trunk, and whose number they see.

Stream `outside-<id>`; there is one, `outside-main`. Written by `config apply` (a desk stream); read by the runner.
Without it nobody outside is ever called.
"""

from msgspec import Struct, field

from orchestrator.domain.kernel import Event

# Nothing shorter is called by a machine: emergency and service numbers. Nothing longer is a number (E.164, 6).
SHORTEST, LONGEST = 5, 15
# The id of the one stream of these rules.
THE_ONE = "main"
# The trunk where nothing else is said: a gateway of the switch (freeswitch/render.py).
TRUNK = "outside"

WITHHELD = "withheld"
NOT_ALLOWED = "not_allowed"
FULL = "outside_full"
NOT_CONFIGURED = "no_outside"

# What people write between the digits of a number.
_SIGNS = str.maketrans("", "", " -./()")


class OutsideConfigured(Event, frozen=True, kw_only=True):
    """These calls to the outside are allowed from now on."""

    allowed: tuple[str, ...]
    """Prefixes of numbers that may be called, with a leading + or without; the longest prefix that fits decides."""
    refused: tuple[str, ...] = ()
    show: str = ""
    """The number that those who are called see, where their entry point has none of its own."""
    show_for: dict[str, str] = field(default_factory=dict)
    """Entry point to the number that is shown for its contacts."""
    show_at: dict[str, str] = field(default_factory=dict)
    """Branch to the number that is shown where an agent of it dials; `show` for all others."""
    dial_queue: str = ""
    """The queue whose settings hold where an agent dials; empty: the first, by id, that the agent serves."""
    at_most: int = 10
    """Calls to the outside at once: what fraud could cost is bounded."""
    ring_ms: int = 40_000
    trunk: str = TRUNK


class OutsideRemoved(Event, frozen=True, kw_only=True):
    """Nobody outside is called any more."""


class Outside(Struct, frozen=True, kw_only=True):
    """Calls to the outside as configured now."""

    settings: OutsideConfigured


def evolve(outside: Outside | None, event: Event) -> Outside | None:
    """The rules after one more event; None once removed. Never raises."""
    match event:
        case OutsideConfigured():
            return Outside(settings=event)
        case OutsideRemoved():
            return None
    return outside


def callable_number(raw: str) -> str:
    """The number with its signs of writing left out; "" for what is no number that a machine may call."""
    kept = raw.strip().translate(_SIGNS) if len(raw) <= 2 * LONGEST else ""
    digits = kept.removeprefix("+")
    plain = digits.isascii() and digits.isdigit() and SHORTEST <= len(digits) <= LONGEST
    return kept if plain else ""


def why_not(outside: Outside | None, number: str, calling: int) -> str:
    """Why this cleaned number may not be called while so many others are; empty where it may."""
    if outside is None:
        return NOT_CONFIGURED
    if not number:
        return WITHHELD
    settings = outside.settings
    allows = _longest(settings.allowed, number)
    if allows < 0 or _longest(settings.refused, number) >= allows:
        return NOT_ALLOWED
    return FULL if calling >= settings.at_most else ""


def shown(settings: OutsideConfigured, entry_id: str) -> str:
    """Whose number is shown to those who are called for a contact of this entry point; "" for none."""
    return settings.show_for.get(entry_id, settings.show)


def shown_at(settings: OutsideConfigured, branch: str) -> str:
    """Whose number is shown to those whom an agent of this branch dials; "" where the branch has none of its own."""
    return settings.show_at.get(branch, "")


def _longest(prefixes: tuple[str, ...], number: str) -> int:
    return max((len(prefix) for prefix in prefixes if number.startswith(prefix)), default=-1)
