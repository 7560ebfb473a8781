"""Ops go back to any instant and step from event to event."""

import re
from collections.abc import Iterator

import pytest

from tests.audit.centre import BEGINNING
from tests.postgres import Database
from tests.web.conftest import Site
from tests.web.day import Day, played


@pytest.fixture
def day(site: Site, database: Database) -> Iterator[Day]:
    with played(site, database) as day:
        yield day


def marks(page: str) -> dict[str, int]:
    """What the slider reads off a moment."""
    return {name: int(value) for name, value in re.findall(r'data-(at|position|next|previous)="(\d+)"', page)}


def test_stepping_on_and_back_visits_every_event(site: Site, day: Day) -> None:
    """Feature 11.3, simple: event by event, there and back."""
    ops = site.as_role("ops")
    position, seen = 1, []
    while position:
        found = marks(ops.get(f"/replay/moment?position={position}").text)
        seen.append(found["position"])
        position = found["next"]
    assert seen[-1] >= day.last
    back = marks(ops.get(f"/replay/moment?position={seen[-1]}").text)["previous"]
    assert back == seen[-2]


def test_an_instant_shows_queues_agents_and_contacts_as_they_were(site: Site, day: Day) -> None:
    """Feature 11.2: while the first caller talks, and before anybody had come."""
    ops = site.as_role("ops")
    talking = next(r for r in day.centre.records if type(r.event).__name__ == "ContactConnected")
    page = ops.get(f"/replay/moment?at={talking.about.at}").text
    assert day.contacts[0] in page
    assert day.contacts[1] not in page
    assert "talking" in page
    empty = ops.get(f"/replay/moment?at={BEGINNING - 1}").text
    assert "Nobody was signed in." in empty


def test_the_page_says_that_it_is_the_past_and_links_to_its_instant(site: Site, day: Day) -> None:
    """Feature 11.3: never mistaken for now."""
    at = day.centre.records[-1].about.at
    page = site.as_role("ops").get(f"/replay/?at={at}")
    assert page.status_code == 200
    assert "REPLAY — not live" in page.text
    assert f"at={at}" in page.text


def test_an_offer_says_why_it_went_where_it_went(site: Site, day: Day) -> None:
    """Features 3.9 and 11.3."""
    offer = next(r for r in day.reads.log.history() if type(r.event).__name__ == "OfferMade")
    page = site.as_role("ops").get(f"/replay/moment?position={offer.position}").text
    assert "Why this agent" in page
    assert "chosen" in page


@pytest.mark.parametrize("asked", ("at=soon", "position=-1", "position=1e9", "at=99999999999999999999"))
def test_what_is_no_time_or_position_is_refused_with_advice(site: Site, day: Day, asked: str) -> None:
    assert site.as_role("ops").get(f"/replay/moment?{asked}").status_code == 400


def test_a_window_that_ends_before_it_begins_is_refused(site: Site, day: Day) -> None:
    assert site.as_role("ops").get("/replay/?from=2026-01-02T00:00&to=2026-01-01T00:00").status_code == 400
