"""Whose agents somebody sees: teams, branches, both, all."""

import pytest

from orchestrator.domain.access.scope import EVERYBODY, Scope, scope_of
from orchestrator.domain.staff.agents import Agent


def agent(team: str = "", branch: str = "") -> Agent:
    return Agent(agent_id="a", number="801", name="A", extension="1001", skills={}, team=team, branch=branch)


@pytest.mark.parametrize(
    ("scope", "seen"),
    (
        (EVERYBODY, {"north east", "north west", "south east", ""}),
        (Scope(teams=("north",)), {"north east", "north west"}),
        (Scope(branches=("east",)), {"north east", "south east"}),
        (Scope(teams=("north",), branches=("east", "south")), {"north east"}),
    ),
)
def test_with_teams_and_branches_an_agent_must_be_of_both(scope: Scope, seen: set[str]) -> None:
    """Safety, V8: an agent of no team and no branch is seen by those only who see everybody."""
    known = {"north east": agent("north", "east"), "north west": agent("north", "west"), "": agent()}
    known["south east"] = agent("south", "east")
    assert {name for name, each in known.items() if scope.holds(each)} == seen
    assert scope.limited == (scope != EVERYBODY)


def test_words_stand_once_and_in_order() -> None:
    assert scope_of(("b", "a", "b"), ()) == Scope(teams=("a", "b"))
