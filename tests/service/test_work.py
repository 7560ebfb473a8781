"""Work orders written: once for each key, never over somebody else's head, sealed under whose they are."""

import threading
from collections.abc import Callable

import psycopg
import pytest
from msgspec.structs import replace

from orchestrator.audit import verify
from orchestrator.domain.contacts.events import ContactArrived, ContactIdentified
from orchestrator.domain.customers.people import ChangeProfile
from orchestrator.domain.kernel import Event, Instant, Provenance, Record, Refused
from orchestrator.domain.work import orders
from orchestrator.domain.work.ordertypes import Given
from orchestrator.service import configuration
from orchestrator.service.customer_file import CustomerFile
from orchestrator.service.deciding import Who, Written
from orchestrator.service.work import Work
from orchestrator.store import Away, DeskWriter, Log, Source
from orchestrator.vault import ERASED
from tests.store.kit import Kit, take_lease

SITE = """
[ordertype.pickup]
name = "Pick-up"
first = "open"
fields = [
    { id = "address", name = "Address", kind = "lines", required = true, personal = true },
    { id = "phone", name = "Phone", kind = "phone", personal = true },
    { id = "parcels", name = "Parcels", kind = "number" },
]
states = [
    { id = "open", name = "Open", on_assign = "assigned" },
    { id = "assigned", name = "Assigned" },
    { id = "done", name = "Collected", kind = "done" },
    { id = "closed", name = "Closed", kind = "closed" },
]
moves = [
    { action = "done", name = "Collected", from = ["open", "assigned"], to = "done" },
    { action = "reopen", name = "Reopen", from = ["done", "closed"], to = "open" },
    { action = "close", name = "Close", from = ["done"], to = "closed", roles = ["leader"] },
]
"""
ANN = Who(actor="agent:ann", roles=("agent",))
BOSS = Who(actor="user:boss", roles=("leader",))
FIELDS: Given = {"address": "Nanjing Road 1", "phone": "138 0013 8000", "parcels": 2}


@pytest.fixture
def work(kit: Kit) -> Work:
    configuration.apply(kit.log, kit.desk, "main", SITE, actor="admin:ann", region="CN")
    return Work(kit.desk, kit.log, region="CN")


def call(kit: Kit, contact_id: str, *events: Event) -> None:
    """What the engine records of a call."""
    arrived = ContactArrived(node="sw1", leg=f"leg-{contact_id}", dialled="4000", caller_number="13800138000")
    fence = take_lease(kit.database.writer)
    kit.writer(fence).append_live(
        [
            Record(
                stream=f"contact-{contact_id}",
                version=version,
                event=event,
                event_id=f"{contact_id}/{version}",
                about=Provenance(at=Instant(version * 1_000_000), correlation=f"contact-{contact_id}"),
            )
            for version, event in enumerate((arrived, *events), 1)
        ]
    )


def customer(kit: Kit, number: str = "+8613800138000") -> str:
    file = CustomerFile(kit.desk, kit.log, kit.vault, region="CN")
    return file.create(ANN, ChangeProfile(name="Wang Fang"), number=number).ident


def names(kit: Kit, order_id: str) -> list[str]:
    return [type(record.event).__name__ for record in kit.log.stream(f"order-{order_id}")]


def test_an_order_goes_its_way_and_each_step_answers_with_its_position(kit: Kit, work: Work) -> None:
    """Feature 6.1 (simple): opened from a contact, assigned, noted, done, reopened, done, closed."""
    whose = customer(kit)
    call(kit, "c1", ContactIdentified(customer_id=whose))
    opened = work.open(ANN, "pickup", FIELDS, contact_id="c1")
    order_id = opened.ident
    steps = [
        opened,
        work.assign(BOSS, order_id, "user:bo"),
        work.note(ANN, order_id, "bring a trolley"),
        work.amend(ANN, order_id, {"parcels": 3}),
        work.done(ANN, order_id, note="collected"),
        work.reopen(ANN, order_id),
        work.done(ANN, order_id),
        work.close(BOSS, order_id),
    ]
    records = list(kit.log.stream(f"order-{order_id}"))
    assert [(step.position, step.version, step.changed) for step in steps] == [
        (record.position, record.version, True) for record in records
    ]
    assert names(kit, order_id) == [
        "OrderOpened",
        "OrderAssigned",
        "OrderNoted",
        "OrderAmended",
        "OrderDone",
        "OrderReopened",
        "OrderDone",
        "OrderClosed",
    ]
    order = work.order(order_id)
    assert order is not None
    assert (order.kind, order.customer_id, order.assignee) == ("closed", whose, "user:bo")
    assert order.fields == {"parcels": "3"}
    assert order.personal == {"address": "Nanjing Road 1", "phone": "+8613800138000"}
    assert {record.about.actor for record in records} == {"agent:ann", "user:boss"}
    assert {record.about.correlation for record in records} == {f"customer-{whose}"}


def test_a_repeat_with_the_same_key_changes_nothing_and_gets_the_same_answer(kit: Kit, work: Work) -> None:
    """Bad input: a replayed POST. The key counts for one actor; another's is another."""
    first = work.open(ANN, "pickup", FIELDS, key="k1")
    again = work.open(ANN, "pickup", FIELDS, key="k1")
    assert (again.ident, again.position, again.changed) == (first.ident, first.position, False)
    assert work.open(BOSS, "pickup", FIELDS, key="k1").ident != first.ident
    noted = work.note(ANN, first.ident, "twice?", key="k2")
    work.done(ANN, first.ident, key="k3")
    assert work.note(ANN, first.ident, "twice?", key="k2").position == noted.position
    work.reopen(ANN, first.ident, key="k4")
    assert not work.done(ANN, first.ident, key="k3").changed
    order = work.order(first.ident)
    assert order is not None
    assert order.kind == "open"
    assert names(kit, first.ident) == ["OrderOpened", "OrderNoted", "OrderDone", "OrderReopened"]


def test_of_many_who_say_done_at_once_one_is_recorded_and_nobody_is_refused(kit: Kit, work: Work) -> None:
    """Complaint: two people, one order. Notes of all of them are kept, none is lost."""
    order_id = work.open(ANN, "pickup", FIELDS).ident
    racers = 6
    barrier = threading.Barrier(racers)
    answers: list[bool] = []

    def race(index: int) -> None:
        source = kit.another_source()
        mine = Work(DeskWriter(source, kit.vault), Log(source, vault=kit.vault), region="CN")
        barrier.wait(20)
        mine.note(ANN, order_id, f"note {index}")
        answers.append(mine.done(ANN, order_id).changed)

    threads = [threading.Thread(target=race, args=(index,)) for index in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [False] * (racers - 1) + [True]
    found = names(kit, order_id)
    assert (found.count("OrderNoted"), found.count("OrderDone")) == (racers, 1)


def test_the_order_of_a_caller_who_is_known_only_later_becomes_theirs(kit: Kit, work: Work) -> None:
    """Feature 5.8, law 11: its key hangs under the contact's, and so goes with the customer's."""
    whose = customer(kit)
    call(kit, "c1")
    order_id = work.open(ANN, "pickup", FIELDS, contact_id="c1").ident
    identified = Record(
        stream="contact-c1",
        version=2,
        event=ContactIdentified(customer_id=whose),
        event_id="late",
        about=Provenance(at=Instant(9)),
    )
    kit.writer(take_lease(kit.database.writer, epoch=2)).append_live([identified])
    kit.desk.erase(f"customer-{whose}")
    order = work.order(order_id)
    assert order is not None
    assert set(order.personal.values()) == {ERASED}
    assert order.fields == {"parcels": "2"}


def test_what_is_personal_in_an_order_stands_nowhere_in_the_clear(kit: Kit, work: Work) -> None:
    """Law 11: fields that the type marks, notes, and notes of moves."""
    order_id = work.open(ANN, "pickup", FIELDS).ident
    work.note(ANN, order_id, "Mrs Wang waits")
    work.done(ANN, order_id, note="with Mr Chen")
    with psycopg.connect(kit.database.admin) as connection:
        states = b"".join(row[0] for row in connection.execute("SELECT state FROM ringledger_events"))
    for secret in (b"Nanjing", b"13800138000", b"Wang", b"Chen"):
        assert secret not in states


def test_what_cannot_be_is_refused_by_code_and_nothing_is_written(kit: Kit, work: Work) -> None:
    """Bad input."""
    call(kit, "c1")
    order_id = work.open(ANN, "pickup", FIELDS).ident
    before = kit.log.position()
    cases: list[tuple[Callable[[], Written], str]] = [
        (lambda: work.open(ANN, "pick-up", FIELDS), "no_such_type"),
        (lambda: work.open(ANN, "../x", FIELDS), "no_such_type"),
        (lambda: work.open(ANN, "pickup", {}), "bad_fields"),
        (lambda: work.open(ANN, "pickup", {**FIELDS, "phone": "12"}), "bad_fields"),
        (lambda: work.open(ANN, "pickup", FIELDS, contact_id="c2"), "no_such_contact"),
        (lambda: work.open(ANN, "pickup", FIELDS, contact_id="c1' OR 1"), "no_such_contact"),
        (lambda: work.open(ANN, "pickup", FIELDS, customer_id="nobody"), "no_such_customer"),
        (lambda: work.open(ANN, "pickup", FIELDS, key="a b"), "bad_key"),
        (lambda: work.open(Who(actor="user:eve", roles=("auditor",)), "pickup", FIELDS), "not_allowed"),
        (lambda: work.close(ANN, order_id), "not_now"),
        (lambda: work.done(ANN, "nowhere"), "no_such_order"),
        (lambda: work.note(ANN, "x/../y", "x"), "no_such_order"),
        (lambda: work.assign(ANN, order_id, "everybody"), "bad_assignee"),
    ]
    for ask, code in cases:
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.code == code
    assert kit.log.position() == before


def test_the_order_of_an_erased_customer_is_not_opened(kit: Kit, work: Work) -> None:
    whose = customer(kit)
    CustomerFile(kit.desk, kit.log, kit.vault, region="CN").erase(BOSS, whose)
    with pytest.raises(Refused) as refused:
        work.open(ANN, "pickup", FIELDS, customer_id=whose)
    assert refused.value.code == "customer_erased"


def test_the_verifier_follows_orders_and_notes_and_finds_one_that_was_never_opened(kit: Kit, work: Work) -> None:
    """Feature 11.4: the walk over the log knows the new streams."""
    file = CustomerFile(kit.desk, kit.log, kit.vault, region="CN")
    call(kit, "c1")
    order_id = work.open(ANN, "pickup", FIELDS, contact_id="c1").ident
    work.done(ANN, order_id)
    file.note_contact(ANN, "c1", "all well", code="solved")
    file.note(ANN, customer(kit), "calls often")
    records = list(kit.blind_log.history())
    # Only the clock is left out: these calls are of 1970, their orders of today.
    assert {p.rule for p in verify(records, expect_contacts=0).problems} <= {"time", "unsettled"}
    opened = next(record for record in records if isinstance(record.event, orders.OrderOpened))
    twice = replace(opened, version=3, event_id="twice", position=records[-1].position + 1)
    assert "beginning" in {p.rule for p in verify([*records, twice], expect_contacts=0).problems}
    never = [replace(opened, event=orders.OrderNoted(text="x")) if each is opened else each for each in records]
    assert "beginning" in {p.rule for p in verify(never, expect_contacts=0).problems}


def test_without_a_database_nothing_is_written_and_it_is_said(kit: Kit) -> None:
    gone = Source("postgresql://nobody@127.0.0.1:1/none")
    work = Work(DeskWriter(gone, kit.vault), Log(gone, vault=kit.vault), region="CN")
    with pytest.raises(Away):
        work.done(ANN, "o1")
