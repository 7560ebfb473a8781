"""A pseudonymous bundle is decided as the night was (feature 11.4): a test of it can be turned green by a fix."""

from pathlib import Path

import pytest

from orchestrator.bundle import BadBundle, opened, problems
from orchestrator.bundle.made import Made
from orchestrator.bundle.numbers import Numbers
from orchestrator.bundle.regression import left_out, write_test
from orchestrator.domain.kernel import Event
from orchestrator.redrive import drive
from tests.bundle.kit import window, write
from tests.redrive.taped import TapedRun
from web.redrive import bundles


@pytest.mark.parametrize("seed", range(1, 21))
def test_pseudonyms_change_no_decision(seed: int, tmp_path: Path) -> None:
    """House numbers that are refused, local numbers, rules for whole numbers: each seed draws others."""
    manifest = write(tmp_path / "night.bundle", window(TapedRun(seed).play()))
    assert manifest.check.steps > 100
    assert manifest.check.differences == 0
    if seed in (3, 8):
        assert problems(tmp_path / "night.bundle") == []


def test_what_pseudonyms_alone_change_is_told_and_no_test_rests_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules that keep the callers' own numbers fit no pseudonym: the packer finds out by driving both."""

    def unchanged(_numbers: Numbers, event: Event) -> Event:
        return event

    monkeypatch.setattr(Numbers, "event", unchanged)
    path = tmp_path / "night.bundle"
    manifest = write(path, window(TapedRun(8).play()))
    assert 0 < len(manifest.by_veil) <= manifest.check.differences
    assert problems(path) == []
    assert left_out(path) == len(manifest.by_veil)
    with opened(path) as found:
        position = next(each.position for each in found.within() if each.about.causation == manifest.by_veil[0])
        right = next(
            each
            for each in found.within()
            if each.stream.startswith("contact-") and each.about.causation not in manifest.by_veil
        )
    with pytest.raises(BadBundle, match="because of pseudonyms alone"):
        write_test(path, tmp_path / "incidents", [position])
    assert "is decided as it was then" in " ".join(problems(path, wrong={right.about.causation: "x"}))
    said = bundles.made(Made(manifest=manifest, fingerprint="f", key=None), path)
    assert f"{len(manifest.by_veil)} inputs are decided otherwise because of the pseudonyms alone." in said


@pytest.mark.parametrize("most", (2, 200))
def test_whoever_makes_a_bundle_is_told_where_it_was_not_looked_any_further(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Complete where all was compared; after so many differences it is said that there may be more."""

    def unchanged(_numbers: Numbers, event: Event) -> Event:
        return event

    monkeypatch.setattr(Numbers, "event", unchanged)
    for module in (drive, bundles):
        monkeypatch.setattr(module, "MOST_DIFFERENCES", most)
    path = tmp_path / "night.bundle"
    manifest = write(path, window(TapedRun(8).play()))
    said = bundles.made(Made(manifest=manifest, fingerprint="f", key=None), path)
    stopped = most == manifest.check.differences
    assert stopped is (most == 2)
    assert ("After 2 differences nothing more was compared." in said) is stopped
    assert ("how many more are is not known" in said) is stopped
    assert f"{len(manifest.by_veil)} inputs" in said
