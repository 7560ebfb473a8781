"""A caller who is parked, on both switches, from the first agent to the end: retrieved, parked again, and gone."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from orchestrator.runner import inputs
from tests.acceptance.house import House


def test_a_parked_caller_is_retrieved_by_the_place_and_one_who_hangs_up_there_ends_once(house: House) -> None:
    """Features 4.3, 4.4; complaints 13, 14: one contact, two conversations, each with a recording of its own."""
    for extension in ("1001", "1002"):
        house.driver.phone(extension)
    house.sign_in("801")
    caller = house.driver.call()
    house.ledger.await_event(c.RecordingBegun)
    house.sign_in("802")
    house.driver.let_hear(1_500)
    house.do(inputs.Park(agent="801"))
    house.ledger.await_event(c.CallerParked)
    house.ledger.await_event(c.RecordingFinished)
    assert house.refusal(inputs.Retrieve(agent="802", place=2)) == "place_empty"
    house.do(inputs.Retrieve(agent="802", place=1))
    house.await_state("802", "talking")
    house.driver.let_hear(1_500)
    house.do(inputs.Park(agent="802", place=7))
    house.ledger.await_event(c.CallerParked, count=2)
    house.ledger.await_event(c.RecordingFinished, count=2)
    caller.hang_up()
    ended = house.ledger.await_event(c.ContactEnded)
    assert (ended.reason, ended.phase) == ("abandoned", "parked")
    report = house.close_day(contacts=1)
    assert report.counts.parks == 2
    assert [event.place for event in house.ledger.all(ContactParked)] == [1, 7]
    assert [event.outcome for event in house.ledger.all(ParkEnded)] == ["retrieved", "abandoned"]
    for file in (event.file for event in house.ledger.all(c.RecordingFinished)):
        house.driver.assert_recorded(str(house.driver.recordings / file), left=1_000, right=500, from_s=0.9, to_s=1.3)
