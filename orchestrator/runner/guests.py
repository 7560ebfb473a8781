"""What an agent asks for who wants more than three to hear each other. What becomes of it, the contact decides
(`contacts.guesting`).
"""

from typing import NoReturn

from orchestrator.domain.contacts.commands import EndConsult
from orchestrator.domain.contacts.consults import JOIN_WITHIN, Consult
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guest_commands import (
    ExpireGuests,
    HoldMember,
    Invite,
    LetGo,
    MuteMember,
    Recall,
    SpeakAlone,
)
from orchestrator.domain.contacts.guests import Guest, are_together, persons
from orchestrator.domain.kernel import MILLISECOND, Instant, Refused
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact
from orchestrator.policies.distribute import reservation
from orchestrator.policies.outward import send_outside
from orchestrator.runner import consults, hands, inputs, passing


def ask(world: World, shift: Shift, command: inputs.Invite, now: Instant, ids: Ids) -> TellContact:
    """Invite this colleague or number to those who hear each other. Raises `Refused` before anybody is rung."""
    contact = hands.conversation(world, shift, command.about)
    _refuse_unless_one(command)
    most = world.conferences.most
    if are_together(contact) and persons(contact) >= most:
        _refuse("conference_full", f"In a conference are {most} at most; let somebody go first.")
    if _found(world, shift, contact, command) is not None:
        _refuse("already_in", "They are in this conference already; choose somebody else.")
    if not world.in_step(contact.node):
        _refuse("switch_away", "The switch of this caller cannot be reached now; try again in a moment.")
    if command.to_number:
        sent = send_outside(world, contact, command.to_number, now, ids, hands.region_of(world, shift))
        if isinstance(sent, str):
            _refuse(sent, hands.NO_CALL[sent])
        asked = Invite(
            shift_id=shift.shift_id,
            guest_id=ids.new("guest"),
            leg=sent.leg,
            answer_by=sent.answer_by,
            most=most,
            number=sent.number,
            show=sent.show,
            alone=command.alone,
        )
        return TellContact(contact.contact_id, asked)
    held = reservation(world, contact.node, passing.ready_agent(world, shift, command.to_agent), ids)
    ring_ms = world.queues[contact.queue_id].settings.ring_ms
    asked = Invite(
        shift_id=shift.shift_id,
        guest_id=ids.new("guest"),
        leg=held.leg,
        answer_by=Instant(now + ring_ms * MILLISECOND),
        most=most,
        reservation=held,
        alone=command.alone,
    )
    return TellContact(contact.contact_id, asked)


def let_go(world: World, shift: Shift, command: inputs.LetGo, now: Instant) -> TellContact:
    """Let one of them go, also whoever was asked first. Raises `Refused`."""
    contact, found = _meant(world, shift, command)
    by = Instant(now + JOIN_WITHIN)
    if isinstance(found, Consult):
        return TellContact(contact.contact_id, EndConsult(rejoin_by=by))
    asked = LetGo(shift_id=shift.shift_id, guest_id=found.guest_id, return_by=by)
    return TellContact(contact.contact_id, asked)


def of_member(world: World, shift: Shift, command: inputs.OfMember, now: Instant) -> TellContact:
    """Put one of them on hold, bring them back, speak with them alone, mute them or not. Raises `Refused`."""
    contact, found = _meant(world, shift, command)
    member_id = found.consult_id if isinstance(found, Consult) else found.guest_id
    by = Instant(now + JOIN_WITHIN)
    asked: HoldMember | Recall | SpeakAlone | MuteMember
    match command:
        case inputs.HoldMember():
            asked = HoldMember(shift_id=shift.shift_id, member_id=member_id, by=by)
        case inputs.RecallMember():
            asked = Recall(shift_id=shift.shift_id, member_id=member_id, by=by)
        case inputs.SpeakAlone():
            asked = SpeakAlone(shift_id=shift.shift_id, member_id=member_id, by=by)
        case _:
            on = isinstance(command, inputs.MuteMember)
            asked = MuteMember(shift_id=shift.shift_id, member_id=member_id, on=on)
    return TellContact(contact.contact_id, asked)


def _meant(world: World, shift: Shift, command: inputs.LetGo | inputs.OfMember) -> tuple[Contact, Consult | Guest]:
    contact = hands.conversation(world, shift, command.about)
    _refuse_unless_one(command)
    found = _found(world, shift, contact, command)
    if found is None:
        _refuse("no_such_guest", "Whoever that was is not in the conference any more.")
    if not world.in_step(contact.node):
        _refuse("switch_away", "The switch of this caller cannot be reached now; try again in a moment.")
    return contact, found


def expire(world: World, contact: Contact, now: Instant) -> ExpireGuests:
    """What it means that guests have not answered, or are not in the room, in time."""
    blameless = "" if world.in_step(contact.node) else "node_down"
    grace = consults.DOWN_GRACE if blameless else consults.JOIN_GRACE
    return ExpireGuests(now=now, again_at=Instant(now + grace), blameless=blameless)


def is_done(world: World, shift: Shift, command: inputs.AgentCommand) -> bool:
    """Whether this agent has invited just them already, and their phone rings: the same wish, sent again."""
    contact = world.contacts.get(command.about)
    if not isinstance(command, inputs.Invite) or contact is None or contact.segment is None:
        return False
    found = _found(world, shift, contact, command)
    return contact.segment.shift_id == shift.shift_id and isinstance(found, Guest) and not found.joined


def _found(
    world: World, shift: Shift, contact: Contact, command: inputs.Invite | inputs.LetGo | inputs.OfMember
) -> Consult | Guest | None:
    """Who of a conference is meant: whoever was asked first, or a guest."""
    agent_id = world.agent_of_number.get(command.to_agent, "")
    number = hands.number_meant(world, shift, command.to_number)
    first = contact.consult if contact.consult is not None and not contact.consult.over else None
    for each in (first, *contact.guests):
        if each is None:
            continue
        held = each.reservation
        if (held.agent_id == agent_id) if held is not None else (bool(number) and each.number == number):
            return each
    return None


def _refuse_unless_one(command: inputs.Invite | inputs.LetGo | inputs.OfMember) -> None:
    if bool(command.to_agent) == bool(command.to_number):
        _refuse("bad_target", "Say whom: one agent, or one number outside.")


def _refuse(code: str, message: str) -> NoReturn:
    raise Refused(code, message)
