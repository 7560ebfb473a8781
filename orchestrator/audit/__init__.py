"""Proof from the log alone: `verify(log.history())` walks it once and says what is wrong, with stream and position.

It knows the events' shapes and nothing else of the product: neither `evolve` nor `decide` nor the world that they make
is asked, so a bug in those shows here as a contradiction between events.
"""

from orchestrator.audit.report import Counts, Live, Problem, Report
from orchestrator.audit.verify import verify

__all__ = ["Counts", "Live", "Problem", "Report", "verify"]
