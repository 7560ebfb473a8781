"""`ringledger redrive`: what a re-drive came to, for whoever looks at it at night."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from orchestrator.domain.kernel import Record, ident_of
from orchestrator.domain.personal import changed
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.staff.events import AgentSignedIn
from orchestrator.domain.switch.facts import Fact
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.redrive import Difference, Report
from orchestrator.replay.moments import iso, local
from orchestrator.runner import DatabaseAway, DatabaseBack, Followed, Started, TimerFired
from orchestrator.runner.inputs import AgentCommand, DeskCommand
from orchestrator.tape import Hole
from web.words import Names
from web.words.events import about, sentence

_SHORT: Final = 8
_MASK: Final = "•••"
# A capital begins a word.
_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_UUID: Final = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
NOT_WHOLE: Final = (
    "The log before the window is long: decisions rest on the configuration, what was going on, and the day before."
)
NOTHING: Final = "Nothing could be compared: the tape of this window is not there, or less than a minute of it is."
_HEADS: Final = {
    "events": "decided otherwise",
    "instructions": "the switch is told otherwise",
    "timer": "a timer is due at another time",
    "fault": "today's code fails",
}


def names_of(records: Iterable[Record]) -> Names:
    """What ids are called: agents by number, for their names are nobody's business here."""
    agents: dict[str, str] = {}
    queues: dict[str, str] = {}
    shifts: dict[str, str] = {}
    for record in records:
        match record.event:
            case AgentConfigured(number=number):
                agents[ident_of(record.stream)] = f"{number} {ident_of(record.stream)}"
            case QueueConfigured(name=name):
                queues[ident_of(record.stream)] = name
            case AgentSignedIn(agent_id=agent_id):
                shifts[ident_of(record.stream)] = agent_id
    return Names(agents=agents, queues=queues, shifts=shifts)


def text(report: Report, names: Names, zone: ZoneInfo) -> str:
    """All of it in words."""
    return "\n".join([*_head(report, zone), *_differences(report.differences, names, zone)])


def exit_code(report: Report) -> int:
    """0 where all is the same, 1 where something is not, 2 where not all, or nothing, could be compared."""
    return 1 if report.differences else 2 if not report.inputs or report.undriven else 0


def as_json(report: Report) -> str:
    """All of it for programs; personal text is masked."""
    rows = [
        {
            "what": each.what,
            "input": each.input_id,
            "at": iso(each.at),
            "given": given(each.given, Names()),
            "recorded": [_plain(side) for side in each.recorded],
            "today": [_plain(side) for side in each.made],
            "timer": " ".join(each.timer).strip(),
            "recorded_due": None if each.recorded_due is None else iso(each.recorded_due),
            "today_due": None if each.made_due is None else iso(each.made_due),
            "fault": each.fault,
        }
        for each in report.differences
    ]
    counts = {
        name: getattr(report, name)
        for name in ("inputs", "records", "instructions", "stopped", "unsure", "unstored", "undriven", "told")
    }
    holes = msgspec.to_builtins(report.holes)
    return msgspec.json.encode({"same": report.same, **counts, "holes": holes, "differences": rows}).decode()


def given(body: object, names: Names) -> str:
    """What came in, in words."""
    match body:
        case TimerFired(what=what, ident=ident):
            return f"the timer “{what}” of {ident[:_SHORT]} was due" if ident else f"the timer “{what}” was due"
        case Started(epoch=epoch):
            return f"the engine started (epoch {epoch})"
        case DatabaseAway():
            return "the database was away, and events went to the spool"
        case DatabaseBack():
            return "the database was back"
        case Followed(record=record):
            return f"the configuration of {about(record, names)} came: {sentence(record, names)}"
        case AgentCommand(agent=agent):
            return f"agent {agent} asked: {_named(body)}"
        case DeskCommand():
            return f"somebody asked: {_named(body)}"
        case Fact(node=node):
            return f"switch {node} said: {_named(body)}"
    return type(body).__name__


def _head(report: Report, zone: ZoneInfo) -> Iterator[str]:
    if report.first is None or report.last is None:
        yield NOTHING
    else:
        told = f" and {report.instructions} instructions" if report.told else ""
        yield (
            f"{report.inputs} steps of {local(report.first, zone)} to {local(report.last, zone)} driven again: "
            f"{report.records} events{told} recorded."
        )
        if report.same:
            some = ", and these are not all" if report.undriven else ""
            yield f"Today's code decides every one of them the same{some}."
        else:
            more = ", and perhaps more: the rest was not looked at" if report.stopped else ""
            yield f"DIFFERENT in {len(report.differences)} places{more}:"
    if not report.told and report.records:
        yield "  What the switches were told is not on this tape (an older version wrote it); only events are compared."
    for hole in report.holes:
        yield f"  {hole_text(hole)}"
    if report.unsure:
        yield f"  {report.unsure} steps right after the beginning or a hole were driven and not compared."
    if report.undriven:
        yield f"  {undriven_text(report.undriven)}"
    if report.unstored:
        yield f"  {report.unstored} events at the end of an epoch were never stored: the engine ended there."


def _differences(found: Sequence[Difference], names: Names, zone: ZoneInfo) -> Iterator[str]:
    for number, each in enumerate(found, 1):
        yield ""
        yield f"{number}. {local(each.at, zone)} · {_HEADS[each.what]} · input {each.input_id}"
        yield f"   when {given(each.given, names)}"
        if each.what == "timer":
            yield from _timer(each, zone)
            continue
        yield from _side("recorded", each.recorded, names)
        if each.fault:
            yield f"   today     {each.fault}"
        else:
            yield from _side("today", each.made, names)
            yield from _fields(each)


def _timer(each: Difference, zone: ZoneInfo) -> Iterator[str]:
    what, ident = each.timer
    yield f"   timer “{what}” of {ident[:_SHORT]}"
    for side, due in (("recorded", each.recorded_due), ("today", each.made_due)):
        yield f"   {side:<9} {'not set' if due is None else f'due {local(due, zone)}'}"


def _side(side: str, happened: Sequence[Record | Instruction], names: Names) -> Iterator[str]:
    if not happened:
        yield f"   {side:<9} nothing"
    for place, each in enumerate(happened):
        yield f"   {side if not place else '':<9} {_line(each, names)}"


def _line(each: Record | Instruction, names: Names) -> str:
    if isinstance(each, Record):
        place = f" (log {each.position})" if each.position else ""
        return f"{about(each, names)}: {sentence(each, names)} [{type(each.event).__name__}]{place}"
    return _named(each)


def _fields(each: Difference) -> Iterator[str]:
    """Where events or instructions that are alike differ."""
    for was, now in zip(each.recorded, each.made, strict=False):
        old, new = (_plain(side) for side in (was, now))
        if old.get("type") != new.get("type"):
            return
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                yield f"     {old['type']}.{name}: recorded {_short(old.get(name))}, today {_short(new.get(name))}"


def changes(before: Struct | None, after: Struct) -> Iterator[str]:
    """What of a thing that was configured anew is other than it was. Personal text is masked."""
    if before is None or type(before) is not type(after):
        return
    old, new = _values(before), _values(after)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield f"{name}: was {_short(old.get(name))}, is {_short(new.get(name))}"


def _named(body: Struct) -> str:
    """A struct of ours in words: its name, and what in it is not empty. Personal text is masked."""
    values = _values(body)
    name = _WORD.sub(" ", type(body).__name__).lower()
    said = ", ".join(
        f"{key} {_short(value)}" for key, value in values.items() if key not in ("node", "at", "id", "key")
    )
    return f"{name} ({said})" if said else name


def _values(body: Struct) -> dict[str, Any]:
    masked = changed(body, lambda _: _MASK)
    pairs = ((field, getattr(masked, field)) for field in masked.__struct_fields__)
    return {field: msgspec.to_builtins(value) for field, value in pairs if value not in ("", None, 0, (), {}, False)}


def _plain(each: Record | Instruction) -> dict[str, Any]:
    """One side for comparing and for programs."""
    if isinstance(each, Record):
        at = {"stream": each.stream, "version": each.version, "id": each.event_id, "decided_at": each.about.at}
        return {"type": type(each.event).__name__, **at, **_values(each.event)}
    return {"type": type(each).__name__, **_values(each)}


def _short(value: object) -> str:
    said = _UUID.sub(r"\1", value if isinstance(value, str) else msgspec.json.encode(value).decode())
    return said if len(said) <= 60 else f"{said[:57]}…"  # noqa: PLR2004 - what fits a terminal


def undriven_text(count: int) -> str:
    """That some of the log could not be made again."""
    return f"{count} events of the log have no input on the tape; they were taken as recorded."


def hole_text(hole: Hole) -> str:
    """Where something is missing, and why."""
    last = f"to {hole.last}" if hole.last else "on"
    return f"HOLE in the tape of epoch {hole.epoch}, from line {hole.first} {last}: {hole.why}"
