"""The engine dies, stands still, or loses its database or its switch, under calls that wait, ring and talk."""

from collections.abc import Callable

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.engine import DatabaseReturned, EngineActivated, HandoverBegun
from orchestrator.domain.kernel import LIVE_KINDS, Record, kind_of
from orchestrator.domain.switch.nodes import NodeConnected
from orchestrator.loop import EXIT_DEPOSED
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import House, url_of
from tests.acceptance.tap import Tap
from tests.contract.driver import Caller, sessions
from tests.lab.patience import until


def _talking_ringing_waiting(house: House) -> list[Caller]:
    """Three callers, in this order: with 801, ringing at 802, and waiting."""
    house.driver.phone("1001")
    house.driver.phone("1002", "rings")
    house.sign_in("801")
    callers = [house.driver.call()]
    house.await_state("801", "talking")
    house.sign_in("802")
    callers.append(house.driver.call())
    house.ledger.await_event(c.OfferDelivered, count=2)
    callers.append(house.driver.call())
    house.ledger.await_event(c.ContactQueued, count=3)
    return callers


def _after_a_restart(house: House, callers: list[Caller]) -> None:
    """What must hold once the next engine is there, and that the calls go on to their ends."""
    talking, ringing, waiting = house.ledger.contacts()
    withdrawn = house.ledger.await_event(c.OfferWithdrawn)
    assert withdrawn.cause == "engine_restarted"
    house.ledger.await_event(c.OfferDelivered, count=3)
    story = house.ledger.story(ringing)
    assert story.index("OfferWithdrawn") < len(story) - 1 - story[::-1].index("OfferMade"), "it is offered again"
    assert "LegClosed" not in house.ledger.story(talking)
    assert house.ledger.story(waiting)[-1] in ("ContactQueued", "ContactIdentified"), "nothing happened to who waits"
    assert house.agent("801")["state"] == "talking"
    # Whoever waits goes first: the agent whose talk is over would be offered them.
    for ended, caller in enumerate(reversed(callers), start=1):
        caller.hang_up()
        house.ledger.await_event(c.ContactEnded, count=ended)
    assert len(house.ledger.all(c.ContactConnected)) == 1, "nobody was bridged twice"
    report = house.close_day(contacts=3)
    assert report.counts.ended_by_reason == {"completed": 1, "abandoned": 2}


def test_an_engine_that_is_killed_loses_no_call(house: House) -> None:
    """Feature 12.1, complaint 2: talk goes on, waiting goes on, and whoever was being offered is offered anew."""
    callers = _talking_ringing_waiting(house)
    with house.driver.control() as control:
        before = sessions(control)
        house.engines[-1].child.kill()
        house.open()
        assert sessions(control) >= before - 1, "only the ringing leg may have been hung up"
    _after_a_restart(house, callers)


def test_a_standby_goes_on_at_once_where_the_active_engine_is_killed(build: Build) -> None:
    """Feature 12.1, complaints 1 and 2: it is warm, has written nothing to the switch, and starts nothing anew."""
    house = build()
    first = house.open()
    with Tap(house.driver.switch) as tap:
        house.stand_by(RINGLEDGER_SWITCHES=url_of(tap.switch))
        callers = _talking_ringing_waiting(house)
        assert not tap.orders(), "whoever stands by asks, and orders nothing"
        first.child.kill()
        house.client.close()
        house.await_switch()
        _after_a_restart(house, callers)
        assert tap.orders()
    assert [each.why for each in house.ledger.all(EngineActivated)] == ["lease_free", "process_ended"]


def test_an_engine_hands_over_to_its_standby_and_is_its_standby_then(build: Build) -> None:
    """Feature 12.1: a planned change, there and back, with callers who talk, wait, and are being offered."""
    house = build(ring_s=120)
    first = house.open()
    assert house.refusal(inputs.HandOver()) == "no_standby"
    second = house.stand_by()
    callers = _talking_ringing_waiting(house)
    status, said = house.run("handover")
    assert status == 0, said
    assert "active now with epoch 2" in said
    house.client.close()
    house.await_switch()
    until(lambda: house.is_ready(first), "the one that handed over to stand by, warm")
    assert first.child.running
    assert house.run("handover", "--to", "nobody")[0] == 1
    house.ledger.await_event(c.OfferDelivered, count=3)
    status, said = house.run("handover")
    assert status == 0, said
    house.client.close()
    house.await_switch()
    until(lambda: house.is_ready(second), "and the other way round")
    house.ledger.await_event(c.OfferDelivered, count=4)
    assert [each.why for each in house.ledger.all(EngineActivated)] == ["lease_free", "handed_over", "handed_over"]
    records = house.ledger.read()
    for place, record in enumerate(records):
        if isinstance(record.event, HandoverBegun):
            later = [each for each in records[place + 1 :] if kind_of(each.stream) in LIVE_KINDS]
            assert _epoch(later[0]) == _epoch(record) + 1, "whoever hands over decides nothing more"
    talking = house.ledger.contacts()[0]
    assert "LegClosed" not in house.ledger.story(talking)
    for ended, caller in enumerate(reversed(callers), start=1):
        caller.hang_up()
        house.ledger.await_event(c.ContactEnded, count=ended)
    house.close_day(contacts=3)


def test_a_caller_who_arrives_while_no_engine_runs_is_found(house: House) -> None:
    house.driver.phone("1001")
    house.sign_in("801")
    house.engines[-1].child.kill()
    caller = house.driver.call()
    with house.driver.control() as control:
        until(lambda: sessions(control) == 1, "the caller to be parked")
    house.open()
    house.await_state("801", "talking")
    assert house.ledger.all(c.ContactArrived)[0].found == "resync"
    caller.hang_up()
    house.close_day(contacts=1)


def test_an_engine_that_stood_still_is_deposed_and_does_nothing_more(build: Build) -> None:
    """Kill -STOP for longer than the lease: the standby acts, and the first, awake again, neither writes nor dials."""
    house = build()
    with Tap(house.driver.switch) as tap:
        first = house.start_engine(RINGLEDGER_SWITCHES=url_of(tap.switch))
        house.await_switch()
        callers = _talking_ringing_waiting(house)
        second = house.stand_by()
        first.freeze()
        house.client.close()
        second.await_log("switch-link-up")
        house.await_switch()
        orders = tap.orders()
        callers[1].hang_up()
        house.ledger.await_event(c.ContactEnded)
        first.thaw()
        assert first.child.wait(10) == EXIT_DEPOSED
        assert "deposed" in first.log
        assert tap.orders() == orders, "not a single command after its lease was over"
        assert any("originate" in order for order in orders)
    house.ledger.await_event(c.OfferDelivered, count=3)
    house.do(inputs.HangUp(agent="801"))
    callers[2].hang_up()
    house.close_day(contacts=3)
    epochs = [_epoch(record) for record in house.ledger.read() if kind_of(record.stream) in LIVE_KINDS]
    assert epochs == sorted(epochs)
    assert set(epochs) == {1, 2}


def _epoch(record: Record) -> int:
    """The epoch of whoever appended it: input ids begin with it."""
    return int(record.about.causation.partition("-")[0])


def test_a_database_that_dies_keeps_callers_waiting_where_nothing_may_be_spooled_and_nothing_is_lost(
    build: Build,
) -> None:
    """Feature 12.2: parked with music, commands refused with a code, then on as if nothing were."""
    house = build(variables={"RINGLEDGER_SPOOL": "off"})
    house.open()
    _talk_through_an_outage(house, house.kill_database)


def _talk_through_an_outage(house: House, take_away: Callable[[], None]) -> None:
    phone = house.driver.phone("1001")
    house.sign_in("801")
    house.driver.call()
    house.await_state("801", "talking")
    waiting = house.driver.call()
    house.ledger.await_event(c.ContactQueued, count=2)
    take_away()
    house.driver.call()
    house.engines[-1].await_log("database-away")
    assert house.refusal(inputs.SignIn(agent="802")) == "database_away"
    house.driver.call()
    phone.hang_up()
    with house.driver.control() as control:
        until(lambda: sessions(control) == 4, "the agent's leg to be gone, and every caller to be there")
        applications = control.api("show channels").count("playback,local_stream://ringledger")
    assert applications >= 1, "who waited before goes on hearing music"
    house.restart_database()
    house.ledger.await_event(c.ContactArrived, count=4, within_s=30)
    second = house.ledger.await_event(c.ContactConnected, count=2)
    assert second.agent_id == "ann"
    waiting.hang_up()
    for count in (3, 4):
        house.ledger.await_event(c.ContactConnected, count=count)
        house.do(inputs.HangUp(agent="801"))
    returned = house.ledger.await_event(DatabaseReturned)
    assert returned.away_ms > 0
    assert returned.held >= 1, "the callers who came meanwhile"
    assert house.close_day(contacts=4).counts.database_outages == len(house.ledger.all(DatabaseReturned))


def test_a_switch_that_dies_ends_its_calls_and_is_used_again(house: House) -> None:
    """Feature 12.4, complaints 4 and 16: nobody is shown as talking after the switch has gone."""
    _talking_ringing_waiting(house)
    house.driver.restart()
    house.ledger.await_event(NodeConnected, lambda connected: connected.restarted, within_s=30)
    house.await_switch()
    house.ledger.await_event(c.ContactEnded, count=3)
    assert {ended.reason for ended in house.ledger.all(c.ContactEnded)} == {"switch_lost"}
    assert house.agent("801")["state"] == house.agent("802")["state"] == "ready"
    caller = house.driver.call()
    house.ledger.await_event(c.ContactQueued, count=4)
    caller.hang_up()
    house.close_day(contacts=4)
