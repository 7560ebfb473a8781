"""The routes: one for each operation of the table, the document, and the page that shows it to people."""

import re
from functools import cache
from typing import Final

import msgspec
from flask import Blueprint, Response, render_template
from flask.blueprints import BlueprintSetupState

from web.access.needs import needs
from web.access.roles import PUBLIC
from web.api.buckets import Buckets
from web.api.openapi import document, roles_of
from web.api.operations import OPERATIONS, Operation
from web.api.serving import BUCKETS, view_of

blueprint = Blueprint("api", __name__, url_prefix="/api")
BASE: Final = "/v1"
_PLACES: Final = re.compile(r"\{(\w+)\}")


@blueprint.record
def _install(state: BlueprintSetupState) -> None:
    state.app.extensions[BUCKETS] = Buckets()


for _each in OPERATIONS:
    blueprint.add_url_rule(
        BASE + _PLACES.sub(r"<\1>", _each.path),
        _each.name,
        needs(_each.permission)(view_of(_each)),
        methods=[_each.method],
    )


@blueprint.get("/")
@needs(PUBLIC)
def page() -> str:
    """What programs can do, for people who write them."""
    tags: dict[str, list[Operation]] = {}
    for operation in OPERATIONS:
        tags.setdefault(operation.tag, []).append(operation)
    return render_template("api/page.html", tags=tags, base=f"/api{BASE}", roles_of=roles_of)


@blueprint.get(f"{BASE}/openapi.json")
@needs(PUBLIC)
def openapi() -> Response:
    """The document."""
    return Response(_document(), content_type="application/json")


@cache
def _document() -> bytes:
    return msgspec.json.format(msgspec.json.encode(document()), indent=1)
