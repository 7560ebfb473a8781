"""The contact log: one row for each contact, live or over. The auditor's list and the desk's.

Streams: contact, customer (erasure). All times and durations are by our own clock (`Provenance.at`), but for calls that
a switch served alone (outcomes unattended_…): those are by the switch's.

A caller's number is sealed, and found again by a look-up token: a keyed hash, which the database cannot read. It goes
when the customer is erased; and whoever's key is destroyed is not found even where it is still there.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct

from orchestrator.domain.contacts import contacts, outward_events, transfer_events
from orchestrator.domain.contacts.contacts import wait_began
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.contacts.unattended import UnattendedCallEnded, UnattendedCallLost
from orchestrator.domain.customers.people import CustomerErased
from orchestrator.domain.kernel import Event, Instant, Record, ident_of, stream
from orchestrator.service.customers import e164
from orchestrator.vault import Vault
from projections import customers
from projections.base import Batch, Connection, Site
from projections.pages import Condition, Page, page
from projections.tables import Table

NAME: Final = "contact_log"
VERSION: Final = 6
REGIONAL: Final = True

TABLES: Final = """
CREATE TABLE contact_log (
    contact_id    text   PRIMARY KEY,
    arrived_at    bigint NOT NULL,
    node          text   NOT NULL,
    dialled       text   NOT NULL,
    trunk         text   NOT NULL,
    caller_number text   NOT NULL,
    caller_name   text   NOT NULL,
    direction     text   NOT NULL,
    entry_id      text   NOT NULL,
    queue_id      text   NOT NULL,
    customer_id   text   NOT NULL,
    agent_id      text   NOT NULL,
    outcome       text   NOT NULL,
    phase         text   NOT NULL,
    queued_at     bigint,
    waiting_since bigint,
    wait_ms       bigint,
    offers        bigint NOT NULL,
    missed        bigint NOT NULL,
    transfers     bigint NOT NULL,
    connected_at  bigint,
    held_since    bigint,
    talk_since    bigint,
    talk_ms       bigint NOT NULL,
    hold_ms       bigint NOT NULL,
    ended_by      text   NOT NULL,
    ended_at      bigint,
    recording     text   NOT NULL,
    recording_ms  bigint,
    caller_token  text   NOT NULL,
    position      bigint NOT NULL
) WITH (fillfactor = 80);
"""

INDEXES: Final = """
CREATE INDEX ON contact_log (arrived_at, contact_id);
CREATE INDEX ON contact_log (agent_id, arrived_at, contact_id);
CREATE INDEX ON contact_log (queue_id, arrived_at, contact_id);
CREATE INDEX ON contact_log (outcome, arrived_at, contact_id);
CREATE INDEX ON contact_log (customer_id, arrived_at, contact_id);
CREATE INDEX ON contact_log (caller_token, arrived_at, contact_id);
"""

CALLER: Final = "contact caller"
"""The name under which look-up tokens of callers' numbers are made (`Vault.token`)."""
# A token is 32 bytes; half of it tells two numbers apart among all that there are.
_TOKEN_BYTES: Final = 16


INBOUND: Final = "inbound"
OUTBOUND: Final = "outbound"


class Contact(Struct):
    """One contact. `caller_number` and `caller_name` are sealed, bound to stream contact-<id> and these field names.

    `direction`: inbound, or outbound where an agent dialled: then the caller is whoever was called, and `agent_id` who
    dialled until somebody talks. `outcome` is empty while it lives, then `ContactEnded.reason`. `wait_ms`: from
    ContactQueued (or its `came_at`) to QueueVisitEnded, all visits together. `talk_ms`: from ContactConnected to
    AgentSegmentEnded without `hold_ms`, from ContactHeld to ContactResumed or the end. `missed`: offers that an agent
    rejected, let ring or could not be reached for; not those that we withdrew. `transfers`: how often an agent passed
    it on; `agent_id` is the last one. `caller_token`: of the number in E.164, empty where there is none or nobody may
    find it any more.
    """

    contact_id: str
    arrived_at: int
    node: str
    dialled: str
    trunk: str
    caller_number: str
    caller_name: str
    direction: str = INBOUND
    entry_id: str = ""
    queue_id: str = ""
    customer_id: str = ""
    agent_id: str = ""
    outcome: str = ""
    phase: str = ""
    queued_at: int | None = None
    waiting_since: int | None = None
    wait_ms: int | None = None
    offers: int = 0
    missed: int = 0
    transfers: int = 0
    connected_at: int | None = None
    held_since: int | None = None
    talk_since: int | None = None
    talk_ms: int = 0
    hold_ms: int = 0
    ended_by: str = ""
    ended_at: int | None = None
    recording: str = ""
    recording_ms: int | None = None
    caller_token: str = ""
    position: int = 0


CONTACTS: Final = Table(NAME, Contact, key=("contact_id",))


# --- folding ---------------------------------------------------------------------------------------------------------
def apply(batch: Batch) -> None:
    """Load the rows of the contacts in this batch, fold, and put them back; forget the numbers of who was erased."""
    news = [record for record in batch.records if type(record.event) in _CARED_FOR]
    arrived = {ident_of(record.stream) for record in news if isinstance(record.event, _BEGUN)}
    known = {ident_of(record.stream) for record in news if type(record.event) in _FOLDS} - arrived
    rows = CONTACTS.load(batch.cursor, known)
    batch.site.unlock({stream("contact", ident) for ident in arrived})
    erased: set[str] = set()
    for record in news:
        ident = ident_of(record.stream)
        if isinstance(record.event, CustomerErased):
            erased.add(ident)
            _forget(rows.values(), ident)
        elif isinstance(record.event, _BEGUN):
            rows[ident] = _begun(ident, record, record.event)
            rows[ident].caller_token = token_of(batch.site, record.stream, record.event.caller_number)
        elif (row := rows.get(ident)) is not None:
            row.position = record.position
            _FOLDS[type(record.event)](row, record.event, record.about.at)
    CONTACTS.save(batch.cursor, rows.values())
    if erased:
        batch.cursor.execute(_FORGET, (list(erased), list(rows)), prepare=True)


# Of contacts that this batch did not load: of the others it was done in its turn, whatever the batches are.
_FORGET: Final = b"""
UPDATE contact_log SET caller_token = ''
 WHERE customer_id = ANY(%s::text[]) AND contact_id <> ALL(%s::text[]) AND caller_token <> ''
"""


def _forget(rows: Iterable[Contact], customer_id: str) -> None:
    for row in rows:
        if row.customer_id == customer_id:
            row.caller_token = ""


def token_of(site: Site, name: str, sealed: str) -> str:
    """The look-up token of the number that called in the contact of this stream; empty where nobody may find it."""
    number = e164(site.open(name, "caller_number", sealed), site.region)
    return "" if number is None else _short(site.token(CALLER, number))


def _short(token: bytes) -> str:
    return token[:_TOKEN_BYTES].hex()


Fold = Callable[[Contact, Any, int], None]

_BEGUN: Final = (contacts.ContactArrived, ContactDialled)


def _begun(ident: str, record: Record, event: contacts.ContactArrived | ContactDialled) -> Contact:
    if isinstance(event, ContactDialled):
        return Contact(
            contact_id=ident,
            arrived_at=record.about.at,
            node=event.node,
            dialled="",
            trunk="",
            caller_number=event.caller_number,
            caller_name="",
            direction=OUTBOUND,
            queue_id=event.queue_id,
            agent_id=event.agent_id,
            position=record.position,
        )
    return Contact(
        contact_id=ident,
        arrived_at=event.came_at or record.about.at,
        node=event.node,
        dialled=event.dialled,
        trunk=event.trunk,
        caller_number=event.caller_number,
        caller_name=event.caller_name,
        position=record.position,
    )


def _nothing(row: Contact, event: Event, at: int) -> None:
    """The row is there already, or is made elsewhere."""


def _queued(row: Contact, event: contacts.ContactQueued, at: int) -> None:
    row.entry_id, row.queue_id = event.entry_id, event.queue_id
    row.waiting_since = wait_began(event, Instant(at))
    if row.queued_at is None:
        row.queued_at = row.waiting_since


def _visit_ended(row: Contact, event: contacts.QueueVisitEnded, at: int) -> None:
    if row.waiting_since is not None:
        row.wait_ms = (row.wait_ms or 0) + (at - row.waiting_since) // 1000
        row.waiting_since = None


def _identified(row: Contact, event: contacts.ContactIdentified, at: int) -> None:
    row.customer_id = event.customer_id


def _offered(row: Contact, event: contacts.OfferMade, at: int) -> None:
    row.offers += 1


def _offer_missed(row: Contact, event: contacts.OfferClosed, at: int) -> None:
    row.missed += 1


def _transferred(row: Contact, event: transfer_events.ContactTransferred, at: int) -> None:
    row.transfers += not event.taken


def _connected(row: Contact, event: contacts.ContactConnected, at: int) -> None:
    row.agent_id = event.agent_id
    row.talk_since = at
    if row.connected_at is None:
        row.connected_at = at


def _held(row: Contact, event: contacts.ContactHeld, at: int) -> None:
    _stop_talking(row, at)
    row.held_since = at


def _resumed(row: Contact, event: contacts.ContactResumed, at: int) -> None:
    _stop_talking(row, at)
    row.talk_since = at


def _segment_ended(row: Contact, event: contacts.AgentSegmentEnded, at: int) -> None:
    _stop_talking(row, at)
    row.ended_by = event.ended_by


def _stop_talking(row: Contact, at: int) -> None:
    if row.talk_since is not None:
        row.talk_ms += (at - row.talk_since) // 1000
    if row.held_since is not None:
        row.hold_ms += (at - row.held_since) // 1000
    row.talk_since = row.held_since = None


def _connected_outside(row: Contact, event: outward_events.OutsideConnected, at: int) -> None:
    row.talk_since = at
    if row.connected_at is None:
        row.connected_at = at


def _outside_ended(row: Contact, event: outward_events.OutsideSegmentEnded, at: int) -> None:
    _stop_talking(row, at)
    row.ended_by = event.ended_by


def _recording_begun(row: Contact, event: contacts.RecordingBegun, at: int) -> None:
    row.recording = event.file


def _recording_finished(row: Contact, event: contacts.RecordingFinished, at: int) -> None:
    row.recording, row.recording_ms = event.file, event.length_ms


def _served_by_switch(row: Contact, event: UnattendedCallEnded, at: int) -> None:
    row.arrived_at, row.ended_at, row.agent_id = event.arrived_at, event.ended_at, event.agent_id
    if event.joined_at:
        row.connected_at, row.talk_ms = event.joined_at, (event.ended_at - event.joined_at) // 1000


def _lost_with_switch(row: Contact, event: UnattendedCallLost, at: int) -> None:
    """The last that is known of it stands for its end."""
    row.arrived_at, row.ended_at = event.arrived_at, event.taken_at


def _ended(row: Contact, event: contacts.ContactEnded, at: int) -> None:
    row.outcome, row.phase = event.reason, event.phase
    row.ended_at = row.ended_at or at


_FOLDS: Final[dict[type[Event], Fold]] = {
    contacts.ContactArrived: _nothing,
    ContactDialled: _nothing,
    contacts.ContactQueued: _queued,
    contacts.QueueVisitEnded: _visit_ended,
    contacts.ContactIdentified: _identified,
    contacts.OfferMade: _offered,
    contacts.OfferRejected: _offer_missed,
    contacts.OfferTimedOut: _offer_missed,
    contacts.OfferFailed: _offer_missed,
    contacts.ContactConnected: _connected,
    contacts.ContactHeld: _held,
    contacts.ContactResumed: _resumed,
    contacts.AgentSegmentEnded: _segment_ended,
    transfer_events.ContactTransferred: _transferred,
    contacts.RecordingBegun: _recording_begun,
    contacts.RecordingFinished: _recording_finished,
    UnattendedCallEnded: _served_by_switch,
    UnattendedCallLost: _lost_with_switch,
    contacts.ContactEnded: _ended,
    outward_events.OutsideConnected: _connected_outside,
    outward_events.OutsideSegmentEnded: _outside_ended,
}

_CARED_FOR: Final[frozenset[type[Event]]] = frozenset({*_FOLDS, CustomerErased})


# --- queries ---------------------------------------------------------------------------------------------------------
class Caller(Struct, frozen=True, kw_only=True):
    """Contacts from this number, and those of whoever has it, from whichever of their numbers they called."""

    token: str
    customer_id: str = ""


def caller(connection: Connection, vault: Vault, number: str) -> Caller:
    """Whoever calls from this E.164 number."""
    return Caller(
        token=_short(vault.token(CALLER, number)), customer_id=customers.holder(connection, vault, number) or ""
    )


class Search(Struct, frozen=True, kw_only=True):
    """What is looked for; what is None or empty does not narrow. Instants: since ≤ arrived_at < until.

    `caller`: who called from a number; None: no number was asked for.

    `agents`: only contacts of these agents, and those that no agent has had yet; None: everybody's.
    """

    agent_id: str = ""
    queue_id: str = ""
    customer_id: str = ""
    outcome: str = ""
    since: int | None = None
    until: int | None = None
    live: bool | None = None
    caller: "Caller | None" = None
    agents: tuple[str, ...] | None = None


def search(connection: Connection, wanted: Search, *, cursor: str = "", limit: int = 50) -> Page[Contact]:
    """Contacts, the latest arrival first. Raises `Refused` for a cursor or limit that cannot be."""
    conditions: list[Condition] = []
    if wanted.agent_id:
        conditions.append(("agent_id = %s", wanted.agent_id))
    if wanted.queue_id:
        conditions.append(("queue_id = %s", wanted.queue_id))
    if wanted.customer_id:
        conditions.append(("customer_id = %s", wanted.customer_id))
    if wanted.outcome:
        conditions.append(("outcome = %s", wanted.outcome))
    if wanted.since is not None:
        conditions.append(("arrived_at >= %s", wanted.since))
    if wanted.until is not None:
        conditions.append(("arrived_at < %s", wanted.until))
    if wanted.live is not None:
        conditions.append(("(outcome = '') = %s", wanted.live))
    if wanted.caller is not None:
        conditions += _from(wanted.caller)
    conditions += _in_sight(wanted.agents)
    return page(connection, CONTACTS, conditions, key=("arrived_at", "contact_id"), cursor=cursor, limit=limit)


# An erasure destroys the keys first of all; the model hears of it a little later. OFFSET keeps it a question for each
# row of a page: as a join with all keys it is guessed to leave no row, and a frequent caller's contacts are all sorted.
_READABLE: Final = (
    "NOT EXISTS (SELECT FROM public.ringledger_keys AS k WHERE k.erased_at IS NOT NULL"
    " AND k.subject IN ('contact-' || contact_id, 'customer-' || customer_id) OFFSET 0)"
)


def _from(caller: Caller) -> list[Condition]:
    if not caller.customer_id:
        return [("caller_token = %s", caller.token), (_READABLE,)]
    return [("(caller_token = %s OR customer_id = %s)", caller.token, caller.customer_id), (_READABLE,)]


def find(connection: Connection, contact_id: str, *, agents: tuple[str, ...] | None = None) -> Contact | None:
    """One contact, None where there is none of this id or, with `agents`, where it is another agent's."""
    conditions: list[Condition] = [("contact_id = %s", contact_id), *_in_sight(agents)]
    found = page(connection, CONTACTS, conditions, key=("arrived_at", "contact_id"), limit=1)
    return found.items[0] if found.items else None


def _in_sight(agents: tuple[str, ...] | None) -> list[Condition]:
    return [] if agents is None else [("agent_id = ANY(%s)", ["", *agents])]
