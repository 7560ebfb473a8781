"""The application: its areas, the gate before them, languages, headers and error pages, put together.

An area is a package `web/<area>` with a module `views` that has a `blueprint` (and, for the top bar, `NAVIGATION`).
"""

from importlib import import_module
from importlib.resources import files
from typing import Final

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from web import errors, headers, language, navigation, shown, statics
from web.access import gate
from web.access.needs import check_all
from web.parts import KEY, PLACE, Parts, Place
from web.rules import LazyRule

AREAS: Final = (
    "access",
    "home",
    "health",
    "desk",
    "floor",
    "history",
    "recordings",
    "replay",
    "audit",
    "customers",
    "work",
    "blacklist",
    "notices",
    "routing",
    "sizing",
    "ops",
    "whatif",
    "push",
    "api",
)
# A form with a note of some length fits; nothing is uploaded.
LONGEST_BODY: Final = 256 * 1024
MOST_FIELDS: Final = 500


def create_app(parts: Parts) -> Flask:
    """The WSGI application over these parts. Raises RuntimeError where a route does not say what it needs."""
    app = Flask("web", static_folder=None)
    app.url_rule_class = LazyRule
    secure = parts.settings.web_origin.startswith("https://")
    app.config.update(
        # The same in every web process of this ledger, and after a restart: forms that are open stay good.
        SECRET_KEY=parts.reading.vault.token("web", "forms"),
        SESSION_COOKIE_NAME="__Host-ringledger-form" if secure else "ringledger-form",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=LONGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LONGEST_BODY,
        MAX_FORM_PARTS=MOST_FIELDS,
        TRUSTED_HOSTS=headers.trusted_hosts(parts.settings),
    )
    if secure:
        # The proxy with TLS tells who asked it, and that they asked by https. Without one nobody is believed.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0)  # type: ignore[method-assign]
    app.extensions[KEY] = parts
    app.extensions[PLACE] = Place(parts.settings.timezone, parts.settings.region)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    statics.install(app)
    language.install(app)
    headers.install(app, parts.settings.web_connect)
    errors.install(app)
    gate.install(app)
    shown.install(app)
    navigation.install(app)
    for area in AREAS:
        if (files("web") / area / "views.py").is_file():
            views = import_module(f"web.{area}.views")
            app.register_blueprint(views.blueprint)
            navigation.add(app, getattr(views, "NAVIGATION", ()))
    check_all(app)
    return app
