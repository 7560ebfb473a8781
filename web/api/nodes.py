"""The switches: what each has now, and one of them taken out of service for maintenance."""

from typing import Annotated

from msgspec import Meta, Struct

from orchestrator.runner import inputs
from web.access.visitor import me
from web.api.floor import READY_S
from web.api.forms import Done, Items, Time, Word, time_of
from web.ops.nodes import switches_of
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
        return Items(
            [
                Node(
                    node=each.node,
                    state="in_step" if world.nodes[each.node].in_step else world.nodes[each.node].status,
                    since=time_of(each.since),
                    drained=each.reason,
                    behind=each.behind,
                    contacts=each.contacts,
                    phones=each.phones,
                    rung_for_others=each.rung_for_others,
                )
                for each in switches_of(world, parts().settings)
            ]
        )


def drain(node: str, body: Drain, key: str) -> Done:
    """Let a switch finish what it has and take no new calls"""
    wish = inputs.DrainNode(node=node, reason=body.reason, anyway=body.anyway, by=me().actor, key=key)
    return Done(position=parts().do(wish))


def undrain(node: str, key: str) -> Done:
    """Let a switch take new calls again"""
    return Done(position=parts().do(inputs.UndrainNode(node=node, by=me().actor, key=key)))
