"""Why each offer of a contact went where it went, for any agent, derived by replay (feature 3.9, law 14).

    log ──fold──▶ the state just before OfferMade, configured as it was for the one who decided ──explain──▶ reasons

The engine follows the configuration, so a version may stand in the log a moment before it was known to the one who made
an offer: the decision record tells which version that was, and what came later is taken back while it is asked.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import ContactQueued, OfferMade
from orchestrator.domain.kernel import Instant, Record, Refused, ident_of, kind_of, stream
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.explaining import Reason, explain_all
from orchestrator.domain.world import World
from orchestrator.replay.scrubber import Scrubber
from orchestrator.service.planning import SECTION_OF
from orchestrator.store import Log

# Behind everybody who has a place.
_LAST: Final = 1_000_000_000


class Moment(Struct, frozen=True, kw_only=True):
    """One moment at which somebody could have got the contact."""

    number: int
    """Which offer of the contact this was, from 1; 0 for the moment at which it was queued and nobody was offered it.
    """
    position: int
    at: Instant
    queue_id: str
    offer: OfferMade | None
    reasons: tuple[Reason, ...]
    """Whoever was chosen, those who were free in their order, then all others by id."""


class Retelling:
    """A state that can be looked at as it was configured at an earlier version."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world if world is not None else World()
        self._last: dict[str, Record] = {}
        self._open: dict[str, Record | None] = {}
        self._versions: dict[int, dict[str, Record | None]] = {}
        """What each version found of the streams that it changed."""

    def apply(self, record: Record) -> None:
        """Fold one more record."""
        self.world.apply(record)
        self.note(record)

    def note(self, record: Record) -> None:
        """Remember a record of configuration that is folded already."""
        if kind_of(record.stream) in SECTION_OF:
            self._open.setdefault(record.stream, self._last.get(record.stream))
            self._last[record.stream] = record
        elif isinstance(record.event, ConfigurationApplied):
            self._versions[record.version], self._open = self._open, {}

    @contextmanager
    def configured(self, version: int) -> Iterator[World]:
        """The state with the configuration of this version, while the context lasts."""
        found: dict[str, Record | None] = {}
        for later in sorted(self._versions, reverse=True):
            if later > version:
                found |= self._versions[later]
        for name, record in found.items():
            self.world.apply(record if record is not None else _gone(self._last[name]))
        try:
            yield self.world
        finally:
            for name in found:
                self.world.apply(self._last[name])


def why(log: Log, contact_id: str, scrubber: Scrubber, *, agent_id: str = "", offer: int = 0) -> list[Moment]:
    """Every moment of this contact, or one of its offers, explained for every agent, or one.

    Raises `Refused` (`no_such_contact`, `no_such_offer`), `Away`.
    """
    wanted = _wanted(list(log.stream(stream("contact", contact_id))), offer)
    last = max((record.position for _, record in wanted), default=0)
    configured = list(log.history(until=last, kinds=(*SECTION_OF, "config"))) if wanted else []
    found = []
    for number, record in wanted:
        # Of an offer the state before it, of the queueing the state after it.
        position = record.position - (1 if number else 0)
        retelling = Retelling(scrubber.at_position(position))
        for each in configured:
            if each.position <= position:
                retelling.note(each)
        found.append(told(retelling, record, number, agent_id))
    return found


def told(retelling: Retelling, record: Record, number: int, agent_id: str = "") -> Moment:
    """One moment explained, from the state in which it was decided."""
    offer = record.event if isinstance(record.event, OfferMade) else None
    version = offer.decision.config_version if offer is not None else retelling.world.config_version
    with retelling.configured(version) as world:
        contact = world.contacts[ident_of(record.stream)]
        agents = (agent_id,) if agent_id else tuple(sorted(world.agents))
        reasons = sorted(explain_all(world, contact, agents, record.about.at), key=_best_first)
    return Moment(
        number=number,
        position=record.position,
        at=record.about.at,
        queue_id=contact.queue_id,
        offer=offer,
        reasons=tuple(reasons),
    )


def _wanted(records: Sequence[Record], offer: int) -> list[tuple[int, Record]]:
    """What can be explained of a contact: each of its offers by number; with 0, that it was queued and nobody was
    offered it at once.
    """
    if not records:
        raise Refused("no_such_contact", "There is no such contact.")
    found: list[tuple[int, Record]] = []
    offers = 0
    for record, following in zip(records, [*records[1:], None], strict=True):
        if isinstance(record.event, OfferMade):
            offers += 1
            found.append((offers, record))
        elif isinstance(record.event, ContactQueued) and not _at_once(record, following):
            found.append((0, record))
    if not offer:
        return found
    if not 0 < offer <= offers:
        raise Refused("no_such_offer", f"The contact has {offers} offers; there is no offer {offer}.")
    return [each for each in found if each[0] == offer]


def _best_first(reason: Reason) -> tuple[int, str]:
    return reason.place or _LAST, reason.agent_id


def _at_once(record: Record, following: Record | None) -> bool:
    """Whether the contact was offered to somebody in the same step."""
    if following is None or not isinstance(following.event, OfferMade):
        return False
    return following.about.causation == record.about.causation


def _gone(record: Record) -> Record:
    """The record that takes away what this one's stream configures."""
    return replace(record, event=SECTION_OF[kind_of(record.stream)].removed())
