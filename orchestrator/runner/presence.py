"""Which desks are there: what the web process tells of them, and what follows from its silence.

What a person may notice is an event of the shift. That a desk is connected still is none: a beat only moves what is
remembered here, from inputs alone, so a re-drive from the tape remembers the same. `LEASE` after the last that was
heard of it a desk counts as lost, whether its network, its browser or the whole web process is gone.
"""

from collections.abc import Iterator

from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant, Refused
from orchestrator.domain.staff.presence import EndGrace, LoseDesk, SeeDesk
from orchestrator.domain.staff.shifts import Shift
from orchestrator.domain.world import World
from orchestrator.policies.base import TellShift
from orchestrator.runner import inputs
from orchestrator.runner.memory import Memory

# Three beats of `inputs.DESK_BEAT_S` may be lost, or late on a busy machine.
LEASE = 10 * SECOND
DEFAULT_GRACE_MS = 15_000
DESK_ID_LENGTH = 64


def on_presence(world: World, memory: Memory, command: inputs.Presence, now: Instant) -> Iterator[TellShift]:
    """What follows from news of desks. Raises `Refused`: bad_desk, unknown_agent, desk_elsewhere."""
    if isinstance(command, inputs.DeskBeat):
        yield from _beat(world, memory, command, now)
        return
    desk_id = clean_desk(command.desk)
    shift = world.shifts.get(world.shift_of_agent.get(_agent_id(world, command.agent), ""))
    if shift is None:
        return  # the desk is there before its agent has signed in; the sign-in brings it
    if isinstance(command, inputs.DeskGone):
        until = Instant(now + grace_ms(world, shift) * MILLISECOND)
        yield TellShift(shift.shift_id, LoseDesk(desk_id=desk_id, until=until, cause="closed"))
        return
    by = "taken_over" if isinstance(command, inputs.TakeOver) else "opened"
    yield TellShift(shift.shift_id, SeeDesk(desk_id=desk_id, by=by))
    memory.see_desk(shift.shift_id, now, LEASE)


def _beat(world: World, memory: Memory, command: inputs.DeskBeat, now: Instant) -> Iterator[TellShift]:
    for desk_id in command.desks.values():
        clean_desk(desk_id)
    for number, desk_id in command.desks.items():
        shift = world.shifts.get(world.shift_of_agent.get(world.agent_of_number.get(number, ""), ""))
        if shift is None or (shift.desk is not None and shift.desk.desk_id != desk_id and shift.desk.state != "absent"):
            continue
        if shift.desk is None or shift.desk.state != "attached":
            yield TellShift(shift.shift_id, SeeDesk(desk_id=desk_id, by="beat"))
        memory.see_desk(shift.shift_id, now, LEASE)


def on_start(world: World, memory: Memory, now: Instant) -> None:
    """A new active orchestrator: what is heard of the desks is told to it from now on."""
    if any(shift.desk is not None and shift.desk.state == "attached" for shift in world.shifts.values()):
        memory.await_desks(now, LEASE)


def on_silence(world: World, memory: Memory, now: Instant, *, late: bool) -> Iterator[TellShift]:
    """The time has come to ask of which desks nothing was heard. `late`: we were away and could not hear."""
    memory.forget_desks(world.shifts)
    if late:
        memory.await_desks(now, LEASE)
    attached = [shift for shift in world.shifts.values() if shift.desk is not None and shift.desk.state == "attached"]
    heard = {shift.shift_id: memory.desk_heard(shift.shift_id) for shift in attached}
    silent = [shift for shift in attached if heard[shift.shift_id] + LEASE <= now]
    left = [heard[shift.shift_id] for shift in attached if heard[shift.shift_id] + LEASE > now]
    memory.desks_due = Instant(min(left) + LEASE) if left else None
    for shift in silent:
        if shift.desk is not None:
            until = Instant(now + grace_ms(world, shift) * MILLISECOND)
            yield TellShift(shift.shift_id, LoseDesk(desk_id=shift.desk.desk_id, until=until, cause="silent"))


def end_grace(shift_id: str, now: Instant, *, late: bool) -> TellShift:
    """A lost desk has not come back in time. Where we were away we could not have heard, so it gets as long again as a
    desk that is there needs to be heard.
    """
    return TellShift(shift_id, EndGrace(again_at=Instant(now + LEASE) if late else None))


def grace_ms(world: World, shift: Shift) -> int:
    """How long this agent's desk may be gone: the shortest that any of the agent's queues allows."""
    agent = world.agents.get(shift.agent_id)
    skills = agent.skills if agent is not None else {}
    return min(
        (
            queue.settings.desk_grace_ms
            for queue in world.queues.values()
            if queue.open and skills.get(queue.settings.skill, 0) >= max(queue.settings.min_level, 1)
        ),
        default=DEFAULT_GRACE_MS,
    )


def clean_desk(desk_id: str) -> str:
    """The id, where it is one. Raises `Refused` (bad_desk)."""
    plain = desk_id.replace("-", "").replace("_", "")
    if not plain.isascii() or not plain.isalnum() or len(desk_id) > DESK_ID_LENGTH:
        raise Refused("bad_desk", f"The id of a desk is up to {DESK_ID_LENGTH} letters a-z, digits, - and _.")
    return desk_id


def _agent_id(world: World, number: str) -> str:
    agent_id = world.agent_of_number.get(number)
    if agent_id is None:
        raise Refused("unknown_agent", "No agent has this employee number; see `ringledger agents`.")
    return agent_id
