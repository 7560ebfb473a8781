"""What of the log has to be folded to know what is now: the configuration, the switches, and what has not ended.

A fold of all of history comes to the same state (a test compares them) and takes as long as history is; this takes as
long as the open shifts are, and one look of the server at the log.
"""

from collections.abc import Iterator
from typing import Final

from orchestrator.domain.kernel import Record, kind_of
from orchestrator.domain.routing import admission
from orchestrator.domain.staff.shifts import AgentReserved
from orchestrator.store import Log
from projections.live_calls import KEPT

# The names that a contact's and a shift's first and last events are stored under.
_BEGUN: Final = ("ContactArrived", "ContactDialled", "AgentSignedIn")
_ENDED: Final = ("ContactEnded", "AgentSignedOut")
_CONFIGURED: Final = (
    "branch", "level", "agent", "queue", "entry", "outside", "recordings", "conference", "pauses", "wrapup",
    *admission.KINDS, "config", "node",
)  # fmt: skip


def present(log: Log, until: int) -> Iterator[Record]:
    """The records, in the order of the log, whose fold is the live state at position `until`.

    Raises `Away` where the database is not there.
    """
    going_on = log.open_streams(_BEGUN, _ENDED, until)
    shifts = [stream for stream in going_on if kind_of(stream) == "shift"]
    found = list(log.streams(shifts, until))
    contacts = {stream for stream in going_on if kind_of(stream) == "contact"}
    found += log.streams(sorted(contacts | _last_offered(found)), until)
    found += log.history(until=until, kinds=_CONFIGURED)
    found.sort(key=lambda record: record.position)
    yield from found


def _last_offered(records: list[Record]) -> set[str]:
    """The contacts that the agents of these shifts were offered last, ended or not."""
    offered: dict[str, list[str]] = {}
    for record in records:
        if isinstance(record.event, AgentReserved):
            offered.setdefault(record.stream, []).append(f"contact-{record.event.contact_id}")
    return {contact for contacts in offered.values() for contact in contacts[-KEPT:]}
