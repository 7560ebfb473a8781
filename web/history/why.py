"""Why each offer of a contact went where it went, for any agent (feature 3.9): a page, and what programs are told."""

from typing import Final

from flask import abort, render_template, request
from msgspec import Struct

from orchestrator.domain.kernel import Refused
from orchestrator.domain.routing.explaining import Reason
from orchestrator.replay.why import Moment, why
from projections import contact_log
from web import refusals
from web.access.needs import needs
from web.access.sight import agents_in_sight
from web.access.visitor import me
from web.history.area import blueprint
from web.history.shown import names_now
from web.parts import parts
from web.past import past
from web.push.present import live
from web.words import Names
from web.words.why import verdict

# Of a large centre one does not list everybody; any one agent can be asked for.
MOST: Final = 200
_DIGITS: Final = 4


class Line(Struct, frozen=True):
    """The answer for one agent, in words."""

    reason: Reason
    agent: str
    words: str


class Explained(Struct, frozen=True):
    """One moment, with the answers for those whom the visitor may see; `more` are not listed."""

    moment: Moment
    lines: list[Line]
    more: int


@blueprint.get("/contacts/<contact_id>/why")
@needs("history.search")
def explanation(contact_id: str) -> str:
    """Each moment of the contact, every agent: chosen, ranked N-th, or what stood in the way."""
    offer, number = request.args.get("offer", ""), request.args.get("agent", "").strip()
    if me().scope.limited:
        with parts().reading.reader.borrow() as connection:
            if contact_log.find(connection, contact_id, agents=agents_in_sight()) is None:
                abort(404)
    asked = int(offer) if offer.isascii() and offer.isdecimal() and len(offer) <= _DIGITS else 0
    problem = ""
    try:
        found = explained(contact_id, number=number, offer=asked)
    except Refused as refused:
        if refused.code != "no_such_agent":
            abort(404)
        found, problem = explained(contact_id, offer=asked), refusals.words(refused)
    names, agents, _ = names_now()
    return render_template(
        "history/why.html",
        contact_id=contact_id,
        found=found,
        names=names,
        agents=[(_number_of(ident), name) for ident, name in agents if _sees(ident)],
        asked={"agent": number, "offer": offer},
        problem=problem,
    )


def explained(contact_id: str, *, number: str = "", offer: int = 0) -> list[Explained]:
    """The moments of a contact, or one offer, for all agents or the one with this employee number.

    Raises `Refused`: `no_such_contact`, `no_such_offer`, `no_such_agent`.
    """
    agent_id = ""
    if number:
        with live().view.still() as world:
            agent_id = world.agent_of_number.get(number, "")
        if not agent_id or not _sees(agent_id):
            raise Refused("no_such_agent", f"There is no agent with the employee number {number[:20]}.")
    names = names_now()[0]
    sees = agents_in_sight()
    moments = why(parts().reading.log, contact_id, past().scrubber, agent_id=agent_id, offer=offer)
    return [_explained(moment, names, sees) for moment in moments]


def _explained(moment: Moment, names: Names, sees: tuple[str, ...] | None) -> Explained:
    reasons = [reason for reason in moment.reasons if sees is None or reason.agent_id in sees]
    lines = [Line(reason, names.agent(reason.agent_id), verdict(reason, names, moment.at)) for reason in reasons[:MOST]]
    return Explained(moment, lines, len(reasons) - len(lines))


def _sees(agent_id: str) -> bool:
    sees = agents_in_sight()
    return sees is None or agent_id in sees


def _number_of(agent_id: str) -> str:
    with live().view.still() as world:
        return world.agents[agent_id].number if agent_id in world.agents else ""
