"""Lives of customers, told to a log: calls, orders and notes, in any order in which they can come."""

from collections.abc import Iterator
from random import Random

from orchestrator.domain.contacts import contacts
from orchestrator.domain.customers import blacklist, notes, people
from orchestrator.domain.kernel import SECOND, Event, Instant, Provenance, Record
from orchestrator.domain.staff import shifts
from orchestrator.domain.work import orders, ordertypes
from tests.projections.kit import MORNING

Told = tuple[str, Event]
PICKUP = ordertypes.OrderTypeConfigured(
    name="Pick-up",
    names={"zh": "取件"},
    first="open",
    fields=(ordertypes.FieldSpec(id="address", name="Address", personal=True),),
    states=(
        ordertypes.StateSpec(id="open", name="Open", on_assign="assigned"),
        ordertypes.StateSpec(id="assigned", name="Assigned"),
        ordertypes.StateSpec(id="done", name="Done", kind="done"),
    ),
    moves=(ordertypes.Move(action="done", name="Done", before=("open", "assigned"), after="done"),),
)


def call(ident: str, number: str, customer: str, agent: str = "a1", code: str = "solved") -> list[Told]:
    """A call that is served, from arrival to the end of the after-call work. Who calls is known after the ring."""
    contact, shift = f"contact-{ident}", f"shift-{agent}-{ident}"
    return [
        (contact, contacts.ContactArrived(node="n1", leg=f"leg-{ident}", dialled="4001", caller_number=number)),
        (
            contact,
            contacts.ContactQueued(
                visit_id=f"v-{ident}",
                queue_id="sales",
                entry_id="main",
                skill="sell",
                min_level=1,
                priority=0,
                music="m",
                leave_by=Instant(0),
            ),
        ),
        (contact, contacts.ContactIdentified(customer_id=customer)),
        (
            contact,
            contacts.ContactConnected(
                segment_id=f"s-{ident}", offer_id=f"o-{ident}", shift_id=shift[6:], agent_id=agent, leg=f"ag-{ident}"
            ),
        ),
        (
            contact,
            contacts.AgentSegmentEnded(
                segment_id=f"s-{ident}", shift_id=shift[6:], ended_by="caller", cause="NORMAL_CLEARING"
            ),
        ),
        (shift, shifts.WrapUpStarted(contact_id=ident, segment_id=f"s-{ident}", until=Instant(0))),
        (contact, contacts.ContactEnded(reason="completed", phase="connected")),
        (shift, shifts.WrapUpEnded(how="agent", code=code)),
    ]


def order(ident: str, customer: str = "", contact: str = "") -> list[Told]:
    """An order that is opened, assigned, noted and done."""
    name = f"order-{ident}"
    return [
        (
            name,
            orders.OrderOpened(
                type_id="pickup",
                state="open",
                contact_id=contact,
                customer_id=customer,
                fields={"parcels": "2"},
                personal={"address": "Nanjing Road 1"},
            ),
        ),
        (name, orders.OrderAssigned(assignee="user:bo", state="assigned")),
        (name, orders.OrderNoted(text="bring a trolley")),
        (name, orders.OrderAmended(fields={"parcels": ""}, personal={"address": "Nanjing Road 2"})),
        (name, orders.OrderDone(action="done", state="done", note="collected")),
    ]


def nuisance(ident: str, number: str, *, lifted: bool) -> list[Told]:
    """An entry of the blacklist that is made, gets an end, and may be taken off."""
    name = f"blacklist-{ident}"
    told: list[Told] = [
        (name, blacklist.NumberBlacklisted(number=number, reason="nuisance", note="at night")),
        (name, blacklist.BlacklistingChanged(reason="fraud", until=Instant(MORNING + 3600 * SECOND))),
    ]
    return [*told, (name, blacklist.BlacklistingLifted())] if lifted else told


def lives(seed: int, customers: int = 12) -> list[Record]:
    """Records of some customers' lives, shuffled into each other as real ones are; the same for the same seed."""
    dice = Random(seed)
    strands: list[Iterator[Told]] = [iter([("ordertype-pickup", PICKUP)])]
    for place in range(customers):
        who, number = f"k{place}", f"+861380013{place:04}"
        file: list[Told] = [
            (f"customer-{who}", people.CustomerCreated(number=number, region="CN")),
            (f"customer-{who}", people.CustomerProfileChanged(name=dice.choice(("王芳", "Anna Schmidt", "陈大文")))),
            (f"customer-{who}", people.CustomerNoted(text=f"note on {who}")),
            (f"customer-{who}", people.CustomerNumberAdded(number=f"+862162{place:06}", region="CN", label="work")),
        ]
        if dice.random() < 0.2:
            file.append((f"customer-{who}", people.CustomerErased()))
        # The file is there before anybody is told who calls: then come a call, a note on it and an order from it.
        strands.append(iter(file[1:]))
        told = call(f"c{place}", number, who)
        at = dice.randrange(1, len(told) + 1)
        hanging = (f"note-c{place}", notes.ContactNoted(contact_id=f"c{place}", text="called", code="call_back"))
        strands.append(iter([file[0], *told[:at], hanging, *told[at:]]))
        strands.append(iter(nuisance(f"b{place}", number, lifted=dice.random() < 0.5)))
        owner = dice.choice(("", who))
        strands.append(iter(order(f"w{place}", customer=owner, contact=f"c{place}")))
    return numbered(_shuffled(strands, dice))


def _shuffled(strands: list[Iterator[Told]], dice: Random) -> Iterator[Told]:
    """Each strand in its own order. A file goes on only after it began."""
    begun: set[str] = set()
    held: dict[int, Told] = {}
    while strands:
        place = dice.randrange(len(strands))
        told = held.pop(id(strands[place]), None) or next(strands[place], None)
        if told is None:
            strands.pop(place)
            continue
        stream, event = told
        if stream.startswith("customer-") and not isinstance(event, people.CustomerCreated) and stream not in begun:
            held[id(strands[place])] = told
            continue
        begun.add(stream)
        yield told


def numbered(told: Iterator[Told]) -> list[Record]:
    """As records, a second apart."""
    versions: dict[str, int] = {}
    found = []
    for place, (stream, event) in enumerate(told, 1):
        versions[stream] = versions.get(stream, 0) + 1
        found.append(
            Record(
                stream=stream,
                version=versions[stream],
                event=event,
                event_id=f"life-{place}",
                about=Provenance(at=Instant(MORNING + place * SECOND), actor="agent:ann"),
            )
        )
    return found
