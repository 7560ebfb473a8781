"""Reading history: prefixes, kinds, one stream, positions and times."""

import random
from collections.abc import Iterable

import psycopg
import pytest

from orchestrator.domain.kernel import SECOND, Happened, Instant, Record
from orchestrator.store import Away, Log, Source
from tests.store.kit import (
    CATALOGUE,
    NAME,
    NUMBER,
    CallIdentified,
    CallTaken,
    CustomerMade,
    Kit,
    Phone,
    ShiftOpened,
    calls,
    notes,
    places,
    record,
)


def test_history_is_the_same_in_pages_of_any_size(kit: Kit) -> None:
    writer = kit.writer()
    for version in range(1, 24):
        writer.append_live(calls("contact-a", version))
    whole = list(kit.log.history())
    for size in (1, 2, 22, 23, 24, 5_000):
        assert list(kit.log.history(batch=size)) == whole


def told(records: Iterable[Happened]) -> list[tuple[object, ...]]:
    return [(each.position, each.stream, each.version, each.event, each.about.at, each.about.actor) for each in records]


def test_a_fold_is_told_what_history_tells(kit: Kit) -> None:
    """Whatever a row holds: sealed text, a customer's numbers in parts of the event, names that nobody knows here."""
    writer = kit.writer()
    writer.append_live([record("contact-a", 1, CallTaken(number=NUMBER, name=NAME, note='{"$sealed":"x"}'))])
    writer.append_live([record("shift-a", 1, ShiftOpened(agent="1")), record("contact-a", 2, CallTaken(note="none"))])
    made = CustomerMade(name='"Wang"\n', number=NUMBER, others=(Phone(NUMBER),), nick=None)
    kit.desk.append_desk([record("customer-a", 1, made)])
    kit.desk.append_desk(notes("customer-a", 2))
    for reading in (kit.log, Log(kit.source, catalogue=CATALOGUE), Log(kit.source, catalogue={})):
        whole = told(reading.history())
        assert len(whole) == 5
        for batch in (1, 2, 5, 10_000):
            assert told(reading.happened(batch=batch)) == whole
        assert told(reading.happened(after=1, until=3)) == whole[1:3]
    assert list(kit.log.happened(after=5)) == []


def test_a_fold_goes_on_where_its_connection_is_lost(kit: Kit) -> None:
    writer = kit.writer()
    for version in range(1, 22):
        writer.append_live(calls("contact-a", version))
    reading = kit.log.happened(batch=10)
    found = [next(reading) for _ in range(10)]
    with psycopg.connect(kit.database.admin, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (kit.database.name,),
        )
    assert [each.version for each in (*found, *reading)] == list(range(1, 22))


def test_a_fold_says_away_where_there_is_no_database() -> None:
    with pytest.raises(Away, match="does not answer"):
        next(Log(Source("postgresql://nobody@/nothing?host=/nonexistent")).happened())


def test_history_keeps_to_its_bounds_and_kinds(kit: Kit) -> None:
    writer = kit.writer()
    writer.append_live([*calls("contact-a", 1), record("shift-a", 1, ShiftOpened(agent="1")), *calls("contact-a", 2)])
    kit.desk.append_desk(notes("customer-a", 1))
    positions = [each.position for each in kit.log.history()]
    assert places(kit.log.history(after=positions[0], until=positions[2])) == [("shift-a", 1), ("contact-a", 2)]
    assert places(kit.log.history(kinds=["shift", "customer"])) == [("shift-a", 1), ("customer-a", 1)]
    assert places(kit.log.history(kinds=["cont"])) == []
    assert places(kit.log.history(after=positions[-1])) == []


def test_one_stream_is_read_from_a_version_on(kit: Kit) -> None:
    writer = kit.writer()
    for version in range(1, 8):
        writer.append_live([*calls("contact-a", version), *calls("contact-b", version)])
    assert places(kit.log.stream("contact-a", after_version=4)) == [
        ("contact-a", 5),
        ("contact-a", 6),
        ("contact-a", 7),
    ]
    assert list(kit.log.stream("contact-a", batch=2)) == list(kit.log.stream("contact-a"))
    assert list(kit.log.stream("contact-none")) == []


def test_several_streams_are_read_together_up_to_a_position(kit: Kit) -> None:
    writer = kit.writer()
    for version in range(1, 4):
        writer.append_live([*calls("contact-a", version), *calls("contact-b", version), *calls("contact-c", version)])
    until = [each.position for each in kit.log.history() if each.version == 2][-1]
    wanted = ["contact-c", "contact-a", "contact-none"]
    together = places(kit.log.streams(wanted, until))
    assert together == [("contact-a", 1), ("contact-c", 1), ("contact-a", 2), ("contact-c", 2)]
    assert sorted(places(kit.log.streams(wanted, until, at_once=1))) == sorted(together)


def test_streams_that_began_and_have_not_ended_are_found(kit: Kit) -> None:
    writer = kit.writer()
    identified = CallIdentified(customer_id="x")
    writer.append_live([*calls("contact-a", 1), *calls("contact-b", 1), record("contact-a", 2, identified)])
    until = kit.log.position()
    writer.append_live([record("contact-b", 2, identified), *calls("contact-c", 1)])
    assert kit.log.open_streams(["CallTaken"], ["CallIdentified"], until) == ["contact-b"]
    assert kit.log.open_streams(["CallTaken"], ["CallIdentified"], kit.log.position()) == ["contact-c"]


def test_versions_are_the_last_of_each_stream_of_the_kinds(kit: Kit) -> None:
    kit.writer().append_live([*calls("contact-a", 1, 2), record("shift-s", 1, ShiftOpened(agent="1"))])
    kit.desk.append_desk(notes("customer-a", 1))
    assert kit.log.versions(["contact", "shift"]) == {"contact-a": 2, "shift-s": 1}


def test_an_empty_log_is_at_zero_at_every_time(kit: Kit) -> None:
    assert kit.log.position() == 0
    assert kit.log.position_at(Instant(10**15)) == 0
    assert list(kit.log.history()) == []


def brute(records: list[Record], instant: int) -> int:
    return max((each.position for each in records if each.about.at <= instant), default=0)


@pytest.mark.parametrize("seed", (0, 1, 2))
def test_the_position_at_a_time_is_the_last_whose_time_is_not_later_also_with_clocks_out_of_step(
    kit: Kit, seed: int
) -> None:
    chance = random.Random(seed)
    writer = kit.writer()
    at = 1_000
    for number in range(400):
        at += chance.choice((0, 0, 1, 7, 60))
        stamped = at - chance.choice((0, 0, 0, 1, 4))  # the desk stamps a little earlier than the live writer
        writer.submit([record(f"contact-{number}", 1, CallTaken(), at=stamped)])
        if chance.random() < 0.05:  # a failed append burns a number: positions have holes
            with kit.source.borrow() as connection:
                connection.execute("SELECT nextval('ringledger_events_notification_id_seq')")
    assert writer.close()
    records = list(kit.log.history())
    times = {each.about.at for each in records}
    for instant in sorted(times | {time - 1 for time in times} | {0, (at + 1_000) * SECOND}):
        assert kit.log.position_at(Instant(instant)) == brute(records, instant)


def test_reading_says_away_where_there_is_no_database() -> None:
    log = Log(Source("postgresql://nobody@/nothing?host=/nonexistent"))
    with pytest.raises(Away, match="does not answer"):
        list(log.history())
    with pytest.raises(Away):
        log.position()


def test_reads_survive_a_restart_of_their_idle_connections(kit: Kit) -> None:
    kit.desk.append_desk(notes("customer-a", 1))
    with psycopg.connect(kit.database.admin, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (kit.database.name,),
        )
    assert kit.log.position() == 1
    assert len(kit.logged()) == 1
