"""Distribution as the runner plays it: steps that widen, phones that ring together or one by one, and why."""

from itertools import product

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import Event
from orchestrator.domain.routing.branches import BranchConfigured
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.levels import LevelConfigured
from orchestrator.domain.routing.queues import QueueConfigured, QueueRemoved, StepSetting
from orchestrator.domain.routing.requirements import Requirement
from orchestrator.domain.routing.rules import RULES
from orchestrator.domain.staff.agents import AgentConfigured, AgentRemoved
from orchestrator.domain.switch.instructions import HangUpLeg
from orchestrator.runner import inputs
from tests.runner.scene import Scene, agent


def rung(scene: Scene, caller: str) -> list[str]:
    """The extensions that ring for a caller, in the order of ringing."""
    return [ring.extension for ring in scene.rings_of(caller)]


def widened(scene: Scene) -> list[tuple[int, str]]:
    return [(event.step, event.reason) for event in scene.events(c.VisitWidened)]


def wanting(number: int, **queue: object) -> Scene:
    """A scene with three agents whose callers want the one of this number."""
    scene = Scene(agents=3, **queue)  # type: ignore[arg-type]  # a test's own words
    scene.configure(
        {"entry-main": EntryPointConfigured(name="m", numbers=("4001",), queue_id="support", agent_id=f"a{number}")}
    )
    return scene


# --- the planning papers' own examples -------------------------------------------------------------------------------


def test_agents_of_equal_skills_are_taken_by_longest_idle_and_callers_first_in_first_out() -> None:
    """Features 3.2, 3.3: an example of the planning papers."""
    scene = Scene(agents=3)
    scene.ready(2, 3, 1)
    first, second, third, fourth = (scene.park() for _ in range(4))
    assert [rung(scene, caller) for caller in (first, second, third, fourth)] == [["1002"], ["1003"], ["1001"], []]


def test_with_most_skills_first_the_agent_with_11_and_118_gets_the_call_on_118_before_agents_with_118() -> None:
    """Feature 3.2: an example of the planning papers."""
    scene = Scene(agents=0)
    scene.configure(
        {
            "queue-support": QueueConfigured(name="118", skill="118", rule="most_skills_first"),
            "agent-a1": agent(1, **{"118": 1}),
            "agent-a2": agent(2, **{"11": 1, "118": 1}),
            "agent-a3": agent(3, **{"118": 1}),
        }
    )
    scene.ready(1, 2, 3)
    assert rung(scene, scene.park()) == ["1002"]
    assert rung(scene, scene.park()) == ["1001"]
    (first, _) = scene.events(c.OfferMade)
    assert [(x.agent_id, x.score) for x in first.decision.candidates][:2] == [
        ("a2", {"skills": 2}),
        ("a1", {"skills": 1}),
    ]


def test_a_break_asked_for_in_a_call_takes_effect_after_it() -> None:
    """Feature 4.1: an example of the planning papers."""
    scene = Scene(agents=1, wrap_up_ms=0)
    caller, ring = scene.talk()
    scene.give(inputs.Pause(agent="1001", reason="break"))
    assert scene.status(1) == "talking"
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    assert scene.status(1) == "paused"
    assert rung(scene, scene.park()) == []


def test_no_queue_is_an_alarm_and_never_silence() -> None:
    """Feature 3.11: an example of the planning papers."""
    scene = Scene()
    scene.park("7777")
    assert scene.events(c.EntryPointMissing)
    assert [event.prompt for event in scene.events(c.ContactTurnedAway)] == ["no_entry_point"]


# --- an absent agent halts nobody ------------------------------------------------------------------------------------

STATES = (
    "signed_out", "paused", "stood_down", "ready", "reserved", "talking", "wrapping_up", "cooling_down", "removed",
    "without_the_skill",
)  # fmt: skip


def put(scene: Scene, state: str) -> None:
    """Bring agent 1, whom callers want, into a state."""
    if state not in ("signed_out", "removed"):
        scene.ready(1)
    match state:
        case "paused":
            scene.give(inputs.Pause(agent="1001", reason="break"))
        case "stood_down":
            ring = scene.ring_of(scene.park())
            scene.ringing(ring)
            scene.wait(20_000)
            scene.hang_up(ring.leg, "NO_ANSWER")
        case "reserved":
            scene.park()
        case "talking" | "wrapping_up":
            caller, ring = scene.talk()
            if state == "wrapping_up":
                scene.hang_up(caller)
                scene.hang_up(ring.leg)
        case "cooling_down":
            earlier = scene.park()
            scene.hang_up(scene.ring_of(earlier).leg, "USER_BUSY")
            scene.hang_up(earlier)
        case "removed":
            scene.configure({"agent-a1": AgentRemoved()})
        case "without_the_skill":
            scene.configure({"agent-a1": agent(1, fr=1)})


@pytest.mark.parametrize(("rule", "state"), tuple(product(sorted(RULES), STATES)))
def test_a_preferred_agent_in_whatever_state_halts_no_queue_of_whatever_rule(rule: str, state: str) -> None:
    """Complaint 6; features 3.3, 3.4: whoever could still come is waited for as long as the queue is patient; whoever
    could not is not waited for at all; and then somebody else is rung.
    """
    scene = wanting(1, rule=rule, named_agent_ms=5_000, wrap_up_ms=60_000, max_wait_ms=600_000)
    put(scene, state)
    for left in [contact.caller_leg for contact in scene.world.contacts.values() if contact.status == "waiting"]:
        scene.hang_up(left)
    scene.ready(2)
    caller = scene.park()
    at_once = rung(scene, caller)
    could_come = state in ("reserved", "talking", "wrapping_up", "cooling_down")
    if state == "ready":
        assert at_once == ["1001"]
        return
    assert at_once == ([] if could_come else ["1002"])
    scene.wait(5_000)
    assert rung(scene, caller) == ["1002"]
    assert widened(scene)[-1] == (1, "expired" if could_come else "nobody_could")


def test_a_preferred_agent_who_leaves_while_the_switch_is_lost_is_not_waited_for_when_it_is_back() -> None:
    """Complaint 6, feature 12.1."""
    scene = wanting(1, named_agent_ms=60_000, max_wait_ms=600_000)
    scene.ready(1, 2)
    caller = scene.park()
    scene.hang_up(scene.ring_of(caller).leg, "USER_BUSY")
    assert rung(scene, caller) == []
    scene.disconnect()
    scene.give(inputs.SignOut(agent="1001"))
    scene.connect(legs=(scene.seen(caller),))
    assert widened(scene)[-1] == (1, "nobody_could")
    assert rung(scene, caller) == ["1002"]


def test_who_waited_longer_for_an_agent_who_is_removed_comes_before_whom_that_agent_was_rung_for() -> None:
    """Features 3.2, 3.4; the simulation's seed 2567."""
    steps = (StepSetting(for_ms=60_000, min_level=9), StepSetting(skills={}))
    scene = Scene(agents=0, steps=steps, pick="anyone", max_wait_ms=600_000)
    scene.configure({"agent-a1": agent(1, zh=9), "agent-a2": agent(2, zh=1)})
    scene.ready(1, 2)
    older = scene.park()
    scene.hang_up(scene.ring_of(older).leg, "USER_BUSY")
    younger = scene.park()
    assert scene.refusal(inputs.Pick(agent="1001", contact=scene.live(younger).contact_id)) == ""
    assert (rung(scene, older), rung(scene, younger)) == ([], ["1001"])
    scene.configure({"agent-a1": AgentRemoved()})
    assert (rung(scene, older), rung(scene, younger)) == (["1002"], [])


def test_whoever_is_waited_for_and_goes_on_a_break_is_waited_for_no_more() -> None:
    """Complaint 6: at that moment, and all who waited for that agent, in their order."""
    scene = wanting(1, named_agent_ms=60_000)
    talking, _ = scene.talk()
    first, second = scene.park(), scene.park()
    scene.ready(2, 3)
    assert rung(scene, first) == rung(scene, second) == []
    scene.give(inputs.Pause(agent="1001", reason="break"))
    assert rung(scene, first) == []
    scene.hang_up(talking)
    scene.give(inputs.WrapUp(agent="1001"))
    assert scene.status(1) == "paused"
    assert (rung(scene, first), rung(scene, second)) == (["1002"], ["1003"])


# --- steps -----------------------------------------------------------------------------------------------------------


def test_a_requirement_widens_step_by_step_with_its_time() -> None:
    """Feature 3.4: levels fall, then anyone; each step is an event with its reason."""
    steps = (StepSetting(for_ms=10_000, min_level=8), StepSetting(for_ms=20_000, min_level=5), StepSetting(skills={}))
    scene = Scene(agents=0, steps=steps)
    scene.configure({"agent-a1": agent(1, zh=9), "agent-a2": agent(2, zh=6), "agent-a3": agent(3, fr=1)})
    scene.talk(1)
    scene.ready(2, 3)
    caller = scene.park()
    assert rung(scene, caller) == []
    scene.wait(9_999)
    assert widened(scene) == []
    scene.wait(1)
    assert rung(scene, caller) == ["1002"]
    assert widened(scene) == [(1, "expired")]
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.bridge(caller, ring)
    another = scene.park()
    scene.wait(30_000)
    assert rung(scene, another) == ["1003"]
    decision = scene.events(c.OfferMade)[-1].decision
    assert (decision.step, decision.requirement) == (2, Requirement())


def test_a_skill_that_nobody_has_is_skipped_at_once_and_the_wait_has_its_end_all_the_same() -> None:
    """Bad input; feature 3.4, complaint 6."""
    scene = Scene(agents=1, steps=(StepSetting(for_ms=60_000, skills={"klingon": 1}),), max_wait_ms=30_000)
    scene.ready(1)
    assert rung(scene, scene.park()) == ["1001"]
    scene.configure({"queue-support": QueueConfigured(name="S", skill="klingon", max_wait_ms=30_000)})
    lost = scene.park()
    scene.wait(30_000)
    assert scene.live(lost).told == "turned_away"


def test_a_queue_that_is_deleted_with_callers_in_it_goes_on_widening_and_serving_them() -> None:
    """Bad input; feature 3.4."""
    scene = Scene(agents=0, steps=(StepSetting(for_ms=5_000, min_level=9),))
    scene.configure({"agent-a1": agent(1, zh=9), "agent-a2": agent(2, zh=1)})
    scene.ready(1)
    scene.park()
    caller = scene.park()
    scene.configure({"queue-support": QueueRemoved()})
    scene.ready(2)
    scene.wait(5_000)
    assert rung(scene, caller) == ["1002"]


def test_a_skill_that_is_removed_while_the_phone_rings_changes_the_next_offer_not_this_one() -> None:
    """Bad input; feature 3.6: whoever answers has the caller."""
    scene = Scene(agents=2)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.configure({"agent-a1": agent(1, fr=1)})
    scene.answer(ring)
    scene.bridge(caller, ring)
    assert scene.live(caller).status == "connected"
    scene.hang_up(caller)
    scene.give(inputs.WrapUp(agent="1001"))
    assert rung(scene, scene.park()) == []


def test_a_queues_new_steps_hold_for_those_who_wait_already() -> None:
    """Features 3.4, 11.1."""
    scene = Scene(agents=0, steps=(StepSetting(for_ms=60_000, min_level=9),))
    scene.configure({"agent-a1": agent(1, zh=9), "agent-a2": agent(2, zh=5)})
    scene.talk(1)
    caller = scene.park()
    scene.ready(2)
    assert rung(scene, caller) == []
    settings = scene.world.queues["support"].settings
    scene.configure({"queue-support": replace(settings, steps=(StepSetting(for_ms=60_000, min_level=4),))})
    assert rung(scene, caller) == ["1002"]
    assert [event.reason for event in scene.events(c.VisitRevised)] == ["reconfigured"]


def test_local_branch_first_by_the_callers_region() -> None:
    """Feature 3.3."""
    scene = Scene(agents=0, steps=(StepSetting(for_ms=5_000, branch="local"),))
    scene.configure(
        {
            "branch-sh": BranchConfigured(name="Shanghai", prefixes=("+8621",)),
            "agent-a1": agent(1, zh=9),
            "agent-a2": replace(agent(2, zh=1), branch="sh"),
        }
    )
    scene.ready(1, 2)
    local, second = scene.park(number="+862155550001"), scene.park(number="+862155550002")
    assert rung(scene, local) == ["1002"]
    assert rung(scene, second) == []
    elsewhere = scene.park(number="+861055550001")
    assert rung(scene, elsewhere) == ["1001"]


# --- who calls -------------------------------------------------------------------------------------------------------


def known(scene: Scene, caller: str, customer: str = "c1", level: str = "") -> None:
    contact = scene.live(caller).contact_id
    scene.give(inputs.IdentifyContact(contact_id=contact, customer_id=customer, level=level))


def test_whoever_is_known_in_time_is_offered_first_to_the_agent_who_served_last() -> None:
    """Feature 3.3: the last agent, for as long as the queue is patient; nobody waits long for a name."""
    scene = Scene(agents=3, last_agent_ms=10_000, wrap_up_ms=0)
    scene.ready(1)
    caller = scene.park()
    known(scene, caller)
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.bridge(caller, ring)
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    scene.give(inputs.Pause(agent="1001", reason="break"))
    scene.ready(2)
    scene.give(inputs.Ready(agent="1001"))
    again = scene.park()
    assert rung(scene, again) == [], "it is waited for to know who calls"
    known(scene, again)
    assert rung(scene, again) == ["1001"]
    assert scene.events(c.ContactIdentified)[-1].last_agent == "a1"
    stranger = scene.park()
    scene.wait(300)
    assert rung(scene, stranger) == ["1002"]
    assert widened(scene)[-1] == (0, "not_identified")


def test_a_queue_that_does_not_care_who_calls_waits_for_no_name() -> None:
    """Feature 3.3."""
    scene = Scene(agents=1)
    scene.ready(1)
    assert rung(scene, scene.park()) == ["1001"]
    assert widened(scene) == []


def test_a_caller_without_a_number_is_not_waited_for() -> None:
    scene = Scene(agents=1, last_agent_ms=10_000)
    scene.ready(1)
    assert rung(scene, scene.park(number="anonymous")) == ["1001"]


def test_a_vip_goes_before_those_who_wait_also_where_the_name_comes_late() -> None:
    """Feature 3.3: the customer level's bonus counts from the moment it is known."""
    scene = Scene(agents=1, known_within_ms=100)
    scene.configure({"level-vip": LevelConfigured(name="VIP", bonus=50)})
    plain = scene.park()
    vip = scene.park()
    scene.wait(1_000)
    known(scene, vip, level="vip")
    scene.ready(1)
    assert rung(scene, vip) == ["1001"]
    assert rung(scene, plain) == []
    assert scene.events(c.OfferMade)[0].decision.rank == {"level": 50}


def test_a_level_that_demands_the_strongest_overrides_a_queue_that_does_not_look_at_levels() -> None:
    """Features 3.2, 3.3: two rules that contradict; the requirement is the one that counts."""
    scene = Scene(agents=0, level_first=False)
    scene.configure(
        {
            "level-vip": LevelConfigured(name="VIP", strongest=True),
            "agent-a1": agent(1, zh=1),
            "agent-a2": agent(2, zh=9),
            "agent-a3": agent(3, zh=1),
        }
    )
    scene.ready(1, 2, 3)
    plain, vip = scene.park(), scene.park()
    known(scene, plain, "c1")
    known(scene, vip, "c2", "vip")
    assert rung(scene, plain) == ["1001"]
    assert rung(scene, vip) == ["1002"]
    assert [event.decision.level_first for event in scene.events(c.OfferMade)] == [False, True]


# --- phones that ring together, or one by one ------------------------------------------------------------------------


def test_ring_all_is_one_offer_with_a_cap_and_losers_go_when_the_winner_is_joined() -> None:
    """Feature 3.2; complaints 3, 9."""
    scene = Scene(agents=4, rule="ring_all", ring_most=3)
    scene.ready(1, 2, 3, 4)
    caller = scene.park()
    assert rung(scene, caller) == ["1001", "1002", "1003"]
    first, second, _ = rings = scene.rings_of(caller)
    for ring in rings:
        scene.ringing(ring)
    scene.answer(second)
    scene.answer(first)
    assert not scene.instructions(HangUpLeg)
    scene.bridge(caller, second)
    assert sorted(each.leg for each in scene.instructions(HangUpLeg)) == sorted(r.leg for r in rings if r is not second)
    assert [scene.status(n) for n in (1, 2, 3, 4)] == ["ready", "talking", "ready", "ready"]


def test_ring_progressively_rings_one_more_every_few_seconds_up_to_its_cap() -> None:
    """Feature 3.2: one offer that grows; each who is rung later has the full time."""
    scene = Scene(agents=4, rule="ring_progressively", ring_most=3, ring_next_ms=4_000, ring_ms=10_000)
    scene.ready(1, 2, 3, 4)
    caller = scene.park()
    begun = scene.now
    assert rung(scene, caller) == ["1001"]
    scene.wait(4_000)
    assert rung(scene, caller) == ["1001", "1002"]
    scene.wait(4_000)
    assert rung(scene, caller) == ["1001", "1002", "1003"]
    scene.wait(4_000)
    assert rung(scene, caller) == ["1001", "1002", "1003"]
    offer = scene.live(caller).offer
    assert offer is not None
    assert offer.deadline == begun + 18_000_000
    assert len(scene.events(c.OfferMade)) == 1
    third = scene.rings_of(caller)[2]
    scene.answer(third)
    scene.bridge(caller, third)
    assert [scene.status(n) for n in (1, 2, 3, 4)] == ["ready", "ready", "talking", "ready"]


@pytest.mark.parametrize("answer_first", (True, False))
def test_an_answer_in_the_moment_in_which_one_more_is_to_be_rung_leaves_nobody_reserved(*, answer_first: bool) -> None:
    """Complaint 3: whichever comes first."""
    scene = Scene(agents=2, rule="ring_progressively", ring_next_ms=4_000)
    scene.ready(1, 2)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.wait(3_999)
    if answer_first:
        scene.answer(ring)
    scene.wait(1)
    if not answer_first:
        scene.answer(ring)
    assert len(scene.rings_of(caller)) == (1 if answer_first else 2)
    scene.bridge(caller, ring)
    for late in scene.rings_of(caller)[1:]:
        scene.hang_up(late.leg, "LOSE_RACE")
    assert (scene.status(1), scene.status(2)) == ("talking", "ready")


def test_where_nobody_else_is_free_the_offer_asks_again_later() -> None:
    """Feature 3.2: whoever comes free meanwhile is rung at the next turn; the offer has its deadline all the same."""
    scene = Scene(agents=2, rule="ring_progressively", ring_next_ms=4_000)
    scene.ready(1)
    caller = scene.park()
    scene.wait(4_000)
    assert [event.reservations for event in scene.events(c.OfferWidened)] == [()]
    scene.ready(2)
    scene.wait(4_000)
    assert rung(scene, caller) == ["1001", "1002"]


def test_a_caller_who_hangs_up_while_phones_ring_one_by_one_frees_them_all() -> None:
    """Complaint 5."""
    scene = Scene(agents=3, rule="ring_progressively", ring_next_ms=4_000)
    scene.ready(1, 2)
    caller = scene.park()
    scene.wait(4_000)
    rings = scene.rings_of(caller)
    scene.hang_up(caller)
    for ring in rings:
        scene.hang_up(ring.leg, "ORIGINATOR_CANCEL")
    assert (scene.status(1), scene.status(2)) == ("ready", "ready")
    scene.wait(60_000)
    assert not scene.world.contacts


# --- whoever did not take it -----------------------------------------------------------------------------------------


def test_whoever_refused_a_contact_is_not_asked_again_while_somebody_else_could_take_it() -> None:
    """Complaint 10; feature 3.9: and the decision says that somebody was passed over for it."""
    scene = Scene(agents=2, cool_down_ms=1_000)
    scene.ready(1)
    caller = scene.park()
    scene.hang_up(scene.ring_of(caller).leg, "CALL_REJECTED")
    assert rung(scene, caller) == []
    scene.give(inputs.SignIn(agent="1002"))
    scene.give(inputs.Ready(agent="1002"))
    assert rung(scene, caller) == ["1002"], "the other one is busy cooling down"
    scene.wait(1_000)
    scene.hang_up(scene.ring_of(caller).leg, "USER_BUSY")
    scene.wait(1)
    assert rung(scene, caller) == ["1001"], "nobody else is there: asked again, after the cool-down"


def test_of_two_who_are_free_the_one_who_just_refused_comes_last() -> None:
    """Complaint 10: although idle for longer."""
    scene = Scene(agents=2, cool_down_ms=0)
    scene.ready(1, 2)
    caller = scene.park()
    assert rung(scene, caller) == ["1001"]
    scene.hang_up(scene.ring_of(caller).leg, "CALL_REJECTED")
    assert rung(scene, caller) == ["1002"]
    decision = scene.events(c.OfferMade)[-1].decision
    assert [x.agent_id for x in decision.candidates] == ["a2"]


# --- why -------------------------------------------------------------------------------------------------------------


def test_a_decision_counts_the_others_by_why_they_were_out() -> None:
    """Feature 3.9, complaint 25: level, branch, name and state; the rank of the contact by its parts."""
    scene = Scene(agents=0, priority=3, age_per_min=2, age_cap=10, rule="fewest_calls", steps=(
        StepSetting(for_ms=600_000, min_level=5, branch="sh"),))  # fmt: skip
    people = {1: ("sh", 7), 2: ("sh", 2), 3: ("bj", 9), 4: ("sh", 8), 5: ("sh", 6)}
    scene.configure({f"agent-a{n}": replace(agent(n, zh=level), branch=at) for n, (at, level) in people.items()})
    scene.ready(2, 3, 4)
    scene.give(inputs.Pause(agent="1004", reason="break"))
    scene.give(inputs.SignIn(agent="1001"))
    scene.give(inputs.SignIn(agent="1005"))
    scene.give(inputs.Ready(agent="1005"))
    scene.talk(5)
    caller = scene.park()
    scene.wait(90_000)
    scene.give(inputs.Ready(agent="1001"))
    assert scene.live(caller).offer is not None
    decision = scene.events(c.OfferMade)[-1].decision
    assert decision.others == {"level_too_low": 1, "paused": 1, "talking": 1, "wrong_branch": 1}
    assert decision.rank == {"priority": 3, "aged": 3}
    assert (decision.window, decision.step) == ("shift", 0)
    assert decision.candidates[0].score == {"calls": 0}


def test_an_agent_in_two_hundred_queues_takes_whoever_should_be_served_first_of_all() -> None:
    """Bad input; complaint 21."""
    scene = Scene(agents=0)
    skills = {f"s{n}": 1 for n in range(200)}
    changes: dict[str, Event] = {"agent-a1": AgentConfigured(number="1001", name="A", extension="1001", skills=skills)}
    for n in range(200):
        changes[f"queue-q{n}"] = QueueConfigured(name=f"Q{n}", skill=f"s{n}", priority=n % 7)
        changes[f"entry-e{n}"] = EntryPointConfigured(name=f"E{n}", numbers=(f"9{n}",), queue_id=f"q{n}")
    scene.configure(changes)
    callers = [scene.park(f"9{n}") for n in range(200)]
    scene.ready(1)
    assert rung(scene, callers[6]) == ["1001"]


def test_an_offer_that_is_too_late_to_widen_stays_as_it_is() -> None:
    """Feature 3.6: of an offer that is over, or another one by now, a late timer changes nothing."""
    scene = Scene(agents=2, rule="ring_progressively", ring_next_ms=4_000, ring_ms=6_000)
    scene.ready(1)
    caller = scene.park()
    scene.hang_up(caller)
    scene.ready(2)
    scene.wait(10_000)
    assert scene.events(c.OfferWidened) == []
