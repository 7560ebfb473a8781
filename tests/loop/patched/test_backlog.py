"""A database that is there and slow: news is held back before the writer would refuse it, and taken when it can."""

import pytest

from orchestrator import loop
from orchestrator.domain.switch import facts as f
from orchestrator.loop import Engine, wall_clock
from orchestrator.store import Away
from tests.loop.patched.conftest import SlowWriter


def test_news_waits_for_a_slow_database_in_its_order_and_none_is_lost(engine: tuple[Engine, SlowWriter]) -> None:
    """Feature 12.1: ten switches come up while nothing is stored; an engine that took all of it would end itself."""
    heart, writer = engine
    for number in range(10):
        heart.deliver(f"n{number}", f.LinkUp(node=f"n{number}", core="c"), wall_clock())
    assert writer.waiting == 4
    while writer.waiting:
        writer.store_one()
    assert [record.stream for record in writer.taken] == [f"node-n{number}" for number in range(10)]


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
