"""How two legs come to hear each other and how they part, step by step as switch_ivr_bridge.c does it.

`uuid_bridge` only prepares: both legs leave what they do (CS_HIBERNATE, CS_RESET), the first one waits in
CS_SOFT_EXECUTE until the second has come too, and only then is there a bridge. In that window a leg may die:
the second's death ends the first (DESTINATION_OUT_OF_ORDER when it is gone without a trace, ORIGINATOR_CANCEL when it
was seen dying), but the *first* one's death leaves the second alone in CS_RESET, without an event, for ever.
"""

from typing import Final

from freeswitch.simulator.applications import hear_digit
from freeswitch.simulator.bus import Headers
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.executing import broadcast, parse_next, pending, stop_broadcast
from freeswitch.simulator.timeline import FOREVER, MILLISECOND, SECOND, Steps

_LEAD_FRAMES: Final = 10
"""Frames of media for which a new bridge leaves its legs' queues alone (DEFAULT_LEAD_FRAMES): 200 ms."""


def uuid_bridge(switch: Switch, first: str, second: str) -> bool:
    """Begin to bridge two legs. False when either is not there, is hung up, or neither of them hears."""
    a = switch.registry.locate(first)
    b = switch.registry.locate(second)
    if a is None or b is None:
        return False
    if not a.inbound and a.headers["Channel-HIT-Dialplan"] != "true":
        switch.flip(a)
        a.headers["Channel-HIT-Dialplan"] = "true"
    if not a.hears:
        if not b.hears:
            return False
        a, b = b, a
    if not b.inbound:
        b.headers["Channel-HIT-Dialplan"] = "false"
    for leg, other in ((a, b), (b, a)):
        stop_broadcast(leg)
        leg.redirecting = True
        left = switch.legs.get(leg.partner)
        leg.partner = other.uuid
        if left is not None:
            left.wake()  # whoever talked with it notices that it is in another bridge
        leg.set("bridge_channel", other.name)
        leg.set("bridge_uuid", other.uuid)
        leg.set("signal_bond", other.uuid)
        leg.set("original_destination_number", leg.caller("Destination-Number"))
        leg.set("original_caller_id_name", leg.caller("Caller-ID-Name"))
        leg.set("original_caller_id_number", leg.caller("Caller-ID-Number"))
        _remember(switch, leg, f"uuid_br:{other.uuid}")
    _introduce(a, b)
    for what in ("Name", "Number"):
        a.show(f"Callee-ID-{what}", b.caller(f"Callee-ID-{what}"))
        b.show(f"Caller-ID-{what}", a.caller(f"Caller-ID-{what}"))
    a.bridge_originator = True
    b.bridge_originator = False
    for leg in (b, a):
        leg.transferring = True
        leg.go("CS_HIBERNATE")
    return True


def _remember(switch: Switch, leg: Channel, what: str) -> None:
    """Note on the leg that it was sent elsewhere: when, and where (transfer_source, transfer_history)."""
    source = f"{switch.now // SECOND}:{switch.new_uuid()}:{what}"
    leg.headers["Caller-Transfer-Source"] = source
    leg.headers["Caller-Profile-Index"] = str(int(leg.caller("Profile-Index")) + 1)
    leg.headers["Caller-Profile-Created-Time"] = str(switch.now)
    leg.push("transfer_history", source)
    leg.set("transfer_source", source)


def _introduce(a: Channel, b: Channel) -> None:
    """Let each leg's events show the other one."""
    a.other = {"Other-Type": "originatee", **b.face()}
    b.other = {"Other-Type": "originator", **a.face()}


def soft_execute(switch: Switch, a: Channel) -> Steps[None]:
    """The first leg waits for the second, then bridges, then goes on."""
    a.redirecting = False
    b = switch.registry.locate(a.partner)
    if b is None:
        a.bridge_originator = False
        if a.true("park_after_bridge"):
            park_session(a)
        elif a.get("transfer_after_bridge"):
            transfer_after_bridge(switch, a)
        else:
            switch.hangup(a, "DESTINATION_OUT_OF_ORDER")
        return
    b.hold_on()
    yield from _meet(switch, a, b)
    b.let_go()


def _meet(switch: Switch, a: Channel, b: Channel) -> Steps[None]:
    poll = switch.options.tick_ms * MILLISECOND
    while b.up and a.up:
        if b.state == b.running:
            if b.running == "CS_RESET":
                b.go("CS_SOFT_EXECUTE")
            elif b.running == "CS_SOFT_EXECUTE":
                break
        yield poll
    a.bridge_originator = False
    if not a.up:
        return
    if b.up and not b.hears:
        switch.hangup(b, "DESTINATION_OUT_OF_ORDER")
    if not b.up:
        _cancelled(switch, a)
        return
    switch.tell(a, "CHANNEL_EXECUTE", last={"Application": "uuid_bridge", "Application-Data": b.uuid})
    switch.tell(b, "CHANNEL_EXECUTE", last={"Application": "uuid_bridge", "Application-Data": a.uuid})
    b.redirecting = False
    yield from bridge(switch, a, b)
    if not (a.cause or a.transferring or a.redirecting) and a.state == "CS_SOFT_EXECUTE":
        a.go("CS_EXECUTE")


def _cancelled(switch: Switch, a: Channel) -> None:
    if a.true("uuid_bridge_continue_on_cancel"):
        a.go("CS_EXECUTE")
    elif a.true("uuid_bridge_park_on_cancel"):
        park_session(a)
    else:
        switch.hangup(a, "ORIGINATOR_CANCEL")


def bridge(switch: Switch, a: Channel, b: Channel) -> Steps[None]:
    """Both hear each other until one leaves (switch_ivr_multi_threaded_bridge, in the first leg's thread)."""
    if b.answered and not a.answered:
        switch.answer(a)
    a.partner, b.partner = b.uuid, a.uuid
    _introduce(a, b)
    b.set("call_uuid", a.uuid)
    b.headers["Channel-Call-UUID"] = a.uuid
    for leg in (a, b):
        leg.bridged_at = switch.now
        leg.headers["Caller-Channel-Bridged-Time"] = str(switch.now)
        leg.exchanging = True
    ends: Headers = {"Bridge-A-Unique-ID": a.uuid, "Bridge-B-Unique-ID": b.uuid}
    switch.tell(a, "CHANNEL_BRIDGE", first=ends)
    for leg, other in ((a, b), (b, a)):
        leg.set("bridge_to", other.uuid)
        leg.set("last_bridge_to", other.uuid)
        leg.set("bridge_channel", other.name)
        leg.set("bridge_uuid", other.uuid)
        leg.set("signal_bond", other.uuid)
    b.go("CS_EXCHANGE_MEDIA")
    _update(switch, a, b)
    for leg in (a, b):
        if leg.party is not None:
            leg.party.bridged(leg)
    b.hold_on()
    # Taken into another bridge, the second one may be talking there before this thread looks.
    while a.ready and a.exchanging and b.up and b.exchanging and b.partner == a.uuid:
        yield from _carry_on(switch, a)
    a.exchanging = False
    b.wake()
    a.set("bridge_to", None)
    _let_go_of_held(switch, a, b)
    stop_broadcast(b)
    while b.running == "CS_EXCHANGE_MEDIA" and b.state == "CS_EXCHANGE_MEDIA" and b.partner == a.uuid:
        yield switch.options.tick_ms * MILLISECOND
    if b.cause:
        a.set("bridge_hangup_cause", b.cause)
    if a.cause:
        b.set("bridge_hangup_cause", a.cause)
    b.headers["Channel-Call-UUID"] = b.uuid
    b.let_go()
    switch.tell(a, "CHANNEL_UNBRIDGE", first=ends)
    _after_bridge(switch, a, b)


def _after_bridge(switch: Switch, a: Channel, b: Channel) -> None:
    """What becomes of the first leg when the second has left."""
    if not a.up or a.transferring or a.redirecting:
        return
    if not b.answered:
        # One that was only heard (early media) has failed, and takes the first leg along (switch_channel_handle_cause).
        if b.cause and not a.true("continue_on_fail"):
            switch.hangup(a, b.cause)
        return
    if a.true("park_after_bridge"):
        park_session(a)
    elif a.get("transfer_after_bridge"):
        transfer_after_bridge(switch, a)
    elif a.true("hangup_after_bridge"):
        switch.hangup(a, b.cause or "NORMAL_CLEARING")


def exchange(switch: Switch, b: Channel) -> Steps[None]:
    """The second leg's side of a bridge (audio_bridge_on_exchange_media)."""
    a = switch.legs.get(b.partner)
    if a is None or not a.exchanging:
        b.exchanging = False
        switch.hangup(b, "DESTINATION_OUT_OF_ORDER")
        return
    _update(switch, b, a)
    a.hold_on()
    while b.ready and _stays(a):
        yield from _carry_on(switch, b)
    b.exchanging = False
    a.let_go()
    _let_go_of_held(switch, b, a)
    if not b.up or b.transferring or b.redirecting or b.state != "CS_EXCHANGE_MEDIA":
        return
    if b.true("park_after_bridge"):
        park_session(b)
    elif b.get("transfer_after_bridge"):
        transfer_after_bridge(switch, b)
    else:
        switch.hangup(b, "NORMAL_CLEARING" if b.answered else "ORIGINATOR_CANCEL")


def _stays(leg: Channel) -> bool:
    return leg.exchanging and leg.up and not leg.transferring


def _carry_on(switch: Switch, leg: Channel) -> Steps[None]:
    """One turn of a bridged leg: an instruction from its queue, its keys, or sleep."""
    tick = switch.options.tick_ms * MILLISECOND
    deaf_until = leg.bridged_at + _LEAD_FRAMES * tick
    if pending(leg) and switch.now < deaf_until:
        yield deaf_until - switch.now
    elif pending(leg):
        yield from parse_next(switch, leg)
    else:
        leg.break_flag = False
        yield hear_digit(switch, leg) or FOREVER


def _update(switch: Switch, leg: Channel, other: Channel) -> None:
    news: Headers = {"Direction": "SEND", "Sent-Callee-ID-Name": other.caller("Caller-ID-Name")}
    news["Sent-Callee-ID-Number"] = other.caller("Caller-ID-Number")
    news["Bridged-To"] = other.uuid
    switch.tell(leg, "CALL_UPDATE", first=news)


def _let_go_of_held(switch: Switch, leaving: Channel, other: Channel) -> None:
    """Whoever leaves while it holds takes along the one that it held, unless `hold_hangup_xfer_exten` sends it away."""
    if not (leaving.held or leaving.left_while_holding):
        return
    if other.up and other.ready and other.state != "CS_PARK":
        stop_broadcast(other)
        extension = leaving.get("hold_hangup_xfer_exten")
        if extension:
            other.set("transfer_after_bridge", extension)
        else:
            switch.hangup(other, "NORMAL_CLEARING")
    if leaving.held:
        switch.unmark_hold(leaving)
        switch.tell(leaving, "CHANNEL_UNHOLD")


def park_session(leg: Channel) -> None:
    """Send a leg to wait for instructions (switch_ivr_park_session)."""
    leg.transferring = True
    leg.go("CS_PARK")


def transfer_after_bridge(switch: Switch, leg: Channel) -> None:
    """Send a leg where its variable of that name says, once: number[:dialplan[:context]]."""
    number, _, rest = leg.get("transfer_after_bridge").partition(":")
    leg.set("transfer_after_bridge", None)
    transfer(switch, leg, number, rest.partition(":")[2] or leg.caller("Context"))


def transfer(switch: Switch, leg: Channel, number: str, context: str, *, inline: bool = False) -> None:
    """Send a leg to another number in another context of the dialplan (switch_ivr_session_transfer); `inline`: the
    number is a list of what it is to execute.
    """
    steps = (step.partition(":") for step in number.split(",")) if inline else ()
    leg.inline = tuple((name, argument) for name, _, argument in steps)
    _remember(switch, leg, f"bl_xfer:{number}/{context}/XML")
    leg.show("RDNIS", leg.caller("Destination-Number"))
    leg.show("Destination-Number", number)
    leg.show("Context", context)
    leg.other = {}
    leg.partner = ""
    leg.set("signal_bond", None)
    leg.transferring = True
    leg.go("CS_ROUTING")


# --- hold --------------------------------------------------------------------------------------------------------


def hold(switch: Switch, leg: Channel, *, by_phone: bool = False) -> bool:
    """Put a leg on hold: its peer hears the music that is set on the *held* leg. False when it is held already."""
    if leg.callstate == "HELD":
        return False
    switch.callstate(leg, "HELD")
    leg.held = True
    leg.held_at = switch.now
    leg.headers["Caller-Channel-Last-Hold"] = str(switch.now)
    if by_phone:
        switch.tell(leg, "CHANNEL_HOLD")
        switch.presence(leg)
    partner = switch.partner(leg) if leg.exchanging else None
    music = switch.variable(leg, "hold_music")
    if partner is not None and music and music != "silence":
        broadcast(switch, partner, music, loops=-1)
    if by_phone:
        _reinvited(switch, leg)
    else:
        switch.tell(leg, "CHANNEL_HOLD")
    if partner is not None and partner.party is not None:
        partner.party.held(partner)
    return True


def unhold(switch: Switch, leg: Channel, *, by_phone: bool = False) -> Steps[bool]:
    """Take a leg off hold; over when its peer's music has ended (five seconds at most). False when it is not held.

    Music that has not begun yet is not stopped, and begins afterwards: whoever holds and resumes within some 140 ms
    leaves the peer with music instead of a voice. So did the real switch.
    """
    if leg.callstate != "HELD":
        return False
    if not by_phone:
        switch.unmark_hold(leg)
    partner = switch.partner(leg)
    if partner is not None:
        stop_broadcast(partner)
        until = switch.now + 5 * SECOND
        while partner.up and partner.broadcasting and switch.now < until:
            yield switch.options.tick_ms * MILLISECOND
    if not leg.up:
        return True
    if by_phone:
        switch.unmark_hold(leg)
    switch.tell(leg, "CHANNEL_UNHOLD")
    if by_phone:
        switch.presence(leg)
        _reinvited(switch, leg)
        _active_again(switch, leg)
    else:
        switch.timeline.after(switch.options.reinvite_ms * MILLISECOND, lambda: _active_again(switch, leg))
    return True


def _reinvited(switch: Switch, leg: Channel) -> None:
    switch.bus.emit("CUSTOM", {"Unique-ID": leg.uuid}, subclass="sofia::reinvite", lane=leg.uuid)


def _active_again(switch: Switch, leg: Channel) -> None:
    if leg.up and leg.callstate == "UNHELD":
        switch.callstate(leg, "ACTIVE")
