"""Api commands that concern the switch as a whole, with the real one's replies."""

import re

from freeswitch.simulator import causes, show
from freeswitch.simulator.commands import command
from freeswitch.simulator.core import Switch
from freeswitch.simulator.timeline import Thread


@command("global_setvar")
def _global_setvar(switch: Switch, argument: str, _: list[Thread]) -> str:
    name, _equals, value = argument.partition("=")
    if not name:
        return "-USAGE: <var>=<value> [=<value2>]\n"
    if value:
        switch.globals[name] = value
    else:
        switch.globals.pop(name, None)
    return "+OK"


@command("global_getvar")
def _global_getvar(switch: Switch, argument: str, _: list[Thread]) -> str:
    if argument:
        return switch.globals.get(argument, "")
    return "".join(f"{name}={value}\n" for name, value in switch.globals.items())


@command("hupall")
def _hupall(switch: Switch, argument: str, _: list[Thread]) -> str:
    words = argument.split()
    cause = causes.cause(words[0]) if words else "MANAGER_REQUEST"
    wanted = dict(zip(words[1::2], words[2::2], strict=False))
    for leg in list(switch.legs.values()):
        if all(leg.get(name) == value for name, value in wanted.items()):
            switch.hangup(leg, cause, by="send_bye")
    if wanted:
        name, value = next(iter(wanted.items()))
        return f"+OK hangup all channels matching [{name}]=[{value}] with cause: {cause}\n"
    return f"+OK hangup all channels with cause {cause}\n"


@command("reloadxml")
def _reloadxml(switch: Switch, _argument: str, _: list[Thread]) -> str:
    switch.bus.emit("RELOADXML", {})
    return "+OK [Success]\n"


@command("fsctl")
def _fsctl(switch: Switch, argument: str, _: list[Thread]) -> str:
    words = argument.split()
    if words[:1] != ["shutdown"]:
        return "-USAGE: [shutdown [asap|now]|hupall]\n"
    shut_down(switch)
    return "+OK\n"


def shut_down(switch: Switch) -> None:
    """Stop in order: say so, and end every leg."""
    switch.stopping = True
    switch.bus.emit("SHUTDOWN", {"Event-Info": "System Shutting Down"})
    for leg in list(switch.legs.values()):
        switch.hangup(leg, "SYSTEM_SHUTDOWN", by="send_bye")


@command("create_uuid")
def _create_uuid(switch: Switch, _argument: str, _: list[Thread]) -> str:
    return switch.new_uuid()


@command("echo")
def _echo(_switch: Switch, argument: str, _: list[Thread]) -> str:
    return argument


@command("hostname")
def _hostname(switch: Switch, _argument: str, _: list[Thread]) -> str:
    return switch.options.hostname


@command("strepoch")
def _strepoch(switch: Switch, _argument: str, _: list[Thread]) -> str:
    return str(switch.now // 1_000_000)


@command("module_exists")
def _module_exists(_switch: Switch, argument: str, _: list[Thread]) -> str:
    modules = {"mod_event_socket", "mod_commands", "mod_dptools", "mod_sofia", "mod_local_stream", "mod_sndfile"}
    return "true" if argument in modules else "false"


@command("eval")
def _eval(switch: Switch, argument: str, _: list[Thread]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: switch.globals.get(found[1], ""), argument)


@command("show")
def _show(switch: Switch, argument: str, _: list[Thread]) -> str:
    return show.show(switch, argument)


@command("status")
def _status(switch: Switch, _argument: str, _: list[Thread]) -> str:
    return show.status(switch)


@command("version")
def _version(switch: Switch, _argument: str, _: list[Thread]) -> str:
    return f"FreeSWITCH Version {switch.options.version} ( 64bit)\n"


@command("uptime")
def _uptime(switch: Switch, _argument: str, _: list[Thread]) -> str:
    return f"{(switch.now - switch.counts.started) // 1_000_000}\n"


@command("sofia")
def _sofia(switch: Switch, argument: str, _: list[Thread]) -> str:
    return show.sofia(switch, argument)


@command("list_users")
def _list_users(switch: Switch, argument: str, _: list[Thread]) -> str:
    return show.list_users(switch, argument)


@command("sofia_contact")
def _sofia_contact(switch: Switch, argument: str, _: list[Thread]) -> str:
    return show.sofia_contact(switch, argument)
