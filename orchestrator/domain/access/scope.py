"""Whose agents somebody sees and directs: those of some teams, of some branches, or all. Part of users and tokens."""

from typing import Protocol

from msgspec import Struct


class Placed(Protocol):
    """An agent, as far as it matters here."""

    @property
    def team(self) -> str: ...
    @property
    def branch(self) -> str: ...


class Scope(Struct, frozen=True, kw_only=True):
    """Agents of these teams who are of these branches; no team is every team, no branch every branch."""

    teams: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()

    @property
    def limited(self) -> bool:
        """Whether it is less than the whole centre."""
        return bool(self.teams or self.branches)

    def holds(self, agent: Placed) -> bool:
        """Whether this agent is in it. One of no team or branch is in those only that are not limited by it."""
        return (not self.teams or agent.team in self.teams) and (not self.branches or agent.branch in self.branches)


EVERYBODY = Scope()


def scope_of(teams: tuple[str, ...], branches: tuple[str, ...]) -> Scope:
    """The scope of these words, each once and in order."""
    return Scope(teams=tuple(sorted(set(teams))), branches=tuple(sorted(set(branches))))
