"""The log: everything that reads or writes it goes through here, and nothing else knows `eventsourcing`.

    schema.create(owner_url, admin_url=None)    once, as the owner; schema.check(source) in everything that runs
    Source(url, name="ringledger …")            where the log is and as whom; give it to all of the below
    Vault.unlock(kek_file, KeyShelf(source))    the keys (orchestrator.vault)

    LiveWriter(source, vault, fence, hooks=Hooks(on_away=, on_back=, on_deposed=, on_failed=)).start()
        .submit(records, on_stored, on_lost)    never waits; on_stored(position) on the writer's thread
        .append_live(records) -> position       waits until durable
        .know({stream: version})  .away  .spooling  .waiting  .close(timeout_s)
    Spool(folder, vault, …), Drain(spool, source, vault, fence).some()
                                            events of a time without the database, and their way to the log
    Aside(source, vault, …).seal(path, parents)
                                            spools that were put aside: their texts under keys of persons
    Announcer(vault, …).told(…), .since(…), Hearing(vault).opened(answer)
                                            what was decided lately, for screens while the log is away
    Later(folder, vault).keep(ident, plain), .all(), .drop(place)
                                            what the web's people did meanwhile, until it can be recorded
    DeskWriter(source, vault)
        .append_desk(records) -> position       VersionConflict, Away, Unsure; a repeat of the same records is safe
        .append_desk(records, sole=(index, value or values))  AlreadyHeld where a stream holds one: made once only
        .erase(subject)                         destroys the keys; the log is unchanged
    Log(source, vault=None)                     opener=: what each personal text reads as, told by the caller
        .history(after, until, kinds, batch)  .stream(name, after_version)  .position()  .position_at(instant)
        .happened(after, until)                 what a fold looks at of history, at half the cost;
                                                share=: of some of the streams
        .stories(share, until, last)            the same of a share, each contact at once when it has ended
        .versions(kinds)  .follow(after, stop)  .wait_for(position, timeout_s)  .find_by_blind_index(token)

The fence comes from `orchestrator.leader`. Call `assert_cooperative()` at boot of a process that gevent has patched.
"""

from orchestrator.store import schema
from orchestrator.store.announcing import SINCE, Announced, Announcer, Hearing
from orchestrator.store.aside import Aside
from orchestrator.store.connections import Source
from orchestrator.store.desk import DeskWriter
from orchestrator.store.errors import (
    AlreadyHeld,
    Away,
    Corrupt,
    Deposed,
    QueueFull,
    SchemaMismatch,
    SpoolFailed,
    StoreError,
    Unsure,
    VersionConflict,
    WriterStopped,
    WrongKind,
)
from orchestrator.store.keys import KeyShelf
from orchestrator.store.later import Later, NotKept
from orchestrator.store.library import assert_cooperative
from orchestrator.store.log import Log
from orchestrator.store.mapper import Opener
from orchestrator.store.recorder import Fence, Share
from orchestrator.store.spool import SPOOLED, Spool
from orchestrator.store.spooling import Drain, Drained, is_refused, tidy
from orchestrator.store.writer import Hooks, LiveWriter

__all__ = [
    "SINCE",
    "SPOOLED",
    "AlreadyHeld",
    "Announced",
    "Announcer",
    "Aside",
    "Away",
    "Corrupt",
    "Deposed",
    "DeskWriter",
    "Drain",
    "Drained",
    "Fence",
    "Hearing",
    "Hooks",
    "KeyShelf",
    "Later",
    "LiveWriter",
    "Log",
    "NotKept",
    "Opener",
    "QueueFull",
    "SchemaMismatch",
    "Share",
    "Source",
    "Spool",
    "SpoolFailed",
    "StoreError",
    "Unsure",
    "VersionConflict",
    "WriterStopped",
    "WrongKind",
    "assert_cooperative",
    "is_refused",
    "schema",
    "tidy",
]
