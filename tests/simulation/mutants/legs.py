"""How contacts, legs and waits end, and what a switch is asked and told."""

# ruff: noqa: ANN401 - a wrong function has to fit whatever right one it stands for

from typing import Any

from msgspec.structs import replace

from orchestrator.clock import SiteClock
from orchestrator.domain import timers
from orchestrator.domain.contacts import (
    asides,
    consulting,
    contacts,
    guesting,
    guests,
    handling,
    legs,
    offers,
    transferring,
)
from orchestrator.domain.contacts.commands import NoteLegGone
from orchestrator.domain.contacts.consult_events import ConsultAsked
from orchestrator.domain.contacts.guest_events import GuestClosed, GuestPromoted
from orchestrator.domain.contacts.outward_events import CallbackMissed
from orchestrator.domain.kernel import Instant
from orchestrator.domain.staff import presence
from orchestrator.domain.switch import contexts
from orchestrator.domain.switch.facts import LegParked
from orchestrator.domain.switch.instructions import CheckLeg
from orchestrator.policies.base import TellContact
from orchestrator.runner import reconcile, sensing, timing
from orchestrator.runner.memory import Memory
from tests.simulation.mutants.modules import reserve, wrap_up
from tests.simulation.mutants.planting import Mutant, around, instead, nothing, policy
from tests.simulation.mutants.skies import (
    AT_DESKS,
    BY_HAND,
    CALLS_OUT,
    CALM,
    CONSULTED,
    EVERY_ROW,
    FLAPS,
    GATHERED,
    MANY_AT_ONCE,
    ROUTED,
    ROWS,
)
from tests.simulation.run import Size
from tests.simulation.weather import Weather


def _no_timer_for_a_desk(right: Any, all_timers: Any, shift_id: Any, event: Any) -> None:
    right(all_timers, shift_id, event)
    if isinstance(event, presence.DeskLost):
        all_timers.cancel(("desk", shift_id))


def _no_timer_for_an_offer(right: Any, all_timers: Any, before: Any, contact: Any, event: Any, at: Any) -> None:
    right(all_timers, before, contact, event, at)
    if isinstance(event, contacts.OfferMade):
        all_timers.cancel(("offer", contact.contact_id))


def _no_timer_for_a_wish(right: Any, all_timers: Any, before: Any, contact: Any, event: Any, at: Any) -> None:
    right(all_timers, before, contact, event, at)
    all_timers.cancel(("wish", contact.contact_id))


def _timers_outlive_contacts(right: Any, all_timers: Any, before: Any, contact: Any, event: Any, at: Any) -> None:
    right(all_timers, before, contact, event, at)
    if isinstance(event, contacts.ContactEnded):
        all_timers.set(("legs", contact.contact_id), at + 3_600_000_000)


def _ended_twice(right: Any, contact: Any, command: Any) -> Any:
    events = right(contact, command)
    return (*events, events[-1]) if events and isinstance(events[-1], contacts.ContactEnded) else events


def _ended_with_the_caller(right: Any, contact: Any, command: Any) -> Any:
    events = right(contact, command)
    if events and command.leg == contact.caller_leg and len(contact.legs) > 1:
        return (*events, contacts.ContactEnded(reason="abandoned", phase=contact.status))
    return events


def _visit_ends_twice(right: Any, contact: Any, cause: str) -> Any:
    events = right(contact, cause)
    return (*events, *(event for event in events if isinstance(event, contacts.QueueVisitEnded)))


def _every_park_is_a_new_contact(right: Any, world: Any, memory: Any, fact: Any, now: Any, ids: Any) -> Any:
    if isinstance(fact, LegParked) and fact.inbound and fact.context == contexts.INBOUND:
        yield sensing.receive(world, fact, "live", ids)
    else:
        yield from right(world, memory, fact, now, ids)


def _what_is_not_listed_is_gone(right: Any, world: Any, memory: Any, fact: Any, now: Any, ids: Any) -> Any:
    for tell in right(world, memory, fact, now, ids):
        if isinstance(tell, CheckLeg) and tell.leg in world.contact_of_leg:
            gone = NoteLegGone(leg=tell.leg, cause="UNKNOWN", next_connect_by=now, repair="absent")
            yield TellContact(world.contact_of_leg[tell.leg], gone)
        else:
            yield tell


def _forgets_what_was_postponed(world_: Any, happened: Any, ids: Any) -> Any:
    if isinstance(happened.record.event, contacts.AgentSegmentEnded):
        yield from wrap_up.wrap_up(world_, happened, ids)


def _no_timer_for_a_step(right: Any, all_timers: Any, before: Any, contact: Any, event: Any, at: Any) -> None:
    right(all_timers, before, contact, event, at)
    all_timers.cancel(("widen", contact.contact_id))


_DOUBLED = Weather(doubled=0.3)

_FLAPS_ALL_DAY = Weather(flaps=60)

_WELL_STAFFED = Size(contacts=150, agents=20)

_MANY_HOLDS = Size(contacts=100, agents=10)

_APART = Size(contacts=40, agents=20, transfers=0.05, willing=True, rows=1.0, gathers=True)

_APART_AND_ALONE = Size(contacts=40, agents=20, transfers=0.05, willing=True, rows=1.0, gathers=True, alone=True)


def _nothing_was_told(*_args: object) -> bool:
    return False


def _who_is_on_the_way_in_goes(right: Any, contact: Any, consult_: Any, connect_by: Any) -> Any:
    comes = any(guests.on_the_way_in(contact, guest) for guest in contact.guests)
    stays = guests.in_room(contact) or asides.alone_with(contact)
    return () if comes and not stays else right(contact, consult_, connect_by)


def _the_second_on_the_way_in_goes(right: Any, contact: Any, consult_: Any, connect_by: Any) -> Any:
    events = right(contact, consult_, connect_by)
    first = next((event for event in events if isinstance(event, GuestPromoted)), None)
    if first is None or guests.in_room(contact) or asides.alone_with(contact):
        return events
    closed = {event.guest_id for event in events if isinstance(event, GuestClosed)} | {first.guest_id}
    others = (each for each in contact.guests if each.guest_id not in closed)
    return (*(event for each in others for event in guesting.closed(contact, each, "ended")), *events)


def _whoever_is_alone_with_the_agent_is_asked(right: Any, contact: Any, consult_: Any, connect_by: Any) -> Any:
    alone = asides.alone_with(contact)
    if not alone or guests.in_room(contact):
        return right(contact, consult_, connect_by)
    others = [each for each in contact.guests if each.leg != alone]
    ended = (event for each in others for event in guesting.closed(contact, each, "ended"))
    left = replace(contact, guests=tuple(each for each in contact.guests if each.leg == alone))
    return (*ended, *right(left, consult_, connect_by))


def _an_agent_who_goes_leaves_the_caller_to_anybody(
    _right: Any, contact: Any, segment: Any, consult_: Any, command: Any
) -> Any:
    return (*consulting.dropped(contact, consult_, "left"), *transferring.fell_back(contact, segment, command))


def _whoever_does_not_answer_is_asked_for_ever(
    right: Any, all_timers: Any, before: Any, contact: Any, event: Any, at: Any
) -> None:
    right(all_timers, before, contact, event, at)
    if isinstance(event, ConsultAsked):
        all_timers.cancel(("consult", contact.contact_id))


def _nobody_lets_go_of_guests(world_: Any, happened: Any, ids: Any) -> Any:
    return () if isinstance(happened.record.event, GuestClosed) else reserve.reserve(world_, happened, ids)


def _no_timer_for_peace(right: Any, on: Any, ident: str, event: Any) -> None:
    if not isinstance(event, CallbackMissed):
        right(on, ident, event)


MUTANTS = (
    Mutant(
        name="no timer for an offer", rule="waits_end", make=around(timers, "set_for_contact", _no_timer_for_an_offer)
    ),
    Mutant(
        name="a deadline that ends nothing",
        rule="waits_end",
        make=instead(offers, "_timed_out", nothing),
        weather=CALM,
    ),
    Mutant(
        name="end a contact twice", rule="ends_once", make=around(handling, "_leg_gone", _ended_twice), weather=CALM
    ),
    Mutant(
        name="end the queue visit twice",
        rule="ends_once",
        make=around(handling, "_caller_left", _visit_ends_twice),
        weather=CALM,
    ),
    Mutant(
        name="end the contact with its caller, whoever is still rung",
        rule="leg_after_contact",
        make=around(handling, "_leg_gone", _ended_with_the_caller),
        weather=CALM,
    ),
    Mutant(
        name="forget doomed legs",
        rule="nothing_stuck",
        make=instead(legs, "doomed_legs", nothing),
        weather=CALM,
    ),
    Mutant(
        name="tell again what was told over the link that has just come up",
        rule="told_once",
        make=instead(Memory, "is_told", _nothing_was_told),
        weather=_FLAPS_ALL_DAY,
        size=_WELL_STAFFED,
        seed=1,
    ),
    Mutant(
        name="a doubled park is a new contact",
        rule="one_contact_per_call",
        make=around(sensing, "_of_leg", _every_park_is_a_new_contact),
        weather=_DOUBLED,
    ),
    Mutant(
        name="close what a snapshot does not list",
        rule="asked_before_closed",
        make=around(reconcile, "_snapshot", _what_is_not_listed_is_gone),
        weather=FLAPS,
    ),
    Mutant(
        name="tell the switch of a hold at once, however young the bridge",
        rule="hears_each_other",
        make=instead(handling, "SETTLE", 0),
        weather=CALM,
        size=_MANY_HOLDS,
        seed=4,
    ),
    Mutant(
        name="forget a hold that has to wait",
        rule="waits_end",
        make=around(timers, "set_for_contact", _no_timer_for_a_wish),
        weather=CALM,
        size=MANY_AT_ONCE,
    ),
    Mutant(
        name="timers that outlive their contact",
        rule="no_leftovers",
        make=around(timers, "set_for_contact", _timers_outlive_contacts),
        weather=CALM,
    ),
    Mutant(
        name="an engine that goes by the clock of its host",
        rule="waits_end",
        make=instead(SiteClock, "__call__", lambda clock: clock._wall()),
        weather=Weather(crashes=3, clocks=(0, 3_600, -3_600)),
        size=MANY_AT_ONCE,
        seed=4,
    ),
    Mutant(
        name="a longest wait that ends nothing",
        rule="waits_end",
        make=around(timing, "on_timer", lambda right, *args: () if args[2].what == "visit" else right(*args)),
        weather=CALM,
        size=MANY_AT_ONCE,
        seed=5,
    ),
    Mutant(
        name="no timer for the grace of a desk",
        rule="waits_end",
        make=around(timers, "set_for_shift", _no_timer_for_a_desk),
        weather=CALM,
        size=AT_DESKS,
    ),
    Mutant(
        name="a callback that waits its turn without an end",
        rule="waits_end",
        make=around(timers, "_set_for_calls_outside", _no_timer_for_peace),
        weather=CALM,
        size=CALLS_OUT,
        seed=4,
    ),
    Mutant(
        name="end a contact with its last leg though its customer is to be called",
        rule="leg_after_contact",
        make=instead(handling, "_lives_on", lambda _contact, _events: False),
        weather=CALM,
        size=CALLS_OUT,
    ),
    Mutant(
        name="forget the wrap-up that was postponed",
        rule="waits_end",
        make=policy(wrap_up.wrap_up, _forgets_what_was_postponed),
        weather=CALM,
        size=BY_HAND,
    ),
    Mutant(
        name="no timer for a step",
        rule="waits_end",
        make=around(timers, "set_for_contact", _no_timer_for_a_step),
        weather=CALM,
        size=ROUTED,
    ),
    Mutant(
        name="keep whoever was a guest",
        rule="nothing_stuck",
        make=policy(reserve.reserve, _nobody_lets_go_of_guests),
        weather=Weather(),
        size=GATHERED,
        seed=45,
    ),
    Mutant(
        name="wait for a guest for ever",
        rule="waits_end",
        make=instead(timers, "guests_due", lambda _: Instant(0)),
        weather=Weather(),
        size=GATHERED,
    ),
    Mutant(
        name="end the conference with whoever was asked first",
        rule="matrix",
        make=instead(guesting, "moved_up", nothing),
        weather=Weather(),
        size=EVERY_ROW,
        seed=11,
    ),
    Mutant(
        name="let a guest go who is on the way back into the room",
        rule="matrix",
        make=around(guesting, "moved_up", _who_is_on_the_way_in_goes),
        weather=Weather(),
        size=_APART,
        seed=4,
    ),
    Mutant(
        name="keep the first alone of those who are on the way into the room",
        rule="matrix",
        make=around(guesting, "moved_up", _the_second_on_the_way_in_goes),
        weather=Weather(),
        size=_APART,
        seed=92,
    ),
    Mutant(
        name="send away who is on the way into the room as the agent speaks with another one alone",
        rule="matrix",
        make=around(guesting, "moved_up", _whoever_is_alone_with_the_agent_is_asked),
        weather=Weather(),
        size=_APART_AND_ALONE,
        seed=3,
    ),
    Mutant(
        name="ask somebody who never answers for ever",
        rule="waits_end",
        make=around(timers, "set_for_contact", _whoever_does_not_answer_is_asked_for_ever),
        weather=CALM,
        size=CONSULTED,
    ),
    Mutant(
        name="leave the caller of an agent who goes to whoever is free",
        rule="matrix",
        make=around(transferring, "handed_over", _an_agent_who_goes_leaves_the_caller_to_anybody),
        weather=CALM,
        size=ROWS,
    ),
)
