"""Which legs of a contact the switch is asked after, because what they were told may not have come to pass (law 9).

Legs that have no reason to live any more should be gone. A caller's leg that is to park should be parked: until
the switch says so, nobody lets it hear music, which would be played into the talk that it may still be in.
"""

from typing import TYPE_CHECKING

from orchestrator.domain.contacts.commands import CheckOverdue, NoteParked
from orchestrator.domain.contacts.consults import CONSULTING, consult_leg, hears_nobody
from orchestrator.domain.contacts.events import CallerParked, LegOverdue
from orchestrator.domain.contacts.monitors import monitor_leg
from orchestrator.domain.contacts.outward import outward_leg
from orchestrator.domain.contacts.parks import PARKED
from orchestrator.domain.kernel import SECOND, Event, Instant

if TYPE_CHECKING:
    from orchestrator.domain.contacts.contacts import Contact

# How long a leg may take to die after it lost its reason, before the switch is asked after it; each time it is asked in
# vain, because the switch cannot be reached, the next time comes twice as late, sixteen times at most.
LEG_GRACE = 5 * SECOND
MOST_DOUBLINGS = 4
# How long a caller's leg may take to park: a real switch said so within 34 ms, and meanwhile the caller hears silence.
PARK_GRACE = SECOND


def decide(contact: "Contact", command: CheckOverdue | NoteParked) -> tuple[Event, ...]:
    """The question after the legs that are in doubt, or what the switch says of the one that was to park."""
    if isinstance(command, NoteParked):
        return (CallerParked(leg=command.leg),) if command.leg == parking_leg(contact) else ()
    legs = doubtful_legs(contact)
    if not legs:
        return ()
    again_at = command.now + grace(contact) * 2 ** min(contact.reminders, MOST_DOUBLINGS)
    return (LegOverdue(legs=legs, again_at=Instant(again_at)),)


def doubtful_legs(contact: "Contact") -> tuple[str, ...]:
    """Open legs that the switch is asked after where it says nothing of them in time."""
    doomed = doomed_legs(contact)
    parking = parking_leg(contact) if contact.parking else ""
    return (*doomed, parking) if parking else doomed


def grace(contact: "Contact") -> int:
    """How long (µs) the switch has before it is asked after them."""
    return PARK_GRACE if parking_leg(contact) else LEG_GRACE


def doomed_legs(contact: "Contact") -> tuple[str, ...]:
    """Open legs that have no reason to live any more."""
    if contact.status in ("leaving", "ended"):
        return contact.legs
    if _has_two_at_most(contact):
        return ()
    wanted = {contact.caller_leg, outward_leg(contact), monitor_leg(contact)}
    if contact.offer is not None:
        wanted.update(r.leg for r in contact.offer.reservations)
    if contact.segment is not None:
        wanted |= {contact.segment.leg, consult_leg(contact), *(guest.leg for guest in contact.guests)}
    return tuple(leg for leg in contact.legs if leg not in wanted)


def _has_two_at_most(contact: "Contact") -> bool:
    """Whether there is the caller's leg, and beside it none, or that of the one who talks or is rung: as most have."""
    legs = contact.legs
    count = len(legs)
    if not 0 < count <= 2 or legs[0] != contact.caller_leg:  # noqa: PLR2004
        return False
    if count == 1 or (contact.segment is not None and contact.segment.leg == legs[1]):
        return True
    offer = contact.offer
    return offer is not None and len(offer.reservations) == 1 and offer.reservations[0].leg == legs[1]


def parking_leg(contact: "Contact") -> str:
    """The caller's leg, where it is to park, has not said so, and waits to hear music; empty for any other."""
    parking = contact.parking
    return parking if parking and parking == contact.caller_leg and hears_music(contact) else ""


def hears_music(contact: "Contact") -> bool:
    """Whether this caller waits, and is not being joined with anybody, which ends the music."""
    if contact.status == CONSULTING:
        return hears_nobody(contact, contact.caller_leg)
    if contact.outside is not None:
        return contact.status == "sent_outside" and not contact.outside.answered
    return contact.status in ("waiting", "offered", PARKED)
