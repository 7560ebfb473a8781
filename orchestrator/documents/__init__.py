"""The generated documents: `docs/events.md` from the catalogue, `docs/rules.md` from the rules of distribution,
`docs/features.md` from what tests say they show.
"""

from pathlib import Path
from typing import Final

from orchestrator.documents import events, features, rules

ROOT: Final = Path(__file__).resolve().parent.parent.parent


def pages(root: Path = ROOT) -> dict[Path, str]:
    """Every generated document with its text. Raises `features.UnknownRow` where a test quotes a row that is none."""
    docs = root / "docs"
    return {
        docs / "events.md": events.page(),
        docs / "rules.md": rules.page(),
        docs / "features.md": features.page(root),
    }


def write(root: Path = ROOT) -> None:
    """Write them all. Raises as `pages` does."""
    for path, text in pages(root).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def check(root: Path = ROOT) -> list[str]:
    """The documents that are not what the code and its tests say now. Raises as `pages` does."""
    return [
        str(path.relative_to(root))
        for path, text in pages(root).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
