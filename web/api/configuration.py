"""The configuration: what is in force, how it came to be, what a change would do, and the change itself."""

from typing import Annotated, Literal

from flask import abort
from msgspec import Meta, Struct

from orchestrator.domain.kernel import Record, Refused, ident_of, kind_of
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.service import configuration as service
from orchestrator.service import drafts, planning
from orchestrator.service.configuration import BadConfiguration, By
from orchestrator.service.planning import Current
from web.access.visitor import me
from web.api.forms import Done, Ident, Items, Json, Line, Paged, Position, Query, Time, Word, time_of
from web.parts import parts

Thing = Annotated[str, Meta(max_length=64, pattern=r"^[a-z]+-[a-z0-9-]+$", description="Such as queue-sales.")]
Version = Annotated[int, Meta(ge=0, le=2**31, description="A version of the configuration; it counts up.")]


class ThingsQuery(Paged, frozen=True, kw_only=True):
    """What is looked for; what is not given does not narrow."""

    kind: Annotated[Word, Meta(description="A section of the site's file: queue, entry, agent, …")] = ""
    id: Ident = ""


class Configured(Struct, frozen=True, kw_only=True):
    """One thing, with the keys that the site's file would have for it."""

    thing: str
    kind: str
    id: str
    keys: Json


class Configuration(Struct, frozen=True, kw_only=True):
    """What is in force, or a page of it."""

    version: Version
    items: list[Configured]
    next_cursor: str | None


class AppliedVersion(Struct, frozen=True, kw_only=True):
    """One version: who made it, when, why, and which things it changed. `draft`: the draft that it was, if one."""

    version: Version
    at: Time
    actor: str
    reason: str
    draft: str
    changed: list[str]
    position: Position


class Key(Struct, frozen=True, kw_only=True):
    """One key before and after, as the site's file has it; null where the thing was not there, or is no more."""

    key: str
    before: str | None
    after: str | None


class Change(Struct, frozen=True, kw_only=True):
    """What happens to one thing."""

    thing: str
    action: Literal["added", "changed", "removed"]
    keys: list[Key]


class Difference(Struct, frozen=True, kw_only=True):
    """What changed from version `before` to version `after`."""

    before: Version
    after: Version
    changes: list[Change]


class AgainstQuery(Query, frozen=True, kw_only=True):
    """Compared with which; without, with the version before."""

    against: Annotated[int, Meta(ge=-1, le=2**31, description="-1: the version before.")] = -1


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change: things with all the keys that they are to have, and things that are to go."""

    set: Annotated[dict[Thing, Json], Meta(max_length=1_000)] = {}
    remove: Annotated[list[Thing], Meta(max_length=1_000)] = []


class ChangeWanted(Wanted, frozen=True, kw_only=True):
    """The same, made for a version and for a reason."""

    expect_version: Version
    reason: Annotated[Line, Meta(min_length=1, description="Why; it stands in the history.")]


class Wrong(Struct, frozen=True, kw_only=True):
    """Something wrong with a change: at which thing and key, in words."""

    thing: str
    key: str
    words: str


class Planned(Done, frozen=True, kw_only=True):
    """What a change would do to the version in force. With a problem it could not be applied."""

    version: Version
    changes: list[Change]
    warnings: list[str]
    problems: list[Wrong]


class AppliedChange(Done, frozen=True, kw_only=True):
    """What a change did. `position` is 0 where there was nothing to change."""

    version: Version
    changes: list[Change]
    warnings: list[str]


def show(query: ThingsQuery) -> Configuration:
    """The configuration in force, by kind and id"""
    now = _now()
    names = sorted(
        name
        for name in now.events
        if name > query.cursor
        and (not query.kind or kind_of(name) == query.kind)
        and (not query.id or ident_of(name) == query.id)
    )
    tables = drafts.tables_of(now)
    page = names[: query.limit]
    items = [Configured(thing=name, kind=kind_of(name), id=ident_of(name), keys=tables[name]) for name in page]
    more = page[-1] if len(names) > len(page) else None
    return Configuration(version=now.version, items=items, next_cursor=more)


def versions(query: Paged) -> Items[AppliedVersion]:
    """Every version, the latest first"""
    history = _now().history
    if query.cursor and not (query.cursor.isascii() and query.cursor.isdecimal() and len(query.cursor) < 10):  # noqa: PLR2004 - digits of a version
        raise Refused("bad_cursor", "This is no cursor of this list; take next_cursor as it came.")
    before = int(query.cursor or 0)
    numbers = [number for number in sorted(history, reverse=True) if not before or number < before]
    page = numbers[: query.limit]
    more = str(page[-1]) if len(numbers) > len(page) else None
    return Items([_applied(history[number]) for number in page], more)


def version(number: str, query: AgainstQuery) -> Difference:
    """What a version changed, against the one before it or any other"""
    if not (number.isascii() and number.isdecimal() and len(number) < 10) or int(number) < 1:  # noqa: PLR2004 - digits of a version
        abort(404)
    before = int(number) - 1 if query.against < 0 else query.against
    changes = drafts.between(_at(before), _at(int(number))).changes
    return Difference(before=before, after=int(number), changes=[_change(each) for each in changes])


def plan(body: Wanted) -> Planned:
    """What a change would do; nothing is changed"""
    now = _now()
    site, problems = drafts.overlaid(now, _edits(body), parts().settings.region)
    planned = planning.make_plan(now, site, drafts.today())
    return Planned(
        position=0,
        version=now.version,
        changes=[_change(each) for each in planned.changes],
        warnings=list(planned.warnings),
        problems=[_wrong(each.path, each.text) for each in problems],
    )


def apply(body: ChangeWanted) -> AppliedChange:
    """Make a change, all or nothing; refused where others changed something since `expect_version`"""
    reading, site_id = parts().reading, parts().settings.site
    site, problems = drafts.overlaid(_now(), _edits(body), parts().settings.region)
    if problems:
        raise BadConfiguration([f"{'.'.join(map(str, each.path))}: {each.text}" for each in problems])
    by = By(actor=me().actor, reason=body.reason)
    done = service.carry_out(reading.log, reading.desk, site_id, site, by, expect_version=body.expect_version)
    return AppliedChange(
        position=done.position or 0,
        version=done.version,
        changes=[_change(each) for each in done.plan.changes],
        warnings=list(done.plan.warnings),
    )


def _now() -> Current:
    return service.current(parts().reading.log, parts().settings.site)


def _at(number: int) -> Current:
    """The configuration at a version; the empty one at 0. 404 where there is none."""
    if number == 0:
        return Current(parts().settings.site, 0, {}, {})
    try:
        return service.at_version(parts().reading.log, parts().settings.site, number)
    except Refused:
        abort(404)


def _edits(body: Wanted) -> dict[str, drafts.Table | None]:
    return {**body.set, **dict.fromkeys(body.remove)}


def _applied(record: Record) -> AppliedVersion:
    event = record.event
    assert isinstance(event, ConfigurationApplied)  # noqa: S101 - `Current.history` holds nothing else
    return AppliedVersion(
        version=record.version,
        at=time_of(record.about.at),
        actor=record.about.actor,
        reason=event.reason,
        draft=event.draft,
        changed=list(event.changed),
        position=record.position,
    )


def _change(change: planning.Change) -> Change:
    keys = [Key(key=each.key, before=each.before, after=each.after) for each in change.keys]
    return Change(thing=change.stream, action=change.action, keys=keys)  # type: ignore[arg-type]  # one of the three


def _wrong(path: tuple[str | int, ...], words: str) -> Wrong:
    thing, key = "-".join(map(str, path[:2])), ".".join(map(str, path[2:]))
    return Wrong(thing=thing, key=key, words=words)
