"""What people do by hand with contacts that wait, and with those that they have in hand: one is active, others held.

An agent sees who waits and takes one; a leader gives it to an agent, moves it, or changes how urgent it is. What is
looked at here comes from several streams; what one contact allows, `domain.contacts.moving` decides.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NoReturn

from msgspec.structs import replace

from orchestrator.domain.contacts import commands
from orchestrator.domain.contacts.consults import CONSULTING
from orchestrator.domain.contacts.contacts import Candidate, Contact, Decision
from orchestrator.domain.contacts.moving import PICKED_BY_HAND
from orchestrator.domain.contacts.outward import IN_TURN, to_be_called
from orchestrator.domain.contacts.recording import AskRecording, EndRecording, Mask, RecordingWish, Unmask
from orchestrator.domain.kernel import MILLISECOND, Instant, Refused
from orchestrator.domain.routing import outside
from orchestrator.domain.routing.overflow import next_look
from orchestrator.domain.routing.queues import Queue
from orchestrator.domain.routing.requirements import MINUTE, PRIORITIES, bounded
from orchestrator.domain.staff import shifts
from orchestrator.domain.staff.engagements import VOICE, capacity_of, with_contact
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch.nodes import GONE
from orchestrator.domain.world import World
from orchestrator.policies import outward
from orchestrator.policies.base import Ids, TellContact
from orchestrator.policies.distribute import offered
from orchestrator.policies.record import rule_for, written
from orchestrator.policies.talk import conversations
from orchestrator.policies.widen import into_queue, wants
from orchestrator.runner import inputs

# Who was passed over: the first few by name, as in any decision record (law 14).
PASSED_KEPT: Final = 3
# Points that a person may give a contact, as bounded as a queue's own priority is.
POINTS: Final = PRIORITIES
# Why nobody outside is called (`domain.routing.outside`).
NO_CALL: Final[Mapping[str, str]] = MappingProxyType(
    {
        outside.NOT_CONFIGURED: "Nobody outside may be called: the configuration has no [outside] section.",
        outside.WITHHELD: "There is no number that could be called; give one of 5 to 15 digits, best from + on.",
        outside.NOT_ALLOWED: "This number may not be called; see `allowed` and `refused` of [outside].",
        outward.OWN_NUMBER: "That is a number of this house; calling it would only come back here.",
        outside.FULL: "As many numbers outside are being called as may be at once; try again in a moment.",
    }
)
# So much of an id's beginning tells one contact from every other that is live.
SHORTEST_ID: Final = 8


def region_of(world: World, shift: Shift) -> str:
    """The country from which this agent dials, where their branch says another than the site's; else empty."""
    agent = world.agents.get(shift.agent_id)
    branch = world.branches.get(agent.branch) if agent is not None else None
    return branch.region if branch is not None else ""


def number_meant(world: World, shift: Shift, raw: str) -> str:
    """The number that this agent means by what they typed, in the one form in which it is kept; "" for none."""
    return outside.meant(world.outside, raw, region_of(world, shift))


# --- who waits -------------------------------------------------------------------------------------------------------
def pick(
    world: World, shift: Shift, command: inputs.Pick, reason: str, now: Instant, ids: Ids
) -> Iterator[TellContact]:
    """Offer the contact to this agent alone. Raises `Refused` where agent, queue or contact do not allow it."""
    contact = waiting(world, command.contact)
    if with_contact(shift.engagements, contact.contact_id) is not None:
        return  # it was taken already, by the same wish sent again
    refuse_unless_free(world, shift)
    queue = world.queues.get(contact.queue_id)
    if queue is None:
        _refuse("not_waiting", "This caller does not wait.")
    refuse_unless_open(queue, level_of(world, shift, queue), given=bool(command.by))
    if not world.in_step(contact.node):
        _refuse("switch_away", "The switch of this caller cannot be reached now; try again in a moment.")
    yield TellContact(
        contact.contact_id, _pick(world, shift, queue, rank(contact, now), reason, now, ids, node=contact.node)
    )


def picked(
    world: World, node: str, shift: Shift, queue: Queue, visit: commands.Queue, reason: str, now: Instant, ids: Ids
) -> commands.Pick:
    """The command that offers to this agent alone whoever begins this visit now. The caller's own callback, which the
    visit takes up, is nobody who was passed over.
    """
    base = bounded(visit.priority + sum(visit.bonuses.values()))
    own = _points(base, visit.age_per_min, visit.age_cap, visit.waiting_since or now, now)
    return _pick(world, shift, queue, own, reason, now, ids, node=node, own_callback=visit.takes_up)


def picked_again(world: World, contact: Contact, shift: Shift, queue: Queue, now: Instant, ids: Ids) -> commands.Pick:
    """The command that offers to this agent alone, once more, whoever is being offered to them."""
    return _pick(world, shift, queue, rank(contact, now), "", now, ids, node=contact.node)


def _pick(  # noqa: PLR0913 - all that a pick rests on
    world: World,
    shift: Shift,
    queue: Queue,
    own: tuple[int, int],
    reason: str,
    now: Instant,
    ids: Ids,
    *,
    node: str,
    own_callback: str = "",
) -> commands.Pick:
    level = level_of(world, shift, queue)
    before = [each.contact_id for each in in_line(world, queue.queue_id, now) if rank(each, now) < own]
    passed = [contact_id for contact_id in before if contact_id != own_callback]
    return commands.Pick(
        offer_id=ids.new("offer"),
        reservation=offered(world, node, shift, ids),
        deadline=Instant(now + queue.settings.ring_ms * MILLISECOND),
        decision=Decision(
            rule=PICKED_BY_HAND,
            config_version=world.config_version,
            skill=queue.settings.skill,
            min_level=queue.settings.min_level,
            candidates=(
                Candidate(agent_id=shift.agent_id, level=level, idle_ms=(now - shift.idle_since) // MILLISECOND),
            ),
            others={},
            passed=tuple(passed[:PASSED_KEPT]),
            passed_over=len(passed),
        ),
        reason=reason,
    )


def refuse_unless_free(world: World, shift: Shift, again: str = "", *, leaves_wrap_up: bool = False) -> None:
    """Whether this agent can take somebody by hand now. `again`: a contact whose after-call work does not keep them
    from it, because it is taken up again; with `leaves_wrap_up` none does. Raises `Refused`.
    """
    agent = world.agents.get(shift.agent_id)
    capacity = capacity_of(agent.capacity if agent is not None else {}, VOICE)
    why_not = shifts.why_not_by_hand(shift, VOICE, capacity, again=again, leaves_wrap_up=leaves_wrap_up)
    if why_not is not None:
        raise why_not
    if any(other.status != "held" for other in conversations(world, shift.shift_id)):
        _refuse("hold_first", "Put the caller on hold first; then take another.")
    if world.phone(shift.extension) == GONE:
        _refuse("phone_gone", "The phone is not registered, so it cannot be rung; see that it is, then take the call.")


def level_of(world: World, shift: Shift, queue: Queue) -> int:
    """The agent's level for what the queue asks for."""
    agent = world.agents.get(shift.agent_id)
    return agent.skills.get(queue.settings.skill, 0) if agent is not None else 0


def refuse_unless_open(queue: Queue, level: int, *, given: bool) -> None:
    """Whom the queue allows. A leader who gives a contact to an agent need not be allowed to take it."""
    allows = queue.settings.pick
    if allows == "nobody" and not given:
        _refuse("no_picking", "Nobody takes contacts of this queue by hand; ask a leader to give it to you.")
    if allows != "anyone" and level < max(queue.settings.min_level, 1):
        _refuse("skill_missing", f"This queue needs the skill {queue.settings.skill} at a higher level.")


def move(world: World, named: str, queue_id: str, reason: str, now: Instant, ids: Ids) -> TellContact:
    """Let the contact wait in another queue. Raises `Refused`."""
    contact = waiting(world, named)
    queue = open_queue(world, queue_id, now)
    # A person's word begins the way of overflow anew: whatever queues the caller has seen, this one is meant. Place and
    # points are the contact's own, also where it takes up the place of its customer's callback.
    to = replace(
        into_queue(world, contact, queue, entry_id=contact.entry_id, visit_id=ids.new("visit"), now=now),
        priority=queue.settings.priority,
        bonuses=wants(world, contact, queue, contact.entry_id)[1],
        waiting_since=contact.visit.since if contact.visit is not None else Instant(0),
        overflow_at=next_look(queue.settings.overflow, now, now),
        answer_at=contact.answer_at,
    )
    if contact.visit is not None and to_be_called(contact) is not None:
        # Called back by the plan that was promised, and sent nowhere else.
        to = replace(to, leave_by=contact.visit.leave_by, overflow_at=Instant(0), takes_up="")
    return TellContact(contact.contact_id, commands.Move(to=to, reason=reason))


def open_queue(world: World, queue_id: str, now: Instant) -> Queue:
    """The queue into which somebody is sent: what keeps callers out of it keeps them out. Raises `Refused`."""
    queue = world.queues.get(queue_id)
    if queue is None or not queue.open:
        _refuse("no_such_queue", f"There is no open queue {queue_id[:40]!r}; see `ringledger queues`.")
    settings, admission = queue.settings, world.admission
    if settings.calendar and not admission.calendars.is_open(settings.calendar, now):
        _refuse("queue_closed", f"The queue {queue.queue_id} takes nobody at this hour.")
    if settings.most_waiting and admission.visits(queue.queue_id) >= settings.most_waiting:
        _refuse("queue_full", f"In the queue {queue.queue_id} as many wait already as may.")
    return queue


def prioritise(world: World, named: str, points: int, reason: str) -> TellContact:
    """Give the contact so many points. Raises `Refused`."""
    low, high = POINTS
    if not low <= points <= high:
        _refuse("bad_priority", f"Points are a whole number from {low} to {high}.")
    return TellContact(waiting(world, named).contact_id, commands.Reprioritise(given=points, reason=reason))


def in_line(world: World, queue_id: str, now: Instant) -> list[Contact]:
    """Who waits in this queue, whoever is to be served first at the head."""
    waits = (each for each in world.contacts.values() if each.queue_id == queue_id and each.status in IN_TURN)
    return sorted(waits, key=lambda contact: rank(contact, now))


def rank(contact: Contact, now: Instant) -> tuple[int, int]:
    """Where a waiting contact stands: the most urgent first, then whoever waits longest."""
    visit = contact.visit
    if visit is None:
        return (0, 0)
    return _points(visit.base, visit.age_per_min, visit.age_cap, visit.since, now)


def _points(base: int, age_per_min: int, age_cap: int, since: Instant, now: Instant) -> tuple[int, int]:
    # Exactly as the index orders them: a point of ageing is a minute's worth, and parts of it count.
    return (-base * MINUTE - min(age_per_min * (now - since), age_cap * MINUTE), since)


def waiting(world: World, named: str) -> Contact:
    """The live contact of this id, or the only one whose id begins so. Raises `Refused`."""
    contact = world.contacts.get(named)
    if contact is None and len(named) >= SHORTEST_ID:
        alike = [each for each in world.contacts.values() if each.contact_id.startswith(named)]
        contact = alike[0] if len(alike) == 1 else None
    if contact is None:
        _refuse("no_such_contact", "There is no such call any more; the caller may have hung up.")
    return contact


# --- who is in hand --------------------------------------------------------------------------------------------------
def conversation(world: World, shift: Shift, about: str) -> Contact:
    """The conversation that is meant: the one named, else the active one, else the last. Raises `Refused`."""
    found = conversations(world, shift.shift_id)
    if about:
        found = [each for each in found if each.contact_id == _in_hand(shift, about)]
    active = [each for each in found if each.status in ("connected", CONSULTING)]
    if not found:
        _refuse("not_talking", "You are not in a conversation; to refuse an offer, use reject.")
    return (active or found)[-1]


def of_recording(world: World, shift: Shift, command: inputs.OfRecording, now: Instant) -> TellContact:
    """What the agent wants of the recording of a conversation. Raises `Refused`."""
    contact = conversation(world, shift, command.about)
    shift_id = shift.shift_id
    asked: RecordingWish
    match command:
        case inputs.StartRecording():
            asked = AskRecording(shift_id=shift_id, rule=rule_for(world, contact))
        case inputs.StopRecording():
            asked = EndRecording(shift_id=shift_id, rule=rule_for(world, contact))
        case inputs.MaskRecording():
            until = Instant(now + world.recordings.mask_most_ms * MILLISECOND)
            asked = Mask(shift_id=shift_id, until=until, file=written(world, contact))
        case inputs.UnmaskRecording():
            asked = Unmask(shift_id=shift_id, now=now)
    return TellContact(contact.contact_id, asked)


def _in_hand(shift: Shift, about: str) -> str:
    """The contact in hand that is named, by its id or by the offer that brought it; empty where none is."""
    named = (each.contact_id for each in shift.engagements if about in (each.contact_id, each.offer_id))
    return next(named, "")


def resume(world: World, shift: Shift, about: str, now: Instant) -> Iterator[TellContact]:
    """Talk with this caller again, and put whoever is active on hold first. Raises `Refused`."""
    found = conversations(world, shift.shift_id)
    active = next((each for each in found if each.status == "connected"), None)
    held = [each for each in found if each.status == "held"]
    wanted = next((each for each in found if each.contact_id == _in_hand(shift, about)), None)
    if any(each.status == CONSULTING for each in found):
        _refuse("consulting", "You consult somebody about a caller; end that first.")
    if wanted is None:
        # Without a name: the one on hold, which of several nobody can tell.
        if len(held) > 1:
            _refuse("which_one", "Several callers are on hold; say with whom you want to talk.")
        wanted = held[0] if held and active is None else conversation(world, shift, about)
    if active is not None and active.contact_id != wanted.contact_id and wanted.status == "held":
        command = commands.Hold(shift_id=shift.shift_id, now=now, then=wanted.contact_id)
        yield TellContact(active.contact_id, command)
        return
    if wanted.status == "connected" and any(_is_active(each) for each in found if each is not wanted):
        _refuse("not_held", "The caller is not on hold yet, and you talk with another.")
    yield TellContact(wanted.contact_id, commands.Resume(shift_id=shift.shift_id, now=now))


def _is_active(contact: Contact) -> bool:
    """Whether the agent talks with this caller, and has not asked for a hold."""
    return contact.status == "connected" and contact.segment is not None and contact.segment.wish != "hold"


def _refuse(code: str, message: str) -> NoReturn:
    raise Refused(code, message)
