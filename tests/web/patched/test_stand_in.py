"""What stands in for the screens while the database is away says what is known (feature 12.2)."""

import gevent
import pytest

from orchestrator.settings import Address
from tests.postgres import settings_for
from web import serve


def test_that_the_database_does_not_come_up_is_not_taken_back_by_its_taking_long(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "_LONG_S", 0.0)
    standing_in = serve._StandIn(settings_for(tmp_path_factory.mktemp("home")), Address("127.0.0.1", 0))
    try:
        standing_in.begin("initdb could not make it", stuck=True)
        with gevent.Timeout(10):
            standing_in._greenlet.join()
        assert standing_in.stuck
    finally:
        standing_in.stop()
