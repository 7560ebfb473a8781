"""What the runner remembers beside the log: nothing that a decision about a contact rests on for longer than a
snapshot. It is made by inputs only, so a re-drive makes it again.
"""


class Memory:
    """Which nodes still owe their first snapshot since the start, and whose heartbeat disagreed last time."""

    def __init__(self) -> None:
        self._seen: set[str] | None = None
        self._disagreeing: set[str] = set()

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
