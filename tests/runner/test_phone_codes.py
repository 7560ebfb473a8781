"""Codes that agents dial on their phones: the same as at the desk, by the phone's own account, and nothing else.

Features 4.3, 4.4, 11.5.
"""

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.consult_events import ConsultAsked
from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.staff.agents import AgentRemoved
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import CheckLeg, HangUpLeg, ParkLeg, SayAndHangUp
from orchestrator.domain.switch.nodes import PhoneCodeDialled, StrayLegOverdue
from orchestrator.runner import inputs
from orchestrator.runner.phone_codes import PARK, RETRIEVE, Wish, read
from tests.runner.scene import NODE, agent, story
from tests.runner.test_park import Park


class Codes(Park):
    """As there; every phone can dial. `spoken`: what the last one heard."""

    spoken: list[str]

    def dial(
        self, code: str, number: int = 1, *, account: str | None = None, at: Instant | None = None, shown: str = ""
    ) -> str:
        """This agent's phone dials the code; with what its own leg was ended."""
        self._legs += 1
        leg = f"dialled-{self._legs}"
        self.press(code, leg, f"100{number}" if account is None else account, shown=shown, at=at)
        ends = HangUpLeg | SayAndHangUp
        (told,) = (each for each in self.outcome.instructions if isinstance(each, ends) and each.leg == leg)
        self.spoken = list(told.prompts) if isinstance(told, SayAndHangUp) else []
        return told.cause

    def press(
        self,
        code: str,
        leg: str,
        account: str,
        *,
        context: str = "ringledger-agents",
        shown: str = "",
        at: Instant | None = None,
    ) -> None:
        """The switch says that a phone has dialled; `at`, by its own clock."""
        self.give(
            facts.LegParked(
                node=NODE,
                leg=leg,
                at=at,
                inbound=True,
                dialled=code,
                context=context,
                account=account,
                caller_number=shown,
            )
        )

    @property
    def last(self) -> PhoneCodeDialled:
        """What became of the last code."""
        return self.events(PhoneCodeDialled)[-1]

    def gone(self) -> None:
        """The phones' own legs are ended."""
        for each in self.events(PhoneCodeDialled):
            self.hang_up(each.leg)


@pytest.mark.parametrize(
    ("dialled", "wish"),
    (
        ("*68", Wish(PARK, 0)),
        ("*687", Wish(PARK, 7)),
        ("*6807", Wish(PARK, 7)),
        ("*8899", Wish(RETRIEVE, 99)),
        ("*88", Wish(RETRIEVE, 0)),
        ("*68100", None),
        ("*68 7", None),
        ("*68\n7", None),
        ("*68\n", None),
        ("x*68", None),
        ("*68;rm", None),
        ("*6\u0668", None),
        ("*68\u0667", None),
        ("68", None),
        ("", None),
    ),
)
def test_a_code_is_a_code_to_the_last_sign(dialled: str, wish: Wish | None) -> None:
    assert read(dialled) == wish


def test_a_caller_is_parked_from_the_phone_as_from_the_desk_and_fetched_by_another_one() -> None:
    scene = Codes()
    scene.give(facts.LegHeld(node=NODE, leg=scene.ring.leg))  # a phone holds its caller to dial
    assert scene.dial("*6807") == "NORMAL_CLEARING"
    names = story(scene.outcome)
    assert names[:3] == ["StrayLegFound", "PhoneCodeDialled", "ContactParked"]
    assert "AgentSegmentEnded" in names
    assert any(isinstance(each, ParkLeg) and each.leg == scene.caller for each in scene.outcome.instructions)
    assert (scene.last.wish, scene.last.place, scene.last.agent_id, scene.last.refused) == (PARK, 7, "a1", "")
    scene.parked()
    scene.hang_up(scene.ring.leg)
    assert scene.dial("*887", 2) == "NORMAL_CLEARING"
    assert [type(each) for each in scene.outcome.instructions][:1] == [HangUpLeg]  # the phone is free, then it rings
    scene.gone()
    ring = scene.join()
    assert ring.extension == "1002"
    assert [event.outcome for event in scene.events(ParkEnded)] == ["retrieved"]
    scene.hang_up(scene.caller)
    scene.hang_up(ring.leg)
    scene.proved()


def test_whoever_parked_fetches_without_saying_where_also_from_the_after_call_work() -> None:
    scene = Codes()
    scene.dial("*68")
    scene.parked()
    scene.hang_up(scene.ring.leg)
    assert scene.status(1) == "wrapping_up"
    assert scene.dial("*88") == "NORMAL_CLEARING"
    assert scene.join().extension == "1001"
    assert scene.status(1) == "talking"


def talks(scene: Codes, number: int) -> str:
    """One more agent is ready, and has a caller, whose leg this is."""
    scene.ready(number)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.answer(ring)
    scene.bridge(caller, ring)
    return caller


def test_the_place_that_was_chosen_is_spoken_to_the_phone_and_no_other() -> None:
    """A place that the agent dialled they know; what was refused has none."""
    scene = Codes()
    assert scene.dial("*68") == "NORMAL_CLEARING"
    assert scene.spoken == ["parked_at", "digit_1"]
    leg = scene.last.leg
    scene.give(facts.LegAnswered(node=NODE, leg=leg))
    assert not scene.outcome.records
    scene.parked()
    scene.dial("*68")
    assert (scene.last.refused, scene.spoken) == ("not_talking", [])
    scene.gone()
    talks(scene, 2)
    scene.dial("*6812", 2)
    assert (scene.last.refused, scene.spoken) == ("", [])
    assert [event.place for event in scene.events(ContactParked)] == [1, 12]


def test_a_phone_that_hears_its_place_for_too_long_is_ended_like_any_stray_one() -> None:
    scene = Codes()
    scene.dial("*68")
    leg = scene.last.leg
    scene.wait(5_000)
    assert [event.legs for event in scene.events(StrayLegOverdue)] == [(leg,)]
    scene.presence(leg, exists=True)
    assert [(each.leg, each.cause) for each in scene.outcome.instructions if isinstance(each, HangUpLeg)] == [
        (leg, "NORMAL_CLEARING")
    ]


def two_hear_their_places(scene: Codes, apart_ms: int) -> tuple[str, str]:
    """Agent 1's phone hears the first, agent 2's the second one, so much later; their legs."""
    scene.dial("*68")
    first = scene.last.leg
    scene.parked()
    talks(scene, 2)
    scene.wait(apart_ms - 1_000)  # one second went by as agent 2 became ready
    assert scene.dial("*68", 2) == "NORMAL_CLEARING"
    assert scene.spoken == ["parked_at", "digit_2"]
    return first, scene.last.leg


def asked_after(scene: Codes) -> list[str]:
    """The legs without a contact after which the switch was asked."""
    return [each.leg for each in scene.instructions(CheckLeg) if not each.contact]


def ended(scene: Codes) -> list[str]:
    """The legs that the last input asked after or hung up."""
    return [each.leg for each in scene.outcome.instructions if isinstance(each, CheckLeg | HangUpLeg)]


def test_a_place_that_is_spoken_is_not_cut_off_as_another_phones_time_is_over() -> None:
    """Each has five seconds of its own, and is ended then."""
    scene = Codes()
    first, second = two_hear_their_places(scene, 4_000)
    scene.told.clear()
    scene.wait(1_000)
    assert asked_after(scene) == [first]
    assert [event.legs for event in scene.events(StrayLegOverdue)] == [(first,)]
    scene.hang_up(first)
    scene.wait(3_999)
    assert asked_after(scene) == [first]
    scene.wait(1)
    assert asked_after(scene) == [first, second]
    scene.presence(second, exists=True)
    assert ended(scene) == [second]


def test_a_place_that_is_spoken_has_its_time_though_the_first_phone_is_gone() -> None:
    """Then nobody is asked after as the first one's time is over, and nobody has been asked after in vain."""
    scene = Codes()
    first, second = two_hear_their_places(scene, 4_000)
    scene.hang_up(first)
    scene.told.clear()
    scene.wait(4_999)
    assert not asked_after(scene)
    assert scene.world.nodes[NODE].reminders == 0
    scene.wait(1)
    assert asked_after(scene) == [second]
    assert [event.legs for event in scene.events(StrayLegOverdue)] == [(), (second,)]
    scene.hang_up(second)
    assert scene.world.nodes[NODE].strays == ()
    scene.proved()


@pytest.mark.parametrize("listed", (True, False))
def test_a_list_of_the_switch_ends_no_place_that_is_spoken_until_its_time_is_over(listed: bool) -> None:  # noqa: FBT001 - a parameter
    """A list that is older than the leg does not have it."""
    scene = Codes()
    scene.dial("*68")
    leg = scene.last.leg
    scene.parked()
    there = [scene.seen(scene.caller), scene.seen_phone(scene.ring, answered=True)]
    if listed:
        there.append(scene.seen(leg, context="ringledger-agents", dialled="*68", parked=False))
    scene.snapshot(*there)
    assert leg not in ended(scene)
    scene.wait(4_999)
    scene.snapshot(*there)
    assert leg not in ended(scene)
    scene.wait(1)
    scene.snapshot(*there)
    assert leg in ended(scene)


def test_a_place_that_an_engine_before_this_one_had_spoken_is_ended() -> None:
    scene = Codes()
    scene.dial("*68")
    leg = scene.last.leg
    scene.parked()
    scene.restart()
    scene.connect(legs=(scene.seen(scene.caller), scene.seen(leg, context="ringledger-agents", dialled="*68")))
    assert leg in ended(scene)


@pytest.mark.parametrize(
    ("code", "number", "why"),
    (
        ("*68", 2, "not_talking"),  # somebody else's call
        ("*6800", 1, ""),  # as without a place
        ("*88", 1, "place_empty"),
        ("*8805", 2, "place_empty"),
        ("*8800", 2, "place_empty"),
    ),
)
def test_what_the_desk_would_refuse_is_refused_to_the_phone_and_nothing_moves(code: str, number: int, why: str) -> None:
    scene = Codes()
    cause = scene.dial(code, number)
    assert (scene.last.refused, cause) == (why, "CALL_REJECTED" if why else "NORMAL_CLEARING")
    if why:
        assert story(scene.outcome) == ["StrayLegFound", "PhoneCodeDialled"]
        assert scene.it.status == "connected"
    scene.gone()


def test_a_taken_place_and_whom_the_agent_may_not_take_are_refused() -> None:
    scene = Codes()
    scene.dial("*6801")
    scene.parked()
    scene.hang_up(scene.ring.leg)
    scene.dial("*8801", 3)  # of another queue's skill
    assert scene.last.refused == "skill_missing"
    other = talks(scene, 2)
    scene.dial("*6801", 2)
    assert scene.last.refused == "place_taken"
    assert scene.live(other).status == "connected"
    assert len(scene.events(ContactParked)) == 1


def test_nobody_parks_in_the_middle_of_a_consultation() -> None:
    scene = Codes()
    scene.give(inputs.Ready(agent="1002"))
    assert not scene.refusal(inputs.Consult(agent="1001", to_agent="1002"))
    assert scene.events(ConsultAsked)
    scene.dial("*68")
    assert scene.last.refused == "consulting"
    assert not scene.events(ContactParked)


@pytest.mark.parametrize(
    ("account", "why"), (("", "not_signed_in"), ("1009", "not_signed_in"), ("1002", "not_talking"))
)
def test_whose_wish_it_is_says_the_account_and_no_number_that_is_shown(account: str, why: str) -> None:
    """Hostile: the phone says that it is agent 1's."""
    scene = Codes()
    assert scene.dial("*68", account=account, shown="1001") == "CALL_REJECTED"
    assert scene.last.refused == why
    assert not scene.events(ContactParked)


def test_a_caller_who_dials_a_code_is_a_caller() -> None:
    scene = Codes()
    before = len(scene.events(c.ContactArrived))
    scene.press("*68", "outside-1", "1001", context="ringledger-inbound")
    assert len(scene.events(c.ContactArrived)) == before + 1
    assert not scene.events(PhoneCodeDialled)
    scene.press("*68", "between-1", "1001", context="ringledger-nodes")
    assert story(scene.outcome) == ["StrayLegFound"]


def test_an_agent_who_was_removed_while_they_talk_is_refused_like_nobody() -> None:
    """Their shift lasts until the talk ends."""
    scene = Codes()
    scene.configure({"agent-a1": AgentRemoved()})
    assert scene.it.status == "connected"
    for code in ("*68", "*88"):
        assert scene.dial(code) == "CALL_REJECTED"
        assert (scene.last.refused, scene.last.agent_id) == ("not_signed_in", "")
    assert scene.it.status == "connected"


@pytest.mark.parametrize(("late_ms", "why"), ((5_000, ""), (5_020, "too_late")))
def test_a_code_that_was_held_back_is_not_done_into_what_the_agent_does_by_then(late_ms: int, why: str) -> None:
    scene = Codes()
    dialled_at = scene.now
    scene.sleep(late_ms)
    assert scene.dial("*68", at=dialled_at) == ("CALL_REJECTED" if why else "NORMAL_CLEARING")
    assert (scene.last.refused, scene.last.agent_id) == (why, "a1")
    assert len(scene.events(ContactParked)) == (0 if why else 1)


@pytest.mark.parametrize("off_s", (-3_600, -7, 7, 3_600))
@pytest.mark.parametrize(("late_ms", "why"), ((0, ""), (4_980, ""), (5_020, "too_late")))
def test_how_late_a_code_is_does_not_hang_on_the_clock_of_the_switch(off_s: int, late_ms: int, why: str) -> None:
    """Decision 0120: its host's clock may be wrong, or its own may have run away from its host's."""
    scene = Codes()
    heard(scene, off_s)
    dialled_at = Instant(scene.now + off_s * SECOND)
    scene.sleep(late_ms)
    assert scene.dial("*68", at=dialled_at) == ("CALL_REJECTED" if why else "NORMAL_CLEARING")
    assert scene.last.refused == why


def test_a_clock_of_a_switch_that_is_put_back_is_learnt_after_some_minutes() -> None:
    """And at once where it is put forward: nothing comes before it was sent."""
    scene = Codes()
    heard(scene, 0)
    heard(scene, -60)
    assert scene.dial("*68", at=Instant(scene.now - 60 * SECOND)) == "CALL_REJECTED"
    for _ in range(34):
        scene.sleep(20_000)
        heard(scene, -60)
    assert scene.dial("*68", at=Instant(scene.now - 60 * SECOND)) == "NORMAL_CLEARING"


def test_after_a_halt_of_ours_what_was_dialled_before_and_during_it_is_late() -> None:
    """What was told meanwhile comes all at once, in its order."""
    scene = Codes()
    heard(scene, 0)
    scene.sleep(200_000)
    for ago_s in (199, 180, 100):
        heard(scene, -ago_s)
    assert scene.dial("*68", at=Instant(scene.now - 90 * SECOND)) == "CALL_REJECTED"
    assert scene.last.refused == "too_late"


def heard(scene: Codes, off_s: int) -> None:
    """The switch, whose clock is ahead by so much, says that it lives."""
    at = Instant(scene.now + off_s * SECOND)
    scene.give(facts.Heartbeat(node=NODE, core="core-1", sessions=2, at=at))


def test_news_that_comes_twice_or_after_its_end_is_one_wish() -> None:
    scene = Codes()
    scene.dial("*68")
    leg = scene.last.leg
    scene.press("*68", leg, "1001")
    scene.hang_up(leg)
    scene.press("*68", leg, "1001")
    assert len(scene.events(PhoneCodeDialled)) == 1


def test_with_several_on_hold_the_phone_does_not_say_which_one_is_meant() -> None:
    scene = Codes()
    scene.configure({"agent-a1": replace(agent(1), capacity={"voice": 2})})
    scene.give(inputs.Hold(agent="1001"))
    scene.give(facts.LegHeld(node=NODE, leg=scene.ring.leg))
    other = scene.park()
    assert not scene.refusal(inputs.Pick(agent="1001", contact=scene.live(other).contact_id, reason="by_hand"))
    second = scene.ring_of(other)
    scene.ringing(second)
    scene.answer(second)
    scene.bridge(other, second)
    scene.give(facts.LegHeld(node=NODE, leg=second.leg))
    assert {scene.it.status, scene.live(other).status} == {"held"}
    scene.dial("*68")
    assert scene.last.refused == "which_one"
    scene.give(facts.LegResumed(node=NODE, leg=second.leg))
    assert scene.dial("*68") == "NORMAL_CLEARING"
    assert [event.segment_id for event in scene.events(ContactParked)] == [
        scene.events(c.ContactConnected)[1].segment_id
    ]
