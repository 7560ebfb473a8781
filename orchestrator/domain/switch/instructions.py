"""Instructions: what a switch is told to do, in physical words. Policies emit them, `esl.perform` writes them.

Each is the consequence of a committed event (law 1) and carries an id derived from it, so that a repeat is recognised.
Only `CheckLeg` is a question: it changes nothing and needs no event.
"""

from msgspec import Struct

from orchestrator.domain.kernel import Instant, Personal


class Instruction(Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """One thing for one switch to do to one leg."""

    id: str
    node: str
    leg: str
    contact: str = ""


class AnswerCaller(Instruction, frozen=True, kw_only=True):
    """Answer the caller's leg (billing starts) so that it can hear something."""


class ClaimCaller(Instruction, frozen=True, kw_only=True):
    """Write the contact's id on a caller's leg that is not answered yet."""


class PlayNotice(Instruction, frozen=True, kw_only=True):
    """Play a spoken prompt by its id once; what is to be heard next follows it."""

    prompt: str


class PlayWaiting(Instruction, frozen=True, kw_only=True):
    """Let the caller hear the queue's music until something else happens. `music` is a clean stream name."""

    music: str


class PlayRinging(Instruction, frozen=True, kw_only=True):
    """Let an agent hear that whom they dialled is being rung, until something else happens."""


class PlayApology(Instruction, frozen=True, kw_only=True):
    """Play a spoken prompt by its id, then hang up with `cause`."""

    prompt: str
    cause: str = "NORMAL_CLEARING"


class SayAndHangUp(Instruction, frozen=True, kw_only=True):
    """Answer a phone's own call, let it hear these prompts once, by their ids and in their order, and end it."""

    prompts: tuple[str, ...]
    cause: str = "NORMAL_CLEARING"


class RingAgent(Instruction, frozen=True, kw_only=True):
    """Make a new leg named `leg` to an agent's phone and park it when answered.

    Not sent any more once `offer` is closed. `ring_ms` is the longest that the switch itself lets it ring.
    """

    offer: str
    extension: str
    via: str = ""
    """The node that has the phone, where that is another one: the leg leads there over the trunk between the two."""
    caller_number: Personal = ""
    caller_name: Personal = ""
    """Already cleaned: what the agent's phone shows."""
    ring_ms: int
    deadline: Instant
    stays: bool = False
    """Whether the leg stays, parked, when whoever it talks with leaves."""
    answers: bool = False
    """The phone is asked to pick up by itself: the agent has accepted at the desk."""
    after_ms: int = 0
    """How much later it is made; looked at again then."""


class DialOutside(Instruction, frozen=True, kw_only=True):
    """Make a new leg named `leg` to a number outside, over a trunk of the switch, and park it when answered.

    Not sent any more once `offer` is closed: the agent's, or for a caller who is sent outside the leg itself. `number`
    and `show` are cleaned; `ring_ms` is the longest that the switch itself lets it ring.
    """

    offer: str
    number: Personal
    show: str = ""
    """The number that whoever is called sees."""
    trunk: str
    ring_ms: int
    deadline: Instant
    early: bool = False
    """Whether it parks as soon as the far end sends sound, though nobody has answered."""


class BridgeLegs(Instruction, frozen=True, kw_only=True):
    """Let caller (`leg`) and agent (`other`) hear each other. Not sent once `offer` is closed."""

    other: str
    offer: str = ""


class ParkLeg(Instruction, frozen=True, kw_only=True):
    """Take this leg out of whatever it is in: it is parked, and whoever heard it is left alone."""


class ConferLeg(Instruction, frozen=True, kw_only=True):
    """Take this leg out of whatever it is in, into a room in which all who are there hear each other."""

    room: str


class KeepLeg(Instruction, frozen=True, kw_only=True):
    """From now on this leg stays, parked, when whoever it talks with leaves."""


class HoldLeg(Instruction, frozen=True, kw_only=True):
    """Put this leg on hold: its peer hears music."""


class ResumeLeg(Instruction, frozen=True, kw_only=True):
    """Take this leg off hold."""


class MuteLeg(Instruction, frozen=True, kw_only=True):
    """Let nobody hear this leg; answered by `MuteSet`."""


class UnmuteLeg(Instruction, frozen=True, kw_only=True):
    """Let this leg be heard again; answered by `MuteSet`."""


class SendDigits(Instruction, frozen=True, kw_only=True):
    """Send these keys to the far end of this leg, beside the sound. They are nobody else's business."""

    digits: str


class HangUpLeg(Instruction, frozen=True, kw_only=True):
    """End this leg with a hang-up cause of the switch."""

    cause: str = "NORMAL_CLEARING"


class StartRecording(Instruction, frozen=True, kw_only=True):
    """Record the caller's leg in stereo into `file`, a name made of our own ids, under the recordings folder; answered
    by `RecordingSet`, also where it is recorded already.
    """

    file: str


class StopRecording(Instruction, frozen=True, kw_only=True):
    """End the recording into `file`; the leg lives on."""

    file: str


class MaskRecording(Instruction, frozen=True, kw_only=True):
    """Write silence into `file` from now on; answered by `MaskSet`."""

    file: str


class UnmaskRecording(Instruction, frozen=True, kw_only=True):
    """Write sound into `file` again; answered by `MaskSet`."""

    file: str


class AnnounceNumber(Instruction, frozen=True, kw_only=True):
    """Let caller (`leg`) and agent (`other`) hear these prompts over their talk, by their ids and in their order."""

    other: str
    prompts: tuple[str, ...]


class SayPlace(Instruction, frozen=True, kw_only=True):
    """Let a caller who waits hear these prompts in the place of the music, which goes on beneath them."""

    prompts: tuple[str, ...]


class HushPlace(Instruction, frozen=True, kw_only=True):
    """Say no more of these prompts, where the caller hears them still."""

    prompts: tuple[str, ...]


class EavesdropLeg(Instruction, frozen=True, kw_only=True):
    """Let this leg hear whatever the agent's leg (`other`) hears and says, and be heard by nobody, by the agent
    (`mode` whisper), or by both (barge); answered by `EavesdropSet`. It ends with the agent's leg.
    """

    other: str
    mode: str


class SteerEavesdrop(Instruction, frozen=True, kw_only=True):
    """Let this leg, which hears a talk, be heard otherwise from now on; answered by `EavesdropSet`."""

    mode: str


class CheckLeg(Instruction, frozen=True, kw_only=True):
    """Ask whether this leg lives; answered by `LegPresence`."""


class AnswerPhone(Instruction, frozen=True, kw_only=True):
    """Ask the ringing phone of this leg to answer by itself (SIP NOTIFY `talk`); phones may ignore it."""

    offer: str


class MarkDrained(Instruction, frozen=True, kw_only=True):
    """Let the switch refuse new calls by itself from now on, or take them again. `leg` is empty."""

    on: bool


class TakeSnapshot(Instruction, frozen=True, kw_only=True):
    """Ask the whole switch what channels it has; answered by `Snapshot`. `leg` is empty."""
