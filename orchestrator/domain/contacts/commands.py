"""What may be asked of a contact. A command carries all that a decision needs: time, ids, settings of the queue."""

from msgspec import Struct

from orchestrator.domain.contacts.events import Decision, Hop, Reservation
from orchestrator.domain.contacts.guest_commands import Inviting
from orchestrator.domain.contacts.monitor_commands import Monitoring
from orchestrator.domain.contacts.recording import RecordingCommand
from orchestrator.domain.contacts.speaking import Speaking
from orchestrator.domain.contacts.unattended import ImportCall
from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing.requirements import Step


class Receive(Struct, frozen=True, kw_only=True):
    """A caller's leg parked."""

    node: str
    leg: str
    dialled: str
    caller_number: str
    caller_name: str
    trunk: str = ""
    found: str = "live"
    came_at: Instant = Instant(0)
    host: str = ""
    trunk_id: str = ""
    to_number: str = ""
    from_number: str = ""


class Queue(Struct, frozen=True, kw_only=True):
    """Put the contact into a queue."""

    visit_id: str
    queue_id: str
    entry_id: str
    skill: str
    min_level: int
    priority: int
    music: str
    leave_by: Instant
    unknown_number: bool = False
    position: int = 0
    estimate_ms: int = -1
    takes_up: str = ""
    goes_on: str = ""
    hops: tuple[Hop, ...] = ()
    overflow_at: Instant = Instant(0)
    answer_at: Instant = Instant(0)
    notices: tuple[str, ...] = ()
    overflow: str = ""
    """Why it leaves the queue in which it waits; empty: it arrives."""
    bonuses: dict[str, int] = {}
    steps: tuple[Step, ...] = ()
    known_by: Instant = Instant(0)
    age_per_min: int = 0
    age_cap: int = 0
    waiting_since: Instant = Instant(0)
    came_at: Instant = Instant(0)
    tell_at: Instant = Instant(0)


class Widen(Struct, frozen=True, kw_only=True):
    """The visit's step is over, or nobody could ever take the contact at it: the next one begins now."""

    visit_id: str
    step: int
    """The step that is over; where the visit is at another one by now, nothing follows."""
    reason: str
    now: Instant


class Revise(Struct, frozen=True, kw_only=True):
    """The chain and points of the open visit are these from now on."""

    visit_id: str
    steps: tuple[Step, ...]
    bonuses: dict[str, int]
    reason: str
    now: Instant


class TurnAway(Struct, frozen=True, kw_only=True):
    """Apologise (not where the prompt is empty) and end."""

    reason: str
    prompt: str
    unknown_number: bool = False
    answered: bool = True
    cause: str = "NORMAL_CLEARING"
    hops: tuple[Hop, ...] = ()
    overflow: str = ""
    """Why it leaves the queue in which it waits; empty: it arrives."""


class DeferOverflow(Struct, frozen=True, kw_only=True):
    """No place takes somebody who should go elsewhere. Look again at `again_at`; 0: never."""

    again_at: Instant


class TellPlace(Struct, frozen=True, kw_only=True):
    """Tell a caller who waits the place in the queue and the wait that is expected; where that cannot be done now, at
    `again_at`, as the next time after it; 0: never.
    """

    position: int
    estimate_ms: int
    again_at: Instant


class DeferPlace(Struct, frozen=True, kw_only=True):
    """The caller's place is not told now, but at `again_at`."""

    again_at: Instant


class Answer(Struct, frozen=True, kw_only=True):
    """Answer a caller who has heard music unanswered."""


class MarkNuisance(Struct, frozen=True, kw_only=True):
    """The agent who talks or talked with the caller never wants to hear from this number again."""

    shift_id: str


class Identify(Struct, frozen=True, kw_only=True):
    """The caller is known to be this customer."""

    customer_id: str
    level: str = ""
    last_agent: str = ""


class MakeOffer(Struct, frozen=True, kw_only=True):
    """Propose the contact to these agents."""

    offer_id: str
    reservations: tuple[Reservation, ...]
    deadline: Instant
    decision: Decision
    next_at: Instant = Instant(0)


class WidenOffer(Struct, frozen=True, kw_only=True):
    """Ring these for the open offer, too; nobody where none is free."""

    offer_id: str
    reservations: tuple[Reservation, ...]
    deadline: Instant
    next_at: Instant
    decision: Decision | None


class NoteDelivered(Struct, frozen=True, kw_only=True):
    """An agent's phone rings."""

    leg: str


class NoteHeard(Struct, frozen=True, kw_only=True):
    """Nobody has answered this leg to a number outside, and its far end sends sound."""

    leg: str


class NoteAnswered(Struct, frozen=True, kw_only=True):
    """An agent's phone answered."""

    leg: str
    connect_by: Instant
    leave_by: Instant = Instant(0)
    """Until when whoever answered waits, should the other one be lost: asked of a customer who was called back."""


class NoteBridged(Struct, frozen=True, kw_only=True):
    """The switch joined two legs."""

    leg: str
    other: str
    segment_id: str


class NoteParked(Struct, frozen=True, kw_only=True):
    """The caller's leg, which is to park, is parked."""

    leg: str


class NoteHold(Struct, frozen=True, kw_only=True):
    """The switch put a leg on hold (`on`) or took it off."""

    leg: str
    on: bool


class NoteHoldFailed(Struct, frozen=True, kw_only=True):
    """A look at the switch after it was told of a wish: it is not so, and will not be."""

    leg: str
    cause: str


class NoteLegGone(Struct, frozen=True, kw_only=True):
    """A leg is gone. `next_connect_by`: until when the next answered phone must be joined, if this was the winner."""

    leg: str
    cause: str
    next_connect_by: Instant
    repair: str = ""
    handover: "CompleteConsult | None" = None
    """Of an agent who consulted somebody: how the caller goes on without them."""
    by_far_end: bool = False
    """Whether the switch says that the phone at the far end hung up."""
    now: Instant = Instant(0)
    again: "Pick | None" = None
    """Of a phone that is busy though its agent has just asked for this caller: the next try."""
    phone_lost: str = ""
    """Why its phone is gone with a switch that is not the contact's (`causes.WITH_THE_SWITCH`); empty: it is not."""
    open: bool = False
    """Whether the leg itself is there still, and only has nobody to talk to."""


class ExpireOffer(Struct, frozen=True, kw_only=True):
    """The offer's deadline (or that of joining the legs) has passed.

    `blameless` says why no agent may be blamed for it: node_down (the switch cannot hear us), engine_late (we were not
    there when it passed). `unmade`: legs that the switch was never heard to make. `unheard`: legs whose phones are on
    another switch, which cannot be heard. `again_at`: until when legs that should be joined are given more time.
    """

    offer_id: str
    again_at: Instant
    blameless: str = ""
    unmade: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    now: Instant = Instant(0)


class JoinAgain(Struct, frozen=True, kw_only=True):
    """The legs of an accepted offer may never have been told to join."""

    connect_by: Instant


class ExpireVisit(Struct, frozen=True, kw_only=True):
    """The longest wait is over."""

    prompt: str
    now: Instant


class WithdrawOffer(Struct, frozen=True, kw_only=True):
    """Take the open offer back, whole (`shift_id` empty) or one agent's reservation."""

    cause: str
    shift_id: str = ""
    rejoin_by: Instant = Instant(0)
    """Of one who is consulted: until when caller and agent are to be joined again."""


class AcceptAtDesk(Struct, frozen=True, kw_only=True):
    """The agent pressed accept."""

    shift_id: str


class RejectAtDesk(Struct, frozen=True, kw_only=True):
    """The agent pressed reject."""

    shift_id: str


class Announce(Struct, frozen=True, kw_only=True):
    """Tell the caller by whom they are served. `number`: the digits of the agent's employee number."""

    number: str


class Hold(Struct, frozen=True, kw_only=True):
    """The agent pressed hold, or wants to talk with the contact `then`, who is on hold, instead."""

    shift_id: str
    now: Instant
    then: str = ""


class Resume(Struct, frozen=True, kw_only=True):
    """The agent pressed resume."""

    shift_id: str
    now: Instant


class HangUp(Struct, frozen=True, kw_only=True):
    """End the call. `reason`: agent, signed_out, stopped, repair."""

    reason: str


class CheckOverdue(Struct, frozen=True, kw_only=True):
    """Ask after legs that should be gone, or parked."""

    now: Instant


# --- calls to the outside (`calling`) ----------------------------------------------------------------------------


class AskCallback(Struct, frozen=True, kw_only=True):
    """Let the waiting caller go, and call back at `number` in the same turn, by the queue's plan."""

    number: str
    prompt: str
    leave_by: Instant
    tries: int
    again_ms: int


class DialCustomer(Struct, frozen=True, kw_only=True):
    """The agent's phone is off the hook: call the customer, at the number as the rules of now have it."""

    leg: str
    number: str
    show: str
    answer_by: Instant


class Dial(Struct, frozen=True, kw_only=True):
    """An agent wants to talk with this number: the contact begins, and their own phone is rung (`dialling`)."""

    node: str
    number: str
    show: str
    queue_id: str
    music: str
    branch: str
    branch_missing: bool
    """Whether the agent's branch has no number of its own to be shown."""
    offer_id: str
    reservation: Reservation
    deadline: Instant
    decision: Decision


class MissCustomer(Struct, frozen=True, kw_only=True):
    """The customer cannot be called now. `cause`: outside_full, not_allowed."""

    cause: str
    now: Instant


class EndPeace(Struct, frozen=True, kw_only=True):
    """The pause after a try in vain is over."""

    now: Instant


class EndCallback(Struct, frozen=True, kw_only=True):
    """Nobody is to be called back any more. `why`: the code that a person gave."""

    reason: str
    why: str = ""


class Rehome(Struct, frozen=True, kw_only=True):
    """Call the customer back over this node, where there is no leg yet that belongs to another."""

    node: str


class SendOutside(Struct, frozen=True, kw_only=True):
    """Call this number for the waiting caller."""

    leg: str
    number: str
    show: str
    answer_by: Instant


class ExpireOutside(Struct, frozen=True, kw_only=True):
    """The number outside has not answered, or is not joined, in time. As of `ExpireOffer`."""

    now: Instant
    again_at: Instant
    blameless: str = ""


class JoinOutsideAgain(Struct, frozen=True, kw_only=True):
    """Caller and number outside may never have been told to join."""

    connect_by: Instant


Calling = (
    AskCallback
    | DialCustomer
    | MissCustomer
    | EndPeace
    | EndCallback
    | Rehome
    | SendOutside
    | ExpireOutside
    | JoinOutsideAgain
)


class Pick(Struct, frozen=True, kw_only=True):
    """Offer the contact to the one agent whom somebody chose for it."""

    offer_id: str
    reservation: Reservation
    deadline: Instant
    decision: Decision
    reason: str
    again: int = 0
    """As of `OfferMade`; so is `after_ms`."""
    after_ms: int = 0


class Move(Struct, frozen=True, kw_only=True):
    """Let the contact wait in another queue, with the settings of that one."""

    to: Queue
    reason: str


class Transfer(Struct, frozen=True, kw_only=True):
    """Pass the caller on from the conversation with this agent: into this queue, and there to the one agent or number
    outside that was chosen, where one was.
    """

    shift_id: str
    queue: Queue
    then: Pick | SendOutside | None = None
    recorded: str = ""
    """The file into which the conversation is recorded, or about to be."""


class Park(Struct, frozen=True, kw_only=True):
    """Leave the caller of the conversation with this agent at this place, until `until` at the latest."""

    shift_id: str
    place: int
    until: Instant
    recorded: str = ""
    """As of `Transfer`."""


class EndPark(Struct, frozen=True, kw_only=True):
    """The caller leaves the place for this visit, and there for the one agent who was chosen, where one was. `outcome`:
    retrieved or expired.
    """

    outcome: str
    queue: Queue
    then: Pick | None = None


class Reprioritise(Struct, frozen=True, kw_only=True):
    """Give the contact so many points beside its queue's."""

    given: int
    reason: str


class Consult(Struct, frozen=True, kw_only=True):
    """Let the agent talk with this colleague, or number outside, while the caller hears music."""

    shift_id: str
    consult_id: str
    leg: str
    answer_by: Instant
    reservation: Reservation | None = None
    number: str = ""
    show: str = ""


class SwitchConsult(Struct, frozen=True, kw_only=True):
    """Let the agent talk with the other one of the two."""

    connect_by: Instant


class Confer(Struct, frozen=True, kw_only=True):
    """Let caller, agent and whoever is consulted hear each other."""

    connect_by: Instant


class NoteMember(Struct, frozen=True, kw_only=True):
    """The switch says that this leg is in a room."""

    leg: str
    room: str


class CompleteConsult(Struct, frozen=True, kw_only=True):
    """The agent leaves, and the caller goes to whoever is consulted: by this visit, should they be lost. From a room in
    which more than two stay, to the first agent of them: in the conversation `segment_id`.
    """

    queue: Queue
    decision: Decision
    connect_by: Instant
    recorded: str = ""
    """As of `Transfer`."""
    segment_id: str = ""
    keeps_tape: bool = False
    """Whether the recording goes on in that conversation."""


class EndConsult(Struct, frozen=True, kw_only=True):
    """Let whoever is consulted go, and the agent back to the caller."""

    rejoin_by: Instant


class ExpireConsult(Struct, frozen=True, kw_only=True):
    """Whoever is consulted has not answered in time, or two are not joined in time. As of `ExpireOffer`; `queue`: where
    the caller waits if they cannot be joined with the agent again.
    """

    now: Instant
    again_at: Instant
    queue: Queue
    blameless: str = ""
    recorded: str = ""
    """As of `Transfer`."""


class JoinConsultAgain(Struct, frozen=True, kw_only=True):
    """Two legs of a consultation may never have been told to join."""

    connect_by: Instant


class NoteAgentParked(Struct, frozen=True, kw_only=True):
    """The switch says that the agent's leg is parked; or that it was never joined with whoever is consulted."""

    leg: str
    connect_by: Instant


class TakeOver(Struct, frozen=True, kw_only=True):
    """The supervisor of this shift, who monitors the talk, has the caller from now on: by this visit, should they be
    lost.
    """

    shift_id: str
    queue: Queue
    decision: Decision
    connect_by: Instant
    reason: str
    keeps_tape: bool = True
    """Whether the recording goes on; otherwise it ends (`recorded`)."""
    recorded: str = ""
    """As of `Transfer`."""


Consulting = (
    Consult | SwitchConsult | Confer | NoteMember | CompleteConsult | EndConsult | ExpireConsult | JoinConsultAgain
    | NoteAgentParked
)  # fmt: skip

ByHand = Pick | Move | Reprioritise

Command = (
    Receive | Queue | TurnAway | Identify | MakeOffer | NoteDelivered | NoteHeard | NoteAnswered | NoteBridged
    | NoteHold | NoteHoldFailed
    | NoteLegGone | ExpireOffer | ExpireVisit | WithdrawOffer | JoinAgain | AcceptAtDesk | RejectAtDesk
    | Hold | Resume | HangUp | CheckOverdue | RecordingCommand | Widen | Revise | WidenOffer | Calling
    | DeferOverflow | Answer | MarkNuisance | ByHand | Announce | TellPlace | DeferPlace | Transfer | NoteParked
    | Consulting | TakeOver | Inviting | Monitoring | Speaking | ImportCall | Park | EndPark | Dial
)  # fmt: skip
