"""One walk over the log: order, versions and time here; what the events mean in `contacts`, `shifts` and `others`.

Memory holds what is live, one number for each stream of configuration, nodes and customers, and a bounded remembrance
of what ended; so a log of any length can be walked.
"""

from collections.abc import Iterable

from orchestrator.audit.books import Books
from orchestrator.audit.contacts import Contacts
from orchestrator.audit.others import Configuration, Drafts, Nodes, see_customer, see_engine, see_order
from orchestrator.audit.report import Live, Problem, Report
from orchestrator.audit.shifts import Shifts
from orchestrator.domain.catalogue import BY_CLASS
from orchestrator.domain.kernel import LIVE_KINDS, MILLISECOND, SECOND, Instant, Record, UnknownEvent, kind_of

# How late an offer, a wrap-up or a wait may be closed: a timer's own lateness, a commit in between, a busy machine.
SLACK_MS = 5_000

# How far `at` may step back from one record to the next: two processes stamp before they append. Looking for the state
# at an instant relies on it.
DISORDER = 10 * SECOND

# Streams that `config apply` writes, each change of which is listed by a version.
_CONFIGURATION = (
    "config", "agent", "queue", "entry", "level", "branch", "ordertype", "rewrite", "trunk", "limit", "calendar",
    "notice", "outside", "recordings", "conference", "desks", "pauses", "wrapup",
)  # fmt: skip
_KINDS = {cls: entry.kind for cls, entry in BY_CLASS.items()}


def verify(
    records: Iterable[Record],
    *,
    expect_contacts: int = 1,
    settled: bool = False,
    strict: bool = False,
    capacity: int = 1,
    slack_ms: int = SLACK_MS,
    now: Instant | None = None,
) -> Report:
    """Walk over all records of a log, from its beginning, and report counts and problems.

    `expect_contacts`: at least so many queued contacts must have ended, so that an empty log proves nothing; 0 asks
    for none. `settled`: nothing may be left open (after a simulation, or when the demo was stopped). `strict`: a delay
    is explained by a record of recovery only, not by mere silence (simulations, which know when they are down).
    `capacity`: calls that one agent may have at a time where the configuration does not say. `slack_ms`: how late a
    deadline may be kept. `now`: the time by which what is still open is judged overdue, and after which nothing can
    have happened; by default the log's own last instant. Never raises for what it finds; only for what the iterable
    raises.
    """
    walk = _Walk(Books(slack_ms=slack_ms, capacity=capacity, strict=strict), now)
    for record in records:
        walk.see(record)
    return walk.report(expect_contacts, settled=settled)


class _Walk:
    def __init__(self, books: Books, now: Instant | None) -> None:
        self._books = books
        self._now = now
        self._contacts = Contacts(books)
        self._shifts = Shifts(books)
        self._nodes = Nodes(books)
        self._configuration = Configuration(books)
        self._drafts = Drafts(books)
        self._position = 0
        self._first_at = self._last_at = self._latest = self._latest_live = Instant(0)

    def see(self, record: Record) -> None:
        books = self._books
        counts = books.counts
        counts.events += 1
        if record.about.causation != books.step:
            self._end_step()
            books.step = record.about.causation
        books.record = record
        books.place = record.position or counts.events
        kind = kind_of(record.stream)
        by_engine = kind in LIVE_KINDS
        if record.position:
            if record.position <= self._position:
                books.complain("order", f"position {record.position} comes after {self._position}")
            self._position = record.position
        books.see_event_id(record.event_id)
        self._see_time(record, by_engine=by_engine)
        if not self._see_version(record):
            return
        if by_engine:
            books.see_sign_of_life()
        if isinstance(record.event, UnknownEvent):
            name = f"{record.event.name} v{record.event.version}"
            counts.unknown_events[name] = counts.unknown_events.get(name, 0) + 1
            return
        if _KINDS.get(type(record.event)) != kind:
            books.complain("kind", f"{type(record.event).__name__} does not belong in a {kind} stream")
            return
        match kind:
            case "contact":
                self._contacts.see(record)
            case "shift":
                self._shifts.see(record)
            case "node":
                self._nodes.see(record)
            case "engine":
                see_engine(books, record)
            case "customer":
                see_customer(books, record)
            case "order":
                see_order(books, record)
            case "draft":
                self._drafts.see(record)
            case kind if kind in _CONFIGURATION:
                self._configuration.see(record)

    def _end_step(self) -> None:
        self._books.settle_debts()
        self._contacts.end_step()

    def _see_time(self, record: Record, *, by_engine: bool) -> None:
        books = self._books
        at = record.about.at
        if at <= 0:
            books.complain("time", "it has no time")
        if self._now is not None and at > self._now + DISORDER:
            books.complain("time", f"it is {(at - self._now) // MILLISECOND} ms in the future")
        if not self._first_at:
            self._first_at = at
        if at < self._last_at:
            books.counts.steps_back += 1
        if at < self._latest - DISORDER:
            books.check_clock(self._latest, by_engine=by_engine, beside=at >= self._latest_live - DISORDER)
        self._last_at = at
        # `max` is several times as dear, and this is done for every record.
        if at > self._latest:  # noqa: PLR1730
            self._latest = at
        if by_engine and at > self._latest_live:
            self._latest_live = at
        switch_at = record.about.switch_at
        if switch_at is not None:
            skew = abs(at - switch_at) // MILLISECOND
            if skew > books.counts.largest_switch_skew_ms:  # noqa: PLR1730
                books.counts.largest_switch_skew_ms = skew

    def _see_version(self, record: Record) -> bool:
        """Whether the stream may still have events."""
        books = self._books
        stream, version = record.stream, record.version
        ended_at = books.ended.get(stream)
        if ended_at is not None:
            rule = "ends_once" if kind_of(stream) == "contact" else "after_end"
            books.complain(rule, f"{type(record.event).__name__} after the stream's end at version {ended_at}")
            return False
        last = books.versions.get(stream, 0)
        if not last:
            books.counts.streams += 1
        if version != last + 1:
            books.complain("versions", f"version {version} follows {last or 'nothing'}")
        books.versions[stream] = version
        return True

    def report(self, expect_contacts: int, *, settled: bool) -> Report:
        books = self._books
        self._end_step()
        books.finish()
        clock = self._latest if self._now is None else self._now
        live = Live()
        self._contacts.finish(clock, live, settled=settled)
        self._shifts.finish(clock, live, settled=settled)
        self._nodes.finish(live, settled=settled)
        self._configuration.finish()
        counts = books.counts
        if counts.ended_queued_contacts < expect_contacts:
            text = f"{counts.ended_queued_contacts} queued contacts ended, at least {expect_contacts} were expected"
            self._note("expected", text)
        if counts.queued_contacts != counts.ended_queued_contacts + live.queued_contacts:
            text = f"{counts.queued_contacts} queued, {counts.ended_queued_contacts} ended, {live.queued_contacts} open"
            self._note("ends_once", text)
        return Report(
            ok=books.problem_count == 0,
            counts=counts,
            live=live,
            problems=tuple(books.problems),
            problem_count=books.problem_count,
            last_position=self._position,
            first_at=self._first_at,
            last_at=self._last_at,
        )

    def _note(self, rule: str, text: str) -> None:
        whole = Problem(rule=rule, stream="", version=0, position=self._position, at=self._last_at, text=text)
        self._books.note(whole)
