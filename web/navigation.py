"""The top bar: what an area offers there, shown to those who may go there."""

from collections.abc import Iterable
from typing import Final

from flask import Flask, request, url_for
from flask_babel.speaklater import LazyString
from msgspec import Struct

from web.access.needs import permission_for
from web.access.visitor import me

_KEY: Final = "ringledger-navigation"


class Item(Struct, frozen=True):
    """One entry: where it leads, and its words (`lazy_gettext`). `order` puts it before those with a higher one."""

    endpoint: str
    label: LazyString
    order: int = 50


class Shown(Struct, frozen=True):
    """An entry as the bar shows it to one visitor."""

    url: str
    label: str
    here: bool


def install(app: Flask) -> None:
    """Give templates `navigation()`."""
    app.extensions[_KEY] = []
    app.jinja_env.globals["navigation"] = lambda: shown(app)


def add(app: Flask, items: Iterable[Item]) -> None:
    """Put these into the bar."""
    found: list[Item] = app.extensions[_KEY]
    found.extend(items)
    found.sort(key=lambda item: item.order)


def shown(app: Flask) -> list[Shown]:
    """What the current visitor may go to."""
    items: list[Item] = app.extensions[_KEY]
    return [
        Shown(url_for(item.endpoint), str(item.label), request.blueprint == item.endpoint.partition(".")[0])
        for item in items
        if me().may(permission_for(app, item.endpoint) or "")
    ]
