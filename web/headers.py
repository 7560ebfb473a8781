"""What browsers are told about every answer: what they may load, run and keep, and that nobody may frame us."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from orchestrator.settings import Settings

# No inline script, no inline style, nothing from elsewhere but what the settings name. data: is for the small pictures
# inside the style sheet.
_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "media-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
_ALWAYS: Final = {
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_YEAR_S: Final = 31_536_000


def trusted_hosts(settings: Settings) -> list[str]:
    """The names under which we answer: another one is a page elsewhere whose name was pointed at us."""
    named = [urlsplit(settings.web_origin).hostname or ""]
    if settings.web is not None:
        named.append(settings.web.host)
    hosts = [f"[{host}]" if ":" in host else host for host in ("localhost", "127.0.0.1", "::1", *named) if host]
    return list(dict.fromkeys(hosts))


def policy(connect_to: Sequence[str]) -> str:
    """The content security policy: ourselves alone, and what RINGLEDGER_WEB_CONNECT lets pages of ours talk to."""
    connect = {"connect-src": " ".join((_POLICY["connect-src"], *connect_to))}
    return "; ".join(f"{directive} {sources}" for directive, sources in {**_POLICY, **connect}.items())


def install(app: Flask, connect_to: Sequence[str] = ()) -> None:
    """Put the headers on every answer."""
    always = {"Content-Security-Policy": policy(connect_to), **_ALWAYS}
    app.after_request(lambda response: _add(response, always))


def _add(response: Response, always: Mapping[str, str]) -> Response:
    for name, value in always.items():
        response.headers.setdefault(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
    if request.endpoint != "static":
        # Pages show people's data: none of them is for a cache on the way, nor for whoever uses the machine next.
        response.headers.setdefault("Cache-Control", "no-store")
    return response
