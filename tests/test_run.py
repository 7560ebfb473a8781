"""What failed is looked at once more and alone; whatever fails then, or is much, has failed (decision 0099)."""

from pathlib import Path

import pytest

from tests.run import AGAIN_AT_MOST, Run, look_again, make

ROOT = Path(__file__).parents[1]

TESTS = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("word", ["a b", "c::d"])
def test_of_a_busy_machine(word):
    seen = Path(f"seen-{word}")
    there = seen.exists()
    seen.touch()
    assert there

def test_steady():
    assert not Path("steady").exists()
    Path("steady").touch()
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Of three tests, two of which fail the first time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    (tmp_path / "test_tried.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return Run("tried", ("-m", "pytest", "-q", "-p", "no:xdist", "-p", "tests.conftest"), tmp_path / "failures")


@pytest.mark.slow
def test_what_passes_alone_is_named_as_unsteady(run: Run) -> None:
    unsteady: list[str] = []
    assert make(run) == 1
    assert look_again(run, unsteady) == 0
    assert unsteady == [
        "test_tried.py::test_of_a_busy_machine[a b]",
        "test_tried.py::test_of_a_busy_machine[c::d]",
    ]


def test_what_fails_again_has_failed(run: Run) -> None:
    run.failures.write_text("test_tried.py::test_of_a_busy_machine[a b]\n")
    unsteady: list[str] = []
    assert look_again(run, unsteady) == 1
    assert unsteady == []


def test_much_that_failed_is_not_looked_at_again(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    run.failures.write_text("test_tried.py::test_steady\n" * (AGAIN_AT_MOST + 1))
    assert look_again(run, []) == 1
    assert capfd.readouterr().out == ""
