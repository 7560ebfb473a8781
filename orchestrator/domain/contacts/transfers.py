"""A caller who is passed on by the agent with whom they talk: what is remembered of it.

connected, held ──1──▶ waiting ──▶ …  to a queue: as whoever waits there
                ──1──▶ offered ──▶ …  to an agent: rung by hand, in a visit of the queue from which the caller came
                ──1──▶ sent_outside ▶ …  to a number outside, likewise
1 ContactTransferred, the end of the conversation and the new visit, in one decision. The caller's leg is parked and
hears music, the agent's goes. Who does not answer leaves the caller waiting in the visit: nobody is lost.
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.consults import hears_nobody
from orchestrator.domain.contacts.transfer_events import ContactTransferred

if TYPE_CHECKING:
    from orchestrator.domain.contacts.contacts import Contact

AGENT: Final = "agent"
QUEUE: Final = "queue"
OUTSIDE: Final = "outside"

# How a conversation ends whose caller is passed on (`AgentSegmentEnded.ended_by`).
TRANSFER: Final = "transfer"
# How one ends whose agent's phone is gone with its switch, another than the caller's.
PHONE_LOST: Final = "phone_lost"
# How a visit ends whose caller talks to the number outside to which they were passed on.
TRANSFERRED: Final = "transferred"


class Transfer(Struct, frozen=True, kw_only=True):
    """How a caller was last passed on."""

    shift_id: str
    agent_id: str
    """Who passed the caller on."""
    to: str
    target: str
    """The agent's id, the queue's, or the number."""
    visit_id: str
    """The visit that began with it."""
    taken: bool = False
    """Whether whoever has them took the caller over."""


def without_agent(contact: "Contact") -> "Contact":
    """The contact whose agent has lost the phone: its caller waits again. The visit begins in the same decision."""
    waits = {"status": "arrived", "served": False, "parking": contact.caller_leg, "reminders": 0}
    return replace(contact, segment=None, consult=None, aside=None, **waits)


def target_of(event: ContactTransferred) -> str:
    """Whom or what the caller is passed on to."""
    return {AGENT: event.to_agent, OUTSIDE: event.number}.get(event.to, event.queue_id)


def evolve(contact: "Contact", event: ContactTransferred) -> "Contact":
    """The contact after that: whoever leaves from now on has not been served by the next one."""
    transfer = Transfer(
        shift_id=event.shift_id,
        agent_id=event.agent_id,
        to=event.to,
        target=target_of(event),
        visit_id=event.visit_id,
        taken=event.taken,
    )
    # Whoever heard music already, because somebody was consulted, is parked, or about to be.
    parking = contact.parking if hears_nobody(contact, contact.caller_leg) else contact.caller_leg
    return replace(contact, transfer=transfer, served=False, parking=parking, reminders=0)


def under_way(contact: "Contact") -> Transfer | None:
    """The transfer whose visit the contact is in; None where it waits for no such reason."""
    transfer, visit = contact.transfer, contact.visit
    return transfer if transfer is not None and visit is not None and transfer.visit_id == visit.visit_id else None
