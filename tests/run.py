"""All tests, unpatched and gevent-patched, and one account of all runs: `python -m tests.run [-k …]`."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conftest import freeswitch_binary

# pytest's exit status for "no tests collected": normal for one of the two runs when arguments choose a few tests.
_NOTHING_COLLECTED = 5
_FAILED = 1
# Whole files, in the order of `tests.order`: a module's fixtures, the demo that all walks go through, are made once.
_SPREAD = ("-n", "4", "--dist", "loadfile", "--no-loadscope-reorder")
AGAIN_AT_MOST: Final = 5
"""So many failures may be a busy machine's; more are a fault (docs/decisions/0099)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of pytest: `kind` for people, the words behind `python`, and where it leaves the ids of what failed."""

    kind: str
    arguments: tuple[str, ...]
    failures: Path

    def command(self) -> list[str]:
        return [sys.executable, *self.arguments, f"--failed-report={self.failures}"]

    def again(self, failed: list[str]) -> list[str]:
        """The same for these alone, nothing beside them."""
        module = self.arguments[:2]
        alone = () if module == ("-m", "tests.run_patched") else ("-p", "no:xdist")
        return [sys.executable, *module, *alone, *failed]


def main(arguments: list[str]) -> int:
    """Run all, the next also after a failure; 0 when all that was found passed and something was.

    Unpatched tests of the real switch have a run of their own, one after another: two switches with their callers are
    more than two cores carry. (xdist's groups would say the same, but with pytest 9.2 they are not heeded.) It is the
    first: in a clean checkout it leaves all modules compiled, which four workers would else do, each for itself.
    Without a switch, where it only names what is skipped, the patched tests, which mostly wait for a simulated one, run
    beside the unpatched ones, and tell afterwards.
    """
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        folder = Path(directory)
        report = folder / "switch-tests-skipped"
        report.touch()
        # In one word: pytest takes the value of an option that it does not know yet for a path of tests.
        common = (f"--switch-report={report}", *arguments)
        runs = (
            Run(
                "unpatched, on the real switch",
                ("-m", "pytest", "-p", "no:xdist", "-m", "switch", *common),
                folder / "switch",
            ),
            Run("unpatched", ("-m", "pytest", *_SPREAD, "-m", "not switch", *common), folder / "unpatched"),
        )
        patched = Run("gevent-patched", ("-m", "tests.run_patched", *common), folder / "patched")
        outcomes = [make(runs[0])]
        beside = None if freeswitch_binary() else stack.enter_context(_beside(folder / "patched-output", patched))
        outcomes += [make(runs[1]), beside() if beside else make(patched)]
        unsteady: list[str] = []
        for place, run in enumerate((*runs, patched)):
            if outcomes[place] == _FAILED:
                outcomes[place] = look_again(run, unsteady)
        skipped = report.read_text(encoding="utf-8").splitlines()
    for nodeid in skipped:
        print(f"skipped, there is no FreeSWITCH: {nodeid}")
    if skipped:
        print(f"{len(skipped)} switch tests skipped: set RINGLEDGER_FREESWITCH to a freeswitch binary to run them")
    else:
        print("no switch test was skipped")
    for nodeid in unsteady:
        print(f"UNSTEADY, failed beside others and passed alone; its failure stands above: {nodeid}")
    failed = [outcome for outcome in outcomes if outcome not in {0, _NOTHING_COLLECTED}]
    if failed:
        return failed[0]
    return 0 if 0 in outcomes else _NOTHING_COLLECTED


def look_again(run: Run, unsteady: list[str]) -> int:
    """Once more, alone, what failed in this run, where it is little; the outcome. What passes now is added to these."""
    failed = run.failures.read_text(encoding="utf-8").splitlines()
    if not 0 < len(failed) <= AGAIN_AT_MOST:
        return _FAILED
    print(f"== {run.kind} tests that failed, again and alone", flush=True)
    outcome = subprocess.run(run.again(failed), check=False).returncode
    if outcome == 0:
        unsteady.extend(failed)
    return outcome


@contextmanager
def _beside(output: Path, run: Run) -> Iterator[Callable[[], int]]:
    """A run that has begun: whoever asks for its outcome waits for its end, and it is told then. It ends with us."""
    with output.open("wb") as sink:
        running = subprocess.Popen(run.command(), stdout=sink, stderr=subprocess.STDOUT)

    def outcome() -> int:
        code = running.wait()
        print(f"== {run.kind} tests", output.read_text(encoding="utf-8", errors="replace"), sep="\n", flush=True)
        return code

    try:
        yield outcome
    finally:
        running.terminate()
        running.wait()


def make(run: Run) -> int:
    """Make this run now; pytest's exit status."""
    print(f"== {run.kind} tests", flush=True)
    return subprocess.run(run.command(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
