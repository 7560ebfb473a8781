"""The desk's states and outcomes as it shows them: words, a sign, a colour; never a colour alone."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from msgspec import Struct

from orchestrator.domain.staff.forcing import PAUSED, READY, SIGNED_OUT, Forced
from orchestrator.domain.staff.reasons import label
from orchestrator.domain.switch.nodes import GONE
from web import language
from web.desk.picture import Desk
from web.words import chosen, code, reason
from web.words.names import Names

_MINUTE_MS: Final = 60_000


class Sign(Struct, frozen=True):
    """How a state looks. `tone` names a colour of the style sheet."""

    words: LazyString
    icon: str
    tone: str


SIGNS: Final = {
    "signed_out": Sign(_l("Signed out"), "○", "calm"),
    "paused": Sign(_l("Not ready"), "■", "wait"),
    "ready": Sign(_l("Ready"), "✔", "good"),
    "cooling_down": Sign(_l("Ready in a moment"), "◔", "good"),
    "ringing": Sign(_l("Ringing"), "☎", "bad"),
    "calling": Sign(_l("The customer is being called"), "☎", "bad"),
    "connecting": Sign(_l("Being connected"), "☎", "bad"),
    "consulted": Sign(_l("Asked by a colleague"), "●", "busy"),
    "monitoring": Sign(_l("Listening to a talk"), "◉", "busy"),
    "talking": Sign(_l("Talking"), "●", "busy"),
    "held": Sign(_l("Caller on hold"), "♪", "work"),
    "wrapping_up": Sign(_l("After-call work"), "✎", "work"),
    "phone_busy": Sign(_l("Phone in use"), "◍", "wait"),
    "phone_gone": Sign(_l("Phone not registered"), "✖", "wait"),
}
# The codes with which an offer ends for an agent, as a list of calls tells it.
OUTCOMES: Final = {
    "ringing": _l("rings"),
    "consulted": _l("with a colleague"),
    "talking": _l("talking"),
    "talked": _l("talked"),
    "timed_out": _l("missed"),
    "unreachable": _l("phone not reachable"),
    "rejected": _l("rejected"),
    "busy": _l("busy"),
    "withdrawn": _l("taken back"),
    "lost": _l("taken by somebody else"),
    "failed": _l("could not be joined"),
}
_STOOD_DOWN: Final = {
    "ring_no_answer": _l(
        "Your phone rang and was not answered in time. Nothing is offered to you until you are ready again."
    ),
    "phone_unreachable": _l("Your phone could not be reached. Look at it, then be ready again."),
    "desk_lost": _l("This desk was not connected for too long. Nothing is offered to you until you are ready again."),
}


_FORCED: Final = {
    READY: _l("%(who)s made you ready: %(reason)s"),
    PAUSED: _l("%(who)s made you not ready: %(reason)s"),
    SIGNED_OUT: _l("%(who)s signed you out: %(reason)s"),
}


_PHONE_GONE: Final = _l(
    "Your phone is not registered, so it cannot ring. Look at it: calls are offered to you again once it is."
)
_READY: Final = ("ready", "cooling_down")


class Pause(Struct, frozen=True):
    """A reason for not being ready. `most_min`: 0 where it may last."""

    code: str
    words: str
    most_min: int


class Choice(Struct, frozen=True):
    """A wrap-up reason. The first nine of a page have the keys 1 to 9."""

    code: str
    words: str
    place: int


class Group(Struct, frozen=True):
    """Wrap-up reasons under one heading, or under none."""

    words: str
    choices: tuple[Choice, ...]


class Words(Struct, frozen=True):
    """What the template says beside the data."""

    sign: Sign
    reason: str
    stood_down: str
    phone_gone: str
    """Said to those who are ready and whose phone cannot be rung."""
    pauses: tuple[Pause, ...]
    wrap_up: tuple[Group, ...]
    most_ms: int
    """How long the present pause should last at most, 0 for no limit."""
    regions: dict[str, str]
    """Where each number that rings or talks is from."""
    next_pause: str
    forced: str
    """What somebody else made of the agent, who, and why."""
    hearing: str
    """How this supervisor is heard in the talk that they hear."""


def words_of(desk: Desk) -> Words:
    """In the language of whoever looks."""
    talks = ([desk.talk] if desk.talk is not None else []) + list(desk.others)
    numbers = [ring.number for ring in desk.rings] + [talk.number for talk in talks]
    return Words(
        sign=SIGNS.get(desk.state, SIGNS["paused"]),
        reason=reason(desk.reason),
        stood_down=str(_STOOD_DOWN.get(desk.stood_down, "")),
        phone_gone=str(_PHONE_GONE) if desk.registration == GONE and desk.state in _READY else "",
        pauses=tuple(_pauses()),
        wrap_up=tuple(_groups(desk.wrap_up.queue_id)) if desk.wrap_up is not None else (),
        most_ms=chosen.most_ms(desk.reason),
        regions={number: region(number) for number in numbers},
        next_pause=reason(desk.next_pause),
        forced=_forced(desk.forced) if desk.forced is not None else "",
        hearing=code(desk.hearing.mode) if desk.hearing is not None else "",
    )


def _forced(forced: Forced) -> str:
    who = Names().actor(forced.by)
    return str(_FORCED[forced.to]) % {"who": who, "reason": reason(forced.reason)}


def _pauses() -> Iterator[Pause]:
    for each in chosen.pauses():
        yield Pause(each.id, label(each, language.current()), each.most_ms // _MINUTE_MS)


def _groups(queue_id: str) -> Iterator[Group]:
    """What may be chosen after a contact of this queue, numbered through; what has no heading stands together."""
    tongue, place = language.current(), 0
    for headed, some in groupby(chosen.wrap_up(queue_id), key=lambda each: each.id if each.reasons else ""):
        found = list(some)
        choices = [choice for each in found for choice in each.choices]
        numbered = tuple(Choice(each.id, label(each, tongue), place + n) for n, each in enumerate(choices, 1))
        place += len(choices)
        yield Group(label(found[0], tongue) if headed else "", numbered)


def outcome_words(outcome: str) -> str:
    """How an offer ended for this agent."""
    words = OUTCOMES.get(outcome)
    return code(outcome) if words is None else f"{words}"


def region(number: str) -> str:
    """Where a number is from, empty where it does not say."""
    from orchestrator.service.customers import e164
    from orchestrator.service.regions import region_of
    from web.parts import parts

    known = e164(number, parts().settings.region) if number else None
    return str(region_of(known, language.current())) if known else ""
