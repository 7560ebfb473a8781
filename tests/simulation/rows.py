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
from orchestrator.domain.contacts.calling import BREATH_MS
from orchestrator.domain.contacts.consults import CONSULTING
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guests import are_together, in_room, on_the_way_in
from orchestrator.domain.kernel import MILLISECOND, Instant, Record, ident_of, kind_of
from orchestrator.domain.switch.causes import WITH_THE_SWITCH
from orchestrator.domain.switch.facts import LegHungUp
from orchestrator.domain.world import World
from orchestrator.runner import Input
from orchestrator.runner import inputs as i
from tests.matrix import CAUSES, LOST, ROWS, Row
from tests.simulation.agenda import Agenda
from tests.simulation.outsiders import NUMBERS
from tests.simulation.pressing import Pressers
from tests.simulation.states import becomes, legs_of, named, state_of

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
        "parked": 0.05,
        "asking_out": 0.04,
        "consulting_out": 0.12,
        "turn_out": 0.3,
        "together_out": 0.15,
        "inviting_out": 0.15,
        "guest_out": 0.5,
        "taking_over": 0.6,
        "taken_over": 0.6,
        "passed_out": 0.1,
        "dialling": 0.04,
        "calling": 0.1,
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
    {
        "talking": 0.2,
        "consulting": 0.6,
        "consulting_out": 0.8,
        "together": 0.9,
        "conference": 0.9,
    }
)
_ON_AT_ONCE_BESIDE: Final[Mapping[str, float]] = MappingProxyType({**_ON_AT_ONCE, "talking": 0.5})
_ON_AT_ONCE_APART: Final[Mapping[str, float]] = MappingProxyType(
    {**_ON_AT_ONCE, "conference": 0.95, "guest_held": 0.6, "aside": 0.6}
)


def _may_have_ended(row: Row, before: Contact, now: Instant) -> bool:
    """Whether whoever waits, or is called again, has been given up by now: only a phone that rang kept them."""
    callback, visit = before.callback, before.visit
    if row.becomes != "promised" or callback is None or visit is None:
        return row.becomes == "waits" and _waited_too_long(before, now)
    next_try = now + max(callback.again_ms, BREATH_MS) * MILLISECOND
    return callback.missed + 1 >= callback.tries or next_try >= visit.leave_by


def _waited_too_long(contact: Contact, now: Instant) -> bool:
    """Whether the queue has a way out for this caller by now, even an apology."""
    visit = contact.visit
    return visit is not None and (visit.leave_by <= now or 0 < visit.overflow_at <= now)


def _plainly(contact: Contact) -> tuple[str, dict[str, str]]:
    return state_of(contact), legs_of(contact)


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
        state, legs = named(before)
        who = next((name for name, leg in legs.items() if leg == fact.leg), "")
        via = world.nodes.get(self._far.get(fact.leg, ""))
        lost = via is not None and via.status != "connected"
        row = (_LOST if lost else _ROW).get((state, who))
        if row is None:
            return
        (self.lost if lost else self.hits)[row] += 1
        after = world.contacts.get(before.contact_id)
        became = becomes(before, after)
        if became == "ended" and _may_have_ended(row, before, now):
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
    with `alone`, while the agent speaks with another one alone. `beside`: also where somebody parks, listens, takes
    over, dials, or is called outside.
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
        beside: bool = False,
    ) -> None:
        super().__init__(agenda, dice, busy=busy)
        self._hang_up = hang_up
        self._gathers, self._alone = gathers, alone
        self._beside = beside
        self._name: Callable[[Contact], tuple[str, dict[str, str]]] = named if beside else _plainly
        self._share, self._at_once = _SHARE, _ON_AT_ONCE_BESIDE if beside else _ON_AT_ONCE
        if gathers:
            self._share, self._at_once = _SHARE_APART, _ON_AT_ONCE_APART
        if alone:
            self._share = _SHARE_ALONE

    def saw(self, world: World, records: Iterable[Record]) -> None:
        """Look at the calls of which there is news."""
        moved = dict.fromkeys(ident_of(each.stream) for each in records if kind_of(each.stream) == "contact")
        for contact in (world.contacts[ident] for ident in moved if ident in world.contacts):
            state, legs = self._name(contact)
            if state and self._dice.random() < self._busy * self._share.get(state, _USUAL):
                self._plan(state, legs)
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

    def _plan(self, state: str, legs: Mapping[str, str]) -> None:
        dice = self._dice
        ends = [leg for who, leg in legs.items() if (state, who) in _ROW]
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
        if self._beside and dice.random() < 0.4 and state_of(contact) in ("talking", "together"):
            outside = i.Consult if contact.status != CONSULTING else i.Invite
            return outside(agent=number, about=about, to_number=NUMBERS[0])
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
