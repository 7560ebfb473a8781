"""What a call of a random run is in, in the words of the table (`tests/matrix.py`), and what becomes of it."""

from types import MappingProxyType
from typing import Final

from orchestrator.domain.contacts.asides import ON_HOLD, alone_with
from orchestrator.domain.contacts.consults import CALLER, CONSULTED, CONSULTING, TOGETHER, Consult
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.dials import DIALLING, unreached
from orchestrator.domain.contacts.guests import are_together, in_room, on_the_way_in
from orchestrator.domain.contacts.monitors import BARGE, LISTEN, WHISPER
from orchestrator.domain.contacts.parks import PARKED
from orchestrator.domain.contacts.transfers import AGENT, under_way

_MONITORED: Final = MappingProxyType({LISTEN: "listened", WHISPER: "whispered", BARGE: "barged"})
# The same states where it is a number outside that was asked, or invited.
_OUT: Final = MappingProxyType(
    {
        "asking": "asking_out",
        "consulting": "consulting_out",
        "to_and_fro": "turn_out",
        "joining": "joining_out",
        "together": "together_out",
        "inviting": "inviting_out",
        "conference": "guest_out",
    }
)


def state_of(contact: Contact) -> str:
    """The row's name for what this call is in; empty for what is no row, such as on the way between two of them."""
    if not contact.caller_leg or contact.callback is not None:
        return ""
    segment, consult, offer = contact.segment, contact.consult, contact.offer
    match contact.status:
        case "waiting":
            return "waiting"
        case "offered" if offer is not None and offer.reservations:
            passed = under_way(contact)
            return "passed_on" if passed is not None and passed.to == AGENT else "ringing"
        case "connected" | "held" if segment is not None and not segment.wish:
            return "held" if contact.status == "held" else "talking"
        case status if status == CONSULTING and consult is not None and not consult.over:
            return _inviting(contact, consult) if contact.guests else _consulting(consult)
    return ""


def _inviting(contact: Contact, consult: Consult) -> str:
    """Whoever was asked first, in the table, is an agent; where it is a number outside, another may have the caller."""
    if not in_room(contact):
        first = contact.guests[0]
        coming = any(on_the_way_in(contact, guest) for guest in contact.guests)
        if alone_with(contact):
            talking = contact.aside is not None and contact.aside.talking
            return ("aside_coming" if coming else "aside") if talking else ""
        if coming:
            return "coming_in"
        if contact.aside is not None:
            return ""
        if first.held:
            return "guest_held" if first.held == ON_HOLD else ""
        return "" if first.answered or first.rejecting else "inviting"
    return "conference" if consult.reservation is not None and contact.aside is None else ""


def _consulting(consult: Consult) -> str:
    if not consult.answered:
        return "" if consult.accepting or consult.rejecting else "asking"
    if consult.wish:
        return "joining" if consult.wish == TOGETHER else ""
    return {CONSULTED: "consulting", CALLER: "to_and_fro", TOGETHER: "together"}.get(consult.hears, "")


def legs_of(contact: Contact) -> dict[str, str]:
    """The legs of those whom the table names, as far as they are there."""
    consult, segment, offer = contact.consult, contact.segment, contact.offer
    legs = {"caller": contact.caller_leg}
    if segment is not None:
        legs["agent"] = segment.leg
    elif offer is not None and offer.reservations:
        legs["colleague" if state_of(contact) == "passed_on" else "agent"] = offer.reservations[0].leg
    if consult is not None and not consult.over:
        legs["colleague"] = consult.leg
    if contact.guests:
        legs["guest"] = alone_with(contact) or (*in_room(contact), *contact.guests)[0].leg
    return legs


def named(contact: Contact) -> tuple[str, dict[str, str]]:
    """The name of the row that this call is in, and the legs of those whom that row names; empty for what is no row."""
    offer, outside, dial, callback = contact.offer, contact.outside, contact.dial, contact.callback
    rung = offer.reservations[0].leg if offer is not None and offer.reservations else ""
    match contact.status:
        case status if status == PARKED:
            return "parked", {"caller": contact.caller_leg}
        case "talking_outside" if outside is not None:
            return "talking_out", {"caller": contact.caller_leg, "number": outside.leg}
        case "sent_outside" if outside is not None and not outside.answered:
            return "passed_out", {"caller": contact.caller_leg, "number": outside.leg}
        case "calling_back" if callback is not None and callback.leg:
            return "calling_back", {"agent": rung, "number": callback.leg}
        case "offered" if unreached(contact) is not None:
            return "dialling", {"agent": rung}
        case status if status == DIALLING and dial is not None:
            return "calling", {"agent": rung, "number": dial.leg}
        case "connecting" if offer is not None and _taken_over(contact):
            two = {"caller": contact.caller_leg, "supervisor": offer.accepted}
            return "taking_over", {**two, "agent": next((leg for leg in contact.legs if leg not in two.values()), "")}
    return _talking(contact) if contact.segment is not None else _ringing(contact)


def _ringing(contact: Contact) -> tuple[str, dict[str, str]]:
    state, offer = state_of(contact), contact.offer
    fetched = state == "ringing" and contact.was_parked and offer is not None and offer.again > 0
    return ("retrieving" if fetched else state), legs_of(contact)


def _talking(contact: Contact) -> tuple[str, dict[str, str]]:
    state, legs = state_of(contact), legs_of(contact)
    consult, monitor = contact.consult, contact.monitor
    if state in ("talking", "held"):
        if monitor is not None and monitor.mode and not monitor.wish:
            return _MONITORED[monitor.mode], {**legs, "supervisor": monitor.leg}
        if _taken_over(contact):
            return "taken_over", {"caller": legs["caller"], "supervisor": legs["agent"]}
        if contact.dial is not None:
            return "dialled", {"number": legs["caller"], "agent": legs["agent"]}
    invited = [guest.reservation is None for guest in contact.guests]
    asked_out = consult is not None and not consult.over and consult.reservation is None
    if state in _OUT and ((asked_out and not invited) or (not asked_out and invited == [True])):
        who = "guest" if invited else "colleague"
        return _OUT[state], {("number" if name == who else name): leg for name, leg in legs.items()}
    return state, legs


def _taken_over(contact: Contact) -> bool:
    """Whether a supervisor has the caller, or is about to, whom they took from an agent."""
    transfer, segment = contact.transfer, contact.segment
    if transfer is None or not transfer.taken:
        return False
    return segment.agent_id == transfer.target if segment is not None else under_way(contact) is transfer


def becomes(before: Contact, after: Contact | None) -> str:
    """To where the caller is on the way, in the words of the table; `unchanged` where a consultation goes on."""
    if after is None or after.status == "leaving":
        return "ended"
    if before.status == "calling_back":
        return "promised" if after.status in ("awaiting_callback", "callback_later", "offered") else after.status
    if before.offer is not None and before.status == "connecting" and _taken_over(after):
        return "supervisor" if after.offer is not None and after.offer.accepted else "waits"
    asked = before.consult.leg if before.consult is not None else ""
    if after.segment is not None and after.segment.leg == asked:
        return "colleague"
    if after.segment is not None and are_together(after):
        return "room"
    if after.segment is not None:
        consult = after.consult
        if consult is None or consult.over:
            return "agent"
        if consult.wish == TOGETHER and before.guests:
            return "room"
        return {CALLER: "agent", CONSULTED: "music"}.get(consult.wish or consult.hears, "unchanged")
    offer, outside = after.offer, after.outside
    if outside is not None and outside.leg == asked:
        return ("colleague" if before.guests else "number") if outside.answered else "offered"
    if offer is None or not any(held.leg == asked for held in offer.reservations):
        return "waits"
    return "colleague" if offer.accepted == asked else "offered"
