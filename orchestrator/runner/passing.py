"""What an agent asks for who wants to pass a caller on: to an agent, into a queue, or to a number outside.

The one to whom the caller goes must be there to be asked. What becomes of the wish then, the contact decides
(`domain.contacts.transferring`).
"""

from typing import NoReturn

from msgspec.structs import replace

from orchestrator.domain.contacts import commands
from orchestrator.domain.contacts.contacts import Contact, Segment
from orchestrator.domain.contacts.transfers import AGENT, OUTSIDE, QUEUE
from orchestrator.domain.kernel import Instant, Refused
from orchestrator.domain.routing.overflow import next_look
from orchestrator.domain.routing.queues import Queue
from orchestrator.domain.staff.engagements import VOICE, capacity_of
from orchestrator.domain.staff.shifts import ENGAGED, Shift, available, why_not_by_hand
from orchestrator.domain.switch.nodes import GONE
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact
from orchestrator.policies.outward import send_outside
from orchestrator.policies.record import written
from orchestrator.policies.widen import into_queue, wants
from orchestrator.runner import hands, inputs

# The reason of an offer that a transfer makes by hand.
PASSED_ON = "transferred"


def is_done(world: World, shift: Shift, command: inputs.Transfer) -> bool:
    """Whether this agent has passed just this caller on to just that target: the same wish, sent again."""
    contact = world.contacts.get(command.about)
    if contact is None or contact.transfer is None or contact.transfer.shift_id != shift.shift_id:
        return False
    if contact.segment is not None and contact.segment.shift_id == shift.shift_id:
        return False  # the caller is back with them, and may be passed on anew
    targets = {
        AGENT: world.agent_of_number.get(command.to_agent, ""),
        QUEUE: command.to_queue,
        OUTSIDE: hands.number_meant(world, shift, command.to_number),
    }
    return bool(contact.transfer.target) and targets[contact.transfer.to] == contact.transfer.target


def transfer(world: World, shift: Shift, command: inputs.Transfer, now: Instant, ids: Ids) -> TellContact:
    """Pass the caller on of whom this agent speaks. Raises `Refused` where the target cannot take anybody."""
    contact = hands.conversation(world, shift, command.about)
    segment = contact.segment
    if len([each for each in (command.to_agent, command.to_queue, command.to_number) if each]) != 1:
        _refuse("bad_target", "Say to whom: to one agent, into one queue, or to one number outside.")
    if segment is None or not world.in_step(contact.node):
        _refuse("switch_away", "The switch of this caller cannot be reached now; try again in a moment.")
    # To an agent or a number outside the caller goes from the queue from which they came.
    queue = hands.open_queue(world, command.to_queue, now) if command.to_queue else world.queues[contact.queue_id]
    new = visit(world, contact, segment, queue, now, ids)
    then: commands.Pick | commands.SendOutside | None = None
    if command.to_agent:
        target = ready_agent(world, shift, command.to_agent)
        then = hands.picked(world, contact.node, target, queue, new, PASSED_ON, now, ids)
    elif command.to_number:
        sent = send_outside(world, contact, command.to_number, now, ids, hands.region_of(world, shift))
        if isinstance(sent, str):
            _refuse(sent, hands.NO_CALL[sent])
        then = sent
    recorded = written(world, contact)
    passed_on = commands.Transfer(shift_id=shift.shift_id, queue=new, then=then, recorded=recorded)
    return TellContact(contact.contact_id, passed_on)


def visit(world: World, contact: Contact, segment: Segment, queue: Queue, now: Instant, ids: Ids) -> commands.Queue:
    """The visit in which the caller goes on: with the time of waiting that they had, as if the talk had not been."""
    return replace(
        into_queue(world, contact, queue, entry_id=contact.entry_id, visit_id=ids.new("visit"), now=now),
        priority=queue.settings.priority,
        bonuses=wants(world, contact, queue, contact.entry_id)[1],
        waiting_since=Instant(now - segment.waited),
        overflow_at=next_look(queue.settings.overflow, now, now),
        answer_at=contact.answer_at,
    )


def ready_agent(world: World, own: Shift, number: str) -> Shift:
    """The shift of the agent who is to be rung at once: there, ready, with nobody in hand."""
    agent_id = world.agent_of_number.get(number)
    if agent_id is None:
        _refuse("unknown_agent", "No agent has this employee number; see `ringledger agents` or `config plan`.")
    if agent_id == own.agent_id:
        _refuse("same_agent", "That is yourself; choose somebody else.")
    shift = world.shifts.get(world.shift_of_agent.get(agent_id, ""))
    if shift is None:
        _refuse("agent_away", f"Agent {number} is not signed in; choose somebody else, or a queue.")
    match obstacle(world, shift):
        case "agent_busy":
            _refuse("agent_busy", f"Agent {number} has a call in hand, or its after-call work; choose somebody else.")
        case "agent_unreachable":
            _refuse("agent_unreachable", f"The phone of agent {number} is not registered; choose somebody else.")
        case "agent_not_ready":
            _refuse("agent_not_ready", f"Agent {number} is not ready; choose somebody else, or a queue.")
    return shift


def obstacle(world: World, shift: Shift) -> str:
    """Why nobody can be passed on to this agent now, as the code of the refusal; empty where somebody can."""
    if shift.status in (*ENGAGED, "wrapping_up") or shift.extension in world.lines:
        return "agent_busy"
    if world.phone(shift.extension) == GONE:
        return "agent_unreachable"
    agent = world.agents.get(shift.agent_id)
    capacity = capacity_of(agent.capacity if agent is not None else {}, VOICE)
    may = available(shift, VOICE, capacity) and why_not_by_hand(shift, VOICE, capacity) is None
    return "" if may else "agent_not_ready"


def _refuse(code: str, message: str) -> NoReturn:
    raise Refused(code, message)
