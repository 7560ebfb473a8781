"""What a policy is given and what it may answer."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final, TypeVar

from msgspec import Struct

from orchestrator.domain.catalogue import CATALOGUE, Entry
from orchestrator.domain.contacts import commands
from orchestrator.domain.kernel import Event, Instant, Record, derived_id
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

About = type[Event] | str
"""An event's class (or one that several are derived from), or a kind of streams: every event that lives in such."""

_P = TypeVar("_P", bound=Policy)
_ASKED_ABOUT: Final[dict[Policy, tuple[About, ...]]] = {}


def asked_about(*what: About) -> Callable[[_P], _P]:
    """Declare that a policy answers nothing to any other event, so that it need not be asked: most events concern few
    policies. One that declares nothing is asked about every event.
    """

    def declare(policy: _P) -> _P:
        _ASKED_ABOUT[policy] = what
        return policy

    return declare


def concerns(policy: Policy, entry: Entry) -> bool:
    """Whether this policy is asked about events of this entry of the catalogue."""
    what = _ASKED_ABOUT.get(policy)
    if what is None:
        return True
    return any(entry.kind == each if isinstance(each, str) else issubclass(entry.cls, each) for each in what)


@cache
def concerned(policies: tuple[Policy, ...]) -> Mapping[type[Event], tuple[Policy, ...]]:
    """Which of these policies are asked about each class of events, in their order."""
    return {entry.cls: tuple(policy for policy in policies if concerns(policy, entry)) for entry in CATALOGUE.values()}
