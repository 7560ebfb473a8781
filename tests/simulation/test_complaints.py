"""What users of today's systems complain of: each as a story told by hand, and as seeds in the weather that brings it.

The rules of the simulation (`invariants.RULES`) hold throughout every seed; a test says here what else must be so, and
that the thing complained of could have happened: enough offers, answers, hang-ups, restarts.
"""

from collections.abc import Iterator
from typing import TypeVar

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts.consult_events import ConsultClosed, ConsultExtended, ConsultJoined, ContactRejoined
from orchestrator.domain.contacts.dial_events import ContactDialled, DialEnded, NumberAnswered
from orchestrator.domain.contacts.dials import OUTCOMES
from orchestrator.domain.contacts.monitor_events import MonitorBegun, MonitorClosed, TalkTakenOver
from orchestrator.domain.contacts.monitors import MODES
from orchestrator.domain.contacts.park_events import ContactParked, ParkEnded
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.contacts.transferring import CONSULTED_BEFORE
from orchestrator.domain.kernel import LIVE_KINDS, Event, Record, kind_of
from orchestrator.domain.staff import presence as p
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.staff.forcing import STATES, AgentForced
from orchestrator.domain.switch import facts, nodes
from orchestrator.domain.switch.instructions import (
    BridgeLegs,
    CheckLeg,
    HangUpLeg,
    PlayWaiting,
    RingAgent,
    StartRecording,
    TakeSnapshot,
)
from orchestrator.runner import Outcome, inputs
from orchestrator.runner.inputs import Body
from tests.runner.scene import NODE, Scene, names, story
from tests.simulation.mutants.skies import PROMPT
from tests.simulation.run import Run, Size
from tests.simulation.weather import Weather

_E = TypeVar("_E", bound=Event)
SEEDS = 12


def play(weather: Weather, size: Size | None = None, seeds: int = SEEDS) -> list[Record]:
    """All records of some seeds in this weather; each has kept every rule."""
    return [record for seed in range(seeds) for record in Run(seed, weather=weather, size=size).play().ledger.records()]


def of(kind: type[_E], records: list[Record]) -> Iterator[_E]:
    return (record.event for record in records if isinstance(record.event, kind))


# --- 1: stuck in an offer for ever -----------------------------------------------------------------------------------


def test_no_offer_outlives_its_deadline_though_the_switch_says_nothing_at_all() -> None:
    """Complaint 1; features 3.6, 11.8: the deadline is an event with an outcome, and the caller keeps the place."""
    scene = Scene(agents=2, ring_ms=20_000)
    scene.ready(1)
    caller = scene.park()
    scene.ringing(scene.ring_of(caller))
    scene.wait(19_999)
    assert scene.live(caller).status == "offered"
    scene.wait(1)
    assert [event.cause for event in scene.events(c.OfferTimedOut)] == ["NO_ANSWER"]
    assert scene.live(caller).status == "waiting"
    assert scene.status(1) == "paused"


def test_no_offer_outlives_its_deadline_when_a_third_of_all_news_is_lost() -> None:
    """Complaint 1; features 3.6, 11.8."""
    records = play(Weather(lost=0.3))
    assert sum(1 for _ in of(c.OfferTimedOut, records)) > 100
    assert sum(1 for _ in of(c.OfferMade, records)) == sum(
        1 for record in records if isinstance(record.event, c.OfferClosed | c.ContactConnected)
    )


# --- 3: an agent left reserved after losing a race -------------------------------------------------------------------


def test_all_losers_of_a_race_are_free_when_three_phones_answer_at_the_same_instant() -> None:
    """Complaint 3; features 3.2 (ring all), 3.6: one offer of three legs, three answers in one tick."""
    scene = Scene(agents=3, ring_at_once=3)
    scene.ready(1, 2, 3)
    caller = scene.park()
    rings = scene.rings_of(caller)
    assert len(rings) == 3
    for ring in rings:
        scene.ringing(ring)
    for ring in rings:
        scene.answer(ring)
    scene.bridge(caller, rings[0])
    assert [event.outcome for event in scene.events(s.AgentReleased)] == ["lost", "lost"]
    assert sorted(scene.status(n) for n in (1, 2, 3)) == ["ready", "ready", "talking"]
    for ring in rings[1:]:
        scene.hang_up(ring.leg, "LOSE_RACE")
    assert [n for n in (1, 2, 3) if scene.is_free(n)] == [n for n in (1, 2, 3) if scene.status(n) == "ready"]
    assert not scene.events(s.AgentStoodDown)
    assert not scene.events(s.AgentCooledDown)


def test_losers_are_free_in_every_order_that_seeds_can_draw() -> None:
    """Complaint 3; features 3.2, 3.6: `reservations` and `capacity` are looked at after every step."""
    records = [record for weather in (Weather(), Weather(late=0.2)) for record in play(weather, Size(contacts=50))]
    assert sum(1 for event in of(s.AgentReleased, records) if event.outcome == "lost") > 50


# --- 4: a call shown answered hours after it ended -------------------------------------------------------------------


def test_a_talk_whose_end_was_never_told_is_ended_by_asking_the_switch() -> None:
    """Complaint 4; features 11.8, 12.4: two heartbeats disagree, a snapshot lacks the legs, each is asked after."""
    scene = Scene()
    caller, ring = scene.talk()
    beat = facts.Heartbeat(node=NODE, core="core-1", sessions=0)
    scene.give(beat)
    assert not scene.instructions(TakeSnapshot)
    scene.give(beat)
    assert len(scene.instructions(TakeSnapshot)) == 1
    scene.snapshot()
    asked = {each.leg for each in scene.instructions(CheckLeg)}
    assert asked == {caller, ring.leg}
    for leg in (ring.leg, caller):
        scene.presence(leg, exists=False)
    assert scene.world.contacts == {}
    assert [event.repair for event in scene.events(c.LegClosed)] == ["absent", "absent"]
    assert [event.reason for event in scene.events(c.ContactEnded)] == ["completed"]
    assert scene.events(nodes.NodeRepaired)[-1].doubted == 2


def test_a_leg_that_a_snapshot_merely_does_not_list_is_not_closed() -> None:
    """Complaint 4; feature 12.4: the list of a real switch lags behind."""
    scene = Scene()
    caller, ring = scene.talk()
    scene.snapshot()
    for leg in (ring.leg, caller):
        scene.presence(leg, exists=True)
    assert scene.live(caller).status == "connected"


# --- 5: an agent is rung after the caller hung up --------------------------------------------------------------------

STEPS = {
    "before anything is heard of the phone": 0,
    "while the phone rings": 1,
    "between the answer and the bridge": 2,
    "after the bridge": 3,
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("told_late", (False, True), ids=("leg-is-made", "leg-is-made-after"))
def test_no_leg_survives_a_caller_who_hangs_up(step: str, *, told_late: bool) -> None:
    """Complaint 5; features 3.6, 11.8: at every step of an offer, and also where the agent's leg is made only after the
    instruction to end it was refused.
    """
    scene = Scene()
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    if STEPS[step] >= 1:
        scene.ringing(ring)
    if STEPS[step] >= 2:
        scene.answer(ring)
    if STEPS[step] >= 3:
        scene.bridge(caller, ring)
    before = len(scene.told)
    scene.hang_up(caller, "ORIGINATOR_CANCEL")
    assert [each.leg for each in scene.told[before:] if isinstance(each, HangUpLeg)] == [ring.leg]
    assert not [each for each in scene.told[before:] if isinstance(each, RingAgent | BridgeLegs)]
    if told_late:
        scene.failed(scene.instructions(HangUpLeg)[-1], "No such channel!")
        scene.give(facts.LegRinging(node=NODE, leg=ring.leg, contact=ring.contact, offer=ring.offer))
        assert [each.leg for each in scene.instructions(HangUpLeg)] == [ring.leg, ring.leg]
    assert scene.live(caller).status == "leaving"
    scene.hang_up(ring.leg)
    assert scene.world.contacts == {}
    assert len(scene.events(c.ContactEnded)) == 1


def test_a_leg_that_comes_back_after_it_was_given_up_is_asked_after_and_ended() -> None:
    """Complaint 5; feature 12.4: a ghost call, made by an originate that the switch had held up."""
    scene = Scene()
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.hang_up(caller)
    scene.wait(5_000)
    scene.presence(ring.leg, exists=False)
    assert scene.world.contacts == {}
    scene.give(facts.LegCreated(node=NODE, leg=ring.leg, contact=ring.contact, offer=ring.offer))
    assert scene.instructions(CheckLeg)[-1].leg == ring.leg
    scene.presence(ring.leg, exists=True)
    assert scene.instructions(HangUpLeg)[-1].leg == ring.leg
    scene.hang_up(ring.leg)
    assert [event.leg for event in scene.events(nodes.StrayLegClosed)] == [ring.leg]


def test_callers_who_give_up_at_every_moment_leave_no_leg_in_any_seed() -> None:
    """Complaint 5; feature 11.8."""
    records = play(Weather(slow_commits=0.3, lost=0.02), Size(contacts=60))
    phases = {event.phase for event in of(c.ContactEnded, records) if event.reason == "abandoned"}
    assert phases >= {"waiting", "offered", "connecting"}


# --- 9: one call answered by two agents ------------------------------------------------------------------------------


def test_losers_go_on_ringing_until_the_winner_is_joined() -> None:
    """Complaint 9; features 3.2 (ring all), 3.6."""
    scene = Scene(agents=2, ring_at_once=2)
    scene.ready(1, 2)
    caller = scene.park()
    first, second = scene.rings_of(caller)
    scene.ringing(first)
    scene.ringing(second)
    scene.answer(second)
    assert not scene.instructions(HangUpLeg)
    assert [each.other for each in scene.instructions(BridgeLegs)] == [second.leg]
    scene.bridge(caller, second)
    assert [(each.leg, each.cause) for each in scene.instructions(HangUpLeg)] == [(first.leg, "LOSE_RACE")]


def test_the_second_to_answer_gets_the_caller_when_the_winner_dies_before_the_bridge() -> None:
    """Complaint 9; features 3.2, 3.6: and it is the one who answered second, not the one who was reserved second."""
    scene = Scene(agents=3, ring_at_once=3)
    scene.ready(1, 2, 3)
    caller = scene.park()
    one, two, three = scene.rings_of(caller)
    for ring in (three, two, one):
        scene.ringing(ring)
        scene.answer(ring)
    assert [each.other for each in scene.instructions(BridgeLegs)] == [three.leg]
    scene.hang_up(three.leg)
    assert [each.other for each in scene.instructions(BridgeLegs)] == [three.leg, two.leg]
    scene.bridge(caller, two)
    assert [event.leg for event in scene.events(c.ContactConnected)] == [two.leg]


def test_a_caller_is_joined_with_one_agent_only_in_every_seed() -> None:
    """Complaint 9; feature 3.6: `one_agent_per_caller` looks at the switch itself."""
    records = play(Weather(late=0.3, doubled=0.1), Size(contacts=50))
    assert sum(1 for event in of(c.OfferDeclined, records) if event.outcome == "lost") > 20


# --- 10: fast re-ring loop -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cause", ("CALL_REJECTED", "USER_BUSY", "NORMAL_CLEARING", "ORIGINATOR_CANCEL", "LOSE_RACE", "SOMETHING_NEW")
)
def test_an_agent_whose_phone_does_not_take_the_call_is_left_alone_for_a_while(cause: str) -> None:
    """Complaint 10; feature 3.6: a cool-down per cause, which no change of status shortens."""
    scene = Scene(agents=1, cool_down_ms=10_000)
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.hang_up(ring.leg, cause)
    assert not scene.rings_of(caller)
    scene.give(inputs.Pause(agent="1001", reason="break"))
    scene.give(inputs.Ready(agent="1001"))
    scene.wait(9_999)
    assert not scene.rings_of(caller)
    scene.wait(1)
    assert len(scene.rings_of(caller)) == 1


def test_a_missed_ring_stands_the_agent_down_instead_of_ringing_again() -> None:
    """Complaints 10, 19; feature 3.6: with a reason, and with a way back."""
    scene = Scene(agents=1)
    scene.ready(1)
    caller = scene.park()
    scene.ringing(scene.ring_of(caller))
    scene.wait(20_000)
    shift = scene.shift(1)
    assert shift is not None
    assert (shift.status, shift.reason) == ("paused", "ring_no_answer")
    scene.hang_up(scene.told[2].leg, "NO_ANSWER")
    assert not scene.rings_of(caller)
    scene.give(inputs.Ready(agent="1001"))
    assert len(scene.rings_of(caller)) == 1


def test_status_changes_during_an_offer_make_no_loop_in_any_seed() -> None:
    """Complaint 10: `cool_down` is looked at at every reservation."""
    records = play(Weather(), Size(contacts=40))
    assert sum(1 for _ in of(s.AgentCooledDown, records)) > 100


# --- 11: wrap-up ignored, cut short or invisible ---------------------------------------------------------------------


def test_wrap_up_begins_and_ends_with_events_and_nobody_is_offered_in_between() -> None:
    """Complaint 11; features 4.1, 9.4."""
    scene = Scene(agents=1, wrap_up_ms=30_000)
    caller, ring = scene.talk()
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    waiting = scene.park()
    assert scene.status(1) == "wrapping_up"
    scene.wait(29_999)
    assert not scene.rings_of(waiting)
    scene.wait(1)
    assert [event.how for event in scene.events(s.WrapUpEnded)] == ["timer"]
    assert len(scene.rings_of(waiting)) == 1


def test_an_agent_who_is_ready_early_ends_the_wrap_up_with_an_event() -> None:
    """Complaint 11; feature 4.1."""
    scene = Scene(agents=1, wrap_up_ms=30_000)
    caller, ring = scene.talk()
    scene.hang_up(ring.leg)
    scene.hang_up(caller)
    scene.give(inputs.WrapUp(agent="1001", code="solved"))
    assert scene.events(s.WrapUpEnded) == [s.WrapUpEnded(how="agent", code="solved")]
    assert scene.status(1) == "ready"


def test_every_talk_in_every_seed_is_followed_by_a_wrap_up_that_ends() -> None:
    """Complaint 11; feature 4.1."""
    records = play(Weather(crashes=2, restarts=1))
    begun, ended = (sum(1 for _ in of(kind, records)) for kind in (s.WrapUpStarted, s.WrapUpEnded))
    assert begun == sum(1 for _ in of(c.AgentSegmentEnded, records)) == ended > 50


# --- 15: the event socket loses, doubles and reorders events ---------------------------------------------------------


def test_calls_that_were_lost_with_their_news_are_found_by_the_next_resync_and_recorded() -> None:
    """Complaint 15; features 12.4, 11.5: found in the order in which they came, with the repair in the log."""
    scene = Scene(agents=0)
    scene.give(facts.Heartbeat(node=NODE, core="core-1", sessions=2))
    scene.give(facts.Heartbeat(node=NODE, core="core-1", sessions=2))
    assert len(scene.instructions(TakeSnapshot)) == 1
    late, early = scene.seen("late", created=scene.now), scene.seen("early", created=scene.now - 1)
    scene.snapshot(late, early)
    assert [event.leg for event in scene.events(c.ContactArrived)] == ["early", "late"]
    assert {event.found for event in scene.events(c.ContactArrived)} == {"resync"}
    assert scene.events(nodes.NodeRepaired)[-1].adopted == 2
    assert {each.leg for each in scene.instructions(PlayWaiting)} == {"early", "late"}


def test_a_talk_whose_beginning_was_lost_is_not_cut() -> None:
    """Complaint 15; feature 12.4: the switch is asked before two people who may be talking are parted."""
    scene = Scene()
    scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.ringing(ring)
    scene.answer(ring)
    scene.wait(5_000)
    assert [event.cause for event in scene.events(c.OfferExtended)] == ["not_connected_in_time"]
    assert not scene.instructions(HangUpLeg)
    scene.snapshot(
        scene.seen(caller, parked=False, bridged_to=ring.leg),
        scene.seen_phone(ring, answered=True, bridged_to=caller),
    )
    assert scene.live(caller).status == "connected"
    assert scene.status(1) == "talking"
    assert scene.events(nodes.NodeRepaired)[-1].corrected == 1


def test_a_hold_whose_news_was_lost_is_seen_at_the_next_resync() -> None:
    """Complaint 15; features 4.3, 12.4."""
    scene = Scene()
    caller, ring = scene.talk()
    scene.snapshot(
        scene.seen(caller, parked=False, bridged_to=ring.leg),
        scene.seen_phone(ring, answered=True, bridged_to=caller, held=True),
    )
    assert scene.live(caller).status == "held"


class Doubled(Scene):
    """Everything that the switch tells of a leg is told twice."""

    def give(self, body: Body) -> Outcome:
        first = super().give(body)
        if isinstance(body, facts.LegFact):
            assert not super().give(body).records
        return first


def test_doubled_news_changes_nothing() -> None:
    """Complaint 15; feature 11.1: every fact of a call twice leaves the same story, and not one record more."""
    stories = []
    for scene in (Scene(), Doubled()):
        caller, ring = scene.talk()
        (told,) = scene.instructions(StartRecording)
        scene.give(facts.RecordingStarted(node=NODE, leg=caller, path=f"/recordings/{told.file}"))
        scene.give(facts.RecordingStopped(node=NODE, leg=caller, path=f"/recordings/{told.file}", length_ms=4_000))
        scene.hang_up(caller)
        scene.hang_up(ring.leg)
        stories.append(names(record.event for record in scene.records))
    assert stories[0] == stories[1]
    assert stories[0].count("RecordingFinished") == 1


def test_lost_doubled_and_scrambled_news_is_put_right_in_every_seed() -> None:
    """Complaint 15; features 11.8, 12.4."""
    records = play(Weather(lost=0.05, doubled=0.2, late=0.1, scrambled=0.3, flaps=2))
    assert sum(event.adopted for event in of(nodes.NodeRepaired, records)) > 5
    assert sum(1 for event in of(c.LegClosed, records) if event.repair == "absent") > 20


# --- 16: no reconnect, stuck for ever --------------------------------------------------------------------------------

MOMENTS = (
    "while a caller waits",
    "while a phone rings",
    "between the answer and the bridge",
    "while they talk",
    "while the agent wraps up",
)


def play_until(moment: str, scene: Scene) -> None:
    """A call up to one of these moments."""
    stage = MOMENTS.index(moment)
    if stage >= 1:
        scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller) if stage >= 1 else None
    if ring is None:
        return
    scene.ringing(ring)
    if stage >= 2:
        scene.answer(ring)
    if stage >= 3:
        scene.bridge(caller, ring)
    if stage >= 4:
        scene.hang_up(caller)
        scene.hang_up(ring.leg)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_switch_that_is_killed_at_any_moment_comes_back_empty_and_serves_again(moment: str) -> None:
    """Complaint 16; features 11.8, 12.4: what it had ends as lost, agents are free, new calls are served."""
    scene = Scene(agents=1, wrap_up_ms=5_000)
    play_until(moment, scene)
    scene.disconnect()
    scene.wait(3_000)
    scene.connect("core-2")
    assert scene.world.contacts == {}
    assert all(event.reason in ("switch_lost", "completed") for event in scene.events(c.ContactEnded))
    scene.wait(15_000)
    if scene.status(1) == "":
        scene.ready(1)
    caller = scene.park()
    ring = scene.ring_of(caller)
    scene.answer(ring)
    assert story(scene.bridge(caller, ring)) == ["ContactConnected", "QueueVisitEnded", "AgentConnected"]
    assert [event.restarted for event in scene.events(nodes.NodeConnected)] == [False, True]


def test_calls_live_on_through_a_lost_link_and_nobody_is_offered_before_a_snapshot() -> None:
    """Complaint 16; features 12.1, 12.4."""
    scene = Scene(agents=2)
    caller, ring = scene.talk()
    waiting = scene.park()
    scene.disconnect()
    scene.ready(2)
    assert not scene.rings_of(waiting)
    scene.give(facts.LinkUp(node=NODE, core="core-1"))
    assert not scene.rings_of(waiting)
    scene.snapshot(
        scene.seen(caller, bridged_to=ring.leg),
        scene.seen_phone(ring, answered=True, bridged_to=caller),
        scene.seen(waiting),
    )
    assert len(scene.rings_of(waiting)) == 1
    assert scene.live(caller).status == "connected"


def test_switches_that_die_and_links_that_break_leave_nothing_in_any_seed() -> None:
    """Complaint 16; features 11.8, 12.4."""
    records = play(Weather(restarts=3, flaps=3))
    assert sum(1 for event in of(nodes.NodeConnected, records) if event.restarted) >= SEEDS
    assert sum(1 for event in of(c.ContactEnded, records) if event.reason == "switch_lost") > 20


# --- 6, 8: an agent, or a server, that is not there halts a queue -----------------------------------------------------


def test_whoever_one_agent_did_not_take_is_given_to_another_in_every_seed() -> None:
    """Complaint 6; features 3.2, 3.6: phones come and go, and `served_at_once` looks after every step whether somebody
    waits while somebody is free.
    """
    records = play(Weather(lonely_phones=2), Size(contacts=40, agents=4, phones=20, ring_at_once=1))
    assert sum(1 for _ in of(nodes.PhoneUnregistered, records)) > 50
    offered: dict[str, set[str]] = {}
    given_on = 0
    for record in records:
        match record.event:
            case c.OfferMade() as event:
                offered.setdefault(record.stream, set()).update(each.shift_id for each in event.reservations)
            case c.ContactConnected() as event:
                given_on += bool(offered.get(record.stream, set()) - {event.shift_id})
    assert given_on > 20


def test_one_queue_has_callers_and_agents_of_several_switches_whatever_goes_wrong() -> None:
    """Complaint 8; features 1.1, 12.1: `reservations`, `fence`, `ends_once` and `fifo` hold over all of them, while
    engines are deposed and switches are dead for a while, or drained.
    """
    records = play(Weather(pauses=1, crashes=1, flaps=1), Size(contacts=60, agents=6, nodes=2))
    at = {record.stream: record.event.node for record in records if isinstance(record.event, c.ContactArrived)}
    via = {
        each.leg: each.via
        for record in records
        if isinstance(record.event, c.OfferMade)
        for each in record.event.reservations
    }
    served: dict[tuple[str, str], int] = {}
    for record in records:
        if isinstance(record.event, c.ContactConnected):
            way = (at.get(record.stream, ""), via.get(record.event.leg, ""))
            served[way] = served.get(way, 0) + 1
    homes = {home for home, _ in served if home}
    assert len(homes) > 1, "callers of several switches were served"
    for home in homes:
        assert served.get((home, ""), 0) > 10, f"callers of {home}, by phones that are registered there"
        assert sum(count for (each, other), count in served.items() if each == home and other) > 5, "and elsewhere"


# --- 19: an agent thrown out for ever --------------------------------------------------------------------------------


def test_agents_whose_desks_come_and_go_are_kept_out_with_a_reason_and_come_back() -> None:
    """Complaint 19; desk presence: `desk_is_there` and `desk_is_known` are looked at in every seed, and people who were
    stood down for a lost desk are offered contacts again.
    """
    records = play(Weather(crashes=1), Size(contacts=40, browsers=1.0))
    down: dict[str, None] = {}
    again: dict[str, None] = {}
    for record in records:
        match record.event:
            case s.AgentStoodDown(reason=s.DESK_LOST):
                down[record.stream] = None
            case s.AgentReserved() if record.stream in down:
                again[record.stream] = None
    assert len(down) > 20
    assert len(again) > 10
    assert sum(1 for _ in of(p.DeskTakenOver, records)) > 10
    assert {event.cause for event in of(p.DeskLost, records)} == {"closed", "silent"}


# --- 24: two clocks, two orders --------------------------------------------------------------------------------------


def test_there_is_one_order_and_a_hold_is_no_wrap_up_in_any_seed() -> None:
    """Complaint 24; features 9.4, 11.1: what engines decided stands in the log in its order, whichever of them wrote it
    (people's wishes go by the clocks of their own machines), and nobody wraps up a talk that goes on, held or not.
    """
    held = wrapped = 0
    for seed in range(SEEDS):
        records = Run(seed, weather=Weather(crashes=2, pauses=1, late=0.05)).play().ledger.records()
        live = [record.about.at for record in records if kind_of(record.stream) in LIVE_KINDS]
        assert live == sorted(live)
        talks: dict[str, str] = {}
        for record in records:
            match record.event:
                case c.ContactConnected() as event:
                    talks[event.segment_id] = record.stream
                case c.ContactHeld() as event:
                    assert event.segment_id in talks, "only a talk is held"
                    held += 1
                case c.AgentSegmentEnded() as event:
                    del talks[event.segment_id]
                case s.WrapUpStarted() as event:
                    assert event.segment_id not in talks, "wraps up a talk that goes on"
                    wrapped += 1
    assert held > 20
    assert wrapped > 100


# --- 18, 20: dialling without agents; queue callback that keeps the place ---------------------------------------------

CALLS_OUT = Size(contacts=60, agents=6, outside=True)


def test_nobody_outside_is_called_unless_an_agent_or_the_caller_is_there_whatever_goes_wrong() -> None:
    """Complaint 18; features 3.5, 3.10: `agent_first` and `outside_bounded` are looked at whenever a call is made."""
    weathers = (Weather(), Weather(crashes=2, flaps=1), Weather(lost=0.1, late=0.1), Weather(restarts=1, pauses=1))
    records = [record for weather in weathers for record in play(weather, CALLS_OUT)]
    assert sum(1 for _ in of(o.CallbackDialled, records)) > 50
    assert sum(1 for _ in of(o.OutsideDialled, records)) > 50


def test_a_callback_keeps_its_place_and_ends_exactly_once_in_every_weather() -> None:
    """Complaint 20; feature 3.10: `fifo`, `served_at_once`, `ends_once` and `left_in_peace` hold for who has no leg."""
    answered = failed = 0
    for weather in (Weather(), Weather(crashes=3)):
        for seed in range(SEEDS):
            records = Run(seed, weather=weather, size=CALLS_OUT).play().ledger.records()
            asked = [record.stream for record in records if isinstance(record.event, o.CallbackAsked)]
            ended = [record.stream for record in records if isinstance(record.event, c.ContactEnded)]
            assert [ended.count(stream) for stream in asked] == [1] * len(asked)
            answered += sum(1 for _ in of(o.CallbackAnswered, records))
            failed += sum(1 for event in of(o.CallbackEnded, records) if event.reason == "callback_failed")
            blamed = {event.offer_id for event in of(s.AgentStoodDown, records)}
            assert not blamed & {event.offer_id for event in of(o.CallbackMissed, records)}
    assert answered > 10
    assert failed > 5


# --- 13: transfers race, log the agent out, or lose state -------------------------------------------------------------

PASSED_ON = Size(contacts=80, agents=8, outside=True, transfers=1.0, hands=0.3)


def test_whoever_is_passed_on_comes_to_one_end_whatever_goes_wrong_on_the_way() -> None:
    """Complaint 13; features 4.3, 4.4: `passed_on`, `ends_once`, `hears_music` and `wrap_up_each` hold in each."""
    weathers = (
        Weather(), Weather(late=0.3, doubled=0.1), Weather(lost=0.03, parks_on_cancel=True), Weather(crashes=2, flaps=2)
    )  # fmt: skip
    records = [record for weather in weathers for record in play(weather, PASSED_ON, SEEDS // 2)]
    sent = [event.to for event in of(ContactTransferred, records)]
    assert min(sent.count(to) for to in ("agent", "queue", "outside")) > 20
    assert sum(1 for event in of(o.OutsideMissed, records)) > 5
    assert sum(1 for event in of(c.QueueVisitEnded, records) if event.outcome == "transferred") > 5


PARKED = Size(contacts=40, agents=8, parks=1.0, hands=0.3)


def test_whoever_is_parked_is_retrieved_comes_back_or_hangs_up_whatever_goes_wrong_meanwhile() -> None:
    """Complaint 13; feature 4.3: `parked`, `waits_end`, `hears_music`, `ends_once` and `verify` hold in each."""
    weathers = (Weather(), Weather(late=0.3, doubled=0.1), Weather(lost=0.03), Weather(crashes=2, flaps=2))
    runs = [Run(seed, weather=weather, size=PARKED).play() for seed, weather in enumerate(weathers, 4)]
    records = [record for run in runs for record in run.ledger.records()]
    ended = [event.outcome for event in of(ParkEnded, records)]
    assert min(ended.count(outcome) for outcome in ("retrieved", "expired", "abandoned")) > 4
    assert len(ended) == sum(1 for _ in of(ContactParked, records))
    assert sum(1 for event in of(c.ContactPicked, records) if event.reason == "park_expired") > 1
    assert sum(1 for event in of(s.WrapUpEnded, records) if event.how == "taken_up") > 1


CONSULTED = Size(contacts=80, agents=12, outside=True, consults=1.0, hands=0.3)


def test_whoever_consults_somebody_keeps_the_caller_or_leaves_them_to_somebody_whatever_goes_wrong() -> None:
    """Complaint 13; feature 4.3: `consulted`, `passed_on`, `hears_music`, `reservations`, `ends_once` hold in each."""
    weathers = (
        Weather(), Weather(late=0.3, doubled=0.1), Weather(lost=0.03, parks_on_cancel=True), Weather(crashes=2, flaps=2)
    )  # fmt: skip
    records = [record for weather in weathers for record in play(weather, CONSULTED, SEEDS // 2)]
    closed = [event.outcome for event in of(ConsultClosed, records)]
    assert min(closed.count(outcome) for outcome in ("cancelled", "missed", "left", "caller_left")) > 5
    assert {event.hears for event in of(ConsultJoined, records)} == {"caller", "consulted", "together"}
    assert sum(1 for event in of(c.ContactPicked, records) if event.reason == CONSULTED_BEFORE) > 20
    assert sum(1 for _ in of(ContactRejoined, records)) > 20


def test_a_colleague_who_picks_up_within_milliseconds_and_goes_costs_nobody_the_caller() -> None:
    """Complaint 13; decision 0108: `rejoined`, `consulted`, `matrix`."""
    runs = [Run(seed, weather=Weather(), size=PROMPT).play() for seed in range(SEEDS)]
    gone = [row for run in runs for row in run.rows_hit if (row.state, row.who) == ("joining", "colleague")]
    extended = list(of(ConsultExtended, [record for run in runs for record in run.ledger.records()]))
    assert len(gone) > 2
    assert sum(1 for event in extended if event.cause == "agent_away") > 100


DIALLED = Size(contacts=10, agents=8, dials=1.0, transfers=0.1)


def test_whatever_an_agent_dials_comes_to_a_talk_or_says_why_not_whatever_goes_wrong() -> None:
    """Feature 1.2; complaint 18: `dialled`, `agent_first`, `outside_bounded`, `reservations`, `ends_once` hold."""
    weathers = (Weather(), Weather(lost=0.03), Weather(crashes=2, flaps=2))
    records = [r for weather in weathers for r in Run(1, weather=weather, size=DIALLED).play().ledger.records()]
    assert len({event.outcome for event in of(DialEnded, records)} & set(OUTCOMES)) > 5
    begun = sum(1 for _ in of(ContactDialled, records))
    assert sum(1 for _ in of(NumberAnswered, records)) > 20
    assert sum(1 for _ in of(DialEnded, records)) < begun


MONITORED = Size(contacts=40, agents=10, monitors=1.0, transfers=0.2, tapes=0.4)


def test_whoever_listens_speaks_in_or_takes_over_leaves_caller_and_recording_whole_whatever_goes_wrong() -> None:
    """Feature 8.3; complaint 14: `monitored`, `recorded`, `masked`, `passed_on`, `reservations` hold in each."""
    weathers = (Weather(), Weather(late=0.3, doubled=0.1), Weather(lost=0.03), Weather(crashes=2, flaps=2))
    runs = [Run(seed, weather=weather, size=MONITORED).play() for seed in range(2) for weather in weathers]
    records = [record for run in runs for record in run.ledger.records()]
    closed = [event.outcome for event in of(MonitorClosed, records)]
    assert min(closed.count(outcome) for outcome in ("missed", "left", "cancelled", "talk_over")) > 5
    assert {event.mode for event in of(MonitorBegun, records)} == set(MODES)
    assert sum(1 for _ in of(TalkTakenOver, records)) > 10
    assert {event.to for event in of(AgentForced, records)} == set(STATES)
