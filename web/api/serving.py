"""One request of a program: how much, what it carries, what it waits for, what is done, what is answered."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, cast

import msgspec
from flask import Response, current_app, request
from flask_babel import gettext
from werkzeug.exceptions import Forbidden, NotFound, TooManyRequests, UnsupportedMediaType

from orchestrator.domain.kernel import Refused
from orchestrator.service.requests import KeyReused, UnderWay
from projections.status import Late, wait_for
from web.access.visitor import me
from web.api import repeats
from web.api.buckets import Buckets
from web.api.forms import Done, Query
from web.api.operations import LIVE, Operation
from web.errors import problem
from web.parts import parts
from web.push.present import live

BUCKETS: Final = "ringledger-api-buckets"
WAIT_S: Final = 2.0
JSON: Final = "application/json"

_IDENT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
# msgspec ends its sentences with the place: "Expected `str`, got `int` - at `$.name`".
_WHERE: Final = re.compile(r"(?P<what>.*?) - at `(?P<where>[^`]*)`", re.DOTALL)


class Wrong(Exception):
    """The request cannot be read. `where` is a JSON path in it, empty for the whole."""

    def __init__(self, code: str, what: str, where: str = "") -> None:
        super().__init__(what)
        self.code = code
        self.where = where


def view_of(operation: Operation) -> Callable[..., Response]:
    """The route's function."""

    @wraps(operation.handler)
    def view(**path: str) -> Response:
        if not operation.is_open_to(me().permissions):
            raise Forbidden
        try:
            return _answered(operation, path)
        except Wrong as wrong:
            more = {"where": wrong.where} if wrong.where else {}
            return problem(400, wrong.code, gettext("This request could not be read"), str(wrong), **more)
        except Late as late:
            return _again(problem(503, "late", gettext("Not as far yet"), str(late)))
        except Refused as refused:
            return _refused(refused, path)

    return view


def _again(response: Response) -> Response:
    response.headers["Retry-After"] = "1"
    return response


def _answered(operation: Operation, path: dict[str, str]) -> Response:
    _take_one()
    if any(not _IDENT.fullmatch(value) for value in path.values()):
        raise NotFound
    query = _query(operation.query)
    if isinstance(query, Query):
        _refuse_unreached(query.after)
        _wait(operation.models, query.after)
        return _response(operation, operation.carry_out(**path, query=query))
    content = request.get_data()
    body, key = _body(operation.body, content), repeats.key()

    def do() -> Response:
        return _response(operation, operation.carry_out(**path, body=body, key=repeats.inner(key)))

    return repeats.once(key, content, do, secret=operation.secret)


def _take_one() -> None:
    buckets = cast("Buckets", current_app.extensions[BUCKETS])
    if wait_s := buckets.take(me().actor):
        error = TooManyRequests()
        cast("Any", error).retry_after = wait_s
        raise error


def _query(kind: type[msgspec.Struct]) -> msgspec.Struct:
    """What stands behind `?`, checked. Each name once, but for those that may stand there several times."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    found: dict[str, Any] = {}
    for name, values in request.args.lists():
        many = name in fields and isinstance(fields[name].default, tuple)
        if len(values) > 1 and not many:
            raise Wrong("bad_query", gettext("It stands there more than once."), f"$.{name[:60]}")
        if any("\x00" in value for value in values):
            raise Wrong("bad_query", gettext("There is a character that is no text."), f"$.{name[:60]}")
        if name in fields and isinstance(fields[name].default, int) and not isinstance(fields[name].default, bool):
            _refuse_unless_whole(name, values[0])
        found[name] = values if many else values[0]
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _wrong("bad_query", error) from None


def _refuse_unless_whole(name: str, value: str) -> None:
    if not _WHOLE.fullmatch(value):
        raise Wrong("bad_query", gettext("Write a whole number."), f"$.{name}")


def _body(kind: type[msgspec.Struct], body: bytes) -> msgspec.Struct:
    """The body, checked. Where nothing must stand in it, there need be none."""
    if not body and not request.mimetype and not any(field.required for field in msgspec.structs.fields(kind)):
        return kind()
    if request.mimetype != JSON:
        raise UnsupportedMediaType
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _wrong("bad_body", error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Wrong("bad_json", gettext("This is no JSON that can be read: %(why)s", why=str(error))) from None


def _wrong(code: str, error: msgspec.ValidationError) -> Wrong:
    found = _WHERE.fullmatch(str(error))
    return Wrong(code, str(error)) if found is None else Wrong(code, found["what"], found["where"])


def _refuse_unreached(position: int) -> None:
    """What nobody was ever answered is not waited for."""
    if position and position > parts().reading.log.position():
        raise Wrong("bad_position", gettext("The log has not come to this position."), "$.after")


def _wait(models: tuple[str, ...], position: int) -> None:
    """Until what is shown knows this position. Raises `Late`."""
    if not position:
        return
    for model in models:
        if model != LIVE:
            wait_for(parts().reading.reader, model, position, WAIT_S)
        elif not live().view.wait_for(position, WAIT_S):
            raise Late("live", live().view.position, position)


def _response(operation: Operation, answer: msgspec.Struct) -> Response:
    response = Response(msgspec.json.encode(answer), operation.status, content_type=JSON)
    if isinstance(answer, Done):
        response.headers[repeats.POSITION] = str(answer.position)
    return response


def _refused(refused: Refused, path: dict[str, str]) -> Response:
    """A refusal with the status that says what kind it is; what needs nothing special goes the way of every page."""
    if isinstance(refused, KeyReused):
        return problem(422, refused.code, gettext("This key was used already"), refused.message)
    if isinstance(refused, UnderWay):
        return _again(problem(409, refused.code, gettext("This cannot be done now"), refused.message))
    prefix, _, kind = refused.code.partition("_")
    missing = refused.code.removeprefix("no_such_") if prefix == "no" else kind if prefix == "unknown" else ""
    if missing and any(name.removesuffix("_id") == missing for name in path):
        return problem(404, refused.code, gettext("There is nothing here"), refused.message)
    if refused.code == "not_allowed":
        return problem(403, refused.code, gettext("You may not do this"), refused.message)
    raise refused
