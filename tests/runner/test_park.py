"""A caller whom the agent parks at a place, and whoever retrieves them; whatever goes wrong, nobody is lost there.

Features 4.3, 4.4; complaint 13.
"""

import pytest
from msgspec.structs import replace

from orchestrator.audit.verify import verify
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from orchestrator.domain.contacts.recording import file_of
from orchestrator.domain.staff.answering import AT_DESK
from orchestrator.domain.staff.shifts import AgentStoodDown, WrapUpEnded
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    AnswerPhone,
    CheckLeg,
    HangUpLeg,
    ParkLeg,
    PlayWaiting,
    RingAgent,
    StartRecording,
    StopRecording,
)
from orchestrator.runner import inputs
from tests.runner.scene import NODE, Scene, agent, story

AFTER = 180_000  # the queue's usual time at a place


class Park(Scene):
    """Agent 1 talks with a caller; agent 2 is not ready; agent 3 serves another queue."""

    def __init__(self, **queue: object) -> None:
        super().__init__(2, wrap_up_ms=10_000, **queue)  # type: ignore[arg-type]  # a test's own words
        self.configure({"agent-a3": agent(3, sell=3)})
        self.caller, self.ring = self.talk()
        for number in (2, 3):
            self.give(inputs.SignIn(agent=f"100{number}"))

    @property
    def it(self) -> Contact:
        """The contact, which must be there."""
        return self.live(self.caller)

    def leave(self, place: int = 0, *, says: bool = True) -> str:
        """Agent 1 parks the caller, and the switch says so; the code of the refusal."""
        code = self.refusal(inputs.Park(agent="1001", about=self.it.contact_id, place=place))
        if not code and says:
            self.parked()
            self.hang_up(self.ring.leg)
        return code

    def parked(self) -> None:
        """The switch says that the caller's leg is parked."""
        self.give(facts.LegParked(node=NODE, leg=self.caller, inbound=True, contact=self.it.contact_id))

    def fetch(self, number: int, place: int = 1, **more: str) -> str:
        """This agent retrieves whoever is there; the code of the refusal."""
        return self.refusal(replace(inputs.Retrieve(agent=f"100{number}", place=place), **more))

    def join(self) -> RingAgent:
        """The phone that is rung now is picked up, and the switch joins it with the caller."""
        ring = self.ring_of(self.caller)
        self.ringing(ring)
        self.answer(ring)
        self.bridge(self.caller, ring)
        return ring

    def proved(self) -> None:
        """The whole log is proved."""
        report = verify(self.records, expect_contacts=0)
        assert report.ok, str(report)


# --- parked ----------------------------------------------------------------------------------------------------------
def test_a_parked_caller_hears_music_at_the_first_free_place_and_the_agent_has_after_call_work() -> None:
    scene = Park()
    talk = scene.it.segment
    assert talk is not None
    assert scene.leave(says=False) == ""
    assert story(scene.outcome)[:3] == ["ContactParked", "RecordingEndAsked", "AgentSegmentEnded"]
    told = [each for each in scene.outcome.instructions if not isinstance(each, StopRecording)]
    assert [(type(each), each.leg) for each in told] == [(ParkLeg, scene.caller), (HangUpLeg, scene.ring.leg)]
    assert [each.file for each in scene.instructions(StopRecording)] == [file_of(talk.segment_id)]
    scene.parked()
    assert [each.leg for each in scene.outcome.instructions if isinstance(each, PlayWaiting)] == [scene.caller]
    scene.hang_up(scene.ring.leg)
    (event,) = scene.events(ContactParked)
    assert (event.place, event.until - scene.now) == (1, AFTER * 1_000)
    assert (scene.it.status, scene.status(1)) == ("parked", "wrapping_up")
    scene.wait(10_000)
    assert scene.status(1) == "ready"
    scene.proved()


def test_a_parked_caller_is_offered_to_nobody_whoever_is_ready() -> None:
    scene = Park()
    scene.leave()
    scene.wait(20_000)
    scene.give(inputs.Ready(agent="1002"))
    assert scene.it.status == "parked"
    assert not scene.rings_of(scene.caller)
    assert [visit.outcome for visit in scene.events(c.QueueVisitEnded)] == ["answered"]


def test_callers_are_parked_side_by_side_each_at_a_place_of_their_own() -> None:
    scene = Park()
    assert scene.leave(place=7) == ""
    scene.give(inputs.Ready(agent="1002"))
    other, ring = scene.talk(2)
    assert scene.refusal(inputs.Park(agent="1002", place=7)) == "place_taken"
    assert scene.refusal(inputs.Park(agent="1002", place=100)) == "no_such_place"
    assert scene.refusal(inputs.Park(agent="1002")) == ""
    scene.hang_up(ring.leg)
    assert [event.place for event in scene.events(ContactParked)] == [7, 1]
    assert scene.live(other).status == "parked"
    scene.proved()


def test_the_same_wish_sent_twice_parks_once() -> None:
    scene = Park()
    assert scene.leave() == ""
    assert scene.leave(says=False) == ""
    assert len(scene.events(ContactParked)) == 1


def test_the_same_wish_to_retrieve_sent_twice_without_a_key_fetches_one_caller() -> None:
    """Not whoever was left at the same place a moment later, either."""
    scene = Park()
    scene.ready(2)
    scene.leave(7)
    other, ring = scene.talk(2)
    assert scene.fetch(1, 7) == ""
    assert scene.fetch(1, 7) == "place_empty"
    assert scene.refusal(inputs.Park(agent="1002", about=scene.live(other).contact_id, place=7)) == ""
    scene.hang_up(ring.leg)
    assert scene.fetch(1, 7) == "being_offered"
    assert [event.outcome for event in scene.events(ParkEnded)] == ["retrieved"]
    assert scene.live(other).status == "parked"


def test_news_that_the_leg_is_parked_may_be_lost_so_the_switch_is_asked() -> None:
    scene = Park()
    scene.leave(says=False)
    scene.hang_up(scene.ring.leg)
    scene.wait(1_000)
    assert scene.caller in [each.leg for each in scene.instructions(CheckLeg)]


def test_a_caller_on_hold_is_parked_and_one_about_whom_somebody_is_consulted_is_not() -> None:
    scene = Park()
    scene.wait(1_000)
    scene.give(inputs.Hold(agent="1001"))
    scene.give(facts.LegHeld(node=NODE, leg=scene.ring.leg))
    assert scene.leave() == ""
    asking = Park()
    asking.give(inputs.Ready(agent="1002"))
    assert asking.refusal(inputs.Consult(agent="1001", to_agent="1002")) == ""
    assert asking.leave() == "consulting"


def test_whoever_does_not_talk_parks_nobody() -> None:
    scene = Park()
    assert scene.refusal(inputs.Park(agent="1002")) == "not_talking"
    assert scene.refusal(inputs.Park(agent="1001", about="0" * 36)) == "stale"
    scene.disconnect()
    assert scene.leave() == "switch_away"


# --- retrieved -------------------------------------------------------------------------------------------------------
def test_a_colleague_retrieves_the_caller_by_the_place_and_the_contact_stays_one() -> None:
    scene = Park()
    contact_id = scene.it.contact_id
    scene.leave()
    scene.wait(30_000)
    scene.told.clear()
    assert scene.fetch(2) == ""
    assert story(scene.outcome) == ["ParkEnded", "ContactQueued", "ContactPicked", "OfferMade", "AgentReserved",
                                    "PauseRequested"]  # fmt: skip
    assert not scene.instructions(PlayWaiting), "the music goes on"
    ring = scene.join()
    assert (ring.extension, scene.it.contact_id, scene.it.status) == ("1002", contact_id, "connected")
    assert len(scene.instructions(StartRecording)) == 1
    (ended,) = scene.events(ParkEnded)
    assert (ended.outcome, ended.agent_id) == ("retrieved", "a2")
    scene.hang_up(scene.caller)
    scene.hang_up(ring.leg)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["completed"]
    scene.proved()


def test_the_agent_who_parked_takes_the_caller_back_out_of_their_after_call_work() -> None:
    scene = Park()
    scene.leave()
    scene.wait(3_000)
    assert scene.status(1) == "wrapping_up"
    assert scene.fetch(1) == ""
    assert scene.status(1) == "reserved"
    assert [event.how for event in scene.of_shift(1) if isinstance(event, WrapUpEnded)] == ["taken_up"]
    scene.join()
    assert scene.status(1) == "talking"
    scene.wait(60_000)
    assert scene.status(1) == "talking", "the after-call work that was cut short does not end later"
    scene.proved()


def test_after_call_work_of_somebody_else_comes_first() -> None:
    scene = Park()
    scene.give(inputs.Ready(agent="1002"))
    other, ring = scene.talk(2)
    scene.leave()
    scene.hang_up(other)
    scene.hang_up(ring.leg)
    assert scene.fetch(2) == "wrapping_up"


@pytest.mark.parametrize(
    ("pick", "fetched"),
    (("skilled", {1: "", 2: "", 3: "skill_missing"}), ("nobody", {1: "", 2: "no_picking"}), ("anyone", {3: ""})),
)
def test_whoever_may_take_callers_of_the_queue_by_hand_may_retrieve_and_the_one_who_parked_always(
    pick: str, fetched: dict[int, str]
) -> None:
    for number, code in fetched.items():
        scene = Park(pick=pick)
        scene.leave()
        assert scene.fetch(number) == code
    scene = Park(pick="nobody")
    scene.leave()
    assert scene.fetch(2, by="user:leader") == "", "a leader gives whom nobody may take"


def test_a_place_where_nobody_is_says_so_and_so_does_one_that_was_emptied_a_moment_ago() -> None:
    scene = Park()
    assert scene.fetch(2, 3) == "place_empty"
    assert scene.fetch(2, 0) == "no_such_place"
    scene.leave()
    assert scene.fetch(1) == ""
    assert scene.fetch(2) == "place_empty"


def test_whoever_fetches_and_does_not_answer_leaves_the_caller_waiting_at_the_old_place_in_the_queue() -> None:
    scene = Park()
    began = scene.now
    scene.leave()
    scene.wait(30_000)
    scene.fetch(2)
    scene.ringing(scene.ring_of(scene.caller))
    scene.wait(21_000)
    visit = scene.it.visit
    assert visit is not None
    assert visit.since <= began, "parked is waited"
    assert (scene.it.status, scene.ring_of(scene.caller).extension) == ("offered", "1001")
    scene.proved()


# --- the time is over ------------------------------------------------------------------------------------------------
def test_whoever_is_parked_for_too_long_comes_back_to_the_agent_if_that_one_is_ready() -> None:
    scene = Park()
    scene.leave()
    scene.give(inputs.Ready(agent="1002"))
    scene.wait(AFTER)
    assert [(event.outcome, event.agent_id) for event in scene.events(ParkEnded)] == [("expired", "a1")]
    assert scene.ring_of(scene.caller).extension == "1001"
    assert [event.reason for event in scene.events(c.ContactPicked)] == ["park_expired"]
    scene.join()
    scene.proved()


@pytest.mark.parametrize("what", ("paused", "gone", "talking"))
def test_and_where_that_one_is_not_they_wait_for_whoever_serves_the_queue(what: str) -> None:
    scene = Park(park_ms=60_000)
    scene.leave()
    scene.wait(20_000)
    if what == "talking":
        scene.talk(1)
    else:
        scene.give(inputs.Pause(agent="1001", reason="break") if what == "paused" else inputs.SignOut(agent="1001"))
    scene.wait(40_000)
    assert [(event.outcome, event.agent_id) for event in scene.events(ParkEnded)] == [("expired", "")]
    assert scene.it.status == "waiting"
    scene.give(inputs.Ready(agent="1002"))
    assert scene.ring_of(scene.caller).extension == "1002"
    scene.proved()


def test_a_time_that_is_over_while_the_switch_is_away_rings_nobody_and_loses_nobody() -> None:
    scene = Park(park_ms=10_000)
    scene.leave()
    scene.disconnect()
    scene.wait(20_000)
    assert scene.it.status == "waiting"
    scene.connect(legs=(scene.seen(scene.caller),))
    assert scene.ring_of(scene.caller).extension == "1001"


# --- they hang up, or we go ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("agent_first", (False, True))
def test_a_parked_caller_who_hangs_up_ends_exactly_once_and_abandons_no_queue(agent_first: bool) -> None:  # noqa: FBT001
    scene = Park()
    scene.leave(says=False)
    for leg in (scene.ring.leg, scene.caller) if agent_first else (scene.caller, scene.ring.leg):
        scene.hang_up(leg)
    assert [event.outcome for event in scene.events(ParkEnded)] == ["abandoned"]
    assert [event.outcome for event in scene.events(c.QueueVisitEnded)] == ["answered"]
    assert [(event.reason, event.phase) for event in scene.events(c.ContactEnded)] == [("abandoned", "parked")]
    scene.wait(AFTER)
    assert len(scene.events(ParkEnded)) == 1
    scene.proved()


def test_the_caller_hangs_up_while_the_phone_of_whoever_fetches_them_rings() -> None:
    scene = Park()
    scene.leave()
    scene.fetch(2)
    ring = scene.ring_of(scene.caller)
    scene.hang_up(scene.caller)
    assert [event.outcome for event in scene.events(c.QueueVisitEnded)] == ["answered", "abandoned"]
    scene.hang_up(ring.leg)
    assert len(scene.events(c.ContactEnded)) == 1
    scene.proved()


def test_whoever_is_parked_when_all_is_ended_is_hung_up() -> None:
    scene = Park()
    scene.leave()
    scene.give(inputs.EndAll())
    assert [event.outcome for event in scene.events(ParkEnded)] == ["stopped"]
    scene.hang_up(scene.caller)
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["stopped"]
    scene.proved()


def test_a_restart_of_the_engine_keeps_the_parked_caller_and_the_music_is_told_again() -> None:
    scene = Park()
    scene.leave()
    scene.wait(60_000)
    scene.restart()
    scene.told.clear()
    scene.connect(legs=(scene.seen(scene.caller),))
    assert [each.leg for each in scene.instructions(PlayWaiting)] == [scene.caller]
    assert scene.it.status == "parked"
    scene.wait(AFTER - 60_000)
    assert [event.outcome for event in scene.events(ParkEnded)] == ["expired"]


def test_a_restart_before_the_switch_was_told_parks_the_caller_who_is_still_joined() -> None:
    scene = Park()
    scene.leave(says=False)
    scene.restart()
    scene.told.clear()
    joined = scene.seen(scene.caller, parked=False, bridged_to=scene.ring.leg)
    scene.connect(legs=(joined, scene.seen_phone(scene.ring, answered=True, bridged_to=scene.caller)))
    assert scene.caller in [each.leg for each in scene.instructions(ParkLeg)]
    assert scene.ring.leg in [each.leg for each in scene.instructions(HangUpLeg)]
    scene.proved()


def test_a_switch_that_lost_the_caller_meanwhile_ends_the_contact() -> None:
    scene = Park()
    scene.leave()
    scene.disconnect()
    scene.connect(core="core-2")
    assert [event.outcome for event in scene.events(ParkEnded)] == ["switch_lost"]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["switch_lost"]


# --- a phone that is slow to put down ---------------------------------------------------------------------------------
def test_a_phone_that_is_busy_as_its_agent_fetches_the_caller_is_rung_again_until_it_is_free() -> None:
    """The caller stays the agent's meanwhile: nobody else who is free is offered them."""
    scene = Park()
    scene.leave()
    scene.ready(2)
    assert scene.fetch(1) == ""
    pauses = []
    for _ in range(3):
        ring = scene.ring_of(scene.caller)
        pauses.append(ring.after_ms)
        scene.hang_up(ring.leg, "USER_BUSY")
        assert story(scene.outcome)[:4] == ["LegClosed", "OfferRejected", "ContactPicked", "OfferMade"]
        assert (scene.status(1), scene.status(2)) == ("reserved", "ready")
    ring = scene.join()
    assert (ring.extension, pauses, ring.after_ms) == ("1001", [0, 1_000, 1_000], 1_000)
    assert [event.outcome for event in scene.events(ParkEnded)] == ["retrieved"]
    scene.hang_up(scene.caller)
    scene.hang_up(ring.leg)
    scene.proved()


def test_a_phone_that_stays_busy_leaves_the_caller_to_whoever_serves_the_queue() -> None:
    scene = Park()
    scene.leave()
    scene.ready(2)
    scene.fetch(1)
    for _ in range(4):
        assert scene.ring_of(scene.caller).extension == "1001"
        scene.hang_up(scene.ring_of(scene.caller).leg, "USER_BUSY")
    assert scene.ring_of(scene.caller).extension == "1002"
    second = scene.join()
    scene.hang_up(scene.caller)
    scene.hang_up(second.leg)
    scene.proved()


@pytest.mark.parametrize("why", ("rejects", "signs_out", "brought_back", "another"))
def test_a_phone_is_not_rung_again_where_its_agent_does_not_want_the_caller_any_more(why: str) -> None:
    scene = Park()
    scene.leave()
    if why == "brought_back":  # by time, and not by the agent
        scene.refusal(inputs.WrapUp(agent="1001", code="solved"))
        scene.wait(180_000)
    else:
        scene.fetch(1)
    rung = len(scene.instructions(RingAgent))
    ring = scene.ring_of(scene.caller)
    cause = "USER_BUSY"
    if why == "rejects":
        assert not scene.refusal(inputs.Reject(agent="1001"))
    elif why == "signs_out":
        assert not scene.refusal(inputs.SignOut(agent="1001"))
    elif why == "another":
        cause = "CALL_REJECTED"
    scene.hang_up(ring.leg, cause)
    assert scene.live(scene.caller).offer is None
    assert len(scene.instructions(RingAgent)) == rung


def test_an_agent_who_answers_at_the_desk_accepts_once_and_a_busy_phone_picks_up_as_soon_as_it_is_free() -> None:
    scene = at_desk()
    assert scene.fetch(1) == ""
    assert not scene.rings_of(scene.caller), "the desk accepts first"
    assert not scene.refusal(inputs.Accept(agent="1001"))
    pauses = []
    for _ in range(3):
        ring = scene.ring_of(scene.caller)
        assert ring.answers
        pauses.append(ring.after_ms)
        scene.hang_up(ring.leg, "USER_BUSY")
        assert "OfferAcceptRequested" in story(scene.outcome)
        assert not scene.refusal(inputs.Accept(agent="1001")), "pressed once more, it is the same wish"
    ring = scene.join()
    assert (ring.answers, [*pauses, ring.after_ms]) == (True, [0, 1_000, 1_000, 1_000])
    assert not scene.events(AgentStoodDown)
    scene.hang_up(scene.caller)
    scene.hang_up(ring.leg)
    scene.proved()


def test_a_phone_whose_desk_is_open_only_by_its_second_ring_waits_for_nobody_to_accept() -> None:
    scene = at_desk()
    scene.give(inputs.DeskGone(agent="1001", desk="d1"))
    scene.fetch(1)
    first = scene.ring_of(scene.caller)
    scene.give(inputs.DeskSeen(agent="1001", desk="d1"))
    scene.hang_up(first.leg, "USER_BUSY")
    again = scene.ring_of(scene.caller)
    assert (first.answers, again.answers, again.after_ms) == (False, False, 1_000)
    assert scene.join() == again


def at_desk() -> Park:
    """Agent 1 has parked the caller, and from now on answers at the desk, which is open."""
    scene = Park()
    scene.leave()
    scene.give(inputs.WrapUp(agent="1001", code="solved"))
    scene.configure({"agent-a1": replace(agent(1), answer=AT_DESK)})
    scene.give(inputs.DeskSeen(agent="1001", desk="d1"))
    return scene


def test_who_accepts_before_the_phone_rings_again_is_connected_once_it_does() -> None:
    """There is no leg yet that could be told; and it is told once, also where it is busy once more."""
    scene = Park()
    scene.leave()
    scene.fetch(1)
    scene.hang_up(scene.ring_of(scene.caller).leg, "USER_BUSY")
    assert not scene.refusal(inputs.Accept(agent="1001"))
    assert not scene.instructions(AnswerPhone)
    scene.hang_up(scene.ring_of(scene.caller).leg, "USER_BUSY")
    ring = scene.ring_of(scene.caller)
    assert (ring.answers, ring.after_ms) == (False, 1_000)
    scene.ringing(ring)
    assert [(told.leg, told.offer) for told in scene.instructions(AnswerPhone)] == [(ring.leg, ring.offer)]
    scene.join()
    scene.proved()


def test_who_accepts_while_the_phone_rings_again_is_connected_at_once() -> None:
    scene = Park()
    scene.leave()
    scene.fetch(1)
    scene.hang_up(scene.ring_of(scene.caller).leg, "USER_BUSY")
    ring = scene.ring_of(scene.caller)
    scene.ringing(ring)
    assert not scene.instructions(AnswerPhone)
    assert not scene.refusal(inputs.Accept(agent="1001"))
    assert [told.leg for told in scene.instructions(AnswerPhone)] == [ring.leg]
