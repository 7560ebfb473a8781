"""How agents answer: the site's word, the agent's own, and what follows from the two (docs/decisions/0086, 0095).

Stream `desks-<id>`; there is one, `desks-main`. Written by `config apply` (a desk stream); read by the runner. Without
it agents answer by phone. An agent's own word stands in the agent's configuration.
"""

from typing import Final

from orchestrator.domain.kernel import Event
from orchestrator.domain.staff.presence import Desk

BY_PHONE: Final = "phone"
"""The phone rings, and is picked up or accepted at the desk."""
AT_DESK: Final = "desk"
"""The phone is rung once the desk has accepted, and picks up by itself."""
AS_SITE: Final = "as_site"
"""An agent who says nothing leaves it to the site."""

OF_AGENTS: Final = (AS_SITE, BY_PHONE, AT_DESK)
OF_SITE: Final = (BY_PHONE, AT_DESK)


class DesksConfigured(Event, frozen=True, kw_only=True):
    """Agents who say nothing themselves answer so from now on."""

    answer: str = BY_PHONE


class DesksRemoved(Event, frozen=True, kw_only=True):
    """The site says nothing any more: they answer by phone."""


def evolve(answer: str, event: Event) -> str:
    """The site's word after one more event. Never raises."""
    match event:
        case DesksConfigured():
            return event.answer
        case DesksRemoved():
            return BY_PHONE
    return answer


def at_desk(site: str, agent: str, desk: Desk | None) -> bool:
    """Whether the desk has to accept before the phone is rung. Where no desk is open nobody could: the phone rings."""
    return desk is not None and desk.state == "attached" and wants_desk(site, agent)


def wants_desk(site: str, agent: str) -> bool:
    """Whether this agent answers at the desk, where there is one."""
    return (site if agent == AS_SITE else agent) == AT_DESK
