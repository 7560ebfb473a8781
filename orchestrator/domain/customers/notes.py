"""What an agent writes down about a contact, mostly during wrap-up.

Stream `note-<contact id>`. A desk stream, written by the service of customers' files; read by the customer's timeline.

The stream's key hangs under the contact's, and that one under the customer's once the caller is identified, be it
before the note or after: whoever the caller turns out to be, the note is theirs and goes with them (decision 0023).
"""

import re
from typing import Final

from msgspec import Struct

from orchestrator.domain import texts
from orchestrator.domain.kernel import Event, Personal, Refused


class ContactNoted(Event, frozen=True, kw_only=True):
    """Somebody wrote something down about this contact. `code` is the wrap-up reason, where one was chosen."""

    contact_id: str
    text: Personal = ""
    code: str = ""


class Notes(Struct, frozen=True, kw_only=True):
    """The notes of one contact so far, oldest first."""

    contact_id: str
    texts: tuple[str, ...] = ()
    code: str = ""


class NoteContact(Struct, frozen=True, kw_only=True):
    """Write something down, or choose the reason, or both."""

    text: str = ""
    code: str = ""


_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


def evolve(notes: Notes | None, event: Event, contact_id: str) -> Notes | None:
    """The notes after one more event. Never raises."""
    if not isinstance(event, ContactNoted):
        return notes
    before = notes or Notes(contact_id=contact_id)
    written = (*before.texts, event.text) if event.text else before.texts
    return Notes(contact_id=contact_id, texts=written, code=event.code or before.code)


def decide(contact_id: str, command: NoteContact) -> tuple[Event, ...]:
    """The event that follows. Raises `Refused`: `bad_text`, `bad_word`, `empty_note`."""
    text = texts.lines(command.text, "Note")
    code = command.code.strip()
    if code and not _CODE.fullmatch(code):
        raise Refused("bad_word", "Reason: write a word of up to 40 letters a-z, digits, - and _.")
    if not text and not code:
        raise Refused("empty_note", "Write something into the note, or choose a reason.")
    return (ContactNoted(contact_id=contact_id, text=text, code=code),)
