"""Writing the tape: an input costs its encoding; the rest happens elsewhere, a moment later.

`write` only encodes and appends to a list in memory. A worker of its own takes the list every 200 ms (or 64 kB),
compresses and seals it, and has it written and synced by a real thread, also under gevent. A disk that is full or slow
costs inputs on the tape, never a call: what could not be kept is a hole that the reader names.
"""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import structlog

from orchestrator.domain.kernel import Instant
from orchestrator.tape import form

log = structlog.get_logger(__name__)

T = TypeVar("T")

FLUSH_S: Final = 0.2
BLOCK_BYTES: Final = 64 * 1024
SEGMENT_BYTES: Final = 8 * 1024 * 1024
SEGMENT_S: Final = 600.0
# Inputs in memory that no disk has taken yet: at 1 000 events/s of 460 bytes (the captures') over two minutes.
MOST_WAITING: Final = 64 * 1024 * 1024
_FEWEST_SEGMENTS: Final = 4
_RETRY_S: Final = 5.0
_MEGABYTE: Final = 1_000_000


class TapeWriter:
    """The tape of one epoch, from construction until `close()`."""

    def __init__(
        self,
        folder: Path,
        vault: form.Sealer,
        *,
        epoch: int,
        max_mb: int,
        segment_bytes: int = SEGMENT_BYTES,
        segment_s: float = SEGMENT_S,
    ) -> None:
        """Raises OSError where the folder cannot be made."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.kept = 0
        """Inputs that are on disk."""
        self.missed = 0
        """Inputs that could not be kept."""
        self._folder = folder
        self._vault = vault
        self._epoch = epoch
        self._most = max_mb * _MEGABYTE
        self._segment_bytes = min(segment_bytes, self._most // _FEWEST_SEGMENTS)
        self._segment_s = segment_s
        self._lines: deque[bytes] = deque()
        self._first = 1
        self._bytes = 0
        self._wake = threading.Event()
        self._closing = False
        self._fd: int | None = None
        self._serial = max((s for e, s in map(_place, folder.iterdir()) if e == epoch), default=0)
        self._index = self._size = 0
        self._opened = 0.0
        self._not_before = 0.0
        self._thread = threading.Thread(target=self._work, name="tape", daemon=True)
        self._thread.start()

    def write(self, input_id: str, at: Instant, body: object) -> None:
        """Record one input; never waits. Raises TypeError for a body that is no input of the runner."""
        line = form.encode(input_id, at, body)
        self._lines.append(line)
        self._bytes += len(line)
        if self._bytes >= BLOCK_BYTES:
            self._wake.set()

    def close(self) -> None:
        """Write what is left and end; waits at most 10 s."""
        self._closing = True
        self._wake.set()
        self._thread.join(10)
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    # --- in the worker -----------------------------------------------------------------------------------------------
    def _work(self) -> None:
        while True:
            self._wake.wait(FLUSH_S)
            self._wake.clear()
            closing = self._closing
            if self._lines:
                self._flush()
            if closing and not self._lines:
                return

    def _flush(self) -> None:
        if time.monotonic() < self._not_before and not self._closing:
            if self._bytes > MOST_WAITING:
                self._miss(len(self._take()))
            return
        lines = self._take()
        first = self._first - len(lines)
        try:
            self._put(first, lines)
            self.kept += len(lines)
        except OSError as error:
            self._not_before = time.monotonic() + _RETRY_S
            self._drop_segment()
            self._miss(len(lines), error.strerror or str(error))

    def _take(self) -> list[bytes]:
        """Everything that waits, in order and numbered; more may arrive meanwhile."""
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        self._bytes -= sum(map(len, lines))
        self._first += len(lines)
        return lines

    def _miss(self, count: int, why: str = "the disk does not keep up") -> None:
        self.missed += count
        remedy = f"calls go on; make room or mend the disk of {self._folder}"
        log.error("tape-not-written", inputs=count, why=why, remedy=remedy)

    def _put(self, first: int, lines: list[bytes]) -> None:
        if self._fd is not None and (
            self._size >= self._segment_bytes or time.monotonic() - self._opened >= self._segment_s
        ):
            self._drop_segment()
        if self._fd is None:
            _elsewhere(self._open_segment)
        # 0.2 ms for a full block; to hand it to a thread and to take it back costs more.
        block = form.pack(first, lines, form.DICTIONARY)
        sealed = self._vault.seal_bytes(form.key_name(self._epoch, self._serial), block, form.bound_to(self._index))
        self._index += 1
        _elsewhere(lambda: self._append(form.LENGTH.pack(len(sealed)) + sealed))

    def _append(self, data: bytes) -> None:
        assert self._fd is not None  # noqa: S101 - opened a moment ago
        self._size += len(data)
        while data:
            data = data[os.write(self._fd, data) :]
        os.fdatasync(self._fd)

    def _open_segment(self) -> None:
        removed = self._make_room()
        self._serial += 1
        path = self._folder / form.segment_name(self._epoch, self._serial)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        self._index = self._size = 0
        self._opened = time.monotonic()
        began = Instant(time.time_ns() // 1000)
        self._append(form.header_bytes(form.header_for(self._epoch, self._serial, began, removed)))

    def _make_room(self) -> tuple[str, ...]:
        """Remove the oldest segments until one more fits; their names."""
        segments = sorted((path for path in self._folder.iterdir() if form.place_of(path)), key=_place)
        sizes = {path: path.stat().st_size for path in segments}
        total = sum(sizes.values())
        removed = []
        while segments and total + self._segment_bytes > self._most:
            oldest = segments.pop(0)
            total -= sizes[oldest]
            oldest.unlink()
            removed.append(oldest.name)
        if removed:
            log.info("tape-oldest-removed", segments=removed)
        return tuple(removed)

    def _drop_segment(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def _place(path: Path) -> tuple[int, int]:
    return form.place_of(path) or (-1, 0)


def _elsewhere(work: Callable[[], T]) -> T:
    """Do it in a real thread where gevent has patched this process (`threading` makes greenlets then), else here."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return work()
    import gevent

    result: T = gevent.get_hub().threadpool.apply(work)
    return result
