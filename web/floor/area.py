"""The area's blueprint, on which its modules put their routes."""

from flask import Blueprint

blueprint = Blueprint("floor", __name__, url_prefix="/floor")
