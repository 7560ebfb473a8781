"""What browsers are told about every answer: what they may load, run and keep, and that nobody may frame us."""

from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from orchestrator.settings import Settings

# No inline script, no inline style, nothing from elsewhere. data: is for the small pictures inside the style sheet.
POLICY: Final = {
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
    "Content-Security-Policy": "; ".join(f"{directive} {sources}" for directive, sources in POLICY.items()),
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


def install(app: Flask) -> None:
    """Put the headers on every answer."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
    if request.endpoint != "static":
        # Pages show people's data: none of them is for a cache on the way, nor for whoever uses the machine next.
        response.headers.setdefault("Cache-Control", "no-store")
    return response
