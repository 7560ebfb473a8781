"""Spools that did not go to the log as they should. Stream `spool-<the spool's id>`, a desk stream: nobody may hold the
lease while these are decided.
"""

from orchestrator.domain.kernel import Event, Personal

KIND = "spool"


class SpoolPutAside(Event, frozen=True, kw_only=True):
    """What was left in a spool cannot go to the log: its file stays, under another name. `stored` of its events are in
    the log; why not the others: `given_up`, `damaged`, `conflict`, `later_epoch`. Of a damaged one `left` may be too
    low: it is 0 where nobody can say.
    """

    why: str
    stored: int
    left: int


class SpoolGivenUp(Event, frozen=True, kw_only=True):
    """Somebody decided that what was decided into this spool is lost, so that another engine may go on. The holder of
    the lease until then (epoch `epoch`) is deposed.
    """

    epoch: int
    reason: Personal
