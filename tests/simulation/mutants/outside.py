"""Callers who are called back, and numbers that an agent dials."""

# ruff: noqa: ANN401 - a wrong function has to fit whatever right one it stands for

from collections.abc import Iterator
from typing import Any

from orchestrator.domain.contacts import contacts, dialling, dials, outward
from orchestrator.domain.contacts.commands import EndPeace
from orchestrator.domain.contacts.outward_events import CallbackMissed
from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing import outside
from orchestrator.domain.switch.instructions import DialOutside
from orchestrator.policies.base import TellContact
from tests.simulation.mutants.modules import call_out
from tests.simulation.mutants.planting import Mutant, around, instead, policy
from tests.simulation.mutants.skies import CALLS_OUT, CALM
from tests.simulation.run import Size

_DIALLED = Size(contacts=5, agents=4, dials=1.0)


def _calls_before_the_agent_is_there(world: Any, happened: Any, ids: Any) -> Iterator[Any]:
    contact = happened.after
    rings = isinstance(happened.record.event, contacts.OfferMade) and isinstance(contact, contacts.Contact)
    callback = outward.to_be_called(contact) if rings else None
    if callback is not None:
        yield DialOutside(
            id=ids.new("leg"),
            node=contact.node,
            leg=ids.new("leg"),
            contact=contact.contact_id,
            offer=happened.record.event.offer_id,
            number=callback.number,
            trunk="outside",
            ring_ms=5_000,
            deadline=happened.record.event.deadline,
        )
    yield from call_out(world, happened, ids)


def _calls_again_at_once(world: Any, happened: Any, ids: Any) -> Iterator[Any]:
    yield from call_out(world, happened, ids)
    if isinstance(happened.record.event, CallbackMissed):
        yield TellContact(happened.after.contact_id, EndPeace(now=Instant(happened.at + 10**12)))


MUTANTS = (
    Mutant(
        name="call the customer while the agent's phone rings",
        rule="agent_first",
        make=policy(call_out, _calls_before_the_agent_is_there),
        weather=CALM,
        size=CALLS_OUT,
    ),
    Mutant(
        name="call outside however many are called",
        rule="outside_bounded",
        make=around(outside, "why_not", lambda right, rules, number, calling: right(rules, number, 0 * calling)),
        weather=CALM,
        size=CALLS_OUT,
    ),
    Mutant(
        name="call a customer again at once",
        rule="left_in_peace",
        make=policy(call_out, _calls_again_at_once),
        weather=CALM,
        size=CALLS_OUT,
        seed=4,
    ),
    Mutant(
        name="forget how a number that an agent dialled came to nothing",
        rule="dialled",
        make=instead(dialling, "end_of", lambda _events: ""),
        weather=CALM,
        size=_DIALLED,
    ),
    Mutant(
        name="miss the answer of a number whose sound is heard already",
        rule="dialled",
        make=instead(dials, "heard", lambda _contact, _leg: False),
        weather=CALM,
        size=_DIALLED,
        seed=22,
    ),
)
