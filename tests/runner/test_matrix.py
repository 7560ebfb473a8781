"""The whole table of states, of who hangs up first, and of causes, played (features 4.3, 12.5; complaints 13, 14)."""

from collections.abc import Callable

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.consults import CONSULTED, TOGETHER
from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.contacts.guests import are_together
from orchestrator.domain.contacts.monitors import BARGE, LISTEN, WHISPER
from orchestrator.domain.contacts.parks import PARKED
from orchestrator.domain.contacts.transfers import PHONE_LOST, TRANSFER
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.causes import WITH_THE_SWITCH
from orchestrator.domain.switch.instructions import ConferLeg, DialOutside, RingAgent
from orchestrator.runner import inputs as i
from tests.matrix import CAUSES, LOST, ROWS, Row
from tests.runner.scene import NODE, Scene

OTHER = "sw2"
NUMBER = "+8675500000001"
_PHONES = {"agent": "1001", "colleague": "1002", "guest": "1003", "supervisor": "1002"}
_GATHERED = ("inviting", "conference", "guest_held", "aside", "coming_in", "aside_coming")
_ROOMS = ("joining", "together", *_GATHERED)
_CONSULTS = ("asking", "consulting", "to_and_fro", *_ROOMS)
_CONSULTS_OUT = ("asking_out", "consulting_out", "turn_out", "joining_out", "together_out", "inviting_out", "guest_out")
_PARKS = ("parked", "retrieving")
_MONITORED = ("listened", "whispered", "barged", "taking_over", "taken_over")
_OUTSIDE = ("passed_out", "talking_out")
_DIALLED = ("dialling", "calling", "dialled")
# With a callback nobody is on the line: it outlives whoever hangs up, and the switch.
_STATES = [state for state in dict.fromkeys(row.state for row in ROWS) if state != "calling_back"]


class Play:
    """A call in one of the states. `legs`: of whoever the table names, as far as they are there."""

    def __init__(self, state: str, away: tuple[str, ...] = ()) -> None:
        """`away`: whose phones are on another switch than the caller."""
        self.scene = scene = Scene(agents=4)
        if away:
            there = {_PHONES[who]: True for who in away}
            scene.snapshot(phones={extension: extension not in there for extension in _PHONES.values()})
            scene.connect("core-2", phones=there, node=OTHER)
        scene.configure({"outside-main": OutsideConfigured(allowed=("+86",), ring_ms=120_000)})
        self.legs: dict[str, str] = {}
        self._room, self._on_the_way = "", tuple[str, ...]()
        if state == "waiting":
            self.legs["caller"] = scene.park()
            return
        scene.ready(1)
        if state in _DIALLED:
            self._dial(state)
            return
        if state == "calling_back":
            self._call_back()
            return
        if state == "ringing":
            self.legs["caller"] = scene.park()
            ring = scene.ring_of(self.legs["caller"])
            scene.ringing(ring)
        else:
            self.legs["caller"], ring = scene.talk(1)
        self.legs["agent"] = ring.leg
        if state == "held":
            scene.wait(1_000)
            scene.give(i.Hold(agent="1001"))
            scene.give(facts.LegHeld(node=NODE, leg=ring.leg))
        if state in _CONSULTS:
            self._consult(state)
        if state in _CONSULTS_OUT:
            self._consult_outside(state)
        if state in _PARKS:
            self._park(state)
        if state in _MONITORED:
            self._monitor(state)
        if state in _OUTSIDE:
            self._pass_outside(state)
        if state == "passed_on":
            scene.ready(2)
            scene.give(i.Transfer(agent="1001", to_agent="1002"))
            second = scene.ring_of(self.legs["caller"])
            scene.ringing(second)
            scene.hang_up(ring.leg)
            self.legs["colleague"] = second.leg

    def _consult(self, state: str) -> None:
        scene = self.scene
        scene.ready(2)
        scene.give(i.Consult(agent="1001", to_agent="1002"))
        asked = scene.instructions(RingAgent)[-1]
        scene.ringing(asked)
        caller, agent, colleague = self.legs["caller"], self.legs["agent"], asked.leg
        self.legs["colleague"] = colleague
        if state == "asking":
            return
        scene.answer(asked)
        self._joined(agent, colleague)
        if state == "to_and_fro":
            scene.give(i.SwitchConsult(agent="1001"))
            self._joined(caller, agent)
        if state in _ROOMS:
            scene.give(i.Confer(agent="1001"))
            room = self._room = scene.instructions(ConferLeg)[-1].room
            for leg in (caller, agent, colleague)[: 2 if state == "joining" else 3]:
                scene.give(facts.ConferenceChanged(node=NODE, leg=leg, conference=room, action="add-member"))
            if state in _GATHERED:
                self._invite(room, comes=state != "inviting")
            if state == "guest_held":
                scene.give(i.HoldMember(agent="1001", to_agent="1003"))
                scene.give(facts.LegParked(node=NODE, leg=self.legs["guest"]))
            if state == "aside_coming":
                self._one_more_comes()
            if state in ("aside", "coming_in", "aside_coming"):
                scene.give(i.SpeakAlone(agent="1001", to_agent="1003"))
                self._joined(agent, self.legs["guest"])
            if state == "coming_in":
                scene.give(i.RecallMember(agent="1001", to_agent="1003"))
                self._on_the_way = (agent, self.legs["guest"])
            if state == "aside_coming":
                scene.give(i.RecallMember(agent="1001", to_agent="1004"))

    def _invite(self, room: str, *, comes: bool) -> None:
        scene = self.scene
        scene.ready(3)
        scene.give(i.Invite(agent="1001", to_agent="1003"))
        rung = scene.instructions(RingAgent)[-1]
        scene.ringing(rung)
        self.legs["guest"] = rung.leg
        if comes:
            scene.answer(rung)
            scene.give(facts.ConferenceChanged(node=NODE, leg=rung.leg, conference=room, action="add-member"))

    def _one_more_comes(self) -> None:
        """A fourth agent is in the room, and put on hold, to be brought back."""
        scene = self.scene
        scene.ready(4)
        scene.give(i.Invite(agent="1001", to_agent="1004"))
        rung = scene.instructions(RingAgent)[-1]
        scene.answer(rung)
        scene.give(facts.ConferenceChanged(node=NODE, leg=rung.leg, conference=self._room, action="add-member"))
        scene.give(i.HoldMember(agent="1001", to_agent="1004"))
        scene.give(facts.LegParked(node=NODE, leg=rung.leg))
        self.legs["fourth"] = rung.leg
        self._on_the_way = (rung.leg,)

    def _park(self, state: str) -> None:
        scene, caller = self.scene, self.legs["caller"]
        scene.give(i.Park(agent="1001", place=1))
        scene.give(facts.LegParked(node=NODE, leg=caller, inbound=True))
        scene.hang_up(self.legs.pop("agent"))
        if state == "retrieving":
            scene.give(i.Retrieve(agent="1001", place=1))
            ring = scene.ring_of(caller)
            scene.ringing(ring)
            self.legs["agent"] = ring.leg

    def _monitor(self, state: str) -> None:
        scene, caller = self.scene, self.legs["caller"]
        mode = {"whispered": WHISPER, "barged": BARGE}.get(state, LISTEN)
        scene.give(i.SignIn(agent="1002"))
        scene.give(i.Monitor(agent="1002", contact=scene.live(caller).contact_id, mode=mode, reason="coaching"))
        own = scene.instructions(RingAgent)[-1]
        scene.ringing(own)
        scene.answer(own)
        scene.give(facts.EavesdropSet(node=NODE, leg=own.leg, mode=mode))
        self.legs["supervisor"] = own.leg
        if state in ("taking_over", "taken_over"):
            scene.give(i.TakeOverCall(agent="1002", reason="complaint"))
            if state == "taken_over":
                self._joined(caller, own.leg)
                scene.hang_up(self.legs.pop("agent"))

    def _consult_outside(self, state: str) -> None:
        scene, caller, agent = self.scene, self.legs["caller"], self.legs["agent"]
        if state in ("inviting_out", "guest_out"):
            self._consult("together")
            scene.give(i.Invite(agent="1001", to_number=NUMBER))
        else:
            scene.give(i.Consult(agent="1001", to_number=NUMBER))
        number = self._called()
        if state in ("asking_out", "inviting_out"):
            return
        self._number_answers()
        if state == "guest_out":
            self._comes_in(number)
            return
        self._joined(agent, number)
        if state == "turn_out":
            scene.give(i.SwitchConsult(agent="1001"))
            self._joined(caller, agent)
        if state in ("joining_out", "together_out"):
            scene.give(i.Confer(agent="1001"))
            self._room = scene.instructions(ConferLeg)[-1].room
            for leg in (caller, agent, number)[: 2 if state == "joining_out" else 3]:
                self._comes_in(leg)

    def _pass_outside(self, state: str) -> None:
        scene, caller = self.scene, self.legs["caller"]
        scene.give(i.Transfer(agent="1001", to_number=NUMBER))
        scene.give(facts.LegParked(node=NODE, leg=caller, inbound=True))
        scene.hang_up(self.legs.pop("agent"))
        number = self._called()
        if state == "talking_out":
            self._number_answers()
            self._joined(caller, number)

    def _call_back(self) -> None:
        scene = self.scene
        scene.give(i.Pause(agent="1001", reason="break"))
        caller = scene.park()
        scene.give(i.AskCallback(contact_id=scene.live(caller).contact_id))
        scene.wait(2_000)
        scene.hang_up(caller)
        scene.give(i.Ready(agent="1001"))
        self._own_phone()
        self._called()

    def _dial(self, state: str) -> None:
        self.scene.give(i.Dial(agent="1001", number=NUMBER))
        if state == "dialling":
            ring = self.scene.instructions(RingAgent)[-1]
            self.scene.ringing(ring)
            self.legs["agent"] = ring.leg
            return
        self._own_phone()
        number = self._called()
        if state == "dialled":
            self._number_answers()
            self._joined(number, self.legs["agent"])

    def _own_phone(self) -> None:
        """The agent's own phone is picked up before the number is called."""
        ring = self.scene.instructions(RingAgent)[-1]
        self.scene.ringing(ring)
        self.scene.answer(ring)
        self.legs["agent"] = ring.leg

    def _called(self) -> str:
        """The leg to the number outside, which rings."""
        number = self.legs["number"] = self.scene.instructions(DialOutside)[-1].leg
        for kind in (facts.LegCreated, facts.LegRinging):
            self.scene.give(kind(node=NODE, leg=number))
        return number

    def _number_answers(self) -> None:
        for kind in (facts.LegAnswered, facts.LegParked):
            self.scene.give(kind(node=NODE, leg=self.legs["number"]))

    def _comes_in(self, leg: str) -> None:
        self.scene.give(facts.ConferenceChanged(node=NODE, leg=leg, conference=self._room, action="add-member"))

    def _joined(self, leg: str, other: str) -> None:
        self.scene.give(facts.LegBridged(node=NODE, leg=leg, other=other))

    def contact(self) -> Contact | None:
        """The one that there is."""
        return next(iter(self.scene.world.contacts.values()), None)

    def becomes(self) -> str:
        """What becomes of the caller, once the switch has done what it was told."""
        contact = self.contact()
        if contact is None or contact.status == "leaving":
            return "ended"
        if contact.callback is not None:
            return "promised" if contact.status in ("awaiting_callback", "callback_later") else contact.status
        consult = contact.consult
        if consult is not None and not consult.over and (consult.wish or consult.hears) == CONSULTED:
            return "music"
        self._go_on(contact)
        return self._talks_with(self.scene.live(contact.caller_leg))

    def _go_on(self, contact: Contact) -> None:
        """The switch does what it was told last."""
        caller, consult, outside = contact.caller_leg, contact.consult, contact.outside
        if consult is not None and consult.wish == TOGETHER:
            for leg in self._on_the_way:
                self._comes_in(leg)
        elif consult is not None and not are_together(contact):
            self._joined(caller, self.legs["agent"])
        elif outside is not None and outside.answered:
            self._joined(caller, outside.leg)
        elif contact.offer is not None and contact.offer.accepted:
            self._joined(caller, contact.offer.accepted)

    def _talks_with(self, contact: Contact) -> str:
        segment, outside = contact.segment, contact.outside
        if are_together(contact) and segment is not None and segment.agent_id == "a1":
            return "room"
        if segment is not None:
            other = "supervisor" if "supervisor" in self.legs else "colleague"
            return {"a1": "agent", "a2": other}[segment.agent_id]
        if outside is not None:
            return "number" if contact.status == "talking_outside" else "offered"
        rung = contact.offer.reservations if contact.offer is not None else ()
        return "offered" if any(held.leg in self.legs.values() for held in rung) else "waits"


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.state}-{row.who}")
def test_whoever_hangs_up_first_the_caller_is_where_the_table_says(row: Row, cause: str) -> None:
    play = Play(row.state)
    play.scene.hang_up(play.legs[row.who], cause)
    assert play.becomes() == row.becomes


@pytest.mark.parametrize("state", _STATES)
def test_all_hang_up_in_the_same_tick_and_the_contact_ends_once_whatever_the_order(state: str) -> None:
    """Complaint 13: both ends in the same tick."""
    for first in Play(state).legs:
        play = Play(state)
        others = [leg for who, leg in play.legs.items() if who != first]
        for leg in (play.legs[first], *others):
            play.scene.hang_up(leg)
        assert play.contact() is None
        assert len(play.scene.events(c.ContactEnded)) == 1


@pytest.mark.parametrize("state", _STATES)
def test_with_the_whole_switch_everything_ends(state: str) -> None:
    """Feature 12.5: its contacts are closed with their cause."""
    play = Play(state)
    play.scene.disconnect()
    play.scene.connect(core="core-2")
    (ended,) = play.scene.events(c.ContactEnded)
    assert ended.reason == "switch_lost"


@pytest.mark.parametrize("state", _STATES)
def test_with_a_switch_that_is_silent_for_too_long_everything_ends(state: str) -> None:
    """Feature 12.5: the same as with one that was restarted."""
    play = Play(state)
    play.scene.disconnect()
    play.scene.wait(60_000)
    (ended,) = play.scene.events(c.ContactEnded)
    # Where nobody is called before the own phone is picked up, that one's time is over first.
    assert ended.reason == ("dial_failed" if state == "dialling" else "switch_lost")


@pytest.mark.parametrize("state", _STATES)
def test_whom_a_switch_that_shuts_down_hangs_up_on_has_not_given_up(state: str) -> None:
    """Feature 12.5: it says so first, and then hangs up on everybody, agents before their callers."""
    play = Play(state)
    play.scene.give(facts.SwitchStopping(node=NODE))
    for leg in reversed(play.legs.values()):
        play.scene.hang_up(leg, "SYSTEM_SHUTDOWN")
    (ended,) = play.scene.events(c.ContactEnded)
    assert ended.reason == "switch_lost"
    left = {event.outcome for event in play.scene.events(c.QueueVisitEnded)}
    assert left <= {"switch_lost", "answered", "moved", "transferred"}
    assert not play.scene.events(s.AgentStoodDown)
    play.scene.disconnect()
    play.scene.connect(core="core-2")
    assert play.scene.world.in_step(NODE)
    assert len(play.scene.events(c.ContactEnded)) == 1


# --- phones of another switch ----------------------------------------------------------------------------------------
def _is_restarted(scene: Scene) -> None:
    scene.disconnect(OTHER)
    scene.connect("core-3", phones={}, node=OTHER)


def _shuts_down(scene: Scene) -> None:
    scene.give(facts.SwitchStopping(node=OTHER))


def _is_silent(scene: Scene) -> None:
    scene.disconnect(OTHER)
    scene.wait(60_000)


def _is_lost(scene: Scene) -> None:
    scene.disconnect(OTHER)


# A minute is longer than anybody is waited for.
_SHORTER = ("asking", "joining", "joining_out", "coming_in", "taking_over")
_LOSSES = [
    pytest.param(row, how, id=f"{row.state}-{row.who}-{how.__name__}")
    for row in LOST
    for how in (_is_restarted, _shuts_down, _is_silent, _is_lost)
    if how is not _is_silent or row.state not in _SHORTER
]


@pytest.mark.parametrize(("row", "how"), _LOSSES)
def test_whose_phone_is_lost_with_its_switch_the_caller_is_where_the_table_says(
    row: Row, how: Callable[[Scene], None]
) -> None:
    """Issues 5 and 6: no caller is dropped, and nobody is said to have hung up. The near halves end as SIP has it."""
    away = (row.who,) if row.who != "all" else tuple(_PHONES)
    play = Play(row.state, away)
    scene, waited = play.scene, len(play.scene.events(c.ContactQueued))
    lost = [leg for who, leg in play.legs.items() if who in away]
    how(scene)
    for leg in lost:
        contact = play.contact()
        if contact is not None and leg in contact.legs:
            scene.give(facts.LegHungUp(node=NODE, leg=leg, cause="NORMAL_CLEARING", by_far_end=True))
    assert play.becomes() == row.becomes
    assert not scene.events(c.ContactEnded)
    assert not scene.events(s.AgentStoodDown)
    assert {event.ended_by for event in scene.events(c.AgentSegmentEnded)} <= {PHONE_LOST, TRANSFER, PARKED}
    if row.state in ("talking", "held"):
        (ended,) = scene.events(c.AgentSegmentEnded)
        assert (ended.ended_by, ended.cause in WITH_THE_SWITCH) == (PHONE_LOST, True)
        assert len(scene.events(c.ContactQueued)) == waited + 1
