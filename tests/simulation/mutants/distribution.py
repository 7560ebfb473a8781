"""Who is offered whom: reservations, order, capacity, time to cool down, widening."""

# ruff: noqa: ANN401 - a wrong function has to fit whatever right one it stands for

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from orchestrator.domain import timers
from orchestrator.domain.contacts import calling, contacts, moving, offers, outward
from orchestrator.domain.contacts.calling import NOT_REACHED
from orchestrator.domain.contacts.consult_events import ConsultClosed
from orchestrator.domain.contacts.outward_events import CallbackAsked
from orchestrator.domain.routing import lines, matching
from orchestrator.domain.staff import shifts
from orchestrator.domain.switch import nodes
from orchestrator.runner import timing
from tests.simulation import link
from tests.simulation.mutants.modules import distribute, reserve, widen
from tests.simulation.mutants.planting import Mutant, around, instead, nothing, policy, swapped
from tests.simulation.mutants.skies import (
    BY_HAND,
    CALLS_OUT,
    CALM,
    CONSULTED,
    FLAPS,
    MANY_AT_ONCE,
    ONE_BY_ONE,
    PHONES,
    ROUTED,
)
from tests.simulation.run import Size
from tests.simulation.weather import Weather


def _winner_without_losers(right: Any, *args: Any) -> Any:
    return tuple(event for event in right(*args) if not isinstance(event, contacts.OfferDeclined))


def _losers_go_at_the_answer(right: Any, contact: Any, command: Any) -> Any:
    events = right(contact, command)
    accepted = next((event for event in events if isinstance(event, contacts.OfferAccepted)), None)
    if accepted is None or contact.offer is None:
        return events
    lost = [
        contacts.OfferDeclined(
            offer_id=accepted.offer_id, shift_id=r.shift_id, leg=r.leg, outcome="lost", cause="answered_elsewhere"
        )
        for r in contact.offer.reservations
        if r.leg != accepted.leg
    ]
    return (*events, *lost)


def _everybody_who_answers_gets_the_caller(right: Any, contact: Any, command: Any) -> Any:
    events = right(contact, command)
    answered = events[0] if len(events) == 1 and isinstance(events[0], contacts.OfferAnswered) else None
    if answered is None or contact.offer is None:
        return events
    held = next(r for r in contact.offer.reservations if r.leg == answered.leg)
    return (answered, offers._accepted(contact.offer, held, command.connect_by))


def _an_hour_for_an_offer(right: Any, all_timers: Any, before: Any, contact: Any, event: Any, at: Any) -> None:
    right(all_timers, before, contact, event, at)
    if isinstance(event, contacts.OfferMade):
        all_timers.set(("offer", contact.contact_id), event.deadline + 3_600_000_000)


def _back_to_the_end_of_the_queue(right: Any, self: Any, contact: Any, *, reachable: bool) -> None:
    if contact.status == "offered":
        self._places.pop(contact.contact_id, None)
        contact = replace(contact, visit=None)
    elif contact.visit is not None and contact.contact_id not in self._places:
        visit = replace(contact.visit, waiting_since=contact.visit.waiting_since + self._stamp * 1_000_000)
        contact = replace(contact, visit=visit)
    right(self, contact, reachable=reachable)


def _last_come_first_served(right: Any, self: Any, contact: Any, *, reachable: bool) -> None:
    if contact.visit is not None:
        contact = replace(contact, visit=replace(contact.visit, waiting_since=-contact.visit.waiting_since))
    right(self, contact, reachable=reachable)


def _reserved_agents_are_free(right: Any, shift: Any, phone: str) -> str:
    return "ready" if shift.status == "reserved" else str(right(shift, phone))


def _a_phone_that_is_back_gets_nobody(world: Any, happened: Any, ids: Any) -> Any:
    if not isinstance(happened.record.event, nodes.PhoneRegistered):
        yield from distribute.distribute(world, happened, ids)


@contextmanager
def _reserves_whoever_it_finds() -> Iterator[None]:
    with (
        around(matching, "_label", _reserved_agents_are_free)(),
        swapped(shifts, "available", lambda shift, *_: shift.status in ("ready", "reserved")),
    ):
        yield


def _beyond_capacity(right: Any, shift: Any, channel: str = "voice", _capacity: int = 1, **more: Any) -> Any:
    return right(shift, channel, 99, **more)


def _moved_while_it_rings(right: Any, *args: Any) -> Any:
    return tuple(event for event in right(*args) if not isinstance(event, contacts.OfferWithdrawn))


def _never_widens(right: Any, world: Any, memory: Any, fired: Any, now: Any, ids: Any) -> Any:
    return () if fired.what == "widen" else right(world, memory, fired, now, ids)


def _never_rings_one_more(right: Any, world: Any, memory: Any, fired: Any, now: Any, ids: Any) -> Any:
    return () if fired.what == "ring_next" else right(world, memory, fired, now, ids)


def _nobody_ages(right: Any, self: Any, now: Any) -> Any:
    _, since, place = right(self, now)
    return (-self.base * 60_000_000, since, place)


def _within_the_queue_only(right: Any, self: Any, agent_id: Any, now: Any) -> Any:
    """An agent takes whoever is first of the first of the agent's queues, whoever waits in the others."""
    heads = [lane.head(now) for lane in self._lanes_for(agent_id)]
    return next((wait.ident for wait in heads if wait is not None), None) or right(self, agent_id, now)


def _whoever_is_rung_later_is_not_held(world: Any, happened: Any, ids: Any) -> Any:
    if not isinstance(happened.record.event, contacts.OfferWidened):
        yield from reserve.reserve(world, happened, ids)


_SCARCE = Size(contacts=120, agents=5, routing=True)


def _nobody_lets_go_of_whom_they_consulted(world_: Any, happened: Any, ids: Any) -> Any:
    return () if isinstance(happened.record.event, ConsultClosed) else reserve.reserve(world_, happened, ids)


def _queued_anew(right: Any, contact: Any, event: Any, at: Any) -> Any:
    after = right(contact, event, at)
    if isinstance(event, CallbackAsked) and after.visit is not None:
        return replace(after, visit=replace(after.visit, queued_at=at, waiting_since=at))
    return after


MUTANTS = (
    Mutant(
        name="drop the un-reserve when an offer closes",
        rule="reservations",
        make=instead(reserve, "_release_all", nothing),
        weather=CALM,
    ),
    Mutant(
        name="bridge without letting the losers go",
        rule="reservations",
        make=around(offers, "_bridged", _winner_without_losers),
        weather=CALM,
    ),
    Mutant(
        name="let the losers go when somebody answers",
        rule="losers_kept",
        make=around(offers, "decide", _losers_go_at_the_answer),
        weather=CALM,
    ),
    Mutant(
        name="join the caller with everybody who answers",
        rule="one_agent_per_caller",
        make=around(offers, "decide", _everybody_who_answers_gets_the_caller),
        weather=Weather(late=0.3),
        size=Size(contacts=60, ring_at_once=3, willing=True),
    ),
    Mutant(
        name="a timer that comes an hour after the deadline",
        rule="offers_are_young",
        make=around(timers, "set_for_contact", _an_hour_for_an_offer),
        weather=Weather(lost=0.3),
    ),
    Mutant(
        name="ring a phone again at once that says that nobody wants the call any more",
        rule="cool_down",
        make=instead(offers, "FOR_LOSERS", frozenset()),
        weather=CALM,
        seed=6,
    ),
    Mutant(
        name="ring an agent at once again for a customer whom no line is free to call",
        rule="ring_loop",
        make=instead(calling, "BREATH_MS", 0),
        size=CALLS_OUT,
        seed=35,
    ),
    Mutant(name="no cool-down", rule="cool_down", make=instead(shifts, "COOL_DOWN", ()), weather=CALM),
    Mutant(
        name="back to the end of the queue after an offer",
        rule="fifo",
        make=around(matching.Matching, "place_contact", _back_to_the_end_of_the_queue),
        weather=CALM,
        size=MANY_AT_ONCE,
    ),
    Mutant(
        name="last come, first served",
        rule="fifo",
        make=around(matching.Matching, "place_contact", _last_come_first_served),
        weather=CALM,
        size=MANY_AT_ONCE,
    ),
    Mutant(
        name="ring without looking at the offer again",
        rule="not_rung_after_hang_up",
        make=instead(link.Link, "_why_not", lambda _self, _given: ""),
        weather=Weather(slow_commits=0.5),
        size=MANY_AT_ONCE,
        seed=7,
    ),
    Mutant(
        name="blame whoever did not answer, whatever their phone did",
        rule="blamed_rightly",
        make=around(
            offers,
            "phone_outcome",
            lambda right, offer, leg, cause: right(replace(offer, delivered=(*offer.delivered, leg)), leg, cause),
        ),
        weather=CALM,
    ),
    Mutant(
        name="reserve whoever is reserved already",
        rule="capacity",
        make=_reserves_whoever_it_finds,
        weather=CALM,
        size=MANY_AT_ONCE,
    ),
    Mutant(
        name="do not offer anything when a switch is back",
        rule="served_at_once",
        make=instead(distribute, "_serve_all", nothing),
        weather=FLAPS,
        size=MANY_AT_ONCE,
    ),
    Mutant(
        name="do not look for work when a phone is free again",
        rule="served_at_once",
        make=around(distribute, "extension_of", lambda _right, _contact, _leg: ""),
        weather=CALM,
        size=MANY_AT_ONCE,
    ),
    Mutant(
        name="a callback goes to the end of the line",
        rule="fifo",
        make=around(outward, "evolve", _queued_anew),
        weather=CALM,
        size=CALLS_OUT,
    ),
    Mutant(
        name="blame the agent for a customer who does not answer",
        rule="blamed_rightly",
        make=around(
            offers,
            "agent_outcome",
            lambda right, offer, held, closed: (
                "timed_out" if closed.cause == NOT_REACHED else right(offer, held, closed)
            ),
        ),
        weather=CALM,
        size=CALLS_OUT,
        seed=4,
    ),
    Mutant(
        name="take one by hand though the lines are full",
        rule="capacity",
        make=around(shifts, "why_not_by_hand", _beyond_capacity),
        weather=CALM,
        size=BY_HAND,
    ),
    Mutant(
        name="move a caller and let the phones ring on",
        rule="reservations",
        make=around(moving, "_move", _moved_while_it_rings),
        weather=CALM,
        size=BY_HAND,
    ),
    Mutant(
        name="a step that never ends",
        rule="steps_end",
        make=around(timing, "on_timer", _never_widens),
        weather=CALM,
        size=ROUTED,
    ),
    Mutant(
        name="wait for an agent who is not there",
        rule="nobody_halts",
        make=instead(widen, "_skip", nothing),
        weather=CALM,
        size=ROUTED,
    ),
    Mutant(
        name="waiting does not age",
        rule="fifo",
        make=around(lines.Wait, "at", _nobody_ages),
        weather=CALM,
        size=_SCARCE,
        seed=11,
    ),
    Mutant(
        name="one queue after the other",
        rule="fifo",
        make=around(matching.Matching, "best_contact", _within_the_queue_only),
        weather=CALM,
        size=ROUTED,
    ),
    Mutant(
        name="never ring one more",
        rule="offers_grow",
        make=around(timing, "on_timer", _never_rings_one_more),
        weather=CALM,
        size=ONE_BY_ONE,
    ),
    Mutant(
        name="whoever is rung later is not held",
        rule="reservations",
        make=policy(reserve.reserve, _whoever_is_rung_later_is_not_held),
        weather=CALM,
        size=ONE_BY_ONE,
    ),
    Mutant(
        name="give nobody to a phone that is back",
        rule="served_at_once",
        make=policy(distribute.distribute, _a_phone_that_is_back_gets_nobody),
        weather=CALM,
        size=PHONES,
    ),
    Mutant(
        name="keep whoever was consulted",
        rule="reservations",
        make=policy(reserve.reserve, _nobody_lets_go_of_whom_they_consulted),
        weather=CALM,
        size=replace(CONSULTED, agents=8),
        seed=1,
    ),
)
