"""A leg that hears another one's talk, and may be heard in it (switch_ivr_eavesdrop_session).

It goes on until the other leg is hung up, or its own leg is, or is sent elsewhere; then the application is over and the
leg goes on with whatever it did before, mostly parked. How it is heard there is a digit: 0 not at all, 1 by whoever the
other leg talks with, 2 by the other leg, 3 by both; begun by variables, changed by a message to the leg's session.
"""

from typing import Final

from freeswitch.simulator.bus import Headers
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.executing import application
from freeswitch.simulator.timeline import MILLISECOND, Steps

_HEARD_AS: Final = "0123"


@application("eavesdrop")
def _eavesdrop(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    other = switch.registry.locate(argument)
    if other is None or other is leg or not other.hears:
        return
    heard = 1 * leg.true("eavesdrop_whisper_aleg") + 2 * leg.true("eavesdrop_whisper_bleg")
    leg.overhears, leg.heard_as = other.uuid, _HEARD_AS[heard]
    bug: Headers = {"Media-Bug-Function": "eavesdrop", "Media-Bug-Target": other.uuid}
    switch.tell(other, "MEDIA_BUG_START", first=bug)
    while leg.ready and other.up:
        yield switch.options.tick_ms * MILLISECOND  # it looks at both whenever a frame comes
    leg.overhears = leg.heard_as = ""
    switch.tell(other, "MEDIA_BUG_STOP", first=bug)


def steer(leg: Channel, digits: str) -> None:
    """The message that changes how the leg is heard; one that hears no talk does nothing with it."""
    for digit in digits:
        if leg.overhears and digit in _HEARD_AS:
            leg.heard_as = digit
