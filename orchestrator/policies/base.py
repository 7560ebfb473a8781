"""What a policy is given and what it may answer."""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from orchestrator.domain.contacts import commands
from orchestrator.domain.kernel import Instant, Record, derived_id
from orchestrator.domain.staff import shifts
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.domain.world import World


class Happened(Struct, frozen=True):
    """A record that was just decided, with its stream's aggregate before and after the whole decision."""

    record: Record
    before: Any
    after: Any

    @property
    def at(self) -> Instant:
        """When it was decided."""
        return self.record.about.at


class TellContact(Struct, frozen=True):
    """A command for a contact."""

    contact_id: str
    command: commands.Command


class TellShift(Struct, frozen=True):
    """A command for a shift."""

    shift_id: str
    command: shifts.Command


Do = TellContact | TellShift | Instruction


class Ids:
    """Ids that are the same whenever the same input is stepped again (law 3)."""

    def __init__(self, input_id: str) -> None:
        self._input_id = input_id
        self._ordinal = 0

    def new(self, what: str) -> str:
        """A fresh id for a thing of this kind."""
        self._ordinal += 1
        return derived_id(self._input_id, what, self._ordinal)

    def of(self, what: str, thing: str) -> str:
        """The id of the one such thing in this step: asking twice gives the same."""
        return derived_id(self._input_id, what, thing)


Policy = Callable[[World, Happened, Ids], Iterable[Do]]
