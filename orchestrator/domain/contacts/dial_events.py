"""What can happen to a contact that an agent begins by dialling a number. Events of stream `contact-<id>`.

What they lead to stands in `dials`.
"""

from orchestrator.domain.kernel import Event, Instant, Personal


class ContactDialled(Event, frozen=True, kw_only=True):
    """An agent wants to talk with somebody outside: the contact begins, and the agent's own phone is rung first. Its
    direction is outbound: it waits in no queue, and `queue_id` is the one whose settings hold for it.
    """

    node: str
    shift_id: str
    agent_id: str
    """Who dials."""
    caller_number: Personal
    """Who is called: it stands where the number of a caller stands, and is found and read as that one is."""
    show: str
    """The number that the called one sees: of the agent's branch."""
    queue_id: str
    music: str = ""
    branch: str = ""
    """The branch whose number is shown; empty where it is the common one."""


class BranchNumberMissing(Event, frozen=True, kw_only=True):
    """The branch of the agent who dials has no number of its own: an alarm, and the common one is shown."""

    branch: str


class NumberDialled(Event, frozen=True, kw_only=True):
    """The agent's phone is off the hook, so the number is called; `answer_by` ends the ringing."""

    offer_id: str
    leg: str
    number: Personal
    show: str
    answer_by: Instant


class NumberDelivered(Event, frozen=True, kw_only=True):
    """The number is being rung: the agent hears so."""

    offer_id: str
    leg: str


class NumberSounded(Event, frozen=True, kw_only=True):
    """Nobody has answered, and the far end sends sound already (early media): the agent hears it."""

    offer_id: str
    leg: str


class NumberAnswered(Event, frozen=True, kw_only=True):
    """Whoever was called answered; the legs are being joined until `connect_by`."""

    offer_id: str
    leg: str
    connect_by: Instant


class DialEnded(Event, frozen=True, kw_only=True):
    """The two do not come to talk, and the contact ends with its last leg. `outcome`: one of `dials.OUTCOMES`, or why
    we ended it; `cause`: the switch's word for it, or ours.
    """

    outcome: str
    cause: str = ""
