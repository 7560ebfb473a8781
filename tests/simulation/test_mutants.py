"""Each rule of the simulation kills a mutant by its own name: a rule that nothing can break proves nothing."""

import pytest

from tests.simulation.invariants import RULES
from tests.simulation.mutants import MUTANTS, SEEDS, Mutant, kill
from tests.simulation.run import Run


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_mutant_is_killed_by_the_rule_that_it_breaks(mutant: Mutant) -> None:
    """Feature 11.8: the checks that run after every test can fail."""
    died = kill(mutant)
    assert died is not None, f"{mutant.name} lived through {SEEDS} seeds"
    assert died.rule == mutant.rule, f"killed by {died.rule} instead, with seed {died.seed}: {died.what}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_the_right_core_lives_where_the_mutant_dies(mutant: Mutant) -> None:
    for seed in range(3):
        Run(seed, weather=mutant.weather, size=mutant.size).play()


def test_every_rule_kills_a_mutant() -> None:
    assert {mutant.rule for mutant in MUTANTS} == set(RULES)
