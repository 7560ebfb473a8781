"""What happened in a run, as a table that a person can read."""

from msgspec import Struct
from msgspec.structs import asdict

from orchestrator.domain.kernel import Record
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.runner import Input
from tests.simulation.agenda import START

_HIDDEN = frozenset({"node", "at", "id", "visit_id", "decision", "caller_number", "caller_name", "trunk", "trace"})


class Story:
    """Rows of (time, engine, kind, thing), told only when somebody asks."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, str, object]] = []
        self._names: dict[str, str] = {}

    def tell(self, *, last: int = 400, about: str = "") -> str:
        """The table; only rows that name `about`, where given."""
        lines = [self._line(row) for row in self.rows]
        if about:
            name = self._names.get(about, about)
            lines = [line for line in lines if name in line]
        left_out = len(lines) - last
        head = [f"… {left_out} earlier rows"] if left_out > 0 else []
        return "\n".join(head + lines[-last:])

    def _line(self, row: tuple[int, int, str, object]) -> str:
        at, epoch, kind, thing = row
        return f"{(at - START) / 1e6:9.4f} e{epoch} {kind:<9} {self._words(thing)}"

    def _words(self, thing: object) -> str:
        if isinstance(thing, str):
            return thing
        if isinstance(thing, Record):
            return f"{self._short(thing.stream)} {thing.version:>2} {self._words(thing.event)}"
        if isinstance(thing, Input):
            return self._words(thing.body)
        if isinstance(thing, Struct):
            fields = asdict(thing)
            if isinstance(thing, Instruction):
                fields.pop("deadline", None)
            shown = " ".join(
                f"{key}={self._short(value)}" for key, value in fields.items() if key not in _HIDDEN and value != ""
            )
            return f"{type(thing).__name__} {shown}"
        return str(thing)

    def _short(self, value: object) -> str:
        """Ids by a short name of their own; times by seconds since the start."""
        if isinstance(value, str):
            kind, dash, ident = value.partition("-")
            if dash and kind in ("contact", "shift"):
                return f"{kind}-{self._short(ident)}"
            if len(value) == 36 and value.count("-") == 4:
                return self._names.setdefault(value, f"#{len(self._names) + 1}")
            return value
        if isinstance(value, int) and value > START - 10**12:
            return f"@{(value - START) / 1e6:.3f}"
        if isinstance(value, tuple):
            return "(" + ", ".join(self._short(each) for each in value) + ")"
        if isinstance(value, Struct):
            return self._words(value)
        return str(value)
