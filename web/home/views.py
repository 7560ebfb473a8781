"""`/` leads to the first screen that the visitor's roles offer, or says that there is none."""

from flask import Blueprint, current_app, redirect, render_template
from werkzeug.wrappers import Response

from web import navigation
from web.access.needs import needs
from web.access.roles import SIGNED_IN

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@needs(SIGNED_IN)
def start() -> Response | str:
    """The first entry of the visitor's bar."""
    found = navigation.shown(current_app)
    return redirect(found[0].url, 303) if found else render_template("home/empty.html")
