"""Phones that register and go: told once, never offered while they are known to be gone, offered again at once."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.explaining import explain
from orchestrator.domain.switch import facts, nodes
from orchestrator.runner import Outcome, inputs
from tests.runner.scene import NODE, Scene, story

HERE = {"1001": True, "1002": True}


def registers(scene: Scene, extension: str = "1001", node: str = NODE) -> Outcome:
    return scene.give(facts.PhoneRegistered(node=node, extension=extension, expires_s=60))


def goes(scene: Scene, extension: str = "1001", node: str = NODE, *, expired: bool = False) -> Outcome:
    return scene.give(facts.PhoneGone(node=node, extension=extension, expired=expired))


def listing(agents: int = 2, phones: dict[str, bool] | None = None, **queue: object) -> Scene:
    """A switch that lists its accounts, where both phones are registered unless told otherwise."""
    scene = Scene(agents=agents, connected=False, **queue)
    scene.connect(phones=HERE if phones is None else phones)
    return scene


# --- what is told ----------------------------------------------------------------------------------------------------
def test_a_phone_is_told_of_when_it_comes_and_goes_and_not_when_it_says_that_it_is_still_there() -> None:
    """Feature 9.1; law 6."""
    scene = Scene()
    assert [story(registers(scene)) for _ in range(3)] == [["PhoneRegistered"], [], []]
    assert [story(goes(scene)) for _ in range(2)] == [["PhoneUnregistered"], []]
    registers(scene)
    goes(scene, expired=True)
    assert [event.why for event in scene.events(nodes.PhoneUnregistered)] == ["unregistered", "expired"]


def test_a_connect_tells_only_what_is_different_by_then() -> None:
    """Law 5: the truth is read from the switch."""
    scene = listing()
    assert scene.events(nodes.PhonesCompared) == [nodes.PhonesCompared(registered=("1001", "1002"))]
    scene.disconnect()
    assert story(scene.connect(phones=HERE)) == ["NodeReconciled"]
    scene.disconnect()
    scene.connect(phones={"1001": False, "1003": True})
    told = nodes.PhonesCompared(registered=("1003",), unregistered=("1001",), forgotten=("1002",))
    assert scene.events(nodes.PhonesCompared)[-1] == told


def test_a_doubt_finds_what_was_lost_and_forgets_nothing_that_only_came_as_news() -> None:
    scene = listing()
    registers(scene, "1009")
    assert story(scene.snapshot(phones={"1001": True, "1002": False})) == ["PhonesCompared"]
    assert scene.events(nodes.PhonesCompared)[-1] == nodes.PhonesCompared(unregistered=("1002",))
    assert scene.world.phone("1009") == nodes.REGISTERED


def test_news_over_a_connection_that_is_lost_by_now_is_none() -> None:
    scene = listing()
    scene.disconnect()
    assert story(goes(scene)) == []


# --- what is decided -------------------------------------------------------------------------------------------------
def test_an_agent_whose_phone_is_gone_is_never_offered_and_the_next_one_is() -> None:
    """Issue 5, nodes: an unreachable phone is never offered; the decision record and the explanation say why not."""
    scene = listing()
    scene.ready(1, 2)
    goes(scene)
    since = scene.now
    scene.wait(5_000)
    caller = scene.park()
    assert scene.ring_of(caller).extension == "1002"
    (made,) = scene.events(c.OfferMade)
    assert made.decision is not None
    assert made.decision.others == {"phone_gone": 1}
    goes(scene, "1002")
    other = scene.park()
    assert scene.rings_of(other) == []
    (obstacle,) = explain(scene.world, scene.live(other), "a1", scene.now).obstacles
    assert (obstacle.code, obstacle.since) == ("phone_gone", since)


def test_a_phone_that_is_back_is_rung_at_once_for_whoever_waits() -> None:
    scene = listing(agents=1)
    scene.ready(1)
    goes(scene)
    caller = scene.park()
    assert scene.status(1) == "ready"
    assert story(registers(scene)) == ["PhoneRegistered", "OfferMade", "AgentReserved"]
    assert scene.ring_of(caller).extension == "1001"


def test_a_phone_that_was_never_registered_is_gone_where_the_switch_lists_its_account() -> None:
    scene = listing(agents=1, phones={"1001": False})
    scene.ready(1)
    caller = scene.park()
    assert scene.rings_of(caller) == []
    registers(scene)
    assert scene.ring_of(caller).extension == "1001"


@pytest.mark.parametrize("phones", ({}, {"1002": False}), ids=("no list", "another's account"))
def test_a_phone_that_no_switch_says_anything_of_is_offered(phones: dict[str, bool]) -> None:
    """Unknown is not gone: phones that are reached without a registration ring as before."""
    scene = listing(agents=1, phones=phones)
    scene.ready(1)
    assert scene.world.phone("1001") == nodes.UNKNOWN
    assert scene.ring_of(scene.park()).extension == "1001"


def test_what_a_lost_switch_said_of_phones_counts_no_more_until_it_is_back() -> None:
    scene = listing(agents=1, phones={"1001": False})
    scene.ready(1)
    scene.disconnect()
    assert scene.world.phone("1001") == nodes.UNKNOWN
    assert scene.is_free(1)
    scene.connect(phones={"1001": False})
    assert scene.world.phone("1001") == nodes.GONE
    assert not scene.is_free(1)


def test_after_a_restart_of_the_engine_the_phones_are_asked_after_anew() -> None:
    """Feature 12.1: whoever came back meanwhile is offered as soon as ledger and switch agree."""
    scene = listing(agents=1)
    scene.ready(1)
    goes(scene)
    caller = scene.park()
    scene.restart()
    assert scene.world.phone("1001") == nodes.UNKNOWN
    scene.connect(legs=(scene.seen(caller),), phones={"1001": True})
    assert story(scene.outcome) == ["PhonesCompared", "NodeReconciled", "OfferMade", "AgentReserved"]


def test_of_several_switches_one_that_can_reach_a_phone_is_enough_while_it_is_there() -> None:
    """Feature 12.5."""
    scene = listing(agents=1, phones={"1001": False})
    scene.connect(phones={"1001": True}, node="sw2")
    scene.ready(1)
    caller = scene.park()
    assert scene.ring_of(caller).extension == "1001"
    scene.hang_up(scene.ring_of(caller).leg)
    scene.hang_up(caller)
    scene.wait(20_000)
    scene.disconnect("sw2")
    assert scene.world.phone("1001") == nodes.GONE
    assert scene.rings_of(scene.park()) == []


def test_nobody_is_kept_waiting_for_an_agent_whose_phone_is_gone() -> None:
    """Complaint 6: the step that only this agent could satisfy is over at once."""
    scene = listing(named_agent_ms=60_000, wrap_up_ms=60_000)
    named = EntryPointConfigured(name="m", numbers=("4001",), queue_id="support", agent_id="a1")
    scene.configure({"entry-main": named})
    scene.talk(1)
    scene.ready(2)
    caller = scene.park()
    scene.hang_up(scene.events(c.ContactArrived)[0].leg)
    assert scene.status(1) == "wrapping_up"
    goes(scene)
    assert scene.rings_of(caller) == []
    scene.give(inputs.WrapUp(agent="1001", code="x"))
    assert scene.ring_of(caller).extension == "1002"
    assert [event.reason for event in scene.events(c.VisitWidened)] == ["nobody_could"]


def test_nobody_takes_a_call_by_hand_with_a_phone_that_is_gone() -> None:
    """Complaint 3: whoever chooses is told why, before a caller hears anything of it."""
    scene = listing(agents=1, pick="skilled")
    scene.ready(1)
    goes(scene)
    caller = scene.park()
    assert scene.refusal(inputs.Pick(agent="1001", contact=scene.live(caller).contact_id)) == "phone_gone"
    assert scene.live(caller).status == "waiting"


def test_a_talk_goes_on_whatever_becomes_of_the_registration() -> None:
    scene = listing(agents=1)
    caller, _ = scene.talk(1)
    assert story(goes(scene)) == ["PhoneUnregistered"]
    assert scene.live(caller).status == "connected"
