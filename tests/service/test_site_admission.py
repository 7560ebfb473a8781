"""What lets callers in, in the site's file: every key read and written back, everything wrong named."""

from datetime import date

import pytest

from orchestrator.domain.kernel import Refused
from orchestrator.domain.routing.calendars import CalendarConfigured
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.notices import NoticeConfigured
from orchestrator.domain.routing.queues import QueueConfigured, Spill
from orchestrator.service import site_file, site_text
from orchestrator.service.configuration import apply, current, switch_notice
from orchestrator.service.planning import Current, make_plan
from orchestrator.service.site_file import BadConfiguration
from tests.store.kit import Kit

TODAY = date(2026, 6, 1)
SITE = """\
[trunk.carrier]
name = "Carrier"
peers = ["gw-a", "203.0.113.7"]
most_calls = 60

[rewrite.home]
name = "Mobile numbers"
of = "caller"
match = "1*"
length = 11
prepend = "+86"

[limit.any]
calls_per_s = 40

[calendar.office]
name = "Office hours"
zone = "Asia/Shanghai"
hours = { mon-fri = ["08:30-12:00", "13:30-18:00"], sat = ["22:00-02:00"] }
holidays = "CN"
workdays_as = "fri"
days = { "2026-12-31" = ["09:00-12:00"], "2026-06-19" = [] }

[notice.storm]
name = "Storm"
prompt = "notice_weather"
entries = ["hotline"]

[queue.sales]
name = "Sales"
skill = "sales"
calendar = "office"
most_waiting = 50
overflow = [
    { when = "closed", to = "apology:closed" },
    { when = "length", over = 20, to = "queue:other" },
    { when = "wait", after_s = 60, to = "entry:branch" },
]

[queue.other]
name = "Other"
skill = "sales"

[entry.hotline]
name = "Hot line"
numbers = ["4000", "400*", "*"]
queue = "sales"
trunks = ["carrier"]
callers = ["+8610"]
during = "office"
answer = "after"
answer_after_s = 8
blacklisted = "blacklisted"

[entry.branch]
name = "Branch"
numbers = ["4001"]
queue = "other"
hours = "office"
closed = "queue:other"

[entry.rest]
name = "Rest"
numbers = ["*"]
queue = "sales"

[agent.li]
number = "101"
name = "Li Wei"
extension = "1001"
skills = { sales = 5 }
"""


def told(old: str, new: str) -> list[str]:
    assert old in SITE, old
    with pytest.raises(BadConfiguration) as refused:
        site_file.read(SITE.replace(old, new, 1), TODAY, region="CN")
    return refused.value.problems


def test_every_key_is_read_and_what_is_written_reads_the_same() -> None:
    """Law 6."""
    site = site_file.read(SITE, TODAY, region="CN")
    queue, office = site.events["queue-sales"], site.events["calendar-office"]
    assert isinstance(queue, QueueConfigured)
    assert queue.overflow[1:] == (
        Spill(when="length", to="queue:other", over=20),
        Spill(when="wait", to="entry:branch", after_ms=60_000),
    )
    assert isinstance(office, CalendarConfigured)
    assert office.week[0] == ((510, 720), (810, 1_080))
    assert office.week[5] == ((1_320, 1_560),)
    assert office.workdays_as == 4
    assert "2026-10-01" in office.holiday_days
    entry = site.events["entry-hotline"]
    assert isinstance(entry, EntryPointConfigured)
    assert entry.answer_after_ms == 8_000
    again = site_file.read(site_text.write(site.events, site="main", version=1), TODAY, region="CN")
    assert again.events == site.events


@pytest.mark.parametrize(
    ("old", "new", "message"),
    (
        ('calendar = "office"', 'calendar = "ofice"', "there is no calendar ofice; did you mean office?"),
        (
            'to = "queue:other"',
            'to = "queue:othr"',
            "overflow: there is no queue othr; did you mean other?",
        ),
        ('to = "queue:other"', 'to = "elsewhere"', "'elsewhere' is no place; write one such as"),
        ('to = "queue:other"', 'to = "queue:sales"', "length: this is the queue itself"),
        ('when = "length", over = 20', 'when = "length"', "length: over is missing"),
        ('when = "wait", after_s = 60', 'when = "wait", over = 2', "wait: after_s is missing"),
        ('calendar = "office"\n', "", "closed: this queue has no calendar"),
        ('trunks = ["carrier"]', 'trunks = ["carier"]', "there is no trunk carier; did you mean carrier?"),
        ('entries = ["hotline"]', 'entries = ["hotlin"]', "there is no entry hotlin; did you mean hotline?"),
        ('closed = "queue:other"', 'closed = "queue:none"', "entry.branch.closed: there is no queue none"),
        (
            'zone = "Asia/Shanghai"',
            'zone = "Asia/Shangai"',
            "is no time zone; did you mean Asia/Shanghai?",
        ),
        ('holidays = "CN"', 'holidays = "ZZ"', "'ZZ' has no holidays that are known here"),
        ('"08:30-12:00", ', '"8:30-12", ', "'8:30-12' is no time"),
        ('"08:30-12:00", ', '"08:30-14:00", ', "spans of one day must not overlap"),
        ("mon-fri = ", "fri-mon = ", "fri-mon: write a day or a range of days"),
        ('"2026-12-31"', '"2026-13-31"', "2026-13-31: write a date as 2026-12-31"),
        ('match = "1*"', 'match = "1*3"', "'1*3' cannot be dialled"),
        ("length = 11\n", "length = 11\nstrip = 12\n", "more is taken off than the rule says is there"),
        ("answer_after_s = 8\n", "", 'answer = "after" needs answer_after_s'),
        ('"203.0.113.7"', '"a b"', "write a gateway, profile or address"),
        ("calls_per_s = 40", "calls_per_s = 0", "write a whole number from 1 to 10000"),
    ),
)
def test_what_is_wrong_is_named_with_what_to_write(old: str, new: str, message: str) -> None:
    """Bad input."""
    assert any(message in problem for problem in told(old, new)), told(old, new)


def test_a_calendar_that_is_never_open_is_refused() -> None:
    """Bad input: a calendar with no hours."""
    hours = SITE[SITE.index("hours = {") : SITE.index("holidays =")]
    days = SITE[SITE.index("days = {") : SITE.index("[notice.storm]")]
    with pytest.raises(BadConfiguration) as refused:
        site_file.read(SITE.replace(hours, "hours = {}\n").replace(days, "\n"), TODAY, region="CN")
    assert "this calendar is never open; write hours" in refused.value.problems[0]


def test_two_entry_points_for_the_very_same_calls_are_refused_and_two_that_overlap_are_warned_of() -> None:
    """Bad input: two rules that contradict; the order of precedence is stated."""
    twin = '\n[entry.twin]\nname = "Twin"\nnumbers = ["*"]\nqueue = "other"\n'
    with pytest.raises(BadConfiguration) as refused:
        site_file.read(SITE + twin, TODAY, region="CN")
    assert "'*' belongs to entry.rest; each needs its own" in refused.value.problems[0]
    more = SITE + twin.replace('queue = "other"', 'queue = "other"\ntrunks = ["carrier"]\ncallers = ["+8610", "+86"]')
    more = more.replace('during = "office"\n', "")
    plan = make_plan(Current("main", 0, {}, {}), site_file.read(more, TODAY, region="CN"), TODAY)
    (warning,) = [each for each in plan.warnings if "both take calls" in each]
    assert warning.startswith("entry-hotline and entry-twin both take calls for *")


def test_a_plan_warns_of_a_calendar_that_ends_and_of_rows_that_are_never_reached() -> None:
    """Feature 2.6: sixty days before."""
    site = site_file.read(
        SITE.replace("after_s = 60", "after_s = 900").replace("over = 20", "over = 51"), TODAY, region="CN"
    )
    now = Current("main", 0, {}, {})
    words = "\n".join(make_plan(now, site, date(2026, 11, 20)).warnings)
    assert "calendar-office: days are known only until 2026-12-31" in words
    assert "queue-sales: nobody waits 900 s for entry:branch" in words
    assert "queue-sales: queue:other is never reached by length" in words
    assert "calendar-office" not in "\n".join(make_plan(now, site, TODAY).warnings)


def test_a_notice_is_switched_on_and_off_as_a_change_of_the_configuration(kit: Kit) -> None:
    """Feature 2.6: with a version and a name behind it, and refused where there is none."""
    apply(kit.log, kit.desk, "main", SITE, actor="admin:ann", region="CN")
    done = switch_notice(kit.log, kit.desk, "main", "storm", on=True, actor="user:bob")
    assert (done.version, done.plan.changes[0].details) == (2, ("on = true",))
    found = current(kit.log, "main").events["notice-storm"]
    assert isinstance(found, NoticeConfigured)
    assert found.on
    assert [record.about.actor for record in kit.log.stream("notice-storm")] == ["admin:ann", "user:bob"]
    assert switch_notice(kit.log, kit.desk, "main", "storm", on=True, actor="user:bob").position is None
    with pytest.raises(Refused) as refused:
        switch_notice(kit.log, kit.desk, "main", "flood", on=True, actor="user:bob")
    assert (refused.value.code, "there are: storm" in refused.value.message) == ("no_such_notice", True)
