"""Our own style and scripts, held in memory: nothing is looked up in a file system by what a request says.

The path has a version, the digest of all files: browsers keep them for ever and ask anew after an upgrade, also for
modules that import each other by relative path.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from flask import Flask, Response, abort, request, url_for
from msgspec import Struct

from web.access.needs import needs
from web.access.roles import PUBLIC

_TYPES: Final = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TEXT: Final = ("text/", "image/svg+xml", "application/json")


class Static(Struct, frozen=True):
    """One file, ready to be sent."""

    content: bytes
    packed: bytes
    """gzip; empty where that would not help."""
    media_type: str


@cache
def held() -> Mapping[str, Static]:
    """Every file under web/static by its path there."""
    return {name: _static(name, place.read_bytes()) for name, place in _walk(files("web") / "static", "")}


@cache
def version() -> str:
    """Changes whenever any file does."""
    whole = hashlib.sha256()
    for name, each in sorted(held().items()):
        whole.update(name.encode() + b"\0" + hashlib.sha256(each.content).digest())
    return whole.hexdigest()[:12]


def static_url(name: str) -> str:
    """The path of one of our files. Raises KeyError where there is none such: a misspelt name must not reach a page."""
    if name not in held():
        raise KeyError(f"web/static has no {name}")
    return url_for("static", digest=version(), name=name)


def install(app: Flask) -> None:
    """Serve them, and give templates `static_url`."""
    app.add_url_rule("/static/<digest>/<path:name>", "static", _serve, methods=["GET"])
    app.jinja_env.globals["static_url"] = static_url


@needs(PUBLIC)
def _serve(digest: str, name: str) -> Response:
    found = held().get(name)
    if found is None:
        abort(404)
    packed = bool(found.packed) and "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(found.packed if packed else found.content, content_type=found.media_type)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = _FOR_EVER if digest == version() else "no-cache"
    return response


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for each in folder.iterdir():
        name = f"{prefix}{each.name}"
        found += _walk(each, f"{name}/") if each.is_dir() else [(name, each)]
    return found


def _static(name: str, content: bytes) -> Static:
    ending = name[name.rfind(".") :]
    media_type = _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if media_type.startswith(_TEXT):
        packed = gzip.compress(content, 9, mtime=0)
        media_type += "; charset=utf-8"
        return Static(content, packed if len(packed) < len(content) else b"", media_type)
    return Static(content, b"", media_type)
