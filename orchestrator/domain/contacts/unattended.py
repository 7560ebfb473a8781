"""Calls that a switch served by itself while no orchestrator showed a sign of life, as its own record tells of them.

Stream: contact-<id>, the id derived from the switch's id of the call. Written by the runner, all events of a call at
once and once for ever, when the record is read (origin `import`); a caller who had waited with us has an earlier
contact, which ended as `unattended`. Nobody decides anything about such a contact: it is over when it is heard of.
"""

from msgspec import Struct

from orchestrator.domain.contacts.events import (
    ContactArrived,
    ContactEnded,
    ContactIdentified,
    LegClosed,
    RecordingBegun,
    RecordingFinished,
)
from orchestrator.domain.kernel import Event, Instant, Personal

IMPORT = "import"
"""How such a contact was found (`ContactArrived.found`), and where its events come from (`Provenance.origin`)."""

SERVED = "unattended_served"
MESSAGE = "unattended_message"
ABANDONED = "unattended_abandoned"
LOST = "unattended_lost"


class UnattendedCallEnded(Event, frozen=True, kw_only=True):
    """What became of the call, by the switch's clock. The events beside it are of the time at which we heard of it."""

    arrived_at: Instant
    joined_at: Instant = Instant(0)
    """Since when the caller heard somebody; 0: nobody."""
    ended_at: Instant
    extension: str = ""
    """Whose phone it was, where that is known."""
    agent_id: str = ""
    earlier: str = ""
    """The contact as which the same call had waited with us."""
    clock_off: bool = False
    """The switch's clock was put meanwhile, or wrong: the instants are bounded to what can be true, and not certain."""


class UnattendedCallLost(Event, frozen=True, kw_only=True):
    """The switch took the caller, and died before the call was over, or was never heard of again: of all that came
    after `taken_at` nobody knows. By the switch's clock.
    """

    arrived_at: Instant
    taken_at: Instant
    earlier: str = ""
    """The contact as which the same call had waited with us."""
    clock_off: bool = False
    """As with `UnattendedCallEnded`."""


class ImportCall(Struct, frozen=True, kw_only=True):
    """What a switch says of a call that it served by itself was read."""

    node: str
    leg: str
    dialled: str
    caller_number: Personal = ""
    caller_name: Personal = ""
    from_number: Personal = ""
    host: str = ""
    customer_id: str = ""
    cause: str
    call: UnattendedCallEnded | UnattendedCallLost
    message: str = ""
    """The file of the message that was left; of a call that was lost nobody finished it."""
    message_ms: int = 0


def decide(command: ImportCall) -> tuple[Event, ...]:
    """The whole contact, from its beginning to its end."""
    call = command.call
    arrived = ContactArrived(
        node=command.node,
        leg=command.leg,
        dialled=command.dialled,
        caller_number=command.caller_number,
        caller_name=command.caller_name,
        found=IMPORT,
        host=command.host,
        from_number=command.from_number,
    )
    events: tuple[Event, ...] = (arrived,)
    if command.customer_id:
        events += (ContactIdentified(customer_id=command.customer_id),)
    events += (call,)
    if command.message:
        events += (RecordingBegun(file=command.message),)
        if not isinstance(call, UnattendedCallLost):
            events += (RecordingFinished(file=command.message, length_ms=command.message_ms, cause="success"),)
    ended = ContactEnded(reason=_reason(command), phase="arrived")
    return (*events, LegClosed(leg=command.leg, cause=command.cause), ended)


def _reason(command: ImportCall) -> str:
    if isinstance(command.call, UnattendedCallLost):
        return LOST
    return SERVED if command.call.joined_at else MESSAGE if command.message else ABANDONED
