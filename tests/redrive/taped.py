"""A run of the simulation with a tape: what a re-drive is given, without a disk or a database."""

from msgspec.structs import replace

from orchestrator.domain.kernel import Record
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.runner import Input, Outcome
from orchestrator.tape import Recorded
from orchestrator.tape.form import Told
from tests.simulation.engine import Engine
from tests.simulation.run import Run, Size
from tests.simulation.weather import Weather


class TapedRun(Run):
    """Records what comes into every engine and what each step tells."""

    def __init__(self, seed: int, *, weather: Weather | None = None, size: Size | None = None) -> None:
        super().__init__(seed, weather=weather, size=size)
        self._tapes: dict[int, list[Recorded]] = {}

    def play(self) -> "TapedRun":
        super().play()
        return self

    def stepped(self, engine: Engine, given: Input, outcome: Outcome) -> None:
        self.on_tape(engine, given, outcome)
        super().stepped(engine, given, outcome)

    def on_tape(self, engine: Engine, given: Input, outcome: Outcome) -> None:
        """As the loop records it."""
        tape = self._tapes.setdefault(engine.epoch, [])
        tape.append(Recorded(given.id, given.at, "", given.body))
        if outcome.instructions:
            tape.append(Recorded(given.id, given.at, "", Told(outcome.instructions)))

    def tape(self) -> list[Recorded]:
        """All of it, epoch after epoch, as a folder of segments reads."""
        return [line for _, lines in sorted(self._tapes.items()) for line in lines]

    def log(self) -> list[Record]:
        """What was committed, at its positions."""
        return [replace(record, position=at) for at, record in enumerate(self.ledger.records(), 1)]


class UnwatchedRun(TapedRun):
    """A run by bad code that nobody objects to: as a night with a bug is recorded."""

    def stepped(self, engine: Engine, given: Input, outcome: Outcome) -> None:
        self.on_tape(engine, given, outcome)
        self.steps += 1

    def committed(self, engine: Engine, records: list[Record]) -> None:
        """Whatever it is."""

    def wrote(self, engine: Engine, instruction: Instruction) -> None:
        """Whatever it is."""

    def _finish(self) -> None:
        """However it ended."""
