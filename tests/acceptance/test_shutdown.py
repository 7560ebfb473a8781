"""A real switch that is shut down in order, as for an update: it says so, and hangs up on everybody (feature 12.5)."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch import nodes as n
from orchestrator.runner import inputs
from tests.acceptance.conftest import REAL, Build
from tests.acceptance.house import OUTSIDE, House
from tests.acceptance.test_matrix import Day
from tests.contract.driver import Behaviour, RealDriver
from tests.lab.patience import until
from tests.matrix import BESIDE, PLAYED

KINDS = REAL
# A switch takes half a minute to be there again: of the states in which somebody else is there, one of each kind.
_SOME = ("parked", "listened", "guest_out", "talking_out", "dialled")
_OTHERS = {row.state for row in BESIDE}.difference(_SOME)
STATES = tuple(dict.fromkeys(row.state for row in PLAYED if row.state not in _OTHERS))


@pytest.mark.slow
def test_whoever_is_on_a_switch_that_is_shut_down_is_lost_with_it_and_has_not_given_up(build: Build) -> None:
    """The table's last line: in whatever state a call is, it ends; nobody is blamed, and it is served again later."""
    house = build(ring_s=120)
    house.apply(house.configuration + OUTSIDE.format(ring_s=60))
    house.open()
    driver = house.driver
    assert isinstance(driver, RealDriver)
    for number, state in enumerate(STATES, 1):
        third: Behaviour = "rings" if state in {"ringing", "asking", "inviting", "passed_on"} else "answers"
        day = Day(house, third, "answers")
        until(lambda: _phones(house) == {"registered"}, "all phones to be there")
        day.reach(state)
        driver.real.stop()
        ended = house.ledger.await_event(c.ContactEnded, count=number)
        assert ended.reason == "switch_lost", state
        lost = house.ledger.await_event(n.NodeLost, count=number)
        assert lost.why == "it shuts down", state
        assert house.status()["contacts"] == 0, state  # type: ignore[index]
        driver.stack.close()
        driver.real.start()
        house.ledger.await_event(n.NodeConnected, lambda node: node.restarted, count=number)
        house.await_switch()
        house.do(inputs.EndAll(reason="evening"))
    outcomes = {visit.outcome for visit in house.ledger.all(c.QueueVisitEnded)}
    assert outcomes <= {"switch_lost", "answered", "moved", "transferred"}
    assert not house.ledger.all(s.AgentStoodDown), "no agent is blamed"
    driver.phone("1001")
    until(lambda: house.agent("801")["phone"] == "registered", "the phone to be registered again")
    house.sign_in("801")
    driver.call()
    house.await_state("801", "talking")
    house.do(inputs.HangUp(agent="801"))
    report = house.close_day(contacts=len(STATES))  # whom an agent dialled was in no queue
    assert report.counts.ended_by_reason == {"switch_lost": len(STATES), "completed": 1}


def _phones(house: House) -> set[str]:
    return {house.agent(number)["phone"] for number in ("801", "802", "803")}
