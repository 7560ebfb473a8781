"""Which topics of the live state one record touches: whose desk, which queue, which contact has to be shown anew."""

from collections.abc import Iterable
from typing import Final

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.transfers import under_way
from orchestrator.domain.kernel import Record, ident_of, kind_of
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch.nodes import Node, phones_moved
from orchestrator.domain.world import Aggregate, World

FLOOR: Final = "floor"
AWAY: Final = "away"
ANEW: Final = "anew"
AGENT, QUEUE, CONTACT, CUSTOMER, USER = "agent", "queue", "contact", "customer", "user"
# Topics whose last change is remembered; of older ones it is taken that they may have changed.
_KEPT: Final = 20_000


def touched(record: Record, before: Aggregate, after: Aggregate, world: World) -> set[str]:
    """The topics that this record changes, once it is folded in; `before` and `after` are its stream's aggregate."""
    ident = ident_of(record.stream)
    match kind_of(record.stream):
        case "contact":
            found = {FLOOR, f"{CONTACT}:{ident}"}
            for contact in (before, after):
                if isinstance(contact, Contact):
                    found |= _of_contact(contact)
            return found
        case "shift":
            agents = {each.agent_id for each in (before, after) if isinstance(each, Shift)}
            return {FLOOR, *(f"{AGENT}:{agent}" for agent in agents)}
        case "agent" | "queue" as kind:
            return {FLOOR, f"{kind}:{ident}"}
        case "node":
            return {FLOOR, *(f"{AGENT}:{agent_id}" for agent_id in _whose_phones(before, after, world))}
        case "pauses" | "wrapup":
            return {FLOOR, *(f"{AGENT}:{agent_id}" for agent_id in world.agents)}
        case "user":
            return {f"{USER}:{ident}"}
        case "token":
            return {f"{USER}:token:{ident}"}
        case "customer":
            return {f"{CUSTOMER}:{ident}", *_who_talk_with(world, ident)}
        case "order" | "note":
            return _of_whom(record.about.correlation, world)
    return set()


def _whose_phones(before: Aggregate, after: Aggregate, world: World) -> set[str]:
    """The agents of whose phones something else may be known now, at their seats or at their own extensions."""
    if not isinstance(after, Node):
        return set()
    moved = frozenset(phones_moved(before if isinstance(before, Node) else None, after))
    if not moved:
        return set()
    seated = (world.shifts[world.shift_at[phone]].agent_id for phone in moved if phone in world.shift_at)
    return {*seated, *(agent.agent_id for agent in world.agents.values() if agent.extension in moved)}


def _of_whom(stream: str, world: World) -> set[str]:
    """What shows the customer of this stream: their own, or that of a contact in progress."""
    ident = ident_of(stream)
    match kind_of(stream):
        case "customer":
            return {f"{CUSTOMER}:{ident}", *_who_talk_with(world, ident)}
        case "contact":
            contact = world.contacts.get(ident)
            if contact is None:
                return {f"{CONTACT}:{ident}"}
            theirs = _of_whom(f"customer-{contact.customer_id}", world) if contact.customer_id else set()
            return {f"{CONTACT}:{ident}", *_of_contact(contact), *theirs}
    return set()


def _of_contact(contact: Contact) -> set[str]:
    found = {f"{QUEUE}:{contact.queue_id}"} if contact.queue_id else set()
    if contact.offer is not None:
        found |= {f"{AGENT}:{held.agent_id}" for held in contact.offer.reservations}
    if contact.consult is not None and contact.consult.reservation is not None:
        found.add(f"{AGENT}:{contact.consult.reservation.agent_id}")
    found |= {f"{AGENT}:{guest.reservation.agent_id}" for guest in contact.guests if guest.reservation is not None}
    if contact.monitor is not None:
        found.add(f"{AGENT}:{contact.monitor.reservation.agent_id}")
    if contact.parked is not None:
        found.add(f"{AGENT}:{contact.parked.agent_id}")
    if contact.segment is not None:
        found.add(f"{AGENT}:{contact.segment.agent_id}")
    passed_on = under_way(contact)
    if passed_on is not None:  # whose note it is in the after-call work hangs on what becomes of the caller
        found.add(f"{AGENT}:{passed_on.agent_id}")
    return found


def _who_talk_with(world: World, customer_id: str) -> set[str]:
    """The desks that show this customer now."""
    found: set[str] = set()
    for contact in world.contacts.values():
        if contact.customer_id == customer_id:
            found |= {topic for topic in _of_contact(contact) if topic.startswith(AGENT)}
    return found


class Topics:
    """When each topic changed last."""

    def __init__(self) -> None:
        self._begun = 0
        self._last: dict[str, int] = {}

    def begin(self, position: int) -> None:
        """Remember changes from here on; of everything before it is not known what it changed."""
        self._begun = position
        self._last.clear()

    def note(self, topics: Iterable[str], position: int) -> None:
        """These changed at this position."""
        for topic in topics:
            # Taken out first, so that the oldest change always stands in front.
            self._last.pop(topic, None)
            self._last[topic] = position
        while len(self._last) > _KEPT:
            oldest = next(iter(self._last))
            self._begun = max(self._begun, self._last.pop(oldest))

    def last(self, topic: str) -> int:
        """Where it changed last; 0 where that is not known."""
        return self._last.get(topic, 0)

    def changed_since(self, topic: str, position: int) -> bool:
        """Whether it may have changed after `position`."""
        return position < self._begun or self._last.get(topic, 0) > position
