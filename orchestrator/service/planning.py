"""What a file would change: the site's configuration in force and the one wanted, compared. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from msgspec import Struct, field
from msgspec.structs import asdict

from orchestrator.domain.kernel import Event, Record, ident_of, kind_of
from orchestrator.domain.routing.calendars import CalendarConfigured
from orchestrator.domain.routing.entries import DEFAULT, EntryPointConfigured
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.routing.overflow import QUEUE, target
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.routing.rules import ALL, rule_of
from orchestrator.domain.routing.spelling import with_its_prefix
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.service import calendar_days, site_text
from orchestrator.service.site_fields import SECTIONS, Section, near
from orchestrator.service.site_file import Site
from orchestrator.vault import SEALED

SECTION_OF: Final[Mapping[str, Section]] = {section.kind: section for section in SECTIONS}
# What something points to comes before it, and goes after it.
_ORDER: Final = {
    **dict.fromkeys(("trunk", "rewrite", "limit", "calendar"), -1),
    "branch": 0,
    "level": 1,
    "queue": 2,
    "agent": 3,
    "entry": 4,
    "notice": 5,
    "ordertype": 5,
    "outside": 6,
    "recordings": 6,
    "conference": 6,
    "desks": 6,
    "pauses": 6,
    "wrapup": 7,
}


class Current(Struct, frozen=True):
    """The configuration in force."""

    site: str
    version: int
    events: dict[str, Event]
    """What each stream's configuration is; removed ones are not here."""
    versions: dict[str, int]
    """The last version of every stream that ever held configuration."""
    history: dict[int, Record] = field(default_factory=dict)
    """`ConfigurationApplied` by the configuration's version."""


class Difference(Struct, frozen=True):
    """One key before and after, as the file writes it; None where the thing was not there, or is no more."""

    key: str
    before: str | None
    after: str | None


class Change(Struct, frozen=True):
    """One stream's change: `added`, `changed` or `removed`, in words and key by key, and the event that makes it."""

    stream: str
    action: str
    details: tuple[str, ...]
    event: Event
    keys: tuple[Difference, ...] = ()

    def lines(self) -> Iterator[str]:
        """The change for people."""
        sign = {"added": "+", "changed": "~", "removed": "-"}[self.action]
        yield f"{sign} {kind_of(self.stream)} {ident_of(self.stream)} is {self.action}"
        for detail in self.details:
            yield f"      {detail}"


class Plan(Struct, frozen=True):
    """What a file would change, beginning from version `version`."""

    site: str
    version: int
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    digest: str

    def lines(self) -> Iterator[str]:
        """The plan for people."""
        for change in self.changes:
            yield from change.lines()
        for warning in self.warnings:
            yield f"warning: {warning}"
        if not self.changes:
            yield f"Nothing to change: the configuration is at version {self.version}."
            return
        counts = {action: sum(c.action == action for c in self.changes) for action in ("added", "changed", "removed")}
        words = ", ".join(f"{count} {action}" for action, count in counts.items() if count)
        yield f"{words}. To apply just this: --expect-version {self.version}"

    def text(self) -> str:
        """The plan for people, as one text."""
        return "\n".join(self.lines())


def make_plan(now: Current, wanted: Site, today: date) -> Plan:
    """The changes that lead from what is in force to what is wanted, and what is allowed and yet hardly meant."""
    changes = [
        _change(name, now.events.get(name), event)
        for name, event in wanted.events.items()
        if not _same(now.events.get(name), event)
    ]
    changes.sort(key=lambda change: (_ORDER[kind_of(change.stream)], change.stream))
    gone = sorted(now.events.keys() - wanted.events.keys(), key=lambda name: (-_ORDER[kind_of(name)], name))
    removals = [
        Change(
            name,
            "removed",
            _parting(name),
            SECTION_OF[kind_of(name)].removed(),
            differences(SECTION_OF[kind_of(name)], now.events[name], None),
        )
        for name in gone
    ]
    outdated = _outdated(now, wanted) if changes or removals else ()
    warnings = (*outdated, *_renamed(now, wanted), *_suspicious(wanted), *_at_the_door(wanted, today))
    return Plan(now.site, now.version, (*changes, *removals), warnings, wanted.digest)


def _same(now: Event | None, wanted: Event) -> bool:
    if isinstance(now, AgentConfigured) and isinstance(wanted, AgentConfigured) and now.name == SEALED:
        return {**asdict(now), "name": wanted.name} == asdict(wanted)
    return now == wanted


def _change(name: str, now: Event | None, wanted: Event) -> Change:
    keys = differences(SECTION_OF[kind_of(name)], now, wanted)
    return Change(name, "added" if now is None else "changed", (*_details(keys), *_made(now, wanted)), wanted, keys)


def differences(section: Section, before: Event | None, after: Event | None) -> tuple[Difference, ...]:
    """The keys in which two states of a thing differ; all of them where it comes or goes."""
    found = []
    for each in section.fields:
        was, is_now = (
            None if event is None else site_text.lines(each.write(getattr(event, each.attribute)))
            for event in (before, after)
        )
        if was != is_now:
            found.append(Difference(each.key, was, is_now))
    return tuple(found)


def _details(keys: tuple[Difference, ...]) -> Iterator[str]:
    """The keys that change, as the file writes them."""
    for each in keys:
        if each.before is None:
            yield from f"{each.key} = {each.after}".split("\n")
        elif each.after is not None:
            rows = _changed_rows(each.key, each.before, each.after)
            yield from rows or [f"{each.key} = {each.after}   (was {each.before})"]


def _made(now: Event | None, wanted: Event) -> Iterator[str]:
    """What a file does not say and yet changes: the days that were made from it."""
    if not isinstance(wanted, CalendarConfigured) or not wanted.known_until:
        return
    days = f"{len(wanted.holiday_days)} holidays, {len(wanted.moved_workdays)} working days moved to weekends"
    if not isinstance(now, CalendarConfigured):
        yield f"days are known until {wanted.known_until}: {days}"
    elif (now.holiday_days, now.moved_workdays, now.known_until, now.offsets) != (
        wanted.holiday_days,
        wanted.moved_workdays,
        wanted.known_until,
        wanted.offsets,
    ):
        yield f"days are known until {wanted.known_until} (was {now.known_until or 'never said'}): {days}"


def _changed_rows(key: str, before: str, after: str) -> list[str]:
    """Of a list of tables only the rows that differ; nothing for what stands in one line."""
    rows, wanted = before.split("\n"), after.split("\n")
    if len(rows) == len(wanted) == 1:
        return []
    gone = [f"    - {row.strip()}" for row in rows if row not in wanted]
    come = [f"    + {row.strip()}" for row in wanted if row not in rows]
    return [f"{key}:", *gone, *come] if gone or come else [f"{key}: another order"]


def _parting(name: str) -> tuple[str, ...]:
    words = {
        "queue": "callers who wait in it keep their place until they are served or their time is over",
        "entry": "callers of its numbers reach the default entry point",
        "level": "customers of this level are served like any other",
        "branch": "its agents keep it as theirs; no caller's region is its own any more",
        "ordertype": "no more orders of it are opened; those that are there keep its rules",
        "outside": "nobody outside is called any more; who waits to be called back is given up after the tries",
        "recordings": "queues and agents decide what is recorded",
        "conference": "as many persons may be in a conference as are usual; whoever is in one stays",
        "desks": "agents who say nothing themselves answer by phone",
        "pauses": "nobody chooses from it any more; who is not ready for one of its reasons stays so",
        "wrapup": "nobody chooses from it any more; what was chosen keeps its name",
        "agent": "who is signed in stays so until sign-out, without any skill",
        "rewrite": "numbers that it changed are taken as they come",
        "trunk": "its calls belong to no group",
        "limit": "nobody is turned away for load",
        "calendar": "whatever went by it is always open",
        "notice": "nobody hears it",
    }
    return (words[kind_of(name)],)


def _outdated(now: Current, wanted: Site) -> Iterator[str]:
    if wanted.version not in (None, now.version):
        yield (
            f"the file was made from version {wanted.version}, and the configuration is at version {now.version}: what "
            "was changed in between would be undone"
        )


def _renamed(now: Current, wanted: Site) -> Iterator[str]:
    """An id that changed is no rename: it is somebody new."""
    leaving = {
        event.number: name
        for name, event in now.events.items()
        if isinstance(event, AgentConfigured) and name not in wanted.events
    }
    for name, event in wanted.events.items():
        if isinstance(event, AgentConfigured) and name not in now.events and event.number in leaving:
            yield (
                f"{name} takes over number {event.number} of {leaving[event.number]}: ids stand for one person for "
                f"ever, so this is a new agent without the other's past. To change a name, keep the id."
            )


def _suspicious(wanted: Site) -> Iterator[str]:
    """What is allowed and yet hardly meant."""
    agents = [event for event in wanted.events.values() if isinstance(event, AgentConfigured)]
    entries = [event for event in wanted.events.values() if isinstance(event, EntryPointConfigured)]
    known = {skill for agent in agents for skill in agent.skills}
    for name, event in sorted(wanted.events.items()):
        if isinstance(event, QueueConfigured):
            if not any(agent.skills.get(event.skill, 0) >= event.min_level for agent in agents):
                hint = near(event.skill, known - {event.skill})
                yield f"no agent can serve {name}, which asks for {event.skill} from level {event.min_level}; {hint}"
            yield from _odd_rules(name, event, known)
            if ident_of(name) not in _led_to(wanted):
                yield f"no entry point leads to {name}"
    if not any(DEFAULT in entry.numbers for entry in entries):
        yield f'no entry point has the number "{DEFAULT}": callers of unknown numbers hear an apology'


def _led_to(wanted: Site) -> set[str]:
    """The queues to which an entry point leads, or the overflow of another queue."""
    places: list[str] = []
    for event in wanted.events.values():
        if isinstance(event, EntryPointConfigured):
            places += (f"{QUEUE}:{event.queue_id}", event.closed)
        elif isinstance(event, QueueConfigured):
            places += (row.to for row in event.overflow)
    return {target(place).name for place in places if target(place).kind == QUEUE}


def _at_the_door(wanted: Site, today: date) -> Iterator[str]:
    """What lets callers in, and is hardly meant so."""
    yield from _contradictions(wanted)
    for name, event in sorted(wanted.events.items()):
        if isinstance(event, CalendarConfigured) and calendar_days.ends_soon(event, today):
            yield (
                f"{name}: days are known only until {event.known_until}; apply the file again once the next ones are "
                "published, or write them under days"
            )
        if isinstance(event, OutsideConfigured):
            yield from _towns_without_prefix(name, event)
        if isinstance(event, QueueConfigured):
            if event.tell_place_every_ms >= event.max_wait_ms:
                every_s = event.tell_place_every_ms // 1000
                yield f"{name}: nobody is told a place after {every_s} s: max_wait_s is over before"
            for row in event.overflow:
                if row.when == "wait" and row.after_ms >= event.max_wait_ms:
                    yield f"{name}: nobody waits {row.after_ms // 1000} s for {row.to}: max_wait_s is over before"
                if row.when == "length" and event.most_waiting and row.over > event.most_waiting:
                    yield f"{name}: {row.to} is never reached by length: most_waiting is {event.most_waiting}"


def _towns_without_prefix(name: str, outside: OutsideConfigured) -> Iterator[str]:
    """Prefixes that once fitted a town's numbers as they were typed, and fit none as they are compared (0115)."""
    for key, prefixes in (("allowed", outside.allowed), ("refused", outside.refused)):
        for prefix in prefixes:
            if meant := with_its_prefix(prefix, outside.region):
                yield (
                    f'{name}: {key} "{prefix}" fits short codes only; for numbers that are dialled {meant}… '
                    f'write "{meant}"'
                )


def _contradictions(wanted: Site) -> Iterator[str]:
    """Entry points of which neither says more than the other, though a call may fit both."""
    entries = {ident_of(n): e for n, e in sorted(wanted.events.items()) if isinstance(e, EntryPointConfigured)}
    holders: dict[str, list[str]] = {}
    for ident, entry in entries.items():
        for number in entry.numbers:
            for other in holders.setdefault(number, []):
                if _both_fit(entries[other], entry):
                    yield (
                        f"entry-{other} and entry-{ident} both take calls for {number}; those that fit both reach "
                        f"entry-{other}, whose id comes first (what names the caller, the trunk or hours goes before)"
                    )
            holders[number].append(ident)


def _both_fit(one: EntryPointConfigured, other: EntryPointConfigured) -> bool:
    """Whether a call may fit both, and only their ids decide."""
    if bool(one.trunks) != bool(other.trunks) or bool(one.during) != bool(other.during):
        return False
    if one.trunks and not set(one.trunks) & set(other.trunks):
        return False
    if bool(one.callers) != bool(other.callers):
        return False
    return not one.callers or bool(set(one.callers) & set(other.callers))


def _odd_rules(name: str, queue: QueueConfigured, known: set[str]) -> Iterator[str]:
    """Steps that nobody could satisfy, and keys that say nothing beside the queue's rule."""
    for place, step in enumerate(queue.steps, 1):
        for skill in sorted((step.skills or {}).keys() - known):
            yield f"step {place} of {name} asks for {skill}, which no agent has: it is skipped; {near(skill, known)}"
    rule = rule_of(queue.rule)
    if rule.rings == ALL and queue.ring_at_once > 1:
        yield f"{name} rings all up to ring_most = {queue.ring_most}; ring_at_once says nothing beside {rule.name}"
    if queue.age_per_min and not queue.age_cap:
        yield f"{name} ages by {queue.age_per_min} a minute up to age_cap = 0, so not at all; raise age_cap"
