"""Ops go back to any instant and step from event to event."""

import html
import re

import psycopg
import pytest
from flask_babel import force_locale

from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.kernel import Provenance, Record
from orchestrator.domain.world import World
from projections import queue_state
from projections.service_level import DEFAULT, FORMULAS
from tests.audit.centre import BEGINNING, CALLER
from tests.postgres import Database
from tests.web.conftest import Site
from tests.web.day import Day
from web.replay.changes import changes
from web.words import Names


def marks(page: str) -> dict[str, int]:
    """What the slider reads off a moment."""
    return {name: int(value) for name, value in re.findall(r'data-(at|position|next|previous)="(\d+)"', page)}


def figures(page: str) -> dict[str, str]:
    """What the first tile says, by its words."""
    tile = page.partition('<section id="tiles"')[2].partition("</dl>")[0]
    found = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", tile, re.DOTALL)
    return {words: " ".join(re.sub(r"<[^>]+>", " ", text).split()) for words, text in found}


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
    assert "Nothing had happened yet." in empty


def test_the_page_says_that_it_is_the_past_and_links_to_its_instant(site: Site, day: Day) -> None:
    """Feature 11.3: never mistaken for now."""
    at = day.centre.records[-1].about.at
    page = site.as_role("ops").get(f"/replay/?at={at}")
    assert page.status_code == 200
    assert '<span lang="en">REPLAY</span> <span lang="zh">回放</span>' in page.text
    assert f"position={day.last}" in page.text
    assert marks(site.as_role("ops").get(f"/replay/?position={day.last - 1}").text)["position"] == day.last - 1


def test_an_offer_says_why_it_went_where_it_went(site: Site, day: Day) -> None:
    """Features 3.9 and 11.3."""
    offer = next(r for r in day.reads.log.history() if type(r.event).__name__ == "OfferMade")
    page = site.as_role("ops").get(f"/replay/moment?position={offer.position}").text
    assert "Why this agent" in page
    assert "chosen" in page


def test_a_moment_is_shown_by_the_components_of_the_live_floor_and_nothing_in_it_counts_on(
    site: Site, day: Day
) -> None:
    """Feature 11.3: tiles, agents and calls as leaders see the present; times stand still, and nobody can be moved."""
    waiting = next(r for r in day.centre.records if type(r.event).__name__ == "ContactQueued")
    page = site.as_role("ops").get(f"/replay/moment?at={waiting.about.at}").text
    for component in ('<section id="tiles"', '<section id="agents"', '<section id="calls"'):
        assert component in page
    assert "data-since" not in page
    assert "data-dialog" not in page


def test_the_day_s_counts_are_those_of_the_moment_by_the_floor_s_own_tiles(site: Site, day: Day) -> None:
    """Feature 11.3: at the day's end what the read model has, before anybody was answered nothing."""
    records = list(day.reads.log.history())
    today = day.reads.site.day(records[-1].about.at)
    (counted,) = day.reads.read(lambda connection: queue_state.days(connection, today, today))
    assert counted.answered, "a day that proves something"
    assert counted.abandoned
    ops = site.as_role("ops")
    page = figures(ops.get(f"/replay/moment?position={day.last}").text)
    assert page["Answered"] == str(counted.answered)
    assert str(counted.abandoned) in page["Abandoned"].split()
    assert f" {FORMULAS[DEFAULT].of(counted):.0f} % " in f" {page['Service level']} "
    offered = next(record for record in records if type(record.event).__name__ == "OfferMade")
    early = figures(ops.get(f"/replay/moment?position={offered.position}").text)
    assert early["Answered"] == "0"
    assert " 0 % " in f" {early['Service level']} "


def test_a_step_says_what_changed_since_what_was_shown(site: Site, day: Day) -> None:
    """Feature 11.3: queues, agents, contacts and the configuration, in words."""
    ops = site.as_role("ops")
    queued = next(r for r in day.reads.log.history() if type(r.event).__name__ == "ContactQueued")
    page = ops.get(f"/replay/moment?position={queued.position}&shown={queued.position - 2}").text
    changed = page.partition('id="replay-changed"')[2].partition("</ul>")[0]
    assert "waiting 0 → 1" in changed
    assert ": came, " in changed
    same = ops.get(f"/replay/moment?position={queued.position}&shown={queued.position}").text
    assert "Nothing that is shown here." in same
    assert "replay-changed" not in ops.get(f"/replay/moment?position={queued.position}").text


@pytest.mark.parametrize(
    ("language", "words"), (("en", "0ff1ce00: dialled by an agent, "), ("zh", "0ff1ce00：座席外呼，"))
)
def test_a_number_that_an_agent_dials_is_not_told_as_a_caller_who_came(site: Site, language: str, words: str) -> None:
    """Features 1.2 and 11.3."""
    before, after = World(), World()
    event = ContactDialled(
        node="sw1", shift_id="s1", agent_id="a1", caller_number=CALLER, show="+8675500000001", queue_id="sales"
    )
    record = Record(stream="contact-0ff1ce00-1", version=1, event=event, event_id="e1", about=Provenance(at=BEGINNING))
    after.apply(record)
    with site.app.test_request_context(), force_locale(language):
        (line,) = changes(before, after, Names())
    assert line.startswith(words)


@pytest.mark.parametrize(
    ("stop", "event", "words"),
    (
        ("event:OfferTimedOut", "OfferTimedOut", "offer not answered"),
        ("event:AgentStoodDown", "AgentStoodDown", "agent stood down"),
        ("queue:*:0", "", "Sales: more than 0 waiting"),
    ),
)
def test_a_replay_stops_where_it_was_told_to_and_goes_on_from_there(
    site: Site, day: Day, stop: str, event: str, words: str
) -> None:
    """Feature 11.3: "queue > 20", "offer refused", "agent stood down"."""
    ops = site.as_role("ops")
    end = day.centre.records[-1].about.at
    records = list(day.reads.log.history())
    wanted = [record.position for record in records if type(record.event).__name__ == event]
    if not event:
        wanted, world = [], World()
        for record in records:
            before = sum(contact.status == "waiting" for contact in world.contacts.values())
            world.apply(record)
            if before == 0 and any(contact.status == "waiting" for contact in world.contacts.values()):
                wanted.append(record.position)
    found, shown = [], 1
    while True:
        page = ops.get(f"/replay/moment?at={end}&shown={shown}&stop={stop}").text
        shown = marks(page)["position"]
        if "data-stopped" not in page:
            break
        assert f"Stopped: {words}" in page
        found.append(shown)
    assert found
    assert found == wanted
    assert shown == max(record.position for record in records if record.about.at <= end)


def test_what_is_looked_through_in_one_answer_is_bounded(site: Site, day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """Feature 11.3: a search comes as far as it can, says where it is, and the next answer goes on."""
    monkeypatch.setattr("web.replay.moment.LOOKED", 5)
    end = day.centre.records[-1].about.at
    page = site.as_role("ops").get(f"/replay/moment?at={end}&shown=1&stop=event:NodeLost").text
    assert marks(page)["position"] == 6


def test_the_density_of_events_stands_over_the_slider(site: Site, day: Day) -> None:
    """Feature 11.3."""
    first, last = day.centre.records[0].about.at, day.centre.records[-1].about.at
    page = site.as_role("ops").get(f"/replay/?from={first}&to={last + 1_000_000}").text
    assert f"{day.last} events in this window" in page
    assert page.count("<rect ") >= 5


def test_a_window_that_is_too_large_says_so_and_offers_a_smaller_one_that_is_not(
    site: Site, day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad input of issue 7."""
    ops = site.as_role("ops")
    first, last = day.centre.records[0].about.at, day.centre.records[-1].about.at
    monkeypatch.setattr("web.replay.window.MOST_EVENTS", 30)
    for asked, words in (
        (f"from={first}&to={last}&at={last}", f"There are {day.last} events in this window"),
        (f"from={first - 40 * 86_400_000_000}&to={last}&at={last}", "31 days long at most"),
    ):
        page = ops.get(f"/replay/?{asked}")
        assert page.status_code == 400
        assert words in page.text
        smaller = html.unescape(re.findall(r'id="smaller"[^>]* href="([^"]+)"', page.text)[0])
        looked = 1
        while (page := ops.get(smaller)).status_code == 400:
            assert looked < 10, "what is offered is smaller each time"
            smaller = html.unescape(re.findall(r'id="smaller"[^>]* href="([^"]+)"', page.text)[0])
            looked += 1
        assert page.status_code == 200


def test_before_the_beginning_the_page_says_when_that_was(site: Site, day: Day) -> None:
    """Bad input of issue 7."""
    page = site.as_role("ops").get(f"/replay/?at={BEGINNING - 86_400_000_000}").text
    assert "This is before the beginning." in page
    assert "The first event was at" in page


def test_an_event_of_unknown_name_is_kept_shown_and_stopped_at(site: Site, day: Day, database: Database) -> None:
    """Bad input of issue 7: made by a newer program."""
    with psycopg.connect(database.writer) as writer:
        at = day.centre.records[-1].about.at
        writer.execute(
            "INSERT INTO ringledger_events (originator_id, originator_version, topic, state) VALUES"
            " ('moon-1', 1, 'MoonRisen.v7', convert_to(%s, 'UTF8'))",
            (f'{{"id":"m","about":{{"at":{at}}},"event":{{"full":true}}}}',),
        )
    ops = site.as_role("ops")
    page = ops.get(f"/replay/moment?at={at}&shown={day.last}&stop=event:unknown").text
    assert "MoonRisen (version 7, made by a newer program)" in page
    assert "an event that this program does not know" in page


def test_what_is_no_place_to_stop_is_refused(site: Site, day: Day) -> None:
    assert site.as_role("ops").get("/replay/moment?stop=queue:sales:x").status_code == 400


@pytest.mark.parametrize("asked", ("at=soon", "position=-1", "position=1e9", "at=99999999999999999999"))
def test_what_is_no_time_or_position_is_refused_with_advice(site: Site, day: Day, asked: str) -> None:
    assert site.as_role("ops").get(f"/replay/moment?{asked}").status_code == 400


def test_a_window_that_ends_before_it_begins_is_refused(site: Site, day: Day) -> None:
    assert site.as_role("ops").get("/replay/?from=2026-01-02T00:00&to=2026-01-01T00:00").status_code == 400
