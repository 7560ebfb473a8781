"""Everything live, as one fold of the log: the runner decides on it, replay rebuilds it for any instant.

Ended contacts and shifts leave it; of legs that closed it remembers the last ones, so that doubled or late news of them
makes no new contact.
"""

from collections import OrderedDict
from typing import Final

from orchestrator.domain import timers as timer_table
from orchestrator.domain.contacts import contacts, outward_events
from orchestrator.domain.contacts.consult_events import ConsultAsked
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.dial_events import NumberDialled
from orchestrator.domain.contacts.guest_events import GuestInvited
from orchestrator.domain.contacts.monitor_events import MonitorAsked
from orchestrator.domain.contacts.outward import to_be_called
from orchestrator.domain.contacts.unattended import IMPORT
from orchestrator.domain.kernel import Event, Happened, Instant
from orchestrator.domain.routing import admission, branches, conference, entries, levels, outside, queues, recording
from orchestrator.domain.routing.admission import Admission
from orchestrator.domain.routing.branches import Branch
from orchestrator.domain.routing.conference import Conferences
from orchestrator.domain.routing.entries import EntryPoint
from orchestrator.domain.routing.levels import Level
from orchestrator.domain.routing.matching import PHONE_BUSY, Matching
from orchestrator.domain.routing.outside import Outside
from orchestrator.domain.routing.pools import PHONE_GONE, READY
from orchestrator.domain.routing.queues import Queue
from orchestrator.domain.routing.recording import Recordings
from orchestrator.domain.routing.waits import Waits
from orchestrator.domain.staff import agents, answering, reasons, shifts
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.staff.counters import COUNTED, Counters
from orchestrator.domain.staff.forcing import SIGNED_OUT, Forced
from orchestrator.domain.staff.reasons import Reasons
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch import between, nodes
from orchestrator.domain.switch.causes import SERVED_BY_SWITCH
from orchestrator.domain.switch.nodes import Node, Registration, registration
from orchestrator.domain.timers import Timers

# Late news of a leg comes within seconds; at 60 calls/s of two legs this remembers more than two minutes.
CLOSED_LEGS_KEPT = 20_000

# Calls that switches served alone: a whole day of them without us, at one a second. Their files go once they are here.
IMPORTED_KEPT = 100_000

# Who served a customer last is remembered of so many customers, those who were served last.
LAST_AGENTS_KEPT = 100_000

# Events of nearly every contact with which no leg comes or goes: they are not compared with those below, one by one.
LEGS_STAY: Final = frozenset(
    {
        contacts.ContactIdentified,
        contacts.ContactQueued,
        contacts.OfferDelivered,
        contacts.OfferAnswered,
        contacts.OfferAccepted,
        contacts.OfferRejectRequested,
        contacts.OfferRejected,
        contacts.OfferTimedOut,
        contacts.OfferWithdrawn,
        contacts.OfferFailed,
        contacts.QueueVisitEnded,
        contacts.ContactConnected,
        contacts.NumberAnnounced,
        contacts.HoldRequested,
        contacts.HoldFailed,
        contacts.ContactHeld,
        contacts.ResumeRequested,
        contacts.ContactResumed,
        contacts.RecordingBegun,
        contacts.RecordingFinished,
        contacts.AgentSegmentEnded,
        contacts.HangUpRequested,
        contacts.ContactTurnedAway,
        contacts.EntryPointMissing,
        contacts.ContactEnded,
    }
)

OTHERS: Final = (
    "node", "engine", "config", "outside", "recordings", "conference", "desks", "pauses", "wrapup", "agent", "queue",
    "entry", "level", "branch", *admission.KINDS,
)  # fmt: skip
"""Kinds of streams that leave something in the state beside contacts and shifts. What stands in none of these is not
folded, by nobody: so a fold in parts (`domain.parted`), of which each has all of these, misses none.
"""

Aggregate = Contact | Shift | Node | Agent | Queue | EntryPoint | Level | Branch | Outside | None


class World:
    """The live state. Only `apply` changes it, except that the runner takes due timers out."""

    def __init__(self) -> None:
        self.contacts: dict[str, Contact] = {}
        self.shifts: dict[str, Shift] = {}
        self.nodes: dict[str, Node] = {}
        self.agents: dict[str, Agent] = {}
        self.queues: dict[str, Queue] = {}
        self.entries: dict[str, EntryPoint] = {}
        self.versions: dict[str, int] = {}
        self.contact_of_leg: dict[str, str] = {}
        self.open_offers: set[str] = set()
        """Offers that are open; and legs that call a number outside, which nobody should be told of when it is over."""
        self.closed_legs: OrderedDict[str, str] = OrderedDict()
        self.left_legs: OrderedDict[str, str] = OrderedDict()
        """Callers' legs that live on with their switch, without us, and whose contacts they were; the last of them."""
        self.imported: OrderedDict[str, None] = OrderedDict()
        """Contacts that a switch served alone, the last of them: each is imported once."""
        self.shift_of_agent: dict[str, str] = {}
        self.shift_at: dict[str, str] = {}
        """The shift that sits at each extension."""
        self.lines: dict[str, dict[str, None]] = {}
        """Open legs of ours to each extension, whatever became of their offers. Whoever has one is not rung."""
        self.agent_of_number: dict[str, str] = {}
        self.levels: dict[str, Level] = {}
        self.branches: dict[str, Branch] = {}
        self.branch_of_prefix: dict[str, str] = {}
        self.last_agents: OrderedDict[str, str] = OrderedDict()
        """Who served each customer last, by their ids."""
        self.reasons = Reasons()
        self.config_version = 0
        self.timers = Timers()
        self.counters = Counters()
        self.matching = Matching(self.counters)
        self.outside: Outside | None = None
        self.recordings = Recordings()
        self.conferences = Conferences()
        self.desks = answering.BY_PHONE
        self.far_legs: dict[str, str] = {}
        """Open legs of ours to phones of another node than the contact's, and that node."""
        self.outside_legs: dict[str, None] = {}
        """Open legs of ours to numbers outside."""
        self.callbacks: dict[str, dict[str, None]] = {}
        """Numbers that are to be called back, and the contacts for which."""
        self.waits = Waits()
        self.admission = Admission()
        self.sent_away: dict[str, Forced] = {}
        """Agents who were signed out by somebody else, and have not signed in since."""

    def __getstate__(self) -> dict[str, object]:
        return {name: part for name, part in vars(self).items() if name != "callbacks"}

    def __setstate__(self, kept: dict[str, object]) -> None:
        """Numbers may read otherwise once it is taken up again (erased ones): found by what they read as then."""
        vars(self).update(kept)
        self.note_callbacks()

    def note_callbacks(self) -> None:
        """Find anew whose customers are to be called."""
        self.callbacks = {}
        for contact in self.contacts.values():
            self._note_callback(None, contact)

    def apply(self, record: Happened) -> tuple[Aggregate, Aggregate]:
        """Fold one record in; return the stream's aggregate before and after. Never raises on known events."""
        kind, _, ident = record.stream.partition("-")
        if kind == "contact":
            return self._apply_contact(ident, record)
        if kind == "shift":
            return self._apply_shift(ident, record)
        return self._apply_other(kind, ident, record) if kind in OTHERS else (None, None)

    def _apply_other(self, kind: str, ident: str, record: Happened) -> tuple[Aggregate, Aggregate]:
        match kind:
            case "node":
                return self._apply_node(ident, record)
            case "engine":
                self.versions[record.stream] = record.version
            case "config":
                self.config_version = record.version
            case "outside":
                was, self.outside = self.outside, outside.evolve(self.outside, record.event)
                return was, self.outside
            case "recordings":
                self.recordings = recording.evolve(self.recordings, record.event)
            case "conference":
                self.conferences = conference.evolve(self.conferences, record.event)
            case "desks":
                self.desks = answering.evolve(self.desks, record.event)
            case "pauses" | "wrapup":
                self.reasons = reasons.evolve(self.reasons, record.event, ident)
            case "agent" | "queue" | "entry":
                return self._apply_configuration(kind, ident, record.event)
            case "level" | "branch":
                return self._apply_places(kind, ident, record.event)
            case _ if kind in admission.KINDS:
                self.admission.configure(kind, ident, record.event)
        return None, None

    def _apply_contact(self, ident: str, record: Happened) -> tuple[Contact | None, Contact | None]:
        event, at = record.event, record.about.at
        before = self.contacts.get(ident)
        after = contacts.evolve(before, event, at, ident)
        if after is None:
            return before, after
        kind = type(event)
        if kind not in LEGS_STAY:
            self._note_legs(ident, before, event, at)
        if before is None or before.segment is not after.segment or before.customer_id is not after.customer_id:
            self._note_service(before, after)
        ended = after.status == "ended"
        if before is None or ended or _proposes_otherwise(before, after):
            self._note_proposals(before, after)
        self.timers.note(before, after, event, at)
        if after.visit is not None or (before is not None and before.visit is not None):
            self._note_visit(before, after, event, at)
        if after.callback is not None:
            self._note_callback(before, after)
        if before is None or before.visit is not after.visit or kind in admission.COUNTED:
            self.admission.follow(before, after, record)
        if ended:
            self.contacts.pop(ident, None)
            self.versions.pop(record.stream, None)
        else:
            self.contacts[ident] = after
            self.versions[record.stream] = record.version
        return before, after

    def _note_service(self, before: Contact | None, after: Contact) -> None:
        """Remember who serves this customer, whenever somebody begins to, or it is known whom."""
        was = before.segment if before is not None else None
        now = after.segment
        if before is None or now is None or not after.customer_id:
            return
        if was is None or was.agent_id != now.agent_id or before.customer_id != after.customer_id:
            self._remember_agent(after.customer_id, now.agent_id)

    def _note_proposals(self, before: Contact | None, after: Contact) -> None:
        """Keep what may be taken or joined, and is not yet."""
        was, now = proposals(before), proposals(after)
        if was != now:
            self.open_offers.difference_update(was)
            self.open_offers.update(now)

    def _note_visit(self, before: Contact | None, after: Contact, event: Event, at: Instant) -> None:
        """Keep where in a queue this contact stands, or that it has left."""
        self.matching.place_contact(after, reachable=self.in_step(after.node))
        self.waits.note(before, after, event, at)

    def _note_legs(self, ident: str, before: Contact | None, event: Event, at: Instant) -> None:
        """Keep what is known of every open leg and phone."""
        match event:
            case contacts.LegClosed():
                self.outside_legs.pop(event.leg, None)
                self.far_legs.pop(event.leg, None)
                self._close_leg(event.leg, ident, lives_on=event.cause == SERVED_BY_SWITCH)
                extension = contacts.extension_of(before, event.leg) if before is not None else ""
                if extension:
                    self._end_line(extension, event.leg, at)
            case contacts.ContactArrived():
                self.contact_of_leg[event.leg] = ident
                if event.found == IMPORT:
                    self._remember_imported(ident)
            case contacts.OfferMade() | contacts.OfferWidened():
                for held in event.reservations:
                    if not held.at_desk:
                        self._ring(ident, held, at)
                self.matching.note_chosen(ident, [held.shift_id for held in event.reservations])
            case contacts.OfferAcceptRequested() if (rung := _rung_now(before, event.leg)) is not None:
                self._ring(ident, rung, at)
            case ConsultAsked() | GuestInvited():
                self.contact_of_leg[event.leg] = ident
                if event.reservation is None:
                    self.outside_legs[event.leg] = None
                else:
                    self._ring(ident, event.reservation, at)
            case MonitorAsked():
                self._ring(ident, event.reservation, at)
            case outward_events.CallbackDialled() | outward_events.OutsideDialled() | NumberDialled():
                self.contact_of_leg[event.leg] = ident
                self.outside_legs[event.leg] = None

    def _ring(self, ident: str, held: contacts.Reservation, at: Instant) -> None:
        """A leg of ours to a phone, from now until it is closed."""
        self.contact_of_leg[held.leg] = ident
        self.lines.setdefault(held.extension, {})[held.leg] = None
        if held.via:
            self.far_legs[held.leg] = held.via
        self._place_shift_at(held.extension, at)

    def _note_callback(self, before: Contact | None, after: Contact) -> None:
        """Whose customers are to be called, found by their number: a customer who calls meanwhile is known by it."""
        was = to_be_called(before) if before is not None else None
        now = to_be_called(after) if after.status not in ("leaving", "ended") else None
        if was is not None and now is None:
            waiting = self.callbacks.get(was.number, {})
            waiting.pop(after.contact_id, None)
            if not waiting:
                self.callbacks.pop(was.number, None)
        elif was is None and now is not None:
            self.callbacks.setdefault(now.number, {})[after.contact_id] = None

    def _remember_agent(self, customer_id: str, agent_id: str) -> None:
        self.last_agents[customer_id] = agent_id
        self.last_agents.move_to_end(customer_id)
        if len(self.last_agents) > LAST_AGENTS_KEPT:
            self.last_agents.popitem(last=False)

    def _close_leg(self, leg: str, contact_id: str, *, lives_on: bool = False) -> None:
        """One that `lives_on` without us is no leg of ours any more, and is not looked for."""
        self.contact_of_leg.pop(leg, None)
        if lives_on:
            self._remember_left(leg, contact_id)
        else:
            self._remember_closed(leg, contact_id)

    def ended_of_leg(self, leg: str) -> str:
        """The contact whose leg this was, among the last that ended; empty where none is known."""
        return self.left_legs.get(leg, "") or self.closed_legs.get(leg, "")

    def _remember_imported(self, contact_id: str) -> None:
        self.imported[contact_id] = None
        self.imported.move_to_end(contact_id)
        if len(self.imported) > IMPORTED_KEPT:
            self.imported.popitem(last=False)

    def _remember_closed(self, leg: str, contact_id: str) -> None:
        _remember(self.closed_legs, leg, contact_id)

    def _remember_left(self, leg: str, contact_id: str) -> None:
        _remember(self.left_legs, leg, contact_id)

    def _end_line(self, extension: str, leg: str, at: Instant) -> None:
        line = self.lines.get(extension, {})
        line.pop(leg, None)
        if not line:
            self.lines.pop(extension, None)
            self._place_shift_at(extension, at)

    def _place_shift_at(self, extension: str, at: Instant) -> None:
        shift = self.shifts.get(self.shift_at.get(extension, ""))
        if shift is not None:
            self.matching.place_shift(shift, phone=self.phone_state(extension), at=at)

    def phone_state(self, extension: str) -> str:
        """What keeps this phone from being rung; empty where nothing does."""
        known = registration(self.nodes.values(), extension)
        if known is not None and not known.registered:
            return PHONE_GONE
        talks = any(extension in node.talks.values() for node in self.nodes.values() if node.talks)
        return PHONE_BUSY if talks or extension in self.lines else ""

    def registration(self, extension: str) -> Registration | None:
        """What the switches that are in step know of this phone; None where that is nothing."""
        return registration(self.nodes.values(), extension)

    def phone(self, extension: str) -> str:
        """Whether this phone can be reached: registered, gone, or unknown."""
        known = self.registration(extension)
        if known is None:
            return nodes.UNKNOWN
        return nodes.REGISTERED if known.registered else nodes.GONE

    def via(self, home: str, extension: str) -> str:
        """The node over which this phone is rung for a caller of `home`; empty where that is `home` itself."""
        found = between.place_of(self.nodes, home, extension)
        return found if found != home else ""

    def is_drained(self, node_id: str) -> bool:
        """Whether this node takes no new calls."""
        node = self.nodes.get(node_id)
        return node is not None and bool(node.drained)

    def in_step(self, node_id: str) -> bool:
        """Whether this node can be told to ring somebody, and we know who waits there."""
        node = self.nodes.get(node_id)
        return node is not None and node.in_step

    def is_behind(self, node_id: str) -> bool:
        """Whether this node does late what it is told."""
        node = self.nodes.get(node_id)
        return node is not None and node.behind

    def _apply_node(self, ident: str, record: Happened) -> tuple[Node | None, Node]:
        before = self.nodes.get(ident)
        after = nodes.evolve(before, record.event, record.about.at, ident)
        self.nodes[ident] = after
        self.versions[record.stream] = record.version
        timer_table.set_for_node(self.timers, after, record.event, record.about.at)
        if isinstance(record.event, nodes.StrayLegClosed):
            self._remember_closed(record.event.leg, "")
        for extension in nodes.phones_moved(before, after):
            self._place_shift_at(extension, record.about.at)
        if after.in_step != (before is not None and before.in_step):
            for contact in self.contacts.values():
                if contact.node == ident:
                    self.matching.place_contact(contact, reachable=after.in_step)
        return before, after

    def _apply_shift(self, ident: str, record: Happened) -> tuple[Shift | None, Shift | None]:
        before = self.shifts.get(ident)
        after = shifts.evolve(before, record.event, record.about.at, ident)
        if after is None:
            return before, after
        kind = type(record.event)
        if kind not in timer_table.SET_NONE_OF_SHIFT:
            timer_table.set_for_shift(self.timers, ident, record.event)
        if kind in COUNTED:
            self.counters.note(after.agent_id, record.event, record.about.at)
        if kind is shifts.AgentSignedIn:
            self.sent_away.pop(after.agent_id, None)
        if after.status == "signed_out":
            if after.forced is not None and after.forced.to == SIGNED_OUT:
                self.sent_away[after.agent_id] = after.forced
            self.shifts.pop(ident, None)
            self.versions.pop(record.stream, None)
            self.matching.remove_shift(ident)
            if self.shift_of_agent.get(after.agent_id) == ident:
                del self.shift_of_agent[after.agent_id]
            if self.shift_at.get(after.extension) == ident:
                del self.shift_at[after.extension]
        else:
            self.versions[record.stream] = record.version
            self.shifts[ident] = after
            if before is None:
                self.shift_of_agent[after.agent_id] = ident
                self.shift_at[after.extension] = ident
            self._note_place(after, record.about.at)
        return before, after

    def _note_place(self, shift: Shift, at: Instant) -> None:
        """Keep who is free, or what keeps somebody from being offered."""
        phone = self.phone_state(shift.extension) if shift.status == READY else ""
        self.matching.place_shift(shift, phone=phone, at=at)

    def _apply_configuration(self, kind: str, ident: str, event: Event) -> tuple[Aggregate, Aggregate]:
        match kind:
            case "agent":
                old = self.agents.pop(ident, None)
                agent = agents.evolve(old, event, ident)
                if old is not None and self.agent_of_number.get(old.number) == ident:
                    del self.agent_of_number[old.number]
                if agent is not None:
                    self.agents[ident] = agent
                    self.agent_of_number[agent.number] = ident
                self.matching.configure_agent(ident, agent)
                return old, agent
            case "queue":
                was = self.queues.get(ident)
                queue = queues.evolve(was, event, ident)
                if queue is not None:
                    self.queues[ident] = queue
                    self.matching.configure_queue(queue)
                return was, queue
        gone = self.entries.pop(ident, None)
        entry = entries.evolve(gone, event, ident)
        self.admission.configure_entry(gone, entry)
        if entry is not None:
            self.entries[ident] = entry
        return gone, entry

    def _apply_places(self, kind: str, ident: str, event: Event) -> tuple[Aggregate, Aggregate]:
        if kind == "level":
            worth = self.levels.pop(ident, None)
            level = levels.evolve(worth, event, ident)
            if level is not None:
                self.levels[ident] = level
            return worth, level
        old = self.branches.pop(ident, None)
        branch = branches.evolve(old, event, ident)
        if branch is not None:
            self.branches[ident] = branch
        self.branch_of_prefix = {prefix: each.branch_id for each in self.branches.values() for prefix in each.prefixes}
        return old, branch


def _remember(last: OrderedDict[str, str], leg: str, contact_id: str) -> None:
    last[leg] = contact_id
    last.move_to_end(leg)
    if len(last) > CLOSED_LEGS_KEPT:
        last.popitem(last=False)


def _rung_now(before: Contact | None, leg: str) -> contacts.Reservation | None:
    """The reservation whose phone is rung now that the desk has accepted; None where it was rung before."""
    held = contacts.reservation_of(before, leg) if before is not None else None
    return held if held is not None and held.at_desk else None


def _proposes_otherwise(before: Contact, after: Contact) -> bool:
    """Whether anything has changed that `proposals` looks at."""
    return (
        before.offer is not after.offer
        or before.monitor is not after.monitor
        or before.consult is not after.consult
        or before.guests is not after.guests
        or before.outside is not after.outside
    )


def proposals(contact: Contact | None) -> tuple[str, ...]:
    """Offers, monitorings, consultations and invitations of this contact that are open, by what the loop asks for."""
    if contact is None or contact.status == "ended":
        return ()
    offer = (contact.offer.offer_id,) if contact.offer is not None else ()
    if contact.monitor is not None:
        offer = (*offer, contact.monitor.monitor_id)
    for guest in contact.guests:
        offer = (*offer, guest.leg if guest.reservation is None else guest.guest_id)
    consult = contact.consult
    if consult is not None and not consult.over:
        return (*offer, consult.leg if consult.reservation is None else consult.consult_id)
    return (*offer, contact.outside.leg) if contact.outside is not None else offer
