"""What lets callers in, drawn from a seed: hours that end in the middle of a run, caps, limits, overflow, a blacklist.

It has dice of its own: a seed that draws none of it goes the way that it went before there was any.
"""

from random import Random

from msgspec.structs import replace

from orchestrator.domain.customers.blacklist import BlacklistingChanged, BlacklistingLifted, NumberBlacklisted
from orchestrator.domain.kernel import SECOND, Event, Instant
from orchestrator.domain.routing.calendars import CalendarConfigured, Offset, Spans
from orchestrator.domain.routing.entries import ANSWERS, EntryPointConfigured
from orchestrator.domain.routing.limits import LimitConfigured
from orchestrator.domain.routing.notices import NoticeConfigured
from orchestrator.domain.routing.numbers import RewriteConfigured
from orchestrator.domain.routing.overflow import WHENS
from orchestrator.domain.routing.queues import QueueConfigured, Spill
from orchestrator.domain.routing.trunks import TrunkConfigured
from tests.simulation.agenda import START

# Minutes of the Monday on which a run begins at 08:00.
_BEGINS = 8 * 60
_HOURS: dict[str, Spans] = {
    "always": ((0, 1_440),),
    "never": (),
    "closing": ((0, _BEGINS + 1),),
    "opening": ((_BEGINS + 1, 1_440),),
    "pausing": ((0, _BEGINS + 1), (_BEGINS + 2, 1_440)),
}
NUISANCE = "+8613800138001"
_NUMBERS = ("+8613800138000", "13800138000", NUISANCE, "13800138001", "anonymous", "")
_TARGETS = ("queue:support", "queue:sales", "queue:third", "queue:gone", "entry:branch", "entry:shop", "apology:closed")


class Door:
    """One seed's door."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(f"door of {seed}")
        self.drawn = self._dice.random() < 0.6
        self._blacklisted = ""
        self._version = 0

    # --- at the beginning --------------------------------------------------------------------------------------------
    def queue(self, settings: QueueConfigured) -> QueueConfigured:
        """The queue as this door has it."""
        dice = self._dice
        if not self.drawn:
            return settings
        return replace(
            settings,
            calendar=dice.choice(("", "", "always", "closing", "opening", "pausing", "never")),
            most_waiting=dice.choice((0, 0, 1, 3, 6)),
            overflow=tuple(self._spill() for _ in range(dice.choice((0, 1, 2, 4)))),
        )

    def _spill(self) -> Spill:
        dice = self._dice
        when = dice.choice(WHENS)
        return Spill(
            when=when,
            to=dice.choice(_TARGETS),
            after_ms=dice.choice((1_000, 7_000, 30_000)) if when == "wait" else 0,
            over=dice.choice((1, 2, 5)) if when == "length" else 0,
        )

    def entry(self, settings: EntryPointConfigured) -> EntryPointConfigured:
        """The entry point as this door has it."""
        dice = self._dice
        if not self.drawn:
            return settings
        answer = dice.choice(ANSWERS)
        return replace(
            settings,
            hours=dice.choice(("", "", "", "closing", "opening", "pausing")),
            closed=dice.choice(("apology:closed", *_TARGETS)),
            bonus=dice.choice((0, 0, 50, -2_000)),
            answer=answer,
            answer_after_ms=dice.choice((500, 5_000)) if answer == "after" else 0,
            blacklisted=dice.choice(("", "blacklisted")),
        )

    def changes(self, third: QueueConfigured) -> list[tuple[str, Event]]:
        """What there is beside queues and entry points, and one more of each. `third` is a queue like the others."""
        dice = self._dice
        if not self.drawn:
            return []
        found: list[tuple[str, Event]] = [
            (f"calendar-{name}", CalendarConfigured(name=name, zone="UTC", week=(spans, *[()] * 6), offsets=_UTC))
            for name, spans in _HOURS.items()
        ]
        found.append(("queue-third", self.queue(third)))
        branch = EntryPointConfigured(name="branch", numbers=("40*",), queue_id="third", during="closing")
        found.append(("entry-branch", self.entry(branch)))
        if dice.random() < 0.5:
            mine = EntryPointConfigured(name="mine", numbers=("4001",), queue_id="sales", callers=("+86138001380",))
            found.append(("entry-mine", self.entry(mine)))
        found.append(
            ("rewrite-home", RewriteConfigured(name="home", of="caller", match="1*", length=11, prepend="+86"))
        )
        if dice.random() < 0.5:
            most = dice.choice((2, 8))
            found.append(("trunk-carrier", TrunkConfigured(name="carrier", peers=("carrier",), most_calls=most)))
        if dice.random() < 0.5:
            found.append(("limit-any", LimitConfigured(calls_per_s=dice.choice((1, 3)), burst=dice.choice((0, 5)))))
        found.append(("notice-storm", NoticeConfigured(name="storm", prompt="notice_weather", on=dice.random() < 0.5)))
        return found

    # --- on the way --------------------------------------------------------------------------------------------------
    def number(self, usual: str) -> str:
        """A caller's number."""
        return self._dice.choice(_NUMBERS) if self.drawn else usual

    def moments(self, lasts_s: int) -> list[Instant]:
        """When somebody changes something."""
        if not self.drawn:
            return []
        return [Instant(START + int(self._dice.uniform(1, lasts_s) * SECOND)) for _ in range(self._dice.choice((1, 4)))]

    def change(self, now: Instant) -> list[tuple[str, Event]]:
        """What somebody changes then."""
        dice = self._dice
        if dice.random() < 0.3:
            return [("notice-storm", NoticeConfigured(name="storm", prompt="notice_weather", on=dice.random() < 0.5))]
        name = "blacklist-one"
        until = Instant(now + dice.choice((0, 20, 60)) * SECOND)
        until = Instant(0) if until == now else until
        match self._blacklisted:
            case "":
                self._blacklisted = "listed"
                return [(name, NumberBlacklisted(number=NUISANCE, reason="nuisance", until=until))]
            case "listed" if dice.random() < 0.5:
                return [(name, BlacklistingChanged(reason="fraud", until=until))]
            case "listed":
                self._blacklisted = "lifted"
                return [(name, BlacklistingLifted())]
        return []


_UTC = (Offset(Instant(0), 0),)
