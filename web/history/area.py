"""The area's blueprint; `views` and `recordings` put their routes on it."""

from flask import Blueprint

blueprint = Blueprint("history", __name__, url_prefix="/history")
