"""More than two: consultations, guests, whoever listens, and who is muted."""

# ruff: noqa: ANN401 - a wrong function has to fit whatever right one it stands for

from typing import Any

from msgspec.structs import replace

from orchestrator.domain.contacts import asides, consults, guesting, monitoring, speaking
from orchestrator.domain.contacts.commands import NoteAgentParked
from orchestrator.domain.contacts.consult_events import ConsultAsked, ConsultClosed
from orchestrator.domain.contacts.guest_events import GuestHeld, GuestPromoted
from orchestrator.domain.contacts.guests import members, room
from orchestrator.domain.switch.instructions import BridgeLegs, ConferLeg, EavesdropLeg
from orchestrator.runner import sensing
from tests.simulation.mutants.modules import consult, consult_policy, invite, monitor, reserve
from tests.simulation.mutants.planting import Mutant, around, instead, policy
from tests.simulation.mutants.skies import CALM, CONSULTED, EVERY_ROW, GATHERED, PROMPT, ROWS, TALKATIVE
from tests.simulation.run import Size
from tests.simulation.weather import Weather

_MUTED = Size(contacts=60, agents=20, consults=1.0, mutes=0.5, willing=True)


def _mutes_forgotten(contact: Any, *legs: str) -> Any:
    return replace(contact, hushed=tuple(each for each in contact.hushed if legs and each.leg not in legs))


def _muted_once_asked(right: Any, segment: Any, event: Any) -> Any:
    after = right(segment, event)
    return replace(after, muted=True, mute_wish="") if isinstance(event, speaking.MuteAsked) else after


_MONITORED = Size(contacts=60, agents=12, monitors=1.0, willing=True)

_MONITORED_AND_MUTED = Size(contacts=40, agents=10, monitors=1.0, voices=1.0, willing=True)


def _whoever_is_parted_is_left_apart(right: Any, *args: Any) -> Any:
    return (tell for tell in right(*args) if not isinstance(getattr(tell, "command", None), NoteAgentParked))


def _away_as_somebody_is_asked(right: Any, contact: Any, event: Any, at: Any) -> Any:
    after = right(contact, event, at)
    return replace(after, consult=replace(after.consult, away=True)) if isinstance(event, ConsultAsked) else after


def _whoever_is_on_hold_is_brought_back(world_: Any, happened: Any, ids: Any) -> Any:
    yield from invite(world_, happened, ids)
    if isinstance(happened.record.event, GuestHeld):
        for guest in happened.after.guests:
            if guest.held:
                yield consult_policy.confer_leg(happened.after, room(happened.after), guest.leg, ids)


def _nobody_holds_whom_they_consult(world_: Any, happened: Any, ids: Any) -> Any:
    return () if isinstance(happened.record.event, ConsultAsked) else reserve.reserve(world_, happened, ids)


def _nobody_comes_back_from_a_consultation(world_: Any, happened: Any, ids: Any) -> Any:
    return () if isinstance(happened.record.event, ConsultClosed) else consult(world_, happened, ids)


def _who_stays_is_brought_in_again(world_: Any, happened: Any, ids: Any) -> Any:
    yield from invite(world_, happened, ids)
    if isinstance(happened.record.event, GuestPromoted):
        contact = happened.after
        for leg in members(contact):
            yield ConferLeg(id=ids.of("confer", leg), node=contact.node, leg=leg, room=happened.record.event.room)


def _barges_in_by_a_bridge(world_: Any, happened: Any, ids: Any) -> Any:
    for do in monitor(world_, happened, ids):
        if isinstance(do, EavesdropLeg) and do.mode == "barge":
            caller = happened.after.caller_leg
            yield BridgeLegs(id=ids.of("bridge", do.leg), node=do.node, leg=caller, other=do.leg)
        else:
            yield do


def _a_mute_silences_whoever_barges_in(world_: Any, happened: Any, ids: Any) -> Any:
    return () if isinstance(happened.record.event, speaking.AgentMuted) else monitor(world_, happened, ids)


MUTANTS = (
    Mutant(
        name="take an agent for muted once it was asked for",
        rule="muted",
        make=around(speaking, "evolve", _muted_once_asked),
        weather=Weather(flaps=3),
        size=TALKATIVE,
        seed=115,
    ),
    Mutant(
        name="leave whoever was asked alone in the room",
        rule="together",
        make=instead(consult_policy, "_were_together", lambda _: False),
        size=ROWS,
        weather=Weather(),
        seed=1,
    ),
    Mutant(
        name="consult somebody who is not held for it",
        rule="consulted",
        make=policy(reserve.reserve, _nobody_holds_whom_they_consult),
        weather=CALM,
        size=CONSULTED,
    ),
    Mutant(
        name="invite to a room that is full",
        rule="guests",
        make=instead(guesting, "persons", lambda _: 0),
        weather=Weather(),
        size=GATHERED,
        seed=3,
    ),
    Mutant(
        name="take everybody out of the room and in again as one leaves",
        rule="guests",
        make=policy(invite, _who_stays_is_brought_in_again),
        weather=Weather(),
        size=GATHERED,
        seed=30,
    ),
    Mutant(
        name="leave the caller alone after a consultation",
        rule="consulted",
        make=policy(consult, _nobody_comes_back_from_a_consultation),
        weather=CALM,
        size=CONSULTED,
    ),
    Mutant(
        name="bring a guest who is on hold back into the room",
        rule="apart",
        make=policy(invite, _whoever_is_on_hold_is_brought_back),
        weather=Weather(),
        size=EVERY_ROW,
        seed=145,
    ),
    Mutant(
        name="leave agent and caller apart whom the switch has parted",
        rule="rejoined",
        make=around(sensing, "_of_our_leg", _whoever_is_parted_is_left_apart),
        weather=CALM,
        size=PROMPT,
        seed=128,
    ),
    Mutant(
        name="join a colleague before the agent has left the caller",
        rule="rejoined",
        make=around(consults, "evolve", _away_as_somebody_is_asked),
        weather=Weather(),
        size=PROMPT,
        seed=19,
    ),
    Mutant(
        name="hear a talk for longer than it lasts",
        rule="monitored",
        make=instead(monitoring, "with_the_talk", lambda _contact, events: events),
        weather=CALM,
        size=_MONITORED,
    ),
    Mutant(
        name="barge in by taking the agent's place",
        rule="monitored",
        make=policy(monitor, _barges_in_by_a_bridge),
        weather=CALM,
        size=_MONITORED,
    ),
    Mutant(
        name="let a mute of the agent silence whoever barges in",
        rule="monitored",
        make=policy(monitor, _a_mute_silences_whoever_barges_in),
        weather=CALM,
        size=_MONITORED_AND_MUTED,
        seed=5,
    ),
    Mutant(
        name="forget whom nobody hears before the switch has said that they are heard",
        rule="muted",
        make=instead(asides, "let_be_heard", _mutes_forgotten),
        weather=Weather(flaps=3),
        size=_MUTED,
        seed=6,
    ),
)
