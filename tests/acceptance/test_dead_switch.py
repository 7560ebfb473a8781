"""A real switch that is killed and left dead: its contacts are closed and its phones gone; later it is back."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import MILLISECOND
from orchestrator.domain.switch import nodes as n
from orchestrator.runner import inputs
from orchestrator.runner.reconcile import DEAD_AFTER
from tests.acceptance.conftest import REAL, Build
from tests.contract.driver import RealDriver
from tests.lab.patience import until

KINDS = REAL
# What the engine may take beside the minute itself: to see that the socket is gone, and to look at its timers.
_BESIDE_S = 20.0


def test_a_switch_that_is_left_dead_for_a_minute_loses_its_contacts_and_phones_and_is_back_later(build: Build) -> None:
    """Issue 5, nodes; the whole of the sixty seconds, for no setting makes them shorter: one talks, and one waits."""
    house = build()
    house.open()
    driver = house.driver
    assert isinstance(driver, RealDriver)
    driver.phone("1001")
    house.sign_in("801")
    driver.call()
    house.await_state("801", "talking")
    driver.call(number="+31201234568")
    house.ledger.await_event(c.ContactQueued, count=2)
    driver.real.kill()
    lost = house.ledger.await_event(n.NodeLost)
    status = house.status()
    assert status is not None
    assert status["contacts"] == 2, "calls may live on while only the socket is gone"
    died = house.ledger.await_event(n.NodeDied, within_s=DEAD_AFTER / 1_000_000 + _BESIDE_S)
    assert died.silent_ms >= DEAD_AFTER // MILLISECOND
    assert lost.dead_at
    ended = house.ledger.all(c.ContactEnded)
    assert [event.reason for event in ended] == ["switch_lost", "switch_lost"]
    assert {event.cause for event in house.ledger.all(c.LegClosed)} == {"SWITCH_DEAD"}
    assert house.agent("801")["phone"] == "gone"
    driver.stack.close()
    driver.real.start()
    house.ledger.await_event(n.NodeConnected, lambda connected: connected.restarted, within_s=30)
    driver.phone("1001")
    until(lambda: house.agent("801")["phone"] == "registered", "the phone to be registered again")
    house.await_state("801", "ready")
    driver.call()
    house.await_state("801", "talking")
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=3)
