"""What the switch shows when asked: channels, calls, registrations, accounts, one leg's headers, its own state."""

import json
from time import gmtime, strftime
from typing import Final

from freeswitch.simulator import sip
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.timeline import MILLISECOND, SECOND
from freeswitch.simulator.wire import plain_headers

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_USAGE: Final = (
    "-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]|"
    "calls|detailed_calls|bridged_calls|detailed_bridged_calls|aliases|complete|chat|management|modules|nat_map|say|"
    "interfaces|interface_types|tasks|limits|status\n"
)

Row = dict[str, str]


def show(switch: Switch, argument: str) -> str:
    """The command `show`, for the tables that change: channels, calls, bridged_calls, registrations."""
    words = argument.split()
    table = words[0] if words else ""
    if table == "status":
        return status(switch)
    if table not in {"channels", "calls", "bridged_calls", "registrations"}:
        return _USAGE
    rows = registrations(switch) if table == "registrations" else _calls(switch, table)
    form = ""
    for position, word in enumerate(words):
        if word == "as" and position + 1 < len(words):
            form = words[position + 1]
    if "count" in words[1:2]:
        return _ENCODE({"row_count": len(rows), "rows": []}) if form == "json" else f"\n{len(rows)} total.\n"
    if form == "json":
        return _ENCODE({"row_count": len(rows), "rows": rows}) if rows else '{"row_count": 0}\n'
    if form and form not in {"delim", "csv"}:
        return f"-ERR Cannot find format {form}\n"
    lines = [",".join(rows[0])] if rows else []
    lines += [",".join(row.values()) for row in rows]
    return "\n".join(lines) + ("\n" if lines else "") + f"\n{len(rows)} total.\n"


def visible(switch: Switch) -> list[Channel]:
    """The legs that the table knows: young ones are not in it yet, and some that are gone still are."""
    now = switch.now
    lag = switch.options.show_lag_ms * MILLISECOND
    gone = [leg for until, leg in switch.departed if until > now]
    # A leg's own delay is derived from its uuid, so that it does not flicker between two looks.
    seen = [leg for leg in switch.legs.values() if leg.created + _delay(leg, lag) <= now]
    return sorted(gone + seen, key=lambda leg: leg.created)


def _delay(leg: Channel, lag: int) -> int:
    return lag * (sum(map(ord, leg.uuid[:8])) % 16) // 16


def _calls(switch: Switch, table: str) -> list[Row]:
    legs = visible(switch)
    if table == "channels":
        return [channel_row(switch, leg) for leg in legs]
    rows = []
    for leg in legs:
        other = switch.legs.get(leg.partner) if leg.exchanging else None
        if other is not None and not leg.inbound and other.inbound:
            continue
        if other is None and table == "bridged_calls":
            continue
        row = channel_row(switch, leg)
        if other is not None:
            row.update({f"b_{name}": value for name, value in channel_row(switch, other).items()})
        row["call_created_epoch"] = row["created_epoch"]
        rows.append(row)
    return rows


def channel_row(switch: Switch, leg: Channel) -> Row:
    """One line of `show channels`, columns in the real one's order."""
    second = leg.created // SECOND
    codec = [str(leg.headers.get(f"Channel-{way}-Codec-{what}", "")) for way in ("Read", "Write") for what in _CODEC]
    bridged = leg.exchanging and leg.running == "CS_SOFT_EXECUTE"
    return {
        "uuid": leg.uuid,
        "direction": "inbound" if leg.inbound else "outbound",
        "created": strftime("%Y-%m-%d %H:%M:%S", gmtime(second)),
        "created_epoch": str(second),
        "name": leg.name,
        "state": leg.running,
        "cid_name": leg.caller("Caller-ID-Name"),
        "cid_num": leg.caller("Caller-ID-Number"),
        "ip_addr": leg.caller("Network-Addr") if leg.inbound else "",
        "dest": leg.caller("Destination-Number"),
        "application": "uuid_bridge" if bridged else leg.get("current_application") if leg.inbound else "",
        "application_data": leg.partner if bridged else leg.get("current_application_data") if leg.inbound else "",
        "dialplan": leg.caller("Dialplan"),
        "context": leg.caller("Context"),
        "read_codec": codec[0],
        "read_rate": codec[1],
        "read_bit_rate": codec[2],
        "write_codec": codec[3],
        "write_rate": codec[4],
        "write_bit_rate": codec[5],
        "secure": "",
        "hostname": switch.options.hostname,
        "presence_id": leg.get("presence_id"),
        "presence_data": "",
        "accountcode": leg.get("accountcode"),
        "callstate": leg.callstate,
        "callee_name": leg.caller("Callee-ID-Name"),
        "callee_num": leg.caller("Callee-ID-Number"),
        "callee_direction": "SEND" if leg.exchanging else "",
        "call_uuid": str(leg.headers["Channel-Call-UUID"]),
        "sent_callee_name": "",
        "sent_callee_num": "",
        "initial_cid_name": leg.caller("Orig-Caller-ID-Name"),
        "initial_cid_num": leg.caller("Orig-Caller-ID-Number"),
        "initial_ip_addr": leg.caller("Network-Addr") if leg.inbound else "",
        "initial_dest": leg.caller("Destination-Number"),
        "initial_dialplan": leg.caller("Dialplan"),
        "initial_context": leg.caller("Context"),
    }


_CODEC: Final = ("Name", "Rate", "Bit-Rate")


def dump(switch: Switch, leg: Channel, form: str) -> str:
    """One leg's headers as `uuid_dump` gives them."""
    headers = {**switch.bus.head("CHANNEL_DATA"), **leg.snapshot()}
    if form == "json":
        return _ENCODE(headers)
    return plain_headers(headers).decode("utf-8", "surrogateescape") + "\n"


def uptime(us: int) -> str:
    """A span as the switch words it."""
    parts = []
    for name, size in (("year", 31_536_000), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, us = divmod(us, size * SECOND)
        parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    ms, rest = divmod(us, MILLISECOND)
    parts += [f"{ms} millisecond{'' if ms == 1 else 's'}", f"{rest} microsecond{'' if rest == 1 else 's'}"]
    return ", ".join(parts)


def status(switch: Switch) -> str:
    """The command `status`."""
    options, counts = switch.options, switch.counts
    return (
        f"UP {uptime(switch.now - counts.started)}\n"
        f"FreeSWITCH (Version {options.version.replace('~', '  ')}) is ready\n"
        f"{counts.sessions} session(s) since startup\n"
        f"{len(switch.legs)} session(s) - peak {counts.peak}, last 5min {counts.peak} \n"
        f"0 session(s) per Sec out of max {options.sessions_per_second}, peak 0, last 5min 0 \n"
        f"{options.max_sessions} session(s) max\n"
        "min idle cpu 0.00/99.00\n"
    )


def registrations(switch: Switch) -> list[Row]:
    """The phones that are registered, as `show registrations` lists them."""
    options = switch.options
    return [
        {
            "reg_user": phone.extension,
            "realm": options.domain,
            "token": f"token-{phone.extension}",
            "url": f"sofia/{options.agents_profile}/{sip.contact(phone.extension)}",
            "expires": str(switch.now // SECOND + phone.expires_s),
            "network_ip": "127.0.0.1",
            "network_port": sip.contact(phone.extension).rpartition(":")[2],
            "network_proto": "udp",
            "hostname": options.hostname,
            "metadata": "",
        }
        for phone in switch.phones.values()
        if phone.registered
    ]


_USERS: Final = "userid|context|domain|group|contact|callgroup|effective_caller_id_name|effective_caller_id_number\n"
_CONTEXT: Final = "ringledger-agents"


def list_users(switch: Switch, argument: str) -> str:
    """The accounts: one for every phone that there is or was, in the one domain, context and group that we have."""
    words = argument.split()
    own = {"domain": switch.options.domain, "context": _CONTEXT, "group": "agents"}
    asked = dict(zip(words[::2], words[1::2], strict=False))
    users = sorted(switch.phones) if all(asked.get(name, value) == value for name, value in own.items()) else []
    rows = (
        f"{user}|{_CONTEXT}|{own['domain']}|agents|{sofia_contact(switch, user)}|||\n"
        for user in users
        if asked.get("user", user) == user
    )
    return f"{_USERS}{''.join(rows)}\n+OK\n"


_RULE: Final = "=" * 97 + "\n"


def sofia(switch: Switch, argument: str) -> str:
    """`sofia status`, and `sofia status profile NAME reg`."""
    words = argument.split()
    options = switch.options
    if words[:2] == ["status", "profile"] and "reg" in words:
        listed = "".join(
            f"Call-ID:    \t{row['token']}\nUser:       \t{row['reg_user']}@{row['realm']}\n"
            f'Contact:    \t"" <{sip.contact(row["reg_user"])}>\nAgent:      \tsimulator\n'
            f"Status:     \tRegistered(UDP)(unknown)\nHost:       \t{options.hostname}\n"
            f"IP:         \t{row['network_ip']}\nPort:       \t{row['network_port']}\n\n"
            for row in registrations(switch)
        )
        count = len(registrations(switch))
        return f"\nRegistrations:\n{_RULE}{listed}Total items returned: {count}\n{_RULE}"
    if words[:1] == ["status"]:
        pairs = ((options.trunk_profile, options.trunk_port), (options.agents_profile, options.agents_port))
        lines = "".join(f"{name:>25}\tprofile\tsip:mod_sofia@127.0.0.1:{port}\tRUNNING (0)\n" for name, port in pairs)
        return f"{'Name':>25}\t   Type\tData\tState\n{_RULE}{lines}{_RULE}2 profiles 0 aliases\n"
    return "-USAGE: sofia status [profile <name> [reg]]\n"


def sofia_contact(switch: Switch, argument: str) -> str:
    """Where a phone is to be reached."""
    extension = argument.rpartition("/")[2].partition("@")[0]
    phone = switch.phones.get(extension)
    if phone is None or not phone.registered:
        return "error/user_not_registered"
    return f"sofia/{switch.options.agents_profile}/{sip.contact(extension)}"
