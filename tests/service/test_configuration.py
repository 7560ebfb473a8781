"""The configuration is history: planned in words, applied as one transaction, never over somebody else's head."""

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence

import psycopg
import pytest

from orchestrator import cluster
from orchestrator.domain.kernel import Instant, Provenance, Record, Refused
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.queues import QueueRemoved
from orchestrator.domain.world import World
from orchestrator.service import configuration
from orchestrator.service.configuration import Applied, ConfigurationChanged, apply, current, export, plan
from orchestrator.store import Away, DeskWriter, Log, Source, schema
from tests.postgres import make_reachable_directory, settings_for
from tests.store.kit import Kit

SITE = """
[queue.sales]
name = "Sales"
skill = "sales"

[entry.hotline]
name = "Hot line"
numbers = ["4000", "*"]
queue = "sales"

[agent.li]
number = "101"
name = "Li Wei"
extension = "1001"
skills = { sales = 5 }
"""


def applied(kit: Kit, text: str, *, actor: str = "admin:ann", expect_version: int | None = None) -> Applied:
    return apply(kit.log, kit.desk, "main", text, actor=actor, expect_version=expect_version, region="CN")


def world_of(kit: Kit) -> World:
    world = World()
    for record in kit.log.history():
        world.apply(record)
    return world


# --- what applying does --------------------------------------------------------------------------------------------


def test_a_first_configuration_is_applied_as_one_version(kit: Kit) -> None:
    """Feature 11.1: every change is an event; the version lists them, in the same transaction, behind them."""
    done = applied(kit, SITE)
    records = list(kit.log.history())
    assert [(r.stream, r.version) for r in records] == [
        ("queue-sales", 1),
        ("agent-li", 1),
        ("entry-hotline", 1),
        ("config-main", 1),
    ]
    assert records[-1].event == ConfigurationApplied(
        digest=done.plan.digest, changed=("agent-li", "entry-hotline", "queue-sales")
    )
    assert {r.about.actor for r in records} == {"admin:ann"}
    assert {r.about.origin for r in records} == {"config"}
    assert len({r.about.causation for r in records}) == 1
    assert (done.version, done.position) == (1, records[-1].position)
    assert str(done).endswith(f"Applied as version 1 at position {done.position}.")


def test_what_is_applied_is_what_the_engine_folds(kit: Kit) -> None:
    applied(kit, SITE + "\n[queue.quick]\nname='Quick'\nskill='sales'\nring_s=7.5\nring_at_once=3\nrecord=false\n")
    world = world_of(kit)
    assert world.config_version == 1
    assert world.entries["hotline"].numbers == ("4000", "*")
    assert world.agents["li"].skills == {"sales": 5}
    quick = world.queues["quick"].settings
    assert (quick.ring_ms, quick.ring_at_once, quick.record, quick.max_wait_ms) == (7_500, 3, "never", 600_000)


def test_applying_the_same_again_writes_nothing(kit: Kit) -> None:
    applied(kit, SITE)
    before = kit.log.position()
    done = applied(kit, "# another comment, another order of keys\n" + SITE.replace('"4000", "*"', '"4000",   "*"'))
    assert done.position is None
    assert done.version == 1
    assert (
        str(done)
        == "Nothing to change: the configuration is at version 1."
        == plan(kit.log, "main", SITE, region="CN").text()
    )
    assert kit.log.position() == before


def test_a_plan_says_in_words_what_is_added_changed_and_removed(kit: Kit) -> None:
    applied(kit, SITE)
    edited = SITE.replace('name = "Sales"', 'name = "Sales and more"\nring_s = 25\npriority = 3')
    edited = edited.replace("[agent.li]", "[agent.wang]").replace("Li Wei", "Wang").replace('"101"', '"102"')
    before = kit.log.position()
    assert plan(kit.log, "main", edited, region="CN").text().splitlines() == [
        "~ queue sales is changed",
        '      name = "Sales and more"   (was "Sales")',
        "      priority = 3   (was 0)",
        "      ring_s = 25   (was 20)",
        "+ agent wang is added",
        '      number = "102"',
        '      name = "Wang"',
        '      extension = "1001"',
        "      skills = { sales = 5 }",
        '      team = ""',
        '      branch = ""',
        "      order = 0",
        "      weight = 1",
        "      capacity = {}",
        '      record = "as_queue"',
        '      answers = "as_site"',
        "- agent li is removed",
        "      who is signed in stays so until sign-out, without any skill",
        "1 added, 1 changed, 1 removed. To apply just this: --expect-version 1",
    ]
    assert kit.log.position() == before


def test_what_is_removed_leaves_the_state_and_can_come_back(kit: Kit) -> None:
    """Feature 11.2: the id keeps its stream, and so its past."""
    applied(kit, SITE)
    without = applied(kit, '[entry.other]\nname="x"\nnumbers=["5"]\nqueue="q"\n[queue.q]\nname="q"\nskill="s"')
    assert [c.stream for c in without.plan.changes] == [
        "queue-q",
        "entry-other",
        "entry-hotline",
        "agent-li",
        "queue-sales",
    ]
    assert isinstance(without.plan.changes[-1].event, QueueRemoved)
    world = world_of(kit)
    assert set(world.entries) == {"other"}
    assert not world.agents
    assert not world.queues["sales"].open
    applied(kit, SITE)
    assert [r.version for r in kit.log.stream("queue-sales")] == [1, 2, 3]
    assert world_of(kit).queues["sales"].open


def test_the_exported_configuration_is_applied_without_a_change(kit: Kit) -> None:
    applied(kit, SITE)
    text = export(kit.log, "main")
    assert 'name = "Li Wei"' in text
    assert "version = 1" in text
    assert not plan(kit.log, "main", text, region="CN").changes


# --- others edit, too ----------------------------------------------------------------------------------------------


def _edit(old: str, new: str) -> str:
    assert old in SITE
    return SITE.replace(old, new)


@pytest.mark.parametrize(
    "attempt",
    (
        lambda kit: applied(kit, _edit('"Sales"', '"Mine"'), expect_version=1),
        lambda kit: applied(kit, "version = 1\n" + _edit('"Sales"', '"Mine"')),
    ),
    ids=("--expect-version", "version in the file"),
)
def test_an_edit_that_somebody_else_has_not_seen_is_not_overwritten(
    kit: Kit, attempt: Callable[[Kit], Applied]
) -> None:
    """Two people began from version 1; the second is told what the first did, and by whom."""
    applied(kit, SITE)
    applied(kit, _edit('extension = "1001"', 'extension = "1007"'), actor="admin:bob")
    before = kit.log.position()
    with pytest.raises(ConfigurationChanged) as refused:
        attempt(kit)
    assert refused.value.code == "configuration_changed"
    text = str(refused.value)
    assert "at version 2; this was made for version 1" in text
    assert "admin:bob: agent-li" in text
    assert "Nothing was changed." in text
    assert "--expect-version 2" in text
    assert kit.log.position() == before
    done = applied(kit, _edit('"Sales"', '"Mine"').replace("1001", "1007"), expect_version=2)
    assert done.version == 3


def test_a_plan_of_a_file_made_from_an_older_version_warns_of_what_it_would_undo(kit: Kit) -> None:
    applied(kit, SITE)
    applied(kit, _edit('extension = "1001"', 'extension = "1007"'))
    assert "warning: the file was made from version 1, and the configuration is at version 2" in (
        plan(kit.log, "main", "version = 1\n" + SITE, region="CN").text()
    )


def test_who_applies_a_file_with_a_version_is_told_to_move_it_on(kit: Kit) -> None:
    """Otherwise the next edit of the same file would look like one that has not seen this one."""
    done = applied(kit, "version = 0\n" + SITE)
    assert str(done).endswith("Set version = 1 in the file before you edit it again.")
    assert not applied(kit, "version = 0\n" + SITE).plan.warnings


def test_a_version_that_never_was_is_the_wrong_database(kit: Kit) -> None:
    with pytest.raises(ConfigurationChanged, match="only at version 0: is this the right RINGLEDGER_HOME"):
        applied(kit, SITE, expect_version=4)


def test_of_two_who_apply_at_the_same_moment_one_is_refused_and_nothing_is_mixed(kit: Kit) -> None:
    """Both looked before either wrote."""
    applied(kit, SITE)
    edits = [_edit('"Sales"', '"One"'), _edit('"Sales"', '"Two"')]
    barrier = threading.Barrier(len(edits))
    outcomes: list[object] = []

    class SlowLog(Log):
        """Between the first look and the write both wait for each other."""

        looked = False

        def history(
            self, after: int = 0, until: int | None = None, kinds: Sequence[str] | None = None, batch: int = 5_000
        ) -> Iterator[Record]:
            yield from super().history(after, until, kinds, batch)
            if not self.looked:
                self.looked = True
                barrier.wait(20)

    def edit(text: str) -> None:
        source = kit.another_source()
        try:
            done = apply(
                SlowLog(source, vault=kit.vault),
                DeskWriter(source, kit.vault),
                "main",
                text,
                actor="admin:x",
                region="CN",
            )
            outcomes.append(done.version)
        except ConfigurationChanged as refused:
            outcomes.append(refused)

    threads = [threading.Thread(target=edit, args=(text,)) for text in edits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ConfigurationChanged", "int"]
    assert [r.version for r in kit.log.stream("config-main")] == [1, 2]
    assert current(kit.log, "main").version == 2


def test_a_repeat_after_a_lost_answer_is_the_same_version(kit: Kit) -> None:
    """The file was stored, the answer was lost, and it is applied again from the same view."""
    source = kit.another_source()
    view = current(kit.log, "main")
    applied(kit, SITE)

    class OldView(Log):
        def history(
            self, after: int = 0, until: int | None = None, kinds: Sequence[str] | None = None, batch: int = 5_000
        ) -> Iterator[Record]:
            return iter(())

    done = apply(OldView(source), kit.desk, "main", SITE, actor="admin:ann", region="CN")
    assert view.version == 0
    assert done.version == 1
    assert done.position == kit.log.position()
    assert len(list(kit.log.history())) == 4


def test_a_configuration_that_a_newer_program_wrote_is_left_alone(kit: Kit) -> None:
    """Feature 11.1: nothing is edited that is not understood."""
    applied(kit, SITE)
    with psycopg.connect(kit.database.admin, autocommit=True) as admin:
        admin.execute(
            "INSERT INTO ringledger_events SELECT 'queue-new', 1, 'QueueConfigured.v9', state, nextval("
            "'ringledger_events_notification_id_seq') FROM ringledger_events WHERE originator_id = 'queue-sales'"
        )
    with pytest.raises(Refused, match="queue-new holds QueueConfigured version 9"):
        applied(kit, _edit('"Sales"', '"Mine"'))


def test_without_a_database_nothing_is_applied(kit: Kit) -> None:
    gone = Source("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Away):
        apply(Log(gone), DeskWriter(gone, kit.vault), "main", SITE, actor="admin:ann", region="CN")


# --- what is allowed and hardly meant --------------------------------------------------------------------------------


def test_a_plan_warns_of_a_queue_that_nobody_can_serve_and_guesses_the_typo(kit: Kit) -> None:
    """Feature 3.11: no caller waits in vain because of a letter."""
    text = plan(kit.log, "main", _edit('skill = "sales"', 'skill = "slaes"'), region="CN").text()
    assert "warning: no agent can serve queue-sales, which asks for slaes from level 1; did you mean sales?" in text
    text = plan(kit.log, "main", _edit('skill = "sales"', 'skill = "sales"\nmin_level = 6'), region="CN").text()
    assert "no agent can serve queue-sales, which asks for sales from level 6" in text


def test_a_plan_warns_of_keys_that_say_nothing_beside_each_other(kit: Kit) -> None:
    """Features 3.2, 3.4: what contradicts is said before anybody waits for it."""
    keys = 'rule = "ring_all"\nring_at_once = 3\nage_per_min = 2\nsteps = [ { for_s = 9, skills = { slaes = 1 } } ]'
    text = plan(kit.log, "main", _edit('skill = "sales"', f'skill = "sales"\n{keys}'), region="CN").text()
    assert "step 1 of queue-sales asks for slaes, which no agent has: it is skipped; did you mean sales?" in text
    assert "queue-sales rings all up to ring_most = 5; ring_at_once says nothing beside ring_all" in text
    assert "queue-sales ages by 2 a minute up to age_cap = 0, so not at all; raise age_cap" in text


def test_a_plan_warns_where_unknown_numbers_lead_nowhere(kit: Kit) -> None:
    """Feature 3.11."""
    assert 'no entry point has the number "*"' in plan(kit.log, "main", _edit(', "*"', ""), region="CN").text()
    assert "*" not in "".join(plan(kit.log, "main", SITE, region="CN").warnings)


def test_a_plan_warns_of_a_queue_to_which_nothing_leads(kit: Kit) -> None:
    more = SITE + '\n[queue.lost]\nname = "Lost"\nskill = "sales"\n'
    assert "warning: no entry point leads to queue-lost" in plan(kit.log, "main", more, region="CN").text()


def test_a_plan_says_that_a_new_id_is_a_new_agent(kit: Kit) -> None:
    """Ids are immutable; names change."""
    applied(kit, SITE)
    text = plan(kit.log, "main", SITE.replace("[agent.li]", "[agent.lee]"), region="CN").text()
    assert "agent-lee takes over number 101 of agent-li" in text
    assert "To change a name, keep the id." in text


def test_a_reader_without_keys_sees_no_change_where_only_names_are_sealed(kit: Kit) -> None:
    applied(kit, SITE)
    assert not plan(kit.blind_log, "main", SITE, region="CN").changes
    assert [c.stream for c in plan(kit.blind_log, "main", _edit("sales = 5", "sales = 6"), region="CN").changes] == [
        "agent-li"
    ]


# --- the demo's own ------------------------------------------------------------------------------------------------


def test_a_site_that_was_never_configured_gets_the_demos_configuration_once(kit: Kit) -> None:
    """Issue: `make run` on a fresh machine serves calls; nothing of it is forced on a site of somebody's own."""
    settings = settings_for(kit.kek.parent.parent, RINGLEDGER_KEK_FILE=str(kit.kek), RINGLEDGER_REGION="HK")
    assert configuration.apply_defaults(settings, kit.database.writer) == 19
    world = world_of(kit)
    assert world.outside is not None
    assert world.outside.settings.region == "HK"
    assert "*" in world.entries["hotline"].numbers
    assert {agent.extension for agent in world.agents.values()} == {f"100{n}" for n in range(1, 7)}
    for entry in world.entries.values():
        skill = world.queues[entry.queue_id].settings.skill
        assert any(skill in agent.skills for agent in world.agents.values())
    assert configuration.apply_defaults(settings, kit.database.writer) == 0
    assert kit.log.position() == 20
    applied(kit, SITE)
    assert configuration.apply_defaults(settings, kit.database.writer) == 0


def test_without_the_demo_a_site_stays_empty(kit: Kit) -> None:
    settings = settings_for(kit.kek.parent.parent, RINGLEDGER_KEK_FILE=str(kit.kek), RINGLEDGER_DEMO="0")
    assert configuration.apply_defaults(settings, kit.database.writer) == 0
    assert kit.log.position() == 0


def test_a_file_is_planned_applied_and_shown_over_the_settings_own_database() -> None:
    """What the command line calls: it finds the database and opens the keys by itself."""
    home = make_reachable_directory()
    settings = settings_for(home / "home", RINGLEDGER_REGION="HK")
    text = f'{SITE}\n[outside.main]\nallowed = ["+852"]\n'
    database = cluster.ensure_running(settings, lambda _: None)
    try:
        schema.create(database.url_owner, admin_url=database.url_admin)
        planned = configuration.plan_file(settings, text).text()
        assert "4 added" in planned
        assert 'region = "HK"' in planned, "the site's region, where the file names none"
        assert configuration.apply_file(settings, text).version == 1
        shown = configuration.show(settings)
        assert 'name = "Li Wei"' in shown
        assert 'region = "HK"' in shown
        assert not configuration.plan_file(settings, text).changes
    finally:
        database.stop()
        shutil.rmtree(home)


def test_an_earlier_record_keeps_its_rules(kit: Kit) -> None:
    """Law 6: a configuration's version is its stream's version, whoever wrote it."""
    applied(kit, SITE)
    kit.desk.append_desk(
        [
            Record(
                stream="config-main",
                version=2,
                event=ConfigurationApplied(digest="0", changed=()),
                event_id="by-hand",
                about=Provenance(at=Instant(1)),
            )
        ]
    )
    assert current(kit.log, "main").version == 2
    assert world_of(kit).config_version == 2
