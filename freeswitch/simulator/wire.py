"""Bytes of the event socket: what events and replies look like in `plain` and `json`, and how commands are framed."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from freeswitch.simulator.bus import Event, Headers

_UNSAFE: Final = re.compile(rb"%(?![0-9A-F]{2})|[^%!$'()*,./0-9A-Z_a-z~-]")
"""Bytes that the plain format writes as %XX. What looks encoded already stays: a name `%0A` becomes a line feed at the
reader's (switch_url_encode with double_encode off)."""

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

GREETING: Final = b"Content-Type: auth/request\n\n"

GOODBYE: Final = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
SHUTTING_DOWN: Final = "The system is being shut down.\n"
LOST_EVENTS: Final = "killed listener because of lost events\n"


def _percent(found: "re.Match[bytes]") -> bytes:
    return b"%%%02X" % found[0][0]


def _bytes(text: str) -> bytes:
    """Text as it came from the network: bytes that were no UTF-8 go out as they came in."""
    return text.encode("utf-8", "surrogateescape")


def plain_value(value: str) -> bytes:
    """One header's value in the plain format."""
    return _UNSAFE.sub(_percent, _bytes(value))


def plain_headers(headers: Headers) -> bytes:
    """Headers one to a line, values encoded, arrays joined as the switch writes them."""
    lines = []
    for name, value in headers.items():
        text = value if isinstance(value, str) else "ARRAY::" + "|:".join(value)
        lines.append(_bytes(name) + b": " + plain_value(text) + b"\n")
    return b"".join(lines)


def plain(event: Event) -> bytes:
    """An event frame in the plain format."""
    body = plain_headers(event.headers) + b"\n" + _bytes(event.body)
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(body) + body


def as_json(event: Event) -> bytes:
    """An event frame in the json format; an event's body is its member `_body`."""
    members = {**event.headers, "_body": event.body} if event.body else event.headers
    body = _bytes(_ENCODE(members))
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(body) + body


FORMATS: Final[dict[str, Callable[[Event], bytes]]] = {"plain": plain, "json": as_json}


def frame(event: Event, form: str) -> bytes:
    """An event as bytes, made once for all clients of the same format."""
    made = event.wire.get(form)
    if made is None:
        made = event.wire[form] = FORMATS[form](event)
    return made


def reply(text: str) -> bytes:
    """The answer to a command; text that begins with `~` brings its own headers."""
    if text.startswith("~"):
        return b"Content-Type: command/reply\n" + _bytes(text[1:])
    return b"Content-Type: command/reply\nReply-Text: " + _bytes(text) + b"\n\n"


def api_response(text: str) -> bytes:
    """The answer to `api`; an empty one becomes an error, as in the real switch."""
    body = _bytes(text or "-ERR no reply\n")
    return b"Content-Type: api/response\nContent-Length: %d\n\n" % len(body) + body


def notice(text: str) -> bytes:
    """The last frame before the switch closes."""
    body = _bytes(text)
    return b"Content-Type: text/disconnect-notice\nContent-Length: %d\n\n" % len(body) + body


@dataclass(slots=True)
class Request:
    """One command of a client: its line, the headers below it (names in lower case) and its body."""

    line: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(slots=True)
class RequestReader:
    """Takes a client's bytes apart into requests, whatever the pieces in which they come."""

    pending: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Request]:
        """Requests that are complete with these bytes. Lone line feeds between requests are no requests."""
        self.pending += data
        requests: list[Request] = []
        while True:
            request = self._next()
            if request is None:
                return requests
            requests.append(request)

    def _next(self) -> Request | None:
        pending = self.pending
        skip = 0
        while skip < len(pending) and pending[skip] in b"\r\n":
            skip += 1
        if skip:
            del pending[:skip]
        end = _end_of_head(pending)
        if end is None:
            return None
        head, after = end
        lines = pending[:head].decode("utf-8", "surrogateescape").replace("\r", "").split("\n")
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip(" ")
        length = int(headers["content-length"]) if headers.get("content-length", "").isdigit() else 0
        if len(pending) < after + length:
            return None
        body = pending[after : after + length].decode("utf-8", "surrogateescape")
        del pending[: after + length]
        return Request(lines[0], headers, body)


def _end_of_head(data: bytearray) -> tuple[int, int] | None:
    ends = [(data.find(mark), len(mark)) for mark in (b"\n\n", b"\r\n\r\n", b"\n\r\n")]
    found = [(at, at + length) for at, length in ends if at >= 0]
    return min(found) if found else None
