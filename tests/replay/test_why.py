"""Why an agent got an offer or not, asked of the log long afterwards."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.kernel import Refused, ident_of
from orchestrator.domain.routing.explaining import CHOSEN, OUT, RANKED, Reason, chosen_by_hand
from orchestrator.domain.routing.queues import QueueConfigured, StepSetting
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.switch import facts
from orchestrator.replay.scrubber import Scrubber
from orchestrator.replay.why import Moment, why
from orchestrator.runner import inputs
from tests.audit.centre import NODE, Centre
from tests.postgres import settings_for
from tests.replay.conftest import store
from tests.store.kit import Kit
from web.history import command
from web.words import Names
from web.words.why import verdict


def contacts_of(centre: Centre) -> list[str]:
    return [ident_of(r.stream) for r in centre.records if type(r.event).__name__ == "ContactArrived"]


def asked(kit: Kit, contact_id: str, **more: Any) -> list[Moment]:  # noqa: ANN401 - as `why` has it
    return why(kit.log, contact_id, Scrubber(kit.log, spacing=7), **more)


def of(moment: Moment, agent_id: str) -> Reason:
    return next(reason for reason in moment.reasons if reason.agent_id == agent_id)


def words(moment: Moment, agent_id: str) -> str:
    return verdict(of(moment, agent_id), Names(queues={"sales": "Sales"}), moment.at)


def test_every_agent_is_told_why_they_did_or_did_not_get_the_offer(kit: Kit) -> None:
    """Feature 3.9, complaint 25."""
    centre = Centre(agents=5)
    centre.ready(1)
    centre.ready(2)
    centre.give(inputs.SignIn(agent="1003"))
    centre.give(inputs.Pause(agent="1003", reason="break"), 60_000)
    skills = {"sales": 5}
    centre.configure({"agent-a5": AgentConfigured(number="1005", name="A", extension="1005", skills={"hr": 1})})
    centre.configure({"agent-a2": AgentConfigured(number="1002", name="B", extension="1002", skills=skills)})
    centre.pass_ms(5_000)
    centre.call()
    store(kit, centre.records)
    (moment,) = asked(kit, contacts_of(centre)[0])
    assert (moment.number, moment.queue_id) == (1, "sales")
    assert [(r.agent_id, r.verdict) for r in moment.reasons] == [
        ("a2", CHOSEN),
        ("a1", RANKED),
        ("a3", OUT),
        ("a4", OUT),
        ("a5", OUT),
    ]
    assert words(moment, "a2") == "chosen: number 1 of those who were free (level 5, idle for 01:05)"
    assert words(moment, "a1").startswith("free, but number 2 in the order (level ")
    assert words(moment, "a3") == "was not ready for 00:05: break"
    assert words(moment, "a4") == "was not signed in"
    assert words(moment, "a5") == "has not the skill “sales” · was not signed in"


def test_an_agent_who_was_offered_somebody_who_came_before_is_told_so(kit: Kit) -> None:
    """Feature 3.9: another contact was served first with this agent."""
    centre = Centre(agents=2)
    centre.ready(1)
    centre.call()
    centre.ready(2)
    centre.pass_ms(3_000)
    centre.call()
    store(kit, centre.records)
    first, second = contacts_of(centre)
    (moment,) = asked(kit, second)
    assert of(moment, "a2").verdict == CHOSEN
    assert f"was offered contact {first[:8]} of “Sales”" in words(moment, "a1")
    assert words(moment, "a1").endswith("who had waited for longer")


def test_who_waits_without_an_offer_is_explained_as_of_the_queueing(kit: Kit) -> None:
    """Feature 3.9: not only offers ask for a reason; nobody got this one at first."""
    centre = Centre(agents=1)
    centre.ready(1)
    centre.call()
    centre.call()
    centre.give(facts.LinkDown(node=NODE, why="gone"), 100)
    store(kit, centre.records)
    first, second = contacts_of(centre)
    assert [moment.number for moment in asked(kit, first)] == [1]
    (moment,) = asked(kit, second)
    assert (moment.number, moment.decision) == (0, None)
    assert [reason.verdict for reason in moment.reasons] == [OUT]
    assert f"offered contact {first[:8]}" in words(moment, "a1")


def test_what_was_configured_since_then_changes_no_reason(kit: Kit) -> None:
    """Features 3.9 and 11.2: a skill taken away, a rule changed, the agent removed: it is as it was."""
    centre = Centre(agents=2)
    centre.ready(1)
    centre.call()
    centre.configure({"queue-sales": QueueConfigured(name="Sales", skill="hr", min_level=9)})
    centre.configure({"agent-a1": AgentConfigured(number="1001", name="A", extension="1001", skills={})})
    store(kit, centre.records)
    (moment,) = asked(kit, contacts_of(centre)[0])
    assert of(moment, "a1").verdict == CHOSEN


def test_a_version_that_the_engine_did_not_know_yet_is_left_out(kit: Kit) -> None:
    """Feature 3.9: the configuration was stored a moment before the offer, and reached the engine a moment after."""
    centre = Centre(agents=2)
    centre.ready(1)
    centre.ready(2)
    before = len(centre.records)
    centre.call()
    call, centre.records[before:] = centre.records[before:], []
    centre.configure({"agent-a1": AgentConfigured(number="1001", name="A", extension="1001", skills={"hr": 1})})
    store(kit, [*centre.records, *call])
    (moment,) = asked(kit, ident_of(call[0].stream))
    assert of(moment, "a1").verdict == CHOSEN


def test_one_offer_or_one_agent_may_be_asked_for(kit: Kit) -> None:
    centre = Centre(agents=2)
    centre.ready(1)
    centre.ready(2)
    centre.call()
    missed = centre.rung[-1]
    centre.give(facts.LegRinging(node=NODE, leg=missed.leg), 50)
    centre.pass_ms(20_000)
    centre.hang_up(missed.leg, cause="NO_ANSWER")
    store(kit, centre.records)
    (contact_id,) = contacts_of(centre)
    both = asked(kit, contact_id)
    assert [moment.number for moment in both] == [1, 2]
    (second,) = asked(kit, contact_id, agent_id="a1", offer=2)
    assert second.reasons == (of(both[1], "a1"),)
    assert "ring_no_answer" in str(second.reasons)
    with pytest.raises(Refused, match="no offer 3"):
        asked(kit, contact_id, offer=3)
    with pytest.raises(Refused, match="no such contact"):
        asked(kit, "0")


def test_the_command_line_tells_it_in_words_and_to_programs(kit: Kit, tmp_path: Path) -> None:
    """Feature 3.9: `ringledger why`, by the beginning of an id and an employee number; no name without keys."""
    centre = Centre(agents=2)
    centre.ready(1)
    centre.call()
    store(kit, centre.records)
    (contact_id,) = contacts_of(centre)
    settings = settings_for(tmp_path)
    told = command.why(kit.log, settings, contact_id[:8], agent="", offer=0, as_json=False)
    assert f"contact {contact_id}" in told
    assert "offer 1 · “Sales” · 2026-01-01T" in told
    assert "  1001 a1: chosen: number 1 of those who were free (level" in told
    assert "  1002 a2: was not signed in" in told
    as_json = command.why(kit.log, settings, contact_id, agent="1002", offer=1, as_json=True)
    assert '"verdict":"out"' in as_json
    assert '"words":"was not signed in"' in as_json
    for contact, agent, code in (("ffffffff", "", "no_such_contact"), (contact_id, "1009", "no_such_agent")):
        with pytest.raises(Refused) as refused:
            command.why(kit.log, settings, contact, agent=agent, offer=0, as_json=False)
        assert refused.value.code == code


def test_a_named_agent_a_branch_and_a_decline_are_reasons(kit: Kit) -> None:
    """Features 3.3 and 3.4: what the contact asked for at that step; who did not take it a moment ago."""
    centre = Centre(agents=3)
    for number in (1, 2, 3):
        centre.ready(number)
    step = StepSetting(for_ms=60_000, agents=("a2",))
    queue = QueueConfigured(name="Sales", skill="sales", steps=(step,), ring_ms=5_000)
    centre.configure({"queue-sales": queue})
    centre.call()
    missed = centre.rung[-1]
    centre.give(facts.LegRinging(node=NODE, leg=missed.leg), 50)
    store(kit, centre.records)
    (moment,) = asked(kit, contacts_of(centre)[0])
    assert [(reason.agent_id, reason.verdict) for reason in moment.reasons] == [
        ("a2", CHOSEN),
        ("a1", OUT),
        ("a3", OUT),
    ]
    assert words(moment, "a1") == "was not the agent asked for"


def test_one_more_phone_is_a_moment_of_its_own(kit: Kit) -> None:
    """Feature 3.2, ring progressively: the second phone is explained as of when it rang."""
    centre = Centre(agents=2)
    queue = QueueConfigured(name="Sales", skill="sales", rule="ring_progressively", ring_next_ms=4_000)
    centre.configure({"queue-sales": queue})
    centre.ready(1)
    centre.ready(2)
    centre.call()
    centre.pass_ms(4_100)
    store(kit, centre.records)
    first, second = asked(kit, contacts_of(centre)[0])
    assert (first.number, first.again, second.number, second.again) == (1, False, 1, True)
    chosen = [next(r.agent_id for r in each.reasons if r.verdict == CHOSEN) for each in (first, second)]
    assert sorted(chosen) == ["a1", "a2"]
    assert words(second, chosen[0]).startswith("the phone rang for this contact already")


def test_what_the_rule_looked_at_is_told(kit: Kit) -> None:
    """Feature 3.2: counters in their window, as they stood."""
    centre = Centre(agents=2)
    queue = QueueConfigured(name="Sales", skill="sales", rule="fewest_calls", level_first=False)
    centre.configure({"queue-sales": queue})
    centre.ready(1)
    centre.serve()
    centre.pass_ms(31_000)
    centre.ready(2)
    centre.pass_ms(5_000)
    centre.call()
    store(kit, centre.records)
    (moment,) = asked(kit, contacts_of(centre)[-1])
    assert [reason.agent_id for reason in moment.reasons] == ["a2", "a1"]
    assert ", 0 calls, idle for" in words(moment, "a2")
    assert ", 1 call, idle for" in words(moment, "a1")


def test_whoever_was_chosen_by_hand_is_told_so(kit: Kit) -> None:
    """Features 3.8 and 3.9: then nothing else counted, and whoever came first is told why not."""
    centre = Centre(agents=2)
    centre.ready(1)
    centre.ready(2)
    centre.call()
    store(kit, centre.records)
    (moment,) = asked(kit, contacts_of(centre)[0])
    picked = [chosen_by_hand(reason, {"a2"}) for reason in moment.reasons]
    said = {each.agent_id: verdict(each, Names(), moment.at) for each in picked}
    assert said["a2"] == "chosen by hand, whoever came first in the order"
    assert said["a1"].endswith("somebody chose another agent by hand")
