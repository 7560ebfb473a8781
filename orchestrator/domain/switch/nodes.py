"""A switch as the ledger knows it: connected, lost, restarted, repaired; and which phones are registered there.

Stream `node-<id>`. Written by the runner only; read by ops.

   lost ──NodeConnected──▶ connected ──NodeReconciled──▶ connected and in step ──NodeLost──▶ lost ──NodeDied──▶ dead
                                                                      dead ──NodeConnected──▶ connected

Only the contacts of a node that is in step are offered to agents: before that we do not know who still waits there.
What it said of phones counts for as long: of a node that is lost nobody knows which phones it can reach. One that is
dead reaches none. A drained node finishes what it has and takes no new call, until it is undrained; that holds whatever
becomes of it meanwhile.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Event, Instant

# --- events ----------------------------------------------------------------------------------------------------


class NodeConnected(Event, frozen=True, kw_only=True):
    """The event socket delivers. `core` is the switch's run id: a new one means that it was restarted."""

    core: str
    restarted: bool = False


class NodeLost(Event, frozen=True, kw_only=True):
    """The event socket is gone; calls may live on."""

    why: str
    dead_at: Instant = Instant(0)
    """When it counts as dead, unless it is connected by then; 0: never."""


class NodeDied(Event, frozen=True, kw_only=True):
    """Nothing was heard of the switch for so long that it counts as dead: its contacts end, its phones are gone."""

    silent_ms: int


class NodeDrained(Event, frozen=True, kw_only=True):
    """Somebody wants the switch to take no new calls, `reason` says why; what it has goes on."""

    reason: str


class NodeUndrained(Event, frozen=True, kw_only=True):
    """The switch takes new calls again."""


class NodeReconciled(Event, frozen=True, kw_only=True):
    """After a connect, ledger and switch were compared: contacts of this node are served (again)."""


class NodeRepaired(Event, frozen=True, kw_only=True):
    """Ledger and switch disagreed after a snapshot, and what was done about it (law 5)."""

    why: str
    adopted: int = 0
    """Callers that the switch had and we did not know."""
    doubted: int = 0
    """Legs that we believe in and the switch did not list; each is asked after before it is closed."""
    corrected: int = 0
    """Legs whose state was moved on to what the switch said."""
    strays: int = 0
    """Agents' legs without a contact, hung up."""


class SnapshotFailed(Event, frozen=True, kw_only=True):
    """Asked `failures` times in a row, the switch did not say in a readable way which channels it has. Nobody knows
    what it has, and where it has just been connected its contacts are not served, until a snapshot succeeds.
    """

    failures: int


class NodeOverloaded(Event, frozen=True, kw_only=True):
    """The switch owed us the answer to a command for `behind_ms`. Where it has no limit of its own, callers who arrive
    now are turned away (`overloaded`) until it has caught up.
    """

    behind_ms: int


class NodeRelieved(Event, frozen=True, kw_only=True):
    """The switch does at once what it is told: callers are let in again."""


class StrayLegFound(Event, frozen=True, kw_only=True):
    """A leg of ours lives without a contact that wants it; it is hung up on sight."""

    leg: str
    contact_id: str
    offer_id: str


class StrayLegClosed(Event, frozen=True, kw_only=True):
    """The stray leg is gone."""

    leg: str
    cause: str


class UnknownTalkFound(Event, frozen=True, kw_only=True):
    """A phone of ours talks with a caller of whom the log knows nothing, as where what tells of them was lost. They go
    on, and nobody else is offered to that phone until its leg is gone.
    """

    leg: str
    extension: str
    """Whose phone it is; empty where the switch does not say."""
    contact_id: str = ""
    """What they were to the engine that joined them."""


class UnknownTalkEnded(Event, frozen=True, kw_only=True):
    """That phone's leg is gone."""

    leg: str


class PhoneCodeDialled(Event, frozen=True, kw_only=True):
    """A phone dialled a code of ours, and not a number: `wish` is `park` or `retrieve`. The leg with which it did so is
    a stray one. `refused` is why nothing came of it, empty where it was done.
    """

    leg: str
    wish: str
    place: int
    """Which place was dialled, 0 for none."""
    agent_id: str = ""
    """Whose phone it is; empty where nobody is signed in there."""
    refused: str = ""


class PhoneRegistered(Event, frozen=True, kw_only=True):
    """The switch can reach this phone, and could not before. A registration that is only refreshed is no event."""

    extension: str


class PhoneUnregistered(Event, frozen=True, kw_only=True):
    """The switch cannot reach this phone any more: it said goodbye (`unregistered`) or fell silent (`expired`)."""

    extension: str
    why: str = "unregistered"


class PhonesCompared(Event, frozen=True, kw_only=True):
    """The switch listed its accounts after a connect or a doubt, and knew other phones than the ledger did."""

    registered: tuple[str, ...] = ()
    unregistered: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    """Those that are not among its accounts (any more): of them nothing is known."""


class StrayLegOverdue(Event, frozen=True, kw_only=True):
    """Stray legs that should be gone by now are asked after (law 9). Asked again at `again_at`."""

    legs: tuple[str, ...]
    """None where each hears something to its end, and has time for it until then."""
    again_at: Instant


# --- state -----------------------------------------------------------------------------------------------------


# The status of a switch of which nothing was heard for too long.
DEAD = "dead"

# What can be told of a phone.
REGISTERED, GONE, UNKNOWN = "registered", "gone", "unknown"


class Registration(Struct, frozen=True):
    """What a switch said last of one phone, and since when that is so."""

    registered: bool
    since: Instant


class Node(Struct, frozen=True, kw_only=True):
    """A switch as it stands after a number of events."""

    node_id: str
    status: str = "lost"
    core: str = ""
    since: Instant = Instant(0)
    in_step: bool = False
    """Whether ledger and switch have been compared since the last connect."""
    behind: bool = False
    """Whether it does late what it is told."""
    strays: tuple[str, ...] = ()
    talks: dict[str, str] = {}
    """Legs of phones that talk with callers of whom the log knows nothing, each with its extension."""
    reminders: int = 0
    """How often the switch was asked in vain after the strays."""
    phones: dict[str, Registration] = {}
    """What it said of phones, by extension. One that it never said anything of is not in it."""
    drained: str = ""
    """Why it takes no new calls; empty where it does."""
    marked: bool = False
    """Whether this run of the switch was once told whether it is drained, and may remember it wrongly."""


def evolve(node: Node | None, event: Event, at: Instant, node_id: str) -> Node:
    """The node after one more event. Never raises; an event that it does not know changes nothing."""
    node = node or Node(node_id=node_id)
    match event:
        case NodeConnected():
            strays, marked = ((), False) if event.restarted else (node.strays, node.marked)
            talks = {} if event.restarted else node.talks
            return replace(
                node,
                status="connected",
                in_step=False,
                core=event.core,
                since=at,
                strays=strays,
                talks=talks,
                behind=False,
                marked=marked,
            )
        case NodeReconciled():
            return replace(node, in_step=True)
        case NodeLost():
            return replace(node, status="lost", in_step=False, since=at, behind=False)
        case NodeDied():
            return replace(node, status=DEAD, since=at, talks={})
        case NodeDrained():
            return replace(node, drained=event.reason, marked=True)
        case NodeUndrained():
            return replace(node, drained="", marked=True)
        case NodeOverloaded():
            return replace(node, behind=True)
        case NodeRelieved():
            return replace(node, behind=False)
        case StrayLegFound():
            return replace(node, strays=(*node.strays, event.leg))
        case UnknownTalkFound():
            return replace(node, talks=node.talks | {event.leg: event.extension})
        case UnknownTalkEnded():
            return replace(node, talks={leg: phone for leg, phone in node.talks.items() if leg != event.leg})
        case StrayLegOverdue():
            return replace(node, reminders=node.reminders + bool(event.legs))
        case StrayLegClosed():
            return replace(node, strays=tuple(leg for leg in node.strays if leg != event.leg), reminders=0)
        case PhoneRegistered():
            return replace(node, phones=node.phones | _since(at, (event.extension,), registered=True))
        case PhoneUnregistered():
            return replace(node, phones=node.phones | _since(at, (event.extension,), registered=False))
        case PhonesCompared():
            there, gone = (
                _since(at, event.registered, registered=True),
                _since(at, event.unregistered, registered=False),
            )
            kept = {phone: known for phone, known in node.phones.items() if phone not in event.forgotten}
            return replace(node, phones=kept | there | gone)
    return node


def _since(at: Instant, extensions: Iterable[str], *, registered: bool) -> dict[str, Registration]:
    return {extension: Registration(registered, at) for extension in extensions}


# --- asking ----------------------------------------------------------------------------------------------------


def compare(node: Node, listed: dict[str, bool], *, entering: bool) -> tuple[Event, ...]:
    """What is new in the switch's own list of its accounts. Only one made after a connect (`entering`) says that
    nothing is known any more of phones that it lacks: what came as news since then need not be in a list.
    """
    known = {extension: phone.registered for extension, phone in node.phones.items()}
    new = sorted(extension for extension, registered in listed.items() if known.get(extension) is not registered)
    compared = PhonesCompared(
        registered=tuple(extension for extension in new if listed[extension]),
        unregistered=tuple(extension for extension in new if not listed[extension]),
        forgotten=tuple(sorted(known.keys() - listed.keys())) if entering else (),
    )
    return (compared,) if compared != PhonesCompared() else ()


def phones_moved(before: Node | None, after: Node) -> tuple[str, ...]:
    """The phones of which something else may be known now."""
    return (*_registrations_moved(before, after), *_talks_moved(before, after))


def _talks_moved(before: Node | None, after: Node) -> set[str]:
    was = before.talks if before is not None else {}
    return set() if was is after.talks else {*was.values()} ^ {*after.talks.values()}


def _registrations_moved(before: Node | None, after: Node) -> tuple[str, ...]:
    was, now = (node.phones if node is not None else {} for node in (before, after))
    spoke = (before.in_step, before.status == DEAD) if before is not None else (False, False)
    if (after.in_step, after.status == DEAD) == spoke:
        if was is now or not after.in_step:
            return ()
        return tuple(phone for phone in {**was, **now} if was.get(phone) != now.get(phone))
    return tuple({**was, **now})


def registration(known: Iterable[Node], extension: str) -> Registration | None:
    """What is known of a phone now, by the switches that are in step: one that can reach it is enough. A dead one can
    reach none. None where none of them has said anything: unknown is not gone.
    """
    best: Registration | None = None
    for node in known:
        phone = node.phones.get(extension)
        if phone is None or not (node.in_step or node.status == DEAD):
            continue
        if not node.in_step:
            phone = Registration(registered=False, since=node.since)
        if best is None or (phone.registered, phone.since) > (best.registered, best.since):
            best = phone
    return best
