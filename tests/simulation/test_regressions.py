"""Seeds that once broke a rule, by what they found. Each bug is also told by hand, where its paths do not move with the
seed's: `tests/runner`.
"""

import pytest

from tests.simulation.run import Run, Size

FOUND = {
    4: "an agent rung for a caller whose hang-up had overtaken the arrival",
    2: "an agent stood down for missing a call though the phone could not be reached",
    10: "a phone's leg closed as absent because it was asked after before it was made",
    12: "a stray leg that nobody hung up again after a restart",
    14: "a channel left over after the engine died between the commit and the hang-up",
    1003: "a caller joined with a second agent just after the first join had come late",
    1401: "a stopped engine that went on with its old inbox",
    1533: "an agent stood down because the database was slow",
    1992: "a command to a switch that died on the way",
    2129: "a caller who was left in silence by a join that never happened",
    2407: "a ring that was made by the process before",
}


@pytest.mark.parametrize("seed", FOUND, ids=lambda seed: f"{seed}-{FOUND[seed].replace(' ', '-')}")
def test_a_seed_that_once_broke_a_rule_keeps_them_all(seed: int) -> None:
    """Features 11.8, 12.1, 12.4; complaints 5, 15. Without browsers: there were none when they were found."""
    Run(seed, size=Size()).play()
