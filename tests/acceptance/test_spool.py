"""The database goes away under calls, and callers are served all the same (feature 12.2)."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final

import psycopg

from orchestrator.control import Client, control_path
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.unattended import UnattendedCallEnded
from orchestrator.domain.engine import DatabaseReturned, EngineActivated, SpoolBegun
from orchestrator.domain.kernel import SECOND, Record
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch.nodes import UnknownTalkEnded, UnknownTalkFound
from orchestrator.runner import inputs
from orchestrator.store import KeyShelf, Source
from orchestrator.store.spool import row_bound, seal_name
from orchestrator.vault import Vault
from tests.acceptance.conftest import Build
from tests.acceptance.house import House
from tests.contract.driver import sessions
from tests.lab.patience import until

_AT_ONCE: Final = 8


def await_word(house: House) -> None:
    """Return once the lease says that its holder may spool."""

    def look() -> bool:
        with psycopg.connect(house.database.url_reader) as connection:
            return connection.execute("SELECT FROM ringledger_lease WHERE spool <> ''").fetchone() is not None

    until(look, "the lease to name the spool")


def _serve_in_the_dark(house: House) -> None:
    """The database is away: a caller comes, talks with 801, and puts down; all of it by the spool."""
    caller = house.driver.call()
    house.await_state("801", "talking")
    caller.hang_up()
    house.await_state("801", "ready")


def test_callers_are_served_while_the_database_is_away_and_the_log_has_all_of_it_afterwards(house: House) -> None:
    """Feature 12.2: calls are decided by the spool, commands are carried out, and nothing is lost, doubled or late."""
    house.driver.phone("1001")
    house.sign_in("801")
    first = house.driver.call()
    house.await_state("801", "talking")
    await_word(house)
    house.stop_database()  # and every session with it: a killed one may still serve those for a moment
    first.hang_up()
    house.engines[-1].await_log("events go to the spool")
    house.await_state("801", "ready")
    _serve_in_the_dark(house)
    assert house.do(inputs.SignIn(agent="802")) == 0, "accepted; there is no place in the log to wait for"
    _serve_in_the_dark(house)
    house.restart_database()
    returned = house.ledger.await_event(DatabaseReturned)
    assert returned.spooled > 20
    assert len(house.ledger.all(c.ContactConnected)) == 3
    assert house.agent("802")["state"] == "paused"
    assert house.close_day(contacts=3).counts.ended_by_reason == {"completed": 3}


def test_callers_are_served_while_the_database_stands_still_and_it_is_caught_up_with_once(house: House) -> None:
    """Feature 12.2: every process of the server is stopped; nothing is closed, and nothing is answered."""
    house.driver.phone("1001")
    house.sign_in("801")
    await_word(house)
    with house.still_database():
        first = house.driver.call()
        house.engines[-1].await_log("events go to the spool", within_s=12)
        house.await_state("801", "talking")
        first.hang_up()
        house.await_state("801", "ready")
        _serve_in_the_dark(house)
    returned = house.ledger.await_event(DatabaseReturned)
    assert returned.spooled > 20
    assert len(house.ledger.all(c.ContactConnected)) == 2
    _serve_in_the_dark(house)
    assert house.close_day(contacts=3).counts.ended_by_reason == {"completed": 3}
    assert len(house.ledger.all(EngineActivated)) == 1, "it was the same engine all the time"


def test_an_engine_killed_with_a_full_spool_loses_nothing(house: House) -> None:
    """Feature 12.2: the next engine of this machine drains the spool before it decides anything."""
    house.driver.phone("1001")
    house.sign_in("801")
    await_word(house)
    house.stop_database()
    house.driver.call()
    house.await_state("801", "talking")
    house.engines[-1].child.kill()
    house.restart_database()
    house.open()
    assert "spool-found" in house.engines[-1].log
    assert house.await_state("801", "talking")
    # It tells what it has read of the log before it is on record that it decides.
    house.ledger.await_event(EngineActivated, count=2)
    log = house.opened()
    begun, second = _place(log, SpoolBegun), _place(log, EngineActivated, last=True)
    accepted = _place(log, c.OfferAccepted)
    assert begun < accepted < second, "in their order, and before the next engine decides"
    house.ledger.await_event(c.ContactIdentified)
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)


def test_a_command_that_is_sent_again_after_a_crash_with_a_full_spool_is_done_once(house: House) -> None:
    """Feature 12.2, complaint 2: its answer was lost with the engine; done it was, for it is in the spool."""
    house.sign_in("801")
    await_word(house)
    house.stop_database()
    house.sign_in("802")
    pause = inputs.Pause(agent="802", reason="lunch", key="k-1")
    assert house.do(pause) == 0, "accepted; there is no place in the log to wait for"
    house.do(inputs.Ready(agent="802", key="k-2"))
    house.engines[-1].child.kill()
    house.client.close()
    house.restart_database()
    house.open()
    (paused,) = (record for record in house.opened() if record.event == s.AgentPaused(reason="lunch"))
    assert house.do(pause) == paused.position
    assert house.agent("802")["state"] == "ready"
    assert house.refusal(inputs.SignOut(agent="802", key="k-1")) == "key_reused"


def test_a_spool_that_is_put_aside_goes_under_keys_of_persons_by_itself(house: House) -> None:
    """Law 11: whichever engine of the machine sees it, though it is not active. Here one finds the home of another."""
    number = "+8613800138000"
    house.driver.phone("1001")
    house.sign_in("801")
    await_word(house)
    house.stop_database()
    caller = house.driver.call(number=number)
    house.await_state("801", "talking")
    house.engines[-1].child.kill()
    caller.hang_up()
    file = house.settings.spools / "spool.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE meta SET value = 'another one' WHERE name = 'machine'")
    house.restart_database()
    house.start_engine().await_log("spool-aside-sealed")
    (aside,) = house.settings.spools.glob("aside-*.db")
    source = Source(house.database.url_writer, name="whoever has the key file")
    read = b""
    try:
        vault = Vault.unlock(house.settings.kek_file, KeyShelf(source))
        with closing(sqlite3.connect(aside)) as connection:
            (spool,) = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
            rows = connection.execute("SELECT stream, version, topic, sealed FROM entries").fetchall()
        for stream, version, topic, sealed in rows:
            read += vault.open_bytes(seal_name(spool), sealed, row_bound(stream, version, topic))
    finally:
        source.close()
    assert any(topic.startswith("ContactArrived.") for _, _, topic, _ in rows)
    assert b"$sealed" in read
    assert number.encode() not in read


def test_a_talk_and_a_waiting_caller_of_whom_every_word_was_lost_go_on_and_are_found_by_their_channels(
    house: House,
) -> None:
    """Features 12.1, 12.4: the disk with the spool is gone. Nobody is rung into the talk, no wait begins anew."""
    house.driver.phone("1001")
    house.sign_in("801")
    await_word(house)
    house.stop_database()
    talking = house.driver.call()
    house.await_state("801", "talking")
    waiting = house.driver.call()
    until(lambda: (house.status() or {}).get("contacts") == 2, "the second caller to wait")
    house.engines[-1].child.kill()
    for file in house.settings.spools.glob("spool.db*"):
        file.unlink()
    house.restart_database()
    given_up = ("spool", "give-up", "--reason", "the disk is gone", "--machine-is-off")
    until(lambda: house.run(*given_up)[0] == 0, "the engine to be silent for so long that its spool may be given up")
    house.open()
    assert house.ledger.await_event(UnknownTalkFound).extension == "1001"
    (arrived,) = (each for each in house.ledger.read() if isinstance(each.event, c.ContactArrived))
    assert isinstance(arrived.event, c.ContactArrived)
    assert arrived.event.found == "resync"
    assert 0 < arrived.event.came_at < arrived.about.at - SECOND
    assert house.ledger.await_event(c.ContactQueued).waiting_since == arrived.event.came_at
    assert house.agent("801")["state"] == "ready"
    assert not house.ledger.all(c.OfferMade)
    talking.hang_up()
    house.ledger.await_event(UnknownTalkEnded)
    house.await_state("801", "talking")
    waiting.hang_up()
    house.close_day(contacts=1)


def _fill_the_spool(house: House) -> None:
    """Agent 802, whom nobody calls, changes their mind about why they are away, until the limit is past."""

    def share() -> float:
        status = house.status()
        assert status is not None
        found: float = status["spool"]["share"]
        return found

    house.do(inputs.SignIn(agent="802"))
    clients = [Client(control_path(house.home)) for _ in range(_AT_ONCE)]

    def change_their_mind(place: int) -> None:
        for number in range(20):
            clients[place].do(inputs.Pause(agent="802", reason=f"reason-{place}-{number}"))

    with ThreadPoolExecutor(_AT_ONCE) as pool:  # whose events share commits
        while share() <= 1:
            for done in [pool.submit(change_their_mind, place) for place in range(_AT_ONCE)]:
                done.result()
    for client in clients:
        client.close()


def test_past_its_limit_new_callers_are_the_switch_s_and_whoever_is_inside_is_served_to_the_end(build: Build) -> None:
    """Feature 12.2: a clear alarm, the dialplan's fallback, and all of it in the log once the database is back."""
    house = build(variables={"RINGLEDGER_SPOOL_MAX_MB": "1"})
    house.open()
    driver = house.driver
    driver.shorten_prompts()
    driver.phone("1001")
    house.sign_in("801")
    talking = driver.call()
    first = house.await_state("801", "talking")["contact_id"]
    waiting = driver.call(number="+31201111111")
    house.ledger.await_event(c.ContactQueued, count=2)
    await_word(house)
    house.stop_database()
    _fill_the_spool(house)
    house.engines[-1].await_log("spool-full")
    with driver.control() as control:

        def is_served_by_the_switch(*, whoever_comes: bool) -> bool:
            return (control.api("global_getvar ringledger_unattended").strip() == "yes") == whoever_comes

        until(lambda: is_served_by_the_switch(whoever_comes=True), "the switch to hear of it")
        driver.phone("1003")  # nobody is signed in there: only the switch itself rings it
        arriving = driver.call(number="+31202222222")
        until(lambda: sessions(control) == 5, "the one who came to be joined with a phone of the fallback group")
        assert house.agent("801")["contact_id"] == first, "the talk goes on"
        talking.hang_up()
        until(lambda: house.agent("801")["contact_id"] not in ("", first), "whoever waited to be offered")
        house.await_state("801", "talking")
        waiting.hang_up()
        house.await_state("801", "ready")
        arriving.hang_up()
        until(lambda: sessions(control) == 0, "all of them to be gone")
        house.restart_database()
        returned = house.ledger.await_event(DatabaseReturned)
        until(lambda: is_served_by_the_switch(whoever_comes=False), "the switch to hear that there is room again")
        last = driver.call(number="+31203333333")
        house.await_state("801", "talking")
        last.hang_up()
    assert returned.spooled > len(house.ledger.all(s.AgentPaused)) - 10 > 1_000
    alone = house.ledger.await_event(UnattendedCallEnded)
    assert (bool(alone.joined_at), alone.earlier) == (True, "")
    assert alone.agent_id in {"ann", "cem"}, "who rings first is the switch's affair"
    report = house.close_day(contacts=3)
    assert report.counts.ended_by_reason == {"completed": 3, "unattended_served": 1}
    assert len(house.ledger.all(c.ContactConnected)) == 3


def _place(log: list[Record], event: type, *, last: bool = False) -> int:
    places = [place for place, record in enumerate(log) if isinstance(record.event, event)]
    until(lambda: bool(places), f"{event.__name__} to be in the log")
    return places[-1 if last else 0]
