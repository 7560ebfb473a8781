"""Phones that lose their registration and get it back, and what the log alone says of them."""

from collections.abc import Callable
from random import Random
from typing import Protocol

from orchestrator.domain.kernel import SECOND, Event
from orchestrator.domain.switch import nodes as n
from orchestrator.domain.world import World
from tests.simulation.agenda import Agenda

# Every phone says so often that it is still there.
REFRESH = 30 * SECOND


class Registered(Protocol):
    """What is looked at of a phone."""

    registered: bool


class Registrations:
    """All phones of one run. `tell(extension, registered)` has every switch know, and say, how it is now."""

    def __init__(
        self, agenda: Agenda, dice: Random, phones: dict[str, Registered], tell: Callable[[str, bool], None]
    ) -> None:
        self._agenda = agenda
        self._dice = dice
        self._phones = phones
        self._tell = tell
        for extension in phones:
            agenda.after(dice.randrange(REFRESH), lambda extension=extension: self._refresh(extension))  # type: ignore[misc]  # per phone

    def _refresh(self, extension: str) -> None:
        if self._phones[extension].registered:
            self._tell(extension, True)
        self._agenda.after(REFRESH, lambda: self._refresh(extension))

    def lose_one(self) -> None:
        """One of them loses its power or its network; after a while it is back."""
        there = [extension for extension, phone in self._phones.items() if phone.registered]
        if there:
            extension = self._dice.choice(there)
            self._tell(extension, False)
            away = self._dice.choice((self._dice.uniform(0.01, 1), self._dice.uniform(1, 40)))
            self._agenda.after(int(away * SECOND), lambda: self._tell(extension, True))


class Heard:
    """What the records of nodes say of phones, kept in the plainest way."""

    def __init__(self) -> None:
        self._said: dict[str, dict[str, bool]] = {}
        self._in_step: dict[str, None] = {}
        self._dead: dict[str, None] = {}

    def note(self, node: str, event: Event) -> bool:
        """Take one more record; false where it tells what was known."""
        said = self._said.setdefault(node, {})
        before = dict(said)
        match event:
            case n.NodeReconciled():
                self._in_step[node] = None
                return True
            case n.NodeLost() | n.NodeConnected():
                self._in_step.pop(node, None)
                self._dead.pop(node, None)
                return True
            case n.NodeDied():
                self._dead[node] = None
                return True
            case n.PhoneRegistered() | n.PhoneUnregistered():
                said[event.extension] = isinstance(event, n.PhoneRegistered)
                return said != before
            case n.PhonesCompared():
                said.update(dict.fromkeys(event.registered, True) | dict.fromkeys(event.unregistered, False))
                for extension in event.forgotten:
                    said.pop(extension, None)
                moved = {extension for extension in {**said, **before} if said.get(extension) != before.get(extension)}
                return moved == {*event.registered, *event.unregistered, *event.forgotten}
        return True

    def gone(self, extension: str) -> bool:
        """Whether those switches that can be asked say that they cannot reach this phone."""
        known = [self._said[node][extension] for node in self._in_step if extension in self._said[node]]
        known += [False for node in self._dead if extension in self._said[node]]
        return bool(known) and not any(known)

    def has(self, node: str, extension: str) -> bool:
        """Whether this switch, by its own word, can reach this phone now."""
        return node in self._in_step and self._said[node].get(extension, False)

    def anywhere(self, extension: str) -> bool:
        """Whether any switch can, by its own word."""
        return any(self.has(node, extension) for node in self._in_step)


def is_gone(world: World, extension: str) -> bool:
    """The same, by the live state."""
    known = False
    for node in world.nodes.values():
        phone = node.phones.get(extension)
        if phone is None:
            continue
        if node.in_step and phone.registered:
            return False
        known = known or node.in_step or node.status == n.DEAD
    return known


def misjudged(world: World, phones: dict[str, Registered], *, whole: bool) -> str:
    """A phone of which the live state says what is not so, long after the last fault. Where news was lost, one that is
    gone may still count as there: nobody says again what was said once.
    """
    for extension, phone in phones.items():
        gone = is_gone(world, extension)
        if gone and phone.registered:
            return f"{extension} is registered, and counts as gone"
        if whole and not gone and not phone.registered and all(node.in_step for node in world.nodes.values()):
            return f"{extension} is gone, and nobody knows"
    return ""
