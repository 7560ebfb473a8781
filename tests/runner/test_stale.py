"""No double action: what is pressed on a page that is behind the times is never done to something else."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch.instructions import AnswerPhone, HoldLeg
from orchestrator.runner import inputs as i
from tests.runner.scene import Scene, story


def refused(scene: Scene) -> str:
    assert scene.outcome.refused is not None
    return scene.outcome.refused.message


def rung() -> tuple[Scene, str, str]:
    """Agent 1 is rung; the caller's leg and the offer."""
    scene = Scene(agents=1, wrap_up_ms=10_000, ring_ms=20_000)
    scene.ready(1)
    caller = scene.park()
    scene.ringing(scene.ring_of(caller))
    return scene, caller, scene.ring_of(caller).offer


def talking() -> tuple[Scene, str, str, str]:
    """Agent 1 talks; the caller's leg, the offer and the contact."""
    scene, caller, offer = rung()
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.bridge(caller, ring)
    return scene, caller, offer, ring.contact


def test_an_accept_that_is_sent_twice_is_one_accept_however_far_the_first_came() -> None:
    """Network away for a minute: no double action. Asked for, answered, joined."""
    scene, caller, offer = rung()
    accept = i.Accept(agent="1001", about=offer)
    assert story(scene.give(accept)) == ["OfferAcceptRequested"]
    assert story(scene.give(accept)) == []
    assert scene.outcome.refused is None
    ring = scene.ring_of(caller)
    scene.answer(ring)
    assert story(scene.give(accept)) == []
    assert scene.outcome.refused is None
    scene.bridge(caller, ring)
    assert story(scene.give(accept)) == []
    assert scene.outcome.refused is None
    assert len(scene.instructions(AnswerPhone)) == 1


def test_an_accept_of_an_offer_that_is_over_does_not_take_the_next_one() -> None:
    """Network away for a minute: the button was pressed for another caller."""
    scene, caller, offer = rung()
    scene.hang_up(caller)
    for leg in list(scene.world.contact_of_leg):
        scene.hang_up(leg)
    scene.ringing(scene.ring_of(scene.park()))
    assert scene.refusal(i.Accept(agent="1001", about=offer)) == "stale"
    assert "taken back" in refused(scene)
    assert "another contact is offered" in refused(scene)
    assert not scene.events(c.OfferAcceptRequested)


def test_what_happened_to_the_offer_meanwhile_is_said() -> None:
    """Complaint 19: a notice says why."""
    scene, _, offer = rung()
    scene.wait(20_000)
    assert scene.refusal(i.Accept(agent="1001", about=offer)) == "stale"
    assert "not answered in time; you are not ready now" in refused(scene)
    assert scene.refusal(i.Reject(agent="1001", about=offer)) == "stale"
    assert scene.refusal(i.Accept(agent="1001", about="never")) == "stale"
    assert "no longer with you" in refused(scene)


def test_a_reject_that_is_sent_again_after_its_offer_is_over_is_done_already() -> None:
    """No double action: the next offer is not refused by it."""
    scene, caller, offer = rung()
    reject = i.Reject(agent="1001", about=offer)
    scene.give(reject)
    scene.hang_up(scene.ring_of(caller).leg, "CALL_REJECTED")
    scene.wait(10_000)
    assert scene.ring_of(caller).offer != offer
    assert story(scene.give(reject)) == []
    assert scene.outcome.refused is None
    assert len(scene.events(c.OfferRejectRequested)) == 1


def test_a_hang_up_meant_for_the_last_caller_does_not_cut_the_next() -> None:
    """No double action."""
    scene, caller, _, contact = talking()
    hang_up = i.HangUp(agent="1001", about=contact)
    assert story(scene.give(hang_up)) == ["HangUpRequested"]
    assert story(scene.give(hang_up)) == []
    for leg in list(scene.world.contact_of_leg):
        scene.hang_up(leg)
    assert story(scene.give(hang_up)) == []
    assert scene.outcome.refused is None
    scene.give(i.WrapUp(agent="1001", about=contact, code="solved"))
    caller, _ = scene.talk()
    assert scene.refusal(hang_up) == "stale"
    assert scene.live(caller).status == "connected"
    assert len(scene.events(c.HangUpRequested)) == 1


def test_hold_and_resume_meant_for_another_contact_are_refused() -> None:
    """No double action."""
    scene, _, _, contact = talking()
    for command in (i.Hold(agent="1001", about="another"), i.Resume(agent="1001", about="another")):
        assert scene.refusal(command) == "stale"
    assert not scene.instructions(HoldLeg)
    assert story(scene.give(i.Hold(agent="1001", about=contact))) == ["HoldRequested"]


def test_a_wrap_up_reason_that_comes_too_late_is_refused_and_not_given_to_the_next_contact() -> None:
    """Feature 4.7: the reason belongs to one contact."""
    scene, _, _, contact = talking()
    for leg in list(scene.world.contact_of_leg):
        scene.hang_up(leg)
    scene.wait(10_000)
    assert scene.refusal(i.WrapUp(agent="1001", about=contact, code="solved")) == "stale"
    caller, ring = scene.talk()
    for leg in (caller, ring.leg):
        scene.hang_up(leg)
    assert scene.refusal(i.WrapUp(agent="1001", about=contact, code="solved")) == "stale"
    assert scene.status(1) == "wrapping_up"
    assert [event.code for event in scene.events(s.WrapUpEnded)] == [""]
