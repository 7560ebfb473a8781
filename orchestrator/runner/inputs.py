"""Everything that can come into the runner, as it stands on the tape."""

from msgspec import Struct

from orchestrator.domain.kernel import Instant, Record
from orchestrator.domain.switch import facts


class TimerFired(Struct, frozen=True, kw_only=True, tag=True):
    """A timer is due. `what` and `ident` are its key in `domain.timers`, `due` the instant it was set for."""

    what: str
    ident: str
    due: Instant = Instant(0)


class Started(Struct, frozen=True, kw_only=True, tag=True):
    """This process became the active orchestrator with this epoch, after folding the log up to `position`."""

    epoch: int
    position: int


class DatabaseBack(Struct, frozen=True, kw_only=True, tag=True):
    """The database answers again: it was away for so long, and so many pieces of news waited for it."""

    away_ms: int
    held: int


class Followed(Struct, frozen=True, kw_only=True):
    """A record of a desk stream that somebody else appended: configuration."""

    record: Record


# --- what people and programs ask for over the command socket ---------------------------------------------------


class DeskCommand(Struct, frozen=True, kw_only=True, tag_field="do", tag=True, omit_defaults=True):
    """Something asked for over the command socket. `trace` is the traceparent of the request, where it has one."""

    trace: str = ""


class AgentCommand(DeskCommand, frozen=True, kw_only=True):
    """Something that an agent asks for; `agent` is the employee number.

    `about` is the offer or contact that the agent was looking at, where the desk knows it: the command is refused where
    another has come in its place meanwhile, so that nobody accepts or hangs up on somebody they have not seen.
    """

    agent: str
    about: str = ""


class SignIn(AgentCommand, frozen=True, kw_only=True, tag="sign_in"):
    """Take a seat, at the configured extension or at another one."""

    extension: str = ""


class Ready(AgentCommand, frozen=True, kw_only=True, tag="ready"):
    """Become ready."""


class Pause(AgentCommand, frozen=True, kw_only=True, tag="pause"):
    """Become not ready; during a contact, after it."""

    reason: str


class Accept(AgentCommand, frozen=True, kw_only=True, tag="accept"):
    """Take the offer: the phone answers by itself where it can."""


class Reject(AgentCommand, frozen=True, kw_only=True, tag="reject"):
    """Refuse the offer."""


class Hold(AgentCommand, frozen=True, kw_only=True, tag="hold"):
    """Put the caller on hold."""


class Resume(AgentCommand, frozen=True, kw_only=True, tag="resume"):
    """Talk again."""


class HangUp(AgentCommand, frozen=True, kw_only=True, tag="hang_up"):
    """End the conversation."""


class WrapUp(AgentCommand, frozen=True, kw_only=True, tag="wrap_up"):
    """Finish the after-call work with a reason code."""

    code: str = ""


class SignOut(AgentCommand, frozen=True, kw_only=True, tag="sign_out"):
    """Leave; during a contact, after it."""


class EndAll(DeskCommand, frozen=True, kw_only=True, tag="end_all"):
    """End every contact and sign everybody out: the demo stops, or the switch is going away."""

    reason: str = "stopped"


class IdentifyContact(DeskCommand, frozen=True, kw_only=True, tag="identify"):
    """The service that knows customers found out who is calling."""

    contact_id: str
    customer_id: str


Command = (
    SignIn | Ready | Pause | Accept | Reject | Hold | Resume | HangUp | WrapUp | SignOut | EndAll | IdentifyContact
)

Fact = (
    facts.LegCreated | facts.LegParked | facts.LegRinging | facts.LegAnswered | facts.LegBridged
    | facts.LegUnbridged | facts.LegHeld | facts.LegResumed | facts.LegHungUp | facts.LegTransferred
    | facts.DigitPressed | facts.RecordingStarted | facts.RecordingStopped | facts.ConferenceChanged
    | facts.JobDone | facts.PhoneRegistered | facts.PhoneGone | facts.Heartbeat | facts.SwitchStopping
    | facts.LinkUp | facts.LinkDown | facts.Snapshot | facts.SnapshotMissing | facts.LegPresence
    | facts.InstructionSkipped | facts.InstructionFailed
)  # fmt: skip

Body = facts.Fact | DeskCommand | TimerFired | Started | DatabaseBack | Followed


class Input(Struct, frozen=True, kw_only=True):
    """One input. `id` is unique and stands on the tape; all ids made while stepping it derive from it."""

    id: str
    at: Instant
    body: Body
