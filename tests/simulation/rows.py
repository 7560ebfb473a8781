"""The table of states and of who hangs up first (`tests/matrix.py`) in random runs: who plays it, and what must come.

Whatever else goes on at that moment: if a call is in one of the states as the engine hears of a hang-up, then by the
same step the caller is on the way to where the table says.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from types import MappingProxyType
from typing import Final

from orchestrator.domain.contacts.asides import ON_HOLD, alone_with
from orchestrator.domain.contacts.consults import CALLER, CONSULTED, CONSULTING, TOGETHER, Consult
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guests import are_together, in_room, on_the_way_in
from orchestrator.domain.contacts.transfers import AGENT, under_way
from orchestrator.domain.kernel import Instant, Record, ident_of, kind_of
from orchestrator.domain.switch.causes import WITH_THE_SWITCH
from orchestrator.domain.switch.facts import LegHungUp
from orchestrator.domain.world import World
from orchestrator.runner import Input
from orchestrator.runner import inputs as i
from tests.matrix import CAUSES, LOST, ROWS, Row
from tests.simulation.agenda import Agenda
from tests.simulation.pressing import Pressers

_ROW: Final = MappingProxyType({(row.state, row.who): row for row in ROWS})
_LOST: Final = MappingProxyType({(row.state, row.who): row for row in LOST})
# Of the calls that come into a state, so many are hung up in it: few where every call comes by, or none would get on.
_SHARE: Final[Mapping[str, float]] = MappingProxyType(
    {
        "waiting": 0.01,
        "ringing": 0.02,
        "talking": 0.01,
        "asking": 0.1,
        "consulting": 0.12,
        "joining": 0.15,
        "together": 0.15,
        "inviting": 0.15,
        "conference": 0.25,
        "guest_held": 0.3,
        "aside": 0.3,
        "coming_in": 0.1,
        "aside_coming": 0.3,
    }
)
_USUAL: Final = 0.4
# Where all is about one of a conference who is apart, and about their way back.
_SHARE_APART: Final[Mapping[str, float]] = MappingProxyType({**dict.fromkeys(_SHARE, 0.0), "coming_in": 0.9})
_SHARE_ALONE: Final[Mapping[str, float]] = MappingProxyType({**dict.fromkeys(_SHARE, 0.0), "aside_coming": 0.9})
# So often, of each look, an agent takes the call on from here to another row.
_GOES_ON: Final[Mapping[str, float]] = MappingProxyType(
    {
        "talking": 0.15,
        "consulting": 0.3,
        "to_and_fro": 0.3,
        "together": 0.5,
        "inviting": 0.3,
        "conference": 0.5,
        "guest_held": 0.3,
        "aside": 0.3,
    }
)
# The states that are rarest otherwise: so often the call goes on from here as soon as it is in them.
_ON_AT_ONCE: Final[Mapping[str, float]] = MappingProxyType(
    {"talking": 0.2, "consulting": 0.6, "together": 0.9, "conference": 0.9}
)
_ON_AT_ONCE_APART: Final[Mapping[str, float]] = MappingProxyType(
    {**_ON_AT_ONCE, "conference": 0.95, "guest_held": 0.6, "aside": 0.6}
)


def state_of(contact: Contact) -> str:
    """The row's name for what this call is in; empty for what is no row, such as on the way between two of them."""
    if not contact.caller_leg or contact.callback is not None:
        return ""
    segment, consult, offer = contact.segment, contact.consult, contact.offer
    match contact.status:
        case "waiting":
            return "waiting"
        case "offered" if offer is not None and offer.reservations:
            passed = under_way(contact)
            return "passed_on" if passed is not None and passed.to == AGENT else "ringing"
        case "connected" | "held" if segment is not None and not segment.wish:
            return "held" if contact.status == "held" else "talking"
        case status if status == CONSULTING and consult is not None and not consult.over:
            return _inviting(contact, consult) if contact.guests else _consulting(consult)
    return ""


def _inviting(contact: Contact, consult: Consult) -> str:
    """Whoever was asked first, in the table, is an agent; where it is a number outside, another may have the caller."""
    if not in_room(contact):
        first = contact.guests[0]
        coming = any(on_the_way_in(contact, guest) for guest in contact.guests)
        if alone_with(contact):
            talking = contact.aside is not None and contact.aside.talking
            return ("aside_coming" if coming else "aside") if talking else ""
        if coming:
            return "coming_in"
        if contact.aside is not None:
            return ""
        if first.held:
            return "guest_held" if first.held == ON_HOLD else ""
        return "" if first.answered or first.rejecting else "inviting"
    return "conference" if consult.reservation is not None and contact.aside is None else ""


def _consulting(consult: Consult) -> str:
    if not consult.answered:
        return "" if consult.accepting or consult.rejecting else "asking"
    if consult.wish:
        return "joining" if consult.wish == TOGETHER else ""
    return {CONSULTED: "consulting", CALLER: "to_and_fro", TOGETHER: "together"}.get(consult.hears, "")


def legs_of(contact: Contact) -> dict[str, str]:
    """The legs of those whom the table names, as far as they are there."""
    consult, segment, offer = contact.consult, contact.segment, contact.offer
    legs = {"caller": contact.caller_leg}
    if segment is not None:
        legs["agent"] = segment.leg
    elif offer is not None and offer.reservations:
        legs["colleague" if state_of(contact) == "passed_on" else "agent"] = offer.reservations[0].leg
    if consult is not None and not consult.over:
        legs["colleague"] = consult.leg
    if contact.guests:
        legs["guest"] = alone_with(contact) or (*in_room(contact), *contact.guests)[0].leg
    return legs


def becomes(before: Contact, after: Contact | None) -> str:
    """To where the caller is on the way, in the words of the table; `unchanged` where a consultation goes on."""
    if after is None or after.status == "leaving":
        return "ended"
    asked = before.consult.leg if before.consult is not None else ""
    if after.segment is not None and after.segment.leg == asked:
        return "colleague"
    if after.segment is not None and are_together(after):
        return "room"
    if after.segment is not None:
        consult = after.consult
        if consult is None or consult.over:
            return "agent"
        if consult.wish == TOGETHER and before.guests:
            return "room"
        return {CALLER: "agent", CONSULTED: "music"}.get(consult.wish or consult.hears, "unchanged")
    offer, outside = after.offer, after.outside
    if outside is not None and outside.leg == asked:
        return "colleague" if outside.answered else "offered"
    if offer is None or not any(held.leg == asked for held in offer.reservations):
        return "waits"
    return "colleague" if offer.accepted == asked else "offered"


def _waited_too_long(contact: Contact, now: Instant) -> bool:
    """Whether the queue has a way out for this caller by now, even an apology: only a phone that rang kept them."""
    visit = contact.visit
    return visit is not None and (visit.leave_by <= now or 0 < visit.overflow_at <= now)


class Judge:
    """What becomes of each call of which somebody hung up in one of the states, in one engine. `hits`: how often each
    row was played; `lost`: how often each of phones whose switch could not be heard; `several`: how often more than one
    guest was on the way in as whoever was asked first left.
    """

    def __init__(self, world: World) -> None:
        self.hits: Counter[Row] = Counter()
        self.lost: Counter[Row] = Counter()
        self.several = 0
        self._before = dict(world.contacts)
        self._far = dict(world.far_legs)

    def broken(self, world: World, given: Input, records: Iterable[Record]) -> Iterator[str]:
        """What is not as the table says."""
        fact = given.body
        if isinstance(fact, LegHungUp) and fact.cause not in WITH_THE_SWITCH:
            yield from self._judge(world, fact, given.at)
        self._far = dict(world.far_legs)
        for record in records:
            if kind_of(record.stream) == "contact":
                ident = ident_of(record.stream)
                contact = world.contacts.get(ident)
                if contact is None:
                    self._before.pop(ident, None)
                else:
                    self._before[ident] = contact

    def _judge(self, world: World, fact: LegHungUp, now: Instant) -> Iterator[str]:
        before = next((each for each in self._before.values() if fact.leg in each.legs), None)
        if before is None:
            return
        who = next((name for name, leg in legs_of(before).items() if leg == fact.leg), "")
        via = world.nodes.get(self._far.get(fact.leg, ""))
        lost = via is not None and via.status != "connected"
        row = (_LOST if lost else _ROW).get((state_of(before), who))
        if row is None:
            return
        (self.lost if lost else self.hits)[row] += 1
        after = world.contacts.get(before.contact_id)
        became = becomes(before, after)
        if became == "ended" and row.becomes == "waits" and _waited_too_long(before, now):
            return
        if became != row.becomes:
            yield f"{row.who} of {before.contact_id} hung up first while {row.state}: {became}, not {row.becomes}"
        coming_in = row.state in ("coming_in", "aside_coming") and row.who == "colleague"
        if coming_in and after is not None and became == "room":
            coming = {guest.leg for guest in before.guests if on_the_way_in(before, guest)}
            asked = (after.consult,) if after.consult is not None else ()
            self.several += len(coming) > 1
            if alone_with(before) and alone_with(after) != alone_with(before):
                yield f"the agent of {before.contact_id} is taken from whom they speak with alone"
            if cut_off := coming - {each.leg for each in (*asked, *after.guests)}:
                yield f"{len(cut_off)} who were on the way into the room of {before.contact_id} are let go"


class Hangers(Pressers):
    """People who hang up as a row says, once a call is in its state, and agents who bring it from row to row. `busy` is
    how many of them do; with `gathers`, what they do is to come to rows in which one of a conference is on the way in,
    with `alone`, while the agent speaks with another one alone.
    """

    longest_pause_ms = 400

    def __init__(
        self,
        agenda: Agenda,
        dice: Random,
        hang_up: Callable[[str, str], None],
        *,
        busy: float,
        gathers: bool = False,
        alone: bool = False,
    ) -> None:
        super().__init__(agenda, dice, busy=busy)
        self._hang_up = hang_up
        self._gathers, self._alone = gathers, alone
        self._share, self._at_once = (_SHARE_APART, _ON_AT_ONCE_APART) if gathers else (_SHARE, _ON_AT_ONCE)
        if alone:
            self._share = _SHARE_ALONE

    def saw(self, world: World, records: Iterable[Record]) -> None:
        """Look at the calls of which there is news."""
        moved = dict.fromkeys(ident_of(each.stream) for each in records if kind_of(each.stream) == "contact")
        for contact in (world.contacts[ident] for ident in moved if ident in world.contacts):
            state = state_of(contact)
            if state and self._dice.random() < self._busy * self._share.get(state, _USUAL):
                self._plan(contact, state)
            elif self._dice.random() < self._busy * self._at_once.get(state, 0.0):
                self._agenda.soon(20, 400, lambda ident=contact.contact_id: self._go_on(ident))  # type: ignore[misc]  # per call

    def _go_on(self, ident: str) -> None:
        """Its agent takes this call to another row, where it still goes on."""
        contact = self.engine.world.contacts.get(ident) if self.engine is not None else None
        if self.engine is None or contact is None or contact.segment is None:
            return
        agent = self.engine.world.agents.get(contact.segment.agent_id)
        if agent is not None and state_of(contact):
            self._take_on(self.engine.world, contact, agent.number)

    def _plan(self, contact: Contact, state: str) -> None:
        dice = self._dice
        ends = [leg for who, leg in legs_of(contact).items() if (state, who) in _ROW]
        dice.shuffle(ends)
        delay_ms = dice.choice((0, 0, 5, 200, 2_000))
        both = 2 if dice.random() < 0.15 else 1  # in the same tick
        for leg in ends[:both]:
            cause = dice.choice(CAUSES)
            self._agenda.soon(0, delay_ms, lambda leg=leg, cause=cause: self._hang_up(leg, cause))  # type: ignore[misc]  # per end

    def _do_something(self, world: World) -> None:
        for contact in world.contacts.values():
            agent = world.agents.get(contact.segment.agent_id) if contact.segment is not None else None
            if agent is not None and self._dice.random() < _GOES_ON.get(state_of(contact), 0.0):
                self._take_on(world, contact, agent.number)

    def _take_on(self, world: World, contact: Contact, number: str) -> None:
        held = [guest.reservation.agent_id for guest in contact.guests if guest.held == ON_HOLD and guest.reservation]
        enough = 1 if self._alone and alone_with(contact) else 2
        if self._gathers and are_together(contact) and len(held) >= enough:
            for each in held:  # all at once, so that several are on the way in
                if each in world.agents:
                    self._press(
                        i.RecallMember(agent=number, about=contact.contact_id, to_agent=world.agents[each].number)
                    )
            return
        self._press(self._next(world, contact, number))

    def _next(self, world: World, contact: Contact, number: str) -> i.AgentCommand:
        dice, about = self._dice, contact.contact_id
        free = [each.agent_id for each in world.shifts.values() if each.status == "ready"]
        colleague = world.agents.get(dice.choice(free)) if free else None
        whom = colleague.number if colleague is not None else "9999"
        guests = [each.reservation.agent_id for each in contact.guests if each.reservation is not None]
        known = [world.agents[each].number for each in guests if each in world.agents]
        there = [each.reservation.agent_id for each in in_room(contact) if each.reservation is not None]
        if self._gathers and are_together(contact) and len(contact.guests) < 2:
            return i.Invite(agent=number, about=about, to_agent=whom)
        if self._gathers and len(known) > 1 and there and are_together(contact) and there[0] in world.agents:
            # With one who is on hold already: both, or the agent is alone with this one.
            first = i.SpeakAlone if self._alone and len(there) < len(known) else i.HoldMember
            return first(agent=number, about=about, to_agent=world.agents[there[0]].number)
        if known and are_together(contact) and dice.random() < 0.6:
            kind = dice.choice((i.HoldMember, i.SpeakAlone, i.SpeakAlone, i.RecallMember))
            return kind(agent=number, about=about, to_agent=dice.choice(known))
        if are_together(contact) and dice.random() < 0.6:
            return i.Invite(agent=number, about=about, to_agent=whom)
        if contact.status == CONSULTING:
            return dice.choice((i.SwitchConsult, i.Confer))(agent=number, about=about)
        return i.Consult(agent=number, about=about, to_agent=whom)
