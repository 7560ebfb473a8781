"""A contact that an agent begins by dialling a number: what is remembered of it.

ContactDialled
     │1
     ▼      2               3             4               5
  offered ────▶ connecting ────▶ dialling ────▶ connecting ────▶ connected, and on as every caller
     │              │               │               │
     └──────────────┴───────6───────┴───────────────┘
                            ▼
                     leaving, ended
1 OfferMade, by hand, in the same decision: the agent's own phone rings, and where the agent answers at the desk it
picks up by itself, for whoever dials has accepted (OfferAcceptRequested)  2 OfferAccepted  3 NumberDialled: no agent,
no call (complaint 18); the agent hears it ring (NumberDelivered), or what the far end sends before it answers
(NumberSounded)  4 NumberAnswered: from now on there is a caller's leg  5 ContactConnected
6 DialEnded, whatever became of the offer: nobody else is offered whom one agent wanted to call.

No queue visit is open before the two talk, so nothing of it is a queued call, a service level or an abandonment.
Whoever is passed on after the talk waits like every caller.
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.dial_events import (
    ContactDialled,
    DialEnded,
    NumberAnswered,
    NumberDelivered,
    NumberDialled,
    NumberSounded,
)
from orchestrator.domain.kernel import Event, Instant

if TYPE_CHECKING:
    from orchestrator.domain.contacts.contacts import Contact

# The status word of a contact whose number is being called.
DIALLING: Final = "dialling"

AGENT_NO_ANSWER: Final = "own_phone_no_answer"
AGENT_UNREACHABLE: Final = "own_phone_unreachable"
CANCELLED: Final = "dial_cancelled"
BUSY: Final = "number_busy"
NO_ANSWER: Final = "number_no_answer"
WRONG: Final = "number_wrong"
BARRED: Final = "number_barred"
HUNG_UP: Final = "number_hung_up"
FAILED: Final = "dial_failed"
# Why the two did not come to talk (`DialEnded.outcome`, `ContactEnded.reason`): the agent's own phone was not taken, or
# not reached; the agent thought better of it; the number was busy, not answered, none, refused; whoever answered went
# before they were joined; or the switches or we failed.
OUTCOMES: Final = (
    AGENT_NO_ANSWER, AGENT_UNREACHABLE, CANCELLED, BUSY, NO_ANSWER, WRONG, BARRED, HUNG_UP, FAILED,
)  # fmt: skip


class Dial(Struct, frozen=True, kw_only=True):
    """How a contact was dialled."""

    shift_id: str
    agent_id: str
    show: str
    branch: str = ""
    leg: str = ""
    """The leg to the number while it is called, and since when."""
    called_at: Instant = Instant(0)
    rings: bool = False
    heard: bool = False
    """Whether the agent is to hear the ringing tone; whether what the far end sends."""
    reached: bool = False
    """Whether somebody answered: from then on theirs is the caller's leg."""
    joined: bool = False
    """Whether the two have talked: from then on it is a contact like any other."""


def unreached(contact: "Contact") -> Dial | None:
    """The dialling of a number that nobody has answered yet; None for every other contact."""
    dial = contact.dial
    return dial if dial is not None and not dial.reached else None


def heard(contact: "Contact", leg: str) -> bool:
    """Whether this leg leads to a number that nobody has answered, and whose sound the agent is to hear already."""
    dial = unreached(contact)
    return dial is not None and dial.heard and dial.leg == leg


def under_way(contact: "Contact") -> Dial | None:
    """The dialling that has neither come to a talk yet, nor to an end."""
    dial = contact.dial
    return dial if dial is not None and not dial.joined and contact.status not in ("leaving", "ended") else None


def begun(event: ContactDialled) -> Dial:
    """What is remembered from the first."""
    return Dial(shift_id=event.shift_id, agent_id=event.agent_id, show=event.show, branch=event.branch)


def joined(dial: Dial | None) -> Dial | None:
    """The two talk."""
    return replace(dial, joined=True) if dial is not None else None


def evolve(contact: "Contact", event: Event, at: Instant) -> "Contact":
    """The contact after one more event of its dialling; itself after any other."""
    dial = contact.dial
    if dial is None:
        return contact
    match event:
        case NumberDialled():
            called = replace(dial, leg=event.leg, called_at=at)
            return replace(contact, status=DIALLING, dial=called, legs=(*contact.legs, event.leg))
        case NumberDelivered():
            return replace(contact, dial=replace(dial, rings=True))
        case NumberSounded():
            return replace(contact, dial=replace(dial, heard=True))
        case NumberAnswered():
            reached = replace(dial, reached=True, leg="")
            return replace(contact, status="connecting", dial=reached, caller_leg=event.leg)
        case DialEnded():
            return replace(
                contact, status="leaving", told=event.outcome, offer=None, phase=contact.phase or contact.status
            )
    return contact
