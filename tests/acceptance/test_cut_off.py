"""A host that is gone without a word: what its engine sends arrives nowhere, and nothing arrives at it (12.1)."""

import time

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.engine import EngineActivated
from orchestrator.domain.kernel import LIVE_KINDS, kind_of
from orchestrator.domain.switch.nodes import NodeReconciled
from orchestrator.loop import EXIT_DEPOSED
from orchestrator.runner import inputs
from tests.acceptance.conftest import SIMULATED, Build
from tests.acceptance.far import far_engine
from tests.lab.apart import why_not
from tests.lab.patience import until

KINDS = SIMULATED
FOLLOWED_S = 10.0


def test_the_standby_follows_a_host_that_is_cut_off_and_nothing_comes_of_it_when_the_cable_is_back(
    build: Build,
) -> None:
    """Complaints 1 and 2. Its last words lie in its kernel, decided under a lease that is over: the switch hears none
    of them, and the log takes nothing.
    """
    if why := why_not():
        pytest.skip(f"a host that is cut off: {why}")
    house = build()
    with far_engine(house) as (first, cable, tap):
        house.driver.phone("1001")
        house.sign_in("801")
        house.driver.call()
        house.await_state("801", "talking")
        waiting = house.driver.call()
        house.ledger.await_event(c.ContactQueued, count=2)
        house.stand_by()
        house.client.close()
        cut_off_at = time.time_ns() // 1_000
        cable.pull_out()
        house.ledger.await_event(EngineActivated, count=2)
        house.ledger.await_event(NodeReconciled, count=2)
        heard = tap.orders()
        decided = [each for each in house.ledger.read() if isinstance(each.event, NodeReconciled)][-1]
        assert (decided.about.at - cut_off_at) / 1e6 <= FOLLOWED_S
        cable.put_in()
        assert first.child.wait(60) == EXIT_DEPOSED
        house.await_switch()
        house.do(inputs.HangUp(agent="801"))
        waiting.hang_up()
        house.close_day(contacts=2)
        until(tap.is_left, "whatever its kernel had still to bring to have come", within_s=60)
        assert tap.orders() == heard, "not a word of it reached the switch after another one decided"
        assert any("originate" in order for order in heard)
    assert [each.why for each in house.ledger.all(EngineActivated)] == ["lease_free", "nothing_heard"]
    epochs = [int(r.about.causation.partition("-")[0]) for r in house.ledger.read() if kind_of(r.stream) in LIVE_KINDS]
    assert epochs == sorted(epochs), "and it has appended nothing"
