"""The live view: what is now, from a log that goes on, comes back and is shared with others."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import pytest

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.kernel import LIVE_KINDS, Record, kind_of
from orchestrator.domain.staff.shifts import AgentStoodDown
from orchestrator.domain.world import World
from orchestrator.runner import inputs
from orchestrator.store import Log
from projections.live import OLD_S, LiveView, NotReady
from projections.live_calls import KEPT
from projections.live_start import present
from projections.live_tallies import NOTHING
from tests.domain.test_world import a_day
from tests.lab.patience import until
from tests.postgres import Database, make_reachable_directory
from tests.runner.scene import Scene
from tests.runner.test_hands import two_in_hand
from tests.simulation.comparing import difference, picture
from tests.store.kit import Kit
from tests.store.proxy import Proxy

Watch = Callable[..., LiveView]
Tell = Callable[[Scene], "Chronicle"]


def _is_live(record: Record) -> bool:
    return kind_of(record.stream) in LIVE_KINDS


class Chronicle:
    """A scene whose records are stored as they come, by the writers that production uses."""

    def __init__(self, kit: Kit, scene: Scene) -> None:
        self.scene = scene
        self.log = kit.log
        self._desk = kit.desk
        self._writer = kit.writer()
        self._stored = 0

    def store(self) -> int:
        """Store what has happened since, decision by decision; the position of the last record."""
        new, self._stored = self.scene.records[self._stored :], len(self.scene.records)
        position = 0
        for (live, _), group in groupby(new, key=lambda record: (_is_live(record), record.about.causation)):
            records = list(group)
            if live:
                position = self._writer.append_live(records)
            else:
                for record in records:
                    position = self._desk.append_desk([record])
        return position


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Iterator[Kit]:
    """The store with the product's own vocabulary."""
    kit = Kit(database, tmp_path / "keys" / "kek", entries=CATALOGUE)
    yield kit
    kit.close()


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    """The way to the database that can be cut."""
    directory = make_reachable_directory("rl-proxy-")
    proxy = Proxy(directory, database.writer)
    yield proxy
    proxy.close()
    shutil.rmtree(directory)


@pytest.fixture
def tell(store: Kit) -> Tell:
    """Makes the chronicle of a scene."""
    return lambda scene: Chronicle(store, scene)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """A view that has read the log to its end, stopped after the test."""
    views: list[LiveView] = []

    def make(log: Log, *, old_s: float = OLD_S) -> LiveView:
        views.append(LiveView(log, old_s=old_s).start())
        views[-1].wait_ready(10)
        return views[-1]

    yield make
    for each in views:
        each.stop()


def whole(log: Log) -> World:
    world = World()
    for record in log.history():
        world.apply(record)
    return world


def assert_same(view: LiveView, world: World, scene: Scene) -> None:
    with view.still() as seen:
        assert difference(picture(world, scene.now), picture(seen, scene.now)) == ""


def test_what_is_now_can_be_known_without_all_of_history(tell: Tell) -> None:
    """Feature 11.1: the fold of what goes on is the state that the fold of everything comes to, at every place."""
    story = tell(a_day())
    story.store()
    records = list(story.log.history())
    for cut in range(0, len(records), 7):
        position = records[cut].position
        world, some = World(), World()
        for record in records[: cut + 1]:
            world.apply(record)
        for record in present(story.log, position):
            some.apply(record)
        now = records[cut].about.at
        assert difference(picture(world, now), picture(some, now)) == "", f"at {position}"


def test_it_keeps_up_with_the_log(tell: Tell, watch: Watch) -> None:
    """Complaint 24: one log, one order: a screen shows the state that was decided, in the order of deciding."""
    scene = Scene(agents=2)
    story = tell(scene)
    story.store()
    view = watch(story.log)
    scene.talk(1)
    assert view.wait_for(story.store(), 10)
    assert_same(view, whole(story.log), scene)
    with view.still() as world:
        assert [contact.status for contact in world.contacts.values()] == ["connected"]


def test_it_says_which_topics_changed_and_where(tell: Tell, watch: Watch) -> None:
    """Complaint 23: what one agent is shown changes no other agent's desk."""
    scene = Scene(agents=2)
    scene.ready(1)
    story = tell(scene)
    story.store()
    view = watch(story.log)
    told: list[tuple[int, frozenset[str]]] = []
    leave = view.subscribe(lambda position, topics: told.append((position, topics)))
    before = view.position
    scene.ringing(scene.ring_of(scene.park()))
    after = story.store()
    assert view.wait_for(after, 10)
    until(lambda: told and told[-1][0] == after, "the last change to be told")
    topics = frozenset().union(*(each for _, each in told))
    assert {"agent:a1", "queue:support", "floor"} <= topics
    assert "agent:a2" not in topics
    assert view.changed_since("agent:a1", before)
    assert not view.changed_since("agent:a1", after)
    assert not view.changed_since("agent:a2", before)
    assert view.changed_since("agent:a2", before - 1), "of what was before it was begun nothing is known"
    leave()
    count = len(told)
    scene.wait(60_000)
    assert view.wait_for(story.store(), 10)
    assert len(told) == count


def test_a_missed_ring_is_kept_for_its_agent(tell: Tell, watch: Watch) -> None:
    """Complaint 19: the agent is told which call was missed and why they are not ready, also after a restart."""
    scene = Scene(agents=2)
    scene.ready(1)
    caller = scene.park()
    scene.ringing(scene.ring_of(caller))
    scene.wait(20_000)
    scene.hang_up(caller)
    assert scene.events(AgentStoodDown)
    story = tell(scene)
    story.store()
    for log in (story.log, story.log):
        (call,) = watch(log).calls_of("a1")
        assert (call.outcome, call.reason) == ("timed_out", "ring_no_answer")
        assert call.number
        assert call.ended_at is not None


def test_calls_of_an_agent_are_few_and_leave_with_the_shift(tell: Tell, watch: Watch) -> None:
    """Feature 12.5: memory is bounded by who is signed in."""
    scene = Scene(agents=1, wrap_up_ms=0)
    for _ in range(KEPT + 3):
        caller, ring = scene.talk(1)
        scene.hang_up(caller)
        scene.hang_up(ring.leg)
        scene.wait(1_000)
    story = tell(scene)
    story.store()
    view, again = watch(story.log), watch(story.log)
    calls = view.calls_of("a1")
    assert len(calls) == KEPT
    assert {call.outcome for call in calls} == {"talked"}
    assert [call.offered_at for call in calls] == sorted((call.offered_at for call in calls), reverse=True)
    assert again.calls_of("a1") == calls
    scene.give(inputs.SignOut(agent="1001"))
    assert view.wait_for(story.store(), 10)
    assert view.calls_of("a1") == ()
    with view.still() as world:
        assert (world.contacts, world.shifts) == ({}, {})
    assert view.calls._of == view.calls._agents_with == {}


def test_it_outlives_the_database(tell: Tell, store: Kit, proxy: Proxy, watch: Watch) -> None:
    """Complaint 2; complaint 24: it says that it is old, and is true again by itself, also where nothing happens."""
    scene = Scene(agents=1)
    story = tell(scene)
    story.store()
    view = watch(Log(store.another_source(proxy.url), catalogue=CATALOGUE, vault=store.vault))
    told: list[frozenset[str]] = []
    view.subscribe(lambda _, topics: told.append(topics))
    proxy.cut(stay_shut=True)
    until(lambda: view.away, "it to see that the database is away")
    scene.ready(1)
    position = story.store()
    proxy.reopen()
    assert view.wait_for(position, 10)
    until(lambda: not view.away, "it to see that the database is back")
    assert told[0] == {"away"}
    proxy.cut(stay_shut=True)
    until(lambda: view.away, "it to see that the database is away again")
    proxy.reopen()
    until(lambda: not view.away, "it to see that the database is back though nothing happened")


def test_a_database_that_keeps_its_connections_and_says_nothing_is_away_too(
    tell: Tell, store: Kit, proxy: Proxy, watch: Watch
) -> None:
    """Complaint 24: a frozen server ends no connection and answers nothing; what is shown grows old."""
    scene = Scene(agents=1)
    story = tell(scene)
    story.store()
    view = watch(Log(store.another_source(proxy.url), catalogue=CATALOGUE, vault=store.vault), old_s=2.0)
    proxy.go_silent()
    scene.ready(1)
    position = story.store()
    until(lambda: view.away, "it to see that nothing is said any more")
    assert view.position < position
    proxy.speak()
    until(lambda: not view.away, "it to see that it is told again")
    assert view.position >= position, "it is back when what it shows is true, not before"


def test_whoever_asks_too_early_is_told_so(store: Kit, proxy: Proxy) -> None:
    proxy.cut(stay_shut=True)
    view = LiveView(Log(store.another_source(proxy.url), catalogue=CATALOGUE)).start()
    with pytest.raises(NotReady, match="try again"):
        view.wait_ready(0.05)
    assert not view.ready
    proxy.reopen()
    view.wait_ready(10)
    view.stop()


def test_readers_never_see_half_a_decision(tell: Tell, watch: Watch) -> None:
    """Complaint 24: whoever talks, talks with somebody who is talking with them."""
    scene = Scene(agents=1, wrap_up_ms=0)
    story = tell(scene)
    story.store()
    view = watch(story.log)
    stop = threading.Event()
    wrong: list[str] = []

    def look() -> None:
        while not stop.is_set():
            with view.still() as world:
                talking = [shift.contact_id for shift in world.shifts.values() if shift.status == "talking"]
                wrong.extend(contact for contact in talking if contact not in world.contacts)
            time.sleep(0)

    watcher = threading.Thread(target=look)
    watcher.start()
    for _ in range(5):
        caller, ring = scene.talk(1)
        scene.hang_up(caller)
        scene.hang_up(ring.leg)
        scene.wait(1_000)
        assert view.wait_for(story.store(), 10)
    stop.set()
    watcher.join()
    assert wrong == []


def test_what_was_done_since_the_seat_was_taken_is_known_also_after_a_restart(tell: Tell, watch: Watch) -> None:
    """Screens and safety 4.1: calls, time in calls (hold included) and not ready, of this shift and of no other."""
    scene = Scene(agents=2, wrap_up_ms=0)
    scene.ready(1)
    scene.wait(3_000)
    scene.give(inputs.Pause(agent="1001", reason="break"))
    scene.wait(60_000)
    scene.give(inputs.Ready(agent="1001"))
    caller, ring = scene.talk(1)
    scene.wait(20_000)
    scene.give(inputs.Hold(agent="1001"))
    scene.wait(10_000)
    scene.hang_up(caller)
    scene.hang_up(ring.leg)
    scene.wait(1_000)
    scene.ringing(scene.ring_of(scene.park()))
    scene.wait(20_000)
    story = tell(scene)
    story.store()
    view, again = watch(story.log), watch(story.log)
    tally = view.tally_of("a1")
    assert again.tally_of("a1") == tally
    assert (tally.calls, tally.missed, tally.state) == (1, 1, "paused")
    assert tally.call_ms // 1000 == 30
    assert tally.pause_ms // 1000 == 60
    assert tally.running("paused") is not None
    assert tally.running("talking") is None
    assert view.tally_of("a2") == NOTHING
    scene.give(inputs.SignOut(agent="1001"))
    scene.give(inputs.SignIn(agent="1001"))
    assert view.wait_for(story.store(), 10)
    fresh = view.tally_of("a1")
    assert (fresh.calls, fresh.missed, fresh.call_ms, fresh.pause_ms, fresh.state) == (0, 0, 0, 0, "paused")


def test_each_of_several_callers_in_hand_is_a_call_of_its_agent_until_its_own_end(tell: Tell, watch: Watch) -> None:
    """Features 3.8, 4.5: talking, talked, and when; the after-call work that comes later changes nothing of it."""
    scene, (first, _), (second, _) = two_in_hand()
    story = tell(scene)
    story.store()
    view = watch(story.log)
    contacts = [scene.live(caller).contact_id for caller in (second, first)]
    assert [(call.contact_id, call.outcome) for call in view.calls_of("a1")] == [(x, "talking") for x in contacts]
    scene.wait(1_000)
    scene.hang_up(first)
    ended = scene.now
    scene.wait(5_000)
    scene.hang_up(second)
    scene.wait(30_000)
    assert view.wait_for(story.store(), 10)
    assert [call.outcome for call in view.calls_of("a1")] == ["talked", "talked"]
    assert view.calls_of("a1")[1].ended_at == ended
