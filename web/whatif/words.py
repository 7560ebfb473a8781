"""What-if in words: what each figure is called, how it is written, and what an answer is worth."""

from collections.abc import Iterator
from typing import Final

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l

from orchestrator.whatif.asking import Answer, Figure, Spread

LABELS: Final[dict[str, LazyString]] = {
    "offered": _l("Calls that waited"),
    "answered": _l("Calls answered"),
    "abandoned": _l("Calls given up"),
    "service_level": _l("Answered in time, percent"),
    "given_up": _l("Gave up, percent"),
    "answer_wait_s": _l("Mean wait until the answer, seconds"),
    "wait_s": _l("Mean wait of all, seconds"),
    "longest_wait_s": _l("Longest wait, seconds"),
    "occupancy": _l("Load of the agents, percent"),
    "agent_hours": _l("Hours of agents at work"),
}
OF_QUEUES: Final = ("offered", "service_level", "given_up", "answer_wait_s")
"""What is told of each queue: agents' time belongs to no queue alone."""
CHARTS: Final = ("service_level", "wait_s", "given_up", "occupancy")
SHARES: Final = frozenset({"service_level", "given_up", "occupancy"})
_COUNTS: Final = frozenset({"offered", "answered", "abandoned"})


def _(text: str, **given: object) -> str:
    return str(gettext(text, **given))


def written(name: str, value: float | None) -> str:
    """A figure as people read it; empty where there is nothing to say."""
    if value is None:
        return ""
    places = 0 if name in _COUNTS else 1
    # Never "-0.0".
    return f"{round(100 * value if name in SHARES else value, places) + 0.0:.{places}f}"


def signed(name: str, value: float) -> str:
    """A difference, with its sign."""
    text = written(name, value)
    return text if text.startswith("-") else f"+{text}"


def interval(name: str, found: Spread | None, *, of_difference: bool = False) -> str:
    """Where the mean lies with 95 % confidence, as far as a figure goes; empty where all seeds, or the only one, agree,
    which tells nothing of it.
    """
    if found is None or found.low == found.high:
        return ""
    if of_difference:
        return f"{signed(name, found.low)} … {signed(name, found.high)}"
    return f"{written(name, _possible(name, found.low))} … {written(name, _possible(name, found.high))}"


def _possible(name: str, value: float) -> float:
    return min(max(value, 0.0), 1.0) if name in SHARES else max(value, 0.0)


def is_certain(found: Spread | None) -> bool:
    """Whether a difference is more than chance: the seeds tell where its mean may be, and 0 is not there."""
    return found is not None and found.low < found.high and (found.low > 0 or found.high < 0)


def sentences(answer: Answer) -> list[str]:
    """What the answer rests on and how far it goes, sentence by sentence."""
    level = answer.figures["service_level"]
    return [
        *_of_the_difference(answer),
        *_of_the_band(level, answer.seeds),
        *_of_those_who_give_up(answer),
        _of_patience(answer),
        *_of_stages(answer),
        *_left_out(answer),
        _(
            "Calls come when they came, with the talks and after-call work that they had; whoever was not served that"
            " day talks like one who was. Agents sign in, pause and leave when they did, and answer or miss rings as"
            " often as they did. No memory is carried over from the day before: who served a customer last, and who"
            " waited at midnight, is not known."
        ),
        _("In time: answered within the target that the queue had on that day, of all who waited in it."),
    ]


def _of_the_difference(answer: Answer) -> Iterator[str]:
    level, lost = answer.figures["service_level"], answer.figures["given_up"]
    if level.difference is None or lost.difference is None:
        return
    if is_certain(level.difference):
        yield _(
            "With this %(level)s points are answered in time (%(interval)s with 95 %% confidence), and %(lost)s points"
            " give up.",
            level=signed("service_level", level.difference.mean),
            interval=interval("service_level", level.difference, of_difference=True),
            lost=signed("given_up", lost.difference.mean),
        )
    elif answer.seeds > 1:
        yield _(
            "No difference in what is answered in time can be told from chance with %(seeds)s seeds.",
            seeds=answer.seeds,
        )
    else:
        yield _("One seed alone: whether a difference is more than chance cannot be told.")


def _of_the_band(level: Figure, seeds: int) -> Iterator[str]:
    if level.real is None or level.same is None:
        return
    given = {
        "played": written("service_level", level.same.mean),
        "really": written("service_level", level.real),
        "least": written("service_level", _possible("service_level", level.same.least)),
        "most": written("service_level", _possible("service_level", level.same.most)),
    }
    if seeds == 1:
        yield _("Played with unchanged rules %(played)s%% are answered in time; really it was %(really)s%%.", **given)
    elif is_inside(level):
        yield _(
            "Played with unchanged rules %(played)s%% are answered in time, and one such day lies between %(least)s%%"
            " and %(most)s%% (95 %% confidence). The real day, %(really)s%%, is one of them.",
            **given,
        )
    else:
        yield _(
            "Played with unchanged rules %(played)s%% are answered in time, and one such day lies between %(least)s%%"
            " and %(most)s%% (95 %% confidence). The real day, %(really)s%%, is none of them: something happened that"
            " is not played. Believe differences, not levels.",
            **given,
        )


def _of_those_who_give_up(answer: Answer) -> Iterator[str]:
    lost = answer.figures["given_up"]
    if answer.seeds == 1 or lost.real is None or lost.same is None:
        return
    yield _(
        "Played so, %(played)s%% give up, and on one such day between %(least)s%% and %(most)s%%; really it were"
        " %(really)s%%.",
        played=written("given_up", lost.same.mean),
        least=written("given_up", _possible("given_up", lost.same.least)),
        most=written("given_up", _possible("given_up", lost.same.most)),
        really=written("given_up", lost.real),
    )


def _of_stages(answer: Answer) -> Iterator[str]:
    """What it rests on that people give up for the time, and how far off it may be where they do not."""
    found, offered = answer.patience, answer.figures["offered"].real
    if found.at_answer:
        yield _(
            "%(count)s hung up in the moment in which an agent answered. That is not for the time that they waited:"
            " they do so again whenever an agent answers, and tell nothing of patience.",
            count=found.at_answer,
        )
    if found.at_ring and offered:
        yield _(
            "Patience is taken to end with time, whatever callers hear. %(count)s of those who gave up did so while a"
            " phone rang for them. If it was the ringing that moved all of these, figures may be off by %(points)s"
            " points.",
            count=found.at_ring,
            points=f"{100 * found.at_ring / offered:.1f}",
        )


def is_inside(figure: Figure) -> bool:
    """Whether the real day is one that unchanged rules could have made."""
    found = figure.same
    return found is not None and figure.real is not None and found.least <= figure.real <= found.most


def _of_patience(answer: Answer) -> str:
    found = answer.patience
    given: dict[str, object] = {
        "callers": found.callers,
        "gave_up": found.gave_up,
        "median": f"{found.median_s:.0f}",
        "soon": f"{100 * found.within['30']:.0f}",
        "later": f"{100 * found.within['120']:.0f}",
        "mean": f"{found.mean_s:.0f}",
    }
    if not found.told:
        return _(
            "Patience: only %(gave_up)s of %(callers)s callers gave up, too few to tell; the usual one is taken,"
            " %(mean)s s on average.",
            **given,
        )
    return _(
        "Patience, from %(gave_up)s of %(callers)s callers who gave up, and from how long the others waited at least"
        " (Kaplan–Meier): %(soon)s%% would give up within 30 s, %(later)s%% within 120 s, half of them within"
        " %(median)s s.",
        **given,
    )


def _left_out(answer: Answer) -> Iterator[str]:
    """What happened on the day and is not played."""
    counts = answer.left_out
    if count := counts.get("by_hand"):
        yield _("Not played: %(count)s times somebody chose, moved or urged a caller by hand.", count=count)
    if count := counts.get("passed_on"):
        yield _(
            "Not played: %(count)s callers were passed on to a person or outside; their call ends there.", count=count
        )
    if count := counts.get("parked"):
        yield _("Not played: %(count)s callers were parked; their call ends there.", count=count)
    if count := counts.get("callback"):
        yield _(
            "%(count)s callers asked to be called back; they wait on, unless the queue's own rules let them go.",
            count=count,
        )
    if count := counts.get("dialled"):
        yield _("Not played: %(count)s calls that agents made; their time is there for callers.", count=count)
    if count := counts.get("came_before"):
        yield _("Not played: %(count)s calls that came before midnight.", count=count)
    if count := counts.get("switch_lost"):
        yield _("Not played: a switch was lost %(count)s times.", count=count)
