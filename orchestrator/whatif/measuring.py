"""What a day came to, by half hour and queue: the same fold over the real day's records and over a played day's.

A visit counts in the half hour in which it began, whatever became of it later; agents' time in which it passed.

    service level   answered within the queue's target ÷ offered
    given up        abandoned ÷ offered
    occupancy       talk, hold and after-call work ÷ time at work (that, ready and ringing)
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from orchestrator.domain.contacts import contacts
from orchestrator.domain.kernel import MILLISECOND, SECOND, Event, Instant, Record, ident_of, kind_of
from orchestrator.domain.staff import shifts

HALF_HOUR: Final = 1_800 * SECOND
USUAL_TARGET_MS: Final = 20_000

FIGURES: Final = (
    "offered",
    "answered",
    "abandoned",
    "service_level",
    "given_up",
    "answer_wait_s",
    "wait_s",
    "longest_wait_s",
    "occupancy",
    "agent_hours",
)


class Counted(Struct):
    """Visits of a queue, or of all, that began in one half hour, or in all."""

    offered: int = 0
    answered: int = 0
    in_target: int = 0
    abandoned: int = 0
    wait_ms: int = 0
    answer_wait_ms: int = 0
    longest_ms: int = 0

    def add(self, more: "Counted") -> None:
        """Count these, too."""
        self.longest_ms = max(self.longest_ms, more.longest_ms)
        for name in ("offered", "answered", "in_target", "abandoned", "wait_ms", "answer_wait_ms"):
            setattr(self, name, getattr(self, name) + getattr(more, name))


class Staffed(Struct):
    """Agents' time (µs): at work, and of that in a talk or its after-call work."""

    there: int = 0
    busy: int = 0


class Measured(Struct, frozen=True):
    """A whole day."""

    visits: dict[tuple[str, int], Counted]
    """By queue and number of the half hour, from 0."""
    staff: list[Staffed]

    def queues(self) -> list[str]:
        """Every queue in which anybody waited."""
        return sorted({queue_id for queue_id, _ in self.visits})

    def of_queue(self, queue_id: str = "") -> dict[str, float | None]:
        """The figures of a queue, or of all with the agents' time, by `FIGURES`; None where there is nothing to say."""
        whole = Counted()
        for (name, _), counted in self.visits.items():
            if not queue_id or name == queue_id:
                whole.add(counted)
        staff = Staffed() if queue_id else self._staff()
        return _figures(whole, staff)

    def of_half_hours(self) -> list[dict[str, float | None]]:
        """The figures of each half hour, all queues together."""
        found = [Counted() for _ in self.staff]
        for (_, number), counted in self.visits.items():
            found[number].add(counted)
        return [_figures(counted, staff) for counted, staff in zip(found, self.staff, strict=True)]

    def _staff(self) -> Staffed:
        return Staffed(sum(each.there for each in self.staff), sum(each.busy for each in self.staff))


def _figures(counted: Counted, staff: Staffed) -> dict[str, float | None]:
    offered, answered = counted.offered, counted.answered
    return {
        "offered": float(offered),
        "answered": float(answered),
        "abandoned": float(counted.abandoned),
        "service_level": counted.in_target / offered if offered else None,
        "given_up": counted.abandoned / offered if offered else None,
        "answer_wait_s": counted.answer_wait_ms / answered / 1000 if answered else None,
        "wait_s": counted.wait_ms / offered / 1000 if offered else None,
        "longest_wait_s": counted.longest_ms / 1000 if offered else None,
        "occupancy": staff.busy / staff.there if staff.there else None,
        "agent_hours": staff.there / HALF_HOUR / 2 if staff.there else None,
    }


class _Seat(Struct):
    """A shift: since when at work, and since when busy; 0 where not."""

    there_since: int = 0
    busy_since: int = 0


class Measure:
    """Takes the records of a day in their order. `targets`: within how many ms each queue wants to answer."""

    def __init__(self, first: Instant, last: Instant, targets: Mapping[str, int]) -> None:
        self._first, self._last = first, last
        self._targets = targets
        self._staff = [Staffed() for _ in range(max(1, -(-(last - first) // HALF_HOUR)))]
        self._visits: dict[tuple[str, int], Counted] = {}
        self._waiting: dict[str, tuple[str, int]] = {}
        self._seats: dict[str, _Seat] = {}

    def take(self, record: Record) -> None:
        """One record more. What is after the last instant does not count: of a day that is not over, the real one knows
        no more than that, so the played one may not either.
        """
        if record.about.at >= self._last:
            return
        kind = kind_of(record.stream)
        if kind == "contact":
            self._contact(record.event, ident_of(record.stream), record.about.at)
        elif kind == "shift":
            self._shift(record.event, ident_of(record.stream), record.about.at)

    def measured(self) -> Measured:
        """The day. Whoever still waits was offered, and is neither answered nor gone."""
        for contact_id in tuple(self._waiting):
            self._end(contact_id, "", self._last)
        for seat in self._seats.values():
            self._spend(seat, self._last)
        self._seats.clear()
        return Measured(self._visits, self._staff)

    def _contact(self, event: Event, ident: str, at: Instant) -> None:
        match event:
            case contacts.ContactQueued() if self._first <= at < self._last:
                self._waiting[ident] = (event.queue_id, at)
            case contacts.QueueVisitEnded() if ident in self._waiting:
                self._end(ident, event.outcome, at)
            case contacts.AgentSegmentEnded() if (seat := self._seats.get(event.shift_id)) is not None:
                self._free(seat, at)

    def _end(self, ident: str, outcome: str, at: Instant) -> None:
        queue_id, queued_at = self._waiting.pop(ident)
        key = (queue_id, (queued_at - self._first) // HALF_HOUR)
        counted = self._visits.setdefault(key, Counted())
        wait_ms = (at - queued_at) // MILLISECOND
        counted.offered += 1
        counted.wait_ms += wait_ms
        counted.longest_ms = max(counted.longest_ms, wait_ms)
        if outcome == "answered":
            counted.answered += 1
            counted.answer_wait_ms += wait_ms
            counted.in_target += wait_ms <= self._targets.get(queue_id, USUAL_TARGET_MS)
        elif outcome == "abandoned":
            counted.abandoned += 1

    def _shift(self, event: Event, ident: str, at: Instant) -> None:
        if isinstance(event, shifts.AgentSignedIn):
            self._seats[ident] = _Seat()
            return
        seat = self._seats.get(ident)
        if seat is None:
            return
        match event:
            case shifts.AgentMadeReady():
                seat.there_since = seat.there_since or at
            case shifts.AgentConnected() | shifts.WrapUpStarted():
                # Whoever talks is at work, whatever they were before.
                seat.there_since = seat.there_since or at
                seat.busy_since = seat.busy_since or at
            case shifts.WrapUpEnded():
                self._free(seat, at)
            case shifts.AgentPaused() | shifts.AgentStoodDown():
                self._spend(seat, at)
            case shifts.AgentSignedOut():
                self._spend(seat, at)
                del self._seats[ident]

    def _free(self, seat: _Seat, at: int) -> None:
        if seat.busy_since:
            for staffed, spent in self._spans(seat.busy_since, at):
                staffed.busy += spent
        seat.busy_since = 0

    def _spend(self, seat: _Seat, at: int) -> None:
        self._free(seat, at)
        if seat.there_since:
            for staffed, spent in self._spans(seat.there_since, at):
                staffed.there += spent
        seat.there_since = 0

    def _spans(self, since: int, until: int) -> Iterator[tuple[Staffed, int]]:
        """The half hours of the day through which a time goes, and how much of it lies in each."""
        since, until = max(since, self._first), min(until, self._last)
        while since < until:
            number = (since - self._first) // HALF_HOUR
            end = min(self._first + (number + 1) * HALF_HOUR, until)
            yield self._staff[number], end - since
            since = end
