"""What can happen to whoever is invited to three who hear each other already. Events of stream `contact-<id>`.

What they lead to stands in `guests`.
"""

from orchestrator.domain.contacts.events import Reservation
from orchestrator.domain.kernel import Event, Instant, Personal


class GuestInvited(Event, frozen=True, kw_only=True):
    """The agent wants one more in the room: a colleague, who is held for it like for an offer, or a number outside. The
    others go on talking; `answer_by` ends the ringing.
    """

    guest_id: str
    segment_id: str
    leg: str
    answer_by: Instant
    reservation: Reservation | None = None
    number: Personal = ""
    show: str = ""


class GuestAnswered(Event, frozen=True, kw_only=True):
    """Whoever was invited answered; they are being brought into the room until `connect_by`."""

    guest_id: str
    connect_by: Instant
    shift_id: str = ""
    """Whose phone it is; empty for a number outside."""


class GuestJoined(Event, frozen=True, kw_only=True):
    """The switch says that the guest is in the room: all hear each other."""

    guest_id: str


class GuestExtended(Event, frozen=True, kw_only=True):
    """More time, until `until`, as nobody can tell how far the switch has come. `cause` as of `OfferExtended`."""

    guest_id: str
    until: Instant
    cause: str


class GuestClosed(Event, frozen=True, kw_only=True):
    """The guest is in the conference no more. `outcome`: cancelled (by the agent), missed (never answered), left (hung
    up), caller_left, ended (the call is, or the conference).
    """

    guest_id: str
    outcome: str
    cause: str = ""


class GuestPromoted(Event, frozen=True, kw_only=True):
    """Whoever was asked first has left, or has the caller now; this guest, who is in the room, is asked in their place.
    Nobody notices: all hear each other in `room` as before.
    """

    guest_id: str
    room: str


class RoomInherited(Event, frozen=True, kw_only=True):
    """The agent leaves a room in which more than two stay, and this one of them has the caller from now on. They hear
    each other already: what follows in the same decision, up to the next conversation, needs nothing of the switch.
    """

    consult_id: str
    segment_id: str
    shift_id: str
    agent_id: str
    """Who has the caller from now on."""
    leg: str
    tape: str = ""
    """The talk whose recording goes on; empty where there is none, or the next agent is never recorded."""
