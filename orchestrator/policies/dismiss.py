"""Whenever an agent is removed from the configuration, then the shift that is still open ends."""

from collections.abc import Iterator

from orchestrator.domain.kernel import ident_of
from orchestrator.domain.staff.agents import AgentRemoved
from orchestrator.domain.staff.shifts import SignOut
from orchestrator.domain.world import World
from orchestrator.policies.base import Do, Happened, Ids, TellShift, asked_about


@asked_about(AgentRemoved)
def dismiss(world: World, happened: Happened, _ids: Ids) -> Iterator[Do]:
    """Whenever an agent is removed, then sign the agent out; during a contact, after it. Nobody else could: the
    employee number is unknown from now on.
    """
    if isinstance(happened.record.event, AgentRemoved):
        shift_id = world.shift_of_agent.get(ident_of(happened.record.stream))
        if shift_id is not None:
            yield sign_out(shift_id)


def sign_out(shift_id: str) -> TellShift:
    """What ends the shift of an agent who is not configured any more."""
    return TellShift(shift_id, SignOut(reason="removed"))
