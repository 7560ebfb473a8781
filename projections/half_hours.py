"""Half hours: what each queue was asked, how long it took, and who was there. The page of sizing, and the API's.

Streams: contact (visits, conversations), shift (who is there, after-call work), agent (skills), queue (targets). All
times by our own clock. A visit counts in the half hour, by the site's clock, in which it began, and so does the
conversation that came of it, however late, with its after-call work: calls × handling time of a half hour is the work
that arrived in it. Who is there counts in each half hour for the time there, once for each skill: agents who can do
more than one thing are there for each. What is asked of it stands in `sizing`.
"""

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from msgspec import Struct, field

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.contacts import wait_began
from orchestrator.domain.kernel import MILLISECOND, SECOND, Event, Instant, Record, ident_of
from orchestrator.domain.routing.queues import QueueConfigured, QueueRemoved
from orchestrator.domain.staff import shifts
from orchestrator.domain.staff.agents import AgentConfigured, AgentRemoved
from orchestrator.store.arrays import TextArray
from projections.base import Batch, Cursor, Site
from projections.tables import Table

NAME: Final = "half_hours"
VERSION: Final = 3

TABLES: Final = """
CREATE TABLE half_hours (
    queue_id           text   NOT NULL,
    began              bigint NOT NULL,
    offered            bigint NOT NULL,
    answered           bigint NOT NULL,
    answered_in_target bigint NOT NULL,
    abandoned          bigint NOT NULL,
    left_otherwise     bigint NOT NULL,
    answered_wait_ms   bigint NOT NULL,
    abandoned_wait_ms  bigint NOT NULL,
    left_wait_ms       bigint NOT NULL,
    handled            bigint NOT NULL,
    talk_ms            bigint NOT NULL,
    wrap_up_ms         bigint NOT NULL,
    PRIMARY KEY (queue_id, began)
) WITH (fillfactor = 70);
CREATE TABLE half_hours_staff (
    skill    text   NOT NULL,
    level    bigint NOT NULL,
    began    bigint NOT NULL,
    there_ms bigint NOT NULL,
    away_ms  bigint NOT NULL,
    PRIMARY KEY (skill, level, began)
) WITH (fillfactor = 70);
CREATE TABLE half_hours_queues (
    queue_id         text    PRIMARY KEY,
    name             text    NOT NULL,
    open             boolean NOT NULL,
    skill            text    NOT NULL,
    min_level        bigint  NOT NULL,
    answer_target_ms bigint  NOT NULL
);
CREATE TABLE half_hours_visits (
    contact_id text   PRIMARY KEY,
    queue_id   text   NOT NULL,
    queued_at  bigint NOT NULL,
    waiting    boolean NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE half_hours_agents (
    agent_id text  PRIMARY KEY,
    skills   jsonb NOT NULL,
    shift_id text  NOT NULL,
    state    text  NOT NULL,
    since    bigint,
    work     jsonb NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX ON half_hours_agents (shift_id);
"""

INDEXES: Final = """
CREATE INDEX ON half_hours (began);
CREATE INDEX ON half_hours_staff (began);
"""

HALF_HOUR: Final = Instant(1_800 * SECOND)
EVERYBODY: Final = ""
"""Stands for a skill that every agent has, at level 0."""


class HalfHour(Struct):
    """Visits of one queue that began in the half hour from `began` on. `left_otherwise`: timed out, moved, overflowed,
    stopped, switch lost. `handled`: conversations that are over; `talk_ms`: those, holds included.
    """

    queue_id: str
    began: int
    offered: int = 0
    answered: int = 0
    answered_in_target: int = 0
    abandoned: int = 0
    left_otherwise: int = 0
    answered_wait_ms: int = 0
    abandoned_wait_ms: int = 0
    left_wait_ms: int = 0
    handled: int = 0
    talk_ms: int = 0
    wrap_up_ms: int = 0


class Staff(Struct):
    """Time of agents who have a skill at just this level: at work (ready, ringing, talking, wrapping up), and away
    (signed in and not ready).
    """

    skill: str
    level: int
    began: int
    there_ms: int = 0
    away_ms: int = 0


class Queue(Struct):
    """A queue as configured. A removed one is not open."""

    queue_id: str
    name: str
    open: bool
    skill: str
    min_level: int
    answer_target_ms: int


class Visit(Struct):
    """The last visit of a contact that is not over. `waiting`: nobody has answered it yet."""

    contact_id: str
    queue_id: str
    queued_at: int
    waiting: bool = True


class Work(Struct):
    """A conversation of an agent, with its after-call work: of which visit, and since when it has been `doing` what:
    talk, wrap_up, or nothing before a postponed after-call work.
    """

    queue_id: str
    queued_at: int
    doing: str = ""
    since: int = 0


class Agent(Struct):
    """An agent. `state`: there, away, or empty while signed out. `work`: by contact."""

    agent_id: str
    skills: dict[str, int] = field(default_factory=dict)
    shift_id: str = ""
    state: str = ""
    since: int | None = None
    work: dict[str, Work] = field(default_factory=dict)


Row = TypeVar("Row", HalfHour, Staff)

HALF_HOURS: Final = Table(NAME, HalfHour, key=("queue_id", "began"))
STAFF: Final = Table("half_hours_staff", Staff, key=("skill", "level", "began"))
QUEUES: Final = Table("half_hours_queues", Queue, key=("queue_id",))
VISITS: Final = Table("half_hours_visits", Visit, key=("contact_id",))
AGENTS: Final = Table("half_hours_agents", Agent, key=("agent_id",))

_OF_CONTACTS: Final[frozenset[type[Event]]] = frozenset(
    {
        contacts.ContactQueued,
        contacts.QueueVisitEnded,
        contacts.ContactConnected,
        contacts.AgentSegmentEnded,
        contacts.ContactEnded,
    }
)
_OF_SHIFTS: Final[frozenset[type[Event]]] = frozenset(
    {
        shifts.AgentSignedIn,
        shifts.AgentMadeReady,
        shifts.AgentPaused,
        shifts.AgentStoodDown,
        shifts.WrapUpStarted,
        shifts.WrapUpPostponed,
        shifts.WrapUpEnded,
        shifts.AgentSignedOut,
    }
)
_OF_AGENTS: Final[frozenset[type[Event]]] = frozenset({AgentConfigured, AgentRemoved})
_OF_QUEUES: Final[frozenset[type[Event]]] = frozenset({QueueConfigured, QueueRemoved})
_CARED_FOR: Final = _OF_CONTACTS | _OF_SHIFTS | _OF_AGENTS | _OF_QUEUES
# For a queue that was never configured, which cannot be: the defaults of `QueueConfigured`.
_UNKNOWN: Final = QueueConfigured(name="", skill="")


# --- folding ---------------------------------------------------------------------------------------------------------
def apply(batch: Batch) -> None:
    """Load what these events touch, fold, put it back."""
    news = [record for record in batch.records if type(record.event) in _CARED_FOR]
    if not news:
        return
    folding = _Folding(batch, news)
    for record in news:
        folding.take(record, ident_of(record.stream), record.about.at)
    folding.save()


class _Folding:
    """What a batch touches, and what it adds to half hours."""

    def __init__(self, batch: Batch, news: list[Record]) -> None:
        self._cursor, self._site = batch.cursor, batch.site
        ids: dict[frozenset[type[Event]], set[str]] = {
            kinds: {ident_of(record.stream) for record in news if type(record.event) in kinds}
            for kinds in (_OF_CONTACTS, _OF_SHIFTS, _OF_AGENTS, _OF_QUEUES)
        }
        seats, names = ids[_OF_SHIFTS], ids[_OF_AGENTS]
        for record in news:
            match record.event:
                case shifts.AgentSignedIn() as event:
                    names.add(event.agent_id)
                case contacts.ContactConnected() | contacts.AgentSegmentEnded() as event:
                    seats.add(event.shift_id)
        self._visits = VISITS.load(batch.cursor, ids[_OF_CONTACTS])
        self._had_visits = set(self._visits)
        found = AGENTS.find(
            batch.cursor,
            "WHERE agent_id = ANY(%b) OR shift_id = ANY(%b)",
            [TextArray(list(names)), TextArray(list(seats))],
        )
        self._agents = {row.agent_id: row for row in found}
        self._by_shift = {row.shift_id: row for row in found if row.shift_id}
        ended = {record.event.queue_id for record in news if isinstance(record.event, contacts.QueueVisitEnded)}
        self._queues = QUEUES.load(batch.cursor, ids[_OF_QUEUES] | ended)
        self._configured = ids[_OF_QUEUES]
        self._added: dict[tuple[str, int], HalfHour] = {}
        self._staff: dict[tuple[str, int, int], Staff] = {}

    def take(self, record: Record, ident: str, at: Instant) -> None:
        kind = type(record.event)
        if kind in _OF_CONTACTS:
            self._contact(record.event, ident, at)
        elif kind in _OF_SHIFTS:
            self._shift(record.event, ident, at)
        elif kind in _OF_AGENTS:
            agent = self._agents.setdefault(ident, Agent(ident))
            # Until now they could do what they could.
            self._enter(agent, agent.state, at)
            agent.skills = record.event.skills if isinstance(record.event, AgentConfigured) else {}
        elif isinstance(record.event, QueueConfigured):
            now = record.event
            self._queues[ident] = Queue(ident, now.name, True, now.skill, now.min_level, now.answer_target_ms)
        elif (queue := self._queues.get(ident)) is not None:
            queue.open = False

    def _contact(self, event: Event, ident: str, at: Instant) -> None:
        visit = self._visits.get(ident)
        match event:
            case contacts.ContactQueued():
                began = wait_began(event, at)
                self._visits[ident] = Visit(ident, event.queue_id, began)
                self._in(event.queue_id, began).offered += 1
            case contacts.QueueVisitEnded() if visit is not None and visit.waiting:
                visit.waiting = False
                self._end(visit, event.outcome, at)
            case contacts.ContactConnected() if visit is not None:
                if (agent := self._by_shift.get(event.shift_id)) is not None:
                    agent.work[ident] = Work(visit.queue_id, visit.queued_at, "talk", at)
            case contacts.AgentSegmentEnded():
                agent = self._by_shift.get(event.shift_id)
                if agent is not None and (work := agent.work.get(ident)) is not None and work.doing == "talk":
                    counted = self._in(work.queue_id, work.queued_at)
                    counted.handled += 1
                    counted.talk_ms += (at - work.since) // 1000
                    work.doing = ""
            case contacts.ContactEnded():
                self._visits.pop(ident, None)

    def _end(self, visit: Visit, outcome: str, at: Instant) -> None:
        counted = self._in(visit.queue_id, visit.queued_at)
        wait_ms = (at - visit.queued_at) // 1000
        match outcome:
            case "answered":
                queue = self._queues.get(visit.queue_id)
                counted.answered += 1
                counted.answered_in_target += wait_ms <= (queue or _UNKNOWN).answer_target_ms
                counted.answered_wait_ms += wait_ms
            case "abandoned":
                counted.abandoned += 1
                counted.abandoned_wait_ms += wait_ms
            case _:
                counted.left_otherwise += 1
                counted.left_wait_ms += wait_ms

    def _shift(self, event: Event, ident: str, at: Instant) -> None:
        if isinstance(event, shifts.AgentSignedIn):
            agent = self._agents.setdefault(event.agent_id, Agent(event.agent_id))
            agent.shift_id, agent.work = ident, {}
            self._by_shift[ident] = agent
            self._enter(agent, "away", at)
            return
        found = self._by_shift.get(ident)
        if found is None:
            return
        match event:
            case shifts.AgentMadeReady():
                self._enter(found, "there", at)
            case shifts.AgentPaused() | shifts.AgentStoodDown():
                self._enter(found, "away", at)
            case shifts.WrapUpStarted() if (work := found.work.get(event.contact_id)) is not None:
                work.doing, work.since = "wrap_up", at
            case shifts.WrapUpPostponed() if (work := found.work.get(event.contact_id)) is not None:
                self._stop_wrap_up(work, at)
            case shifts.WrapUpEnded():
                self._end_wrap_up(found, at)
            case shifts.AgentSignedOut():
                self._end_wrap_up(found, at)
                self._enter(found, "", at)
                del self._by_shift[ident]
                found.shift_id, found.work = "", {}

    def _end_wrap_up(self, agent: Agent, at: Instant) -> None:
        for contact_id, work in list(agent.work.items()):
            if self._stop_wrap_up(work, at):
                del agent.work[contact_id]

    def _stop_wrap_up(self, work: Work, at: Instant) -> bool:
        """Count it up to now, where it goes on; whether it did."""
        if work.doing != "wrap_up":
            return False
        self._in(work.queue_id, work.queued_at).wrap_up_ms += (at - work.since) // 1000
        work.doing = ""
        return True

    def _enter(self, agent: Agent, state: str, at: Instant) -> None:
        """From now on the agent is there, away or gone; the time before goes to the half hours in which it was."""
        for skill, level in counted_for(agent):
            for began, spent_ms in spans(self._site, agent, at):
                key = (skill, level, began)
                staff = self._staff.get(key)
                if staff is None:
                    staff = self._staff[key] = Staff(*key)
                spend(staff, agent.state, spent_ms)
        agent.state, agent.since = state, at

    def _in(self, queue_id: str, at: int) -> HalfHour:
        key = (queue_id, self._site.half_hour(Instant(at)))
        found = self._added.get(key)
        if found is None:
            found = self._added[key] = HalfHour(*key)
        return found

    def save(self) -> None:
        VISITS.delete(self._cursor, self._had_visits - set(self._visits))
        VISITS.save(self._cursor, self._visits.values())
        AGENTS.save(self._cursor, self._agents.values())
        QUEUES.save(self._cursor, [self._queues[ident] for ident in self._configured if ident in self._queues])
        _save_sums(self._cursor, HALF_HOURS, self._added)
        _save_sums(self._cursor, STAFF, self._staff)


def _save_sums(cursor: Cursor, table: Table[Row], added: dict[Any, Row]) -> None:
    before = table.load(cursor, added)
    for key, row in added.items():
        if key in before:
            add(row, before[key])
    table.save(cursor, added.values())


def counted_for(agent: Agent) -> Iterator[tuple[str, int]]:
    """Under which skills and levels the agent's time is counted."""
    yield EVERYBODY, 0
    yield from agent.skills.items()


def spans(site: Site, agent: Agent, until: Instant) -> Iterator[tuple[int, int]]:
    """The half hours, with milliseconds, in which an agent has been in the present state."""
    if not agent.state or agent.since is None:
        return
    start, done = Instant(agent.since), 0
    while start < until:
        began = site.half_hour(start)
        # Counted from the beginning, so that the parts add up to the whole.
        end = min(Instant(began + HALF_HOUR), until)
        upto = (end - agent.since) // MILLISECOND
        yield began, upto - done
        done, start = upto, end


def spend(staff: Staff, state: str, spent_ms: int) -> None:
    """Count this time, there or away."""
    if state == "there":
        staff.there_ms += spent_ms
    else:
        staff.away_ms += spent_ms


def add(row: Row, more: Row) -> None:
    """Add the counts of `more` to `row`."""
    for name in type(row).__struct_fields__:
        if name not in _KEYS:
            setattr(row, name, getattr(row, name) + getattr(more, name))


_KEYS: Final = frozenset({"queue_id", "began", "skill", "level"})
