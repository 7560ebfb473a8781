"""How many may hear each other in one conference.

Stream `conference-<id>`; there is one, `conference-main`. Written by `config apply` (a desk stream); read by the
runner.
"""

from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import Event

# Caller, agent, whoever was asked first, and two more: as many as still hear who speaks.
MOST_PERSONS: Final = 5


class ConferenceConfigured(Event, frozen=True, kw_only=True):
    """So many persons may be in a conference from now on; whoever is in one stays."""

    most: int = MOST_PERSONS


class ConferenceRemoved(Event, frozen=True, kw_only=True):
    """Nothing is configured any more: as many as are usual."""


class Conferences(Struct, frozen=True, kw_only=True):
    """What is configured of conferences now."""

    most: int = MOST_PERSONS


def evolve(conferences: Conferences, event: Event) -> Conferences:
    """What is configured after one more event. Never raises."""
    match event:
        case ConferenceConfigured():
            return Conferences(most=event.most)
        case ConferenceRemoved():
            return Conferences()
    return conferences
