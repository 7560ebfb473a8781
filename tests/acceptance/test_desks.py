"""Desks in browsers, as the engine's own process sees them: over its socket, in its log, after its death."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.staff import presence as p
from orchestrator.domain.staff import shifts as s
from orchestrator.runner import inputs
from tests.acceptance.conftest import SIMULATED, Build
from tests.acceptance.house import House
from tests.lab.patience import until

KINDS = SIMULATED
SEEN = inputs.DeskSeen(agent="801", desk="tab-1")
GONE = inputs.DeskGone(agent="801", desk="tab-1")
BEAT = inputs.DeskBeat(desks={"801": "tab-1"})


def at_the_desk(build: Build) -> House:
    """801 is ready at desk tab-1, whose grace is a second."""
    house = build(desk_grace_s=1)
    house.open()
    house.do(inputs.SignIn(agent="801", desk="tab-1"))
    house.do(inputs.Ready(agent="801", desk="tab-1"))
    return house


def test_a_ring_outlives_the_desk_and_the_agent_is_kept_out_until_it_is_back(build: Build) -> None:
    """Desk presence; complaint 19: no lost ring, no offer to an empty chair, a reason and a way back."""
    house = at_the_desk(build)
    house.driver.phone("1001", "obeys")
    caller = house.driver.call()
    house.ledger.await_event(c.OfferDelivered)
    house.do(GONE)
    assert house.ledger.await_event(p.DeskLost).cause == "closed"
    house.ledger.await_event(p.DeskGraceEnded)
    assert house.agent("801")["state"] == "reserved"
    house.do(inputs.Accept(agent="801"))
    house.await_state("801", "talking")
    caller.hang_up()
    row = house.await_state("801", "paused")
    assert (row["reason"], row["desk"]["state"]) == ("desk_lost", "absent")
    waiting = house.driver.call()
    house.ledger.await_event(c.ContactQueued, count=2)
    assert house.refusal(inputs.Ready(agent="801")) == "desk_lost"
    house.do(SEEN)
    house.do(inputs.Ready(agent="801", desk="tab-1"))
    house.ledger.await_event(c.OfferDelivered, count=2)
    waiting.hang_up()
    assert [event.reason for event in house.ledger.all(s.AgentStoodDown)] == ["desk_lost"]
    house.close_day(contacts=2)


def test_a_desk_is_there_after_the_engine_died_and_lost_when_nothing_is_heard_of_it(build: Build) -> None:
    """Desk presence; law 9: the next engine hears beats, and notices that they end."""
    house = at_the_desk(build)
    house.engines[-1].child.kill()
    house.open()
    assert house.do(BEAT) == 0
    assert house.agent("801")["desk"]["state"] == "attached"
    assert house.ledger.await_event(p.DeskLost, within_s=30).cause == "silent"
    house.await_state("801", "paused")
    assert house.do(BEAT) > 0
    assert house.agent("801")["desk"]["state"] == "attached"
    house.close_day(contacts=0)


def test_a_wish_that_is_sent_twice_is_done_once(build: Build) -> None:
    """Network away for a minute: no double action."""
    house = at_the_desk(build)
    pause = inputs.Pause(agent="801", desk="tab-1", reason="break", key="k1")
    position = house.do(pause)
    house.do(inputs.Ready(agent="801", desk="tab-1"))
    assert house.do(pause) == position
    assert house.agent("801")["state"] == "ready"
    assert house.refusal(inputs.DeskSeen(agent="801", desk="tab-2")) == "desk_elsewhere"
    house.do(inputs.TakeOver(agent="801", desk="tab-2"))
    assert house.refusal(inputs.Pause(agent="801", desk="tab-1", reason="break")) == "desk_elsewhere"
    until(lambda: house.ledger.all(p.DeskTakenOver), "the take-over in the log")
    house.close_day(contacts=0)
