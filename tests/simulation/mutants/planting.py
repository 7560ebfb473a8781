"""How a mutant is planted, and how it dies: a wrong function stands for a right one while a run is played."""

# ruff: noqa: ANN401 - a wrong function has to fit whatever right one it stands for

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import ModuleType
from typing import Any

from msgspec import Struct

from orchestrator.policies import POLICIES
from orchestrator.runner import Runner
from tests.simulation import engine
from tests.simulation.run import Failure, Run, Size
from tests.simulation.weather import Weather

SEEDS = 40
"""A mutant that lives through so many seeds is not killed."""


class Mutant(Struct, frozen=True, kw_only=True):
    """One wrong thing. `weather` is what brings it out; without one, the seeds' own. `seed` is tried first: where it
    died, if late, when somebody looked (`python -m tests.simulation.mutants`).
    """

    name: str
    rule: str
    make: Callable[[], AbstractContextManager[None]]
    weather: Weather | None = None
    size: Size | None = None
    seed: int = 0


class Kill(Struct, frozen=True, kw_only=True):
    """How a mutant died."""

    rule: str
    seed: int
    what: str


def kill(mutant: Mutant) -> Kill | None:
    """Play seeds with the mutant until a rule is broken; None where it lives."""
    with mutant.make():
        for seed in (mutant.seed, *(seed for seed in range(SEEDS) if seed != mutant.seed)):
            try:
                Run(seed, weather=mutant.weather, size=mutant.size).play()
            except Failure as failure:
                return Kill(rule=failure.rule, seed=seed, what=failure.what)
    return None


@contextmanager
def swapped(owner: ModuleType | type, name: str, wrong: Any) -> Iterator[None]:
    """`owner.name` is `wrong` for a while, and so is every name in the product under which it was imported, and every
    entry of a table of the product.
    """
    right = getattr(owner, name)
    places: list[tuple[Any, str]] = [(owner, name)]
    entries: list[tuple[dict[Any, Any], Any]] = []
    if isinstance(owner, ModuleType):
        modules = [module for key, module in sys.modules.items() if key.startswith(("orchestrator.", "tests.sim"))]
        places += [(module, name) for module in modules if module is not owner and getattr(module, name, None) is right]
        entries = [
            (table, key) for module in modules for table in _tables(module) for key in table if table[key] is right
        ]
    with ExitStack() as back:
        for table, key in entries:
            back.callback(table.__setitem__, key, right)
            table[key] = wrong
        for place, each in places:
            back.callback(setattr, place, each, right)
            setattr(place, each, wrong)
        yield


def _tables(module: ModuleType) -> list[dict[Any, Any]]:
    return [found for key, found in vars(module).items() if isinstance(found, dict) and not key.startswith("__")]


def around(owner: ModuleType | type, name: str, wrap: Callable[..., Any]) -> Callable[[], AbstractContextManager[None]]:
    """Swap `owner.name` for `wrap(right, *its arguments)`."""

    def make() -> AbstractContextManager[None]:
        right = getattr(owner, name)
        return swapped(owner, name, lambda *args, **named: wrap(right, *args, **named))

    return make


def instead(owner: ModuleType | type, name: str, wrong: Any) -> Callable[[], AbstractContextManager[None]]:
    """Swap `owner.name` for something else."""
    return lambda: swapped(owner, name, wrong)


def nothing(*_args: object, **_named: object) -> tuple[()]:
    """What a forgotten policy answers."""
    return ()


def policy(right: Any, wrong: Any) -> Callable[[], AbstractContextManager[None]]:
    """Engines whose runner has a wrong policy instead of a right one."""
    policies = tuple(wrong if each is right else each for each in POLICIES)
    runner = Runner
    return instead(engine, "Runner", lambda world: runner(world, policies))
