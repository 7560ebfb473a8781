"""Calls to the outside in the site's file: what is wrong is told with its key and line, and what to write."""

import pytest

from orchestrator.domain.routing.branches import BranchConfigured
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.service import configuration, site_file, site_text
from orchestrator.service.deciding import Who
from orchestrator.service.drafts import Drafts
from orchestrator.service.site_file import BadConfiguration
from tests.store.kit import Kit

SITE = """\
[queue.sales]
name = "Sales"
skill = "sales"
overflow = [
    { when = "wait", after_s = 60, to = "callback" },
    { when = "nobody", to = "outside:+8675512345678" },
]
callback_tries = 2
callback_again_s = 60
callback_most_wait_s = 3600

[entry.hotline]
name = "Hot line"
numbers = ["*"]
queue = "sales"

[outside.main]
allowed = ["+86", "0"]
refused = ["+8690"]
show = "+86 755 1234 5678"
show_for = { hotline = "4008001001" }
show_at = { shanghai = "+86 21 6100 0000" }
dial_queue = "sales"
at_most = 3
ring_s = 25
trunk = "carrier"
region = "DE"
national = true

[branch.shanghai]
name = "Shanghai"
region = "CN"
"""


def test_what_stands_in_the_file_is_what_holds() -> None:
    """Features 3.5, 3.10."""
    site = site_file.read(SITE, region="CN")
    assert site.events["outside-main"] == OutsideConfigured(
        allowed=("+86", "0"),
        refused=("+8690",),
        show="+8675512345678",
        show_for={"hotline": "4008001001"},
        show_at={"shanghai": "+862161000000"},
        dial_queue="sales",
        at_most=3,
        ring_ms=25_000,
        trunk="carrier",
        region="DE",
        national=True,
    )
    assert site.events["branch-shanghai"] == BranchConfigured(name="Shanghai", region="CN")
    queue = site.events["queue-sales"]
    assert isinstance(queue, QueueConfigured)
    assert [row.to for row in queue.overflow] == ["callback", "outside:+8675512345678"]
    assert (queue.callback_tries, queue.callback_again_ms, queue.callback_most_wait_ms) == (2, 60_000, 3_600_000)
    assert site_file.read(site_text.write(site.events, site="main", version=1), region="CN").events == site.events


@pytest.mark.parametrize(
    ("old", "new", "message"),
    (
        (
            'allowed = ["+86", "0"]',
            'alowed = ["+86"]',
            "outside.main.alowed: there is no such key; did you mean allowed?",
        ),
        ('allowed = ["+86", "0"]\n', "", "outside.main: allowed is missing."),
        ('"+8690"', '"premium"', "outside.main.refused: 'premium' begins no number"),
        (
            'refused = ["+8690"]',
            'refused = ["+8690", "4990"]',
            'outside.main.refused: \'4990\' begins with the code of DE and has no +; write "+4990", or "+494990" for',
        ),
        ('"+86", "0"]', '"49"]', "outside.main.allowed: '49' begins with the code of DE and has no +; write \"+49\""),
        ('show = "+86 755 1234 5678"', 'show = "110"', "outside.main.show: write a number of 5 to 15 digits"),
        ("{ hotline =", "{ hotlines =", "outside.main.show_for: there is no entry hotlines; did you mean hotline?"),
        ("{ shanghai =", "{ shangai =", "outside.main.show_at: there is no branch shangai; did you mean shanghai?"),
        (
            'dial_queue = "sales"',
            'dial_queue = "sale"',
            "outside.main.dial_queue: there is no queue sale; did you mean",
        ),
        ('region = "DE"', 'region = "DDR"', "outside.main.region: 'DDR' is no country; write the two letters"),
        ('region = "CN"', 'region = "86"', "branch.shanghai.region: '86' is no country; write the two letters"),
        ("[outside.main]", "[outside.other]", "outside.other: there is one such section, [outside.main]."),
        ("at_most = 3", "at_most = 0", "outside.main.at_most: "),
        ('"callback" }', '"callbacks" }', "queue.sales.overflow: "),
        ("outside:+8675512345678", "outside:110", "queue.sales.overflow: "),
        ("callback_tries = 2", "callback_tries = 0", "queue.sales.callback_tries: "),
    ),
)
def test_what_is_wrong_is_told_with_its_key_and_line(old: str, new: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        site_file.read(SITE.replace(old, new), region="CN")
    assert any(problem.startswith("line ") and message in problem for problem in refused.value.problems)


def _outside(text: str, region: str) -> OutsideConfigured:
    found = site_file.read(text, region=region).events["outside-main"]
    assert isinstance(found, OutsideConfigured)
    return found


@pytest.mark.parametrize("line", ("", 'region = ""\n'))
def test_rules_are_read_in_the_sites_region_where_the_file_names_none(line: str) -> None:
    text = SITE.replace('region = "DE"\n', line)
    assert _outside(text, "HK").region == "HK"
    assert _outside(SITE, "HK").region == "DE", "what the file says holds"
    assert _outside(text.replace('"+8690"', '"86"'), "HK").refused == ("86",)
    with pytest.raises(BadConfiguration, match=r"'86' begins with the code of CN"):
        _outside(text.replace('"+8690"', '"86"'), "CN")


def test_nobody_reads_rules_of_the_outside_without_saying_in_which_region() -> None:
    """One that is silent would be China's, and would decide otherwise than the site."""
    with pytest.raises(TypeError, match="region"):
        site_file.read(SITE)  # type: ignore[call-arg]


def test_a_prefix_of_the_country_itself_is_one_though_its_code_begins_so() -> None:
    """In the United States the prefix of the country is its code, too."""
    assert _outside(SITE.replace('region = "DE"', 'region = "US"').replace('"+8690"', '"1900"'), "US").region == "US"


def test_the_plan_warns_of_a_towns_prefix_without_its_0_which_fits_short_codes_only(kit: Kit) -> None:
    """Decision 0115: such a rule once fitted numbers as they were typed; in `refused` it lets calls out unsaid."""
    text = SITE.replace('region = "DE"', 'region = "CN"').replace('["+8690"]', '["755", "0755", "13", "10086"]')
    warnings = configuration.plan(kit.log, "main", text, region="CN").warnings
    assert [each for each in warnings if each.startswith("outside-main: ")] == [
        'outside-main: refused "755" fits short codes only; for numbers that are dialled 0755… write "0755"'
    ]
    allowed = SITE.replace('region = "DE"', 'region = "RU"').replace('["+86", "0"]', '["+7", "495"]')
    assert 'warning: outside-main: allowed "495"' in configuration.plan(kit.log, "main", allowed, region="CN").text()
    assert 'write "8495"' in configuration.plan(kit.log, "main", allowed, region="CN").text()


def test_the_plan_and_what_is_applied_have_the_sites_region(kit: Kit) -> None:
    """Rules of a site in Hong Kong are no Chinese ones because its file is silent."""
    text = SITE.replace('region = "DE"\n', "")
    assert 'region = "HK"' in configuration.plan(kit.log, "main", text, region="HK").text()
    configuration.apply(kit.log, kit.desk, "main", text, actor="admin:test", region="HK")
    held = configuration.current(kit.log, "main").events["outside-main"]
    assert isinstance(held, OutsideConfigured)
    assert held.region == "HK"
    assert not configuration.plan(kit.log, "main", configuration.export(kit.log, "main"), region="CN").changes
    assert "(was " in configuration.plan(kit.log, "main", text, region="DE").text()


def test_a_draft_of_rules_that_name_no_region_has_the_sites(kit: Kit) -> None:
    configuration.apply(kit.log, kit.desk, "main", SITE, actor="admin:test", region="CN")
    drafts = Drafts(kit.desk, kit.log, "main", region="HK")
    who = Who(actor="user:ann")
    draft = drafts.get(drafts.begin(who, "Rules").ident, who.actor)
    table = {key: each for key, each in drafts.outlook(draft).tables["outside-main"].items() if key != "region"}
    drafts.edit(who, draft.draft_id, {"outside-main": table}, seen=draft.version)
    changes = drafts.outlook(drafts.get(draft.draft_id, who.actor)).plan.changes
    assert [(each.key, each.before, each.after) for each in changes[0].keys] == [("region", '"DE"', '"HK"')]


def test_a_draft_without_a_region_that_is_brought_up_to_date_names_none_by_itself(kit: Kit) -> None:
    """What the file's author left open is the site's to say, also where somebody else changed the rules meanwhile."""
    silent = SITE.replace('region = "DE"\n', "")
    configuration.apply(kit.log, kit.desk, "main", silent, actor="admin:test", region="HK")
    drafts = Drafts(kit.desk, kit.log, "main", region="HK")
    who = Who(actor="user:ann")
    draft = drafts.get(drafts.begin(who, "Rules").ident, who.actor)
    table = {key: each for key, each in drafts.outlook(draft).tables["outside-main"].items() if key != "region"}
    drafts.edit(who, draft.draft_id, {"outside-main": {**table, "at_most": 7}}, seen=draft.version)
    configuration.apply(
        kit.log, kit.desk, "main", silent.replace("ring_s = 25", "ring_s = 30"), actor="admin:test", region="HK"
    )
    drafts.rebase(who, draft.draft_id, {}, seen=drafts.get(draft.draft_id, who.actor).version)
    changes = drafts.outlook(drafts.get(draft.draft_id, who.actor)).plan.changes
    assert [(each.key, each.before, each.after) for each in changes[0].keys] == [("at_most", "3", "7")]
