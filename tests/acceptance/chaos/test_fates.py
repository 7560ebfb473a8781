"""The comparison itself: what it must find in two accounts that do not agree, and what excuses a caller."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.acceptance.chaos.fates import Accounts, Call, Known, Ring, Verdict, compare
from tests.acceptance.chaos.plan import KINDS, kills

KILLED = frozenset({1})
DECIDED = tuple(range(100))
"""Somebody decided something in each second."""

# Three who talked, gave up and were turned away over the first start of the switch, which was stopped in order.
TALKED = Call(name="1", run=0, at=10.0, joined=(12.0,), ended_at=17.0, end="hung-up")
GAVE_UP = Call(name="2", run=0, at=11.0, ended_at=15.0, end="hung-up")
TURNED_AWAY = Call(name="3", run=0, at=12.0, ended_at=13.0, end="was-hung-up NORMAL_CLEARING")
# And over the second one, which was killed at 60: one long before, one under whom it died, one who had just come.
EARLIER = Call(name="4", run=1, at=40.0, joined=(41.0,), ended_at=46.0, end="hung-up")
UNDER_IT = Call(name="5", run=1, at=50.0, joined=(51.0,))
JUST_CAME = Call(name="6", run=1, at=59.9)
CALLS = (TALKED, GAVE_UP, TURNED_AWAY, EARLIER, UNDER_IT, JUST_CAME)
KNOWN = (
    Known(contact="a", name="1", ends=("completed",), joined=1, legs=("leg-a",)),
    Known(contact="b", name="2", ends=("abandoned",)),
    Known(contact="c", name="3", ends=("turned_away",)),
    Known(contact="d", name="4", ends=("completed",), joined=1, legs=("leg-d",)),
    Known(contact="e", name="5", ends=("switch_lost",), joined=1, legs=("leg-e",)),
)
RINGS = (
    Ring(leg="leg-a", run=0, answered=True, ended_at=17.5, over=True),
    Ring(leg="leg-d", run=1, answered=True, ended_at=46.0, over=True),
    Ring(leg="leg-e", run=1, answered=True),
)


def judged(
    calls: tuple[Call, ...] = CALLS,
    known: tuple[Known, ...] = KNOWN,
    rings: tuple[Ring, ...] = RINGS,
    decided_at: tuple[float, ...] = DECIDED,
    answered: int = 4,
) -> Verdict:
    return compare(
        Accounts(calls=calls, known=known, rings=rings, killed=KILLED, decided_at=decided_at, answered=answered)
    )


def test_accounts_that_agree_are_whole_and_every_caller_has_a_fate() -> None:
    verdict = judged()
    assert verdict.whole, verdict.text()
    assert verdict.calls == 6
    assert verdict.fates == {"completed": 2, "abandoned": 1, "turned_away": 1, "cut": 1, "unseen": 1}
    assert verdict.longest_alone_s == 0.5


def known_as(name: str, **changed: Any) -> tuple[Known, ...]:  # noqa: ANN401 - whatever Known takes
    return tuple(replace(each, **changed) if each.name == name else each for each in KNOWN)


def called_as(name: str, **changed: Any) -> tuple[Call, ...]:  # noqa: ANN401 - whatever Call takes
    return tuple(replace(each, **changed) if each.name == name else each for each in CALLS)


def without(name: str) -> tuple[Known, ...]:
    return tuple(each for each in KNOWN if each.name != name)


PLANTED: dict[str, tuple[str, Callable[[], Verdict]]] = {
    "one caller is not in the ledger": ("lost", lambda: judged(known=without("1"))),
    "nor one who gave up": ("lost", lambda: judged(known=without("2"))),
    "nor one over the switch that was killed, long before": ("lost", lambda: judged(known=without("4"))),
    "a contact has no end": ("lost", lambda: judged(known=known_as("1", ends=()))),
    "nor one that nobody adopted after the switch had died": ("lost", lambda: judged(known=known_as("5", ends=()))),
    "a talk ended as given up": ("lost", lambda: judged(known=known_as("1", ends=("abandoned",)))),
    "a talk is unknown": ("lost", lambda: judged(known=known_as("1", joined=0))),
    "a talk that somebody must have heard of ended as given up": (
        "lost",
        lambda: judged(known=known_as("1", ends=("abandoned",), joined=0)),
    ),
    "a talk is known that nobody had": ("lost", lambda: judged(known=known_as("2", joined=1))),
    "the switch is blamed and was not killed": ("lost", lambda: judged(known=known_as("1", ends=("switch_lost",)))),
    "it is blamed for an end that it told": (
        "lost",
        lambda: judged(
            calls=(*CALLS, replace(EARLIER, name="7", at=47.0, joined=(48.0,), ended_at=53.0)),
            known=(*known_as("4", ends=("switch_lost",)), replace(KNOWN[3], contact="f", name="7", legs=())),
        ),
    ),
    "a caller says no end and the switch lives": ("lost", lambda: judged(calls=called_as("1", end="", ended_at=0.0))),
    "we hung up on somebody": ("lost", lambda: judged(calls=called_as("1", end="was-hung-up NORMAL_CLEARING"))),
    "a caller is two contacts": ("doubled", lambda: judged(known=(*KNOWN, replace(KNOWN[0], contact="z", legs=())))),
    "a contact ended twice": ("doubled", lambda: judged(known=known_as("1", ends=("completed", "completed")))),
    "a caller heard two agents": ("doubled", lambda: judged(calls=called_as("1", joined=(12.0, 13.0)))),
    "so says the ledger": ("doubled", lambda: judged(known=known_as("1", joined=2))),
    "one caller is counted away": ("ghosts", lambda: judged(calls=CALLS[1:])),
    "a phone rang for nobody": ("ghosts", lambda: judged(known=known_as("1", legs=()))),
    "there are more talks than phones answered": ("ghosts", lambda: judged(answered=2)),
    "a phone is left on the line": ("ghosts", lambda: judged(rings=(replace(RINGS[0], over=False), *RINGS[1:]))),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_found_and_named_for_what_it_is(planted: str) -> None:
    kind, run = PLANTED[planted]
    verdict = run()
    assert not verdict.whole
    found: list[str] = getattr(verdict, kind)
    assert len(found) == 1, verdict.text()
    assert found[0] in verdict.text()


def test_a_caller_who_came_and_went_while_nobody_decided_is_told_apart_and_only_then() -> None:
    asleep = tuple(second for second in DECIDED if not 11 <= second <= 15)
    verdict = judged(known=without("2"), decided_at=asleep)
    assert verdict.whole, verdict.text()
    assert verdict.fates["unheard"] == 1
    assert not judged(known=without("2"), decided_at=(*asleep[:11], 13.0, *asleep[11:])).whole


def test_a_talk_that_passed_while_nobody_decided_is_told_apart_and_only_then() -> None:
    asleep = tuple(second for second in DECIDED if not 13 <= second <= 16)
    known = known_as("1", ends=("abandoned",), joined=0)
    verdict = judged(known=known, decided_at=asleep)
    assert verdict.whole, verdict.text()
    assert verdict.fates["untold"] == 1
    assert not judged(known=known, decided_at=(*asleep[:13], 14.5, *asleep[13:])).whole


def test_whoever_came_before_somebody_whom_the_ledger_knows_is_not_excused() -> None:
    later = replace(JUST_CAME, name="7", at=61.5)
    known = (*KNOWN, Known(contact="f", name="7", ends=("switch_lost",)))
    assert len(judged(calls=(*CALLS, later), known=known).lost) == 1


def test_a_caller_whom_the_switch_died_before_telling_is_cut_off_and_only_then() -> None:
    """We were told of the talk, and of our own hanging up, and the switch was killed before the caller heard of it."""
    calls = (*called_as("5", at=58.0, joined=()), Call(name="7", run=1, at=58.5))

    def told(*, joined_at: float, ended_at: float) -> Verdict:
        refused = Known(contact="f", name="7", ends=("turned_away",), ended_at=ended_at)
        return judged(calls=calls, known=(*known_as("5", joined_at=joined_at), refused))

    verdict = told(joined_at=59.9, ended_at=59.9)
    assert verdict.whole, verdict.text()
    assert verdict.fates["cut"] == 2
    assert len(told(joined_at=57.4, ended_at=59.9).lost) == 1, "something later was told"
    assert len(told(joined_at=59.9, ended_at=57.4).lost) == 1


def test_the_same_seed_kills_the_same_and_each_kind_comes_once_before_any_comes_again() -> None:
    plan = kills(7, 120, (4, 9))
    assert plan == kills(7, 120, (4, 9)) != kills(8, 120, (4, 9))
    assert {kill.kind for kill in plan[: len(KINDS)]} == set(KINDS)
    assert all(kill.at_s < 120 for kill in plan)
    with pytest.raises(ValueError, match="give more seconds"):
        kills(7, 10, (4, 9))
