"""A pseudonymous bundle is decided as the night was (feature 11.4): a test of it can be turned green by a fix."""

from pathlib import Path

import pytest

from orchestrator.bundle import problems
from tests.bundle.kit import window, write
from tests.redrive.taped import TapedRun


@pytest.mark.parametrize("seed", range(1, 21))
def test_pseudonyms_change_no_decision(seed: int, tmp_path: Path) -> None:
    """House numbers that are refused, local numbers, rules for whole numbers: each seed draws others."""
    manifest = write(tmp_path / "night.bundle", window(TapedRun(seed).play()))
    assert manifest.check.steps > 100
    assert manifest.check.differences == 0
    if seed in (3, 8):
        assert problems(tmp_path / "night.bundle") == []
