"""The area's blueprint; `views`, `manage` and `reveal` put their routes on it."""

from flask import Blueprint

blueprint = Blueprint("access", __name__)
