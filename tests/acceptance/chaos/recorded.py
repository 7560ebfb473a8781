"""What became of each talk's recording: one sealed file that is its contact's, or a reason that the log tells.

sealed    one file, encrypted, under its contact; the clear one is gone
empty     the switch said that nothing was in it, and kept none
failed    the switch could not record, which the log says (`RecordingFailed`)
cut       the switch was killed under it (the contact is `switch_lost`)
unheard   it never began, and no engine decided anything from a second after the talk did until a second before
          its end
missed    it never began, and the talk lasted less than a second: it was over before the switch was told
"""

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct, field

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import keeping
from orchestrator.domain.contacts.recording import WITHOUT_A_FILE, RecordingFailed, is_of
from orchestrator.domain.kernel import Record, ident_of, kind_of

SHORT_S: Final = 1.0
"""A talk that is over so soon may end before its recording begins."""
_AT_ONCE_S: Final = 0.1
"""Before that the switch was told, where the engine that recorded the talk lived on."""
_TAKEN_OVER_S: Final = 1.0
"""An engine that takes over writes a little before it hears that the talk is over."""


class Sealed(Struct, frozen=True):
    """One `RecordingSealed`."""

    file: str
    contact: str


class Talk(Struct, kw_only=True):
    """One talk with an agent by the log. Times in seconds since 1970; `until` is 0 where it has no end."""

    contact: str
    segment: str
    since: float
    until: float = 0.0
    reason: str = ""
    """Why its contact ended."""
    begun: bool = False
    empty: bool = False
    failed: bool = False


class Told(Struct, kw_only=True):
    """What the log has of talks and recordings."""

    talks: list[Talk] = field(default_factory=list)
    sealed: list[Sealed] = field(default_factory=list)


class Lying(Struct, frozen=True, kw_only=True):
    """What lies in the folders, by name."""

    clear: Collection[str] = ()
    """In the one in which the switch writes."""
    kept: Collection[str] = ()
    """Sealed files, by the names of their recordings."""
    half: Collection[str] = ()
    """What is no whole file."""


class Found(Struct, kw_only=True):
    """What the comparison came to."""

    fates: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """A sentence for each finding."""
    suspects: list[str] = field(default_factory=list)
    """The contacts of what was found."""


def told(records: Iterable[Record]) -> Told:
    """The talks and recordings of this log, in its order."""
    said = Told()
    of_contact: dict[str, list[Talk]] = defaultdict(list)
    for record in records:
        event = record.event
        if isinstance(event, keeping.RecordingSealed):
            said.sealed.append(Sealed(event.file, event.contact_id))
        if kind_of(record.stream) != "contact":
            continue
        at, contact = record.about.at / 1e6, ident_of(record.stream)
        if isinstance(event, c.ContactConnected):
            talk = Talk(contact=contact, segment=event.segment_id, since=at)
            of_contact[contact].append(talk)
            said.talks.append(talk)
        for talk in of_contact[contact]:
            _note(talk, record, at)
    return said


def _note(talk: Talk, record: Record, at: float) -> None:
    match record.event:
        case c.AgentSegmentEnded(segment_id=segment) if segment == talk.segment:
            talk.until = at
        case c.ContactEnded(reason=reason):
            talk.reason = reason
        case c.RecordingBegun(file=file) if is_of(file, talk.segment):
            talk.begun = True
        case c.RecordingFinished(file=file, cause=cause) if is_of(file, talk.segment):
            talk.begun, talk.empty = True, cause in WITHOUT_A_FILE
        case RecordingFailed(file=file) if is_of(file, talk.segment):
            talk.failed = True


def compare_recordings(said: Told, lying: Lying, decided_at: Sequence[float]) -> Found:
    """What became of each talk's recording, and where log and folders do not agree.

    `decided_at`: when engines wrote the ledger, in order.
    """
    found = Found()
    for talk in said.talks:
        of_it = [each for each in said.sealed if is_of(each.file, talk.segment)]
        if len(of_it) > 1:
            found.wrong.append(f"{talk} is recorded twice: {of_it}")
        elif of_it and of_it[0].contact != talk.contact:
            found.wrong.append(f"{talk} is recorded, and nobody knows whose it is: {of_it[0]}")
        elif fate := "sealed" if of_it else _why_none(talk, decided_at):
            found.fates[fate] += 1
            continue
        else:
            found.wrong.append(f"{talk} has no recording")
        found.suspects.append(talk.contact)
    segments = [talk.segment for talk in said.talks]
    files = [each.file for each in said.sealed]
    for file in files:
        if not any(is_of(file, segment) for segment in segments):
            found.wrong.append(f"{file} is kept, and no talk is in it")
    found.wrong += [f"{file} was sealed, and is not kept" for file in files if file not in lying.kept]
    found.wrong += [f"{file} is kept, and was never sealed" for file in lying.kept if file not in files]
    found.wrong += [f"{file} lies in the clear" for file in lying.clear]
    found.wrong += [f"{file} is left half done" for file in lying.half]
    return found


def _why_none(talk: Talk, decided_at: Sequence[float]) -> str:
    """What excuses that a talk has no recording, in one word; empty where nothing does."""
    if talk.empty:
        return "empty"
    if talk.failed:
        return "failed"
    if talk.reason == "switch_lost":
        return "cut"
    if talk.begun or not talk.until:
        return ""
    if talk.until - talk.since < SHORT_S:
        return "missed"
    next_one = bisect(decided_at, talk.since + _AT_ONCE_S)
    asleep = next_one == len(decided_at) or decided_at[next_one] > talk.until - _TAKEN_OVER_S
    return "unheard" if asleep else ""
