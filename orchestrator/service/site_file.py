"""The site's file: queues, agents, types of work, reasons and so on as people write them, checked as a whole first.

    [queue.sales]                 # the id after the dot never changes its meaning; names may
    name = "Sales"
    skill = "sales"

All that is wrong is told at once, each with its key and line.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Event, Refused, stream
from orchestrator.domain.routing.branches import BranchConfigured
from orchestrator.domain.routing.calendars import CalendarConfigured
from orchestrator.domain.routing.conference import ConferenceConfigured
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.levels import LevelConfigured
from orchestrator.domain.routing.outside import THE_ONE, OutsideConfigured
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.routing.recording import RecordingsConfigured
from orchestrator.domain.routing.requirements import LOCAL
from orchestrator.domain.routing.spelling import has_code_without_plus, with_country
from orchestrator.domain.routing.trunks import TrunkConfigured
from orchestrator.domain.staff import reasons
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.staff.answering import DesksConfigured
from orchestrator.domain.staff.reasons import PauseReasonsConfigured, WrapUpReasonsConfigured
from orchestrator.domain.work import ordertypes
from orchestrator.domain.work.ordertypes import OrderTypeConfigured
from orchestrator.service import calendar_days, site_admission
from orchestrator.service.site_fields import (
    AGENT,
    BRANCH,
    CONFERENCE,
    DESKS,
    ENTRY,
    ID,
    LEVEL,
    ORDERTYPE,
    OUTSIDE,
    PAUSES,
    QUEUE,
    RECORDINGS,
    SECTIONS,
    WRAP_UP,
    Section,
    Unfit,
    near,
)
from orchestrator.service.site_reasons import reasons_of
from orchestrator.service.toml_lines import Lines, Path

# Ten thousand agents take about one megabyte.
MOST_BYTES: Final = 8_000_000
_MOST_TOLD: Final = 20
VERSION: Final = "version"


E = TypeVar("E", bound=Event)


class BadConfiguration(Refused):
    """A site's file that cannot be used; the message has a line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("bad_configuration", "\n".join(problems))
        self.problems = problems


class Site(Struct, frozen=True):
    """A site's configuration as a file tells it."""

    events: dict[str, Event]
    """What each stream's configuration is: `queue-sales` to `QueueConfigured`, and so on."""
    version: int | None
    """The configuration's version that the file says it was made from, None where it says nothing."""
    digest: str
    """SHA-256 of the file."""


def read(text: str, today: date | None = None, *, region: str) -> Site:
    """The configuration in this text, with the holidays of this year and the next, and in the site's region (ISO 3166)
    where it names none. Raises `BadConfiguration`.
    """
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MOST_BYTES:
        raise BadConfiguration([f"The file has {len(data)} bytes; {MOST_BYTES} are the most that is read."])
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration([f"The file is no TOML: {error}."]) from None
    except RecursionError:
        raise BadConfiguration(
            ["The file nests lists or tables deeper than any setting does: take brackets out."]
        ) from None
    reader = _Reader(document, text, today or datetime.now(UTC).date(), region)
    site = reader.site(hashlib.sha256(data).hexdigest())
    if reader.problems:
        raise BadConfiguration(list(reader.told()))
    return site


class Problem(Struct, frozen=True):
    """Something wrong with a document, and where: `("queue", "sales", "ring_s")`."""

    path: Path
    text: str


def examine(document: dict[str, Any], digest: str, today: date, region: str) -> tuple[Site, list[Problem]]:
    """What `read` makes of a document that is parsed already, and all that is wrong with it. What is wrong is left out
    of the site.
    """
    reader = _Reader(document, "", today, region)
    site = reader.site(digest)
    return site, [Problem(path, text) for path, text in reader.problems]


class _Reader:
    def __init__(self, document: dict[str, Any], text: str, today: date, region: str) -> None:
        self._document = document
        self._today = today
        self._region = region
        self._lines = Lines(text)
        self.problems: list[tuple[Path, str]] = []

    def told(self) -> Iterator[str]:
        """The problems in words, in the order of the file."""
        told = self.problems[:_MOST_TOLD]
        placed = sorted((self._lines.of(path), ".".join(map(str, path)), text) for path, text in told)
        for line, key, text in placed:
            yield f"line {line}: {key}: {text}" if line else f"{key}: {text}"
        if len(self.problems) > _MOST_TOLD:
            yield f"… and {len(self.problems) - _MOST_TOLD} more."

    def site(self, digest: str) -> Site:
        self._refuse_unknown((), self._document, {*(section.kind for section in SECTIONS), VERSION})
        version = self._document.get(VERSION)
        if version is not None and (isinstance(version, bool) or not isinstance(version, int) or version < 0):
            self._complain((VERSION,), "write the configuration's version, a whole number")
        queues = self._section(QUEUE, QueueConfigured)
        entries = self._section(ENTRY, EntryPointConfigured)
        agents = self._section(AGENT, AgentConfigured)
        types = self._section(ORDERTYPE, OrderTypeConfigured)
        levels = self._section(LEVEL, LevelConfigured)
        branches = self._section(BRANCH, BranchConfigured)
        for ident, each in types.items():
            for key, text in ordertypes.faults(each):
                self._complain((ORDERTYPE.kind, ident, key), text)
        outsides = {
            ident: outside if self._says_region(ident) else replace(outside, region=self._region)
            for ident, outside in self._section(OUTSIDE, OutsideConfigured).items()
        }
        for ident, outside in outsides.items():
            self._check_outside(ident, outside)
        recordings = self._section(RECORDINGS, RecordingsConfigured)
        for ident, kept in recordings.items():
            self._only_one(RECORDINGS, ident)
            for queue_id in kept.keep_days_of.keys() - self._named(QUEUE.kind):
                text = f"there is no queue {queue_id}; {near(queue_id, self._named(QUEUE.kind))}"
                self._complain((RECORDINGS.kind, ident, "keep_days_of"), text)
        conferences = self._section(CONFERENCE, ConferenceConfigured)
        for ident in conferences:
            self._only_one(CONFERENCE, ident)
        desks = self._section(DESKS, DesksConfigured)
        for ident in desks:
            self._only_one(DESKS, ident)
        pauses = self._section(PAUSES, PauseReasonsConfigured)
        wrap_ups = self._section(WRAP_UP, WrapUpReasonsConfigured)
        for ident, wrap_up in wrap_ups.items():
            for queue_id in wrap_up.queues:
                if queue_id not in self._named(QUEUE.kind):
                    text = f"there is no queue {queue_id}; {near(queue_id, self._named(QUEUE.kind))}"
                    self._complain((WRAP_UP.kind, ident, "queues"), text)
        rest: dict[str, dict[str, Event]] = {
            section.kind: self._section(section, section.event) for section in site_admission.SECTIONS
        }
        self._fit({"queue": {**queues}, "entry": {**entries}, **rest})
        trunks = {ident: each.peers for ident, each in rest["trunk"].items() if isinstance(each, TrunkConfigured)}
        self._once("trunk", "peers", trunks)
        self._places(queues, entries, agents)
        self._once("branch", "prefixes", {ident: branch.prefixes for ident, branch in branches.items()})
        self._entries_differ(entries)
        self._once("agent", "number", {ident: (agent.number,) for ident, agent in agents.items()})
        self._once("agent", "extension", {ident: (agent.extension,) for ident, agent in agents.items()})
        events: dict[str, Event] = {}
        everything: dict[str, Mapping[str, Event]] = {
            **rest,
            "queue": queues,
            "entry": entries,
            "agent": agents,
            "ordertype": types,
            "level": levels,
            "branch": branches,
            "outside": outsides,
            "recordings": recordings,
            "conference": conferences,
            "desks": desks,
            "pauses": pauses,
            "wrapup": wrap_ups,
        }
        for kind, found in everything.items():
            events |= {stream(kind, ident): event for ident, event in found.items()}
        for name, event in events.items():
            if isinstance(event, CalendarConfigured) and not self.problems:
                events[name] = calendar_days.complete(event, self._today)
        for kind, ident, text in reasons.faults(reasons_of(events)):
            self._complain((kind, ident, "reasons"), text)
        return Site(events, version, digest)

    def _check_outside(self, ident: str, outside: OutsideConfigured) -> None:
        self._only_one(OUTSIDE, ident)
        known = self._named(ENTRY.kind)
        for entry in outside.show_for:
            if entry not in known:
                self._complain((OUTSIDE.kind, ident, "show_for"), f"there is no entry {entry}; {near(entry, known)}")
        branches = self._named("branch")
        for branch in outside.show_at:
            if branch not in branches:
                text = f"there is no branch {branch}; {near(branch, branches)}"
                self._complain((OUTSIDE.kind, ident, "show_at"), text)
        queues = self._named(QUEUE.kind)
        if outside.dial_queue and outside.dial_queue not in queues:
            text = f"there is no queue {outside.dial_queue}; {near(outside.dial_queue, queues)}"
            self._complain((OUTSIDE.kind, ident, "dial_queue"), text)
        for key, prefixes in (("allowed", outside.allowed), ("refused", outside.refused)):
            for prefix in prefixes:
                if has_code_without_plus(prefix, outside.region):
                    text = (
                        f'{prefix!r} begins with the code of {outside.region} and has no +; write "+{prefix}", or '
                        f'"{with_country(prefix, outside.region)}" for numbers that are dialled so there'
                    )
                    self._complain((OUTSIDE.kind, ident, key), text)

    def _says_region(self, ident: str) -> bool:
        """Whether the file says in which region its rules are read; rules of before there was one say ""."""
        return bool(self._document[OUTSIDE.kind][ident].get("region"))

    def _only_one(self, section: Section, ident: str) -> None:
        if ident != THE_ONE:
            self._complain((section.kind, ident), f"there is one such section, [{section.kind}.{THE_ONE}]")

    def _fit(self, found: dict[str, dict[str, Event]]) -> None:
        """Complain of what points to nothing. What stands in the file and is wrong itself is there all the same."""
        for path, text in site_admission.faults(found, self._named):
            self._complain(path, text)

    def _entries_differ(self, entries: Mapping[str, EntryPointConfigured]) -> None:
        """Complain where two entry points take the very same calls: one of them would never get any."""
        alike: dict[str, dict[str, tuple[str, ...]]] = {}
        for ident, entry in entries.items():
            alike.setdefault(repr((sorted(entry.trunks), sorted(entry.callers), entry.during)), {})[ident] = (
                entry.numbers
            )
        for numbers in alike.values():
            self._once("entry", "numbers", numbers)

    def _places(
        self,
        queues: dict[str, QueueConfigured],
        entries: dict[str, EntryPointConfigured],
        agents: dict[str, AgentConfigured],
    ) -> None:
        """Complain where something points to an agent or a branch that there is not."""
        known = {kind: self._named(kind) for kind in ("agent", "branch")}
        pointers: list[tuple[Path, str, str]] = []
        for ident, queue in queues.items():
            for step in queue.steps:
                pointers += [(("queue", ident, "steps"), "agent", agent) for agent in step.agents]
                pointers += [(("queue", ident, "steps"), "branch", step.branch)] if step.branch != LOCAL else []
        pointers += [(("entry", ident, "agent"), "agent", entry.agent_id) for ident, entry in entries.items()]
        pointers += [(("agent", ident, "branch"), "branch", agent.branch) for ident, agent in agents.items()]
        for path, kind, pointed in pointers:
            if pointed and pointed not in known[kind]:
                self._complain(path, f"there is no {kind} {pointed}; {near(pointed, known[kind])}")

    def _named(self, kind: str) -> set[str]:
        """All ids of a section, also of what is not right yet: that is told by itself."""
        return set(named) if isinstance(named := self._document.get(kind), dict) else set()

    def _section(self, section: Section, cls: type[E]) -> dict[str, E]:
        """What stands in this section and can be used, by id."""
        given = self._document.get(section.kind, {})
        if not isinstance(given, dict):
            self._complain((section.kind,), f"write [{section.kind}.some-id] and its keys in the lines below")
            return {}
        found: dict[str, E] = {}
        for ident, values in given.items():
            path = (section.kind, ident)
            if not ID.fullmatch(ident):
                text = "an id has up to 40 small letters a-z, digits and -; it stays for ever, the name may change"
                self._complain(path, text)
            elif not isinstance(values, dict):
                self._complain(path, f"write [{section.kind}.{ident}] and its keys in the lines below")
            elif (attributes := self._attributes(section, path, values)) is not None:
                found[ident] = cls(**attributes)
        return found

    def _attributes(self, section: Section, path: Path, values: dict[str, Any]) -> dict[str, Any] | None:
        """The event's attributes; None where something is wrong with them."""
        before = len(self.problems)
        self._refuse_unknown(path, values, {field.key for field in section.fields})
        attributes: dict[str, Any] = {}
        for field in section.fields:
            if field.key in values:
                try:
                    attributes[field.attribute] = field.read(values[field.key])
                except Unfit as error:
                    self._complain((*path, field.key), str(error))
            elif field.required:
                self._complain(path, f"{field.key} is missing")
        return attributes if len(self.problems) == before else None

    def _complain(self, path: Path, text: str) -> None:
        self.problems.append((path, text if text[-1] in ".?" else f"{text}."))

    def _refuse_unknown(self, path: Path, given: Mapping[str, Any], known: set[str]) -> None:
        for name in given:
            if name not in known:
                self._complain((*path, name), f"there is no such key; {near(name, known)}")

    def _once(self, kind: str, key: str, values: Mapping[str, tuple[str, ...]]) -> None:
        """Complain where two have the same value."""
        holders: dict[str, str] = {}
        for ident, held in values.items():
            for value in dict.fromkeys(held):
                other = holders.setdefault(value, ident)
                if other != ident:
                    self._complain((kind, ident, key), f"{value!r} belongs to {kind}.{other}; each needs its own")
                elif held.count(value) > 1:
                    self._complain((kind, ident, key), f"{value!r} stands here twice")
