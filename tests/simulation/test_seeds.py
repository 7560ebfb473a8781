"""A thousand runs: callers, agents, a switch, a database and a process that fail, in an order drawn by the seed.

A seed that breaks a rule fails with its story; `python -m tests.simulation SEED` tells it again.
`python -m tests.simulation FIRST-LAST` plays others.
"""

from collections import Counter
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import (
    AgentSegmentEnded,
    ContactConnected,
    OfferDeclined,
    OfferMade,
    OfferWidened,
)
from orchestrator.domain.contacts.transfers import PHONE_LOST
from orchestrator.domain.kernel import Record, ident_of
from orchestrator.domain.staff.events import AgentReleased
from orchestrator.domain.switch.causes import SWITCH_DEAD, SWITCH_RESTARTED, SWITCH_STOPPED, WITH_THE_SWITCH
from orchestrator.domain.switch.nodes import NodeLost, NodeReconciled
from tests.matrix import BESIDE, LOST, ROWS, SELDOM, Row
from tests.simulation import test_why
from tests.simulation.run import Run, Size
from tests.simulation.weather import Weather

SEEDS = 1_000
_CHUNK = 25
_ROWS_WITHIN = 80
"""In so many seeds every row of the table is played; mostly in half of them."""
# From where on that is soonest.
_ROWS_FROM, _BESIDE_FROM, _ALONE_FROM = 7, 38, 37
_SEVERAL_FROM = 86
"""Where two who come back at once are met soon: one seed in fifty."""

_HALF_UNHEARD = 54
"""The time of an offer of several is over while one of their switches cannot be heard."""
_SERVED_FROM = 16
"""Where such an offer has lost a phone with its switch, and another one answers it."""


# The first of them are played, under the same rules, by the test that explains their offers.
@pytest.mark.parametrize("first", range(test_why.SEEDS, SEEDS, _CHUNK))
def test_whatever_goes_wrong_every_contact_ends_once_and_nobody_is_held_or_forgotten(first: int) -> None:
    """Features 3.6, 3.11, 11.1, 11.8, 12.1, 12.4; complaints 1, 3, 4, 5, 9, 10, 11, 15, 16, 19, 21."""
    for seed in range(first, first + _CHUNK):
        Run(seed).play()


def test_the_same_seed_tells_the_same_story() -> None:
    """Feature 11.4: nothing in the core or here depends on anything but its inputs."""
    one, other = Run(7).play(), Run(7).play()
    assert one.story.tell(last=10**6) == other.story.tell(last=10**6)


def test_every_row_of_the_table_is_played_at_moments_that_the_seed_draws() -> None:
    """Features 4.3, 11.8; complaints 13, 14: the rule `matrix` has looked at each, beside everything else."""
    hits: Counter[Row] = Counter()
    size = Size(contacts=40, agents=20, transfers=0.05, willing=True, rows=1.0)
    seeds = iter(range(_ROWS_FROM, _ROWS_FROM + _ROWS_WITHIN))
    wanted = {row for row in ROWS if row.state not in SELDOM} - set(BESIDE)
    while missing := wanted - set(hits):
        seed = next(seeds, None)
        assert seed is not None, f"of {len(ROWS)} rows {len(missing)} were never played: {missing}"
        hits += Run(seed, weather=Weather(), size=size).play().rows_hit


def test_every_row_in_which_somebody_parks_listens_dials_or_is_called_is_played() -> None:
    """Features 1.2, 3.10, 4.3, 4.4, 8.3, 11.8."""
    hits: Counter[Row] = Counter()
    plain = Size(contacts=60, agents=20, transfers=0.1, willing=True, rows=1.0, beside=True)
    sizes = (replace(plain, parks=0.5, monitors=1.0), replace(plain, outside=True, dials=0.1))
    seeds = iter(range(_BESIDE_FROM, _BESIDE_FROM + _ROWS_WITHIN))
    wanted = {row for row in BESIDE if row.state not in SELDOM}
    while missing := wanted - set(hits):
        seed = next(seeds, None)
        assert seed is not None, f"of {len(wanted)} rows {len(missing)} were never played: {missing}"
        hits += Run(seed, weather=Weather(), size=sizes[seed % 2]).play().rows_hit


@pytest.mark.parametrize(("state", "alone"), (("coming_in", False), ("aside_coming", True)))
def test_whoever_leaves_a_conference_as_one_comes_back_into_it_leaves_the_others_together(
    state: str, *, alone: bool
) -> None:
    """Features 4.3, 11.8: nobody is cut off who is on the way in (docs/decisions/0104)."""
    hits, several = Counter[Row](), 0
    size = Size(contacts=40, agents=20, transfers=0.05, willing=True, rows=1.0, gathers=True, alone=alone)
    first = _ALONE_FROM if alone else _SEVERAL_FROM
    seeds = iter(range(first, first + _ROWS_WITHIN))
    wanted = {row for row in ROWS if row.state == state}
    while (missing := wanted - set(hits)) or not (several or alone):
        seed = next(seeds, None)
        assert seed is not None, f"never played: {missing or 'two who come at once'}"
        run = Run(seed, weather=Weather(), size=size).play()
        hits, several = hits + run.rows_hit, several + run.several_came


def test_whoever_talks_with_a_phone_of_another_switch_is_not_dropped_with_it() -> None:
    """Features 12.4, 12.5, 11.8; decision 0018: by its restart, its shutdown, its silence, and by an end that nobody
    can explain.
    """
    causes, lost = set[str](), Counter[Row]()
    size = Size(contacts=40, agents=20, transfers=0.05, willing=True, consults=0.5, nodes=3)
    seeds = iter(range(_ROWS_WITHIN))
    wanted = {row for row in LOST if (row.state, row.who) in (("talking", "agent"), ("ringing", "agent"))}
    while not causes >= {SWITCH_DEAD, SWITCH_RESTARTED, SWITCH_STOPPED} or not wanted <= set(lost):
        seed = next(seeds, None)
        assert seed is not None, f"lost by {causes} alone, or never played: {wanted - set(lost)}"
        run = Run(seed, weather=Weather(restarts=2), size=size).play()
        lost += run.rows_lost
        events = (record.event for record in run.ledger.records())
        causes |= {each.cause for each in events if isinstance(each, AgentSegmentEnded) and each.ended_by == PHONE_LOST}


def test_of_several_phones_that_ring_together_those_of_a_lost_switch_go_and_the_others_serve() -> None:
    """Features 3.2, 12.5, 11.8; decision 0018: the same offer goes on, and nobody is blamed for a switch."""
    size = Size(contacts=60, agents=20, nodes=3, routing=True, rule="ring_all")
    seeds = iter((_HALF_UNHEARD, *range(_SERVED_FROM, _ROWS_WITHIN)))
    served = False
    while not served:
        seed = next(seeds, None)
        assert seed is not None, "no offer of several ever lost a phone with its switch, and was answered by another"
        run = Run(seed, weather=Weather(restarts=2, flaps=2), size=size).play()
        served = _serves_without_the_lost(run.ledger.records())


def _serves_without_the_lost(records: Iterable[Record]) -> bool:
    """Whether an offer that lost a phone with its switch joined another one."""
    via: dict[tuple[str, str], str] = {}
    lost, smaller, served = set[str](), set[str](), False
    for record in records:
        event, ident = record.event, ident_of(record.stream)
        match event:
            case NodeLost():
                lost.add(ident)
            case NodeReconciled():
                lost.discard(ident)
            case OfferMade(reservations=held) | OfferWidened(reservations=held):
                via |= {(event.offer_id, each.shift_id): each.via for each in held}
            case OfferDeclined(cause=cause) if cause in WITH_THE_SWITCH or cause == "node_down":
                smaller.add(event.offer_id)
            case AgentReleased(outcome="timed_out"):
                assert via[event.offer_id, ident] not in lost, f"{record} is blamed for a switch that is lost"
            case ContactConnected():
                served = served or event.offer_id in smaller
    return served
