"""What a desk shows of the agent's own voice in a conversation, and what may be done with it."""

from orchestrator.domain.contacts.contacts import Contact, Segment
from orchestrator.domain.contacts.speaking import hearer


def voice_of(segment: Segment) -> str:
    """`heard`, `muting` (the switch has not said that it mutes), `muted`, `unmuting`, or `unsure`."""
    if segment.mute_failed:
        return "unsure"
    return {"mute": "muting", "unmute": "unmuting"}.get(segment.mute_wish, "muted" if segment.muted else "heard")


def may_speak(contact: Contact) -> frozenset[str]:
    """The actions that make sense now."""
    segment = contact.segment
    if segment is None:
        return frozenset()
    wants_mute = segment.mute_wish == "mute" or (segment.muted and not segment.mute_wish)
    found = {"mute", "unmute"} if segment.mute_failed else {"unmute" if wants_mute else "mute"}
    return frozenset(found | ({"send_digits"} if hearer(contact) else set()))
