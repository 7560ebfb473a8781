"""Callers whom their switch serves by itself: their contacts end, and nobody touches their legs (feature 12.3)."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.unattended import UnattendedCallEnded, UnattendedCallLost
from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch import facts, nodes
from orchestrator.domain.switch.instructions import CheckLeg, HangUpLeg
from orchestrator.runner import inputs
from tests.runner.scene import NODE, Scene, story

SERVED = {"context": "ringledger-unattended", "parked": False}


def _touched(scene: Scene, leg: str) -> list[str]:
    """What is told to this leg, or asked of it, from now on ends here."""
    return [type(each).__name__ for each in scene.told if each.leg == leg]


def test_the_contact_of_a_caller_who_waited_ends_and_the_leg_is_the_switch_s() -> None:
    """Complaint 16: the engine was away for too long, and is back."""
    scene = Scene(agents=0)
    caller = scene.park()
    scene.sleep(30_000)
    scene.restart()
    scene.told.clear()
    scene.connect(legs=(scene.seen(caller, **SERVED),))
    assert [event.outcome for event in scene.events(c.QueueVisitEnded)] == ["unattended"]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["unattended"]
    assert [event.repair for event in scene.events(c.LegClosed)] == ["unattended"]
    assert not _touched(scene, caller)


def test_one_whom_the_switch_takes_at_this_moment_is_let_go_and_the_ringing_phone_is_not() -> None:
    """The word came too late: the switch has taken the caller, and a phone rings for nobody (complaint 1)."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.give(facts.LegUnattended(node=NODE, leg=caller))
    assert [each.leg for each in scene.instructions(HangUpLeg)] == [ring.leg]
    scene.hang_up(ring.leg, "ORIGINATOR_CANCEL")
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["unattended"]
    assert scene.status(1) == "ready"


def test_a_waiting_contact_of_which_the_switch_was_not_told_any_more_is_known_by_the_leg() -> None:
    """The engine died between recording the caller and telling the switch: its record of the call names no contact."""
    scene = Scene(agents=0)
    caller = scene.park()
    contact = scene.live(caller).contact_id
    scene.give(_import(scene, caller))
    assert [event.earlier for event in scene.events(UnattendedCallEnded)] == [contact]


@pytest.mark.parametrize("ended", ("left to its switch", "gone"))
def test_so_is_one_that_has_ended_before_the_record_is_read_also_by_the_next_engine(ended: str) -> None:
    scene = Scene(agents=0)
    caller = scene.park()
    contact = scene.live(caller).contact_id
    if ended == "left to its switch":
        scene.snapshot(scene.seen(caller, **SERVED))
    else:
        scene.hang_up(caller)
    assert len(scene.events(c.ContactEnded)) == 1
    scene.restart()
    scene.connect()
    scene.give(_import(scene, caller))
    assert [event.earlier for event in scene.events(UnattendedCallEnded)] == [contact]


def test_late_news_and_later_snapshots_of_such_a_leg_lead_to_nothing_also_after_a_restart() -> None:
    """Complaint 15: the leg is in no list of ours, so it is neither adopted nor hung up as a ghost."""
    scene = Scene(agents=0)
    caller = scene.park()
    contact = scene.live(caller).contact_id
    scene.give(facts.LegUnattended(node=NODE, leg=caller))
    scene.told.clear()
    seen = scene.seen(caller, contact=contact, bridged_to="phone", **SERVED)
    phone = facts.SeenLeg(leg="phone", inbound=False, answered=True, bridged_to=caller, context="default")
    scene.give(facts.LegAnswered(node=NODE, leg=caller, contact=contact))
    scene.give(facts.LegBridged(node=NODE, leg=caller, other="phone", contact=contact))
    scene.snapshot(seen, phone)
    scene.restart()
    scene.connect(legs=(seen, phone))
    scene.hang_up(caller)
    assert not scene.instructions(HangUpLeg)
    assert not scene.instructions(CheckLeg)
    assert not scene.events(nodes.StrayLegFound)
    assert len(scene.events(c.ContactArrived)) == 1


def test_a_talk_that_went_on_meanwhile_goes_on() -> None:
    scene = Scene()
    caller, ring = scene.talk()
    scene.restart()
    scene.connect(
        legs=(
            scene.seen(caller, parked=False, bridged_to=ring.leg),
            scene.seen_phone(ring, answered=True, bridged_to=caller),
        )
    )
    assert scene.live(caller).status == "connected"
    assert not scene.events(c.ContactEnded)


def _import(scene: Scene, leg: str = "leg-1", **more: object) -> inputs.ImportCall:
    times = {"arrived_at": Instant(scene.now - 60_000_000), "ended_at": Instant(scene.now - 1_000_000)}
    fields = {"node": NODE, "leg": leg, "dialled": "4001", "cause": "NORMAL_CLEARING", **times, **more}
    return inputs.ImportCall(**fields)  # type: ignore[arg-type]  # a test's own words


def test_what_the_switch_did_alone_is_imported_once_and_nobody_decides_anything_about_it() -> None:
    """Feature 12.3: also where the file is found again after a restart, with an agent ready and an open queue."""
    scene = Scene(agents=1)
    scene.ready(1)
    scene.told.clear()
    joined = Instant(scene.now - 50_000_000)
    scene.give(_import(scene, joined_at=joined, extension="1001", customer_id="cu-1", caller_number="+31201234567"))
    assert story(scene.outcome) == [
        "ContactArrived",
        "ContactIdentified",
        "UnattendedCallEnded",
        "LegClosed",
        "ContactEnded",
    ]
    assert {record.about.origin for record in scene.outcome.records} == {"import"}
    assert {record.about.node for record in scene.outcome.records} == {NODE}
    assert scene.events(c.ContactEnded)[-1].reason == "unattended_served"
    assert scene.events(UnattendedCallEnded)[0].agent_id == "a1"
    scene.restart()
    scene.connect()
    scene.give(_import(scene, joined_at=joined))
    assert not scene.outcome.records
    assert not scene.instructions(HangUpLeg)
    assert scene.status(1) == "ready"


def test_a_message_is_a_recording_that_is_complete() -> None:
    scene = Scene()
    scene.give(_import(scene, message="message-leg-1.wav", message_ms=4_000))
    assert [event.file for event in scene.events(c.RecordingBegun)] == ["message-leg-1.wav"]
    assert [event.length_ms for event in scene.events(c.RecordingFinished)] == [4_000]
    assert scene.events(c.ContactEnded)[-1].reason == "unattended_message"


def test_one_who_was_served_to_the_end_while_nobody_looked_did_not_give_up() -> None:
    """Complaint 16: the engine was away for longer than the call. The switch has the leg no more, so nothing but the
    record tells it from one whose caller was lost to a queue.
    """
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    ring, earlier = scene.ring_of(caller), scene.live(caller).contact_id
    scene.sleep(60_000)
    scene.restart()
    scene.give(_import(scene, caller, earlier=earlier))
    scene.told.clear()
    scene.connect(legs=(scene.seen_phone(ring),))
    scene.hang_up(ring.leg, "ORIGINATOR_CANCEL")
    assert [event.outcome for event in scene.events(c.QueueVisitEnded)] == ["unattended"]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["unattended_abandoned", "unattended"]
    assert scene.events(UnattendedCallEnded)[0].earlier == earlier
    assert not _touched(scene, caller)
    assert scene.status(1) == "ready"


def test_a_record_of_another_leg_of_ours_or_of_another_switch_waits() -> None:
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    assert scene.refusal(_import(scene, scene.ring_of(caller).leg)) == "not_over"
    assert scene.refusal(_import(scene, caller, node="sw9")) == "not_over"
    assert scene.live(caller).status == "offered"


def test_a_call_that_was_left_to_its_switch_is_imported_beside_its_contact() -> None:
    scene = Scene(agents=0)
    caller = scene.park()
    earlier = scene.live(caller).contact_id
    scene.give(facts.LegUnattended(node=NODE, leg=caller))
    scene.give(_import(scene, caller, earlier=earlier))
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["unattended", "unattended_abandoned"]
    assert scene.events(UnattendedCallEnded)[0].earlier == earlier


def test_of_a_call_with_which_its_switch_died_nothing_is_said_that_nobody_knows() -> None:
    """Feature 12.3, complaint 2: it is in the history once, with what the switch said when it took the caller."""
    scene = Scene(agents=1)
    scene.ready(1)
    arrived, taken = Instant(scene.now - 60_000_000), Instant(scene.now - 50_000_000)
    word = _import(scene, taken_at=taken, ended_at=Instant(0), cause="SWITCH_RESTARTED", extension="1001")
    scene.give(word)
    assert story(scene.outcome) == ["ContactArrived", "UnattendedCallLost", "LegClosed", "ContactEnded"]
    assert scene.events(UnattendedCallLost) == [UnattendedCallLost(arrived_at=arrived, taken_at=taken)]
    assert scene.events(c.ContactEnded)[-1].reason == "unattended_lost"
    assert {record.about.origin for record in scene.outcome.records} == {"import"}
    scene.restart()
    scene.connect("core-2")
    scene.give(word)
    assert not scene.outcome.records
    assert scene.status(1) == "ready"


def test_a_message_with_which_its_switch_died_began_and_nobody_says_that_it_is_complete() -> None:
    scene = Scene()
    taken = Instant(scene.now - 50_000_000)
    scene.give(
        _import(scene, taken_at=taken, ended_at=Instant(0), cause="SWITCH_RESTARTED", message="message-leg-1.wav")
    )
    assert [event.file for event in scene.events(c.RecordingBegun)] == ["message-leg-1.wav"]
    assert not scene.events(c.RecordingFinished)
    assert scene.events(c.ContactEnded)[-1].reason == "unattended_lost"


@pytest.mark.parametrize("heard", ("of the switch's next run", "nothing yet"))
def test_one_who_waited_with_us_is_known_though_their_switch_died_serving_them(heard: str) -> None:
    scene = Scene(agents=0)
    caller = scene.park()
    contact = scene.live(caller).contact_id
    scene.restart()
    if heard != "nothing yet":
        scene.connect("core-2")
    scene.give(_import(scene, caller, taken_at=scene.now, ended_at=Instant(0), cause="SWITCH_RESTARTED"))
    assert [event.earlier for event in scene.events(UnattendedCallLost)] == [contact]
    assert len(scene.events(c.ContactEnded)) == 2


@pytest.mark.parametrize("lost", (False, True))
def test_a_call_of_a_switch_that_is_not_known_any_more_with_a_wrong_clock_is_in_the_log_with_the_mark(
    lost: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    scene = Scene(agents=0)
    at = Instant(scene.now - 60_000_000)
    scene.give(_import(scene, node="gone", arrived_at=at, taken_at=at if lost else Instant(0), clock_off=True))
    (said,) = scene.events(UnattendedCallLost) if lost else scene.events(UnattendedCallEnded)
    assert isinstance(said, UnattendedCallLost | UnattendedCallEnded)
    assert (said.arrived_at, said.clock_off) == (at, True)
    assert [event.reason for event in scene.events(c.ContactEnded)] == [
        "unattended_lost" if lost else "unattended_abandoned"
    ]
