"""Who is in a conference, as desks and the floor show it."""

from msgspec import Struct

from orchestrator.domain.contacts.consults import Consult
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guests import Guest, are_together, persons
from orchestrator.domain.world import World


class Member(Struct, frozen=True, kw_only=True):
    """Somebody in a conference beside agent and caller, or invited to it. `state`: ringing, joining or in."""

    name: str
    target: str
    """By which they are named where they are let go: `agent:` and the employee number, or `number:` and the number."""
    state: str

    @property
    def outside(self) -> bool:
        """Whether it is a number outside."""
        return self.target.startswith("number:")


def members_of(world: World, contact: Contact) -> tuple[Member, ...]:
    """Who was asked first, and the guests, as they were invited; nobody where three do not hear each other."""
    if contact.consult is None or not are_together(contact):
        return ()
    first = Member(name=name_of_asked(world, contact.consult), target=_target(world, contact.consult), state="in")
    return (first, *(_guest(world, guest) for guest in contact.guests))


def room_left(world: World, contact: Contact) -> int:
    """How many more may be invited."""
    return max(world.conferences.most - persons(contact), 0) if are_together(contact) else 0


def name_of_asked(world: World, asked: Consult | Guest) -> str:
    """The name of whoever is asked or invited: the agent's, or the number outside."""
    agent = world.agents.get(asked.reservation.agent_id) if asked.reservation is not None else None
    return (agent.name or agent.number) if agent is not None else asked.number


def _guest(world: World, guest: Guest) -> Member:
    state = "in" if guest.joined else "joining" if guest.answered else "ringing"
    return Member(name=name_of_asked(world, guest), target=_target(world, guest), state=state)


def _target(world: World, asked: Consult | Guest) -> str:
    agent = world.agents.get(asked.reservation.agent_id) if asked.reservation is not None else None
    return f"agent:{agent.number}" if agent is not None else f"number:{asked.number}"
