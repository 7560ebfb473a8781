"""What becomes of one of a conference who is on hold, muted, or alone with the agent: `asides`. The others go on."""

from orchestrator.domain.contacts.asides import Hushed, alone_with, hushed_of
from orchestrator.domain.contacts.commands import NoteAgentParked, NoteBridged, NoteMember
from orchestrator.domain.contacts.consult_events import ConsultClosed
from orchestrator.domain.contacts.consults import Consult, room_of
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guest_commands import (
    ExpireGuests,
    HoldMember,
    JoinGuestsAgain,
    MuteMember,
    Recall,
    SpeakAlone,
)
from orchestrator.domain.contacts.guest_events import (
    AgentReturned,
    AsideAsked,
    AsideBegun,
    AsideEnded,
    AsideExtended,
    GuestClosed,
    GuestHoldAsked,
    GuestRecalled,
    MemberMuteAsked,
    MemberMuted,
    MemberMuteFailed,
    MemberUnmuted,
    PlacesSwapped,
)
from orchestrator.domain.contacts.guests import Guest, are_together, in_room, room
from orchestrator.domain.contacts.speaking import NoteMuted, NoteMuteFailed
from orchestrator.domain.kernel import Event, Instant, Refused

Events = tuple[Event, ...]


def decide(contact: Contact, command: HoldMember | Recall | SpeakAlone | MuteMember) -> Events:
    """The events that follow. Raises `Refused`: not_talking, not_together, no_such_guest, last_one, not_in_room,
    aside.
    """
    member = _member(contact, command)
    match command:
        case MuteMember():
            return _hushed(contact, member, on=command.on)
        case Recall():
            return _recalled(contact, member, command.by)
        case SpeakAlone():
            return _alone(contact, member, command.by)
    return _held(contact, member, command.by)


def _member(contact: Contact, command: HoldMember | Recall | SpeakAlone | MuteMember) -> Consult | Guest:
    segment, first = contact.segment, contact.consult
    if segment is None or segment.shift_id != command.shift_id:
        raise Refused("not_talking", "This is for a conference in which you talk; that one is over.")
    if first is None or not are_together(contact):
        raise Refused("not_together", "Bring the caller and whoever you asked together first.")
    if first.consult_id == command.member_id:
        return first
    guest = next((each for each in contact.guests if each.guest_id == command.member_id), None)
    if guest is None:
        raise Refused("no_such_guest", "Whoever that was is not in the conference any more.")
    return guest


def _as_guest(contact: Contact, member: Consult | Guest) -> tuple[str, Events]:
    """The guest's id by which this member can be taken out of the room, and what makes them one."""
    if isinstance(member, Guest):
        return member.guest_id, ()
    stay = in_room(contact)
    if not stay:
        raise Refused("last_one", "Besides you and the caller only they are there; talk with the caller alone instead.")
    swapped = PlacesSwapped(consult_id=member.consult_id, guest_id=stay[0].guest_id, room=room_of(member))
    return member.consult_id, (swapped,)


def _is_alone(contact: Contact, member: Consult | Guest) -> bool:
    return alone_with(contact) == member.leg and contact.aside is not None and contact.aside.talking


def _refuse_unless_in_room(member: Consult | Guest) -> None:
    if isinstance(member, Guest) and not member.joined:
        raise Refused("not_in_room", "They are not in the conference yet; wait until they are.")


def _held(contact: Contact, member: Consult | Guest, by: Instant) -> Events:
    if isinstance(member, Guest) and member.held:
        return ()
    back: Events = ()
    if _is_alone(contact, member):
        back = (_ended(contact, "held", by),)
    else:
        _refuse_unless_in_room(member)
    ident, swapped = _as_guest(contact, member)
    return (*swapped, *back, GuestHoldAsked(guest_id=ident, park_by=by))


def _recalled(contact: Contact, member: Consult | Guest, by: Instant) -> Events:
    if isinstance(member, Consult) or member.joined:
        return ()
    if _is_alone(contact, member):
        return (_ended(contact, "brought_in", by), GuestRecalled(guest_id=member.guest_id, connect_by=by))
    if not member.held:
        raise Refused("not_in_room", "They are not on hold; wait until they are there.")
    return (GuestRecalled(guest_id=member.guest_id, connect_by=by),)


def _alone(contact: Contact, member: Consult | Guest, by: Instant) -> Events:
    if alone_with(contact) == member.leg:
        return ()
    if contact.aside is not None or any(guest.alone for guest in contact.guests):
        raise Refused("aside", "You speak with one of them alone, or are about to; go back to the others first.")
    if not (isinstance(member, Guest) and member.held):
        _refuse_unless_in_room(member)
    ident, swapped = _as_guest(contact, member)
    return (*swapped, AsideAsked(guest_id=ident, connect_by=by))


def _ended(contact: Contact, outcome: str, by: Instant) -> AsideEnded:
    return AsideEnded(guest_id=contact.aside.guest_id if contact.aside else "", outcome=outcome, return_by=by)


def _hushed(contact: Contact, member: Consult | Guest, *, on: bool) -> Events:
    known = hushed_of(contact, member.leg)
    if on and (known is None or known.wish == "unmute"):
        _refuse_unless_in_room(member)
    known = known or Hushed(leg=member.leg)
    wanted = known.wish == "mute" if known.wish else known.muted
    if wanted == on and not known.failed:
        return ()
    ident = member.guest_id if isinstance(member, Guest) else member.consult_id
    return (MemberMuteAsked(member_id=ident, leg=member.leg, on=on),)


# --- what the switch says --------------------------------------------------------------------------------------------
def heard_of(contact: Contact, command: object) -> Events | None:
    """The events, where the command concerns a mute, or an agent who speaks alone; None where it does not."""
    aside, agent = contact.aside, contact.segment.leg if contact.segment is not None else ""
    match command:
        case NoteMuted(leg=leg) if (known := hushed_of(contact, leg)) is not None:
            return _noted(known, on=command.on)
        case NoteMuteFailed(leg=leg) if (known := hushed_of(contact, leg)) is not None:
            if command.on != (known.wish == "mute") or not known.wish:
                return ()
            return (MemberMuteFailed(leg=leg, on=command.on, cause=command.cause),)
    if aside is None:
        return None
    match command:
        case NoteBridged() if {command.leg, command.other} == {agent, aside.leg}:
            return () if aside.talking or aside.over else (AsideBegun(guest_id=aside.guest_id),)
        case NoteMember(leg=leg) if leg == agent:
            there = aside.over and command.room == room(contact)
            return (AgentReturned(guest_id=aside.guest_id),) if there else ()
        case NoteAgentParked(leg=leg) if leg == agent:
            if not (aside.over and aside.cut_short):
                return ()
            return (AsideExtended(guest_id=aside.guest_id, until=command.connect_by, cause="agent_parked"),)
    return None


def _noted(known: Hushed, *, on: bool) -> Events:
    if on:
        return () if known.muted and known.wish != "mute" else (MemberMuted(leg=known.leg),)
    return () if not known.muted and known.wish != "unmute" else (MemberUnmuted(leg=known.leg),)


def again(contact: Contact, command: JoinGuestsAgain) -> Events:
    """Agent and guest may never have been told to be joined, or the agent back."""
    aside, segment = contact.aside, contact.segment
    if aside is None or aside.talking or (segment is not None and segment.leg in command.told):
        return ()
    return (AsideExtended(guest_id=aside.guest_id, until=command.connect_by, cause="joined_again"),)


def late(contact: Contact, command: ExpireGuests) -> Events:
    """Agent and guest are not joined in time, or the agent is not back. One who cannot be brought back is joined with
    the caller by a bridge, and all others are let go.
    """
    aside, consult = contact.aside, contact.consult
    if aside is None or consult is None or not aside.due or aside.due > command.now:
        return ()
    again_at = command.again_at
    if command.blameless == "node_down" or not aside.doubted:
        cause = command.blameless or "not_connected_in_time"
        return (AsideExtended(guest_id=aside.guest_id, until=again_at, cause=cause),)
    if not aside.over:
        gone = GuestClosed(guest_id=aside.guest_id, outcome="left", cause="not_connected_in_time")
        return (gone, AsideEnded(guest_id=aside.guest_id, outcome="left", return_by=again_at))
    others = (GuestClosed(guest_id=guest.guest_id, outcome="ended") for guest in contact.guests)
    closed = ConsultClosed(
        consult_id=consult.consult_id, outcome="left", cause="not_connected_in_time", rejoin_by=again_at
    )
    return (*others, closed)
