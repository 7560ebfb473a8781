"""Who comes in, what a waiting caller hears, and where their waiting leads."""

# ruff: noqa: ANN401 - a wrong function has to fit whatever right one it stands for

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from orchestrator.domain import timers
from orchestrator.domain.contacts import contacts, legs
from orchestrator.domain.routing import waits
from orchestrator.runner import sensing
from tests.simulation.mutants.modules import admit, placing, tell_place
from tests.simulation.mutants.planting import Mutant, around, instead, nothing, swapped
from tests.simulation.mutants.skies import CALM, CONSULTED, MANY_AT_ONCE, PASSED_ON
from tests.simulation.run import Size
from tests.simulation.weather import Weather


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


@contextmanager
def _silence_after_a_failed_join() -> Iterator[None]:
    with (
        swapped(admit, "_waits_again", lambda _before, _contact: False),
        swapped(sensing, "play_waiting", admit.answer_caller),
    ):
        yield


_CROWDED = Size(contacts=150)

_PASSED_ON_AND_WAITING = Size(contacts=80, agents=5, transfers=1.0, willing=True)

_PLACES = Size(contacts=90, agents=5, places=True)

_RANKED_PLACES = Size(contacts=120, agents=5, routing=True, places=True)


def _lives_that_will_do(right: Any, world: Any, memory: Any, fact: Any, now: Any, ids: Any) -> Any:
    return () if fact.exists else right(world, memory, fact, now, ids)


def _told_once_and_never_again(right: Any, all_timers: Any, before: Any, contact: Any, event: Any, at: Any) -> None:
    right(all_timers, before, contact, event, at)
    if isinstance(event, contacts.PlaceTold):
        all_timers.cancel(("place", contact.contact_id))


MUTANTS = (
    Mutant(
        name="no music after a join that failed",
        rule="hears_music",
        make=_silence_after_a_failed_join,
        weather=Weather(parks_on_cancel=True),
        size=MANY_AT_ONCE,
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
        name="silence for whoever is passed on",
        rule="hears_music",
        make=instead(legs, "hears_music", lambda _contact: False),
        weather=CALM,
        size=PASSED_ON,
    ),
    Mutant(
        name="silence for the caller while somebody is consulted",
        rule="hears_music",
        make=instead(legs, "hears_nobody", lambda _contact, _leg: False),
        weather=CALM,
        size=CONSULTED,
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
        name="tell places by who came first, however urgent",
        rule="place_told",
        make=instead(waits, "_turn", lambda _group, came, now: (0 * now, *came)),
        weather=CALM,
        size=_RANKED_PLACES,
    ),
    Mutant(
        name="tell a place while an agent is being joined",
        rule="place_told",
        make=instead(contacts, "can_be_told", lambda _contact: True),
        weather=CALM,
        size=_PLACES,
        seed=9,
    ),
    Mutant(
        name="tell a place once and never again",
        rule="place_told",
        make=around(timers, "set_for_contact", _told_once_and_never_again),
        weather=CALM,
        size=_PLACES,
    ),
    Mutant(
        name="join an agent in the middle of the sentence",
        rule="place_hushed",
        make=instead(tell_place, "hush", nothing),
        weather=CALM,
        size=_PLACES,
    ),
)
