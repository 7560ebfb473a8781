"""What an agent asks for who wants to consult somebody about a caller, and how the caller goes on after that."""

from typing import NoReturn

from orchestrator.domain.contacts import commands
from orchestrator.domain.contacts.consults import JOIN_WITHIN
from orchestrator.domain.contacts.contacts import Contact, Decision, Segment
from orchestrator.domain.contacts.guests import heir
from orchestrator.domain.kernel import MILLISECOND, Instant, Refused
from orchestrator.domain.routing.recording import NEVER
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact
from orchestrator.policies.distribute import reservation
from orchestrator.policies.outward import send_outside
from orchestrator.policies.record import rule_with, written
from orchestrator.runner import hands, inputs, passing

# Until when a switch that has not joined two legs is given more time; as of offers (`runner.timing`).
JOIN_GRACE = JOIN_WITHIN
DOWN_GRACE = 6 * JOIN_WITHIN


def ask(world: World, shift: Shift, command: inputs.Consult, now: Instant, ids: Ids) -> TellContact:
    """Consult this colleague or number. Raises `Refused`."""
    contact = hands.conversation(world, shift, command.about)
    if bool(command.to_agent) == bool(command.to_number):
        _refuse("bad_target", "Say whom: one agent, or one number outside.")
    if contact.consult is not None:
        _refuse("consulting", "You consult somebody about this caller; end that first.")
    _refuse_unless_in_step(world, contact)
    asked = commands.Consult(shift_id=shift.shift_id, consult_id=ids.new("consult"), leg="", answer_by=now)
    if command.to_number:
        sent = send_outside(world, contact, command.to_number, now, ids, hands.region_of(world, shift))
        if isinstance(sent, str):
            _refuse(sent, hands.NO_CALL[sent])
        asked = commands.Consult(
            shift_id=shift.shift_id,
            consult_id=asked.consult_id,
            leg=sent.leg,
            number=sent.number,
            show=sent.show,
            answer_by=sent.answer_by,
        )
        return TellContact(contact.contact_id, asked)
    target = passing.ready_agent(world, shift, command.to_agent)
    held = reservation(world, contact.node, target, ids)
    ring_ms = world.queues[contact.queue_id].settings.ring_ms
    asked = commands.Consult(
        shift_id=shift.shift_id,
        consult_id=asked.consult_id,
        leg=held.leg,
        reservation=held,
        answer_by=Instant(now + ring_ms * MILLISECOND),
    )
    return TellContact(contact.contact_id, asked)


def move_on(
    world: World,
    shift: Shift,
    command: inputs.SwitchConsult | inputs.Confer | inputs.CompleteConsult | inputs.EndConsult | inputs.HangUp,
    now: Instant,
    ids: Ids,
) -> TellContact:
    """Go to the other one, to both, leave the two to each other, or go back to the caller. Raises `Refused`."""
    contact = hands.conversation(world, shift, command.about)
    if not isinstance(command, inputs.HangUp):
        _refuse_unless_in_step(world, contact)  # two told to be joined before a look at the legs would be told twice
    by = Instant(now + JOIN_WITHIN)
    match command:
        case inputs.SwitchConsult():
            return TellContact(contact.contact_id, commands.SwitchConsult(connect_by=by))
        case inputs.Confer():
            return TellContact(contact.contact_id, commands.Confer(connect_by=by))
        case inputs.EndConsult():
            return TellContact(contact.contact_id, commands.EndConsult(rejoin_by=by))
    if contact.segment is None:
        _refuse("not_consulting", "Nobody is consulted about this caller any more.")
    return TellContact(contact.contact_id, handover(world, contact, contact.segment, now, ids))


def handover(world: World, contact: Contact, segment: Segment, now: Instant, ids: Ids) -> commands.CompleteConsult:
    """How the caller goes on when the agent leaves: in the queue from which they came, with whoever is consulted, or
    whoever of more than two has them from then on. There the recording goes on, unless that agent is never recorded.
    """
    queue = world.queues[contact.queue_id]
    visit = passing.visit(world, contact, segment, queue, now, ids)
    stays = heir(contact)
    held = stays or (contact.consult.reservation if contact.consult is not None else None)
    target = world.shifts.get(held.shift_id) if held is not None else None
    decision = (
        hands.picked(world, contact.node, target, queue, visit, "", now, ids).decision
        if target is not None
        else Decision(rule="", config_version=0, skill="", min_level=0, candidates=(), others={})
    )
    recorded = written(world, contact)
    keeps = stays is not None and bool(recorded) and rule_with(world, queue, stays.agent_id) != NEVER
    return commands.CompleteConsult(
        queue=visit,
        decision=decision,
        connect_by=Instant(now + JOIN_WITHIN),
        recorded="" if keeps else recorded,
        segment_id=ids.new("segment") if stays is not None else "",
        keeps_tape=keeps,
    )


def expire(world: World, contact: Contact, segment: Segment, now: Instant, ids: Ids) -> commands.ExpireConsult:
    """What it means that nobody answered, or that two are not joined, in time."""
    blameless = "" if world.in_step(contact.node) else "node_down"
    return commands.ExpireConsult(
        now=now,
        again_at=Instant(now + (DOWN_GRACE if blameless else JOIN_GRACE)),
        queue=passing.visit(world, contact, segment, world.queues[contact.queue_id], now, ids),
        blameless=blameless,
        recorded=written(world, contact),
    )


def is_on(world: World, shift: Shift, about: str) -> bool:
    """Whether somebody is consulted in the agent's conversation that is meant."""
    consult = hands.conversation(world, shift, about).consult
    return consult is not None and not consult.over


def is_done(world: World, shift: Shift, command: inputs.AgentCommand) -> bool:
    """Whether this agent has asked for just that already: the same wish, sent again."""
    contact = world.contacts.get(command.about)
    if contact is None:
        return False
    own = contact.segment is not None and contact.segment.shift_id == shift.shift_id
    consult = contact.consult
    match command:
        case inputs.Consult() if own and consult is not None and not consult.over:
            held = consult.reservation
            if held is None:
                return consult.number == hands.number_meant(world, shift, command.to_number)
            return held.agent_id == world.agent_of_number.get(command.to_agent)
        case inputs.EndConsult():
            return own and consult is not None and consult.over
        case inputs.CompleteConsult():
            return not own and contact.transfer is not None and contact.transfer.shift_id == shift.shift_id
    return False


def _refuse_unless_in_step(world: World, contact: Contact) -> None:
    if not world.in_step(contact.node):
        _refuse("switch_away", "The switch of this caller cannot be reached now; try again in a moment.")


def _refuse(code: str, message: str) -> NoReturn:
    raise Refused(code, message)
