"""The OpenAPI 3.1 document, made from the table of operations and their structs."""

import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from web.access.roles import GRANTS, PERMISSIONS
from web.api.forms import Problem
from web.api.operations import OPERATIONS, Operation

VERSION: Final = "1"
_PLACES: Final = re.compile(r"\{(\w+)\}")
_PROBLEMS: Final = {
    400: "The request cannot be read, or asks for what cannot be.",
    401: "No token, or one that is none, has expired or was revoked.",
    403: "The role does not include it.",
    404: "There is no such thing.",
    409: "It does not fit what is now, or the first request with this key has no answer yet.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "The idempotency key was given to another request.",
    429: "Too many requests.",
    503: "Something that this needs is away, or is not as far as `after` asks.",
}
_OF_ALL: Final = (400, 401, 403, 429, 503)
_OF_WRITES: Final = (409, 413, 415, 422)
_AGAIN: Final = (409, 429, 503)

_ABOUT: Final = """Whatever the desk and the screens of Ringledger can do, a program can do.

Instants are ISO 8601 in UTC; fields whose names end in `_ms` are milliseconds; days are site-local. Lists are
`{"items": […], "next_cursor": …}`: ask for the next page with `cursor=<next_cursor>` until it is null. Telephone
numbers are masked where the role does not see whole ones.

A write answers with the `position` of the log that it came to, also in the header `Ringledger-Position`; a read with
`after=<position>` waits, 2 s at most, until it knows that one. A write with the header `Idempotency-Key` is done once
however often it is sent, and answered the same. Errors are problem details (RFC 9457) with a stable `code`."""


def document() -> dict[str, Any]:
    """The whole document, JSON-able."""
    kinds = [each for operation in OPERATIONS for each in _kinds(operation)] + [Problem]
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    known = dict(zip(map(str, kinds), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, known, components)
    for kind in {operation.query for operation in OPERATIONS} - {operation.body for operation in OPERATIONS}:
        components.pop(kind.__name__, None)  # it stands as parameters
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "Ringledger", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in OPERATIONS)],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {str(status): _problem(status, words) for status, words in _PROBLEMS.items()},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by an administrator: `ringledger token --role …`, or POST /tokens.",
                }
            },
        },
    }
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(whole))
    return found


def roles_of(operation: Operation) -> list[str]:
    """The roles that may."""
    return [role for role, granted in GRANTS.items() if operation.is_open_to(granted)]


def _kinds(operation: Operation) -> list[Any]:
    return [operation.query, operation.body, operation.answer]


def _operation(operation: Operation, known: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    writes = operation.writes
    statuses = [*_OF_ALL, *(_OF_WRITES if writes else ()), *((404,) if "{" in operation.path else ())]
    parameters = [_in_path(name) for name in _PLACES.findall(operation.path)]
    parameters += _in_query(operation.query, components)
    if writes:
        parameters.append(_IDEMPOTENCY_KEY)
    success: dict[str, Any] = {
        "description": "Done." if writes else "Found.",
        "content": {"application/json": {"schema": known[str(operation.answer)]}},
    }
    if writes:
        success["headers"] = {"Ringledger-Position": {"schema": {"type": "integer"}, "description": "As in the body."}}
    found: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"Needs {operation.needed}, to {PERMISSIONS[operation.permission]}: "
        f"{', '.join(roles_of(operation))}.",
        "parameters": parameters,
        "responses": {str(operation.status): success}
        | {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)},
    }
    if writes:
        needed = any(field.required for field in msgspec.structs.fields(operation.body))
        content = {"application/json": {"schema": known[str(operation.body)]}}
        found["requestBody"] = {"required": needed, "content": content}
    return found


_IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A new one for each wish; sent again with the same request, nothing is done twice.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}


def _in_path(name: str) -> dict[str, Any]:
    pattern = "^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$"
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


def _in_query(query: type[Struct], components: dict[str, Any]) -> list[dict[str, Any]]:
    """A parameter for each field of the struct, which itself then stands nowhere."""
    properties: dict[str, dict[str, Any]] = components[query.__name__]["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "description": schema.get("description", ""),
            "schema": {key: value for key, value in schema.items() if key != "description"},
        }
        for name, schema in properties.items()
    ]


def _problem(status: int, words: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found: dict[str, Any] = {"description": words, "content": content}
    if status == 401:  # noqa: PLR2004 - RFC 9110 wants it
        found["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    if status in _AGAIN:
        found["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return found
