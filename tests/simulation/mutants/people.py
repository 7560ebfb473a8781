"""Desks, phones and what an agent asks for."""

# ruff: noqa: ANN401 - a wrong function has to fit whatever right one it stands for

from typing import Any

from orchestrator.domain.kernel import Refused
from orchestrator.domain.routing import matching, pools
from orchestrator.domain.staff import presence, shifts
from orchestrator.domain.switch import between, nodes
from orchestrator.domain.switch.facts import PhoneRegistered
from orchestrator.runner import presence as attendance
from orchestrator.runner import reconcile, sensing, stale
from orchestrator.runner.telling import AppendNode
from tests.simulation.mutants.planting import Mutant, around, instead, nothing
from tests.simulation.mutants.skies import AT_DESKS, CALM, PHONES
from tests.simulation.run import Size

_SEVERAL = Size(contacts=60, agents=6, nodes=2)


def _phones_are_never_gone(right: Any, shift: Any, phone: str) -> str:
    return str(right(shift, "" if phone == pools.PHONE_GONE else phone))


def _every_registration_is_told(_right: Any, _world: Any, fact: Any) -> Any:
    if isinstance(fact, PhoneRegistered):
        yield AppendNode(fact.node, (nodes.PhoneRegistered(extension=fact.extension),))


def _strange_refusals(right: Any, shift: Any) -> Any:
    try:
        return right(shift)
    except Refused as refused:
        raise Refused("computer_says_no", refused.message) from refused


def _whoever_comes_back_is_a_stranger(right: Any, desk: Any, command: Any) -> Any:
    back = desk is not None and desk.state != "attached" and desk.desk_id == command.desk_id
    return () if back else right(desk, command)


def _silence_means_nothing(_world: Any, memory: Any, _now: Any, *, late: bool) -> tuple[()]:
    memory.desks_due = None
    return ()


MUTANTS = (
    Mutant(
        name="a refusal that no program knows",
        rule="refusals",
        make=around(shifts, "_make_ready", _strange_refusals),
        weather=CALM,
        size=Size(contacts=60, agents=10),
        seed=3,
    ),
    Mutant(
        name="an agent whose desk is gone is ready after the talk",
        rule="desk_is_there",
        make=instead(presence, "absent", lambda _desk: False),
        weather=CALM,
        size=AT_DESKS,
    ),
    Mutant(
        name="a web process that dies unnoticed",
        rule="desk_is_there",
        make=instead(attendance, "on_silence", _silence_means_nothing),
        weather=CALM,
        size=AT_DESKS,
        seed=14,
    ),
    Mutant(
        name="a desk that comes back and is not believed",
        rule="desk_is_known",
        make=around(presence, "_seen", _whoever_comes_back_is_a_stranger),
        weather=CALM,
        size=AT_DESKS,
    ),
    Mutant(
        name="do what was pressed to whatever is there now",
        rule="as_meant",
        make=instead(stale, "is_done", lambda _shift, _command: False),
        weather=CALM,
        size=AT_DESKS,
    ),
    Mutant(
        name="offer to phones that are gone",
        rule="phone_is_there",
        make=around(matching, "_label", _phones_are_never_gone),
        weather=CALM,
        size=PHONES,
    ),
    Mutant(
        name="tell every registration that is refreshed",
        rule="phones_told",
        make=around(sensing, "_phone", _every_registration_is_told),
        weather=CALM,
        size=PHONES,
    ),
    Mutant(
        name="look at no list of phones",
        rule="phones_told",
        make=around(reconcile, "compare", nothing),
        weather=CALM,
        size=Size(),
    ),
    Mutant(
        name="ring every phone over the caller's own switch",
        rule="phone_is_there",
        make=instead(between, "place_of", lambda _known, home, _extension: home),
        weather=CALM,
        size=_SEVERAL,
    ),
)
