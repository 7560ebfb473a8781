"""Callers who are parked, on both switches, from the first agent to the end: retrieved, back in time, or gone."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from orchestrator.runner import inputs
from tests.acceptance.house import House, talking


def test_a_parked_caller_hears_music_and_a_colleague_retrieves_them_by_the_place(house: House) -> None:
    """Features 4.3, 4.4; complaint 14: one contact, two conversations, each with a recording of its own."""
    house.driver.phone("1002")
    talking(house, "802")
    house.driver.let_hear(1_500)
    house.do(inputs.Park(agent="801"))
    assert house.ledger.await_event(ContactParked).place == 1
    house.ledger.await_event(c.CallerParked)
    house.ledger.await_event(c.RecordingFinished)
    house.do(inputs.Retrieve(agent="802", place=1))
    house.await_state("802", "talking")
    house.driver.let_hear(1_500)
    house.do(inputs.HangUp(agent="802"))
    report = house.close_day(contacts=1)
    assert report.counts.parks == 1
    assert [event.outcome for event in house.ledger.all(ParkEnded)] == ["retrieved"]
    assert [event.ended_by for event in house.ledger.all(c.AgentSegmentEnded)] == ["parked", "agent"]
    for file in (event.file for event in house.ledger.all(c.RecordingFinished)):
        house.driver.assert_recorded(str(house.driver.recordings / file), left=1_000, right=500, from_s=0.9, to_s=1.3)


def test_the_agent_takes_the_caller_back_and_one_who_hangs_up_at_the_place_ends_once(house: House) -> None:
    """Complaint 13: out of the after-call work; then the caller goes, and the place is empty."""
    house.driver.phone("1001")
    caller = house.driver.call()
    house.sign_in("801")
    house.await_state("801", "talking")
    house.do(inputs.Park(agent="801", place=7))
    house.ledger.await_event(c.CallerParked)
    house.do(inputs.Retrieve(agent="801", place=7))
    house.await_state("801", "talking")
    house.do(inputs.Park(agent="801"))
    house.ledger.await_event(ContactParked, lambda event: event.place == 1)
    caller.hang_up()
    ended = house.ledger.await_event(c.ContactEnded)
    assert (ended.reason, ended.phase) == ("abandoned", "parked")
    assert house.refusal(inputs.Retrieve(agent="801", place=1)) == "place_empty"
    house.close_day(contacts=1)
