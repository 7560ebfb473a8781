"""A day played again: the production `Runner.step` on a virtual clock, with a switch, callers and agents around it.

    next of: timer of the runner · something on the agenda
        └─▶ step ──records──▶ measure, and what people do about them (talk, give up, finish after-call work)
             └──instructions──▶ what the switch would say (rings, answers, bridges, hangs up), on the agenda

Nothing is stored: a record counts as stored at once. What is drawn is drawn by the seed, for each caller once, so that
two plays of a day with the same seed differ by the rules alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from random import Random
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts, outward_events, transfer_events
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant, Record, Refused, ident_of
from orchestrator.domain.staff import shifts
from orchestrator.domain.staff.answering import wants_desk
from orchestrator.domain.switch import contexts, facts, instructions
from orchestrator.domain.world import World
from orchestrator.runner import Followed, Input, Runner, inputs
from orchestrator.runner.desk import EXTENSION_MS
from orchestrator.runner.inputs import Body
from orchestrator.runner.timing import DESKS
from orchestrator.whatif.day import ANSWERED, Agent, Day, Ring, Talk

# With fewer rings than this an agent is taken to answer like all of them together.
_OWN: Final = 5
# Where nobody answered on that day, or came back after a missed ring; and how long a number outside rings.
_USUAL_RING: Final = Ring(ANSWERED, 3 * SECOND)
_USUAL_BACK: Final = 60 * SECOND
_USUAL_TALK: Final = Talk("", 180_000)
_OUTSIDE_RINGS: Final = 6 * SECOND
# What a phone takes that picks up by itself, where that day does not tell.
_PICKS_UP: Final = 70 * MILLISECOND
# Nobody takes a call by hand sooner.
_QUICKEST: Final = 500 * MILLISECOND
# What a switch takes to hang a leg up; and an apology to be said.
_HANGS_UP: Final = 20 * MILLISECOND
_APOLOGY: Final = 5 * SECOND
# Callers of the day are served, or give up, after it has ended; nobody waits longer than that.
_AFTERWARDS: Final = 2 * 3_600 * SECOND
# The ways in which a phone does not answer, as the switch says it.
_CAUSES: Final[Mapping[str, str]] = {
    "busy": "USER_BUSY",
    "rejected": "CALL_REJECTED",
    "unreachable": "USER_NOT_REGISTERED",
    "failed": "INCOMPATIBLE_DESTINATION",
}
# The golden ratio's fraction: places that it steps to on a circle are as even as can be, however many.
_GOLDEN: Final = 0.618_033_988_749_895


class Chances(Struct):
    """What a seed drew for one caller, each from 0 to 1."""

    patience: float
    talk: float
    ring: float

    def next_ring(self) -> float:
        """The chance of the next ring for this caller."""
        self.ring = (self.ring + _GOLDEN) % 1
        return self.ring


class Play:
    """One day, once. `take` is told of every record. `staff`: who works, by the agent's id, and what they bring."""

    def __init__(
        self,
        day: Day,
        configured: Iterable[Record],
        changed: Sequence[Record],
        staff: Mapping[str, Agent],
        seed: int,
        take: Callable[[Record], None],
    ) -> None:
        self.world = World()
        for record in configured:
            self.world.apply(record)
        self._runner = Runner(self.world)
        self._day, self._seed, self._take = day, seed, take
        self._now = day.first
        self._agenda: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = self._inputs = 0
        self._live: set[str] = set()
        """Legs that the switch has."""
        self._of_leg: dict[str, int] = {}
        self._of_contact: dict[str, int] = {}
        self._waiting: set[str] = set()
        """Contacts whose callers may give up."""
        self._talks: dict[str, int] = {}
        """How many conversations each contact has had."""
        self._wraps: dict[str, Talk] = {}
        self._wants: dict[str, str] = {}
        self._accepted: dict[str, Ring] = {}
        """What is left of a ring for the phone, whose leg this is, of an agent who has accepted at the desk."""
        self._desks: dict[str, str] = {}
        """Employee number to desk of those who answer there: a page that is open for as long as they are signed in."""
        self._staff = staff
        self._rings = _rings(day, staff)
        self._backs = [back for agent in day.agents.values() for back in agent.back] or [_USUAL_BACK]
        self._dice = dice = Random(seed)  # noqa: S311 - chance, no secret
        self._chances = [Chances(1 - dice.random(), dice.random(), dice.random()) for _ in day.callers]
        self._served = _served(day)
        for node in sorted({caller.node for caller in day.callers}):
            self._at(day.first, self._connect, node)
        for record in changed:
            self._at(record.about.at, self._follow, record)
        for agent_id, agent in sorted(staff.items()):
            for wish in agent.wishes:
                self._at(wish.at, self._wish, agent_id, wish.what, wish.detail)
        for place, caller in enumerate(day.callers):
            self._at(caller.at, self._call, place)

    def run(self) -> None:
        """Play it to its end."""
        last = self._day.last + _AFTERWARDS
        while True:
            due = self._runner.next_due()
            upcoming = self._agenda[0][0] if self._agenda else None
            if due is not None and (upcoming is None or due <= upcoming):
                if due > last:
                    return
                self._now = max(self._now, due)
                if (fired := self._runner.due(self._now)) is not None:
                    if fired.what == DESKS:
                        self._step(inputs.DeskBeat(desks=dict(self._desks)))
                    self._step(fired)
            elif upcoming is not None and upcoming <= last:
                at, _, do, given = heappop(self._agenda)
                self._now = Instant(at)
                do(*given)
            else:
                return

    # --- the clockwork -----------------------------------------------------------------------------------------------
    def _at(self, when: int, do: Callable[..., None], *given: Any) -> None:  # noqa: ANN401 - what `do` takes
        self._count += 1
        heappush(self._agenda, (max(when, self._now), self._count, do, given))

    def _after(self, delay: float, do: Callable[..., None], *given: Any) -> None:  # noqa: ANN401 - what `do` takes
        self._at(self._now + int(delay), do, *given)

    def _step(self, body: Body) -> Refused | None:
        self._inputs += 1
        outcome = self._runner.step(Input(id=f"{self._seed}-{self._inputs}", at=self._now, body=body))
        for record in outcome.records:
            self._take(record)
            self._react(record)
        for instruction in outcome.instructions:
            self._perform(instruction)
        return outcome.refused

    def _follow(self, record: Record) -> None:
        self._step(Followed(record=record))

    # --- callers -----------------------------------------------------------------------------------------------------
    def _call(self, place: int) -> None:
        caller, leg = self._day.callers[place], f"caller-{place}"
        self._live.add(leg)
        self._of_leg[leg] = place
        self._step(
            facts.LegParked(
                node=caller.node,
                leg=leg,
                inbound=True,
                dialled=caller.dialled,
                caller_number=caller.number,
                caller_name=caller.name,
                context=contexts.INBOUND,
                trunk=caller.trunk,
                host=caller.host,
            )
        )

    def _react(self, record: Record) -> None:
        """What people do about what happened."""
        event = record.event
        match event:
            case contacts.ContactArrived():
                self._arrived(ident_of(record.stream), self._of_leg[event.leg])
            case contacts.OfferMade() | contacts.OfferWidened():
                for held in event.reservations:
                    if held.at_desk:
                        self._ring_desk(ident_of(record.stream), event.offer_id, held)
            case contacts.OfferAccepted():
                self._answered(ident_of(record.stream))
            case contacts.ContactConnected():
                self._talk(ident_of(record.stream), event.agent_id)
            case outward_events.OutsideConnected():
                self._talk(ident_of(record.stream), "")
            case transfer_events.ContactTransferred():
                self._wait(ident_of(record.stream), anew=True)
            case outward_events.CallbackAsked():
                self._waiting.discard(ident_of(record.stream))
            case shifts.WrapUpStarted():
                self._wrap_up(ident_of(record.stream), event)
            case shifts.AgentStoodDown():
                self._stood_down(ident_of(record.stream))

    def _arrived(self, contact_id: str, place: int) -> None:
        self._of_contact[contact_id] = place
        self._wait(contact_id, anew=False)
        known = self._day.callers[place].known
        if known is not None:
            self._after(known.after, self._identify, contact_id, known.customer_id, known.level)

    def _identify(self, contact_id: str, customer_id: str, level: str) -> None:
        self._step(inputs.IdentifyContact(contact_id=contact_id, customer_id=customer_id, level=level))

    def _answered(self, contact_id: str) -> None:
        """Whoever hung up before an agent who had answered could be heard, does so again."""
        caller = self._day.callers[self._of_contact[contact_id]]
        talks = self._talks.get(contact_id, 0)
        if caller.at_answer >= 0 and not talks:
            self._after(min(caller.at_answer, max(self._day.joined - MILLISECOND, 0)), self._give_up, contact_id, talks)

    def _wait(self, contact_id: str, *, anew: bool) -> None:
        """From now on the caller waits as long as they waited in truth, or would have, as far as can be told."""
        place = self._of_contact[contact_id]
        caller, chance = self._day.callers[place], self._chances[place].patience
        self._waiting.add(contact_id)
        if anew:
            patience = self._day.patience.draw(1 - chance * _GOLDEN)
        elif caller.gave_up and caller.at_answer < 0:
            patience = caller.waited_ms
        else:
            patience = self._day.patience.draw(chance, max(caller.waited_ms, 0))
        self._after(patience * MILLISECOND, self._give_up, contact_id, self._talks.get(contact_id, 0))

    def _give_up(self, contact_id: str, talks: int) -> None:
        contact = self.world.contacts.get(contact_id)
        if contact is None or contact_id not in self._waiting or self._talks.get(contact_id, 0) != talks:
            return
        self._gone(contact.node, contact.caller_leg, "ORIGINATOR_CANCEL")

    # --- conversations -----------------------------------------------------------------------------------------------
    def _talk(self, contact_id: str, agent_id: str) -> None:
        place = self._of_contact[contact_id]
        number = self._talks.get(contact_id, 0)
        self._talks[contact_id] = number + 1
        self._waiting.discard(contact_id)
        talk = self._lasts(place, number, self.world.contacts[contact_id].queue_id)
        self._wraps[contact_id] = talk
        self._after(talk.talk_ms * MILLISECOND, self._end_talk, contact_id, agent_id, talk.goes_to)

    def _lasts(self, place: int, number: int, queue_id: str) -> Talk:
        """The talk as it was, or where it had none (or it did not end), as one of the queue's was."""
        caller = self._day.callers[place]
        if number < len(caller.talks) and caller.talks[number].talk_ms >= 0:
            return caller.talks[number]
        found = self._served.get(queue_id) or self._served[""]
        return found[int(self._chances[place].talk * len(found))]

    def _end_talk(self, contact_id: str, agent_id: str, goes_to: str) -> None:
        contact = self.world.contacts.get(contact_id)
        if contact is None:
            return
        if goes_to and agent_id in self.world.agents:
            number = self.world.agents[agent_id].number
            if self._step(inputs.Transfer(agent=number, about=contact_id, to_queue=goes_to)) is None:
                return
        self._gone(contact.node, contact.caller_leg, "NORMAL_CLEARING")

    def _gone(self, node: str, leg: str, cause: str) -> None:
        if leg in self._live:
            self._live.discard(leg)
            self._step(facts.LegHungUp(node=node, leg=leg, cause=cause, by_far_end=True))

    # --- agents ------------------------------------------------------------------------------------------------------
    def _wish(self, agent_id: str, what: str, detail: str) -> None:
        agent = self.world.agents.get(agent_id)
        if agent is None:
            return
        self._wants[agent_id] = what
        match what:
            case "in":
                if wants_desk(self.world.desks, agent.answer):
                    self._desks[agent.number] = f"desk-{agent_id}"
                desk = self._desks.get(agent.number, "")
                if self._step(inputs.SignIn(agent=agent.number, extension=detail, desk=desk)) is not None:
                    self._step(inputs.SignIn(agent=agent.number, desk=desk))
            case "ready":
                self._step(inputs.Ready(agent=agent.number))
            case "pause":
                if self._step(inputs.Pause(agent=agent.number, reason=detail)) is not None:
                    # The system's word, or a reason that this configuration does not have.
                    reason = next(iter(self.world.reasons.pause_codes()), "break")
                    self._step(inputs.Pause(agent=agent.number, reason=reason))
            case "out":
                self._step(inputs.SignOut(agent=agent.number))

    def _stood_down(self, shift_id: str) -> None:
        """A missed ring: ready again after as long as it took on that day."""
        shift = self.world.shifts.get(shift_id)
        if shift is None:
            return
        own = self._staff[shift.agent_id].back if shift.agent_id in self._staff else []
        backs = own or self._backs
        self._after(self._dice.choice(backs), self._come_back, shift_id)

    def _come_back(self, shift_id: str) -> None:
        shift = self.world.shifts.get(shift_id)
        if shift is not None and shift.status == "paused" and self._wants.get(shift.agent_id) == "ready":
            self._wish(shift.agent_id, "ready", "")

    def _wrap_up(self, shift_id: str, event: shifts.WrapUpStarted) -> None:
        """Finish it after as long as it took. Where the queue's time ended it, that does so again."""
        talk = self._wraps.get(event.contact_id)
        if talk is None or not talk.finished:
            return
        over_ms = talk.wrap_ms - (event.until - self._now) // MILLISECOND
        if over_ms >= 0:
            self._extend(shift_id, over_ms + 1_000)
        self._after(talk.wrap_ms * MILLISECOND, self._finish, shift_id, event.contact_id, talk.code)

    def _extend(self, shift_id: str, by_ms: int) -> None:
        agent = self.world.agents.get(self.world.shifts[shift_id].agent_id)
        if agent is not None:
            least, most = EXTENSION_MS
            self._step(inputs.ExtendWrapUp(agent=agent.number, by_ms=min(max(by_ms, least), most)))

    def _finish(self, shift_id: str, contact_id: str, code: str) -> None:
        shift = self.world.shifts.get(shift_id)
        if shift is None or shift.status != "wrapping_up" or shift.contact_id != contact_id:
            return
        agent = self.world.agents.get(shift.agent_id)
        if agent is not None and self._step(inputs.WrapUp(agent=agent.number, code=code)) is not None:
            self._step(inputs.WrapUp(agent=agent.number))

    # --- the switch --------------------------------------------------------------------------------------------------
    def _connect(self, node: str) -> None:
        self._step(facts.LinkUp(node=node, core="played"))
        self._step(facts.Snapshot(node=node, core="played", legs=()))

    def _perform(self, given: instructions.Instruction) -> None:
        match given:
            case instructions.RingAgent():
                self._ring(given)
            case instructions.DialOutside():
                self._live.add(given.leg)
                self._after(self._day.delivered, self._say, facts.LegRinging, given)
                self._after(_OUTSIDE_RINGS, self._say, facts.LegParked, given)
            case instructions.BridgeLegs():
                self._after(self._day.joined, self._bridge, given)
            case instructions.HangUpLeg():
                self._after(_HANGS_UP, self._gone, given.node, given.leg, given.cause)
            case instructions.PlayApology():
                self._after(_APOLOGY, self._gone, given.node, given.leg, given.cause)
            case instructions.ParkLeg():
                self._after(_HANGS_UP, self._park, given)
            case instructions.CheckLeg():
                self._after(_HANGS_UP, self._tell_presence, given)

    def _ring(self, given: instructions.RingAgent) -> None:
        ring = self._accepted.pop(given.leg, None)
        if ring is None:
            shift = self.world.shifts.get(self.world.shift_at.get(given.extension, ""))
            ring = self._draw_ring(given.contact, shift.agent_id if shift is not None else "")
        self._live.add(given.leg)
        if ring.outcome == "unreachable":
            self._after(ring.after, self._gone, given.node, given.leg, _CAUSES[ring.outcome])
            return
        delivered = min(self._day.delivered, ring.after)
        self._after(delivered, self._say, facts.LegRinging, given)
        if ring.outcome == ANSWERED:
            self._after(ring.after, self._say, facts.LegParked, given)
        elif ring.outcome in _CAUSES:
            self._after(ring.after, self._gone, given.node, given.leg, _CAUSES[ring.outcome])

    def _draw_ring(self, contact_id: str, agent_id: str) -> Ring:
        rings = self._rings[agent_id if agent_id in self._rings else ""]
        return rings[int(self._chances[self._of_contact[contact_id]].next_ring() * len(rings))]

    def _ring_desk(self, contact_id: str, offer_id: str, held: contacts.Reservation) -> None:
        """The desk rings. Where it was accepted there, what is left of the ring is the phone's."""
        ring = self._draw_ring(contact_id, held.agent_id)
        if ring.at_desk < 0 and ring.outcome == "timed_out":
            return
        if ring.at_desk < 0 and ring.outcome == "rejected":
            self._after(ring.after, self._at_desk, inputs.Reject, held.agent_id, offer_id)
            return
        at_desk = ring.at_desk if ring.at_desk >= 0 else _by_hand(ring) - _PICKS_UP
        self._accepted[held.leg] = replace(ring, after=ring.after - at_desk if ring.at_desk >= 0 else _PICKS_UP)
        self._after(at_desk, self._at_desk, inputs.Accept, held.agent_id, offer_id)

    def _at_desk(self, wish: type[inputs.Accept | inputs.Reject], agent_id: str, offer_id: str) -> None:
        agent = self.world.agents.get(agent_id)
        if agent is not None:
            self._step(wish(agent=agent.number, about=offer_id))

    def _say(self, fact: type[facts.LegFact], given: instructions.RingAgent | instructions.DialOutside) -> None:
        if given.leg in self._live:
            self._step(fact(node=given.node, leg=given.leg, contact=given.contact, offer=given.offer))

    def _bridge(self, given: instructions.BridgeLegs) -> None:
        if given.leg in self._live and given.other in self._live:
            self._step(facts.LegBridged(node=given.node, leg=given.leg, other=given.other))

    def _park(self, given: instructions.ParkLeg) -> None:
        if given.leg in self._live:
            self._step(facts.LegParked(node=given.node, leg=given.leg, inbound=True, context=contexts.INBOUND))

    def _tell_presence(self, given: instructions.CheckLeg) -> None:
        self._step(facts.LegPresence(node=given.node, leg=given.leg, exists=given.leg in self._live))


def _by_hand(ring: Ring) -> int:
    """What somebody at a desk takes whose phone told this. One that picks up by itself tells nothing of whoever sits
    there.
    """
    return ring.after if ring.after >= _QUICKEST else _USUAL_RING.after


def _rings(day: Day, staff: Mapping[str, Agent]) -> dict[str, list[Ring]]:
    """How each agent answers: as they did, or as all did where they had few rings; the latter by the empty id."""
    everybody = [ring for agent in day.agents.values() for ring in agent.rings] or [_USUAL_RING]
    found = {"": everybody}
    for agent_id, agent in staff.items():
        found[agent_id] = agent.rings if len(agent.rings) >= _OWN else everybody
    return found


def _served(day: Day) -> dict[str, list[Talk]]:
    """Talks of callers who were not passed on, by queue and (under the empty id) all: whoever was not served that day
    would have talked like one of them.
    """
    found: dict[str, list[Talk]] = {"": []}
    for caller in day.callers:
        for talk in caller.talks:
            if talk.talk_ms >= 0 and not talk.goes_to:
                found[""].append(talk)
                found.setdefault(talk.queue_id, []).append(talk)
    found[""] = found[""] or [_USUAL_TALK]
    return found
