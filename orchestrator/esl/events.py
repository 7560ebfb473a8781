"""Events of the socket, reduced to the headers that translation reads. Pure, and never raises on any input.

A `SwitchEvent` is what travels to the loop and what the tape keeps. Both formats of the switch decode to the same one.
"""

import json
import re
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import unquote

from msgspec import DecodeError, Struct
from msgspec.json import Decoder
from msgspec.structs import fields

# Our word for each header that is read, and the header's own name.
HEADERS: Mapping[str, str] = {
    "name": "Event-Name",
    "subclass": "Event-Subclass",
    "core": "Core-UUID",
    "timestamp": "Event-Date-Timestamp",
    "sequence": "Event-Sequence",
    "leg": "Unique-ID",
    "direction": "Call-Direction",
    "answer_state": "Answer-State",
    "dialled": "Caller-Destination-Number",
    "caller_number": "Caller-Caller-ID-Number",
    "caller_name": "Caller-Caller-ID-Name",
    "context": "Caller-Context",
    "host": "variable_sip_received_ip",
    "gateway": "variable_sip_gateway",
    "profile": "variable_sofia_profile_name",
    "account": "variable_user_name",
    "contact": "variable_ringledger_contact",
    "offer": "variable_ringledger_offer",
    "other": "Other-Leg-Unique-ID",
    "bridge_a": "Bridge-A-Unique-ID",
    "bridge_b": "Bridge-B-Unique-ID",
    "cause": "Hangup-Cause",
    "sip_refusal": "variable_sip_invite_failure_status",
    "disposition": "variable_sip_hangup_disposition",
    "sip_reason": "variable_sip_reason",
    "transfer": "variable_transfer_source",
    "digit": "DTMF-Digit",
    "digit_samples": "DTMF-Duration",
    "record_path": "Record-File-Path",
    "record_ms": "variable_record_ms",
    "record_cause": "Record-Completion-Cause",
    "conference": "Conference-Name",
    "action": "Action",
    "job": "Job-UUID",
    "body": "_body",
    "sessions": "Session-Count",
    "from_user": "from-user",
    "user": "user",
    "expires": "expires",
    "flaws": "Ringledger-Flaws",
}

_LENGTH = re.compile(r"[0-9]{1,15}")


class SwitchEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, rename=HEADERS):
    """One event, reduced to the headers that translation reads. Every value is text as the switch wrote it."""

    name: str = ""
    subclass: str = ""
    core: str = ""
    timestamp: str = ""
    sequence: str = ""
    leg: str = ""
    direction: str = ""
    answer_state: str = ""
    dialled: str = ""
    caller_number: str = ""
    caller_name: str = ""
    context: str = ""
    host: str = ""
    gateway: str = ""
    profile: str = ""
    account: str = ""
    contact: str = ""
    offer: str = ""
    other: str = ""
    bridge_a: str = ""
    bridge_b: str = ""
    cause: str = ""
    sip_refusal: str = ""
    disposition: str = ""
    sip_reason: str = ""
    transfer: str = ""
    digit: str = ""
    digit_samples: str = ""
    record_path: str = ""
    record_ms: str = ""
    record_cause: str = ""
    conference: str = ""
    action: str = ""
    job: str = ""
    body: str = ""
    sessions: str = ""
    from_user: str = ""
    user: str = ""
    expires: str = ""
    flaws: str = ""
    """Not a header: what `decode_json` or `decode_plain` could not read of this event."""


HEADERS_READ: frozenset[str] = frozenset(field.encode_name for field in fields(SwitchEvent)) - {HEADERS["flaws"]}


_Event = TypeVar("_Event", bound=SwitchEvent)
_decoder = Decoder(SwitchEvent)


def decode_json(body: bytes) -> SwitchEvent:
    """The event in a body of `text/event-json`. What is no event at all comes back empty, with its flaw said."""
    try:
        return _decoder.decode(body)
    except (DecodeError, UnicodeDecodeError):
        return decode_odd_json(body, SwitchEvent)


def decode_odd_json(body: bytes, kind: type[_Event]) -> _Event:
    """The slow and forgiving way: arrays, numbers, bytes that are no UTF-8, or no JSON at all."""
    text = body.decode("utf-8", "replace")
    flaw = "" if text.encode() == body else "bytes that are no UTF-8"
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        return kind(flaws=f"no JSON: {str(error)[:100]}")
    if not isinstance(found, dict):
        return kind(flaws="no JSON object")
    return _from_headers(found, kind, flaw)


def decode_plain(body: bytes) -> SwitchEvent:
    """The event in a body of `text/event-plain`.

    Lines are split before anything is unquoted, so that a line break inside a caller's name stays inside it.
    """
    head, _, rest = body.partition(b"\n\n")
    found: dict[str, object] = {}
    flaw = ""
    for line in head.split(b"\n"):
        name, colon, value = line.partition(b": ")
        if colon:
            quoted = value.decode("utf-8", "replace")
            text = unquote(quoted, errors="replace") if "%" in quoted else quoted
            if "\ufffd" in text:
                flaw = "bytes that are no UTF-8"
            found[name.decode("utf-8", "replace")] = text
        elif line:
            flaw = "a line without a name"
    length = found.get("Content-Length")
    if isinstance(length, str) and _LENGTH.fullmatch(length):
        found["_body"] = rest[: int(length)].decode("utf-8", "replace")
    return _from_headers(found, SwitchEvent, flaw)


def _from_headers(found: Mapping[str, object], kind: type[_Event], flaw: str) -> _Event:
    values: dict[str, str] = {}
    for field in fields(kind):
        value = found.get(field.encode_name)
        if value is not None and field.name != "flaws":
            values[field.name] = _as_text(value)
    return kind(**values, flaws=flaw)


def _as_text(value: object) -> str:
    """A header as text; a list as the plain format writes it, `ARRAY::a|:b`. Never holds a lone surrogate."""
    if isinstance(value, list):
        return "ARRAY::" + "|:".join(_as_text(item) for item in value)
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()
