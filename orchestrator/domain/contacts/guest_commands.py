"""What may be asked of a conference of more than three, and what is heard of its guests."""

from msgspec import Struct

from orchestrator.domain.contacts.events import Reservation
from orchestrator.domain.kernel import Instant


class Invite(Struct, frozen=True, kw_only=True):
    """Bring this colleague, or number outside, to those who hear each other already: `most` persons at most."""

    shift_id: str
    guest_id: str
    leg: str
    answer_by: Instant
    most: int
    reservation: Reservation | None = None
    number: str = ""
    show: str = ""


class LetGo(Struct, frozen=True, kw_only=True):
    """Let this guest go; the others stay as they are."""

    shift_id: str
    guest_id: str


class ExpireGuests(Struct, frozen=True, kw_only=True):
    """Some guests have not answered, or are not in the room, in time. As of `ExpireOffer`."""

    now: Instant
    again_at: Instant
    blameless: str = ""


class JoinGuestsAgain(Struct, frozen=True, kw_only=True):
    """Guests who have answered may never have been brought in."""

    connect_by: Instant


Inviting = Invite | LetGo | ExpireGuests | JoinGuestsAgain
