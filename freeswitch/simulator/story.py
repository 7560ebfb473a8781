"""What callers and phones say of their own calls, a line each as it happens: an account that outlives a killed switch.

    <µs> caller|phone <uuid of the leg> <number or extension> called
                                                              answered
                                                              joined
                                                              hung-up
                                                              was-hung-up <cause>

A far end that says nothing of its end was cut off: the switch died under it.
"""

import os

from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch


def tell(switch: Switch, leg: Channel, who: str, number: str, word: str) -> None:
    """Add a line, where this switch's far ends keep an account. One write, so that none is there by half."""
    if not switch.options.story:
        return
    line = f"{switch.now} {who} {leg.uuid} {number} {word}\n"
    file = os.open(switch.options.story, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def tell_end(switch: Switch, leg: Channel, who: str, number: str) -> None:
    """Add how the call ended: by this far end, or by the switch, and then why."""
    mine = leg.get("sip_hangup_disposition").startswith("recv_")
    tell(switch, leg, who, number, "hung-up" if mine else f"was-hung-up {leg.cause}")
