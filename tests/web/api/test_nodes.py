"""Switches are seen, drained and undrained by a program (issue 5, nodes)."""

import pytest

from orchestrator.domain.switch.nodes import NodeDrained
from tests.lab.patience import until
from tests.web.api.conftest import Program
from tests.web.desk.conftest import Office, office, plain, switch

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


def test_whoever_runs_the_switches_sees_and_drains_them_on_the_operations_page(office: Office) -> None:
    """Features 9.2 and 12.5: state, what is on it and since when; drained with a reason, the last one not by a slip."""
    office.talking("ann")
    ops, auditor = office.site.as_role("ops"), office.site.as_role("auditor")
    (name,) = office.view.world.nodes
    assert ("Take out of service" in auditor.get("/ops/").text, auditor.get("/ops/").text.count("Switches</h2>")) == (
        False,
        1,
    )
    assert auditor.submit(f"/ops/nodes/{name}/drain", reason="x").status_code == 403
    row = row_of(ops.get("/ops/").text, name)
    assert "up takes calls" in row
    assert " 1 2 " in row, f"one contact of two legs: {row}"
    refused = ops.submit(f"/ops/nodes/{name}/drain", reason="new_disk", key="k1")
    assert refused.status_code == 409
    assert "No other switch would take calls" in refused.text
    for _ in range(2):  # pressed twice
        done = ops.submit(f"/ops/nodes/{name}/drain", reason="new_disk", anyway="yes", key="k2")
        assert done.status_code == 303, done.text
    assert [event.reason for event in office.house.ledger.all(NodeDrained)] == ["new_disk"]
    row = row_of(ops.get("/ops/").text, name)
    assert "draining takes no new calls, and finishes what it has · Reason: new disk" in row
    office.desk("ann").press("hang_up")
    until(lambda: "drained has nothing left" in row_of(ops.get("/ops/").text, name), "the switch to have nothing left")
    assert "已排空" in ops.get("/ops/", headers={"Accept-Language": "zh"}).text
    assert ops.submit(f"/ops/nodes/{name}/undrain", key="k3").status_code == 303
    assert "up takes calls" in row_of(ops.get("/ops/").text, name)


def row_of(page: str, node: str) -> str:
    """The row of this switch, in words."""
    return plain(page.split(f'id="node-{node}"')[1].split("</tr>", maxsplit=1)[0].partition(">")[2])
