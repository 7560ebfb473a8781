"""What `make` says on a machine that lacks something it cannot install itself (issue 2, point 1)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("make", "bash", "sh", "awk", "grep", "touch", "env")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh checkout, as far as the first steps of make look at it, and a PATH with no Python."""
    for name in ("Makefile", "setup.cfg", "pyproject.toml", "requirements-build.txt", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, tool
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def install_python(checkout: Path, script: str) -> None:
    """Put a `python3` on the machine's PATH that behaves as the script says."""
    program = checkout / "bin" / "python3"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        check=False,
        cwd=checkout,
        env={"PATH": str(checkout / "bin"), "HOME": str(checkout)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_help_names_every_target_that_people_need(checkout: Path) -> None:
    said = make(checkout).stdout
    for target in ("help", "run", "test", "check", "bench", "capture", "soak"):
        assert f"  make {target} " in said


def test_without_any_python_the_packages_are_named(checkout: Path) -> None:
    ran = make(checkout, "run")
    assert ran.returncode != 0
    assert "apt-get install python3 python3-venv" in ran.stdout
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_too_old_is_named_with_its_version(checkout: Path) -> None:
    install_python(checkout, 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    ran = make(checkout, "run")
    assert ran.returncode != 0
    assert "needs Python 3.11 or newer" in ran.stdout
    assert "Python 3.9.2" in ran.stdout


def test_a_debian_python_without_venv_names_exactly_the_package_and_stops(checkout: Path) -> None:
    # Debian's python3 has the module venv but not ensurepip until python3-venv is installed.
    install_python(checkout, 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac')
    ran = make(checkout, "run")
    assert ran.returncode != 0
    assert ran.stdout.strip().endswith("Install it:  apt-get install python3-venv")
    assert not (checkout / ".venv").exists()


def test_what_is_fetched_is_pinned_and_hashed_and_names_no_server_of_its_own() -> None:
    for name in ("requirements-build.txt", "requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        packages = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert packages
        assert all("==" in line and line.endswith("\\") for line in packages), name
        assert not [line for line in lines if line.lstrip().startswith("-") and "--hash=sha256:" not in line], name
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
