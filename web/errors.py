"""What goes wrong, in words that say what to do: a page for people, problem details (RFC 9457) for programs."""

from typing import Final

import structlog
from flask import Flask, Response, g, jsonify, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

from orchestrator.control import ControlError
from orchestrator.domain.kernel import Refused
from projections.reading import LOST, NOT_BUILT, Away, NotKept, VersionConflict
from web import refusals
from web.access.gate import wants_page
from web.access.visitor import NOBODY

log = structlog.get_logger(__name__)

# Seconds after which it is worth asking again, where something is away.
AGAIN_S: Final = 5


def install(app: Flask) -> None:
    """Answer every error, expected or not."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _out_of_date)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(VersionConflict, _conflict)
    app.register_error_handler(Away, _away)
    app.register_error_handler(LOST, _away)
    app.register_error_handler(NotKept, _away)
    app.register_error_handler(NOT_BUILT, _not_built)
    app.register_error_handler(ControlError, _engine_away)
    app.register_error_handler(Exception, _unexpected)


def problem(status: int, code: str, title: str, detail: str, **more: str) -> Response:
    """An RFC 9457 answer. `code` is stable, for programs; title and detail are for people. `more`: further members."""
    body = {
        "type": f"urn:ringledger:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def answer(status: int, code: str, title: str, advice: str) -> Response:
    """The same error to a program or as a page or, to a script of a page of ours, as a few words."""
    if not wants_page():
        return problem(status, code, title, advice)
    return Response(
        render_template("errors/error.html", status=status, title=title, advice=advice), status, mimetype="text/html"
    )


def _words(status: int) -> tuple[str, str]:
    """Title and advice for an HTTP status."""
    known = {
        400: (
            gettext("This request could not be read"),
            gettext("Nothing was changed. Load the page again and repeat what you did."),
        ),
        401: (gettext("You are not signed in"), gettext("Sign in, then repeat what you did.")),
        403: (
            gettext("You may not do this"),
            gettext("Your role does not include it. Ask an administrator if it should."),
        ),
        404: (
            gettext("There is nothing here"),
            gettext("The address is misspelt, or what it named does not exist. Go back to the start page."),
        ),
        405: (gettext("This address does not take this request"), gettext("Go back, and use the page's own buttons.")),
        413: (gettext("This is too much at once"), gettext("Shorten what you wrote, and send it again.")),
        415: (gettext("This kind of content is not understood"), gettext("Send application/json.")),
        419: (
            gettext("This page is out of date"),
            gettext("Nothing was changed. Load the page again and repeat what you did."),
        ),
        429: (gettext("Too many tries"), gettext("Wait a while, then try again.")),
        503: (
            gettext("Something that this needs is away"),
            gettext("Nothing was changed. Wait a few seconds, then try again."),
        ),
    }
    return known.get(
        status,
        (
            gettext("Something went wrong here"),
            gettext("It was noted. Try again; if it happens once more, tell whoever runs this."),
        ),
    )


def _http(error: HTTPException) -> Response:
    if isinstance(error, SecurityError):
        # The host is none of ours: no URL can be built for a page.
        return problem(400, "unknown_host", "Unknown host", "Use the address that RINGLEDGER_WEB_ORIGIN names.")
    status = error.code or 500
    if status < 400:  # noqa: PLR2004 - a redirect that was raised
        return Response(error.get_response().get_data(), status, headers=list(error.get_response().headers))
    code = getattr(error, "ringledger_code", "") or error.name.lower().replace(" ", "_")
    response = answer(status, code, *_words(status))
    if status == 405 and getattr(error, "valid_methods", None):  # noqa: PLR2004 - RFC 9110 wants Allow with it
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    if (after := getattr(error, "retry_after", None)) is not None:
        response.headers["Retry-After"] = str(after)
    if status == 401:  # noqa: PLR2004 - RFC 9110 wants it
        response.headers["WWW-Authenticate"] = 'Bearer realm="ringledger"'
    return response


def _out_of_date(error: CSRFError) -> Response:
    log.info("csrf-refused", why=error.description)
    return answer(419, "page_out_of_date", *_words(419))


def _refused(error: Refused) -> Response:
    if error.code.startswith("bad_"):
        return answer(400, error.code, _words(400)[0], refusals.words(error))
    if error.code == "recording_unreadable":
        return _again(answer(503, error.code, gettext("This cannot be done now"), refusals.words(error)))
    return answer(409, error.code, gettext("This cannot be done now"), refusals.words(error))


def _conflict(error: VersionConflict) -> Response:
    log.info("version-conflict", streams=error.streams)
    advice = gettext("Somebody else changed it meanwhile. Load the page again, and repeat what still applies.")
    return answer(409, "version_conflict", gettext("This cannot be done now"), advice)


def _away(error: Exception) -> Response:
    log.warning("database-away", why=str(error))
    g.visitor = g.get("visitor", NOBODY)
    return _again(answer(503, "database_away", *_words(503)))


def _not_built(error: Exception) -> Response:
    log.info("asked-too-early", why=str(error))
    advice = gettext("Everything is being read. Try again in a moment.")
    return _again(answer(503, "not_ready", gettext("Not ready yet"), advice))


def _engine_away(error: ControlError) -> Response:
    log.warning("engine-away", why=str(error))
    return _again(answer(503, "engine_away", *_words(503)))


def _again(response: Response) -> Response:
    response.headers["Retry-After"] = str(AGAIN_S)
    return response


def _unexpected(error: Exception) -> Response:
    log.error("request-failed", path=request.path, endpoint=request.endpoint, exc_info=error)
    return answer(500, "internal_error", *_words(InternalServerError.code))
