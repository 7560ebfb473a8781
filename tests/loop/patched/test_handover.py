"""An engine that hands over decides nothing after it said so, and goes on where it could not be said (feature 12.1)."""

import gevent
import pytest

from orchestrator import loop
from orchestrator.clock import wall_clock
from orchestrator.domain.engine import HandoverBegun
from orchestrator.domain.kernel import Refused
from orchestrator.domain.switch import facts as f
from orchestrator.loop import Engine
from orchestrator.runner.inputs import HandOver
from orchestrator.store import SPOOLED
from tests.lab.patience import until
from tests.loop.patched.conftest import SlowWriter


def _news(heart: Engine, node: str) -> None:
    heart.deliver(node, f.LinkUp(node=node, core="c"), wall_clock())


def test_what_comes_after_the_word_is_left_to_the_successor(engine: tuple[Engine, SlowWriter]) -> None:
    heart, writer = engine
    _news(heart, "before")
    handing = gevent.spawn(heart.hand_over, HandOver(to="other"))
    gevent.sleep(0)
    _news(heart, "after")
    with pytest.raises(Refused) as refused:
        heart.command(HandOver(to="third"))
    assert refused.value.code == "database_away"
    assert isinstance(writer.taken[-1].event, HandoverBegun)
    while writer.waiting:
        writer.store_one()
    assert handing.get(timeout=10) == len(writer.taken)
    assert isinstance(writer.taken[-1].event, HandoverBegun), "not even what came while it was stored"


def test_an_engine_whose_word_was_not_stored_goes_on(
    engine: tuple[Engine, SlowWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "COMMAND_S", 0.01)
    heart, writer = engine
    with pytest.raises(Refused) as refused:
        heart.hand_over(HandOver(to="other"))
    assert refused.value.code == "unsure"
    _news(heart, "after")
    until(lambda: writer.taken[-1].stream == "node-after", "the news to be taken")


def test_an_engine_whose_word_went_to_the_spool_goes_on(engine: tuple[Engine, SlowWriter]) -> None:
    """The lease cannot be given while the database is away: nobody would decide until it is back."""
    heart, writer = engine
    while writer.waiting:
        writer.store_one()
    handing = gevent.spawn(heart.hand_over, HandOver(to="other"))
    gevent.sleep(0)
    writer.store_one(SPOOLED)
    with pytest.raises(Refused) as refused:
        handing.get(timeout=10)
    assert refused.value.code == "database_away"
    _news(heart, "after")
    assert writer.taken[-1].stream == "node-after"
