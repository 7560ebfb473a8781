"""The verifier's own idea of masks: none of a recording that has finished, and none that never ends."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.audit.books import Books
from orchestrator.audit.open_contact import Contact
from orchestrator.domain.contacts import events as contact_events
from orchestrator.domain.contacts import recording as events
from orchestrator.domain.kernel import Event

Handler = Callable[[Contact, Any], None]

_OfMask = events.RecordingMasked | events.MaskFailed | events.UnmaskAsked | events.RecordingUnmasked


def handlers(books: Books) -> Mapping[type[Event], Handler]:
    """What each event does to a contact."""
    masks = _Masks(books)
    return {
        contact_events.RecordingBegun: masks.begun,
        contact_events.RecordingFinished: masks.finished,
        events.RecordingAsked: masks.anything,
        events.RecordingEndAsked: masks.anything,
        events.RecordingFailed: masks.anything,
        events.MaskAsked: masks.asked,
        events.RecordingMasked: masks.of_mask,
        events.MaskFailed: masks.failed,
        events.UnmaskAsked: masks.asked_to_end,
        events.RecordingUnmasked: masks.ended,
    }


class _Masks:
    def __init__(self, books: Books) -> None:
        self._books = books

    def anything(self, contact: Contact, event: Event) -> None:
        """Nothing follows from it here."""

    def begun(self, contact: Contact, event: contact_events.RecordingBegun) -> None:
        contact.finished.discard(event.file)

    def finished(self, contact: Contact, event: contact_events.RecordingFinished) -> None:
        if contact.masked == event.file:
            self._books.complain("mask", "the recording finished under a mask that nobody ended")
            contact.masked = ""
        contact.finished.add(event.file)

    def asked(self, contact: Contact, event: events.MaskAsked) -> None:
        # What the switch said of its beginning may be lost; of its end nobody may know already.
        if event.file in contact.finished:
            self._books.complain("mask", f"{event.file} is to be masked, and has finished")
        contact.masked, contact.unmasking = event.file, False

    def of_mask(self, contact: Contact, event: _OfMask) -> None:
        if contact.masked != event.file:
            self._books.complain("mask", f"{type(event).__name__} of a recording that nobody had masked")

    def failed(self, contact: Contact, event: events.MaskFailed) -> None:
        self.of_mask(contact, event)
        if event.on and not event.again_at:
            contact.masked = ""  # the switch writes no such file

    def asked_to_end(self, contact: Contact, event: events.UnmaskAsked) -> None:
        self.of_mask(contact, event)
        contact.unmasking = True

    def ended(self, contact: Contact, event: events.RecordingUnmasked) -> None:
        self.of_mask(contact, event)
        # Unless the next mask was asked for before this one was over.
        if contact.unmasking or event.reason in ("finished", "leg_gone"):
            contact.masked = ""
