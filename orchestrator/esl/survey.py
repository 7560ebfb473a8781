"""Looking at all channels and phones of a switch: the questions, in their order, until the answers fit together."""

from collections.abc import Callable, Sequence
from typing import Final

import gevent
import structlog

from orchestrator.domain.switch.facts import SeenLeg
from orchestrator.esl import commands
from orchestrator.esl.replies import Outcome, Reply
from orchestrator.esl.resync import listed_legs, listed_phones, seen_leg, session_count

log = structlog.get_logger(__name__)

AskAll = Callable[[Sequence[str]], list[Outcome]]

# The table behind `show channels` is written by a thread of its own and lags. It is asked again until it has as many
# rows as `status` counts sessions, or so often: what is still missing then tells of itself by its next event.
_LOOKS: Final = 5
_LOOK_AGAIN_S: Final = 0.1
# Questions on their way at once: enough to hide the round trip, few enough for another question to come between.
_AT_ONCE: Final = 50


def look(ask_all: AskAll) -> tuple[SeenLeg, ...] | None:
    """Every channel that answers `uuid_dump` now; None where the switch did not answer or not in a readable way."""
    listed: set[str] = set()
    for attempt in range(_LOOKS):
        if attempt:
            gevent.sleep(_LOOK_AGAIN_S)
        status, channels = ask_all([commands.STATUS, commands.CHANNELS])
        if not isinstance(status, Reply) or not isinstance(channels, Reply):
            return None
        legs, sessions = listed_legs(channels.text), session_count(status.text)
        if legs is None or sessions is None:
            log.warning("channels-unreadable", status=status.text[:80], channels=channels.text[:80])
            return None
        listed |= set(legs)
        if len(legs) >= sessions:
            break
    return dumped(sorted(listed), ask_all)


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
