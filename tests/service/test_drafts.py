"""Drafts: collected without effect, never lost, applied as one transaction, never over somebody else's head."""

from typing import Any

import pytest

from orchestrator.audit import verify
from orchestrator.domain.kernel import Refused
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.world import World
from orchestrator.service import configuration
from orchestrator.service.configuration import BadConfiguration, ConfigurationChanged
from orchestrator.service.deciding import Who
from orchestrator.service.drafts import MINE, THEIRS, WHOLE, Drafts, between
from orchestrator.service.planning import SECTION_OF
from orchestrator.vault import SEALED
from tests.service.test_configuration import SITE
from tests.store.kit import Kit

ANN, BEA = Who(actor="user:ann"), Who(actor="user:bea")
SALES = {"name": "Sales", "skill": "sales"}


class Office:
    """A site that is configured, and its drafts."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.drafts = Drafts(kit.desk, kit.log, "main", region="CN")
        configuration.apply(kit.log, kit.desk, "main", SITE, actor="admin:test", expect_version=0, region="CN")

    def begin(self, who: Who = ANN, name: str = "Autumn", **more: object) -> str:
        return self.drafts.begin(who, name, **more).ident  # type: ignore[arg-type]  # a test's own words

    def edit(self, draft_id: str, who: Who = ANN, **tables: Any) -> int:  # noqa: ANN401 - tables of a file
        """Want things so, `queue_sales=…`; the draft's version since."""
        seen = self.drafts.get(draft_id, who.actor).version
        things = {name.replace("_", "-", 1): table for name, table in tables.items()}
        self.drafts.edit(who, draft_id, things, seen=seen)
        return self.drafts.get(draft_id, who.actor).version

    def apply(self, draft_id: str, who: Who = ANN, reason: str = "It was time") -> configuration.Applied:
        seen = self.drafts.get(draft_id, who.actor).version
        return self.drafts.apply(who, draft_id, reason=reason, seen=seen)

    def world(self) -> World:
        world = World()
        for record in self.kit.log.history():
            world.apply(record)
        return world


@pytest.fixture
def office(kit: Kit) -> Office:
    return Office(kit)


def test_a_draft_takes_no_effect_before_it_is_applied_and_then_as_one_version(office: Office) -> None:
    """Features 11.1 and 11.5: who, when and why stand in the history; the draft ends in the same transaction."""
    draft_id = office.begin()
    office.edit(draft_id, queue_sales={**SALES, "ring_s": 8}, queue_quick={"name": "Quick", "skill": "sales"})
    assert set(office.world().queues) == {"sales"}
    outlook = office.drafts.outlook(office.drafts.get(draft_id, ANN.actor))
    assert [(change.action, change.stream) for change in outlook.plan.changes] == [
        ("added", "queue-quick"),
        ("changed", "queue-sales"),
    ]
    assert [(each.key, each.before, each.after) for each in outlook.plan.changes[1].keys] == [("ring_s", "20", "8")]
    assert any("no entry point leads to queue-quick" in warning for warning in outlook.plan.warnings)
    done = office.apply(draft_id)
    assert done.version == 2
    world = office.world()
    assert world.config_version == 2
    assert world.queues["sales"].settings.ring_ms == 8_000
    last = [record for record in office.kit.log.history() if record.about.actor == ANN.actor][-4:]
    assert [record.stream for record in last] == ["queue-quick", "queue-sales", "config-main", f"draft-{draft_id}"]
    assert len({record.about.causation for record in last}) == 1
    applied = last[2].event
    assert isinstance(applied, ConfigurationApplied)
    assert (applied.reason, applied.draft) == ("It was time", draft_id)
    assert verify(office.kit.log.history(), expect_contacts=0).ok
    assert office.drafts.open(ANN.actor) == []
    with pytest.raises(Refused, match="applied already"):
        office.edit(draft_id, queue_sales=None)


def test_what_is_wrong_is_kept_told_as_of_a_file_and_never_applied(office: Office) -> None:
    """Bad input gets a clear error and nothing is lost: the same sentences as for the site's file."""
    draft_id = office.begin()
    office.edit(draft_id, queue_sales={**SALES, "ring_s": "soon", "colour": "red"}, entry_hotline={"name": "Hot line"})
    outlook = office.drafts.outlook(office.drafts.get(draft_id, ANN.actor))
    assert outlook.problems_of("queue-sales") == {
        "colour": "there is no such key; there are " + ", ".join(sorted(_keys("queue"))) + ".",
        "ring_s": "write seconds from 1 to 300.",
    }
    assert outlook.problems_of("entry-hotline") == {WHOLE: "numbers is missing."}
    assert outlook.tables["queue-sales"]["ring_s"] == "soon"
    assert outlook.plan.changes == (), "what cannot be read is not told to be removed"
    with pytest.raises(BadConfiguration, match=r"queue\.sales\.ring_s: write seconds"):
        office.apply(draft_id)
    office.edit(
        draft_id, queue_sales={**SALES, "ring_s": 9}, entry_hotline={"name": "H", "numbers": ["*"], "queue": "x"}
    )
    assert "there is no queue x" in office.drafts.outlook(office.drafts.get(draft_id, ANN.actor)).problems[0].text


def _keys(kind: str) -> list[str]:
    return [field.key for field in SECTION_OF[kind].fields]


def test_what_is_as_in_force_is_no_edit(office: Office) -> None:
    draft_id = office.begin()
    office.edit(draft_id, queue_sales={**SALES, "ring_s": 20})
    assert office.drafts.get(draft_id, ANN.actor).edits == {}
    office.edit(draft_id, queue_sales={**SALES, "ring_s": 21})
    office.edit(draft_id, queue_sales=SALES)
    assert office.drafts.get(draft_id, ANN.actor).edits == {}
    with pytest.raises(Refused, match="changes nothing"):
        office.apply(draft_id)


def test_of_two_editors_the_later_is_told_who_changed_what_and_nothing_is_overwritten(office: Office) -> None:
    """Law 6: a draft of an earlier version is refused; rebased, it keeps what only one side changed."""
    mine, theirs = office.begin(ANN), office.begin(BEA)
    office.edit(mine, ANN, queue_sales={**SALES, "ring_s": 8})
    office.edit(theirs, BEA, queue_sales={**SALES, "wrap_up_s": 5}, agent_li=None)
    office.apply(theirs, BEA)
    with pytest.raises(ConfigurationChanged, match=r"user:bea: agent-li, queue-sales"):
        office.apply(mine, ANN)
    draft = office.drafts.get(mine, ANN.actor)
    assert office.drafts.outlook(draft).outdated
    assert office.drafts.outlook(draft).clashes == ()
    office.drafts.rebase(ANN, mine, {}, seen=draft.version)
    office.apply(mine, ANN)
    settings = office.world().queues["sales"].settings
    assert (settings.ring_ms, settings.wrap_up_ms) == (8_000, 5_000)
    assert "li" not in office.world().agents


@pytest.mark.parametrize(("choice", "ring_ms"), ((MINE, 8_000), (THEIRS, 6_000)))
def test_what_both_changed_is_named_and_has_to_be_decided(office: Office, choice: str, ring_ms: int) -> None:
    """Law 6: key by key, as it was, as they and as I want it."""
    mine, theirs = office.begin(ANN), office.begin(BEA)
    office.edit(mine, ANN, queue_sales={**SALES, "ring_s": 8, "max_wait_s": 60})
    office.edit(theirs, BEA, queue_sales={**SALES, "ring_s": 6, "wrap_up_s": 5})
    office.apply(theirs, BEA)
    draft = office.drafts.get(mine, ANN.actor)
    (clash,) = office.drafts.outlook(draft).clashes
    assert (clash.thing, clash.key, clash.was, clash.theirs, clash.mine) == ("queue-sales", "ring_s", "20", "6", "8")
    with pytest.raises(Refused, match="queue-sales ring_s"):
        office.drafts.rebase(ANN, mine, {}, seen=draft.version)
    office.drafts.rebase(ANN, mine, {("queue-sales", "ring_s"): choice}, seen=draft.version)
    office.apply(mine, ANN)
    settings = office.world().queues["sales"].settings
    assert (settings.ring_ms, settings.max_wait_ms, settings.wrap_up_ms) == (ring_ms, 60_000, 5_000)


@pytest.mark.parametrize(("choice", "there"), ((MINE, True), (THEIRS, False)))
def test_a_thing_that_others_removed_comes_back_only_where_it_is_said(office: Office, choice: str, there: bool) -> None:  # noqa: FBT001 - a parameter of the test
    mine, theirs = office.begin(ANN), office.begin(BEA)
    agent = {"number": "101", "name": "Li Wei", "extension": "1001", "skills": {"sales": 7}}
    office.edit(mine, ANN, agent_li=agent, queue_sales={**SALES, "ring_s": 8})
    office.edit(theirs, BEA, agent_li=None)
    office.apply(theirs, BEA)
    draft = office.drafts.get(mine, ANN.actor)
    (clash,) = office.drafts.outlook(draft).clashes
    assert (clash.key, clash.theirs, clash.mine) == (WHOLE, "removed", "changed")
    office.drafts.rebase(ANN, mine, {("agent-li", WHOLE): choice}, seen=draft.version)
    office.apply(mine, ANN)
    assert ("li" in office.world().agents) is there


def test_two_at_one_shared_draft_do_not_overwrite_each_other(office: Office) -> None:
    """Complaint 22: not even inside of a draft."""
    draft_id = office.begin(ANN, shared=True)
    seen = office.drafts.get(draft_id, BEA.actor).version
    office.drafts.edit(ANN, draft_id, {"queue-sales": {**SALES, "ring_s": 8}}, seen=seen)
    with pytest.raises(Refused) as refused:
        office.drafts.edit(BEA, draft_id, {"queue-sales": {**SALES, "ring_s": 9}}, seen=seen)
    assert refused.value.code == "draft_changed"
    office.drafts.edit(BEA, draft_id, {"queue-new": {"name": "New", "skill": "sales"}}, seen=seen)
    with pytest.raises(Refused) as refused:
        office.drafts.apply(ANN, draft_id, reason="", seen=seen + 1)
    assert refused.value.code == "draft_changed"
    assert set(office.drafts.get(draft_id, ANN.actor).edits) == {"queue-sales", "queue-new"}


def test_a_draft_is_its_owners_until_it_is_shared(office: Office) -> None:
    draft_id = office.begin(ANN)
    assert office.drafts.open(BEA.actor) == []
    with pytest.raises(Refused, match="no such draft"):
        office.drafts.get(draft_id, BEA.actor)
    office.drafts.share(ANN, draft_id)
    assert [draft.draft_id for draft in office.drafts.open(BEA.actor)] == [draft_id]
    office.drafts.discard(BEA, draft_id)
    assert office.drafts.open(ANN.actor) == []


def test_an_earlier_version_comes_back_as_a_new_draft(office: Office) -> None:
    """Feature 11.5: back to version 1: what was added goes, what was removed and changed is as it was."""
    draft_id = office.begin()
    office.edit(
        draft_id, queue_sales={**SALES, "ring_s": 8}, queue_quick={"name": "Q", "skill": "sales"}, agent_li=None
    )
    office.apply(draft_id)
    back = office.begin(name="Back", version=1)
    office.apply(back)
    log = office.kit.log
    first, third = (configuration.at_version(log, "main", version) for version in (1, 3))
    assert first.events == third.events
    assert between(first, third).changes == ()
    assert {change.action for change in between(first, configuration.at_version(log, "main", 2)).changes} == {
        "added",
        "changed",
        "removed",
    }
    with pytest.raises(Refused, match="no version 9"):
        office.begin(version=9)


def test_names_in_a_draft_are_sealed(office: Office) -> None:
    """Law 11: what a draft says of an agent is encrypted like the agent itself."""
    draft_id = office.begin(name="For Wang Fang")
    agent = {"number": "102", "name": "Wang Fang", "extension": "1002", "skills": {"sales": 1}}
    office.edit(draft_id, agent_wang=agent)
    office.apply(draft_id, reason="Wang Fang came")
    masked = [record.event for record in office.kit.blind_log.stream(f"draft-{draft_id}")]
    assert getattr(masked[0], "name", "") == getattr(masked[1], "body", "") == SEALED
    assert not any("Wang" in repr(record.event) for record in office.kit.blind_log.history())


def test_what_names_nothing_is_refused(office: Office) -> None:
    draft_id = office.begin()
    for thing in ("flow-x", "queue-", "queue-Sales", "queue-a b"):
        with pytest.raises(Refused) as refused:
            office.drafts.edit(ANN, draft_id, {thing: SALES}, seen=9)
        assert refused.value.code == "bad_thing"
    with pytest.raises(Refused, match="what the draft is for"):
        office.begin(name="  ")
