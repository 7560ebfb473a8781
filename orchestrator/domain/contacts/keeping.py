"""What became of a recording's file: sealed and kept, held, deleted, or why it is not there.

Stream `recording-<file without its ending>`. A desk stream, written by the services that keep, hold and delete
recordings; read by whoever plays one. Its key hangs under the contact's, and that one under the customer's: who is
erased cannot be heard any more, though the sealed file stays; unless it is held (`hold-<id>`, below).

    none ──RecordingSealed──▶ sealed ──RecordingHeld──▶ held        RecordingEndangered, anywhere: an alarm, told
     │                          │ ▲─────RecordingReleased─┘          once for each reason
     └─RecordingDiscarded       └──RecordingDeleted──▶ deleted        RecordingArchived, while sealed or held: it lies
                                                                      on another medium from then on

Stream `hold-<id>`: a copy of the file's key that hangs under nobody's. It is destroyed when the hold is lifted.
"""

import re
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Event, Personal, Refused, derived_id
from orchestrator.domain.texts import LINE, one_line

# How we know of the file: the switch said that it was complete; it never did, but the contact is over; nobody told; it
# had the name of one that was kept already.
FINISHED: Final = "finished"
UNFINISHED: Final = "unfinished"
ORPHAN: Final = "orphan"
SECOND: Final = "second"

# Why a file is not kept.
MISSING: Final = "missing"
"""The log says that there is one, and there is none."""
NO_ROOM: Final = "no_room"
UNREADABLE: Final = "unreadable"
TWICE: Final = "twice"
"""A second file of a name that is kept already, with other sound in it; it is left where it is."""
DAMAGED: Final = "damaged"
"""What is kept is not what was sealed."""
LOST: Final = "lost"
"""What was sealed is not there any more."""

# What a case is called by lawyers: `2026/117-C`. It stands in the clear, so it has no room for a story.
_CASE: Final = re.compile(r"[\w/.#-]{1,40}")


# --- events ----------------------------------------------------------------------------------------------------------
class RecordingSealed(Event, frozen=True, kw_only=True):
    """The file is kept encrypted; the one that the switch wrote may go. `digest`: SHA-256 of what the switch wrote, as
    hexadecimal digits; `length` in bytes, `length_ms` by those, -1 where the file does not say what they are. `found`:
    finished, unfinished, orphan, second. `node`: the switch on whose machine it is kept; empty where nobody knows.
    """

    contact_id: str
    file: str
    digest: str
    length: int
    key: Personal
    """The key of this one file, base64."""
    found: str = FINISHED
    node: str = ""
    length_ms: int = -1


class RecordingDiscarded(Event, frozen=True, kw_only=True):
    """The file was shorter than what is worth keeping, and went."""

    contact_id: str
    file: str
    length_ms: int
    least_ms: int


class RecordingEndangered(Event, frozen=True, kw_only=True):
    """Alarm: the recording is not kept, or cannot be heard any more. `why`: missing, no_room, unreadable, twice,
    damaged, lost. Most are tried again.
    """

    contact_id: str
    file: str
    why: str


class RecordingHeld(Event, frozen=True, kw_only=True):
    """It must not go while this stands, whoever is erased and however old it is. `case`: what it is held for."""

    contact_id: str
    file: str
    hold_id: str
    case: str
    reason: Personal


class RecordingReleased(Event, frozen=True, kw_only=True):
    """This hold is lifted."""

    contact_id: str
    file: str
    hold_id: str
    case: str
    reason: Personal


class RecordingDeleted(Event, frozen=True, kw_only=True):
    """Its time is over, and the sealed file goes; digest and facts stay in the log. `days`: for how long such
    recordings are kept by what was configured then.
    """

    contact_id: str
    file: str
    days: int


class RecordingArchived(Event, frozen=True, kw_only=True):
    """The sealed file lies on the medium of this name from now on, compared with its digest there; no more in the
    folder of its machine.
    """

    contact_id: str
    file: str
    medium: str


class RecordingKeyCopied(Event, frozen=True, kw_only=True):
    """The key of a recording that is held, for as long as it is: the erasure of its person does not reach it."""

    file: str
    key: Personal


# --- commands --------------------------------------------------------------------------------------------------------
class Seal(Struct, frozen=True, kw_only=True):
    """The encrypted file is written and safe."""

    contact_id: str
    file: str
    digest: str
    length: int
    key: str
    found: str
    node: str = ""
    length_ms: int = -1


class Discard(Struct, frozen=True, kw_only=True):
    """The file is too short to be kept."""

    contact_id: str
    file: str
    length_ms: int
    least_ms: int


class Alarm(Struct, frozen=True, kw_only=True):
    """The file is not kept."""

    contact_id: str
    file: str
    why: str


class Hold(Struct, frozen=True, kw_only=True):
    """Keep it whatever happens."""

    file: str
    case: str
    reason: str


class Release(Struct, frozen=True, kw_only=True):
    """Lift a hold."""

    file: str
    hold_id: str
    reason: str


class Delete(Struct, frozen=True, kw_only=True):
    """It was kept for so many days, and that is enough."""

    file: str
    days: int


class Archive(Struct, frozen=True, kw_only=True):
    """A copy lies on the medium of this name, whole and safe."""

    file: str
    medium: str


Command = Seal | Discard | Alarm | Hold | Release | Delete | Archive


# --- state -----------------------------------------------------------------------------------------------------------
class Kept(Struct, frozen=True, kw_only=True):
    """What is known of one recording's file."""

    sealed: RecordingSealed | None = None
    alarms: tuple[str, ...] = ()
    """Why it was not kept, since it last was."""
    discarded: bool = False
    deleted: bool = False
    medium: str = ""
    """The medium on which it lies; empty: in the folder of its machine."""
    holds: tuple[RecordingHeld, ...] = ()
    """Those that stand."""
    held_before: int = 0
    """How many holds there ever were."""


def evolve(kept: Kept, event: Event) -> Kept:
    """The file after one more event. Never raises."""
    match event:
        case RecordingSealed():
            return replace(kept, sealed=event, alarms=())
        case RecordingEndangered():
            return replace(kept, alarms=(*kept.alarms, event.why))
        case RecordingDiscarded():
            return replace(kept, discarded=True)
        case RecordingHeld():
            return replace(kept, holds=(*kept.holds, event), held_before=kept.held_before + 1)
        case RecordingReleased():
            return replace(kept, holds=tuple(hold for hold in kept.holds if hold.hold_id != event.hold_id))
        case RecordingDeleted():
            return replace(kept, deleted=True)
        case RecordingArchived():
            return replace(kept, medium=event.medium)
    return kept


# --- decisions -------------------------------------------------------------------------------------------------------
def decide(kept: Kept, command: Command) -> tuple[Event, ...]:
    """The event that follows; `()` for what is so already, for an alarm that was told, and for the deletion of what is
    held. Raises `Refused` where a person asked for something that cannot be.
    """
    match command:
        case Seal() if kept.sealed is None and not kept.discarded:
            return (
                RecordingSealed(
                    contact_id=command.contact_id,
                    file=command.file,
                    digest=command.digest,
                    length=command.length,
                    key=command.key,
                    found=command.found,
                    node=command.node,
                    length_ms=command.length_ms,
                ),
            )
        case Discard() if kept.sealed is None and not kept.discarded:
            return (
                RecordingDiscarded(
                    contact_id=command.contact_id,
                    file=command.file,
                    length_ms=command.length_ms,
                    least_ms=command.least_ms,
                ),
            )
        case Alarm() if not kept.deleted and command.why not in kept.alarms:
            return (RecordingEndangered(contact_id=command.contact_id, file=command.file, why=command.why),)
        case Delete() if kept.sealed is not None and not kept.deleted and not kept.holds:
            return (RecordingDeleted(contact_id=kept.sealed.contact_id, file=command.file, days=command.days),)
        case Archive() if kept.sealed is not None and not kept.deleted and not kept.medium:
            return (RecordingArchived(contact_id=kept.sealed.contact_id, file=command.file, medium=command.medium),)
        case Hold():
            return _hold(kept, command)
        case Release():
            return _release(kept, command)
    return ()


def _hold(kept: Kept, command: Hold) -> tuple[Event, ...]:
    if kept.deleted or kept.discarded:
        raise Refused("recording_deleted", "This recording was deleted; there is nothing left to hold.")
    if kept.sealed is None:
        raise Refused("recording_not_kept", "This recording is not sealed yet; try again in a moment.")
    case = command.case.strip()
    if not _CASE.fullmatch(case):
        raise Refused("bad_case", "Write what the case is called: up to 40 letters, digits, / . # - and _.")
    reason = _reason(command.reason)
    if any(hold.case == case for hold in kept.holds):
        return ()
    hold_id = derived_id(command.file, "hold", kept.held_before + 1)
    contact_id = kept.sealed.contact_id
    return (RecordingHeld(contact_id=contact_id, file=command.file, hold_id=hold_id, case=case, reason=reason),)


def _release(kept: Kept, command: Release) -> tuple[Event, ...]:
    hold = next((each for each in kept.holds if each.hold_id == command.hold_id), None)
    if hold is None:
        return ()
    reason = _reason(command.reason)
    return (
        RecordingReleased(
            contact_id=hold.contact_id, file=command.file, hold_id=hold.hold_id, case=hold.case, reason=reason
        ),
    )


def _reason(text: str) -> str:
    reason = one_line(text, "Reason", LINE)
    if not reason:
        raise Refused("no_reason", "Say why; it stands in the log beside your name.")
    return reason
