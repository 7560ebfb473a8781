"""Desk appends: by version only, from any number of processes, with a reader who misses nothing."""

import subprocess
import sys
import threading

import pytest

from orchestrator.domain.kernel import LIVE_KINDS
from orchestrator.store import AlreadyHeld, VersionConflict, WrongKind
from tests.conftest import PATCHED
from tests.lab.patience import until
from tests.store.kit import NUMBER, CallTaken, CustomerMade, Kit, NoteWritten, calls, notes, record

PROCESSES, APPENDS = 8, 60


def test_all_streams_of_one_append_are_stored_together_and_come_back(kit: Kit) -> None:
    position = kit.desk.append_desk([*notes("customer-a", 1, 2), *notes("customer-b", 1)])
    assert kit.logged() == [("customer-a", 1), ("customer-a", 2), ("customer-b", 1)]
    assert kit.log.position() == position


@pytest.mark.parametrize("kind", sorted(LIVE_KINDS))
def test_the_desk_refuses_every_kind_of_live_stream(kit: Kit, kind: str) -> None:
    with pytest.raises(WrongKind, match="live stream"):
        kit.desk.append_desk([*notes("customer-a", 1), record(f"{kind}-1", 1, CallTaken())])
    assert kit.logged() == []


def test_a_version_that_somebody_took_is_a_conflict_that_names_the_stream_and_stores_nothing(kit: Kit) -> None:
    kit.desk.append_desk(notes("customer-a", 1, 2))
    with pytest.raises(VersionConflict, match="customer-a is at version 2, not 1") as raised:
        kit.desk.append_desk([*notes("customer-b", 1), *notes("customer-a", 2)])
    assert raised.value.streams == ("customer-a",)
    assert kit.logged() == [("customer-a", 1), ("customer-a", 2)]


@pytest.mark.parametrize("versions", ((4,), (3, 5), (3, 3), (0,)))
def test_a_hole_in_the_versions_is_refused(kit: Kit, versions: tuple[int, ...]) -> None:
    kit.desk.append_desk(notes("customer-a", 1, 2))
    with pytest.raises(VersionConflict):
        kit.desk.append_desk(notes("customer-a", *versions))
    assert len(kit.logged()) == 2


def test_the_same_records_again_change_nothing_and_give_the_same_position(kit: Kit) -> None:
    mine = notes("customer-a", 1, 2)
    position = kit.desk.append_desk(mine)
    kit.desk.append_desk(notes("customer-a", 3))
    assert kit.desk.append_desk(mine) == position
    assert len(kit.logged()) == 3


def test_other_records_at_the_same_versions_are_a_conflict_even_when_some_are_ours(kit: Kit) -> None:
    first, second = notes("customer-a", 1, 2)
    kit.desk.append_desk([first])
    kit.desk.append_desk(notes("customer-a", 2))
    with pytest.raises(VersionConflict):
        kit.desk.append_desk([first, second])


def test_an_append_of_nothing_is_a_mistake(kit: Kit) -> None:
    with pytest.raises(ValueError, match="at least one"):
        kit.desk.append_desk([])


def test_eight_processes_write_at_once_and_a_reader_that_follows_misses_nothing(kit: Kit) -> None:
    """Every position in ascending order, none of them appearing behind the reader's back (event-store.md 1.4)."""
    stop = threading.Event()
    followed: list[tuple[int, str, int]] = []

    def follow() -> None:
        for batch in kit.log.follow(0, stop, batch=50):
            followed.extend((each.position, each.stream, each.version) for each in batch)

    live = kit.writer()
    follower = threading.Thread(target=follow)
    follower.start()
    words = [sys.executable, "-m", "tests.store.child", *(["patched"] if PATCHED else []), "desk"]
    children = [
        subprocess.Popen(
            [*words, kit.database.writer, str(kit.kek), str(number), str(APPENDS)], stdout=subprocess.PIPE, text=True
        )
        for number in range(PROCESSES)
    ]
    version = 0
    while any(child.poll() is None for child in children):  # the live writer shares the log with them
        version += 1
        live.append_live(calls("contact-live", version))
    conflicts = 0
    for child in children:
        out, _ = child.communicate(timeout=60)
        assert child.returncode == 0
        conflicts += int(out)
    wanted = PROCESSES * APPENDS + PROCESSES * (APPENDS // 10) + version
    until(lambda: len(followed) >= wanted, "the follower has all", within_s=30)
    stop.set()
    follower.join(5)
    assert len(followed) == wanted
    assert [each[0] for each in followed] == sorted({each[0] for each in followed})
    stored = list(kit.log.history())
    assert followed == [(each.position, each.stream, each.version) for each in stored]
    for stream in {each.stream for each in stored}:
        versions = [each.version for each in stored if each.stream == stream]
        assert versions == list(range(1, len(versions) + 1))
    shared = [each.event for each in stored if each.stream == "customer-shared"]
    assert len(shared) == PROCESSES * (APPENDS // 10)
    assert len({event.text for event in shared if isinstance(event, NoteWritten)}) == PROCESSES
    assert conflicts > 0, "they did fight for the shared stream"


def test_of_many_who_make_the_customer_of_one_number_at_once_one_does_and_the_others_are_told_whose_it_is(
    kit: Kit,
) -> None:
    barrier = threading.Barrier(6)
    told: list[str] = []
    made: list[str] = []

    def make(number: int) -> None:
        mine = record(f"customer-{number}", 1, CustomerMade(name="Wang", number=NUMBER))
        barrier.wait()
        try:
            kit.desk.append_desk([mine], sole=("number", NUMBER))
            made.append(mine.stream)
            assert kit.desk.append_desk([mine], sole=("number", NUMBER)) == kit.log.position(), "a repeat finds itself"
        except AlreadyHeld as held:
            told.append(held.stream)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    both = [record(f"customer-{n}", 1, CustomerMade(name="Wang", number=n)) for n in (NUMBER, "+442079460018")]
    with pytest.raises(AlreadyHeld) as refused:
        kit.desk.append_desk(both, sole=("number", [NUMBER, "+442079460018"]))
    assert [refused.value.stream] == made, "of several one is enough"
    assert told == made * 5
    assert [stream for stream, _ in kit.logged()] == made
    kit.desk.erase(made[0])
    kit.desk.append_desk([record("customer-7", 1, CustomerMade(name="Wang", number=NUMBER))], sole=("number", NUMBER))
