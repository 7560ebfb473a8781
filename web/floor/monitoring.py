"""What a supervisor does with a talk, and with an agent (features 1.2, 8.3): listen, whisper, barge in, take over; make
an agent ready, not ready, or sign them out. Each by a permission of its own, with a reason, and for one's own agents
alone.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from flask import abort
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from orchestrator.domain.contacts.monitors import BARGE, LISTEN, WHISPER
from orchestrator.domain.kernel import Refused
from orchestrator.domain.staff.forcing import PAUSED
from orchestrator.runner import inputs
from web.access.needs import needs
from web.access.sight import allowed
from web.access.visitor import me
from web.floor import acts
from web.floor.area import blueprint
from web.parts import parts
from web.push.present import live
from web.words import chosen
from web.writing import key

# Why somebody listens or takes over, and why an agent is made something. A row for each; the log takes any code.
REASONS: Final = (
    acts.Reason("coaching", _l("coaching")),
    acts.Reason("quality_check", _l("quality check")),
    acts.Reason("help_asked", _l("the agent asks for help")),
    acts.Reason("complaint", _l("complaint")),
    acts.Reason("trouble", _l("trouble in the call")),
)
FORCING: Final = (
    acts.Reason("staffing", _l("more agents are needed")),
    acts.Reason("left_desk", _l("has left the desk")),
    acts.Reason("end_of_day", _l("end of the shift")),
    acts.Reason("mistake", _l("asked for by mistake")),
)
_CODES: Final = frozenset(reason.code for reason in REASONS)
_FORCING_CODES: Final = frozenset(reason.code for reason in FORCING)
# What each way of hearing a talk needs.
PERMISSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {LISTEN: "talks.listen", WHISPER: "talks.coach", BARGE: "talks.enter"}
)


@blueprint.post("/monitor")
@needs("talks.listen")
def monitor() -> Response:
    """Hear a talk at one's own phone, or be heard in it otherwise."""
    wish = hearing(own_number(), acts.field("contact"), acts.field("mode"), _reason(_CODES), key())
    return acts.done(parts().do(wish))


@blueprint.post("/monitor/end")
@needs("talks.listen")
def end_monitor() -> Response:
    """Hear no more."""
    return acts.done(parts().do(inputs.EndMonitor(agent=own_number(), key=key())))


@blueprint.post("/take-over")
@needs("talks.enter")
def take_over() -> Response:
    """Have the caller of the talk that one hears."""
    return acts.done(parts().do(taking_over(own_number(), acts.field("contact"), _reason(_CODES), key())))


@blueprint.post("/force")
@needs("floor.direct")
def force() -> Response:
    """Make an agent ready, not ready, or sign them out."""
    to = acts.field("to")
    reason = acts.field("reason") if to == PAUSED else _reason(_FORCING_CODES)
    return acts.done(parts().do(forcing(acts.field("agent"), to, reason, key())))


def hearing(number: str, contact_id: str, mode: str, reason: str, key: str) -> inputs.Monitor:
    """The command, for the seat of this employee number; 403 without the permission for the mode, 404 for a talk out of
    sight.
    """
    agent_id = _seat(number)
    if not me().may(PERMISSIONS.get(mode, "talks.listen")):
        abort(403)
    acts.refuse_out_of_sight(contact_id)
    return inputs.Monitor(agent=number, contact=contact_id, mode=mode, reason=reason, by=_by(agent_id), key=key)


def taking_over(number: str, contact_id: str, reason: str, key: str) -> inputs.TakeOverCall:
    """The same for the caller of a talk that is heard."""
    agent_id = _seat(number)
    acts.refuse_out_of_sight(contact_id)
    return inputs.TakeOverCall(agent=number, about=contact_id, reason=reason, by=_by(agent_id), key=key)


def ending(number: str, key: str) -> inputs.EndMonitor:
    """The same for the end of it."""
    return inputs.EndMonitor(agent=number, by=_by(_seat(number)), key=key)


def forcing(number: str, to: str, reason: str, key: str) -> inputs.Force:
    """The command, for an agent whom one directs; 404 or 403 for any other. Raises `Refused`: same_agent,
    bad_reason.
    """
    if allowed(number) == me().agent_id:
        raise Refused("same_agent", gettext("That is yourself; choose somebody else."))
    if to == PAUSED and reason not in chosen.pause_codes():
        raise Refused("bad_reason", gettext("Choose one of %(codes)s.", codes=", ".join(chosen.pause_codes())))
    return inputs.Force(agent=number, to=to, reason=reason, by=me().actor, key=key)


def own_number() -> str:
    """The employee number of the visitor's own seat. Raises `Refused` (no_seat)."""
    live().view.wait_ready(acts.READY_S)
    with live().view.still() as world:
        agent = world.agents.get(me().agent_id)
    if agent is None:
        raise Refused("no_seat", "You have no seat as an agent, so no phone of yours could ring.")
    return agent.number


def _seat(number: str) -> str:
    """The id of the agent at whose phone a talk is to be heard: the visitor, wherever they belong, or one whom
    they direct; 404 or 403 for any other.
    """
    live().view.wait_ready(acts.READY_S)
    with live().view.still() as world:
        own = bool(me().agent_id) and world.agent_of_number.get(number) == me().agent_id
    return me().agent_id if own else allowed(number)


def _by(agent_id: str) -> str:
    return "" if me().agent_id == agent_id else me().actor


def _reason(codes: frozenset[str]) -> str:
    reason = acts.field("reason")
    if reason not in codes:
        abort(400)
    return reason
