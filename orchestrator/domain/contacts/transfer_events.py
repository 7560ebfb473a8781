"""What can happen when an agent passes a caller on. Events of stream `contact-<id>`, beside those in `events`.

What they lead to stands in `transfers`.
"""

from orchestrator.domain.kernel import Event, Personal


class ContactTransferred(Event, frozen=True, kw_only=True):
    """The agent passes the caller on: this conversation ends and a queue visit begins, in the queue that was chosen;
    or, where an agent or a number outside was, in the one from which the caller came, to which they fall back.
    """

    segment_id: str
    shift_id: str
    agent_id: str
    """Who passes the caller on."""
    to: str
    """`agent`, `queue` or `outside`."""
    visit_id: str
    queue_id: str
    to_agent: str = ""
    number: Personal = ""
    taken: bool = False
    """Whether `to_agent` took the caller over (`TalkTakenOver`), instead of being given them."""
