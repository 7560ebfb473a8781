"""Link and performer on a real FreeSWITCH: it dies, stands still, is given hostile names; repeats are as we say."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freeswitch.prompts.__main__ import make
from orchestrator.domain.kernel import Instant, derived_id
from orchestrator.domain.switch import facts as f
from orchestrator.domain.switch import instructions as i
from orchestrator.esl import link as link_module
from orchestrator.esl.node import Link
from orchestrator.esl.perform import Performer
from orchestrator.settings import Switch
from tests.esl.patched.conftest import Ear, now, until
from tests.lab.caller import SippCaller
from tests.lab.phone import BaresipPhone
from tests.lab.switch import RealSwitch

pytestmark = [pytest.mark.switch, pytest.mark.slow]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def switch(freeswitch: Path, sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    switch = RealSwitch(tmp_path_factory.mktemp("switch"), binary=freeswitch, sounds=sounds)
    switch.plan = replace(switch.plan, language="en")  # its apology is the shortest
    with switch:
        yield switch


class Edge:
    """A link to a real switch, what it delivered as facts, and a performer that may do everything."""

    def __init__(self, switch: RealSwitch, ear: Ear) -> None:
        self.ear = ear
        plan = switch.plan
        self.link = Link(Switch("fs1", "127.0.0.1", plan.esl_port, plan.esl_password), ear, clock=now)
        ear.links.append(self.link)
        self.link.start()
        self.performer = Performer(
            {"fs1": self.link},
            may_write=lambda: True,
            offer_open=lambda _: True,
            deliver=ear,
            clock=now,
            recordings=str(plan.recordings),
        )
        ear.await_fact(f.Snapshot)
        self._count = 0

    def perform(self, kind: type[i.Instruction], leg: str, **fields: Any) -> str:  # noqa: ANN401 - each kind has its own
        self._count += 1
        ident = derived_id("test", self._count, now())
        self.performer.perform(kind(**{"id": ident, "node": "fs1", "leg": leg, "contact": "c-1", **fields}))
        return ident

    def ring(self, leg: str, extension: str = "1001", **fields: Any) -> str:  # noqa: ANN401
        deadline = Instant(now() + 30_000_000)
        return self.perform(
            i.RingAgent,
            leg,
            **{"offer": "o-1", "extension": extension, "ring_ms": 5_000, "deadline": deadline, **fields},
        )

    def ended(self, job: str) -> f.JobDone:
        return self.ear.await_fact(f.JobDone, fits=lambda fact: fact.job == job)

    def of(self, leg: str, kind: type[f.LegFact], count: int = 1) -> f.LegFact:
        return self.ear.await_fact(kind, count, fits=lambda fact: fact.leg == leg)

    def caller(self, *, waits: bool = True) -> str:
        """The leg of the caller who has just come, answered and hearing music where it `waits`."""
        leg = self.ear.await_fact(f.LegParked, fits=lambda fact: fact.inbound).leg
        if waits:
            self.perform(i.AnswerCaller, leg)
            self.perform(i.PlayWaiting, leg, music="ringledger")
            self.of(leg, f.LegAnswered)
        return leg


@pytest.fixture
def edge(switch: RealSwitch, ear: Ear) -> Iterator[Edge]:
    edge = Edge(switch, ear)
    yield edge
    edge.performer.stop()


Call = Callable[..., SippCaller]


@pytest.fixture
def call(switch: RealSwitch, tmp_path: Path) -> Call:
    return lambda **options: SippCaller(tmp_path, switch.plan.trunk_port, tone_hz=None, **options)


@pytest.fixture
def phone(switch: RealSwitch, tmp_path: Path) -> Iterator[BaresipPhone]:
    with BaresipPhone(tmp_path, switch.phone("1001"), switch.plan.sip_port) as phone:
        yield phone


def test_a_waiting_caller_is_answered_and_sent_away_with_an_apology(edge: Edge, call: Call) -> None:
    with call() as caller:
        leg = edge.caller()
        edge.perform(i.PlayApology, leg, prompt="apology", cause="NORMAL_CLEARING")
        hung_up = edge.ear.await_fact(f.LegHungUp, fits=lambda fact: fact.leg == leg)
        caller.await_end()
    answered = edge.of(leg, f.LegAnswered)
    assert isinstance(answered.at, int)
    assert isinstance(hung_up.at, int)
    assert hung_up.at - answered.at > 1_000_000, "the apology was not heard"
    assert answered.contact == "c-1"
    assert edge.ear.all(f.InstructionFailed) == []


NAMES = (
    b'"Escaped \\"quotes\\" {braces}, commas" ',
    b'"Bob%0AUnique-ID%3A%20forged" ',
    b'"<script>alert(1)</script> $\\{x\\} ^^:a" ',
    b'"' + b"x" * 2_000 + b'" ',
    b'"bad \xff\xfe bytes" ',
    '"王小明" '.encode(),
    b"",
)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_an_agent_is_rung_and_talks_whatever_the_caller_calls_itself(
    edge: Edge, call: Call, phone: BaresipPhone, name: bytes
) -> None:
    with call(name=name) as caller:
        leg = edge.caller()
        parked = edge.ear.await_fact(f.LegParked, fits=lambda fact: fact.leg == leg)
        agent = derived_id("agent", now())
        edge.ring(agent, caller_name=parked.caller_name, caller_number=parked.caller_number)
        edge.of(agent, f.LegParked)
        edge.perform(i.BridgeLegs, leg, other=agent, offer="o-1")
        bridged = edge.ear.await_fact(f.LegBridged)
        assert (bridged.leg, bridged.other) == (leg, agent)
        caller.hang_up()
        edge.of(leg, f.LegHungUp)
        edge.of(agent, f.LegHungUp)
    assert edge.ear.all(f.InstructionFailed) == []
    assert (edge.link.flaws > 0) == (b"\xff" in name)


def test_what_the_table_says_of_repeats_is_true(edge: Edge, call: Call, phone: BaresipPhone) -> None:
    """performing.ROWS, column `repeat`, on the switch itself."""
    with call() as caller:
        leg = edge.caller()
        edge.perform(i.AnswerCaller, leg)
        edge.perform(i.PlayWaiting, leg, music="ringledger")
        agent = derived_id("agent", now())
        edge.ring(agent)
        edge.of(agent, f.LegParked)
        assert edge.ended(edge.ring(agent)).answer == "DESTINATION_OUT_OF_ORDER"
        edge.perform(i.BridgeLegs, leg, other=agent)
        edge.ear.await_fact(f.LegBridged)
        edge.perform(i.BridgeLegs, leg, other=agent)
        edge.ear.await_fact(f.LegBridged, 2)
        edge.ear.await_fact(f.LegUnbridged)
        assert edge.ended(edge.perform(i.HoldLeg, agent)).ok
        assert edge.ended(edge.perform(i.HoldLeg, agent)).answer == "Operation failed"
        assert edge.ended(edge.perform(i.ResumeLeg, agent)).ok
        assert edge.ended(edge.perform(i.ResumeLeg, agent)).answer == "Operation failed"
        assert edge.ended(edge.perform(i.StartRecording, leg, file="twice.wav")).ok
        assert edge.ended(edge.perform(i.StartRecording, leg, file="twice.wav")).ok
        caller.hang_up()
        edge.of(leg, f.LegHungUp)
        edge.of(agent, f.LegHungUp)
        assert edge.ended(edge.perform(i.HangUpLeg, agent)).answer == "No such channel!"
    assert len(edge.ear.all(f.RecordingStarted)) == 1
    assert len([fact for fact in edge.ear.all(f.LegAnswered) if fact.leg == leg]) == 1


def test_a_bridge_that_overtakes_its_originate_is_no_failure(edge: Edge, call: Call, phone: BaresipPhone) -> None:
    with call() as caller:
        leg = edge.caller()
        agent = derived_id("agent", now())
        ring = edge.ring(agent)
        edge.of(agent, f.LegAnswered)
        edge.perform(i.BridgeLegs, leg, other=agent, offer="o-1")
        edge.ear.await_fact(f.LegBridged)
        assert edge.ended(ring).ok
        caller.hang_up()
        edge.of(agent, f.LegHungUp)
    assert edge.ear.all(f.InstructionFailed) == []


def test_when_the_agents_leg_dies_the_caller_is_parked_and_not_lost(
    edge: Edge, call: Call, phone: BaresipPhone
) -> None:
    with call() as caller:
        leg = edge.caller()
        agent = derived_id("agent", now())
        edge.ring(agent)
        edge.of(agent, f.LegParked)
        edge.perform(i.BridgeLegs, leg, other=agent)
        edge.ear.await_fact(f.LegBridged)
        edge.perform(i.HangUpLeg, agent)
        edge.of(leg, f.LegParked, 2)
        edge.perform(i.TakeSnapshot, "")
        (seen,) = edge.ear.await_fact(f.Snapshot, 2).legs
        assert (seen.leg, seen.parked, seen.bridged_to, seen.contact) == (leg, True, "", "c-1")
        caller.hang_up()
        edge.of(leg, f.LegHungUp)


def test_a_switch_that_stands_still_is_left_and_its_callers_are_found_again(
    edge: Edge, call: Call, switch: RealSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "SILENCE_S", 0.5)
    monkeypatch.setattr(link_module, "STUCK_MS", 1_000)
    with call() as caller:
        leg = edge.caller()
        switch.freeze()
        try:
            down = edge.ear.await_fact(f.LinkDown)
        finally:
            switch.thaw()
        assert "has not answered" in down.why
        edge.ear.await_fact(f.LinkUp, 2)
        assert [seen.leg for seen in edge.ear.await_fact(f.Snapshot, 2).legs] == [leg]
        assert edge.ear.all(f.LinkUp)[0].core == edge.ear.all(f.LinkUp)[1].core
        caller.hang_up()
        edge.of(leg, f.LegHungUp)


def test_a_switch_that_is_killed_comes_back_with_another_core_and_nothing_on_it(
    edge: Edge, call: Call, switch: RealSwitch
) -> None:
    """Complaint 16."""
    with call():
        leg = edge.caller()
        switch.kill()
        edge.ear.await_fact(f.LinkDown)
        edge.perform(i.HangUpLeg, leg)
        assert edge.ear.await_fact(f.InstructionFailed).answer == "link_down"
    switch.start()
    first, second = edge.ear.all(f.LinkUp)[0], edge.ear.await_fact(f.LinkUp, 2)
    assert first.core != second.core
    assert edge.ear.await_fact(f.Snapshot, 2).legs == ()
    until(lambda: edge.link.up, "the link")


def test_an_orderly_stop_is_announced(edge: Edge, switch: RealSwitch) -> None:
    switch.stop()
    edge.ear.await_fact(f.LinkDown)
    assert edge.ear.all(f.SwitchStopping)
    switch.start()
    edge.ear.await_fact(f.LinkUp, 2)
