"""The site's configuration as history: what is in force, what a file would change, and the change as one transaction.

    file ──site_file.read──▶ Site ─┐
                                   ├─▶ plan ──apply──▶ events + ConfigurationApplied, all at their expected versions
    log ────────current────▶ Current ┘

A change is refused where somebody else changed something that its author has not seen (law 6).
"""

import hashlib
import os
import pwd
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator import cluster
from orchestrator.domain import texts
from orchestrator.domain.kernel import (
    Instant,
    Provenance,
    Record,
    Refused,
    UnknownEvent,
    derived_id,
    ident_of,
    kind_of,
    stream,
)
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.notices import NoticeConfigured
from orchestrator.service import site_file, site_text
from orchestrator.service.planning import SECTION_OF, Change, Current, Plan, make_plan
from orchestrator.service.site_fields import SECTIONS
from orchestrator.service.site_file import BadConfiguration, Site
from orchestrator.service.site_reasons import demo_text
from orchestrator.settings import Settings
from orchestrator.store import DeskWriter, KeyShelf, Log, Source, VersionConflict
from orchestrator.vault import Vault

__all__ = [
    "Applied",
    "BadConfiguration",
    "By",
    "Change",
    "ConfigurationChanged",
    "Current",
    "Plan",
    "apply",
    "apply_defaults",
    "apply_file",
    "as_of",
    "at_version",
    "carry_out",
    "current",
    "export",
    "opened",
    "plan",
    "plan_file",
    "show",
    "switch_notice",
    "switch_notice_here",
]

Along = Callable[[int, Provenance], list[Record]]
"""The version that comes to be and its provenance, and what is appended with it."""


class By(Struct, frozen=True, kw_only=True):
    """Who changes the configuration, why, as which draft; `along`: what else is appended in the same transaction."""

    actor: str
    reason: str = ""
    draft: str = ""
    along: Along | None = None


_KINDS: Final = (*SECTION_OF, "config")
_REMOVALS: Final = tuple(section.removed for section in SECTIONS)


class ConfigurationChanged(Refused):
    """Somebody else changed the configuration since the version that a change was made for."""

    def __init__(self, message: str) -> None:
        super().__init__("configuration_changed", message)


class Applied(Struct, frozen=True):
    """What `apply` did. `position` is the log position of the new version, None where there was nothing to change."""

    plan: Plan
    version: int
    position: int | None
    file_version: int | None = None
    """The version that the file says it was made from."""

    def __str__(self) -> str:
        if self.position is None:
            return self.plan.text()
        done = [line for change in self.plan.changes for line in change.lines()]
        warnings = [f"warning: {warning}" for warning in self.plan.warnings]
        last = f"Applied as version {self.version} at position {self.position}."
        if self.file_version is not None:
            last += f" Set version = {self.version} in the file before you edit it again."
        return "\n".join([*done, *warnings, last])


# --- the log -------------------------------------------------------------------------------------------------------


def current(log: Log, site: str) -> Current:
    """The configuration in force, folded from the log.

    Raises `Refused` where it was written by a newer Ringledger, `Away` where the database is not there.
    """
    return _folded(log, site, None)


def _folded(log: Log, site: str, until: int | None) -> Current:
    now = Current(site, 0, {}, {})
    version = 0
    for record in log.history(until=until, kinds=_KINDS):
        now.versions[record.stream] = record.version
        if isinstance(record.event, UnknownEvent):
            raise Refused(
                "newer_configuration",
                f"{record.stream} holds {record.event.name} version {record.event.version}, which this program does "
                "not know: a newer Ringledger wrote it. Use that one to change the configuration.",
            )
        if isinstance(record.event, ConfigurationApplied):
            if record.stream == stream("config", site):
                version = record.version
                now.history[version] = record
        elif isinstance(record.event, _REMOVALS):
            now.events.pop(record.stream, None)
        else:
            now.events[record.stream] = record.event
    return Current(site, version, now.events, now.versions, now.history)


def as_of(log: Log, site: str, position: int) -> Current:
    """The configuration as the log had it at a position. Raises what `current` raises."""
    return _folded(log, site, position) if position else Current(site, 0, {}, {})


def at_version(log: Log, site: str, version: int) -> Current:
    """The configuration as it was at a version. Raises `Refused` (`no_such_version`), and what `current` raises."""
    now = current(log, site)
    if version == now.version:
        return now
    record = now.history.get(version)
    if record is None:
        raise Refused("no_such_version", f"There is no version {version}; the configuration is at {now.version}.")
    return _folded(log, site, record.position)


def plan(log: Log, site: str, text: str, *, region: str) -> Plan:
    """What applying this text would change, at a site in this region. Raises `BadConfiguration`, and what `current`
    raises.

    A log without keys cannot tell agents' names: they are then taken to be unchanged.
    """
    today = datetime.now(UTC).date()
    return make_plan(current(log, site), site_file.read(text, today, region=region), today)


def export(log: Log, site: str) -> str:
    """The configuration in force as text that `apply` takes. Raises what `current` raises."""
    now = current(log, site)
    return site_text.write(now.events, site=site, version=now.version)


def apply(
    log: Log,
    desk: DeskWriter,
    site: str,
    text: str,
    *,
    actor: str,
    region: str,
    expect_version: int | None = None,
    reason: str = "",
) -> Applied:
    """Make this text the configuration, all or nothing; no event where nothing changes. `region` is the site's, by
    which numbers are read where the text names none.

    What was changed by others since the version that the author began from (`expect_version`, or else the `version`
    in the file) is not overwritten: raises `ConfigurationChanged`, which names who and what. Without either, the
    author is taken to have seen what is in force now. Raises `BadConfiguration`, what `current` raises, and `Away` or
    `Unsure` where the database goes away; a repeat is safe. `log` must have the keys.
    """
    wanted = site_file.read(text, datetime.now(UTC).date(), region=region)
    return carry_out(log, desk, site, wanted, By(actor=actor, reason=reason), expect_version=expect_version)


def carry_out(
    log: Log,
    desk: DeskWriter,
    site: str,
    wanted: Site,
    by: By,
    *,
    expect_version: int | None = None,
) -> Applied:
    """Make this the configuration, as `apply` does. Raises what `apply` raises, `Refused` (`bad_text`) for a reason
    that is none, and `VersionConflict` where somebody else changed nothing but what is appended along.
    """
    now = current(log, site)
    planned = make_plan(now, wanted, datetime.now(UTC).date())
    if not planned.changes:
        return Applied(planned, now.version, None)
    began_from = wanted.version if expect_version is None else expect_version
    if began_from is not None and began_from != now.version:
        raise ConfigurationChanged(_since(now, began_from))
    records = _records(now, planned, by)
    also = by.along(now.version + 1, records[0].about) if by.along is not None else []
    try:
        position = desk.append_desk([*records, *also])
    except VersionConflict:
        later = current(log, site)
        if later.version == now.version:
            raise
        raise ConfigurationChanged(_since(later, now.version)) from None
    return Applied(planned, now.version + 1, position, wanted.version)


def switch_notice(
    log: Log, desk: DeskWriter, site: str, notice_id: str, *, on: bool, actor: str, seen: int | None = None
) -> Applied:
    """Let callers hear a notice from now on, or no more: a change of the configuration like any other, by whom it was.

    `seen`: the version of the notice that the actor knows; one that was changed since is not switched.

    Raises `Refused` (`no_such_notice`), what `current` raises, `ConfigurationChanged`, `Away` and `Unsure`.
    """
    now = current(log, site)
    name = stream("notice", notice_id)
    before = now.events.get(name)
    if not isinstance(before, NoticeConfigured):
        known = ", ".join(sorted(ident_of(each) for each in now.events if kind_of(each) == "notice")) or "none"
        raise Refused("no_such_notice", f"There is no notice {notice_id} in the configuration; there are: {known}.")
    after = replace(before, on=on)
    if after != before and seen not in (None, now.versions[name]):
        raise ConfigurationChanged(f"Somebody else changed notice {notice_id} meanwhile; look at it again.")
    changes = () if after == before else (Change(name, "changed", (f"on = {str(on).lower()}",), after),)
    digest = hashlib.sha256(f"{name} on={on}".encode()).hexdigest()
    planned = Plan(site, now.version, changes, (), digest)
    if not changes:
        return Applied(planned, now.version, None)
    try:
        position = desk.append_desk(_records(now, planned, By(actor=actor)))
    except VersionConflict:
        raise ConfigurationChanged(_since(current(log, site), now.version)) from None
    return Applied(planned, now.version + 1, position)


# --- what the command line calls -----------------------------------------------------------------------------------


def plan_file(settings: Settings, text: str) -> Plan:
    """`plan` over the settings' own database. Raises also what opening it and the keys raises."""
    with opened(settings) as (log, _):
        return plan(log, settings.site, text, region=settings.region)


def show(settings: Settings) -> str:
    """`export` over the settings' own database. Raises also what opening it and the keys raises."""
    with opened(settings) as (log, _):
        return export(log, settings.site)


def apply_file(settings: Settings, text: str, *, expect_version: int | None = None, reason: str = "") -> Applied:
    """`apply` over the settings' own database, in the name of whoever runs this. Raises also what opening raises."""
    actor = f"admin:{pwd.getpwuid(os.geteuid()).pw_name}"
    with opened(settings) as (log, desk):
        return apply(
            log,
            desk,
            settings.site,
            text,
            actor=actor,
            expect_version=expect_version,
            reason=reason,
            region=settings.region,
        )


def switch_notice_here(settings: Settings, notice_id: str, *, on: bool) -> Applied:
    """`switch_notice` over the settings' own database, in the name of whoever runs this."""
    actor = f"admin:{pwd.getpwuid(os.geteuid()).pw_name}"
    with opened(settings) as (log, desk):
        return switch_notice(log, desk, settings.site, notice_id, on=on, actor=actor)


def apply_defaults(settings: Settings, url_writer: str) -> int:
    """Give a site that was never configured the demo's queues, entry points and agents; how many there are.

    0, and nothing is done, where there is a configuration already or RINGLEDGER_DEMO is off.
    """
    if not settings.demo:
        return 0
    text = demo_text()
    with _connected(settings, url_writer) as (log, desk):
        if current(log, settings.site).versions:
            return 0
        done = apply(log, desk, settings.site, text, actor="system", expect_version=0, region=settings.region)
        return len(done.plan.changes)


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Log, DeskWriter]]:
    """The settings' own database with its keys, while it is needed. Raises what opening it and the keys raises."""
    database = cluster.ensure_running(settings, lambda _: None)
    try:
        with _connected(settings, database.url_writer) as opened:
            yield opened
    finally:
        database.stop()


@contextmanager
def _connected(settings: Settings, url_writer: str) -> Iterator[tuple[Log, DeskWriter]]:
    source = Source(url_writer, name="ringledger config")
    try:
        vault = Vault.unlock(settings.kek_file, KeyShelf(source))
        yield Log(source, vault=vault), DeskWriter(source, vault)
    finally:
        source.close()


def _records(now: Current, planned: Plan, by: By) -> list[Record]:
    config = stream("config", now.site)
    reason = texts.one_line(by.reason, "Reason", texts.LINE)
    about = Provenance(
        at=Instant(time.time_ns() // 1000),
        actor=by.actor,
        origin="config",
        causation=f"{config}-{now.version + 1}",
        correlation=config,
    )
    events = {change.stream: change.event for change in planned.changes}
    applied = ConfigurationApplied(digest=planned.digest, changed=tuple(sorted(events)), reason=reason, draft=by.draft)
    return [
        Record(
            stream=name,
            version=now.versions.get(name, 0) + 1,
            event=event,
            # The same file at the same version makes the same ids, so a repeat after a lost answer finds itself.
            event_id=derived_id(config, now.version + 1, planned.digest, name),
            about=about,
        )
        for name, event in {**events, config: applied}.items()
    ]


def _since(now: Current, began_from: int) -> str:
    """Why a change made for one version does not fit another, and what to do."""
    if began_from > now.version:
        return (
            f"This was made for version {began_from} of the configuration, but site {now.site} is only at version "
            f"{now.version}: is this the right RINGLEDGER_HOME, RINGLEDGER_DATABASE_URL or RINGLEDGER_SITE?"
        )
    lines = [f"The configuration is at version {now.version}; this was made for version {began_from}. Since then:"]
    for version in range(began_from + 1, now.version + 1):
        record = now.history.get(version)
        if record is not None and isinstance(record.event, ConfigurationApplied):
            changed = ", ".join(record.event.changed)
            lines.append(f"  version {version}, {_moment(record.about.at)}, {record.about.actor}: {changed}")
    lines.append(
        "Nothing was changed. Look at it with `ringledger config show`, take over into your file what should stay, see "
        f"what is left with `ringledger config plan FILE`, and apply with --expect-version {now.version}."
    )
    return "\n".join(lines)


def _moment(at: Instant) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
