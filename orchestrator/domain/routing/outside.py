"""Which numbers outside may be called, by which trunk, and whose number they see.

Stream `outside-<id>`; there is one, `outside-main`. Written by `config apply` (a desk stream); read by the runner.
Without it nobody outside is ever called.
"""

from msgspec import Struct, field

from orchestrator.domain.kernel import Event
from orchestrator.domain.routing import spelling

# The id of the one stream of these rules.
THE_ONE = "main"
# The trunk where nothing else is said: a gateway of the switch (freeswitch/render.py).
TRUNK = "outside"

WITHHELD = "withheld"
NOT_ALLOWED = "not_allowed"
FULL = "outside_full"
NOT_CONFIGURED = "no_outside"
# The country whose numbers come without a country code, where neither the file nor the site's settings say one.
HOME = "CN"


class OutsideConfigured(Event, frozen=True, kw_only=True):
    """These calls to the outside are allowed from now on."""

    allowed: tuple[str, ...]
    """Prefixes of numbers that may be called, with a leading + or as dialled in `region`: `021` a town's, `13` a
    mobile's. The longest that fits decides. Short codes are looked at as dialled.
    """
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
    region: str = HOME
    """The country (ISO 3166) whose numbers are dialled without a country code. Empty in what was written before there
    was one: then numbers and prefixes without a + are compared as typed.
    """
    national: bool = False
    """Whether the trunk is given numbers of that country as they are dialled there (`02188880000`), not in E.164."""


class OutsideRemoved(Event, frozen=True, kw_only=True):
    """Nobody outside is called any more."""


class Outside(Struct, frozen=True, kw_only=True):
    """Calls to the outside as configured now."""

    settings: OutsideConfigured
    allowed: tuple[str, ...] = ()
    """The prefixes that may be called, as they are compared: in E.164, or as dialled in the region."""
    refused: tuple[str, ...] = ()


def evolve(outside: Outside | None, event: Event) -> Outside | None:
    """The rules after one more event; None once removed. Never raises."""
    match event:
        case OutsideConfigured():
            return Outside(
                settings=event,
                allowed=tuple(spelling.prefix_meant(each, event.region) for each in event.allowed),
                refused=tuple(spelling.prefix_meant(each, event.region) for each in event.refused),
            )
        case OutsideRemoved():
            return None
    return outside


def meant(outside: Outside | None, raw: str, region: str = "") -> str:
    """The number that is meant, in the one form in which it is compared, kept and called; "" where it is none.

    `region`: where whoever typed it is, if that is another country than the site's. The site's trunk calls it: what is
    another number there, or none, is none.
    """
    home = outside.settings.region if outside is not None else ""
    if not region or not home or region == home:
        return spelling.meant(raw, home)
    number = spelling.meant(raw, region)
    return number if spelling.meant(number, home) == number else ""


def why_not(outside: Outside | None, number: str, calling: int) -> str:
    """Why this number, which `meant` told, may not be called while so many others are; empty where it may."""
    if outside is None:
        return NOT_CONFIGURED
    if not number:
        return WITHHELD
    settings = outside.settings
    region = settings.region
    if number.startswith("+"):
        there = spelling.at_home(number, region)
        known = there != number
        code = len(spelling.with_country("", region))
        # How an unknown number is dialled there nobody can tell: it is refused as any of the ways, allowed as none.
        allows = max(_longest(outside.allowed, number), _longest(outside.allowed, there, code) if known else -1)
        there = there if known else spelling.without_country(number, region)
        refuses = max(_longest(outside.refused, number), _longest(outside.refused, there, code))
    else:
        # A short code is allowed as typed, and refused also with the country's code before it.
        allows = _longest(settings.allowed, number)
        full = spelling.with_country(number, region)
        refuses = max(_longest(settings.refused, number), _longest(outside.refused, full, len(number) - len(full)))
    if allows < 0 or refuses >= allows:
        return NOT_ALLOWED
    return FULL if calling >= settings.at_most else ""


def dialled(outside: Outside | None, number: str) -> str:
    """The number as the trunk is given it."""
    if outside is None or not outside.settings.national:
        return number
    return spelling.at_home(number, outside.settings.region)


def trunk_of(outside: Outside | None) -> str:
    """The trunk by which numbers are called."""
    return outside.settings.trunk if outside is not None else TRUNK


def shown(settings: OutsideConfigured, entry_id: str) -> str:
    """Whose number is shown to those who are called for a contact of this entry point; "" for none."""
    return settings.show_for.get(entry_id, settings.show)


def shown_at(settings: OutsideConfigured, branch: str) -> str:
    """Whose number is shown to those whom an agent of this branch dials; "" where the branch has none of its own."""
    return settings.show_at.get(branch, "")


def _longest(prefixes: tuple[str, ...], number: str, more: int = 0) -> int:
    """The length of the longest prefix that fits and `more`, what is not in these digits; -1 where none fits."""
    return max((len(prefix) + more for prefix in prefixes if number.startswith(prefix)), default=-1)
