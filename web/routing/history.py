"""The configuration's history: who made which version, when and why, and what differs between two (feature 11.5)."""

from typing import Final

from flask import abort, render_template, request
from msgspec import Struct

from orchestrator.domain.kernel import Instant, Record, Refused, ident_of, kind_of
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.service import configuration
from orchestrator.service.drafts import between
from orchestrator.service.planning import Current
from web.access.needs import needs
from web.history.shown import names_now
from web.parts import parts
from web.routing.area import blueprint
from web.routing.labels import as_read, key_name, section_name
from web.routing.sayings import said
from web.writing import fresh_key

_PAGE: Final = 50


class Version(Struct, frozen=True):
    """One version of the configuration."""

    number: int
    at: Instant
    actor: str
    reason: str
    draft: str
    changed: tuple[str, ...]


@blueprint.get("/history")
@needs("routing.see")
def versions() -> str:
    """Every version, the latest first, page by page."""
    log, site = parts().reading.log, parts().settings.site
    now = configuration.current(log, site)
    before = request.args.get("before", type=int) or now.version + 1
    found = [version_of(now.history[number]) for number in sorted(now.history, reverse=True) if number < before]
    return render_template(
        "routing/history.html",
        now=now,
        versions=found[:_PAGE],
        following=found[_PAGE - 1].number if len(found) > _PAGE else 0,
        names=names_now()[0],
    )


@blueprint.get("/history/<int:number>")
@needs("routing.see")
def version(number: int) -> str:
    """What differs between a version and another one; the one before it where none is named."""
    log, site = parts().reading.log, parts().settings.site
    against = request.args.get("against", type=int)
    before = number - 1 if against is None else against
    try:
        then = configuration.at_version(log, site, number)
        earlier = Current(site, 0, {}, {}) if before == 0 else configuration.at_version(log, site, before)
    except Refused:
        abort(404)
    now = configuration.current(log, site)
    return render_template(
        "routing/version.html",
        number=number,
        before=before,
        now=now,
        shown=version_of(now.history[number]) if number in now.history else None,
        changes=between(earlier, then).changes,
        names=names_now()[0],
        section_name=section_name,
        key_name=key_name,
        as_read=as_read,
        said=said,
        kind_of=kind_of,
        ident_of=ident_of,
        key=fresh_key(),
    )


def version_of(record: Record) -> Version:
    """What a version's record says."""
    event = record.event
    assert isinstance(event, ConfigurationApplied)  # noqa: S101 - `Current.history` holds nothing else
    return Version(record.version, record.about.at, record.about.actor, event.reason, event.draft, event.changed)
