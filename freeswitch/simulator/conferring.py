"""Rooms in which all who are there hear each other (mod_conference), as far as a switch without sound has them."""

from freeswitch.simulator.applications import hear_digit
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.executing import application, parse_all, pending
from freeswitch.simulator.timeline import FOREVER, Steps


def mates(switch: Switch, leg: Channel) -> list[Channel]:
    """The others in the room of this leg."""
    return [other for other in switch.legs.values() if leg.room and other.room == leg.room and other is not leg]


@application("conference")
def _conference(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    """Be in the room until the leg is sent elsewhere or hung up. Argument: ROOM@PROFILE."""
    leg.room = argument.partition("@")[0]
    _tell(switch, leg, "add-member")
    if leg.party is not None:
        leg.party.bridged(leg)
    while leg.ready:
        if pending(leg):
            yield from parse_all(switch, leg)
        else:
            yield hear_digit(switch, leg) or FOREVER
    _tell(switch, leg, "del-member")
    leg.room = ""


def _tell(switch: Switch, leg: Channel, action: str) -> None:
    headers = {**leg.snapshot(variables=True), "Conference-Name": leg.room, "Action": action}
    switch.bus.emit("CUSTOM", headers, subclass="conference::maintenance", lane=leg.uuid)
