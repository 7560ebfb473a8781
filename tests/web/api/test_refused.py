"""What is wrong is refused with a sentence and a code, and changes nothing."""

import time

import pytest

from orchestrator.domain.access.tokens import TokenIssued
from orchestrator.domain.access.users import ROLES
from orchestrator.domain.kernel import Instant, Provenance, Record
from orchestrator.service.access import Tokens
from tests.web.api.conftest import BASE, Program, Programs, problem_of
from tests.web.conftest import Site
from tests.web.test_routes import may_ask, path_of
from web.api.buckets import Buckets
from web.api.serving import BUCKETS
from web.app import LONGEST_BODY

NEW = {"name": "Zhang Wei"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.usefixtures("unlimited")
def test_a_token_of_a_role_gets_from_every_route_what_the_table_says(site: Site, program: Programs, role: str) -> None:
    """Feature 12.6: the same table for programs as for people."""
    headers = program(role).headers
    site.app.testing = False  # what a route does once it is reached is not the matter here
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    wrong = []
    for rule in site.app.url_map.iter_rules():
        if not rule.endpoint.startswith("api."):
            continue
        with site.app.test_request_context():
            path = path_of(site.app, rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            status = site.browser().open(path, method=method, headers=headers).status_code
            if (status == 403) == may_ask(site, rule.endpoint, role) or status == 401:
                wrong.append(f"{role} {method} {path}: {status}")
    assert not wrong, "\n".join(wrong)


def test_without_a_token_or_with_a_wrong_one_nobody_comes_in(site: Site) -> None:
    for given in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer rl_0123456789abcdef_" + "A" * 43},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Authorization": "Bearer ' OR 1=1 --"},
    ):
        answer = site.browser().get(f"{BASE}/position", headers=given)
        assert answer.status_code == 401, given
        assert problem_of(answer) == "unauthorized"
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="ringledger"'


@pytest.mark.usefixtures("day")
def test_a_token_that_expired_or_was_revoked_is_good_for_nothing(site: Site, program: Programs) -> None:
    one = program("auditor")
    assert one.get("/orders").status_code == 200
    site.reading.tokens.revoke(one.token.split("_")[1], actor="admin:test")
    assert one.refused(401, "GET", "/orders") == "unauthorized"
    assert Program(site, expired(site)).refused(401, "GET", "/orders") == "unauthorized"


def expired(site: Site) -> str:
    """A token whose day is over: the same secret as a good one's, issued with an end that has passed."""
    good = site.reading.tokens.issue("auditor", days=1, actor="admin:test")
    _, token_id, secret = good.split("_", 2)
    assert isinstance(site.reading.tokens, Tokens)
    issued = next(iter(site.reading.log.stream(f"token-{token_id}"))).event
    assert isinstance(issued, TokenIssued)
    now = time.time_ns() // 1000
    event = TokenIssued(hash=issued.hash, role=issued.role, expires_at=Instant(now - 1))
    about = Provenance(at=Instant(now))
    site.reading.desk.append_desk(
        [Record(stream="token-00000000000000aa", version=1, event=event, event_id="old", about=about)]
    )
    return f"rl_00000000000000aa_{secret}"


@pytest.mark.parametrize(
    ("body", "code", "where"),
    (
        (b"", "bad_json", None),
        (b"{", "bad_json", None),
        (b'{"name": "a"', "bad_json", None),
        (b"\xff\xfe", "bad_json", None),
        (b'{"name": "\xff"}', "bad_json", None),
        (b"[]", "bad_body", None),
        (b"null", "bad_body", None),
        (b'{"name": 5}', "bad_body", "$.name"),
        (b'{"name": null}', "bad_body", "$.name"),
        (b'{"level": "emperor"}', "bad_body", "$.level"),
        (b'{"title": "Dr"}', "bad_body", None),
        (b'{"name": "' + b"a" * 301 + b'"}', "bad_body", "$.name"),
        (b'{"contact_id": "../../etc/passwd"}', "bad_body", "$.contact_id"),
        (b'{"name": "a\\u0000b"}', "bad_text", None),
        (b'{"name": "\\ud800"}', "bad_json", None),
        (b"[" * 100_000, "bad_body", None),
        (b'{"name":' * 20_000, "bad_body", "$.name"),
        (b'{"name": 1e999999}', "bad_body", "$.name"),
    ),
)
def test_a_body_that_cannot_be_read_is_refused_with_where(
    site: Site, program: Programs, body: bytes, code: str, where: str | None
) -> None:
    """Malformed JSON is 400, never 500."""
    answer = program("back_office").ask("POST", "/customers", data=body, content_type="application/json")
    assert answer.status_code == 400, answer.text
    assert problem_of(answer) == code
    if where is not None:
        assert answer.get_json()["where"] == where
    assert site.reading.log.position() == max(record.position for record in site.reading.log.history(kinds=("token",)))


@pytest.mark.parametrize(
    "kind", ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "")
)
def test_a_body_of_another_kind_is_refused(program: Programs, kind: str) -> None:
    back_office = program("back_office")
    more = {"content_type": kind} if kind else {}
    assert back_office.refused(415, "POST", "/customers", data=b'{"name": "a"}', **more) == "unsupported_media_type"


def test_a_huge_body_is_refused_before_it_is_read(program: Programs) -> None:
    body = b'{"name": "' + b"a" * LONGEST_BODY + b'"}'
    code = program("back_office").refused(413, "POST", "/customers", data=body, content_type="application/json")
    assert code == "request_entity_too_large"


@pytest.mark.parametrize(
    ("query", "where"),
    (
        ("limit=0", "$.limit"),
        ("limit=501", "$.limit"),
        ("limit=ten", "$.limit"),
        ("limit=1.0", "$.limit"),
        ("limit=1e2", "$.limit"),
        ("limit=5&limit=6", "$.limit"),
        ("after=-1", "$.after"),
        ("after=99999999999999999999", "$.after"),
        ("after=9223372036854775807", "$.after"),
        ("since=yesterday", "$.since"),
        ("since=2026-11-22T10:15:00", "$.since"),
        ("unassigned=perhaps", "$.unassigned"),
        ("state=%00", "$.state"),
        ("kind=lost", "$.kind"),
        ("colour=red", None),
        ("type_id='%3B--", "$.type_id"),
    ),
)
def test_a_query_that_cannot_be_read_is_refused_with_where(program: Programs, query: str, where: str | None) -> None:
    answer = program("auditor").ask("GET", f"/orders?{query}")
    assert answer.status_code == 400, answer.text
    assert problem_of(answer) in {"bad_query", "bad_position"}
    assert answer.get_json().get("where") == where


@pytest.mark.parametrize(
    "cursor",
    (
        "x",
        "'; DROP TABLE read.contact_log; --",
        "WyJhIl0",  # ["a"]
        "WzEsMl0",  # [1,2]: the second is no id
        "WzEsImEiLDNd",  # one too many
        "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LCJhIl0",  # beyond bigint
        "WzEsImFcdTAwMDAiXQ",  # NUL
        "\u4e2d",
        "A" * 501,
    ),
)
@pytest.mark.usefixtures("day")
def test_a_forged_cursor_is_refused(program: Programs, cursor: str) -> None:
    assert program("auditor").refused(400, "GET", "/contacts", query_string={"cursor": cursor}) in {
        "bad_cursor",
        "bad_query",
    }


@pytest.mark.parametrize(
    "path",
    ("/contacts/none", "/contacts/..%2F..%2Fetc%2Fpasswd", "/contacts/%00", "/contacts/" + "x" * 3_000, "/nothing"),
)
@pytest.mark.usefixtures("day")
def test_what_is_not_there_is_not_found(program: Programs, path: str) -> None:
    assert program("auditor").refused(404, "GET", path) == "not_found"


def test_another_method_is_told_which_there_are(program: Programs) -> None:
    answer = program("auditor").ask("DELETE", "/orders")
    assert answer.status_code == 405
    assert problem_of(answer) == "method_not_allowed"
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.usefixtures("day")
def test_whoever_asks_too_often_is_told_when_to_come_again_and_others_are_not_held_up(
    site: Site, program: Programs
) -> None:
    now = 100.0
    site.app.extensions[BUCKETS] = Buckets(per_s=0.5, burst=3, clock=lambda: now)
    auditor, leader = program("auditor"), program("leader")
    assert [auditor.get("/orders").status_code for _ in range(3)] == [200] * 3
    answer = auditor.get("/orders")
    assert answer.status_code == 429
    assert problem_of(answer) == "too_many_requests"
    assert answer.headers["Retry-After"] == "2"
    assert leader.get("/orders").status_code == 200
    now += 2.0
    assert [auditor.get("/orders").status_code for _ in range(2)] == [200, 429]


def test_a_page_of_another_site_cannot_write_with_a_persons_session(site: Site) -> None:
    """CSRF: a session without the page's token gets nowhere, whatever kind of content it sends."""
    browser = site.as_role("back_office")
    assert browser.post(f"{BASE}/customers", json=NEW).status_code == 419
    given = {"X-CSRFToken": browser.csrf_token}
    assert browser.post(f"{BASE}/customers", json=NEW, headers=given).status_code == 201
    cross = {**given, "Sec-Fetch-Site": "cross-site"}
    assert browser.post(f"{BASE}/customers", json=NEW, headers=cross).status_code == 403


def test_before_a_read_model_was_built_a_program_is_told_to_come_again(program: Programs) -> None:
    answer = program("auditor").get("/orders")
    assert answer.status_code == 503
    assert problem_of(answer) == "not_ready"
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.usefixtures("day")
def test_while_the_database_is_away_a_program_is_told_to_come_again(site: Site, program: Programs) -> None:
    auditor = program("auditor")
    site.lose_database()
    answer = auditor.get("/orders")
    assert answer.status_code == 503
    assert problem_of(answer) == "database_away"
    assert int(answer.headers["Retry-After"]) > 0
