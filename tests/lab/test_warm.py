"""A command that is forked is a process like one that was started, and ends as one does."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.lab.patience import until
from tests.lab.process import Child, _die_with_us
from tests.lab.warm import OURS, Forked, Warmth

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def warmth() -> Iterator[Warmth]:
    """Both processes from which is forked."""
    warmth = Warmth(_die_with_us)
    yield warmth
    warmth.close()


def forked(warmth: Warmth, output: int, *words: str, **variables: str) -> Forked:
    found = warmth.begin([*OURS, *words], output=output, folder=ROOT, environment={**os.environ, **variables})
    assert found is not None
    return found


@pytest.fixture
def full() -> Iterator[int]:
    """A pipe into which nothing fits any more: whoever writes waits."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writes, b"x" * 4_096)
    os.set_blocking(writes, True)
    yield writes
    os.close(reads)
    os.close(writes)


@pytest.mark.parametrize(
    ("words", "variables"),
    (
        (("settings",), {"RINGLEDGER_SITE": "elsewhere"}),
        (("settings",), {"RINGLEDGER_SITE": "no site's name!"}),
        (("config", "--help"), {}),
        (("nonsense",), {}),
        (("agents",), {"RINGLEDGER_HOME": "/nonexistent"}),
        (("web",), {"RINGLEDGER_WEB": ""}),
        (("engine",), {"RINGLEDGER_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}),
        (("engine",), {"RINGLEDGER_DATABASE_URL": "postgresql://another@127.0.0.1:9/none"}),
    ),
    ids=" ".join,
)
def test_it_says_and_ends_as_what_was_started(
    warmth: Warmth, tmp_path: Path, words: tuple[str, ...], variables: dict[str, str]
) -> None:
    environment = {**os.environ, "RINGLEDGER_HOME": str(tmp_path), **variables}
    started = subprocess.run(
        [*OURS, *words], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    with (tmp_path / "said").open("ab") as sink:
        child = forked(warmth, sink.fileno(), *words, **environment)
    assert child.wait(30) == child.poll() == started.returncode
    assert (tmp_path / "said").read_bytes() == started.stdout


def test_it_is_a_process_of_its_own_and_ends_by_a_signal(warmth: Warmth, full: int) -> None:
    child = forked(warmth, full, "settings")
    proc = Path(f"/proc/{child.pid}")
    until(lambda: "pipe_write" in (proc / "wchan").read_text() or None, "it to wait until it can write")
    assert child.poll() is None
    assert os.getsid(child.pid) == child.pid
    assert (proc / "cwd").readlink() == ROOT
    assert {int(each.name) for each in (proc / "fd").iterdir()} == {0, 1, 2}
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.01)
    child.send_signal(signal.SIGTERM)
    assert child.wait(30) == -signal.SIGTERM
    child.send_signal(signal.SIGTERM)


def test_it_ends_in_the_order_in_which_python_ends() -> None:
    """Threads are waited for, then what was left to be done at the end is done, and all that was said is out."""
    told = """
import atexit, sys, threading
from tests.lab.forks import end
atexit.register(lambda: sys.stdout.write("last"))
threading.Timer(0.1, lambda: sys.stdout.write("thread ")).start()
sys.stdout.write("main ")
end(7)
"""
    ended = subprocess.run([sys.executable, "-c", told], cwd=ROOT, stdout=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stdout) == (7, b"main thread last")


@pytest.mark.parametrize("words", (("settings",), ("web", "--help")), ids=("plain", "patched"))
def test_what_still_runs_ends_with_whoever_forked_it(full: int, words: tuple[str, ...]) -> None:
    warmth = Warmth(_die_with_us)
    child = forked(warmth, full, *words)
    warmth.close()
    with pytest.raises(AssertionError, match="whoever forked it has ended"):
        child.wait(30)
    until(lambda: not Path(f"/proc/{child.pid}").exists(), "it to be gone")


def test_what_is_none_of_ours_or_wants_another_python_is_not_forked(warmth: Warmth) -> None:
    for command, environment in (
        (["sleep", "1"], {**os.environ}),
        ([sys.executable, "-m", "freeswitch.simulator"], {**os.environ}),
        ([*OURS, "settings"], {**os.environ, "PYTHONPATH": "/elsewhere"}),
        ([*OURS, "run"], {**os.environ}),
        (["ip", "netns", "exec", "x", *OURS, "engine"], {**os.environ}),
    ):
        assert warmth.begin(command, output=1, folder=ROOT, environment=environment) is None


def test_a_child_of_the_laboratory_is_forked_where_it_can_be(tmp_path: Path) -> None:
    with Child([*OURS, "settings"], output=tmp_path / "a", folder=ROOT, environment=dict(os.environ)) as child:
        assert isinstance(child.popen, Forked)
        assert child.wait(30) == 0
    with Child([*OURS, "settings"], output=tmp_path / "b", folder=ROOT) as child:
        assert isinstance(child.popen, subprocess.Popen)
        assert child.wait(30) == 0
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()
