"""Switches are seen, drained and undrained by a program (issue 5, nodes)."""

import pytest

from orchestrator.domain.switch.nodes import NodeDrained
from tests.web.api.conftest import Program
from tests.web.desk.conftest import Office, office, switch

pytestmark = pytest.mark.slow
__all__ = ["office", "switch"]


def test_a_switch_is_drained_by_a_program_of_ops_and_by_nobody_else(office: Office) -> None:
    """Permission `nodes.drain`; who and why stands on the node's stream."""
    ops, leader = (
        Program(office.site, office.site.reading.tokens.issue(role, days=1, actor="admin:test"))
        for role in ("ops", "leader")
    )
    (node,) = ops.found("/nodes")["items"]
    assert (node["state"], node["drained"], node["contacts"]) == ("in_step", "", 0)
    path = f"/nodes/{node['node']}"
    leader.refused(403, "POST", f"{path}/drain", {})
    assert ops.refused(409, "POST", f"{path}/drain", {}) == "last_node"
    assert ops.refused(404, "POST", "/nodes/nowhere/drain", {}) == "unknown_node"
    done = ops.does("POST", f"{path}/drain", {"reason": "new_disk", "anyway": True})
    assert ops.found("/nodes", after=done["position"])["items"][0]["drained"] == "new_disk"
    assert office.house.ledger.await_event(NodeDrained).reason == "new_disk"
    done = ops.does("POST", f"{path}/undrain")
    assert ops.found("/nodes", after=done["position"])["items"][0]["drained"] == ""
