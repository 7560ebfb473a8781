"""Who is killed by what."""

import sys

from tests.simulation.mutants import MUTANTS
from tests.simulation.mutants.planting import kill


def main() -> int:
    """Print who was killed by what."""
    alive = 0
    for mutant in MUTANTS:
        died = kill(mutant)
        alive += died is None or died.rule != mutant.rule
        how = f"{died.rule:<24} seed {died.seed:<3} {died.what[:90]}" if died is not None else "LIVES"
        print(f"{mutant.name:<56} {mutant.rule:<24} {how}")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
