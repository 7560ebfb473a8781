"""The last few contacts that each signed-in agent was offered, and what became of them: for the agent's own desk.

A fold of shift streams, with who called taken from the live contact at the moment of the offer. What a desk needs of
the whole day comes from the contact log; this is what it needs at once, also after the contact itself has ended.
"""

from collections import OrderedDict
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.consult_events import ConsultAnswered
from orchestrator.domain.contacts.contacts import Contact, ContactIdentified
from orchestrator.domain.contacts.events import Reservation
from orchestrator.domain.contacts.guest_events import GuestAnswered
from orchestrator.domain.kernel import Instant, Record, ident_of
from orchestrator.domain.staff import shifts
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.world import Aggregate, World

# What fits beside the call in hand.
KEPT: Final = 12
RINGING, TALKING, TALKED = "ringing", "talking", "talked"
CONSULTED = "consulted"
"""Of whom a colleague asks about the caller, alone or in a conference, once they are there; and afterwards."""
_NONE: Final[OrderedDict[str, "Call"]] = OrderedDict()


class Call(Struct, frozen=True, kw_only=True):
    """One contact as this agent had it. `outcome`: ringing, consulted, talking, talked, or how the offer ended without
    them, as in `AgentReleased`; `reason` where it stood the agent down.
    """

    contact_id: str
    offer_id: str
    queue_id: str
    number: str
    name: str
    customer_id: str
    offered_at: Instant
    outcome: str = RINGING
    reason: str = ""
    talked_from: Instant | None = None
    ended_at: Instant | None = None


class Calls:
    """The calls of each agent by contact. `fold` after the record was applied to the world."""

    def __init__(self) -> None:
        self._of: dict[str, OrderedDict[str, Call]] = {}
        self._agents_with: dict[str, set[str]] = {}

    def of(self, agent_id: str) -> tuple[Call, ...]:
        """Newest first; none where the agent is not signed in."""
        return tuple(reversed(self._of.get(agent_id, _NONE).values()))

    def find(self, agent_id: str, contact_id: str) -> Call | None:
        """This agent's call of this contact, None where it is not kept (any more)."""
        return self._of.get(agent_id, _NONE).get(contact_id)

    def talked_last(self, contact_id: str) -> str:
        """Of the agents who are signed in, the one who talks with this contact, or talked with them last; empty for
        none.
        """
        calls = {agent: self.find(agent, contact_id) for agent in self._agents_with.get(contact_id, ())}
        talks = [(call.talked_from, agent) for agent, call in calls.items() if call is not None and call.talked_from]
        return max(talks, default=(0, ""))[1]

    def fold(self, record: Record, before: Aggregate, after: Aggregate, world: World) -> None:
        """Take in one record."""
        event = record.event
        if isinstance(event, ContactIdentified):
            self._identified(ident_of(record.stream), event.customer_id)
            return
        if isinstance(event, ConsultAnswered | GuestAnswered):
            held = _asked(before, event)
            if held is not None:
                self._change(held.agent_id, ident_of(record.stream), outcome=CONSULTED)
            return
        shift = after or before
        if not isinstance(shift, Shift):
            return
        agent, at = shift.agent_id, record.about.at
        match event:
            case shifts.AgentReserved():
                contact = world.contacts.get(event.contact_id)
                if contact is not None:
                    self._keep(agent, _offered(contact, event.offer_id, at))
            case shifts.AgentReleased():
                there = any(each.outcome == CONSULTED and each.offer_id == event.offer_id for each in self.of(agent))
                outcome = CONSULTED if there else event.outcome
                self._change_offer(agent, event.offer_id, outcome=outcome, ended_at=at)
            case shifts.AgentStoodDown():
                self._change_offer(agent, event.offer_id, reason=event.reason)
            case shifts.AgentConnected():
                self._change(agent, event.contact_id, outcome=TALKING, talked_from=at)
            case shifts.WrapUpStarted() | shifts.WrapUpPostponed():
                call = self.find(agent, event.contact_id)
                if call is not None and call.outcome == TALKING:
                    self._change(agent, event.contact_id, outcome=TALKED, ended_at=at)
            case shifts.AgentSignedOut():
                for contact_id in self._of.pop(agent, ()):
                    self._forget(agent, contact_id)

    def _identified(self, contact_id: str, customer_id: str) -> None:
        for agent in self._agents_with.get(contact_id, ()):
            self._change(agent, contact_id, customer_id=customer_id)

    def _keep(self, agent: str, call: Call) -> None:
        calls = self._of.setdefault(agent, OrderedDict())
        calls[call.contact_id] = call
        calls.move_to_end(call.contact_id)
        self._agents_with.setdefault(call.contact_id, set()).add(agent)
        if len(calls) > KEPT:
            oldest, _ = calls.popitem(last=False)
            self._forget(agent, oldest)

    def _forget(self, agent: str, contact_id: str) -> None:
        holders = self._agents_with.get(contact_id, set())
        holders.discard(agent)
        if not holders:
            self._agents_with.pop(contact_id, None)

    def _change_offer(self, agent: str, offer_id: str, **changes: object) -> None:
        for call in self._of.get(agent, _NONE).values():
            if call.offer_id == offer_id:
                self._change(agent, call.contact_id, **changes)
                return

    def _change(self, agent: str, contact_id: str, **changes: object) -> None:
        calls = self._of.get(agent, _NONE)
        if contact_id in calls:
            calls[contact_id] = replace(calls[contact_id], **changes)


def _asked(before: Aggregate, event: ConsultAnswered | GuestAnswered) -> Reservation | None:
    """Who has answered; None for a number outside."""
    if not isinstance(before, Contact):
        return None
    if isinstance(event, GuestAnswered):
        return next((each.reservation for each in before.guests if each.guest_id == event.guest_id), None)
    return before.consult.reservation if before.consult is not None else None


def name_of(contact: Contact) -> str:
    """Who calls, as the network told it; empty where it told nothing but the number once more, as most switches do."""
    told = contact.caller_name.lstrip("+0")
    return "" if told.isdecimal() and contact.caller_number.endswith(told) else contact.caller_name


def _offered(contact: Contact, offer_id: str, at: Instant) -> Call:
    return Call(
        contact_id=contact.contact_id,
        offer_id=offer_id,
        queue_id=contact.queue_id,
        number=contact.caller_number,
        name=name_of(contact),
        customer_id=contact.customer_id,
        offered_at=at,
    )
