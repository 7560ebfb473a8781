"""Reasons in the site's file: read with advice, written back as they were; and those of a site that lists none."""

import pytest

from orchestrator.domain.kernel import ident_of
from orchestrator.domain.staff.reasons import PauseReasonsConfigured, PauseReasonsRemoved, label
from orchestrator.service import configuration, site_file, site_text
from orchestrator.service.site_file import BadConfiguration
from orchestrator.service.site_reasons import demo_text, reasons_of, usual
from tests.store.kit import Kit

SITE = """\
[queue.sales]
name = "Sales"
skill = "sales"

[pauses.usual]
reasons = [
    { id = "break", name = "Break", names = { zh = "小休" }, most_s = 900 },
    { id = "training", name = "Training" },
]

[wrapup.sales]
queues = ["sales"]
reasons = [
    { id = "sold", name = "Sold" },
    { id = "later", name = "Later", reasons = [{ id = "call_back", name = "Call back" }] },
]
"""


def test_reasons_are_data() -> None:
    """Feature 4.7; screens and safety 4.2: codes, names in languages, how long a pause may last, two levels."""
    found = reasons_of(site_file.read(SITE, region="CN").events)
    first, second = found.of_pauses()
    assert (first.id, label(first, "zh"), first.most_ms) == ("break", "小休", 900_000)
    assert (label(second, "zh"), second.most_ms) == ("Training", 0)
    assert found.wrap_up_codes() == ("sold", "call_back")
    assert found.of_wrap_up("support") == ()


def test_they_are_written_back_as_they_were() -> None:
    events = site_file.read(SITE, region="CN").events
    assert site_file.read(site_text.write(events, site="main", version=3), region="CN").events == events


@pytest.mark.parametrize(
    ("old", "new", "message"),
    (
        (
            'queues = ["sales"]',
            'queues = ["slaes"]',
            "line 12: wrapup.sales.queues: there is no queue slaes; did you mean",
        ),
        ('queues = ["sales"]', 'queues = "sales"', "wrapup.sales.queues: write a list of ids of queues"),
        ('id = "sold"', 'id = "call_back"', "line 13: wrapup.sales.reasons: call_back stands here twice"),
        ('id = "sold"', 'id = "break"', "wrapup.sales.reasons: break stands here in pauses.usual too"),
        ('id = "break"', 'id = "desk_lost"', "pauses.usual.reasons: desk_lost is a word of the system itself"),
        ("most_s = 900", "most_s = -1", "entry break: most_s: write seconds from 0 to 86400."),
        ("most_s = 900", "mots_s = 900", "entry break: mots_s: there is no such key; did you mean most_s?"),
        ('name = "Call back"', "nane = 1", "entry later: reasons: entry call_back: nane: there is no such key"),
        ("[pauses.usual]", "[pause.usual]", "pause: there is no such key; did you mean pauses?"),
    ),
)
def test_a_mistake_is_told_with_what_to_write(old: str, new: str, message: str) -> None:
    """Bad input: a typo in the configuration."""
    assert old in SITE
    with pytest.raises(BadConfiguration) as refused:
        site_file.read(SITE.replace(old, new, 1), region="CN")
    assert any(message in problem for problem in refused.value.problems), refused.value.problems


def test_a_removed_list_is_an_event_with_a_warning_in_words(kit: Kit) -> None:
    """Law 6."""
    configuration.apply(kit.log, kit.desk, "main", SITE, actor="admin:ann", region="CN")
    without = SITE.replace(SITE[SITE.index("[pauses") : SITE.index("[wrapup")], "")
    applied = configuration.apply(kit.log, kit.desk, "main", without, actor="admin:ann", region="CN")
    (change,) = applied.plan.changes
    assert (change.stream, change.action, change.event) == ("pauses-usual", "removed", PauseReasonsRemoved())
    assert "nobody chooses from it any more" in change.details[0]
    found = reasons_of({record.stream: record.event for record in kit.log.history(kinds=("pauses", "wrapup"))})
    assert ident_of(change.stream) not in found.pauses


def test_a_log_from_before_there_were_lists_has_the_reasons_that_it_always_had() -> None:
    """Every code that the product stored before, in both languages."""
    before = {"break", "meal", "away", "training", "meeting", "paperwork"}
    assert set(usual().pause_codes()) == before
    stored = {"solved", "call_back", "complaint", "wrong_number", "nobody_there", "order_taken", "order_changed"}
    stored |= {"price_asked", "parcel_found", "parcel_late", "parcel_damaged"}
    assert set(usual().wrap_up_codes()) == stored
    assert all(label(reason, "zh") != reason.name for reason in usual().known.values())
    assert any(
        isinstance(event, PauseReasonsConfigured) for event in site_file.read(demo_text(), region="CN").events.values()
    )
