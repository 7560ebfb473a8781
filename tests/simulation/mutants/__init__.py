"""The core (or what stands around it) made wrong in one place each, and the rule that must notice: by area, as the
rules are. Nothing of ours is faked. `python -m tests.simulation.mutants` prints the table.
"""

from tests.simulation.mutants import distribution, engines, legs, outside, people, talks, together, waiting

MUTANTS = (
    *distribution.MUTANTS,
    *legs.MUTANTS,
    *waiting.MUTANTS,
    *talks.MUTANTS,
    *together.MUTANTS,
    *outside.MUTANTS,
    *people.MUTANTS,
    *engines.MUTANTS,
)
