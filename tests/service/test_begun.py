"""Forms that somebody began about a contact: kept sealed, by version, for hours; sent once, and then gone."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, suppress
from typing import Any

import psycopg
import pytest

from orchestrator.domain.contacts.events import ContactArrived, ContactIdentified
from orchestrator.domain.kernel import Event, Instant, Provenance, Record, Refused
from orchestrator.service.begun import DROPPED, KEPT_S, NOTE, ORDER, BegunForms, Moved, Words
from orchestrator.store import Source
from tests.service.test_work import call
from tests.store.kit import Kit, take_lease

PICKUP = Words(type="pickup", fields={"address": "Nanjing Road 1", "parcels": "2"})


@pytest.fixture
def begun(kit: Kit) -> Iterator[BegunForms]:
    call(kit, "c1")
    with closing(Source(kit.database.writer)) as source:
        yield BegunForms(source, kit.vault)


def keep(begun: BegunForms, words: Words = PICKUP, *, by: str = "ann", page: str = "p1", **seen: Any) -> int:  # noqa: ANN401 - key and version
    """Kept as a page does it, of the order form with the key k1."""
    given = {"key": "k1", "version": 0, **seen}
    return begun.keep("c1", ORDER, words, by=by, page=page, **given)


def sending(begun: BegunForms, **seen: Any) -> AbstractContextManager[None]:  # noqa: ANN401 - as `keep`
    """Sent as a page does it."""
    return begun.sending("c1", ORDER, **{"key": "k1", "version": 0, "by": "ann", "page": "p1", **seen})


def moved(begun: BegunForms, **seen: Any) -> Moved:  # noqa: ANN401 - as `keep`
    with pytest.raises(Moved) as found:
        keep(begun, **seen)
    return found.value


def rows(kit: Kit) -> list[tuple[Any, ...]]:
    with psycopg.connect(kit.database.writer) as connection:
        return connection.execute("SELECT ended, sealed_under, words FROM web.begun").fetchall()


def test_what_one_agent_types_is_there_for_the_next_with_who_began_it(begun: BegunForms) -> None:
    """Feature 4.4: the open form moves with the call."""
    assert begun.find("c1", ORDER) is None
    assert keep(begun) == 1
    assert keep(begun, version=1) == 2
    found = begun.find("c1", ORDER)
    assert found is not None
    assert (found.words, found.begun_by, found.version, found.ended) == (PICKUP, "ann", 2, "")
    more = Words(type="pickup", fields={"address": "Nanjing Road 12"})
    assert keep(begun, more, by="bob", page="p2", version=2) == 3
    found = begun.find("c1", ORDER)
    assert found is not None
    assert (found.words, found.begun_by, found.typed_by) == (more, "ann", "bob")
    assert begun.find("c1", NOTE) is None


def test_of_two_who_type_at_once_the_second_is_told_and_nothing_is_overwritten(begun: BegunForms) -> None:
    """Two agents, two windows of one; and a save whose answer was lost, which is nobody else's."""
    keep(begun)
    assert keep(begun, version=0) == 2, "the same page has seen what it wrote itself"
    for by, page in (("bob", "p2"), ("ann", "p3")):
        now = moved(begun, by=by, page=page, version=1).now
        assert (now.typed_by, now.version, now.words) == ("ann", 2, PICKUP)
    assert keep(begun, by="bob", page="p2", version=2) == 3
    assert moved(begun, version=2).now.typed_by == "bob"


def test_nothing_of_it_is_in_the_clear_and_it_goes_with_its_person(kit: Kit, begun: BegunForms) -> None:
    """Law 11: sealed under the contact's key; after an erasure nothing can be read, and nothing more is kept."""
    keep(begun)
    ((_, under, words),) = rows(kit)
    assert under == "contact"
    assert b"Nanjing" not in bytes(words)
    kit.desk.erase("contact-c1")
    kit.vault.forget()
    found = begun.find("c1", ORDER)
    assert found is not None
    assert found.words == Words()
    with pytest.raises(Refused) as refused:
        keep(begun, version=1)
    assert refused.value.code == "customer_erased"


def test_what_is_typed_of_somebody_who_is_not_known_yet_goes_with_them_too(kit: Kit, begun: BegunForms) -> None:
    """Law 11: a contact without anything personal gets a key for it, which the erasure of who it was destroys."""
    withheld = ContactArrived(node="sw1", leg="l9", dialled="4000", caller_number="")
    append(kit, "c9", 1, withheld)
    begun.keep("c9", NOTE, Words(fields={"note": "withheld"}), key="k", version=0, by="ann", page="p1")
    assert [(under, b"withheld" in bytes(words)) for _, under, words in rows(kit)] == [("contact", False)]
    found = begun.find("c9", NOTE)
    assert found is not None
    assert found.words.fields == {"note": "withheld"}
    append(kit, "c9", 2, ContactIdentified(customer_id="wang"))
    kit.desk.erase("customer-wang")
    kit.vault.forget()
    found = begun.find("c9", NOTE)
    assert found is not None
    assert found.words == Words()


def append(kit: Kit, contact_id: str, version: int, event: Event) -> None:
    """What the engine records of a contact."""
    stream = f"contact-{contact_id}"
    about = Provenance(at=Instant(version * 1_000_000), correlation=stream)
    record = Record(stream=stream, version=version, event=event, event_id=f"{contact_id}/{version}", about=about)
    kit.writer(take_lease(kit.database.writer, epoch=version + 1)).append_live([record])


def test_a_form_that_was_sent_or_thrown_away_leaves_nothing_and_whoever_has_it_open_is_told(
    kit: Kit, begun: BegunForms
) -> None:
    keep(begun)
    with sending(begun, version=1, by="bob"):
        pass
    assert [(ended, words) for ended, _, words in rows(kit)] == [("sent", None)]
    now = moved(begun, version=1).now
    assert (now.ended, now.typed_by) == ("sent", "bob")
    with pytest.raises(Moved), sending(begun, version=2):
        pass
    with sending(begun, version=1, by="bob"):
        pass  # what reached the server though its answer was lost
    assert keep(begun, key="k2", version=2) == 3, "the next form about the same contact"
    begun.end("c1", ORDER, "k1", DROPPED, by="ann", page="p1")
    found = begun.find("c1", ORDER)
    assert found is not None
    assert (found.key, found.ended) == ("k2", ""), "the one before does not end it"
    begun.end("c1", ORDER, "k2", DROPPED, by="ann", page="p1")
    assert [(ended, words) for ended, _, words in rows(kit)] == [("dropped", None)]


def test_a_form_whose_sending_was_refused_is_still_there(begun: BegunForms) -> None:
    keep(begun)
    with pytest.raises(Refused), sending(begun, version=1):
        raise Refused("bad_fields", "Address: needed.")
    found = begun.find("c1", ORDER)
    assert found is not None
    assert (found.words, found.ended) == (PICKUP, "")


def test_of_two_windows_one_sends(begun: BegunForms) -> None:
    """Of one agent too, with the same form in both, with two that were never kept, or with the next one after it."""
    keep(begun)
    with sending(begun, version=1):
        pass
    with pytest.raises(Moved) as same, sending(begun, version=1, page="p2"):
        pass
    assert (same.value.now.ended, same.value.now.typed_by) == ("sent", "ann")
    with sending(begun, key="k2", version=2):
        pass
    with pytest.raises(Moved), sending(begun, key="k3", version=2, page="p2"):
        pass
    assert keep(begun, key="k4", version=3, page="p2") == 4
    with pytest.raises(Moved) as open_elsewhere, sending(begun, key="k5", version=3):
        pass
    assert open_elsewhere.value.now.ended == ""


@pytest.mark.parametrize(("refused", "sent"), ((False, ["p1"]), (True, ["p2"])))
def test_of_two_who_send_at_once_what_neither_kept_one_does(
    begun: BegunForms, *, refused: bool, sent: list[str]
) -> None:
    """The second waits until the first has sent; where the first was refused it is the second who sends."""
    done: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait(30)
        with suppress(Moved), sending(begun, key="b", page="p2"):
            done.append("p2")

    other = threading.Thread(target=second)
    other.start()
    with suppress(Refused), sending(begun, key="a"):
        inside.set()
        if refused:
            raise Refused("bad_fields", "Address: needed.")
        done.append("p1")
    other.join(30)
    assert done == sent


def test_what_nobody_took_up_is_gone_after_hours(kit: Kit, begun: BegunForms) -> None:
    keep(begun)
    with psycopg.connect(kit.database.writer) as connection:
        connection.execute("UPDATE web.begun SET typed_at = typed_at - make_interval(secs => %s)", (KEPT_S + 1,))
    assert begun.find("c1", ORDER) is None
    assert rows(kit) == []
    assert keep(begun, version=1) == 1, "whoever still has it open begins it anew"


def test_more_than_a_form_holds_is_refused(begun: BegunForms) -> None:
    for fields in ({"address": "x" * 70_000}, {str(number): "" for number in range(101)}):
        with pytest.raises(Refused) as refused:
            keep(begun, Words(fields=fields))
        assert refused.value.code == "too_long"
