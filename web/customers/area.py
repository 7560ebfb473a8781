"""The area's blueprint; `views` and `blacklist` put their routes on it."""

from flask import Blueprint

blueprint = Blueprint("customers", __name__, url_prefix="/customers")
