"""The switches as whoever runs them sees them: what each does, what it has, and since when (features 9.2 and 12.5)."""

from collections import Counter
from typing import Final

from flask_babel import lazy_gettext as _l
from msgspec import Struct

from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch.nodes import DEAD, Node
from orchestrator.domain.world import World
from orchestrator.settings import Settings

UP, COMPARED, DRAINING, DRAINED, AWAY = "up", "compared", "draining", "drained", "away"

# How a state is called, its sign and colour, and what it means for callers.
STATES: Final = {
    UP: (_l("up"), "✔", "good", _l("takes calls")),
    COMPARED: (_l("being compared"), "◔", "wait", _l("connected; its calls are served once they are known")),
    DRAINING: (_l("draining"), "▼", "wait", _l("takes no new calls, and finishes what it has")),
    DRAINED: (_l("drained"), "■", "calm", _l("has nothing left: it may be stopped")),
    AWAY: (_l("away"), "◌", "bad", _l("not heard of; its calls may live on")),
    DEAD: (_l("dead"), "✖", "bad", _l("not heard of for too long: its calls are closed, its phones gone")),
}


class Switch(Struct, frozen=True, kw_only=True):
    """One switch. `reason`: why it is drained; empty where it is not, whatever its state."""

    node: str
    state: str
    since: Instant
    reason: str
    behind: bool
    channels: int
    """Legs of contacts, and those that ring or talk for callers of other switches."""
    contacts: int
    phones: int
    rung_for_others: int
    """Phones that ring or talk over the trunk for callers of other switches."""
    trunk: str
    """Where the others bring their callers to its phones; empty where it is the only switch."""


def switches_of(world: World, settings: Settings) -> list[Switch]:
    """Every switch that was ever connected, by name."""
    contacts = Counter(contact.node for contact in world.contacts.values())
    legs: Counter[str] = Counter()
    for contact in world.contacts.values():
        legs[contact.node] += len(contact.legs)
    far = Counter(world.far_legs.values())
    trunks = {each.name: str(each.peer) for each in settings.switches if each.peer is not None}
    return [
        Switch(
            node=each.node_id,
            state=state_of(each, contacts[each.node_id] + far[each.node_id]),
            since=each.since,
            reason=each.drained,
            behind=each.behind,
            channels=legs[each.node_id] + far[each.node_id],
            contacts=contacts[each.node_id],
            phones=sum(phone.registered for phone in each.phones.values()),
            rung_for_others=far[each.node_id],
            trunk=trunks.get(each.node_id, ""),
        )
        for each in sorted(world.nodes.values(), key=lambda each: each.node_id)
    ]


def state_of(node: Node, has: int) -> str:
    """What the switch does; `has`: how much is on it still. Of one that is not there that counts, drained or not."""
    if node.status == DEAD:
        return DEAD
    if node.status != "connected":
        return AWAY
    if node.drained:
        return DRAINING if has else DRAINED
    return UP if node.in_step else COMPARED
