"""What two threads of a switch do in either order: who is answered first, and whose end is told of first."""

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver


def test_a_caller_whose_answer_is_still_under_way_is_joined_all_the_same(driver: Driver, desk: Desk) -> None:
    """A phone that picks up by itself can be faster than the caller's leg, which looks at its queue every 20 ms.

    A bridge with a caller who is not answered yet ends both.
    """
    driver.phone("1001")
    driver.call()
    leg = desk.parked_caller()
    other = desk.agents_leg("1001", desk.next_id())
    desk.bridge(leg, other)
    desk.await_fact(f.LegBridged, leg=leg, other=other)
    assert desk.exists(leg)
    assert desk.exists(other)


def test_who_hung_up_is_told_of_that_ones_leg(driver: Driver, desk: Desk) -> None:
    """Which of the two legs is told of first is chance; who ended the talk must not be."""
    phone = driver.phone("1001")
    caller = driver.call()
    leg, other, _ = desk.talk()
    caller.hang_up()
    assert not desk.await_fact(f.LegHungUp, leg=other).by_far_end
    assert desk.await_fact(f.LegHungUp, leg=leg).by_far_end
    driver.call()
    leg, other, _ = desk.talk()
    phone.hang_up()
    assert desk.await_fact(f.LegHungUp, leg=other).by_far_end
    desk.hang_up(leg)
    assert not desk.await_fact(f.LegHungUp, leg=leg).by_far_end
