"""Agents: what each does now, and what they did, by site-local day. The leader's table of agents and each agent's day.

Streams: shift, contact (hold, transfer, consultation), agent (who they are). One log, one order: a state is derived
from the last event that concerns it, be it the shift's or the contact's, so hold is neither talk nor wrap-up. Of
several contacts in hand the agent's state is that of the most active: talking, else held, else ringing; so no time
counts twice. Whom a colleague asks about a caller, and a supervisor who hears a talk, is ringing, then talking, and was
offered nothing until the caller is theirs. Durations by our clock, from the event that begins a state to the event that
ends it, cut at site-local midnight. Counts on the day of the event.
"""

from typing import Final

from msgspec import Struct, field

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.consult_events import ConsultAnswered, ConsultAsked
from orchestrator.domain.contacts.guest_events import GuestAnswered, GuestInvited
from orchestrator.domain.contacts.monitor_events import MonitorAnswered, MonitorAsked, TalkTakenOver
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.kernel import MILLISECOND, Event, Instant, Record, ident_of
from orchestrator.domain.staff import shifts
from orchestrator.domain.staff.agents import AgentConfigured, AgentRemoved
from orchestrator.store.arrays import TextArray
from projections.base import Batch, Connection, Site
from projections.tables import Table

NAME: Final = "agent_workload"
VERSION: Final = 6

TABLES: Final = """
CREATE TABLE agent_workload (
    agent_id     text    PRIMARY KEY,
    number       text    NOT NULL,
    name         text    NOT NULL,
    employed     boolean NOT NULL,
    shift_id     text    NOT NULL,
    extension    text    NOT NULL,
    state        text    NOT NULL,
    reason       text    NOT NULL,
    since        bigint,
    signed_in_at bigint,
    contact_id   text    NOT NULL,
    in_hand      jsonb   NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX ON agent_workload (shift_id);
CREATE INDEX ON agent_workload USING gin (in_hand);
CREATE TABLE agent_workload_days (
    agent_id   text   NOT NULL,
    day        text   NOT NULL,
    sign_ins   bigint NOT NULL,
    offers     bigint NOT NULL,
    contacts   bigint NOT NULL,
    transfers  bigint NOT NULL,
    unserved   jsonb  NOT NULL,
    ready_ms   bigint NOT NULL,
    ringing_ms bigint NOT NULL,
    talk_ms    bigint NOT NULL,
    hold_ms    bigint NOT NULL,
    wrap_up_ms bigint NOT NULL,
    pause_ms   bigint NOT NULL,
    PRIMARY KEY (agent_id, day)
) WITH (fillfactor = 70);
"""

INDEXES: Final = """
CREATE INDEX ON agent_workload_days (day);
"""

# What it says of the agent that an offer ended so (`AgentReleased.outcome`). The others, withdrawn or answered by a
# colleague, are nobody's fault.
MISSED: Final = ("timed_out", "rejected", "busy", "unreachable", "failed")


class Agent(Struct):
    """An agent now. `name` is sealed, bound to stream agent-<id> and field `name`. `state`: signed_out, paused (see
    `reason`), ready, ringing, talking, held, wrapping_up. `contact_id`: what they ring for, have or wrap up; of several
    contacts the most active. `in_hand`: each of them and its own state: talking, held, ringing.
    """

    agent_id: str
    number: str = ""
    name: str = ""
    employed: bool = True
    shift_id: str = ""
    extension: str = ""
    state: str = "signed_out"
    reason: str = ""
    since: int | None = None
    signed_in_at: int | None = None
    contact_id: str = ""
    in_hand: dict[str, str] = field(default_factory=dict)


class Day(Struct):
    """An agent's day. `contacts`: conversations begun; `transfers`: callers whom they passed on. `unserved`: offers
    that ended without one, counted by outcome. Times in each state are of closed intervals; what runs on is added by
    `workload`.
    """

    agent_id: str
    day: str
    sign_ins: int = 0
    offers: int = 0
    contacts: int = 0
    transfers: int = 0
    unserved: dict[str, int] = field(default_factory=dict)
    ready_ms: int = 0
    ringing_ms: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    pause_ms: int = 0

    @property
    def missed(self) -> int:
        """Offers that the agent did not take, whatever the reason."""
        return sum(self.unserved.get(outcome, 0) for outcome in MISSED)

    @property
    def signed_in_ms(self) -> int:
        return self.ready_ms + self.ringing_ms + self.talk_ms + self.hold_ms + self.wrap_up_ms + self.pause_ms


class Running(Struct, frozen=True):
    """An agent's day in which the present state runs on: closed intervals, and `state` since `since`, midnight at the
    earliest; None where the agent is signed out.
    """

    day: Day
    state: str
    since: Instant | None


AGENTS: Final = Table(NAME, Agent, key=("agent_id",))
DAYS: Final = Table("agent_workload_days", Day, key=("agent_id", "day"))

_TIME_IN: Final = {
    "ready": "ready_ms",
    "ringing": "ringing_ms",
    "talking": "talk_ms",
    "held": "hold_ms",
    "wrapping_up": "wrap_up_ms",
    "paused": "pause_ms",
}
# Of several contacts in hand, the state that is the agent's own.
_MOST_ACTIVE: Final = ("talking", "consulted", "hearing", "held", "ringing", "asked", "to_hear")
# A colleague asks about a contact: it rings, they talk. To everybody else that is a ring, or a talk.
_ASKED: Final = {"asked": "ringing", "consulted": "talking"}
# So it is for a supervisor who is to hear a talk, and hears it.
_HEARS: Final = {"to_hear": "ringing", "hearing": "talking"}
_UNOFFERED: Final = _ASKED | _HEARS
_OF_SHIFTS: Final[frozenset[type[Event]]] = frozenset(
    {
        shifts.AgentSignedIn,
        shifts.AgentMadeReady,
        shifts.AgentPaused,
        shifts.AgentStoodDown,
        shifts.AgentReserved,
        shifts.AgentReleased,
        shifts.AgentConnected,
        shifts.WrapUpStarted,
        shifts.WrapUpPostponed,
        shifts.WrapUpEnded,
        shifts.AgentSignedOut,
    }
)
_OF_CONTACTS: Final[frozenset[type[Event]]] = frozenset(
    {
        contacts.ContactHeld,
        contacts.ContactResumed,
        ContactTransferred,
        ConsultAsked,
        ConsultAnswered,
        GuestInvited,
        GuestAnswered,
        MonitorAsked,
        MonitorAnswered,
        TalkTakenOver,
    }
)
_OF_AGENTS: Final[frozenset[type[Event]]] = frozenset({AgentConfigured, AgentRemoved})
_CARED_FOR: Final = _OF_SHIFTS | _OF_CONTACTS | _OF_AGENTS


# --- folding ---------------------------------------------------------------------------------------------------------
def apply(batch: Batch) -> None:
    """Load the agents whom these events concern, fold, put them back."""
    news = [record for record in batch.records if type(record.event) in _CARED_FOR]
    if not news:
        return
    folding = _Folding(batch, news)
    for record in news:
        folding.take(record)
    folding.save()


class _Folding:
    """The agents of a batch, found by what an event says of them, and what is added to their days."""

    def __init__(self, batch: Batch, news: list[Record]) -> None:
        self._batch = batch
        ids: set[str] = set()
        of_shifts: set[str] = set()
        of_contacts: set[str] = set()
        for record in news:
            kind = type(record.event)
            ident = ident_of(record.stream)
            if isinstance(record.event, shifts.AgentSignedIn | ContactTransferred):
                ids.add(record.event.agent_id)
            elif (
                isinstance(record.event, ConsultAsked | GuestInvited | MonitorAsked)
                and (held := record.event.reservation) is not None
            ):
                ids.add(held.agent_id)
            if kind in _OF_SHIFTS:
                of_shifts.add(ident)
            elif kind in _OF_CONTACTS:
                of_contacts.add(ident)
            else:
                ids.add(ident)
        wanted = [TextArray(list(each)) for each in (ids, of_shifts, of_contacts)]
        words = "WHERE agent_id = ANY(%b) OR shift_id = ANY(%b) OR in_hand ?| %b"
        self._agents = {row.agent_id: row for row in AGENTS.find(batch.cursor, words, wanted)}
        self._by_shift = {row.shift_id: row for row in self._agents.values() if row.shift_id}
        # Several phones may ring for a contact; one agent at most has it.
        self._by_contact = {
            contact_id: row
            for row in self._agents.values()
            for contact_id, state in row.in_hand.items()
            if state not in ("ringing", *_UNOFFERED)
        }
        self._added: dict[tuple[str, str], Day] = {}

    def take(self, record: Record) -> None:
        kind, at, ident = type(record.event), record.about.at, ident_of(record.stream)
        if kind in _OF_AGENTS:
            self._configure(ident, record.event)
        elif isinstance(record.event, ContactTransferred):
            self._day(self._agent(record.event.agent_id), at).transfers += not record.event.taken
            for asked in self._asked_about(ident):  # whoever was consulted is offered the caller now
                if record.event.to != "agent" or record.event.to_agent not in ("", asked.agent_id):
                    continue  # a guest of the conference; or the caller goes to a queue or outside, and to nobody asked
                asked.in_hand[ident] = "ringing"
                self._day(asked, at).offers += 1
        elif isinstance(record.event, GuestAnswered):
            if (agent := self._by_shift.get(record.event.shift_id)) is not None:
                agent.in_hand[ident] = "consulted"
                self._settle(agent, at)
        elif isinstance(record.event, ConsultAsked | GuestInvited):
            if record.event.reservation is not None:
                self._agent(record.event.reservation.agent_id).in_hand[ident] = "asked"
        elif isinstance(record.event, ConsultAnswered):
            for asked in self._asked_about(ident):
                asked.in_hand[ident] = "consulted"
                self._settle(asked, at)
        elif isinstance(record.event, MonitorAsked):
            self._agent(record.event.reservation.agent_id).in_hand[ident] = "to_hear"
        elif isinstance(record.event, MonitorAnswered | TalkTakenOver):
            for hearing in [each for each in self._agents.values() if each.in_hand.get(ident) in _HEARS]:
                hearing.in_hand[ident] = "hearing" if isinstance(record.event, MonitorAnswered) else "consulted"
                self._settle(hearing, at)
        elif kind in _OF_CONTACTS:
            if (agent := self._by_contact.get(ident)) is not None:
                agent.in_hand[ident] = "held" if kind is contacts.ContactHeld else "talking"
                self._settle(agent, at)
        elif isinstance(record.event, shifts.AgentSignedIn):
            self._sign_in(record.event, ident, at)
        elif (agent := self._by_shift.get(ident)) is not None:
            self._move(agent, record.event, at)

    def _asked_about(self, contact_id: str) -> list[Agent]:
        """Whoever is consulted about this contact."""
        return [agent for agent in self._agents.values() if agent.in_hand.get(contact_id) in _ASKED]

    def _configure(self, ident: str, event: Event) -> None:
        agent = self._agent(ident)
        if isinstance(event, AgentConfigured):
            agent.number, agent.name, agent.employed = event.number, event.name, True
        else:
            agent.employed = False

    def _agent(self, ident: str) -> Agent:
        return self._agents.setdefault(ident, Agent(ident))

    def _sign_in(self, event: shifts.AgentSignedIn, shift_id: str, at: Instant) -> None:
        agent = self._agent(event.agent_id)
        agent.shift_id, agent.extension, agent.signed_in_at = shift_id, event.extension, at
        self._by_shift[shift_id] = agent
        self._enter(agent, "paused", at, "signed_in")
        self._day(agent, at).sign_ins += 1

    def _move(self, agent: Agent, event: Event, at: Instant) -> None:
        match event:
            case shifts.AgentMadeReady():
                self._enter(agent, "ready", at)
            case shifts.AgentPaused() | shifts.AgentStoodDown():
                self._enter(agent, "paused", at, event.reason)
                self._let_go(agent, list(agent.in_hand))
            case shifts.AgentReserved() if agent.in_hand.get(event.contact_id) in _UNOFFERED:
                self._settle(agent, at)
            case shifts.AgentReserved():
                agent.in_hand[event.contact_id] = "ringing"
                self._settle(agent, at)
                self._day(agent, at).offers += 1
            case shifts.AgentReleased() if asked := [
                key for key, state in agent.in_hand.items() if state in _UNOFFERED
            ]:
                self._let_go(agent, asked)
                self._settle(agent, at)
            case shifts.AgentReleased():
                self._let_go(agent, [each for each, state in agent.in_hand.items() if state == "ringing"])
                self._settle(agent, at)
                unserved = self._day(agent, at).unserved
                unserved[event.outcome] = unserved.get(event.outcome, 0) + 1
            case shifts.AgentConnected():
                agent.in_hand[event.contact_id] = "talking"
                self._by_contact[event.contact_id] = agent
                self._settle(agent, at)
                self._day(agent, at).contacts += 1
            case shifts.WrapUpPostponed():
                self._let_go(agent, [event.contact_id])
                self._settle(agent, at)
            case shifts.WrapUpStarted():
                self._let_go(agent, [event.contact_id])
                self._enter(agent, "wrapping_up", at)
                agent.contact_id = event.contact_id
            case shifts.WrapUpEnded():
                self._settle(agent, at)
            case shifts.AgentSignedOut():
                self._enter(agent, "signed_out", at, event.reason)
                self._let_go(agent, list(agent.in_hand))
                self._by_shift.pop(agent.shift_id, None)
                agent.shift_id = agent.extension = ""
                agent.signed_in_at = None

    def _let_go(self, agent: Agent, contact_ids: list[str]) -> None:
        """These contacts are in hand no longer."""
        for contact_id in contact_ids:
            agent.in_hand.pop(contact_id, None)
            if self._by_contact.get(contact_id) is agent:
                del self._by_contact[contact_id]
        if not agent.in_hand:
            agent.contact_id = ""

    def _settle(self, agent: Agent, at: Instant) -> None:
        """The state that follows from what is in hand. In which order they came is not kept: of several in the same
        state the first by id is shown.
        """
        state, agent.contact_id = "ready", ""
        for each in _MOST_ACTIVE:
            if alike := sorted(key for key, found in agent.in_hand.items() if found == each):
                state, agent.contact_id = _UNOFFERED.get(each, each), alike[0]
                break
        if state != agent.state:
            self._enter(agent, state, at)

    def _enter(self, agent: Agent, state: str, at: Instant, reason: str = "") -> None:
        """From now on the agent is in this state; the time in the one before goes to the days on which it was."""
        if agent.state in _TIME_IN and agent.since is not None:
            for day, spent_ms in self._batch.site.days(Instant(agent.since), at):
                _spend(self._on(agent.agent_id, day), agent.state, spent_ms)
        agent.state, agent.reason, agent.since = state, reason, at

    def _day(self, agent: Agent, at: Instant) -> Day:
        return self._on(agent.agent_id, self._batch.site.day(at))

    def _on(self, agent_id: str, day: str) -> Day:
        found = self._added.get((agent_id, day))
        if found is None:
            found = self._added[agent_id, day] = Day(agent_id, day)
        return found

    def save(self) -> None:
        AGENTS.save(self._batch.cursor, self._agents.values())
        days = DAYS.load(self._batch.cursor, self._added)
        for key, added in self._added.items():
            day = days.get(key)
            if day is None:
                days[key] = added
            else:
                _add(day, added)
        DAYS.save(self._batch.cursor, days.values())


def _spend(day: Day, state: str, spent_ms: int) -> None:
    name = _TIME_IN[state]
    setattr(day, name, getattr(day, name) + spent_ms)


_SUMS: Final = ("sign_ins", "offers", "contacts", "transfers", *_TIME_IN.values())


def _add(day: Day, added: Day) -> None:
    for name in _SUMS:
        setattr(day, name, getattr(day, name) + getattr(added, name))
    for outcome, count in added.unserved.items():
        day.unserved[outcome] = day.unserved.get(outcome, 0) + count


# --- queries ---------------------------------------------------------------------------------------------------------
def now(connection: Connection) -> list[Agent]:
    """Every agent who is employed or still signed in, by employee number."""
    return AGENTS.read(connection, "WHERE employed OR state <> 'signed_out' ORDER BY number, agent_id")


def workload(connection: Connection, site: Site, day: str, now: Instant) -> list[tuple[Agent, Day]]:
    """Each of them with their day, `2026-11-22`; a state that lasts at `now` counts until then."""
    agents = AGENTS.read(connection, "ORDER BY number, agent_id")
    days = {row.agent_id: row for row in DAYS.read(connection, "WHERE day = %s", (day,))}
    found = []
    for agent in agents:
        row = days.get(agent.agent_id)
        if row is None and not agent.employed and agent.state == "signed_out":
            continue
        row = row or Day(agent.agent_id, day)
        if agent.state in _TIME_IN and agent.since is not None:
            for each, spent_ms in site.days(Instant(agent.since), now):
                if each == day:
                    _spend(row, agent.state, spent_ms)
        found.append((agent, row))
    return found


def today(connection: Connection, site: Site, now: Instant, agent_ids: list[str]) -> dict[str, Running]:
    """The day so far of each of these agents who was ever known, by id."""
    day = site.day(now)
    agents = AGENTS.read(connection, "WHERE agent_id = ANY(%s)", (agent_ids,))
    days = {
        row.agent_id: row for row in DAYS.read(connection, "WHERE agent_id = ANY(%s) AND day = %s", (agent_ids, day))
    }
    return {
        agent.agent_id: Running(
            days.get(agent.agent_id) or Day(agent.agent_id, day), agent.state, _running_from(agent, site, now)
        )
        for agent in agents
    }


def _running_from(agent: Agent, site: Site, now: Instant) -> Instant | None:
    """Since when today's part of the present state lasts."""
    if agent.state not in _TIME_IN or agent.since is None:
        return None
    parts = site.days(Instant(agent.since), now)
    return Instant(agent.since) if len(parts) < 2 else Instant(now - parts[-1][1] * MILLISECOND)  # noqa: PLR2004


def days(connection: Connection, agent_id: str, first: str, last: str) -> list[Day]:
    """One agent's days from `first` to `last`, both included, of closed intervals."""
    words = "WHERE agent_id = %s AND day BETWEEN %s AND %s ORDER BY day"
    return DAYS.read(connection, words, (agent_id, first, last))
