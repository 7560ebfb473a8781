"""What an agent asks for who wants to talk with a number outside: whether it may be called, as whom, by which switch.

What becomes of the call then, the contact decides (`domain.contacts.dialling`).
"""

from typing import NoReturn

from orchestrator.domain.contacts import commands
from orchestrator.domain.contacts.contacts import Candidate, Contact, Decision
from orchestrator.domain.contacts.dialling import DIALLED
from orchestrator.domain.contacts.dials import under_way
from orchestrator.domain.kernel import MILLISECOND, Instant, Refused
from orchestrator.domain.routing import outside
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.routing.queues import Queue
from orchestrator.domain.routing.spelling import callable_number
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch import between
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact
from orchestrator.policies.distribute import offered
from orchestrator.policies.outward import why_not
from orchestrator.policies.talk import conversations
from orchestrator.runner import hands, inputs


def is_done(world: World, shift: Shift, command: inputs.AgentCommand) -> bool:
    """Whether this agent is dialling just that number already: the same wish, sent again, or clicked twice."""
    if not isinstance(command, inputs.Dial):
        return False
    found = dialled_by(world, shift)
    return found is not None and found.caller_number == hands.number_meant(world, shift, command.number)


def dialled_by(world: World, shift: Shift) -> Contact | None:
    """The contact that this agent is dialling, which has come neither to a talk nor to an end; None for none."""
    for engagement in shift.engagements:
        contact = world.contacts.get(engagement.contact_id)
        if contact is not None and under_way(contact) is not None:
            return contact
    return None


def dial(world: World, shift: Shift, command: inputs.Dial, now: Instant, ids: Ids) -> TellContact:
    """Ring the agent's own phone for this number. Raises `Refused` where number, agent or switch do not allow it."""
    number = _callable(world, shift, command.number)
    hands.refuse_unless_free(world, shift, leaves_wrap_up=True)
    settings = world.outside.settings if world.outside is not None else OutsideConfigured(allowed=())
    queue = _queue(world, shift, settings)
    node = _node(world, shift)
    agent = world.agents.get(shift.agent_id)
    branch = agent.branch if agent is not None else ""
    own = outside.shown_at(settings, branch)
    asked = commands.Dial(
        node=node,
        number=number,
        show=own or settings.show,
        queue_id=queue.queue_id,
        music=queue.settings.music,
        branch=branch,
        branch_missing=bool(branch) and not own,
        offer_id=ids.new("offer"),
        reservation=offered(world, node, shift, ids),
        deadline=Instant(now + queue.settings.ring_ms * MILLISECOND),
        decision=Decision(
            rule=DIALLED,
            config_version=world.config_version,
            skill=queue.settings.skill,
            min_level=queue.settings.min_level,
            candidates=(
                Candidate(
                    agent_id=shift.agent_id,
                    level=hands.level_of(world, shift, queue),
                    idle_ms=(now - shift.idle_since) // MILLISECOND,
                ),
            ),
            others={},
        ),
    )
    return TellContact(ids.new("contact"), asked)


def cancelled(world: World, shift: Shift, about: str) -> TellContact | None:
    """How the agent thinks better of it, where it is the call that is being made which they mean to hang up."""
    contact = dialled_by(world, shift)
    if contact is None:
        return None
    offer_id = contact.offer.offer_id if contact.offer is not None else ""
    meant = about in (contact.contact_id, offer_id) if about else not conversations(world, shift.shift_id)
    return TellContact(contact.contact_id, commands.HangUp(reason="agent")) if meant else None


def _callable(world: World, shift: Shift, raw: str) -> str:
    """The number that the agent means. Raises `Refused` where nobody may call it."""
    number = hands.number_meant(world, shift, raw)
    for text in filter(None, (raw.strip(), callable_number(raw), number)):
        if text in world.agent_of_number or text in world.shift_at or _is_extension(world, text):
            _refuse("internal_number", "That is a colleague's number; pass a caller on to them, or consult them.")
    if why := why_not(world, number, len(world.outside_legs)):
        _refuse(why, hands.NO_CALL[why])
    return number


def _is_extension(world: World, text: str) -> bool:
    return any(agent.extension == text for agent in world.agents.values())


def _queue(world: World, shift: Shift, settings: OutsideConfigured) -> Queue:
    """The queue whose settings hold: ring time, recording, music, after-call work, and where a caller is passed on."""
    named = world.queues.get(settings.dial_queue)
    if named is not None and named.open:
        return named
    there = [queue for _, queue in sorted(world.queues.items()) if queue.open]
    served = (each for each in there if hands.level_of(world, shift, each) >= max(each.settings.min_level, 1))
    found = next(served, there[0] if there else None)
    if found is None:
        _refuse("no_queue", "There is no open queue by whose settings a call could be made; see `config plan`.")
    return found


def _node(world: World, shift: Shift) -> str:
    """The switch that has the agent's phone, where it takes new calls; else the first that does."""
    home = between.home_for(world.nodes)
    if not home:
        _refuse("switch_away", "No switch takes new calls now; try again in a moment.")
    there = between.place_of(world.nodes, home, shift.extension)
    return there if world.in_step(there) and not world.is_drained(there) else home


def _refuse(code: str, message: str) -> NoReturn:
    raise Refused(code, message)
