"""What must hold after every step, at every write and at the end. Each rule has a name, by which mutants are killed."""

from collections.abc import Callable, Iterable, Sequence

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts.consults import JOIN_WITHIN
from orchestrator.domain.contacts.dials import under_way
from orchestrator.domain.contacts.guests import are_together, guest_of_shift
from orchestrator.domain.contacts.legs import parking_leg
from orchestrator.domain.contacts.outward import IN_TURN
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.contacts.transfers import TRANSFER
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant, Record, ident_of, kind_of
from orchestrator.domain.routing.overflow import MOST_HOPS
from orchestrator.domain.routing.recording import ALWAYS
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.staff.engagements import by_offer, with_contact
from orchestrator.domain.staff.shifts import available
from orchestrator.domain.switch import facts as f
from orchestrator.domain.switch import instructions as i
from orchestrator.domain.switch.causes import CALL_REJECTED, NORMAL_TEMPORARY_FAILURE, ORIGINATOR_CANCEL
from orchestrator.domain.timers import OF_CONTACT
from orchestrator.domain.world import World
from orchestrator.runner import Input, Outcome
from orchestrator.runner.inputs import AgentCommand, Transfer
from orchestrator.runner.presence import DEFAULT_GRACE_MS, LEASE
from tests.simulation import monitoring, rooms, rows, tapes, voices
from tests.simulation.book import Book
from tests.simulation.browsers import NOTICED_WITHIN, Page
from tests.simulation.engine import TIMER_LATE, Engine
from tests.simulation.ledger import Ledger
from tests.simulation.phones import is_gone
from tests.simulation.rules import Broken
from tests.simulation.sight import AnySwitch

# After that a desk that is connected, and beaten for, is known to be.
KNOWN_WITHIN = LEASE + 5 * SECOND
# So long caller and agent may be apart after a consultation: less than it takes until the switch is asked.
APART = 3 * SECOND
_GRACE = DEFAULT_GRACE_MS * MILLISECOND
# What a switch says of a phone that was there, and is not any more.
_LOST = frozenset({"RECOVERY_ON_TIMER_EXPIRE", NORMAL_TEMPORARY_FAILURE})
# Where a caller hears music, but while being joined with somebody.
_HEAR_MUSIC = ("waiting", "offered", "sent_outside", "consulting", "parked")


class Invariants:
    """What is checked of one engine, from its first step to its last."""

    def __init__(
        self,
        engine: Engine,
        switch: AnySwitch,
        ledger: Ledger,
        *,
        cool_down_ms: int,
        lines: int,
        whole: bool,
        page_of: Callable[[str], Page | None],
    ) -> None:
        self._engine = engine
        self._switch = switch
        self._ledger = ledger
        self._whole = whole
        self._answered: dict[str, Instant] = {}
        """Since when the leg to each dialled number is answered at the switch, and not by the log."""
        self._page_of = page_of
        self.book = Book(cool_down_ms=cool_down_ms, lines=lines)
        self._gone: dict[str, None] = {}
        self._needs: dict[str, str] = {}
        self._told: Sequence[i.Instruction] = ()
        self._last_record = ""
        self._offer_legs: dict[tuple[str, str], str] = {}
        self._desk_alone: set[str] = set()
        """Legs of phones that are not rung before the desk has accepted."""
        self._let_in: dict[str, list[int]] = {}
        self._to_come: set[str] = set()
        """Contacts that come to a queue later in the step that is looked at."""
        self.judge = rows.Judge(engine.world)
        self._joined: dict[str, dict[str, str]] = {}
        """Of each node whose list is awaited since its link came up: whom, or which room, each leg is to hear."""
        for record in ledger.records():
            self.book.note(record)
            self._remember_legs(record)

    # --- after a step ------------------------------------------------------------------------------------------------
    def stepped(self, given: Input, outcome: Outcome) -> None:
        """Everything that must hold after this step. What an engine decides that is deposed and does not know it is
        never committed, so it breaks nothing.
        """
        if self._engine.epoch != self._ledger.epoch:
            return
        if isinstance(given.body, f.LegHungUp) or (isinstance(given.body, f.LegPresence) and not given.body.exists):
            self._gone[given.body.leg] = None
        if outcome.records:
            self._last_record = outcome.records[-1].event_id
        self._told = outcome.instructions
        for instruction in outcome.instructions:
            self._needs.setdefault(instruction.id, self._last_record)
        if outcome.records or outcome.instructions:
            self._decided(given, outcome)
        self._told_once(given, outcome)
        world, now = self._engine.world, given.at
        for stream in dict.fromkeys(record.stream for record in outcome.records):
            match kind_of(stream):
                case "contact":
                    contact = world.contacts.get(ident_of(stream))
                    if contact is not None:
                        self._contact(world, contact, now)
                case "shift":
                    shift = world.shifts.get(ident_of(stream))
                    if shift is not None:
                        self._shift(world, shift)
        if outcome.records:
            self._nobody_waits_in_vain(world)
            self._nobody_halts(world)
            self._offers_grow(now)
        beat = isinstance(given.body, f.Heartbeat)
        if outcome.records or beat:
            slack, whole = self._engine.slack(), self._whole and beat
            for what in monitoring.broken(world, self._switch, outcome.instructions, now, slack, whole=whole):
                raise Broken("monitored", what)
            if self._whole:
                self._nobody_is_left_apart(world, now)
            self._answers_are_heard(world, now)
            for rule, what in rooms.apart(world, self._switch, now, slack):
                raise Broken(rule, what)
        for what in self.judge.broken(world, given, outcome.records):
            raise Broken("matrix", what)
        if beat:
            self._offers_are_young(now)
            self._time_moves_on(world, now)
            self._waits_are_over(world, now)
            self._consults_go_on(world, now)
            self._nobody_hears_silence(world, now)
            self._nobody_talks_against_music(world, now)
            self._numbers_are_heard(world, now)
            self._places_are_told(world, now)
            for rule, what in tapes.broken(world, self._switch, now, self._engine.slack(), whole=self._whole):
                raise Broken(rule, what)
            for rule, what in rooms.broken(world, self._switch, now, self._engine.slack()):
                raise Broken(rule, what)
            for rule, what in voices.broken(world, self._switch, now, self._engine.slack()):
                raise Broken(rule, what)

    def _told_once(self, given: Input, outcome: Outcome) -> None:
        body = given.body
        if isinstance(body, f.LinkUp):
            self._joined[body.node] = {}
        for each in outcome.instructions if self._joined else ():
            joined = self._joined.get(each.node, {})
            match each:
                case i.BridgeLegs() | i.EavesdropLeg():
                    heard = {each.leg: each.other} | ({each.other: each.leg} if isinstance(each, i.BridgeLegs) else {})
                case i.ConferLeg():
                    heard = {each.leg: each.room}
                case i.ParkLeg():
                    heard = {each.leg: ""}
                case _:
                    continue
            if isinstance(body, f.Snapshot) and "" not in heard.values() and heard.items() <= joined.items():
                raise Broken("told_once", f"{type(each).__name__} of {each.leg} is told twice over one link")
            joined.update(heard)
        if isinstance(body, f.Snapshot):
            self._joined.pop(body.node, None)

    def _decided(self, given: Input, outcome: Outcome) -> None:
        """What must hold of these records and instructions: where there are none, nothing."""
        # By what was there before: one wrap-up that ends may have the one that was postponed begin.
        self._as_meant(given, outcome.records)
        for record in outcome.records:
            self.book.note(record)
        moved = {record.stream for record in outcome.records}
        self._to_come = {record.stream for record in outcome.records if isinstance(record.event, c.ContactQueued)}
        for record in outcome.records:
            self._to_come.discard(record.stream)
            self._record(record, given, moved)
        self._together(outcome.records)
        for what in rooms.left_alone(self._engine.world, self._switch, outcome.records, outcome.instructions):
            raise Broken("together", what)
        for what in rooms.overfull(self._engine.world, outcome.records):
            raise Broken("guests", what)
        for what in rooms.moved(self._engine.world, outcome.records, outcome.instructions):
            raise Broken("guests", what)
        for what in voices.keys_broken(self._engine.world, outcome.records, outcome.instructions):
            raise Broken("digits", what)

    def _record(self, record: Record, given: Input, moved: set[str]) -> None:
        match record.event:
            case c.ContactQueued() as event:
                self._let_in_rightly(record, event, given)
            case c.OfferMade() as event:
                self._in_turn(record, event, moved)
                self._remember_legs(record)
            case c.OfferWidened():
                self._remember_legs(record)
            case c.PlaceTold() as event:
                self._told_rightly(record, event)
            case c.ContactConnected():
                contact = self._engine.world.contacts.get(ident_of(record.stream))
                since = self._switch.place_over_talk_since(contact.caller_leg) if contact is not None else 0
                if since > self._engine.slack():
                    raise Broken("place_hushed", f"{record.stream} hears of its place instead of its agent")
            case c.LegClosed() as event:
                # One on a switch of which nothing was heard for too long may live: it is ended when that is back.
                if self._switch.lives(event.leg) and event.repair != "switch_dead":
                    raise Broken("asked_before_closed", f"{event.leg} is closed ({event.cause}) and lives")
                if event.repair == "absent" and not isinstance(given.body, f.LegPresence):
                    raise Broken(
                        "asked_before_closed", f"{event.leg} is closed as absent by {type(given.body).__name__}"
                    )
            case s.AgentReserved():
                self._desk_is_there(ident_of(record.stream), record.about.at)
            case s.AgentStoodDown() as event if self._whole and event.reason != s.DESK_LOST:
                self._blamed_rightly(ident_of(record.stream), event, given.body)

    def _let_in_rightly(self, record: Record, event: c.ContactQueued, given: Input) -> None:
        world, at = self._engine.world, record.about.at
        contact = world.contacts.get(ident_of(record.stream))
        settings, admission = world.queues[event.queue_id].settings, world.admission
        hops = [hop.queue_id for hop in event.hops]
        if len(set(hops)) < len(hops) or event.queue_id in hops or len(hops) > MOST_HOPS:
            raise Broken("way_out", f"{record.stream} comes to {event.queue_id} by {hops}")
        transfer = contact.transfer if contact is not None else None  # whose visit may be over in the same step
        chosen = isinstance(given.body, Transfer) and given.body.to_queue
        if transfer is not None and transfer.visit_id == event.visit_id and not chosen:
            return  # back to where they were let in
        if event.visit_id in self.book.come_back or self.book.phone_lost_at.get(record.stream) == at:
            return  # neither is whoever was let in before
        if event.goes_on:
            return  # whoever finds no place to wait, and is called back or sent outside instead
        if settings.calendar and not admission.calendars.is_open(settings.calendar, at):
            raise Broken("door", f"{record.stream} comes to {event.queue_id}, which is closed")
        others = sum(
            other.visit is not None and other.visit.queue_id == event.queue_id
            for other in world.contacts.values()
            if other is not contact and f"contact-{other.contact_id}" not in self._to_come
        )
        if settings.most_waiting and others >= settings.most_waiting:
            raise Broken("door", f"{record.stream} comes to {event.queue_id}, where {others} wait already")
        if event.waiting_since or contact is None or not isinstance(given.body, f.LegParked):
            return
        if contact.from_number and admission.blacklist.holds(contact.from_number, at):
            raise Broken("door", f"{record.stream} is let in though its number is blacklisted")
        self._within_limits(world, contact, at)

    def _within_limits(self, world: World, contact: c.Contact, at: Instant) -> None:
        limit = world.admission.limits.of(contact.node)
        came = self._let_in.setdefault(contact.node, [])
        came.append(at)
        del came[:-100]
        if limit is not None:
            most = limit.calls_per_s + (limit.burst or limit.calls_per_s)
            if sum(at - each < SECOND for each in came) > most:
                raise Broken("door", f"more than {most} callers were let in within a second on {contact.node}")
        served = sum(other.trunk_id == contact.trunk_id and bool(other.queue_id) for other in world.contacts.values())
        group = world.admission.trunks.groups.get(contact.trunk_id)
        if group is not None and group.most_calls and served > group.most_calls:
            raise Broken("door", f"{served} calls of trunk group {contact.trunk_id} at once")

    def _told_rightly(self, record: Record, event: c.PlaceTold) -> None:
        """By counting who is ranked before it in its queue, whatever is being done for them there."""
        world, now = self._engine.world, record.about.at
        contact = world.contacts.get(ident_of(record.stream))
        if contact is None or contact.visit is None or contact.status not in ("waiting", "offered"):
            raise Broken("place_told", f"{record.stream} is told a place though it does not wait")
        if not contact.answered or not contact.caller_leg or contact.caller_leg in self._gone:
            raise Broken("place_told", f"{record.stream} is told a place, and nobody is there who could hear it")
        every = world.queues[event.queue_id].settings.tell_place_every_ms * MILLISECOND
        if not can_be_served(world, contact) or not every or event.again_at != now + every:
            raise Broken("place_told", f"{record.stream} is told a place that its switch or queue does not tell")
        mine = (*rank(contact.visit, now), self.book.places[record.stream])
        before = sum(
            (*rank(other.visit, now), self.book.places[f"contact-{other.contact_id}"]) < mine
            for other in world.contacts.values()
            if other.visit is not None
            and other.visit.queue_id == event.queue_id
            and other.status not in ("callback_later", "sent_outside", "talking_outside")
        )
        if event.position != before + 1:
            raise Broken("place_told", f"{record.stream} is told place {event.position}, and {before} come before it")

    def _desk_is_there(self, ident: str, at: Instant) -> None:
        """By the log, and by what really is: then the network, the web process and the engine had their time."""
        slack = self._engine.slack() + LEASE
        due = self.book.desk_due.get(ident)
        if due is not None and at > max(due + TIMER_LATE, slack):
            raise Broken("desk_is_there", f"shift {ident} is offered a contact {at - due} µs after its desk's grace")
        shift = self._engine.world.shifts.get(ident)
        agent = self._engine.world.agents.get(shift.agent_id) if shift is not None else None
        page = self._page_of(agent.number) if agent is not None else None
        if page is None or page.connected or shift is None or shift.desk is None:
            return
        known_by = max(page.gone_since + NOTICED_WITHIN + LEASE, slack) + _GRACE + 5 * SECOND
        if at > known_by:
            raise Broken("desk_is_there", f"shift {ident} is offered a contact though its page is long gone")

    def _remember_legs(self, record: Record) -> None:
        if isinstance(record.event, c.OfferMade | c.OfferWidened):
            for held in record.event.reservations:
                self._offer_legs[held.shift_id, record.event.offer_id] = held.leg
                if held.at_desk:
                    self._desk_alone.add(held.leg)
        elif isinstance(record.event, c.OfferAcceptRequested):
            self._desk_alone.discard(record.event.leg)

    def _in_turn(self, record: Record, made: c.OfferMade, moved: set[str]) -> None:
        """Nobody who comes first still waits, in whatever queue, for what one of these agents could give; unless a
        person chose. Whoever only began to wait for it in this same step is no witness.
        """
        world, now = self._engine.world, record.about.at
        contact = world.contacts.get(ident_of(record.stream))
        if contact is None or contact.visit is None:
            return
        if made.by_hand:
            self._says_by_hand(contact, contact.visit, made, now, moved)
            return
        mine = (*rank(contact.visit, now), self.book.places[record.stream])
        agents = [world.agents[held.agent_id] for held in made.reservations if held.agent_id in world.agents]
        for other in world.contacts.values():
            stream = f"contact-{other.contact_id}"
            if other.visit is None or stream in moved or other.status not in IN_TURN or not can_be_served(world, other):
                continue
            if (*rank(other.visit, now), self.book.places[stream]) < mine:
                for agent in agents:
                    if could_take(world, other.visit, agent):
                        raise Broken("fifo", f"{record.stream} gets {agent.agent_id} before {other.contact_id}")

    def _says_by_hand(
        self, picked: c.Contact, visit: c.Visit, made: c.OfferMade, now: Instant, moved: set[str]
    ) -> None:
        """Whoever was offered to somebody later in this same step may have been passed over, or not."""
        others = [
            other
            for other in self._engine.world.contacts.values()
            if other.visit is not None
            and other.visit.queue_id == made.queue_id
            and rank(other.visit, now)[:2] < rank(visit, now)[:2]
        ]
        before = {other.contact_id for other in others if other.status in IN_TURN}
        maybe = before | {other.contact_id for other in others if f"contact-{other.contact_id}" in moved}
        said = made.decision
        if not len(before) <= said.passed_over <= len(maybe) or not maybe.issuperset(said.passed):
            raise Broken("by_hand", f"{picked.contact_id} passes over {len(before)}, and says {said.passed_over}")

    def _blamed_rightly(self, shift: str, down: s.AgentStoodDown, heard: object) -> None:
        leg = self._offer_legs.get((shift, down.offer_id), "")
        came = self._switch.how_far(leg)
        right = ("rang", "answered") if down.reason == "ring_no_answer" else ("unreachable",)
        if isinstance(heard, f.LegHungUp) and heard.leg == leg and heard.cause in _LOST:
            right = (*right, "rang", "answered")  # lost as it rang, or before it was parked: it is not there any more
        if leg in self._desk_alone and down.reason == "ring_no_answer":
            return  # the desk rang
        if came not in right:
            raise Broken("blamed_rightly", f"shift {shift} is stood down for {down.reason}; the phone: {came}")

    def _as_meant(self, given: Input, records: Sequence[Record]) -> None:
        about = given.body.about if isinstance(given.body, AgentCommand) else ""
        if not about:
            return
        # Whoever thinks better of dialling means the offer of their own phone, which is over with it.
        closed = {(r.stream, r.event.offer_id) for r in records if isinstance(r.event, c.OfferClosed)}
        for record in records:
            contact_id = ident_of(record.stream)
            match record.event:
                case c.OfferAcceptRequested() | c.OfferRejectRequested() as event:
                    meant = about in (event.offer_id, contact_id)
                case c.HangUpRequested():
                    contact = self._engine.world.contacts.get(contact_id)
                    segment = contact.segment if contact is not None else None
                    shift = self._engine.world.shifts.get(segment.shift_id) if segment is not None else None
                    meant = about == contact_id or (shift is not None and shift.last_offer == about)
                    meant = meant or (record.stream, about) in closed
                case s.WrapUpEnded(how="agent") | s.WrapUpExtended():
                    meant = about == self.book.last_contact.get(contact_id)
                case _:
                    continue
            if not meant:
                raise Broken("as_meant", f"{type(record.event).__name__} of {record.stream}, but meant was {about}")

    def _together(self, records: Iterable[Record]) -> None:
        """What must come in one step, or not at all."""
        lost: dict[str, None] = {}
        connected: dict[str, None] = {}
        talked: dict[str, None] = {}
        wrapping: dict[str, None] = {}
        missed: dict[str, None] = {}
        for record in records:
            match record.event:
                case o.CallbackMissed() as event:
                    missed[event.offer_id] = None
                case c.OfferWithdrawn(cause="number_not_reached") as event:
                    missed[event.offer_id] = None
                case s.AgentReleased() as event if event.offer_id in missed and event.outcome != "withdrawn":
                    raise Broken("blamed_rightly", f"{record.stream} is blamed for a customer who was not reached")
                case c.OfferDeclined(outcome="lost"):
                    lost[record.stream] = None
                case c.ContactConnected():
                    connected[record.stream] = None
                case c.AgentSegmentEnded() as event:
                    talked[event.shift_id] = None
                case s.WrapUpStarted() | s.WrapUpPostponed():
                    wrapping[ident_of(record.stream)] = None
        self._passed_on(records)
        self._after_a_consultation(records)
        for stream in lost:
            if stream not in connected:
                raise Broken("losers_kept", f"{stream} lets losers go before the winner is joined")
        for shift in talked:
            if shift not in wrapping:
                raise Broken("wrap_up", f"shift {shift} has no wrap-up after its talk")

    def _passed_on(self, records: Iterable[Record]) -> None:
        for record in records:
            if not isinstance(record.event, ContactTransferred):
                continue
            sent = record.event
            ended = waits = rung = called = False
            for other in records:
                match other.event:
                    case _ if other.stream != record.stream:
                        continue
                    case c.AgentSegmentEnded(segment_id=sent.segment_id, ended_by=ended_by):
                        ended = ended_by == TRANSFER
                    case c.ContactQueued(visit_id=sent.visit_id, queue_id=sent.queue_id):
                        waits = True
                    case c.OfferMade(by_hand=True) as made:
                        rung = [held.agent_id for held in made.reservations] == [sent.to_agent]
                    case o.OutsideDialled(number=sent.number):
                        called = True
            if not ended or not waits:
                raise Broken("passed_on", f"{record.stream} is passed on, and its talk goes on, or it waits nowhere")
            if (sent.to_agent and not rung) or (sent.number and not called):
                raise Broken("passed_on", f"{record.stream} is passed on to {sent.to}, and nobody is rung or called")

    def _after_a_consultation(self, records: Iterable[Record]) -> None:
        """The caller is with the agent, about to be, passed on, or gone."""
        for record in records:
            if not isinstance(record.event, e.ConsultClosed):
                continue
            contact = self._engine.world.contacts.get(ident_of(record.stream))
            if contact is None or contact.segment is None or contact.status in ("leaving", "connected"):
                continue
            if are_together(contact):
                continue  # a guest is asked in the place of whoever was
            if contact.consult is not None and not contact.consult.over and parking_leg(contact):
                continue  # the guest with whom the agent spoke alone, while the caller hears music
            if contact.consult is not None and contact.consult.wish == "together" and contact.consult.due:
                continue  # a guest who was on the way into the room comes to the two
            if contact.consult is None or contact.consult.wish != "caller":
                raise Broken("consulted", f"{record.stream} is left alone after a consultation")
            if contact.consult.cut_short:
                continue  # once the agent's leg has parked, which `rejoined` looks at
            bridged = {contact.caller_leg, contact.segment.leg}
            if not any(isinstance(each, i.BridgeLegs) and {each.leg, each.other} == bridged for each in self._told):
                raise Broken("consulted", f"nobody joins the caller of {record.stream} with the agent again")

    def _contact(self, world: World, contact: c.Contact, now: Instant) -> None:
        ident, timers = contact.contact_id, world.timers
        if contact.status == "arrived":
            raise Broken("waits_end", f"contact {ident} was neither queued nor turned away")
        if contact.visit is not None and contact.visit.step_until and timers.due_of(("widen", ident)) is None:
            raise Broken("waits_end", f"contact {ident} is at a step without an end")
        if contact.visit is not None and contact.visit.since != self.book.since[f"contact-{ident}"]:
            raise Broken("fifo", f"contact {ident} does not stand where it was queued")
        in_line = contact.status == "waiting" and can_be_served(world, contact)
        if (in_line or contact.status == "awaiting_callback") and timers.due_of(("visit", ident)) is None:
            raise Broken("waits_end", f"contact {ident} waits without an end")
        for status, timer in (("callback_later", "callback"), ("sent_outside", "outside"), ("parked", "park")):
            if contact.status == status and timers.due_of((timer, ident)) is None:
                raise Broken("waits_end", f"contact {ident} is {status} without an end")
        if contact.visit is not None:
            due = contact.visit.overflow_at
            if due > now and timers.due_of(("overflow", ident)) is None:
                raise Broken("way_out", f"contact {ident} is to be looked at for overflow, and nobody will")
            if contact.answer_at > now and not contact.answered and timers.due_of(("answer", ident)) is None:
                raise Broken("way_out", f"contact {ident} is to be answered, and nobody will")
        if self.book.place_due.get(f"contact-{ident}", 0) > now and timers.due_of(("place", ident)) is None:
            raise Broken("place_told", f"contact {ident} is to be told its place, and nobody will")
        if c.doubtful_legs(contact) and timers.due_of(("legs", ident)) is None:
            raise Broken("waits_end", f"contact {ident} has legs in doubt that nobody will ask after")
        if contact.offer is not None:
            if timers.due_of(("offer", ident)) is None:
                raise Broken("waits_end", f"contact {ident} has an offer without a deadline")
            for held in contact.offer.reservations:
                shift = world.shifts.get(held.shift_id)
                if shift is None or by_offer(shift.engagements, contact.offer.offer_id) is None:
                    raise Broken("reservations", f"contact {ident} holds shift {held.shift_id}, which says otherwise")
        if (contact.parked is not None) != (contact.status == "parked"):
            raise Broken("parked", f"contact {ident} is {contact.status} with the park {contact.parked}")
        self._consult(world, contact)
        for rule, what in rooms.invited(world, contact):
            raise Broken(rule, what)
        if contact.segment is not None:
            segment = contact.segment
            talking = contact.status in ("connected", "held")
            if talking and segment.wish and segment.wish_due > now and timers.due_of(("wish", ident)) is None:
                raise Broken("waits_end", f"contact {ident} is to {segment.wish} later, and nobody will")
            shift = world.shifts.get(contact.segment.shift_id)
            engaged = with_contact(shift.engagements, ident) if shift is not None else None
            if engaged is None or engaged.segment_id != segment.segment_id:
                raise Broken("reservations", f"contact {ident} talks with a shift that does not")
            self._one_active(world, contact, segment.shift_id)

    def _consult(self, world: World, contact: c.Contact) -> None:
        """Somebody rings, or two are being joined, with a timer; or two talk, and nothing is waited for."""
        consult, ident = contact.consult, contact.contact_id
        if (consult is not None) != (contact.status == "consulting"):
            raise Broken("consulted", f"contact {ident} is {contact.status} with the consultation {consult}")
        if consult is None:
            return
        settled = consult.answered and bool(consult.hears) and not consult.wish
        if not settled and world.timers.due_of(("consult", ident)) is None:
            raise Broken("waits_end", f"contact {ident} has a consultation without an end")
        held = None if consult.over else consult.reservation
        shift = world.shifts.get(held.shift_id) if held is not None else None
        if held is not None and (shift is None or by_offer(shift.engagements, consult.consult_id) is None):
            raise Broken("consulted", f"contact {ident} consults shift {held.shift_id}, which says otherwise")

    def _consults_go_on(self, world: World, now: Instant) -> None:
        for contact in world.contacts.values():
            consult, segment = contact.consult, contact.segment
            if consult is None or segment is None or not can_be_served(world, contact):
                continue
            if consult.due and now > max(consult.due, self._engine.slack()) + 5 * SECOND:
                raise Broken("waits_end", f"the consultation of {contact.contact_id} outlived its deadline")

    def _shift(self, world: World, shift: s.Shift) -> None:
        ident, timers = shift.shift_id, world.timers
        for engaged in shift.engagements:
            contact = world.contacts.get(engaged.contact_id)
            offer = contact.offer if contact is not None else None
            segment = contact.segment if contact is not None else None
            if engaged.segment_id:
                if segment is None or segment.shift_id != ident:
                    raise Broken("reservations", f"shift {ident} talks with a contact that does not")
            elif contact is not None and _consults_or_hears(contact, ident, engaged.offer_id):
                continue
            elif offer is None or offer.offer_id != engaged.offer_id:
                raise Broken("reservations", f"shift {ident} is reserved for an offer that is not open")
            elif all(held.shift_id != ident for held in offer.reservations):
                raise Broken("reservations", f"shift {ident} is reserved for an offer that does not hold it")
        if (shift.status in s.ENGAGED) != bool(shift.engagements):
            raise Broken("reservations", f"shift {ident} is {shift.status} with {len(shift.engagements)} in hand")
        if shift.status == "wrapping_up" and timers.due_of(("wrap_up", ident)) is None:
            raise Broken("waits_end", f"shift {ident} wraps up without an end")
        if shift.cooling_until is not None and timers.due_of(("cool_down", ident)) is None:
            raise Broken("waits_end", f"shift {ident} cools down without an end")
        if shift.desk is not None and shift.desk.state == "lost" and timers.due_of(("desk", ident)) is None:
            raise Broken("waits_end", f"the desk of shift {ident} is lost without an end")

    def _one_active(self, world: World, contact: c.Contact, shift_id: str) -> None:
        if contact.status != "connected" or (contact.segment is not None and contact.segment.wish == "hold"):
            return
        for other in world.contacts.values():
            if other.segment is None or other.segment.shift_id != shift_id or other.contact_id == contact.contact_id:
                continue
            if other.status == "connected" and other.segment.wish != "hold":
                raise Broken("one_active", f"shift {shift_id} talks with two at once, and nobody asked for a hold")

    def _nobody_waits_in_vain(self, world: World) -> None:
        """An agent who is free and a contact whom that agent could take are never left side by side."""
        waiting = [x for x in world.contacts.values() if x.status in IN_TURN and can_be_served(world, x)]
        if not waiting:
            return
        free = [shift for shift in world.shifts.values() if available(shift)]
        for contact in waiting if free else ():
            for shift in free:
                agent = world.agents.get(shift.agent_id)
                could = agent is not None and contact.visit is not None and could_take(world, contact.visit, agent)
                if could and line_is_free(world, shift) and not is_gone(world, shift.extension):
                    raise Broken("served_at_once", f"{contact.contact_id} waits while shift {shift.shift_id} is free")

    def _nobody_halts(self, world: World) -> None:
        """Whoever waits for something that is to widen waits for somebody who is there, not on a break, and not without
        a phone. Callers of a lost switch are looked at when it is back.
        """
        waiting = [
            (contact, visit)
            for contact in world.contacts.values()
            if (visit := contact.visit) is not None
            and 0 <= visit.step < len(visit.steps) - 1
            and contact.status in IN_TURN
            and world.in_step(contact.node)
        ]
        if not waiting:
            return
        there = {
            shift.agent_id
            for shift in world.shifts.values()
            if shift.status != "paused" and not (available(shift) and is_gone(world, shift.extension))
        }
        for contact, visit in waiting:
            if not any(agent in world.agents and could_take(world, visit, world.agents[agent]) for agent in there):
                raise Broken("nobody_halts", f"{contact.contact_id} waits at step {visit.step} for nobody")

    def _time_moves_on(self, world: World, now: Instant) -> None:
        for contact in world.contacts.values():
            visit = contact.visit
            if visit is None or not visit.step_until:
                continue
            if now > max(visit.step_until, self._engine.slack()) + 5 * SECOND:
                raise Broken("steps_end", f"{contact.contact_id} is still at step {visit.step}")

    def _answers_are_heard(self, world: World, now: Instant) -> None:
        """Whoever answers a number that an agent dialled is not left with silence for as long as it would have rung."""
        up = {
            dial.leg: contact
            for contact in world.contacts.values()
            if (dial := under_way(contact)) is not None
            and not dial.reached
            and dial.leg
            and self._switch.how_far(dial.leg) == "answered"
        }
        self._answered = {leg: self._answered.get(leg, now) for leg in up}
        for leg, contact in up.items() if self._whole else ():
            since = max(self._answered[leg], self._engine.slack())
            if now > since + 5 * SECOND and self._switch.lives(leg) and world.in_step(contact.node):
                raise Broken("dialled", f"the number that {contact.contact_id} dialled has answered, and hears nobody")

    def _offers_grow(self, now: Instant) -> None:
        for stream, due in self.book.ring_due.items():
            if now > max(due, self._engine.slack()) + 5 * SECOND:
                raise Broken("offers_grow", f"nobody else is rung for {stream}")

    def _offers_are_young(self, now: Instant) -> None:
        for stream, due in self.book.offer_due.items():
            if now > max(due, self._engine.slack()) + 5 * SECOND:
                raise Broken("offers_are_young", f"the offer of {stream} outlived its deadline")

    def _waits_are_over(self, world: World, now: Instant) -> None:
        for contact in world.contacts.values():
            if contact.status != "waiting" or contact.visit is None or not can_be_served(world, contact):
                continue
            if now > max(contact.visit.leave_by, self._engine.slack()) + 5 * SECOND:
                raise Broken("waits_end", f"{contact.contact_id} waits though its longest wait is over")

    def _nobody_hears_silence(self, world: World, now: Instant) -> None:
        """Whoever waits and is not being joined with an agent hears music."""
        for contact in world.contacts.values():
            since = self._switch.silent_since(contact.caller_leg)
            joining = contact.outside is not None and contact.outside.answered
            joining |= contact.consult is not None and (contact.consult.wish or contact.consult.hears) == "caller"
            if not since or joining or contact.status not in _HEAR_MUSIC:
                continue
            since = max(since, self.book.waits_since.get(f"contact-{contact.contact_id}", 0), self._engine.slack())
            if can_be_served(world, contact) and now > since + 5 * SECOND:
                raise Broken("hears_music", f"the caller of {contact.contact_id} has heard silence for a while")

    def _nobody_is_left_apart(self, world: World, now: Instant) -> None:
        """After a consultation caller and agent are joined at once, also where the switch cancels a bridge late: not as
        late as somebody who asks why they are not.
        """
        for contact in world.contacts.values():
            consult, segment = contact.consult, contact.segment
            if consult is None or segment is None or not consult.over:
                continue
            since = self._switch.parked_since(segment.leg) if self._switch.lives(contact.caller_leg) else 0
            told = consult.due - JOIN_WITHIN
            if since and now > max(since, told, self._engine.slack()) + APART and world.in_step(contact.node):
                raise Broken("rejoined", f"agent and caller of {contact.contact_id} are left apart by the switch")

    def _nobody_talks_against_music(self, world: World, now: Instant) -> None:
        for contact in world.contacts.values():
            since = self._switch.music_over_talk_since(contact.caller_leg)
            if since and now > since + 2 * SECOND:
                raise Broken("hears_each_other", f"the caller of {contact.contact_id} hears music over the talk")

    def _numbers_are_heard(self, world: World, now: Instant) -> None:
        """Never twice; not at all where we were away between the decision and the switch, or where the agent has them
        only together with others, over whom nobody talks.
        """
        for contact in world.contacts.values():
            segment = contact.segment
            if segment is None:
                continue
            heard = [recorded for leg, recorded in self._switch.numbers_heard(contact.caller_leg) if leg == segment.leg]
            settings = world.queues[contact.queue_id].settings
            if len(heard) > 1 or (heard and not settings.announce_agent):
                raise Broken("announced_once", f"the caller of {contact.contact_id} hears {len(heard)} numbers")
            if heard and tapes.rule_for(world, contact) == ALWAYS and not heard[0]:
                raise Broken("announced_once", f"the number that {contact.contact_id} hears is recorded as the agent's")
            since = max(segment.since, self.book.talks_since.get(f"contact-{contact.contact_id}", 0))
            settled = self._whole and segment.since > self._engine.slack() and now > since + 5 * SECOND
            if contact.consult is not None and (contact.consult.wish or contact.consult.hears) != "caller":
                continue
            if settled and settings.announce_agent and not heard and self._switch.talks_with(contact.caller_leg):
                raise Broken("announced_once", f"the caller of {contact.contact_id} has heard no number")

    def _places_are_told(self, world: World, now: Instant) -> None:
        for stream, due in self.book.place_due.items():
            contact = world.contacts.get(ident_of(stream))
            tells = contact is not None and world.queues[contact.queue_id].settings.tell_place_every_ms
            if tells and now > max(due, self._engine.slack()) + 5 * SECOND:
                raise Broken("place_told", f"{stream} was to be told its place {(now - due) // SECOND} s ago")

    # --- at a write --------------------------------------------------------------------------------------------------
    def wrote(self, given: i.Instruction) -> None:
        """What must hold when an instruction goes to the switch."""
        if self._engine.epoch != self._ledger.epoch:
            raise Broken("fence", f"epoch {self._engine.epoch} writes {type(given).__name__} after it was deposed")
        needed = self._needs.get(given.id, "")
        if needed and not self._ledger.holds(needed):
            raise Broken("commit_first", f"{type(given).__name__} is written before its records are committed")
        contact = self._engine.world.contacts.get(given.contact)
        match given:
            case i.AnswerCaller() if contact is not None and not contact.answered:
                raise Broken("billing", f"contact {contact.contact_id} is answered though nobody decided that")
            case i.RingAgent():
                if contact is None or contact.caller_leg in self._gone:
                    raise Broken("not_rung_after_hang_up", f"{given.extension} is rung though the caller has gone")
            case i.DialOutside():
                self._dialled_rightly(contact, given)
            case i.BridgeLegs() if contact is not None and given.leg == contact.caller_leg:
                # Out of a room a bridge takes them by itself, whoever else is there.
                other = "" if self._switch.room(given.leg) else self._switch.talks_with(given.leg)
                if other and other != given.other and other not in c.doomed_legs(contact):
                    raise Broken("one_agent_per_caller", f"{given.leg} talks with {other} and is joined with another")
            case i.HangUpLeg() if contact is not None and contact.offer is not None:
                held = c.reservation_of(contact, given.leg)
                # The phone's switch began anew, and its ring went with it; or whoever was consulted refused, and the
                # caller was given to them before that was carried out.
                lost = given.cause in {ORIGINATOR_CANCEL, CALL_REJECTED}
                if held is not None and held.leg not in contact.offer.rejecting and not lost:
                    raise Broken("losers_kept", f"{given.leg} is hung up while its offer holds it")

    def _dialled_rightly(self, contact: c.Contact | None, given: i.DialOutside) -> None:
        there = contact.caller_leg if contact is not None else ""
        if contact is not None and not there and contact.offer is not None:
            there = contact.offer.accepted if contact.offer.accepted in contact.offer.answered else ""
        if not there or there in self._gone:
            raise Broken("agent_first", f"{given.leg} is called, and nobody is there to talk")
        outside, calling = self._engine.world.outside, self._engine.world.outside_legs
        if outside is not None and len(calling) > outside.settings.at_most:
            raise Broken("outside_bounded", f"{len(calling)} numbers outside are called at once")

    def committed(self, records: list[Record]) -> None:
        """A batch was committed by this engine."""
        if records and self._ledger.rows[-1][0] < self._ledger.newest:
            raise Broken("fence", f"epoch {self._engine.epoch} wrote after a newer one")


def _consults(contact: c.Contact, shift: str, offer_id: str) -> bool:
    """Whether this shift is held because somebody consults it."""
    consult = contact.consult
    if consult is None or consult.over or consult.reservation is None:
        return False
    return (consult.reservation.shift_id, consult.consult_id) == (shift, offer_id)


def _consults_or_hears(contact: c.Contact, shift_id: str, held_for: str) -> bool:
    """Whether this shift is held as whoever is consulted, as a guest, or as the supervisor who hears the talk."""
    monitor = contact.monitor
    hears = monitor is not None and (monitor.monitor_id, monitor.reservation.shift_id) == (held_for, shift_id)
    guest = guest_of_shift(contact, shift_id)
    invited = guest is not None and guest.guest_id == held_for
    return hears or invited or _consults(contact, shift_id, held_for)


def rank(visit: c.Visit, now: Instant) -> tuple[int, int]:
    """Points, in parts of a minute's µs so that none is lost, and since when: worked out from what the log says, in the
    plainest way. Smaller comes first.
    """
    points = min(1_000, max(-1_000, visit.priority + sum(visit.bonuses.values())))
    since = visit.waiting_since or visit.queued_at
    minute = 60 * SECOND
    return -points * minute - min(visit.age_cap * minute, visit.age_per_min * (now - since)), since


def could_take(world: World, visit: c.Visit, agent: Agent) -> bool:
    """Whether this agent has what the visit asks for at its step."""
    if visit.step < 0:
        return False
    if not visit.steps:
        settings = world.queues[visit.queue_id].settings
        return agent.skills.get(settings.skill, 0) >= max(settings.min_level, 1)
    wanted = visit.steps[visit.step].requirement
    return (
        all(agent.skills.get(skill, 0) >= level for skill, level in wanted.skills.items())
        and (not wanted.agents or agent.agent_id in wanted.agents)
        and wanted.branch in ("", agent.branch)
    )


def can_be_served(world: World, contact: c.Contact) -> bool:
    """Whether the switch that holds this contact can be told to ring somebody."""
    return world.in_step(contact.node)


def line_is_free(world: World, shift: s.Shift) -> bool:
    """Whether no leg of ours to this agent's phone is still open."""
    return all(extension != shift.extension for contact in world.contacts.values() for _, extension in contact.phones)


def desks_are_known(world: World, pages: list[Page], now: Instant) -> None:
    """Whoever's page is connected for a while is known to be at it: nobody waits for ever before an open page."""
    for page in pages:
        shift = world.shifts.get(world.shift_of_agent.get(world.agent_of_number.get(page.number, ""), ""))
        if shift is None or not page.connected or page.back_since > now - KNOWN_WITHIN:
            continue
        if shift.signed_in_at > now - KNOWN_WITHIN:
            continue
        desk = shift.desk
        if desk is None or desk.state != "attached" or desk.desk_id != page.desk:
            raise Broken("desk_is_known", f"the page {page.desk} is connected, and shift {shift.shift_id} has {desk}")


def finish(world: World, switch: AnySwitch) -> None:
    """Long after the last fault and the last caller: nothing is left of anything."""
    if world.contacts:
        stuck = next(iter(world.contacts.values()))
        raise Broken(
            "nothing_stuck", f"contact {stuck.contact_id} is still {stuck.status} ({len(world.contacts)} in all)"
        )
    for node in world.nodes.values():
        if node.strays:
            raise Broken("nothing_stuck", f"{node.node_id} still has strays: {node.strays}")
    if channels := switch.channels():
        raise Broken("nothing_stuck", f"the switch still has channels: {', '.join(channels)}")
    for shift in world.shifts.values():
        if shift.status in s.ENGAGED:
            raise Broken("nothing_stuck", f"shift {shift.shift_id} is still {shift.status}")
    leftovers = {
        "contact_of_leg": world.contact_of_leg,
        "open_offers": world.open_offers,
        "versions": [name for name in world.versions if kind_of(name) == "contact"],
        "timers": [key for key, _ in world.timers if key[0] in OF_CONTACT],
        "outside_legs": world.outside_legs,
        "callbacks": world.callbacks,
    }
    for name, left in leftovers.items():
        if left:
            raise Broken("no_leftovers", f"{name} still holds {left}")
