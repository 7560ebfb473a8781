"""A caller who is parked, on both switches, from the first agent to the end: retrieved, parked again, and gone."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from orchestrator.domain.switch.nodes import PhoneCodeDialled, StrayLegClosed
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


def test_an_agent_parks_and_fetches_by_the_keys_of_the_phone_and_nobody_does_in_anothers_name(house: House) -> None:
    """Features 4.3, 11.5: codes dialled on the phone (`runner.phone_codes`), whose account says whose wish it is."""
    phones = {extension: house.driver.phone(extension) for extension in ("1001", "1002")}
    house.sign_in("801")
    caller = house.driver.call()
    house.ledger.await_event(c.RecordingBegun)
    house.sign_in("802")
    house.driver.let_hear(1_500)
    house.driver.forge("1002", "*6807", says="1001")
    assert house.ledger.await_event(PhoneCodeDialled).refused == "not_talking"
    phones["1001"].dial("*6807")
    house.ledger.await_event(c.CallerParked)
    house.ledger.await_event(c.RecordingFinished)
    phones["1002"].dial("*8806")
    house.ledger.await_event(PhoneCodeDialled, count=3)
    phones["1002"].dial("*8807")
    house.await_state("802", "talking")
    with house.driver.control() as watch:
        watch.subscribe("PLAYBACK_START")
        phones["1002"].dial("*68")
        said = "file_string://parked_at.wav!digit_1.wav"
        watch.await_that(lambda event: event["Playback-File-Path"] == said, "the place to be spoken to the phone")
    house.ledger.await_event(c.CallerParked, count=2)
    caller.hang_up()
    house.ledger.await_event(StrayLegClosed, count=5)  # each that a phone dialled, the last once it was told
    report = house.close_day(contacts=1)
    assert report.counts.parks == 2
    codes = [(event.agent_id, event.wish, event.place, event.refused) for event in house.ledger.all(PhoneCodeDialled)]
    assert codes == [
        ("bob", "park", 7, "not_talking"),
        ("ann", "park", 7, ""),
        ("bob", "retrieve", 6, "place_empty"),
        ("bob", "retrieve", 7, ""),
        ("bob", "park", 0, ""),
    ]
    assert [event.place for event in house.ledger.all(ContactParked)] == [7, 1]
    assert [event.outcome for event in house.ledger.all(ParkEnded)] == ["retrieved", "abandoned"]


def test_a_phone_that_is_busy_as_its_agent_fetches_the_caller_has_them_once_it_is_free(house: House) -> None:
    """Features 4.3, 4.4: one that is slow to put down. The caller waits for that agent, though another is free."""
    for extension in ("1001", "1003"):
        house.driver.phone(extension)
    house.driver.phone("1002", "busy")
    house.sign_in("801")
    house.driver.call()
    house.ledger.await_event(c.ContactConnected)
    house.sign_in("802")
    house.do(inputs.Park(agent="801"))
    house.ledger.await_event(c.CallerParked)
    house.sign_in("803")
    house.do(inputs.Retrieve(agent="802", place=1))
    busy = house.ledger.await_event(c.OfferRejected)
    house.driver.phone("1002")
    house.await_state("802", "talking")
    house.do(inputs.HangUp(agent="802"))
    house.close_day(contacts=1)
    assert busy.cause == "USER_BUSY"
    assert [event.agent_id for event in house.ledger.all(c.ContactConnected)] == ["ann", "bob"]
    assert [event.outcome for event in house.ledger.all(ParkEnded)] == ["retrieved"]
