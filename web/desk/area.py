"""The area's blueprint, on which its modules put their routes, and what several of them ask."""

from typing import Final

from flask import Blueprint, abort, request

from projections.live_calls import Call
from web.access.visitor import me
from web.desk.answers import SEEN_S
from web.push.present import live

blueprint = Blueprint("desk", __name__, url_prefix="/desk")

LONGEST: Final = 64


def own(contact_id: str) -> Call:
    """The contact as this agent had it in this shift; 404 for anybody else's. Raises `NotReady`: before everything is
    read, nobody's contacts are known, and what a desk sends must not be told that its own is none.
    """
    view = live().view
    view.wait_ready(SEEN_S)
    found = view.calls.find(me().agent_id, contact_id)
    if found is None:
        abort(404)
    return found


def field(name: str) -> str:
    """A short field of the form."""
    return request.form.get(name, "")[:LONGEST]
