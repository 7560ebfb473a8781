"""The recording of a talk: what an agent may have done with it, and what the switch says of it.

Part of a contact's stream. Written by the runner only; which talks are recorded stands in `domain.routing.recording`.

            1             2             3               4
    none ──────▶ asked ──────▶ begun ──────▶ masking ──────▶ masked ─┐
     ▲                          │ ▲             │5              │6   │
     └────────────8─────────────┘ └──────7──────┴── unmasking ◀─┘◀───┘
  1 RecordingAsked (or by rule: without an event of its own)  2 RecordingBegun  3 MaskAsked  4 RecordingMasked
  5 MaskFailed  6 UnmaskAsked (the agent, or after its longest time)  7 RecordingUnmasked  8 RecordingFinished, at any
  time: the leg ends, the disk is full, the agent asked for it or passed the caller on (RecordingEndAsked, with which a
  mask is over)

A mask may be asked for as soon as the switch was told to record: whether it does so, its answer to the mask says, and
what it said of the beginning can be lost. While it is masked it writes silence: the file keeps its length.

Commands: `Recording…` below. A repeat yields `()`.
"""

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts.events import RecordingBegun, RecordingFinished
from orchestrator.domain.contacts.transfers import TRANSFER
from orchestrator.domain.kernel import SECOND, Event, Instant, Refused
from orchestrator.domain.routing.recording import ALWAYS, ON_DEMAND

Events = tuple[Event, ...]

# How long after a vain try the switch is told again to write sound.
AGAIN = 5 * SECOND

# Why a recording ended of which no file is left: the switch keeps none that holds nothing, or too little.
WITHOUT_A_FILE = ("empty-file", "input-too-short")
# Ours: the rest of the talk is not recorded, though it should be.
STOPPED_EARLY = "stopped_early"


# --- events ----------------------------------------------------------------------------------------------------------
class RecordingAsked(Event, frozen=True, kw_only=True):
    """The agent wants this talk recorded from here on."""

    segment_id: str
    file: str


class RecordingEndAsked(Event, frozen=True, kw_only=True):
    """The recording is to end while the caller's leg lives on. `reason`: agent, or transfer or parked (the caller was
    passed on, or parked: each talk has files of its own, and the wait has none).
    """

    file: str
    reason: str


class RecordingFailed(Event, frozen=True, kw_only=True):
    """Alarm: what should be recorded is not. `cause`: the switch's words, or stopped_early (the file ended before the
    talk did).
    """

    file: str
    cause: str


class MaskAsked(Event, frozen=True, kw_only=True):
    """What is said from now on is not to be recorded: a card number follows. It ends at `until` by itself."""

    file: str
    until: Instant


class RecordingMasked(Event, frozen=True, kw_only=True):
    """The switch writes silence instead of sound."""

    file: str


class MaskFailed(Event, frozen=True, kw_only=True):
    """Alarm: the switch did not do it, or nobody knows whether it did. `on`: it should write silence; otherwise, sound.
    It is told again at `again_at`; 0: it writes no such file.
    """

    file: str
    on: bool
    cause: str
    again_at: Instant = Instant(0)


class UnmaskAsked(Event, frozen=True, kw_only=True):
    """Sound is to be recorded again. `reason`: agent, limit (nobody had ended the mask), again (told once more). Where
    the switch has not answered by `again_at`, it is told again.
    """

    file: str
    reason: str
    again_at: Instant


class RecordingUnmasked(Event, frozen=True, kw_only=True):
    """The mask is over. `reason`: of `UnmaskAsked`; or finished (the recording ended, or is to), leg_gone."""

    file: str
    reason: str


# --- commands --------------------------------------------------------------------------------------------------------
class NoteRecording(Struct, frozen=True, kw_only=True):
    """The switch began (`length_ms` < 0) or finished a recording, and why it did."""

    file: str
    length_ms: int = -1
    cause: str = ""


class NoteRecordingFailed(Struct, frozen=True, kw_only=True):
    """The switch cannot record into this file."""

    file: str
    cause: str


class NoteMask(Struct, frozen=True, kw_only=True):
    """The switch says that it writes silence (`on`), or sound again."""

    file: str
    on: bool


class NoteMaskFailed(Struct, frozen=True, kw_only=True):
    """The switch did not do what `on` says, or nobody knows."""

    file: str
    on: bool
    cause: str
    again_at: Instant


class AskRecording(Struct, frozen=True, kw_only=True):
    """Record this talk. `rule`: what the configuration says of it."""

    shift_id: str
    rule: str


class EndRecording(Struct, frozen=True, kw_only=True):
    """Record no more of this talk."""

    shift_id: str
    rule: str


class DropRecording(Struct, frozen=True, kw_only=True):
    """The caller was passed on from the talk that is recorded into this file, and nobody knew of it then."""

    file: str


class Mask(Struct, frozen=True, kw_only=True):
    """Write silence from now on, at most until then. `file`: what the talk is recorded into, by all that was told the
    switch; empty where it is not. Whether it writes that, its answer says.
    """

    shift_id: str
    until: Instant
    file: str


class Unmask(Struct, frozen=True, kw_only=True):
    """Write sound again."""

    shift_id: str
    now: Instant


class LookAtMask(Struct, frozen=True, kw_only=True):
    """The mask has held for its longest time, or the switch is to be told again."""

    now: Instant


RecordingNews = NoteRecording | NoteRecordingFailed | NoteMask | NoteMaskFailed | LookAtMask | DropRecording
RecordingWish = AskRecording | EndRecording | Mask | Unmask
RecordingCommand = RecordingNews | RecordingWish


# --- state -----------------------------------------------------------------------------------------------------------
class Recording(Struct, frozen=True, kw_only=True):
    """The recording that goes on, or is about to."""

    file: str
    begun: bool = False
    """Whether the switch has said that it writes the file."""
    ending: bool = False
    wish: str = ""
    """`mask` or `unmask` where it was asked for and the switch has not said that it is so."""
    masked: bool = False
    mask_until: Instant = Instant(0)
    """When the mask ends by itself."""
    retry_at: Instant = Instant(0)
    """When the switch is told again what it should write; 0: no need."""
    reason: str = ""
    """Why the mask is to end."""
    mask_failed: bool = False
    """The agent asked for a mask, and nobody knows that the switch writes silence."""

    @property
    def hushed(self) -> bool:
        """Whether a mask holds, or is about to."""
        return self.masked or bool(self.wish)


def evolve(recording: Recording | None, event: Event) -> Recording | None:
    """The recording after one more event of the contact. Never raises."""
    match event:
        case MaskAsked() if recording is None or recording.file != event.file:
            # Of one that the switch was told to begin, and has not said that it did.
            return _evolve_mask(Recording(file=event.file), event)
        case RecordingAsked():
            return Recording(file=event.file)
        case RecordingBegun():
            return _begun(recording, event.file)
        case RecordingEndAsked():
            return _ending(recording, event.file)
        case RecordingFinished() | RecordingFailed():
            return None if recording is None or recording.file == event.file else recording
    return _evolve_mask(recording, event) if recording is not None else None


def _begun(recording: Recording | None, file: str) -> Recording:
    """One that is heard of late, when the next one goes on already, does not take its place."""
    if recording is not None and recording.file == file:
        return replace(recording, begun=True)
    return Recording(file=file, begun=True) if recording is None or recording.ending else recording


def _ending(recording: Recording | None, file: str) -> Recording:
    """One of which the switch has not said that it began is remembered, so that its end is told again, too."""
    if recording is None:
        return Recording(file=file, ending=True)
    return replace(recording, ending=True) if recording.file == file else recording


def _evolve_mask(recording: Recording, event: Event) -> Recording:
    match event:
        case MaskAsked():
            return replace(recording, wish="mask", mask_until=event.until, mask_failed=False, retry_at=Instant(0))
        case RecordingMasked():
            # One that is to end again by now is told so behind it.
            wish = "" if recording.wish == "mask" else recording.wish
            return replace(recording, masked=True, wish=wish, mask_failed=False, retry_at=Instant(0))
        case MaskFailed():
            wish = "" if event.on and not event.again_at else recording.wish
            return replace(recording, wish=wish, mask_failed=event.on, retry_at=event.again_at)
        case UnmaskAsked():
            reason = recording.reason if event.reason == "again" else event.reason
            return replace(recording, wish="unmask", reason=reason, retry_at=event.again_at)
        case RecordingUnmasked():
            # Unless the next mask was asked for before this one was over.
            again = recording.wish == "mask" and event.reason not in ("finished", "leg_gone")
            return replace(recording, masked=False, wish="mask" if again else "", reason="", retry_at=Instant(0))
    return recording


def mask_due(recording: Recording | None) -> Instant:
    """When somebody must look at the mask, 0 where there is none."""
    if recording is None or not recording.hushed:
        return Instant(0)
    return recording.retry_at or recording.mask_until


# --- decisions -------------------------------------------------------------------------------------------------------
class Talk(Struct, frozen=True, kw_only=True):
    """What a decision needs to know of the contact."""

    recording: Recording | None
    files: tuple[str, ...]
    """What was recorded of it so far."""
    finished: tuple[str, ...]
    """What of that is complete."""
    segment_id: str
    """The talk that goes on, empty where there is none."""
    shift_id: str
    """Whose talk it is."""


def decide(talk: Talk, command: RecordingCommand) -> Events:
    """The events that follow. Raises `Refused` where a person asked for something that cannot be."""
    recording = talk.recording
    match command:
        case AskRecording() | EndRecording() | Mask() | Unmask():
            return _wish(talk, command)
        case NoteRecording() if command.length_ms < 0:
            return () if command.file in talk.files else (RecordingBegun(file=command.file),)
        case NoteRecording():
            return () if command.file in talk.finished else _finished(talk, command)
        case NoteRecordingFailed():
            return () if command.file in talk.files else (_failed(command.file, command.cause),)
        case LookAtMask() if recording is not None and recording.hushed:
            return _look(recording, command.now)
        case DropRecording():
            return end(recording, command.file, TRANSFER)
        case NoteMask() | NoteMaskFailed() if recording is not None and recording.file == command.file:
            return _mask_news(recording, command)
    return ()


def leg_gone(recording: Recording | None) -> Events:
    """The caller's leg is gone, and the end of its recording was never told: the mask is over with it."""
    if recording is None or not recording.hushed:
        return ()
    return (RecordingUnmasked(file=recording.file, reason="leg_gone"),)


def end(recording: Recording | None, file: str, reason: str) -> Events:
    """A recording that is to end takes its mask with it: what is still written to it is silence, and nobody waits for
    the switch to say that it is sound again.
    """
    if recording is None or recording.file != file:
        return (RecordingEndAsked(file=file, reason=reason),)
    if recording.ending:
        return ()
    unmasked = (RecordingUnmasked(file=file, reason="finished"),) if recording.hushed else ()
    return (*unmasked, RecordingEndAsked(file=file, reason=reason))


def _look(recording: Recording, now: Instant) -> Events:
    if recording.wish == "unmask":
        return (_unmask(recording, "again", now),) if recording.retry_at <= now else ()
    if recording.mask_until <= now:
        return (_unmask(recording, "limit", now),)
    if recording.wish == "mask" and 0 < recording.retry_at <= now:
        return (MaskAsked(file=recording.file, until=recording.mask_until),)
    return ()


def _unmask(recording: Recording, reason: str, now: Instant) -> UnmaskAsked:
    return UnmaskAsked(file=recording.file, reason=reason, again_at=Instant(now + AGAIN))


def _mask_news(recording: Recording, command: NoteMask | NoteMaskFailed) -> Events:
    match command:
        case NoteMask(on=True):
            known = recording.masked and recording.wish != "mask"
            return () if known or not recording.hushed else (RecordingMasked(file=recording.file),)
        case NoteMask():
            return (RecordingUnmasked(file=recording.file, reason=recording.reason),) if recording.hushed else ()
        case NoteMaskFailed() if recording.wish == ("mask" if command.on else "unmask"):
            failed = MaskFailed(
                file=recording.file, on=command.on, cause=command.cause[:100], again_at=command.again_at
            )
            return (failed,)
    return ()


def _finished(talk: Talk, command: NoteRecording) -> Events:
    recording = talk.recording
    own = recording is not None and recording.file == command.file
    events: Events = ()
    if recording is not None and own and recording.hushed:
        events = (RecordingUnmasked(file=command.file, reason="finished"),)
    events += (RecordingFinished(file=command.file, length_ms=command.length_ms, cause=command.cause),)
    if recording is not None and own and not recording.ending and command.cause == "uri-failure":
        events += (_failed(command.file, STOPPED_EARLY),)
    return events


def _failed(file: str, cause: str) -> RecordingFailed:
    return RecordingFailed(file=file, cause=cause[:100])


def _wish(talk: Talk, command: RecordingWish) -> Events:
    if not talk.shift_id or talk.shift_id != command.shift_id:
        raise Refused("not_talking", "Recording needs a call that you are in.")
    recording = talk.recording
    match command:
        case AskRecording():
            if recording is not None and not recording.ending:
                return ()
            if command.rule not in (ALWAYS, ON_DEMAND):
                raise Refused("recording_not_allowed", "Calls of this queue are not recorded, not even when asked for.")
            return (RecordingAsked(segment_id=talk.segment_id, file=file_of(talk.segment_id, talk.files)),)
        case EndRecording():
            if command.rule == ALWAYS:
                raise Refused("recorded_by_rule", "This call is recorded by rule. It can be masked, but not ended.")
            return () if recording is None else end(recording, recording.file, "agent")
        case Mask() if command.file and not _masks(recording, command.file):
            return (MaskAsked(file=command.file, until=command.until),)
        case Mask() if command.file:
            return ()
    if recording is None or recording.ending or isinstance(command, Mask):
        raise Refused("not_recorded", "Nothing is being recorded, so there is nothing to mask.")
    return (_unmask(recording, "agent", command.now),) if _masks(recording, recording.file) else ()


def _masks(recording: Recording | None, file: str) -> bool:
    """Whether this file is masked, or about to be, and is to stay so."""
    return recording is not None and recording.file == file and recording.hushed and recording.wish != "unmask"


def is_of(file: str, segment_id: str) -> bool:
    """Whether this file holds that conversation, or a part of it."""
    return bool(segment_id) and file.startswith(segment_id)


def talks_in(file: str) -> tuple[str, str]:
    """The conversations of which this file may be: a name alone does not say whether it ends with a number."""
    plain = file.removesuffix(".wav")
    return plain, plain.rpartition("-")[0]


def file_of(segment_id: str, files: tuple[str, ...] = ()) -> str:
    """What the next recording of this conversation is called: never like an earlier one, which it would overwrite."""
    plain = f"{segment_id}.wav"
    return plain if plain not in files else f"{segment_id}-{len(files) + 1}.wav"
