"""What can happen when we call somebody outside for a contact: its customer, who is called back, or another number.

Events of stream `contact-<id>`, beside those in `events`. What they lead to stands in `outward`.
"""

from orchestrator.domain.kernel import Event, Instant, Personal


class CallbackAsked(Event, frozen=True, kw_only=True):
    """The customer gives up the line and keeps the place: `prompt` says so, then the leg goes. In its turn the contact
    is offered like any other, and the customer is called at `number` once an agent's phone is off the hook.
    """

    visit_id: str
    number: Personal
    prompt: str
    leave_by: Instant
    """When it is given up, at the latest (law 9)."""
    tries: int
    """How often the customer is called in vain before it is given up."""
    again_ms: int
    """How long the customer is left in peace after each."""


class CallbackDialled(Event, frozen=True, kw_only=True):
    """The agent is there, so the customer is called; `answer_by` ends the ringing. `show` is whom the phone shows."""

    offer_id: str
    leg: str
    number: Personal
    show: str
    answer_by: Instant


class CallbackAnswered(Event, frozen=True, kw_only=True):
    """The customer answered; the legs are being joined until `connect_by`. Should the agent be lost now, the customer
    waits like any caller, until `leave_by`.
    """

    offer_id: str
    leg: str
    connect_by: Instant
    leave_by: Instant


class CallbackMissed(Event, frozen=True, kw_only=True):
    """The customer was not reached: `cause` is the switch's, or ours (outside_full, not_allowed). The contact is out of
    its turn until `again_at`. Not `counted` as a try of the plan is what was not the customer's doing.
    """

    offer_id: str
    cause: str
    counted: bool
    again_at: Instant
    leg: str = ""


class CallbackMoved(Event, frozen=True, kw_only=True):
    """The customer is to be called over another switch, `node`: that of the contact is dead, or drained."""

    node: str


class CallbackResumed(Event, frozen=True, kw_only=True):
    """The peace after a try is over: the contact waits for its turn again, at its old place."""


class CallbackEnded(Event, frozen=True, kw_only=True):
    """Nobody will be called back any more. `reason`: callback_failed (not reached in all tries, or not in time),
    called_again (the customer called, and that call has the place now), callback_cancelled (a person said so).
    """

    reason: str
    why: str = ""
    """The code that the person gave."""


class OutsideDialled(Event, frozen=True, kw_only=True):
    """A number outside is called for the waiting caller, who hears music meanwhile and keeps the place until it
    answers. `answer_by` ends the ringing.
    """

    visit_id: str
    leg: str
    number: Personal
    show: str
    answer_by: Instant


class OutsideAnswered(Event, frozen=True, kw_only=True):
    """The number outside answered; caller and it are being joined until `connect_by`."""

    leg: str
    connect_by: Instant


class OutsideExtended(Event, frozen=True, kw_only=True):
    """More time, until `until`, as nobody can tell how far the switch has come. `cause` as of `OfferExtended`."""

    leg: str
    until: Instant
    cause: str


class OutsideMissed(Event, frozen=True, kw_only=True):
    """Nobody was reached outside, and the caller waits again at the old place."""

    leg: str
    cause: str


class OutsideConnected(Event, frozen=True, kw_only=True):
    """Caller and the number outside hear each other: a segment without an agent begins."""

    segment_id: str
    leg: str


class OutsideSegmentEnded(Event, frozen=True, kw_only=True):
    """The talk with the number outside is over. `ended_by`: caller, outside, system."""

    segment_id: str
    ended_by: str
    cause: str
