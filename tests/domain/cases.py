"""Given what happened, when something is asked, then this follows: the three parts of a test of the domain."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import pytest

from orchestrator.domain.kernel import Event, Instant, Refused

NOW = Instant(1_000_000_000)

_S = TypeVar("_S")
_C = TypeVar("_C")


class Case(Generic[_S, _C]):
    """`given(events).when(command).then(events)`, or `.refused(code)`."""

    def __init__(
        self,
        evolve: Callable[[_S | None, Event, Instant, str], _S | None],
        decide: Callable[[_S | None, _C], tuple[Event, ...]],
        history: Iterable[Event],
    ) -> None:
        self.state: _S | None = None
        self._evolve = evolve
        self._decide = decide
        self._command: _C | None = None
        for event in history:
            self.state = evolve(self.state, event, NOW, "x1")

    def when(self, command: _C) -> "Case[_S, _C]":
        """What is asked."""
        self._command = command
        return self

    def then(self, *expected: Event) -> _S | None:
        """Exactly these events follow; asked again afterwards, none does. Returns the state after them."""
        assert self._command is not None
        events = self._decide(self.state, self._command)
        assert events == expected
        for event in events:
            self.state = self._evolve(self.state, event, NOW, "x1")
        return self.state

    def refused(self, code: str) -> None:
        """It is not allowed."""
        assert self._command is not None
        with pytest.raises(Refused) as refused:
            self._decide(self.state, self._command)
        assert refused.value.code == code
