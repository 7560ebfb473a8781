"""The everyday part of the table of states and of who hangs up first, by phones, on both switches (feature 4.3)."""

import pytest

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import guest_events as g
from orchestrator.domain.kernel import Event
from orchestrator.runner import inputs
from tests.acceptance.house import House
from tests.contract.driver import Caller, PhoneEnd
from tests.matrix import EVERYDAY_ROWS, Row

pytestmark = pytest.mark.slow
_CONSULTS = ("consulting", "to_and_fro", "together", "conference")


class Day:
    """One house in which row after row is played. Counts are of this house's log so far."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.phones: dict[str, PhoneEnd] = {
            "agent": house.driver.phone("1001"),
            "colleague": house.driver.phone("1002"),
            "guest": house.driver.phone("1003"),
        }

    def play(self, row: Row) -> None:
        """Bring a call into its state, let somebody hang up, and wait for what becomes of the caller."""
        house = self.house
        house.sign_in("801")
        connected = len(house.ledger.all(c.ContactConnected))
        caller = house.driver.call()
        house.ledger.await_event(c.ContactConnected, count=connected + 1)
        self._reach(row.state)
        ends = self._count(row)
        end: Caller | PhoneEnd = caller if row.who == "caller" else self.phones[row.who]
        end.hang_up()
        house.ledger.await_event(self._kind(row), count=ends + 1)
        if row.becomes == "colleague":
            assert house.ledger.all(c.ContactConnected)[-1].agent_id == "bob", row
        house.do(inputs.EndAll(reason="evening"))
        house.await_no_contacts()

    def _reach(self, state: str) -> None:
        house = self.house
        if state == "held":
            house.driver.let_hear(500)
            self._next(c.ContactHeld, inputs.Hold(agent="801"))
        if state not in _CONSULTS:
            return
        house.sign_in("802")
        self._next(e.ConsultJoined, inputs.Consult(agent="801", to_agent="802"))
        if state == "to_and_fro":
            self._next(e.ConsultJoined, inputs.SwitchConsult(agent="801"))
        if state in ("together", "conference"):
            self._next(e.ConsultJoined, inputs.Confer(agent="801"))
        if state == "conference":
            house.sign_in("803")
            self._next(g.GuestJoined, inputs.Invite(agent="801", to_agent="803"))

    def _kind(self, row: Row) -> type[Event]:
        kinds: dict[str, type[Event]] = {
            "ended": c.ContactEnded,
            "agent": e.ContactRejoined,
            "colleague": c.ContactConnected,
            "room": g.GuestPromoted if row.who == "colleague" else g.GuestClosed,
        }
        return kinds[row.becomes]

    def _count(self, row: Row) -> int:
        return len(self.house.ledger.all(self._kind(row)))

    def _next(self, kind: type[Event], wish: inputs.AgentCommand) -> None:
        """Ask for it, and wait until this happened once more."""
        before = len(self.house.ledger.all(kind))
        self.house.do(wish)
        self.house.ledger.await_event(kind, count=before + 1)


def test_whoever_hangs_up_first_the_caller_is_where_the_table_says(house: House) -> None:
    """Complaints 13, 14: with ordinary phones, one row after the other."""
    day = Day(house)
    for row in EVERYDAY_ROWS:
        day.play(row)
    report = house.close_day(contacts=len(EVERYDAY_ROWS))
    assert report.counts.consults == sum(row.state in _CONSULTS for row in EVERYDAY_ROWS)
