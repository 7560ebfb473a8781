"""Idempotency keys: a write that is sent again is answered as the first one, and done once.

The header `Idempotency-Key` (1 to 200 visible ASCII characters, a new one for each wish) belongs to the caller: others
may use the same. What two layers do with it stands in `service.requests`.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec
from flask import Response, request

from orchestrator.domain.kernel import Refused, derived_id
from orchestrator.service.requests import Answered
from web.access.visitor import me
from web.api.forms import Done
from web.parts import parts

HEADER: Final = "Idempotency-Key"
POSITION: Final = "Ringledger-Position"
REPEATED: Final = "Idempotent-Replayed"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")


def key() -> str:
    """The key that came with the request, empty where none did. Raises `Refused` (`bad_key`)."""
    text = request.headers.get(HEADER)
    if text is not None and not _KEY.fullmatch(text):
        raise Refused("bad_key", "An idempotency key has 1 to 200 visible ASCII characters.")
    return text or ""


def inner(text: str) -> str:
    """The key as services and the orchestrator get it, which is this caller's own; empty for none."""
    return derived_id("api", me().actor, request.method, request.path, text) if text else ""


def once(text: str, body: bytes, do: Callable[[], Response], *, secret: bool = False) -> Response:
    """The answer of `do`, or that of the first request with this key. With `secret` the answer is not kept: whoever
    asks again is told that it was given.
    """
    if not text:
        return do()
    requests, caller = parts().reading.requests, me().actor
    content = msgspec.json.encode([request.method, request.path]) + body
    before = requests.begin(caller, text, content)
    if before is not None:
        return _again(before)
    kept = False
    try:
        response = do()
        if response.status_code < 400:  # noqa: PLR2004 - what was refused changed nothing
            kept_body = b"" if secret else response.get_data()
            answered = Answered(response.status_code, response.content_type or "", kept_body)
            requests.done(caller, text, answered)
            kept = True
    finally:
        if not kept:
            requests.forget(caller, text)
    return response


def _again(before: Answered) -> Response:
    if not before.body:
        raise Refused("told_already", "This was done, and its answer held a secret that is told once only.")
    response = Response(before.body, before.status, content_type=before.content_type)
    response.headers[REPEATED] = "true"
    response.headers[POSITION] = str(msgspec.json.decode(before.body, type=Done).position)
    return response
