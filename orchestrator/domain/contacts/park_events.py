"""What can happen to a caller whom the agent parks. Events of stream `contact-<id>`, beside those in `events`.

What they lead to stands in `parks`.
"""

from orchestrator.domain.kernel import Event, Instant


class ContactParked(Event, frozen=True, kw_only=True):
    """The agent leaves the caller at this place, where they hear music: the conversation ends, and no queue visit
    begins. Whoever is still there at `until` comes back to the agent, or waits in `queue_id`.
    """

    segment_id: str
    shift_id: str
    agent_id: str
    """Who parks the caller."""
    place: int
    queue_id: str
    until: Instant


class ParkEnded(Event, frozen=True, kw_only=True):
    """The caller is not at the place any more. `outcome`: retrieved (an agent fetches them) or expired (the time is
    over), with both of which a queue visit begins; abandoned, switch_lost, unattended (the switch serves the caller by
    itself) or stopped, with which the contact ends.
    """

    place: int
    outcome: str
    visit_id: str = ""
    shift_id: str = ""
    """Whose phone rings for the caller now; empty where they wait for whoever serves the queue."""
    agent_id: str = ""
