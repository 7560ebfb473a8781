"""What changed from one state to another, in words: queues, agents, contacts."""

from collections.abc import Iterator, Mapping
from typing import Final

from flask_babel import gettext

from orchestrator.domain.contacts.outward import IN_TURN
from orchestrator.domain.world import World
from web.desk.picture import state_of
from web.desk.shown import SIGNS
from web.words import Names, code, reason

# As many lines as can be taken in at a glance; of the others the number is told.
MOST: Final = 12


def changes(before: World, after: World, names: Names) -> list[str]:
    """The lines, at most `MOST` and one that says how many more there are."""
    found = [*_queues(before, after, names), *_agents(before, after, names), *_contacts(before, after)]
    if len(found) <= MOST:
        return found
    return [*found[:MOST], gettext("… and %(count)s more", count=len(found) - MOST)]


def _queues(before: World, after: World, names: Names) -> Iterator[str]:
    was, now = _waiting(before), _waiting(after)
    for queue_id in sorted(was.keys() | now.keys()):
        if was.get(queue_id, 0) != now.get(queue_id, 0):
            yield gettext(
                "%(queue)s: waiting %(was)s → %(now)s",
                queue=names.queue(queue_id),
                was=was.get(queue_id, 0),
                now=now.get(queue_id, 0),
            )
    if before.config_version != after.config_version:
        yield gettext("Configuration: version %(was)s → %(now)s", was=before.config_version, now=after.config_version)


def _agents(before: World, after: World, names: Names) -> Iterator[str]:
    for agent_id in sorted(before.agents.keys() | after.agents.keys()):
        was, now = _state(before, agent_id), _state(after, agent_id)
        if was != now:
            yield f"{names.agent(agent_id)}: {was} → {now}"


def _contacts(before: World, after: World) -> Iterator[str]:
    for contact_id in [*before.contacts, *(each for each in after.contacts if each not in before.contacts)]:
        was, now = before.contacts.get(contact_id), after.contacts.get(contact_id)
        if was is None and now is not None and now.dial is not None:
            yield gettext("%(contact)s: dialled by an agent, %(now)s", contact=contact_id[:8], now=code(now.status))
        elif was is None and now is not None:
            yield gettext("%(contact)s: came, %(now)s", contact=contact_id[:8], now=code(now.status))
        elif was is not None and now is None:
            yield gettext("%(contact)s: %(was)s → ended", contact=contact_id[:8], was=code(was.status))
        elif was is not None and now is not None and was.status != now.status:
            yield f"{contact_id[:8]}: {code(was.status)} → {code(now.status)}"


def _waiting(world: World) -> Mapping[str, int]:
    counted: dict[str, int] = {}
    for contact in world.contacts.values():
        if contact.status in IN_TURN:
            counted[contact.queue_id] = counted.get(contact.queue_id, 0) + 1
    return counted


def _state(world: World, agent_id: str) -> str:
    shift = world.shifts.get(world.shift_of_agent.get(agent_id, ""))
    state = state_of(world, shift)
    words = str(SIGNS[state].words) if state in SIGNS else code(state)
    return f"{words} ({reason(shift.reason)})" if shift is not None and shift.status == "paused" else words
