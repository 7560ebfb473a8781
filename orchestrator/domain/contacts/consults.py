"""An agent who consults somebody while the caller hears music: what is remembered of it, and what its events lead to.

              1              2                 3
connected ───▶ consulting: rings ──▶ answered ──▶ agent hears the consulted ◀──4──▶ agent hears the caller
    ▲              │ 5                  │ 5             │ 5 │ 6                          │ 5 │ 6
    └──────7───────┴────────────────────┴───────────────┘   ▼                            │   ▼
                                                        as passed on (`transfers`)  ◀────┘
1 ConsultAsked: both legs are parked; that the agent's is, ConsultExtended says  2 ConsultAnswered
3 they are told to be joined once both are so, then ConsultJoined  4 ConsultSwitched, then ConsultJoined
5 ConsultClosed: cancelled, missed, left; the caller is joined with the agent again  7 ContactRejoined
6 completed, or the agent is gone: the conversation ends, and the consulted one is the offer, or the call outside, to
  which the caller is passed on, as far as it had come. So one that still rings goes on ringing.
From either talk (after 3, after 4) the agent may bring all three together: ConsultSwitched, then MemberJoined of each
and ConsultJoined. They hear each other in one room of the switch; 4, 5 and 6 lead on from there as from a talk, and
whichever two are left are joined by a bridge. More may be invited to the three (`guests`).
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.asides import forgotten, let_be_heard
from orchestrator.domain.contacts.consult_events import (
    ConsultAnswered,
    ConsultAsked,
    ConsultClosed,
    ConsultExtended,
    ConsultJoined,
    ConsultSwitched,
    ContactRejoined,
    MemberJoined,
)
from orchestrator.domain.contacts.events import (
    OfferAcceptRequested,
    OfferDelivered,
    OfferRejectRequested,
    Reservation,
)
from orchestrator.domain.kernel import SECOND, Event, Instant

if TYPE_CHECKING:
    from orchestrator.domain.contacts.contacts import Contact

# Until two legs must be joined, from when the switch is told.
JOIN_WITHIN: Final = 5 * SECOND
CALLER: Final = "caller"
CONSULTED: Final = "consulted"
TOGETHER: Final = "together"
# The agent's leg says that it is parked, by itself; and that it is parked because it was taken from the caller.
PARKED_ALONE: Final = "agent_parked"
TAKEN_AWAY: Final = "agent_away"
# What says so; a switch that was looked at has the agent's leg by itself, too.
_LEFT_THE_CALLER: Final = frozenset({TAKEN_AWAY, "joined_again"})
# Why it is over, where whoever was looked for in vain may never have been told to be joined.
_LOOKED_FOR: Final = frozenset({"not_connected_in_time"})
# The status word of a contact whose agent consults somebody.
CONSULTING: Final = "consulting"


class Consult(Struct, frozen=True, kw_only=True):
    """A consultation that is not over, or after which caller and agent are not joined again yet."""

    consult_id: str
    leg: str
    reservation: Reservation | None
    number: str
    show: str
    due: Instant
    """Until when it must be answered, or those who are being joined must be; 0 while nothing is waited for."""
    asked_at: Instant
    answered: bool = False
    hears: str = ""
    """Whom the agent hears, as the switch said last."""
    wish: str = ""
    """With whom the agent is being joined; empty: with nobody."""
    inside: tuple[str, ...] = ()
    """The legs that the switch has said are in the room of all three; empty unless they are being brought together."""
    over: bool = False
    """Nobody is consulted any more; the caller is being joined with the agent again."""
    away: bool = False
    """The agent's leg has said that it was taken from the caller. Until then it is joined with nobody who answers: of
    a bridge that is told before, nobody can tell its end from that park.
    """
    alone: bool = False
    """The agent's leg has parked since it was to be joined with them: it came to nothing, or is over."""
    cut_short: bool = False
    """It was over while the two were being joined, and the agent's leg has not said that it is parked. The switch would
    cancel that bridge after it was told of the next, park the agent, and have the caller wait for nobody; told once
    more then, it hangs the agent up. So it is told of the next one once the leg is parked.
    """
    doubted: bool = False
    """The switch has been asked why they are not joined yet."""
    delivered: bool = False
    """Whether the colleague's phone has rung."""
    accepting: bool = False
    """Whether the colleague has pressed accept."""
    rejecting: bool = False
    """Whether the colleague has pressed reject."""
    room: str = ""
    """The room of all, where it was made for somebody who was asked before; empty: one of its own."""


# The events that concern a contact whose agent consults nobody.
_OF_NOBODY: Final = frozenset({ConsultAsked, ContactRejoined})


def consult_leg(contact: "Contact") -> str:
    """The leg of whoever is consulted; empty where nobody is."""
    consult = contact.consult
    return consult.leg if consult is not None and not consult.over else ""


def room_of(consult: Consult) -> str:
    """What the switch calls the room in which all three hear each other."""
    return consult.room or consult.consult_id


def all_three(contact: "Contact") -> tuple[str, ...]:
    """The legs of caller, agent and whoever is consulted; empty where nobody is."""
    consult, segment = contact.consult, contact.segment
    if consult is None or consult.over or segment is None:
        return ()
    return (contact.caller_leg, segment.leg, consult.leg)


def hears_nobody(contact: "Contact", leg: str) -> bool:
    """Whether this leg, of the caller or of whoever is consulted, hears music while the agent is with the other one."""
    consult = contact.consult
    if consult is None or not leg:
        return False
    agent_hears = consult.wish or consult.hears
    if agent_hears == TOGETHER:
        return False
    if leg == contact.caller_leg:
        return agent_hears != CALLER
    return leg == consult_leg(contact) and consult.answered and agent_hears != CONSULTED


def evolve(contact: "Contact", event: Event, at: Instant) -> "Contact":
    """The contact after one more event of a consultation; itself after any other."""
    consult = contact.consult
    if consult is None and type(event) not in _OF_NOBODY:
        return contact
    match event:
        case ConsultAsked():
            asked = Consult(
                consult_id=event.consult_id,
                leg=event.leg,
                reservation=event.reservation,
                number=event.number,
                show=event.show,
                due=event.answer_by,
                asked_at=at,
            )
            held = event.reservation
            phones = contact.phones if held is None else (*contact.phones, (held.leg, held.extension))
            legs = (*contact.legs, event.leg)
            return _parking(replace(contact, status=CONSULTING, consult=asked, legs=legs, phones=phones))
        case ContactRejoined() if contact.segment is not None:
            segment = replace(contact.segment, changed_at=at)
            return replace(contact, status="connected", consult=None, segment=segment)
        case OfferDelivered() if consult is not None and event.offer_id == consult.consult_id:
            return replace(contact, consult=replace(consult, delivered=True))
        case OfferAcceptRequested() if consult is not None and event.offer_id == consult.consult_id:
            return replace(contact, consult=replace(consult, accepting=True))
        case OfferRejectRequested() if consult is not None and event.offer_id == consult.consult_id:
            return replace(contact, consult=replace(consult, rejecting=True))
        case ConsultAnswered() if consult is not None:
            answered = replace(consult, answered=True, wish=CONSULTED, due=event.connect_by)
            return replace(contact, consult=answered)
        case ConsultSwitched() if consult is not None:
            switched = replace(consult, wish=event.to, due=event.connect_by, doubted=False, inside=(), alone=False)
            contact = let_be_heard(replace(contact, consult=switched, aside=None))
            return _parking(contact) if event.to == CONSULTED else contact
        case MemberJoined() if consult is not None:
            return replace(contact, consult=replace(consult, inside=(*consult.inside, event.leg)))
        case ConsultJoined() if consult is not None:
            there = {"inside": (), "wish": "", "due": Instant(0), "doubted": False, "cut_short": False, "away": True}
            return replace(contact, consult=replace(consult, hears=event.hears, **there))
        case ConsultExtended() if consult is not None:
            doubted = consult.doubted or event.cause == "not_connected_in_time"
            cut_short = consult.cut_short and event.cause != PARKED_ALONE
            alone = consult.alone or event.cause == PARKED_ALONE
            away = consult.away or event.cause in _LEFT_THE_CALLER
            extended = replace(consult, due=event.until, doubted=doubted, cut_short=cut_short, alone=alone, away=away)
            return replace(contact, consult=extended)
        case ConsultClosed() if consult is not None:
            if not event.rejoin_by:
                return replace(forgotten(contact, consult.leg), consult=None)
            contact = replace(contact, aside=None, hushed=())
            back = replace(consult, over=True, hears="", wish=CALLER, due=event.rejoin_by, doubted=False)
            joining = consult.wish == CONSULTED and consult.answered and consult.away and not consult.alone
            joining |= consult.wish == TOGETHER and consult.cut_short
            return replace(contact, consult=replace(back, cut_short=joining and event.cause not in _LOOKED_FOR))
    return contact


def _parking(contact: "Contact") -> "Contact":
    """The caller is about to be parked, by our word or because the agent is taken away."""
    return replace(contact, parking=contact.caller_leg, reminders=0)
