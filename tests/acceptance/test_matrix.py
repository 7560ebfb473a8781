"""The table of states and of who hangs up first, on both switches: all that one can be brought to (feature 4.3)."""

import re
from collections import Counter

import pytest

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import dial_events as d
from orchestrator.domain.contacts import guest_events as g
from orchestrator.domain.contacts import monitor_events as m
from orchestrator.domain.contacts import outward_events as o
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.kernel import Event
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import ELSEWHERE, OUTSIDE, House
from tests.contract.driver import Behaviour, Caller, PhoneEnd
from tests.lab.patience import until
from tests.matrix import OF_THE_NETWORK, PLAYED, Row

pytestmark = pytest.mark.slow
_APART = ("guest_held", "aside")
_ROOMS = ("inviting", "conference", *_APART)
_WITH_FOUR = ("conference", *_APART)
_ROOMS_OUT = ("inviting_out", "guest_out")
_CONSULTS_OUT = ("asking_out", "consulting_out", "turn_out", "together_out")
_CONSULTS = ("asking", "consulting", "to_and_fro", "together", *_ROOMS)
_CONSULTATIONS = (*_CONSULTS, *_CONSULTS_OUT, *_ROOMS_OUT)
_DIALLED = ("dialling", "calling", "dialled")
_NUMBER_RINGS = ("asking_out", "inviting_out", "passed_out", "calling_back", "calling")
_NUMBER_ANSWERS = ("consulting_out", "turn_out", "together_out", "guest_out", "talking_out", "dialled")
_RINGING = re.compile(r"(?m)^Channel-Call-State: RINGING$")
_KINDS: dict[str, type[Event]] = {
    "ended": c.ContactEnded,
    "waits": c.OfferClosed,
    "promised": c.OfferClosed,
    "offered": c.OfferMade,
    "agent": e.ContactRejoined,
    "colleague": c.ContactConnected,
    "music": g.GuestPromoted,
    "number": o.OutsideConnected,
}


def _kind(row: Row) -> type[Event]:
    """What the log says once the caller is there."""
    if row.state == "guest_held" and row.becomes == "agent":
        return e.ConsultJoined  # whoever was on hold is who is asked, and hears music on
    if row.becomes == "room":
        return g.GuestPromoted if row.who == "colleague" else g.GuestClosed
    if row.who == "supervisor" and row.becomes == "agent":
        return m.MonitorClosed
    if row.state == "asking_out" and row.becomes == "offered":
        return o.OutsideDialled
    if row.who == "number" and row.becomes in ("waits", "promised"):
        return o.OutsideMissed if row.becomes == "waits" else o.CallbackMissed
    return _KINDS[row.becomes]


class Day:
    """One house in which row after row is played. Counts are of this house's log so far."""

    def __init__(self, house: House, third: Behaviour, number: Behaviour | None = None) -> None:
        """`third`, `number`: what the third agent's phone does, and the one outside, where there is one."""
        self.house = house
        self.number = house.driver.number_at_phone(ELSEWHERE, answers=number == "answers") if number else None
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
        first = "803" if state in ("ringing", "dialling") else "801"
        if state != "waiting":
            house.sign_in(first)
        ends: dict[str, Caller | PhoneEnd] = {"agent": self.phones[first]}
        if self.number is not None:
            ends["number"] = self.number
        if state in _DIALLED:
            return ends, self._dial(state, first)
        calls = len(house.ledger.all(c.ContactQueued))
        if state == "calling_back":
            return ends, self._call_back()
        ends["caller"] = house.driver.call()
        house.ledger.await_event(c.ContactQueued, count=calls + 1)
        legs = {"caller": house.ledger.all(c.ContactArrived)[-1].leg}
        if state == "waiting":
            return ends, legs
        legs["agent"] = self._offered()
        if state == "ringing":
            self._rings(legs["agent"])
            return ends, legs
        until(lambda: house.agent("801")["state"] == "talking", "the two to talk")
        self._press_like_people()
        if state == "held":
            house.driver.let_hear(500)
            self._next(c.ContactHeld, inputs.Hold(agent="801"))
        if state in _CONSULTS or state == "passed_on" or state in _ROOMS_OUT:
            ends["colleague"], legs["colleague"] = self._colleague(state)
        if state in _ROOMS:
            ends["guest"], legs["guest"] = self._guest(state)
        if state in _CONSULTS_OUT or state in _ROOMS_OUT:
            legs["number"] = self._ask_number(state)
        if state in ("passed_out", "talking_out"):
            legs["number"] = self._pass_outside(state)
        if state in ("parked", "retrieving"):
            ends["agent"], legs["agent"] = self._park(state)
        if state in ("listened", "whispered", "barged", "taken_over"):
            ends["supervisor"], legs["supervisor"] = self._monitor(state)
        return ends, legs

    def _press_like_people(self) -> None:
        """Nobody presses within milliseconds; a real switch may drop a leg that is moved while it is being joined."""
        if self.house.driver.has_sound:
            self.house.driver.let_hear(150)

    def _park(self, state: str) -> tuple[PhoneEnd, str]:
        """Park the caller, and let the third agent fetch them, whose phone rings; that phone, and its leg."""
        house = self.house
        self._next(c.CallerParked, inputs.Park(agent="801", place=1))
        if state == "parked":
            return self.phones["801"], ""
        house.sign_in("803")
        self._next(c.OfferMade, inputs.Retrieve(agent="803", place=1))
        leg = self._offered()
        self._rings(leg)
        return self.phones["803"], leg

    def _monitor(self, state: str) -> tuple[PhoneEnd, str]:
        """A supervisor hears the talk, or has it; their phone, and its leg."""
        house = self.house
        mode = {"whispered": "whisper", "barged": "barge"}.get(state, "listen")
        contact = house.ledger.contacts()[-1]
        house.do(inputs.SignIn(agent="802"))
        self._next(m.MonitorBegun, inputs.Monitor(agent="802", contact=contact, mode=mode, reason="coaching"))
        if state == "taken_over":
            self._next(c.ContactConnected, inputs.TakeOverCall(agent="802", about=contact, reason="complaint"))
        return self.phones["802"], house.ledger.all(m.MonitorAsked)[-1].reservation.leg

    def _ask_number(self, state: str) -> str:
        """A number outside is consulted, or invited; its leg."""
        if state in _ROOMS_OUT:
            invite = inputs.Invite(agent="801", to_number=ELSEWHERE)
            self._next(g.GuestInvited if state == "inviting_out" else g.GuestJoined, invite)
            leg = self.house.ledger.all(g.GuestInvited)[-1].leg
        else:
            consult = inputs.Consult(agent="801", to_number=ELSEWHERE)
            self._next(e.ConsultAsked if state == "asking_out" else e.ConsultJoined, consult)
            leg = self.house.ledger.all(e.ConsultAsked)[-1].leg
        if state in _NUMBER_RINGS:
            self._rings(leg)
        if state == "turn_out":
            self._next(e.ConsultJoined, inputs.SwitchConsult(agent="801"))
        if state == "together_out":
            self._next(e.ConsultJoined, inputs.Confer(agent="801"))
        return leg

    def _pass_outside(self, state: str) -> str:
        kind = o.OutsideDialled if state == "passed_out" else o.OutsideConnected
        self._next(kind, inputs.Transfer(agent="801", to_number=ELSEWHERE))
        leg = self.house.ledger.all(o.OutsideDialled)[-1].leg
        if state == "passed_out":
            self._rings(leg)
        return leg

    def _call_back(self) -> dict[str, str]:
        """A caller who asked for it is called back, while nobody waits: the agent's leg, and the one that rings."""
        house = self.house
        house.do(inputs.Pause(agent="801", reason="break"))
        calls = len(house.ledger.all(c.ContactQueued))
        caller = house.driver.call(number=ELSEWHERE)
        house.ledger.await_event(c.ContactQueued, count=calls + 1)
        self._next(o.CallbackAsked, inputs.AskCallback(contact_id=house.ledger.contacts()[-1]))
        closed = len(house.ledger.all(c.LegClosed))
        caller.hang_up()
        house.ledger.await_event(c.LegClosed, count=closed + 1)
        self._next(o.CallbackDialled, inputs.Ready(agent="801"))
        number = house.ledger.all(o.CallbackDialled)[-1].leg
        self._rings(number)
        return {"agent": house.ledger.all(c.OfferAccepted)[-1].leg, "number": number}

    def _dial(self, state: str, first: str) -> dict[str, str]:
        """An agent dials: the own phone rings, then the number."""
        house = self.house
        kinds: dict[str, type[Event]] = {"dialling": d.ContactDialled, "calling": d.NumberDialled}
        self._next(kinds.get(state, c.ContactConnected), inputs.Dial(agent=first, number=ELSEWHERE))
        (reservation,) = house.ledger.all(c.OfferMade)[-1].reservations
        legs = {"agent": reservation.leg}
        if state == "dialling":
            self._rings(reservation.leg)
            return legs
        legs["number"] = house.ledger.all(d.NumberDialled)[-1].leg
        if state == "calling":
            self._rings(legs["number"])
        return legs

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
        self._press_like_people()
        if state == "to_and_fro":
            self._next(e.ConsultJoined, inputs.SwitchConsult(agent="801"))
        if state in ("together", *_ROOMS, *_ROOMS_OUT):
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

    def _next(self, kind: type[Event], wish: inputs.DeskCommand) -> None:
        """Ask for it, and wait until this happened once more."""
        before = len(self.house.ledger.all(kind))
        self.house.do(wish)
        self.house.ledger.await_event(kind, count=before + 1)


_BESIDE = ("parked", "retrieving", "listened", "whispered", "barged", "taken_over", "dialling")
_OTHERS = (*_WITH_FOUR, *_NUMBER_RINGS, *_NUMBER_ANSWERS, *_BESIDE)
_WITH_RINGING = tuple(row for row in PLAYED if row.state not in _OTHERS)
_GATHERED = tuple(row for row in PLAYED if row.state in _WITH_FOUR)


@pytest.mark.parametrize("half", (0, 1))
def test_whoever_hangs_up_first_the_caller_is_where_the_table_says(house: House, half: int) -> None:
    """Complaints 13, 14: row after row by whoever hangs up, and once more by each cause with which the network ends
    a leg.
    """
    _play(house, Day(house, "rings"), _WITH_RINGING[half::2])


@pytest.mark.parametrize("half", (0, 1))
def test_whoever_leaves_a_conference_takes_nobody_along(house: House, half: int) -> None:
    """Feature 4.3: the same of a room of four, of which one may be on hold, or alone with the agent."""
    _play(house, Day(house, "answers"), _GATHERED[half::2])


@pytest.mark.parametrize(("number", "states"), (("rings", _NUMBER_RINGS), ("answers", _NUMBER_ANSWERS)))
def test_whoever_hangs_up_where_a_number_outside_is_called_leaves_the_caller_where_the_table_says(
    build: Build, number: Behaviour, states: tuple[str, ...]
) -> None:
    """Features 1.2, 3.10, 4.3: consulted, invited, passed on to, called back, dialled."""
    house = build()
    house.apply(house.configuration + OUTSIDE.format(ring_s=60))
    house.open()
    _play(house, Day(house, "answers", number), tuple(row for row in PLAYED if row.state in states))


def test_whoever_hangs_up_where_somebody_parks_listens_or_dials_leaves_the_caller_where_the_table_says(
    build: Build,
) -> None:
    """Features 1.2, 4.4, 8.3; complaints 13, 14."""
    house = build()
    house.apply(house.configuration + OUTSIDE.format(ring_s=60))
    house.open()
    _play(house, Day(house, "rings"), tuple(row for row in PLAYED if row.state in _BESIDE))


def _play(house: House, day: Day, rows: tuple[Row, ...]) -> None:
    """Each row by whoever hangs up; and by the network: by every cause on a real switch, in turn on a simulated one,
    which tells whatever cause it is told.
    """
    played: Counter[str] = Counter()
    for number, row in enumerate(rows):
        several = OF_THE_NETWORK if house.driver.has_sound else (OF_THE_NETWORK[number % len(OF_THE_NETWORK)],)
        for cause in ("", *several):
            day.play(row, cause)
            played[row.state] += 1
    queued = sum(times for state, times in played.items() if state not in _DIALLED)
    report = house.close_day(contacts=queued)
    assert report.counts.consults == sum(played[state] for state in _CONSULTATIONS)
    assert report.counts.dialled == sum(played[state] for state in _DIALLED)
