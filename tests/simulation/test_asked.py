"""Policies are asked about the events that they declare: asked about all of them, they answer nothing else."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from orchestrator.domain.world import World
from orchestrator.policies import POLICIES
from orchestrator.policies.base import Do, Happened, Ids, Policy, asked_about, concerned
from orchestrator.policies.reserve import reserve
from orchestrator.runner import Runner
from tests.simulation import engine
from tests.simulation.mutants.planting import instead
from tests.simulation.run import Failure, Run, Size

SEEDS = 40
_SIZES = (Size(), Size(browsers=0.5, outside=True, places=True, hands=0.5))


def asked_anyway(policy: Policy) -> Policy:
    """The same policy without a declaration, which must answer nothing where it need not have been asked."""

    def ask(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
        event = happened.record.event
        for do in policy(world, happened, ids):
            assert policy in concerned(POLICIES)[type(event)], f"{policy.__name__} answers to {type(event).__name__}"
            yield do

    return ask


def asking(policies: tuple[Policy, ...]) -> AbstractContextManager[None]:
    """Engines whose runner asks these."""
    runner = Runner
    return instead(engine, "Runner", lambda world: runner(world, policies))()


@pytest.mark.parametrize("size", _SIZES, ids=("usual", "everything"))
@pytest.mark.parametrize("first", range(0, SEEDS, 10))
def test_asking_every_policy_about_every_event_tells_the_same_story(first: int, size: Size) -> None:
    """Feature 11.4: whoever is not asked would have said nothing, and would have drawn no id."""
    everybody = tuple(asked_anyway(policy) for policy in POLICIES)
    for seed in range(first, first + 10):
        one = Run(seed, size=size).play().story
        with asking(everybody):
            other = Run(seed, size=size).play().story
        # Everything in them, and not what would be told of it: half of that is left out, and it takes long to write.
        assert one.rows == other.rows, seed


def test_a_declaration_that_leaves_an_event_out_is_found_by_the_runs() -> None:
    """A policy that is not asked about the end of offers holds agents for ever."""

    @asked_about("node")
    def deaf(world: World, happened: Happened, ids: Ids) -> Iterator[Do]:
        yield from reserve(world, happened, ids)

    wrong = tuple(deaf if policy is reserve else policy for policy in POLICIES)
    with asking(wrong), pytest.raises(Failure) as failure:
        Run(0).play()
    assert failure.value.rule != "never_raises"
