"""Desks that come and go, told by hand: what a closed page, a dead network and a dead web process lead to."""

import pytest

from orchestrator.domain.kernel import SECOND
from orchestrator.domain.staff import presence as p
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch.instructions import RingAgent
from orchestrator.questions import agents
from orchestrator.replay.picture import picture
from orchestrator.runner import inputs as i
from orchestrator.runner.presence import LEASE
from tests.runner.scene import Scene, agent, story

LEASE_MS = LEASE // 1_000
GRACE_MS = 15_000


def at_the_desk(**queue: object) -> Scene:
    """Agent 1 is ready at desk d1, whose page is open."""
    scene = Scene(agents=2, **queue)  # type: ignore[arg-type]  # a test's own words
    scene.give(i.SignIn(agent="1001", desk="d1"))
    scene.give(i.Ready(agent="1001", desk="d1"))
    return scene


def seen(desk: str = "d1") -> i.DeskSeen:
    return i.DeskSeen(agent="1001", desk=desk)


def gone(desk: str = "d1") -> i.DeskGone:
    return i.DeskGone(agent="1001", desk=desk)


def beat(desk: str = "d1") -> i.DeskBeat:
    return i.DeskBeat(desks={"1001": desk})


def keep_beating(scene: Scene, ms: int, desk: str = "d1") -> None:
    """The web process says every three seconds that the desk is there."""
    for _ in range(ms // 3_000):
        scene.wait(3_000)
        assert story(scene.give(beat(desk))) == []


def state(scene: Scene) -> str:
    shift = scene.shift(1)
    return shift.desk.state if shift is not None and shift.desk is not None else ""


def test_a_page_that_is_open_before_the_sign_in_is_the_agents_desk_with_it() -> None:
    """Feature 4.1; desk presence."""
    scene = Scene(agents=1)
    assert story(scene.give(seen())) == []
    assert story(scene.give(i.SignIn(agent="1001", desk="d1"))) == ["AgentSignedIn", "DeskAttached"]


def test_a_page_that_is_opened_after_a_sign_in_at_the_phone_is_the_agents_desk_too() -> None:
    """Desk presence: by its opening, or by the next beat."""
    for news in (seen(), beat()):
        scene = Scene(agents=1)
        scene.ready(1)
        assert story(scene.give(news)) == ["DeskAttached"]
        assert story(scene.give(news)) == []


def test_a_reload_within_the_grace_changes_nothing_for_the_agent() -> None:
    """Desk presence."""
    scene = at_the_desk()
    assert story(scene.give(gone())) == ["DeskLost"]
    scene.wait(GRACE_MS - 1)
    assert scene.status(1) == "ready"
    assert story(scene.give(seen())) == ["DeskReturned"]
    keep_beating(scene, 60_000)
    assert (scene.status(1), state(scene)) == ("ready", "attached")
    assert scene.is_free(1)


def test_the_grace_is_that_of_the_strictest_queue_of_the_agent() -> None:
    """Desk presence: a setting of the queue."""
    scene = at_the_desk(desk_grace_ms=4_000)
    scene.give(gone())
    (lost,) = scene.events(p.DeskLost)
    assert lost.until == scene.now + 4 * SECOND
    scene.configure({"agent-a1": agent(1, nothing=1)})
    scene.give(seen())
    scene.give(gone())
    assert scene.events(p.DeskLost)[-1].until == scene.now + GRACE_MS * 1_000


def test_a_page_that_stays_closed_stands_its_agent_down_and_one_click_brings_it_back() -> None:
    """Desk presence; complaint 19: a reason, a notice and a way back."""
    scene = at_the_desk()
    scene.give(gone())
    scene.wait(GRACE_MS)
    assert [event.reason for event in scene.events(s.AgentStoodDown)] == ["desk_lost"]
    caller = scene.park()
    assert not scene.rings_of(caller)
    assert scene.refusal(i.Ready(agent="1001")) == "desk_lost"
    assert story(scene.give(seen())) == ["DeskReturned"]
    assert not scene.rings_of(caller)
    scene.give(i.Ready(agent="1001", desk="d1"))
    assert scene.ring_of(caller).extension == "1001"


def test_a_phone_that_rings_when_the_desk_is_lost_rings_on_and_can_answer() -> None:
    """Desk presence; network away for a minute: no lost ring."""
    scene = at_the_desk(ring_ms=60_000)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.give(gone())
    scene.wait(40_000)
    assert (scene.status(1), state(scene)) == ("reserved", "absent")
    scene.answer(ring)
    scene.bridge(caller, ring)
    scene.wait(60_000)
    assert scene.status(1) == "talking"
    assert len(scene.instructions(RingAgent)) == 1


def test_a_caller_who_comes_within_the_grace_is_still_offered() -> None:
    """Desk presence: for so long nothing changes."""
    scene = at_the_desk()
    scene.give(gone())
    scene.wait(5_000)
    assert scene.ring_of(scene.park()).extension == "1001"


def test_a_talk_outlives_the_desk_and_its_wrap_up_ends_by_itself() -> None:
    """Desk presence; complaint 11."""
    scene = at_the_desk(wrap_up_ms=10_000)
    caller, ring = scene.talk()
    scene.give(gone())
    scene.wait(60_000)
    assert scene.status(1) == "talking"
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    scene.wait(9_999)
    assert scene.status(1) == "wrapping_up"
    scene.wait(1)
    assert [event.how for event in scene.events(s.WrapUpEnded)] == ["timer"]
    assert (scene.status(1), state(scene)) == ("paused", "absent")
    assert not scene.rings_of(scene.park())


def test_a_desk_of_which_nothing_is_heard_is_lost_though_nobody_said_so() -> None:
    """Desk presence; law 9: the web process is dead, or its news is lost."""
    scene = at_the_desk()
    keep_beating(scene, 30_000)
    heard = scene.now
    scene.wait(LEASE_MS - 1)
    assert state(scene) == "attached"
    scene.wait(1)
    assert [(event.cause, event.until) for event in scene.events(p.DeskLost)] == [
        ("silent", heard + LEASE + GRACE_MS * 1_000)
    ]
    scene.wait(GRACE_MS)
    assert (scene.status(1), state(scene)) == ("paused", "absent")


def test_a_beat_brings_back_what_was_lost_by_silence() -> None:
    """Desk presence: the web process was started again, and pages connect anew."""
    scene = at_the_desk()
    scene.wait(LEASE_MS + 100)
    assert story(scene.give(beat())) == ["DeskReturned"]
    assert scene.status(1) == "ready"


def test_only_the_desk_that_is_silent_is_lost() -> None:
    """Desk presence."""
    scene = at_the_desk()
    scene.give(i.SignIn(agent="1002", desk="d9"))
    for _ in range(10):
        scene.wait(3_000)
        scene.give(i.DeskBeat(desks={"1002": "d9"}))
    shift = scene.shift(2)
    assert shift is not None
    assert shift.desk is not None
    assert (state(scene), shift.desk.state) == ("absent", "attached")


def test_beats_leave_nothing_in_the_log() -> None:
    """Desk presence: a heartbeat is no event."""
    scene = at_the_desk()
    before = len(scene.records)
    keep_beating(scene, 600_000)
    assert len(scene.records) == before


def test_an_agent_without_a_desk_is_as_before() -> None:
    """Desk presence: a phone and the command line, a robot."""
    scene = Scene(agents=1)
    scene.ready(1)
    scene.give(gone())
    scene.give(i.DeskBeat(desks={}))
    scene.wait(600_000)
    assert (scene.status(1), state(scene)) == ("ready", "")


def test_a_second_page_is_told_of_the_first_and_takes_over_by_a_click() -> None:
    """Two desks for one agent: the second is told, the first sees it in the live state."""
    scene = at_the_desk()
    assert scene.refusal(seen("d2")) == "desk_elsewhere"
    refused = scene.outcome.refused
    assert refused is not None
    assert "d1" in refused.message
    assert "2026-03-02 08:00" in refused.message
    assert story(scene.give(i.TakeOver(agent="1001", desk="d2"))) == ["DeskTakenOver"]
    assert scene.refusal(i.Pause(agent="1001", desk="d1", reason="break")) == "desk_elsewhere"
    assert story(scene.give(gone("d1"))) == []
    assert story(scene.give(beat("d1"))) == []
    assert scene.refusal(seen("d1")) == "desk_elsewhere"
    assert story(scene.give(i.Pause(agent="1001", desk="d2", reason="break"))) == ["AgentPaused"]


def test_another_page_may_be_opened_when_the_first_is_gone() -> None:
    """Two desks for one agent."""
    scene = at_the_desk()
    scene.give(gone())
    assert story(scene.give(seen("d2"))) == ["DeskAttached"]
    assert scene.refusal(seen("d1")) == "desk_elsewhere"


@pytest.mark.parametrize("desk", ("", "a b", "ü", "x" * 65, "<script>", "١"))
def test_what_is_no_desk_id_is_refused(desk: str) -> None:
    """Bad input."""
    scene = Scene(agents=1)
    scene.ready(1)
    for command in (seen(desk), gone(desk), beat(desk), i.TakeOver(agent="1001", desk=desk)):
        assert scene.refusal(command) == "bad_desk"
    scene.give(i.SignOut(agent="1001"))
    assert scene.refusal(i.SignIn(agent="1001", desk=desk)) == ("bad_desk" if desk else "")


def test_a_page_of_nobody_is_refused_and_a_beat_of_nobody_is_ignored() -> None:
    """Bad input; an agent who was removed while the page is open."""
    scene = Scene(agents=1)
    assert scene.refusal(i.DeskSeen(agent="7777", desk="d1")) == "unknown_agent"
    assert story(scene.give(i.DeskBeat(desks={"7777": "d1"}))) == []


def test_a_new_engine_listens_as_long_as_any_other_before_it_calls_a_desk_lost() -> None:
    """Decision 0018: beats could not reach it; desks that live are beaten for again."""
    scene = at_the_desk()
    scene.sleep(60_000)
    scene.restart()
    scene.wait(LEASE_MS - 100)
    assert state(scene) == "attached"
    assert story(scene.give(beat())) == []
    scene.wait(LEASE_MS - 100)
    assert not scene.events(p.DeskLost)
    scene.wait(200)
    assert len(scene.events(p.DeskLost)) == 1


def test_a_desk_that_came_back_while_the_engine_was_away_costs_nobody_the_ready_state() -> None:
    """Decision 0018; no lost ring: the grace ended while nobody could be told."""
    scene = at_the_desk()
    scene.give(gone())
    scene.sleep(60_000)
    scene.restart()
    scene.wait(0)
    assert [type(event).__name__ for event in scene.of_shift(1)][-1] == "DeskGraceExtended"
    scene.wait(2_000)
    scene.give(beat())
    keep_beating(scene, 60_000)
    assert not scene.events(s.AgentStoodDown)
    assert scene.status(1) == "ready"


def test_one_that_did_not_is_absent_a_lease_later() -> None:
    """Desk presence; law 9."""
    scene = at_the_desk()
    scene.give(gone())
    scene.sleep(60_000)
    scene.restart()
    scene.wait(LEASE_MS)
    assert (scene.status(1), state(scene)) == ("paused", "absent")


def test_a_database_that_was_away_makes_no_desk_silent() -> None:
    """Decision 0018: beats were refused meanwhile."""
    scene = at_the_desk()
    keep_beating(scene, 9_000)
    scene.sleep(60_000)
    scene.wait(0)
    assert state(scene) == "attached"
    scene.give(beat())
    keep_beating(scene, 30_000)
    assert not scene.events(p.DeskLost)


def test_the_same_inputs_lead_to_the_same_records_beats_included() -> None:
    """Law 3: a re-drive from the tape; what is remembered of desks is made of inputs alone."""

    def play() -> list[object]:
        scene = at_the_desk()
        keep_beating(scene, 12_000)
        scene.wait(LEASE_MS + 3_000)
        scene.give(beat())
        scene.wait(60_000)
        return [(record.event_id, record.event, record.about) for record in scene.records]

    assert play() == play()


def test_where_the_desk_is_stands_in_the_answers_of_now_and_of_then() -> None:
    """Features 4.1, 11.4."""
    scene = at_the_desk()
    row = next(row for row in agents(scene.world) if row["number"] == "1001")
    assert row["desk"] == {"desk_id": "d1", "state": "attached", "since": scene.now}
    assert next(row for row in agents(scene.world) if row["number"] == "1002")["desk"] is None
    scene.give(gone())
    (shift,) = picture(scene.world, scene.now, position=1)["shifts"]
    assert shift["desk"] == {"desk_id": "d1", "state": "lost", "since": "2026-03-02T08:00:00.000000Z"}


def test_more_time_for_after_call_work_moves_its_timer_up_to_the_queues_limit() -> None:
    """Features 4.1, 4.7."""
    scene = Scene(agents=1, wrap_up_ms=10_000, wrap_up_most_ms=45_000)
    caller, ring = scene.talk()
    contact = scene.live(caller).contact_id
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    more = i.ExtendWrapUp(agent="1001", about=contact, by_ms=20_000)
    assert story(scene.give(more)) == ["WrapUpExtended"]
    scene.wait(29_999)
    assert scene.status(1) == "wrapping_up"
    assert story(scene.give(more)) == ["WrapUpExtended"]
    assert scene.refusal(more) == "wrap_up_limit"
    scene.wait(15_000)
    assert scene.status(1) == "wrapping_up"
    scene.wait(1)
    assert scene.status(1) == "ready"
    assert scene.refusal(i.ExtendWrapUp(agent="1001", by_ms=20_000)) == "not_wrapping_up"
    assert scene.refusal(i.ExtendWrapUp(agent="1001", by_ms=0)) == "bad_time"
