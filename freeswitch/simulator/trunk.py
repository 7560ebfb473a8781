"""The trunk between simulated switches: what SIP would carry, as small messages, and the two ends that speak them.

The caller's switch sends `invite`; the phone's answers `ring` and `answer`; each may say `end`. A message names the
call by the agent's leg on the caller's switch. Who takes messages to whom is the server's business (peering.py); a
model in a test hands them over itself.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from freeswitch.simulator import causes
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.timeline import MILLISECOND

if TYPE_CHECKING:
    from freeswitch.simulator.core import Switch

Message: TypeAlias = dict[str, Any]

CONTEXT: Final = "ringledger-nodes"
PROFILE: Final = "nodes"


@dataclass(slots=True)
class Trunk:
    """All calls of one switch that come from, or go to, another one."""

    outbox: list[tuple[str, Message]] = field(default_factory=list)
    """Messages on their way, each with the switch that it is for."""
    near: dict[str, Channel] = field(default_factory=dict)
    """Legs that lead to another switch, by their names."""
    far: dict[str, Channel] = field(default_factory=dict)
    """Legs that came from another switch, by the name that they have there."""

    def say(self, peer: str, call: str, does: str, **more: object) -> None:
        """Send a message about this call."""
        self.outbox.append((peer, {"call": call, "does": does, **more}))


class Near:
    """The other switch, as the caller's one sees it: where a phone would be."""

    def __init__(self, switch: "Switch", peer: str, dialled: str) -> None:
        self._switch = switch
        self._peer = peer
        self._dialled = dialled
        self._over = False

    def invited(self, leg: Channel) -> None:
        trunk = self._switch.trunk
        trunk.near[leg.uuid] = leg
        number, name = leg.caller("Caller-ID-Number"), leg.caller("Caller-ID-Name")
        trunk.say(self._peer, leg.uuid, "invite", dialled=self._dialled, number=number, name=name)

    def heard(self, leg: Channel, message: Message) -> None:
        """What the other switch says of this call."""
        match message["does"]:
            case "ring":
                self._switch.ring(leg)
            case "answer":
                self._switch.answer(leg)
                leg.wake()
            case "end":
                self._over = True
                if leg.answered:
                    self._hears_bye(leg, str(message["cause"]))
                else:
                    self._switch.hangup(leg, str(message["cause"]), sip=int(message.get("sip", 0)), by="recv_refuse")

    def _hears_bye(self, leg: Channel, cause: str) -> None:
        """A cause that Q.850 has is told as such; one of the switch's own is a word in its Reason alone."""
        number = causes.Q850.get(cause)
        if number is None:
            leg.set("sip_reason", f'SIP;cause={causes.OWN[cause]};text="{cause}"')
            cause = "NORMAL_CLEARING"
        else:
            leg.set("sip_reason", f'Q.850;cause={number};text="{cause}"')
        self._switch.hangup(leg, cause, by="recv_bye")

    def ended(self, leg: Channel) -> None:
        self._switch.trunk.near.pop(leg.uuid, None)
        if not self._over:
            self._switch.trunk.say(self._peer, leg.uuid, "end", cause=leg.cause)

    def parked(self, leg: Channel) -> None:
        """It waits on this side; the phone hears nothing of that."""

    def answered(self, leg: Channel) -> None:
        """It said so itself."""

    def bridged(self, leg: Channel) -> None:
        """On this side."""

    def held(self, leg: Channel) -> None:
        """Its caller is on hold: this side's doing."""

    def asked_to_talk(self, leg: Channel) -> None:
        """A NOTIFY ends at the other switch."""

    def heard_ringing(self, leg: Channel) -> None:
        """Nobody rings for it."""


class Far:
    """The caller's switch, as that of the phone sees it: where a caller would be."""

    def __init__(self, switch: "Switch", peer: str, call: str) -> None:
        self._switch = switch
        self._peer = peer
        self._call = call
        self._over = False

    def invited(self, leg: Channel) -> None:
        self._switch.trunk.far[self._call] = leg

    def heard(self, leg: Channel, message: Message) -> None:
        """What the caller's switch says of this call: that it is over, there is nothing else."""
        if message["does"] == "end":
            self._over = True
            by = "recv_bye" if leg.answered else "recv_cancel"
            self._switch.hangup(leg, "NORMAL_CLEARING" if leg.answered else "ORIGINATOR_CANCEL", by=by)

    def heard_ringing(self, leg: Channel) -> None:  # noqa: ARG002 - one call each
        self._switch.trunk.say(self._peer, self._call, "ring")

    def answered(self, leg: Channel) -> None:  # noqa: ARG002
        self._switch.trunk.say(self._peer, self._call, "answer")

    def ended(self, leg: Channel) -> None:
        self._switch.trunk.far.pop(self._call, None)
        if not self._over:
            self._switch.trunk.say(self._peer, self._call, "end", cause=leg.cause, sip=480)

    def parked(self, leg: Channel) -> None:
        """Nothing parks it."""

    def bridged(self, leg: Channel) -> None:
        """With the phone; it was answered just before."""

    def held(self, leg: Channel) -> None:
        """The phone's own hold: the other side hears this switch's music."""

    def asked_to_talk(self, leg: Channel) -> None:
        """Callers are not asked."""


def deliver(switch: "Switch", message: Message) -> bool:
    """Let the leg that this message is about hear it; false for one of a new call, or of one that is over."""
    call = str(message.get("call", ""))
    for leg in (switch.trunk.near.get(call), switch.trunk.far.get(call)):
        if leg is not None and isinstance(leg.party, Near | Far):
            hears = partial(leg.party.heard, leg, message)
            switch.timeline.after(switch.options.invite_ms * MILLISECOND, hears)
            return True
    return False
