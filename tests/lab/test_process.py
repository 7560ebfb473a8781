"""A child of the laboratory ends with it, whatever happens."""

import subprocess
import sys
from pathlib import Path

from tests.lab.patience import until


def test_a_laboratory_that_is_killed_leaves_nothing_running(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from tests.lab.process import Child\n"
        f"child = Child(['sleep', '600'], output=Path({str(tmp_path / 'out')!r}), folder=Path({str(tmp_path)!r}))\n"
        "print(child.popen.pid, flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as laboratory:
        assert laboratory.stdout is not None
        child = int(laboratory.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        laboratory.kill()
    until(lambda: not Path(f"/proc/{child}").exists(), "the laboratory's child to be gone")
