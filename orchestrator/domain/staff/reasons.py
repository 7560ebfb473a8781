"""The reasons that agents choose from: for not being ready, and of what became of a contact. The site's own, as data.

Streams `pauses-<id>` and `wrapup-<id>`, a list each. Written by `config apply` (desk streams); read by the runner,
which refuses a reason that the site does not have, and by screens, which show them in the order of the list.

A wrap-up reason may have reasons of its own below it: then it is their heading, and one of those is chosen. What an
agent chooses is stored as the code alone; a reason that left its list keeps its name for the past.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Event
from orchestrator.domain.staff.shifts import DESK_LOST, STAND_DOWN

_L = TypeVar("_L", bound=Event)

# What the system itself says of an agent who is not ready, and of after-call work that ended without a reason.
RESERVED = frozenset({"signed_in", *STAND_DOWN.values(), DESK_LOST, "none"})


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason: the code that is stored, and its name; `names` in other languages (`zh`)."""

    id: str
    name: str
    names: dict[str, str] = {}


class PauseReason(Reason, frozen=True, kw_only=True, omit_defaults=True):
    """Why an agent is not ready. `most_ms`: how long that should last at most; 0 where there is no limit."""

    most_ms: int = 0


class WrapUpReason(Reason, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a contact, or the heading of `reasons`."""

    reasons: tuple[Reason, ...] = ()

    @property
    def choices(self) -> tuple[Reason, ...]:
        """What can be chosen of it."""
        return self.reasons or (self,)


# --- events ------------------------------------------------------------------------------------------------------


class PauseReasonsConfigured(Event, frozen=True, kw_only=True):
    """Agents choose from these reasons for not being ready."""

    reasons: tuple[PauseReason, ...]


class PauseReasonsRemoved(Event, frozen=True, kw_only=True):
    """Nobody chooses from this list any more."""


class WrapUpReasonsConfigured(Event, frozen=True, kw_only=True):
    """After contacts of these queues, or of any where none is named, agents choose from these reasons."""

    reasons: tuple[WrapUpReason, ...]
    queues: tuple[str, ...] = ()


class WrapUpReasonsRemoved(Event, frozen=True, kw_only=True):
    """Nobody chooses from this list any more."""


# --- state -------------------------------------------------------------------------------------------------------


class Reasons(Struct, frozen=True, kw_only=True):
    """All lists as configured now, by id, and every reason that ever stood in one, by its code."""

    pauses: Mapping[str, PauseReasonsConfigured] = {}
    wrap_ups: Mapping[str, WrapUpReasonsConfigured] = {}
    known: Mapping[str, Reason] = {}

    def of_pauses(self) -> tuple[PauseReason, ...]:
        """Why an agent may be not ready."""
        return tuple(reason for _, each in sorted(self.pauses.items()) for reason in each.reasons)

    def of_wrap_up(self, queue_id: str) -> tuple[WrapUpReason, ...]:
        """What may have become of a contact of this queue: what is asked there before what may come of any contact."""
        lists = [each for _, each in sorted(self.wrap_ups.items())]
        own = [reason for each in lists if queue_id in each.queues for reason in each.reasons]
        return (*own, *(reason for each in lists if not each.queues for reason in each.reasons))

    def pause_codes(self) -> tuple[str, ...]:
        """The codes of all reasons for not being ready; none where the site lists none."""
        return tuple(reason.id for reason in self.of_pauses())

    def wrap_up_codes(self) -> tuple[str, ...]:
        """The codes of all wrap-up reasons, whatever the queue; none where the site lists none."""
        lists = (each for _, each in sorted(self.wrap_ups.items()))
        return tuple(choice.id for each in lists for reason in each.reasons for choice in reason.choices)


def evolve(reasons: Reasons, event: Event, list_id: str) -> Reasons:
    """The reasons after one more event. Never raises."""
    match event:
        case PauseReasonsConfigured():
            known = {**reasons.known, **{reason.id: reason for reason in event.reasons}}
            return replace(reasons, pauses={**reasons.pauses, list_id: event}, known=known)
        case PauseReasonsRemoved():
            return replace(reasons, pauses=_without(reasons.pauses, list_id))
        case WrapUpReasonsConfigured():
            known = {**reasons.known, **{reason.id: reason for reason in _all(event)}}
            return replace(reasons, wrap_ups={**reasons.wrap_ups, list_id: event}, known=known)
        case WrapUpReasonsRemoved():
            return replace(reasons, wrap_ups=_without(reasons.wrap_ups, list_id))
    return reasons


def _all(event: WrapUpReasonsConfigured) -> Iterator[Reason]:
    """Headings and what stands below them."""
    for reason in event.reasons:
        yield reason
        yield from reason.reasons


def _without(lists: Mapping[str, _L], list_id: str) -> dict[str, _L]:
    return {each: found for each, found in lists.items() if each != list_id}


def label(reason: Reason, language: str) -> str:
    """The reason's name in this language, or as the site writes it."""
    return reason.names.get(language) or reason.name


# --- what is wrong with lists ------------------------------------------------------------------------------------


def faults(reasons: Reasons) -> Iterator[tuple[str, str, str]]:
    """What does not fit together: kind and id of the list, and what is wrong."""
    holders: dict[str, str] = {}
    for kind, list_id, codes in _codes(reasons):
        here = f"{kind}.{list_id}"
        for code in codes:
            if code in RESERVED:
                yield kind, list_id, f"{code} is a word of the system itself; choose another id"
            elif code in holders:
                where = "twice" if holders[code] == here else f"in {holders[code]} too"
                yield (
                    kind,
                    list_id,
                    f"{code} stands here {where}; a code means one thing, so each needs an id of its own",
                )
            holders.setdefault(code, here)


def _codes(reasons: Reasons) -> Iterator[tuple[str, str, list[str]]]:
    for list_id, pauses in sorted(reasons.pauses.items()):
        yield "pauses", list_id, [reason.id for reason in pauses.reasons]
    for list_id, wrap_ups in sorted(reasons.wrap_ups.items()):
        yield "wrapup", list_id, [reason.id for reason in _all(wrap_ups)]
