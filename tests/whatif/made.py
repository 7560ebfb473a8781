"""A day made up: callers at random, agents who answer as people do. It is played once, and the records are its log."""

from collections.abc import Iterator
from random import Random
from typing import Final

from msgspec.structs import replace

from orchestrator.domain.kernel import MILLISECOND, SECOND, Event, Instant, Provenance, Record
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.whatif.day import ANSWERED, Agent, Caller, Day, Ring, Talk, Wish
from orchestrator.whatif.patience import Patience
from orchestrator.whatif.playing import Play

FIRST: Final = Instant(1_772_380_800 * SECOND)
"""2026-03-02, midnight in Shanghai."""
LAST: Final = Instant(FIRST + 86_400 * SECOND)
PATIENCE_S: Final = 90.0
QUEUES: Final = ("support", "sales")
SETTINGS: Final = QueueConfigured(name="", skill="", ring_ms=12_000, wrap_up_ms=20_000, cool_down_ms=5_000)


def configuration(agents: int, **queue: object) -> dict[str, Event]:
    """Two queues and their agents, of whom every third can do both."""
    changes: dict[str, Event] = {}
    for place, name in enumerate(QUEUES):
        changes[f"queue-{name}"] = replace(SETTINGS, name=name.title(), skill=name, **queue)
        changes[f"entry-{name}"] = EntryPointConfigured(name=name, numbers=(f"400{place + 1}",), queue_id=name)
    for n in range(agents):
        skills = QUEUES if n % 3 == 0 else (QUEUES[n % 2],)
        changes[f"agent-a{n}"] = AgentConfigured(
            number=str(1000 + n), name=f"Agent {n}", extension=str(1000 + n), skills=dict.fromkeys(skills, 3)
        )
    return changes


def configured(agents: int, **queue: object) -> list[Record]:
    """The same as records of the day before."""
    changes = configuration(agents, **queue)
    changes["config-main"] = ConfigurationApplied(digest="", changed=tuple(sorted(changes)))
    about = Provenance(at=Instant(FIRST - 86_400 * SECOND), actor="admin:test", origin="config")
    return [
        Record(stream=name, version=1, event=event, event_id=f"{name}-1", about=about)
        for name, event in changes.items()
    ]


def brought(
    calls: int,
    agents: int,
    seed: int = 1,
    *,
    hours: tuple[int, int] = (8, 18),
    agents_pause: bool = True,
    **queue: object,
) -> Day:
    """What callers and agents bring: calls at random between two hours, talks of a minute on average, and an agent in
    twelve rings who does not answer.
    """
    dice = Random(f"made {seed}")
    begin, end = (FIRST + hour * 3_600 * SECOND for hour in hours)
    times = sorted(dice.uniform(begin, end) for _ in range(calls))
    return Day(
        first=FIRST,
        last=LAST,
        configured=configured(agents, **queue),
        changed=[],
        callers=[_caller(dice, number, int(at)) for number, at in enumerate(times)],
        agents={f"a{n}": _agent(dice, n, begin, end, pauses=agents_pause) for n in range(agents)},
        patience=Patience(told=False, callers=0, gave_up=0, mean_s=PATIENCE_S),
        delivered=300 * MILLISECOND,
        joined=100 * MILLISECOND,
    )


def records(day: Day, seed: int = 99) -> list[Record]:
    """The day's log: what it is made of and what it came to."""
    found = list(day.configured)
    Play(day, day.configured, day.changed, day.agents, seed, found.append).run()
    return found


def _caller(dice: Random, number: int, at: int) -> Caller:
    name = dice.choice(QUEUES)
    talk = Talk(
        name,
        int(dice.lognormvariate(10.7, 0.6)),
        wrap_ms=int(dice.uniform(2_000, 30_000)),
        finished=dice.random() < 0.8,
        code="solved",
    )
    return Caller(
        contact_id=str(number),
        at=Instant(at),
        node="sw1",
        dialled=f"400{QUEUES.index(name) + 1}",
        number=f"+86138{number:08}",
        name="",
        trunk="",
        host="",
        talks=[talk],
    )


def _agent(dice: Random, number: int, begin: int, end: int, *, pauses: bool) -> Agent:
    return Agent(
        f"a{number}",
        wishes=list(_wishes(dice, begin, end, pauses=pauses)),
        rings=list(_rings(dice)),
        back=[90 * SECOND],
    )


def _wishes(dice: Random, begin: int, end: int, *, pauses: bool) -> Iterator[Wish]:
    at = begin - int(dice.uniform(0, 600) * SECOND)
    yield Wish(Instant(at), "in")
    yield Wish(Instant(at + SECOND), "ready")
    if pauses:
        pause = int(dice.uniform(begin + 3_600 * SECOND, end - 3_600 * SECOND))
        yield Wish(Instant(pause), "pause", "lunch")
        yield Wish(Instant(pause + 1_800 * SECOND), "ready")
    yield Wish(Instant(end + 900 * SECOND), "out")


def _rings(dice: Random) -> Iterator[Ring]:
    for _ in range(30):
        chance = dice.random()
        if chance < 0.05:
            yield Ring("timed_out", 12 * SECOND)
        elif chance < 0.08:
            yield Ring("rejected", int(dice.uniform(1, 5) * SECOND))
        else:
            yield Ring(ANSWERED, int(dice.uniform(1, 7) * SECOND))
