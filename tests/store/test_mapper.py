"""Events as bytes and back: names, versions, upcasting, and what this code does not know."""

import json
from typing import Any

import pytest

from orchestrator.domain.catalogue import CATALOGUE, Entry
from orchestrator.domain.kernel import Event, Instant, Personal, Provenance, UnknownEvent
from orchestrator.store import Corrupt, DeskWriter, Log, WrongKind
from orchestrator.store.mapper import LedgerMapper
from tests.store.kit import CallTaken, CustomerMade, Kit, catalogue, notes, record


class CustomerMadeOnce(Event, frozen=True, kw_only=True):
    """How customers looked at first: one name, and a number as a number."""

    full_name: Personal
    age: int = 0


class CustomerMadeThrice(Event, frozen=True, kw_only=True):
    """How they look now."""

    first: Personal
    last: Personal
    born: int


def _born(body: dict[str, Any]) -> dict[str, Any]:
    age = body.pop("age", 0)
    return {**body, "born": 2026 - age}


def _two_names(body: dict[str, Any]) -> dict[str, Any]:
    first, _, last = body.pop("full_name").partition(" ")
    return {**body, "first": first, "last": last}


OLD = catalogue(Entry(name="CustomerMade", cls=CustomerMadeOnce, kind="customer"))
NEW = catalogue(
    Entry(name="CustomerMade", cls=CustomerMadeThrice, kind="customer", version=3, upcasters=(_born, _two_names))
)


def test_an_old_event_with_sealed_fields_that_no_class_knows_any_more_comes_as_todays(kit: Kit) -> None:
    """The text is opened by what the row says of itself, then brought through every version."""
    desk = DeskWriter(kit.source, kit.vault, catalogue=OLD)
    desk.append_desk([record("customer-1", 1, CustomerMadeOnce(full_name="Ming Wang", age=40))])
    today = Log(kit.source, catalogue=NEW, vault=kit.vault)
    assert next(today.history()).event == CustomerMadeThrice(first="Ming", last="Wang", born=1986)
    desk = DeskWriter(kit.source, kit.vault, catalogue=NEW)
    desk.append_desk([record("customer-1", 2, CustomerMadeThrice(first="A", last="B", born=1))])
    assert [each.event for each in today.stream("customer-1")][1] == CustomerMadeThrice(first="A", last="B", born=1)
    assert next(each.event for each in Log(kit.source, catalogue=NEW).history()) == CustomerMadeThrice(
        first="‹sealed›", last="", born=1986
    )


def test_names_and_versions_that_this_code_does_not_know_are_kept_and_shown(kit: Kit) -> None:
    DeskWriter(kit.source, kit.vault, catalogue=NEW).append_desk(
        [record("customer-1", 1, CustomerMadeThrice(first="A", last="B", born=1), event_id="e-1", at=9)]
    )
    kit.desk.append_desk(notes("customer-1", 2))
    older = Log(kit.source, catalogue=OLD, vault=kit.vault)
    first, second = older.history()
    assert isinstance(first.event, UnknownEvent)
    assert (first.event.name, first.event.version) == ("CustomerMade", 3)
    assert json.loads(first.event.body)["born"] == 1
    assert (first.event_id, first.about.at) == ("e-1", 9_000_000)
    assert isinstance(second.event, UnknownEvent)
    assert (second.event.name, second.event.version, second.event.body) == (
        "NoteWritten",
        1,
        b'{"text":"customer-1/2"}',
    )


def test_an_unknown_event_cannot_be_stored_again(kit: Kit) -> None:
    with pytest.raises(WrongKind, match="not in the catalogue"):
        kit.desk.append_desk([record("customer-1", 1, UnknownEvent(name="X", version=1, body=b"{}"))])


def test_the_stored_form_names_no_module_and_can_be_read_with_sql(kit: Kit) -> None:
    kit.desk.append_desk(notes("customer-1", 1))
    with kit.source.borrow() as connection:
        row = connection.execute(
            "SELECT topic, convert_from(state, 'UTF8')::jsonb -> 'event' ->> 'text' FROM ringledger_events"
        ).fetchone()
    assert row == ("NoteWritten.v1", "customer-1/1")


def test_provenance_comes_back_whole(kit: Kit) -> None:
    about = Provenance(
        at=Instant(1),
        actor="agent:7",
        origin="switch",
        node="n1",
        switch_at=Instant(2),
        causation="i-1",
        correlation="contact-1",
        trace="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    mine = notes("customer-1", 1)[0]
    mine = type(mine)(stream=mine.stream, version=1, event=mine.event, event_id="e", about=about)
    kit.desk.append_desk([mine])
    assert next(kit.log.history()).about == about


def test_a_catalogue_whose_upcasters_do_not_add_up_is_refused_at_the_start() -> None:
    for upcasters in ((), (_born,), (_born, _two_names, _born)):
        with pytest.raises(ValueError, match="upcasters"):
            LedgerMapper(
                catalogue(Entry(name="X", cls=CustomerMadeThrice, kind="customer", version=3, upcasters=upcasters))
            )


def test_an_upcaster_that_fails_names_the_row() -> None:
    def broken(body: dict[str, Any]) -> dict[str, Any]:
        return {"born": body["nothing"]}

    mapper = LedgerMapper(
        catalogue(Entry(name="X", cls=CustomerMadeThrice, kind="customer", version=2, upcasters=(broken,)))
    )
    with pytest.raises(Corrupt, match=r"X\.v1 at customer-1 version 4, position 9"):
        mapper.record("customer-1", 4, "X.v1", b'{"id":"e","about":{"at":1},"event":{}}', position=9)


@pytest.mark.parametrize("topic", ("CallTaken", "CallTaken.v0", "CallTaken.v2", "CallTaken.vx", "", "os:system"))
def test_odd_topics_are_unknown_events_and_nothing_is_imported(topic: str) -> None:
    found = LedgerMapper(catalogue(Entry(name="CallTaken", cls=CallTaken, kind="contact"))).record(
        "contact-1", 1, topic, b'{"id":"e","about":{"at":1},"event":{"note":"x"}}'
    )
    assert isinstance(found.event, UnknownEvent)


@pytest.mark.parametrize("state", (b"", b"{}", b"[]", b'{"id":"e"}', b'{"id":"e","about":{"at":1},"event":{"note":1}}'))
def test_a_row_that_makes_no_sense_is_corrupt_and_not_a_wrong_event(state: bytes) -> None:
    with pytest.raises(Corrupt):
        LedgerMapper(catalogue(Entry(name="CallTaken", cls=CallTaken, kind="contact"))).record(
            "contact-1", 1, "CallTaken.v1", state
        )


def test_the_librarys_own_tools_are_not_given_personal_text_to_store() -> None:
    mapper = LedgerMapper(catalogue(Entry(name="CustomerMade", cls=CustomerMade, kind="customer")))
    with pytest.raises(WrongKind, match="personal"):
        mapper.to_stored_event(record("customer-1", 1, CustomerMade(name="Wang")))


def test_the_products_catalogue_can_be_stored() -> None:
    """Every listed event's shape is understood, its personal fields found."""
    LedgerMapper(CATALOGUE)
