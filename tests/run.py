"""All tests, unpatched and gevent-patched, and one account of all runs: `python -m tests.run [-k …]`."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.conftest import freeswitch_binary

# pytest's exit status for "no tests collected": normal for one of the two runs when arguments choose a few tests.
_NOTHING_COLLECTED = 5
# Whole files, in the order of `tests.order`: a module's fixtures, the demo that all walks go through, are made once.
_SPREAD = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")


def main(arguments: list[str]) -> int:
    """Run all, the next also after a failure; 0 when all that was found passed and something was.

    Unpatched tests of the real switch have a run of their own, one after another: two switches with their callers are
    more than two cores carry. (xdist's groups would say the same, but with pytest 9.2 they are not heeded.) Without one
    the patched tests, which mostly wait for a simulated switch, do so beside the unpatched ones, and tell afterwards.
    """
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        report = Path(directory) / "switch-tests-skipped"
        report.touch()
        # In one word: pytest takes the value of an option that it does not know yet for a path of tests.
        common = [f"--switch-report={report}", *arguments]
        patched = ["-m", "tests.run_patched", *common]
        beside = None if freeswitch_binary() else stack.enter_context(_beside(Path(directory) / "patched", patched))
        outcomes = [
            _run("unpatched", ["-m", "pytest", *_SPREAD, "-m", "not switch", *common]),
            _run("unpatched, on the real switch", ["-m", "pytest", "-p", "no:xdist", "-m", "switch", *common]),
            beside() if beside else _run("gevent-patched", patched),
        ]
        skipped = report.read_text(encoding="utf-8").splitlines()
    for nodeid in skipped:
        print(f"skipped, there is no FreeSWITCH: {nodeid}")
    if skipped:
        print(f"{len(skipped)} switch tests skipped: set RINGLEDGER_FREESWITCH to a freeswitch binary to run them")
    else:
        print("no switch test was skipped")
    failed = [outcome for outcome in outcomes if outcome not in {0, _NOTHING_COLLECTED}]
    if failed:
        return failed[0]
    return 0 if 0 in outcomes else _NOTHING_COLLECTED


@contextmanager
def _beside(output: Path, arguments: list[str]) -> Iterator[Callable[[], int]]:
    """A run that has begun: whoever asks for its outcome waits for its end, and it is told then. It ends with us."""
    with output.open("wb") as sink:
        running = subprocess.Popen([sys.executable, *arguments], stdout=sink, stderr=subprocess.STDOUT)

    def outcome() -> int:
        code = running.wait()
        print("== gevent-patched tests", output.read_text(encoding="utf-8", errors="replace"), sep="\n", flush=True)
        return code

    try:
        yield outcome
    finally:
        running.terminate()
        running.wait()


def _run(kind: str, arguments: list[str]) -> int:
    print(f"== {kind} tests", flush=True)
    return subprocess.run([sys.executable, *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
