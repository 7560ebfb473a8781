"""All tests, unpatched and gevent-patched, and one account of all runs: `python -m tests.run [-k …]`."""

import subprocess
import sys
import tempfile
from pathlib import Path

# pytest's exit status for "no tests collected": normal for one of the two runs when arguments choose a few tests.
_NOTHING_COLLECTED = 5
_WORKERS = "3"


def main(arguments: list[str]) -> int:
    """Run all, the next also after a failure; 0 when all that was found passed and something was.

    Unpatched tests of the real switch have a run of their own, one after another: two switches with their callers are
    more than two cores carry. (xdist's groups would say the same, but with pytest 9.2 they are not heeded.)
    """
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "switch-tests-skipped"
        report.touch()
        # In one word: pytest takes the value of an option that it does not know yet for a path of tests.
        common = [f"--switch-report={report}", *arguments]
        outcomes = [
            _run("unpatched", ["-m", "pytest", "-n", _WORKERS, "--dist", "worksteal", "-m", "not switch", *common]),
            _run("unpatched, on the real switch", ["-m", "pytest", "-p", "no:xdist", "-m", "switch", *common]),
            _run("gevent-patched", ["-m", "tests.run_patched", *common]),
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


def _run(kind: str, arguments: list[str]) -> int:
    print(f"== {kind} tests", flush=True)
    return subprocess.run([sys.executable, *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
