"""Which screens an order or a note concerns."""

from orchestrator.domain.contacts.events import ContactArrived, ContactConnected, ContactIdentified
from orchestrator.domain.customers.notes import ContactNoted
from orchestrator.domain.kernel import Event, Instant, Provenance, Record
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.staff.shifts import AgentSignedIn
from orchestrator.domain.switch.nodes import (
    NodeConnected,
    NodeLost,
    NodeReconciled,
    PhonesCompared,
    PhoneUnregistered,
)
from orchestrator.domain.work.orders import OrderDone, OrderOpened
from orchestrator.domain.world import World
from projections.live_topics import touched


def record(stream: str, version: int, event: Event, about: str = "") -> Record:
    provenance = Provenance(at=Instant(version), correlation=about or stream)
    return Record(stream=stream, version=version, event=event, event_id=f"{stream}/{version}", about=provenance)


def world(*, known: bool = True) -> World:
    """A caller who talks with agent a1."""
    found = World()
    talk = ContactConnected(segment_id="s1", offer_id="o1", shift_id="sh1", agent_id="a1", leg="l2")
    events: list[Event] = [ContactArrived(node="n1", leg="l1", dialled="4000"), talk]
    events += [ContactIdentified(customer_id="k1")] if known else []
    for version, event in enumerate(events, 1):
        found.apply(record("contact-c1", version, event))
    return found


def test_every_step_of_an_order_is_told_to_its_customers_screens_and_to_who_talks_with_them() -> None:
    """Feature 5.3: the timeline and the desk are drawn anew, not only when the order is opened."""
    opened = OrderOpened(type_id="pickup", state="open", customer_id="k1")
    for event in (opened, OrderDone(action="done", state="done")):
        told = touched(record("order-w1", 2, event, "customer-k1"), None, None, world())
        assert told == {"customer:k1", "agent:a1"}
    elsewhere = record("order-w2", 1, OrderOpened(type_id="pickup", state="open", customer_id="k2"), "customer-k2")
    assert touched(elsewhere, None, None, world()) == {"customer:k2"}


def test_a_note_is_told_to_the_contacts_screens_and_its_customers() -> None:
    """Feature 5.3."""
    note = record("note-c1", 1, ContactNoted(contact_id="c1", text="x"), "contact-c1")
    assert touched(note, None, None, world()) == {"contact:c1", "agent:a1", "customer:k1"}
    assert touched(note, None, None, world(known=False)) == {"contact:c1", "agent:a1"}
    assert touched(note, None, None, World()) == {"contact:c1"}


def test_an_order_of_nobody_is_told_to_nobody() -> None:
    assert touched(record("order-w1", 1, OrderOpened(type_id="p", state="open")), None, None, world()) == set()


def test_a_phone_that_comes_or_goes_is_told_to_the_desk_at_its_extension_and_to_its_owners() -> None:
    """Feature 9.1: the dot moves at once, at the desks that show it and no others."""
    found = World()
    for number in (1, 2, 3):
        agent = AgentConfigured(number=f"80{number}", name="A", extension=f"100{number}", skills={})
        found.apply(record(f"agent-a{number}", 1, agent))
    found.apply(record("shift-sh2", 1, AgentSignedIn(agent_id="a2", extension="1001")))

    def told(version: int, event: Event) -> set[str]:
        news = record("node-n1", version, event)
        return touched(news, *found.apply(news), found)

    assert told(1, NodeConnected(core="c")) == {"floor"}
    assert told(2, PhonesCompared(registered=("1001",), unregistered=("1003",))) == {"floor"}
    assert told(3, NodeReconciled()) == {"floor", "agent:a1", "agent:a2", "agent:a3"}
    assert told(4, PhoneUnregistered(extension="1001")) == {"floor", "agent:a1", "agent:a2"}
    assert told(5, NodeLost(why="gone")) == {"floor", "agent:a1", "agent:a2", "agent:a3"}
