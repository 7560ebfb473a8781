"""Who is in a conference, as desks and the floor show it."""

from msgspec import Struct

from orchestrator.domain.contacts.asides import Hushed, alone_with, hushed_of
from orchestrator.domain.contacts.consults import Consult
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guests import Guest, are_together, persons
from orchestrator.domain.world import World


class Member(Struct, frozen=True, kw_only=True):
    """Somebody in a conference beside agent and caller, or invited to it. `state`: ringing, joining, in, held (they
    hear music), parting (being joined with the agent) or alone (with the agent).
    """

    name: str
    target: str
    """By which they are named where they are let go: `agent:` and the employee number, or `number:` and the number."""
    state: str
    muted: str = ""
    """`muted`, `muting`, `unmuting`, or `unsure` where the switch did not answer; empty: heard."""
    may: frozenset[str] = frozenset()
    """Of hold_member, recall_member, speak_alone, mute_member and unmute_member what can be done with them now."""

    @property
    def outside(self) -> bool:
        """Whether it is a number outside."""
        return self.target.startswith("number:")


def members_of(world: World, contact: Contact) -> tuple[Member, ...]:
    """Who was asked first, and the guests, as they were invited; nobody where three do not hear each other."""
    if contact.consult is None or not are_together(contact):
        return ()
    stay = any(guest.joined for guest in contact.guests)
    first = _member(world, contact, contact.consult, "in", apart=stay)
    return (first, *(_member(world, contact, guest, _state(contact, guest), apart=True) for guest in contact.guests))


def _member(world: World, contact: Contact, asked: Consult | Guest, state: str, *, apart: bool) -> Member:
    """`apart`: whether they can be taken out of the room."""
    muted = _muted(hushed_of(contact, asked.leg))
    may: set[str] = set()
    if state == "in":
        may.add("unmute_member" if muted in ("muted", "muting", "unsure") else "mute_member")
    if apart and state in ("in", "alone"):
        may.add("hold_member")
    if state in ("held", "alone"):
        may.add("recall_member")
    if apart and state in ("in", "held") and contact.aside is None and not any(each.alone for each in contact.guests):
        may.add("speak_alone")
    return Member(
        name=name_of_asked(world, asked), target=_target(world, asked), state=state, muted=muted, may=frozenset(may)
    )


def _muted(hushed: Hushed | None) -> str:
    if hushed is None:
        return ""
    if hushed.failed:
        return "unsure"
    if hushed.wish:
        return "muting" if hushed.wish == "mute" else "unmuting"
    return "muted" if hushed.muted else ""


def room_left(world: World, contact: Contact) -> int:
    """How many more may be invited."""
    return max(world.conferences.most - persons(contact), 0) if are_together(contact) else 0


def name_of_asked(world: World, asked: Consult | Guest) -> str:
    """The name of whoever is asked or invited: the agent's, or the number outside."""
    agent = world.agents.get(asked.reservation.agent_id) if asked.reservation is not None else None
    return (agent.name or agent.number) if agent is not None else asked.number


def _state(contact: Contact, guest: Guest) -> str:
    if alone_with(contact) == guest.leg:
        return "alone" if contact.aside is not None and contact.aside.talking else "parting"
    if guest.held:
        return "held"
    return "in" if guest.joined else "joining" if guest.answered else "ringing"


def apart_of(contact: Contact, guest: Guest) -> str:
    """Where a guest is who is not in the room: held, alone with the agent, or empty."""
    state = _state(contact, guest)
    return state if state in ("held", "alone") else ""


def _target(world: World, asked: Consult | Guest) -> str:
    agent = world.agents.get(asked.reservation.agent_id) if asked.reservation is not None else None
    return f"agent:{agent.number}" if agent is not None else f"number:{asked.number}"
