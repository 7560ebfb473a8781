"""An entry point (VDN): which calls lead to which queue, by what was dialled, over which trunk, by whom and when.

Stream `entry-<id>`. Written by `config apply` (a desk stream); read by the runner.

A number ends in `*` where it stands for all that begin so; `*` alone is the default for numbers that nobody configured.
Of several entry points that fit a call, this one takes it:
  1. the one with the number itself before one with a beginning of it, a longer beginning before a shorter;
  2. then the one that names the caller, by more digits before by fewer, before one that takes any caller;
  3. then one that names the trunk group, then one that holds for certain hours only (`during`);
  4. then the one whose id comes first.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import Event, Instant
from orchestrator.domain.routing.calendars import Calendars

DEFAULT: Final = "*"
AT_ONCE: Final = "at_once"
WHEN_CONNECTED: Final = "when_connected"
ANSWERS: Final = (AT_ONCE, "after", WHEN_CONNECTED)


class EntryPointConfigured(Event, frozen=True, kw_only=True):
    """These calls lead to this queue from now on."""

    name: str
    numbers: tuple[str, ...]
    queue_id: str
    agent_id: str = ""
    """The agent whom callers of these numbers want; empty: nobody in particular."""
    bonus: int = 0
    """Points beside the queue's priority for callers of these numbers."""
    trunks: tuple[str, ...] = ()
    """Only calls of these trunk groups; empty: of all."""
    callers: tuple[str, ...] = ()
    """Only callers whose number begins so; empty: all."""
    during: str = ""
    """Only while this calendar is open: otherwise the call is another entry point's."""
    hours: str = ""
    """While this calendar is closed, callers are sent to `closed`."""
    closed: str = "apology:closed"
    answer: str = AT_ONCE
    """When the caller is answered, and billed: `at_once`, `after` a while, `when_connected` with an agent."""
    answer_after_ms: int = 0
    blacklisted: str = ""
    """The prompt that somebody on the blacklist hears; empty: the call is rejected without a word."""


class EntryPointRemoved(Event, frozen=True, kw_only=True):
    """Its numbers lead nowhere; callers reach another entry point that fits, or the default one."""


class EntryPoint(Struct, frozen=True, kw_only=True):
    """An entry point as configured now."""

    entry_id: str
    settings: EntryPointConfigured

    @property
    def queue_id(self) -> str:
        """Where its callers wait."""
        return self.settings.queue_id

    @property
    def numbers(self) -> tuple[str, ...]:
        """What leads here."""
        return self.settings.numbers

    @property
    def agent_id(self) -> str:
        """The agent whom its callers want."""
        return self.settings.agent_id

    @property
    def bonus(self) -> int:
        """Points for its callers."""
        return self.settings.bonus

    @property
    def catches_all(self) -> bool:
        """Whether it names neither trunk nor caller: what reaches it by `*` was meant for nobody."""
        return not self.settings.trunks and not self.settings.callers


def evolve(entry: EntryPoint | None, event: Event, entry_id: str) -> EntryPoint | None:
    """The entry point after one more event; None once removed. Never raises."""
    match event:
        case EntryPointConfigured():
            return EntryPoint(entry_id=entry_id, settings=event)
        case EntryPointRemoved():
            return None
    return entry


class Call(Struct, frozen=True):
    """What an entry point looks at. Numbers are rewritten ones."""

    to_number: str
    from_number: str
    trunk: str
    at: Instant


class Found(Struct, frozen=True):
    """Whose call it is. Without an entry, `closed` says that there is one at other hours."""

    entry: EntryPoint | None
    unknown: bool
    """Whether nobody configured this number."""
    closed: bool = False


class Entries:
    """All entry points, by what is dialled. Finding one costs a look for each digit, however many there are."""

    def __init__(self) -> None:
        self._by_pattern: dict[str, dict[str, EntryPoint]] = {}

    def configure(self, before: EntryPoint | None, after: EntryPoint | None) -> None:
        """Take over one entry point's settings."""
        if before is not None:
            for number in before.numbers:
                self._by_pattern[number].pop(before.entry_id, None)
        if after is not None:
            for number in after.numbers:
                self._by_pattern.setdefault(number, {})[after.entry_id] = after

    def find(self, call: Call, calendars: Calendars) -> Found:
        """The entry point that takes this call."""
        closed = False
        for pattern in _patterns(call.to_number):
            fitting = [entry for entry in self._by_pattern.get(pattern, {}).values() if _fits(entry.settings, call)]
            timely = [entry for entry in fitting if _is_time(entry.settings, call, calendars)]
            if timely:
                entry = min(timely, key=lambda entry: precedence(entry.settings, entry.entry_id, call.from_number))
                return Found(entry, unknown=pattern == DEFAULT and entry.catches_all)
            closed = closed or bool(fitting)
        return Found(None, unknown=not closed, closed=closed)


def precedence(settings: EntryPointConfigured, entry_id: str, from_number: str) -> tuple[int, bool, bool, str]:
    """The order of those that the same pattern leads to; the smallest is first."""
    named = max((len(prefix) for prefix in settings.callers if from_number.startswith(prefix)), default=0)
    return -named, not settings.trunks, not settings.during, entry_id


def _patterns(number: str) -> Iterable[str]:
    yield number
    for length in range(len(number), -1, -1):
        yield f"{number[:length]}*"


def _fits(settings: EntryPointConfigured, call: Call) -> bool:
    if settings.trunks and call.trunk not in settings.trunks:
        return False
    return not settings.callers or any(call.from_number.startswith(prefix) for prefix in settings.callers)


def _is_time(settings: EntryPointConfigured, call: Call, calendars: Calendars) -> bool:
    return not settings.during or calendars.is_open(settings.during, call.at)
