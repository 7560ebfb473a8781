"""The core (or what stands around it) made wrong in one place each, and the rule that must notice.

A mutant swaps a function of the product for a wrong one while a run is played; nothing of ours is faked. `python -m
tests.simulation.mutants` prints the table.
"""

# ruff: noqa: ANN401 - a wrong function has to fit whatever right one it stands for

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.clock import SiteClock
from orchestrator.domain import timers, world
from orchestrator.domain.contacts import (
    asides,
    calling,
    consulting,
    contacts,
    dialling,
    dials,
    guesting,
    guests,
    handling,
    legs,
    monitoring,
    moving,
    offers,
    outward,
    recording,
    speaking,
    transferring,
)
from orchestrator.domain.contacts.calling import NOT_REACHED
from orchestrator.domain.contacts.commands import EndPeace, NoteAgentParked, NoteLegGone, WidenOffer
from orchestrator.domain.contacts.consult_events import ConsultAsked, ConsultClosed, ConsultJoined
from orchestrator.domain.contacts.guest_events import GuestClosed, GuestHeld, GuestPromoted
from orchestrator.domain.contacts.guests import members, room
from orchestrator.domain.contacts.outward_events import CallbackAsked, CallbackMissed
from orchestrator.domain.kernel import Instant, Refused
from orchestrator.domain.routing import lines, matching, outside, pools, waits
from orchestrator.domain.routing.recording import ALWAYS
from orchestrator.domain.staff import counters, presence, shifts
from orchestrator.domain.switch import between, contexts, nodes
from orchestrator.domain.switch.facts import LegParked, PhoneRegistered
from orchestrator.domain.switch.instructions import (
    BridgeLegs,
    CheckLeg,
    ConferLeg,
    DialOutside,
    EavesdropLeg,
    StopRecording,
)
from orchestrator.policies import POLICIES
from orchestrator.policies.base import TellContact, TellShift
from orchestrator.runner import Runner, hands, reconcile, sensing, stale, timing
from orchestrator.runner import presence as attendance
from orchestrator.runner.memory import Memory
from orchestrator.runner.telling import AppendNode
from tests.simulation import engine, ledger, link
from tests.simulation.run import Failure, Run, Size
from tests.simulation.weather import Weather

# The package names its policies like their modules, so the modules have to be asked for by path.
admit, distribute, placing, record, reserve, talk, tell_place, widen, wrap_up = (
    import_module(f"orchestrator.policies.{name}")
    for name in ("admit", "distribute", "placing", "record", "reserve", "talk", "tell_place", "widen", "wrap_up")
)
call_out = import_module("orchestrator.policies.call_out").call_out
consult_policy = import_module("orchestrator.policies.consult")
consult = consult_policy.consult
invite = import_module("orchestrator.policies.guests").invite
monitor = import_module("orchestrator.policies.monitor").monitor

_ROWS = Size(contacts=40, agents=14, willing=True, rows=0.5)
_EVERY_ROW = Size(contacts=40, agents=20, transfers=0.05, willing=True, rows=1.0)
_TOGETHER = Size(contacts=100, agents=12, consults=1.0, willing=True)
_MUTED = Size(contacts=60, agents=20, consults=1.0, mutes=0.5, willing=True)
_PHONES = Size(contacts=60, agents=4, phones=20)
_DIALLED = Size(contacts=5, agents=4, dials=1.0)
_SEVERAL = Size(contacts=60, agents=6, nodes=2)
_CALLS_OUT = Size(contacts=60, agents=6, outside=True)
SEEDS = 40
"""A mutant that lives through so many seeds is not killed."""


class Mutant(Struct, frozen=True, kw_only=True):
    """One wrong thing. `weather` is what brings it out; without one, the seeds' own. `seed` is tried first: where it
    died, if late, when somebody looked (`python -m tests.simulation.mutants`).
    """

    name: str
    rule: str
    make: Callable[[], AbstractContextManager[None]]
    weather: Weather | None = None
    size: Size | None = None
    seed: int = 0


class Kill(Struct, frozen=True, kw_only=True):
    """How a mutant died."""

    rule: str
    seed: int
    what: str


def kill(mutant: Mutant) -> Kill | None:
    """Play seeds with the mutant until a rule is broken; None where it lives."""
    with mutant.make():
        for seed in (mutant.seed, *(seed for seed in range(SEEDS) if seed != mutant.seed)):
            try:
                Run(seed, weather=mutant.weather, size=mutant.size).play()
            except Failure as failure:
                return Kill(rule=failure.rule, seed=seed, what=failure.what)
    return None


# --- how to swap -----------------------------------------------------------------------------------------------------


@contextmanager
def swapped(owner: ModuleType | type, name: str, wrong: Any) -> Iterator[None]:
    """`owner.name` is `wrong` for a while, and so is every name in the product under which it was imported, and every
    entry of a table of the product.
    """
    right = getattr(owner, name)
    places: list[tuple[Any, str]] = [(owner, name)]
    entries: list[tuple[dict[Any, Any], Any]] = []
    if isinstance(owner, ModuleType):
        modules = [module for key, module in sys.modules.items() if key.startswith(("orchestrator.", "tests.sim"))]
        places += [(module, name) for module in modules if module is not owner and getattr(module, name, None) is right]
        entries = [
            (table, key) for module in modules for table in _tables(module) for key in table if table[key] is right
        ]
    with ExitStack() as back:
        for table, key in entries:
            back.callback(table.__setitem__, key, right)
            table[key] = wrong
        for place, each in places:
            back.callback(setattr, place, each, right)
            setattr(place, each, wrong)
        yield


def _tables(module: ModuleType) -> list[dict[Any, Any]]:
    return [found for key, found in vars(module).items() if isinstance(found, dict) and not key.startswith("__")]


def around(owner: ModuleType | type, name: str, wrap: Callable[..., Any]) -> Callable[[], AbstractContextManager[None]]:
    """Swap `owner.name` for `wrap(right, *its arguments)`."""

    def make() -> AbstractContextManager[None]:
        right = getattr(owner, name)
        return swapped(owner, name, lambda *args, **named: wrap(right, *args, **named))

    return make


def instead(owner: ModuleType | type, name: str, wrong: Any) -> Callable[[], AbstractContextManager[None]]:
    """Swap `owner.name` for something else."""
    return lambda: swapped(owner, name, wrong)


def nothing(*_args: object, **_named: object) -> tuple[()]:
    """What a forgotten policy answers."""
    return ()


def policy(right: Any, wrong: Any) -> Callable[[], AbstractContextManager[None]]:
    """Engines whose runner has a wrong policy instead of a right one."""
    policies = tuple(wrong if each is right else each for each in POLICIES)
    runner = Runner
    return instead(engine, "Runner", lambda world: runner(world, policies))


# --- what is wrong ---------------------------------------------------------------------------------------------------


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


def _no_timer_for_a_desk(right: Any, all_timers: Any, shift_id: Any, event: Any) -> None:
    right(all_timers, shift_id, event)
    if isinstance(event, presence.DeskLost):
        all_timers.cancel(("desk", shift_id))


def _an_hour_for_an_offer(right: Any, all_timers: Any, before: Any, contact: Any, event: Any, at: Any) -> None:
    right(all_timers, before, contact, event, at)
    if isinstance(event, contacts.OfferMade):
        all_timers.set(("offer", contact.contact_id), event.deadline + 3_600_000_000)


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


def _numbers_are_not_looked_at(right: Any, world: Any, contact: Any, event: Any, now: Any, ids: Any) -> Any:
    return right(world, replace(contact, from_number=""), event, now, ids)


def _rates_are_not_looked_at(right: Any, world: Any, contact: Any, event: Any, now: Any, ids: Any) -> Any:
    return right(world, contact, replace(event, found="resync"), now, ids)


def _nothing_is_ever_closed(right: Any, world: Any, now: Any, contact: Any) -> Any:
    house = right(world, now, contact)

    def open_queue(queue_id: str) -> Any:
        sight = house.queue(queue_id)
        return None if sight is None else replace(sight, closed=False)

    return replace(house, queue=open_queue)


def _overflow_has_no_timer(right: Any, timers_: Any, before: Any, contact: Any, event: Any, at: Any) -> None:
    right(timers_, before, contact, event, at)
    timers_.cancel(("overflow", contact.contact_id))


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


def _wrap_up_over_at_once(world: Any, happened: Any, ids: Any) -> Any:
    for do in wrap_up.wrap_up(world, happened, ids):
        yield do
        if isinstance(do.command, shifts.StartWrapUp):
            yield TellShift(do.shift_id, shifts.EndWrapUp(how="timer"))


def _acts_at_once(right: Any, self: Any, body: Any, answered: Any = None) -> None:
    begun = len(self._pending)
    with swapped(engine.Engine, "_commit", lambda _self: None):
        right(self, body, answered)
    for step in self._pending[begun:]:
        self._instruct(step.instructions)
    self._commit()


def _unannounced(contact: Any) -> Any:
    return replace(contact, segment=replace(contact.segment, announced=False)) if contact.segment else contact


def _a_number_for_every_resume(world: Any, happened: Any, ids: Any) -> Any:
    yield from talk.talk(world, happened, ids)
    if isinstance(happened.record.event, contacts.ContactResumed):
        yield from talk.announce(world, happened.after)


def _announces_at_once(world: Any, happened: Any, ids: Any) -> Any:
    yield from talk.talk(world, happened, ids)
    if isinstance(happened.record.event, contacts.ContactConnected):
        yield from talk.announce(world, happened.after)


def _masked_once_asked(right: Any, found: Any, event: Any) -> Any:
    after = right(found, event)
    return replace(after, masked=True, wish="") if isinstance(event, recording.MaskAsked) else after


def _together_once_two_are(right: Any, contact: Any, consult: Any, command: Any) -> Any:
    events = right(contact, consult, command)
    early = len(events) == 1 and bool(consult.inside)
    return (*events, ConsultJoined(consult_id=consult.consult_id, hears="together")) if early else events


def _mutes_forgotten(contact: Any, *legs: str) -> Any:
    return replace(contact, hushed=tuple(each for each in contact.hushed if legs and each.leg not in legs))


def _muted_once_asked(right: Any, segment: Any, event: Any) -> Any:
    after = right(segment, event)
    return replace(after, muted=True, mute_wish="") if isinstance(event, speaking.MuteAsked) else after


def _released_though_still_held(right: Any, self: Any, record: Any) -> Any:
    result = right(self, record)
    if isinstance(record.event, shifts.AgentReleased):
        self.versions[record.stream] -= 1
    return result


def _reserved_agents_are_free(right: Any, shift: Any, phone: str) -> str:
    return "ready" if shift.status == "reserved" else str(right(shift, phone))


def _phones_are_never_gone(right: Any, shift: Any, phone: str) -> str:
    return str(right(shift, "" if phone == pools.PHONE_GONE else phone))


def _every_registration_is_told(_right: Any, _world: Any, fact: Any) -> Any:
    if isinstance(fact, PhoneRegistered):
        yield AppendNode(fact.node, (nodes.PhoneRegistered(extension=fact.extension),))


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


@contextmanager
def _says_it_again_after_a_hold() -> Iterator[None]:
    with (
        policy(talk.talk, _a_number_for_every_resume)(),
        around(contacts, "_evolve_hold", lambda right, *args: _unannounced(right(*args)))(),
    ):
        yield


@contextmanager
def _silence_after_a_failed_join() -> Iterator[None]:
    with (
        swapped(admit, "_waits_again", lambda _before, _contact: False),
        swapped(sensing, "play_waiting", admit.answer_caller),
    ):
        yield


def _impure_clock(right: Any, shift: Any, event: Any, at: Any, shift_id: str) -> Any:
    after = right(shift, event, at, shift_id)
    _impure_clock.calls += 1  # type: ignore[attr-defined]  # state of its own is what is wrong with it
    idle_since = after.idle_since + _impure_clock.calls % 7 if after is not None else 0  # type: ignore[attr-defined]
    return replace(after, idle_since=idle_since) if isinstance(event, shifts.AgentMadeReady) else after


_impure_clock.calls = 0  # type: ignore[attr-defined]


def _cannot_bear_a_second_ring(right: Any, contact: Any, event: Any, *rest: Any) -> Any:
    if isinstance(event, contacts.OfferAnswered) and contact.offer and event.leg not in contact.offer.delivered:
        raise ValueError("answered before it rang")
    return right(contact, event, *rest)


def _strange_refusals(right: Any, shift: Any) -> Any:
    try:
        return right(shift)
    except Refused as refused:
        raise Refused("computer_says_no", refused.message) from refused


def _whoever_comes_back_is_a_stranger(right: Any, desk: Any, command: Any) -> Any:
    back = desk is not None and desk.state != "attached" and desk.desk_id == command.desk_id
    return () if back else right(desk, command)


def _silence_means_nothing(_world: Any, memory: Any, _now: Any, *, late: bool) -> tuple[()]:
    memory.desks_due = None
    return ()


def _a_restart_that_nobody_notices(right: Any, *args: Any) -> Any:
    for tell in right(*args):
        if isinstance(tell, AppendNode):
            yield AppendNode(tell.node_id, tuple(replace(event, restarted=False) for event in tell.events))
        else:
            yield tell


def _beyond_capacity(right: Any, shift: Any, channel: str = "voice", _capacity: int = 1, **more: Any) -> Any:
    return right(shift, channel, 99, **more)


def _wraps_up_beside_another_caller(right: Any, shift: Any, command: Any) -> Any:
    own = tuple(each for each in shift.engagements if each.contact_id == command.contact_id)
    return right(replace(shift, engagements=own), command)


def _moved_while_it_rings(right: Any, *args: Any) -> Any:
    return tuple(event for event in right(*args) if not isinstance(event, contacts.OfferWithdrawn))


def _moved_to_the_end(right: Any, *args: Any) -> Any:
    return tuple(
        replace(event, waiting_since=0) if isinstance(event, contacts.ContactQueued) else event
        for event in right(*args)
    )


def _forgets_what_was_postponed(world_: Any, happened: Any, ids: Any) -> Any:
    if isinstance(happened.record.event, contacts.AgentSegmentEnded):
        yield from wrap_up.wrap_up(world_, happened, ids)


def _never_widens(right: Any, world: Any, memory: Any, fired: Any, now: Any, ids: Any) -> Any:
    return () if fired.what == "widen" else right(world, memory, fired, now, ids)


def _never_rings_one_more(right: Any, world: Any, memory: Any, fired: Any, now: Any, ids: Any) -> Any:
    return () if fired.what == "ring_next" else right(world, memory, fired, now, ids)


def _no_timer_for_a_step(right: Any, all_timers: Any, before: Any, contact: Any, event: Any, at: Any) -> None:
    right(all_timers, before, contact, event, at)
    all_timers.cancel(("widen", contact.contact_id))


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


def _rings_more_after_an_answer(right: Any, contact: Any, command: Any) -> Any:
    if isinstance(command, WidenOffer) and contact.offer is not None and contact.offer.accepted:
        contact = replace(contact, offer=replace(contact.offer, accepted=""))
    return right(contact, command)


def _the_timer_goes_on_after_an_answer(
    right: Any, all_timers: Any, before: Any, contact: Any, event: Any, at: Any
) -> None:
    due = all_timers.due_of(("ring_next", contact.contact_id))
    right(all_timers, before, contact, event, at)
    if isinstance(event, contacts.OfferAccepted) and due is not None:
        all_timers.set(("ring_next", contact.contact_id), due)


@contextmanager
def _an_answer_stops_nothing() -> Iterator[None]:
    with (
        around(offers, "decide", _rings_more_after_an_answer)(),
        around(timers, "set_for_contact", _the_timer_goes_on_after_an_answer)(),
    ):
        yield


def _counts_whenever_it_is_asked(right: Any, self: Any, agent_id: Any, *rest: Any) -> Any:
    agent = self._agents.get(agent_id)
    if agent is not None:
        agent.shift[0] += 1
    return right(self, agent_id, *rest)


_CALM = Weather()
_LOSSY = Weather(lost=0.03, doubled=0.1, parks_on_cancel=True)
_DOUBLED = Weather(doubled=0.3)
_FLAPS = Weather(flaps=3)
_FLAPS_ALL_DAY = Weather(flaps=60)
_CRASHES = Weather(crashes=3)
_PAUSES = Weather(pauses=2)
_AT_DESKS = Size(contacts=60, browsers=1.0)
_CROWDED = Size(contacts=150)
_WELL_STAFFED = Size(contacts=150, agents=20)
_MANY_AT_ONCE = Size(contacts=60, agents=10)
_TAPED = Size(contacts=60, agents=10, tapes=0.4)
_TALKATIVE = Size(contacts=60, agents=10, voices=1.0)
_MANY_HOLDS = Size(contacts=100, agents=10)
_BY_HAND = Size(contacts=90, agents=4, hands=1.0)
_ROUTED = Size(contacts=60, agents=8, routing=True)
_ONE_BY_ONE = Size(contacts=60, agents=8, routing=True, rule="ring_progressively")
_SCARCE = Size(contacts=120, agents=5, routing=True)
_PASSED_ON = Size(contacts=120, agents=12, transfers=1.0, willing=True)
_CONSULTED = Size(contacts=80, agents=12, consults=1.0, willing=True)
_GATHERED = Size(contacts=40, agents=20, rows=1.0, willing=True)
_APART = Size(contacts=40, agents=20, transfers=0.05, willing=True, rows=1.0, gathers=True)
_APART_AND_ALONE = Size(contacts=40, agents=20, transfers=0.05, willing=True, rows=1.0, gathers=True, alone=True)
_MONITORED = Size(contacts=60, agents=12, monitors=1.0, willing=True)
_MONITORED_AND_MUTED = Size(contacts=40, agents=10, monitors=1.0, voices=1.0, willing=True)
_PASSED_ON_AND_WAITING = Size(contacts=80, agents=5, transfers=1.0, willing=True)
_PLACES = Size(contacts=90, agents=5, places=True)
_RANKED_PLACES = Size(contacts=120, agents=5, routing=True, places=True)


def _nothing_was_told(*_args: object) -> bool:
    return False


def _passed_on_to_nowhere(right: Any, contact: Any, command: Any) -> Any:
    return tuple(event for event in right(contact, command) if not isinstance(event, contacts.ContactQueued))


def _records_on_after_a_transfer(world_: Any, happened: Any, ids: Any) -> Any:
    return (do for do in record.record(world_, happened, ids) if not isinstance(do, StopRecording))


def _lives_that_will_do(right: Any, world: Any, memory: Any, fact: Any, now: Any, ids: Any) -> Any:
    return () if fact.exists else right(world, memory, fact, now, ids)


def _whoever_is_parted_is_left_apart(right: Any, *args: Any) -> Any:
    return (tell for tell in right(*args) if not isinstance(getattr(tell, "command", None), NoteAgentParked))


def _whoever_is_on_hold_is_brought_back(world_: Any, happened: Any, ids: Any) -> Any:
    yield from invite(world_, happened, ids)
    if isinstance(happened.record.event, GuestHeld):
        for guest in happened.after.guests:
            if guest.held:
                yield consult_policy.confer_leg(happened.after, room(happened.after), guest.leg, ids)


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


def _nobody_holds_whom_they_consult(world_: Any, happened: Any, ids: Any) -> Any:
    return () if isinstance(happened.record.event, ConsultAsked) else reserve.reserve(world_, happened, ids)


def _nobody_lets_go_of_whom_they_consulted(world_: Any, happened: Any, ids: Any) -> Any:
    return () if isinstance(happened.record.event, ConsultClosed) else reserve.reserve(world_, happened, ids)


def _nobody_comes_back_from_a_consultation(world_: Any, happened: Any, ids: Any) -> Any:
    return () if isinstance(happened.record.event, ConsultClosed) else consult(world_, happened, ids)


def _an_agent_who_goes_takes_the_caller_along(
    _right: Any, contact: Any, segment: Any, _consult: Any, command: Any
) -> Any:
    ended = transferring.fell_back(contact, segment, command)
    return tuple(event for event in ended if not isinstance(event, contacts.ContactQueued))


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


def _told_once_and_never_again(right: Any, all_timers: Any, before: Any, contact: Any, event: Any, at: Any) -> None:
    right(all_timers, before, contact, event, at)
    if isinstance(event, contacts.PlaceTold):
        all_timers.cancel(("place", contact.contact_id))


def _calls_before_the_agent_is_there(world: Any, happened: Any, ids: Any) -> Iterator[Any]:
    contact = happened.after
    rings = isinstance(happened.record.event, contacts.OfferMade) and isinstance(contact, contacts.Contact)
    callback = outward.to_be_called(contact) if rings else None
    if callback is not None:
        yield DialOutside(
            id=ids.new("leg"),
            node=contact.node,
            leg=ids.new("leg"),
            contact=contact.contact_id,
            offer=happened.record.event.offer_id,
            number=callback.number,
            trunk="outside",
            ring_ms=5_000,
            deadline=happened.record.event.deadline,
        )
    yield from call_out(world, happened, ids)


def _calls_again_at_once(world: Any, happened: Any, ids: Any) -> Iterator[Any]:
    yield from call_out(world, happened, ids)
    if isinstance(happened.record.event, CallbackMissed):
        yield TellContact(happened.after.contact_id, EndPeace(now=Instant(happened.at + 10**12)))


def _no_timer_for_peace(right: Any, on: Any, ident: str, event: Any) -> None:
    if not isinstance(event, CallbackMissed):
        right(on, ident, event)


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
        weather=_CALM,
    ),
    Mutant(
        name="bridge without letting the losers go",
        rule="reservations",
        make=around(offers, "_bridged", _winner_without_losers),
        weather=_CALM,
    ),
    Mutant(
        name="let the losers go when somebody answers",
        rule="losers_kept",
        make=around(offers, "decide", _losers_go_at_the_answer),
        weather=_CALM,
    ),
    Mutant(
        name="join the caller with everybody who answers",
        rule="one_agent_per_caller",
        make=around(offers, "decide", _everybody_who_answers_gets_the_caller),
        weather=Weather(late=0.3),
        size=Size(contacts=60, ring_at_once=3, willing=True),
    ),
    Mutant(
        name="act before the commit",
        rule="commit_first",
        make=around(engine.Engine, "_take_now", _acts_at_once),
        weather=_CALM,
    ),
    Mutant(
        name="skip the epoch check",
        rule="fence",
        make=instead(ledger.Ledger, "check_fence", lambda _self, _epoch: None),
        weather=_PAUSES,
        seed=5,
    ),
    Mutant(
        name="act on a lease that is over",
        rule="fence",
        make=instead(engine.Engine, "may_write", lambda _self: True),
        weather=Weather(pauses=8, doubled=0.9, switches=2),
        size=_MANY_AT_ONCE,
        seed=7,
    ),
    Mutant(
        name="no timer for an offer", rule="waits_end", make=around(timers, "set_for_contact", _no_timer_for_an_offer)
    ),
    Mutant(
        name="a deadline that ends nothing",
        rule="waits_end",
        make=instead(offers, "_timed_out", nothing),
        weather=_CALM,
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
        weather=_CALM,
        seed=6,
    ),
    Mutant(
        name="ring an agent at once again for a customer whom no line is free to call",
        rule="ring_loop",
        make=instead(calling, "BREATH_MS", 0),
        size=_CALLS_OUT,
        seed=35,
    ),
    Mutant(name="no cool-down", rule="cool_down", make=instead(shifts, "COOL_DOWN", ()), weather=_CALM),
    Mutant(
        name="back to the end of the queue after an offer",
        rule="fifo",
        make=around(matching.Matching, "place_contact", _back_to_the_end_of_the_queue),
        weather=_CALM,
        size=_MANY_AT_ONCE,
    ),
    Mutant(
        name="last come, first served",
        rule="fifo",
        make=around(matching.Matching, "place_contact", _last_come_first_served),
        weather=_CALM,
        size=_MANY_AT_ONCE,
    ),
    Mutant(
        name="end a contact twice", rule="ends_once", make=around(handling, "_leg_gone", _ended_twice), weather=_CALM
    ),
    Mutant(
        name="end the queue visit twice",
        rule="ends_once",
        make=around(handling, "_caller_left", _visit_ends_twice),
        weather=_CALM,
    ),
    Mutant(
        name="end the contact with its caller, whoever is still rung",
        rule="leg_after_contact",
        make=around(handling, "_leg_gone", _ended_with_the_caller),
        weather=_CALM,
    ),
    Mutant(
        name="forget doomed legs",
        rule="nothing_stuck",
        make=instead(legs, "doomed_legs", nothing),
        weather=_CALM,
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
    Mutant(name="skip wrap-up", rule="wrap_up", make=policy(wrap_up.wrap_up, nothing), weather=_CALM),
    Mutant(
        name="wrap-up is over at once",
        rule="wrap_up",
        make=policy(wrap_up.wrap_up, _wrap_up_over_at_once),
        weather=_CALM,
    ),
    Mutant(
        name="close what a snapshot does not list",
        rule="asked_before_closed",
        make=around(reconcile, "_snapshot", _what_is_not_listed_is_gone),
        weather=_FLAPS,
    ),
    Mutant(
        name="ring without looking at the offer again",
        rule="not_rung_after_hang_up",
        make=instead(link.Link, "_why_not", lambda _self, _given: ""),
        weather=Weather(slow_commits=0.5),
        size=_MANY_AT_ONCE,
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
        weather=_CALM,
    ),
    Mutant(
        name="reserve whoever is reserved already",
        rule="capacity",
        make=_reserves_whoever_it_finds,
        weather=_CALM,
        size=_MANY_AT_ONCE,
    ),
    Mutant(
        name="do not offer anything when a switch is back",
        rule="served_at_once",
        make=instead(distribute, "_serve_all", nothing),
        weather=_FLAPS,
        size=_MANY_AT_ONCE,
    ),
    Mutant(
        name="do not look for work when a phone is free again",
        rule="served_at_once",
        make=around(distribute, "extension_of", lambda _right, _contact, _leg: ""),
        weather=_CALM,
        size=_MANY_AT_ONCE,
    ),
    Mutant(
        name="no music after a join that failed",
        rule="hears_music",
        make=_silence_after_a_failed_join,
        weather=Weather(parks_on_cancel=True),
        size=_MANY_AT_ONCE,
    ),
    Mutant(
        name="tell the switch of a hold at once, however young the bridge",
        rule="hears_each_other",
        make=instead(handling, "SETTLE", 0),
        weather=_CALM,
        size=_MANY_HOLDS,
        seed=4,
    ),
    Mutant(
        name="forget a hold that has to wait",
        rule="waits_end",
        make=around(timers, "set_for_contact", _no_timer_for_a_wish),
        weather=_CALM,
        size=_MANY_AT_ONCE,
    ),
    Mutant(
        name="say the number again after a hold",
        rule="announced_once",
        make=_says_it_again_after_a_hold,
        weather=_CALM,
        size=_MANY_AT_ONCE,
    ),
    Mutant(
        name="say the number before the recording has begun",
        rule="announced_once",
        make=policy(talk.talk, _announces_at_once),
        weather=_CALM,
        size=_MANY_AT_ONCE,
    ),
    Mutant(
        name="record everybody, whatever they were promised",
        rule="recorded",
        make=instead(record, "rule_for", lambda _world, _contact: ALWAYS),
        weather=_CALM,
        size=_TAPED,
    ),
    Mutant(
        name="take a mask for done once it was asked for",
        rule="masked",
        make=around(recording, "_evolve_mask", _masked_once_asked),
        weather=Weather(slow_commits=0.5),
        size=_TAPED,
        seed=17,
    ),
    Mutant(
        name="take an agent for muted once it was asked for",
        rule="muted",
        make=around(speaking, "evolve", _muted_once_asked),
        weather=Weather(flaps=3),
        size=_TALKATIVE,
        seed=115,
    ),
    Mutant(
        name="send the digits to the agent's own phone",
        rule="digits",
        make=instead(speaking, "hearers_leg", lambda contact: contact.segment.leg),
        weather=Weather(),
        size=_TALKATIVE,
    ),
    Mutant(
        name="leave whoever was asked alone in the room",
        rule="together",
        make=instead(consult_policy, "_were_together", lambda _: False),
        size=_ROWS,
        weather=Weather(),
        seed=1,
    ),
    Mutant(
        name="take three for together once two are",
        rule="verify",
        make=around(consulting, "_member", _together_once_two_are),
        size=_TOGETHER,
        weather=Weather(),
    ),
    Mutant(
        name="forget to look at a mask",
        rule="masks_end",
        make=instead(timers, "mask_due", lambda _recording: Instant(0)),
        weather=_CALM,
        size=_TAPED,
        seed=3,
    ),
    Mutant(
        name="a version that is used twice",
        rule="versions",
        make=around(world.World, "apply", _released_though_still_held),
        weather=_CALM,
    ),
    Mutant(
        name="timers that outlive their contact",
        rule="no_leftovers",
        make=around(timers, "set_for_contact", _timers_outlive_contacts),
        weather=_CALM,
    ),
    Mutant(
        name="an evolve that raises",
        rule="never_raises",
        make=around(contacts, "evolve", _cannot_bear_a_second_ring),
        weather=_LOSSY,
    ),
    Mutant(
        name="an evolve that remembers",
        rule="fold",
        make=around(shifts, "evolve", _impure_clock),
        weather=_CRASHES,
    ),
    Mutant(
        name="a refusal that no program knows",
        rule="refusals",
        make=around(shifts, "_make_ready", _strange_refusals),
        weather=_CALM,
        size=Size(contacts=60, agents=10),
        seed=3,
    ),
    Mutant(
        name="an engine that goes by the clock of its host",
        rule="waits_end",
        make=instead(SiteClock, "__call__", lambda clock: clock._wall()),
        weather=Weather(crashes=3, clocks=(0, 3_600, -3_600)),
        size=_MANY_AT_ONCE,
        seed=4,
    ),
    Mutant(
        name="a longest wait that ends nothing",
        rule="waits_end",
        make=around(timing, "on_timer", lambda right, *args: () if args[2].what == "visit" else right(*args)),
        weather=_CALM,
        size=_MANY_AT_ONCE,
        seed=5,
    ),
    Mutant(
        name="an agent whose desk is gone is ready after the talk",
        rule="desk_is_there",
        make=instead(presence, "absent", lambda _desk: False),
        weather=_CALM,
        size=_AT_DESKS,
    ),
    Mutant(
        name="a web process that dies unnoticed",
        rule="desk_is_there",
        make=instead(attendance, "on_silence", _silence_means_nothing),
        weather=_CALM,
        size=_AT_DESKS,
        seed=14,
    ),
    Mutant(
        name="a desk that comes back and is not believed",
        rule="desk_is_known",
        make=around(presence, "_seen", _whoever_comes_back_is_a_stranger),
        weather=_CALM,
        size=_AT_DESKS,
    ),
    Mutant(
        name="no timer for the grace of a desk",
        rule="waits_end",
        make=around(timers, "set_for_shift", _no_timer_for_a_desk),
        weather=_CALM,
        size=_AT_DESKS,
    ),
    Mutant(
        name="do what was pressed to whatever is there now",
        rule="as_meant",
        make=instead(stale, "is_done", lambda _shift, _command: False),
        weather=_CALM,
        size=_AT_DESKS,
    ),
    Mutant(
        name="call the customer while the agent's phone rings",
        rule="agent_first",
        make=policy(call_out, _calls_before_the_agent_is_there),
        weather=_CALM,
        size=_CALLS_OUT,
    ),
    Mutant(
        name="call outside however many are called",
        rule="outside_bounded",
        make=around(outside, "why_not", lambda right, rules, number, calling: right(rules, number, 0 * calling)),
        weather=_CALM,
        size=_CALLS_OUT,
    ),
    Mutant(
        name="call a customer again at once",
        rule="left_in_peace",
        make=policy(call_out, _calls_again_at_once),
        weather=_CALM,
        size=_CALLS_OUT,
        seed=4,
    ),
    Mutant(
        name="a callback that waits its turn without an end",
        rule="waits_end",
        make=around(timers, "_set_for_calls_outside", _no_timer_for_peace),
        weather=_CALM,
        size=_CALLS_OUT,
        seed=4,
    ),
    Mutant(
        name="a callback goes to the end of the line",
        rule="fifo",
        make=around(outward, "evolve", _queued_anew),
        weather=_CALM,
        size=_CALLS_OUT,
    ),
    Mutant(
        name="end a contact with its last leg though its customer is to be called",
        rule="leg_after_contact",
        make=instead(handling, "_lives_on", lambda _contact, _events: False),
        weather=_CALM,
        size=_CALLS_OUT,
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
        weather=_CALM,
        size=_CALLS_OUT,
        seed=4,
    ),
    Mutant(
        name="take one by hand though the lines are full",
        rule="capacity",
        make=around(shifts, "why_not_by_hand", _beyond_capacity),
        weather=_CALM,
        size=_BY_HAND,
    ),
    Mutant(
        name="pass people over without a word",
        rule="by_hand",
        make=instead(hands, "in_line", lambda *_: []),
        weather=_CALM,
        size=_BY_HAND,
    ),
    Mutant(
        name="talk with two callers at once",
        rule="one_active",
        make=instead(talk, "_hold_others", nothing),
        weather=_CALM,
        size=_BY_HAND,
        seed=12,
    ),
    Mutant(
        name="wrap up while another caller is in hand",
        rule="wrap_up_each",
        make=around(shifts, "_start_wrap_up", _wraps_up_beside_another_caller),
        weather=_CALM,
        size=_BY_HAND,
    ),
    Mutant(
        name="forget the wrap-up that was postponed",
        rule="waits_end",
        make=policy(wrap_up.wrap_up, _forgets_what_was_postponed),
        weather=_CALM,
        size=_BY_HAND,
    ),
    Mutant(
        name="move a caller and let the phones ring on",
        rule="reservations",
        make=around(moving, "_move", _moved_while_it_rings),
        weather=_CALM,
        size=_BY_HAND,
    ),
    Mutant(
        name="move a caller to the end of the line",
        rule="verify",
        make=around(moving, "_move", _moved_to_the_end),
        weather=_CALM,
        size=_BY_HAND,
    ),
    Mutant(
        name="a step that never ends",
        rule="steps_end",
        make=around(timing, "on_timer", _never_widens),
        weather=_CALM,
        size=_ROUTED,
    ),
    Mutant(
        name="no timer for a step",
        rule="waits_end",
        make=around(timers, "set_for_contact", _no_timer_for_a_step),
        weather=_CALM,
        size=_ROUTED,
    ),
    Mutant(
        name="wait for an agent who is not there",
        rule="nobody_halts",
        make=instead(widen, "_skip", nothing),
        weather=_CALM,
        size=_ROUTED,
    ),
    Mutant(
        name="waiting does not age",
        rule="fifo",
        make=around(lines.Wait, "at", _nobody_ages),
        weather=_CALM,
        size=_SCARCE,
        seed=11,
    ),
    Mutant(
        name="one queue after the other",
        rule="fifo",
        make=around(matching.Matching, "best_contact", _within_the_queue_only),
        weather=_CALM,
        size=_ROUTED,
    ),
    Mutant(
        name="never ring one more",
        rule="offers_grow",
        make=around(timing, "on_timer", _never_rings_one_more),
        weather=_CALM,
        size=_ONE_BY_ONE,
    ),
    Mutant(
        name="whoever is rung later is not held",
        rule="reservations",
        make=policy(reserve.reserve, _whoever_is_rung_later_is_not_held),
        weather=_CALM,
        size=_ONE_BY_ONE,
    ),
    Mutant(
        name="ring one more though somebody has answered",
        rule="verify",
        make=_an_answer_stops_nothing,
        weather=_CALM,
        size=_ONE_BY_ONE,
        seed=3,
    ),
    Mutant(
        name="counters that count whoever asks",
        rule="fold",
        make=around(counters.Counters, "of", _counts_whenever_it_is_asked),
        weather=_CRASHES,
        size=_ROUTED,
        seed=4,
    ),
    Mutant(
        name="a restart of the switch that the log does not tell",
        rule="verify",
        make=around(reconcile, "_link_up", _a_restart_that_nobody_notices),
        weather=Weather(restarts=1),
    ),
    Mutant(
        name="offer to phones that are gone",
        rule="phone_is_there",
        make=around(matching, "_label", _phones_are_never_gone),
        weather=_CALM,
        size=_PHONES,
    ),
    Mutant(
        name="tell every registration that is refreshed",
        rule="phones_told",
        make=around(sensing, "_phone", _every_registration_is_told),
        weather=_CALM,
        size=_PHONES,
    ),
    Mutant(
        name="look at no list of phones",
        rule="phones_told",
        make=around(reconcile, "compare", nothing),
        weather=_CALM,
        size=Size(),
    ),
    Mutant(
        name="give nobody to a phone that is back",
        rule="served_at_once",
        make=policy(distribute.distribute, _a_phone_that_is_back_gets_nobody),
        weather=_CALM,
        size=_PHONES,
    ),
    Mutant(
        name="let callers in whose number is blacklisted",
        rule="door",
        make=around(admit, "place_arrival", _numbers_are_not_looked_at),
        seed=10,
    ),
    Mutant(
        name="let callers in beyond what the switch bears",
        rule="door",
        make=around(admit, "place_arrival", _rates_are_not_looked_at),
        size=_CROWDED,
        seed=16,
    ),
    Mutant(
        name="let callers wait in a queue that is closed",
        rule="door",
        make=around(placing, "house", _nothing_is_ever_closed),
        seed=2,
    ),
    Mutant(
        name="forget when somebody is to be sent on",
        rule="way_out",
        make=around(timers, "set_for_contact", _overflow_has_no_timer),
    ),
    Mutant(
        name="answer everybody at once",
        rule="billing",
        make=around(admit, "claim_caller", lambda _right, contact, ids: admit.answer_caller(contact, ids)),
        seed=2,
    ),
    Mutant(
        name="pass somebody on, and let them wait nowhere",
        rule="passed_on",
        make=around(transferring, "decide", _passed_on_to_nowhere),
        weather=_CALM,
        size=_PASSED_ON,
    ),
    Mutant(
        name="record on when the agent has passed the caller on",
        rule="recorded",
        make=policy(record.record, _records_on_after_a_transfer),
        weather=_CALM,
        size=_PASSED_ON,
        seed=1,
    ),
    Mutant(
        name="silence for whoever is passed on",
        rule="hears_music",
        make=instead(legs, "hears_music", lambda _contact: False),
        weather=_CALM,
        size=_PASSED_ON,
    ),
    Mutant(
        name="consult somebody who is not held for it",
        rule="consulted",
        make=policy(reserve.reserve, _nobody_holds_whom_they_consult),
        weather=_CALM,
        size=_CONSULTED,
    ),
    Mutant(
        name="keep whoever was consulted",
        rule="reservations",
        make=policy(reserve.reserve, _nobody_lets_go_of_whom_they_consulted),
        weather=_CALM,
        size=replace(_CONSULTED, agents=8),
    ),
    Mutant(
        name="invite to a room that is full",
        rule="guests",
        make=instead(guesting, "persons", lambda _: 0),
        weather=Weather(),
        size=_GATHERED,
        seed=3,
    ),
    Mutant(
        name="keep whoever was a guest",
        rule="nothing_stuck",
        make=policy(reserve.reserve, _nobody_lets_go_of_guests),
        weather=Weather(),
        size=_GATHERED,
        seed=45,
    ),
    Mutant(
        name="wait for a guest for ever",
        rule="waits_end",
        make=instead(timers, "guests_due", lambda _: Instant(0)),
        weather=Weather(),
        size=_GATHERED,
    ),
    Mutant(
        name="take everybody out of the room and in again as one leaves",
        rule="guests",
        make=policy(invite, _who_stays_is_brought_in_again),
        weather=Weather(),
        size=_GATHERED,
        seed=30,
    ),
    Mutant(
        name="end the conference with whoever was asked first",
        rule="matrix",
        make=instead(guesting, "moved_up", nothing),
        weather=Weather(),
        size=_EVERY_ROW,
        seed=11,
    ),
    Mutant(
        name="leave the caller alone after a consultation",
        rule="consulted",
        make=policy(consult, _nobody_comes_back_from_a_consultation),
        weather=_CALM,
        size=_CONSULTED,
    ),
    Mutant(
        name="an agent who hangs up leaves the caller to nobody",
        rule="passed_on",
        make=around(transferring, "handed_over", _an_agent_who_goes_takes_the_caller_along),
        weather=_CALM,
        size=_CONSULTED,
    ),
    Mutant(
        name="silence for the caller while somebody is consulted",
        rule="hears_music",
        make=instead(legs, "hears_nobody", lambda _contact, _leg: False),
        weather=_CALM,
        size=_CONSULTED,
        seed=5,
    ),
    Mutant(
        name="bring a guest who is on hold back into the room",
        rule="apart",
        make=policy(invite, _whoever_is_on_hold_is_brought_back),
        weather=Weather(),
        size=_EVERY_ROW,
        seed=69,
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
        seed=115,
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
        name="leave agent and caller apart whom the switch has parted",
        rule="rejoined",
        make=around(sensing, "_of_our_leg", _whoever_is_parted_is_left_apart),
        weather=_CALM,
        size=_CONSULTED,
        seed=13,
    ),
    Mutant(
        name="ask somebody who never answers for ever",
        rule="waits_end",
        make=around(timers, "set_for_contact", _whoever_does_not_answer_is_asked_for_ever),
        weather=_CALM,
        size=_CONSULTED,
    ),
    Mutant(
        name="leave the caller of an agent who goes to whoever is free",
        rule="matrix",
        make=around(transferring, "handed_over", _an_agent_who_goes_leaves_the_caller_to_anybody),
        weather=_CALM,
        size=_ROWS,
    ),
    Mutant(
        name="hear a talk for longer than it lasts",
        rule="monitored",
        make=instead(monitoring, "with_the_talk", lambda _contact, events: events),
        weather=_CALM,
        size=_MONITORED,
    ),
    Mutant(
        name="barge in by taking the agent's place",
        rule="monitored",
        make=policy(monitor, _barges_in_by_a_bridge),
        weather=_CALM,
        size=_MONITORED,
    ),
    Mutant(
        name="let a mute of the agent silence whoever barges in",
        rule="monitored",
        make=policy(monitor, _a_mute_silences_whoever_barges_in),
        weather=_CALM,
        size=_MONITORED_AND_MUTED,
        seed=5,
    ),
    Mutant(
        name="never ask after a leg that is to park",
        rule="hears_music",
        make=instead(legs, "doubtful_legs", legs.doomed_legs),
        weather=Weather(lost=0.15),
        size=_PASSED_ON_AND_WAITING,
        seed=5,
    ),
    Mutant(
        name="leave a leg alone that lives and is not parked",
        rule="hears_music",
        make=around(sensing, "_presence", _lives_that_will_do),
        weather=Weather(lost=0.15),
        size=_PASSED_ON_AND_WAITING,
        seed=5,
    ),
    Mutant(
        name="forget how a number that an agent dialled came to nothing",
        rule="dialled",
        make=instead(dialling, "end_of", lambda _events: ""),
        weather=_CALM,
        size=_DIALLED,
    ),
    Mutant(
        name="miss the answer of a number whose sound is heard already",
        rule="dialled",
        make=instead(dials, "heard", lambda _contact, _leg: False),
        weather=_CALM,
        size=_DIALLED,
        seed=22,
    ),
    Mutant(
        name="forget whom nobody hears before the switch has said that they are heard",
        rule="muted",
        make=instead(asides, "let_be_heard", _mutes_forgotten),
        weather=Weather(flaps=3),
        size=_MUTED,
        seed=6,
    ),
    Mutant(
        name="ring every phone over the caller's own switch",
        rule="phone_is_there",
        make=instead(between, "place_of", lambda _known, home, _extension: home),
        weather=_CALM,
        size=_SEVERAL,
    ),
    Mutant(
        name="tell places by who came first, however urgent",
        rule="place_told",
        make=instead(waits, "_turn", lambda _group, came, now: (0 * now, *came)),
        weather=_CALM,
        size=_RANKED_PLACES,
    ),
    Mutant(
        name="tell a place while an agent is being joined",
        rule="place_told",
        make=instead(contacts, "can_be_told", lambda _contact: True),
        weather=_CALM,
        size=_PLACES,
        seed=9,
    ),
    Mutant(
        name="tell a place once and never again",
        rule="place_told",
        make=around(timers, "set_for_contact", _told_once_and_never_again),
        weather=_CALM,
        size=_PLACES,
    ),
    Mutant(
        name="join an agent in the middle of the sentence",
        rule="place_hushed",
        make=instead(tell_place, "hush", nothing),
        weather=_CALM,
        size=_PLACES,
    ),
)


def main() -> int:
    """Print who was killed by what."""
    alive = 0
    for mutant in MUTANTS:
        died = kill(mutant)
        alive += died is None or died.rule != mutant.rule
        how = f"{died.rule:<24} seed {died.seed:<3} {died.what[:90]}" if died is not None else "LIVES"
        print(f"{mutant.name:<56} {mutant.rule:<24} {how}")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
