"""What others wrote and we ship: unchanged, with its licence, and listed."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "web/static/vendor", ROOT / "tests/web/browser/vendor")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_file_is_listed_with_its_digest_and_licence(folder: Path) -> None:
    """Screens and safety, V3: a manifest for vendored files."""
    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for entry in listed:
        assert hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]
        assert entry["package"].startswith("npm:")
        assert entry["licence"] in ("MIT", "0BSD", "MPL-2.0")
        assert (folder / entry["licence_file"]).stat().st_size > 500
    there = {file.name for file in folder.iterdir()} - {"manifest.json"}
    assert there == {entry["file"] for entry in listed} | {name for name in there if "LICENSE" in name}


def test_no_page_and_no_style_fetches_from_elsewhere() -> None:
    """No CDN: a contact centre without the internet works the same."""
    for file in (ROOT / "web/static").rglob("*"):
        if file.suffix in (".css", ".js", ".mjs"):
            text = file.read_text(encoding="utf-8")
            for mark in ("@import", "url(http", "url(//", 'from "http', "import(", "importScripts"):
                assert mark not in text, f"{file.name}: {mark}"
