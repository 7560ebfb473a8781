"""The area's blueprint; `views`, `editing`, `history` and `skills` put their routes on it."""

from flask import Blueprint

blueprint = Blueprint("routing", __name__, url_prefix="/routing")
