"""The fold of a log by several who each take some of its streams, and what they found put together again.

    log ──▶ part 0: every shift, some contacts, configuration, switches ──┐
        ──▶ part 1: other contacts,     configuration, switches ──────────┼──join──▶ the state, as one fold has it
        ──▶ …                                                             ┘

A stream's own state needs its own records only. What several streams make together is of three kinds: sums, which are
added; who came last, which each part keeps with the place in the log; and what depends on the order of everything (the
lines of queues, the limits of switches, the blacklist), of which each part notes what its streams did to it, and the
join does it again in the order of the log. Who is free and who waits is put in order from what contacts and shifts are
at the end, as after a change of configuration.

So a part need not see its contacts in the order of the log either, if only each contact's records are in order and
configuration does not come late: it is given a contact's whole story at once, when it has ended (`Part.apply_story`),
and notes the places.
"""

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Generic, TypeVar

from orchestrator.domain.contacts import contacts
from orchestrator.domain.contacts.contacts import Contact, ContactArrived, ContactEnded, LegClosed
from orchestrator.domain.contacts.unattended import IMPORT
from orchestrator.domain.customers.blacklist import Blacklist
from orchestrator.domain.kernel import Event, Happened, Instant, Place
from orchestrator.domain.observed import COUNTED, KEPT, Observed
from orchestrator.domain.routing import admission
from orchestrator.domain.routing.admission import Admission
from orchestrator.domain.routing.counted import Day
from orchestrator.domain.routing.limits import ANY_SWITCH, LimitConfigured, Limits
from orchestrator.domain.routing.matching import Matching
from orchestrator.domain.routing.pools import READY
from orchestrator.domain.routing.queues import Queue
from orchestrator.domain.routing.rules import rule_of
from orchestrator.domain.routing.waits import ASIDE, SomeWaits
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.switch.causes import SERVED_BY_SWITCH
from orchestrator.domain.timers import Key, Timers
from orchestrator.domain.world import (
    CLOSED_LEGS_KEPT,
    IMPORTED_KEPT,
    LAST_AGENTS_KEPT,
    LEGS_STAY,
    OTHERS,
    Aggregate,
    World,
    proposals,
)

_CONTACTS: Final = "contact-"
_SHIFTS: Final = "shift-"
EVERYBODYS: Final = OTHERS
"""Kinds of streams that every part folds."""

# Quarters of an hour of which a part keeps what it counted. One that a single fold has kept is among the last so many
# of each part: otherwise others were counted in after that fold had forgotten them, and the log is not parted at all.
_QUARTERS_KEPT: Final = 2 * KEPT

# So many callers whom a switch with a limit let in, or told, a part remembers: hours of most floors.
TAKEN_KEPT: Final = 20_000
# More than any limit leaves room for, in millionths of a caller.
_ROOM: Final = 2**62
_Bucket = tuple[str, str]
"""What (`limits.take`), of which switch."""
_Taken = tuple[int, str, str, Instant]
"""Where in the log, what, of which switch, and when."""

_V = TypeVar("_V")


class Unparted(Exception):
    """This log cannot be folded in parts: something in it depends on the order of everything. Fold it in one."""


class Part(Observed):
    """What some of the contacts leave, and the shifts where they are this part's too. Nobody can ask it anything."""

    def __init__(self, *, counts: bool = True) -> None:
        """`counts`: whether quarters of an hour are counted, for an `Observed`."""
        super().__init__()
        self.counts = counts
        self.place = Place()
        self.timers = _Table()
        self.queued = _Queued(self.place)
        self.matching = self.queued
        self.some_waits = SomeWaits(self.place)
        self.waits = self.some_waits
        self.limits = _Limits(self.place)
        self.blacklist = _Blacklist(self.place)
        self.admission = Admission(self.limits, self.blacklist)
        self.closed: Lasts[str] = Lasts(CLOSED_LEGS_KEPT)
        self.left: Lasts[str] = Lasts(CLOSED_LEGS_KEPT)
        self.brought: Lasts[None] = Lasts(IMPORTED_KEPT)
        self.served: Lasts[str] = Lasts(LAST_AGENTS_KEPT)
        """What the live state remembers the last of: legs that closed or were left to their switch, calls that were
        imported, who served whom.
        """
        self.highest_at = Instant(0)
        """The latest time of its records."""
        self.queue_was: _Was[Queue] = _Was()
        """How each queue was configured, at any place in the log."""
        self.seen: dict[int, list[int]] = {}
        """The first and the last place in the log at which something was counted in each quarter of an hour."""

    def apply(self, record: Happened) -> tuple[Aggregate, Aggregate]:
        """The same; the shorter way for what nearly everything is."""
        self.place.position = record.position
        if record.about.at > self.highest_at:  # noqa: PLR1730 - as below
            self.highest_at = record.about.at
        name = record.stream
        if name[:8] == _CONTACTS:
            found = self._apply_contact(name[8:], record)
            if self.counts and type(record.event) in COUNTED:
                self._count(found[0], record)
            return found
        return self._apply_shift(name[6:], record) if name[:6] == _SHIFTS else super().apply(record)

    def apply_story(self, records: Sequence[Happened]) -> None:
        """Records that come together (`Log.stories`), in order: they leave what they leave one by one. Of a contact
        from its first record to its end nothing is looked at that it has only while it lives.
        """
        name = records[0].stream
        ident = name[8:]
        if type(records[-1].event) is not ContactEnded or name[:8] != _CONTACTS or ident in self.contacts:
            for record in records:
                self.apply(record)
            return
        evolve, place, counts = contacts.evolve, self.place, self.counts
        legs: list[tuple[Contact | None, Happened]] = []
        after: Contact | None = None
        highest = self.highest_at
        for record in records:
            event, at = record.event, record.about.at
            before, after = after, evolve(after, event, at, ident)
            if at > highest:  # noqa: PLR1730 - `max` is several times as dear, and this is done for every record
                highest = at
            if after is None:
                continue
            kind = type(event)
            if kind not in LEGS_STAY:
                legs.append((before, record))
            if before is None:
                continue
            if before.segment is not after.segment or before.customer_id is not after.customer_id:
                place.position = record.position
                self._note_service(before, after)
            if before.visit is not after.visit or (
                before.status is not after.status and (before.status in ASIDE or after.status in ASIDE)
            ):
                place.position = record.position
                self._note_visit(before, after, event, at)
            if kind in admission.COUNTED:
                place.position = record.position
                self.admission.remember(before, after, record)
            if counts and kind in COUNTED:
                place.position = record.position
                self._count(before, record)
        self.highest_at = highest
        if after is not None:
            self._note_legs_of(after, legs)

    def _note_legs_of(self, ended: Contact, legs: Sequence[tuple[Contact | None, Happened]]) -> None:
        """The same as leg after leg. Where all are closed, nothing is left of them but that they were."""
        if ended.legs:
            for before, record in legs:
                self.place.position = record.position
                self._note_legs(ended.contact_id, before, record.event, record.about.at)
            return
        for _, record in legs:
            event = record.event
            if type(event) is LegClosed:
                kept = self.left if event.cause == SERVED_BY_SWITCH else self.closed
                kept.add(record.position, event.leg, ended.contact_id)
            elif type(event) is ContactArrived and event.found == IMPORT:
                self.brought.add(record.position, ended.contact_id, None)

    def _note_proposals(self, before: Contact | None, after: Contact) -> None:
        """They are those of the contacts that are there at the end; the join looks."""

    def _note_visit(self, before: Contact | None, after: Contact, event: Event, at: Instant) -> None:
        was, now = before.visit if before is not None else None, after.visit
        if was is not now:
            if now is None:
                self.queued.since.pop(after.contact_id, None)
            elif was is None:
                self.queued.since.setdefault(after.contact_id, self.place.position)
        elif before is not None and before.status == after.status:
            return
        self.waits.note(before, after, event, at)

    def _note_callback(self, before: Contact | None, after: Contact) -> None:
        """Who is to be called is among the contacts that are there at the end; the join looks."""

    def _remember_agent(self, customer_id: str, agent_id: str) -> None:
        self.served.add(self.place.position, customer_id, agent_id)

    def _remember_imported(self, contact_id: str) -> None:
        self.brought.add(self.place.position, contact_id, None)

    def _remember_closed(self, leg: str, contact_id: str) -> None:
        self.closed.add(self.place.position, leg, contact_id)

    def _remember_left(self, leg: str, contact_id: str) -> None:
        self.left.add(self.place.position, leg, contact_id)

    def _apply_configuration(self, kind: str, ident: str, event: Event) -> tuple[Aggregate, Aggregate]:
        found = super()._apply_configuration(kind, ident, event)
        if kind == "queue" and isinstance(queue := found[1], Queue):
            self.queue_was.note(self.place.position, ident, queue)
        return found

    def _queue_then(self, queue_id: str) -> Queue | None:
        return self.queue_was.at(self.place.position, queue_id)

    def _note_place(self, shift: Shift, at: Instant) -> None:
        """Who is free is found at the end."""

    def _place_shift_at(self, extension: str, at: Instant) -> None:
        """Whose phone it is stands in another part."""

    def _days(self, quarter: int) -> dict[str, Day] | None:
        position = self.place.position
        if (seen := self.seen.get(quarter)) is None:
            self.seen[quarter] = [position, position]
            self.quarters[quarter] = {}
            if len(self.quarters) > _QUARTERS_KEPT:
                del self.quarters[min(self.quarters, key=self._begun)]
        elif position < seen[0]:
            seen[0] = position
        elif position > seen[1]:
            seen[1] = position
        return self.quarters.get(quarter)

    def _begun(self, quarter: int) -> int:
        """Where in the log something was counted of it first."""
        return self.seen[quarter][0]


class Lasts(Generic[_V]):
    """What was told of each key last, by places in the log, in whatever order it is told: the last `most` keys."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._told: dict[str, tuple[int, _V]] = {}

    def __iter__(self) -> Iterator[tuple[int, str, _V]]:
        """Where in the log, of which key, and what; in no order."""
        return ((place, key, value) for key, (place, value) in self._told.items())

    def add(self, place: int, key: str, value: _V) -> None:
        """Take what was told of a key at this place."""
        told = self._told.get(key)
        if told is not None and told[0] > place:
            return
        self._told[key] = (place, value)
        if len(self._told) > 2 * self._most:
            # Whatever is not among the last so many by now never will be.
            kept = sorted(self._told.items(), key=_place_of)[-self._most :]
            self._told = dict(kept)


class _Was(Generic[_V]):
    """What was configured of each thing, at any place in the log; it is noted in the order of the log."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[list[int], list[_V]]] = {}

    def note(self, place: int, key: str, value: _V) -> None:
        """From this place on it is so."""
        places, known = self._known.setdefault(key, ([], []))
        places.append(place)
        known.append(value)

    def at(self, place: int, key: str) -> _V | None:
        """What it was at this place; None before it was anything."""
        if (was := self._known.get(key)) is None:
            return None
        found = bisect_right(was[0], place)
        return was[1][found - 1] if found else None


def _place_of(told: tuple[str, tuple[int, _V]]) -> int:
    return told[1][0]


class _Table(Timers):
    """Nobody asks which is due first."""

    def set(self, key: Key, due: Instant) -> None:
        self._timed.add(key[1])
        self._due[key] = due


class _Queued(Matching):
    """In which order those queued who wait; nobody is put in order."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place
        self.draws = False
        self.since: dict[str, int] = {}

    def configure_queue(self, queue: Queue) -> None:
        self.draws = self.draws or "draw" in rule_of(queue.settings.rule).looks_at

    def configure_agent(self, agent_id: str, agent: Agent | None) -> None: ...

    def place_shift(self, shift: Shift, *, phone: str = "", at: Instant | None = None) -> None: ...

    def remove_shift(self, shift_id: str) -> None: ...

    def place_contact(self, contact: Contact, *, reachable: bool) -> None: ...


class _Limits(Limits):
    """What was let in or told while there were limits, and what was configured."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place
        self.configured: list[tuple[int, str, Event]] = []
        self.taken: dict[_Bucket, list[tuple[int, Instant]]] = {}
        """The last of each: their places in the log, and when they were."""
        self.before: dict[_Bucket, tuple[int, Instant]] = {}
        """The last one of each that is not kept any more."""
        self._limited: _Was[bool] = _Was()

    def configure(self, node: str, event: Event) -> None:
        super().configure(node, event)
        self.configured.append((self._place.position, node, event))
        self._limited.note(self._place.position, node, isinstance(event, LimitConfigured))

    def take(self, what: str, node: str, at: Instant) -> None:
        place = self._place.position
        if not (self._limited.at(place, node) or self._limited.at(place, ANY_SWITCH)):
            return
        kept = self.taken.setdefault((what, node), [])
        kept.append((place, at))
        if len(kept) > 2 * TAKEN_KEPT:
            kept.sort()
            self.before[what, node] = max(kept[-TAKEN_KEPT - 1], self.before.get((what, node), kept[0]))
            del kept[:-TAKEN_KEPT]


class _Blacklist(Blacklist):
    """Who was marked, and what became of entries."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._log_place = place
        self.followed: list[tuple[int, str, Event]] = []
        self.marks: list[tuple[int, str, str, str]] = []

    def __getstate__(self) -> tuple[object, ...]:  # type: ignore[override]
        return self._log_place, self.followed, self.marks

    def __setstate__(self, kept: tuple[Place, list[tuple[int, str, Event]], list[tuple[int, str, str, str]]]) -> None:  # type: ignore[override]
        self._log_place, self.followed, self.marks = kept
        super().__setstate__(({}, {}))

    def follow(self, blacklisting_id: str, event: Event) -> None:
        self.followed.append((self._log_place.position, blacklisting_id, event))

    def mark(self, contact_id: str, number: str, actor: str) -> None:
        self.marks.append((self._log_place.position, contact_id, number, actor))


# --- together again --------------------------------------------------------------------------------------------------


def join(parts: Sequence[Part], into: World) -> None:
    """Make the empty state `into` what one fold of all these parts' records is. The first part has every shift. The
    parts must have been told their places in the log, and are used up. Raises `Unparted`.
    """
    first = parts[0]
    if first.queued.draws:
        raise Unparted("Agents are drawn: what is drawn depends on everybody who was drawn before.")
    if isinstance(into, Observed):
        _join_quarters(parts, into)
    _take_over(first, into)
    for part in parts:
        into.versions |= part.versions
        into.contact_of_leg |= part.contact_of_leg
        into.far_legs |= part.far_legs
        into.outside_legs |= part.outside_legs
        for extension, legs in part.lines.items():
            into.lines.setdefault(extension, {}).update(legs)
        for key, due in part.timers:
            into.timers.set(key, due)
    into.closed_legs = _last((part.closed for part in parts), CLOSED_LEGS_KEPT)
    into.left_legs = _last((part.left for part in parts), CLOSED_LEGS_KEPT)
    into.imported = _last((part.brought for part in parts), IMPORTED_KEPT)
    into.last_agents = _last((part.served for part in parts), LAST_AGENTS_KEPT)
    found = sorted(_contacts(parts), key=lambda contact: (contact.arrived_at, contact.contact_id))
    into.contacts = {contact.contact_id: contact for contact in found}
    into.open_offers = {each for contact in found for each in proposals(contact)}
    into.note_callbacks()
    into.waits.join([part.some_waits.told() for part in parts])
    into.admission = first.admission.with_parts(_limits(parts), _blacklist(parts))
    for part in parts:
        into.admission.count_in(part.admission.counts())
    _put_in_order(parts, into)


def _take_over(first: Part, into: World) -> None:
    """What the first part knows as well as all of them."""
    into.shifts, into.nodes, into.agents = first.shifts, first.nodes, first.agents
    into.queues, into.entries = first.queues, first.entries
    into.shift_of_agent, into.shift_at = first.shift_of_agent, first.shift_at
    into.agent_of_number = first.agent_of_number
    into.levels, into.branches, into.branch_of_prefix = first.levels, first.branches, first.branch_of_prefix
    into.reasons, into.config_version = first.reasons, first.config_version
    into.outside, into.recordings, into.conferences = first.outside, first.recordings, first.conferences
    into.desks, into.sent_away, into.counters = first.desks, first.sent_away, first.counters


def _contacts(parts: Sequence[Part]) -> Iterator[Contact]:
    for part in parts:
        yield from part.contacts.values()


def _last(parts: Iterable[Lasts[_V]], most: int) -> OrderedDict[str, _V]:
    """The last ones of all, in the order of the log."""
    placed = sorted(each for part in parts for each in part)
    found: OrderedDict[str, _V] = OrderedDict()
    for _, key, value in placed:
        found[key] = value
        found.move_to_end(key)
    while len(found) > most:
        found.popitem(last=False)
    return found


def _limits(parts: Sequence[Part]) -> Limits:
    """How near each switch is to its limit. Of what parts do not remember any more it is supposed that it left no room,
    and that it left all: where both come to the same by the last that was taken, as after any quiet moment or any rush,
    so it is. Of a bucket that is seldom taken from, each part remembers all.
    """
    before: dict[_Bucket, tuple[int, Instant]] = {}
    since: list[_Taken] = []
    for bucket in sorted({bucket for part in parts for bucket in part.limits.taken}):
        taken = sorted(each for part in parts for each in part.limits.taken.get(bucket, ()))
        # Up to where one part forgot, all do: that part has enough of what comes after.
        forgotten = max((part.limits.before[bucket] for part in parts if bucket in part.limits.before), default=None)
        if forgotten is not None:
            before[bucket] = forgotten
            taken = [each for each in taken if each > forgotten]
        since += [(place, *bucket, at) for place, at in taken]
    since.sort()
    supposed = [_taken_since(parts[0].limits, before, since, level) for level in ((0, _ROOM) if before else (0,))]
    if any(limits.standing() != supposed[0].standing() for limits in supposed):
        raise Unparted("How near a switch is to its limit hangs on calls of which parts know no more.")
    return supposed[0]


def _taken_since(
    known: _Limits, before: Mapping[_Bucket, tuple[int, Instant]], taken: Sequence[_Taken], level: int
) -> Limits:
    limits = Limits()
    for (what, node), (_, at) in before.items():
        limits.stood(what, node, level, at)
    configured = deque(known.configured)
    for place, what, node, at in taken:
        while configured and configured[0][0] < place:
            limits.configure(*configured.popleft()[1:])
        limits.take(what, node, at)
    for _, node, event in configured:
        limits.configure(node, event)
    return limits


def _blacklist(parts: Sequence[Part]) -> Blacklist:
    blacklist = Blacklist()
    followed = list(parts[0].blacklist.followed)
    for place, contact_id, number, actor in sorted(mark for part in parts for mark in part.blacklist.marks):
        while followed and followed[0][0] < place:
            blacklist.follow(*followed.pop(0)[1:])
        blacklist.mark(contact_id, number, actor)
    for _, ident, event in followed:
        blacklist.follow(ident, event)
    return blacklist


def _join_quarters(parts: Sequence[Part], into: Observed) -> None:
    """What was counted of each quarter of an hour; those that one fold would have forgotten by now are."""
    seen: dict[int, tuple[int, int]] = {}
    for part in parts:
        for quarter, (low, high) in part.seen.items():
            lowest, highest = seen.get(quarter, (low, high))
            seen[quarter] = (min(low, lowest), max(high, highest))
    for quarter, (begun, _) in sorted(seen.items(), key=lambda item: item[1][0]):
        if (forgotten := into.begin_quarter(quarter)) is not None and seen[forgotten][1] > begun:
            raise Unparted("Something was counted of a quarter of an hour that was forgotten by then.")
    for quarter, days in into.quarters.items():
        for part in parts:
            if quarter in part.seen and quarter not in part.quarters:
                raise Unparted("A part has forgotten a quarter of an hour that one fold remembers.")
            for queue_id, day in part.quarters.get(quarter, {}).items():
                days.setdefault(queue_id, Day(queue_id, "")).add(day)


def _put_in_order(parts: Sequence[Part], into: World) -> None:
    """Who is free and who waits, from what they are now."""
    into.matching = matching = Matching(into.counters)
    for queue in into.queues.values():
        matching.configure_queue(queue)
    for agent_id, agent in into.agents.items():
        matching.configure_agent(agent_id, agent)
    for shift in into.shifts.values():
        matching.place_shift(shift, phone=into.phone_state(shift.extension) if shift.status == READY else "")
    since = sorted((place, ident) for part in parts for ident, place in part.queued.since.items())
    for _, ident in since:
        if (contact := into.contacts.get(ident)) is not None:
            matching.place_contact(contact, reachable=into.in_step(contact.node))
