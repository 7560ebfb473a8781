"""The database goes away under calls, and callers are served all the same (feature 12.2)."""

import psycopg

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.engine import DatabaseReturned, EngineActivated, SpoolBegun
from orchestrator.domain.kernel import Record
from orchestrator.runner import inputs
from tests.acceptance.house import House
from tests.lab.patience import until


def _await_word(house: House) -> None:
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
    _await_word(house)
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


def test_an_engine_killed_with_a_full_spool_loses_nothing(house: House) -> None:
    """Feature 12.2: the next engine of this machine drains the spool before it decides anything."""
    house.driver.phone("1001")
    house.sign_in("801")
    _await_word(house)
    house.stop_database()
    house.driver.call()
    house.await_state("801", "talking")
    house.engines[-1].child.kill()
    house.restart_database()
    house.open()
    assert "spool-found" in house.engines[-1].log
    assert house.await_state("801", "talking")
    log = house.opened()
    begun, second = _place(log, SpoolBegun), _place(log, EngineActivated, last=True)
    accepted = _place(log, c.OfferAccepted)
    assert begun < accepted < second, "in their order, and before the next engine decides"
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)


def _place(log: list[Record], event: type, *, last: bool = False) -> int:
    places = [place for place, record in enumerate(log) if isinstance(record.event, event)]
    until(lambda: bool(places), f"{event.__name__} to be in the log")
    return places[-1 if last else 0]
