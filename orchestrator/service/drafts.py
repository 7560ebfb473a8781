"""Drafts of the configuration: collected, looked at, brought up to date, applied as one transaction (feature 11.5).

    in force ─tables─┐
                     ├─▶ document ──site_file.examine──▶ Site and what is wrong ──make_plan──▶ difference, warnings
    draft's edits ───┘        the same reader as the file's, so the same sentences

A draft is made for one version. What others change after it is never overwritten unseen: `Outlook.clashes` names each
key that both changed, and `rebase` goes on from the newer version once it is said which stays (law 6).
"""

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from orchestrator.domain.kernel import Provenance, Record, Refused, derived_id, ident_of, kind_of, stream
from orchestrator.domain.routing import drafts
from orchestrator.domain.routing.drafts import Draft
from orchestrator.service import site_file, site_text
from orchestrator.service.configuration import Applied, BadConfiguration, By, at_version, carry_out, current
from orchestrator.service.deciding import Desk, Who, Written, checked_id
from orchestrator.service.planning import SECTION_OF, Current, Plan, make_plan
from orchestrator.service.site_file import Problem, Site
from orchestrator.service.site_values import ID
from orchestrator.store import DeskWriter, Log, VersionConflict

Table = dict[str, Any]
"""The keys of one thing, as the site's file has them."""
MINE, THEIRS = "mine", "theirs"
WHOLE: Final = ""
"""Stands for the key where the whole thing is meant: one removed it, the other changed it."""


class Clash(Struct, frozen=True):
    """One key that was changed in the draft and, since it was begun, by others: as it was, as they and as I want it."""

    thing: str
    key: str
    was: str | None
    theirs: str | None
    mine: str | None


class Outlook(Struct, frozen=True):
    """A draft against what is in force."""

    draft: Draft
    now: Current
    tables: dict[str, Table]
    """Every thing as it would be."""
    plan: Plan
    problems: tuple[Problem, ...]
    clashes: tuple[Clash, ...]
    """Only where the draft was made for an earlier version."""

    @property
    def outdated(self) -> bool:
        return self.draft.base != self.now.version

    def problems_of(self, thing: str) -> dict[str, str]:
        """What is wrong with a thing, by key; what concerns it as a whole under `WHOLE`."""
        found: dict[str, str] = {}
        for each in self.problems:
            kind, ident, key, *_ = (*map(str, each.path), WHOLE, WHOLE, WHOLE)
            if stream(kind, ident) == thing:
                found.setdefault(key, each.text)
        return found


class Drafts:
    """Reads and writes drafts. Thread-safe. `log` must have the keys.

    Every method raises `Refused` with a code and a sentence, `Away` where the database is not there, `Unsure` where it
    went away in the middle: with a key, a repeat is safe. Whoever is not the owner sees only what is shared.
    """

    def __init__(self, desk: DeskWriter, log: Log, site: str, *, region: str) -> None:
        self._desk = Desk(desk, log)
        self._writer = desk
        self._log = log
        self._site = site
        self._region = region

    # --- reading -----------------------------------------------------------------------------------------------------
    def open(self, actor: str) -> list[Draft]:
        """The drafts that this actor may work on, the oldest first."""
        found: dict[str, Draft | None] = {}
        for record in self._log.history(kinds=("draft",)):
            ident = ident_of(record.stream)
            found[ident] = drafts.evolve(found.get(ident), record.event, ident)
        return [draft for draft in found.values() if draft is not None and _is_open_to(draft, actor)]

    def get(self, draft_id: str, actor: str) -> Draft:
        """The draft, over or not. Raises `Refused` (`no_such_draft`)."""
        draft = self._load(draft_id)
        if draft is None or not (draft.shared or draft.owner == actor):
            raise Refused("no_such_draft", "There is no such draft.")
        return draft

    def outlook(self, draft: Draft) -> Outlook:
        """What the draft would change, what is wrong with it, and what others changed meanwhile."""
        now = current(self._log, self._site)
        edits = _edits_of(draft)
        site, problems = overlaid(now, edits, self._region)
        clashes = () if draft.base == now.version else tuple(self._clashes(draft, now))
        return Outlook(
            draft, now, _over(tables_of(now), edits), make_plan(now, site, today()), tuple(problems), clashes
        )

    def text(self, draft: Draft) -> str:
        """What the draft would make the configuration, as a site's file. Raises `BadConfiguration`."""
        return site_text.write(self._wanted(draft).events, site=self._site, version=draft.base)

    # --- writing -----------------------------------------------------------------------------------------------------
    def begin(self, who: Who, name: str, *, shared: bool = False, version: int | None = None, key: str = "") -> Written:
        """Begin a draft of what is in force; with `version`, of the way back to that one."""
        now = current(self._log, self._site)
        edits = {} if version is None else _back(now, at_version(self._log, self._site, version))
        draft_id = derived_id("draft", who.actor, key) if key else str(uuid.uuid4())
        begin = drafts.Begin(name=name, base=now.version, owner=who.actor, shared=shared, edits=edits)
        return self._write(who, draft_id, begin, key)

    def edit(self, who: Who, draft_id: str, tables: Mapping[str, Table | None], *, seen: int) -> Written:
        """Want these things so, right or wrong; None removes. What is as in force is no edit any more."""
        draft = self.get(draft_id, who.actor)
        for thing in tables:
            _refuse_unless_thing(thing)
        in_force = tables_of(current(self._log, self._site))
        edits = {thing: body_of(table) for thing, table in tables.items() if _differs(in_force, thing, table)}
        written = self._write(who, draft.draft_id, drafts.Change(edits=edits, seen=seen))
        for thing in tables.keys() - edits.keys():
            if thing in draft.edits:
                written = self.withdraw(who, draft_id, thing, seen=seen)
        return written

    def withdraw(self, who: Who, draft_id: str, thing: str, *, seen: int) -> Written:
        """Leave a thing as it is in force."""
        draft = self.get(draft_id, who.actor)
        return self._write(who, draft.draft_id, drafts.Withdraw(thing=thing, seen=seen))

    def share(self, who: Who, draft_id: str) -> Written:
        """Let others work on it, too."""
        return self._write(who, self.get(draft_id, who.actor).draft_id, drafts.Share())

    def discard(self, who: Who, draft_id: str) -> Written:
        """Throw it away; it can still be looked at."""
        return self._write(who, self.get(draft_id, who.actor).draft_id, drafts.Discard())

    def rebase(self, who: Who, draft_id: str, choices: Mapping[tuple[str, str], str], *, seen: int) -> Written:
        """Go on from what is in force now. `choices` says of each clash what stays, `MINE` or `THEIRS`; raises
        `Refused` (`clashes`) where one is left open. What only one side changed is taken over.
        """
        draft = self.get(draft_id, who.actor)
        now = current(self._log, self._site)
        was, theirs = tables_of(at_version(self._log, self._site, draft.base)), tables_of(now)
        open_ones = [clash for clash in self._clashes(draft, now) if (clash.thing, clash.key) not in choices]
        if open_ones:
            named = ", ".join(sorted({f"{clash.thing} {clash.key}".strip() for clash in open_ones}))
            raise Refused("clashes", f"Say what is to stay, yours or theirs: {named}.")
        edits: dict[str, str | None] = {}
        withdrawn = []
        for thing, edit in draft.edits.items():
            table = _merged(thing, was.get(thing), theirs.get(thing), _table(edit.body), choices)
            if _differs(theirs, thing, table):
                edits[thing] = body_of(table)
            else:
                withdrawn.append(thing)
        rebase = drafts.Rebase(base=now.version, edits=edits, withdrawn=tuple(withdrawn), seen=seen)
        return self._write(who, draft.draft_id, rebase)

    def apply(self, who: Who, draft_id: str, *, reason: str, seen: int) -> Applied:
        """Make the draft the configuration, in the actor's name, as one transaction with its end.

        Raises `BadConfiguration` where something is wrong with it, `ConfigurationChanged` where others changed
        something since its version, `Refused` (`draft_changed`) where the draft is not as the author has seen it,
        (`nothing_to_change`).
        """
        draft = self.get(draft_id, who.actor)
        if draft.version != seen:
            raise Refused("draft_changed", "The draft was changed since you looked. Look at the difference again.")
        wanted = self._wanted(draft)
        ended = drafts.decide(draft, drafts.Apply(version=0))

        def along(version: int, about: Provenance) -> list[Record]:
            return [
                Record(
                    stream=stream("draft", draft.draft_id),
                    version=draft.version + place,
                    event=msgspec.structs.replace(event, version=version),
                    event_id=derived_id(about.causation, wanted.digest, draft.draft_id),
                    about=about,
                )
                for place, event in enumerate(ended, 1)
            ]

        by = By(actor=who.actor, reason=reason, draft=draft.draft_id, along=along)
        try:
            done = carry_out(self._log, self._writer, self._site, wanted, by, expect_version=draft.base)
        except VersionConflict:
            raise Refused(
                "draft_changed", "Somebody changed the draft at this moment. Look at the difference again."
            ) from None
        if done.position is None:
            raise Refused("nothing_to_change", "The draft changes nothing of what is in force.")
        return done

    # --- inside ------------------------------------------------------------------------------------------------------
    def _load(self, draft_id: str) -> Draft | None:
        draft: Draft | None = None
        for record in self._log.stream(stream("draft", checked_id(draft_id, "draft"))):
            draft = drafts.evolve(draft, record.event, draft_id)
        return draft

    def _write(self, who: Who, draft_id: str, command: drafts.Command, key: str = "") -> Written:
        def decide(before: Any) -> tuple[Any, ...]:  # noqa: ANN401 - records in, events out
            draft: Draft | None = None
            for record in before:
                draft = drafts.evolve(draft, record.event, draft_id)
            return drafts.decide(draft, command)

        return self._desk.write(stream("draft", draft_id), decide, who=who, key=key)

    def _wanted(self, draft: Draft) -> Site:
        site, problems = overlaid(current(self._log, self._site), _edits_of(draft), self._region)
        if problems:
            raise BadConfiguration([f"{'.'.join(map(str, each.path))}: {each.text}" for each in problems])
        return site

    def _clashes(self, draft: Draft, now: Current) -> Iterator[Clash]:
        was, theirs = tables_of(at_version(self._log, self._site, draft.base)), tables_of(now)
        for thing, edit in draft.edits.items():
            yield from _clashes_of(thing, was.get(thing), theirs.get(thing), _table(edit.body))


# --- things and their keys -------------------------------------------------------------------------------------------
def tables_of(configured: Current) -> dict[str, Table]:
    """Every thing of a configuration with its keys."""
    return {name: site_text.table(SECTION_OF[kind_of(name)], event) for name, event in configured.events.items()}


def body_of(table: Table | None) -> str | None:
    """A thing's keys as a draft keeps them."""
    return None if table is None else msgspec.json.encode(table, order="deterministic").decode()


def between(before: Current, after: Current) -> Plan:
    """What changed from one version to another."""
    return make_plan(before, Site(after.events, None, ""), today())


def today() -> date:
    """The day by which calendars are filled."""
    return datetime.now(UTC).date()


def _table(body: str | None) -> Table | None:
    return None if body is None else msgspec.json.decode(body, type=Table)


def overlaid(now: Current, edits: Mapping[str, Table | None], region: str) -> tuple[Site, list[Problem]]:
    """What is in force with these edits over it, at a site in this region, and all that is wrong with that: a thing of
    which something is wrong counts as unchanged. Raises `Refused` (`bad_thing`).
    """
    for thing in edits:
        _refuse_unless_thing(thing)
    tables = _over(tables_of(now), edits)
    site, problems = site_file.examine(_document(tables), _digest(tables), today(), region)
    unread = {name: now.events[name] for name in tables if name in now.events and name not in site.events}
    return msgspec.structs.replace(site, events=site.events | unread), problems


def _edits_of(draft: Draft) -> dict[str, Table | None]:
    return {thing: _table(edit.body) for thing, edit in draft.edits.items()}


def _over(tables: Mapping[str, Table], edits: Mapping[str, Table | None]) -> dict[str, Table]:
    found = {thing: table for thing, table in tables.items() if thing not in edits}
    return found | {thing: table for thing, table in edits.items() if table is not None}


def _document(tables: Mapping[str, Table]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for thing, table in tables.items():
        document.setdefault(kind_of(thing), {})[ident_of(thing)] = table
    return document


def _digest(tables: Mapping[str, Table]) -> str:
    return hashlib.sha256(msgspec.json.encode(tables, order="deterministic")).hexdigest()


def _refuse_unless_thing(thing: str) -> None:
    if kind_of(thing) not in SECTION_OF:
        raise Refused("bad_thing", f"There is no section {kind_of(thing)[:40]}.")
    if not ID.fullmatch(ident_of(thing)):
        raise Refused(
            "bad_thing", "An id has up to 40 small letters a-z, digits and -; it stays for ever, the name may change."
        )


def _differs(tables: Mapping[str, Table], thing: str, table: Table | None) -> bool:
    return _filled(thing, tables.get(thing)) != _filled(thing, table)


def _filled(thing: str, table: Table | None) -> Table | None:
    """The keys with those that are left out as they usually are."""
    return None if table is None else {**_usual(kind_of(thing)), **table}


def _usual(kind: str) -> Table:
    section = SECTION_OF[kind]
    usual = {info.name: info for info in msgspec.structs.fields(section.event)}
    found = {}
    for field in section.fields:
        info = usual[field.attribute]
        if not info.required:
            value = info.default_factory() if callable(info.default_factory) else info.default
            found[field.key] = "" if field.by_site else field.write(value)
    return found


def _keys_of(thing: str, *tables: Table | None) -> list[str]:
    order = [field.key for field in SECTION_OF[kind_of(thing)].fields]
    found = {key for table in tables if table is not None for key in table}
    return sorted(found, key=lambda key: order.index(key) if key in order else len(order))


def _clashes_of(thing: str, was: Table | None, theirs: Table | None, mine: Table | None) -> Iterator[Clash]:
    was, theirs, mine = (_filled(thing, table) for table in (was, theirs, mine))
    if theirs in (was, mine) or mine == was:
        return
    if theirs is None or mine is None:
        yield Clash(thing, WHOLE, None, _fate(theirs), _fate(mine))
        return
    before = was or {}
    for key in _keys_of(thing, was, theirs, mine):
        a, b, c = before.get(key), theirs.get(key), mine.get(key)
        if b not in (a, c) and c != a:
            yield Clash(thing, key, *(None if each is None else site_text.lines(each) for each in (a, b, c)))


def _fate(table: Table | None) -> str:
    return "removed" if table is None else "changed"


def _merged(
    thing: str,
    was: Table | None,
    theirs: Table | None,
    mine: Table | None,
    choices: Mapping[tuple[str, str], str],
) -> Table | None:
    """What to want of a thing: what only one side changed, and of clashes what was chosen."""
    was, theirs, mine = (_filled(thing, table) for table in (was, theirs, mine))
    if theirs in (was, mine):
        return mine
    if mine == was:
        return theirs
    if theirs is None or mine is None:
        return theirs if choices[thing, WHOLE] == THEIRS else mine
    before = was or {}
    found = {}
    for key in _keys_of(thing, was, theirs, mine):
        a, b, c = before.get(key), theirs.get(key), mine.get(key)
        clash = b not in (a, c) and c != a
        chosen = (b if choices[thing, key] == THEIRS else c) if clash else (b if c == a else c)
        if chosen is not None:
            found[key] = chosen
    return found


def _back(now: Current, then: Current) -> dict[str, str | None]:
    """The edits that lead back to an earlier version."""
    wanted = tables_of(then)
    return {change.stream: body_of(wanted.get(change.stream)) for change in between(now, then).changes}


def _is_open_to(draft: Draft, actor: str) -> bool:
    return draft.state == drafts.OPEN and (draft.shared or draft.owner == actor)
