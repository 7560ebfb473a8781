"""What became of a call that the switch served by itself: a file, in the shape of mod_json_cdr's.

Of the many fields of a real one those are here that somebody reads; values are URL-encoded, as `encode-values` has it.
"""

import json
from pathlib import Path
from typing import Final
from urllib.parse import quote

from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch

_KEPT: Final = (
    "uuid",
    "ringledger_unattended",
    "ringledger_contact",
    "ringledger_message",
    "record_seconds",
    "record_ms",
    "sip_req_user",
    "bridge_channel",
    "hangup_cause",
)


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
    Path(switch.options.unattended, f"{leg.uuid}.cdr.json").write_text(json.dumps(record), encoding="utf-8")
