"""What processes use, read from /proc."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

# Below everything else: it runs where a processor would sleep.
_SPIN: Final = """
import os, sys
from orchestrator.parent import die_with_parent
die_with_parent()
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while True:
    pass
"""


@contextmanager
def awake() -> Iterator[None]:
    """No processor sleeps: what comes every few ms is then not charged with waking a virtual one (0124)."""
    spinning = [subprocess.Popen([sys.executable, "-c", _SPIN, str(core)]) for core in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for each in spinning:
            each.kill()
            each.wait()


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used (proc(5), fields 14 and 15); 0 for one that is gone."""
    words = _stat(pid)
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK") if words else 0.0


def children_of(pid: int) -> list[int]:
    """The processes that this one has started and that live."""
    every = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [each for each in every if (words := _stat(each)) and int(words[1]) == pid]


def server_of(home: Path) -> int:
    """The PostgreSQL server whose data lie in this home."""
    return int((home / "postgres" / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])


def put_on_core(pid: int, core: int) -> None:
    """Have this process, what it has started, and what it will start run on one core."""
    cores = sorted(os.sched_getaffinity(0))
    for each in (pid, *children_of(pid)):
        with suppress(ProcessLookupError):  # a child that has ended meanwhile
            os.sched_setaffinity(each, {cores[core % len(cores)]})


def resident_kb(pid: int) -> int:
    """How much memory a process has, in kB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_024


def _stat(pid: int) -> list[str]:
    """What follows the program's name."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
