"""A leg's own thread: from state to state, as switch_core_session_run does it, until it is destroyed."""

from typing import Final

from freeswitch.simulator import bridging, cdr, displacing, recording
from freeswitch.simulator.applications import park
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.executing import application, execute
from freeswitch.simulator.originating import originate_first
from freeswitch.simulator.timeline import FOREVER, MILLISECOND, Steps

_LATE_REPORTS: Final = 0.1
"""How often CHANNEL_HANGUP_COMPLETE comes a tick after CS_HANGUP: 3 of the 31 legs in the captures a to l4."""


def inbound(switch: Switch, leg: Channel) -> Steps[None]:
    """A call arrives: it is born, finds its way through the dialplan, lives and dies."""
    switch.enter(leg, "CS_NEW")
    leg.introduce(switch.now)
    if not switch.options.late_negotiation:
        switch.codecs(leg)
    leg.go("CS_INIT")
    switch.enter(leg, "CS_INIT")
    leg.go("CS_ROUTING")
    switch.tell(leg, "CHANNEL_CREATE")
    yield from _live(switch, leg)


def outbound(switch: Switch, leg: Channel) -> Steps[None]:
    """A call to a phone: it is born, rings, and waits for what the originate wants of it."""
    leg.go("CS_INIT")
    switch.enter(leg, "CS_INIT")
    leg.go("CS_ROUTING")
    switch.tell(leg, "CHANNEL_CREATE")
    switch.tell(leg, "CHANNEL_ORIGINATE")
    if leg.party is not None:
        leg.party.invited(leg)
    if leg.up:
        switch.enter(leg, "CS_ROUTING")
        switch.presence(leg)
        leg.go("CS_CONSUME_MEDIA")
        switch.enter(leg, "CS_CONSUME_MEDIA")
        yield FOREVER
    yield from _live(switch, leg)


def _live(switch: Switch, leg: Channel) -> Steps[None]:
    while leg.up:
        if leg.state == leg.running and not leg.transferring:
            yield FOREVER
            continue
        match leg.state:
            case "CS_ROUTING":
                yield from _route(switch, leg)
            case "CS_EXECUTE":
                yield from _execute(switch, leg)
            case "CS_PARK":
                switch.enter(leg, "CS_PARK")
                yield from park(switch, leg)
            case "CS_HIBERNATE":
                switch.enter(leg, "CS_HIBERNATE")
                leg.go("CS_RESET")
            case "CS_RESET":
                switch.enter(leg, "CS_RESET")
                if leg.bridge_originator:
                    leg.go("CS_SOFT_EXECUTE")
            case "CS_SOFT_EXECUTE":
                switch.enter(leg, "CS_SOFT_EXECUTE")
                if leg.bridge_originator:
                    yield from bridging.soft_execute(switch, leg)
            case "CS_EXCHANGE_MEDIA":
                switch.enter(leg, "CS_EXCHANGE_MEDIA")
                yield from bridging.exchange(switch, leg)
            case other:
                switch.enter(leg, other)
    yield from _die(switch, leg)


def _route(switch: Switch, leg: Channel) -> Steps[None]:
    """Ask the dialplan what to do with this leg."""
    leg.arrive("CS_ROUTING")
    if leg.inbound:
        switch.callstate(leg, "RINGING")
    switch.tell(leg, "CHANNEL_STATE")
    switch.bus.burn()  # the look-up of the dialplan
    wanted = leg.caller("Context"), leg.caller("Destination-Number")
    actions = leg.inline or switch.options.dialplan.route(*wanted, lambda name: switch.variable(leg, name))
    leg.inline = ()
    leg.set("call_uuid", leg.uuid)
    if not actions:
        switch.hangup(leg, "NO_ROUTE_DESTINATION")
        return
    leg.actions.clear()
    leg.actions.extend(actions)
    if leg.state == "CS_ROUTING":
        leg.go("CS_EXECUTE")
    yield from ()


def _execute(switch: Switch, leg: Channel) -> Steps[None]:
    """Execute what the dialplan wants, one application after another; when there is nothing left, hang up."""
    leg.arrive("CS_EXECUTE")
    if leg.answered and leg.callstate != "ACTIVE":
        switch.callstate(leg, "ACTIVE")
    switch.tell(leg, "CHANNEL_STATE")
    while leg.ready and leg.state == "CS_EXECUTE" and leg.actions:
        name, argument = leg.actions.popleft()
        yield from execute(switch, leg, name, argument)
    if leg.ready and leg.state == "CS_EXECUTE":
        switch.hangup(leg, "NORMAL_CLEARING")


def _die(switch: Switch, leg: Channel) -> Steps[None]:
    """Hung up: say so, add it all up, and be gone once nobody waits for this leg any more."""
    leg.exchanging = False
    switch.enter(leg, "CS_HANGUP")
    recording.stop(switch, leg, "all")
    displacing.stop_all(switch, leg)
    switch.callstate(leg, "HANGUP")
    switch.take_leave(leg)
    leg.go("CS_REPORTING")
    switch.presence(leg)
    switch.enter(leg, "CS_REPORTING")
    if leg.originator is None and switch.random.random() < _LATE_REPORTS:
        yield switch.options.tick_ms * MILLISECOND
    cdr.write(switch, leg)
    switch.report(leg)
    while leg.originator is not None or leg.holders:
        yield FOREVER
    switch.destroy(leg)


@application("transfer")
def _transfer(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    number, *rest = argument.split(" ")
    bridging.transfer(switch, leg, number, rest[1] if len(rest) > 1 else leg.caller("Context"))
    yield from ()


@application("bridge")
def _bridge(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    """Call somebody and bridge to whoever answers; without success the dialplan goes on only if it was told to."""
    if leg.answered:
        switch.callstate(leg, "RING_WAIT")
    wanted = leg.get("call_timeout")
    patience = int(wanted) if wanted.isdigit() else 60
    other, cause = yield from originate_first(switch, argument, timeout_s=patience, owner=leg)
    if other is not None:
        leg.other = {"Other-Type": "originatee", **other.face()}
    if leg.answered:
        switch.callstate(leg, "ACTIVE")
    if other is None:
        leg.set("originate_disposition", cause)
        if leg.up and not leg.true("continue_on_fail"):
            switch.hangup(leg, cause)
        return
    if not leg.up:
        switch.hangup(other, leg.cause)
        return
    yield from bridging.bridge(switch, leg, other)
