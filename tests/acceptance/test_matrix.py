"""The table of states and of who hangs up first, on both switches: all that one can be brought to (feature 4.3)."""

import re

import pytest

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import guest_events as g
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.kernel import Event
from orchestrator.runner import inputs
from tests.acceptance.house import House
from tests.contract.driver import Behaviour, Caller, PhoneEnd
from tests.lab.patience import until
from tests.matrix import OF_THE_NETWORK, PLAYED, Row

pytestmark = pytest.mark.slow
_APART = ("guest_held", "aside")
_ROOMS = ("inviting", "conference", *_APART)
_WITH_FOUR = ("conference", *_APART)
_CONSULTS = ("asking", "consulting", "to_and_fro", "together", *_ROOMS)
_RINGING = re.compile(r"(?m)^Channel-Call-State: RINGING$")
_KINDS: dict[str, type[Event]] = {
    "ended": c.ContactEnded,
    "waits": c.OfferClosed,
    "offered": c.OfferMade,
    "agent": e.ContactRejoined,
    "colleague": c.ContactConnected,
    "music": g.GuestPromoted,
}


def _kind(row: Row) -> type[Event]:
    """What the log says once the caller is there."""
    if row.state == "guest_held" and row.becomes == "agent":
        return e.ConsultJoined  # whoever was on hold is who is asked, and hears music on
    if row.becomes == "room":
        return g.GuestPromoted if row.who == "colleague" else g.GuestClosed
    return _KINDS[row.becomes]


class Day:
    """One house in which row after row is played. Counts are of this house's log so far."""

    def __init__(self, house: House, third: Behaviour) -> None:
        """`third`: what the third agent's phone does."""
        self.house = house
        self.phones: dict[str, PhoneEnd] = {
            "801": house.driver.phone("1001"),
            "802": house.driver.phone("1002"),
            "803": house.driver.phone("1003", third),
        }

    def play(self, row: Row, cause: str = "") -> None:
        """Bring a call into its state, let somebody hang up, and wait for what becomes of the caller. `cause`: not
        they do, but the network ends their leg so.
        """
        house = self.house
        ends, legs = self.reach(row.state)
        kind = _kind(row)
        before = {kind: len(house.ledger.all(kind)) for kind in (c.ContactEnded, kind)}
        if cause:
            with house.driver.control() as control:
                assert control.api(f"uuid_kill {legs[row.who]} {cause}").startswith("+OK"), (row, cause)
        else:
            ends[row.who].hang_up()
        house.ledger.await_event(kind, count=before[kind] + 1)
        if row.becomes == "colleague":
            assert house.ledger.all(c.ContactConnected)[-1].agent_id == "bob", row
        if row.becomes != "ended":
            assert len(house.ledger.all(c.ContactEnded)) == before[c.ContactEnded], (row, cause)
        house.do(inputs.EndAll(reason="evening"))
        house.await_no_contacts()

    def reach(self, state: str) -> tuple[dict[str, Caller | PhoneEnd], dict[str, str]]:
        """The ends of a call in this state, and their legs."""
        house = self.house
        first = "803" if state == "ringing" else "801"
        if state != "waiting":
            house.sign_in(first)
        calls = len(house.ledger.all(c.ContactQueued))
        ends: dict[str, Caller | PhoneEnd] = {"caller": house.driver.call(), "agent": self.phones[first]}
        house.ledger.await_event(c.ContactQueued, count=calls + 1)
        legs = {"caller": house.ledger.all(c.ContactArrived)[-1].leg}
        if state == "waiting":
            return ends, legs
        legs["agent"] = self._offered()
        if state == "ringing":
            self._rings(legs["agent"])
            return ends, legs
        until(lambda: house.agent("801")["state"] == "talking", "the two to talk")
        if state == "held":
            house.driver.let_hear(500)
            self._next(c.ContactHeld, inputs.Hold(agent="801"))
        if state in _CONSULTS or state == "passed_on":
            ends["colleague"], legs["colleague"] = self._colleague(state)
        if state in _ROOMS:
            ends["guest"], legs["guest"] = self._guest(state)
        return ends, legs

    def _colleague(self, state: str) -> tuple[PhoneEnd, str]:
        """Ask a colleague, or pass the caller on to one; their phone, and its leg."""
        house = self.house
        number = "803" if state in ("asking", "passed_on") else "802"
        house.sign_in(number)
        joined = len(house.ledger.all(e.ConsultJoined))
        if state == "passed_on":
            calls = len(house.ledger.all(c.OfferMade))
            self._next(ContactTransferred, inputs.Transfer(agent="801", to_agent=number))
            house.ledger.await_event(c.OfferMade, count=calls + 1)
            leg = self._offered()
        else:
            self._next(e.ConsultAsked, inputs.Consult(agent="801", to_agent=number))
            reservation = house.ledger.all(e.ConsultAsked)[-1].reservation
            assert reservation is not None
            leg = reservation.leg
        if number == "803":
            self._rings(leg)
            return self.phones[number], leg
        house.ledger.await_event(e.ConsultJoined, count=joined + 1)
        if state == "to_and_fro":
            self._next(e.ConsultJoined, inputs.SwitchConsult(agent="801"))
        if state in ("together", *_ROOMS):
            self._next(e.ConsultJoined, inputs.Confer(agent="801"))
        return self.phones[number], leg

    def _guest(self, state: str) -> tuple[PhoneEnd, str]:
        """Invite the third agent, whose phone rings or answers as the state wants; their phone, and its leg."""
        house = self.house
        house.sign_in("803")
        self._next(g.GuestInvited if state == "inviting" else g.GuestJoined, inputs.Invite(agent="801", to_agent="803"))
        if state == "guest_held":
            self._next(g.GuestHeld, inputs.HoldMember(agent="801", to_agent="803"))
        if state == "aside":
            self._next(g.AsideBegun, inputs.SpeakAlone(agent="801", to_agent="803"))
        reservation = house.ledger.all(g.GuestInvited)[-1].reservation
        assert reservation is not None
        if state == "inviting":
            self._rings(reservation.leg)
        return self.phones["803"], reservation.leg

    def _offered(self) -> str:
        """The leg of the phone that is rung for the caller who came last."""
        contact_id = self.house.ledger.contacts()[-1]
        until(lambda: "OfferMade" in self.house.ledger.story(contact_id), "the caller to be offered")
        (reservation,) = self.house.ledger.all(c.OfferMade)[-1].reservations
        return reservation.leg

    def _rings(self, leg: str) -> None:
        """Return once the phone at this leg rings."""
        with self.house.driver.control() as control:
            until(lambda: _RINGING.search(control.api(f"uuid_dump {leg}")), "the phone to ring")

    def _next(self, kind: type[Event], wish: inputs.AgentCommand) -> None:
        """Ask for it, and wait until this happened once more."""
        before = len(self.house.ledger.all(kind))
        self.house.do(wish)
        self.house.ledger.await_event(kind, count=before + 1)


_WITH_RINGING = tuple(row for row in PLAYED if row.state not in _WITH_FOUR)
_GATHERED = tuple(row for row in PLAYED if row.state in _WITH_FOUR)


@pytest.mark.parametrize("half", (0, 1))
def test_whoever_hangs_up_first_the_caller_is_where_the_table_says(house: House, half: int) -> None:
    """Complaints 13, 14: row after row by whoever hangs up, and once more by each cause with which the network ends
    a leg.
    """
    _play(house, "rings", _WITH_RINGING[half::2])


@pytest.mark.parametrize("half", (0, 1))
def test_whoever_leaves_a_conference_takes_nobody_along(house: House, half: int) -> None:
    """Feature 4.3: the same of a room of four, of which one may be on hold, or alone with the agent."""
    _play(house, "answers", _GATHERED[half::2])


def _play(house: House, third: Behaviour, rows: tuple[Row, ...]) -> None:
    day = Day(house, third)
    causes = ("", *OF_THE_NETWORK)
    for row in rows:
        for cause in causes:
            day.play(row, cause)
    report = house.close_day(contacts=len(causes) * len(rows))
    assert report.counts.consults == len(causes) * sum(row.state in _CONSULTS for row in rows)
