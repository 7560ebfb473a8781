"""A branch of the company as configured: where its callers call from.

Stream `branch-<id>`. Written by `config apply` (a desk stream); read by the runner. An agent's branch is the agent's
own setting.
"""

from msgspec import Struct

from orchestrator.domain.kernel import Event


class BranchConfigured(Event, frozen=True, kw_only=True):
    """Callers whose numbers begin with one of these are from this branch's region from now on."""

    name: str
    prefixes: tuple[str, ...] = ()
    """As the network sends them: `+8621`, or `021` where it sends numbers without the country's code."""
    region: str = ""
    """The country (ISO 3166) whose numbers its agents dial without a country code; empty: the site's."""


class BranchRemoved(Event, frozen=True, kw_only=True):
    """The branch has no region any more."""


class Branch(Struct, frozen=True, kw_only=True):
    """A branch as configured now."""

    branch_id: str
    name: str
    prefixes: tuple[str, ...] = ()
    region: str = ""


def evolve(branch: Branch | None, event: Event, branch_id: str) -> Branch | None:
    """The branch after one more event; None once removed. Never raises."""
    match event:
        case BranchConfigured():
            return Branch(branch_id=branch_id, name=event.name, prefixes=event.prefixes, region=event.region)
        case BranchRemoved():
            return None
    return branch
