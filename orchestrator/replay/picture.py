"""The live state as plain data, in one order: queues, shifts, contacts, switches.

The same function shows what is and what was, so that the two can be compared. Times are ISO 8601 in UTC, durations
milliseconds. Numbers and names of callers and agents are masked unless they are asked for.
"""

from typing import Any, Final

from orchestrator.domain.contacts.contacts import Contact, Offer
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing.queues import Queue
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.world import World
from orchestrator.replay.moments import iso
from orchestrator.vault import ERASED

MASK: Final = "***"
_RINGING: Final = ("offered", "connecting")
_TALKING: Final = ("connected", "held", "consulting")


def picture(world: World, at: Instant, *, position: int, personal: bool = False) -> dict[str, Any]:
    """The state of `world` at `at`, JSON-able. `position` is the last one that is folded into it."""
    contacts = sorted(world.contacts.values(), key=lambda c: (c.arrived_at, c.contact_id))
    by_queue: dict[str, list[Contact]] = {}
    for contact in contacts:
        by_queue.setdefault(contact.queue_id, []).append(contact)
    return {
        "at": iso(at),
        "position": position,
        "config_version": world.config_version,
        "queues": [
            queue_picture(world, queue, by_queue.get(name, []), at) for name, queue in sorted(world.queues.items())
        ],
        "shifts": [
            shift_picture(world, shift, at, personal=personal)
            for shift in sorted(world.shifts.values(), key=lambda s: (s.signed_in_at, s.shift_id))
        ],
        "contacts": [contact_picture(contact, at, personal=personal) for contact in contacts],
        "nodes": [
            {"node": node.node_id, "status": node.status, "since": iso(node.since), "stray_legs": sorted(node.strays)}
            for _, node in sorted(world.nodes.items())
        ],
    }


def queue_picture(world: World, queue: Queue, contacts: list[Contact], at: Instant) -> dict[str, Any]:
    """A queue: who waits in the order in which they are served, who rings and who talks."""
    settings = queue.settings
    waiting = sorted(
        ((*c.visit.rank(at), c.visit.visit_id), c.contact_id, c.visit)
        for c in contacts
        if c.status == "waiting" and c.visit is not None
    )
    waits = [_ms(at, c.visit.began) for c in contacts if c.visit is not None]
    return {
        "queue_id": queue.queue_id,
        "name": settings.name,
        "open": queue.open,
        "skill": settings.skill,
        "min_level": settings.min_level,
        "rule": settings.rule,
        "waiting": [
            {
                "contact_id": contact_id,
                "priority": visit.priority,
                "queued_at": iso(visit.queued_at),
                "wait_ms": _ms(at, visit.began),
                "leave_by": iso(visit.leave_by),
            }
            for _, contact_id, visit in waiting
        ],
        "ringing": sum(c.status in _RINGING for c in contacts),
        "talking": sum(c.status in _TALKING for c in contacts),
        "longest_wait_ms": max(waits, default=0),
        "agents": world.matching.states(queue.queue_id),
    }


def shift_picture(world: World, shift: Shift, at: Instant, *, personal: bool = False) -> dict[str, Any]:
    """A shift: what its agent does, and since when."""
    agent = world.agents.get(shift.agent_id)
    return {
        "shift_id": shift.shift_id,
        "agent_id": shift.agent_id,
        "number": agent.number if agent is not None else "",
        "name": shown(agent.name if agent is not None else "", personal=personal),
        "extension": shift.extension,
        "state": shift.status,
        "reason": shift.reason,
        "since": iso(shift.since),
        "since_ms": _ms(at, shift.since),
        "signed_in_at": iso(shift.signed_in_at),
        "idle_since": iso(shift.idle_since),
        "contact_id": shift.contact_id,
        "offer_id": shift.offer_id,
        "cooling_until": iso(shift.cooling_until) if shift.cooling_until is not None else None,
        "next_pause": shift.next_pause,
        "next_sign_out": shift.next_sign_out,
        "desk": None
        if shift.desk is None
        else {"desk_id": shift.desk.desk_id, "state": shift.desk.state, "since": iso(shift.desk.since)},
    }


def contact_picture(contact: Contact, at: Instant, *, personal: bool = False) -> dict[str, Any]:
    """A contact: where it waits, to whom it is offered, with whom it talks."""
    visit, segment = contact.visit, contact.segment
    return {
        "contact_id": contact.contact_id,
        "status": contact.status,
        "node": contact.node,
        "dialled": contact.dialled,
        "caller_number": shown(contact.caller_number, personal=personal),
        "caller_name": shown(contact.caller_name, personal=personal),
        "customer_id": contact.customer_id,
        "arrived_at": iso(contact.arrived_at),
        "age_ms": _ms(at, contact.arrived_at),
        "entry_id": contact.entry_id,
        "queue_id": contact.queue_id,
        "visit": None
        if visit is None
        else {
            "visit_id": visit.visit_id,
            "queue_id": visit.queue_id,
            "priority": visit.priority,
            "queued_at": iso(visit.queued_at),
            "wait_ms": _ms(at, visit.began),
            "leave_by": iso(visit.leave_by),
        },
        "offer": None if contact.offer is None else _offer(contact.offer),
        "segment": None
        if segment is None
        else {
            "segment_id": segment.segment_id,
            "shift_id": segment.shift_id,
            "agent_id": segment.agent_id,
            "leg": segment.leg,
            "since": iso(segment.since),
            "talk_ms": _ms(at, segment.since),
        },
        "parked": None
        if contact.parked is None
        else {
            "place": contact.parked.place,
            "agent_id": contact.parked.agent_id,
            "since": iso(contact.parked.since),
            "until": iso(contact.parked.until),
        },
        "callback": None
        if contact.callback is None
        else {
            "number": shown(contact.callback.number, personal=personal),
            "missed": contact.callback.missed,
            "tries": contact.callback.tries,
            "again_at": iso(contact.callback.again_at) if contact.status == "callback_later" else None,
        },
        "outside": None
        if contact.outside is None
        else {
            "number": shown(contact.outside.number, personal=personal),
            "leg": contact.outside.leg,
            "talking": bool(contact.outside.segment_id),
        },
        "recording": None
        if contact.recording is None
        else {"file": contact.recording.file, "begun": contact.recording.begun, "masked": contact.recording.masked},
        "legs": [contact.caller_leg] * (contact.caller_leg in contact.legs)
        + [leg for leg in contact.legs if leg != contact.caller_leg],
        "ending": contact.told,
    }


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "offer_id": offer.offer_id,
        "made_at": iso(offer.made_at),
        "deadline": iso(offer.deadline),
        "accepted": offer.accepted,
        "reservations": [
            {
                "agent_id": held.agent_id,
                "shift_id": held.shift_id,
                "extension": held.extension,
                "leg": held.leg,
                "state": _reservation_state(offer, held.leg),
            }
            for held in offer.reservations
        ],
    }


def _reservation_state(offer: Offer, leg: str) -> str:
    if offer.accepted == leg:
        return "accepted"
    if leg in offer.answered:
        return "answered"
    if leg in offer.rejecting:
        return "rejecting"
    return "ringing" if leg in offer.delivered else "calling"


def shown(text: str, *, personal: bool) -> str:
    """The text for whoever may have it, else a mask; that somebody was erased is hidden from nobody."""
    return text if personal or text in ("", ERASED) else MASK


def _ms(at: Instant, since: Instant) -> int:
    return max(0, at - since) // MILLISECOND
