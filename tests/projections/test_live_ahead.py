"""The live view while the database is away: it goes on by what the engine tells, and nothing is folded in twice."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.control import ControlError
from orchestrator.domain.access.users import UserDisabled
from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.kernel import Instant, Provenance, Record
from orchestrator.domain.spools import SpoolGivenUp
from orchestrator.store import SPOOLED, Announcer, Log
from projections.live import DEGRADED, OLD, TRUE, LiveView
from projections.live_ahead import Ahead
from tests.lab.patience import until
from tests.postgres import Database, make_reachable_directory
from tests.projections.test_live import Chronicle, whole
from tests.runner.scene import Scene
from tests.simulation.comparing import difference, picture
from tests.store.kit import Kit
from tests.store.proxy import Proxy

# So long a question waits for an engine that hangs.
HANGS_S = 3.0
GIVEN_UP = Record(
    stream="spool-gone",
    version=1,
    event=SpoolGivenUp(epoch=1, reason="the disk is lost"),
    event_id="given-up",
    about=Provenance(at=Instant(1)),
)


class Place:
    """A centre whose engine and screens go different ways to the database; those of the screens can be cut."""

    def __init__(self, store: Kit, proxy: Proxy) -> None:
        self.scene = Scene(agents=2)
        self.story = Chronicle(store, self.scene)
        self.store, self.proxy = store, proxy
        self.position = self.story.store()
        self.told = len(self.scene.records)
        self.announcer = Announcer(store.vault, 1, self.position)
        self.under_way = self.idle = False
        self.answers = True
        self.hangs = threading.Event()
        self.faults = 0
        self.view = LiveView(Log(store.another_source(proxy.url), catalogue=CATALOGUE, vault=store.vault)).start()
        self.view.wait_ready(10)
        self.ahead = Ahead(self.view, self.ask, store.vault).start()

    def ask(self, question: str) -> Any:  # noqa: ANN401 - as the command socket has it
        """The engine at its command socket."""
        if self.faults:
            self.faults -= 1
            raise ZeroDivisionError("nobody foresaw this")
        if not self.answers:
            self.hangs.wait(HANGS_S)
            raise ControlError("nobody is there")
        return self.announcer.since(question.partition(" ")[2], under_way=self.under_way, idle=self.idle)

    def decide(self, position: int = SPOOLED) -> None:
        """What happened since in the scene is durable now, and told."""
        new, self.told = self.scene.records[self.told :], len(self.scene.records)
        self.announcer.told(new, position)

    def lose(self) -> None:
        """The database goes away from screens and engine."""
        self.proxy.cut(stay_shut=True)
        self.under_way = True

    def shows_the_scene(self) -> bool:
        """Whether the view is what the engine has in its memory."""
        with self.view.still() as seen:
            return difference(picture(self.scene.world, self.scene.now), picture(seen, self.scene.now)) == ""

    def give_back(self) -> None:
        """The spool goes to the log, and the database is back."""
        self.position = self.story.store()
        self.proxy.reopen()
        assert self.view.wait_for(self.position, 10)
        self.under_way = False
        until(lambda: self.view.standing == TRUE, "the view to be true again")


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Iterator[Place]:
    store = Kit(database, tmp_path / "keys" / "kek", entries=CATALOGUE)
    directory = make_reachable_directory("rl-proxy-")
    proxy = Proxy(directory, database.writer)
    made = Place(store, proxy)
    yield made
    made.hangs.set()
    made.ahead.stop()
    made.view.stop()
    proxy.close()
    store.close()
    shutil.rmtree(directory)


def test_screens_go_on_while_the_database_is_away_and_nothing_is_shown_twice(place: Place) -> None:
    """Feature 12.2: the desk sees what is decided into the spool; afterwards it is the fold of the log, each once."""
    changed: list[frozenset[str]] = []
    place.view.subscribe(lambda _, topics: changed.append(topics))
    place.lose()
    place.scene.talk(1)
    place.decide()
    until(place.shows_the_scene, "the view to show what the engine decided")
    until(lambda: place.view.standing == DEGRADED, "it to say how it knows")
    assert place.view.position == place.position, "pages are told no position that the log has not"
    assert any("agent:a1" in each for each in changed)
    assert place.view.changed_since("agent:a1", place.position), "a page that lost its stream is shown it again"
    assert not place.view.changed_since("agent:a2", place.position)
    calls = place.view.calls_of("a1")
    place.give_back()
    assert place.shows_the_scene()
    assert place.view.calls_of("a1") == calls
    assert place.view._ahead == {}
    with place.view.still() as seen:
        assert difference(picture(whole(place.story.log), place.scene.now), picture(seen, place.scene.now)) == ""


def test_what_the_log_had_last_and_screens_had_not_read_is_told_too(place: Place) -> None:
    """A database that dies takes along what was committed a moment ago: without it the rest would make no sense."""
    place.proxy.go_silent()
    place.scene.ready(1)
    committed = place.story.store()
    place.decide(committed)
    place.scene.park()
    place.decide()
    place.under_way = True
    until(place.shows_the_scene, "the view to show what the engine decided")
    assert place.view.position < committed
    place.proxy.speak()
    place.give_back()
    assert place.shows_the_scene()
    assert place.view._ahead == {}


def test_an_engine_that_had_nothing_to_write_yet_says_that_nothing_is_missing(place: Place) -> None:
    """The database died and nobody called since: what is shown is all there is."""
    place.idle = True
    place.proxy.go_silent()
    place.scene.ready(1)
    place.decide(place.story.store())
    place.proxy.cut(stay_shut=True)
    until(lambda: place.view.away and place.view.standing == DEGRADED, "it to be told what it had not read")
    assert place.shows_the_scene()
    place.idle = False
    until(lambda: place.view.standing == OLD, "it to be old where the engine waits for the database")
    place.idle = True
    place.give_back()


def test_where_nobody_tells_what_is_decided_screens_are_old(place: Place) -> None:
    """Feature 12.2; complaint 24: an engine that is gone, or that waits for the database, or has forgotten too much."""
    place.lose()
    place.scene.ready(1)
    place.decide()
    until(lambda: place.view.standing == DEGRADED, "it to be told")
    place.answers = False
    until(lambda: place.view.standing == OLD, "it to say that it is old")
    place.answers = True
    until(lambda: place.view.standing == DEGRADED, "it to be told again")
    place.announcer = Announcer(place.store.vault, 2, place.position + 100)
    until(lambda: place.view.standing == OLD, "it to say that something is missing")
    place.under_way = False
    place.give_back()


def test_what_was_told_and_never_came_to_the_log_is_forgotten(place: Place) -> None:
    """A spool that is given up: all is read anew, and every page is told to load itself again."""
    told: list[frozenset[str]] = []
    place.view.subscribe(lambda _, topics: told.append(topics))
    place.lose()
    place.scene.talk(1)
    place.decide()
    until(place.shows_the_scene, "the view to show what the engine decided")
    place.under_way = False
    place.store.desk.append_desk([GIVEN_UP])
    place.proxy.reopen()
    until(lambda: any("anew" in each for each in told), "pages to be told")
    with place.view.still() as seen:
        assert difference(picture(whole(place.story.log), place.scene.now), picture(seen, place.scene.now)) == ""
        assert not seen.contacts
    assert place.view._ahead == {}


def test_while_all_is_read_anew_nobody_is_shown_an_empty_centre(place: Place) -> None:
    """Complaint 24. The database goes away once more, just as what was told turned out to be lost."""
    place.view.subscribe(lambda _, topics: place.proxy.cut(stay_shut=True) if "user:ann" in topics else None)
    place.lose()
    place.scene.talk(1)
    place.decide()
    until(place.shows_the_scene, "the view to show what the engine decided")
    place.under_way = False
    gone = Record(stream="user-ann", version=1, event=UserDisabled(), event_id="gone", about=Provenance(at=Instant(1)))
    place.store.desk.append_desk([gone, GIVEN_UP])
    place.proxy.reopen()
    until(lambda: place.view.position == 0, "it to be read anew")
    assert not place.view.ready
    place.proxy.reopen()
    place.view.wait_ready(10)
    assert place.view._ahead == {}


def test_the_next_outage_tells_nothing_of_the_one_before(place: Place) -> None:
    """Feature 12.2; complaint 24. A caller who has hung up does not come back to the screens."""
    place.lose()
    caller, ring = place.scene.talk(1)
    place.decide()
    until(place.shows_the_scene, "the view to show what the engine decided")
    place.give_back()
    place.scene.hang_up(caller)
    place.scene.hang_up(ring.leg)
    place.decide(place.story.store())
    until(place.shows_the_scene, "the view to show the end of it")
    place.lose()
    until(lambda: place.view.standing == DEGRADED, "the view to be told again")
    assert place.shows_the_scene()
    assert place.view._ahead == {}


def test_an_engine_that_hangs_tells_nothing_after_two_seconds(place: Place) -> None:
    place.lose()
    until(lambda: place.view.standing == DEGRADED, "it to be told")
    begun = time.monotonic()
    place.answers = False
    until(lambda: place.view.standing == OLD, "it to say that it is old")
    assert time.monotonic() - begun < 3 * HANGS_S
    place.hangs.set()
    place.answers = True
    until(lambda: place.view.standing == DEGRADED, "it to be told again")


def test_a_fault_of_ours_ends_the_telling_for_a_moment_only(place: Place) -> None:
    place.lose()
    until(lambda: place.view.standing == DEGRADED, "it to be told")
    place.faults = 1
    until(lambda: place.view.standing == OLD, "it to say that it is old")
    until(lambda: place.view.standing == DEGRADED, "it to be told again")
