"""What became of a call that the switch served by itself: a file, in the shape of mod_json_cdr's; and its first word of
it (conf/taken.lua).

Of the many fields of a real one those are here that somebody reads; values are URL-encoded, as `encode-values` has it.
"""

import json
from pathlib import Path
from typing import Final
from urllib.parse import quote

from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.executing import application
from freeswitch.simulator.timeline import Steps

_KEPT: Final = (
    "uuid",
    "ringledger_unattended",
    "ringledger_node",
    "ringledger_contact",
    "ringledger_message",
    "record_seconds",
    "record_ms",
    "sip_req_user",
    "bridge_channel",
    "hangup_cause",
)
_SCRIPT: Final = "taken.lua"
_LONGEST: Final = 2_048


@application("lua")
def _lua(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    """The one script that our dialplan runs on a caller: it says, whole or not at all, that the switch took them."""
    if argument == _SCRIPT and switch.options.unattended:
        fields = {
            "uuid": leg.uuid,
            "core": switch.bus.core_uuid,
            "node": leg.get("ringledger_node"),
            "contact": leg.get("ringledger_contact"),
            "dialled": leg.get("sip_req_user") or leg.caller("RDNIS"),
            "caller_number": leg.caller("Caller-ID-Number"),
            "caller_name": leg.caller("Caller-ID-Name"),
            "host": leg.caller("Network-Addr"),
            "arrived_at": leg.caller("Channel-Created-Time"),
            "taken_at": str(switch.now),
        }
        first = _first(switch, leg)
        half = first.with_name(f"{first.name}.new")
        half.write_text(json.dumps({name: _plain(value) for name, value in fields.items()}), encoding="ascii")
        half.rename(first)
    yield from ()


def _first(switch: Switch, leg: Channel) -> Path:
    return Path(switch.options.unattended, f"{leg.uuid}.taken.json")


def _record(switch: Switch, leg: Channel) -> Path:
    return Path(switch.options.unattended, f"{leg.uuid}.cdr.json")


def _plain(value: str) -> str:
    return quote(value.encode("utf-8", "replace")[:_LONGEST], safe="").replace("~", "%7E")


def write(switch: Switch, leg: Channel) -> None:
    """Leave the file behind, where this leg is to have one and there is a folder for it."""
    if leg.get("process_cdr") != "a_only" or not leg.inbound or not switch.options.unattended:
        return
    variables = {name: quote(leg.get(name), safe="") for name in _KEPT if leg.get(name)}
    variables["uuid"] = leg.uuid
    variables["hangup_cause"] = leg.cause
    profile = {
        "caller_id_name": leg.caller("Caller-ID-Name"),
        "caller_id_number": leg.caller("Caller-ID-Number"),
        "destination_number": leg.caller("RDNIS") or leg.caller("Destination-Number"),
        "network_addr": leg.caller("Network-Addr"),
    }
    stages = ("Created", "Answered", "Hangup")
    times = {f"{stage.lower()}_time": leg.caller(f"Channel-{stage}-Time") or "0" for stage in stages}
    times["bridged_time"] = str(leg.bridged_at)
    record = {
        "core-uuid": switch.bus.core_uuid,
        "switchname": switch.options.switchname,
        "variables": variables,
        "callflow": [{"caller_profile": profile, "times": times}],
    }
    _record(switch, leg).write_text(json.dumps(record), encoding="utf-8")
