"""The area's blueprint; `views` and `why` put their routes on it."""

from flask import Blueprint

blueprint = Blueprint("history", __name__, url_prefix="/history")
