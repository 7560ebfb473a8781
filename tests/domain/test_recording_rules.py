"""Which talks are recorded: the site's word, the queue's and the agent's (feature 8.1)."""

from itertools import product

import pytest

from orchestrator.domain.routing.recording import (
    OF_AGENTS,
    OF_QUEUES,
    OF_SITE,
    Recordings,
    RecordingsConfigured,
    RecordingsRemoved,
    evolve,
    rule_of,
)

TABLE = """
    agent:      as_queue    always      on_demand   never
    always      always      always      always      never
    on_demand   on_demand   always      on_demand   never
    as_agent    never       always      on_demand   never
    never       never       never       never       never
"""


def cells() -> list[tuple[str, str, str]]:
    """(queue, agent, what follows) of each cell."""
    head, *rows = (line.split() for line in TABLE.strip().splitlines())
    return [(row[0], agent, rule) for row in rows for agent, rule in zip(head[1:], row[1:], strict=True)]


@pytest.mark.parametrize(("queue", "agent", "rule"), cells())
def test_queue_and_agent_decide_together_and_never_is_heard_first(queue: str, agent: str, rule: str) -> None:
    assert rule_of("as_queue", queue, agent) == rule


def test_the_table_names_every_word_that_may_be_configured() -> None:
    assert {(queue, agent) for queue, agent, _ in cells()} == set(product(OF_QUEUES, OF_AGENTS))


@pytest.mark.parametrize("site", OF_SITE[1:])
def test_a_site_that_says_always_or_never_is_asked_alone(site: str) -> None:
    """All, and off."""
    assert {rule_of(site, queue, agent) for queue, agent in product(OF_QUEUES, OF_AGENTS)} == {site}


def test_the_sites_word_is_history_and_can_be_taken_back() -> None:
    said = evolve(Recordings(), RecordingsConfigured(rule="never", mask_most_ms=60_000))
    assert (said.rule, said.mask_most_ms) == ("never", 60_000)
    assert evolve(said, RecordingsRemoved()) == Recordings()
