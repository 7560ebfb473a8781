"""A program has an agent do everything that a desk can: over the engine, a simulated switch, callers and phones."""

from typing import Any

import pytest

from orchestrator.domain.staff.shifts import WrapUpEnded
from projections.contact_log import NAME as CONTACT_LOG
from projections.status import wait_for
from tests.lab.patience import until
from tests.web.api.conftest import Program
from tests.web.desk.conftest import Office, office, switch

pytestmark = pytest.mark.slow
__all__ = ["office", "switch"]

ANN = "/agents/801"


def leader_of(office: Office) -> Program:
    """A program that may direct agents."""
    return Program(office.site, office.site.reading.tokens.issue("leader", days=1, actor="admin:test"))


def await_state(leader: Program, state: str) -> Any:  # noqa: ANN401 - JSON
    """The seat, once it is in this state."""

    def look() -> Any:  # noqa: ANN401 - JSON
        seat = leader.found(ANN)
        return seat if seat["state"] == state else None

    return until(look, f"{ANN} to be {state}", within_s=30)


def test_a_call_is_taken_held_ended_and_wrapped_up_by_a_program(office: Office) -> None:
    """Features 4.1 to 4.4, simple: whatever the desk can do, a program can do."""
    office.house.driver.phone("1001", "obeys")
    leader = leader_of(office)
    leader.does("POST", f"{ANN}/sign-in")
    done = leader.does("POST", f"{ANN}/ready", {"about": ""})
    assert leader.found(ANN, after=done["position"])["state"] == "ready"
    office.house.driver.call()
    (ring,) = await_state(leader, "ringing")["rings"]
    leader.does("POST", f"{ANN}/accept", {"about": ring["offer_id"]})
    contact = {"about": ring["contact_id"]}
    assert await_state(leader, "talking")["contact_id"] == ring["contact_id"]
    held = leader.does("POST", f"{ANN}/hold", contact, headers={"Idempotency-Key": "hold-1"})
    assert leader.does("POST", f"{ANN}/hold", contact, headers={"Idempotency-Key": "hold-1"}) == held
    await_state(leader, "held")
    leader.does("POST", f"{ANN}/resume", contact)
    await_state(leader, "talking")
    leader.does("POST", f"{ANN}/hang-up", contact)
    until = await_state(leader, "wrapping_up")["wrap_up_until"]
    longer = leader.does("POST", f"{ANN}/extend-wrap-up", {"by_ms": 5_000, **contact})
    assert leader.found(ANN, after=longer["position"])["wrap_up_until"] > until
    done = leader.does("POST", f"{ANN}/wrap-up", {"code": "solved", "note": "All is well.", **contact})
    assert leader.found(ANN, after=done["position"])["state"] in {"ready", "cooling_down"}
    wait_for(office.site.reading.reader, CONTACT_LOG, done["position"], 10)
    found = leader.found(f"/contacts/{ring['contact_id']}")
    assert (found["outcome"], found["agent_id"]) == ("completed", "ann")
    leader.does("POST", f"{ANN}/sign-out")
    await_state(leader, "signed_out")
    (ended,) = [record for record in office.house.opened() if isinstance(record.event, WrapUpEnded)]
    assert ended.about.actor == f"token:{leader.token.split('_')[1]}", "the ledger says who it was"


def test_a_command_that_does_not_fit_is_refused_with_its_code(office: Office) -> None:
    leader = leader_of(office)
    assert leader.refused(409, "POST", f"{ANN}/ready") == "not_signed_in"
    leader.does("POST", f"{ANN}/sign-in")
    assert leader.refused(409, "POST", f"{ANN}/accept") == "no_offer"
    assert leader.refused(400, "POST", f"{ANN}/pause", {"reason": "boredom"}) == "bad_reason"
    listed = leader.found("/reasons")
    assert {each["code"]: each["most_ms"] for each in listed["pauses"]} | {"meal": 2_700_000, "training": None} == {
        each["code"]: each["most_ms"] for each in listed["pauses"]
    }
    headings = {each["code"]: (each["heading"], each["queues"]) for each in listed["wrap_up"]}
    assert headings["wrong_number"] == ("no conversation", [])
    assert headings["order_taken"] == ("", ["orders"])
    assert leader.refused(400, "POST", f"{ANN}/pause", {}) == "bad_body"
    assert leader.refused(404, "POST", "/agents/9999/ready") == "not_found"
    paused = leader.does("POST", f"{ANN}/pause", {"reason": "meal"})
    assert leader.found(ANN, after=paused["position"])["reason"] == "meal"
    assert leader.refused(422, "POST", f"{ANN}/pause", {"reason": "break"}, **reused(leader)) == "key_reused"
    leader.does("POST", f"{ANN}/sign-out")


def reused(leader: Program) -> dict[str, dict[str, str]]:
    """A key that was given to another wish."""
    key = {"headers": {"Idempotency-Key": "pause-1"}}
    leader.does("POST", f"{ANN}/pause", {"reason": "training"}, **key)
    return key


def test_an_agent_acts_for_themselves_alone_and_a_token_of_the_role_for_nobody(office: Office) -> None:
    """`agents.act`: one's own agent; with `floor.direct` those of one's teams."""
    desk = office.desk("ann")
    csrf = {"X-CSRFToken": desk.browser.csrf_token}
    own = desk.browser.post("/api/v1/agents/801/sign-in", json={}, headers=csrf)
    assert own.status_code == 200, own.text
    assert desk.browser.post("/api/v1/agents/802/sign-in", json={}, headers=csrf).status_code == 403
    assert desk.browser.post("/api/v1/agents/801/sign-out", json={}, headers=csrf).status_code == 200
    agent = Program(office.site, office.site.reading.tokens.issue("agent", days=1, actor="admin:test"))
    assert agent.refused(403, "POST", f"{ANN}/sign-in", {}) == "forbidden"
