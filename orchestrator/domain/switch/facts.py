"""Facts: what a switch reported, in our words. `esl.translate` makes them, the runner takes them in.

A leg is named by (node, uuid). A fact is news, not truth: it may be late, doubled, lost or out of order (law 5).
"""

from msgspec import Struct

from orchestrator.domain.kernel import Instant, Personal


class Fact(Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """News from one switch. `at` is the switch's own clock, which ticks in steps of 20 ms."""

    node: str
    at: Instant | None = None


class LegFact(Fact, frozen=True, kw_only=True):
    """News of one leg. `contact` and `offer` are our own channel variables, empty on legs that we did not make."""

    leg: str
    contact: str = ""
    offer: str = ""


class LegCreated(LegFact, frozen=True, kw_only=True):
    """The channel exists (CHANNEL_CREATE). `inbound` is true for a leg that came to us."""

    inbound: bool = False


class LegParked(LegFact, frozen=True, kw_only=True):
    """The leg waits for instructions (CHANNEL_PARK). Strings are as the network sent them: hostile until cleaned."""

    inbound: bool = False
    dialled: str = ""
    caller_number: Personal = ""
    caller_name: Personal = ""
    context: str = ""
    trunk: str = ""
    host: str = ""
    """The address from which the call came."""
    early: bool = False
    """Of a leg that we made: nobody has answered, and the far end sends sound already (early media)."""
    account: str = ""
    """The account by whose password a phone of ours has shown who it is; empty for everybody else."""


class LegRinging(LegFact, frozen=True, kw_only=True):
    """The far phone rings (CHANNEL_PROGRESS or CHANNEL_PROGRESS_MEDIA)."""


class LegAnswered(LegFact, frozen=True, kw_only=True):
    """The far end answered (CHANNEL_ANSWER)."""


class LegBridged(LegFact, frozen=True, kw_only=True):
    """Two legs hear each other (CHANNEL_BRIDGE). `leg` is the first, `other` the second leg."""

    other: str


class LegUnbridged(LegFact, frozen=True, kw_only=True):
    """The pair was taken apart (CHANNEL_UNBRIDGE)."""

    other: str


class LegHeld(LegFact, frozen=True, kw_only=True):
    """The leg was put on hold (CHANNEL_HOLD), by command or by its own phone."""


class LegResumed(LegFact, frozen=True, kw_only=True):
    """The leg came back from hold (CHANNEL_UNHOLD)."""


class LegUnattended(LegFact, frozen=True, kw_only=True):
    """The switch serves this caller by itself: it had not heard of us for too long (CUSTOM ringledger::unattended)."""


class LegHungUp(LegFact, frozen=True, kw_only=True):
    """The leg is gone (CHANNEL_HANGUP_COMPLETE). `cause` is the switch's hang-up cause, e.g. NORMAL_CLEARING."""

    cause: str
    inbound: bool = False
    sip_status: int = 0
    """The final SIP answer where the leg was refused, e.g. 486; 0 where there was none."""
    by_far_end: bool = False
    """Whether its far end ended it (a BYE, a CANCEL or a refusal came in), not we or the end of the other leg."""
    shut_down: bool = False
    """Whether the far end is a switch whose BYE says that it shuts down."""


class LegTransferred(LegFact, frozen=True, kw_only=True):
    """The leg was sent elsewhere by its phone or by command (variable transfer_history or a REFER)."""

    target: Personal = ""


class DigitPressed(LegFact, frozen=True, kw_only=True):
    """A key on the phone (DTMF). Never subscribed to outside a step that asks for digits (law 11)."""

    digit: Personal
    duration_ms: int = 0


class RecordingStarted(LegFact, frozen=True, kw_only=True):
    """The switch writes this file (RECORD_START)."""

    path: str


class RecordingStopped(LegFact, frozen=True, kw_only=True):
    """The file is complete (RECORD_STOP)."""

    path: str
    length_ms: int = 0
    cause: str = ""
    """Why it ended, and whether there is a file, in the switch's words."""


class RecordingSet(Fact, frozen=True, kw_only=True):
    """Answer to `StartRecording`: the switch writes this file, from now on or since it was told before. Of the latter
    it tells no event, and of the former the event can be lost.
    """

    leg: str
    file: str


class MaskSet(Fact, frozen=True, kw_only=True):
    """Answer to `MaskRecording` and `UnmaskRecording`: the switch writes silence (`on`), or sound again."""

    leg: str
    file: str
    on: bool


class MuteSet(Fact, frozen=True, kw_only=True):
    """Answer to `MuteLeg` and `UnmuteLeg`: nobody hears the leg (`on`), or it is heard again."""

    leg: str
    on: bool


class ConferenceChanged(LegFact, frozen=True, kw_only=True):
    """Something in a conference (CUSTOM conference::maintenance), `action` in the switch's words."""

    conference: str
    action: str


class JobDone(Fact, frozen=True, kw_only=True):
    """A background command ended (BACKGROUND_JOB). `job` is the id that we gave it."""

    job: str
    ok: bool
    answer: str = ""
    """First line of the reply without its +OK or -ERR, e.g. USER_BUSY."""


class PhoneRegistered(Fact, frozen=True, kw_only=True):
    """A phone registered or refreshed (CUSTOM sofia::register). `expires_s` is how long it holds."""

    extension: str
    expires_s: int = 0


class PhoneGone(Fact, frozen=True, kw_only=True):
    """A phone unregistered (CUSTOM sofia::unregister) or, where `expired`, was not heard of for too long
    (sofia::expire).
    """

    extension: str
    expired: bool = False


class Heartbeat(Fact, frozen=True, kw_only=True):
    """The switch lives (HEARTBEAT). `core` changes when it was restarted; `sessions` counts its channels now."""

    core: str
    sessions: int


class SwitchStopping(Fact, frozen=True, kw_only=True):
    """The switch says that it is shutting down (SHUTDOWN event)."""


class LinkUp(Fact, frozen=True, kw_only=True):
    """The event socket is ours again and events flow; a snapshot follows."""

    core: str


class LinkDown(Fact, frozen=True, kw_only=True):
    """The event socket was lost. Legs may live on; nothing is known until the next snapshot."""

    why: str


class SeenLeg(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One channel of a snapshot, from `show channels` and `uuid_dump`."""

    leg: str
    inbound: bool
    ringing: bool = False
    """Whether its far end rings, and has not answered."""
    answered: bool = False
    parked: bool = False
    bridged_to: str = ""
    held: bool = False
    room: str = ""
    """The conference room in which it is."""
    contact: str = ""
    offer: str = ""
    phone: str = ""
    """The extension of the phone to which we made it; empty on every other leg."""
    dialled: str = ""
    caller_number: Personal = ""
    caller_name: Personal = ""
    context: str = ""
    trunk: str = ""
    host: str = ""
    created: Instant | None = None
    """By the switch's own clock."""


class Snapshot(Fact, frozen=True, kw_only=True):
    """All channels that the switch has, asked for after events were subscribed to (law 5)."""

    core: str
    legs: tuple[SeenLeg, ...]
    phones: dict[str, bool] = {}
    """Whether a phone is registered, of each account in our directory; empty where the switch does not list them."""


class SnapshotMissing(Fact, frozen=True, kw_only=True):
    """The switch was asked for all its channels so many times in a row without a readable answer. It is asked on."""

    failures: int


class SwitchBehind(Fact, frozen=True, kw_only=True):
    """The switch has owed us the answer to a command for so long: it takes more than it can do."""

    behind_ms: int


class SwitchCaughtUp(Fact, frozen=True, kw_only=True):
    """The switch answers commands at once again, and has for a moment."""


class LegPresence(Fact, frozen=True, kw_only=True):
    """Answer to `CheckLeg` (uuid_exists): whether the leg lives."""

    leg: str
    exists: bool


class EavesdropSet(Fact, frozen=True, kw_only=True):
    """The switch has taken that this leg hears a talk, and how it is heard there: `listen`, `whisper` or `barge`."""

    leg: str
    mode: str


class InstructionSkipped(Fact, frozen=True, kw_only=True):
    """An instruction was not sent, because its re-check failed just before it would have been written."""

    instruction: str
    kind: str
    leg: str
    why: str


class InstructionFailed(Fact, frozen=True, kw_only=True):
    """The switch refused an instruction, or gave no answer within its deadline (`answer` is then `timeout`)."""

    instruction: str
    kind: str
    leg: str
    answer: str
