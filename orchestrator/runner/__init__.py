"""The runner: inputs in, records and instructions out, no sockets, no clock, no database (law 3).

`Runner.step(Input)` is the one door. `inputs` says what may come in, `sensing` turns a switch's facts into commands for
contacts, `reconcile` brings ledger and switch together after a snapshot, `desk` answers what people ask for.
"""

from orchestrator.runner.inputs import DatabaseBack, Followed, Input, Started, TimerFired
from orchestrator.runner.step import Outcome, Runner

__all__ = ["DatabaseBack", "Followed", "Input", "Outcome", "Runner", "Started", "TimerFired"]
