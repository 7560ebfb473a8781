"""What a supervisor asks for who monitors a talk. What becomes of it, the contact decides (`contacts.monitoring`).

Who may monitor whom, the web knows (`web.floor.monitoring`): the command socket is for those who run the machine.
"""

from collections.abc import Iterator
from typing import NoReturn

from orchestrator.domain.contacts import monitor_commands as commands
from orchestrator.domain.contacts.commands import TakeOver
from orchestrator.domain.contacts.contacts import Contact, Segment
from orchestrator.domain.contacts.monitors import BEGIN_WITHIN, MODES, TAKEN_OVER
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant, Refused
from orchestrator.domain.routing.recording import NEVER
from orchestrator.domain.staff.engagements import VOICE, capacity_of
from orchestrator.domain.staff.shifts import Shift, why_not_by_hand
from orchestrator.domain.switch.nodes import GONE
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact
from orchestrator.policies.distribute import reservation
from orchestrator.policies.record import rule_with, written
from orchestrator.runner import hands, inputs, passing

# Until when a switch that has not taken a mode is given more time; as of consultations (`runner.consults`).
BEGIN_GRACE = BEGIN_WITHIN
DOWN_GRACE = 6 * BEGIN_WITHIN
# How long a supervisor's own phone rings, who has just asked for it.
RING_MS = 20_000
REASON_LENGTH = 40


def of_supervisor(
    world: World, shift: Shift, command: inputs.OfMonitor, now: Instant, ids: Ids
) -> Iterator[TellContact]:
    """Monitor, be heard otherwise, take over, or hear no more. Raises `Refused`."""
    heard = monitored_by(world, shift.shift_id)
    match command:
        case inputs.EndMonitor():
            if heard is not None:
                yield TellContact(heard.contact_id, commands.EndMonitor(shift_id=shift.shift_id))
        case inputs.TakeOverCall():
            if _has_taken_over(world, shift, command.about):
                return
            if heard is None or heard.segment is None:
                _refuse("not_monitoring", "You do not listen to this call, or not any more.")
            _refuse_unless_in_step(world, heard)
            yield TellContact(heard.contact_id, _take_over(world, shift, heard, heard.segment, command, now, ids))
        case inputs.Monitor():
            yield _monitor(world, shift, heard, command, now, ids)


def _monitor(
    world: World, shift: Shift, heard: Contact | None, command: inputs.Monitor, now: Instant, ids: Ids
) -> TellContact:
    if command.mode not in MODES:
        _refuse("bad_mode", f"A call is monitored to {', '.join(MODES)}; choose one of these.")
    contact = hands.waiting(world, command.contact)
    if contact.segment is None or contact.status == "leaving":
        _refuse("not_talking", "No agent talks in this call now; look at the list again.")
    if contact.segment.agent_id == shift.agent_id:
        _refuse("same_agent", "That is your own call; choose somebody else's.")
    if heard is None:
        _refuse_unless_free(world, shift)
    elif heard.contact_id != contact.contact_id:
        _refuse("monitoring", "You listen to another call; end that first.")
    _refuse_unless_in_step(world, contact)
    queue = world.queues.get(contact.queue_id)
    asked = commands.Monitor(
        monitor_id=ids.new("monitor"),
        reservation=reservation(world, contact.node, shift, ids),
        mode=command.mode,
        reason=_code(command.reason),
        answer_by=Instant(now + RING_MS * MILLISECOND),
        begin_by=Instant(now + BEGIN_WITHIN),
        shown=queue is not None and queue.settings.show_listening,
    )
    return TellContact(contact.contact_id, asked)


def _refuse_unless_free(world: World, shift: Shift) -> None:
    """Whoever listens has their ears for it alone."""
    agent = world.agents.get(shift.agent_id)
    capacity = capacity_of(agent.capacity if agent is not None else {}, VOICE)
    if shift.engagements:
        _refuse("in_contact", "You have a call in hand; end it first, then listen.")
    if (why_not := why_not_by_hand(shift, VOICE, capacity)) is not None:
        raise why_not
    if world.phone(shift.extension) == GONE:
        _refuse("phone_gone", "The phone is not registered, so it cannot be rung; see that it is, then listen.")
    if shift.extension in world.lines:
        _refuse("phone_busy", "Your phone is in use; put it down, then listen.")


def _take_over(
    world: World,
    shift: Shift,
    contact: Contact,
    segment: Segment,
    command: inputs.TakeOverCall,
    now: Instant,
    ids: Ids,
) -> TakeOver:
    queue = world.queues[contact.queue_id]
    rule = rule_with(world, queue, shift.agent_id)
    visit = passing.visit(world, contact, segment, queue, now, ids)
    return TakeOver(
        shift_id=shift.shift_id,
        queue=visit,
        decision=hands.picked(world, contact.node, shift, queue, visit, TAKEN_OVER, now, ids).decision,
        connect_by=Instant(now + 5 * SECOND),
        reason=_code(command.reason),
        keeps_tape=rule != NEVER and bool(written(world, contact)),
        recorded=written(world, contact) if rule == NEVER else "",
    )


def expire(world: World, contact: Contact, now: Instant) -> commands.ExpireMonitor:
    """What it means that nobody answered, or that the switch has not taken a mode, in time."""
    blameless = "" if world.in_step(contact.node) else "node_down"
    again_at = Instant(now + (DOWN_GRACE if blameless else BEGIN_GRACE))
    return commands.ExpireMonitor(now=now, again_at=again_at, blameless=blameless)


def monitored_by(world: World, shift_id: str) -> Contact | None:
    """The contact that this supervisor monitors, or whose phone rings for it."""
    shift = world.shifts.get(shift_id)
    for each in shift.engagements if shift is not None else ():
        contact = world.contacts.get(each.contact_id)
        monitor = contact.monitor if contact is not None else None
        if monitor is not None and monitor.reservation.shift_id == shift_id:
            return contact
    return None


def _has_taken_over(world: World, shift: Shift, about: str) -> bool:
    """Whether this supervisor has the caller already: the same wish, sent again."""
    contact = world.contacts.get(about)
    if contact is None or contact.transfer is None or contact.transfer.target != shift.agent_id:
        return False
    return contact.monitor is None and any(each.contact_id == about for each in shift.engagements)


def _refuse_unless_in_step(world: World, contact: Contact) -> None:
    if not world.in_step(contact.node):
        _refuse("switch_away", "The switch of this caller cannot be reached now; try again in a moment.")


def _code(text: str) -> str:
    if not text or len(text) > REASON_LENGTH or not text.replace("_", "").replace("-", "").isalnum():
        _refuse("bad_reason", f"A reason is a code of up to {REASON_LENGTH} letters, digits, - and _.")
    return text


def _refuse(code: str, message: str) -> NoReturn:
    raise Refused(code, message)
