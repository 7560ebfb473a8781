"""The notices' screen: which are on, since when and by whom; on and off, in the name of who did it."""

import re

import pytest

from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.notices import NoticeConfigured
from orchestrator.service import notices
from orchestrator.service.configuration import apply, export
from tests.web.conftest import Browser, Site
from tests.web.office import Office

NOTICES = """
[notice.storm]
name = "Storm"
prompt = "notice_weather"

[notice.fault]
name = "Fault"
prompt = "notice_fault"
"""


@pytest.fixture
def office(site: Site, office: Office) -> Office:
    reading = site.reading
    text = export(reading.log, "main") + NOTICES
    apply(reading.log, reading.desk, site.parts.settings.site, text, actor="admin:test", region="CN")
    return office


def version(page: str, ident: str = "storm") -> str:
    """What the form of the notice says was seen."""
    found = re.search(rf'/notices/{ident}/switch".*?name="version" value="(\d+)"', page, re.DOTALL)
    assert found is not None
    return found[1]


def storm(office: Office) -> NoticeConfigured:
    """The notice as it is now."""
    return next(each for each in notices.every(office.site.reading.log) if each.notice_id == "storm").settings


def test_a_notice_is_switched_on_and_off_and_the_page_says_by_whom(office: Office) -> None:
    """Feature 2.6: with a name behind it."""
    ops = office.as_role("ops")
    seen = version(ops.get("/notices/").text)
    page = office.follow(ops, ops.submit("/notices/storm/switch", to="on", version=seen)).text
    assert "Callers hear the notice from now on." in page
    assert storm(office).on
    card = page[page.index('id="notice-storm"') :]
    assert re.search(r"<dt>By</dt><dd>ops-1</dd>", card)
    assert "Switch off" in card
    leader = office.as_role("leader")
    seen = version(leader.get("/notices/").text)
    page = office.follow(leader, leader.submit("/notices/storm/switch", to="off", version=seen)).text
    assert not storm(office).on
    card = page[page.index('id="notice-storm"') :]
    assert re.findall(r'<small class="quiet">(.*?)</small>', card) == ["leader-1", "ops-1", "test"]
    applied = [r.about.actor for r in office.site.reading.log.history() if isinstance(r.event, ConfigurationApplied)]
    assert applied[-2:] == ["user:ops-1", "user:leader-1"]


def test_who_switched_it_stands_there_also_after_its_name_was_changed(office: Office) -> None:
    ops, reading = office.as_role("ops"), office.site.reading
    ops.submit("/notices/storm/switch", to="on", version=version(ops.get("/notices/").text))
    text = export(reading.log, "main").replace('"Storm"', '"Great storm"')
    apply(reading.log, reading.desk, "main", text, actor="admin:test", region="CN")
    page = ops.get("/notices/").text
    card = page[page.index('id="notice-storm"') :]
    assert "Great storm" in card
    assert re.search(r"<dt>By</dt><dd>ops-1</dd>", card)


def test_a_form_that_is_sent_twice_or_is_out_of_date_undoes_nothing(office: Office) -> None:
    """Law 6."""
    ops = office.as_role("ops")
    seen = version(ops.get("/notices/").text)
    for _ in range(2):
        assert ops.submit("/notices/storm/switch", to="on", version=seen).status_code == 303
    now = version(ops.get("/notices/").text)
    assert int(now) == int(seen) + 1
    assert ops.submit("/notices/storm/switch", to="off", version=now).status_code == 303
    late = ops.submit("/notices/storm/switch", to="on", version=seen)
    assert (late.status_code, "meanwhile" in late.text) == (409, True)
    assert not storm(office).on


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    (
        ("nothing", {"to": "on", "version": "1"}, 409),
        ("storm", {"to": "maybe", "version": "1"}, 400),
        ("storm", {"to": "on", "version": "one"}, 400),
        ("storm", {"to": "on", "version": "9" * 30}, 400),
        ("storm", {"to": "on"}, 400),
    ),
)
def test_what_cannot_be_is_refused(office: Office, path: str, fields: dict[str, str], status: int) -> None:
    """Bad input."""
    ops = office.as_role("ops")
    ops.get("/notices/")
    assert ops.submit(f"/notices/{path}/switch", **fields).status_code == status
    assert not storm(office).on


def test_a_notice_that_was_removed_is_not_listed(office: Office) -> None:
    reading, ops = office.site.reading, office.as_role("ops")
    text = export(reading.log, "main")
    apply(
        reading.log,
        reading.desk,
        "main",
        text.replace(text[text.index("[notice.storm]") :], ""),
        actor="admin:test",
        region="CN",
    )
    page = ops.get("/notices/").text
    assert "notice-storm" not in page


def test_the_screen_speaks_chinese(office: Office) -> None:
    ops: Browser = office.as_role("ops")
    ops.get("/notices/")
    ops.submit("/language", language="zh", next="/")
    page = ops.get("/notices/").text
    for word in ("通知", "开启", "接入点", "语音"):
        assert word in page
