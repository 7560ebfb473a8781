"""The blacklist's screens: found, added, changed, let expire, taken off, in the name of who did it."""

import re

import pytest

from orchestrator.domain.customers import blacklist as b
from orchestrator.domain.kernel import Instant, Record
from orchestrator.service.blacklist import Blacklists
from orchestrator.service.deciding import Who
from tests.web.conftest import Browser
from tests.web.office import Office

NUMBER = "+8613800138000"
MASKED, WHOLE = "138****8000", "13800138000"


@pytest.fixture
def leader(office: Office) -> Browser:
    browser = office.as_role("leader")
    browser.get("/blacklist/")
    return browser


def kept(office: Office) -> Blacklists:
    """The list as the service knows it."""
    reading = office.site.reading
    return Blacklists(reading.desk, reading.log, region="CN")


def added(office: Office, browser: Browser, number: str = WHOLE, **fields: str) -> str:
    """A number added with the form; the path of its entry."""
    given = {"key": f"add {number}".replace(" ", "-"), "reason": "nuisance", **fields}
    return office.follow(browser, browser.submit("/blacklist/", number=number, **given)).request.path


def history(office: Office, path: str) -> list[Record]:
    """What the log holds of the entry at this path."""
    return list(office.site.reading.log.stream(f"blacklist-{path.rpartition('/')[2]}"))


def version(page: str) -> str:
    """What the form of the entry says was seen."""
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None
    return found[1]


def test_a_number_is_added_in_the_name_of_the_user_and_listed_masked(office: Office, leader: Browser) -> None:
    """Feature 5.5; law 11."""
    path = added(office, leader, "138 0013-8000", reason="fraud", until="2099-01-02T03:04:05", note="at night")
    (record,) = history(office, path)
    assert (record.about.actor, record.event.number) == ("user:leader-1", NUMBER)  # type: ignore[attr-defined]
    page = leader.get("/blacklist/").text
    for told in (MASKED, "fraud", "2099-01-02 03:04:05", "leader-1", "at night", path):
        assert told in page, told
    assert WHOLE not in page


def test_a_form_that_is_sent_twice_adds_once(office: Office, leader: Browser) -> None:
    assert added(office, leader, key="same") == added(office, leader, key="same")
    assert len(kept(office).every()) == 1


@pytest.mark.parametrize(
    ("wrong", "field", "told"),
    (
        ({"number": "nobody"}, "number", "no telephone number"),
        ({"reason": "Because!"}, "reason", "A reason is a code"),
        ({"reason": ""}, "reason", "A reason is a code"),
        ({"until": "2001-01-01T00:00"}, "until", "still to come"),
        ({"until": "tomorrow"}, "until", "still to come"),
        ({"note": "x" * 301}, "note", "too long"),
    ),
)
def test_what_will_not_do_is_told_at_its_field_and_nothing_typed_is_lost(
    office: Office, leader: Browser, wrong: dict[str, str], field: str, told: str
) -> None:
    """Bad input."""
    given = {"number": WHOLE, "reason": "fraud", "until": "2099-01-01T00:00:00", "note": "at night", **wrong}
    answer = leader.submit("/blacklist/", key="k", **given)
    assert answer.status_code == 422
    (said,) = re.findall(r'id="problem-(\w+)">([^<]*)<', answer.text)
    assert said[0] == field
    assert told in said[1]
    (marked,) = re.findall(r'name="(\w+)"[^>]*aria-describedby="problem-\w+"', answer.text)
    assert marked == field
    for name, value in given.items():
        assert re.search(rf'name="{name}"[^>]*value="{re.escape(value)}"', answer.text), name
    assert kept(office).every() == []


def test_a_number_that_is_listed_is_not_listed_again(office: Office, leader: Browser) -> None:
    added(office, leader)
    answer = leader.submit("/blacklist/", number=NUMBER, reason="fraud", key="another")
    assert (answer.status_code, "on the list already" in answer.text) == (422, True)


def test_an_entry_is_changed_let_expire_and_taken_off_and_its_history_says_by_whom(
    office: Office, leader: Browser
) -> None:
    """Feature 5.5, issue 4: edited, with history."""
    path = added(office, leader)
    clerk = office.as_role("back_office")
    seen = version(clerk.get(path).text)
    changed = {"reason": "fraud", "until": "2099-01-01T00:00:00", "note": "rang thrice", "version": seen, "key": "c"}
    page = office.follow(clerk, clerk.submit(f"{path}/change", **changed)).text
    assert "The entry is changed." in page
    assert "2099-01-01 00:00:00" in page
    page = office.follow(clerk, clerk.submit(f"{path}/expire", key="e")).text
    assert "Let it end now" not in page
    assert path not in clerk.get("/blacklist/").text, "the list shows first what holds"
    assert path in clerk.get("/blacklist/?state=over").text
    page = office.follow(leader, leader.submit(f"{path}/lift", key="l")).text
    told = [re.sub(r"<[^>]*>", "", line) for line in re.findall(r'<small class="quiet">(.*?)</small>', page)]
    assert told == ["leader-1", "back-office-1", "back-office-1", "leader-1"]
    assert "rang thrice" in page
    assert "/change" not in page, "what was taken off is not edited any more"
    assert path in leader.get("/blacklist/?state=lifted").text
    assert [type(record.event) for record in history(office, path)] == [
        b.NumberBlacklisted,
        b.BlacklistingChanged,
        b.BlacklistingChanged,
        b.BlacklistingLifted,
    ]


def test_another_reason_leaves_the_end_as_it_is_also_one_that_has_come(office: Office, leader: Browser) -> None:
    path = added(office, leader)
    office.follow(leader, leader.submit(f"{path}/expire", key="e"))
    page = leader.get(path).text
    shown = re.search(r'name="until" value="([^"]+)"', page)
    assert shown is not None
    done = leader.submit(f"{path}/change", reason="fraud", until=shown[1], note="", version=version(page), key="c")
    assert done.status_code == 303, done.text
    _, over, changed = (record.event for record in history(office, path))
    assert (changed.reason, changed.until) == ("fraud", over.until)  # type: ignore[attr-defined]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(office: Office, leader: Browser) -> None:
    """Law 6."""
    path = added(office, leader)
    seen = version(leader.get(path).text)
    clerk = office.as_role("back_office")
    clerk.get(path)
    assert clerk.submit(f"{path}/change", reason="fraud", until="", note="", version=seen, key="1").status_code == 303
    late = leader.submit(f"{path}/change", reason="spam", until="", note="mine", version=seen, key="2")
    assert (late.status_code, "meanwhile" in late.text, 'value="mine"' in late.text) == (422, True, True)
    assert kept(office).every()[0][0].reason == "fraud"


def test_a_mistake_in_a_change_is_told_at_its_field(office: Office, leader: Browser) -> None:
    path = added(office, leader)
    seen = version(leader.get(path).text)
    answer = leader.submit(f"{path}/change", reason="fraud", until="2001-01-01T00:00", version=seen, key="c")
    assert (answer.status_code, 'id="problem-until"' in answer.text) == (422, True)
    assert len(history(office, path)) == 1


def test_the_number_is_shown_whole_to_who_may_which_is_recorded_and_to_nobody_else(
    office: Office, leader: Browser
) -> None:
    """Feature 5.8."""
    path = added(office, leader)
    subject = f"blacklist-{path.rpartition('/')[2]}"
    assert WHOLE in leader.submit("/reveal", subject=subject, field="number").text
    revealed = [r for r in office.site.reading.log.history() if type(r.event).__name__ == "PersonalDataRevealed"]
    assert [record.about.actor for record in revealed] == ["user:leader-1"]
    point = office.as_role("service_point")
    assert point.submit("/reveal", subject=subject, field="number").status_code == 403, "it may not see the list"
    admin = office.as_role("admin")
    page = admin.get(path).text
    assert (MASKED in page, WHOLE in page, "/reveal" in page) == (True, False, False)
    assert admin.submit("/reveal", subject=subject, field="number").status_code == 403


def test_an_auditor_reads_and_changes_nothing(office: Office, leader: Browser) -> None:
    path = added(office, leader)
    auditor = office.as_role("auditor")
    assert "add-form" not in auditor.get("/blacklist/").text
    page = auditor.get(path).text
    assert ("History" in page, "change-form" in page) == (True, False)
    assert auditor.submit(f"{path}/lift", key="l").status_code == 403


@pytest.mark.parametrize("asked", (WHOLE, NUMBER, "138-0013-8000"))
def test_a_number_is_found_however_it_is_written(office: Office, leader: Browser, asked: str) -> None:
    """Exactly that one: by a token that the database cannot read."""
    path, other = added(office, leader), added(office, leader, "13800138001")
    page = leader.get("/blacklist/", query_string={"q": asked, "state": "all"}).text
    assert (path in page, other in page) == (True, False)


def test_what_is_no_number_finds_nothing_and_says_so(office: Office, leader: Browser) -> None:
    path = added(office, leader)
    page = leader.get("/blacklist/?q=wang").text
    assert ('role="alert"' in page, path in page) == (True, False)


def test_every_entry_of_a_long_list_is_on_one_page_whatever_is_added_meanwhile(office: Office, leader: Browser) -> None:
    service, who = kept(office), Who(actor="user:ann")
    for place in range(120):
        service.list_marked(f"c{place}", f"+86138001{place:05}", who.actor)
    office.keep_up()
    seen: list[str] = []
    path, pages = "/blacklist/", 0
    while path:
        page = leader.get(path).text
        seen += re.findall(r'href="/blacklist/(c\d+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else ""
        pages += 1
        service.list_marked(f"late{pages}", f"+86139001{pages:05}", who.actor)
        office.keep_up()
    assert seen == [f"c{place}" for place in reversed(range(120))]
    assert pages == 3


@pytest.mark.parametrize("path", ("nothing", "not%20an%20id", "-"))
def test_there_is_no_page_of_what_is_not_there(office: Office, leader: Browser, path: str) -> None:
    assert leader.get(f"/blacklist/{path}").status_code == 404
    assert leader.submit(f"/blacklist/{path}/change", reason="x").status_code == 404
    assert leader.submit(f"/blacklist/{path}/lift").status_code == 409


def test_a_form_of_another_site_changes_nothing(office: Office, leader: Browser) -> None:
    path = added(office, leader)
    assert leader.post(f"{path}/lift", data={"key": "l"}).status_code == 419
    assert kept(office).every()[0][0].holds(Instant(0))


def test_the_screens_speak_chinese(office: Office, leader: Browser) -> None:
    path = added(office, leader)
    leader.submit("/language", language="zh", next="/")
    for page in (leader.get("/blacklist/").text, leader.get(path).text):
        assert "黑名单" in page
        assert "永久" in page
        assert "Blacklist" not in re.sub(r"<[^>]*>", "", page)
