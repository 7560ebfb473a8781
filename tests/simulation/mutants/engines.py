"""Commits, the lease, the fold, and the verifier."""

# ruff: noqa: ANN401 - a wrong function has to fit whatever right one it stands for

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from orchestrator.domain import timers, world
from orchestrator.domain.contacts import consulting, contacts, moving, offers
from orchestrator.domain.contacts.commands import WidenOffer
from orchestrator.domain.contacts.consult_events import ConsultJoined
from orchestrator.domain.staff import counters, shifts
from orchestrator.runner import reconcile
from orchestrator.runner.telling import AppendNode
from tests.simulation import engine, ledger
from tests.simulation.mutants.planting import Mutant, around, instead, swapped
from tests.simulation.mutants.skies import BY_HAND, CALM, MANY_AT_ONCE, ONE_BY_ONE, ROUTED
from tests.simulation.run import Size
from tests.simulation.weather import Weather

_TOGETHER = Size(contacts=100, agents=12, consults=1.0, willing=True)


def _acts_at_once(right: Any, self: Any, body: Any, answered: Any = None) -> None:
    begun = len(self._pending)
    with swapped(engine.Engine, "_commit", lambda _self: None):
        right(self, body, answered)
    for step in self._pending[begun:]:
        self._instruct(step.instructions)
    self._commit()


def _together_once_two_are(right: Any, contact: Any, consult: Any, command: Any) -> Any:
    events = right(contact, consult, command)
    early = len(events) == 1 and bool(consult.inside)
    return (*events, ConsultJoined(consult_id=consult.consult_id, hears="together")) if early else events


def _released_though_still_held(right: Any, self: Any, record: Any) -> Any:
    result = right(self, record)
    if isinstance(record.event, shifts.AgentReleased):
        self.versions[record.stream] -= 1
    return result


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


def _a_restart_that_nobody_notices(right: Any, *args: Any) -> Any:
    for tell in right(*args):
        if isinstance(tell, AppendNode):
            yield AppendNode(tell.node_id, tuple(replace(event, restarted=False) for event in tell.events))
        else:
            yield tell


def _moved_to_the_end(right: Any, *args: Any) -> Any:
    return tuple(
        replace(event, waiting_since=0) if isinstance(event, contacts.ContactQueued) else event
        for event in right(*args)
    )


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


_LOSSY = Weather(lost=0.03, doubled=0.1, parks_on_cancel=True)

_CRASHES = Weather(crashes=3)

_PAUSES = Weather(pauses=2)

MUTANTS = (
    Mutant(
        name="act before the commit",
        rule="commit_first",
        make=around(engine.Engine, "_take_now", _acts_at_once),
        weather=CALM,
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
        size=MANY_AT_ONCE,
        seed=7,
    ),
    Mutant(
        name="take three for together once two are",
        rule="verify",
        make=around(consulting, "_member", _together_once_two_are),
        size=_TOGETHER,
        weather=Weather(),
    ),
    Mutant(
        name="a version that is used twice",
        rule="versions",
        make=around(world.World, "apply", _released_though_still_held),
        weather=CALM,
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
        name="move a caller to the end of the line",
        rule="verify",
        make=around(moving, "_move", _moved_to_the_end),
        weather=CALM,
        size=BY_HAND,
    ),
    Mutant(
        name="ring one more though somebody has answered",
        rule="verify",
        make=_an_answer_stops_nothing,
        weather=CALM,
        size=ONE_BY_ONE,
        seed=3,
    ),
    Mutant(
        name="counters that count whoever asks",
        rule="fold",
        make=around(counters.Counters, "of", _counts_whenever_it_is_asked),
        weather=_CRASHES,
        size=ROUTED,
        seed=4,
    ),
    Mutant(
        name="a restart of the switch that the log does not tell",
        rule="verify",
        make=around(reconcile, "_link_up", _a_restart_that_nobody_notices),
        weather=Weather(restarts=1),
    ),
)
