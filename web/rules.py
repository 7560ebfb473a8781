"""Rules of addresses that are ready sooner: the library compiles two functions for each, of which most are never asked.

With our 231 routes that was seven eighths of making the application.
"""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LazyRule(Rule):
    """What builds its addresses is compiled when the first one is built. Two threads may both do so: it is the same."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002
        compiled = super()._compile_builder
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:  # noqa: ANN401 - whatever a converter takes
            if not made:
                made.append(compiled(append_unknown))
            return made[0](rule, **values)

        return build
