"""A day as the log has it, taken apart: what callers and agents brought with them, and what the rules made of it left
out, for that is what is asked anew.

    records of the day ──▶ Taker ──▶ Day: callers (when, whence, patience, talks), agents (wishes, rings), settings

A caller brings: when the call came, how long it was waited and whether given up, how long each talk took and its
after-call work. An agent brings: when to sign in, be ready, pause and leave; how each ring was answered or not.
"""

from collections import Counter
from typing import Final

from msgspec import Struct, field

from orchestrator.domain.contacts import contacts, outward_events, park_events, transfer_events
from orchestrator.domain.contacts.consult_events import ConsultAsked
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.contacts.guest_events import GuestInvited
from orchestrator.domain.contacts.monitor_events import MonitorAsked
from orchestrator.domain.contacts.transfers import QUEUE
from orchestrator.domain.kernel import MILLISECOND, Event, Instant, Record, ident_of, kind_of
from orchestrator.domain.staff import shifts
from orchestrator.domain.switch import nodes
from orchestrator.whatif.patience import Patience, Wait, estimate

# What an agent's phone did with a ring. The rest (withdrawn, lost) was not the agent's doing and tells nothing.
ANSWERED: Final = "answered"
RING_OUTCOMES: Final = frozenset({ANSWERED, "timed_out", "unreachable", "busy", "rejected", "failed"})
_BY_RING: Final = frozenset(shifts.STAND_DOWN.values())


class Talk(Struct):
    """A conversation: how long, and its after-call work (`wrap_ms`, -1 where there was none or its end is not known).
    `finished`: whether the agent ended the after-call work; otherwise the queue's time did.
    """

    queue_id: str
    talk_ms: int = -1
    wrap_ms: int = -1
    finished: bool = False
    code: str = ""
    goes_to: str = ""
    """The queue into which the agent passed the caller on."""


class Known(Struct, frozen=True):
    """Who the caller was found to be, and how long after the call came."""

    after: int
    customer_id: str
    level: str


class Caller(Struct):
    """Somebody who called."""

    contact_id: str
    at: Instant
    node: str
    dialled: str
    number: str
    name: str
    trunk: str
    host: str
    queue_id: str = ""
    queued_at: int = 0
    waited_ms: int = -1
    """Until the first answer, or until the wait ended otherwise; -1: never queued."""
    gave_up: bool = False
    at_answer: int = -1
    """How long (µs) after an agent's phone had answered the caller hung up, before they heard each other; -1: did not.
    It takes a moment to join the two: whoever leaves in just that moment leaves because of it, and not of the time.
    """
    at_ring: bool = False
    """Whether they gave up while a phone rang for them: by chance, or because of what they heard; nobody can tell."""
    served: bool = False
    talks: list[Talk] = []
    known: Known | None = None


class Wish(Struct, frozen=True):
    """What an agent wanted: `in`, `ready`, `pause`, `out`."""

    at: Instant
    what: str
    detail: str = ""
    """The extension, or the reason."""


class Ring(Struct, frozen=True):
    """What became of a ring, and after how long."""

    outcome: str
    after: int
    at_desk: int = -1
    """After how long (µs) it was accepted at the desk; -1: it was not."""


class Agent(Struct):
    """What an agent did on the day. `back`: how long after each stand-down for a missed ring they were ready again."""

    agent_id: str
    wishes: list[Wish] = []
    rings: list[Ring] = []
    back: list[int] = []


class Day(Struct, kw_only=True):
    """Everything that a day brought. Times are µs. `left_out`: what happened and is not played again, by kind."""

    first: Instant
    last: Instant
    configured: list[Record]
    """The configuration as it was when the day began."""
    changed: list[Record]
    """What was configured during the day."""
    callers: list[Caller]
    agents: dict[str, Agent]
    patience: Patience
    delivered: int
    """From an offer, or its being accepted at the desk, until the phone rings, in the middle."""
    joined: int
    """From an answer until both hear each other, in the middle."""
    left_out: Counter[str] = field(default_factory=Counter)


class _Shift(Struct):
    agent_id: str
    down_at: int = 0
    """When a missed ring stood the agent down; 0 where they are not stood down."""
    asked_pause: bool = False
    asked_out: bool = False
    wrapping: Talk | None = None
    wrap_at: int = 0


class Taker:
    """Folds records, in the order of the log, into a day. What lies before `first` says who was there already."""

    def __init__(self, first: Instant, last: Instant) -> None:
        self._first, self._last = first, last
        self._before: dict[str, shifts.Shift] = {}
        self._begun = False
        self._callers: dict[str, Caller] = {}
        self._talking: dict[str, tuple[Talk, int]] = {}
        self._offers: dict[tuple[str, str], int] = {}
        self._at_desk: dict[tuple[str, str], int] = {}
        self._accepted: dict[str, int] = {}
        self._offered: dict[str, str] = {}
        """The last offer of each contact."""
        self._asked: set[str] = set()
        """Legs to agents who were asked about a caller, or heard a talk, before any of them was theirs."""
        self._over: dict[str, int] = {}
        """When offers ended that were not served."""
        self._shifts: dict[str, _Shift] = {}
        self._agents: dict[str, Agent] = {}
        self._delivered: list[int] = []
        self._joined: list[int] = []
        self._left_out: Counter[str] = Counter()
        self._dialled: set[str] = set()
        """Contacts that agents began: nobody arrived, and what comes of them is not played again."""

    def take(self, record: Record) -> None:
        """One record more."""
        at, ident = record.about.at, ident_of(record.stream)
        kind = kind_of(record.stream)
        if kind == "shift":
            if at < self._first:
                self._fold_before(record, ident)
            else:
                self._begin()
                self._shift(record.event, ident, at)
        elif at < self._first:
            return
        elif kind == "contact":
            self._contact(record.event, ident, at)
        elif isinstance(record.event, nodes.NodeLost):
            self._left_out["switch_lost"] += 1

    def day(self, configured: list[Record], changed: list[Record]) -> Day:
        """The day, once everything was taken."""
        self._begin()
        callers = sorted(self._callers.values(), key=lambda caller: caller.at)
        waits: list[Wait] = [
            (each.waited_ms, each.gave_up and each.at_answer < 0) for each in callers if each.waited_ms >= 0
        ]
        for caller in callers:
            if caller.queued_at and caller.waited_ms < 0:
                # Still waiting when the day ended: so much patience is known, and no more.
                caller.waited_ms = max(0, (self._last - caller.queued_at) // MILLISECOND)
                waits.append((caller.waited_ms, False))
        return Day(
            first=self._first,
            last=self._last,
            configured=configured,
            changed=changed,
            callers=callers,
            agents=self._agents,
            patience=estimate(waits),
            delivered=_middle(self._delivered, 200 * MILLISECOND),
            joined=_middle(self._joined, 100 * MILLISECOND),
            left_out=self._left_out,
        )

    # --- agents ------------------------------------------------------------------------------------------------------
    def _fold_before(self, record: Record, ident: str) -> None:
        shift = shifts.evolve(self._before.get(ident), record.event, record.about.at, ident)
        if shift is None or shift.status == "signed_out":
            self._before.pop(ident, None)
        else:
            self._before[ident] = shift

    def _begin(self) -> None:
        """Whoever was signed in when the day began signs in then."""
        if self._begun:
            return
        self._begun = True
        for shift in self._before.values():
            agent = self._agent(shift.agent_id)
            self._shifts[shift.shift_id] = _Shift(shift.agent_id)
            agent.wishes.append(Wish(self._first, "in", shift.extension))
            if shift.status != "paused":
                agent.wishes.append(Wish(self._first, "ready"))

    def _agent(self, agent_id: str) -> Agent:
        return self._agents.setdefault(agent_id, Agent(agent_id))

    def _shift(self, event: Event, ident: str, at: Instant) -> None:
        if isinstance(event, shifts.AgentSignedIn):
            self._shifts[ident] = _Shift(event.agent_id)
            self._agent(event.agent_id).wishes.append(Wish(at, "in", event.extension))
            return
        shift = self._shifts.get(ident)
        if shift is None:
            return
        agent = self._agent(shift.agent_id)
        match event:
            case shifts.AgentReleased() if event.outcome in RING_OUTCOMES:
                begun = self._offers.get((event.offer_id, ident))
                if begun is not None:
                    agent.rings.append(Ring(event.outcome, at - begun, self._at_desk.get((event.offer_id, ident), -1)))
            case shifts.WrapUpStarted():
                shift.wrapping, shift.wrap_at = self._last_talk(event.contact_id), at
            case shifts.WrapUpPostponed() if shift.wrapping is not None:
                _wrapped_up(shift.wrapping, shift, at)  # left to dial; the rest comes later
                shift.wrapping = None
            case shifts.WrapUpEnded():
                _end_wrap_up(shift, event, at)
            case _:
                _wish(agent, shift, event, at)

    def _last_talk(self, contact_id: str) -> Talk | None:
        caller = self._callers.get(contact_id)
        return caller.talks[-1] if caller is not None and caller.talks else None

    # --- callers -----------------------------------------------------------------------------------------------------
    def _contact(self, event: Event, ident: str, at: Instant) -> None:
        if isinstance(event, contacts.ContactArrived):
            self._callers[ident] = Caller(
                contact_id=ident,
                at=at,
                node=event.node,
                dialled=event.dialled,
                number=event.caller_number,
                name=event.caller_name,
                trunk=event.trunk,
                host=event.host,
            )
            return
        if isinstance(event, ContactDialled):
            self._dialled.add(ident)
        if ident in self._dialled:
            self._left_out["dialled"] += isinstance(event, contacts.ContactEnded)
            return
        caller = self._callers.get(ident)
        if caller is None:
            self._left_out["came_before"] += isinstance(event, contacts.ContactEnded)
            return
        match event:
            case contacts.ContactQueued():
                caller.queue_id = event.queue_id
                caller.queued_at = caller.queued_at or at
            case contacts.QueueVisitEnded() if not caller.served:
                caller.waited_ms = (at - caller.queued_at) // MILLISECOND
                caller.gave_up = event.outcome == "abandoned"
                self._left_at_a_stage(caller, at)
            case contacts.ContactIdentified():
                caller.known = Known(at - caller.at, event.customer_id, event.level)
            case contacts.ContactConnected():
                self._connected(caller, event, at)
            case contacts.AgentSegmentEnded() if (talking := self._talking.pop(event.segment_id, None)) is not None:
                talking[0].talk_ms = (at - talking[1]) // MILLISECOND
            case transfer_events.ContactTransferred():
                self._passed_on(caller, event)
            case park_events.ContactParked():
                self._left_out["parked"] += 1
            case contacts.ContactPicked() | contacts.ContactMoved() | contacts.ContactReprioritised():
                self._left_out["by_hand"] += 1
            case outward_events.CallbackAsked():
                self._left_out["callback"] += 1
            case _:
                self._offer(event, ident, at)

    def _left_at_a_stage(self, caller: Caller, at: Instant) -> None:
        """Whether whoever gave up did so while a phone rang for them, or one that had answered was being joined."""
        offer_id = self._offered.pop(caller.contact_id, "")
        if not caller.gave_up or not offer_id or self._over.get(offer_id, at) != at:
            return
        accepted = self._accepted.get(offer_id)
        if accepted is None:
            caller.at_ring = True
        else:
            caller.at_answer = at - accepted

    def _connected(self, caller: Caller, event: contacts.ContactConnected, at: Instant) -> None:
        if not caller.served:
            # Told before the end of the visit, in the same step.
            caller.served = True
            caller.waited_ms = (at - caller.queued_at) // MILLISECOND
        talk = Talk(caller.queue_id)
        caller.talks = [*caller.talks, talk]
        self._talking[event.segment_id] = (talk, at)
        accepted = self._accepted.pop(event.offer_id, None)
        if accepted is not None and (event.offer_id, event.shift_id) in self._offers:
            self._joined.append(at - accepted)

    def _passed_on(self, caller: Caller, event: transfer_events.ContactTransferred) -> None:
        if event.to == QUEUE and caller.talks:
            caller.talks[-1].goes_to = event.queue_id
            caller.queue_id = event.queue_id
        else:
            self._left_out["passed_on"] += 1

    def _offer(self, event: Event, ident: str, at: Instant) -> None:
        match event:
            case contacts.OfferMade() | contacts.OfferWidened():
                self._offered[ident] = event.offer_id
                for held in event.reservations:
                    # Whoever was asked about the caller before, or heard the talk, has answered already.
                    if held.leg not in self._asked:
                        self._offers[event.offer_id, held.shift_id] = at
            case ConsultAsked() | GuestInvited():
                self._asked.add(event.leg)
            case MonitorAsked():
                self._asked.add(event.reservation.leg)
            case contacts.OfferDelivered():
                if (begun := self._offers.get((event.offer_id, event.shift_id))) is not None:
                    self._delivered.append(at - begun - self._at_desk.get((event.offer_id, event.shift_id), 0))
            case contacts.OfferAcceptRequested():
                if (begun := self._offers.get((event.offer_id, event.shift_id))) is not None:
                    self._at_desk.setdefault((event.offer_id, event.shift_id), at - begun)
            case contacts.OfferAnswered():
                begun = self._offers.get((event.offer_id, event.shift_id))
                shift = self._shifts.get(event.shift_id)
                if begun is not None and shift is not None:
                    at_desk = self._at_desk.get((event.offer_id, event.shift_id), -1)
                    self._agent(shift.agent_id).rings.append(Ring(ANSWERED, at - begun, at_desk))
            case contacts.OfferAccepted():
                self._accepted[event.offer_id] = at
            case contacts.OfferClosed():
                self._over[event.offer_id] = at


def _end_wrap_up(shift: _Shift, event: shifts.WrapUpEnded, at: Instant) -> None:
    if shift.wrapping is not None:
        _wrapped_up(shift.wrapping, shift, at)
        shift.wrapping.finished = event.how != "timer"
        shift.wrapping.code = event.code
    shift.wrapping = None


def _wrapped_up(talk: Talk, shift: _Shift, at: Instant) -> None:
    talk.wrap_ms = max(talk.wrap_ms, 0) + (at - shift.wrap_at) // MILLISECOND


def _wish(agent: Agent, shift: _Shift, event: Event, at: Instant) -> None:
    """What the agent wanted, at the time at which they wanted it, whatever it had to wait for."""
    match event:
        case shifts.AgentMadeReady() if shift.down_at:
            agent.back.append(at - shift.down_at)
            shift.down_at = 0
        case shifts.AgentMadeReady():
            agent.wishes.append(Wish(at, "ready"))
        case shifts.PauseRequested():
            shift.asked_pause = bool(event.reason)
            agent.wishes.append(Wish(at, "pause", event.reason) if event.reason else Wish(at, "ready"))
        case shifts.AgentPaused():
            if not shift.asked_pause:
                agent.wishes.append(Wish(at, "pause", event.reason))
            shift.asked_pause, shift.down_at = False, 0
        case shifts.AgentStoodDown() if event.reason in _BY_RING:
            shift.down_at = at
        case shifts.AgentStoodDown():
            agent.wishes.append(Wish(at, "pause", shifts.DESK_LOST))
        case shifts.SignOutRequested():
            shift.asked_out = bool(event.reason)
            agent.wishes.append(Wish(at, "out") if event.reason else Wish(at, "ready"))
        case shifts.AgentSignedOut():
            if not shift.asked_out:
                agent.wishes.append(Wish(at, "out"))


def _middle(found: list[int], otherwise: int) -> int:
    return sorted(found)[len(found) // 2] if found else otherwise
