"""`ringledger why CONTACT`: each offer of a contact explained for any agent, in words, on the command line."""

from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec

from orchestrator.domain.kernel import Refused, ident_of
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.replay import why as explaining
from orchestrator.replay.moments import iso, local
from orchestrator.replay.scrubber import Scrubber
from orchestrator.replay.snapshots import Snapshots
from orchestrator.replay.why import Moment
from orchestrator.service import configuration
from projections.reading import Log
from web.words import Names
from web.words.why import verdict

# Of an id at least so much; `ringledger calls` shows eight characters.
_SHORTEST: Final = 6


class Place(Protocol):
    """Whose log it is: the settings, or a bundle's."""

    @property
    def site(self) -> str:
        """The site's name."""

    @property
    def timezone(self) -> ZoneInfo:
        """Whose clock its people read."""


def why(
    log: Log,
    place: Place,
    contact: str,
    *,
    agent: str,
    offer: int,
    as_json: bool,
    snapshots: Snapshots | None = None,
) -> str:
    """The whole answer, for people or as JSON. `contact` may be the beginning of an id, `agent` is an employee number.

    Raises `Refused`: `no_such_contact`, `several_contacts`, `no_such_offer`, `no_such_agent`.
    """
    contact_id = _found(log, contact)
    configured = configuration.current(log, place.site).events
    agents = {ident_of(name): each.number for name, each in configured.items() if isinstance(each, AgentConfigured)}
    queues = {ident_of(name): each.name for name, each in configured.items() if isinstance(each, QueueConfigured)}
    names = Names(agents={ident: f"{number} {ident}" for ident, number in agents.items()}, queues=queues)
    agent_id = next((ident for ident, number in agents.items() if agent and agent in (number, ident)), "")
    if agent and not agent_id:
        raise Refused("no_such_agent", f"There is no agent {agent}; `ringledger agents` lists them.")
    moments = explaining.why(log, contact_id, Scrubber(log, snapshots=snapshots), agent_id=agent_id, offer=offer)
    if as_json:
        rows = [_row(each, names) for each in moments]
        return msgspec.json.encode({"contact_id": contact_id, "moments": rows}).decode()
    lines = [f"contact {contact_id}"]
    if not moments:
        lines.append("  never came to where it could be offered to anybody")
    for each in moments:
        lines += ["", _head(each, names, place.timezone)]
        lines += [f"  {names.agent(reason.agent_id)}: {verdict(reason, names, each.at)}" for reason in each.reasons]
    return "\n".join(lines)


def _row(moment: Moment, names: Names) -> dict[str, Any]:
    return {
        "offer": moment.number,
        "position": moment.position,
        "at": iso(moment.at),
        "queue_id": moment.queue_id,
        "reasons": [
            {"words": verdict(reason, names, moment.at), **msgspec.to_builtins(reason)} for reason in moment.reasons
        ],
    }


def _head(moment: Moment, names: Names, zone: ZoneInfo) -> str:
    what = f"offer {moment.number}" if moment.number else "queued, and offered to nobody at once"
    what += ", one more phone" if moment.again else ""
    version = f", configuration version {moment.decision.config_version}" if moment.decision is not None else ""
    queue = names.queue(moment.queue_id)
    return f"{what} · “{queue}” · {local(moment.at, zone)} · log position {moment.position}{version}"


def _found(log: Log, beginning: str) -> str:
    """The contact whose id begins so."""
    streams = log.versions(("contact",))
    found = [ident_of(name) for name in streams if name.startswith(f"contact-{beginning}")]
    if beginning in found:
        return beginning
    if not found or len(beginning) < _SHORTEST:
        raise Refused("no_such_contact", f"There is no contact {beginning}; `ringledger calls` lists the last ones.")
    if len(found) > 1:
        raise Refused("several_contacts", f"{len(found)} contacts begin with {beginning}; write more of the id.")
    return found[0]
