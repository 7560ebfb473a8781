"""An agent's phone between the offer and the answer, and why there is none."""

import pytest

from orchestrator.domain.kernel import MILLISECOND
from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import EXTENSIONS, Behaviour, Driver


def test_a_phone_that_answers_rings_answers_and_parks_under_its_contact_and_offer(driver: Driver, desk: Desk) -> None:
    driver.phone("1001")
    leg = desk.ring("1001", contact="c-1", offer="o-1")
    created = desk.await_fact(f.LegCreated)
    assert (created.leg, created.inbound, created.contact, created.offer) == (leg, False, "c-1", "o-1")
    desk.await_fact(f.LegRinging, leg=leg, contact="c-1", offer="o-1")
    desk.await_fact(f.LegAnswered, leg=leg, contact="c-1", offer="o-1")
    parked = desk.await_fact(f.LegParked, leg=leg)
    assert not parked.inbound
    done = desk.await_fact(f.JobDone)
    assert (done.ok, done.answer) == (True, leg)
    desk.hang_up(leg)
    gone = desk.await_fact(f.LegHungUp, leg=leg)
    assert (gone.cause, gone.offer, gone.inbound) == ("NORMAL_CLEARING", "o-1", False)
    driver.await_empty()


@pytest.mark.parametrize(
    ("behaviour", "cause", "status"),
    (("busy", "USER_BUSY", 486), ("rejects", "CALL_REJECTED", 603)),
)
def test_a_phone_that_refuses_says_why(
    driver: Driver, desk: Desk, behaviour: Behaviour, cause: str, status: int
) -> None:
    driver.phone("1001", behaviour)
    leg = desk.ring("1001", contact="c", offer="o")
    gone = desk.await_fact(f.LegHungUp, leg=leg)
    assert (gone.cause, gone.sip_status, gone.offer, gone.by_far_end) == (cause, status, "o", True)
    failed = desk.await_fact(f.InstructionFailed, leg=leg)
    assert (failed.kind, failed.answer) == ("RingAgent", cause)
    assert not desk.exists(leg)
    driver.await_empty()


def test_a_phone_that_nobody_answers_is_given_up_by_the_switch_in_time_and_not_too_soon(
    driver: Driver, desk: Desk
) -> None:
    """A switch counts whole seconds of the clock on the wall, the one that has begun included."""
    driver.phone("1001", "rings")
    leg = desk.ring("1001", contact="c", ring_ms=2_000)
    rang = desk.await_fact(f.LegRinging, leg=leg)
    gone = desk.await_fact(f.LegHungUp, leg=leg)
    assert gone.cause == "NO_ANSWER"
    assert rang.at is not None
    assert gone.at is not None
    # Ringing is told some 20 ms after the switch has begun to count.
    assert 1_900 * MILLISECOND <= gone.at - rang.at <= 3_200 * MILLISECOND
    assert desk.await_fact(f.InstructionFailed, leg=leg).answer == "NO_ANSWER"
    driver.await_empty()


def test_a_phone_that_vanished_without_a_word_fails_without_ringing(driver: Driver, desk: Desk) -> None:
    driver.phone("1001", "unreachable")
    leg = desk.ring("1001", contact="c", ring_ms=2_000)
    desk.await_fact(f.LegHungUp, leg=leg)
    desk.await_fact(f.InstructionFailed, leg=leg)
    assert not desk.said(f.LegRinging)
    driver.await_empty()


@pytest.mark.parametrize(
    ("extension", "answer"),
    (("1002", "USER_NOT_REGISTERED"), ("9999", "SUBSCRIBER_ABSENT")),
    ids=("registered nowhere", "in no directory"),
)
def test_a_phone_that_is_not_there_never_becomes_a_leg(driver: Driver, desk: Desk, extension: str, answer: str) -> None:
    if extension == "1002":
        driver.phone(extension, "unregistered")
    leg = desk.ring(extension, contact="c")
    failed = desk.await_fact(f.InstructionFailed, leg=leg)
    assert (failed.kind, failed.answer) == ("RingAgent", answer)
    assert not desk.said(f.LegCreated)
    assert not desk.said(f.LegHungUp)
    assert not desk.exists(leg)
    driver.await_empty()


def test_a_ringing_phone_is_stopped_by_hanging_up_its_leg(driver: Driver, desk: Desk) -> None:
    driver.phone("1001", "rings")
    leg = desk.ring("1001", contact="c")
    desk.await_fact(f.LegRinging, leg=leg)
    desk.hang_up(leg, "LOSE_RACE")
    assert desk.await_fact(f.LegHungUp, leg=leg).cause == "LOSE_RACE"
    assert desk.await_fact(f.InstructionFailed, leg=leg, kind="RingAgent").answer == "LOSE_RACE"
    driver.await_empty()


def test_a_phone_that_can_is_made_to_answer_from_the_desk(driver: Driver, desk: Desk) -> None:
    driver.phone("1001", "obeys")
    leg = desk.ring("1001", contact="c")
    desk.await_fact(f.LegRinging, leg=leg)
    desk.let_answer(leg)
    desk.await_fact(f.LegAnswered, leg=leg)
    desk.await_fact(f.LegParked, leg=leg)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_phone_that_cannot_rings_on_though_the_switch_says_that_it_asked(driver: Driver, desk: Desk) -> None:
    driver.phone("1001", "rings")
    leg = desk.ring("1001", contact="c")
    desk.await_fact(f.LegRinging, leg=leg)
    asked = desk.let_answer(leg)
    assert desk.await_fact(f.JobDone, job=asked).ok
    driver.let_hear(200)
    assert not desk.said(f.LegAnswered)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_second_ring_of_a_living_leg_is_refused_and_the_first_lives_on(driver: Driver, desk: Desk) -> None:
    driver.phone("1001", "rings")
    leg = desk.ring("1001", contact="c", offer="o")
    desk.await_fact(f.LegRinging, leg=leg)
    desk.ring("1001", contact="c", offer="o", leg=leg)
    failed = desk.await_fact(f.InstructionFailed, leg=leg)
    assert failed.kind == "RingAgent"
    assert desk.exists(leg)
    desk.hang_up(leg)
    desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_leg_rung_and_hung_up_in_one_breath_does_not_survive(driver: Driver, desk: Desk) -> None:
    """Complaint 5. Both are background jobs of their own: the hang-up may run before there is a leg to hang up.

    Or so early in the leg's life that it ends without ever having been created, for all that is told.
    """
    driver.phone("1001", "rings")
    for _ in range(10):
        desk.facts.clear()
        leg = desk.ring("1001", contact="c")
        first = desk.hang_up(leg)
        news = desk.await_fact(f.LegFact, leg=leg)
        if isinstance(news, f.LegHungUp):
            continue
        if desk.exists(leg):  # the hang-up came too early: a leg whose offer is closed is hung up on sight
            desk.hang_up(leg)
            assert {failed.answer for failed in desk.said(f.InstructionFailed, instruction=first)} <= {
                "No such channel!"
            }
        desk.await_fact(f.LegHungUp, leg=leg)
    driver.await_empty()


def test_a_phone_tells_that_it_registered_and_that_it_left(driver: Driver, desk: Desk) -> None:
    driver.phone("1003")
    registered = desk.await_fact(f.PhoneRegistered, extension="1003")
    assert 0 < registered.expires_s <= 300
    driver.unregister("1003")
    desk.await_fact(f.PhoneGone, extension="1003")


def test_whoever_connects_is_told_which_phones_are_registered(driver: Driver, desk: Desk) -> None:
    """Law 5: the truth is read from the switch, for every account and by the words by which it would be rung."""
    phone = driver.phone("1003")
    desk.await_fact(f.PhoneRegistered, extension="1003")
    desk.link.take_snapshot()
    seen = desk.await_fact(f.Snapshot).phones
    assert seen == {extension: extension == "1003" for extension in EXTENSIONS}
    phone.leave()
    assert not desk.await_fact(f.PhoneGone, extension="1003", within_s=1).expired
    # At once: what was just told counts, whatever the switch's list says by now.
    desk.link.take_snapshot()
    assert not desk.await_fact(f.Snapshot).phones["1003"]


def test_a_phone_that_fell_silent_is_told_of_when_its_registration_is_over(driver: Driver, desk: Desk) -> None:
    """With the margin of our configuration, and looked for every second."""
    phone = driver.phone("1003", expires_s=3)
    desk.await_fact(f.PhoneRegistered, extension="1003")
    phone.die()
    assert desk.await_fact(f.PhoneGone, extension="1003", within_s=3 + 5 + 3).expired
