"""What became of a recording's file: sealed and kept, or why not.

Stream `recording-<file without its ending>`. A desk stream, written by the service that keeps recordings; read by
whoever plays one. Its key hangs under the contact's, and that one under the customer's: who is erased cannot be heard
any more, though the sealed file stays.

    none ──RecordingSealed──▶ sealed          RecordingEndangered, in both: an alarm, told once for each reason
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Event, Personal

# How we know of the file: the switch said that it was complete; it never did, but the contact is over; nobody told.
FINISHED: Final = "finished"
UNFINISHED: Final = "unfinished"
ORPHAN: Final = "orphan"

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


class RecordingSealed(Event, frozen=True, kw_only=True):
    """The file is kept encrypted; the one that the switch wrote may go. `digest`: SHA-256 of what the switch wrote, as
    hexadecimal digits; `length` in bytes. `found`: finished, unfinished, orphan.
    """

    contact_id: str
    file: str
    digest: str
    length: int
    key: Personal
    """The key of this one file, base64."""
    found: str = FINISHED


class RecordingEndangered(Event, frozen=True, kw_only=True):
    """Alarm: the recording is not kept, or cannot be heard any more. `why`: missing, no_room, unreadable, twice,
    damaged, lost. Most are tried again.
    """

    contact_id: str
    file: str
    why: str


class Seal(Struct, frozen=True, kw_only=True):
    """The encrypted file is written and safe."""

    contact_id: str
    file: str
    digest: str
    length: int
    key: str
    found: str


class Alarm(Struct, frozen=True, kw_only=True):
    """The file is not kept."""

    contact_id: str
    file: str
    why: str


class Kept(Struct, frozen=True, kw_only=True):
    """What is known of one recording's file."""

    sealed: RecordingSealed | None = None
    alarms: tuple[str, ...] = ()
    """Why it was not kept, since it last was."""


def evolve(kept: Kept, event: Event) -> Kept:
    """The file after one more event. Never raises."""
    match event:
        case RecordingSealed():
            return Kept(sealed=event)
        case RecordingEndangered():
            return replace(kept, alarms=(*kept.alarms, event.why))
    return kept


def decide(kept: Kept, command: Seal | Alarm) -> tuple[Event, ...]:
    """The event that follows; `()` for a file that is sealed already, and for an alarm that was told."""
    match command:
        case Seal():
            if kept.sealed is not None:
                return ()
            return (
                RecordingSealed(
                    contact_id=command.contact_id,
                    file=command.file,
                    digest=command.digest,
                    length=command.length,
                    key=command.key,
                    found=command.found,
                ),
            )
        case Alarm():
            if command.why in kept.alarms:
                return ()
            return (RecordingEndangered(contact_id=command.contact_id, file=command.file, why=command.why),)
