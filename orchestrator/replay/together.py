"""A long log folded by as many processes as there are processors, each a share of its streams (`domain.parted`).

    log ──share 0──▶ the caller ──part──┐
        ──share 1──▶ a process ──part──┼──join──▶ the state      (`replay.share`)
        ──…                            ┘

For whoever begins at the beginning: an engine that starts, a look into a past of which nothing is kept. It comes to
what one fold comes to; where it cannot be (one processor, agents who are drawn), or a process fails, the caller is told
so and folds alone. So it is for a log out of a file, where no second process can read it.
"""

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from typing import IO, Final, Self, TypeVar, cast

import msgspec
import structlog

from orchestrator.domain.kernel import Instant
from orchestrator.domain.observed import Observed
from orchestrator.domain.parted import EVERYBODYS, Part, Unparted, join
from orchestrator.domain.world import World
from orchestrator.replay.frozen import Damaged, Marks, freeze, thaw
from orchestrator.replay.share import EFFORT, Job, fold
from orchestrator.store import Log, Share, StoreError

log = structlog.get_logger(__name__)

# Shorter ones are folded before the processes are there.
LEAST: Final = 150_000
# More would have less and less to do: all shifts are one's.
MOST: Final = 4
_PROGRAM: Final = "from orchestrator.replay.share import main; main()"
_DIGITS: Final = 16
# How many sixteenths of the contacts go with the shifts, by how many share: so that all are done at the same time.
_WITH_SHIFTS: Final = {1: 16, 2: 6}

_W = TypeVar("_W", bound=World)


def folded(
    reading: Log,
    until: int,
    make: Callable[[], _W],
    *,
    of: int | None = None,
    breathe: Callable[[], None] | None = None,
) -> tuple[_W, Instant] | None:
    """The state after the record at this position, and the latest time in it; None where it is to be folded alone.

    `of`: how many share it, by default as many as there are processors. `breathe` is called every few milliseconds of
    the caller's own share. Raises `Away` where keys cannot be reached.
    """
    count = of or min(len(os.sched_getaffinity(0)), MOST)
    if of is None and (count < 2 or until < LEAST):  # noqa: PLR2004 - one is alone
        return None
    if not reading.source.url:
        return None
    try:
        state = make()
        parts = _parts(reading, until, shares(count), counts=isinstance(state, Observed), breathe=breathe)
        join(parts, state)
    except Unparted as why:
        log.warning("folded-alone", why=str(why))
        return None
    return state, max(part.highest_at for part in parts)


def shares(count: int) -> list[Share]:
    """So many shares, of which every stream is in one, and what everybody needs in all. The first has the shifts."""
    own = _WITH_SHIFTS.get(count, 0)
    ends = [own + (_DIGITS - own) * place // (count - 1) for place in range(count)] if count > 1 else [own]
    first = Share(first=True, begins=0, ends=own, kinds=EVERYBODYS)
    return [first, *(Share(first=False, begins=low, ends=high, kinds=EVERYBODYS) for low, high in pairwise(ends))]


def _parts(
    reading: Log, until: int, shared: Sequence[Share], *, counts: bool, breathe: Callable[[], None] | None
) -> list[Part]:
    """The caller's own share is the first: it is in the midst of it before the processes have begun."""
    source = reading.source
    with ExitStack() as stack:
        processes = [stack.enter_context(_Process()) for _ in shared[1:]]
        for process, share in zip(processes, shared[1:], strict=True):
            process.tell(Job(url=source.url, name=source.name, until=until, share=share, counts=counts))
        marks = Marks()
        try:
            with _uncollected():
                part = fold(Log(source, opener=marks.opener), until, shared[0], counts=counts, breathe=breathe)
        except StoreError as error:
            raise Unparted(f"The first share: {type(error).__name__}: {error}") from error
        # What is personal in it is opened as in the others.
        own = _thawed(freeze(part, marks, effort=EFFORT), reading)
        return [own, *(process.part(reading) for process in processes)]


def _thawed(state: bytes, reading: Log) -> Part:
    """The part, personal texts as this log's reader may have them. Raises `Unparted`, and `Away`."""
    try:
        part = thaw(state, reading)
    except Damaged as error:
        raise Unparted(f"What a process wrote is unreadable: {error}") from error
    if not isinstance(part, Part):
        raise Unparted(f"A process wrote a {type(part).__name__}.")
    return part


@contextmanager
def _uncollected() -> Iterator[None]:
    """A fold makes no cycles: looking for them would cost it a tenth."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class _Process:
    """One that folds a share, ended with its block."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for end in (self._process.stdin, self._process.stdout):
            cast("IO[bytes]", end).close()

    def tell(self, job: Job) -> None:
        """What it is to do."""
        try:
            with cast("IO[bytes]", self._process.stdin) as told:
                told.write(msgspec.json.encode(job))
        except BrokenPipeError:
            return  # it has ended already: `part` says so

    def part(self, reading: Log) -> Part:
        """What it found, personal texts as this log's reader may have them. Raises `Unparted` where it failed."""
        state = cast("IO[bytes]", self._process.stdout).read()
        if code := self._process.wait():
            raise Unparted(f"A process that folded a share ended with {code}; its output says why.")
        return _thawed(state, reading)
