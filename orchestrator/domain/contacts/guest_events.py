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


class GuestHoldAsked(Event, frozen=True, kw_only=True):
    """The agent wants this guest on hold: out of the room, with music, while the others go on. The switch has until
    `park_by` to say so.
    """

    guest_id: str
    park_by: Instant


class GuestHeld(Event, frozen=True, kw_only=True):
    """The switch says that the guest is out of the room: they hear music, and nobody hears them."""

    guest_id: str


class GuestRecalled(Event, frozen=True, kw_only=True):
    """A guest who was on hold, or spoke with the agent alone, is being brought into the room until `connect_by`."""

    guest_id: str
    connect_by: Instant


class PlacesSwapped(Event, frozen=True, kw_only=True):
    """Who was asked first is to be on hold, or alone with the agent, as only guests are: this guest, who is in the
    room, is asked in their place from now on, and they are a guest. Nobody is moved by it.
    """

    consult_id: str
    guest_id: str
    room: str


class AsideIntended(Event, frozen=True, kw_only=True):
    """The agent wants to speak with this guest, whose phone rings, alone first, before they are brought in."""

    guest_id: str


class AsideAsked(Event, frozen=True, kw_only=True):
    """The agent leaves the room to speak with this guest alone; the others go on hearing each other. The two are being
    joined until `connect_by`.
    """

    guest_id: str
    connect_by: Instant


class AsideBegun(Event, frozen=True, kw_only=True):
    """The switch says that agent and guest hear each other, and nobody else."""

    guest_id: str


class AsideEnded(Event, frozen=True, kw_only=True):
    """The agent goes back into the room, until `return_by`. `outcome`: brought_in (with the guest), held (the guest
    hears music), cancelled (the guest was let go), left (hung up, or never came).
    """

    guest_id: str
    outcome: str
    return_by: Instant


class AsideExtended(Event, frozen=True, kw_only=True):
    """More time for agent and guest to be joined, or for the agent to be back, until `until`. `cause` as of
    `ConsultExtended`.
    """

    guest_id: str
    until: Instant
    cause: str


class AgentReturned(Event, frozen=True, kw_only=True):
    """The switch says that the agent, who spoke with this guest alone, is in the room again."""

    guest_id: str


class MemberMuteAsked(Event, frozen=True, kw_only=True):
    """The agent wants nobody to hear this one of the conference, guest or asked first; or (`on` false) everybody."""

    member_id: str
    leg: str
    on: bool


class MemberMuted(Event, frozen=True, kw_only=True):
    """The switch says that nobody hears this one of the conference."""

    leg: str


class MemberUnmuted(Event, frozen=True, kw_only=True):
    """The switch says that this one of the conference is heard again."""

    leg: str


class MemberMuteFailed(Event, frozen=True, kw_only=True):
    """The switch did not do it, or nobody knows. `on`: they should be muted; otherwise, heard."""

    leg: str
    on: bool
    cause: str


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
    Nobody notices: all hear each other in `room` as before. One who is on the way there comes to caller and agent, and
    so do others who are; an agent who speaks with another guest alone goes on doing so.
    """

    guest_id: str
    room: str
    agent_by: Instant = Instant(0)
    """Until when the agent must be there, where whoever left was to make three with them and the agent is on the way
    yet; 0: the agent is there, or speaks with somebody alone.
    """
    agent_cut_short: bool = False
    """Whether the agent's leg may yet be parked behind that, as `Consult.cut_short` says."""


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
