"""What can happen while an agent consults somebody about the caller. Events of stream `contact-<id>`.

What they lead to stands in `consults`.
"""

from orchestrator.domain.contacts.events import Reservation
from orchestrator.domain.kernel import Event, Instant, Personal


class ConsultAsked(Event, frozen=True, kw_only=True):
    """The agent wants to talk with somebody else before the caller goes on, who hears music meanwhile: with a
    colleague, who is held for it like for an offer, or with a number outside. `answer_by` ends the ringing.
    """

    consult_id: str
    segment_id: str
    leg: str
    answer_by: Instant
    reservation: Reservation | None = None
    number: Personal = ""
    show: str = ""


class ConsultAnswered(Event, frozen=True, kw_only=True):
    """Whoever was asked answered; agent and they are being joined until `connect_by`."""

    consult_id: str
    connect_by: Instant


class ConsultSwitched(Event, frozen=True, kw_only=True):
    """The agent wants to talk with the other one: `caller` or `consulted`; or with both of them, `together`. They are
    being joined until `connect_by`.
    """

    consult_id: str
    to: str
    connect_by: Instant


class ConsultJoined(Event, frozen=True, kw_only=True):
    """The switch says that the agent talks with `hears`: `caller` or `consulted`, and the other one hears music; or
    `together`, with both of them.
    """

    consult_id: str
    hears: str


class MemberJoined(Event, frozen=True, kw_only=True):
    """The switch says that this leg is in the room in which all three are to hear each other."""

    consult_id: str
    leg: str


class ConsultExtended(Event, frozen=True, kw_only=True):
    """More time, until `until`, as nobody can tell how far the switch has come. `cause` as of `OfferExtended`;
    or agent_away: the agent's leg says that it is parked, taken from the caller, so that it can be joined with whoever
    answers; or agent_parked: it says so once more, and can be joined with the caller again, once nobody is consulted.
    """

    consult_id: str
    until: Instant
    cause: str


class ConsultClosed(Event, frozen=True, kw_only=True):
    """Nobody is consulted any more. `outcome`: cancelled (by the agent), missed (never answered), left (hung up),
    caller_left, ended (the call is). Where the caller is there they are joined with the agent again, until `rejoin_by`.
    """

    consult_id: str
    outcome: str
    cause: str = ""
    rejoin_by: Instant = Instant(0)


class ContactRejoined(Event, frozen=True, kw_only=True):
    """After a consultation that came to nothing more, caller and agent talk again."""

    consult_id: str
    segment_id: str
