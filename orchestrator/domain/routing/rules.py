"""Queue rules: who comes first among the free agents, once their levels have counted, and how many phones ring.

A rule is a pure function from an agent's standing to a tuple; the smallest tuple wins, and among equals the agent who
has been idle longest. To add one, write it here under `@rule`: the configuration accepts its name, the documents list
it, screens say it in words, and decision records name what it looked at, all by this file alone.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import Instant


class Standing(Struct, frozen=True, kw_only=True):
    """What a rule may look at: one free agent. The counters are those of the queue's window."""

    shift_id: str
    agent_id: str
    level: int
    """The agent's levels for the asked skills, added."""
    idle_since: Instant
    skills: int = 0
    """How many skills the agent has."""
    order: int = 0
    weight: int = 1
    calls: int = 0
    talk_ms: int = 0
    offered_at: Instant = Instant(0)
    """When the agent was last offered anything; 0: never."""
    draw: int = 0
    """Drawn anew whenever the agent becomes free, so that each who is free is as likely as any other to have the
    smallest (`pools`).
    """


Key = tuple[int, ...]
# How many phones an offer rings: as many as the queue says at once, all up to its limit, or one more every few seconds.
SOME, ALL, ONE_BY_ONE = "some", "all", "one_by_one"


class Rule(Struct, frozen=True, kw_only=True):
    """A rule with its words."""

    name: str
    key: Callable[[Standing], Key]
    says: str
    """What it does, in a sentence."""
    words: dict[str, str]
    """Its name on screens, by language."""
    looks_at: tuple[str, ...]
    """The attributes of a standing that it looks at, in the order in which they count; idle time always counts last."""
    counts: bool
    """Whether it looks at counters, so that the queue's window matters."""
    rings: str


RULES: Final[dict[str, Rule]] = {}
_COUNTERS: Final = frozenset({"calls", "talk_ms"})


def rule(
    *looks_at: str, zh: str, rings: str = SOME
) -> Callable[[Callable[[Standing], Key]], Callable[[Standing], Key]]:
    """List the function as the rule of its name; its docstring is what it says."""

    def enter(key: Callable[[Standing], Key]) -> Callable[[Standing], Key]:
        name = key.__name__
        RULES[name] = Rule(
            name=name,
            key=key,
            says=" ".join((key.__doc__ or "").split()),
            words={"en": name.replace("_", " "), "zh": zh},
            looks_at=looks_at,
            counts=not _COUNTERS.isdisjoint(looks_at),
            rings=rings,
        )
        return key

    return enter


@rule(zh="空闲最久")
def longest_idle(_standing: Standing) -> Key:
    """The agent who has been without a contact for longest."""
    return ()


@rule("offered_at", zh="轮流")
def round_robin(standing: Standing) -> Key:
    """The agent who was offered something longest ago, whatever became of it."""
    return (standing.offered_at,)


@rule("calls", zh="通话最少")
def fewest_calls(standing: Standing) -> Key:
    """The agent with the fewest contacts in the window."""
    return (standing.calls,)


@rule("talk_ms", zh="通话时间最短")
def least_talk_time(standing: Standing) -> Key:
    """The agent who has talked least in the window."""
    return (standing.talk_ms,)


@rule("skills", zh="技能最多")
def most_skills_first(standing: Standing) -> Key:
    """The agent with the most skills."""
    return (-standing.skills,)


@rule("skills", zh="技能最少")
def fewest_skills_first(standing: Standing) -> Key:
    """The agent with the fewest skills: those who can do more are kept for what others cannot."""
    return (standing.skills,)


@rule("order", zh="从上到下")
def top_down(standing: Standing) -> Key:
    """The agent who stands highest in the order that the configuration gives."""
    return (standing.order,)


@rule("draw", zh="随机")
def random(standing: Standing) -> Key:
    """Any agent, each as likely as the others; the draw is derived, so that a re-drive draws the same."""
    return (standing.draw,)


# Shares are compared as whole numbers: so fine that two different ones among 1 000 weights never look the same.
_SHARE: Final = 1_000_000


@rule("calls", "weight", zh="按权重")
def weighted(standing: Standing) -> Key:
    """The agent who is furthest behind the share that the agent's weight gives, by the contacts in the window."""
    return ((2 * standing.calls + 1) * _SHARE // max(standing.weight, 1),)


@rule(zh="同时振铃", rings=ALL)
def ring_all(_standing: Standing) -> Key:
    """All free agents at once, up to the queue's limit; where there are more, those who have been idle longest."""
    return ()


@rule(zh="逐个增加振铃", rings=ONE_BY_ONE)
def ring_progressively(_standing: Standing) -> Key:
    """The agent who has been idle longest, and every few seconds one more, until somebody answers."""
    return ()


def rule_of(name: str) -> Rule:
    """The rule of this name; longest idle for a name of the log that no rule has any more."""
    return RULES.get(name, RULES["longest_idle"])
