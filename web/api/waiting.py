"""Who waits, and what people do with them by hand: take, give, move, hurry."""

from typing import Annotated

from msgspec import Meta, Struct

from orchestrator.domain.kernel import Refused
from orchestrator.domain.world import World
from orchestrator.runner.hands import POINTS
from web.access.visitor import me
from web.api.floor import READY_S
from web.api.forms import Done, Ident, Items, Line, Number, Time, Word, number_of, time_of
from web.desk.parked import AtPlace
from web.desk.parked import parked as at_places
from web.desk.waiting import everybody, may_take_from
from web.floor import acts, callbacks
from web.parts import parts
from web.push.present import live

Reason = Annotated[Word, Meta(description=f"A code, such as {', '.join(sorted(acts.CODES))}.")]


class Waiter(Struct, frozen=True, kw_only=True):
    """Somebody who waits. `place`: 1 is served first in this queue; `points`: what a leader gave."""

    contact_id: str
    queue_id: str
    place: int
    points: int
    since: Time
    customer_id: str
    caller_number: Number


class Parked(Struct, frozen=True, kw_only=True):
    """Somebody who is parked, until `until` at the latest. `agent`: the employee number of whoever parked them."""

    place: int
    contact_id: str
    queue_id: str
    agent: str
    since: Time
    until: Time
    customer_id: str
    caller_number: Number


class Callback(Struct, frozen=True, kw_only=True):
    """A customer who is to be called back. `place`: 1 is served first, 0 is out of its turn; `missed`: how often it was
    tried in vain, of at most `tries`; `again_at`: when the peace after the last try is over.
    """

    contact_id: str
    queue_id: str
    state: Annotated[
        str, Meta(description="`awaiting_callback`, `callback_later`, `offered`, `connecting` or `calling_back`.")
    ]
    place: int
    points: int
    since: Time
    number: Number
    missed: int
    tries: int
    again_at: Time | None
    give_up_at: Time


class CallbackWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a customer wants to be called."""

    number: Annotated[Line, Meta(description="Empty: the number that the network showed.")] = ""


class CalledOff(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why nobody is to be called back any more."""

    reason: Annotated[Word, Meta(description=f"A code, such as {', '.join(sorted(callbacks.CODES))}.")]


class Pick(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who gets the contact: one's own agent where none is named."""

    agent: Annotated[Ident, Meta(description="Employee number.")] = ""
    reason: Reason = "by_hand"


class Move(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the contact waits from now on."""

    queue_id: Ident
    reason: Reason


class Priority(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How urgent the contact is, beside its queue's own priority. 0 takes back what was given."""

    points: Annotated[int, Meta(ge=POINTS[0], le=POINTS[1])]
    reason: Reason


def waiting() -> Items[Waiter]:
    """Who waits: for an agent, in the queues from which they may take; for a leader, in all"""
    live().view.wait_ready(READY_S)
    with live().view.still() as world:
        found = everybody(world, _queues_in_sight(world))
    return Items(
        [
            Waiter(
                contact_id=each.contact_id,
                queue_id=each.queue_id,
                place=each.place,
                points=each.points,
                since=time_of(each.since),
                customer_id=each.customer_id,
                caller_number=number_of(each.number),
            )
            for each in found
        ]
    )


def parked() -> Items[Parked]:
    """Who is parked: for an agent, whom they may retrieve; for a leader, whom agents parked whom they see"""
    live().view.wait_ready(READY_S)
    with live().view.still() as world:
        queues, own, scope = _queues_in_sight(world), me().agent_id, me().scope

        def seen(each: AtPlace) -> bool:
            by = world.agents.get(each.agent_id)
            theirs = not scope.limited or (by is not None and scope.holds(by))
            return each.agent_id == own or (theirs and each.queue_id in queues)

        found = at_places(world, seen)
    return Items(
        [
            Parked(
                place=each.place,
                contact_id=each.contact_id,
                queue_id=each.queue_id,
                agent=each.by_number,
                since=time_of(each.since),
                until=time_of(each.until),
                customer_id=each.customer_id,
                caller_number=number_of(each.number),
            )
            for each in found
        ]
    )


def _queues_in_sight(world: World) -> frozenset[str]:
    agent = world.agents.get(me().agent_id)
    seen = frozenset(world.queues) if me().may("waiting.direct") else frozenset[str]()
    return seen | may_take_from(world, agent) if agent is not None else seen


def pick(contact_id: str, body: Pick, key: str) -> Done:
    """Take a waiting contact before its turn, or give it to an agent"""
    return Done(position=parts().do(acts.giving(body.agent or _own_number(), contact_id, body.reason, key)))


def move(contact_id: str, body: Move, key: str) -> Done:
    """Let a waiting contact wait in another queue"""
    return Done(position=parts().do(acts.moving(contact_id, body.queue_id, body.reason, key)))


def prioritise(contact_id: str, body: Priority, key: str) -> Done:
    """Change how urgent a waiting contact is"""
    return Done(position=parts().do(acts.hurrying(contact_id, body.points, body.reason, key)))


def planned() -> Items[Callback]:
    """Who is to be called back, and how far it has come"""
    live().view.wait_ready(READY_S)
    return Items(
        [
            Callback(
                contact_id=each.contact_id,
                queue_id=each.queue_id,
                state=each.state,
                place=each.place,
                points=each.points,
                since=time_of(each.since),
                number=number_of(each.number),
                missed=each.missed,
                tries=each.tries,
                again_at=time_of(each.again_at or None),
                give_up_at=time_of(each.give_up_at),
            )
            for each in callbacks.in_sight()
        ]
    )


def ask_callback(contact_id: str, body: CallbackWish, key: str) -> Done:
    """Let a waiting caller go, and call back when it is their turn"""
    return Done(position=parts().do(callbacks.asking(contact_id, body.number, key)))


def call_off(contact_id: str, body: CalledOff, key: str) -> Done:
    """Call nobody back for this contact any more"""
    return Done(position=parts().do(callbacks.cancelling(contact_id, body.reason, key)))


def _own_number() -> str:
    with live().view.still() as world:
        agent = world.agents.get(me().agent_id)
    if agent is None:
        raise Refused("no_agent", "You are no agent of the configuration; name one.")
    return agent.number
