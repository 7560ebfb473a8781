"""Personal text in the log: sealed at the store's edge, found by its hash, erased with its key (law 11)."""

import base64
import threading
from pathlib import Path

import psycopg
import pytest

from orchestrator.domain.kernel import Event
from orchestrator.store import Corrupt, DeskWriter, KeyShelf, Log
from orchestrator.vault import ERASED, SEALED, KeyFileMissing, Tampered, Vault
from tests.postgres import Database
from tests.store.kit import NAME, NUMBER, CallIdentified, CallTaken, CustomerMade, Kit, Phone, record, take_lease

OTHER = "+8613900139000"


def customer(number: str = "1") -> Event:
    return CustomerMade(name=NAME, number=NUMBER, others=(Phone(OTHER, "home"), Phone("")), nick="Ming")


def a_call(kit: Kit, contact: str = "contact-1", customer_id: str = "1") -> None:
    """A call is taken, its caller found to be a new customer, and something more is said."""
    writer = kit.writer()
    writer.append_live([record(contact, 1, CallTaken(number=NUMBER, name=NAME, note="plain"))])
    kit.desk.append_desk([record(f"customer-{customer_id}", 1, customer())])
    writer.append_live([record(contact, 2, CallIdentified(customer_id=customer_id))])
    writer.append_live([record(contact, 3, CallTaken(name=NAME + " again"))])
    writer.close()


def everything_stored(database: Database) -> bytes:
    """All that a thief of the disk would see: every row of every table in every form, and a dump."""
    seen = b""
    with psycopg.connect(database.admin, autocommit=True) as admin:
        admin.execute("CHECKPOINT")
        files = "SELECT oid::regclass::text, pg_relation_filepath(oid), current_setting('data_directory') FROM pg_class"
        for table, path, base in admin.execute(
            f"{files} WHERE relkind = 'r' AND relname LIKE 'ringledger%'"
        ).fetchall():
            with admin.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copied:
                seen += b"".join(bytes(block) for block in copied)
            seen += Path(base, path).read_bytes()
    return seen


def forms(text: str) -> set[bytes]:
    """The text as it might lie somewhere: plain, and its encodings."""
    raw = text.encode()
    return {raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), raw[::-1], text.lstrip("+").encode()}


def test_no_name_and_no_number_is_anywhere_in_the_database(kit: Kit) -> None:
    a_call(kit)
    stored = everything_stored(kit.database)
    assert b"plain" in stored, "what is not personal can be read"
    for text in (NAME, NUMBER, OTHER, "Ming", NAME + " again"):
        for form in forms(text):
            assert form not in stored, f"{form!r} stands in the database"


def test_those_with_the_keys_read_it_and_those_without_read_a_mark(kit: Kit) -> None:
    a_call(kit)
    events = [each.event for each in kit.log.history()]
    assert events[0] == CallTaken(number=NUMBER, name=NAME, note="plain")
    assert events[1] == customer()
    blind = [each.event for each in kit.blind_log.history()]
    assert blind[0] == CallTaken(number=SEALED, name=SEALED, note="plain")
    assert blind[1] == CustomerMade(name=SEALED, number=SEALED, others=(Phone(SEALED, "home"), Phone("")), nick=SEALED)
    assert next(each.event for each in kit.blind_log.stream("contact-1")) == blind[0]


def test_empty_personal_fields_need_no_key(kit: Kit) -> None:
    writer = kit.writer()
    writer.append_live([record("contact-1", 1, CallTaken(note="withheld number"))])
    assert keys(kit) == {}
    assert [each.event for each in kit.blind_log.history()] == [CallTaken(note="withheld number")]


def keys(kit: Kit) -> dict[str, tuple[str | None, bool]]:
    with psycopg.connect(kit.database.admin) as admin:
        rows = admin.execute("SELECT subject, parent, wrapped IS NOT NULL FROM ringledger_keys").fetchall()
    return {str(subject): (parent, there) for subject, parent, there in rows}


def test_a_contact_starts_under_a_key_of_its_own_and_hangs_under_its_customers_once_known(kit: Kit) -> None:
    writer = kit.writer()
    writer.append_live([record("contact-1", 1, CallTaken(name=NAME))])
    assert keys(kit) == {"contact-1": (None, True)}
    writer.append_live([record("contact-1", 2, CallIdentified(customer_id="1"))])
    assert keys(kit) == {"contact-1": ("customer-1", True), "customer-1": (None, True)}
    kit.desk.append_desk([record("customer-1", 1, customer())])
    assert keys(kit) == {"contact-1": ("customer-1", True), "customer-1": (None, True)}
    fresh = Log(kit.source, catalogue=kit.entries, vault=Vault.unlock(kit.kek, KeyShelf(kit.source)))
    assert [each.event for each in fresh.history()] == [
        CallTaken(name=NAME),
        CallIdentified(customer_id="1"),
        customer(),
    ]


def test_taken_and_identified_in_one_submission_makes_both_keys_at_once(kit: Kit) -> None:
    kit.writer().append_live(
        [record("contact-1", 1, CallTaken(name=NAME)), record("contact-1", 2, CallIdentified(customer_id="9"))]
    )
    assert keys(kit) == {"contact-1": ("customer-9", True), "customer-9": (None, True)}


def test_a_contact_without_personal_text_is_hung_too_so_that_what_comes_later_can_be_erased(kit: Kit) -> None:
    writer = kit.writer()
    writer.append_live([record("contact-1", 1, CallTaken()), record("contact-1", 2, CallIdentified(customer_id="9"))])
    writer.append_live([record("contact-1", 3, CallTaken(name=NAME))])
    assert keys(kit)["contact-1"] == ("customer-9", True)
    kit.desk.erase("customer-9")
    assert [each.event for each in kit.log.stream("contact-1")][-1] == CallTaken(name=ERASED)


def test_erasing_a_customer_makes_all_that_was_said_by_and_of_them_unreadable_and_leaves_the_log_alone(
    kit: Kit,
) -> None:
    a_call(kit)
    a_call(kit, "contact-2", "2")
    with psycopg.connect(kit.database.admin) as admin:
        before = admin.execute("SELECT * FROM ringledger_events ORDER BY notification_id").fetchall()
        hit = kit.desk.erase("customer-1")
        assert sorted(hit) == ["contact-1", "customer-1"]
        assert admin.execute("SELECT * FROM ringledger_events ORDER BY notification_id").fetchall() == before
    assert [each.event for each in kit.log.stream("contact-1")] == [
        CallTaken(number=ERASED, name=ERASED, note="plain"),
        CallIdentified(customer_id="1"),
        CallTaken(name=ERASED),
    ]
    assert [each.event for each in kit.log.stream("customer-1")] == [
        CustomerMade(name=ERASED, number=ERASED, others=(Phone(ERASED, "home"), Phone("")), nick=ERASED)
    ]
    assert next(iter(kit.log.stream("contact-2"))).event == CallTaken(number=NUMBER, name=NAME, note="plain")
    assert kit.log.find_by_blind_index(kit.vault.token("number", NUMBER)) == ["customer-2"]
    assert kit.desk.erase("customer-1") == hit, "again changes nothing"


def test_what_is_said_after_an_erasure_is_not_kept_either(kit: Kit) -> None:
    a_call(kit)
    kit.desk.erase("customer-1")
    writer = kit.writer(take_lease(kit.database.writer, epoch=2))
    writer.append_live([record("contact-1", 4, CallTaken(name=NAME))])
    writer.append_live([record("contact-5", 1, CallTaken(name=NAME))])
    writer.append_live([record("contact-5", 2, CallIdentified(customer_id="1"))])
    assert [each.event for each in kit.log.stream("contact-1")][-1] == CallTaken(name=ERASED)
    kit.vault.forget()
    assert next(iter(kit.log.stream("contact-5"))).event == CallTaken(name=ERASED)


def test_a_subject_that_was_never_heard_of_can_be_erased_in_advance(kit: Kit) -> None:
    assert kit.desk.erase("customer-1") == ["customer-1"]
    kit.desk.append_desk([record("customer-1", 1, customer())])
    assert next(kit.log.history()).event == CustomerMade(
        name=ERASED, number=ERASED, others=(Phone(ERASED, "home"), Phone("")), nick=ERASED
    )


def test_a_number_is_found_by_its_token_whatever_field_of_the_customer_it_stands_in(kit: Kit) -> None:
    kit.desk.append_desk([record("customer-1", 1, customer())])
    kit.desk.append_desk([record("customer-2", 1, CustomerMade(name="Li", number=OTHER))])
    assert kit.log.find_by_blind_index(kit.vault.token("number", NUMBER)) == ["customer-1"]
    assert kit.log.find_by_blind_index(kit.vault.token("number", OTHER)) == ["customer-1", "customer-2"]
    assert kit.log.find_by_blind_index(kit.vault.token("number", "+861")) == []
    assert kit.log.find_by_blind_index(kit.vault.token("mail", NUMBER), "mail") == []


def test_two_processes_that_make_the_same_key_at_once_agree_on_one(kit: Kit) -> None:
    """The desk makes the customer while the live writer hangs a contact under it; each believes that it is first."""
    writer = kit.writer()
    other_source = kit.another_source(kit.database.writer)
    for number in range(30):
        desk = DeskWriter(other_source, Vault.unlock(kit.kek, KeyShelf(other_source)), catalogue=kit.entries)
        barrier = threading.Barrier(2)

        def make(number: int = number, desk: DeskWriter = desk, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            desk.append_desk([record(f"customer-{number}", 1, customer())])

        thread = threading.Thread(target=make)
        thread.start()
        barrier.wait()
        writer.append_live(
            [
                record(f"contact-{number}", 1, CallTaken(name=NAME)),
                record(f"contact-{number}", 2, CallIdentified(customer_id=str(number))),
            ]
        )
        thread.join()
    fresh = Log(kit.source, catalogue=kit.entries, vault=Vault.unlock(kit.kek, KeyShelf(kit.source)))
    read = [each.event for each in fresh.history()]
    assert read.count(CallTaken(name=NAME)) == 30
    assert read.count(customer()) == 30


def test_sealed_text_moved_to_another_stream_by_a_hand_in_the_database_is_noticed(kit: Kit) -> None:
    kit.writer().append_live([record("contact-1", 1, CallTaken(name=NAME))])
    with psycopg.connect(kit.database.writer) as hand:
        hand.execute(
            "INSERT INTO ringledger_events (originator_id, originator_version, topic, state)"
            " SELECT 'contact-2', 1, topic, state FROM ringledger_events"
        )
        hand.execute("INSERT INTO ringledger_keys (subject, wrapped) SELECT 'contact-2', wrapped FROM ringledger_keys")
    assert len(list(kit.blind_log.history())) == 2
    with pytest.raises(Tampered, match="does not fit"):
        list(kit.log.history())


def test_a_damaged_row_is_named_without_showing_its_content(kit: Kit) -> None:
    kit.writer().append_live([record("contact-1", 1, CallTaken(note="fine"))])
    with psycopg.connect(kit.database.writer) as hand:
        hand.execute(
            "INSERT INTO ringledger_events (originator_id, originator_version, topic, state)"
            " SELECT originator_id, 2, topic, convert_to(%s, 'UTF8') FROM ringledger_events",
            ('{"id":"x","about":{"at":1},"event":{"note":7}}',),
        )
    with pytest.raises(Corrupt, match=r"CallTaken\.v1 at contact-1 version 2, position 2, is unreadable"):
        list(kit.log.history())


def test_a_key_file_lost_while_the_database_has_keys_stops_the_start(kit: Kit) -> None:
    a_call(kit)
    kit.kek.rename(kit.kek.with_name("elsewhere"))
    with pytest.raises(KeyFileMissing):
        Vault.unlock(kit.kek, KeyShelf(kit.source))
