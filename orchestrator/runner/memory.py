"""What the runner remembers beside the log: nothing that a decision about a contact rests on for longer than a
snapshot. It is made by inputs only, so a re-drive makes it again.
"""

from collections import OrderedDict

# A snapshot is seconds old at most, and news of one leg comes within seconds; at 60 calls/s this is
# over a minute.
_KEPT = 10_000


class Memory:
    """Which nodes still owe their first snapshot since the start, whose heartbeat disagreed last time, which legs that
    nobody knew are gone already, and which of ours the switch has made.
    """

    def __init__(self) -> None:
        self._seen: set[str] | None = None
        self._disagreeing: set[str] = set()
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._made: OrderedDict[str, None] = OrderedDict()

    def started(self) -> None:
        """A new active orchestrator: every node's first snapshot is special."""
        self._seen = set()

    def first_snapshot(self, node: str) -> bool:
        """Whether this is the node's first snapshot since the start; asking makes it the first no longer."""
        if self._seen is None or node in self._seen:
            return False
        self._seen.add(node)
        return True

    def disagreed(self, node: str, *, now: bool) -> bool:
        """Whether the node's heartbeat disagrees now and did so the last time; a second time starts the count anew."""
        before = node in self._disagreeing
        if now and not before:
            self._disagreeing.add(node)
        else:
            self._disagreeing.discard(node)
        return now and before

    def bury(self, leg: str) -> None:
        """A leg that nobody knew is gone: older news of it that comes later makes no contact."""
        _keep(self._gone, leg)

    def is_buried(self, leg: str) -> bool:
        """Whether this leg was unknown when its end was told."""
        return leg in self._gone

    def note_made(self, leg: str) -> None:
        """The switch has made this leg."""
        _keep(self._made, leg)

    def is_made(self, leg: str) -> bool:
        """Whether the switch was heard to make this leg."""
        return leg in self._made


def _keep(legs: OrderedDict[str, None], leg: str) -> None:
    legs[leg] = None
    if len(legs) > _KEPT:
        legs.popitem(last=False)
