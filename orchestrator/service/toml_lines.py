"""In which line of a TOML file something stands, asked of the standard library's own parser.

`tomllib` tells lines of syntax errors only. But a file cut at the end of a statement is a file again: the statement
that brings a key is the one with which the key first appears.
"""

import tomllib
from typing import Any

Path = tuple[str | int, ...]


class Lines:
    """Finds the lines of a text that `tomllib` reads without error."""

    def __init__(self, text: str) -> None:
        # Only \n ends a line in TOML; splitlines() would cut strings at other characters.
        self._lines = text.split("\n")
        self._parsed: dict[int, dict[str, Any] | None] = {}

    def of(self, path: Path) -> int:
        """The line, from 1, in which the statement begins that brings `path`; 0 where nothing does."""
        lowest, highest, brought_by = 0, len(self._lines), 0
        while lowest <= highest:
            middle = (lowest + highest) // 2
            end = self._next_end(middle)
            if _holds(self._parse(end), path):
                brought_by, highest = end, middle - 1
            else:
                lowest = end + 1
        return self._begin(brought_by) if brought_by else 0

    def _parse(self, count: int) -> dict[str, Any] | None:
        """The first `count` lines as a document, None where they end within a statement."""
        if count not in self._parsed:
            try:
                self._parsed[count] = tomllib.loads("\n".join(self._lines[:count]))
            except tomllib.TOMLDecodeError:
                self._parsed[count] = None
        return self._parsed[count]

    def _next_end(self, count: int) -> int:
        """The first end of a statement at or after `count` lines. The whole text is one, by the class's premise."""
        while count < len(self._lines) and self._parse(count) is None:
            count += 1
        return count

    def _begin(self, end: int) -> int:
        start = end - 1
        while self._parse(start) is None:
            start -= 1
        while start < end - 1 and self._lines[start].strip()[:1] in ("", "#"):
            start += 1
        return start + 1


def _holds(value: Any, path: Path) -> bool:  # noqa: ANN401 - whatever TOML holds
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True
