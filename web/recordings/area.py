"""The area's blueprint; `views` and `sending` put their routes on it."""

from flask import Blueprint

blueprint = Blueprint("recordings", __name__, url_prefix="/recordings")
