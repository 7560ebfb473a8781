"""Rooms in the simulation: all who the log says hear each other are in one, and nobody is left alone in one."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from orchestrator.domain.contacts.asides import ON_HOLD, hushed_of
from orchestrator.domain.contacts.consult_events import ConsultSwitched
from orchestrator.domain.contacts.consults import TOGETHER, all_three, consult_leg
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guest_events import GuestInvited, GuestPromoted
from orchestrator.domain.contacts.guests import are_together, members
from orchestrator.domain.kernel import SECOND, Instant, Record, ident_of
from orchestrator.domain.staff.engagements import by_offer
from orchestrator.domain.switch import instructions as i
from orchestrator.domain.world import World

# So long somebody may be alone in a room that is over, until the bridge or the music comes.
ALONE = 3 * SECOND
# So long after its time a guest's wait must be over.
LATE = 5 * SECOND


class Rooms(Protocol):
    """What the rules look at in a switch."""

    def lives(self, leg: str) -> bool:
        """Whether this leg lives."""

    def room(self, leg: str) -> str:
        """The room in which this leg is; empty where it is in none."""

    def enters_room(self, leg: str) -> bool:
        """Whether this leg was sent into a room a moment ago, and is not there yet."""

    def silent_since(self, leg: str) -> int:
        """Since when this leg hears nothing; 0 while it hears something, or is not there."""

    def talks_with(self, leg: str) -> str:
        """The leg that this one hears; empty where it hears none."""

    def is_muted(self, leg: str) -> bool:
        """Whether nobody hears this leg."""


def broken(world: World, rooms: Rooms, now: Instant, slack: Instant) -> Iterator[tuple[str, str]]:
    """Each rule that does not hold now, and of whom. `slack`: until when the engine may not know yet."""
    for contact in world.contacts.values():
        consult, legs = contact.consult, members(contact) or all_three(contact)
        together = consult is not None and not consult.over and TOGETHER in (consult.wish, consult.hears)
        settled = consult is not None and consult.hears == TOGETHER and not consult.wish and now > slack
        there = all(rooms.lives(leg) and not rooms.enters_room(leg) for leg in legs)
        if settled and there and len({rooms.room(leg) or leg for leg in legs}) > 1:
            yield "together", f"the log says that {len(legs)} of {contact.contact_id} hear each other, and do not"
        for guest in contact.guests:
            if guest.due and now > max(guest.due, slack) + LATE and world.in_step(contact.node):
                yield "waits_end", f"what is waited for of a guest of {contact.contact_id} has not come"
        for leg in () if together else contact.legs:
            since = rooms.silent_since(leg) if rooms.room(leg) and world.in_step(contact.node) else 0
            if since and now > max(since, slack) + ALONE:
                yield "together", f"leg {leg} of {contact.contact_id} is alone in a room that is over"


def apart(world: World, rooms: Rooms, now: Instant, slack: Instant) -> Iterator[tuple[str, str]]:
    """Each rule that does not hold now of those who are apart from their conference, and of whom."""
    for contact in world.contacts.values():
        if contact.guests or contact.aside is not None or contact.hushed or contact.consult is not None:
            yield from _apart(world, contact, rooms, now, slack)


def _apart(world: World, contact: Contact, rooms: Rooms, now: Instant, slack: Instant) -> Iterator[tuple[str, str]]:
    """Who is on hold hears music and nobody; who is alone with the agent hears them; who is muted, the log knows."""
    ident, aside, segment = contact.contact_id, contact.aside, contact.segment
    if aside is not None and aside.due and now > max(aside.due, slack) + LATE and world.in_step(contact.node):
        yield "waits_end", f"what is waited for of the agent of {ident}, who speaks with a guest alone, has not come"
    if now <= slack or not world.in_step(contact.node):
        return
    for guest in contact.guests:
        if guest.held != ON_HOLD or not rooms.lives(guest.leg):
            continue
        if rooms.room(guest.leg) or rooms.talks_with(guest.leg):
            yield "apart", f"a guest of {ident} is on hold, and hears others"
        since = rooms.silent_since(guest.leg)
        if since and now > max(since, slack) + LATE:
            yield "hears_music", f"a guest of {ident} who is on hold has heard silence for a while"
    if aside is not None and aside.talking and segment is not None:
        there = rooms.lives(aside.leg) and rooms.lives(segment.leg)
        if there and rooms.talks_with(segment.leg) != aside.leg:
            yield "apart", f"the log says that the agent of {ident} speaks with a guest alone, and they do not"
    for each in contact.hushed:
        if not each.wish and rooms.lives(each.leg) and each.muted != rooms.is_muted(each.leg):
            yield "muted", f"the log says otherwise than the switch whether leg {each.leg} of {ident} is muted"
    for leg in (consult_leg(contact), *(guest.leg for guest in contact.guests)):
        if leg and rooms.is_muted(leg) and rooms.lives(leg) and hushed_of(contact, leg) is None:
            yield "muted", f"nobody hears leg {leg} of {ident}, and the log does not say so"


def invited(world: World, contact: Contact) -> Iterator[tuple[str, str]]:
    """What is wrong with the guests of this contact, after a step that concerned it."""
    ident, guests = contact.contact_id, contact.guests
    aside = contact.aside
    if aside is not None and not (aside.over or any(guest.leg == aside.leg for guest in guests)):
        yield "apart", f"the agent of {ident} speaks alone with nobody"
    consult = contact.consult
    gathering = consult is not None and not consult.over and consult.wish == TOGETHER and consult.due > 0
    if guests and not are_together(contact) and not gathering:
        yield "guests", f"contact {ident} has guests, and the first three neither hear each other nor are about to"
    if gathering and any(not guest.answered or guest.held for guest in guests):
        yield "guests", f"contact {ident} has guests who are not on the way in, and the first three are not there yet"
    due = any(guest.due for guest in guests) or (contact.aside is not None and contact.aside.due)
    if due and world.timers.due_of(("guests", ident)) is None:
        yield "waits_end", f"contact {ident} waits for a guest without an end"
    for guest in guests:
        held = guest.reservation
        shift = world.shifts.get(held.shift_id) if held is not None else None
        if held is not None and (shift is None or by_offer(shift.engagements, guest.guest_id) is None):
            yield "guests", f"a guest of {ident} is not held for it"


def overfull(world: World, records: Iterable[Record]) -> Iterator[str]:
    """Whoever is invited to a room that is full."""
    for record in records:
        contact = world.contacts.get(ident_of(record.stream))
        if isinstance(record.event, GuestInvited) and contact is not None:
            persons = 3 + len(contact.guests)
            if persons > world.conferences.most:
                yield f"{persons} are in {contact.contact_id}, and {world.conferences.most} may be"


def moved(world: World, records: Iterable[Record], told: Iterable[i.Instruction]) -> Iterator[str]:
    """Who of a conference is moved by the switch as somebody else leaves it: nobody is, where more than two stay."""
    moved = {each.leg for each in told if isinstance(each, i.ParkLeg | i.BridgeLegs | i.ConferLeg)}
    for record in records:
        contact = world.contacts.get(ident_of(record.stream))
        if isinstance(record.event, GuestPromoted) and contact is not None:
            for leg in moved.intersection(members(contact)):
                yield f"leg {leg} of {contact.contact_id} is moved, and was to stay in the room"


def left_alone(world: World, rooms: Rooms, records: Iterable[Record], told: Iterable[i.Instruction]) -> Iterator[str]:
    """Whoever stays in a room out of which the other two are taken, and nobody takes them out."""
    out = {each.leg for each in told if isinstance(each, i.ParkLeg | i.ConferLeg | i.HangUpLeg)}
    for record in records:
        contact = world.contacts.get(ident_of(record.stream))
        if not isinstance(record.event, ConsultSwitched) or record.event.to == TOGETHER or contact is None:
            continue
        third = consult_leg(contact)
        if rooms.room(third) and third not in out:
            yield f"leg {third} of {contact.contact_id} stays alone in the room"
