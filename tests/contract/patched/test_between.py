"""Two switches: callers at one, phones at the other, and the trunk between them (issue 5, nodes; decision 0072)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gevent
import pytest

from orchestrator.domain.switch import facts as f
from orchestrator.domain.switch import instructions as i
from orchestrator.domain.switch.between import far_leg
from tests.contract.desk import Desk
from tests.contract.driver import Driver, RealDriver
from tests.contract.pair import Pair, start_pair
from tests.lab.caller import SippCaller
from tests.lab.patience import until


@dataclass(frozen=True)
class Two:
    """`here` is where callers arrive, `there` where phones register; the desks are the product's side of each."""

    here: Driver
    there: Driver
    desk: Desk
    other: Desk

    def talk(self, phone: str = "1001") -> tuple[str, str]:
        """Serve the caller who has just arrived, by a phone of the other switch: both legs, on the caller's switch."""
        desk = self.desk
        leg, contact = desk.parked_caller(), desk.next_id()
        desk.answer(leg, contact)
        desk.play(leg)
        desk.await_fact(f.LegAnswered, leg=leg)
        ring = desk.ring(phone, contact=contact, via="there")
        desk.await_fact(f.LegRinging, leg=ring)
        desk.await_fact(f.LegParked, leg=ring)
        desk.bridge(leg, ring)
        desk.await_fact(f.LegBridged, leg=leg, other=ring)
        return leg, ring


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Pair]]:
    """Those started so far, by their kind."""
    started: dict[str, Pair] = {}
    yield started
    for pair in started.values():
        for driver in pair:
            driver.__exit__(None, None, None)


@pytest.fixture
def two(
    kind: str,
    pairs: dict[str, Pair],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Two]:
    """Two switches that know each other, with nobody on them, and the product connected to both."""
    if kind not in pairs:
        binary: Path | None = request.getfixturevalue("freeswitch") if kind == "real" else None
        pairs[kind], _ = start_pair(lambda node: tmp_path_factory.mktemp(f"{kind}-{node}"), binary)
    here, there = pairs[kind]
    here.begin()
    there.begin()
    other = Desk(there.switch, there.recordings)
    desk = Desk(here.switch, here.recordings, beside=other)
    other.start()
    desk.start()
    yield Two(here, there, desk, other)
    for each in (desk, other):
        each.stop()
    gevent.sleep(0)
    assert desk.link.faults == other.link.faults == 0
    here.end()
    there.end()


def test_a_caller_at_one_switch_talks_with_a_phone_at_the_other_and_is_recorded_where_the_caller_is(two: Two) -> None:
    """Feature 12.5: one leg that rings, answers and ends like any other; the far half tells nothing but itself."""
    two.there.phone("1001")
    caller = two.here.call()
    leg, ring = two.talk()
    two.desk.record(leg, "between.wav")
    path = two.desk.await_fact(f.RecordingStarted, leg=leg).path
    two.here.let_hear(1_500)
    created = two.other.await_fact(f.LegCreated, leg=far_leg(ring))
    assert (created.contact, created.inbound) == ("", False)
    seen = {one.leg: one for one in two.other.snapshot().legs}
    assert len(seen) == 2
    assert {one.phone for one in two.desk.snapshot().legs} == {"", "1001"}
    assert not any(one.contact or one.parked for one in seen.values())
    caller.hang_up()
    two.desk.await_fact(f.RecordingStopped, leg=leg)
    two.here.assert_recorded(path, left=1_000, right=500)
    two.desk.await_fact(f.LegHungUp, leg=ring, cause="NORMAL_CLEARING", by_far_end=False)
    two.other.await_fact(f.LegHungUp, leg=far_leg(ring))
    two.here.await_empty()
    two.there.await_empty()


def test_a_phone_that_puts_down_at_the_other_switch_leaves_the_caller_parked(two: Two) -> None:
    phone = two.there.phone("1001")
    two.here.call()
    leg, ring = two.talk()
    phone.hang_up()
    two.desk.await_fact(f.LegHungUp, leg=ring, cause="NORMAL_CLEARING", by_far_end=True)
    two.desk.await_fact(f.LegParked, leg=leg)
    two.there.await_empty()
    two.desk.hang_up(leg)
    two.desk.await_fact(f.LegHungUp, leg=leg)


def test_hold_is_the_callers_switchs_and_the_caller_hears_its_music(two: Two) -> None:
    """Feature 4.3: recorded as in one switch: the tone, the music, the tone."""
    two.there.phone("1001")
    two.here.call()
    leg, ring = two.talk()
    two.desk.record(leg, "held-between.wav")
    path = two.desk.await_fact(f.RecordingStarted, leg=leg).path
    two.here.let_hear(1_000)
    two.desk.hold(ring)
    two.desk.await_fact(f.LegHeld, leg=ring)
    two.here.let_hear(2_000)
    two.desk.resume(ring)
    two.desk.await_fact(f.LegResumed, leg=ring)
    two.here.let_hear(1_500)
    two.desk.hang_up(leg)
    two.desk.await_fact(f.RecordingStopped, leg=leg)
    two.here.assert_recorded(path, left=1_000, right=500, from_s=0.2, to_s=0.9)
    two.here.assert_recorded(path, left=1_000, right="music", from_s=1.7, to_s=2.6)
    two.here.assert_recorded(path, left=1_000, right=500, from_s=3.6, to_s=4.3)


def test_the_phones_own_hold_key_is_told_by_its_switch(two: Two) -> None:
    phone = two.there.phone("1001")
    two.here.call()
    leg, ring = two.talk()
    two.here.let_hear(400)
    phone.hold()
    two.other.await_fact(f.LegHeld, leg=far_leg(ring))
    two.here.let_hear(400)
    phone.hold(on=False)
    two.other.await_fact(f.LegResumed, leg=far_leg(ring))
    two.desk.hang_up(leg)
    two.desk.await_fact(f.LegHungUp, leg=ring)


def test_a_phone_at_the_other_switch_answers_when_it_is_asked_to(two: Two) -> None:
    """Two ways to answer (issue 5): the question goes to the switch that has the phone."""
    two.there.phone("1001", "obeys")
    ring = two.desk.ring("1001", contact="c-1", offer="o", via="there")
    two.desk.await_fact(f.LegRinging, leg=ring)
    two.desk.do(i.AnswerPhone(id=two.desk.next_id(), node="there", leg=far_leg(ring), contact="c-1", offer="o"))
    two.desk.await_fact(f.LegParked, leg=ring)
    two.desk.hang_up(ring)
    two.desk.await_fact(f.LegHungUp, leg=ring)
    two.there.await_empty()


OUTCOMES = (
    ("busy", ("USER_BUSY",)),
    ("rejects", ("CALL_REJECTED",)),
    ("unregistered", ("NO_USER_RESPONSE", "SUBSCRIBER_ABSENT", "USER_NOT_REGISTERED")),
)


@pytest.mark.parametrize(("behaviour", "causes"), OUTCOMES)
def test_why_a_phone_at_the_other_switch_does_not_answer_is_told_across(
    two: Two, behaviour: str, causes: tuple[str, ...]
) -> None:
    two.there.phone("1001", behaviour)  # type: ignore[arg-type]  # one of its behaviours
    ring = two.desk.ring("1001", contact="c-1", via="there")
    assert two.desk.await_fact(f.LegHungUp, leg=ring).cause in causes
    two.there.await_empty()


def test_a_ring_that_is_taken_back_falls_silent_at_the_other_switch(two: Two) -> None:
    """Complaint 1: no phone rings for a caller who has gone."""
    two.there.phone("1001", "rings")
    ring = two.desk.ring("1001", contact="c-1", via="there")
    two.desk.await_fact(f.LegRinging, leg=ring)
    two.desk.hang_up(ring)
    two.desk.await_fact(f.LegHungUp, leg=ring)
    two.other.await_fact(f.LegHungUp, leg=far_leg(ring))
    two.there.await_empty()


def test_a_phone_is_let_go_though_the_callers_switch_cannot_be_told(two: Two) -> None:
    """A switch is dead: the other half is ended where it is."""
    two.there.phone("1001")
    two.here.call()
    leg, ring = two.talk()
    two.desk.do(i.HangUpLeg(id=two.desk.next_id(), node="there", leg=far_leg(ring)))
    two.desk.await_fact(f.LegHungUp, leg=ring)
    two.there.await_empty()
    two.desk.hang_up(leg)
    two.desk.await_fact(f.LegHungUp, leg=leg)


def test_a_drained_switch_refuses_callers_by_itself_and_goes_on_with_what_it_has(two: Two) -> None:
    """Issue 5: a node drained for maintenance. Nobody is told of the refused one, and phones are rung as before."""
    two.here.phone("1002")
    caller = two.here.call()
    leg, ring = two.desk.talk("1002")[:2]
    two.desk.do(i.MarkDrained(id=two.desk.next_id(), node="here", leg="", on=True))
    with two.here.control() as control:
        until(lambda: control.api("global_getvar ringledger_drained").strip() == "yes", "the switch to be marked")
    two.here.call("4009")
    refused = two.desk.await_fact(f.LegHungUp, fits=lambda gone: gone.leg not in (leg, ring))
    assert refused.cause == "SWITCH_CONGESTION"
    assert not two.desk.said(f.LegParked, dialled="4009")
    assert two.desk.exists(leg)
    two.desk.do(i.MarkDrained(id=two.desk.next_id(), node="here", leg="", on=False))
    with two.here.control() as control:
        until(lambda: control.api("global_getvar ringledger_drained").strip() != "yes", "the mark to be gone")
    two.here.call("4010")
    two.desk.parked_caller("4010")
    caller.hang_up()
    two.desk.await_fact(f.LegHungUp, leg=leg)


def test_nobody_but_the_other_switches_comes_in_over_the_trunk(two: Two) -> None:
    """Law 10: who may bring callers is judged by the address, and what they want by the shape of the number."""
    if not isinstance(two.there, RealDriver):
        pytest.skip("a simulated switch hears its peers by address in tests/simulator")
    two.there.phone("1001")
    port = two.there.real.plan.peer_port
    dialled = "1001~00000000-0000-4000-8000-000000000000"
    for address, number, status in (("127.0.0.2", dialled, 403), ("127.0.0.1", "1001", 603)):
        folder = two.there.folder / f"stranger-{status}"
        with SippCaller(folder, port, dialled=number, address=address, tone_hz=None) as stranger:
            assert stranger.await_end().refused == (status,)
    assert not two.other.said(f.LegRinging)
