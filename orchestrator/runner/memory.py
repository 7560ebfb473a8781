"""What the runner remembers beside the log: nothing that a decision about a contact rests on for longer than a
snapshot. It is made by inputs only, so a re-drive makes it again.
"""

from collections import OrderedDict
from collections.abc import Container, Iterable
from typing import TypeVar

from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.switch.instructions import BridgeLegs, ConferLeg, EavesdropLeg, Instruction, ParkLeg

# A snapshot is seconds old at most, and news of one leg comes within seconds; at 60 calls/s this is
# over a minute.
_KEPT = 10_000
# So long (by a switch's clock) what it took at least from its word to our ear is remembered: longer than any halt of
# ours that a lease survives, so that what came late is not taken for the way its clock goes.
_HEARD_WITHIN = 300 * SECOND

_What = TypeVar("_What")


class Memory:
    """Which nodes still owe their first snapshot since the start, whose heartbeat disagreed last time, how long news of
    each is under way, which legs that nobody knew are gone already, which of ours the switch has made, of which a hold
    or a park is in doubt, which of nobody's hear something to its end, whom a switch was told to join that has not
    listed its channels yet, and when something was last heard of each desk.
    """

    def __init__(self) -> None:
        self._seen: set[str] | None = None
        self._disagreeing: set[str] = set()
        self._audited: dict[str, Instant] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._made: OrderedDict[str, None] = OrderedDict()
        self._held_afar: OrderedDict[str, bool] = OrderedDict()
        self._doubted: OrderedDict[str, str] = OrderedDict()
        self._parking: OrderedDict[str, Instant] = OrderedDict()
        self._spoken: OrderedDict[str, Instant] = OrderedDict()
        self._lags: dict[str, tuple[int, int, int]] = {}
        """Of each node: a stretch of its time, and the least lag in the one before and in this."""
        self._placed: dict[str, OrderedDict[str, str]] = {}
        """Of each node that owes its list since the link came up: who, or which room, each leg was told to hear."""
        self._desks: dict[str, Instant] = {}
        self._listening_since = Instant(0)
        self.desks_due: Instant | None = None
        """When to ask next of which desks nothing was heard, None where no desk is there."""

    def started(self) -> None:
        """A new active orchestrator: every node's first snapshot is special."""
        self._seen = set()
        self._placed = {}

    def first_snapshot(self, node: str) -> bool:
        """Whether this is the node's first snapshot since the start; asking makes it the first no longer."""
        if self._seen is None or node in self._seen:
            return False
        self._seen.add(node)
        return True

    def disagreed(self, node: str, *, now: bool) -> bool:
        """Whether the node's heartbeat disagrees now and did so the last time; a second time starts the count anew."""
        before = node in self._disagreeing
        if now and not before:
            self._disagreeing.add(node)
        else:
            self._disagreeing.discard(node)
        return now and before

    def audit_due(self, node: str, now: Instant, every: int, offset: int) -> bool:
        """Whether a look at this node is due, which then counts as taken: once in each `every` (µs), which begins by
        `offset` later than another node's. The first time nothing is, for a look has just been taken.
        """
        before = self._audited.get(node)
        due = before is not None and (before - offset) // every < (now - offset) // every
        if before is None or due:
            self._audited[node] = now
        return due

    def hear(self, node: str, at: Instant, now: Instant) -> None:
        """News of this node came, which it told at `at` by its own clock."""
        stretch, lag = at // _HEARD_WITHIN, now - at
        latest, before, lately = self._lags.get(node, (stretch, lag, lag))
        match stretch - latest:
            case 0:
                self._lags[node] = (latest, before, min(lag, lately))
            case 1:
                self._lags[node] = (stretch, lately, lag)
            case -1:
                self._lags[node] = (latest, min(lag, before), lately)
            case _:  # its clock was put forward or back
                self._lags[node] = (stretch, lag, lag)

    def late_by(self, node: str, at: Instant, now: Instant) -> int:
        """How much longer (µs) this news was under way than others of its node, whatever the node's clock says; by our
        own clock where nothing was heard of it yet.
        """
        known = self._lags.get(node)
        return now - at - (min(known[1], known[2]) if known is not None else 0)

    def ours(self, node: str, at: Instant, now: Instant) -> Instant:
        """When by our time that was which this node's clock calls `at`; never later than now."""
        known = self._lags.get(node)
        return Instant(min(now, at + (min(known[1], known[2]) if known is not None else 0)))

    def bury(self, leg: str) -> None:
        """A leg that nobody knew is gone: older news of it that comes later makes no contact."""
        _keep(self._gone, leg, None)

    def is_buried(self, leg: str) -> bool:
        """Whether this leg was unknown when its end was told."""
        return leg in self._gone

    def see_desk(self, shift_id: str, now: Instant, lease: int) -> None:
        """Something was heard of the desk of this shift."""
        self._desks[shift_id] = now
        if self.desks_due is None:
            self.desks_due = Instant(now + lease)

    def await_desks(self, now: Instant, lease: int) -> None:
        """Nothing could be heard before now: every desk has the whole lease to be heard of."""
        self._listening_since = now
        if self.desks_due is None:
            self.desks_due = Instant(now + lease)

    def desk_heard(self, shift_id: str) -> Instant:
        """When something was last heard of the desk of this shift, or could have been."""
        return max(self._desks.get(shift_id, Instant(0)), self._listening_since)

    def forget_desks(self, but: Container[str]) -> None:
        """Only these shifts are live still."""
        self._desks = {shift_id: heard for shift_id, heard in self._desks.items() if shift_id in but}

    def note_made(self, leg: str) -> None:
        """The switch has made this leg."""
        _keep(self._made, leg, None)

    def note_held_afar(self, leg: str, *, on: bool) -> None:
        """The switch of the phone says whether it holds this leg of ours, which it has the far half of."""
        _keep(self._held_afar, leg, on)

    def held_afar(self, leg: str) -> bool | None:
        """What the switch of the phone said last of a hold; None where it has said nothing."""
        return self._held_afar.get(leg)

    def doubt_hold(self, leg: str, cause: str) -> None:
        """The switch was told to hold this leg, or to end that, and nobody knows whether it did: a look will tell."""
        _keep(self._doubted, leg, cause)

    def hold_looked_at(self, leg: str) -> str:
        """The switch was looked at: why there was doubt about a wish for a hold of this leg, empty where none was."""
        return self._doubted.pop(leg, "")

    def doubt_park(self, leg: str, now: Instant) -> None:
        """This leg was told to park, lives, and has not said that it is parked: a look will tell."""
        _keep(self._parking, leg, now)

    def park_doubted_at(self, leg: str) -> Instant | None:
        """Since when a look at this leg, which is to park, is awaited; None where none is."""
        return self._parking.get(leg)

    def end_park_doubt(self, leg: str) -> bool:
        """It was looked at, or is told to park without one; whether it was in doubt."""
        return self._parking.pop(leg, None) is not None

    def note_spoken(self, leg: str, until: Instant) -> None:
        """This leg, which belongs to no contact, hears something to its end, and may do so until then."""
        _keep(self._spoken, leg, until)

    def spoken_until(self, leg: str) -> Instant:
        """Until when this leg may hear what it is told; 0: it is told nothing."""
        return self._spoken.get(leg, Instant(0))

    def link_up(self, node: str) -> None:
        """This node is told over a new link from now on, and owes a list of its channels."""
        self._placed[node] = OrderedDict()

    def listed(self, node: str) -> None:
        """This node has listed its channels."""
        self._placed.pop(node, None)

    def note_told(self, instructions: Iterable[Instruction]) -> None:
        """These are told; of nodes that owe their list it is remembered who is to hear whom."""
        if not self._placed:
            return
        for told in instructions:
            placed = self._placed.get(told.node)
            if placed is None:
                continue
            match told:
                case BridgeLegs(leg=leg, other=other):
                    _keep(placed, leg, other)
                    _keep(placed, other, leg)
                case EavesdropLeg(leg=leg, other=other):
                    _keep(placed, leg, other)
                case ConferLeg(leg=leg, room=room):
                    _keep(placed, leg, room)
                case ParkLeg(leg=leg):
                    _keep(placed, leg, "")

    def is_told(self, node: str, leg: str, heard: str) -> bool:
        """Whether the node was told over the link that owes its list still, and nothing else after it, that this leg is
        to hear this other leg or room. One link tells all in its order.
        """
        return (placed := self._placed.get(node)) is not None and placed.get(leg) == heard

    def is_made(self, leg: str) -> bool:
        """Whether the switch was heard to make this leg."""
        return leg in self._made


def _keep(legs: OrderedDict[str, _What], leg: str, what: _What) -> None:
    legs[leg] = what
    if len(legs) > _KEPT:
        legs.popitem(last=False)
