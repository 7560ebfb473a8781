"""Processes of their own for the store's tests: `python -m tests.store.child [patched] desk|lead …`."""

import sys

if sys.argv[1:2] == ["patched"]:
    del sys.argv[1]
    from gevent import monkey

    monkey.patch_all()

import signal
import threading
import time
from pathlib import Path

from orchestrator.leader import Leader, Lease, holder_name
from orchestrator.store import DeskWriter, KeyShelf, LiveWriter, Source, StoreError, VersionConflict, assert_cooperative
from orchestrator.vault import Vault
from tests.store.kit import CATALOGUE, SITE, CallTaken, NoteWritten, record


def desk(url: str, kek: str, number: str, appends: int) -> None:
    """Append to streams of one's own and to one that all processes fight for, decided again after each conflict."""
    source = Source(url, name=holder_name())
    writer = DeskWriter(source, Vault.unlock(Path(kek), KeyShelf(source)), catalogue=CATALOGUE)
    shared = conflicts = 0
    for version in range(1, appends + 1):
        writer.append_desk(
            [record(f"customer-{number}", version, NoteWritten(text="x"), event_id=f"{number}/{version}")]
        )
        if version % 10 == 0:
            while True:
                shared += 1
                mine = record("customer-shared", shared, NoteWritten(text=number), event_id=f"{number}/s/{version}")
                try:
                    writer.append_desk([mine])
                    break
                except VersionConflict:
                    conflicts += 1
    source.close()
    print(conflicts)


def lead(url: str, kek: str) -> None:
    """Be a leader that acts (a line with the time) and appends as fast as it may, until SIGTERM."""
    source = Source(url, name=holder_name())
    vault = Vault.unlock(Path(kek), KeyShelf(source))
    out = threading.Lock()
    asked_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.set())

    def say(*words: object) -> None:
        with out:
            print(*words, flush=True)

    def act(lease: Lease) -> None:
        writer = LiveWriter(source, vault, lease.fence, catalogue=CATALOGUE).start()
        say("active", lease.epoch)
        version = 0
        while True:
            if lease.may_write():
                say("acted", time.clock_gettime(time.CLOCK_BOOTTIME))
            elif version:
                say("may-not", time.clock_gettime(time.CLOCK_BOOTTIME))
            version += 1
            try:
                writer.append_live([record(f"contact-{lease.epoch}", version, CallTaken(note="x"))])
            except StoreError as error:
                say("refused", type(error).__name__)
                return

    def begin(lease: Lease) -> None:
        threading.Thread(target=act, args=(lease,), daemon=True).start()

    leader = Leader(source, SITE, on_active=begin, on_deposed=lambda lease: say("deposed", lease.epoch)).start()
    asked_to_stop.wait()
    leader.stop()
    say("stopped")


if __name__ == "__main__":
    assert_cooperative()
    match sys.argv[1:]:
        case ["desk", url, kek, number, appends]:
            desk(url, kek, number, int(appends))
        case ["lead", url, kek]:
            lead(url, kek)
        case words:
            sys.exit(f"not understood: {words}")
