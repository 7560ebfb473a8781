"""What is to be another way: the configuration of a file, and agents more or fewer than there were.

An agent more has the skills and the day of one who was there, drawn by the seed; so have agents whom a file adds, by
the skills that they share. Who is there no more is drawn by the seed, too: a result over many seeds is not one about
whom it happened to be.
"""

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.domain.kernel import Event, Provenance, Record, Refused, derived_id, ident_of, kind_of
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.service import site_file
from orchestrator.service.planning import Change, Current, make_plan
from orchestrator.service.site_fields import SECTIONS
from orchestrator.whatif.day import Agent, Day, Wish

MOST_AGENTS: Final = 1_000
"""So many agents more or fewer may be asked for."""
_REMOVALS: Final = tuple(section.removed for section in SECTIONS)
_KINDS: Final = frozenset(section.kind for section in SECTIONS)
# Extensions that no phone has; what an agent is called by whom nobody employs.
_EXTENSIONS: Final = 9_900_000
_NAME: Final = "what-if"


class Setting(Struct, frozen=True):
    """With what a day is played: the configuration at its beginning, what is configured during it, and who works."""

    configured: list[Record]
    changed: list[Record]
    staff: Mapping[str, Agent]


class Wanted(Struct, frozen=True, kw_only=True):
    """What is asked for. `text`: a site's file in place of the configuration of the day, empty: none."""

    text: str = ""
    agents: int = 0
    """So many more than there were; fewer where below 0 …"""
    queue_id: str = ""
    """… of those who serve this queue, or of all."""
    region: str
    """The site's, in which a text that names none reads its rules of the outside."""

    @property
    def nothing(self) -> bool:
        """Whether all is to be as it was."""
        return not self.text and not self.agents


class Changes:
    """What is wanted, checked against a day. Raises `Refused`: `bad_configuration` (with every key that is wrong),
    `bad_queue`, `bad_staff`.
    """

    def __init__(self, day: Day, wanted: Wanted, today: date) -> None:
        self._day, self._wanted = day, wanted
        before = _in_force(day.configured)
        self._events = {**before}
        self._records: list[Record] = []
        self.told: list[str] = []
        """The changes of the file, a line each: never a name, for an answer is kept as it is."""
        if wanted.text:
            plan = make_plan(
                Current("", 0, before, {}), site_file.read(wanted.text, today, region=wanted.region), today
            )
            self._records = [_record(change.stream, change.event, day) for change in plan.changes]
            self.told = [_in_words(change) for change in plan.changes]
            self._events = _in_force([*day.configured, *self._records])
        else:
            self._events = _in_force([*day.configured, *day.changed])
        self._agents = {
            ident_of(name): event for name, event in self._events.items() if isinstance(event, AgentConfigured)
        }
        self._check_staff()

    def of(self, seed: int) -> Setting:
        """The setting for one seed."""
        dice = Random(f"{_NAME} {seed}")  # noqa: S311 - chance, no secret
        staff = {agent_id: agent for agent_id, agent in self._day.agents.items() if agent_id in self._agents}
        working = sorted(agent_id for agent_id, agent in staff.items() if _worked(agent))
        records = [*self._day.configured, *self._records]
        for agent_id in sorted(self._agents.keys() - self._day.agents.keys()):
            if self._wanted.text and self._is_new(agent_id):
                model = self._most_alike(self._agents[agent_id], working, dice)
                staff[agent_id] = replace(self._day.agents[model], agent_id=agent_id)
        serving = self._serving(working)
        if self._wanted.agents < 0:
            for agent_id in dice.sample(serving, -self._wanted.agents):
                del staff[agent_id]
        for number in range(self._wanted.agents):
            model = dice.choice(serving)
            agent_id = f"{_NAME}-{number + 1}"
            extension = str(_EXTENSIONS + number)
            likeness = replace(self._agents[model], number=extension, name=_NAME, extension=extension)
            records.append(_record(f"agent-{agent_id}", likeness, self._day))
            staff[agent_id] = replace(self._day.agents[model], agent_id=agent_id, wishes=_at_own_phone(model, staff))
        return Setting(records, [] if self._wanted.text else self._day.changed, staff)

    def _check_staff(self) -> None:
        wanted = self._wanted
        if wanted.queue_id and not isinstance(self._events.get(f"queue-{wanted.queue_id}"), QueueConfigured):
            raise Refused("bad_queue", f"There is no queue {wanted.queue_id!r}.")
        if not -MOST_AGENTS <= wanted.agents <= MOST_AGENTS:
            raise Refused("bad_staff", f"Up to {MOST_AGENTS} agents more or fewer can be asked for.")
        if wanted.nothing:
            return
        working = [name for name, agent in self._day.agents.items() if name in self._agents and _worked(agent)]
        if not working:
            raise Refused("no_agents", "Nobody who worked on that day would be there; keep at least one of them.")
        serving = self._serving(working)
        if wanted.agents and not serving:
            raise Refused("bad_staff", "Nobody who worked on that day serves this queue; choose another one, or all.")
        if -wanted.agents >= len(serving):
            raise Refused(
                "bad_staff",
                f"{len(serving)} agents worked on that day; leave at least one: {len(serving) - 1} fewer at most.",
            )

    def _serving(self, agents: list[str]) -> list[str]:
        """Those of them who serve the queue that is asked about."""
        queue = self._events.get(f"queue-{self._wanted.queue_id}")
        if not isinstance(queue, QueueConfigured):
            return agents
        return [each for each in agents if self._agents[each].skills.get(queue.skill, 0) >= queue.min_level]

    def _is_new(self, agent_id: str) -> bool:
        return any(record.stream == f"agent-{agent_id}" for record in self._records)

    def _most_alike(self, event: AgentConfigured, working: list[str], dice: Random) -> str:
        shared = {each: len(event.skills.keys() & self._agents[each].skills.keys()) for each in working}
        most = max(shared.values())
        return dice.choice([each for each in working if shared[each] == most])


def _in_words(change: Change) -> str:
    keys = ", ".join(
        each.key if change.stream.startswith("agent-") else f"{each.key} = {each.after} (was {each.before})"
        for each in change.keys
        if each.before is not None and each.after is not None
    )
    return f"{change.action} {change.stream}" + (f": {keys}" if keys else "")


def _at_own_phone(model: str, staff: Mapping[str, Agent]) -> list[Wish]:
    return [replace(wish, detail="") if wish.what == "in" else wish for wish in staff[model].wishes]


def _worked(agent: Agent) -> bool:
    return any(wish.what == "ready" for wish in agent.wishes)


def _in_force(records: list[Record]) -> dict[str, Event]:
    """What each stream's configuration is after these records."""
    found: dict[str, Event] = {}
    for record in records:
        if isinstance(record.event, _REMOVALS):
            found.pop(record.stream, None)
        elif kind_of(record.stream) in _KINDS:
            found[record.stream] = record.event
    return found


def _record(name: str, event: Event, day: Day) -> Record:
    about = Provenance(at=day.first, actor=_NAME, origin="config")
    return Record(stream=name, version=1, event=event, event_id=derived_id(_NAME, name), about=about)
