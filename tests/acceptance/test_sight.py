"""Of two engines the one decides that reaches the switches (feature 12.1)."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.engine import EngineActivated, HandoverAsked
from orchestrator.domain.switch.nodes import NodeReconciled
from orchestrator.runner import inputs
from tests.acceptance.conftest import SIMULATED, Build
from tests.acceptance.house import url_of
from tests.acceptance.tap import Tap
from tests.lab.patience import until

KINDS = SIMULATED
DEAD = "&peer=127.0.0.1:5998,esl://:nobody-is-there@127.0.0.1:9/?name=dead&peer=127.0.0.1:5999"


def test_an_engine_that_has_lost_its_switches_lets_the_one_decide_that_sees_them(build: Build) -> None:
    """Complaint 1: its callers would wait for ever. One switch more, which is dead for both, makes neither less fit."""
    house = build()
    with Tap(house.driver.switch) as tap:
        first = house.start_engine(RINGLEDGER_SWITCHES=f"{url_of(tap.switch)}{DEAD}")
        house.ledger.await_event(NodeReconciled, within_s=60)
        house.stand_by(RINGLEDGER_SWITCHES=f"{url_of(house.driver.switch)}{DEAD}")
        caller = house.driver.call()
        house.ledger.await_event(c.ContactQueued)
    house.ledger.await_event(NodeReconciled, count=2, within_s=60)
    assert [each.why for each in house.ledger.all(EngineActivated)] == ["lease_free", "handed_over"]
    assert [each.why for each in house.ledger.all(HandoverAsked)] == ["switches_lost"]
    house.client.close()
    house.await_active()
    assert house.refusal(inputs.HandOver()) == "no_standby", "the other one reaches nothing"
    caller.hang_up()
    house.ledger.await_event(c.ContactEnded)
    house.close_day(contacts=1)
    house.engines[-1].child.kill()
    until(lambda: len(house.ledger.all(EngineActivated)) == 3, "somebody to decide, though it reaches no switch")
    assert first.child.running
