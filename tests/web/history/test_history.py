"""The auditor finds a call and sees all of it."""

import pytest

from orchestrator.domain.contacts import unattended
from orchestrator.domain.contacts.unattended import ImportCall, UnattendedCallLost
from orchestrator.domain.kernel import Instant
from projections.catalogue import PROJECTIONS
from tests.audit.centre import BEGINNING, CALLER
from tests.web.conftest import Site
from tests.web.day import Day

NATIONAL = CALLER.removeprefix("+86")


def links(page: str, day: Day) -> list[str]:
    """The contacts that a page links to, in its order."""
    found = [(page.index(f"/history/contacts/{each}"), each) for each in day.contacts if each in page]
    return [contact_id for _, contact_id in sorted(found)]


def test_calls_are_found_by_agent_outcome_queue_and_time_the_latest_first(site: Site, day: Day) -> None:
    """Feature 11.6 (small)."""
    auditor = site.as_role("auditor")
    assert links(auditor.get("/history/").text, day) == day.contacts[::-1]
    assert links(auditor.get("/history/?outcome=abandoned").text, day) == [day.contacts[1]]
    assert links(auditor.get("/history/?outcome=live").text, day) == [day.contacts[-1]]
    assert links(auditor.get("/history/?queue=sales&agent=nobody").text, day) == []
    assert len(links(auditor.get("/history/?agent=a1").text, day)) + len(
        links(auditor.get("/history/?agent=a2").text, day)
    ) == sum(type(record.event).__name__ == "ContactConnected" for record in day.centre.records)
    assert links(auditor.get("/history/?to=2025-12-31T00:00").text, day) == []
    assert links(auditor.get("/history/?from=2025-12-31T00:00&to=2030-01-01T00:00").text, day) == day.contacts[::-1]


def test_a_call_with_which_its_switch_died_says_what_is_known_and_no_more(site: Site, day: Day) -> None:
    """Feature 12.3: the switch had taken it alone."""
    call = UnattendedCallLost(arrived_at=Instant(BEGINNING), taken_at=Instant(BEGINNING + 65_000_000))
    command = ImportCall(node="sw1", leg="leg-1", dialled="4001", cause="SWITCH_RESTARTED", call=call)
    for event in unattended.decide(command):
        day.reads.tell("contact-lost", event, 3_600)
    day.reads.keep_up(PROJECTIONS["contact_log"])
    auditor = site.as_role("auditor")
    found = auditor.get("/history/?outcome=unattended_lost").text
    assert "/history/contacts/lost" in found
    assert found.count("taken without us, then lost with the switch") == 2, "the choice, and the call"
    page = auditor.get("/history/contacts/lost").text
    assert "The switch took this call by itself after 01:05, because we were away, and then died" in page
    assert "随交换机失效而中断" in auditor.get("/history/contacts/lost", headers={"Accept-Language": "zh"}).text


def test_a_call_is_found_by_its_callers_number_in_any_way_of_writing_it(site: Site, day: Day) -> None:
    """Features 11.6 and 5.1: by a keyed hash, whether or not they have a customer; masked for the auditor."""
    auditor = site.as_role("auditor")
    for written in (CALLER, NATIONAL, f"{NATIONAL[:3]} {NATIONAL[3:7]} {NATIONAL[7:]}"):
        page = auditor.get("/history/", query_string={"number": written}).text
        assert links(page, day) == day.contacts[::-1]
        assert "138****8000" in page
    assert links(auditor.get("/history/", query_string={"number": "13912345678"}).text, day) == []


@pytest.mark.parametrize(
    ("asked", "words"),
    (("number=nobody", "no telephone number"), ("from=yesterday", "is not a time"), ("to=2026-13-01", "is not a time")),
)
def test_what_cannot_be_looked_for_is_said_beside_the_form(site: Site, day: Day, asked: str, words: str) -> None:
    page = site.as_role("auditor").get(f"/history/?{asked}")
    assert page.status_code == 200
    assert words in page.text


def test_a_forged_cursor_is_refused(site: Site, day: Day) -> None:
    answer = site.as_role("auditor").get("/history/?cursor=%22%5D%3B--")
    assert answer.status_code == 400


def test_a_contact_shows_every_event_in_words_as_stored_and_why_each_agent(site: Site, day: Day) -> None:
    """Features 3.9 and 11.1, complaint 25."""
    contact_id = day.contacts[0]
    records = [record for record in day.centre.records if record.stream == f"contact-{contact_id}"]
    page = site.as_role("auditor").get(f"/history/contacts/{contact_id}").text
    assert page.count('id="event-') == len(records)
    for record in records:
        assert type(record.event).__name__ in page
    assert "Why this agent" in page
    assert "Agent 1 (1001)" in page
    assert "level" in page
    assert "longest idle" in page


def test_no_event_as_stored_shows_a_number_or_name(site: Site, day: Day) -> None:
    """Feature 5.8: the raw pane is of the sealed log, whoever looks."""
    page = site.as_role("auditor").get(f"/history/contacts/{day.contacts[0]}").text
    assert NATIONAL not in page
    assert "Wang Fang" not in page


def test_a_contact_reads_in_chinese(site: Site, day: Day) -> None:
    """Feature 12.8."""
    auditor = site.as_role("auditor")
    auditor.set_cookie("ringledger-language", "zh")
    page = auditor.get(f"/history/contacts/{day.contacts[0]}").text
    assert "为什么是这位座席" in page
    assert "Why this agent" not in page


@pytest.mark.parametrize("ident", ("nobody", "..%2F..%2Fetc%2Fpasswd", "x" * 3_000))
def test_a_contact_that_never_was_is_not_found(site: Site, day: Day, ident: str) -> None:
    assert site.as_role("auditor").get(f"/history/contacts/{ident}").status_code == 404


def test_the_page_of_a_contact_leads_to_why_each_agent_did_or_did_not_get_it(site: Site, day: Day) -> None:
    """Feature 3.9, complaint 25: every agent, by replay, in the reader's words; one agent; one offer."""
    auditor = site.as_role("auditor")
    contact_id = day.contacts[1]
    page = auditor.get(f"/history/contacts/{contact_id}").text
    assert f"/history/contacts/{contact_id}/why?offer=2" in page
    every = auditor.get(f"/history/contacts/{contact_id}/why").text
    assert every.count("chosen: number 1 of those who were free") == 2
    assert "was not ready for" in every
    second = auditor.get(f"/history/contacts/{contact_id}/why?offer=2").text
    assert second.count("chosen: number 1") == 1
    one = auditor.get(f"/history/contacts/{contact_id}/why?agent=1001").text
    assert one.count('<th scope="row">') == 2
    assert (
        "There is no agent with the employee number 9"
        in auditor.get(f"/history/contacts/{contact_id}/why?agent=9").text
    )
    chinese = auditor.get(f"/history/contacts/{contact_id}/why", headers={"Accept-Language": "zh"}).text
    assert "选中" in chinese
    assert auditor.get("/history/contacts/none/why").status_code == 404
    assert auditor.get(f"/history/contacts/{contact_id}/why?offer=99").status_code == 404


def test_a_leader_is_told_of_the_own_team_only(site: Site, day: Day) -> None:
    """Feature 12.6: nobody's state of another team, not even by asking why."""
    leader = site.as_role("leader", teams=("nowhere",))
    assert leader.get(f"/history/contacts/{day.contacts[0]}/why").status_code == 404
    assert leader.get(f"/history/contacts/{day.contacts[-1]}/why").text.count('<th scope="row">') == 0
