"""The runner: inputs in, records and instructions out, no sockets, no clock, no database (law 3).

`Runner.step(Input)` is the one door. `inputs` says what may come in, `sensing` turns a switch's facts into commands for
contacts, `reconcile` brings ledger and switch together after a snapshot, `desk` answers what people ask for.
"""

from typing import TYPE_CHECKING, Any

from orchestrator.runner.inputs import DatabaseAway, DatabaseBack, Followed, Input, Started, TimerFired

if TYPE_CHECKING:
    from orchestrator.runner.step import Outcome, Runner

__all__ = ["DatabaseAway", "DatabaseBack", "Followed", "Input", "Outcome", "Runner", "Started", "TimerFired"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    """`Outcome` and `Runner`, loaded once somebody asks for them: whoever only tells the engine what it wants, as every
    command does, need not load all that decides.
    """
    if name not in ("Outcome", "Runner"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from orchestrator.runner import step

    return getattr(step, name)
