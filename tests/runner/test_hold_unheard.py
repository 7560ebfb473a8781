"""A hold, or its end, that the switch refuses, does not do, or does unheard: the agent is never stuck with a wish."""

import pytest

from orchestrator.audit.verify import verify
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.contacts import HOLD_WITHIN, Segment
from orchestrator.domain.kernel import MILLISECOND, SECOND
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import HoldLeg, ResumeLeg, TakeSnapshot
from orchestrator.runner import inputs as i
from orchestrator.runner.sensing import AUDIT_EVERY
from tests.runner.scene import NODE, Scene, story

# How often a switch counts its channels.
BEAT = 20 * SECOND
HOLD, RESUME = i.Hold(agent="1001"), i.Resume(agent="1001")


class Talking(Scene):
    """Agent 1 has talked with a caller for a while, and agent 2 is free."""

    def __init__(self) -> None:
        super().__init__(agents=2)
        self.caller, self.ring = self.talk()
        self.ready(2)
        self.wait(5_000)

    def look(self, *, held: bool) -> None:
        """The switch says what there is."""
        self.snapshot(
            self.seen(self.caller, parked=False, bridged_to=self.ring.leg),
            self.seen_phone(self.ring, answered=True, bridged_to=self.caller, held=held),
        )

    @property
    def segment(self) -> Segment:
        segment = self.live(self.caller).segment
        assert segment is not None
        return segment

    @property
    def state(self) -> tuple[str, str]:
        """What the talk is, and what is wished of it."""
        return self.live(self.caller).status, self.segment.wish

    def heard(self, kind: type[facts.LegHeld | facts.LegResumed]) -> list[str]:
        """The switch says so; the events."""
        return story(self.give(kind(node=NODE, leg=self.ring.leg)))

    def proven(self) -> None:
        """Everybody leaves, and the independent verifier finds nothing wrong."""
        for leg in (self.caller, self.ring.leg):
            self.hang_up(leg)
        report = verify(self.records, expect_contacts=1)
        assert not report.problems, report.problems


def test_a_hold_of_which_nothing_was_heard_is_looked_for_and_found() -> None:
    """Feature 4.3, complaint 15: CHANNEL_HOLD is lost."""
    scene = Talking()
    scene.give(HOLD)
    scene.wait(HOLD_WITHIN // 1_000 - 1)
    assert not scene.instructions(TakeSnapshot)
    scene.wait(1)
    assert len(scene.instructions(TakeSnapshot)) == 1
    scene.look(held=True)
    assert [name for name in story(scene.outcome) if name != "NodeRepaired"] == ["ContactHeld"]
    assert scene.state == ("held", "")
    scene.wait(600_000)
    assert len(scene.instructions(TakeSnapshot)) == 1
    scene.proven()


def test_so_is_the_end_of_a_hold() -> None:
    scene = Talking()
    scene.give(HOLD)
    scene.heard(facts.LegHeld)
    scene.wait(5_000)
    scene.give(RESUME)
    scene.wait(HOLD_WITHIN // 1_000)
    assert len(scene.instructions(TakeSnapshot)) == 1
    scene.look(held=False)
    assert scene.state == ("connected", "")
    assert scene.events(c.ContactResumed)
    scene.proven()


@pytest.mark.parametrize("answer", ("Operation failed", "timeout"))
def test_a_hold_that_fails_leaves_the_agent_free_to_do_what_they_like(answer: str) -> None:
    """Feature 4.3: the switch is looked at at once, and the wish is over with its reason."""
    scene = Talking()
    scene.give(HOLD)
    scene.failed(scene.instructions(HoldLeg)[-1], answer)
    assert len(scene.instructions(TakeSnapshot)) == 1
    scene.look(held=False)
    assert scene.events(c.HoldFailed) == [c.HoldFailed(segment_id=scene.segment.segment_id, on=True, cause=answer)]
    assert scene.state == ("connected", "")
    scene.wait(600_000)
    assert len(scene.instructions(TakeSnapshot)) == 1
    assert scene.refusal(i.SendDigits(agent="1001", digits="1")) == ""
    assert story(scene.give(HOLD)) == ["HoldRequested"]
    scene.heard(facts.LegHeld)

    scene.proven()


def test_a_hold_that_was_told_twice_is_refused_and_stands() -> None:
    """Bad input: the first was done, its event lost, and the second is refused because of it."""
    scene = Talking()
    scene.give(HOLD)
    scene.wait(1_000)
    scene.give(HOLD)
    scene.failed(scene.instructions(HoldLeg)[-1], "Operation failed")
    scene.look(held=True)
    assert scene.state == ("held", "")
    assert not scene.events(c.HoldFailed)
    scene.proven()


def test_a_caller_who_hears_music_unheard_of_is_talked_with_again_without_a_look() -> None:
    """Feature 4.3, complaint 15: nobody waits for the look for longer than a switch may take for a hold."""
    scene = Talking()
    scene.give(HOLD)
    assert scene.refusal(RESUME) == "not_held", "the music must have begun before it can be ended"
    scene.wait(HOLD_WITHIN // MILLISECOND)
    assert story(scene.give(RESUME)) == ["ResumeRequested"]
    scene.wait(1_000)
    assert [each.leg for each in scene.instructions(ResumeLeg)] == [scene.ring.leg]
    assert scene.heard(facts.LegResumed) == ["ContactResumed"]
    assert scene.state == ("connected", "")
    scene.proven()


def test_its_hold_that_is_heard_of_late_does_not_take_the_end_back() -> None:
    scene = Talking()
    scene.give(HOLD)
    scene.wait(HOLD_WITHIN // MILLISECOND)
    scene.give(RESUME)
    assert scene.heard(facts.LegHeld) == ["ContactHeld"]
    assert scene.state == ("held", "resume")
    scene.wait(1_000)
    assert len(scene.instructions(ResumeLeg)) == 1
    scene.heard(facts.LegResumed)
    assert scene.state == ("connected", "")
    scene.proven()


def test_a_link_that_was_lost_meanwhile_tells_the_switch_again_instead() -> None:
    """Features 4.3, 12.1: what never arrived is not given up."""
    scene = Talking()
    scene.give(HOLD)
    scene.disconnect()
    scene.failed(scene.instructions(HoldLeg)[-1], "link_down")
    scene.wait(HOLD_WITHIN // 1_000)
    scene.give(facts.LinkUp(node=NODE, core="core-1"))
    scene.look(held=False)
    assert len(scene.instructions(HoldLeg)) == 2
    assert scene.state == ("connected", "hold")
    scene.heard(facts.LegHeld)
    scene.proven()


def test_an_engine_that_starts_again_looks_for_what_was_wished_before() -> None:
    """Feature 12.1: the timer is the log's."""
    scene = Talking()
    scene.give(HOLD)
    scene.restart()
    scene.give(facts.LinkUp(node=NODE, core="core-1"))
    scene.look(held=False)
    scene.wait(HOLD_WITHIN // 1_000)
    assert len(scene.instructions(TakeSnapshot)) == 1
    scene.look(held=False)
    assert scene.state == ("connected", "")
    assert [event.cause for event in scene.events(c.HoldFailed)] == ["unheard"]
    scene.proven()


def test_a_hold_by_the_phones_own_key_of_which_the_event_is_lost_is_found_by_the_slow_audit() -> None:
    """Law 5: nothing was wished, and the counts agree; so only a look that nobody had a reason for finds it."""
    scene = Talking()
    looks = []
    for _ in range(2 * AUDIT_EVERY // BEAT):
        scene.wait(BEAT // MILLISECOND)
        scene.give(facts.Heartbeat(node=NODE, core="core-1", sessions=2))
        if any(isinstance(each, TakeSnapshot) for each in scene.outcome.instructions):
            looks.append(scene.now)
            scene.look(held=len(looks) == 1)
    assert len(scene.instructions(TakeSnapshot)) == 2
    assert looks[1] - looks[0] == AUDIT_EVERY
    assert [scene.events(kind) != [] for kind in (c.ContactHeld, c.ContactResumed)] == [True, True]
    assert not scene.events(c.HoldRequested)
    scene.proven()


def test_several_nodes_are_looked_at_one_after_another() -> None:
    scene = Scene()
    for node in ("sw2", "sw3"):
        scene.connect(node=node, core=f"core-{node}")
    looked = []
    for _ in range(2 * AUDIT_EVERY // BEAT):
        scene.wait(BEAT // MILLISECOND)
        for node in ("sw1", "sw2", "sw3"):
            scene.give(facts.Heartbeat(node=node, core="core-1", sessions=0))
            looked += [(scene.now, each.node) for each in scene.outcome.instructions if isinstance(each, TakeSnapshot)]
    assert {node for _, node in looked} == {"sw1", "sw2", "sw3"}
    assert len({at for at, _ in looked}) == len(looked) == 6
