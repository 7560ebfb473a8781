"""How the desk answers what was done at it."""

from typing import Final

from flask import Response, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from web.push.present import live

# How long a button waits until what it did is in the live state, so that the page it leads to shows it (s).
SEEN_S: Final = 2.0


def done(position: int, told: str = "") -> AnyResponse:
    """To a script of ours the position, to a plain form the desk as it is then."""
    if request.headers.get("X-Requested-With") == "fetch":
        response: Response = jsonify({"position": position, "told": told})
        return response
    live().view.wait_for(position, SEEN_S)
    return redirect(url_for("desk.show"), 303)
