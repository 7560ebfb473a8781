"""Codes that an agent dials on their own phone instead of a number: park the caller, fetch one from a place.

    *68, *68NN   park whom one talks with, at the first free place, which is spoken, or at NN
    *88, *88NN   fetch the caller whom one has parked, or whoever is at NN

Whose wish it is says the account with whose password the phone has dialled, never a name or number that it shows. What
a caller types, or an agent during a talk, is read nowhere.
"""

import re
from collections.abc import Iterator
from typing import Final, NoReturn

from msgspec import Struct

from orchestrator.domain.contacts import commands, handling
from orchestrator.domain.contacts.announcing import prompts_for_park
from orchestrator.domain.contacts.legs import LEG_GRACE
from orchestrator.domain.kernel import SECOND, Instant, Refused
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import HangUpLeg, SayAndHangUp
from orchestrator.domain.switch.nodes import PhoneCodeDialled, StrayLegFound
from orchestrator.domain.world import World
from orchestrator.policies.base import Ids, TellContact
from orchestrator.policies.talk import conversations
from orchestrator.runner import inputs, parking
from orchestrator.runner.memory import Memory
from orchestrator.runner.telling import AppendNode, Tell

PARK: Final = "park"
RETRIEVE: Final = "retrieve"
# Those of many telephone systems; two digits are as many as places have (`domain.contacts.parks.PLACES`).
CODES: Final = {"*68": PARK, "*88": RETRIEVE}
_CODE = re.compile(r"(\*68|\*88)([0-9]{0,2})")

# How the phone's call ends: as one that is over, or as one that was refused.
_DONE: Final = "NORMAL_CLEARING"
_REFUSED: Final = "CALL_REJECTED"
# News that was longer under way than others of its switch was held back: whoever dialled has given up and does
# something else by now.
_LATE: Final = 5 * SECOND


class Wish(Struct, frozen=True):
    """What a code stands for; place 0: none was dialled."""

    what: str
    place: int


def read(dialled: str) -> Wish | None:
    """What was dialled, where it is a code to the last sign; None for everything else."""
    found = _CODE.fullmatch(dialled)
    return Wish(CODES[found[1]], int(found[2] or 0)) if found is not None else None


def dialled(world: World, memory: Memory, fact: facts.LegParked, wish: Wish, now: Instant, ids: Ids) -> Iterator[Tell]:
    """The phone's own leg ends, whatever becomes of the wish, once it has heard which place was chosen for it; and the
    wish is done, or why it is not is recorded.
    """
    shift = world.shifts.get(world.shift_at.get(fact.account, "")) if fact.account else None
    if shift is not None and shift.agent_id not in world.agents:
        shift = None  # removed while they talk: their shift lasts as long, and the desk takes nothing from them either
    late = fact.at is not None and memory.late_by(fact.node, fact.at, now) > _LATE
    done, refused = ((), "too_late") if late else _done(world, shift, wish, now, ids)
    yield AppendNode(
        fact.node,
        (
            StrayLegFound(leg=fact.leg, contact_id="", offer_id=""),
            PhoneCodeDialled(
                leg=fact.leg,
                wish=wish.what,
                place=wish.place,
                agent_id=shift.agent_id if shift is not None else "",
                refused=refused,
            ),
        ),
    )
    end = _end(fact, wish, done, ids)
    if isinstance(end, SayAndHangUp):
        memory.note_spoken(fact.leg, Instant(now + LEG_GRACE))
    yield end  # before the phone is rung, so that it is free to ring
    yield from done


def _end(fact: facts.LegParked, wish: Wish, done: tuple[TellContact, ...], ids: Ids) -> HangUpLeg | SayAndHangUp:
    """How the phone's call ends: refused; over; or over after it was told of a place that it did not choose."""
    chosen = [told.command.place for told in done if isinstance(told.command, commands.Park) and not wish.place]
    if not chosen:
        cause = _DONE if done else _REFUSED
        return HangUpLeg(id=ids.of("hang_up", fact.leg), node=fact.node, leg=fact.leg, cause=cause)
    prompts = prompts_for_park(chosen[0])
    return SayAndHangUp(id=ids.of("say", fact.leg), node=fact.node, leg=fact.leg, prompts=prompts, cause=_DONE)


def _done(world: World, shift: Shift | None, wish: Wish, now: Instant, ids: Ids) -> tuple[tuple[TellContact, ...], str]:
    """The command by which the wish is done; or none, and the code of the refusal."""
    if shift is None:
        return (), "not_signed_in"
    try:
        told = _asked(world, shift, wish, now, ids)
        # Here, where a refusal can still be told: nothing lies between, so the step decides the same once more.
        handling.decide(world.contacts.get(told.contact_id), told.command)
    except Refused as refused:
        return (), refused.code
    return (told,), ""


def _asked(world: World, shift: Shift, wish: Wish, now: Instant, ids: Ids) -> TellContact:
    number = world.agents[shift.agent_id].number
    if wish.what == PARK:
        found = conversations(world, shift.shift_id)
        # A phone puts its caller on hold to dial: with two of them there, it does not say which one is meant.
        if len(found) > 1 and sum(each.status != "held" for each in found) != 1:
            _refuse("which_one", "Several callers are on hold; say at the desk which one is meant.")
        return parking.park(world, shift, inputs.Park(agent=number, place=wish.place), now)
    place = wish.place or _own_place(world, shift)
    return parking.retrieve(world, shift, inputs.Retrieve(agent=number, place=place), now, ids)


def _own_place(world: World, shift: Shift) -> int:
    """Where the one caller is whom this agent has parked. Raises `Refused` where there is none, or several."""
    own = [parked.place for parked, _ in parking.parked_now(world) if parked.agent_id == shift.agent_id]
    if len(own) > 1:
        _refuse("which_one", "You have parked several callers; dial the place of the one that is meant.")
    if not own:
        _refuse("place_empty", "You have parked nobody; dial the place of the caller who is meant.")
    return own[0]


def _refuse(code: str, message: str) -> NoReturn:
    raise Refused(code, message)
