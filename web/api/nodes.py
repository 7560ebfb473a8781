"""The switches: what each has now, and one of them taken out of service for maintenance."""

from collections import Counter
from typing import Annotated

from msgspec import Meta, Struct

from orchestrator.runner import inputs
from web.access.visitor import me
from web.api.floor import READY_S
from web.api.forms import Done, Items, Time, Word, time_of
from web.parts import parts
from web.push.present import live


class Node(Struct, frozen=True, kw_only=True):
    """A switch. `drained`: why it takes no new calls; empty where it does. `rung_for_others`: phones of it that ring or
    talk for callers of other switches.
    """

    node: str
    state: Annotated[str, Meta(description="`in_step`, `connected`, `lost` or `dead`.")]
    since: Time
    drained: str
    behind: bool
    contacts: int
    phones: int
    rung_for_others: int


class Drain(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why; and whether also where no other switch takes calls."""

    reason: Annotated[Word, Meta(description="A code.")] = "maintenance"
    anyway: bool = False


def nodes() -> Items[Node]:
    """Every switch"""
    live().view.wait_ready(READY_S)
    with live().view.still() as world:
        contacts = Counter(contact.node for contact in world.contacts.values())
        far = Counter(world.far_legs.values())
        found = [
            Node(
                node=each.node_id,
                state="in_step" if each.in_step else each.status,
                since=time_of(each.since),
                drained=each.drained,
                behind=each.behind,
                contacts=contacts[each.node_id],
                phones=sum(phone.registered for phone in each.phones.values()),
                rung_for_others=far[each.node_id],
            )
            for each in sorted(world.nodes.values(), key=lambda each: each.node_id)
        ]
    return Items(found)


def drain(node: str, body: Drain, key: str) -> Done:
    """Let a switch finish what it has and take no new calls"""
    wish = inputs.DrainNode(node=node, reason=body.reason, anyway=body.anyway, by=me().actor, key=key)
    return Done(position=parts().do(wish))


def undrain(node: str, key: str) -> Done:
    """Let a switch take new calls again"""
    return Done(position=parts().do(inputs.UndrainNode(node=node, by=me().actor, key=key)))
