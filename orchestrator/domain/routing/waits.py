"""How long somebody who is queued now will wait: an estimate from what the queue did lately.

The method (docs/decisions/0047): place in the queue times the mean time between the last `KEPT` service starts. A start
counts from the one before it, or from when somebody began to wait in an empty queue, so that quiet hours do not make a
queue look slow. Whoever finds a free agent and nobody ahead is expected to wait for nobody.
"""

from collections import Counter, deque

from msgspec import Struct

from orchestrator.domain.contacts.contacts import Contact, QueueVisitEnded
from orchestrator.domain.kernel import MILLISECOND, Event, Instant

KEPT = 20
# Whoever is not in line although the visit is open: left in peace after a try, or called for outside.
_ASIDE = ("callback_later", "sent_outside", "talking_outside", "ended")


class Wait(Struct, frozen=True):
    """What can be told to somebody who is queued: the place, 1 for who comes next, and how long it may take, -1 where
    the queue has not served anybody yet.
    """

    position: int
    estimate_ms: int


class _Line:
    """Who is in line for one queue, by priority, and its last service starts."""

    __slots__ = ("gaps", "since", "total", "waiting")

    def __init__(self) -> None:
        self.waiting: Counter[int] = Counter()
        self.since = Instant(0)
        """The last service start, or since when the queue has not been empty."""
        self.gaps: deque[int] = deque()
        self.total = 0

    def start(self, at: Instant) -> None:
        gap = max(at - self.since, 0)
        self.since = at
        self.gaps.append(gap)
        self.total += gap
        if len(self.gaps) > KEPT:
            self.total -= self.gaps.popleft()


class Waits:
    """All queues' lines: a fold of contacts' events."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def note(self, before: Contact | None, after: Contact, event: Event, at: Instant) -> None:
        """Take one more event of a contact, with the contact before and after it."""
        if isinstance(event, QueueVisitEnded) and event.outcome == "answered":
            self._lines.setdefault(event.queue_id, _Line()).start(at)
        was, now = _place(before), _place(after)
        if was == now:
            return
        if was is not None:
            self._lines[was[0]].waiting[was[1]] -= 1
        if now is not None:
            line = self._lines.setdefault(now[0], _Line())
            if not line.waiting.total():
                line.since = at
            line.waiting[now[1]] += 1

    def expected(self, queue_id: str, priority: int, *, free: bool, able: bool = True) -> Wait:
        """What somebody who is queued now with this priority can expect. `free`: an agent is. `able`: one who could
        serve the queue is at work; without, nobody can say.
        """
        line = self._lines.get(queue_id)
        ahead = sum(count for rank, count in line.waiting.items() if rank >= priority) if line is not None else 0
        if free and not ahead:
            return Wait(1, 0)
        if line is None or not line.gaps or not able:
            return Wait(ahead + 1, -1)
        return Wait(ahead + 1, (ahead + 1) * line.total // len(line.gaps) // MILLISECOND)


def _place(contact: Contact | None) -> tuple[str, int] | None:
    """The queue and the priority with which this contact is in line."""
    if contact is None or contact.visit is None or contact.status in _ASIDE:
        return None
    return contact.visit.queue_id, contact.visit.base
