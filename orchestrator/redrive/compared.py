"""Two sides of a step: when they are the same, and what is told where they are not."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from orchestrator.domain.kernel import Event, Instant, Record
from orchestrator.domain.personal import changed
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.tape.form import Hole
from orchestrator.vault import ERASED

EVENTS, INSTRUCTIONS, TIMER, FAULT = "events", "instructions", "timer", "fault"


class Difference(Struct, frozen=True, kw_only=True):
    """One thing that today's code does otherwise."""

    what: str
    """`events`, `instructions`, `timer` (due at another time, or not at all), `fault` (today's code raised)."""
    input_id: str
    at: Instant
    given: object
    """The body of the input."""
    recorded: tuple[Record | Instruction, ...] = ()
    made: tuple[Record | Instruction, ...] = ()
    recorded_due: Instant | None = None
    made_due: Instant | None = None
    timer: tuple[str, str] = ("", "")
    """Of a timer: which one, and whose."""
    fault: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """What a re-drive came to."""

    inputs: int
    """Steps that were compared."""
    records: int
    """Events of the log that were made again, or should have been."""
    instructions: int
    differences: tuple[Difference, ...]
    stopped: bool
    """Whether there were so many differences that the rest was not looked at."""
    holes: tuple[Hole, ...]
    unsure: int
    """Steps that were not compared: they came so soon after the beginning or a hole that what the engine remembered
    beside its log is not known.
    """
    unstored: int
    """Events made after the last one of their epoch that was stored: the process ended before they were."""
    undriven: int
    """Events of the window in the log whose inputs are not on the tape."""
    told: bool
    """Whether the tape says what was told; one of an older version does not, and instructions are not compared."""
    first: Instant | None
    last: Instant | None
    """The instants of the first and last step that was compared."""
    watched: frozenset[str] = frozenset()
    """Those of the inputs that were to be watched whose steps were compared."""

    @property
    def same(self) -> bool:
        """Whether something was compared, and all of it is the same."""
        return bool(self.inputs) and not self.differences


def same_records(recorded: Sequence[Record], made: Sequence[Record], *, blind: bool) -> bool:
    """Whether these are the same events at the same places, but for what of persons was erased since; with `blind`, but
    for all personal text.
    """
    return len(recorded) == len(made) and all(
        _key(was) == _key(now) and _alike(was.event, now.event, blind=blind)
        for was, now in zip(recorded, made, strict=True)
    )


def same_instructions(told: Sequence[Instruction], made: Sequence[Instruction], *, blind: bool) -> bool:
    """Whether the switches are told the same, in the same sense."""
    return len(told) == len(made) and all(_alike(was, now, blind=blind) for was, now in zip(told, made, strict=True))


def _key(record: Record) -> tuple[object, ...]:
    # The name of a wish follows from the input, and was not told in earlier logs.
    about = msgspec.structs.replace(record.about, wish="") if record.about.wish else record.about
    return record.stream, record.version, record.event_id, about


def _alike(was: Event | Instruction, now: Event | Instruction, *, blind: bool) -> bool:
    if was == now:
        return True
    if type(was) is not type(now):
        return False
    if blind:
        return changed(was, _hidden) == changed(now, _hidden)
    return _without_erased(msgspec.to_builtins(was), msgspec.to_builtins(now))


def _hidden(_text: str) -> str:
    return "‹›"


def _without_erased(was: object, now: object) -> bool:
    """Whether they are the same wherever the first is not erased."""
    if was == ERASED:
        return isinstance(now, str)
    if isinstance(was, dict) and isinstance(now, dict):
        return was.keys() == now.keys() and all(_without_erased(was[key], now[key]) for key in was)
    if isinstance(was, list | tuple) and isinstance(now, list | tuple):
        return len(was) == len(now) and all(map(_without_erased, was, now))
    return was == now
