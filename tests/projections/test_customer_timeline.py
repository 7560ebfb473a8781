"""A customer's timeline, the list of customers and the work orders: folded from lives that come in any order."""

from collections.abc import Callable
from functools import partial
from random import Random

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts
from orchestrator.domain.customers import notes, people
from orchestrator.domain.kernel import Event, Refused
from orchestrator.vault import ERASED, open_text
from projections import customer_timeline, customers, work_orders
from projections.base import Batch, Projection, run_batch
from projections.catalogue import projection_of
from projections.feed import Feed
from tests.projections.kit import MORNING, ReadKit
from tests.projections.lives import PICKUP, call, lives, order

TIMELINE = projection_of(customer_timeline)
CUSTOMERS = projection_of(customers)
ORDERS = projection_of(work_orders)
ALL = (TIMELINE, CUSTOMERS, ORDERS)
NUMBER = "+8613800138000"
WHO = "customer-k1"


def tell(kit: ReadKit, *told: tuple[str, Event], begin: float = 0.0) -> None:
    for place, (stream, event) in enumerate(told):
        kit.tell(stream, event, begin + place, actor="agent:ann")


def known(kit: ReadKit, name: str = "王芳", number: str = NUMBER, who: str = WHO) -> None:
    tell(
        kit,
        (who, people.CustomerCreated(number=number, region="CN")),
        (who, people.CustomerProfileChanged(name=name, level="vip")),
        begin=-10,
    )


def follow(kit: ReadKit) -> None:
    for projection in ALL:
        kit.keep_up(projection)


def opened(kit: ReadKit, stream: str, path: str, sealed: str) -> str:
    """What a screen shows of sealed text."""
    kit.kit.vault.forget()
    key = kit.kit.vault.keys([stream]).get(stream)
    return ERASED if key is None else open_text(key, stream, path, sealed)


def entries(kit: ReadKit, customer_id: str = "k1", kinds: tuple[str, ...] = ()) -> list[customer_timeline.Entry]:
    return kit.read(lambda c: customer_timeline.timeline(c, customer_id, kinds=kinds, limit=100)).items


# --- timeline --------------------------------------------------------------------------------------------------------
def test_a_timeline_has_contacts_orders_and_notes_the_latest_first(kit: ReadKit) -> None:
    """Feature 5.3 (simple)."""
    kit.build(*ALL)
    known(kit)
    tell(kit, *call("c1", NUMBER, "k1"))
    tell(kit, *order("w1", customer="k1", contact="c1"), begin=20)
    tell(kit, ("note-c1", notes.ContactNoted(contact_id="c1", text="asks again", code="call_back")), begin=30)
    tell(kit, (WHO, people.CustomerNoted(text="likes tea")), begin=31)
    follow(kit)
    found = entries(kit)
    assert [(each.kind, each.what) for each in found] == [
        ("note", "CustomerNoted"),
        ("note", "ContactNoted"),
        ("order", "OrderDone"),
        ("order", "OrderAmended"),
        ("order", "OrderNoted"),
        ("order", "OrderAssigned"),
        ("order", "OrderOpened"),
        ("contact", "completed"),
        ("file", "CustomerProfileChanged"),
        ("file", "CustomerCreated"),
    ]
    contact = found[7]
    assert (contact.at, contact.contact_id, contact.detail.queue_id, contact.detail.agents, contact.detail.code) == (
        MORNING,
        "c1",
        "sales",
        ["a1"],
        "solved",
    )
    assert (contact.detail.talk_ms, contact.detail.connected_at) == (1_000, MORNING + 3_000_000)
    assert {each.detail.type_id for each in found if each.kind == "order"} == {"pickup"}
    assert (found[2].detail.state, found[2].detail.action, found[5].detail.assignee) == ("done", "done", "user:bo")
    for entry, path, text in (
        (found[0], "text", "likes tea"),
        (found[1], "text", "asks again"),
        (found[2], "note", "collected"),
        (found[3], "personal.address", "Nanjing Road 2"),
        (contact, "caller_number", NUMBER),
    ):
        assert opened(kit, entry.stream, path, entry.sealed[path]) == text
    assert [each.kind for each in entries(kit, kinds=("note",))] == ["note", "note"]


@pytest.mark.parametrize("limit", (1, 500))
def test_what_hangs_on_a_contact_lands_with_its_customer_though_they_are_known_only_later(
    kit: ReadKit, limit: int
) -> None:
    """Feature 5.3: note and order come first, the name of the caller after them; in one batch or in many."""
    kit.build(*ALL)
    known(kit)
    arrived, queued, identified, *rest = call("c1", NUMBER, "k1")
    tell(kit, arrived, queued, *order("w1", contact="c1")[:2])
    tell(kit, ("note-c1", notes.ContactNoted(contact_id="c1", text="who is it?")), begin=10)
    for projection in ALL:
        kit.keep_up(projection, limit=limit)
    if limit == 1:
        assert [each.kind for each in entries(kit)] == ["file", "file"]
        unowned = kit.read(lambda c: work_orders.find(c, "w1"))
        assert unowned is not None
        assert unowned.customer_id == ""
    tell(kit, identified, *rest, begin=20)
    tell(kit, *order("w1", contact="c1")[2:], begin=40)
    tell(kit, ("note-c1", notes.ContactNoted(contact_id="c1", text="Wang it was")), begin=50)
    for projection in ALL:
        kit.keep_up(projection, limit=limit)
    found = entries(kit)
    assert [each.kind for each in found] == ["note", "order", "order", "order", "note", "order", "order", "contact"] + [
        "file"
    ] * 2
    row = kit.read(lambda c: work_orders.find(c, "w1"))
    assert row is not None
    assert (row.customer_id, row.state, row.notes) == ("k1", "done", 1)


def test_a_timeline_is_read_page_by_page_and_nobody_elses_is_in_it(kit: ReadKit) -> None:
    kit.build(*ALL)
    known(kit)
    known(kit, who="customer-k2", number="+8613800138001")
    for place in range(6):
        tell(kit, *call(f"c{place}", NUMBER, f"k{place % 2 + 1}"), begin=place * 10)
    tell(kit, call("c9", "", "")[0], begin=90)
    follow(kit)
    seen: list[str] = []
    cursor = ""
    while True:
        some = kit.read(partial(customer_timeline.timeline, customer_id="k1", cursor=cursor, limit=2))
        seen += [each.entry_id for each in some.items]
        cursor = some.next_cursor
        if not cursor:
            break
    assert seen == ["contact-c4", "contact-c2", "contact-c0", f"{WHO}/2", f"{WHO}/1"]
    assert not entries(kit, "")
    with pytest.raises(Refused):
        kit.read(lambda c: customer_timeline.timeline(c, "k1", cursor="'; DROP"))


# --- customers -------------------------------------------------------------------------------------------------------
def names(kit: ReadKit, text: str, level: str = "") -> list[str]:
    found = kit.read(lambda c: customers.search(c, kit.kit.vault, text, region="CN", level=level))
    return sorted(each.customer_id for each in found.items)


def test_customers_are_found_by_name_company_and_any_number(kit: ReadKit) -> None:
    """Feature 5.1 (simple): find by any of them."""
    kit.build(*ALL)
    for who, name, number in (
        ("k1", "王芳", NUMBER),
        ("k2", "王小芳", "+8613800138001"),
        ("k3", "Anna Schmidt-Müller", "+8613800138002"),
    ):
        known(kit, name, number, f"customer-{who}")
    tell(kit, ("customer-k3", people.CustomerProfileChanged(company="上海东方快递 Ltd")))
    tell(kit, ("customer-k3", people.CustomerNumberAdded(number="+862162798000", region="CN", label="work")))
    follow(kit)
    expected = {
        "王": ["k1", "k2"],
        "王芳": ["k1"],
        "小芳": ["k2"],
        "王小芳": ["k2"],
        "芳王": [],
        "anna": ["k3"],
        "ANN": ["k3"],
        "an": [],
        "muller": ["k3"],
        "schmidt anna": ["k3"],
        "anna wang": [],
        "东方快递": ["k3"],
        "13800138000": ["k1"],
        "021 6279 8000": ["k3"],
        "+86 138 0013 8009": [],
        "": ["k1", "k2", "k3"],
    }
    assert {text: names(kit, text) for text in expected} == expected
    assert names(kit, "", level="gold") == []
    with pytest.raises(Refused, match="Write a name"):
        names(kit, "%';--")


def test_a_new_name_is_found_and_the_old_one_no_more(kit: ReadKit) -> None:
    kit.build(*ALL)
    known(kit)
    follow(kit)
    tell(kit, (WHO, people.CustomerProfileChanged(name="李娜", company="王记")))
    follow(kit)
    assert (names(kit, "王芳"), names(kit, "李娜"), names(kit, "王记")) == ([], ["k1"], ["k1"])
    tell(kit, (WHO, people.CustomerProfileChanged(company="")))
    follow(kit)
    assert names(kit, "王记") == []


def test_a_customer_shows_all_that_is_known_sealed_until_somebody_opens_it(kit: ReadKit) -> None:
    """Law 11; complaint 23: the exact person for the number."""
    kit.build(*ALL)
    known(kit)
    tell(kit, (WHO, people.CustomerNumberAdded(number="+862162798000", region="CN", label="work")))
    tell(kit, *call("c1", NUMBER, "k1"), begin=10)
    follow(kit)
    row = kit.read(lambda c: customers.find(c, "k1"))
    assert row is not None
    assert (row.level, row.contacts, row.seen_at, row.region) == ("vip", 1, MORNING + 12_000_000, "CN")
    assert opened(kit, WHO, "name", row.name) == "王芳"
    assert [opened(kit, WHO, "number", each.sealed) for each in row.numbers] == [NUMBER, "+862162798000"]
    assert [each.label for each in row.numbers] == ["", "work"]
    assert kit.read(lambda c: customers.holder(c, kit.kit.vault, "+862162798000")) == "k1"
    assert kit.read(lambda c: customers.holder(c, kit.kit.vault, "+8613800138009")) is None
    assert set(kit.read(lambda c: customers.find_many(c, ["k1", "k9"]))) == {"k1"}


def test_an_erased_customer_is_unreadable_in_every_model_and_found_in_none(kit: ReadKit) -> None:
    """Feature 5.8; law 11: destroying the key erases all copies, at once and without the model's help."""
    kit.build(*ALL)
    known(kit)
    tell(kit, *call("c1", NUMBER, "k1"))
    tell(kit, *order("w1", contact="c1"), begin=20)
    tell(kit, ("note-c1", notes.ContactNoted(contact_id="c1", text="asks again")), begin=30)
    follow(kit)
    assert names(kit, "王芳") == ["k1"]
    kit.kit.desk.erase(WHO)
    assert names(kit, "王芳") == names(kit, NUMBER) == names(kit, "") == []
    for entry in entries(kit):
        for path, sealed in entry.sealed.items():
            assert opened(kit, entry.stream, path, sealed) == ERASED
    row = kit.read(lambda c: work_orders.find(c, "w1"))
    assert row is not None
    assert {opened(kit, "order-w1", path, sealed) for path, sealed in row.sealed.items()} == {ERASED}
    assert kit.rows(CUSTOMERS)["customers_words"]
    tell(kit, (WHO, people.CustomerErased()), begin=40)
    follow(kit)
    assert not kit.rows(CUSTOMERS)["customers_words"]
    live = {projection.name: kit.rows(projection) for projection in ALL}
    kit.build(*ALL)
    assert {projection.name: kit.rows(projection) for projection in ALL} == live


def test_no_name_number_or_text_stands_in_any_table(kit: ReadKit) -> None:
    """Law 11."""
    kit.build(*ALL)
    known(kit, name="Wangfang")
    tell(kit, *call("c1", NUMBER, "k1"), *order("w1", customer="k1"))
    tell(kit, ("note-c1", notes.ContactNoted(contact_id="c1", text="asks again")), begin=30)
    follow(kit)
    everything = "".join(str(kit.rows(projection)) for projection in ALL)
    for secret in (NUMBER, "13800138000", "angfang", "Nanjing", "trolley", "collected", "asks again"):
        assert secret not in everything


# --- orders ----------------------------------------------------------------------------------------------------------
def test_the_board_lists_orders_by_what_they_are_and_whose(kit: ReadKit) -> None:
    """Feature 6.1 (simple)."""
    kit.build(*ALL)
    known(kit)
    tell(kit, ("ordertype-pickup", PICKUP))
    tell(kit, *order("w1", customer="k1"), begin=10)
    tell(kit, *order("w2", customer="k1")[:2], begin=20)
    tell(kit, *order("w3")[:1], begin=30)
    follow(kit)

    def ids(wanted: work_orders.Search, *, oldest_first: bool = False) -> list[str]:
        found = kit.read(lambda c: work_orders.search(c, wanted, oldest_first=oldest_first))
        return [each.order_id for each in found.items]

    assert ids(work_orders.Search()) == ["w3", "w2", "w1"]
    assert ids(work_orders.Search(), oldest_first=True) == ["w1", "w2", "w3"]
    assert ids(work_orders.Search(kind="open")) == ["w3", "w2"]
    assert ids(work_orders.Search(state="assigned")) == ["w2"]
    assert ids(work_orders.Search(assignees=("user:bo", "role:back_office"))) == ["w2", "w1"]
    assert ids(work_orders.Search(unassigned=True)) == ["w3"]
    assert ids(work_orders.Search(customer_id="k1", kind="open")) == ["w2"]
    assert ids(work_orders.Search(type_id="delivery")) == []
    assert ids(work_orders.Search(since=MORNING + 20_000_000, until=MORNING + 30_000_000)) == ["w2"]
    assert kit.read(work_orders.counts) == [
        work_orders.Count("pickup", "assigned", "open", 1),
        work_orders.Count("pickup", "open", "open", 1),
    ]
    (kind,) = kit.read(work_orders.types).values()
    assert (kind.type_id, kind.settings, kind.open) == ("pickup", PICKUP, True)


def test_one_order_is_told_with_its_history_and_found_by_what_people_call_it(kit: ReadKit) -> None:
    """Feature 6.1 (simple)."""
    kit.build(*ALL)
    ident = "7f3a21c9-5a5a-4b4b-8c8c-9d9d9d9d9d9d"
    tell(kit, *order(ident))
    follow(kit)
    for reference in ("7F3A-21C9", "7f3a21c9", " 7F3A21C9"):
        (found,) = kit.read(partial(work_orders.search, wanted=work_orders.Search(reference=reference))).items
        assert (found.order_id, found.reference) == (ident, "7F3A-21C9")
    steps = kit.read(lambda c: work_orders.history(c, ident)).items
    assert [(each.version, each.what, each.state) for each in steps] == [
        (1, "OrderOpened", "open"),
        (2, "OrderAssigned", "assigned"),
        (3, "OrderNoted", "assigned"),
        (4, "OrderAmended", "assigned"),
        (5, "OrderDone", "done"),
    ]
    assert {each.actor for each in steps} == {"agent:ann"}
    assert opened(kit, f"order-{ident}", "note", steps[4].sealed["note"]) == "collected"
    row = kit.read(lambda c: work_orders.find(c, ident))
    assert row is not None
    assert (row.fields, row.since, row.changed_at) == ({}, MORNING + 4_000_000, MORNING + 4_000_000)
    assert opened(kit, f"order-{ident}", "personal.address", row.sealed["personal.address"]) == "Nanjing Road 2"


# --- all of them -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", (1, 2, 3))
def test_what_was_followed_in_any_batches_equals_what_is_built_anew(kit: ReadKit, seed: int) -> None:
    """Law 7: rebuild equals live, whatever the batches were cut like; and a batch folded twice changes nothing."""
    dice = Random(seed)
    kit.build(*ALL)
    records = lives(seed)
    while records:
        count = dice.randrange(1, 40)
        kit.store(records[:count])
        del records[:count]
        for projection in ALL:
            if dice.random() < 0.6:
                kit.keep_up(projection, limit=dice.randrange(1, 60))
    follow(kit)
    live = {projection.name: kit.rows(projection) for projection in ALL}
    assert all(live.values())
    for projection in ALL:
        assert run_batch(kit.connection, projection, Feed(kit.log), kit.site)[0] == 0
    kit.build(*ALL)
    assert {projection.name: kit.rows(projection) for projection in ALL} == live
    assert all(each.customer_id for each in kit.read(lambda c: work_orders.search(c, work_orders.Search())).items)


def test_a_batch_that_breaks_leaves_nothing_and_is_folded_whole_afterwards(kit: ReadKit) -> None:
    """Law 7: rows and position together."""
    kit.build(*ALL)
    kit.store(lives(5, customers=3))
    for projection in ALL:
        before = (kit.rows(projection), kit.position(projection))
        with pytest.raises(Died):
            run_batch(kit.connection, replace(projection, apply=_dying(projection)), Feed(kit.log), kit.site)
        assert (kit.rows(projection), kit.position(projection)) == before
    follow(kit)
    live = {projection.name: kit.rows(projection) for projection in ALL}
    kit.build(*ALL)
    assert {projection.name: kit.rows(projection) for projection in ALL} == live


class Died(Exception):
    """The process ends in the middle of a batch."""


def _dying(projection: Projection) -> Callable[[Batch], None]:
    def apply(batch: Batch) -> None:
        projection.apply(batch)
        raise Died

    return apply


def test_an_event_of_a_contact_that_began_before_the_log_is_left_alone(kit: ReadKit) -> None:
    """An event without its beginning (a restored part of a log) makes no half rows."""
    kit.build(*ALL)
    kit.tell("contact-c1", contacts.ContactIdentified(customer_id="k1"))
    kit.tell("contact-c1", contacts.ContactEnded(reason="completed", phase="connected"))
    follow(kit)
    assert not entries(kit)
