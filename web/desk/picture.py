"""What one agent's desk shows, from the live state alone: plain data that a template writes down."""

from typing import Final

from msgspec import Struct

from orchestrator.domain.contacts.consults import CALLER, CONSULTING, TOGETHER, Consult
from orchestrator.domain.contacts.contacts import Contact, Offer
from orchestrator.domain.contacts.dials import DIALLING
from orchestrator.domain.contacts.dials import under_way as dial_under_way
from orchestrator.domain.contacts.guests import Guest, guest_of_shift
from orchestrator.domain.contacts.outward import to_be_called
from orchestrator.domain.contacts.transfers import under_way
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.staff.engagements import VOICE, capacity_of
from orchestrator.domain.staff.forcing import Forced
from orchestrator.domain.staff.shifts import STAND_DOWN, Shift, why_not_by_hand
from orchestrator.domain.world import World
from orchestrator.policies.talk import conversations
from projections.live import LiveView
from projections.live_calls import Call, name_of
from projections.live_tallies import Tally
from web.desk.gathered import Member, apart_of, members_of, name_of_asked, room_left
from web.desk.hearing import Hearing, hearing_of, seen_by_agent
from web.desk.parked import AtPlace, by_agent
from web.desk.tapes import Tape, tape_of
from web.desk.voices import may_speak, voice_of

ENGAGED: Final = ("ringing", "calling", "connecting", "consulted", "monitoring", "talking", "held")


class Ring(Struct, frozen=True, kw_only=True):
    """A contact that is offered to this agent."""

    offer_id: str
    contact_id: str
    customer_id: str
    number: str
    name: str
    queue: str
    queued_at: Instant
    deadline: Instant
    ring_ms: int
    """How long it rings in all."""
    others: int
    """Further agents whose phones ring for it."""
    accepted: bool
    """The phone has answered; the legs are being joined."""
    passed_on_by: str = ""
    """The name of the agent who passes the caller on; empty where nobody does."""
    asked_by: str = ""
    """The name of the agent who asks about a caller with whom they talk; empty where the caller is offered."""
    together: bool = False
    """Caller, whoever asks and this agent hear each other."""
    invited: bool = False
    """Invited to those who hear each other, and not asked about the caller."""
    beside: int = 0
    """How many more are in the conference, or invited to it."""
    apart: str = ""
    """Of a guest who is not in the room with the others: held (they hear music) or alone (with whoever asks)."""
    callback: bool = False
    """The customer is not on the line: they are called once this agent's phone has answered."""
    dialled: str = ""
    """How far the agent's own call to this number has come: own_phone, number or joining; empty where it is none."""


class Asked(Struct, frozen=True, kw_only=True):
    """Who is asked about the caller with whom this agent talks. `state`: ringing, joining, consulted (the agent talks
    with them), caller (with the caller, and they wait), together (all three hear each other) or back (nobody is asked
    any more, the caller is to come back).
    """

    name: str
    state: str


class Talk(Struct, frozen=True, kw_only=True):
    """A conversation in hand."""

    contact_id: str
    customer_id: str
    number: str
    name: str
    queue: str
    since: Instant
    held: bool
    wish: str
    """`hold` or `resume` where the switch has not said that it is so."""
    asked: Asked | None
    """Who is consulted about the caller, who hears music meanwhile."""
    members: tuple[Member, ...]
    """Who is in the conference beside agent and caller, or invited to it; nobody where three do not hear each other."""
    places: int
    """How many more may be invited."""

    @property
    def listed(self) -> bool:
        """Whether the members are shown one by one: more than three hear each other, or one of them is muted."""
        return len(self.members) > 1 or any(each.muted for each in self.members)

    @property
    def apart(self) -> str:
        """The name of the one with whom the agent speaks alone; empty where with none."""
        return next((each.name for each in self.members if each.state == "alone"), "")

    heard_by: tuple[str, str]
    """The supervisor who hears the talk, and how they are heard in it, where the agent is to be told; else empty."""
    nuisance: bool
    """Whether the agent has marked the caller: further calls are refused."""
    tape: Tape
    voice: str
    """Whether the agent is heard: `heard`, `muting`, `muted`, `unmuting` or `unsure`."""
    may_speak: frozenset[str]
    """What may be done with the voice, and whether keys may be pressed."""


class WrapUp(Struct, frozen=True, kw_only=True):
    """After-call work."""

    contact_id: str
    customer_id: str
    number: str
    queue: str
    queue_id: str
    until: Instant | None
    can_extend: bool
    later: int
    """Further conversations whose after-call work comes after this one's."""
    gone_on: bool = False
    """The contact is somebody else's: who has it, will have it, or had it last."""


class Desk(Struct, frozen=True, kw_only=True):
    """Everything on the page. `state`: signed_out, paused, ready, cooling_down, ringing, calling, connecting,
    consulted, monitoring, talking, held, wrapping_up.
    """

    agent: Agent
    extension: str
    phone: str
    """`in_use`, `unreachable` or `idle`."""
    registration: str
    """Whether a switch can reach it: `registered`, `gone`, or `unknown`."""
    state: str
    reason: str
    since: Instant | None
    signed_in_at: Instant | None
    cooling_until: Instant | None
    next_pause: str
    next_sign_out: bool
    rings: tuple[Ring, ...]
    talk: Talk | None
    """The conversation that is active, or that was last where all are on hold."""
    others: tuple[Talk, ...]
    """Further callers of this agent, on hold."""
    parked: tuple[AtPlace, ...]
    """Whom this agent parked."""
    wrap_up: WrapUp | None
    missed: Call | None
    """The call for which the agent was stood down, while that is so."""
    stood_down: str
    """Why, where the system did it."""
    calls: tuple[Call, ...]
    tally: Tally
    """What was done since the seat was taken."""
    queues: tuple[str, ...]
    """The queues whose contacts this agent may be offered."""
    may: frozenset[str]
    """The actions that make sense now; a button for another one is off."""
    about: str
    """The offer or contact that actions mean."""
    shown_contact: str
    """The contact whose caller the screen pop shows: the one that rings, talks or is wrapped up; else none."""
    desk_id: str
    """The desk that has the agent's seat; empty where none is there."""
    pop_version: str
    """Changes when the screen pop has to be fetched anew."""
    away: bool
    hearing: Hearing | None
    """The talk that this agent hears as a supervisor."""
    forced: Forced | None
    """What somebody else made of the agent, who has not moved on since."""

    @property
    def day_version(self) -> str:
        """Changes when the list of the day has to be fetched anew."""
        last = self.calls[0] if self.calls else None
        return "" if last is None else f"{last.contact_id}-{last.outcome}"


def desk_of(view: LiveView, agent_id: str) -> Desk | None:
    """The desk of this agent; None where no agent of this id is configured."""
    with view.still() as world:
        agent = world.agents.get(agent_id)
        if agent is None:
            return None
        shift = world.shifts.get(world.shift_of_agent.get(agent_id, ""))
        contact = contact_in_hand(world, shift)
        calls = view.calls_of(agent_id)
        state = state_of(world, shift)
        rings = tuple(_rings(world, agent_id))
        talks = _talks(world, shift, contact)
        talk, others = (talks[0], talks[1:]) if talks else (None, ())
        shown = contact.contact_id if contact is not None else shift.contact_id if shift is not None else ""
        wrap_up = _wrap_up(view, shift, calls)
        extension = shift.extension if shift is not None else agent.extension
        stood_down = shift.reason if shift is not None and shift.reason in _STOOD_DOWN else ""
        return Desk(
            agent=agent,
            extension=extension,
            phone=_phone(world, shift, extension),
            registration=world.phone(extension),
            state=state,
            reason=shift.reason if shift is not None and shift.status == "paused" else "",
            since=_since(shift, contact),
            signed_in_at=shift.signed_in_at if shift is not None else None,
            cooling_until=shift.cooling_until if shift is not None else None,
            next_pause=shift.next_pause if shift is not None else "",
            next_sign_out=bool(shift is not None and shift.next_sign_out),
            rings=rings,
            talk=talk,
            others=others,
            parked=by_agent(world, agent),
            wrap_up=wrap_up,
            missed=_missed(shift, calls),
            stood_down=stood_down,
            calls=calls,
            tally=view.tally_of(agent_id),
            queues=_queues(world, agent),
            may=may(state, agent, shift, talks, wrap_up, rings),
            about=next((ring.offer_id for ring in rings), shown),
            shown_contact=shown,
            desk_id=shift.desk.desk_id if shift is not None and shift.desk and shift.desk.state == "attached" else "",
            pop_version=_pop_version(view, shown, contact, calls),
            away=view.away,
            hearing=hearing_of(world, shift),
            forced=shift.forced if shift is not None else world.sent_away.get(agent_id),
        )


_STOOD_DOWN: Final = frozenset({*STAND_DOWN.values(), "desk_lost"})


def contact_in_hand(world: World, shift: Shift | None) -> Contact | None:
    """Of the contacts that this agent has in hand the one that matters most now: what rings, else whom they talk with,
    else whoever is on hold. None where nobody is in hand, or the contact is over.
    """
    if shift is None:
        return None
    found = [world.contacts.get(each.contact_id) for each in shift.engagements]
    live = [contact for contact in found if contact is not None]
    order = {"offered": 0, "connecting": 0, "calling_back": 0, DIALLING: 0, "connected": 1, CONSULTING: 1, "held": 2}
    return min(reversed(live), key=lambda contact: order.get(contact.status, len(order)), default=None)


def state_of(world: World, shift: Shift | None) -> str:
    """The state as people name it, finer than the shift's own; of several callers, that of the active one."""
    if shift is None:
        return "signed_out"
    match shift.status:
        case "reserved":
            contact = contact_in_hand(world, shift)
            if hearing_of(world, shift) is not None:
                return "monitoring"
            offer = contact.offer if contact is not None else None
            if contact is not None and contact.status in ("calling_back", DIALLING):
                return "calling"
            if contact is not None and (guest := guest_of_shift(contact, shift.shift_id)) is not None:
                return "consulted" if guest.answered else "ringing"
            if contact is not None and contact.consult is not None and contact.consult.answered:
                return "consulted"
            joining = offer is not None and offer.accepted and _mine(offer, shift) == offer.accepted
            return "connecting" if joining else "ringing"
        case "talking" if conversations(world, shift.shift_id) and not _active(world, shift):
            return "held"
        case "ready" if shift.cooling_until is not None:
            return "cooling_down"
    return shift.status


def _active(world: World, shift: Shift) -> bool:
    return any(contact.status != "held" for contact in conversations(world, shift.shift_id))


def may(
    state: str,
    agent: Agent,
    shift: Shift | None,
    talks: tuple[Talk, ...],
    wrap_up: WrapUp | None,
    rings: tuple[Ring, ...],
) -> frozenset[str]:
    """The actions that are possible in this state."""
    if shift is None:
        return frozenset({"sign_in"})
    found = {"pause"}
    wishes = bool(shift.next_pause or shift.next_sign_out)
    if not shift.next_sign_out:
        found.add("sign_out")
    if state in {"paused", "wrapping_up"} or (state in ENGAGED and wishes):
        found.add("ready")
    if any(not ring.accepted for ring in rings):
        found |= {"accept", "reject"}
    if state == "monitoring":
        found.add("end_monitor")
    if any(ring.accepted and (ring.callback or ring.asked_by or ring.dialled == "number") for ring in rings):
        found.add("reject")
    if talks:
        found.add("hang_up")
    for talk in talks:
        found |= _may_of(talk) | talk.tape.may | talk.may_speak
    if any(talk.number and not talk.nuisance for talk in talks):
        found.add("mark_nuisance")
    if all(talk.held for talk in talks) and why_not_by_hand(shift, VOICE, capacity_of(agent.capacity, VOICE)) is None:
        found |= {"pick", "retrieve", "dial"}
    if state == "wrapping_up":
        found |= {"wrap_up", "retrieve"}  # of the caller whose after-call work it is
        if why_not_by_hand(shift, VOICE, capacity_of(agent.capacity, VOICE), leaves_wrap_up=True) is None:
            found.add("dial")
        if wrap_up is not None and wrap_up.can_extend:
            found.add("extend")
    return frozenset(found)


def _may_of(talk: Talk) -> set[str]:
    """What this conversation allows beside hanging up."""
    if talk.asked is None:
        wish = "resume" if talk.held else "hold"
        return {"transfer", "park"} if talk.wish else {"transfer", "park", wish}
    if talk.asked.state == "back":
        return set()
    more = len(talk.members) > 1
    there = {"switch_consult"} if talk.asked.state in ("consulted", "caller", "together") and not more else set()
    if talk.asked.state in ("consulted", "caller"):
        there.add("confer")
    return {"complete_consult", "end_consult", *there}


def _rings(world: World, agent_id: str) -> list[Ring]:
    found = []
    for contact in world.contacts.values():
        offer, consult = contact.offer, contact.consult
        if consult is not None and not consult.over:
            if consult.reservation is not None and consult.reservation.agent_id == agent_id:
                found.append(_ring_of_asked(world, contact, consult))
            found += [_ring_of_asked(world, contact, guest) for guest in contact.guests if _is_of(guest, agent_id)]
            continue
        if offer is None:
            continue
        mine = next((held for held in offer.reservations if held.agent_id == agent_id), None)
        if mine is not None:
            found.append(
                Ring(
                    offer_id=offer.offer_id,
                    contact_id=contact.contact_id,
                    customer_id=contact.customer_id,
                    number=number_of(contact),
                    name=name_of(contact),
                    queue=queue_name(world, contact.queue_id),
                    queued_at=contact.visit.queued_at if contact.visit is not None else contact.arrived_at,
                    deadline=offer.deadline,
                    ring_ms=max(1, (offer.deadline - offer.made_at) // MILLISECOND),
                    others=len(offer.reservations) - 1,
                    accepted=offer.accepted == mine.leg,
                    passed_on_by=_passed_on_by(world, contact),
                    callback=to_be_called(contact) is not None,
                    dialled=_dialled(contact, offer),
                )
            )
    return sorted(found, key=lambda ring: ring.queued_at)


def _dialled(contact: Contact, offer: Offer) -> str:
    """How far the agent's own call to this number has come; empty where it is none."""
    dial = dial_under_way(contact)
    if dial is None:
        return ""
    if not offer.accepted:
        return "own_phone"
    return "joining" if dial.reached else "number"


def _is_of(guest: Guest, agent_id: str) -> bool:
    return guest.reservation is not None and guest.reservation.agent_id == agent_id


def _ring_of_asked(world: World, contact: Contact, asked: Consult | Guest) -> Ring:
    guest = isinstance(asked, Guest)
    asking = world.agents.get(contact.segment.agent_id) if contact.segment is not None else None
    return Ring(
        offer_id=asked.guest_id if isinstance(asked, Guest) else asked.consult_id,
        contact_id=contact.contact_id,
        customer_id=contact.customer_id,
        number=number_of(contact),
        name=name_of(contact),
        queue=queue_name(world, contact.queue_id),
        queued_at=asked.asked_at,
        deadline=asked.due,
        ring_ms=max(1, (asked.due - asked.asked_at) // MILLISECOND),
        others=0,
        accepted=asked.answered,
        asked_by=asking.name or asking.number if asking is not None else "",
        invited=guest,
        apart=apart_of(contact, asked) if isinstance(asked, Guest) else "",
        together=asked.joined if isinstance(asked, Guest) else asked.hears == TOGETHER and not asked.wish,
        beside=len(members_of(world, contact)) - 1,
    )


def _asked(world: World, consult: Consult | None) -> Asked | None:
    if consult is None:
        return None
    state = "ringing"
    if consult.over:
        state = "back"
    elif consult.wish:
        state = "joining"
    elif consult.answered:
        state = {CALLER: "caller", TOGETHER: "together"}.get(consult.hears, "consulted")
    return Asked(name=name_of_asked(world, consult), state=state)


def _passed_on_by(world: World, contact: Contact) -> str:
    transfer = under_way(contact)
    agent = world.agents.get(transfer.agent_id) if transfer is not None else None
    return agent.name or agent.number if agent is not None else ""


def _talks(world: World, shift: Shift | None, first: Contact | None) -> tuple[Talk, ...]:
    """The agent's conversations, the active one first, the others as they began."""
    found = conversations(world, shift.shift_id) if shift is not None else []
    found.sort(key=lambda contact: (contact.status == "held", contact is not first))
    return tuple(
        Talk(
            contact_id=contact.contact_id,
            customer_id=contact.customer_id,
            number=number_of(contact),
            name=name_of(contact),
            queue=queue_name(world, contact.queue_id),
            since=contact.segment.since,
            held=contact.status == "held",
            wish=contact.segment.wish,
            asked=_asked(world, contact.consult),
            members=members_of(world, contact),
            places=room_left(world, contact),
            heard_by=seen_by_agent(world, contact),
            nuisance=contact.nuisance,
            tape=tape_of(world, contact),
            voice=voice_of(contact.segment),
            may_speak=may_speak(contact),
        )
        for contact in found
        if contact.segment is not None
    )


def _wrap_up(view: LiveView, shift: Shift | None, calls: tuple[Call, ...]) -> WrapUp | None:
    if shift is None or shift.status != "wrapping_up":
        return None
    world = view.world
    call = next((each for each in calls if each.contact_id == shift.contact_id), None)
    queue_id = call.queue_id if call is not None else ""
    until = world.timers.due_of(("wrap_up", shift.shift_id))
    return WrapUp(
        contact_id=shift.contact_id,
        customer_id=call.customer_id if call is not None else "",
        number=call.number if call is not None else "",
        queue=queue_name(world, queue_id),
        queue_id=queue_id,
        until=until,
        can_extend=until is not None and until < shift.wrap_at_most,
        later=len(shift.postponed),
        gone_on=_has_gone_on(view, shift),
    )


def _has_gone_on(view: LiveView, shift: Shift) -> bool:
    """Whether the contact that this agent has talked with waits for somebody else, or talks or talked with them."""
    contact = view.world.contacts.get(shift.contact_id)
    if contact is not None and contact.visit is not None:
        return True
    if contact is not None and contact.segment is not None:
        return contact.segment.shift_id != shift.shift_id
    return view.calls.talked_last(shift.contact_id) not in ("", shift.agent_id)


def _missed(shift: Shift | None, calls: tuple[Call, ...]) -> Call | None:
    """The call whose ring was missed, while the agent is stood down for it."""
    if shift is None or shift.status != "paused" or shift.reason not in STAND_DOWN.values():
        return None
    return next((call for call in calls if call.reason == shift.reason), None)


def _pop_version(view: LiveView, shown: str, contact: Contact | None, calls: tuple[Call, ...]) -> str:
    if not shown:
        return ""
    known = contact.customer_id if contact is not None else ""
    customer = known or next((call.customer_id for call in calls if call.contact_id == shown), "")
    return f"{customer[:8]}-{view.last_change(f'customer:{customer}')}" if customer else ""


def _queues(world: World, agent: Agent) -> tuple[str, ...]:
    return tuple(
        sorted(
            queue.queue_id
            for queue in world.queues.values()
            if queue.open and agent.skills.get(queue.settings.skill, 0) >= max(queue.settings.min_level, 1)
        )
    )


def _phone(world: World, shift: Shift | None, extension: str) -> str:
    if extension in world.lines:
        return "in_use"
    return "unreachable" if shift is not None and shift.reason == "phone_unreachable" else "idle"


def _since(shift: Shift | None, contact: Contact | None) -> Instant | None:
    if shift is None:
        return None
    if shift.status == "talking" and contact is not None and contact.segment is not None:
        return contact.segment.since
    return shift.since


def _mine(offer: Offer, shift: Shift) -> str:
    return next((held.leg for held in offer.reservations if held.shift_id == shift.shift_id), "")


def number_of(contact: Contact) -> str:
    """The number at which this contact's customer is reached: where they want to be called, or where they call from."""
    return contact.callback.number if contact.callback is not None else contact.caller_number


def queue_name(world: World, queue_id: str) -> str:
    """The queue as people call it."""
    queue = world.queues.get(queue_id)
    return queue.settings.name if queue is not None else queue_id
