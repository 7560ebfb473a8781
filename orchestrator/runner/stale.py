"""Wishes that come late: pressed on a page that showed an offer or a conversation which is over by now, or sent again.

A person presses what they see, and between the page and here lies a network that may have been away for a minute. So a
command may say what it is meant for; what is meant for something that is over is never done to something else.
"""

from collections.abc import Mapping
from types import MappingProxyType

from orchestrator.domain.kernel import Refused
from orchestrator.domain.staff import presence
from orchestrator.domain.staff.shifts import Shift
from orchestrator.runner import inputs

# How an offer ended for an agent (`Shift.last_outcome`).
_ENDED: Mapping[str, str] = MappingProxyType(
    {
        "connected": "it led to a conversation that is over",
        "timed_out": "it was not answered in time",
        "unreachable": "your phone could not be reached",
        "rejected": "it was refused",
        "busy": "your phone was busy",
        "withdrawn": "it was taken back, as when the caller hangs up",
        "lost": "a colleague was faster",
        "failed": "your phone and the caller could not be joined",
    }
)
_NOW: Mapping[str, str] = MappingProxyType(
    {
        "ready": "you are ready",
        "paused": "you are not ready",
        "reserved": "another contact is offered to you",
        "talking": "you are in another conversation",
        "wrapping_up": "you do the after-call work of another contact",
    }
)


def is_done(shift: Shift, command: inputs.AgentCommand) -> bool:
    """Whether what this command wishes is the case already, because it was done before: then nothing is to do.

    Raises `Refused`: desk_elsewhere, where it comes from another desk than the agent's; stale, where what it is meant
    for is over. A command that does not say what it is meant for is meant for whatever there is.
    """
    desk = shift.desk
    if command.desk and desk is not None and desk.state == "attached" and desk.desk_id != command.desk:
        raise Refused("desk_elsewhere", presence.elsewhere(desk))
    about = command.about
    if not about or isinstance(command, inputs.Pause | inputs.SignOut):
        return False  # whoever wants a break wants it whatever the page showed
    if about == shift.contact_id or any(about in (each.contact_id, each.offer_id) for each in shift.engagements):
        return _is_so_already(shift, command)
    if any(each.contact_id == about for each in shift.postponed) and isinstance(command, inputs.HangUp):
        return True
    if about in (shift.last_offer, shift.last_contact) and _was_done(shift, command):
        return True
    what, how = "contact", "it is no longer with you"
    if about == shift.last_offer:
        what, how = "offer", _ENDED.get(shift.last_outcome, "it is gone")
    raise Refused("stale", f"That {what} is over: {how}; {_NOW.get(shift.status, shift.status)} now.")


def _is_so_already(shift: Shift, command: inputs.AgentCommand) -> bool:
    """Of the offer or contact that the agent has now."""
    match command:
        case inputs.Accept(about=about):
            return any(about in (each.contact_id, each.offer_id) and each.segment_id for each in shift.engagements)
        case inputs.HangUp():
            return shift.status == "wrapping_up"
    return False


def _was_done(shift: Shift, command: inputs.AgentCommand) -> bool:
    """Of the last offer or contact, which is over."""
    match command:
        case inputs.Reject(about=about):
            return about == shift.last_offer and shift.last_outcome == "rejected"
        case inputs.HangUp(about=about):
            return about == shift.last_contact
        case inputs.Ready():
            return shift.status == "ready"
    return False
