"""What the switch says about its channels and phones when asked: `show channels`, `uuid_dump` and `list_users`, read
into what we know. Pure.

`show channels` is fed through a table of the switch's own and lags behind; it only says which channels to ask about.
What counts is `uuid_dump`, which reads the living channel.
"""

import json
import re

from msgspec import DecodeError
from msgspec.json import Decoder

from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch.facts import SeenLeg
from orchestrator.esl.events import SwitchEvent, decode_odd_json
from orchestrator.esl.translate import checked_extension, checked_name

_SESSIONS = re.compile(r"^([0-9]{1,9}) session\(s\) - peak", re.MULTILINE)
_NUMBER = re.compile(r"[0-9]{1,18}")
# The columns of `list_users` that are read.
_USER, _CONTACT = "userid", "contact"
_NO_CONTACT = "error/"

# Channel-State, as seen on a real switch in each of our situations (tests/contract): a parked leg executes the park
# application (or, in it, playback), or is in CS_PARK after a bridge; the two legs of uuid_bridge are in these.
_PARKED = frozenset({"CS_EXECUTE", "CS_PARK"})
_BRIDGED = frozenset({"CS_SOFT_EXECUTE", "CS_EXCHANGE_MEDIA"})
# Channel-Call-State of a leg whose far end said that it rings: by itself, or with sound of its own.
_RINGING = frozenset({"RINGING", "EARLY"})
_ROOM = "conference"
_WAITING = frozenset({"park", "playback", "answer", ""})


class ChannelDump(
    SwitchEvent,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "state": "Channel-State",
        "call_state": "Channel-Call-State",
        "answer_state": "Answer-State",
        "created": "Caller-Channel-Created-Time",
        "partner": "variable_bridge_uuid",
        "application": "variable_current_application",
        "argument": "variable_current_application_data",
        "phone": "variable_ringledger_phone",
    },
):
    """A `uuid_dump`: an event like any other, and the headers that tell what the channel is doing."""

    state: str = ""
    call_state: str = ""
    answer_state: str = ""
    created: str = ""
    partner: str = ""
    application: str = ""
    argument: str = ""
    phone: str = ""


_decoder = Decoder(ChannelDump)


def session_count(status: str) -> int | None:
    """How many channels the switch has now, by its answer to `status`; None where that cannot be read."""
    found = _SESSIONS.search(status)
    return int(found[1]) if found else None


def listed_legs(answer: str) -> tuple[str, ...] | None:
    """The legs in an answer to `show channels as json`; None where it is no such answer."""
    try:
        found = json.loads(answer)
        rows = found.get("rows", []) if found["row_count"] else []
        legs = [row["uuid"] for row in rows]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    return tuple(leg for leg in legs if isinstance(leg, str) and checked_name(leg))


def listed_phones(answer: str) -> dict[str, bool]:
    """Whether a phone is registered, of each account in an answer to `list_users`; empty where it is no such answer."""
    heading, *rows = answer.splitlines() or [""]
    columns = heading.split("|")
    if _USER not in columns or _CONTACT not in columns:
        return {}
    user, contact = columns.index(_USER), columns.index(_CONTACT)
    split = [row.split("|") for row in rows]
    return {
        row[user]: bool(row[contact]) and not row[contact].startswith(_NO_CONTACT)
        for row in split
        if len(row) >= len(columns) and checked_extension(row[user])
    }


def seen_leg(leg: str, dump: str) -> SeenLeg | None:
    """The leg as its `uuid_dump` tells; None where it is gone by now or the answer cannot be read."""
    body = dump.encode("utf-8", "replace")
    try:
        channel = _decoder.decode(body)
    except (DecodeError, UnicodeDecodeError):
        channel = decode_odd_json(body, ChannelDump)
    if channel.leg != leg:
        return None
    # bridge_uuid outlives the bridge, so the state decides whether it is true now.
    partner = channel.partner or channel.other
    bridged = channel.state in _BRIDGED and bool(checked_name(partner))
    return SeenLeg(
        leg=leg,
        inbound=channel.direction == "inbound",
        ringing=channel.direction == "outbound" and channel.call_state in _RINGING,
        answered=channel.answer_state == "answered",
        parked=channel.state in _PARKED and channel.application in _WAITING,
        bridged_to=partner if bridged else "",
        held=channel.call_state == "HELD",
        room=checked_name(channel.argument.partition("@")[0]) if channel.application == _ROOM else "",
        contact=checked_name(channel.contact),
        offer=checked_name(channel.offer),
        phone=checked_extension(channel.phone),
        dialled=channel.dialled,
        caller_number=channel.caller_number,
        caller_name=channel.caller_name,
        context=channel.context,
        trunk=channel.gateway or channel.profile,
        host=channel.host,
        created=Instant(int(channel.created)) if _NUMBER.fullmatch(channel.created) else None,
    )
