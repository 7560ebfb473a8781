"""Erlang B, C and A: what becomes of calls that come at random, one independent of the other, to so many agents.

    model   who finds everybody busy     times
    B       is turned away               handling as they like: only the mean counts
    C       waits, however long          handling exponential
    A       waits until patience ends    handling and patience exponential

Traffic is in Erlang: calls a second × mean handling time in s; it need not be whole. Times are in s, shares are 0 to 1.

Every figure is a recursion or a sum whose terms stay between 0 and 1, or a logarithm: no factorial, no power of the
traffic, so tens of thousands of agents are neither an overflow nor a difference of large numbers.
"""

from collections.abc import Iterator
from math import exp, expm1, inf, log
from typing import Final

from msgspec import Struct

# A sum has ended where everything that is left of it is smaller than so much of what there is.
_ENOUGH: Final = 1e-15
# Beyond this a sum is written as a logarithm and what is left; far below the largest float.
_LARGE: Final = 1e250


class Served(Struct, frozen=True, kw_only=True):
    """What callers meet with so many agents. `level`: of all who call, the share served within the time asked about.
    `wait_s`: mean wait of everybody, of those who give up until they do; `inf` where the queue grows without end.
    `occupancy`: the share of the agents' time that is work.
    """

    agents: int
    waits: float
    level: float
    wait_s: float
    occupancy: float
    gives_up: float = 0.0


def blocking(traffic: float, lines: int) -> float:
    """Erlang B: the share of calls that find all lines busy and are turned away.

    The first of the two formulas in A. K. Erlang, "Solution of some problems in the theory of probabilities of
    significance in automatic telephone exchanges" (1917), by its recursion over the number of lines.
    """
    share = 1.0
    for number in range(1, lines + 1):
        share = _with_one_more(traffic, number, share)
    return share


def blockings(traffic: float) -> Iterator[tuple[int, float]]:
    """(lines, Erlang B) for 0, 1, 2, … lines, without end: whoever looks for a number pays for each once."""
    number, share = 0, 1.0
    while True:
        yield number, share
        number += 1
        share = _with_one_more(traffic, number, share)


def _with_one_more(traffic: float, number: int, share: float) -> float:
    return traffic * share / (number + traffic * share)


def waiting(traffic: float, agents: int, blocked: float) -> float:
    """Erlang C: the share of calls that have to wait; 1 where there are no more agents than Erlang.

    The second formula of the same paper of 1917, from Erlang B (`blocked`) of as many agents: B / (1 - ρ (1 - B)).
    """
    if agents <= traffic:
        return 1.0
    return blocked / (1 - traffic / agents * (1 - blocked))


def patient(traffic: float, agents: int, blocked: float, *, handling_s: float, within_s: float) -> Served:
    """Erlang C's figures for callers who never give up.

    The wait of those who wait is exponential, with (agents - traffic) / handling time as its rate (L. Kleinrock,
    Queueing Systems I, 1975, section 3.5; M/M/m, first come first served).
    """
    waits = waiting(traffic, agents, blocked)
    spare = agents - traffic
    if spare <= 0:
        return Served(agents=agents, waits=1.0, level=0.0, wait_s=inf, occupancy=1.0)
    return Served(
        agents=agents,
        waits=waits,
        level=1 - waits * exp(-spare * within_s / handling_s),
        wait_s=waits * handling_s / spare,
        occupancy=traffic / agents,
    )


def impatient(
    traffic: float, agents: int, blocked: float, *, handling_s: float, within_s: float, patience_s: float
) -> Served:
    """Erlang A's figures: each caller gives up after a time of their own, exponential with mean `patience_s`.

    C. Palm's model (1957), in the form of A. Mandelbaum and S. Zeltyn, "The Palm/Erlang-A queue, with applications to
    call centers" (2005): with a = agents × patience / handling, x = traffic × patience / handling and the sum
    F(x) = 1 + x/(a+1) + x²/((a+1)(a+2)) + …

        P(wait) = B F / (1 + B (F - 1))              P(gives up | waits) = 1/(ρ F) + 1 - 1/ρ
        P(offered wait > t | waits) = G(t) F(x exp(-t/patience)) / F(x)
        P(served within t | waits) = (1 - P(offered wait > t | waits) - (1 - G(t)) / F(x)) / ρ

    where ln G(t) = x (1 - exp(-t/patience)) - t agents/handling. The last two are our integrals of the density of the
    offered wait that stands there, which is v(t) = v(0) G(t). Mean wait = patience × P(gives up): whoever waits gives
    up at the rate 1/patience, and as many begin to wait as stop waiting.
    """
    many = patience_s / handling_s
    work, room = traffic * many, agents * many
    load = traffic / agents
    log_sum = _log_sum(work, room)
    waits = _share(blocked, log_sum)
    none = exp(-log_sum)
    gives_up = min(max(none / load + 1 - 1 / load, 0.0), 1.0) * waits
    elapsed = -expm1(-within_s / patience_s)
    log_g = work * elapsed - within_s * agents / handling_s
    longer = exp(log_g + _log_sum(work * (1 - elapsed), room) - log_sum)
    in_time = (1 - longer - (none - exp(log_g - log_sum))) / load
    return Served(
        agents=agents,
        waits=waits,
        level=min(max(1 - waits + waits * in_time, 0.0), 1.0),
        wait_s=patience_s * gives_up,
        occupancy=min(load * (1 - gives_up), 1.0),
        gives_up=gives_up,
    )


def _share(blocked: float, log_sum: float) -> float:
    """B F / (1 + B (F - 1)), from F's logarithm."""
    if not blocked:
        return 0.0
    against = log(1 / blocked - 1) - log_sum if blocked < 1 else -inf
    return 0.0 if against > log(_LARGE) else 1 / (1 + exp(against))


def _log_sum(work: float, room: float) -> float:
    """The logarithm of 1 + x/(a+1) + x²/((a+1)(a+2)) + … for x = `work`, a = `room`: a x^-a exp(x) γ(a, x), where γ is
    the lower incomplete gamma function. Terms grow while a + k < x and then fall; what is left is at most a geometric
    sum.
    """
    total = term = 1.0
    beyond = 0.0
    number = 0
    while True:
        number += 1
        factor = work / (room + number)
        term *= factor
        total += term
        if factor < 1 and term * factor < _ENOUGH * total * (1 - factor):
            return beyond + log(total)
        if total > _LARGE:
            term /= _LARGE
            total /= _LARGE
            beyond += log(_LARGE)
