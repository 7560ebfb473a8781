"""Api commands that concern a leg, with the real switch's replies, word for word where a program might read them."""

from typing import Final

from freeswitch.simulator import bridging, causes, displacing, originating, recording, show
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.commands import command
from freeswitch.simulator.core import Switch
from freeswitch.simulator.executing import broadcast, stop_broadcast
from freeswitch.simulator.text import separate
from freeswitch.simulator.timeline import Steps, Thread

_NO_CHANNEL: Final = "-ERR No such channel!\n"
_NO_SESSION: Final = "-ERR Cannot locate session!\n"


def _leg(switch: Switch, argument: str) -> tuple[Channel | None, str]:
    """The leg named by the first word, and the rest of the line."""
    uuid, _, rest = argument.partition(" ")
    return switch.registry.locate(uuid), rest


@command("originate")
def _originate(switch: Switch, argument: str, thread: list[Thread]) -> Steps[str]:
    return originating.command(switch, argument, thread)


@command("uuid_exists")
def _uuid_exists(switch: Switch, argument: str, _: list[Thread]) -> str:
    # A leg that is hung up is not there for commands, though its last events may be long in coming.
    return "true" if switch.registry.locate(argument.strip()) else "false"


@command("uuid_kill")
def _uuid_kill(switch: Switch, argument: str, _: list[Thread]) -> str:
    if not argument:
        return "-USAGE: <uuid> [cause]\n"
    leg, cause = _leg(switch, argument)
    if leg is None:
        return _NO_CHANNEL
    switch.hangup(leg, causes.cause(cause) if cause else "NORMAL_CLEARING", by="send_bye")
    return "+OK\n"


@command("uuid_bridge")
def _uuid_bridge(switch: Switch, argument: str, _: list[Thread]) -> str:
    words = argument.split()
    if len(words) < 2:  # noqa: PLR2004 - two legs make a bridge
        return "-USAGE: <uuid> <other_uuid>\n"
    for other in words[1:3]:
        if bridging.uuid_bridge(switch, words[0], other):
            return f"+OK {other}\n"
    return "-ERR Invalid uuid\n"


@command("uuid_answer")
def _uuid_answer(switch: Switch, argument: str, _: list[Thread]) -> str:
    leg, _rest = _leg(switch, argument)
    if leg is None:
        return "-ERROR\n"
    switch.answer(leg)
    leg.wake()
    return "+OK\n"


@command("uuid_park")
def _uuid_park(switch: Switch, argument: str, _: list[Thread]) -> str:
    leg, _rest = _leg(switch, argument)
    if leg is None:
        return _NO_CHANNEL
    bridging.park_session(leg)
    return "+OK\n"


@command("uuid_transfer")
def _uuid_transfer(switch: Switch, argument: str, _: list[Thread]) -> str:
    words = argument.split()
    if not 2 <= len(words) <= 5:  # noqa: PLR2004 - see the usage
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    leg = switch.registry.locate(words[0])
    if leg is None:
        return _NO_CHANNEL
    legs = [leg]
    if words[1].startswith("-"):
        other = switch.partner(leg)
        if other is not None:
            legs = [other] if words[1] == "-bleg" else [other, leg]
        words.pop(1)
    if len(words) < 2:  # noqa: PLR2004 - the number was the option
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    for each in legs:
        context = words[3] if len(words) > 3 else each.caller("Context")  # noqa: PLR2004 - see the usage
        inline = words[2:3] == ["inline"]
        bridging.transfer(switch, each, words[1], context, inline=inline)
    return "+OK\n"


@command("uuid_hold")
def _uuid_hold(switch: Switch, argument: str, _: list[Thread]) -> Steps[str]:
    words = argument.split()
    if not words:
        return "-USAGE: [off|toggle] <uuid> [<display>]\n-ERR Operation failed\n"
    off = words[0].lower() == "off"
    toggle = words[0].lower() == "toggle"
    leg = switch.registry.locate(words[1] if (off or toggle) and len(words) > 1 else words[0])
    if leg is None:
        return "+OK Success\n"  # the real one says so of any leg that is not there
    if off or (toggle and leg.callstate == "HELD"):
        worked = yield from bridging.unhold(switch, leg)
    else:
        worked = bridging.hold(switch, leg)
    return "+OK Success\n" if worked else "-ERR Operation failed\n"


@command("uuid_break")
def _uuid_break(switch: Switch, argument: str, _: list[Thread]) -> str:
    if not argument:
        return "-USAGE: <uuid> [all]\n"
    leg, flags = _leg(switch, argument)
    if leg is None:
        return _NO_CHANNEL
    legs = [leg]
    other = switch.partner(leg) if "both" in flags else None
    if other is not None:
        legs.append(other)
    for each in legs:
        if "all" in flags:
            each.private.clear()
        if each.broadcasting:
            stop_broadcast(each)
        else:
            each.break_flag = True
            each.wake()
    return "+OK\n"


@command("uuid_broadcast")
def _uuid_broadcast(switch: Switch, argument: str, _: list[Thread]) -> str:
    words = separate(argument, " ")
    if len(words) < 2:  # noqa: PLR2004 - see the usage
        return "-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n"
    leg = switch.registry.locate(words[0])
    if leg is None:
        return "-ERR invalid uuid\n"
    ends = words[2] if len(words) > 2 else "aleg"  # noqa: PLR2004
    name, path = words[1].split("::", 1) if "::" in words[1] else ("playback", words[1])
    other = switch.partner(leg)
    if other is not None and ("both" in ends or "bleg" in ends):
        broadcast(switch, other, path, name=name)
    if "both" in ends or "aleg" in ends:
        broadcast(switch, leg, path, name=name)
    return "+OK Message sent\n"


@command("uuid_setvar")
def _uuid_setvar(switch: Switch, argument: str, _: list[Thread]) -> str:
    words = separate(argument, " ", 3) if argument else []
    if len(words) < 2:  # noqa: PLR2004 - see the usage
        return "-USAGE: <uuid> <var> [value]\n"
    leg = switch.registry.locate(words[0])
    if leg is None:
        return _NO_CHANNEL
    leg.set(words[1], words[2] if len(words) > 2 else None)  # noqa: PLR2004
    return "+OK\n"


@command("uuid_setvar_multi")
def _uuid_setvar_multi(switch: Switch, argument: str, _: list[Thread]) -> str:
    usage = "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
    uuid, space, pairs = argument.partition(" ")
    if not space:
        return usage
    leg = switch.registry.locate(uuid)
    if leg is None:
        return _NO_CHANNEL + usage
    for pair in separate(pairs, ";"):
        name, _equals, value = pair.partition("=")
        leg.set(name, value)
    return "+OK\n"


@command("uuid_getvar")
def _uuid_getvar(switch: Switch, argument: str, _: list[Thread]) -> str:
    words = argument.split()
    if len(words) < 2:  # noqa: PLR2004 - see the usage
        return "-USAGE: <uuid> <var>\n"
    leg = switch.registry.locate(words[0])
    if leg is None:
        return _NO_CHANNEL
    return switch.variable(leg, words[1]) or "_undef_"


@command("uuid_record")
def _uuid_record(switch: Switch, argument: str, _: list[Thread]) -> str:
    words = separate(argument, " ") if argument else []
    if len(words) < 3:  # noqa: PLR2004 - see the usage
        return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"
    leg = switch.registry.locate(words[0])
    if leg is None:
        return _NO_SESSION
    path = words[2]
    match words[1].lower():
        case "start":
            worked, what = recording.start(switch, leg, path), "record session"
        case "stop":
            worked, what = recording.stop(switch, leg, path), "stop record session"
        case "mask":
            worked, what = recording.mask(switch, leg, path, on=True), "mask recording session"
        case "unmask":
            worked, what = recording.mask(switch, leg, path, on=False), "unmask recording session"
        case _:
            return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"
    return "+OK Success\n" if worked else f"-ERR Cannot {what}!\n"


@command("uuid_displace")
def _uuid_displace(switch: Switch, argument: str, _: list[Thread]) -> str:
    words = separate(argument, " ") if argument else []
    if len(words) < 3:  # noqa: PLR2004 - see the usage
        return "-USAGE: <uuid> [start|stop] <path> [<limit>] [mux]\n"
    leg = switch.registry.locate(words[0])
    if leg is None:
        return _NO_SESSION
    match words[1].lower():
        case "start":
            worked, what = displacing.start(switch, leg, words[2]), "displace"
        case "stop":
            worked, what = displacing.stop(switch, leg, words[2]), "stop displace"
        case _:
            return "-USAGE: <uuid> [start|stop] <path> [<limit>] [mux]\n"
    return "+OK Success\n" if worked else f"-ERR Cannot {what} session!\n"


@command("uuid_audio")
def _uuid_audio(switch: Switch, argument: str, _: list[Thread]) -> str:
    words = argument.split()
    usage = "-USAGE: <uuid> [start [read|write] [mute|level <level>]|stop]\n"
    if len(words) < 2:  # noqa: PLR2004 - see the usage
        return usage
    leg = switch.registry.locate(words[0])
    if leg is None:
        return _NO_CHANNEL
    match words[1:]:
        case ["stop"]:
            leg.muted = False
        case ["start", "read", "mute", level, *_]:
            leg.muted = level != "0"
        case ["start", "read" | "write", "mute" | "level", _, *_]:
            pass  # heard by nobody here: the simulated switch has no sound
        case _:
            return usage
    return "+OK\n"


@command("uuid_send_dtmf")
def _uuid_send_dtmf(switch: Switch, argument: str, _: list[Thread]) -> str:
    leg, digits = _leg(switch, argument)
    if not digits:
        return "-USAGE: <uuid> <dtmf_data>\n"
    if leg is None:
        return _NO_SESSION
    leg.keys_sent += digits
    return f"+OK {leg.uuid} sent DTMF {digits}.\n"


@command("uuid_recv_dtmf")
def _uuid_recv_dtmf(switch: Switch, argument: str, _: list[Thread]) -> str:
    leg, digits = _leg(switch, argument)
    if not digits:
        return "-USAGE: <uuid> <dtmf_data>\n"
    if leg is None:
        return _NO_SESSION
    press(leg, digits, source="APP")
    return f"+OK {leg.uuid} received DTMF {digits}.\n"


@command("uuid_phone_event")
def _uuid_phone_event(switch: Switch, argument: str, _: list[Thread]) -> str:
    if not argument:
        return "-USAGE: <uuid>\n"
    leg, what = _leg(switch, argument)
    if leg is None:
        return "-ERR Operation failed\n"
    if what == "talk" and leg.party is not None:
        leg.party.asked_to_talk(leg)
    return "+OK Success\n"


def press(leg: Channel, digits: str, *, source: str = "RTP") -> None:
    """Keys were pressed at the far end (RTP) or are pretended to have been (APP); each lasts 2 000 samples, 250 ms."""
    leg.digits.extend((digit, 2_000, source) for digit in digits if digit in "0123456789*#ABCDabcd")
    leg.wake()


@command("uuid_dump")
def _uuid_dump(switch: Switch, argument: str, _: list[Thread]) -> str:
    words = argument.split()
    if not words:
        return "-USAGE: <uuid> [format]\n"
    leg = switch.registry.locate(words[0])
    if leg is None:
        return _NO_CHANNEL
    return show.dump(switch, leg, words[1] if len(words) > 1 else "txt")
