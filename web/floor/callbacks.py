"""Asking for a customer to be called back, and calling that off (feature 3.10).

A leader does it from the floor, and from their own desk where they have one.
"""

import time
from typing import Final

from flask import abort, render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from orchestrator.domain.kernel import Instant, Refused
from orchestrator.runner import inputs
from web.access.needs import needs
from web.access.visitor import me
from web.floor import acts
from web.floor.area import blueprint
from web.floor.planned import Planned, plan_of, planned
from web.parts import parts
from web.push.present import live
from web.words import code
from web.writing import key

# Why a callback is called off. A row for each; the log takes any code.
REASONS: Final = (
    acts.Reason("customer_asked", _l("the customer asked for it")),
    acts.Reason("settled", _l("settled in another way")),
    acts.Reason("wrong_number", _l("wrong number")),
    acts.Reason("mistake", _l("asked for by mistake")),
)
CODES: Final = frozenset(reason.code for reason in REASONS)


@blueprint.get("/callback")
@needs("floor.direct")
def plan() -> str:
    """The form in which a waiting caller is turned into a callback: the number, whether it may be called, the plan."""
    contact_id = request.args.get("contact", "")
    acts.refuse_out_of_sight(contact_id)
    live().view.wait_ready(acts.READY_S)
    found = plan_of(live().view, contact_id)
    if found is None:
        raise Refused("not_waiting", gettext("This caller does not wait any more."))
    return render_template("floor/call_back.html", plan=found, code=code)


@blueprint.post("/callback")
@needs("floor.direct")
def call_back() -> Response:
    """Let the caller go, and call back in the same turn."""
    return acts.done(parts().do(asking(acts.field("contact"), acts.field("number"), key())))


@blueprint.post("/callback/cancel")
@needs("floor.direct")
def cancel() -> Response:
    """Call it off."""
    reason = acts.field("reason")
    if reason not in CODES:
        abort(400)
    return acts.done(parts().do(cancelling(acts.field("contact"), reason, key())))


def asking(contact_id: str, number: str, key: str) -> inputs.AskCallback:
    """The command, where the visitor sees this contact; 404 where not."""
    acts.refuse_out_of_sight(contact_id)
    return inputs.AskCallback(contact_id=contact_id, number=number, by=me().actor, key=key)


def cancelling(contact_id: str, reason: str, key: str) -> inputs.CancelCallback:
    """The same for the end of it."""
    acts.refuse_out_of_sight(contact_id)
    return inputs.CancelCallback(contact_id=contact_id, reason=reason, by=me().actor, key=key)


def in_sight() -> tuple[Planned, ...]:
    """Who is to be called back, as the visitor sees them."""
    scope = me().scope
    with live().view.still() as world:
        theirs = {agent.agent_id for agent in world.agents.values() if scope.holds(agent)}
        return planned(world, Instant(time.time_ns() // 1_000), theirs if scope.limited else None)
