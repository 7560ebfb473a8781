"""What a timer means when it is due."""

from collections.abc import Iterator

from orchestrator.domain.contacts.commands import (
    Answer,
    CheckOverdue,
    EndPeace,
    ExpireOffer,
    ExpireOutside,
    ExpireVisit,
    Widen,
)
from orchestrator.domain.contacts.contacts import Contact, Offer
from orchestrator.domain.contacts.legs import LEG_GRACE, MOST_DOUBLINGS
from orchestrator.domain.contacts.outward import to_be_called
from orchestrator.domain.contacts.recording import LookAtMask
from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.routing.queues import APOLOGY
from orchestrator.domain.staff.shifts import EndCoolDown, EndWrapUp
from orchestrator.domain.switch.instructions import CheckLeg, TakeSnapshot
from orchestrator.domain.switch.nodes import StrayLegOverdue
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact, TellShift
from orchestrator.policies.distribute import ring_next
from orchestrator.policies.overflow import look
from orchestrator.policies.talk import grant
from orchestrator.policies.tell_place import tell
from orchestrator.runner import consults, guests, monitors, parking, presence, reconcile
from orchestrator.runner.inputs import TimerFired
from orchestrator.runner.memory import Memory
from orchestrator.runner.telling import AppendNode, Tell

# A timer that comes later than this found us away: stopped, starting, or without a database. What it ends was not
# given its full time, so nobody is to blame. On a busy machine timers come some ms late.
LATE = 2 * SECOND
# The one timer that no event sets: `Memory.desks_due`.
DESKS = "desks"
# Until when a switch that has not said that two legs are joined is given more time, once it has been asked; and one
# that cannot be asked, whose first snapshot decides.
JOIN_GRACE = 5 * SECOND
DOWN_GRACE = 30 * SECOND


def on_timer(world: World, memory: Memory, fired: TimerFired, now: Instant, ids: Ids) -> Iterator[Tell]:
    """The commands that a due timer stands for; none where the thing it was set for is gone, or the timer has been set
    anew since.
    """
    key = (fired.what, fired.ident)
    set_for = world.timers.due_of(key)
    if set_for is not None and set_for > now:
        return
    # A timer read from a tape was never taken out by `due`; one taken out is no longer there.
    world.timers.cancel(key)
    contact = world.contacts.get(fired.ident)
    match fired.what:
        case "offer" if contact is not None and contact.offer is not None:
            yield TellContact(fired.ident, _expire(world, memory, contact, contact.offer, fired, now))
        case "ring_next" if contact is not None and contact.offer is not None:
            yield from ring_next(world, contact, contact.offer, now, ids)
        case "visit" if contact is not None and (world.in_step(contact.node) or to_be_called(contact) is not None):
            queue = world.queues.get(contact.queue_id)
            prompt = queue.settings.apology if queue is not None else APOLOGY
            yield TellContact(fired.ident, ExpireVisit(prompt=prompt, now=now))
        case "callback":
            yield TellContact(fired.ident, EndPeace(now=now))
        case "outside" if contact is not None:
            yield TellContact(fired.ident, _expire_outside(world, contact, now))
        case "consult" if contact is not None and contact.consult is not None and contact.segment is not None:
            yield TellContact(fired.ident, consults.expire(world, contact, contact.segment, now, ids))
        case "guests" if contact is not None:
            yield TellContact(fired.ident, guests.expire(world, contact, now))
        case "widen" if contact is not None and contact.visit is not None:
            visit = contact.visit
            reason = "expired" if visit.step >= 0 else "not_identified"
            yield TellContact(fired.ident, Widen(visit_id=visit.visit_id, step=visit.step, reason=reason, now=now))
        case "overflow" if contact is not None and world.in_step(contact.node):
            yield from look(world, contact, now, ids)
        case "place" if contact is not None:
            yield from tell(world, contact, now, late=_is_late(fired, now))
        case "answer" if contact is not None:
            yield TellContact(fired.ident, Answer())
        case "wish" if contact is not None and contact.segment is not None:
            yield from grant(contact, contact.segment, ids)
        case "hold" if contact is not None and contact.segment is not None and world.in_step(contact.node):
            # Where its link is down, the snapshot with which it comes back tells it again what was wished.
            if contact.segment.wish:
                memory.doubt_hold(contact.segment.leg, "unheard")
                yield TakeSnapshot(id=ids.new("snapshot"), node=contact.node, leg="")
        case "mask" if contact is not None:
            yield TellContact(fired.ident, LookAtMask(now=now))
        case "park" if contact is not None:
            yield from parking.expire(world, contact, now, ids)
        case "monitor" if contact is not None:
            yield TellContact(fired.ident, monitors.expire(world, contact, now))
        case "legs" if contact is not None:
            yield TellContact(fired.ident, CheckOverdue(now=now))
        case "wrap_up":
            yield TellShift(fired.ident, EndWrapUp(how="timer"))
        case "desk":
            yield presence.end_grace(fired.ident, now, late=_is_late(fired, now))
        case "desks":
            yield from presence.on_silence(world, memory, now, late=_is_late(fired, now))
        case "cool_down":
            yield TellShift(fired.ident, EndCoolDown())
        case "dead":
            yield from reconcile.on_silence(world, fired.ident, now, ids, late=_is_late(fired, now))
        case "strays":
            yield from _ask_after_strays(world, memory, fired.ident, now, ids)


def _is_late(fired: TimerFired, now: Instant) -> bool:
    return bool(fired.due) and now - fired.due > LATE


def _expire(
    world: World, memory: Memory, contact: Contact, offer: Offer, fired: TimerFired, now: Instant
) -> ExpireOffer:
    blameless = "" if world.in_step(contact.node) else "node_down"
    if not blameless and _is_late(fired, now):
        blameless = "engine_late"
    # Of their phones nobody knows whether they ring.
    unheard = tuple(held.leg for held in offer.reservations if held.via and not world.in_step(held.via))
    if not blameless and not offer.accepted and len(unheard) == len(offer.reservations):
        blameless = "node_down"
    legs = (held.leg for held in offer.reservations)
    return ExpireOffer(
        offer_id=offer.offer_id,
        again_at=Instant(now + (DOWN_GRACE if blameless == "node_down" else JOIN_GRACE)),
        blameless=blameless,
        unmade=tuple(leg for leg in legs if leg not in offer.delivered and not memory.is_made(leg)),
        unheard=unheard,
        now=now,
    )


def _expire_outside(world: World, contact: Contact, now: Instant) -> ExpireOutside:
    blameless = "" if world.in_step(contact.node) else "node_down"
    grace = DOWN_GRACE if blameless else JOIN_GRACE
    return ExpireOutside(now=now, again_at=Instant(now + grace), blameless=blameless)


def _ask_after_strays(world: World, memory: Memory, node_id: str, now: Instant, ids: Ids) -> Iterator[Tell]:
    """The timer runs from the first stray of several: one that still hears something has its time of its own."""
    node = world.nodes.get(node_id)
    if node is None or not node.strays:
        return
    again_at = Instant(now + LEG_GRACE * 2 ** min(node.reminders, MOST_DOUBLINGS))
    hearing = {leg: until for leg in node.strays if (until := memory.spoken_until(leg)) > now}
    legs = tuple(leg for leg in node.strays if leg not in hearing)
    yield AppendNode(node_id, (StrayLegOverdue(legs=legs, again_at=min((again_at, *hearing.values()))),))
    for leg in legs:
        yield CheckLeg(id=ids.of("check", leg), node=node_id, leg=leg)
