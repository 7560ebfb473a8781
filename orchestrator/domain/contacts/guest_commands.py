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
    alone: bool = False
    """Whether the agent speaks with them alone first."""


class LetGo(Struct, frozen=True, kw_only=True):
    """Let this guest go; the others stay as they are. Where the agent spoke with them alone, they are back until
    `return_by`.
    """

    shift_id: str
    guest_id: str
    return_by: Instant


class HoldMember(Struct, frozen=True, kw_only=True):
    """Let this one of the conference, guest or asked first, hear music, and be heard by nobody, until recalled. The
    switch does it, and brings an agent who spoke with them alone back, until `by`.
    """

    shift_id: str
    member_id: str
    by: Instant


class Recall(Struct, frozen=True, kw_only=True):
    """Bring this guest, who is on hold or alone with the agent, into the room, until `by`."""

    shift_id: str
    member_id: str
    by: Instant


class SpeakAlone(Struct, frozen=True, kw_only=True):
    """Leave the room to speak with this one of the conference alone; they are joined until `by`."""

    shift_id: str
    member_id: str
    by: Instant


class MuteMember(Struct, frozen=True, kw_only=True):
    """Let nobody hear this one of the conference (`on`), or everybody."""

    shift_id: str
    member_id: str
    on: bool


class ExpireGuests(Struct, frozen=True, kw_only=True):
    """Some guests have not answered, or are not in the room, in time. As of `ExpireOffer`."""

    now: Instant
    again_at: Instant
    blameless: str = ""


class JoinGuestsAgain(Struct, frozen=True, kw_only=True):
    """Guests who have answered may never have been brought in, or put on hold, and an agent never joined with one of
    them, or brought back. Not so those of `told`, legs that are on their way.
    """

    connect_by: Instant
    told: tuple[str, ...] = ()


Inviting = Invite | LetGo | HoldMember | Recall | SpeakAlone | MuteMember | ExpireGuests | JoinGuestsAgain
