"""Looking at all channels and phones of a switch: the questions, in their order, until the answers fit together."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import gevent
import structlog

from orchestrator.domain.switch.facts import SeenLeg
from orchestrator.esl import commands
from orchestrator.esl.replies import Outcome, Reply
from orchestrator.esl.resync import listed_legs, listed_phones, seen_leg, session_count

log = structlog.get_logger(__name__)

AskAll = Callable[[Sequence[str]], list[Outcome]]

# The table behind `show channels` is written by a thread of its own and lags, both ways: a caller who has just come is
# not in it yet, one who has just left is there still. It is asked again until it has as many rows as `status` counts
# sessions, or so often. As many rows are no proof, for a row of the second kind hides the lack of a first: see `Look`.
_LOOKS: Final = 5
_LOOK_AGAIN_S: Final = 0.1
LIST_SETTLES_S: Final = 0.5
"""After so long the table has what was there at the last look; on a switch under load, later."""
SETTLED_LOOKS: Final = 3
"""So often it is looked where no look is complete. Where channels come and go all the time none may ever be."""
# Questions on their way at once: enough to hide the round trip, few enough for another question to come between.
_AT_ONCE: Final = 50


class Look(NamedTuple):
    """What a look at all channels found."""

    legs: tuple[SeenLeg, ...]
    """Every channel of the list that answered `uuid_dump`."""
    complete: bool
    """Whether these are all there were. Shown by the order of the questions, list, sessions, dumps: whoever is in the
    list and lives at the dumps was counted, so as many as were counted are all. Otherwise somebody may be missing who
    came before we subscribed, and of whom no event tells: look again once the list has settled.
    """


def look(ask_all: AskAll) -> Look | None:
    """Every channel that answers `uuid_dump` now; None where the switch did not answer or not in a readable way."""
    listed: set[str] = set()
    counted = 0
    for attempt in range(_LOOKS):
        if attempt:
            gevent.sleep(_LOOK_AGAIN_S)
        channels, status = ask_all([commands.CHANNELS, commands.STATUS])
        if not isinstance(status, Reply) or not isinstance(channels, Reply):
            return None
        legs, sessions = listed_legs(channels.text), session_count(status.text)
        if legs is None or sessions is None:
            log.warning("channels-unreadable", status=status.text[:80], channels=channels.text[:80])
            return None
        listed |= set(legs)
        counted = sessions
        if len(legs) >= sessions:
            break
    found = dumped(sorted(listed), ask_all)
    return None if found is None else Look(found, complete=len(found) >= counted)


def dumped(legs: Sequence[str], ask_all: AskAll) -> tuple[SeenLeg, ...] | None:
    """Those of these channels that answer `uuid_dump` now; None where the switch did not answer."""
    seen: list[SeenLeg] = []
    for first in range(0, len(legs), _AT_ONCE):
        some = legs[first : first + _AT_ONCE]
        for leg, outcome in zip(some, ask_all([commands.dump(leg) for leg in some]), strict=True):
            if not isinstance(outcome, Reply):
                return None
            found = seen_leg(leg, outcome.text)
            if found is not None:
                seen.append(found)
    return tuple(seen)


def phones(ask_all: AskAll) -> dict[str, bool]:
    """Whether a phone is registered, of each account; empty where the switch does not list them."""
    (answer,) = ask_all([commands.PHONES])
    return listed_phones(answer.text) if isinstance(answer, Reply) else {}
