"""All tests in their two runs, unpatched and gevent-patched, and one account of both: `python -m tests.run [-k …]`."""

import subprocess
import sys
import tempfile
from pathlib import Path

# pytest's exit status for "no tests collected": normal for one of the two runs when arguments choose a few tests.
_NOTHING_COLLECTED = 5
_WORKERS = "2"


def main(arguments: list[str]) -> int:
    """Run both, the second also after a failure of the first; 0 when all that was found passed and something was."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "switch-tests-skipped"
        report.touch()
        # In one word: pytest takes the value of an option that it does not know yet for a path of tests.
        common = [f"--switch-report={report}", *arguments]
        outcomes = [
            _run("unpatched", ["-m", "pytest", "-n", _WORKERS, "--dist", "loadgroup", *common]),
            _run("gevent-patched", ["-m", "tests.run_patched", *common]),
        ]
        skipped = report.read_text(encoding="utf-8").split()
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
