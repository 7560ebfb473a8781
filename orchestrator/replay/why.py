"""Why each offer of a contact went where it went, for any agent, derived by replay (feature 3.9, law 14).

    log ──fold──▶ the state just before OfferMade, configured as it was for the one who decided ──explain──▶ reasons

The engine follows the configuration, so a version may stand in the log a moment before it was known to the one who made
an offer: the decision record tells which version that was, and what came later is taken back while it is asked.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from orchestrator.domain.contacts.contacts import ContactQueued, Decision, OfferMade, OfferWidened
from orchestrator.domain.contacts.dialling import DIALLED
from orchestrator.domain.kernel import Instant, Record, Refused, ident_of, stream
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.explaining import CHOSEN, Reason, chosen_by_hand, explain_all
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
    again: bool
    """Whether one more phone was to ring for an offer that was open already."""
    position: int
    at: Instant
    queue_id: str
    decision: Decision | None
    reasons: tuple[Reason, ...]
    """Whoever was chosen, those who were free in their order, then all others by id."""


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
        decision = decision_of(record)
        late = late_after(configured, position, decision.config_version) if decision is not None else {}
        if late:
            before = min(late) - 1
            world = scrubber.at_position(before)
            for each in log.history(after=before, until=position):
                if each.position not in late:
                    world.apply(each)
        else:
            world = scrubber.at_position(position)
        found.append(told(world, record, number, agent_id))
    return found


def told(world: World, record: Record, number: int, agent_id: str = "") -> Moment:
    """One moment explained, from the state in which it was decided."""
    contact = world.contacts[ident_of(record.stream)]
    if isinstance(record.event, OfferMade) and record.event.decision.rule == DIALLED:
        agent_id = record.event.reservations[0].agent_id  # nobody else was asked: it waits in no queue
    agents = (agent_id,) if agent_id else tuple(sorted(world.agents))
    reasons = explain_all(world, contact, agents, record.about.at)
    if isinstance(record.event, OfferMade) and record.event.by_hand:
        picked = {held.agent_id for held in record.event.reservations}
        reasons = (chosen_by_hand(reason, picked) for reason in reasons)
    return Moment(
        number=number,
        again=isinstance(record.event, OfferWidened),
        position=record.position,
        at=record.about.at,
        queue_id=contact.queue_id,
        decision=decision_of(record),
        reasons=tuple(sorted(reasons, key=_best_first)),
    )


def decision_of(record: Record) -> Decision | None:
    """The decision record that an event carries, if any."""
    return record.event.decision if isinstance(record.event, OfferMade | OfferWidened) else None


def late_after(configured: Iterable[Record], position: int, version: int) -> set[int]:
    """The positions, up to this one, of what was configured after this version. `configured`: what was, in order."""
    late: set[int] = set()
    for record in configured:
        if record.position <= position:
            if isinstance(record.event, ConfigurationApplied) and record.version <= version:
                late.clear()
            else:
                late.add(record.position)
    return late


def _wanted(records: Sequence[Record], offer: int) -> list[tuple[int, Record]]:
    """What can be explained of a contact: each of its offers by number, and each further phone that rang for it; with
    0, that it was queued and nobody was offered it at once.
    """
    if not records:
        raise Refused("no_such_contact", "There is no such contact.")
    found: list[tuple[int, Record]] = []
    offers = 0
    for record, following in zip(records, [*records[1:], None], strict=True):
        match record.event:
            case OfferMade():
                offers += 1
                found.append((offers, record))
            case OfferWidened(decision=decision) if decision is not None:
                found.append((offers, record))
            case ContactQueued() if not _at_once(record, following):
                found.append((0, record))
    if not offer:
        return found
    if not 0 < offer <= offers:
        raise Refused("no_such_offer", f"The contact has {offers} offers; there is no offer {offer}.")
    return [each for each in found if each[0] == offer]


def _best_first(reason: Reason) -> tuple[bool, int, str]:
    return reason.verdict != CHOSEN, reason.place or _LAST, reason.agent_id


def _at_once(record: Record, following: Record | None) -> bool:
    """Whether the contact was offered to somebody in the same step."""
    if following is None or not isinstance(following.event, OfferMade):
        return False
    return following.about.causation == record.about.causation
