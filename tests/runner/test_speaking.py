"""What of an agent comes through: muted and heard again, and keys whose digits are nowhere kept (feature 4.3)."""

import msgspec
import pytest

from orchestrator.domain.contacts import speaking as v
from orchestrator.domain.contacts.contacts import Segment
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import Instruction, MuteLeg, RingAgent, SendDigits, UnmuteLeg
from orchestrator.runner import inputs as i
from tests.runner.scene import NODE, Scene, story

MUTE, UNMUTE = i.Mute(agent="1001"), i.Unmute(agent="1001")


def talking() -> tuple[Scene, str, RingAgent]:
    """Agent 1 talks with a caller; agent 2 is ready."""
    scene = Scene(agents=2)
    scene.ready(2)
    scene.give(i.Pause(agent="1002", reason="break"))
    caller, ring = scene.talk(1)
    scene.give(i.Ready(agent="1002"))
    return scene, caller, ring


def segment(scene: Scene, caller: str) -> Segment:
    """The conversation of this caller."""
    found = scene.live(caller).segment
    assert found is not None
    return found


def says(scene: Scene, leg: str, *, on: bool) -> list[str]:
    """The switch says that the leg is muted, or heard again."""
    return story(scene.give(facts.MuteSet(node=NODE, leg=leg, on=on)))


def told(scene: Scene) -> list[type[Instruction]]:
    """Mutes that the switch was told of, in order."""
    return [type(each) for each in scene.told if isinstance(each, MuteLeg | UnmuteLeg)]


def test_an_agent_is_muted_once_the_switch_says_so_and_stays_so_through_a_hold() -> None:
    scene, caller, ring = talking()
    assert story(scene.give(MUTE)) == ["MuteAsked"]
    assert [each.leg for each in scene.instructions(MuteLeg)] == [ring.leg]
    assert not segment(scene, caller).muted
    assert says(scene, ring.leg, on=True) == ["AgentMuted"]
    assert story(scene.give(MUTE)) == []
    scene.wait(1_000)
    scene.give(i.Hold(agent="1001"))
    scene.give(facts.LegHeld(node=NODE, leg=ring.leg))
    assert segment(scene, caller).muted
    assert story(scene.give(UNMUTE)) == ["UnmuteAsked"]
    assert says(scene, ring.leg, on=False) == ["AgentUnmuted"]
    assert says(scene, ring.leg, on=False) == []
    assert not segment(scene, caller).muted
    assert told(scene) == [MuteLeg, UnmuteLeg]


def test_whoever_takes_it_back_before_the_switch_has_answered_is_heard_in_the_end() -> None:
    scene, caller, ring = talking()
    scene.give(MUTE)
    assert story(scene.give(UNMUTE)) == ["UnmuteAsked"]
    assert says(scene, ring.leg, on=True) == ["AgentMuted"]
    assert segment(scene, caller).mute_wish == "unmute"
    assert says(scene, ring.leg, on=False) == ["AgentUnmuted"]
    assert not segment(scene, caller).muted


def test_a_mute_that_the_switch_does_not_do_is_no_mute_and_another_press_tells_it_again() -> None:
    """Complaint 13: what is shown is what the switch has said."""
    scene, caller, _ = talking()
    scene.give(MUTE)
    assert story(scene.failed(scene.instructions(MuteLeg)[0], "timeout")) == ["MuteFailed"]
    assert (segment(scene, caller).muted, segment(scene, caller).mute_failed) == (False, True)
    assert story(scene.give(MUTE)) == ["MuteAsked"]
    assert told(scene) == [MuteLeg, MuteLeg]


@pytest.mark.parametrize("confirmed", ("confirmed", ""))
def test_an_engine_that_starts_again_tells_a_mute_again_whether_or_not_it_was_confirmed(confirmed: str) -> None:
    """Law 5, feature 12.1."""
    scene, caller, ring = talking()
    scene.give(MUTE)
    if confirmed:
        says(scene, ring.leg, on=True)
    scene.restart()
    scene.connect(
        legs=(
            scene.seen(caller, parked=False, bridged_to=ring.leg),
            scene.seen_phone(ring, answered=True, bridged_to=caller),
        )
    )
    assert told(scene) == [MuteLeg, MuteLeg]


def test_the_agent_who_gets_the_caller_next_is_heard() -> None:
    """A mute ends with the leg."""
    scene, caller, ring = talking()
    scene.give(MUTE)
    says(scene, ring.leg, on=True)
    scene.give(i.Transfer(agent="1001", to_agent="1002"))
    second = scene.ring_of(caller)
    scene.ringing(second)
    scene.answer(second)
    scene.bridge(caller, second)
    assert not segment(scene, caller).muted
    assert says(scene, ring.leg, on=True) == []


def test_digits_go_to_the_caller_and_no_event_has_them() -> None:
    scene, caller, _ = talking()
    assert story(scene.give(i.SendDigits(agent="1001", digits="42#"))) == ["KeysPressed"]
    (sent,) = scene.instructions(SendDigits)
    assert (sent.leg, sent.digits) == (caller, "42#")
    (said,) = scene.events(v.KeysPressed)
    assert (said.to, said.count) == ("caller", 3)
    assert b"42#" not in b"".join(msgspec.json.encode(record.event) for record in scene.records)


def test_under_a_mask_digits_are_sent_and_not_even_counted() -> None:
    """Bad input of call control: a mask is there so that card data may be passed on, and it is (decision 0076)."""
    scene, caller, _ = talking()
    file = f"{segment(scene, caller).segment_id}.wav"
    scene.give(facts.RecordingStarted(node=NODE, leg=caller, path=f"/r/{file}"))
    scene.give(i.MaskRecording(agent="1001"))
    scene.give(i.SendDigits(agent="1001", digits="4111111111111111"))
    assert [each.count for each in scene.events(v.KeysPressed)] == [0]
    assert [each.leg for each in scene.instructions(SendDigits)] == [caller]


def test_in_a_consultation_digits_go_to_whoever_hears_the_agent() -> None:
    """A menu of a company that is asked about the caller."""
    scene, caller, ring = talking()
    scene.give(i.Consult(agent="1001", to_agent="1002"))
    assert scene.refusal(i.SendDigits(agent="1001", digits="1")) == "on_hold"
    colleague = scene.instructions(RingAgent)[-1]
    scene.answer(colleague)
    assert scene.refusal(i.SendDigits(agent="1001", digits="1")) == "on_hold"
    scene.give(facts.LegBridged(node=NODE, leg=ring.leg, other=colleague.leg))
    scene.give(i.SendDigits(agent="1001", digits="1"))
    scene.give(i.SwitchConsult(agent="1001"))
    scene.give(facts.LegBridged(node=NODE, leg=caller, other=ring.leg))
    scene.give(i.SendDigits(agent="1001", digits="2"))
    assert [each.leg for each in scene.instructions(SendDigits)] == [colleague.leg, caller]
    assert [each.to for each in scene.events(v.KeysPressed)] == ["consulted", "caller"]


@pytest.mark.parametrize("digits", ("", "12a", "1 2", "1\n2", "0" * 41))
def test_what_no_keypad_has_is_refused(digits: str) -> None:
    scene, _, _ = talking()
    assert scene.refusal(i.SendDigits(agent="1001", digits=digits)) == "bad_digits"


def test_keys_and_mute_need_a_talk_and_keys_a_switch() -> None:
    scene, _, ring = talking()
    assert scene.refusal(i.Mute(agent="1002")) == "not_talking"
    assert scene.refusal(i.SendDigits(agent="1002", digits="1")) == "not_talking"
    scene.disconnect()
    assert scene.refusal(i.SendDigits(agent="1001", digits="1")) == "switch_away"
    assert scene.refusal(MUTE) == ""
    scene.hang_up(ring.leg)
    assert scene.refusal(MUTE) == "not_talking"
