"""Sound over what a leg hears (`uuid_displace`), or mixed into it (`mux`): all else goes on beneath until it ends."""

from freeswitch.simulator.applications import duration
from freeswitch.simulator.bus import Headers
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.timeline import FOREVER


def start(switch: Switch, leg: Channel, path: str) -> bool:
    """Begin to play. False where the leg has no sound yet, hears this very path already, or there is no such file."""
    length = duration(path)
    if not leg.hears or path in leg.displaced or length is None:
        return False
    leg.displaced[path] = None
    switch.tell(leg, "MEDIA_BUG_START", first=_bug(path))
    if length != FOREVER:
        switch.timeline.after(length, lambda: _end(switch, leg, path))
    return True


def stop(switch: Switch, leg: Channel, path: str) -> bool:
    """End it. False where the leg does not hear it (any more)."""
    heard = path in leg.displaced
    _end(switch, leg, path)
    return heard


def stop_all(switch: Switch, leg: Channel) -> None:
    """The leg is hung up."""
    for path in tuple(leg.displaced):
        _end(switch, leg, path)


def _end(switch: Switch, leg: Channel, path: str) -> None:
    if path in leg.displaced:
        del leg.displaced[path]
        switch.tell(leg, "MEDIA_BUG_STOP", first=_bug(path))


def _bug(path: str) -> Headers:
    return {"Media-Bug-Function": "displace", "Media-Bug-Target": path}
