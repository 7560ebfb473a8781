"""The tables: made once, guarded against change, as the library would have made them."""

import psycopg
import pytest

from orchestrator.store import Away, SchemaMismatch, Source, schema
from orchestrator.store.library import PostgresApplicationRecorder, PostgresDatastore
from tests.postgres import Database
from tests.store.kit import Kit, notes


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def test_creating_twice_changes_nothing_and_the_version_is_checked(empty_database: Database) -> None:
    source = Source(empty_database.writer)
    with pytest.raises(SchemaMismatch, match="version 0"):
        schema.check(source)
    first = schema.create(empty_database.owner, admin_url=empty_database.admin)
    assert (first.before, first.after, first.guarded) == (0, schema.VERSION, True)
    second = schema.create(empty_database.owner, admin_url=empty_database.admin)
    assert (second.before, second.after) == (schema.VERSION, schema.VERSION)
    schema.check(source)
    source.close()


def test_without_a_superuser_everything_but_the_guard_against_drop_is_made(empty_database: Database) -> None:
    assert not schema.create(empty_database.owner).guarded
    source = Source(empty_database.writer)
    schema.check(source)
    source.close()


def test_a_database_of_a_newer_program_is_refused_with_advice_and_not_touched(database: Database) -> None:
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute("UPDATE ringledger_meta SET value = '999' WHERE name = 'schema_version'")
    with pytest.raises(SchemaMismatch, match=r"newer Ringledger.*Run the newer program"):
        schema.create(database.owner)
    source = Source(database.writer)
    with pytest.raises(SchemaMismatch, match="newer Ringledger"):
        schema.check(source)
    source.close()
    assert rows(database.owner, "SELECT value FROM ringledger_meta WHERE name = 'schema_version'") == [("999",)]


def test_an_absent_database_is_named_so() -> None:
    with pytest.raises(Away, match="does not answer"):
        schema.create("postgresql://nobody@/nothing?host=/nonexistent")


CHANGES = (
    "UPDATE ringledger_events SET topic = 'other'",
    "UPDATE ringledger_events SET topic = 'other' WHERE false",
    "DELETE FROM ringledger_events",
    "TRUNCATE ringledger_events",
    (
        "INSERT INTO ringledger_events SELECT * FROM ringledger_events"
        " ON CONFLICT (originator_id, originator_version) DO UPDATE SET topic = 'other'"
    ),
)


@pytest.mark.parametrize("role", ("writer", "reader", "owner", "admin"))
@pytest.mark.parametrize("change", CHANGES)
def test_nobody_changes_what_is_stored(kit: Kit, role: str, change: str) -> None:
    kit.desk.append_desk(notes("customer-a", 1))
    before = rows(kit.database.admin, "SELECT * FROM ringledger_events")
    with psycopg.connect(getattr(kit.database, role)) as connection, pytest.raises(psycopg.Error) as raised:
        connection.execute(change)
    assert raised.value.sqlstate in {"RL003", "42501"}
    if role in {"owner", "admin"}:
        assert "append-only" in str(raised.value)
    assert rows(kit.database.admin, "SELECT * FROM ringledger_events") == before


@pytest.mark.parametrize("role", ("owner", "admin"))
@pytest.mark.parametrize(
    "change",
    (
        "DROP TABLE ringledger_events",
        "DROP TABLE ringledger_events CASCADE",
        "DROP TRIGGER ringledger_append_only ON ringledger_events",
        "DROP FUNCTION ringledger_refuse_change CASCADE",
        "ALTER TABLE ringledger_events DISABLE TRIGGER ringledger_append_only",
        "ALTER TABLE ringledger_events ADD COLUMN more int",
        "ALTER TABLE ringledger_events RENAME TO gone",
        "CREATE RULE quiet AS ON INSERT TO ringledger_events DO INSTEAD NOTHING",
        (
            "CREATE OR REPLACE FUNCTION ringledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN RETURN NEW; END'"
        ),
    ),
)
def test_even_the_owner_does_not_drop_or_disarm_the_log_by_mistake(kit: Kit, role: str, change: str) -> None:
    kit.desk.append_desk(notes("customer-a", 1))
    with psycopg.connect(getattr(kit.database, role)) as connection, pytest.raises(psycopg.Error, match="append-only"):
        connection.execute(change)
    assert kit.logged() == [("customer-a", 1)]


def test_a_replica_session_does_not_get_round_the_trigger(kit: Kit) -> None:
    kit.desk.append_desk(notes("customer-a", 1))
    with psycopg.connect(kit.database.admin) as admin:
        admin.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.Error, match="append-only"):
            admin.execute("DELETE FROM ringledger_events")


def test_the_writer_may_append_and_read_and_little_else(database: Database) -> None:
    rights = dict[str, set[str]]()
    for table, right in rows(
        database.admin,
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee = 'ringledger_writer' AND table_name LIKE 'ringledger%'",
    ):
        rights.setdefault(str(table), set()).add(str(right))
    assert rights == {
        "ringledger_events": {"SELECT", "INSERT"},
        "ringledger_lease": {"SELECT", "INSERT", "UPDATE"},
        "ringledger_keys": {"SELECT", "INSERT", "UPDATE"},
        "ringledger_blind_index": {"SELECT", "INSERT", "DELETE"},
        "ringledger_meta": {"SELECT", "INSERT"},
        "ringledger_engines": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    }


def test_the_reader_only_reads(database: Database) -> None:
    assert {
        right
        for (right,) in rows(
            database.admin,
            "SELECT DISTINCT privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee = 'ringledger_reader' AND table_name LIKE 'ringledger%'",
        )
    } == {"SELECT"}
    with psycopg.connect(database.reader) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(
            "SELECT ringledger_append(NULL, NULL, NULL, '{}', '{}', '{x}', '{1}', '{t}', '{x}', '{}', '{}', '{}',"
            " '{}', '{}', '{}', '{}', '{}', '{}')"
        )


def test_the_events_table_is_the_one_that_the_library_would_make(database: Database) -> None:
    """So that `eventsourcing`'s own tools can be pointed at it, and an upgrade of it is seen here."""
    where = psycopg.conninfo.conninfo_to_dict(database.admin)
    with psycopg.connect(database.admin, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA theirs")
    datastore = PostgresDatastore(
        str(where["dbname"]),
        str(where["host"]),
        "5432",
        str(where["user"]),
        "",
        schema="theirs",
        originator_id_type="text",
        pool_size=1,
    )
    with datastore:
        PostgresApplicationRecorder(datastore, events_table_name="ringledger_events").create_table()
    columns = (
        "SELECT column_name, data_type, is_nullable, column_default IS NOT NULL FROM information_schema.columns"
        " WHERE table_name = 'ringledger_events' AND table_schema = '{}' ORDER BY ordinal_position"
    )
    indexes = (
        "SELECT indexname, replace(indexdef, '{}.', '') FROM pg_indexes"
        " WHERE tablename = 'ringledger_events' AND schemaname = '{}' ORDER BY 1"
    )
    assert rows(database.admin, columns.format("public")) == rows(database.admin, columns.format("theirs"))
    assert rows(database.admin, indexes.format("public", "public")) == rows(
        database.admin, indexes.format("theirs", "theirs")
    )
