"""The database away: who comes in by what is known of them, what they may, and what becomes of it (feature 12.2)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator.cluster import Cluster
from orchestrator.domain.access.users import ChangePassword, Disable, SessionEnded, SignInFailed, SignInRemembered
from orchestrator.domain.kernel import Event
from orchestrator.service import attempts
from orchestrator.service.passwords import Passwords
from orchestrator.settings import Settings
from tests.postgres import Database
from tests.web.conftest import PASSWORD, Browser, Site, site_of
from web.access.watch import Watch

AGENT = "lin-mei"


@pytest.fixture
def watch(site: Site) -> Watch:
    """What looks for users once a second, moved by hand; Lin Mei, an agent, and Li, a leader, are known to it."""
    site.add_user(AGENT, "agent", agent_id=AGENT)
    site.add_user("li", "leader")
    watch = Watch(site.reading)
    watch.look()
    return watch


@pytest.fixture
def hasty(database: Database, settings: Settings, cluster: Cluster) -> Iterator[Site]:
    """A site that lets nobody sign in without the database, nor keep rights."""
    with site_of(database, replace(settings, away_desk_min=0, away_rights_min=0), cluster) as made:
        yield made


def come(site: Site, user_id: str = AGENT, password: str = PASSWORD) -> tuple[Browser, int]:
    """A browser in which somebody tries to sign in, and the status of the answer."""
    browser = site.browser()
    browser.get("/sign-in")
    return browser, browser.submit("/sign-in", name=user_id, password=password).status_code


def happened(site: Site, user_id: str = AGENT) -> list[Event]:
    return [record.event for record in site.reading.log.stream(f"user-{user_id}")]


def test_whoever_was_known_comes_in_to_their_desk_and_it_is_recorded_later(site: Site, watch: Watch) -> None:
    site.lose_database()
    browser, status = come(site)
    assert status == 303
    page = browser.get("/")
    assert page.status_code == 303, "to the desk, the one thing there is"
    assert page.headers["Location"] == "/desk/"
    assert browser.get("/customers/new").status_code == 503, (
        "what needs other rights waits, and nobody is told it never may"
    )
    assert site.reading.meanwhile.count == 1
    site.regain_database()
    watch.look()
    said = [event for event in happened(site) if isinstance(event, SignInRemembered)]
    assert len(said) == 1
    assert said[0].address == "127.0.0.1"
    assert said[0].known_ms < 60_000
    assert site.reading.meanwhile.count == 0
    assert browser.get("/customers/new").status_code == 200, "a session like any other"
    assert [each.session_id for each in site.reading.sessions.open(AGENT)] == [said[0].session_id]
    watch.look()
    assert len([event for event in happened(site) if isinstance(event, SignInRemembered)]) == 1


@pytest.mark.parametrize(("name", "password"), ((AGENT, "wrong"), ("nobody", PASSWORD), ("", PASSWORD)))
def test_nobody_else_does(site: Site, watch: Watch, name: str, password: str) -> None:
    site.lose_database()
    browser, status = come(site, name, password)
    assert status == 422
    assert browser.get("/").headers["Location"].startswith("/sign-in")
    site.regain_database()
    watch.look()
    failed = [event for event in happened(site) if isinstance(event, SignInFailed)]
    assert failed == ([SignInFailed(reason="wrong_password", address="127.0.0.1")] if name == AGENT else [])


def test_tries_are_counted_all_the_same_and_after_it_too(site: Site, watch: Watch) -> None:
    site.lose_database()
    for _ in range(attempts.MOST["account"]):
        assert come(site, AGENT, "wrong")[1] == 422
    assert come(site)[1] == 429
    assert come(site, "li")[1] == 303, "others are not kept waiting"
    site.regain_database()
    assert come(site)[1] == 429


def test_what_an_administrator_had_done_before_is_heeded(site: Site, watch: Watch) -> None:
    """Disabled, another password, a session that was ended elsewhere: known as of the last look."""
    here = site.sign_in(AGENT)
    watch.look()
    users = site.reading.users
    ended = site.reading.sessions.open(AGENT)[0].session_id
    with_another = Passwords().hash("other plain words here")
    users.change("li", Disable(reason="gone"), actor="admin:test")
    users.change(AGENT, ChangePassword(hash=with_another), actor="admin:test")
    users.note(AGENT, SessionEnded(session_id=ended, reason="ended_by_admin"), actor="admin:test")
    watch.look()
    site.lose_database()
    assert come(site, "li")[1] == 422
    assert come(site)[1] == 422
    assert come(site, AGENT, "other plain words here")[1] == 303
    assert here.get("/").headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("what", ("disabled", "password"))
def test_who_may_not_come_in_any_more_is_thrown_out_when_it_is_back(site: Site, watch: Watch, what: str) -> None:
    site.lose_database()
    browser, status = come(site)
    assert status == 303
    site.regain_database()
    change = (
        Disable(reason="gone") if what == "disabled" else ChangePassword(hash=Passwords().hash("quite other words"))
    )
    site.reading.users.change(AGENT, change, actor="admin:test")
    assert browser.get("/").headers["Location"].startswith("/sign-in"), "at the very next request"
    told: list[str] = []
    site.reading.users.on_change(told.append)
    watch.look()
    assert AGENT in told, "streams are asked again"
    assert browser.get("/").headers["Location"].startswith("/sign-in")
    last = happened(site)[-1]
    assert isinstance(last, SessionEnded)
    assert last.reason == "not_confirmed"
    assert site.reading.sessions.open(AGENT) == []


def test_between_return_and_record_it_is_the_log_that_counts(site: Site, watch: Watch) -> None:
    site.lose_database()
    browser, _ = come(site)
    site.regain_database()
    assert browser.get("/").headers["Location"] == "/desk/"
    assert browser.get("/customers/new").status_code == 503, "no more than before, until it is recorded"
    watch.look()
    assert browser.get("/customers/new").status_code == 200


def test_whoever_signs_out_is_out_and_stays_so(site: Site, watch: Watch) -> None:
    before = site.sign_in(AGENT)
    site.lose_database()
    came, _ = come(site)
    for browser in (before, came):
        cookie = browser.get_cookie("ringledger")
        assert cookie is not None
        browser.get("/customers/new")  # any page has the form
        assert browser.submit("/sign-out").status_code == 303
        browser.set_cookie("ringledger", cookie.value)
        assert browser.get("/").headers["Location"].startswith("/sign-in")
    site.regain_database()
    for browser in (before, came):
        assert browser.get("/").headers["Location"].startswith("/sign-in")
    watch.look()
    for browser in (before, came):
        assert browser.get("/").headers["Location"].startswith("/sign-in")
    ended = [event for event in happened(site) if isinstance(event, SessionEnded)]
    assert [event.reason for event in ended] == ["signed_out", "signed_out"]


def test_rights_beyond_a_desk_are_kept_for_their_time_only(
    database: Database, settings: Settings, cluster: Cluster
) -> None:
    with site_of(database, replace(settings, away_rights_min=0), cluster) as site:
        site.add_user("li", "leader")
        Watch(site.reading).look()
        leader = site.sign_in("li")
        site.lose_database()
        assert leader.get("/language").status_code == 405, "who it is is known"
        assert leader.get("/floor/").status_code == 503


def test_a_site_that_wants_none_of_it_lets_nobody_in(hasty: Site) -> None:
    hasty.add_user(AGENT, "agent", agent_id=AGENT)
    Watch(hasty.reading).look()
    before = hasty.sign_in(AGENT)
    hasty.lose_database()
    assert come(hasty)[1] == 503
    assert before.get("/").status_code == 503


def test_where_nobody_has_looked_yet_nobody_comes_in(site: Site) -> None:
    site.add_user(AGENT, "agent", agent_id=AGENT)
    site.lose_database()
    assert come(site)[1] == 503


def test_a_key_of_long_ago_keeps_nobody_from_signing_in(site: Site, watch: Watch) -> None:
    site.lose_database()
    browser = site.browser()
    browser.set_cookie("ringledger", "A" * 43)
    assert browser.get("/desk/").headers["Location"].startswith("/sign-in")
    browser.get("/sign-in")
    assert browser.submit("/sign-in", name=AGENT, password=PASSWORD).status_code == 303


def test_nothing_is_recorded_before_what_the_engine_decided_meanwhile(site: Site, watch: Watch) -> None:
    """The log's time only goes forward: what lies in the spool is older."""
    said: list[bool | None] = [True]
    late = Watch(site.reading, lambda: said[0])
    late.look()
    site.lose_database()
    come(site)
    site.regain_database()
    for spools in (True, None):
        said[0] = spools
        late.look()
        assert site.reading.meanwhile.count == 1
    said[0] = False
    late.look()
    assert site.reading.meanwhile.count == 0
    assert any(isinstance(event, SignInRemembered) for event in happened(site))


def test_what_is_kept_names_nobody(site: Site, watch: Watch) -> None:
    site.lose_database()
    come(site)
    files = [path.read_bytes() for path in site.parts.settings.meanwhile.iterdir()]
    assert files
    assert not any(word in file for file in files for word in (AGENT.encode(), b"127.0.0.1", b"argon2"))
