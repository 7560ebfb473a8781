"""What a leader does with a waiting caller: move it, change how urgent it is, give it to an agent (feature 3.7)."""

from typing import Final

from flask import abort, jsonify, redirect, request, url_for
from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l
from msgspec import Struct
from werkzeug.wrappers import Response

from orchestrator.domain.kernel import Refused
from orchestrator.runner import inputs
from orchestrator.runner.hands import POINTS
from web.access.needs import needs
from web.access.sight import allowed
from web.access.visitor import me
from web.floor.area import blueprint
from web.floor.picture import agents_with
from web.parts import parts
from web.push.present import live
from web.writing import key

_LONGEST: Final = 64
READY_S: Final = 2.0


class Reason(Struct, frozen=True):
    """A choice."""

    code: str
    words: LazyString


# Why somebody is served otherwise than the rules would. A row for each; the log takes any code.
REASONS: Final = (
    Reason("wrong_queue", _l("wrong queue")),
    Reason("important", _l("important customer")),
    Reason("waited_long", _l("has waited long")),
    Reason("expert_needed", _l("an expert is needed")),
    Reason("language_needed", _l("another language is needed")),
    Reason("complaint", _l("complaint")),
)
CODES: Final = frozenset(reason.code for reason in REASONS)


@blueprint.post("/move")
@needs("waiting.direct")
def move() -> Response:
    """Let the caller wait in another queue."""
    return done(parts().do(moving(field("contact"), field("queue"), _reason(), key())))


@blueprint.post("/prioritise")
@needs("waiting.direct")
def prioritise() -> Response:
    """Give the caller so many points."""
    try:
        points = int(field("points"))
    except ValueError:
        abort(400)
    return done(parts().do(hurrying(field("contact"), points, _reason(), key())))


@blueprint.post("/give")
@needs("waiting.direct")
def give() -> Response:
    """Have the caller's call ring at one agent."""
    return done(parts().do(giving(field("agent"), field("contact"), _reason(), key())))


def moving(contact_id: str, queue_id: str, reason: str, key: str) -> inputs.Move:
    """The command, where the visitor sees this contact; 404 where not."""
    refuse_out_of_sight(contact_id)
    return inputs.Move(contact=contact_id, queue=queue_id, reason=reason, by=me().actor, key=key)


def hurrying(contact_id: str, points: int, reason: str, key: str) -> inputs.Prioritise:
    """The same for points. Raises `Refused` (bad_priority)."""
    refuse_out_of_sight(contact_id)
    low, high = POINTS
    if not low <= points <= high:
        raise Refused(
            "bad_priority", gettext("Points are a whole number from %(low)s to %(high)s.", low=low, high=high)
        )
    return inputs.Prioritise(contact=contact_id, points=points, reason=reason, by=me().actor, key=key)


def giving(number: str, contact_id: str, reason: str, key: str) -> inputs.Pick:
    """The same for one of the visitor's agents, or the visitor's own desk; 404 or 403 for any other agent."""
    agent_id = allowed(number)
    refuse_out_of_sight(contact_id)
    by = "" if me().agent_id == agent_id and not me().may("waiting.direct") else me().actor
    return inputs.Pick(agent=number, contact=contact_id, reason=reason, by=by, key=key)


def refuse_out_of_sight(contact_id: str) -> None:
    """404 for a contact that rings at, or talks with, agents only whom the visitor does not see. Whoever waits for
    anybody is seen by every leader; of one that is over, the engine says so.
    """
    scope = me().scope
    if not scope.limited:
        return
    with live().view.still() as world:
        contact = world.contacts.get(contact_id)
        theirs = agents_with(contact) if contact is not None else []
        seen = any(agent_id in world.agents and scope.holds(world.agents[agent_id]) for agent_id in theirs)
    if theirs and not seen:
        abort(404)


def _reason() -> str:
    reason = field("reason")
    if reason not in CODES:
        abort(400)
    return reason


def field(name: str) -> str:
    """A short field of the form."""
    return request.form.get(name, "")[:_LONGEST]


def done(position: int) -> Response:
    """To a script of ours the position, to a plain form the floor."""
    if request.headers.get("X-Requested-With") == "fetch":
        response: Response = jsonify({"position": position})
        return response
    return redirect(url_for("floor.show"), 303)
