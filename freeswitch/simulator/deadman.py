"""The dead-man's switch, as freeswitch/conf/deadman.lua has it: a look a second at whether an orchestrator lives."""

from typing import Final

from freeswitch.simulator import bridging
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.timeline import SECOND

CONTEXT: Final = "ringledger-unattended"
NUMBER: Final = "served-by-the-switch"


def look_for_ever(switch: Switch) -> None:
    """Look once a second from now on, where this switch is told after how long a silence it serves callers itself."""
    options = switch.options
    if not options.patience_s:
        return
    switch.globals["ringledger_patience_s"] = str(options.patience_s)
    switch.globals["ringledger_sweep"] = str(options.swept_per_s)
    switch.globals["recordings_dir"] = options.recordings
    switch.globals["ringledger_node"] = options.node
    if options.fallback:
        switch.globals["ringledger_fallback_group"] = options.fallback
    switch.timeline.after(SECOND, lambda: _look(switch))


def _look(switch: Switch) -> None:
    known = switch.globals
    if word := known.pop("ringledger_alive", ""):
        known["ringledger_silent_s"] = "0"
        known.pop("ringledger_unattended", None)
        if word == "full":
            known["ringledger_unattended"] = "yes"
    else:
        silent = int(known.get("ringledger_silent_s", "0")) + 1
        known["ringledger_silent_s"] = str(silent)
        patience = int(known.get("ringledger_patience_s", "0"))
        if patience and silent >= patience:
            known["ringledger_unattended"] = "yes"
            _sweep(switch, int(known["ringledger_sweep"]))
    switch.timeline.after(SECOND, lambda: _look(switch))


def _sweep(switch: Switch, most: int) -> None:
    """Serve so many of those who are joined with nobody, the longest waiting first."""
    for leg in list(switch.legs.values()):
        if most and leg.up and leg.state in {"CS_EXECUTE", "CS_PARK"}:
            most -= _serve(switch, leg)


def _serve(switch: Switch, leg: Channel) -> bool:
    doing = leg.get("current_application")
    if leg.get("ringledger_unattended") == "yes":
        return False
    if doing in {"conference", "eavesdrop"}:
        return False
    if leg.caller("Context") == switch.options.inbound_context:
        bridging.transfer(switch, leg, NUMBER, CONTEXT)
        return True
    if doing == "park" and leg.get("ringledger_offer"):
        switch.hangup(leg, "ORIGINATOR_CANCEL", by="send_bye")
        return True
    return False
