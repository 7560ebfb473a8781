"""How a leg executes applications, and the queue of instructions that its own thread works off.

The queue has a trap that the real switch has too (switch_ivr_parse_event): an instruction without `event-lock` lets the
next one begin *inside* it: `hangup` sent after `playback` cuts the playback short. With `event-lock: true` they follow
one another.
"""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from freeswitch.simulator.bus import Headers
from freeswitch.simulator.channel import Channel, Private
from freeswitch.simulator.core import Switch
from freeswitch.simulator.timeline import MILLISECOND, Steps, pause

Application: TypeAlias = Callable[[Switch, Channel, str], Steps[None]]

APPLICATIONS: Final[dict[str, Application]] = {}

_SILENT: Final = {"answer", "set", "multiset", "unset", "export", "hangup", "park", "log", "info", "event", "transfer",
                  "ring_ready", "pre_answer", "bridge", "respond", "lua"}  # fmt: skip
"""Applications that do not need a leg that hears (SAF_SUPPORT_NOMEDIA)."""

_TOO_SHORT_TO_LOOP: Final = 500 * MILLISECOND
"""A looped application that ran no longer than this is not repeated (switch_ivr_parse_event)."""

_EXPANSION: Final = re.compile(r"\$\{([^{}]+)\}")


def application(name: str) -> Callable[[Application], Application]:
    """Make a function known as an application of the switch."""

    def register(function: Application) -> Application:
        APPLICATIONS[name] = function
        return function

    return register


def execute(switch: Switch, leg: Channel, name: str, argument: str, app_uuid: str = "") -> Steps[bool]:
    """Run one application from CHANNEL_EXECUTE to CHANNEL_EXECUTE_COMPLETE. False when it could not even begin."""
    if not leg.up:
        return False
    run = APPLICATIONS.get(name)
    if run is None:
        switch.hangup(leg, "DESTINATION_OUT_OF_ORDER")
        return False
    if name not in _SILENT and not leg.hears:
        if not leg.inbound:
            return False
        switch.pre_answer(leg)
    if "${" in argument:
        argument = _EXPANSION.sub(lambda found: switch.variable(leg, found.group(1)), argument)
    leg.set("current_application", name)
    leg.set("current_application_data", argument)
    leg.set("current_application_response", None)
    news: Headers = {"Application": name}
    if argument:
        news["Application-Data"] = argument
    news["Application-UUID"] = app_uuid or switch.new_uuid()
    switch.tell(leg, "CHANNEL_EXECUTE", last=news)
    leg.break_flag = False
    yield from run(switch, leg, argument)
    response = leg.get("current_application_response") or "_none_"
    switch.tell(leg, "CHANNEL_EXECUTE_COMPLETE", last={**news, "Application-Response": response})
    return True


def pending(leg: Channel) -> bool:
    """Whether an instruction waits that may be worked off now."""
    return bool(leg.private) and not leg.event_lock


def parse_all(switch: Switch, leg: Channel) -> Steps[None]:
    """Work off all instructions that wait."""
    while pending(leg):
        yield from parse_next(switch, leg)


def parse_next(switch: Switch, leg: Channel, *, silent: bool = False) -> Steps[None]:
    """Work off one instruction and tell of it afterwards, unless it is the silent first one of an unanswered leg."""
    item = leg.private.popleft()
    headers = item.headers
    locked = headers.get("event-lock", "").lower() == "true"
    if locked:
        leg.event_lock = True
    lead = headers.get("lead-frames", "")
    if lead.isdigit() and leg.hears:
        frames = int(lead) + leg.exchanging  # a bridged leg has one more on its way
        yield from pause(switch.timeline, frames * switch.options.tick_ms * MILLISECOND)
    match headers.get("call-command", "").lower():
        case "execute":
            yield from _execute_queued(switch, leg, headers)
        case "hangup":
            switch.hangup(leg, headers.get("hangup-cause", "NORMAL_CLEARING"))
        case _:
            pass
    if locked:
        leg.event_lock = False
    if not silent:
        switch.tell(leg, "PRIVATE_COMMAND", first=dict(item.headers))


def _execute_queued(switch: Switch, leg: Channel, headers: dict[str, str]) -> Steps[None]:
    name = headers.get("execute-app-name", "")
    argument = headers.get("execute-app-arg", "")
    if not name:
        return
    loops = int(headers["loops"]) if headers.get("loops", "").lstrip("-").isdigit() else 1
    leg.stop_broadcast = False
    inner = not leg.exchanging
    if not leg.broadcasting:
        leg.broadcasting = True
        inner = False
    done = 0
    while loops < 0 or done < loops:
        began = switch.now
        ran = yield from execute(switch, leg, name, argument, headers.get("event-uuid", ""))
        done += 1
        if not ran:
            if not inner or leg.stop_broadcast:
                leg.broadcasting = False
            break
        if not leg.ready or leg.stop_broadcast or switch.now - began < _TOO_SHORT_TO_LOOP:
            break
    if not inner:
        leg.broadcasting = False
    if leg.stop_broadcast:
        leg.broadcasting = False
        leg.break_flag = True
    partner = switch.legs.get(leg.partner)
    if partner is not None:
        partner.wake()


def queue(leg: Channel, headers: dict[str, str]) -> None:
    """Put a client's instruction into the leg's queue; its thread finds it at its next tick."""
    leg.private.append(Private(headers))
    leg.wake()


def broadcast(switch: Switch, leg: Channel, path: str, *, loops: int = 1, name: str = "playback") -> None:
    """Let a leg hear something in the middle of whatever it does (switch_ivr_broadcast)."""
    headers = {
        "call-command": "execute",
        "execute-app-name": name,
        "execute-app-arg": path,
        "event-lock": "true",
        "lead-frames": "5",
    }
    if loops != 1:
        headers["loops"] = str(loops)
    switch.bus.burn()  # the COMMAND that it is until it is worked off: PRIVATE_COMMAND then
    leg.private.append(Private(headers, broadcast=True))
    leg.wake()


def stop_broadcast(leg: Channel) -> None:
    """End what a broadcast plays (switch_channel_stop_broadcast)."""
    if leg.broadcasting:
        leg.stop_broadcast = True
        leg.break_flag = True
        leg.wake()
