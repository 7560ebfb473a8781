"""Between parking and waiting: who is let in, what they hear, when they are answered, and where they are sent on."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.customers.blacklist import BlacklistingLifted, NumberBlacklisted
from orchestrator.domain.kernel import MILLISECOND, SECOND, Event, Instant, Provenance, Record
from orchestrator.domain.routing.admission import MOST_TOLD
from orchestrator.domain.routing.calendars import CalendarConfigured, Offset
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.limits import LimitConfigured
from orchestrator.domain.routing.notices import NoticeConfigured
from orchestrator.domain.routing.numbers import RewriteConfigured
from orchestrator.domain.routing.queues import QueueConfigured, Spill
from orchestrator.domain.routing.trunks import TrunkConfigured
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import (
    AnswerCaller,
    BridgeLegs,
    ClaimCaller,
    HangUpLeg,
    PlayApology,
    PlayNotice,
    PlayWaiting,
    RingAgent,
)
from orchestrator.runner import Followed, inputs
from tests.runner.scene import BEGINNING, NODE, Scene, names

NUMBER = "+8613800138000"
NEVER_OPEN = CalendarConfigured(name="Never", zone="UTC", week=((),) * 7, offsets=(Offset(Instant(0), 0),))


def told(scene: Scene) -> list[str]:
    """What the switch was told by the last input."""
    return names(scene.outcome.instructions)


def turned_away(scene: Scene) -> c.ContactTurnedAway:
    """How the last contact was turned away."""
    return scene.events(c.ContactTurnedAway)[-1]


def entry(**more: object) -> EntryPointConfigured:
    return EntryPointConfigured(name="main", numbers=("4001",), queue_id="support", **more)  # type: ignore[arg-type]  # a test's own words


def queue(*rows: Spill, **more: object) -> QueueConfigured:
    return QueueConfigured(name="Q", skill=str(more.pop("skill", "zh")), overflow=rows, **more)  # type: ignore[arg-type]  # a test's own words


def listed(scene: Scene, event: Event, version: int = 1) -> None:
    """Somebody writes to the blacklist."""
    about = Provenance(at=scene.now, actor="user:ann", origin="command")
    record = Record(stream="blacklist-b", version=version, event=event, event_id=f"b{version}", about=about)
    scene.records.append(record)
    scene.give(Followed(record=record))


# --- numbers ---------------------------------------------------------------------------------------------------------


def test_what_was_dialled_and_who_calls_are_kept_as_they_came_and_as_they_are_meant() -> None:
    """Feature 1.1."""
    scene = Scene()
    scene.configure(
        {
            "rewrite-code": RewriteConfigured(name="Access", of="dialled", match="95001", strip=5, prepend="4001"),
            "rewrite-home": RewriteConfigured(name="Home", of="caller", match="1*", length=11, prepend="+86"),
        }
    )
    caller = scene.park("95001", number="13800138000")
    arrived = scene.events(c.ContactArrived)[-1]
    assert (arrived.dialled, arrived.caller_number) == ("95001", "13800138000")
    assert (arrived.to_number, arrived.from_number) == ("4001", NUMBER)
    assert scene.live(caller).queue_id == "support"
    assert not scene.events(c.EntryPointMissing)


# --- who is not let in -----------------------------------------------------------------------------------------------


def test_a_blacklisted_caller_is_rejected_unanswered_before_anything_rings() -> None:
    """Feature 5.5."""
    scene = Scene()
    scene.ready(1)
    listed(scene, NumberBlacklisted(number=NUMBER, reason="nuisance"))
    caller = scene.park(number=NUMBER)
    assert names(record.event for record in scene.outcome.records) == ["ContactArrived", "ContactTurnedAway"]
    assert turned_away(scene).reason == "blacklisted"
    (hang_up,) = scene.outcome.instructions
    assert isinstance(hang_up, HangUpLeg)
    assert hang_up.cause == "CALL_REJECTED"
    scene.hang_up(caller, "CALL_REJECTED")
    assert scene.events(c.ContactEnded)[-1].reason == "turned_away"
    assert not scene.instructions(RingAgent)
    scene.park(number="anonymous")
    assert scene.instructions(RingAgent), "a withheld number never matches"
    listed(scene, BlacklistingLifted(), 2)
    scene.park(number=NUMBER)
    assert scene.events(c.ContactQueued)[-1].queue_id == "support"


def test_a_blacklisted_caller_may_hear_why_still_unanswered() -> None:
    """Feature 5.5: an announcement, and nothing is billed."""
    scene = Scene()
    scene.configure({"entry-main": entry(blacklisted="blacklisted")})
    listed(scene, NumberBlacklisted(number=NUMBER, reason="nuisance", until=Instant(scene.now + 10 * SECOND)))
    scene.park(number=NUMBER)
    assert told(scene) == ["PlayApology"]
    scene.wait(10_000)
    scene.park(number=NUMBER)
    assert told(scene) == ["AnswerCaller", "PlayWaiting"], "it was over"


def test_an_agent_marks_a_nuisance_during_the_call_and_the_next_call_is_refused() -> None:
    """Feature 5.5."""
    scene = Scene()
    assert scene.refusal(inputs.MarkNuisance(agent="1001")) == "not_signed_in"
    caller, ring = scene.talk(1)
    scene.give(inputs.MarkNuisance(agent="1001", about=scene.live(caller).contact_id))
    assert names(record.event for record in scene.outcome.records) == ["NuisanceMarked"]
    assert scene.outcome.records[0].about.actor == "agent:1001"
    assert not scene.outcome.instructions, "the call goes on"
    scene.give(inputs.MarkNuisance(agent="1001"))
    assert not scene.outcome.records, "once is enough"
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    scene.restart()
    scene.connect()
    scene.park(number=NUMBER)
    assert turned_away(scene).reason == "blacklisted"


def test_a_caller_without_a_number_cannot_be_marked() -> None:
    scene = Scene()
    scene.ready(1)
    caller = scene.park(number="anonymous")
    ring = scene.ring_of(caller)
    scene.answer(ring)
    scene.bridge(caller, ring)
    assert scene.refusal(inputs.MarkNuisance(agent="1001")) == "no_number"


def test_a_full_trunk_group_brings_nobody_else_in_until_somebody_leaves() -> None:
    """Issue 4, admission."""
    scene = Scene()
    scene.configure({"trunk-carrier": TrunkConfigured(name="Carrier", peers=("",), most_calls=0)})
    scene.configure({"trunk-carrier": TrunkConfigured(name="Carrier", peers=("gw",), most_calls=2)})
    callers = [scene.park(trunk="gw") for _ in range(3)]
    assert turned_away(scene).reason == "trunk_full"
    assert told(scene) == ["PlayApology"]
    assert isinstance(scene.outcome.instructions[0], PlayApology)
    assert scene.outcome.instructions[0].prompt == "overloaded"
    scene.park(trunk="other")
    assert scene.events(c.ContactQueued)[-1].queue_id == "support", "another group is another"
    scene.hang_up(callers[0])
    caller = scene.park(trunk="gw")
    assert scene.live(caller).visit is not None


def test_twice_what_a_switch_bears_is_offered_and_served_a_second_stay_at_the_limit() -> None:
    """Issue 4: shedding; served calls per second never fall past the limit, and never rise above it."""
    scene, limit, seconds = Scene(agents=0), 20, 20
    scene.configure({"limit-any": LimitConfigured(calls_per_s=limit, burst=limit)})
    served, said = dict.fromkeys(range(seconds), 0), 0
    for _ in range(2 * limit * seconds):
        scene.park()
        served[(scene.now - BEGINNING) // SECOND] += told(scene) == ["AnswerCaller", "PlayWaiting"]
        said += told(scene) == ["PlayApology"]
        scene.wait(1_000 // (2 * limit))
    # The first second also lets in the burst.
    assert [served[second] for second in range(2, seconds)] == [limit] * (seconds - 2)
    assert said == 2 * limit * seconds - sum(served.values()), "everybody else is told"
    assert (turned_away(scene).reason, turned_away(scene).prompt) == ("overloaded", "overloaded")


def test_beyond_what_can_be_told_callers_are_refused_without_a_word() -> None:
    """Issue 4: telling costs the switch something, too."""
    scene = Scene(agents=0)
    scene.configure({"limit-any": LimitConfigured(calls_per_s=1, burst=2)})
    kinds = []
    for _ in range(6):
        scene.park()
        kinds.append(told(scene))
    away = [["PlayApology"]] * 2 + [["HangUpLeg"]] * 2
    assert kinds == [["AnswerCaller", "PlayWaiting"]] * 2 + away
    assert scene.instructions(HangUpLeg)[-1].cause == "SWITCH_CONGESTION"


# --- what they hear, and when they are answered ----------------------------------------------------------------------


def test_a_notice_that_is_on_is_heard_once_before_the_music() -> None:
    """Feature 2.6: also when the caller is sent on to another queue."""
    scene = Scene(agents=0)
    storm = NoticeConfigured(name="Storm", prompt="notice_weather", entries=("main",), on=True)
    rows = (Spill(when="wait", to="queue:other", after_ms=5_000),)
    scene.configure({"notice-storm": storm, "queue-support": queue(*rows), "queue-other": queue()})
    caller = scene.park()
    assert told(scene) == ["AnswerCaller", "PlayNotice", "PlayWaiting"]
    scene.wait(5_000)
    assert scene.live(caller).queue_id == "other"
    assert len(scene.instructions(PlayNotice)) == 1
    scene.configure({"notice-storm": NoticeConfigured(name="Storm", prompt="notice_weather", on=False)})
    scene.park()
    assert told(scene) == ["AnswerCaller", "PlayWaiting"]


def test_a_caller_to_be_answered_by_an_agent_hears_music_unanswered_until_then() -> None:
    """Issue 4: billing begins only with an agent; a restart answers nobody either."""
    scene = Scene()
    scene.configure({"entry-main": entry(answer="when_connected")})
    caller = scene.park()
    assert told(scene) == ["ClaimCaller", "PlayWaiting"]
    scene.restart()
    scene.connect(legs=(scene.seen(caller, answered=False),))
    assert names(scene.outcome.instructions) == ["ClaimCaller", "PlayWaiting"]
    scene.ready(1)
    ring = scene.ring_of(caller)
    scene.answer(ring)
    assert scene.instructions(BridgeLegs)[-1].leg == caller
    assert not scene.instructions(AnswerCaller), "the bridge answers"
    assert scene.live(caller).answered


def test_a_caller_is_answered_after_a_while_where_the_entry_point_says_so() -> None:
    """Issue 4: the free seconds of a hot line."""
    scene = Scene(agents=0)
    scene.configure({"entry-main": entry(answer="after", answer_after_ms=8_000)})
    caller = scene.park()
    assert scene.instructions(ClaimCaller)
    scene.wait(7_999)
    assert not scene.instructions(AnswerCaller)
    scene.wait(1)
    assert names(record.event for record in scene.outcome.records) == ["AnswerRequested"]
    assert told(scene) == ["AnswerCaller"]
    assert scene.live(caller).answered


def test_whoever_was_not_answered_hears_the_apology_unanswered() -> None:
    """Issue 4: nobody pays for an apology, where the entry point says so."""
    scene = Scene(agents=0)
    scene.configure({"entry-main": entry(answer="when_connected"), "queue-support": queue(max_wait_ms=2_000)})
    scene.park()
    scene.wait(2_000)
    assert told(scene) == ["PlayApology"]


# --- where they are sent ---------------------------------------------------------------------------------------------


def test_hours_of_queue_and_entry_point_close_the_door_with_an_apology_or_another_way() -> None:
    """Feature 2.6, 3.5."""
    scene = Scene()
    scene.configure({"calendar-never": NEVER_OPEN, "entry-main": entry(hours="never")})
    scene.park()
    assert (turned_away(scene).reason, turned_away(scene).prompt) == ("closed", "closed")
    rows = (Spill(when="closed", to="queue:other"),)
    scene.configure({"entry-main": entry(), "queue-support": queue(*rows, calendar="never"), "queue-other": queue()})
    caller = scene.park()
    queued = scene.events(c.ContactQueued)[-1]
    assert (queued.queue_id, queued.hops) == ("other", (c.Hop(queue_id="support", when="closed"),))
    assert scene.live(caller).entry_id == "main"


def test_a_wait_overflows_in_one_step_and_keeps_since_when_it_waits() -> None:
    """Feature 3.5, complaint 21: nobody loses the time that they have waited."""
    scene = Scene(agents=0)
    rows = (Spill(when="wait", to="queue:other", after_ms=5_000),)
    scene.configure({"queue-support": queue(*rows), "queue-other": queue(skill="en", music="jazz")})
    caller, begun = scene.park(), scene.now
    scene.wait(5_000)
    assert names(record.event for record in scene.outcome.records) == ["QueueVisitEnded", "ContactQueued"]
    ended, queued = scene.events(c.QueueVisitEnded)[-1], scene.events(c.ContactQueued)[-1]
    assert (ended.outcome, ended.cause) == ("overflowed", "wait")
    assert (queued.queue_id, queued.waiting_since, queued.music) == ("other", begun, "jazz")
    assert told(scene) == ["PlayWaiting"], "it is answered, and hears the other queue's music"
    visit = scene.live(caller).visit
    assert visit is not None
    assert visit.since == begun


def test_what_falls_due_while_a_phone_rings_is_looked_at_when_nobody_took_it() -> None:
    """Feature 3.5: nobody is taken away from an agent who is about to answer."""
    scene = Scene(agents=1, ring_ms=10_000)
    rows = (Spill(when="wait", to="apology:apology", after_ms=3_000),)
    scene.configure({"queue-support": queue(*rows, ring_ms=10_000)})
    scene.ready(1)
    caller = scene.park()
    scene.ringing(scene.ring_of(caller))
    scene.wait(9_000)
    assert scene.live(caller).status == "offered"
    scene.wait(1_000)
    assert turned_away(scene).reason == "no_agent_in_time"


def test_where_no_place_takes_somebody_they_wait_on_and_are_looked_at_again() -> None:
    """Feature 3.5; bad input: a queue deleted, to which callers should go."""
    scene = Scene(agents=0)
    rows = tuple(Spill(when="wait", to="queue:gone", after_ms=ms) for ms in (2_000, 4_000))
    scene.configure({"queue-support": queue(*rows, max_wait_ms=9_000)})
    caller = scene.park()
    begun = scene.now
    scene.wait(2_000)
    assert scene.events(c.OverflowDeferred)[-1].again_at == begun + 4_000 * MILLISECOND
    scene.wait(2_000)
    assert scene.events(c.OverflowDeferred)[-1].again_at == 0
    assert scene.live(caller).status == "waiting"
    scene.wait(5_000)
    assert turned_away(scene).reason == "no_agent_in_time", "the longest wait is a way out, always"


def test_when_the_last_agent_signs_out_callers_go_where_somebody_is() -> None:
    """Feature 3.5; bad input: all agents gone."""
    scene = Scene(agents=1)
    scene.configure({"queue-support": queue(Spill(when="nobody", to="apology:apology"))})
    scene.park()
    assert turned_away(scene).reason == "nobody_signed_in"
    scene.ready(1)
    scene.give(inputs.Pause(agent="1001", reason="break"))
    caller = scene.park()
    assert scene.live(caller).status == "waiting", "somebody is signed in"
    scene.give(inputs.SignOut(agent="1001"))
    assert scene.live(caller).status == "leaving"
    assert scene.events(c.QueueVisitEnded)[-1].cause == "nobody"


def test_a_full_queue_takes_nobody_else() -> None:
    """Issue 4: a cap on who waits; `length` says where else to go."""
    scene = Scene(agents=0)
    scene.configure({"queue-support": queue(Spill(when="length", to="queue:other", over=1), most_waiting=1)})
    scene.park()
    scene.park()
    assert turned_away(scene).reason == "queue_full"
    scene.configure({"queue-other": queue()})
    caller = scene.park()
    assert scene.live(caller).queue_id == "other"
    assert len(scene.instructions(PlayWaiting)) == 2


def test_a_switch_without_a_limit_that_falls_behind_lets_nobody_in_until_it_keeps_up_again() -> None:
    """Issue 4, admission: served calls per second never fall past the limit, also where nobody configured one."""
    scene = Scene(agents=0)
    waits = scene.park()
    scene.give(facts.SwitchBehind(node=NODE, behind_ms=300))
    assert names(record.event for record in scene.outcome.records) == ["NodeOverloaded"]
    scene.give(facts.SwitchBehind(node=NODE, behind_ms=400))
    assert not scene.outcome.records, "it is known already"
    scene.park()
    assert turned_away(scene).reason == "overloaded"
    (apology,) = scene.outcome.instructions
    assert isinstance(apology, PlayApology), "said before the answer: nothing is billed"
    assert (apology.prompt, apology.cause) == ("overloaded", "SWITCH_CONGESTION")
    assert scene.live(waits).queue_id == "support", "whoever was let in stays"
    scene.restart()
    scene.connect(legs=(scene.seen(waits),))
    scene.park()
    assert len(scene.events(c.ContactQueued)) == 2, "of a switch that was lost nothing is known any more"
    scene.give(facts.SwitchBehind(node=NODE, behind_ms=300))
    scene.give(facts.SwitchCaughtUp(node=NODE))
    assert names(record.event for record in scene.outcome.records) == ["NodeRelieved"]
    scene.park()
    assert len(scene.events(c.ContactQueued)) == 3


def test_a_limit_that_somebody_configured_is_the_only_one() -> None:
    scene = Scene(agents=0)
    scene.configure({"limit-any": LimitConfigured(calls_per_s=1, burst=2)})
    scene.give(facts.SwitchBehind(node=NODE, behind_ms=300))
    scene.park()
    scene.park()
    assert len(scene.events(c.ContactQueued)) == 2
    scene.park()
    assert turned_away(scene).reason == "overloaded"


def test_so_many_hear_at_once_that_there_is_no_room_and_the_others_are_refused_unheard() -> None:
    """Telling costs a switch that is behind something, too."""
    scene = Scene(agents=0)
    scene.give(facts.SwitchBehind(node=NODE, behind_ms=300))
    hearing = [scene.park() for _ in range(MOST_TOLD)]
    assert turned_away(scene).prompt == "overloaded"
    scene.park()
    assert turned_away(scene).prompt == ""
    (hang_up,) = scene.outcome.instructions
    assert isinstance(hang_up, HangUpLeg)
    scene.hang_up(hearing[0], "SWITCH_CONGESTION")
    scene.park()
    assert turned_away(scene).prompt == "overloaded", "one of them has heard it"
