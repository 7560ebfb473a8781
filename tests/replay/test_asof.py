"""One thing at an instant: as its stream had it, or as the live state had it, then."""

import pytest

from orchestrator.domain.contacts.contacts import ContactEnded
from orchestrator.domain.customers.people import CustomerCreated, CustomerNoted, CustomerProfileChanged
from orchestrator.domain.kernel import SECOND, Event, Instant, Provenance, Record, Refused
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.work.orders import OrderDone, OrderOpened
from orchestrator.replay.asof import then_at, thing_at
from orchestrator.vault import ERASED
from tests.audit.centre import BEGINNING, CALLER, Centre
from tests.replay.conftest import store
from tests.store.kit import Kit


def seen(kit: Kit, kind: str, ident: str, at: int, *, personal: bool = False) -> dict[str, object]:
    then = then_at(kit.log, Instant(at), "main", personal=personal)
    found: dict[str, object] = thing_at(then, kind, ident)[kind]
    return found


def told(stream: str, *events: Event) -> list[Record]:
    """One event of a stream each minute."""
    return [
        Record(
            stream=stream,
            version=number,
            event=event,
            event_id=f"{stream}-{number}",
            about=Provenance(at=Instant(BEGINNING + number * 60 * SECOND)),
        )
        for number, event in enumerate(events, 1)
    ]


def test_a_queue_and_an_agent_are_as_the_live_state_had_them(kit: Kit) -> None:
    """Feature 11.2: who waited, what the agent did, under which name the queue was then."""
    centre = Centre(agents=1)
    centre.ready(1)
    centre.pass_ms(1_000)
    ready = centre.now
    caller = centre.call()
    waiting = centre.now
    centre.pass_ms(100)
    centre.answer(centre.rung[0])
    centre.bridge(caller, centre.rung[0])
    centre.configure({"queue-sales": QueueConfigured(name="Sold", skill="sales")})
    store(kit, centre.records)
    assert seen(kit, "agent", "1001", ready)["shift"]["state"] == "ready"  # type: ignore[index]
    assert seen(kit, "agent", "a1", waiting)["shift"]["state"] == "reserved"  # type: ignore[index]
    assert seen(kit, "agent", "1001", centre.now)["shift"]["state"] == "talking"  # type: ignore[index]
    assert seen(kit, "queue", "sales", waiting)["name"] == "Sales"
    assert seen(kit, "queue", "sales", waiting)["ringing"] == 1
    assert seen(kit, "queue", "sales", centre.now)["name"] == "Sold"
    assert seen(kit, "agent", "1001", ready)["name"] == "***"
    assert seen(kit, "agent", "1001", ready, personal=True)["name"] == "Agent 1"


def test_a_contact_is_as_it_was_also_after_it_ended(kit: Kit) -> None:
    """Feature 11.2: exact to the event, at each of its events."""
    centre = Centre(agents=1)
    centre.ready(1)
    centre.serve()
    contact = next(record.stream for record in centre.records if isinstance(record.event, ContactEnded))
    store(kit, centre.records)
    ident = contact.removeprefix("contact-")
    for record in centre.records:
        if record.stream == contact:
            last = max(r.version for r in centre.records if r.stream == contact and r.about.at <= record.about.at)
            assert seen(kit, "contact", ident, record.about.at)["version"] == last
    assert seen(kit, "contact", ident, centre.now)["status"] == "ended"
    assert seen(kit, "contact", ident, centre.now, personal=True)["caller_number"] == CALLER


def test_a_customer_and_an_order_are_as_their_streams_had_them(kit: Kit) -> None:
    """Features 5.1 and 11.2: before a change, and after it."""
    customer = told(
        "customer-c1",
        CustomerCreated(number=CALLER, region="CN"),
        CustomerProfileChanged(name="Wang Fang", level="vip"),
        CustomerNoted(text="calls often"),
    )
    order = told(
        "order-o1",
        OrderOpened(type_id="repair", state="new", fields={"where": "cellar"}, personal={"who": "Wang"}),
        OrderDone(action="done", state="done"),
    )
    store(kit, sorted([*customer, *order], key=lambda record: record.about.at))
    minute = 60 * SECOND
    assert seen(kit, "customer", "c1", BEGINNING + minute, personal=True)["name"] == ""
    later = seen(kit, "customer", "c1", BEGINNING + 3 * minute, personal=True)
    assert (later["name"], later["level"], later["notes"]) == ("Wang Fang", "vip", 1)
    masked = seen(kit, "customer", "c1", BEGINNING + 3 * minute)
    assert (masked["name"], masked["numbers"]) == ("***", [{"number": "***", "label": ""}])
    assert seen(kit, "order", "o1", BEGINNING + minute)["kind"] == "open"
    done = seen(kit, "order", "o1", BEGINNING + 2 * minute)
    assert (done["kind"], done["fields"], done["personal"]) == ("done", {"where": "cellar"}, {"who": "***"})


def test_an_erased_person_reads_as_erased_for_everybody_at_any_instant(kit: Kit) -> None:
    """Complaint 20: what was known then is known no more, and the page does not pretend that it is only masked."""
    store(kit, told("customer-c1", CustomerCreated(number=CALLER, region="CN"), CustomerProfileChanged(name="Wang")))
    kit.desk.erase("customer-c1")
    kit.vault.forget()
    for personal in (False, True):
        found = seen(kit, "customer", "c1", BEGINNING + 120 * SECOND, personal=personal)
        assert (found["name"], found["numbers"]) == (ERASED, [{"number": ERASED, "label": ""}])


def test_the_configuration_is_the_one_that_was_in_force(kit: Kit) -> None:
    """Features 11.1 and 11.2, law 6: as the site's file; agents' names masked."""
    centre = Centre(agents=1)
    before = centre.now
    centre.pass_ms(1_000)
    centre.configure({"queue-sales": QueueConfigured(name="Sold", skill="sales")})
    store(kit, centre.records)
    then, now = (seen(kit, "configuration", "", at) for at in (before, centre.now))
    assert (then["version"], now["version"]) == (1, 2)
    assert 'name = "Sales"' in str(then["toml"])
    assert 'name = "Sold"' in str(now["toml"])
    assert "Agent 1" not in str(now["toml"])


@pytest.mark.parametrize("kind", ("queue", "agent", "contact", "customer", "order"))
def test_what_was_not_there_yet_is_refused_by_its_kind(kit: Kit, kind: str) -> None:
    store(kit, Centre().records)
    with pytest.raises(Refused) as refused:
        seen(kit, kind, "nobody", BEGINNING)
    assert refused.value.code == f"no_such_{kind}"
