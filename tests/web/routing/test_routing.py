"""The configuration on screens: drafts, difference, applying, history, skills; whatever keys there are."""

import re

from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.service import configuration
from orchestrator.service.drafts import Drafts
from orchestrator.service.planning import SECTION_OF
from orchestrator.service.site_fields import SECTIONS
from orchestrator.service.site_shapes import Shape, shapes_of
from tests.web.conftest import Browser
from tests.web.office import Office
from web.routing.fields import shown, typed
from web.routing.labels import KEYS, SECTION_NAMES
from web.routing.sayings import said
from web.routing.skills import skills_of


def begin(browser: Browser, name: str = "Autumn", **more: str) -> str:
    """A new draft; its id."""
    answer = browser.submit("/routing/drafts", name=name, **more)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].rpartition("/")[2]


def form_of(browser: Browser, kind: str, ident: str, draft_id: str) -> dict[str, str]:
    """The fields of a thing's form as a browser would send them unchanged."""
    page = browser.get(f"/routing/things/{kind}/{ident}?draft={draft_id}").text
    found = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.partition('class="card keys"')[2]))
    for name, body in re.findall(r'<select name="(f\.[^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name] = chosen[1] if chosen else ""
    found |= dict(re.findall(r'<textarea name="(f\.[^"]+)"[^>]*>(.*?)</textarea>', page, re.DOTALL))
    found.pop("csrf_token", None)
    return {name: value.replace("&#34;", '"').replace("&#39;", "'") for name, value in found.items()}


def save(browser: Browser, draft_id: str, fields: dict[str, str]) -> str:
    """Keep it in the draft; where that leads."""
    answer = browser.submit(f"/routing/drafts/{draft_id}/things", **fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def seen(office: Office, draft_id: str, user: str = "admin-1") -> str:
    reading = office.site.reading
    return str(Drafts(reading.desk, reading.log, "main", region="CN").get(draft_id, f"user:{user}").version)


def test_every_key_of_every_section_has_a_name_in_both_languages() -> None:
    """A key that a part adds shows its own name until somebody gives it words; this test says which."""
    keys = {shape.key for section in SECTIONS for shape in shapes_of(section)}
    inner = {column.key for section in SECTIONS for shape in shapes_of(section) for column in shape.rows}
    assert sorted((keys | inner) - KEYS.keys()) == []
    assert sorted({section.kind for section in SECTIONS} - SECTION_NAMES.keys()) == []


def test_a_list_of_tables_is_edited_cell_by_cell() -> None:
    """A list of tables says which keys its tables have; without, it could only be written as in the file."""
    shapes = [(section.kind, shape) for section in SECTIONS for shape in shapes_of(section)]
    raw = [(kind, shape.key) for kind, shape in shapes if shape.kind == "raw"]
    assert raw == [("ordertype", "may")]


def test_a_form_that_is_sent_unchanged_changes_nothing(office: Office) -> None:
    """Every kind of value goes onto the page and back: of queues, entry points, agents, types of work."""
    admin = office.as_role("admin")
    draft_id = begin(admin)
    for kind, ident in (("queue", "orders"), ("entry", "hotline"), ("agent", "lin-mei"), ("ordertype", "complaint")):
        where = save(admin, draft_id, form_of(admin, kind, ident, draft_id))
        assert where.endswith(f"/drafts/{draft_id}"), f"{kind} {ident}"
    assert "Nothing differs yet." in admin.get(f"/routing/drafts/{draft_id}").text


def test_a_queue_is_edited_as_a_draft_looked_at_applied_and_taken_back(office: Office) -> None:
    """Features 3.9 and 11.5: in the user's name, with a reason, one version; then back to the one before."""
    admin = office.as_role("admin")
    draft_id = begin(admin)
    fields = form_of(admin, "queue", "orders", draft_id)
    where = save(admin, draft_id, {**fields, "f.ring_s": "17", "f.record": "never"})
    page = admin.get(where).text
    assert "<del>12</del>" in page
    assert "<ins>17</ins>" in page
    now = configuration.current(office.site.reading.log, "main")
    assert now.version == 1
    none = admin.submit(f"/routing/drafts/{draft_id}/apply", reason="", seen=seen(office, draft_id))
    assert none.status_code == 409
    assert "Say in a few words why" in none.text
    answer = admin.submit(f"/routing/drafts/{draft_id}/apply", reason="Too short", seen=seen(office, draft_id))
    assert answer.headers["Location"].endswith("/routing/history/2")
    version = admin.get("/routing/history/2").text
    assert "Too short" in version
    assert "<ins>17</ins>" in version
    now = configuration.current(office.site.reading.log, "main")
    record = now.history[2]
    assert record.about.actor == "user:admin-1"
    assert isinstance(record.event, ConfigurationApplied)
    assert "Too short" in admin.get("/routing/history").text
    admin.get("/routing/history/1")
    back = begin(admin, "Back", version="1")
    assert "<ins>12</ins>" in admin.get(f"/routing/drafts/{back}").text
    admin.submit(f"/routing/drafts/{back}/apply", reason="A mistake", seen=seen(office, back))
    now = configuration.current(office.site.reading.log, "main")
    assert now.events == configuration.at_version(office.site.reading.log, "main", 1).events
    office.keep_up()
    trail = admin.get("/audit/?actor=user:admin-1").text
    assert "ConfigurationApplied" in trail
    assert "DraftBegun" in trail


def test_what_is_wrong_stands_at_its_field_and_is_kept(office: Office) -> None:
    """Bad input: the same sentence as of the file, the text still there, nothing applied."""
    admin = office.as_role("admin")
    draft_id = begin(admin)
    fields = form_of(admin, "queue", "orders", draft_id)
    where = save(admin, draft_id, {**fields, "f.ring_s": "soon", "f.skill": "two words"})
    page = admin.get(where).text
    assert 'value="soon"' in page
    assert "Write seconds from 1 to 300" in page
    assert "Write a word of up to 40 letters" in page
    assert page.count('aria-invalid="true"') == 2
    draft = admin.get(f"/routing/drafts/{draft_id}").text
    assert "To put right before it can be applied" in draft
    refused = admin.submit(f"/routing/drafts/{draft_id}/apply", reason="x", seen=seen(office, draft_id))
    assert refused.status_code == 409
    assert "still wrong" in refused.text


def test_what_somebody_else_applied_meanwhile_is_shown_and_nothing_is_overwritten(office: Office) -> None:
    """Law 6: two administrators, one queue."""
    ann, bea = office.as_role("admin"), office.site.sign_in(office.site.add_user("bea", "admin"))
    mine, theirs = begin(ann), begin(bea)
    save(ann, mine, {**form_of(ann, "queue", "orders", mine), "f.ring_s": "8", "f.music": "jazz"})
    save(bea, theirs, {**form_of(bea, "queue", "orders", theirs), "f.ring_s": "6", "f.wrap_up_s": "5"})
    bea.submit(f"/routing/drafts/{theirs}/apply", reason="x", seen=seen(office, theirs, "bea"))
    refused = ann.submit(f"/routing/drafts/{mine}/apply", reason="mine", seen=seen(office, mine))
    assert refused.status_code == 409
    assert "Somebody else changed the configuration meanwhile" in refused.text
    assert "queue-orders" in refused.text
    assert "as in this draft: 8" in refused.text
    assert "as in force: 6" in refused.text
    assert 'value="mine"' in refused.text
    open_one = ann.submit(f"/routing/drafts/{mine}/rebase", seen=seen(office, mine))
    assert open_one.status_code == 409
    done = ann.submit(f"/routing/drafts/{mine}/rebase", seen=seen(office, mine), **{"keep.queue-orders.ring_s": "mine"})
    assert done.status_code == 303
    ann.submit(f"/routing/drafts/{mine}/apply", reason="mine", seen=seen(office, mine))
    table = configuration.current(office.site.reading.log, "main").events["queue-orders"]
    assert (table.ring_ms, table.wrap_up_ms, table.music) == (8_000, 5_000, "jazz")  # type: ignore[attr-defined]


def test_two_at_one_draft_are_told_of_each_other_and_what_was_typed_is_still_there(office: Office) -> None:
    ann, bea = office.as_role("admin"), office.site.sign_in(office.site.add_user("bea", "admin"))
    draft_id = begin(ann, shared="yes")
    hers, his = form_of(ann, "queue", "orders", draft_id), form_of(bea, "queue", "orders", draft_id)
    save(ann, draft_id, {**hers, "f.ring_s": "8"})
    answer = bea.submit(f"/routing/drafts/{draft_id}/things", **{**his, "f.ring_s": "9"})
    assert answer.status_code == 409
    assert "Somebody changed queue-orders in this draft since you looked" in answer.text
    assert 'value="9"' in answer.text
    assert "<td>8</td><td>9</td>" in answer.text


def test_things_are_added_and_removed(office: Office) -> None:
    admin = office.as_role("admin")
    draft_id = begin(admin)
    assert "small letters, digits" in admin.get(f"/routing/things/queue/+new?draft={draft_id}").text
    new = {"kind": "queue", "new": "yes", "seen": "9", "f.name": "Gold", "f.skill": "gold"}
    taken = admin.submit(f"/routing/drafts/{draft_id}/things", **new, ident="orders")
    assert taken.status_code == 409
    assert "this id already" in taken.text
    assert 'value="Gold"' in taken.text
    wrong = admin.submit(f"/routing/drafts/{draft_id}/things", **new, ident="Gold!")
    assert wrong.status_code == 409
    assert "small letters" in wrong.text
    save(admin, draft_id, {**new, "ident": "gold"})
    save(admin, draft_id, {"kind": "agent", "ident": "ma-chao", "seen": "9", "action": "remove"})
    page = admin.get(f"/routing/drafts/{draft_id}").text
    assert "No agent can serve queue-gold" in page
    assert "signed in stays so until sign-out" in page
    assert "gold" in admin.get(f"/routing/things/queue?draft={draft_id}").text
    save(admin, draft_id, {"kind": "agent", "ident": "ma-chao", "seen": "9", "action": "withdraw"})
    assert "ma-chao" not in admin.get(f"/routing/drafts/{draft_id}").text


def test_skills_show_who_can_do_what_and_are_edited_as_a_grid(office: Office) -> None:
    """Feature 3.1; a skill that nobody has is flagged."""
    admin = office.as_role("admin")
    draft_id = begin(admin)
    page = admin.get(f"/routing/skills?draft={draft_id}").text
    assert 'name="level.lin-mei.orders" value="5"' in page
    given = {"level.lin-mei.orders": "7", "level.lin-mei.enquiries": "", "level.sun-yan.orders": "x"}
    answer = admin.submit(f"/routing/drafts/{draft_id}/skills", **given, seen=seen(office, draft_id))
    assert answer.status_code == 303
    page = admin.get(f"/routing/drafts/{draft_id}").text
    assert "<ins>{ orders = 7 }</ins>" in page
    assert "Write a whole number from 1 to 9" in page
    for name in ("gao-jun", "he-na", "lin-mei", "ma-chao", "zhao-lei"):
        given[f"level.{name}.orders"] = ""
    admin.submit(f"/routing/drafts/{draft_id}/skills", **given, seen=seen(office, draft_id))
    late = admin.submit(f"/routing/drafts/{draft_id}/skills", seen="1", **{"level.sun-yan.orders": "4"})
    assert late.status_code == 409
    assert 'name="level.sun-yan.orders" value="4"' in late.text, "what was typed is still there"
    assert "nobody can serve orders" in admin.get(f"/routing/skills?draft={draft_id}").text


def test_a_leader_drafts_and_an_administrator_applies(office: Office) -> None:
    """Feature 12.6: by permission; whoever leads some teams only does not see the whole centre's configuration."""
    leader = office.as_role("leader")
    draft_id = begin(leader, shared="yes")
    save(leader, draft_id, {**form_of(leader, "queue", "orders", draft_id), "f.ring_s": "9"})
    refused = leader.submit(f"/routing/drafts/{draft_id}/apply", reason="x", seen=seen(office, draft_id))
    assert refused.status_code == 403
    admin = office.as_role("admin")
    admin.get(f"/routing/drafts/{draft_id}")
    assert admin.submit(f"/routing/drafts/{draft_id}/apply", reason="x", seen=seen(office, draft_id)).status_code == 303
    office.site.add_user("east", "leader", teams=("east",))
    assert office.site.sign_in("east").get("/routing/").status_code == 403
    private = begin(admin, "Private")
    assert leader.get(f"/routing/drafts/{private}").status_code == 404
    assert leader.get(f"/routing/things/queue?draft={private}").status_code == 404


def test_hostile_texts_are_shown_and_not_obeyed(office: Office) -> None:
    admin = office.as_role("admin")
    draft_id = begin(admin, "<script>x</script>")
    hostile = {**form_of(admin, "queue", "orders", draft_id), "f.name": '"><img src=x>', "f.rule": "<b>"}
    page = admin.get(save(admin, draft_id, hostile)).text
    assert "<img" not in page
    assert "<b>" not in page
    assert "<script>x" not in page


def test_a_key_that_nobody_thought_of_gets_an_input_by_its_type() -> None:
    """What other parts add appears by itself: here a table of tables as no section has it yet."""
    shape = Shape(key="steps", kind="rows", rows=(Shape(key="until_s", kind="seconds"), Shape(key="any", kind="flag")))
    (each,) = shown([shape], {"steps": [{"until_s": 5}]}, None, {}, {})
    assert [[cell.text for cell in row] for row in each.rows] == [["5", ""], ["", ""], ["", ""]]
    form = {"f.steps.0.until_s": "5", "f.steps.0.any": "true", "f.steps.1.until_s": "", "f.steps.2.until_s": "soon"}
    assert typed([shape], form) == {"steps": [{"until_s": 5, "any": True}, {"until_s": "soon"}]}
    twice = {"f.skills.0.key": "zh", "f.skills.0.value": "1", "f.skills.1.key": "zh", "f.skills.1.value": "2"}
    assert typed([Shape(key="skills", kind="levels")], twice) == {"skills": "zh = 1, zh = 2"}


def test_every_section_has_a_page(office: Office) -> None:
    leader = office.as_role("leader")
    for kind in SECTION_OF:
        assert leader.get(f"/routing/things/{kind}").status_code == 200
    assert leader.get("/routing/things/nothing").status_code == 404
    assert leader.get("/routing/things/queue/nothing").status_code == 404
    assert leader.get("/routing/history/99").status_code == 404
    assert leader.get("/routing/history/1?against=0").status_code == 200
    assert "Begin a draft" in leader.get("/routing/things/queue/orders").text


def test_what_the_reader_says_is_said_in_the_readers_language(office: Office) -> None:
    """Feature 12.8: the sentences of the site's file, in Chinese."""
    admin = office.as_role("admin")
    draft_id = begin(admin)
    fields = {**form_of(admin, "queue", "orders", draft_id), "f.ring_s": "soon", "f.skill": "dance"}
    save(admin, draft_id, {**fields, "f.name": ""})
    chinese = {"Accept-Language": "zh"}
    page = admin.get(f"/routing/things/queue/orders?draft={draft_id}", headers=chinese).text
    assert "请填写 1 至 300 之间的秒数" in page
    assert "缺少 name" in page
    again = form_of(admin, "queue", "orders", draft_id)
    assert again["f.ring_s"] == "soon"
    save(admin, draft_id, {**again, "f.name": "Orders", "f.ring_s": "9"})
    assert "没有座席能服务 queue-orders" in admin.get(f"/routing/drafts/{draft_id}", headers=chinese).text
    assert said("something else entirely") == "something else entirely"


def test_a_queue_asks_for_a_skill_at_its_steps_too() -> None:
    """Feature 3.4: the least level that suffices, whichever step; a skill that nobody has is flagged."""
    queue = {"skill": "zh", "min_level": 5, "steps": [{"for_s": 30}, {"min_level": 2}, {"skills": {"gold": 3}}]}
    agent = {"name": "Li", "skills": {"zh": 2}}
    found = {each.name: each for each in skills_of({"queue-q": queue, "agent-li": agent})}
    assert found["zh"].queues == [("q", 2)]
    assert found["zh"].lacking == []
    assert found["gold"].lacking == ["q"]


def test_a_table_of_lists_is_edited_line_by_line() -> None:
    """Hours of a calendar: a day with its spans, or with none."""
    shape = Shape(key="hours", kind="lists", required=True)
    hours = {"mon-fri": ["08:30-12:00", "13:30-18:00"], "sat": []}
    (each,) = shown([shape], {"hours": hours}, None, {}, {})
    lines = [(name.text, value.text) for name, value in each.pairs]
    assert lines[:2] == [("mon-fri", "08:30-12:00, 13:30-18:00"), ("sat", "")]
    form = {one.name: one.text for pair in each.pairs for one in pair}
    assert typed([shape], form) == {"hours": hours}


DOOR = {
    "calendar": {"f.name": "Office", "f.zone": "Asia/Shanghai", "f.hours.0.key": "mon-fri", "f.hours.1.key": "sat",
                 "f.hours.0.value": "08:30-12:00, 13:30-18:00", "f.hours.1.value": "09:00-12:00", "f.holidays": "CN",
                 "f.days.0.key": "2026-12-31", "f.days.0.value": "08:30-12:00", "f.days.1.key": "2027-01-02"},
    "trunk": {"f.name": "Carrier", "f.peers": "carrier-a\n203.0.113.7", "f.most_calls": "30"},
    "rewrite": {"f.name": "Access code", "f.of": "dialled", "f.match": "0*", "f.strip": "1", "f.prepend": "+86"},
    "limit": {"f.calls_per_s": "40"},
    "notice": {"f.name": "Storm", "f.prompt": "storm", "f.entries": "hotline", "f.on": "false"},
}  # fmt: skip


def test_what_lets_callers_in_is_edited_like_everything_else(office: Office) -> None:
    """Features 2.6 and 1.1: hours by day, single days, trunk groups, rewriting, limits, notices, overflow."""
    admin = office.as_role("admin")
    draft_id = begin(admin)
    for kind, fields in DOOR.items():
        where = save(admin, draft_id, {"kind": kind, "ident": "one", "new": "yes", "seen": "99", **fields})
        assert where.endswith(draft_id), f"{kind}: {admin.get(where).text}"
    queue = form_of(admin, "queue", "orders", draft_id)
    overflow = {"f.overflow.0.when": "wait", "f.overflow.0.after_s": "60", "f.overflow.0.to": "queue:enquiries"}
    where = save(admin, draft_id, {**queue, **overflow, "f.calendar": "one"})
    assert where.endswith(draft_id), admin.get(where).text
    admin.get(f"/routing/drafts/{draft_id}")
    done = admin.submit(f"/routing/drafts/{draft_id}/apply", reason="The door", seen=seen(office, draft_id))
    assert done.status_code == 303, done.text
    again = begin(admin)
    for kind in (*DOOR, "queue"):
        ident = "orders" if kind == "queue" else "one"
        where = save(admin, again, form_of(admin, kind, ident, again))
        assert where.endswith(again), f"{kind}: {admin.get(where).text}"
    assert "Nothing differs yet." in admin.get(f"/routing/drafts/{again}").text
