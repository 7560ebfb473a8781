"""Where somebody stands in a queue, and how long they will wait: an estimate from what the queue did lately.

The method (docs/decisions/0047): place in the queue times the mean time between the last `KEPT` service starts. A start
counts from the one before it, or from when somebody began to wait in an empty queue, so that quiet hours do not make a
queue look slow. Whoever finds a free agent and nobody ahead is expected to wait for nobody.

Those of one queue who age alike from the same points stand in one group, in the order in which they came: none of them
ever passes another. Whoever is ahead of somebody in another group is a beginning of it, which is found by halving; so a
place costs a few comparisons, however many wait.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from orchestrator.domain.contacts.contacts import Contact, QueueVisitEnded, Visit
from orchestrator.domain.contacts.transfers import AGENT, under_way
from orchestrator.domain.kernel import MILLISECOND, Event, Instant, Place
from orchestrator.domain.routing.requirements import rank_at

KEPT = 20
# Whoever is not in line although the visit is open: left in peace after a try, or called for outside.
ASIDE: Final = frozenset({"callback_later", "sent_outside", "talking_outside", "ended"})


class Wait(Struct, frozen=True):
    """What can be told to somebody who is queued: the place, 1 for who comes next, and how long it may take, -1 where
    the queue has not served anybody yet.
    """

    position: int
    estimate_ms: int


_Group = tuple[int, int, int]
"""The points that somebody has whatever the time, those that each minute adds, and how many these may become."""
_Came = tuple[Instant, int]
"""Since when somebody waits, and the order of queueing among those who came in the same instant."""
_Stand = tuple[str, _Group, _Came]
"""Where somebody is in line: queue, group, and where in it."""


class _Line:
    """Who is in line for one queue, and its last service starts."""

    __slots__ = ("gaps", "groups", "since", "total")

    def __init__(self) -> None:
        self.groups: dict[_Group, list[_Came]] = {}
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

    def join(self, group: _Group, came: _Came) -> None:
        insort(self.groups.setdefault(group, []), came)

    def leave(self, group: _Group, came: _Came) -> None:
        fellows = self.groups[group]
        del fellows[bisect_left(fellows, came)]
        if not fellows:
            del self.groups[group]

    def ahead(self, group: _Group, came: _Came, now: Instant) -> int:
        """How many are served before whoever came so into this group."""
        mine = _turn(group, came, now)
        count = 0
        for each, fellows in self.groups.items():
            count += bisect_left(fellows, mine, key=partial(_turn, each, now=now))
        return count

    def lasts(self, position: int, *, able: bool) -> Wait:
        """What can be told of this place."""
        if not self.gaps or not able:
            return Wait(position, -1)
        return Wait(position, position * self.total // len(self.gaps) // MILLISECOND)


# What moves a line: a service start; somebody comes, comes over from another queue, or goes.
_START, _COME, _MOVE, _GO = range(4)
_Moved = tuple[int, int, Instant]
"""Where in the log, which of these, and when."""


class _Tail:
    """What some of the contacts did to a queue's line lately: all since one of their service starts that lies so far
    back that no estimate looks beyond it, and how many of them were in line before that. Told in any order.
    """

    __slots__ = ("before", "begins", "moved", "starts")

    def __init__(self) -> None:
        self.before = 0
        self.begins = 0
        """Where in the log what is kept begins."""
        self.moved: list[_Moved] = []
        self.starts = 0

    def add(self, place: int, what: int, at: Instant) -> None:
        if place < self.begins:
            self.before += _GROWS[what]
            return
        self.moved.append((place, what, at))
        if what == _START:
            self.starts += 1
            if self.starts > 4 * KEPT:
                self._shorten()

    def _shorten(self) -> None:
        moved = sorted(self.moved, key=_place_of)
        cut = _nth_last_start(moved, KEPT + 1)
        self.before += _more(moved[:cut])
        self.moved = moved[cut:]
        self.begins = moved[cut][0]
        self.starts = KEPT + 1


_Told = tuple[Mapping[str, _Tail], Mapping[str, int], Mapping[str, _Stand]]
"""Of some contacts: what they did to each queue's line, in which order they queued, and where they stand."""


class Waits:
    """All queues' lines: a fold of contacts' events."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._stands: dict[str, _Stand] = {}
        self._orders: dict[str, int] = {}
        """In which order those with an open visit were queued: whoever comes back into line keeps it."""
        self._queued = 0

    def note(self, before: Contact | None, after: Contact, event: Event, at: Instant) -> None:
        """Take one more event of a contact, with the contact before and after it."""
        if type(event) is QueueVisitEnded:
            self._orders.pop(after.contact_id, None)
            if _is_start(before, event):
                self._line(event.queue_id).start(at)
        was, now = _in_line(before), _in_line(after)
        if was is now or _stands_alike(was, now):
            return
        stood = self._stands.pop(after.contact_id, None)
        if stood is not None:
            self._lines[stood[0]].leave(*stood[1:])
        if now is None:
            return
        line = self._line(now.queue_id)
        if stood is None and not line.groups:
            line.since = at
        order = self._orders.get(after.contact_id)
        if order is None:
            self._queued += 1
            order = self._orders[after.contact_id] = self._queued
        stand = self._stands[after.contact_id] = (now.queue_id, _group(now), (now.since, order))
        line.join(*stand[1:])

    def join(self, parts: Sequence[_Told]) -> None:
        """Take over what is known of parts of the contacts, each in one of them; nothing was known before."""
        for queue_id in dict.fromkeys(queue_id for tails, _, _ in parts for queue_id in tails):
            _replay(self._line(queue_id), [tails[queue_id] for tails, _, _ in parts if queue_id in tails])
        for _, orders, stands in parts:
            self._orders |= orders
            self._stands |= stands
        for queue_id, group, came in self._stands.values():
            self._line(queue_id).join(group, came)
        # Places in the log stand for the order of queueing: whoever comes from now on comes after all of them.
        self._queued = max(self._orders.values(), default=0)

    def _line(self, queue_id: str) -> _Line:
        line = self._lines.get(queue_id)
        if line is None:
            line = self._lines[queue_id] = _Line()
        return line

    def expected(self, queue_id: str, priority: int, *, free: bool, able: bool = True) -> Wait:
        """What somebody who is queued now with this priority can expect. `free`: an agent is. `able`: one who could
        serve the queue is at work; without, nobody can say.
        """
        line = self._lines.get(queue_id)
        if line is None:
            return Wait(1, 0 if free else -1)
        ahead = sum(len(fellows) for (rank, _, _), fellows in line.groups.items() if rank >= priority)
        return Wait(1, 0) if free and not ahead else line.lasts(ahead + 1, able=able)

    def standing(self, contact_id: str, now: Instant, *, able: bool) -> Wait | None:
        """What somebody who is in line can expect now; None for whoever is in none. `able`: see `expected`."""
        stand = self._stands.get(contact_id)
        if stand is None:
            return None
        queue_id, group, came = stand
        line = self._lines[queue_id]
        return line.lasts(line.ahead(group, came, now) + 1, able=able)


class SomeWaits(Waits):
    """The same of some of the contacts only, to be joined with what is known of the others (`joined`); until then
    nobody can ask it anything.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place
        self._tails: dict[str, _Tail] = {}

    def note(self, before: Contact | None, after: Contact, event: Event, at: Instant) -> None:
        ident, place = after.contact_id, self._place.position
        if type(event) is QueueVisitEnded:
            self._orders.pop(ident, None)
            if _is_start(before, event):
                self._tail(event.queue_id).add(place, _START, at)
        was, now = _in_line(before), _in_line(after)
        if was is now or _stands_alike(was, now):
            return
        stood = self._stands.pop(ident, None)
        if stood is not None:
            self._tail(stood[0]).add(place, _GO, at)
        if now is None:
            return
        self._tail(now.queue_id).add(place, _COME if stood is None else _MOVE, at)
        self._stands[ident] = (now.queue_id, _group(now), (now.since, self._orders.setdefault(ident, place)))

    def _tail(self, queue_id: str) -> _Tail:
        tail = self._tails.get(queue_id)
        if tail is None:
            tail = self._tails[queue_id] = _Tail()
        return tail

    def told(self) -> _Told:
        """What is known of these contacts, for `join`."""
        return self._tails, self._orders, self._stands


def _replay(line: _Line, tails: Sequence[_Tail]) -> None:
    """Let a line have its service starts as all of these together had them."""
    moved = sorted((move for tail in tails for move in tail.moved), key=_place_of)
    count = sum(tail.before for tail in tails)
    cut = _nth_last_start(moved, KEPT + 1)
    count += _more(moved[:cut])
    for _, what, at in moved[cut:]:
        if what == _START:
            line.start(at)
        elif what == _GO:
            count -= 1
        else:
            if what == _COME and not count:
                line.since = at
            count += 1


def _place_of(move: _Moved) -> int:
    return move[0]


def _nth_last_start(moved: Sequence[_Moved], nth: int) -> int:
    """Where it stands; 0 where there are fewer."""
    for place in range(len(moved) - 1, -1, -1):
        nth -= moved[place][1] == _START
        if not nth:
            return place
    return 0


def _more(moved: Iterable[_Moved]) -> int:
    """By how many a line grew."""
    return sum(_GROWS[what] for _, what, _ in moved)


_GROWS: Final = {_START: 0, _COME: 1, _MOVE: 1, _GO: -1}


def _is_start(before: Contact | None, event: QueueVisitEnded) -> bool:
    """Whether the queue began to serve somebody. A caller who was passed on to an agent, and is that agent's now, was
    served by a colleague's choice: the queue is no quicker for it.
    """
    if event.outcome != "answered":
        return False
    passed = under_way(before) if before is not None else None
    if before is None or passed is None or passed.to != AGENT or before.segment is None:
        return True
    return before.segment.agent_id != passed.target


def _in_line(contact: Contact | None) -> Visit | None:
    """The visit with which this contact is in line."""
    return contact.visit if contact is not None and contact.status not in ASIDE else None


def _stands_alike(was: Visit | None, now: Visit | None) -> bool:
    """Whether something else of a visit has changed than where it stands in line."""
    return (
        was is not None
        and now is not None
        and was.queue_id == now.queue_id
        and was.priority == now.priority
        and was.bonuses == now.bonuses
        and was.since == now.since
        and was.age_per_min == now.age_per_min
        and was.age_cap == now.age_cap
    )


def _group(visit: Visit) -> _Group:
    return (visit.base, visit.age_per_min, visit.age_cap)


def _turn(group: _Group, came: _Came, now: Instant) -> tuple[int, Instant, int]:
    """Where whoever came so into this group stands now, among all of the queue: smaller is served first."""
    return (-rank_at(*group, came[0], now), *came)
