"""A run of the simulation with a tape: what a re-drive is given, without a disk or a database."""

from msgspec.structs import replace

from orchestrator.domain.kernel import Record
from orchestrator.runner import Input, Outcome
from orchestrator.tape import Recorded
from orchestrator.tape.form import Told
from tests.simulation.engine import Engine
from tests.simulation.run import Run


class TapedRun(Run):
    """Records what comes into every engine and what each step tells."""

    def play(self) -> "TapedRun":
        super().play()
        return self

    def stepped(self, engine: Engine, given: Input, outcome: Outcome) -> None:
        tapes: dict[int, list[Recorded]] = self.__dict__.setdefault("tapes", {})
        tape = tapes.setdefault(engine.epoch, [])
        tape.append(Recorded(given.id, given.at, "", given.body))
        if outcome.instructions:
            tape.append(Recorded(given.id, given.at, "", Told(outcome.instructions)))
        super().stepped(engine, given, outcome)

    def tape(self) -> list[Recorded]:
        """All of it, epoch after epoch, as a folder of segments reads."""
        tapes: dict[int, list[Recorded]] = self.__dict__["tapes"]
        return [line for _, lines in sorted(tapes.items()) for line in lines]

    def log(self) -> list[Record]:
        """What was committed, at its positions."""
        return [replace(record, position=at) for at, record in enumerate(self.ledger.records(), 1)]
