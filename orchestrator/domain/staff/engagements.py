"""What an agent has in hand: contacts that they are reserved for or talk with, by channel, and how many at once.

Part of the stream `shift-<id>`. An agent has a capacity for each channel; what is in hand on it is its load.

    load  0 ────────────▶ 1 ────────────▶ 2 ──▶ …  up to the capacity of the channel
            by an offer     voice: only by hand, with the first on hold;
            or by hand      other channels: by offers too, while nothing else is in hand

A conversation that ends while something else is in hand leaves its after-call work for later (`Postponed`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

VOICE: Final = "voice"
# How many an agent has at once where nothing is configured, and the most that can be: a desk phone has six lines.
USUAL: Final[Mapping[str, int]] = MappingProxyType({VOICE: 1})
MOST: Final[Mapping[str, int]] = MappingProxyType({VOICE: 6})


class Engagement(Struct, frozen=True, kw_only=True):
    """A contact in hand: reserved for its offer until there is a segment, in conversation from then on."""

    contact_id: str
    channel: str = VOICE
    offer_id: str = ""
    segment_id: str = ""


class Postponed(Struct, frozen=True, kw_only=True):
    """After-call work that begins once nothing else is in hand, and how long it takes then."""

    contact_id: str
    segment_id: str
    wrap_up_ms: int
    most_ms: int


Engagements = tuple[Engagement, ...]


def load(engagements: Engagements, channel: str) -> int:
    """How many contacts are in hand on this channel."""
    return sum(each.channel == channel for each in engagements)


def capacity_of(configured: Mapping[str, int], channel: str) -> int:
    """How many contacts of this channel an agent configured so may have at once."""
    return configured.get(channel, USUAL.get(channel, 0))


def room_for_offer(engagements: Engagements, channel: str, capacity: int) -> bool:
    """Whether one more may be offered beside these. A call has its agent's ears alone: with anything else in hand none
    is offered, however many an agent may hold by hand.
    """
    if not engagements:
        return True
    if channel == VOICE:
        return False
    return all(each.channel == channel for each in engagements) and len(engagements) < capacity


def with_contact(engagements: Engagements, contact_id: str) -> Engagement | None:
    """What is in hand of this contact."""
    return next((each for each in engagements if each.contact_id == contact_id), None)


def by_offer(engagements: Engagements, offer_id: str) -> Engagement | None:
    """What this offer holds the agent for, while there is no conversation yet."""
    return next((each for each in engagements if each.offer_id == offer_id and not each.segment_id), None)


def without(engagements: Engagements, contact_id: str) -> Engagements:
    """The others."""
    return tuple([each for each in engagements if each.contact_id != contact_id])
