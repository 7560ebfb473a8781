"""The database away: who comes in by what is known of them, what they may, and what becomes of it (feature 12.2)."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import gevent
import pytest
from msgspec.structs import replace as replace_struct

from orchestrator.cluster import Cluster
from orchestrator.domain.access.users import ChangePassword, Disable, SessionEnded, SignInFailed, SignInRemembered
from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.contacts.contacts import ContactArrived, ContactIdentified
from orchestrator.domain.customers.notes import ContactNoted
from orchestrator.domain.kernel import SECOND, Event, Instant
from orchestrator.domain.spools import SpoolGivenUp
from orchestrator.service import attempts
from orchestrator.service.deciding import Desk, Who
from orchestrator.service.meanwhile import Began, Ended, Failed, Noted, now
from orchestrator.service.passwords import Passwords
from orchestrator.service.sessions import LONGEST_S
from orchestrator.settings import Settings
from orchestrator.store import Away, Later, NotKept
from orchestrator.vault import ERASED
from projections.live import LiveView
from tests.postgres import Database
from tests.store.kit import NUMBER, Kit
from tests.store.kit import record as store_record
from tests.web.conftest import PASSWORD, Browser, Site, site_of
from web.access.watch import Watch
from web.push import frames
from web.push.present import install

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


def later_of(site: Site) -> Later:
    """The file of what waits, as another process of this home would have it."""
    return Later(site.parts.settings.meanwhile, site.reading.vault)


def test_one_that_cannot_be_recorded_holds_nobody_elses_back(site: Site, watch: Watch) -> None:
    """Of a later version; of somebody who is not in the log."""
    later = later_of(site)
    later.keep("strange", b'{"type":"Danced"}')
    site.reading.meanwhile.keep(Failed(user_id="nobody-here", reason="wrong_password", address="127.0.0.1"))
    site.reading.meanwhile.keep(Ended(session_id=str(uuid.uuid4()), user_id=AGENT))
    watch.look()
    assert site.reading.meanwhile.count <= 2
    assert "strange" in [each.ident for each in later.all()]


def test_a_fault_of_ours_does_not_end_the_looking(site: Site) -> None:
    asked: list[int] = []

    def spools() -> bool:
        asked.append(1)
        if len(asked) == 1:
            raise ZeroDivisionError("nobody foresaw this")
        return False

    site.add_user(AGENT, "agent", agent_id=AGENT)
    site.reading.meanwhile.keep(Failed(user_id=AGENT, reason="wrong_password", address="127.0.0.1"))
    watch = Watch(site.reading, spools).start()
    try:
        with gevent.Timeout(20):
            while site.reading.meanwhile.count:
                gevent.sleep(0.01)
    finally:
        watch.stop()
    assert len(asked) == 2


def test_a_file_that_cannot_be_read_is_said_and_all_else_goes_on(site: Site, watch: Watch) -> None:
    folder = site.parts.settings.meanwhile
    folder.mkdir(parents=True)
    (folder / "later.db").write_bytes(b"no database at all, and long enough to be looked at" * 40)
    with pytest.raises(NotKept):
        watch.look()
    assert "what waits to be recorded cannot be read" in site.as_role("ops").get("/ops/").text
    health = site.browser().get("/healthz").json
    assert health is not None
    assert (health["components"]["spool"]["ok"], health["components"]["spool"]["deeds"]) == (False, None)


@pytest.mark.parametrize("why", ("given_up", "a_day_old"))
def test_a_note_whose_contact_was_given_up_with_its_spool_does_not_wait_for_ever(
    site: Site, watch: Watch, why: str
) -> None:
    who = Who(actor=f"agent:{AGENT}", roles=("agent",))
    note = Noted(who=who, contact_id=str(uuid.uuid4()), text="call back", code="", key="k", at=now())
    site.reading.meanwhile.keep(note)
    watch.look()
    assert site.reading.meanwhile.count == 1, "its contact may come with the spool"
    if why == "given_up":
        said = SpoolGivenUp(epoch=1, reason="the disk is lost")
        Desk(site.reading.desk, site.reading.log).write("spool-gone", lambda _: (said,), who=who)
    else:
        site.reading.meanwhile.keep(replace_struct(note, at=Instant(now() - 86_401 * SECOND)))
    waiting = site.reading.meanwhile.count
    Watch(site.reading, lambda: True).look()
    assert site.reading.meanwhile.count == waiting, "not while something is on its way"
    Watch(site.reading, lambda: False).look()
    assert site.reading.meanwhile.count == waiting - 1


def test_a_note_on_a_caller_who_was_erased_is_gone_with_them(site: Site, watch: Watch, database: Database) -> None:
    """Law 11: it waited for the contact, which came with the spool; nothing of it can be read, here or in the log."""
    customer = site.add_customer(NUMBER)
    contact_id = str(uuid.uuid4())
    who = Who(actor=f"agent:{AGENT}", roles=("agent",))
    words = "her door code is 4711"
    site.reading.meanwhile.keep(Noted(who=who, contact_id=contact_id, text=words, code="", key="k", at=now()))
    (waiting,) = (row for row in later_of(site).all())
    folder = site.parts.settings.meanwhile
    with closing(sqlite3.connect(folder / "later.db")) as connection:
        (sealed,) = connection.execute("SELECT sealed FROM entries WHERE place = ?", (waiting.place,)).fetchone()
    arrived = ContactArrived(node="sw1", leg="leg", dialled="4000", caller_number=NUMBER)
    events = (arrived, ContactIdentified(customer_id=customer))
    name = f"contact-{contact_id}"
    kit = Kit(database, site.parts.settings.kek_file, entries=CATALOGUE)
    kit.writer().append_live([store_record(name, version, event) for version, event in enumerate(events, start=1)])
    kit.close()
    site.reading.desk.erase(f"customer-{customer}")
    watch.look()
    assert site.reading.meanwhile.count == 0
    assert not any(sealed in path.read_bytes() for path in folder.iterdir())
    (note,) = site.reading.log.stream(f"note-{contact_id}")
    assert isinstance(note.event, ContactNoted)
    assert note.event.text == ERASED


def began_of(site: Site) -> Began:
    return next(deed for deed in site.reading.meanwhile.kept() if isinstance(deed, Began))


def test_a_session_that_was_recorded_and_ended_does_not_come_back(site: Site, watch: Watch) -> None:
    """Two processes settle the same; or the file could not be written once it was recorded."""
    site.lose_database()
    browser, _ = come(site)
    [entry] = later_of(site).all()
    site.regain_database()
    watch.look()
    assert browser.get("/customers/new").status_code == 200
    site.reading.sessions.end_all(AGENT, reason="ended_by_admin", actor="admin:test")
    later_of(site).keep(entry.ident, entry.plain)
    watch.look()
    assert site.reading.meanwhile.count == 0
    assert site.reading.sessions.open(AGENT) == []
    assert browser.get("/").headers["Location"].startswith("/sign-in")
    assert [event.reason for event in happened(site) if isinstance(event, SessionEnded)] == ["ended_by_admin"]


def test_that_it_was_not_confirmed_is_recorded_once(site: Site, watch: Watch) -> None:
    site.lose_database()
    come(site)
    [entry] = later_of(site).all()
    site.regain_database()
    site.reading.users.change(AGENT, Disable(reason="gone"), actor="admin:test")
    watch.look()
    later_of(site).keep(entry.ident, entry.plain)
    watch.look()
    assert [event.reason for event in happened(site) if isinstance(event, SessionEnded)] == ["not_confirmed"]


@pytest.mark.parametrize(("hours", "open_then"), ((1, 1), (3, 0)))
def test_a_session_of_long_ago_is_not_taken_up_and_its_end_counts_from_its_beginning(
    site: Site, watch: Watch, hours: int, open_then: int
) -> None:
    site.lose_database()
    come(site)
    began = began_of(site)
    [entry] = later_of(site).all()
    later_of(site).drop(entry.place)
    old = Instant(began.at - hours * 3600 * SECOND)
    site.reading.meanwhile.keep(replace_struct(began, at=old))
    site.regain_database()
    watch.look()
    found = site.reading.sessions.open(AGENT)
    assert [each.session_id for each in found] == [began.session_id] * open_then
    assert all(abs(each.ends_at.timestamp() - old / SECOND - LONGEST_S) < 1 for each in found)


def test_whoever_is_thrown_out_between_return_and_record_is_out(site: Site, watch: Watch) -> None:
    site.lose_database()
    browser, _ = come(site)
    site.regain_database()
    assert browser.get("/").headers["Location"] == "/desk/"
    assert site.reading.sessions.end_all(AGENT, reason="ended_by_admin", actor="admin:test") == 1
    for _ in range(2):
        assert browser.get("/").headers["Location"].startswith("/sign-in")
        watch.look()
    assert site.reading.sessions.open(AGENT) == []
    assert [event.reason for event in happened(site) if isinstance(event, SessionEnded)] == ["ended_by_admin"]


def test_what_is_done_while_others_are_recorded_is_not_taken_to_be_recorded(site: Site, watch: Watch) -> None:
    """Sessions forget what the file has no more, and nothing else."""
    site.lose_database()
    come(site)
    seen: list[set[str]] = []
    site.reading.users.on_change(lambda _: seen.append(site.reading.sessions.unsettled()))
    site.regain_database()
    late = str(uuid.uuid4())
    site.reading.users.on_change(
        lambda _: site.reading.sessions.end_away(late, AGENT) if not any(late in each for each in seen) else None
    )
    watch.look()
    assert late in site.reading.sessions.unsettled()
    assert site.reading.meanwhile.count == 1
    watch.look()
    assert site.reading.sessions.unsettled() == set()
    assert site.reading.meanwhile.count == 0


def test_a_web_that_is_started_before_the_record_knows_who_signed_out(
    site: Site, watch: Watch, database: Database, settings: Settings, cluster: Cluster
) -> None:
    before = site.sign_in(AGENT)
    cookie = before.get_cookie("ringledger")
    assert cookie is not None
    site.lose_database()
    before.get("/customers/new")
    assert before.submit("/sign-out").status_code == 303
    came, _ = come(site)
    key = came.get_cookie("ringledger")
    assert key is not None
    site.regain_database()
    with site_of(database, settings, cluster) as another:
        Watch(another.reading, lambda: True).start().stop()
        browser = another.browser()
        browser.set_cookie("ringledger", cookie.value)
        assert browser.get("/").headers["Location"].startswith("/sign-in")
        browser.set_cookie("ringledger", key.value)
        assert browser.get("/").headers["Location"] == "/desk/"


def test_a_stream_of_whom_nobody_can_ask_breaks_off_and_is_tried_again(
    database: Database, settings: Settings, cluster: Cluster
) -> None:
    """A page whose stream is ended loads itself anew, and would be an error page without any."""
    with site_of(database, replace(settings, away_rights_min=0), cluster) as site:
        site.add_user("li", "leader")
        Watch(site.reading).look()
        view = LiveView(site.reading.log).start()
        view.wait_ready(10)
        view.stop()
        made = install(site.app, view)
        try:
            leader = site.sign_in("li")
            stream = leader.get("/stream?topics=floor", buffered=False)
            assert stream.status_code == 200
            said = iter(stream.response)
            next(said)
            site.lose_database()
            made.hub.recheck("li")
            rest: list[object] = []
            with pytest.raises(Away):
                rest.extend(said)
            assert frames.END not in rest
            assert leader.get("/stream?topics=floor").status_code == 503
        finally:
            made.hub.stop()
