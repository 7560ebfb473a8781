"""Recordings are found on their page and by programs, each role within its right and its teams (features 8.2, 12.6)."""

from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts.events import ContactArrived, ContactConnected, RecordingBegun, RecordingFinished
from orchestrator.domain.kernel import Provenance, Record, ident_of
from orchestrator.domain.staff.agents import AgentConfigured
from tests.web.conftest import Site
from tests.web.day import Day
from tests.web.recordings.test_sending import follow, recorded, written
from web.push.present import live
from web.recordings.shown import length_of


@pytest.fixture
def day(site: Site, day: Day) -> Day:
    site.parts.settings.recordings.mkdir(parents=True)
    return day


def join(site: Site, day: Day, agent_id: str, team: str, branch: str = "") -> None:
    """The agent belongs to this team, and works at this branch, from now on."""
    told = list(site.reading.log.stream(f"agent-{agent_id}"))
    event = told[-1].event
    assert isinstance(event, AgentConfigured)
    record = Record(
        stream=f"agent-{agent_id}",
        version=len(told) + 1,
        event=replace(event, team=team, branch=branch),
        event_id="joined",
        about=Provenance(at=day.centre.now),
    )
    position = day.reads.store([record])
    with site.app.app_context():
        assert live().view.wait_for(position, 10)


def test_the_page_finds_by_every_field_and_says_what_cannot_be_asked(site: Site, day: Day) -> None:
    written(site, "r1.wav")
    contact_id = recorded(day, "r1.wav")
    auditor = site.as_role("auditor")
    found = {
        "": True,
        "number=13800138000": True,
        "number=13900139000": False,
        "agent=nobody-of-this-name": False,
        "queue=sales": True,
        "queue=orders": False,
        "longer=0:04": True,
        "longer=5": False,
        "shorter=1:00:00": True,
        "order=7F3A-21C9": False,
        "from=2000-01-01T00:00:00": True,
        "to=2000-01-01T00:00:00": False,
        "state=finished": True,
        "state=kept": False,
        "state=held": False,
        "state=problems": False,
        "number=13800138000&queue=sales&longer=1&state=finished": True,
    }
    for query, there in found.items():
        page = auditor.get(f"/recordings/?{query}")
        assert (page.status_code, "/recordings/r1" in page.text) == (200, there), query
    wrong = {
        "number=nobody": "no telephone number",
        "longer=long": "Write a length",
        "order=the+one": "eight digits",
        "name=%21%21": "Write a name",
        "from=never": "",
    }
    for query, words in wrong.items():
        page = auditor.get(f"/recordings/?{query}")
        assert (page.status_code, 'role="alert"' in page.text, words in page.text) == (200, True, True), query
    assert auditor.get("/recordings/?cursor=x").status_code == 200
    assert auditor.get("/recordings/unknown").status_code == 404
    assert contact_id in auditor.get("/recordings/r1").text


def test_a_program_finds_reads_holds_and_lifts_and_hears_nothing(site: Site, day: Day) -> None:
    written(site, "r1.wav")
    contact_id = recorded(day, "r1.wav")
    site.reading.recordings.keep(contact_id, "r1.wav")
    follow(day)
    token = site.reading.tokens.issue("auditor", days=1, actor="admin:test")
    given = {"Authorization": f"Bearer {token}"}
    program = site.browser()
    (row,) = program.get("/api/v1/recordings?number=13800138000&held=false", headers=given).get_json()["items"]
    assert (row["name"], row["state"], row["contact_id"], row["caller_number"]) == (
        "r1",
        "kept",
        contact_id,
        "138****8000",
    )
    wish = {"case": "c1", "reason": "why"}
    done = program.post("/api/v1/recordings/r1/holds", json=wish, headers={**given, "Idempotency-Key": "k1"})
    assert (done.status_code, done.get_json()["changed"]) == (201, True)
    follow(day)
    (hold,) = program.get("/api/v1/recordings/r1", headers=given).get_json()["holds"]
    lift = f"/api/v1/recordings/r1/holds/{hold['hold_id']}/lift"
    assert program.post(lift, json={"reason": ""}, headers={**given, "Idempotency-Key": "k2"}).status_code == 409
    assert program.post(lift, json={"reason": "over"}, headers={**given, "Idempotency-Key": "k3"}).status_code == 200
    assert program.get("/api/v1/recordings/r9", headers=given).status_code == 404
    for query in ("order=x", "cursor=x"):
        assert program.get(f"/api/v1/recordings?{query}", headers=given).status_code == 400
    assert program.get("/recordings/r1/sound", headers=given).status_code in (303, 401)


def _scope(by: str, name: str) -> Any:  # noqa: ANN401 - keywords of `add_user`
    return {by: (name,)}


@pytest.mark.parametrize("by", ("teams", "branches"))
def test_a_leader_of_one_team_or_branch_finds_and_hears_its_recordings_only(site: Site, day: Day, by: str) -> None:
    """The recording of an agent of another one is not there at all, nor is one of which nobody knows whose it is; and
    nobody reveals the number of its caller.
    """
    agent_id = next(ident_of(record.stream) for record in site.reading.log.history(kinds=("agent",)))
    join(site, day, agent_id, "north", "north")
    begun = (
        ContactArrived(node="sw1", leg="l", dialled="4000", caller_number="13900139000"),
        ContactConnected(segment_id="talk", offer_id="o", shift_id="s", agent_id=agent_id, leg="a"),
        RecordingBegun(file="talk.wav"),
        RecordingFinished(file="talk.wav", length_ms=1_000),
    )
    about = Provenance(at=day.centre.now)
    day.reads.store(
        Record(stream="contact-own", version=n, event=event, event_id=f"own-{n}", about=about)
        for n, event in enumerate(begun, 1)
    )
    for file in ("talk.wav", "nobodys.wav"):
        written(site, file)
    recorded(day, "nobodys.wav")
    own = site.sign_in(site.add_user("own", "leader", **_scope(by, "north")))
    other = site.sign_in(site.add_user("other", "leader", **_scope(by, "another")))
    whole = site.as_role("leader")
    for browser, sees in ((whole, True), (own, True), (other, False)):
        assert ("/recordings/talk" in browser.get("/recordings/").text) == sees
        assert (browser.get("/recordings/talk/sound").status_code == 200) == sees
        for path in ("/recordings/talk", "/api/v1/recordings/talk"):
            assert browser.get(path).status_code == (200 if sees else 404), path
        shown = browser.submit("/reveal", subject="contact-own", field="caller_number")
        assert (shown.status_code, "139" in shown.text) == ((200, True) if sees else (404, False))
    assert whole.get("/recordings/nobodys").status_code == 200
    assert own.get("/recordings/nobodys").status_code == 404


def test_a_length_is_written_as_people_write_it() -> None:
    cases = {"": None, "90": 90_000, "1:30": 90_000, "1:02:03": 3_723_000, "100:00": 6_000_000}
    assert {text: length_of(text) for text in cases} == cases
