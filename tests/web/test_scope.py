"""Other people's things: contacts of other teams and other agents, numbers behind masks, streams, hashes."""

import re

import pytest

from orchestrator.domain.access.scope import Scope
from orchestrator.domain.access.users import ROLES
from orchestrator.domain.contacts.contacts import ContactConnected
from orchestrator.domain.kernel import ident_of
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.replay.moments import iso
from tests.audit.centre import CALLER
from tests.web.conftest import Site
from tests.web.day import CUSTOMER, Day
from web.api.operations import OPERATIONS


# --- other teams' contacts --------------------------------------------------------------------------------------------
@pytest.fixture
def teams(site: Site, day: Day) -> Day:
    """The same day; agent a1 is of team north in branch east, a2 of team south in branch west."""
    before = len(day.centre.records)
    settings = {f"agent-{agent.agent_id}": agent for agent in day.centre.world.agents.values()}
    day.centre.configure(
        {
            stream: AgentConfigured(
                number=agent.number,
                name=agent.name,
                extension=agent.extension,
                skills=agent.skills,
                team=team,
                branch=branch,
            )
            for (stream, agent), (team, branch) in zip(
                sorted(settings.items()), (("north", "east"), ("south", "west")), strict=True
            )
        }
    )
    last = day.reads.store(day.centre.records[before:])
    assert site.app.extensions["ringledger-live"].view.wait_for(last, 10)
    return day


def owners(day: Day) -> dict[str, str]:
    """Contact to the agent who talked with them, empty for none."""
    found = dict.fromkeys(day.contacts, "")
    for record in day.centre.records:
        if isinstance(record.event, ContactConnected):
            found[ident_of(record.stream)] = record.event.agent_id
    return found


@pytest.mark.parametrize("scope", (Scope(teams=("north",)), Scope(branches=("east",))))
def test_a_leader_finds_the_contacts_of_their_own_agents_and_those_that_nobody_had(
    site: Site, teams: Day, scope: Scope
) -> None:
    """Screens and safety, V8: scope in the query; page, cursor, number, address and API alike."""
    site.add_user("some-lead", "leader", teams=scope.teams, branches=scope.branches)
    leader, of_contact = site.sign_in("some-lead"), owners(teams)
    assert {"a1", "a2", ""} == set(of_contact.values())
    for question in ({}, {"agent": "a2"}, {"number": CALLER}, {"outcome": "completed"}):
        page = leader.get("/history/", query_string=question).text
        for contact_id, agent_id in of_contact.items():
            assert contact_id not in page or agent_id != "a2", question
    page, api = leader.get("/history/").text, leader.get("/api/v1/contacts").json
    for contact_id, agent_id in of_contact.items():
        theirs = agent_id != "a2"
        assert (contact_id in page) == theirs
        assert (contact_id in str(api)) == theirs
        wanted = 200 if theirs else 404
        assert leader.get(f"/history/contacts/{contact_id}").status_code == wanted
        assert leader.get(f"/api/v1/contacts/{contact_id}").status_code == wanted
        assert leader.get(f"/api/v1/contacts/{contact_id}/events").status_code == wanted
        shown = leader.submit("/reveal", subject=f"contact-{contact_id}", field="caller_number")
        assert shown.status_code == wanted
    names = {agent.agent_id: agent.name for agent in teams.centre.world.agents.values()}
    assert names["a1"] in page
    assert names["a2"] not in page


def test_whoever_sees_every_team_sees_every_contact(site: Site, teams: Day) -> None:
    for role in ("leader", "qa", "ops", "auditor"):
        page = site.as_role(role).get("/history/").text
        assert all(contact_id in page for contact_id in teams.contacts), role


@pytest.mark.parametrize(("role", "scope"), (("ops", Scope(branches=("east",))), ("auditor", Scope(teams=("north",)))))
def test_what_shows_the_whole_centre_is_not_for_those_who_see_a_part_of_it(
    site: Site, day: Day, role: str, scope: Scope
) -> None:
    """Nor may they drain a switch, which serves everybody."""
    site.add_user("some", role, teams=scope.teams, branches=scope.branches)
    browser = site.sign_in("some")
    token = site.reading.tokens.issue(role, days=1, scope=scope, actor="admin:test")
    for path in ("/replay/", "/replay/moment", "/audit/", "/audit/1"):
        assert browser.get(path).status_code == 403, path
    for path in ("/api/v1/replay", "/api/v1/events"):
        given = {"Authorization": f"Bearer {token}"}
        assert site.browser().get(path, headers=given).status_code == 403, path
    given = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k1"}
    assert site.browser().post("/api/v1/nodes/sw1/drain", json={}, headers=given).status_code == 403
    assert browser.submit("/ops/nodes/sw1/drain", reason="x").status_code == 403


# --- other roles' things ----------------------------------------------------------------------------------------------
def test_a_service_point_has_no_callers_or_customers_data_shown(site: Site, day: Day) -> None:
    """It works on orders: what an order says may be shown, not whoever called."""
    point, before = site.as_role("service_point"), site.reading.log.position()
    wanted = ((f"customer-{CUSTOMER}", "number"), (f"contact-{day.contacts[-1]}", "caller_number"))
    for subject, field in wanted:
        assert point.submit("/reveal", subject=subject, field=field).status_code == 403
    assert point.get(f"/customers/{CUSTOMER}").status_code == 403
    assert site.reading.log.position() == before


def test_an_agent_sees_the_caller_of_no_contact_but_their_own(site: Site, day: Day) -> None:
    site.add_user("agent-two", "agent", agent_id="a2")
    agent = site.sign_in("agent-two")
    for contact_id in (*day.contacts, "", "x"):
        assert agent.get("/desk/pop", query_string={"contact": contact_id}).status_code == 404
        assert agent.get("/desk/order", query_string={"contact": contact_id}).status_code == 404
        assert agent.submit("/desk/customer", contact=contact_id, name="Mine").status_code == 404
        assert agent.submit("/desk/wrap-up", about=contact_id, code="solved", note="mine").status_code in (400, 404)
        assert agent.get(f"/history/contacts/{contact_id}").status_code in (403, 404)


@pytest.mark.parametrize(
    "topic",
    ("desk:a1", "desk:", "desk", "floor", "board", "agent:a1", "contact:x", "user:admin", "", "desk:a2,desk:a1"),
)
def test_an_agents_stream_tells_of_nobody_else(site: Site, day: Day, topic: str) -> None:
    site.add_user("agent-two", "agent", agent_id="a2")
    response = site.sign_in("agent-two").get("/stream", query_string={"topics": topic})
    response.close()
    assert response.status_code == 403


def test_the_whole_number_of_a_caller_stands_on_no_page_of_those_who_see_masks(site: Site, day: Day) -> None:
    digits = CALLER.removeprefix("+86")
    paths = ["/customers/", f"/customers/{CUSTOMER}", "/history/", "/audit/", "/floor/", "/replay/", "/orders/"]
    paths += [f"/history/contacts/{each}" for each in day.contacts]
    paths += [f"/replay/moment?position={position}" for position in range(1, day.last, 7)]
    paths += [f"/audit/{position}" for position in range(1, day.last + 1)]
    paths += ["/api/v1" + each.path for each in OPERATIONS if each.method == "GET" and "{" not in each.path]
    # What a program must say is no option there: a plan is one of given customers.
    given = "customers=1000&daily_percent=1&busy_percent=20&handling_s=180"
    paths = [f"{each}?{given}" if each.endswith("/sizing/plan") else each for each in paths]
    paths = [f"{each}?at={iso(day.centre.records[-1].about.at)}" if "/asof/" in each else each for each in paths]
    paths += [f"/replay/moment?at={day.centre.records[-1].about.at}&shown=1", "/ops/"]
    paths += [f"/api/v1/contacts/{day.contacts[-1]}/events", f"/api/v1/customers/{CUSTOMER}/timeline"]
    paths += [f"/api/v1/contacts/{day.contacts[-1]}", f"/api/v1/customers/{CUSTOMER}", "/api/v1/agents/1001"]
    site.add_user("all-but-agent", *(role for role in ROLES if role != "agent"))
    browser = site.sign_in("all-but-agent")
    for path in paths:
        response = browser.get(path)
        assert response.status_code == 200, path
        assert digits not in response.text, path
        assert "Wang Fang" not in response.text, path


def test_the_audit_shows_no_hash(site: Site, day: Day) -> None:
    site.reading.tokens.issue("ops", days=1, actor="admin:test")
    site.add_user("wang", "ops")
    auditor = site.as_role("auditor")
    kinds = set()
    for position in range(day.last + 1, site.reading.log.position() + 1):
        page = auditor.get(f"/audit/{position}").text
        kinds |= {kind for kind in ("PasswordChanged", "TokenIssued") if f"{kind} {position}" in page}
        assert "argon2" not in page
        assert not re.search(r"[0-9a-f]{64}", page.replace("&#34;", '"'))
    assert kinds == {"PasswordChanged", "TokenIssued"}
