"""Everything that can come into the runner, as it stands on the tape.

What the web process tells of desks. A *desk* is one page of one agent in one browser; its id is made by the page once,
kept over reloads (sessionStorage), and different in another tab: 1 to 64 of a-z, A-Z, 0-9, - and _.

| when                                              | command                     | answer                          |
|---------------------------------------------------|-----------------------------|---------------------------------|
| a desk's stream (SSE) is opened, also again       | `desk_seen` (agent, desk)   | position; 0: nothing is new or  |
|                                                   |                             | the agent has not signed in.    |
|                                                   |                             | Refused `desk_elsewhere`: say so|
|                                                   |                             | and offer to take over          |
| the last stream of that desk has ended, whyever   | `desk_gone` (agent, desk)   | position, or 0                  |
| the person takes over at a desk that was refused  | `take_over` (agent, desk)   | position                        |
| every `DESK_BEAT_S`, for all streams that are open| `desk_beat` (desks), at most| position, or 0                  |
|                                                   | `DESKS_IN_A_BEAT` in one    |                                 |
| the agent signs in at a desk                      | `sign_in` (agent, desk, …)  | position                        |

Every other command of an agent carries `desk`, `about` (the offer or contact that the page showed), `good_until`, and a
fresh `key` that is sent again with the same wish. A page whose desk is not `shift.desk.desk_id` of the live state has
been taken over: it says so and stops acting. A `desk_seen` or `desk_gone` that was not answered need not be sent again:
the next beat says the same, and a desk that is in none for `runner.presence.LEASE` is lost.
"""

from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import Instant, Personal, Record, derived_id
from orchestrator.domain.switch import facts

DESK_BEAT_S: Final = 3.0
# As many as a line of the command socket (`control.LONGEST`) holds whatever the numbers and ids are.
DESKS_IN_A_BEAT: Final = 150


class TimerFired(Struct, frozen=True, kw_only=True, tag=True):
    """A timer is due. `what` and `ident` are its key in `domain.timers`, `due` the instant it was set for."""

    what: str
    ident: str
    due: Instant = Instant(0)


class Started(Struct, frozen=True, kw_only=True, tag=True):
    """This process became the active orchestrator with this epoch, after folding the log up to `position`: why it could
    (`EngineActivated`), and on which host.
    """

    epoch: int
    position: int
    why: str = ""
    host: str = ""


class DatabaseAway(Struct, frozen=True, kw_only=True, tag=True):
    """The database is away, and events go to this spool; for so long none could be kept."""

    spool: str
    away_ms: int


class DatabaseBack(Struct, frozen=True, kw_only=True, tag=True):
    """The database answers again: it was away for so long, and so many pieces of news waited for it. Or none did, and
    so many events went to the spool.
    """

    away_ms: int
    held: int
    spooled: int = 0


class Followed(Struct, frozen=True, kw_only=True):
    """A record of a desk stream that somebody else appended: configuration."""

    record: Record


# --- what people and programs ask for over the command socket ---------------------------------------------------


class DeskCommand(Struct, frozen=True, kw_only=True, tag_field="do", tag=True, omit_defaults=True):
    """Something asked for over the command socket. `trace` is the traceparent of the request, where it has one; `key`
    the client's own name for this one wish: sent again, because an answer was lost, it is done once (`control`). `by`
    is who asked, where that is not the agent: `user:ann`, `token:…`; events then name them as their actor. After
    `good_until` (Unix ms; 0 for ever) it is not begun any more: refused as too_late, unless it was done in time.
    """

    trace: str = ""
    key: str = ""
    by: str = ""
    good_until: int = 0


def wish_of(command: DeskCommand) -> str:
    """What this command is and, as a digest, who asked with which key; nothing where it has no key. Stands beside each
    event that it led to.
    """
    return f"{command.__struct_config__.tag} {asked_by(command)}" if command.key else ""


def asked_by(command: DeskCommand) -> str:
    """A digest of who asked with which key: keys are made by programs of others, and may say anything."""
    return derived_id("wish", getattr(command, "agent", ""), command.key)


class AgentCommand(DeskCommand, frozen=True, kw_only=True):
    """Something that an agent asks for; `agent` is the employee number.

    `about` is the offer or contact that the agent was looking at, where the desk knows it: the command is refused as
    stale where another has come in its place meanwhile, so that nobody accepts or hangs up on somebody they have not
    seen. `desk` is where it was asked for: refused as desk_elsewhere where the agent works at another one by now.
    """

    agent: str
    about: str = ""
    desk: str = ""


class SignIn(AgentCommand, frozen=True, kw_only=True, tag="sign_in"):
    """Take a seat, at the configured extension or at another one, with this desk where there is one."""

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
    """Put the caller on hold: of several conversations, the active one."""


class Resume(AgentCommand, frozen=True, kw_only=True, tag="resume"):
    """Talk again. Of several conversations, with the one that `about` names; whoever is active is put on hold first."""


class Mute(AgentCommand, frozen=True, kw_only=True, tag="mute"):
    """Be heard by nobody: of several conversations, in the active one."""


class Unmute(AgentCommand, frozen=True, kw_only=True, tag="unmute"):
    """Be heard again."""


class SendDigits(AgentCommand, frozen=True, kw_only=True, tag="send_digits"):
    """Press these keys for whoever hears the agent. On the tape each of them is a *: they are nobody's business."""

    digits: str


class StartRecording(AgentCommand, frozen=True, kw_only=True, tag="start_recording"):
    """Record this talk from here on, where that may be asked for: of several conversations, the active one."""


class StopRecording(AgentCommand, frozen=True, kw_only=True, tag="stop_recording"):
    """Record no more of this talk, where it is recorded because somebody asked for it."""


class MaskRecording(AgentCommand, frozen=True, kw_only=True, tag="mask_recording"):
    """Record silence from here on: a card number follows."""


class UnmaskRecording(AgentCommand, frozen=True, kw_only=True, tag="unmask_recording"):
    """Record sound again."""


class HangUp(AgentCommand, frozen=True, kw_only=True, tag="hang_up"):
    """End the conversation: of several, the one that `about` names, or else the active one."""


class MarkNuisance(AgentCommand, frozen=True, kw_only=True, tag="mark_nuisance"):
    """Refuse further calls of the caller with whom the agent talks."""


class WrapUp(AgentCommand, frozen=True, kw_only=True, tag="wrap_up"):
    """Finish the after-call work with a reason code."""

    code: str = ""


class ExtendWrapUp(AgentCommand, frozen=True, kw_only=True, tag="extend_wrap_up"):
    """More time for the after-call work, `by_ms` more than it has now, up to the queue's limit for the whole."""

    by_ms: int = 30_000


class SignOut(AgentCommand, frozen=True, kw_only=True, tag="sign_out"):
    """Leave; during a contact, after it."""


class Pick(AgentCommand, frozen=True, kw_only=True, tag="pick"):
    """Take this waiting contact, by its id or the beginning of it, before its turn; or be given it (`by`)."""

    contact: str
    reason: str = "by_hand"


class Dial(AgentCommand, frozen=True, kw_only=True, tag="dial"):
    """Talk with this number outside: the agent's own phone is rung, then the number is called."""

    number: Personal


class Transfer(AgentCommand, frozen=True, kw_only=True, tag="transfer"):
    """Pass the caller on whom `about` names, or else the active one: to the agent with this employee number, into this
    queue, or to this number outside.
    """

    to_agent: str = ""
    to_queue: str = ""
    to_number: Personal = ""


class Park(AgentCommand, frozen=True, kw_only=True, tag="park"):
    """Leave the caller whom `about` names, or else the active one, at this place; 0: at the first that is free."""

    place: int = 0


class Retrieve(AgentCommand, frozen=True, kw_only=True, tag="retrieve"):
    """Fetch the caller who is parked at this place."""

    place: int


class Consult(AgentCommand, frozen=True, kw_only=True, tag="consult"):
    """Talk with this agent or number outside about the caller, who hears music meanwhile."""

    to_agent: str = ""
    to_number: Personal = ""


class SwitchConsult(AgentCommand, frozen=True, kw_only=True, tag="switch_consult"):
    """Talk with the other one: the caller, or whoever is consulted."""


class Confer(AgentCommand, frozen=True, kw_only=True, tag="confer"):
    """Bring everybody together: caller, whoever is consulted, and the agent hear each other."""


class CompleteConsult(AgentCommand, frozen=True, kw_only=True, tag="complete_consult"):
    """Leave the caller to whoever is consulted, also while it still rings there."""


class EndConsult(AgentCommand, frozen=True, kw_only=True, tag="end_consult"):
    """Consult nobody any more, and talk with the caller again."""


class Invite(AgentCommand, frozen=True, kw_only=True, tag="invite"):
    """Bring this agent, or number outside, to the three who hear each other already; where `alone` is said, the agent
    speaks with them alone first, once they pick up.
    """

    to_agent: str = ""
    to_number: Personal = ""
    alone: bool = False


class OfMember(AgentCommand, frozen=True, kw_only=True):
    """Something with one of a conference: this agent, or number outside, whether asked first or a guest."""

    to_agent: str = ""
    to_number: Personal = ""


class HoldMember(OfMember, frozen=True, kw_only=True, tag="hold_member"):
    """Let them hear music, and be heard by nobody; the others go on."""


class RecallMember(OfMember, frozen=True, kw_only=True, tag="recall_member"):
    """Bring them, who are on hold or alone with the agent, into the conference, and the agent with them."""


class SpeakAlone(OfMember, frozen=True, kw_only=True, tag="speak_alone"):
    """Speak with them alone; the others go on hearing each other."""


class MuteMember(OfMember, frozen=True, kw_only=True, tag="mute_member"):
    """Let nobody hear them."""


class UnmuteMember(OfMember, frozen=True, kw_only=True, tag="unmute_member"):
    """Let them be heard again."""


class LetGo(AgentCommand, frozen=True, kw_only=True, tag="let_go"):
    """Let this agent, or number outside, leave the conference; the others stay."""

    to_agent: str = ""
    to_number: Personal = ""


class Monitor(AgentCommand, frozen=True, kw_only=True, tag="monitor"):
    """Hear the talk of this contact, named as in `Move`, at one's own phone: to `listen`, to `whisper` to its agent, or
    to `barge` in. Of the talk that is heard already: be heard otherwise.
    """

    contact: str
    mode: str
    reason: str


class EndMonitor(AgentCommand, frozen=True, kw_only=True, tag="end_monitor"):
    """Hear no more of the talk."""


class TakeOverCall(AgentCommand, frozen=True, kw_only=True, tag="take_over_call"):
    """Have the caller of the talk that is heard, instead of its agent."""

    reason: str


class Force(AgentCommand, frozen=True, kw_only=True, tag="force"):
    """Make the agent `ready`, `paused` (with a reason of the site's) or `signed_out`, in the name of whoever asks."""

    to: str
    reason: str


class DeskSeen(AgentCommand, frozen=True, kw_only=True, tag="desk_seen"):
    """The desk's connection is open. Refused as desk_elsewhere where the agent works at another one."""


class DeskGone(AgentCommand, frozen=True, kw_only=True, tag="desk_gone"):
    """The desk's connection has ended. Of a desk at which the agent does not work it changes nothing."""


class TakeOver(AgentCommand, frozen=True, kw_only=True, tag="take_over"):
    """The agent works at this desk from now on, wherever else it was."""


class DeskBeat(DeskCommand, frozen=True, kw_only=True, tag="desk_beat"):
    """These desks are connected at this moment: employee number to desk. Recorded only where it was not known."""

    desks: dict[str, str]


class EndAll(DeskCommand, frozen=True, kw_only=True, tag="end_all"):
    """End every contact and sign everybody out: the demo stops, or the switch is going away."""

    reason: str = "stopped"


class HandOver(DeskCommand, frozen=True, kw_only=True, tag="hand_over"):
    """Let an engine that stands by decide from now on: the one with this name, or any that is ready. `ahead`: not yet,
    but let it look at the switches for that.
    """

    to: str = ""
    ahead: bool = False
    why: str = ""


class IdentifyContact(DeskCommand, frozen=True, kw_only=True, tag="identify"):
    """The service that knows customers found out who is calling."""

    contact_id: str
    customer_id: str
    level: str = ""
    """The customer's level, where there is one."""


class NameCaller(DeskCommand, frozen=True, kw_only=True, tag="name_caller"):
    """Somebody, whom `by` names, says which customer this caller is; of a level they say nothing."""

    contact_id: str
    customer_id: str


class AskCallback(DeskCommand, frozen=True, kw_only=True, tag="ask_callback"):
    """Let this waiting caller go, and call back in the same turn: at `number`, or where the call came from."""

    contact_id: str
    number: Personal = ""


class CancelCallback(DeskCommand, frozen=True, kw_only=True, tag="cancel_callback"):
    """This customer is not to be called back any more. `reason`: why, as a code."""

    contact_id: str
    reason: str


class SendOutside(DeskCommand, frozen=True, kw_only=True, tag="send_outside"):
    """Call this number outside for the waiting caller."""

    contact_id: str
    number: Personal


class Move(DeskCommand, frozen=True, kw_only=True, tag="move"):
    """Let this waiting contact, named by its id or the beginning of it, wait in another queue."""

    contact: str
    queue: str
    reason: str


class Prioritise(DeskCommand, frozen=True, kw_only=True, tag="prioritise"):
    """Give this waiting contact, named as in `Move`, so many points beside its queue's; 0 takes them back."""

    contact: str
    points: int
    reason: str


class DrainNode(DeskCommand, frozen=True, kw_only=True, tag="drain_node"):
    """Let this switch finish what it has and take no new calls. Refused where it is the last that takes any, unless
    that is wanted (`anyway`).
    """

    node: str
    reason: str = "maintenance"
    anyway: bool = False


class UndrainNode(DeskCommand, frozen=True, kw_only=True, tag="undrain_node"):
    """Let this switch take new calls again."""

    node: str


class ImportCall(DeskCommand, frozen=True, kw_only=True, tag="import_call"):
    """What a switch says of a call that it served alone (`domain.contacts.unattended`). Instants are by its clock."""

    node: str
    leg: str
    dialled: str
    caller_number: Personal = ""
    caller_name: Personal = ""
    host: str = ""
    customer_id: str = ""
    cause: str
    arrived_at: Instant
    taken_at: Instant = Instant(0)
    """When it took the call, where it died meanwhile: nothing later is known, nor the end."""
    joined_at: Instant = Instant(0)
    ended_at: Instant = Instant(0)
    extension: str = ""
    earlier: str = ""
    message: str = ""
    message_ms: int = 0
    clock_off: bool = False
    """Its clock was put, or wrong: the instants are bounded to what can be true."""


OfRecording = StartRecording | StopRecording | MaskRecording | UnmaskRecording

WithMember = HoldMember | RecallMember | SpeakAlone | MuteMember | UnmuteMember

OfMonitor = Monitor | EndMonitor | TakeOverCall

Presence = DeskSeen | DeskGone | TakeOver | DeskBeat

Asked = (
    SignIn | Ready | Pause | Accept | Reject | Hold | Resume | HangUp | WrapUp | ExtendWrapUp | SignOut | EndAll
    | NameCaller | Presence | MarkNuisance | AskCallback | CancelCallback | SendOutside | Pick | Move | Prioritise
    | OfRecording | Mute | Unmute | SendDigits | Transfer | Consult | SwitchConsult | Confer | CompleteConsult
    | EndConsult | Invite | LetGo | WithMember
    | DrainNode | UndrainNode | OfMonitor | Force | HandOver | Park | Retrieve | Dial
)  # fmt: skip
"""What clients may ask for over the command socket."""

Command = Asked | ImportCall | IdentifyContact
"""The same, and what the engine asks for itself: of what a switch did alone its own importer tells, and which level a
customer has the service that knows customers; nobody else.
"""

Fact = (
    facts.LegCreated | facts.LegParked | facts.LegRinging | facts.LegAnswered | facts.LegBridged
    | facts.LegUnbridged | facts.LegHeld | facts.LegResumed | facts.LegHungUp | facts.LegTransferred
    | facts.LegUnattended
    | facts.DigitPressed | facts.RecordingStarted | facts.RecordingStopped | facts.ConferenceChanged
    | facts.JobDone | facts.PhoneRegistered | facts.PhoneGone | facts.Heartbeat | facts.SwitchStopping
    | facts.LinkUp | facts.LinkDown | facts.Snapshot | facts.SnapshotMissing | facts.LegPresence
    | facts.SwitchBehind | facts.SwitchCaughtUp
    | facts.InstructionSkipped | facts.InstructionFailed | facts.MaskSet | facts.EavesdropSet | facts.MuteSet
    | facts.RecordingSet
)  # fmt: skip

Body = facts.Fact | DeskCommand | TimerFired | Started | DatabaseAway | DatabaseBack | Followed


class Input(Struct, frozen=True, kw_only=True):
    """One input. `id` is unique and stands on the tape; all ids made while stepping it derive from it."""

    id: str
    at: Instant
    body: Body
