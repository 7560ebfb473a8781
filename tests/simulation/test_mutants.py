"""Each rule of the simulation kills a mutant by its own name: a rule that nothing can break proves nothing."""

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.mutants.planting import SEEDS, Mutant, kill
from tests.simulation.rules import RULES
from tests.simulation.run import Run, Size
from tests.simulation.weather import Weather

_WHERE: dict[tuple[Weather | None, Size | None], list[Mutant]] = {}
for _mutant in MUTANTS:
    _WHERE.setdefault((_mutant.weather, _mutant.size), []).append(_mutant)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_mutant_is_killed_by_the_rule_that_it_breaks(mutant: Mutant) -> None:
    """Feature 11.8: the checks that run after every test can fail."""
    died = kill(mutant)
    assert died is not None, f"{mutant.name} lived through {SEEDS} seeds"
    assert died.rule == mutant.rule, f"killed by {died.rule} instead, with seed {died.seed}: {died.what}"


@pytest.mark.parametrize("where", _WHERE, ids=lambda where: _WHERE[where][0].name.replace(" ", "-"))
def test_the_right_core_lives_where_the_mutants_die(where: tuple[Weather | None, Size | None]) -> None:
    """Under the same skies, once for all who die there, and where each of them dies."""
    weather, size = where
    for seed in {mutant.seed for mutant in _WHERE[where]}:
        Run(seed, weather=weather, size=size).play()


def test_every_rule_kills_a_mutant() -> None:
    assert {mutant.rule for mutant in MUTANTS} == set(RULES)
