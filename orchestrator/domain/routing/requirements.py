"""What a contact asks of agents, and how that widens while it waits: a chain of steps, the same whoever asks again.

Named agent, last agent, local branch, strongest agent, falling levels, "then anyone" are all steps of one chain. It is
made by `chain` from the queue's settings and what is known of the contact; the contact's own events say at which step
it is (`ContactQueued`, `VisitWidened`) and that the chain was made anew (`VisitRevised`).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing.queues import QueueConfigured, StepSetting

# A step that asks for this branch means that of the caller's own region.
LOCAL: Final = "local"
PRIORITIES: Final = (-1_000, 1_000)
"""A contact's priority with all that was given to it stays within these, whatever was given."""


class Requirement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent must have."""

    skills: dict[str, int] = {}
    """Each skill with the least level; none: no skill is asked for."""
    agents: tuple[str, ...] = ()
    """These agents alone; empty: any."""
    branch: str = ""
    """This branch's agents alone; empty: any."""
    strongest: bool = False
    """The agent's level counts first, even where the queue does not say so."""


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One requirement of a chain, and for how many milliseconds it holds once it has begun; 0: for good."""

    requirement: Requirement
    until_ms: int = 0


class Known(Struct, frozen=True, kw_only=True):
    """What is known of a contact that bears on whom it may go to."""

    named_agent: str = ""
    last_agent: str = ""
    branch: str = ""
    """The branch of the caller's region."""
    strongest: bool = False
    """Whether the customer's level demands the strongest agent."""


NOTHING_KNOWN: Final = Known()


def own(settings: QueueConfigured) -> Requirement:
    """What a queue asks for of itself: its skill from its least level."""
    return _requirement(settings, StepSetting(), NOTHING_KNOWN)


def chain(settings: QueueConfigured, known: Known = NOTHING_KNOWN) -> tuple[Step, ...]:
    """The steps that a contact goes through in a queue; the last one holds for good. Empty where that is what the queue
    asks for of itself and nothing else: so it needs no writing down, and is what the queue asks for by then.
    """
    steps = [
        *_preferred(settings, known.named_agent, settings.named_agent_ms, known),
        *_preferred(settings, known.last_agent, settings.last_agent_ms, known),
        *_configured(settings, known),
    ]
    if not steps or steps[-1].until_ms:
        steps.append(Step(requirement=_requirement(settings, StepSetting(), known)))
    plain = len(steps) == 1 and steps[0].requirement == own(settings)
    return () if plain else tuple(steps)


def _preferred(settings: QueueConfigured, agent_id: str, patience_ms: int, known: Known) -> Iterator[Step]:
    """One agent is preferred, for as long as the queue is patient. Skill and level are asked for all the same."""
    if agent_id and patience_ms > 0:
        requirement = _requirement(settings, StepSetting(), known, agents=(agent_id,))
        yield Step(requirement=requirement, until_ms=patience_ms)


def _configured(settings: QueueConfigured, known: Known) -> Iterator[Step]:
    for setting in settings.steps:
        if setting.branch == LOCAL and not known.branch:
            continue  # a caller of no known region has no local branch to wait for
        yield Step(requirement=_requirement(settings, setting, known), until_ms=setting.for_ms)
        if not setting.for_ms:
            return  # it holds for good: nothing comes after it


def _requirement(
    settings: QueueConfigured, setting: StepSetting, known: Known, agents: tuple[str, ...] = ()
) -> Requirement:
    skills = setting.skills
    if skills is None:
        skills = {settings.skill: max(setting.min_level or settings.min_level, 1)}
    return Requirement(
        skills=skills,
        agents=agents or setting.agents,
        branch=known.branch if setting.branch == LOCAL else setting.branch,
        strongest=setting.strongest or known.strongest,
    )


def bounded(priority: int) -> int:
    """The priority, within `PRIORITIES`."""
    low, high = PRIORITIES
    return min(max(priority, low), high)


MINUTE: Final = 60_000_000


def aged(per_min: int, cap: int, since: Instant, now: Instant) -> int:
    """The points that waiting has added by now, in parts of which `MINUTE` are one: so many a minute, up to the cap."""
    return min(max(per_min * (now - since), 0), cap * MINUTE)


def rank_at(base: int, per_min: int, cap: int, since: Instant, now: Instant) -> int:
    """The whole rank now, in the same parts: nobody's rank jumps, so nobody's place hangs on when it is asked."""
    return base * MINUTE + aged(per_min, cap, since, now)


def branch_of(number: str, prefixes: Mapping[str, str]) -> str:
    """The branch of the region that a number is from: that of the longest prefix that it begins with, else none."""
    if not prefixes:
        return ""
    digits = "".join(c for c in number if c in "+0123456789")
    return next((prefixes[digits[:n]] for n in range(len(digits), 0, -1) if digits[:n] in prefixes), "")
