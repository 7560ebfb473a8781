"""What the switch can do to one leg, and what it says when it does: the words in which everything else is written."""

from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Final

from freeswitch.simulator import causes
from freeswitch.simulator.bus import Bus, Header, Headers
from freeswitch.simulator.channel import Channel, Registry
from freeswitch.simulator.options import Options
from freeswitch.simulator.people import Phone
from freeswitch.simulator.sip import hangup_variables, media_variables
from freeswitch.simulator.timeline import MILLISECOND, Steps, Thread, Timeline
from freeswitch.simulator.trunk import Trunk

_BRIEF: Final = frozenset(
    {"CHANNEL_STATE", "CHANNEL_CALLSTATE", "CHANNEL_OUTGOING", "CODEC", "DTMF", "PRIVATE_COMMAND"}
)
"""Events without a leg's variables (switch_channel_event_set_basic_data), unless the switch shuts down."""


@dataclass(slots=True)
class Counts:
    """What HEARTBEAT and `status` say of the past."""

    started: int = 0
    sessions: int = 0
    peak: int = 0


@dataclass(slots=True)
class Switch:
    """The running switch: its legs, its phones, its variables, its voice."""

    options: Options
    timeline: Timeline
    random: Random
    bus: Bus
    registry: Registry = field(default_factory=Registry)
    phones: dict[str, Phone] = field(default_factory=dict)
    trunk: Trunk = field(default_factory=Trunk)
    """Calls that come from other switches, and those that go there."""
    outsiders: dict[str, Phone] = field(default_factory=dict)
    """What numbers outside do with a call; one that is not here answers, and talks for a while."""
    watched: dict[str, Channel] = field(default_factory=dict)
    """Callers who wait for something to happen to an agent's leg."""
    globals: dict[str, str] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    refuse_originates: tuple[int, str] = (0, "")
    """How many originates are still to be refused, and with which cause."""
    departed: deque[tuple[int, Channel]] = field(default_factory=deque)
    """Legs that are gone, and until when `show channels` has not noticed."""
    stopping: bool = False
    """Whether the switch has been told to shut down."""
    lose_jobs: int = 0
    """How many BACKGROUND_JOBs are still to be lost."""

    @property
    def now(self) -> int:
        return self.timeline.now

    @property
    def legs(self) -> dict[str, Channel]:
        return self.registry.legs

    def new_uuid(self) -> str:
        bits = f"{self.random.getrandbits(128):032x}"
        return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{'89ab'[int(bits[16], 16) & 3]}{bits[17:20]}-{bits[20:]}"

    # --- news ----------------------------------------------------------------------------------------------------

    def wanted(self, name: str) -> bool:
        return self.bus.interest is None or name in self.bus.interest

    def tell(
        self,
        leg: Channel,
        name: str,
        *,
        first: Headers | None = None,
        last: Headers | None = None,
        subclass: str = "",
    ) -> None:
        """Fire an event of this leg as it is now, with headers of its own before or after the leg's."""
        if not self.wanted(name):
            self.bus.burn()
            return
        headers = leg.snapshot(variables=self.stopping or name not in _BRIEF)
        if leg.cause:
            headers = {"Hangup-Cause": leg.cause, **headers}
        if first:
            headers = {**first, **headers}
        if last:
            headers.update(last)
        self.bus.emit(name, headers, subclass=subclass, lane=leg.uuid)

    def presence(self, leg: Channel) -> None:
        """Tell subscribers of the agent's phone about it; where presence is off the number is burnt all the same."""
        if leg.inbound:
            return
        if self.options.presence:
            first: Headers = {"proto": "any", "from": leg.get("presence_id"), "status": leg.running}
            self.tell(leg, "PRESENCE_IN", first=first)
        else:
            self.bus.burn()

    # --- states --------------------------------------------------------------------------------------------------

    def enter(self, leg: Channel, state: str) -> None:
        """The leg's thread arrives at a state and says so."""
        leg.arrive(state)
        self.tell(leg, "CHANNEL_STATE")

    def callstate(self, leg: Channel, state: str) -> None:
        """Change what the call looks like from outside (RINGING, ACTIVE, HELD …), and say so if it is a change."""
        if leg.callstate == state:
            return
        before, leg.callstate = leg.callstate, state
        leg.headers["Channel-Call-State"] = state
        self.tell(leg, "CHANNEL_CALLSTATE", first={"Original-Channel-Call-State": before})

    def codecs(self, leg: Channel) -> None:
        """The two sides agreed on how to talk."""
        leg.media = True
        media_variables(leg, self.random)
        codec = "PCMA"
        for direction in ("Read", "Write"):
            self.tell(leg, "CODEC")
            leg.headers[f"Channel-{direction}-Codec-Name"] = codec
            leg.headers[f"Channel-{direction}-Codec-Rate"] = "8000"
            leg.headers[f"Channel-{direction}-Codec-Bit-Rate"] = "64000"

    def ring(self, leg: Channel) -> None:
        """The far phone rings."""
        leg.headers["Caller-Channel-Progress-Time"] = str(self.now)
        self.tell(leg, "CHANNEL_PROGRESS")
        self.callstate(leg, "RINGING")
        owner = self.legs.get(leg.partner)
        if owner is not None and owner.party is not None:
            owner.party.heard_ringing(owner)

    def pre_answer(self, leg: Channel) -> None:
        """Early media: the caller hears something before the call is answered."""
        if leg.early or leg.answered or not leg.up:
            return
        if not leg.media:
            self.codecs(leg)
        leg.early = True
        leg.headers["Answer-State"] = "early"
        leg.headers["Caller-Channel-Progress-Media-Time"] = str(self.now)
        self.tell(leg, "CHANNEL_PROGRESS_MEDIA")
        self.callstate(leg, "EARLY")

    def answer(self, leg: Channel) -> None:
        """The call is answered, once."""
        if leg.answered or not leg.up:
            return
        if not leg.media:
            if leg.inbound and self.options.late_negotiation:
                self.pre_answer(leg)
            else:
                self.codecs(leg)
        leg.answered_at = self.now
        leg.headers["Answer-State"] = "answered"
        leg.headers["Caller-Channel-Answered-Time"] = str(self.now)
        leg.set("endpoint_disposition", "ANSWER")
        self.tell(leg, "CHANNEL_ANSWER")
        self.presence(leg)
        self.callstate(leg, "ACTIVE")
        if leg.party is not None:
            leg.party.answered(leg)

    def hangup(self, leg: Channel, cause: str, *, sip: int = 0, phrase: str = "", by: str = "") -> None:
        """End a leg. `sip` is the far end's final answer where it refused; `by` is who did it, in mod_sofia's words."""
        if not leg.up:
            return
        if leg.held:
            leg.left_while_holding = True
            self.unmark_hold(leg)
            self.tell(leg, "CHANNEL_UNHOLD")
        leg.cause = causes.cause(cause)
        leg.state = "CS_HANGUP"
        leg.headers["Channel-State-Number"] = "10"
        leg.headers["Answer-State"] = "hangup"
        leg.headers["Caller-Channel-Hangup-Time"] = str(self.now)
        if sip:
            leg.set("sip_invite_failure_status", str(sip))
            leg.set("sip_invite_failure_phrase", phrase)
            leg.set("sip_term_status", str(sip))
            leg.set("proto_specific_hangup_cause", f"sip:{sip}")
            leg.set("sip_term_cause", str(causes.q850(leg.cause) if leg.cause in causes.Q850 else sip))
        self.tell(leg, "CHANNEL_HANGUP")
        if by.startswith("recv_"):
            leg.set("sip_hangup_disposition", by)  # mod_sofia notes it only after that was told
        leg.wake()
        partner = self.legs.get(leg.partner)
        if partner is not None:
            partner.wake()
        if leg.party is not None:
            leg.party.ended(leg)

    @staticmethod
    def take_leave(leg: Channel) -> None:
        """The leg's own thread tells the far end that the call has ended, where it does not know yet."""
        if not leg.get("sip_hangup_disposition"):
            unanswered = "send_refuse" if leg.inbound else "send_cancel"
            leg.set("sip_hangup_disposition", "send_bye" if leg.answered else unanswered)

    def unmark_hold(self, leg: Channel) -> None:
        """The leg holds nobody any more."""
        leg.held = False
        leg.hold_total += self.now - leg.held_at
        leg.headers["Caller-Channel-Hold-Accum"] = str(leg.hold_total)
        self.callstate(leg, "UNHELD")

    def flip(self, leg: Channel) -> None:
        """A called leg becomes a calling one: whom it called turns into who calls (switch_channel_flip_cid)."""
        for what in ("Name", "Number"):
            caller, callee = leg.caller(f"Caller-ID-{what}"), leg.caller(f"Callee-ID-{what}")
            leg.show(f"Caller-ID-{what}", callee)
            leg.show(f"Callee-ID-{what}", caller)
            leg.set(f"pre_transfer_caller_id_{what.lower()}", caller)
        leg.set("channel_cid_flipped", "yes")
        self.tell(leg, "CALL_UPDATE", first={"Direction": "RECV"})

    def report(self, leg: Channel) -> None:
        """The last word on a leg."""
        hangup_variables(leg, self.now)
        self.tell(leg, "CHANNEL_HANGUP_COMPLETE")

    def destroy(self, leg: Channel) -> None:
        """The leg is no more."""
        leg.go("CS_DESTROY")
        self.tell(leg, "CHANNEL_DESTROY")
        self.enter(leg, "CS_DESTROY")
        self.legs.pop(leg.uuid, None)
        self.bus.forget(leg.uuid)
        while self.departed and self.departed[0][0] < self.now - self.options.show_lag_ms * MILLISECOND:
            self.departed.popleft()
        self.departed.append((self.now + self.random.randrange(self.options.show_lag_ms + 1) * MILLISECOND, leg))

    # --- threads -------------------------------------------------------------------------------------------------

    def adopt(self, leg: Channel, life: Steps[None], *, delay: int = 0) -> None:
        """Give a new leg its thread and a place among the others."""
        self.counts.sessions += 1
        self.legs[leg.uuid] = leg
        self.counts.peak = max(self.counts.peak, len(self.legs))
        leg.set("session_id", str(self.counts.sessions))
        tick = self.options.tick_ms * MILLISECOND
        leg.thread = Thread(self.timeline, life, tick=tick, phase=self.random.randrange(tick))
        leg.thread.start(delay)

    def spawn(self, steps: Steps[None], *, delay: int = 0) -> Thread:
        """A thread that belongs to no leg."""
        tick = self.options.tick_ms * MILLISECOND
        thread = Thread(self.timeline, steps, tick=tick, phase=self.random.randrange(tick))
        thread.start(delay)
        return thread

    def partner(self, leg: Channel) -> Channel | None:
        """The leg at the other end of its bridge, if commands still reach it."""
        return self.registry.locate(leg.partner) if leg.partner else None

    def variable(self, leg: Channel, name: str) -> str:
        """A channel variable, or the global one of that name."""
        return leg.get(name) or self.globals.get(name, "")


def text(value: Header) -> str:
    """A header as one string: arrays as the plain format writes them."""
    return value if isinstance(value, str) else "ARRAY::" + "|:".join(value)
