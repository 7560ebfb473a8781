"""The incident of docs/incident-walkthrough.md on simulated switches: a wrong skill change at a busy time, found and
explained with the product's tools alone, from a bundle on a machine without a database.
"""

from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator.bundle import Opened, opened
from orchestrator.domain.contacts.contacts import ContactArrived
from orchestrator.domain.kernel import SECOND, Instant, ident_of
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.replay.moments import iso
from tests.bundle.kit import window, write
from tests.redrive.taped import TapedRun
from tests.simulation.agenda import START
from tests.simulation.run import Size
from tests.simulation.weather import Weather
from web.redrive import bundles

BUSY = Size(contacts=80, agents=8, lasts=150 * SECOND, willing=True)
WRONG_AT, RIGHT_AT = Instant(START + 50 * SECOND), Instant(START + 110 * SECOND)
SKILL = "zh"


class WrongSkill(TapedRun):
    """Somebody writes a skill in another way than the queue, of everybody who has it, and a minute later as it was."""

    def _prepare(self) -> None:
        super()._prepare()
        self.agenda.at(WRONG_AT, partial(self._rename, SKILL, "zn"))
        self.agenda.at(RIGHT_AT, partial(self._rename, "zn", SKILL))

    def _rename(self, old: str, new: str) -> None:
        assert self.engine is not None
        agents = self.engine.world.agents.values()
        self._apply(
            [
                (f"agent-{agent.agent_id}", self._renamed(agent.agent_id, old, new))
                for agent in agents
                if old in agent.skills
            ]
        )

    def _renamed(self, agent_id: str, old: str, new: str) -> AgentConfigured:
        records = [record.event for record in self.ledger.records() if record.stream == f"agent-{agent_id}"]
        event = records[-1]
        assert isinstance(event, AgentConfigured)
        return replace(event, skills={new if skill == old else skill: level for skill, level in event.skills.items()})


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle that somebody made of it."""
    path = tmp_path_factory.mktemp("incident") / "busy.bundle"
    write(path, window(WrongSkill(17, weather=Weather(), size=BUSY).play()))
    return path


def waiting(found: Opened, at: Instant) -> int:
    queues = found.picture(iso(at))["queues"]
    return next(len(queue["waiting"]) for queue in queues if queue["queue_id"] == "support")


def test_the_pictures_say_when_it_began_and_when_it_was_over(incident: Path) -> None:
    """Feature 11.2: nobody is free who has the skill, and callers pile up."""
    with opened(incident) as found:
        before, at_its_end, after = (
            waiting(found, Instant(at)) for at in (WRONG_AT - 1, RIGHT_AT - 1, RIGHT_AT + 5 * SECOND)
        )
        assert before < at_its_end > after
        picture = found.picture(iso(Instant(RIGHT_AT - 1)))
    free = [shift for shift in picture["shifts"] if shift["state"] == "ready"]
    assert free, "agents are there and idle, which is what is strange"


def test_the_decision_of_a_caller_says_what_was_missing(incident: Path) -> None:
    """Feature 3.9: in words, for every agent."""
    with opened(incident) as found:
        arrived = next(
            record
            for record in found.records()
            if isinstance(record.event, ContactArrived)
            and record.event.dialled == "4001"
            and WRONG_AT + SECOND < record.about.at < RIGHT_AT
        )
        told = bundles.why(found, ident_of(arrived.stream), "")
    queued, *_ = told.split("offer 1")
    verdicts = [line for line in queued.splitlines() if line.startswith("  ")]
    assert len(verdicts) == 8
    assert all(f"has not the skill “{SKILL}”" in line for line in verdicts)


def test_the_events_say_who_changed_what(incident: Path) -> None:
    """Feature 11.1: configuration is history."""
    with opened(incident) as found:
        lines = list(bundles.events(found, "agent-"))
    changed = [line for line in lines if "skills: was" in line]
    assert any(f'"{SKILL}"' in line and line.index(f'"{SKILL}"') < line.index('"zn"') for line in changed)
    assert any("(admin:test)" in line for line in lines)


def test_the_re_drive_says_that_it_was_not_the_code(incident: Path) -> None:
    """Feature 11.4: today's code, given the same configuration, does the same."""
    with opened(incident) as found:
        report = found.redriven()
        assert report.same
        assert report.inputs > 300
        assert not found.holes
