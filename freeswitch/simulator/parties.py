"""The people at the far ends, at work: robot phones that answer, callers that lose patience."""

from collections.abc import Callable

from freeswitch.simulator import story
from freeswitch.simulator.causes import OF_SIP
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.people import Caller, Phone
from freeswitch.simulator.timeline import MILLISECOND, Task


class Robot:
    """An agent's phone answering one call as its script says."""

    def __init__(self, switch: Switch, phone: Phone) -> None:
        self._switch = switch
        self._phone = phone
        self._talked: Task | None = None
        self._engaged = False

    def invited(self, leg: Channel) -> None:
        self._tell(leg, "called")
        if self._phone.behaviour != "unreachable":
            self._later(self._switch.options.invite_ms, lambda: self._ring(leg))

    def parked(self, leg: Channel) -> None:
        pass

    def answered(self, leg: Channel) -> None:
        self._tell(leg, "answered")
        contact = leg.get("ringledger_contact")
        if contact:
            tell_caller(self._switch, contact, "agent_answered")

    def bridged(self, leg: Channel) -> None:
        self._tell(leg, "joined")
        talk = self._phone.talk_ms
        if talk is not None and self._talked is None:
            self._talked = self._later(talk, lambda: self._switch.hangup(leg, "NORMAL_CLEARING", by="recv_bye"))

    def held(self, leg: Channel) -> None:
        pass

    def heard_ringing(self, leg: Channel) -> None:
        pass

    def pick_up(self, leg: Channel) -> None:
        """Its user takes the call."""
        if self._engaged:
            self._answer(leg)

    def asked_to_talk(self, leg: Channel) -> None:
        if self._engaged and self._phone.obeys_talk:
            self._later(self._switch.options.invite_ms, lambda: self._answer(leg))

    def ended(self, leg: Channel) -> None:
        story.tell_end(self._switch, leg, "phone", self._phone.extension)
        if self._engaged:
            self._engaged = False
            self._phone.calls -= 1
        if self._talked is not None:
            self._talked.cancel()

    def _tell(self, leg: Channel, word: str) -> None:
        story.tell(self._switch, leg, "phone", self._phone.extension, word)

    def _later(self, delay_ms: int, act: Callable[[], None]) -> Task:
        return self._switch.timeline.after(delay_ms * MILLISECOND, act)

    def _ring(self, leg: Channel) -> None:
        if not leg.up:
            return
        phone = self._phone
        if phone.behaviour == "busy" or phone.calls >= phone.lines:
            self._refuse(leg, 486)
            return
        phone.calls += 1
        self._engaged = True
        if phone.early:
            self._switch.pre_answer(leg)
            leg.wake()
        else:
            self._switch.ring(leg)
        contact = leg.get("ringledger_contact")
        if contact:
            tell_caller(self._switch, contact, "ringing")
        if phone.behaviour == "answer":
            self._later(phone.answer_after_ms, lambda: self._answer(leg))
        elif phone.behaviour == "reject":
            self._later(phone.answer_after_ms, lambda: self._refuse(leg, phone.sip_status or 603))

    def _answer(self, leg: Channel) -> None:
        if leg.up:
            self._switch.answer(leg)
            leg.wake()

    def _refuse(self, leg: Channel, status: int) -> None:
        cause, phrase = OF_SIP.get(status, ("NORMAL_UNSPECIFIED", "Refused"))
        self._switch.hangup(leg, cause, sip=status, phrase=phrase, by="recv_refuse")


class Customer:
    """A caller living its script."""

    def __init__(self, switch: Switch, caller: Caller) -> None:
        self._switch = switch
        self._caller = caller
        self._plan: Task | None = None
        self._talking = False

    def invited(self, leg: Channel) -> None:
        """It dialled: its patience begins."""
        self._tell(leg, "called")
        if self._caller.hang_up_when in {"ringing", "agent_answered"}:
            self._switch.watched[leg.uuid] = leg
        self._wait(leg)

    def parked(self, leg: Channel) -> None:
        if self._talking:
            self._talking = False
            self._wait(leg)
        self.moment(leg, "parked")

    def answered(self, leg: Channel) -> None:
        self._tell(leg, "answered")
        self.moment(leg, "answered")

    def bridged(self, leg: Channel) -> None:
        self._tell(leg, "joined")
        self._talking = True
        if self._plan is not None:
            self._plan.cancel()
        if self._caller.talk_ms is not None:
            self._plan = self._leave_in(leg, self._caller.talk_ms)
        self.moment(leg, "bridged")

    def held(self, leg: Channel) -> None:
        self.moment(leg, "held")

    def asked_to_talk(self, leg: Channel) -> None:
        """Callers are not asked."""

    def heard_ringing(self, leg: Channel) -> None:
        """It hears what we play."""

    def ended(self, leg: Channel) -> None:
        story.tell_end(self._switch, leg, "caller", self._caller.number)
        self._switch.watched.pop(leg.uuid, None)
        if self._plan is not None:
            self._plan.cancel()

    def moment(self, leg: Channel, name: str) -> None:
        """If this is the moment at which it hangs up, it does."""
        if self._caller.hang_up_when == name:
            self._leave_in(leg, self._caller.hang_up_after_ms)

    def _tell(self, leg: Channel, word: str) -> None:
        story.tell(self._switch, leg, "caller", self._caller.number, word)

    def _wait(self, leg: Channel) -> None:
        if self._caller.patience_ms is not None:
            self._plan = self._leave_in(leg, self._caller.patience_ms)

    def _leave_in(self, leg: Channel, delay_ms: int) -> Task:
        return self._switch.timeline.after(delay_ms * MILLISECOND, lambda: leave(self._switch, leg))


def leave(switch: Switch, leg: Channel) -> None:
    """The far end hangs up: a BYE, or a CANCEL where the call was never answered, or 486 where it rings (baresip)."""
    if leg.answered:
        switch.hangup(leg, "NORMAL_CLEARING", by="recv_bye")
    elif leg.inbound:
        switch.hangup(leg, "ORIGINATOR_CANCEL", sip=487, phrase="CANCEL", by="recv_cancel")
    else:
        switch.hangup(leg, "USER_BUSY", sip=486, phrase="Busy Here", by="recv_refuse")


def tell_caller(switch: Switch, contact: str, name: str) -> None:
    """Something happened to an agent's leg of this contact: its caller may have waited for just that."""
    for leg in list(switch.watched.values()):
        if leg.get("ringledger_contact") == contact and isinstance(leg.party, Customer):
            leg.party.moment(leg, name)
