"""The tape beside ringing phones: whatever the disk does, no greenlet waits for it."""

import os
import time
from pathlib import Path

import gevent
import pytest
from gevent.monkey import get_original

from orchestrator.domain.kernel import Instant
from orchestrator.runner.inputs import TimerFired
from orchestrator.tape import Recorded, TapeWriter, read, segments
from orchestrator.vault import DataKey, Vault

really_sleep = get_original("time", "sleep")


def test_a_disk_that_hangs_holds_up_no_greenlet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault(DataKey.fresh().raw, None)  # type: ignore[arg-type]  # the tape asks for no key of the database
    syncs: list[float] = []
    real = os.fdatasync

    def slow(fd: int) -> None:
        syncs.append(time.monotonic())
        really_sleep(0.5)
        real(fd)

    monkeypatch.setattr(os, "fdatasync", slow)
    writer = TapeWriter(tmp_path, vault, epoch=1, max_mb=16)
    longest, last = 0.0, time.monotonic()
    number = 0
    while len(syncs) < 2:  # the header, and the first block: a second in which the disk does nothing else
        number += 1
        writer.write(f"1-{number}", Instant(number), TimerFired(what="offer", ident=str(number)))
        gevent.sleep(0.001)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    writer.close()
    assert longest < 0.25, f"a greenlet waited {longest:.3f} s"
    assert [one.id for one in read(segments(tmp_path), vault) if isinstance(one, Recorded)] == [
        f"1-{n}" for n in range(1, number + 1)
    ]
