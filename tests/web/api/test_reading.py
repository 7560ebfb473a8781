"""What programs read: the same as the screens show, with the same masks, page by page."""

import json
from typing import Any

import pytest

from orchestrator.domain.contacts.events import ContactArrived
from orchestrator.domain.kernel import SECOND, Instant, Provenance, Record
from projections import contact_log
from projections.catalogue import PROJECTIONS
from tests.audit.centre import BEGINNING, CALLER
from tests.web.api.conftest import Programs
from tests.web.conftest import Site
from tests.web.day import CUSTOMER, Day

MASKED = "138****8000"
NATIONAL = CALLER.removeprefix("+86")


def ids(found: Any, name: str = "contact_id") -> list[str]:  # noqa: ANN401 - JSON
    return [str(item[name]) for item in found["items"]]


def test_contacts_are_found_as_the_auditor_finds_them(day: Day, program: Programs) -> None:
    """Feature 11.6 (small)."""
    auditor = program("auditor")
    assert ids(auditor.found("/contacts")) == day.contacts[::-1]
    assert ids(auditor.found("/contacts", outcome="abandoned")) == [day.contacts[1]]
    assert ids(auditor.found("/contacts", live="true")) == [day.contacts[-1]]
    assert ids(auditor.found("/contacts", live="false")) == day.contacts[-2::-1]
    assert ids(auditor.found("/contacts", queue_id="sales", agent_id="nobody")) == []
    assert ids(auditor.found("/contacts", until="2025-12-31T00:00:00Z")) == []
    assert ids(auditor.found("/contacts", since="2025-12-31T00:00:00+08:00")) == day.contacts[::-1]
    assert ids(auditor.found("/contacts", number=NATIONAL)) == day.contacts[::-1]
    assert ids(auditor.found("/contacts", number="13912345678")) == []
    assert ids(auditor.found("/contacts", customer_id=CUSTOMER)) == [day.contacts[-1]]
    assert auditor.refused(400, "GET", "/contacts", query_string={"number": "nobody"}) == "bad_number"


def test_a_contact_is_told_with_units_and_masked(day: Day, program: Programs) -> None:
    first = program("auditor").found(f"/contacts/{day.contacts[0]}")
    assert first["caller_number"] == MASKED
    assert first["outcome"] == "completed"
    assert first["arrived_at"].endswith("Z")
    assert first["talk_ms"] > 0
    assert isinstance(first["talk_ms"], int)


def test_a_contacts_events_are_told_in_words_and_sealed_with_every_decision(day: Day, program: Programs) -> None:
    """Features 3.9 and 11.1, complaint 25; law 11."""
    contact_id = day.contacts[0]
    records = [record for record in day.centre.records if record.stream == f"contact-{contact_id}"]
    found = program("auditor").found(f"/contacts/{contact_id}/events")
    assert [item["version"] for item in found["items"]] == [record.version for record in records]
    assert [item["name"] for item in found["items"]] == [type(record.event).__name__ for record in records]
    assert all(item["words"] for item in found["items"])
    decided = [item["decision"] for item in found["items"] if item["name"] == "OfferMade"]
    assert decided
    assert all(decision["candidates"][0]["chosen"] for decision in decided)
    text = json.dumps(found)
    assert NATIONAL not in text
    assert "Wang Fang" not in text
    pages = paged(program, f"/contacts/{contact_id}/events", 2)
    assert [item["version"] for item in pages] == [record.version for record in records]


def test_words_are_in_the_language_that_is_asked_for(day: Day, program: Programs) -> None:
    """Feature 12.8."""
    path = f"/contacts/{day.contacts[0]}/events"
    english, chinese = (
        program("auditor").ask("GET", path, headers={"Accept-Language": tag}).get_json()["items"][0]["words"]
        for tag in ("en", "zh-CN,zh;q=0.9")
    )
    assert english.isascii()
    assert not chinese.isascii()


@pytest.mark.parametrize(("role", "shown"), (("agent", CALLER), ("leader", MASKED), ("auditor", MASKED)))
def test_a_customers_numbers_are_whole_for_those_who_see_whole_ones(
    day: Day, program: Programs, role: str, shown: str
) -> None:
    """Feature 12.6."""
    one = program(role)
    assert one.found(f"/customers/{CUSTOMER}")["numbers"] == [{"number": shown, "label": ""}]
    assert [item["numbers"][0]["number"] for item in one.found("/customers", q=NATIONAL)["items"]] == [shown]
    timeline = one.found(f"/customers/{CUSTOMER}/timeline")
    assert {item["kind"] for item in timeline["items"]} == {"contact", "file"}
    assert (NATIONAL in json.dumps(timeline)) == (role == "agent")
    only = one.found(f"/customers/{CUSTOMER}/timeline", kind="contact")
    assert ids(only) == [day.contacts[-1]]


def test_queues_are_told_as_they_are_with_every_formulas_figure(day: Day, program: Programs) -> None:
    """Feature 9.1, complaint 12: a figure comes with its formula."""
    found = program("leader").found("/queues", after=day.last)["items"]
    waiting = {queue["queue_id"]: queue["waiting"] + queue["ringing"] for queue in found}
    assert sum(waiting.values()) == 1
    assert all(figure["formula"] and figure["unit"] in {"%", "ms"} for figure in found[0]["today"]["figures"])


def test_a_leader_sees_the_agents_of_their_teams(day: Day, program: Programs) -> None:
    """Feature 12.6: scope by team."""
    everybody = program("leader").found("/agents")["items"]
    assert {agent["number"] for agent in everybody} == {agent.number for agent in day.centre.world.agents.values()}
    assert program("leader", "night-shift").found("/agents")["items"] == []
    number = everybody[0]["number"]
    assert program("leader").found(f"/agents/{number}")["state"] == everybody[0]["state"]
    assert program("leader", "night-shift").refused(403, "GET", f"/agents/{number}") == "forbidden"
    assert program("leader").refused(404, "GET", "/agents/9999") == "not_found"


def test_a_program_for_a_team_writes_nothing_about_another_teams_contacts(day: Day, program: Programs) -> None:
    """Feature 12.6."""
    served = next(item["contact_id"] for item in program("leader").found("/contacts")["items"] if item["agent_id"])
    night = program("leader", "night-shift")
    assert night.refused(404, "POST", f"/contacts/{served}/notes", {"text": "x"}) == "not_found"
    assert night.refused(404, "POST", f"/contacts/{served}/customer", {"customer_id": CUSTOMER}) == "not_found"
    assert program("leader").does("POST", f"/contacts/{served}/notes", {"text": "x"})["changed"]


def test_the_past_is_told_as_it_was_and_masked(day: Day, program: Programs) -> None:
    """Features 11.2 and 11.3, simple."""
    arrived = next(record for record in day.centre.records if record.stream == f"contact-{day.contacts[1]}")
    position = (
        arrived.position or program("auditor").found(f"/contacts/{day.contacts[1]}/events")["items"][0]["position"]
    )
    found = program("ops").found("/replay", position=position)
    assert day.contacts[1] in [contact["contact_id"] for contact in found["contacts"]]
    assert NATIONAL not in json.dumps(found)
    again = program("ops").found("/replay", at=found["at"])
    assert again["at"] == found["at"]
    assert program("ops").found("/replay", at="2020-01-01T00:00:00Z")["contacts"] == []
    assert program("ops").refused(400, "GET", "/replay", query_string={"position": 2**62}) == "bad_position"


def test_every_event_is_told_once_from_the_oldest_and_from_the_latest(site: Site, day: Day, program: Programs) -> None:
    """Complaint 24: who did what."""
    stored = [record.position for record in site.reading.log.history()]
    day.reads.keep_up(PROJECTIONS["audit_trail"])
    forth = [item["position"] for item in paged(program, "/events", 7, oldest_first="true")]
    back = [item["position"] for item in paged(program, "/events", 7)]
    assert back == forth[::-1]
    assert [position for position in stored if position in set(forth)] == forth
    assert len(forth) >= len(day.centre.records)
    rest = program("auditor").found("/events", since_position=forth[-3], oldest_first="true", limit=500)
    assert ids(rest, "position")[:2] == [str(position) for position in forth[-2:]]
    named = program("auditor").found("/events", name=["OfferMade", "ContactEnded"], limit=500)
    assert {item["name"] for item in named["items"]} == {"OfferMade", "ContactEnded"}


def test_an_event_is_told_as_it_is_stored_without_what_is_personal_or_secret(
    site: Site, day: Day, program: Programs
) -> None:
    """Feature 11.1; an event's body is masked whoever asks, and a token's hash is nobody's business."""
    auditor = program("auditor")
    day.reads.keep_up(PROJECTIONS["audit_trail"])
    for row in auditor.found("/events", limit=500)["items"]:
        one = auditor.found(f"/events/{row['position']}")
        assert {name: one[name] for name in row} == row
        assert one["words"]
        text = json.dumps(one)
        assert NATIONAL not in text
        assert "Wang Fang" not in text
        if one["name"] == "TokenIssued":
            assert len(one["body"]["hash"]) < 64
    for position in ("0", "none", str(2**63), str(site.reading.log.position() + 1)):
        assert auditor.refused(404, "GET", f"/events/{position}") == "not_found"


def test_the_position_of_everything_is_told(day: Day, program: Programs) -> None:
    found = program("qa").found("/position")
    assert found["position"] >= day.last
    assert set(found["models"]) == set(PROJECTIONS)


@pytest.mark.slow
@pytest.mark.usefixtures("unlimited")
def test_ten_thousand_contacts_are_paged_once_each_though_more_arrive_meanwhile(day: Day, program: Programs) -> None:
    """Keyset paging: what arrives meanwhile is before the first page, and moves nothing."""
    before = set(ids(program("auditor").found("/contacts", limit=500)))
    arrive(day, 0, 10_000)
    found: list[str] = []
    cursor, pages = "", 0
    while True:
        page = program("auditor").found("/contacts", limit=500, cursor=cursor)
        found += ids(page)
        pages += 1
        arrive(day, 10_000 + pages * 3, 3)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 10_000 + len(before)
    assert pages == 21


def arrive(day: Day, first: int, count: int) -> None:
    """So many more contacts, and the model knows them."""
    day.reads.store([arrival(number) for number in range(first, first + count)])
    day.reads.keep_up(PROJECTIONS[contact_log.NAME], limit=5_000)


def arrival(number: int) -> Record:
    """A contact's first event, a second after that of the number before."""
    return Record(
        stream=f"contact-{number:08}",
        version=1,
        event=ContactArrived(node="n1", leg=f"l{number}", dialled="4000", caller_number=CALLER),
        event_id=f"arrived-{number}",
        about=Provenance(at=Instant(BEGINNING + (3_600 + number) * SECOND)),
    )


def paged(program: Programs, path: str, limit: int, **query: object) -> list[Any]:
    """Everything in a list, page by page."""
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = program("auditor").found(path, limit=limit, cursor=cursor, **query)
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["next_cursor"]
    return found
