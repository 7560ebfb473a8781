"""The last contacts as rows for people, folded from the log. (The read model with search comes with the desk.)"""

from collections import OrderedDict
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.kernel import Instant, Record, ident_of


class Call(Struct, frozen=True, kw_only=True):
    """One contact. Durations in milliseconds; `ended` is empty while it lives."""

    contact_id: str
    arrived_at: Instant
    queue_id: str = ""
    agent_id: str = ""
    offers: int = 0
    queued_at: Instant | None = None
    connected_at: Instant | None = None
    waited_ms: int | None = None
    talked_ms: int = 0
    ended_at: Instant | None = None
    ended: str = ""


def recent(records: Iterable[Record], limit: int = 50) -> list[Call]:
    """The last `limit` contacts by arrival, oldest first, from records in the order of the log."""
    rows: OrderedDict[str, Call] = OrderedDict()
    for record in records:
        ident = ident_of(record.stream)
        if isinstance(record.event, contacts.ContactArrived | ContactDialled):
            rows[ident] = Call(contact_id=ident, arrived_at=record.about.at)
            if len(rows) > limit:
                rows.popitem(last=False)
        elif ident in rows:
            rows[ident] = _after(rows[ident], record)
    return list(rows.values())


def _after(row: Call, record: Record) -> Call:
    at = record.about.at
    match record.event:
        case contacts.ContactQueued() as event:
            return replace(row, queue_id=event.queue_id, queued_at=contacts.wait_began(event, at))
        case contacts.OfferMade():
            return replace(row, offers=row.offers + 1)
        case contacts.QueueVisitEnded() if row.queued_at is not None:
            return replace(row, waited_ms=(at - row.queued_at) // 1000)
        case contacts.ContactConnected() as event:
            return replace(row, agent_id=event.agent_id, connected_at=at)
        case contacts.AgentSegmentEnded() if row.connected_at is not None:
            return replace(row, talked_ms=row.talked_ms + (at - row.connected_at) // 1000, connected_at=None)
        case contacts.ContactEnded() as event:
            return replace(row, ended=event.reason, ended_at=at)
    return row
