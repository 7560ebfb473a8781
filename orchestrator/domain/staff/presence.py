"""Whether a desk (an agent's page in a browser) is attached to a shift. Part of the stream `shift-<id>`.

                      DeskAttached
     no desk yet ─────────────────▶ attached ◀──────────────┐
                                     │    ▲                 │ DeskAttached, DeskReturned
                              DeskLost    │ DeskReturned,   │
                                     ▼    │ DeskAttached    │
                                     lost ───────────────▶ absent
                                           DeskGraceEnded
   DeskTakenOver leads from each of them to attached, with another desk.

While a desk is lost nothing changes for its agent: a phone that rings goes on ringing. Once it is absent, nothing more
is offered; a conversation goes on, and after it the wrap-up ends by its own time. A shift that never had a desk (a
phone and the command line, a robot) is as it was before there were desks.
"""

from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import SECOND, Event, Instant, Refused

# --- events ----------------------------------------------------------------------------------------------------


class DeskAttached(Event, frozen=True, kw_only=True):
    """The agent works at this desk from now on."""

    desk_id: str


class DeskLost(Event, frozen=True, kw_only=True):
    """The desk's connection is gone. Until `until` nothing changes. `cause`: closed (its connection ended), silent
    (whoever kept the connection has said nothing of it for too long).
    """

    desk_id: str
    until: Instant
    cause: str


class DeskGraceExtended(Event, frozen=True, kw_only=True):
    """We were away when the grace ended and could not have heard of a desk that came back: until `until` now."""

    desk_id: str
    until: Instant


class DeskReturned(Event, frozen=True, kw_only=True):
    """The desk that was lost is connected again."""

    desk_id: str


class DeskGraceEnded(Event, frozen=True, kw_only=True):
    """The desk has not come back in time: nothing is offered until it does."""

    desk_id: str


class DeskTakenOver(Event, frozen=True, kw_only=True):
    """The agent works at another desk from now on; `earlier` has to step back."""

    desk_id: str
    earlier: str


# --- state -----------------------------------------------------------------------------------------------------


class Desk(Struct, frozen=True, kw_only=True):
    """The desk of a shift. `state`: attached, lost, absent."""

    desk_id: str
    state: str
    since: Instant
    """Since when it is attached, lost or absent."""
    until: Instant = Instant(0)
    """Of a lost one: until when it may come back without anything having changed."""


def evolve(desk: Desk | None, event: Event, at: Instant) -> Desk | None:
    """The desk after one more event of the shift. Never raises."""
    match event:
        case DeskAttached() | DeskTakenOver() | DeskReturned():
            return Desk(desk_id=event.desk_id, state="attached", since=at)
        case DeskLost():
            return Desk(desk_id=event.desk_id, state="lost", since=at, until=event.until)
        case DeskGraceExtended() if desk is not None:
            return replace(desk, until=event.until)
        case DeskGraceEnded() if desk is not None:
            return replace(desk, state="absent", since=at, until=Instant(0))
    return desk


def absent(desk: Desk | None) -> bool:
    """Whether the agent had a desk and is without it for longer than the grace."""
    return desk is not None and desk.state == "absent"


# --- commands --------------------------------------------------------------------------------------------------


class SeeDesk(Struct, frozen=True, kw_only=True):
    """This desk is connected. `by`: `opened` (it asks to be the agent's desk), `taken_over` (it asks to be that whoever
    else is), `beat` (it is connected still: news only where the shift does not know, none while another desk may come
    back).
    """

    desk_id: str
    by: str


class LoseDesk(Struct, frozen=True, kw_only=True):
    """This desk is connected no longer."""

    desk_id: str
    until: Instant
    cause: str


class EndGrace(Struct, frozen=True, kw_only=True):
    """The time in which a lost desk may come back is over. `again_at`: until when it gets more, where we were away."""

    again_at: Instant | None = None


Command = SeeDesk | LoseDesk | EndGrace


def decide(desk: Desk | None, command: Command) -> tuple[Event, ...]:
    """The events that follow for the desk, `()` where nothing does.

    Raises `Refused` (desk_elsewhere) where a desk is opened while the agent works at another one.
    """
    match command:
        case SeeDesk():
            return _seen(desk, command)
        case LoseDesk() if desk is not None and desk.state == "attached" and desk.desk_id == command.desk_id:
            return (DeskLost(desk_id=desk.desk_id, until=command.until, cause=command.cause),)
        case EndGrace() if desk is not None and desk.state == "lost":
            if command.again_at is not None:
                return (DeskGraceExtended(desk_id=desk.desk_id, until=command.again_at),)
            return (DeskGraceEnded(desk_id=desk.desk_id),)
    return ()


def _seen(desk: Desk | None, command: SeeDesk) -> tuple[Event, ...]:
    if desk is None:
        return (DeskAttached(desk_id=command.desk_id),)
    if desk.desk_id == command.desk_id:
        return () if desk.state == "attached" else (DeskReturned(desk_id=command.desk_id),)
    if command.by == "taken_over":
        return (DeskTakenOver(desk_id=command.desk_id, earlier=desk.desk_id),)
    if command.by == "beat" and desk.state != "absent":
        return ()  # it was told so when it was opened, or when the other one took over
    if desk.state == "attached":
        raise Refused("desk_elsewhere", elsewhere(desk))
    return (DeskAttached(desk_id=command.desk_id),)


def elsewhere(desk: Desk) -> str:
    """What a second desk is told of the first."""
    since = datetime.fromtimestamp(desk.since // SECOND, UTC)
    return (
        f"You work at another desk ({desk.desk_id[:8]}) since {since:%Y-%m-%d %H:%M:%S} UTC; take over here, or go on "
        "there."
    )
