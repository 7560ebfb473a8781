"""What can happen to a contact by voice: the events of stream `contact-<id>`. Their states stand in `contacts`.

Written by the runner only; read by everyone.
"""

from typing import Final

from msgspec import Struct, field

from orchestrator.domain.kernel import Event, Instant, Personal
from orchestrator.domain.routing.requirements import Requirement, Step

# An `answer_at` that never comes: only the bridge with an agent answers the caller.
NEVER: Final = Instant(-1)


class Reservation(Struct, frozen=True, kw_only=True):
    """One agent held for one offer, with the leg that rings the phone."""

    shift_id: str
    agent_id: str
    extension: str
    leg: str
    via: str = ""
    """The node that has the phone, where that is another one than the contact's."""
    at_desk: bool = False
    """The phone is not rung before the desk has accepted; it then picks up by itself."""


class Candidate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One agent who could have had the contact, with the parts of the score in the order in which they count."""

    agent_id: str
    level: int
    idle_ms: int
    score: dict[str, int] = {}
    """What else the rule looked at, in the order in which it counts."""


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why this agent: rule, configuration, the best few candidates, and how many others were out and for what."""

    rule: str
    config_version: int
    skill: str
    min_level: int
    candidates: tuple[Candidate, ...]
    others: dict[str, int]
    """The other signed-in agents who have the skill, counted by why they were out: their state, level_too_low,
    wrong_branch, not_named, declined.
    """
    requirement: Requirement | None = None
    """What was asked for at this step; nothing where it is skill and least level alone."""
    step: int = 0
    """At which step of its chain the contact was, from 0."""
    level_first: bool = True
    """Whether the level counted before the rule."""
    window: str = ""
    """What the rule's counters counted: shift, hour or day; empty where it counts nothing."""
    rank: dict[str, int] = {}
    """The parts of the contact's own rank that are not 0: priority, what was given beside it, aged."""
    passed: tuple[str, ...] = ()
    """Where the contact was picked by hand: who waited before it in its queue, the first few."""
    passed_over: int = 0
    """How many these were in all."""


class Hop(Struct, frozen=True, kw_only=True):
    """A queue that a contact did not enter, or left again without an agent, and why: `wait`, `length`, `closed` or
    `nobody`.
    """

    queue_id: str
    when: str


class ContactArrived(Event, frozen=True, kw_only=True):
    """A caller's leg parked with us. Name and number are as the network sent them."""

    node: str
    leg: str
    dialled: str
    caller_number: Personal = ""
    caller_name: Personal = ""
    trunk: str = ""
    found: str = "live"
    """`live`, `resync` where it was found by asking the switch, or `import` where the switch had served it alone."""
    host: str = ""
    """The address from which the switch says that the call came."""
    trunk_id: str = ""
    """The trunk group by which it came, as configured."""
    to_number: str = ""
    """What was dialled, by the rewriting rules."""
    from_number: Personal = ""
    """Who calls, by the rewriting rules; empty where the number is withheld or none."""
    came_at: Instant = Instant(0)
    """When the caller came to the switch, by the time of the site, where they were found later; 0: just then."""


class EntryPointMissing(Event, frozen=True, kw_only=True):
    """No entry point serves the dialled number: an alarm, and the default entry point where there is one."""

    dialled: str


class ContactQueued(Event, frozen=True, kw_only=True):
    """A queue visit begins."""

    visit_id: str
    queue_id: str
    entry_id: str
    skill: str
    min_level: int
    priority: int
    music: str
    leave_by: Instant
    """When the visit ends without an agent, at the latest (law 9)."""
    position: int = 0
    """The place in the queue then, 1 for who came next; 0 where nobody counted."""
    estimate_ms: int = -1
    """How long the wait was expected to be, -1 where nobody could say."""
    takes_up: str = ""
    """The contact whose callback this call makes needless, and whose place it has."""
    goes_on: str = ""
    """What is done for the caller at once instead of letting them wait: a target of overflow, callback or outside."""
    bonuses: dict[str, int] = field(default_factory=dict)
    """Points beside the priority, by what gave them: entry, level."""
    steps: tuple[Step, ...] = ()
    """How the requirement widens. The first one begins at once, or where `known_by` is set with a `VisitWidened`."""
    known_by: Instant = Instant(0)
    """Until when it is waited for to know who calls; 0: not at all."""
    age_per_min: int = 0
    """Points that each minute of waiting adds to the rank, up to `age_cap`."""
    age_cap: int = 0
    waiting_since: Instant = Instant(0)
    """Since when it waits, where that began in another queue; 0: since now."""
    came_at: Instant = Instant(0)
    """When the caller had come to the switch, where they were found later and this is their first queue: this visit's
    wait is measured from then (`contacts.wait_began`); 0: from now.
    """
    hops: tuple[Hop, ...] = ()
    """The queues by which the caller came here."""
    overflow_at: Instant = Instant(0)
    """When the queue's overflow is looked at; 0: never."""
    answer_at: Instant = Instant(0)
    """When the caller is answered, which begins billing: 0 at once, `NEVER` not before an agent is there."""
    notices: tuple[str, ...] = ()
    """Prompts that the caller hears before the queue's music."""
    tell_at: Instant = Instant(0)
    """When the caller is told their place; 0: never."""


class VisitWidened(Event, frozen=True, kw_only=True):
    """The visit is at this step of its chain from now on, until `until` where that is not 0. `reason`: expired,
    nobody_could (no agent who is signed in and not paused could ever take it), and for the first step of a visit that
    waited to know who calls: identified, not_identified.
    """

    visit_id: str
    step: int
    until: Instant = Instant(0)
    reason: str


class VisitRevised(Event, frozen=True, kw_only=True):
    """The visit's chain and points are these from now on; it stays at the step at which it is, or at the last one,
    until `until` where that is not 0. `reason`: identified, reconfigured.
    """

    visit_id: str
    steps: tuple[Step, ...]
    bonuses: dict[str, int]
    until: Instant = Instant(0)
    reason: str


class ContactTurnedAway(Event, frozen=True, kw_only=True):
    """The caller hears an apology and the call ends. `reason`: no_entry_point, no_agent_in_time, closed, queue_full,
    nobody_signed_in, trunk_full, overloaded, blacklisted.
    """

    reason: str
    prompt: str
    """Empty: nothing is said."""
    answered: bool = True
    """Whether the caller is answered for it, and billed; otherwise it is said before the answer."""
    cause: str = "NORMAL_CLEARING"
    """What the network is told."""
    hops: tuple[Hop, ...] = ()
    """The queues by which the caller came to this."""


class QueueVisitEnded(Event, frozen=True, kw_only=True):
    """The wait is over. `outcome`: answered, abandoned, timed_out, overflowed, stopped, switch_lost, unattended, moved,
    transferred (to a number outside, by an agent).
    """

    visit_id: str
    queue_id: str
    outcome: str
    cause: str = ""
    """Why it overflowed: wait, nobody."""


class OverflowDeferred(Event, frozen=True, kw_only=True):
    """The caller should have gone elsewhere, and no place takes it: it waits on. Looked at again at `again_at`, where
    that is not 0.
    """

    queue_id: str
    again_at: Instant


class PlaceTold(Event, frozen=True, kw_only=True):
    """The caller is told the place in the queue, 1 for who comes next, and how long the wait is expected to be; nothing
    of that where it is -1. Told again at `again_at`; 0: never.
    """

    queue_id: str
    position: int
    estimate_ms: int
    again_at: Instant = Instant(0)


class PlaceDeferred(Event, frozen=True, kw_only=True):
    """The caller should have been told their place, and could not be: an agent had just picked up, the switch could not
    be told, or we were away. Told at `again_at`; 0: never.
    """

    queue_id: str
    again_at: Instant = Instant(0)


class AnswerRequested(Event, frozen=True, kw_only=True):
    """The caller has heard music for long enough unanswered: it is to be answered, and billing begins."""


class NuisanceMarked(Event, frozen=True, kw_only=True):
    """The agent says that the caller is a nuisance: further calls from the number are refused (`blacklist`)."""


class ContactIdentified(Event, frozen=True, kw_only=True):
    """The caller is this customer, of this level, whom this agent served last; empty where that is not known."""

    customer_id: str
    level: str = ""
    last_agent: str = ""


class OfferMade(Event, frozen=True, kw_only=True):
    """The contact is proposed to one agent, or to several at once."""

    offer_id: str
    visit_id: str
    queue_id: str
    reservations: tuple[Reservation, ...]
    deadline: Instant
    decision: Decision
    by_hand: bool = False
    """Whether somebody chose the pair (`ContactPicked`)."""
    next_at: Instant = Instant(0)
    """When one more agent is rung for it, where the rule does so; 0: none."""
    again: int = 0
    """How often the phone is rung once more where it is busy; each time that is an offer of its own."""
    after_ms: int = 0
    """How much later the phone is rung: it was busy just now."""


class OfferWidened(Event, frozen=True, kw_only=True):
    """More agents are rung for an open offer, nobody where none was free; the deadline is `deadline` now."""

    offer_id: str
    reservations: tuple[Reservation, ...]
    deadline: Instant
    next_at: Instant = Instant(0)
    decision: Decision | None = None


class OfferDelivered(Event, frozen=True, kw_only=True):
    """The agent's phone rings."""

    offer_id: str
    shift_id: str
    leg: str


class OfferAcceptRequested(Event, frozen=True, kw_only=True):
    """The agent accepted at the desk: the phone is asked to answer by itself."""

    offer_id: str
    shift_id: str
    leg: str


class OfferRejectRequested(Event, frozen=True, kw_only=True):
    """The agent rejected at the desk: the ringing stops."""

    offer_id: str
    shift_id: str
    leg: str


class OfferAnswered(Event, frozen=True, kw_only=True):
    """A reserved agent's phone answered."""

    offer_id: str
    shift_id: str
    leg: str


class OfferAccepted(Event, frozen=True, kw_only=True):
    """This agent gets the contact; the legs are being joined until `connect_by`."""

    offer_id: str
    shift_id: str
    leg: str
    connect_by: Instant


class OfferExtended(Event, frozen=True, kw_only=True):
    """The deadline is moved to `until`, because nobody can tell how far the switch has come. `cause`:
    not_connected_in_time (the switch is asked what it has), node_down (it cannot be asked; it decides when it is back),
    joined_again (the command to join the legs may not have arrived and is given again).
    """

    offer_id: str
    until: Instant
    cause: str


class OfferDeclined(Event, frozen=True, kw_only=True):
    """One reservation dropped out while the offer lives on with the others."""

    offer_id: str
    shift_id: str
    leg: str
    outcome: str
    cause: str


class OfferClosed(Event, frozen=True, kw_only=True):
    """What the four ways of closing an offer without an agent have in common."""

    offer_id: str
    cause: str


class OfferRejected(OfferClosed, frozen=True, kw_only=True):
    """The (last) agent rejected or was busy."""


class OfferTimedOut(OfferClosed, frozen=True, kw_only=True):
    """Nobody answered by the deadline."""


class OfferWithdrawn(OfferClosed, frozen=True, kw_only=True):
    """We took it back, or it never reached a phone: the caller left, the agent signed out, the switch could not be
    told, the engine was restarted or late. No agent is to blame.
    """


class OfferFailed(OfferClosed, frozen=True, kw_only=True):
    """The phone could not be reached, or the legs could not be joined."""


class ContactConnected(Event, frozen=True, kw_only=True):
    """Caller and agent hear each other: an agent segment begins and the offer is fulfilled."""

    segment_id: str
    offer_id: str
    shift_id: str
    agent_id: str
    leg: str


class NumberAnnounced(Event, frozen=True, kw_only=True):
    """The caller is told who serves them: the agent's employee number, its digits alone. Once a conversation."""

    segment_id: str
    number: str


class HoldRequested(Event, frozen=True, kw_only=True):
    """The agent asked for hold. The switch is told at `not_before`, at once where that has passed; not at all where it
    takes back a resume of which the switch was not told yet. `then`: the contact on hold with which the agent talks
    again once this one is.
    """

    segment_id: str
    not_before: Instant = Instant(0)
    then: str = ""


class ResumeRequested(Event, frozen=True, kw_only=True):
    """The agent asked to go on. The switch is told at `not_before`, at once where that has passed; not at all where it
    takes back a hold of which the switch was not told yet.
    """

    segment_id: str
    not_before: Instant = Instant(0)


class HoldFailed(Event, frozen=True, kw_only=True):
    """The switch was told of a wish and looked at afterwards, and it is not so: the wish is over. `on`: the caller
    should be on hold; otherwise, talk. `cause`: the switch's words, or unheard (it was told and has said nothing).
    """

    segment_id: str
    on: bool
    cause: str


class ContactHeld(Event, frozen=True, kw_only=True):
    """The switch says that the caller is on hold."""

    segment_id: str


class ContactResumed(Event, frozen=True, kw_only=True):
    """The switch says that they talk again."""

    segment_id: str


class HangUpRequested(Event, frozen=True, kw_only=True):
    """Somebody on our side wants the call to end. `reason`: agent, signed_out, stopped, repair."""

    reason: str


class AgentSegmentEnded(Event, frozen=True, kw_only=True):
    """The conversation with this agent is over. `ended_by`: caller, agent, system, transfer
    (`ContactTransferred`), parked (`ContactParked`), phone_lost (gone with its switch: the caller waits again).
    """

    segment_id: str
    shift_id: str
    ended_by: str
    cause: str


class RecordingBegun(Event, frozen=True, kw_only=True):
    """The switch writes a stereo file of the caller's leg."""

    file: str


class RecordingFinished(Event, frozen=True, kw_only=True):
    """The file is complete, or there is none: `cause` says so, in the switch's words (`recording.WITHOUT_A_FILE`)."""

    file: str
    length_ms: int
    cause: str = ""


class LegClosed(Event, frozen=True, kw_only=True):
    """A leg is gone. `repair` says how we know, where the switch did not tell us in time."""

    leg: str
    cause: str
    repair: str = ""


class CallerParked(Event, frozen=True, kw_only=True):
    """The switch says that the caller's leg, which was taken out of a conversation, is parked: it hears music now."""

    leg: str


class LegOverdue(Event, frozen=True, kw_only=True):
    """A leg that should be gone by now, or parked, is asked after (law 9). Asked again at `again_at`."""

    legs: tuple[str, ...]
    again_at: Instant


class ContactEnded(Event, frozen=True, kw_only=True):
    """The contact is over; nothing follows. `reason`: completed, abandoned, turned_away, switch_lost, unattended (and
    what `unattended.decide` says of a call that its switch served alone), or why we ended it
    (`HangUpRequested.reason`, such as stopped).
    """

    reason: str
    phase: str
    """Where the caller was when it was decided: arrived, waiting, offered, connecting, connected, held, parked,
    leaving.
    """


# --- by hand ---------------------------------------------------------------------------------------------------------


class ContactPicked(Event, frozen=True, kw_only=True):
    """Somebody who saw it wait chose this agent for it: the agent took it, or (as the actor says) was given it."""

    shift_id: str
    agent_id: str
    reason: str


class ContactMoved(Event, frozen=True, kw_only=True):
    """Somebody sent it to another queue; its time of waiting and what it was given stay its own."""

    visit_id: str
    from_queue: str
    to_queue: str
    reason: str


class ContactReprioritised(Event, frozen=True, kw_only=True):
    """Somebody changed how urgent it is: `given` points count beside its queue's, instead of `was`."""

    visit_id: str
    given: int
    was: int
    reason: str
