"""What people ask for at the desk: done, or refused with a code that a program can read."""

from collections.abc import Callable

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.staff.reasons import (
    PauseReason,
    PauseReasonsConfigured,
    Reason,
    WrapUpReason,
    WrapUpReasonsConfigured,
)
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import AnswerPhone, HangUpLeg, RingAgent
from orchestrator.runner import inputs as i
from tests.runner.scene import NODE, Scene, story


def signed_in() -> Scene:
    scene = Scene(agents=2)
    scene.give(i.SignIn(agent="1001"))
    return scene


def rung() -> Scene:
    scene = Scene(agents=2)
    scene.ready(1)
    scene.ringing(scene.ring_of(scene.park()))
    return scene


def talking() -> Scene:
    scene = Scene(agents=2)
    scene.talk()
    return scene


def held() -> Scene:
    scene = talking()
    scene.give(i.Hold(agent="1001"))
    ring = scene.instructions(RingAgent)[0]
    scene.give(facts.LegHeld(node=NODE, leg=ring.leg))
    return scene


REFUSED = (
    ("unknown_agent", Scene, i.SignIn(agent="7777")),
    ("unknown_agent", Scene, i.Ready(agent="7777")),
    ("already_signed_in", signed_in, i.SignIn(agent="1001")),
    ("extension_taken", signed_in, i.SignIn(agent="1002", extension="1001")),
    ("bad_extension", Scene, i.SignIn(agent="1001", extension="1001@evil")),
    ("bad_extension", Scene, i.SignIn(agent="1001", extension="1" * 21)),
    ("bad_extension", Scene, i.SignIn(agent="1001", extension="١٠٠١")),
    ("not_signed_in", Scene, i.Ready(agent="1001")),
    ("not_signed_in", Scene, i.SignOut(agent="1001")),
    ("bad_reason", signed_in, i.Pause(agent="1001", reason="")),
    ("bad_reason", signed_in, i.Pause(agent="1001", reason="lunch; drop table")),
    ("bad_reason", signed_in, i.Pause(agent="1001", reason="x" * 41)),
    ("no_offer", signed_in, i.Accept(agent="1001")),
    ("no_offer", signed_in, i.Reject(agent="1001")),
    ("no_offer", talking, i.Accept(agent="1001")),
    ("not_talking", signed_in, i.Hold(agent="1001")),
    ("not_talking", rung, i.Hold(agent="1001")),
    ("not_talking", rung, i.HangUp(agent="1001")),
    ("not_talking", signed_in, i.HangUp(agent="1001")),
    ("not_held", talking, i.Resume(agent="1001")),
    ("already_held", held, i.Hold(agent="1001")),
    ("in_contact", talking, i.Ready(agent="1001")),
    ("in_contact", rung, i.Ready(agent="1001")),
    ("not_wrapping_up", talking, i.WrapUp(agent="1001")),
    ("bad_reason", signed_in, i.WrapUp(agent="1001", code="\n")),
)  # fmt: skip


@pytest.mark.parametrize(("code", "make", "command"), REFUSED, ids=lambda value: getattr(value, "__name__", str(value)))
def test_what_is_not_allowed_is_refused_with_its_code_and_changes_nothing(
    code: str, make: Callable[[], Scene], command: i.DeskCommand
) -> None:
    """Features 4.1, 4.3; bad input: an action that is illegal in its state."""
    scene = make()
    before = len(scene.records)
    assert scene.refusal(command) == code
    assert len(scene.records) == before
    assert scene.outcome.refused is not None
    assert str(scene.outcome.refused).endswith(".")


def test_an_agent_may_sit_at_another_phone() -> None:
    """Feature 4.1."""
    scene = Scene(agents=1)
    scene.give(i.SignIn(agent="1001", extension="2002"))
    scene.give(i.Ready(agent="1001"))
    assert scene.ring_of(scene.park()).extension == "2002"


def test_an_extension_is_free_again_when_its_agent_has_left() -> None:
    """Feature 4.1."""
    scene = signed_in()
    scene.give(i.SignOut(agent="1001"))
    assert scene.refusal(i.SignIn(agent="1002", extension="1001")) == ""


def test_accepting_at_the_desk_asks_the_phone_to_answer_by_itself() -> None:
    """Features 4.3, 4.6."""
    scene = rung()
    scene.give(i.Accept(agent="1001"))
    assert len(scene.instructions(AnswerPhone)) == 1
    assert [event.shift_id for event in scene.events(c.OfferAcceptRequested)] == list(scene.world.shifts)


def test_rejecting_twice_is_one_rejection_and_forbids_accepting() -> None:
    """Feature 4.3; complaint 10."""
    scene = rung()
    scene.give(i.Reject(agent="1001"))
    assert story(scene.give(i.Reject(agent="1001"))) == []
    assert scene.refusal(i.Accept(agent="1001")) == "no_offer"
    assert len(scene.instructions(HangUpLeg)) == 1


def test_accepting_what_a_colleague_already_has_is_refused() -> None:
    """Features 3.2, 4.3."""
    scene = Scene(agents=2, ring_at_once=2)
    scene.ready(1, 2)
    first, second = scene.rings_of(scene.park())
    scene.ringing(second)
    scene.answer(first)
    late = "1001" if first.extension == "1002" else "1002"
    assert scene.refusal(i.Accept(agent=late)) == "no_offer"


def test_a_pause_that_is_asked_for_during_a_talk_comes_after_the_wrap_up() -> None:
    """Feature 4.1: busy asked for during a call takes effect when it ends."""
    scene = talking()
    scene.give(i.Pause(agent="1001", reason="break"))
    assert scene.status(1) == "talking"
    for leg in list(scene.world.contact_of_leg):
        scene.hang_up(leg)
    assert scene.status(1) == "wrapping_up"
    scene.wait(30_000)
    assert [event.reason for event in scene.events(s.AgentPaused)] == ["break"]


def test_ready_takes_back_the_pause_and_the_sign_out_that_were_asked_for() -> None:
    """Feature 4.1: the newest wish counts, during the talk and during the wrap-up."""
    scene = talking()
    scene.give(i.Pause(agent="1001", reason="break"))
    scene.give(i.SignOut(agent="1001"))
    assert story(scene.give(i.Ready(agent="1001"))) == ["PauseRequested", "SignOutRequested"]
    scene.give(i.SignOut(agent="1001"))
    for leg in list(scene.world.contact_of_leg):
        scene.hang_up(leg)
    assert story(scene.give(i.Ready(agent="1001"))) == ["SignOutRequested", "WrapUpEnded"]
    scene.wait(60_000)
    assert scene.status(1) == "ready"


def test_a_pause_during_the_wrap_up_is_newer_than_the_sign_out_before_it() -> None:
    """Feature 4.1."""
    scene = talking()
    scene.give(i.SignOut(agent="1001"))
    for leg in list(scene.world.contact_of_leg):
        scene.hang_up(leg)
    scene.give(i.Pause(agent="1001", reason="break"))
    assert scene.status(1) == "paused"
    scene.give(i.Ready(agent="1001"))
    assert scene.status(1) == "ready"


def test_hanging_up_twice_is_one_request() -> None:
    """Feature 4.3."""
    scene = talking()
    assert story(scene.give(i.HangUp(agent="1001"))) == ["HangUpRequested"]
    assert story(scene.give(i.HangUp(agent="1001"))) == []
    for leg in list(scene.world.contact_of_leg):
        scene.hang_up(leg)
    assert [(event.reason, event.phase) for event in scene.events(c.ContactEnded)] == [("completed", "connected")]
    assert [event.ended_by for event in scene.events(c.AgentSegmentEnded)] == ["agent"]


def test_everything_can_be_ended_without_ringing_anybody_on_the_way() -> None:
    """Feature 11.8: one talks, one rings, two wait, one hears an apology, one agent is idle with other skills."""
    scene = Scene(agents=2)
    scene.talk(1)
    scene.ready(2)
    for _ in range(3):
        scene.park()
    scene.park("9999")
    rung_before = len(scene.instructions(RingAgent))
    scene.give(i.EndAll(reason="stopped"))
    assert len(scene.instructions(RingAgent)) == rung_before
    assert {contact.status for contact in scene.world.contacts.values()} == {"leaving"}
    scene.give(i.EndAll(reason="stopped"))
    assert story(scene.outcome) == []
    for leg in list(scene.world.contact_of_leg):
        scene.hang_up(leg)
    assert {event.reason for event in scene.events(c.ContactEnded)} == {"stopped"}
    scene.wait(30_000)
    assert scene.world.shifts == {}


def test_a_caller_is_identified_once() -> None:
    """Feature 5.2."""
    scene = Scene()
    contact = scene.live(scene.park())
    given = i.IdentifyContact(contact_id=contact.contact_id, customer_id="c1")
    assert story(scene.give(given)) == ["ContactIdentified"]
    assert story(scene.give(given)) == []
    assert scene.refusal(i.NameCaller(contact_id=contact.contact_id, customer_id="c2")) == "who_asks"
    assert story(scene.give(i.NameCaller(contact_id=contact.contact_id, customer_id="c2", by="user:x"))) == []


def test_what_was_meant_for_one_contact_never_happens_to_another() -> None:
    """Complaint 23: the first caller leaves as the agent presses accept, and another rings in the same moment."""
    scene = Scene(agents=1)
    scene.ready(1)
    first = scene.park()
    seen = scene.ring_of(first).offer
    scene.ringing(scene.ring_of(first))
    scene.hang_up(scene.ring_of(first).leg)
    scene.hang_up(first)
    scene.wait(60_000)
    second = scene.park()
    ring = scene.ring_of(second)
    scene.ringing(ring)
    for command in (i.Accept, i.Reject, i.HangUp, i.WrapUp, i.Ready):
        assert scene.refusal(command(agent="1001", about=seen)) == "stale"
    scene.give(i.Accept(agent="1001", about=ring.offer))
    assert [told.leg for told in scene.instructions(AnswerPhone)] == [ring.leg]
    scene.answer(ring)
    scene.bridge(second, ring)
    scene.give(i.HangUp(agent="1001", about=scene.live(second).contact_id))
    assert scene.events(c.HangUpRequested)


def listed(scene: Scene) -> Scene:
    """The same where the site lists its reasons."""
    pauses = PauseReasonsConfigured(reasons=(PauseReason(id="meal", name="Meal"),))
    wrap_ups = WrapUpReasonsConfigured(
        reasons=(WrapUpReason(id="parcel", name="Parcel", reasons=(Reason(id="late", name="Late"),)),)
    )
    scene.configure({"pauses-usual": pauses, "wrapup-any": wrap_ups})
    return scene


def test_a_reason_that_the_site_does_not_list_is_refused_whoever_asks() -> None:
    """Feature 4.7; screens and safety 4.2: desk, API and command line meet one rule, and are told what there is."""
    scene = listed(signed_in())
    refused = scene.give(i.Pause(agent="1001", reason="lunch")).refused
    assert refused is not None
    assert (refused.code, "choose one of meal" in refused.message) == ("bad_reason", True)
    assert story(scene.give(i.Pause(agent="1001", reason="meal"))) == ["AgentPaused"]


def test_a_heading_is_no_wrap_up_reason() -> None:
    scene = listed(Scene(agents=2))
    caller, ring = scene.talk()
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    assert scene.refusal(i.WrapUp(agent="1001", code="parcel")) == "bad_reason"
    assert scene.status(1) == "wrapping_up"
    scene.give(i.WrapUp(agent="1001", code="late"))
    assert [ended.code for ended in scene.events(s.WrapUpEnded)] == ["late"]


def test_a_site_that_lists_nothing_takes_any_code() -> None:
    """Old logs and programs go on as before."""
    scene = signed_in()
    assert story(scene.give(i.Pause(agent="1001", reason="lunch"))) == ["AgentPaused"]
