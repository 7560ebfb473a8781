"""A database that is there and slow: news is held back before the writer would refuse it, and taken when it can."""

import gevent
import pytest

from orchestrator import loop
from orchestrator.clock import wall_clock
from orchestrator.domain.engine import DatabaseReturned
from orchestrator.domain.switch import facts as f
from orchestrator.domain.switch.instructions import CheckLeg, Instruction, TakeSnapshot
from orchestrator.domain.switch.nodes import NodeConnected, NodeLost
from orchestrator.loop import Engine
from orchestrator.runner import Runner
from orchestrator.store import Away
from tests.loop.patched.conftest import SlowWriter, beating
from tests.runner.scene import NODE, Scene


def test_news_waits_for_a_slow_database_in_its_order_and_none_is_lost(engine: tuple[Engine, SlowWriter]) -> None:
    """Feature 12.1: ten switches come up while nothing is stored; an engine that took all of it would end itself."""
    heart, writer = engine
    for number in range(10):
        heart.deliver(f"n{number}", f.LinkUp(node=f"n{number}", core="c"), wall_clock())
    assert writer.waiting == 4
    while writer.waiting:
        writer.store_one()
    assert [record.stream for record in writer.taken] == [f"node-n{number}" for number in range(10)]


def test_what_a_switch_cannot_be_asked_afresh_is_kept_however_much_news_is_thrown_away(
    engine: tuple[Engine, SlowWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features 12.1, 12.4: it was restarted meanwhile. Its callers are lost with it, and have not given up."""
    heart, writer = engine
    heart.deliver("n1", f.LinkUp(node="n1", core="before"), wall_clock())
    while writer.waiting:
        writer.store_one()
    writer.away = True
    heart.database_away(Away("it is gone"))
    monkeypatch.setattr(loop, "MOST_HELD", 4)
    heart.deliver("n1", f.LinkDown(node="n1", why="it is gone, too"), wall_clock())
    heart.deliver("n1", f.LinkUp(node="n1", core="after"), wall_clock())
    for _ in range(4):
        heart.deliver("n1", f.LegPresence(node="n1", leg="a leg", exists=False), wall_clock())
    writer.away = False
    heart.database_back()
    gevent.sleep(0)
    assert [type(record.event) for record in writer.taken[-3:]] == [DatabaseReturned, NodeLost, NodeConnected]
    assert writer.taken[-1].event == NodeConnected(core="after", restarted=True)


@pytest.mark.parametrize("away", (True, False), ids=("away", "slow"))
def test_a_list_of_channels_that_came_meanwhile_is_asked_for_afresh(
    monkeypatch: pytest.MonkeyPatch, *, away: bool
) -> None:
    """Feature 12.3: what the switch says of whoever is missing in it could not be imported; they did not give up."""
    monkeypatch.setattr(loop, "MOST_UNSTORED", 4)
    scene = Scene(agents=0)
    scene.park()
    writer = SlowWriter()
    told: list[Instruction] = []
    with beating(Runner(scene.world), writer, told.extend) as heart:
        heart.deliver(NODE, f.LinkUp(node=NODE, core="core-1"), wall_clock())
        writer.store_all()
        told.clear()
        if away:
            writer.away = True
            heart.database_away(Away("it is gone"))
        else:
            for number in range(4):
                heart.deliver(f"n{number}", f.LinkUp(node=f"n{number}", core="c"), wall_clock())
        heart.deliver(NODE, f.Snapshot(node=NODE, core="core-1", legs=()), wall_clock())
        assert not any(isinstance(each, TakeSnapshot) for each in told)
        if away:
            writer.away = False
            heart.database_back()
            gevent.sleep(0)
        writer.store_all()
        assert [each.node for each in told if isinstance(each, TakeSnapshot)].count(NODE) == 1
        assert not any(isinstance(each, CheckLeg) for each in told)
        heart.deliver(NODE, f.Snapshot(node=NODE, core="core-1", legs=()), wall_clock())
        writer.store_all()
        assert any(isinstance(each, CheckLeg) for each in told), "the one that was asked for counts"


def test_the_sign_of_life_goes_on_for_a_while_without_the_database_and_not_for_ever(
    engine: tuple[Engine, SlowWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features 12.2, 12.3: a database that restarts takes no caller out of a queue; one that stays away does."""
    one, writer = engine
    assert one.lives()
    writer.away = True
    one.database_away(Away("it is gone"))
    assert one.lives()
    monkeypatch.setattr(loop, "SILENT_AFTER", -1)
    assert not one.lives()
    writer.away = False
    assert one.lives()
    one.stop()
    assert not one.lives()
