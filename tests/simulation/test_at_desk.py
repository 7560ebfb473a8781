"""Agents who answer at the desk, whose phones ring only then, in every weather: a leg, a blame, a caller too many."""

from orchestrator.domain.contacts import contacts as c
from tests.simulation.run import Run, Size
from tests.simulation.weather import Weather

SIZE = Size(contacts=60, agents=10, at_desk=0.8, browsers=0.5, hands=0.2, transfers=0.2, consults=0.2)
WEATHERS = (Weather(), Weather(late=0.3, doubled=0.1), Weather(lost=0.03), Weather(crashes=2, flaps=2))


def test_desks_that_accept_reject_and_let_it_ring_out_break_no_rule_whatever_goes_wrong() -> None:
    """Feature 4.1: `reservations`, `leg_after_contact`, `blamed_rightly` and the verifier, in each."""
    runs = [Run(seed, weather=weather, size=SIZE).play() for seed, weather in enumerate(WEATHERS)]
    events = [record.event for run in runs for record in run.ledger.records()]
    first = {held.leg for made in events if isinstance(made, c.OfferMade) for held in made.reservations if held.at_desk}
    accepted = {event.leg for event in events if isinstance(event, c.OfferAcceptRequested)}
    assert len(first & accepted) > 25
    assert len(first - accepted) > 10
    assert sum(1 for event in events if isinstance(event, c.OfferTimedOut)) > 2
    assert sum(1 for event in events if isinstance(event, c.OfferRejected) and event.cause == "desk") > 2
    talked = {event.leg for event in events if isinstance(event, c.ContactConnected)}
    assert len(first & talked) > 15
