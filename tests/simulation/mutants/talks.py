"""What is of a talk and what follows it: its number, recording, digits, who is passed on, wrap-up."""

# ruff: noqa: ANN401 - a wrong function has to fit whatever right one it stands for

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from orchestrator.domain import timers
from orchestrator.domain.contacts import contacts, recording, speaking, transferring
from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing.recording import ALWAYS
from orchestrator.domain.staff import shifts
from orchestrator.domain.switch.instructions import StopRecording
from orchestrator.policies.base import TellShift
from orchestrator.runner import hands
from tests.simulation.mutants.modules import record, talk, wrap_up
from tests.simulation.mutants.planting import Mutant, around, instead, nothing, policy
from tests.simulation.mutants.skies import BY_HAND, CALM, CONSULTED, MANY_AT_ONCE, PASSED_ON, TALKATIVE
from tests.simulation.run import Size
from tests.simulation.weather import Weather


def _wrap_up_over_at_once(world: Any, happened: Any, ids: Any) -> Any:
    for do in wrap_up.wrap_up(world, happened, ids):
        yield do
        if isinstance(do.command, shifts.StartWrapUp):
            yield TellShift(do.shift_id, shifts.EndWrapUp(how="timer"))


def _unannounced(contact: Any) -> Any:
    return replace(contact, segment=replace(contact.segment, announced=False)) if contact.segment else contact


def _a_number_for_every_resume(world: Any, happened: Any, ids: Any) -> Any:
    yield from talk.talk(world, happened, ids)
    if isinstance(happened.record.event, contacts.ContactResumed):
        yield from talk.announce(world, happened.after)


def _announces_at_once(world: Any, happened: Any, ids: Any) -> Any:
    yield from talk.talk(world, happened, ids)
    if isinstance(happened.record.event, contacts.ContactConnected):
        yield from talk.announce(world, happened.after)


def _masked_once_asked(right: Any, found: Any, event: Any) -> Any:
    after = right(found, event)
    return replace(after, masked=True, wish="") if isinstance(event, recording.MaskAsked) else after


@contextmanager
def _says_it_again_after_a_hold() -> Iterator[None]:
    with (
        policy(talk.talk, _a_number_for_every_resume)(),
        around(contacts, "_evolve_hold", lambda right, *args: _unannounced(right(*args)))(),
    ):
        yield


def _wraps_up_beside_another_caller(right: Any, shift: Any, command: Any) -> Any:
    own = tuple(each for each in shift.engagements if each.contact_id == command.contact_id)
    return right(replace(shift, engagements=own), command)


_TAPED = Size(contacts=60, agents=10, tapes=0.4)


def _passed_on_to_nowhere(right: Any, contact: Any, command: Any) -> Any:
    return tuple(event for event in right(contact, command) if not isinstance(event, contacts.ContactQueued))


def _records_on_after_a_transfer(world_: Any, happened: Any, ids: Any) -> Any:
    return (do for do in record.record(world_, happened, ids) if not isinstance(do, StopRecording))


def _an_agent_who_goes_takes_the_caller_along(
    _right: Any, contact: Any, segment: Any, _consult: Any, command: Any
) -> Any:
    ended = transferring.fell_back(contact, segment, command)
    return tuple(event for event in ended if not isinstance(event, contacts.ContactQueued))


MUTANTS = (
    Mutant(name="skip wrap-up", rule="wrap_up", make=policy(wrap_up.wrap_up, nothing), weather=CALM),
    Mutant(
        name="wrap-up is over at once",
        rule="wrap_up",
        make=policy(wrap_up.wrap_up, _wrap_up_over_at_once),
        weather=CALM,
    ),
    Mutant(
        name="say the number again after a hold",
        rule="announced_once",
        make=_says_it_again_after_a_hold,
        weather=CALM,
        size=MANY_AT_ONCE,
    ),
    Mutant(
        name="say the number before the recording has begun",
        rule="announced_once",
        make=policy(talk.talk, _announces_at_once),
        weather=CALM,
        size=MANY_AT_ONCE,
    ),
    Mutant(
        name="record everybody, whatever they were promised",
        rule="recorded",
        make=instead(record, "rule_for", lambda _world, _contact: ALWAYS),
        weather=CALM,
        size=_TAPED,
    ),
    Mutant(
        name="take a mask for done once it was asked for",
        rule="masked",
        make=around(recording, "_evolve_mask", _masked_once_asked),
        weather=Weather(slow_commits=0.5),
        size=_TAPED,
        seed=17,
    ),
    Mutant(
        name="send the digits to the agent's own phone",
        rule="digits",
        make=instead(speaking, "hearers_leg", lambda contact: contact.segment.leg),
        weather=Weather(),
        size=TALKATIVE,
    ),
    Mutant(
        name="forget to look at a mask",
        rule="masks_end",
        make=instead(timers, "mask_due", lambda _recording: Instant(0)),
        weather=CALM,
        size=_TAPED,
        seed=3,
    ),
    Mutant(
        name="pass people over without a word",
        rule="by_hand",
        make=instead(hands, "in_line", lambda *_: []),
        weather=CALM,
        size=BY_HAND,
    ),
    Mutant(
        name="talk with two callers at once",
        rule="one_active",
        make=instead(talk, "_hold_others", nothing),
        weather=CALM,
        size=BY_HAND,
        seed=12,
    ),
    Mutant(
        name="wrap up while another caller is in hand",
        rule="wrap_up_each",
        make=around(shifts, "_start_wrap_up", _wraps_up_beside_another_caller),
        weather=CALM,
        size=BY_HAND,
    ),
    Mutant(
        name="pass somebody on, and let them wait nowhere",
        rule="passed_on",
        make=around(transferring, "decide", _passed_on_to_nowhere),
        weather=CALM,
        size=PASSED_ON,
    ),
    Mutant(
        name="record on when the agent has passed the caller on",
        rule="recorded",
        make=policy(record.record, _records_on_after_a_transfer),
        weather=CALM,
        size=PASSED_ON,
        seed=1,
    ),
    Mutant(
        name="an agent who hangs up leaves the caller to nobody",
        rule="passed_on",
        make=around(transferring, "handed_over", _an_agent_who_goes_takes_the_caller_along),
        weather=CALM,
        size=CONSULTED,
    ),
)
