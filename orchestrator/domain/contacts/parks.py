"""A caller whom the agent parked: what is remembered of it.

connected, held ──1──▶ parked ──2──▶ offered ▶ …  retrieved: rung by hand at the agent who fetches them
                          │   ──2──▶ offered, waiting ▶ …  expired: back to whoever parked them, or in their queue
                          └──3──▶ leaving
1 ContactParked and the end of the conversation, in one decision. The caller's leg is parked and hears music, the
agent's goes. No queue visit is open meanwhile: nobody is offered a caller who waits for somebody else.
2 ParkEnded, the new visit and the offer by hand, in one decision. Who does not answer leaves the caller waiting in the
visit: nobody is lost.  3 ParkEnded, with the caller's leg, or told to go.
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from orchestrator.domain.kernel import Instant

if TYPE_CHECKING:
    from orchestrator.domain.contacts.contacts import Contact

# The status word of a contact whose caller is parked; also how the conversation ends (`AgentSegmentEnded.ended_by`).
PARKED: Final = "parked"
# How a park ends (`ParkEnded.outcome`): with a visit, or with the contact.
RETRIEVED: Final = "retrieved"
EXPIRED: Final = "expired"
GOES_ON: Final = (RETRIEVED, EXPIRED)
# A site has these places, by number: two keys of a phone, said over the desk.
PLACES: Final = range(1, 100)


class Parked(Struct, frozen=True, kw_only=True):
    """How a caller is parked."""

    place: int
    shift_id: str
    agent_id: str
    """Who parked the caller."""
    since: Instant
    until: Instant
    waited: int
    """How long (µs) the caller had waited for the conversation."""

    @property
    def waiting_since(self) -> Instant:
        """Since when the caller waits, the talk with the agent left out."""
        return Instant(self.since - self.waited)


def evolve(contact: "Contact", event: ContactParked | ParkEnded, at: Instant) -> "Contact":
    """The contact after that."""
    if isinstance(event, ContactParked):
        parked = Parked(
            place=event.place,
            shift_id=event.shift_id,
            agent_id=event.agent_id,
            since=at,
            until=event.until,
            waited=contact.segment.waited if contact.segment is not None else 0,
        )
        # Whoever leaves from now on has not been served by the next one.
        return replace(contact, parked=parked, was_parked=True, served=False, parking=contact.caller_leg, reminders=0)
    # The visit begins in the same decision.
    status = "arrived" if event.outcome in GOES_ON else contact.status
    return replace(contact, parked=None, status=status)
