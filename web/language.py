"""English and Chinese: which one a page is in, and how it is changed without leaving the page."""

from typing import Final

from flask import Flask, g, request
from flask_babel import Babel, get_locale

from orchestrator.domain.access.users import LANGUAGES
from web.access.visitor import me

COOKIE: Final = "ringledger-language"
YEAR_S: Final = 31_536_000
NAMES: Final = {"en": "English", "zh": "中文"}
# What <html lang> says; Chinese fonts and screen readers want to know which script.
TAGS: Final = {"en": "en", "zh": "zh-Hans"}


def install(app: Flask) -> None:
    """Translate pages, and give templates the language."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, default_locale="en", locale_selector=chosen)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.globals.update(language=current, languages=NAMES, language_tag=lambda: TAGS[current()])


def chosen() -> str:
    """The user's own choice, or this browser's, or what the browser asks for."""
    for choice in (g.get("language", ""), me().language, request.cookies.get(COOKIE, "")):
        if choice in LANGUAGES:
            return str(choice)
    return request.accept_languages.best_match(LANGUAGES, "en") or "en"


def current() -> str:
    """The language of the answer to this request, `en` or `zh`."""
    locale = get_locale()
    return locale.language if locale is not None and locale.language in LANGUAGES else "en"
