"""Whenever this happens, then that follows: each policy asked by itself, with a world that a scene has made."""

import inspect

import pytest

from orchestrator.domain.contacts import commands as k
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import MILLISECOND, Event, Instant, Record
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.queues import QueueConfigured, QueueRemoved
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    AnswerCaller,
    HangUpLeg,
    HoldLeg,
    PlayApology,
    ResumeLeg,
    StartRecording,
)
from orchestrator.policies import POLICIES
from orchestrator.policies.admit import admit
from orchestrator.policies.base import Do, Happened, Ids, Policy, TellContact, TellShift
from orchestrator.policies.reserve import reserve
from orchestrator.policies.talk import talk
from orchestrator.policies.wrap_up import wrap_up
from orchestrator.runner import inputs
from tests.runner.scene import NODE, Scene, agent, names


def asked(policy: Policy, scene: Scene, kind: type[Event]) -> list[Do]:
    """What the policy answers to the last event of a kind, with what it was told when it happened."""
    record = next(record for record in reversed(scene.records) if isinstance(record.event, kind))
    return list(policy(scene.world, Happened(record, *around(scene, record)), Ids("i")))


def around(scene: Scene, record: Record) -> tuple[object, object]:
    """The stream's aggregate before and after this record, by folding the log up to it."""
    world = type(scene.world)()
    for each in scene.records:
        before, after = world.apply(each)
        if each is record:
            return before, after
    raise AssertionError("the record is not in the log")


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_a_policy_says_in_its_first_line_what_it_does_whenever(policy: Policy) -> None:
    doc = inspect.getdoc(policy) or ""
    assert doc.startswith("Whenever ")
    assert " then " in " ".join(doc.split())


def test_ids_are_the_same_whenever_the_same_input_is_stepped_again() -> None:
    """Law 3; feature 11.4."""
    one, other = Ids("input"), Ids("input")
    assert [one.new("leg"), one.new("leg")] == [other.new("leg"), other.new("leg")]
    assert one.of("bridge", "L") == other.of("bridge", "L") == one.of("bridge", "L")
    assert len({one.new("leg"), one.new("leg"), one.of("leg", "x"), one.of("leg", "y"), Ids("another").new("leg")}) == 5


# --- admit -----------------------------------------------------------------------------------------------------------


def placed(scene: Scene, dialled: str) -> k.Command:
    scene.park(dialled)
    (do,) = asked(admit, scene, c.ContactArrived)
    assert isinstance(do, TellContact)
    return do.command


def test_a_dialled_number_leads_to_its_queue_with_the_queues_own_settings() -> None:
    """Features 1.1, 3.1."""
    scene = Scene(min_level=4, priority=7, music="jazz", max_wait_ms=9_000)
    command = placed(scene, "4001")
    assert isinstance(command, k.Queue)
    assert (command.queue_id, command.entry_id, command.skill) == ("support", "main", "zh")
    assert (command.min_level, command.priority, command.music) == (4, 7, "jazz")
    assert command.leave_by == scene.now + 9_000 * MILLISECOND
    assert not command.unknown_number


def test_an_unknown_number_takes_the_default_entry_point_and_is_an_alarm() -> None:
    """Feature 3.11; bad input: unknown dialled number."""
    scene = Scene()
    scene.configure({"entry-rest": EntryPointConfigured(name="rest", numbers=("*",), queue_id="support")})
    command = placed(scene, "7777")
    assert isinstance(command, k.Queue)
    assert command.unknown_number
    assert command.entry_id == "rest"


def test_an_unknown_number_without_a_default_is_turned_away_never_left_in_silence() -> None:
    """Feature 3.11."""
    scene = Scene()
    command = placed(scene, "7777")
    assert command == k.TurnAway(reason="no_entry_point", prompt="no_entry_point", unknown_number=True)
    assert [type(each) for each in scene.outcome.instructions] == [AnswerCaller, PlayApology]


def test_an_entry_point_whose_queue_is_gone_turns_away() -> None:
    """Feature 3.11: a queue without configuration never swallows a call."""
    scene = Scene()
    scene.configure({"queue-support": QueueRemoved()})
    assert isinstance(placed(scene, "4001"), k.TurnAway)
    scene.configure({"entry-main": EntryPointConfigured(name="main", numbers=("4001",), queue_id="nowhere")})
    assert isinstance(placed(scene, "4001"), k.TurnAway)


def test_a_hostile_number_is_no_number() -> None:
    """Law 10: it is cleaned before it is looked up."""
    scene = Scene()
    scene.park("4001\nevil")
    assert scene.events(c.ContactArrived)[0].dialled == "4001evil"
    assert scene.events(c.EntryPointMissing)[0].dialled == "4001evil"


def test_a_caller_who_is_turned_away_after_a_wait_is_not_answered_again() -> None:
    """Feature 2.5."""
    scene = Scene(max_wait_ms=5_000)
    scene.park()
    scene.wait(5_000)
    assert [type(each) for each in scene.outcome.instructions] == [PlayApology]


# --- reserve ---------------------------------------------------------------------------------------------------------


def test_an_offer_reserves_its_agents_and_its_end_releases_them() -> None:
    """Feature 3.6; complaint 3: in the same transaction."""
    scene = Scene(agents=2, ring_at_once=2)
    scene.ready(1, 2)
    caller = scene.park()
    dos = asked(reserve, scene, c.OfferMade)
    assert [do.command for do in dos if isinstance(do, TellShift)] == [
        s.Reserve(offer_id=scene.rings_of(caller)[0].offer, contact_id=scene.live(caller).contact_id, now=scene.now)
    ] * 2
    offer = scene.rings_of(caller)[0].offer
    scene.hang_up(caller)
    cool_until = Instant(scene.now + 10_000 * MILLISECOND)
    assert [do.command for do in asked(reserve, scene, c.OfferWithdrawn) if isinstance(do, TellShift)] == [
        s.Release(offer_id=offer, outcome="withdrawn", cool_until=cool_until)
    ] * 2


def test_a_wish_that_is_taken_back_withdraws_nothing() -> None:
    """Feature 4.1."""
    scene = Scene(agents=1)
    scene.talk()
    scene.give(inputs.SignOut(agent="1001"))
    scene.give(inputs.Ready(agent="1001"))
    assert asked(reserve, scene, s.SignOutRequested) == []


# --- distribute ------------------------------------------------------------------------------------------------------


def test_the_decision_says_why_this_agent() -> None:
    """Features 3.9, 3.2; law 14: the best few by level and idle time, the others by their state."""
    scene = Scene(agents=0)
    scene.configure(
        {f"agent-a{n}": agent(n, zh=level) for n, level in ((1, 2), (2, 9), (3, 2), (4, 2), (5, 2), (6, 5))}
    )
    scene.ready(1, 2, 3, 4, 5, 6)
    scene.give(inputs.Pause(agent="1005", reason="break"))
    scene.park()
    (made,) = scene.events(c.OfferMade)
    assert made.decision.rule == "longest_idle"
    assert made.decision.config_version == scene.world.config_version == 2
    assert [(x.agent_id, x.level, x.idle_ms) for x in made.decision.candidates] == [
        ("a2", 9, 5_000),
        ("a6", 5, 1_000),
        ("a1", 2, 6_000),
    ]
    assert made.decision.others == {"paused": 1}
    assert [held.agent_id for held in made.reservations] == ["a2"]


def test_several_phones_ring_at_once_where_the_queue_says_so() -> None:
    """Feature 3.2 (ring all): as many as are free, up to that number."""
    scene = Scene(agents=3, ring_at_once=5)
    scene.ready(1, 2, 3)
    caller = scene.park()
    assert sorted(ring.extension for ring in scene.rings_of(caller)) == ["1001", "1002", "1003"]


def test_agents_who_come_free_take_the_callers_in_the_order_of_their_calls() -> None:
    """Feature 3.3; complaint 21."""
    scene = Scene(agents=2)
    first, second, third = scene.park(), scene.park(), scene.park()
    scene.ready(1)
    assert len(scene.rings_of(first)) == 1
    scene.ready(2)
    assert len(scene.rings_of(second)) == 1
    assert not scene.rings_of(third)


def test_one_step_serves_everybody_who_can_be_served() -> None:
    """Complaint 21: agents and callers over two queues, all at once when the configuration lets them meet; whoever has
    waited longest over all queues is served first.
    """
    scene = Scene(agents=0)
    scene.configure(
        {
            "queue-sales": QueueConfigured(name="Sales", skill="sell"),
            "entry-shop": EntryPointConfigured(name="shop", numbers=("4002",), queue_id="sales"),
            "agent-a1": agent(1, fr=1),
            "agent-a2": agent(2, fr=1),
        }
    )
    scene.ready(1, 2)
    old = scene.park("4002")
    scene.wait(1_000)
    young = scene.park("4001")
    youngest = scene.park("4001")
    scene.configure({"agent-a1": agent(1, zh=1, sell=1), "agent-a2": agent(2, zh=1, sell=1)})
    assert [len(scene.rings_of(caller)) for caller in (old, young, youngest)] == [1, 1, 0]


# --- talk and wrap-up ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("record", "recorded"), (("always", True), ("on_demand", False), ("never", False)))
def test_a_talk_is_recorded_where_its_queue_says_so(record: str, *, recorded: bool) -> None:
    """Feature 8.1: one file for each conversation, named by our own id."""
    scene = Scene(record=record)
    scene.talk()
    files = [each.file for each in scene.instructions(StartRecording)]
    segment = scene.events(c.ContactConnected)[0].segment_id
    assert files == ([f"{segment}.wav"] if recorded else [])


def test_hold_and_resume_follow_what_was_asked_for() -> None:
    """Feature 4.3."""
    scene = Scene()
    _, ring = scene.talk()
    scene.wait(1_000)
    scene.give(inputs.Hold(agent="1001"))
    assert [type(do) for do in asked(talk, scene, c.HoldRequested)] == [HoldLeg]
    scene.give(facts.LegHeld(node=NODE, leg=ring.leg))
    scene.wait(1_000)
    scene.give(inputs.Resume(agent="1001"))
    assert [type(do) for do in asked(talk, scene, c.ResumeRequested)] == [ResumeLeg]


@pytest.mark.parametrize(("wrap_up_ms", "commands"), ((0, ["StartWrapUp", "EndWrapUp"]), (5_000, ["StartWrapUp"])))
def test_wrap_up_lasts_as_long_as_the_queue_says(wrap_up_ms: int, commands: list[str]) -> None:
    """Complaint 11; feature 4.1: also where it is no time at all, with its two events."""
    scene = Scene(wrap_up_ms=wrap_up_ms)
    caller, _ = scene.talk()
    scene.hang_up(caller)
    dos = [do.command for do in asked(wrap_up, scene, c.AgentSegmentEnded) if isinstance(do, TellShift)]
    assert names(dos) == commands
    assert isinstance(dos[0], s.StartWrapUp)
    assert dos[0].until == scene.now + wrap_up_ms * MILLISECOND
    assert len(scene.events(s.WrapUpStarted)) == 1


# --- ring out --------------------------------------------------------------------------------------------------------


def test_whoever_is_left_on_the_line_when_the_talk_ends_is_hung_up() -> None:
    """Complaint 5; feature 4.3."""
    scene = Scene()
    caller, ring = scene.talk()
    scene.hang_up(ring.leg)
    assert [(each.leg, each.cause) for each in scene.instructions(HangUpLeg)] == [(caller, "NORMAL_CLEARING")]


def test_everything_is_hung_up_with_the_networks_word_for_why() -> None:
    """Feature 12.1: a demo that stops tells its callers that it is temporary."""
    scene = Scene()
    caller, ring = scene.talk()
    scene.give(inputs.EndAll(reason="stopped"))
    assert {(each.leg, each.cause) for each in scene.instructions(HangUpLeg)} == {
        (caller, "NORMAL_TEMPORARY_FAILURE"),
        (ring.leg, "NORMAL_TEMPORARY_FAILURE"),
    }


def test_the_switch_rings_a_little_longer_than_we_do() -> None:
    """Law 9: our deadline comes first; the switch's own only matters when we are gone."""
    scene = Scene(ring_ms=15_000)
    scene.ready(1)
    ring = scene.ring_of(scene.park())
    assert ring.ring_ms == 17_000
    assert ring.deadline == scene.now + 15_000 * MILLISECOND
