"""Whose contact it is that a desk names."""

import pytest
from flask import Flask, g

from orchestrator.store.filed import FiledLog
from projections.live import LiveView, NotReady
from web.access.visitor import Visitor
from web.desk import area
from web.push.hub import Hub
from web.push.present import Live


def test_a_desk_is_asked_to_wait_while_everything_is_read_and_not_told_that_its_caller_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Feature 4.4: what is typed as the web comes back is tried again; after a 404 it would be given up."""
    monkeypatch.setattr(area, "SEEN_S", 0.0)
    app, view = Flask(__name__), LiveView(FiledLog(()))
    app.extensions["ringledger-live"] = Live(view, Hub(view), {})
    with app.test_request_context():
        g.visitor = Visitor(actor="user:ann", agent_id="ann")
        with pytest.raises(NotReady):
            area.own("c1")
