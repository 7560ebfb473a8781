"""Why the formulas differ, in words: about one interval, sentence by sentence."""

from collections.abc import Iterator
from math import inf

from flask_babel import gettext

from orchestrator.domain.sizing import seats
from orchestrator.domain.sizing.erlang import Served
from orchestrator.domain.sizing.seats import Blocked, Demand, Sizes, Terms
from projections.sizing import Row


def _(text: str, **given: object) -> str:
    return str(gettext(text, **given))


def reasons(demand: Demand, sizes: Sizes, terms: Terms) -> list[str]:
    """How each formula came to its answer, and why it is another one than that before it."""
    return [
        _(
            "The planning formula divides the work, %(work)s Erlang, by the highest load, %(load)s%%, which makes"
            " %(agents)s. It knows nothing of waiting: the time left free is all that it has against calls that come at"
            " random.",
            work=_number(demand.traffic),
            load=_number(terms.occupancy_percent),
            agents=sizes.planning.agents,
        ),
        *_of_erlang_c(demand, sizes, terms),
        *_of_erlang_a(sizes, terms),
        _(
            "Lines are Erlang B's: whoever finds none free hears the busy tone and is gone, so there is no waiting in"
            " it. A call holds its line while it waits and talks, and not during after-call work: with %(lines)s lines"
            " at most %(blocking)s%% find none.",
            lines=sizes.lines,
            blocking=_number(terms.blocking_percent),
        ),
    ]


def _of_erlang_c(demand: Demand, sizes: Sizes, terms: Terms) -> Iterator[str]:
    planned, asked = sizes.planning.agents, sizes.erlang_c
    if asked.agents > planned:
        found = seats.expected_patient(demand, terms, planned, Blocked(demand.traffic))
        yield _(
            "Erlang C asks for %(more)s more, %(agents)s: calls come in bunches, and whoever finds everybody busy waits"
            " until served. With %(planned)s only %(level)s%% would be answered within %(within)s s.",
            more=asked.agents - planned,
            agents=asked.agents,
            planned=planned,
            level=percent(found.level),
            within=_number(terms.within_s),
        )
    elif asked.served is not None:
        yield _(
            "Erlang C asks for no more: with as many, %(level)s%% are answered within %(within)s s. In a large group"
            " chances even out, and the highest load is what counts.",
            level=percent(asked.served.level),
            within=_number(terms.within_s),
        )


def _of_erlang_a(sizes: Sizes, terms: Terms) -> Iterator[str]:
    patient, asked = sizes.erlang_c.agents, sizes.erlang_a
    if asked.served is None:
        return
    given = {
        "agents": asked.agents,
        "patience": _number(terms.patience_s),
        "lost": percent(asked.served.gives_up),
        "within": _number(terms.within_s),
    }
    if asked.agents < patient:
        yield _(
            "Erlang A asks for %(fewer)s fewer than Erlang C, %(agents)s: callers give up, after %(patience)s s on"
            " average, which shortens the wait of those behind them. The price is that %(lost)s%% are never served.",
            fewer=patient - asked.agents,
            **given,
        )
    elif asked.agents > patient:
        yield _(
            "Erlang A asks for %(more)s more than Erlang C, %(agents)s: Erlang C takes it that everybody stays for the"
            " %(within)s s; with a patience of %(patience)s s on average many do not, and count as not answered.",
            more=asked.agents - patient,
            **given,
        )
    else:
        yield _(
            "Erlang A asks for as many as Erlang C: waits are so short that, with a patience of %(patience)s s on"
            " average, only %(lost)s%% give up.",
            **given,
        )


def reality(row: Row) -> list[str]:
    """What really was, and what the formulas would have said of it."""
    if row.reached is None or row.patient is None or row.impatient is None or row.gave_up is None:
        return []
    return [
        _(
            "Really %(there)s were there; %(reached)s%% were answered within the queue's target, and %(gave_up)s%% gave"
            " up. Of as many, Erlang A expects %(level)s%% and %(lost)s%%. %(patient)s",
            there=_number(row.there),
            reached=percent(row.reached),
            gave_up=percent(row.gave_up),
            level=percent(row.impatient.level),
            lost=percent(row.impatient.gives_up),
            patient=_of_the_patient(row.patient),
        ),
        _(
            "Between a formula and the day lies what formulas leave out: they take each half hour by itself, without"
            " those who still wait from the one before, with calls at one rate all through it and agents who do nothing"
            " else. Agents who serve several queues count whole in each."
        ),
    ]


def _of_the_patient(found: Served) -> str:
    if found.wait_s == inf:
        return _("Erlang C has no answer: with more work than agents and nobody giving up, the queue would never end.")
    return _("Erlang C expects %(level)s%%.", level=percent(found.level))


def percent(share: float) -> str:
    """A share, 0 to 1, as a percentage without its sign."""
    return _number(100 * share)


def _number(value: float) -> str:
    """At most one place behind the point, and none where it says nothing."""
    return f"{value:.1f}".removesuffix(".0")
