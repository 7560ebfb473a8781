"""Legal hold: a recording that must not go, neither by its age nor with its person, until somebody lifts the hold.

While it stands, a copy of the file's key hangs under nobody's, so that an erasure of the person leaves this recording
to be heard, and nothing else of them. The copy is destroyed with the hold: an erasure that came meanwhile is then
complete.
"""

import base64
from collections.abc import Mapping

from orchestrator.domain.contacts import keeping
from orchestrator.domain.contacts.keeping import (
    Hold,
    Kept,
    RecordingHeld,
    RecordingKeyCopied,
    RecordingReleased,
    Release,
)
from orchestrator.domain.kernel import Event, Refused, stream
from orchestrator.service.deciding import Desk, Who, Written
from orchestrator.service.recordings import HOLD, Recordings, folded, stream_of
from orchestrator.store import DeskWriter, Log
from orchestrator.vault import ERASED


class Holds:
    """What is held. Thread-safe."""

    def __init__(self, desk: DeskWriter, log: Log, recordings: Recordings) -> None:
        """`log` opens personal text."""
        self._desk = Desk(desk, log)
        self._recordings = recordings

    def place(self, who: Who, file: str, case: str, reason: str, *, key: str = "") -> Written:
        """Hold a recording for a case. `Refused`: `no_such_recording`, `recording_deleted`, `recording_not_kept`,
        `recording_erased`, `bad_case`, `no_reason`, `bad_text`.
        """
        known = self._known(file)

        def beside(events: tuple[Event, ...]) -> Mapping[str, Event]:
            return {
                stream(HOLD, event.hold_id): RecordingKeyCopied(file=file, key=self._key(known))
                for event in events
                if isinstance(event, RecordingHeld)
            }

        command = Hold(file=file, case=case, reason=reason)
        return self._desk.write(
            stream_of(file),
            lambda before: keeping.decide(folded(before), command),
            who=who,
            key=key,
            about=lambda _before, _events: _tie(known),
            beside=beside,
        )

    def lift(self, who: Who, file: str, hold_id: str, reason: str, *, key: str = "") -> Written:
        """Lift one hold, and destroy its copy of the key. `Refused`: `no_such_recording`, `no_reason`, `bad_text`.

        First the event, then the key: where the process dies in between, a repeat destroys it, and so does `settle`.
        """
        known = self._known(file)
        command = Release(file=file, hold_id=hold_id, reason=reason)
        written = self._desk.write(
            stream_of(file),
            lambda before: keeping.decide(folded(before), command),
            who=who,
            key=key,
            about=lambda _before, _events: _tie(known),
        )
        self._forget(file)
        return written

    def settle(self) -> int:
        """Destroy the copies of lifted holds that are still there; how many files had one. There are few holds."""
        files = {
            record.event.file
            for record in self._desk.log.history(kinds=(HOLD,))
            if isinstance(record.event, RecordingKeyCopied) and record.event.key not in ("", ERASED)
        }
        return sum(self._forget(file) for file in sorted(files))

    def _forget(self, file: str) -> bool:
        """Destroy the copies of this file's holds that do not stand; whether there was one."""
        records = list(self._desk.log.stream(stream_of(file)))
        standing = {hold.hold_id for hold in folded(records).holds}
        lifted = {record.event.hold_id for record in records if isinstance(record.event, RecordingReleased)}
        for hold_id in sorted(lifted - standing):
            self._desk.writer.erase(stream(HOLD, hold_id))
        return bool(lifted - standing)

    def _known(self, file: str) -> Kept:
        known = self._recordings.state(file)
        if known == Kept():
            raise Refused("no_such_recording", "There is no such recording.")
        return known

    def _key(self, known: Kept) -> str:
        key = self._recordings.key_of(known)
        if key is None:
            raise Refused("recording_erased", "Whoever is heard in this recording was erased; nobody can hear it.")
        return base64.b64encode(key.raw).decode()


def _tie(known: Kept) -> str:
    contact_id = known.sealed.contact_id if known.sealed is not None else ""
    return stream("contact", contact_id) if contact_id else ""
