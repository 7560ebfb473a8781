"""A light model of a switch: legs, phones, bridges, and the odd things that a real one does.

Instructions come in, facts go out to every link that listens. What is odd and real: +OK comes before the bridge, and if
the agent's leg dies in between, the caller's goes with it; the caller's death in that window leaves the agent's leg
alone without a word; background commands overtake each other; a hang-up of a leg that is not made yet is refused and
the leg is made all the same; the end of a ring is told twice, by the leg and by its job, in either order.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Protocol

from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant, derived_id
from orchestrator.domain.switch import between, contexts
from orchestrator.domain.switch import facts as f
from orchestrator.domain.switch import instructions as i
from orchestrator.domain.switch.causes import CALL_REJECTED, LOSE_RACE, NOT_PASSED, ORIGINATOR_CANCEL
from tests.simulation.agenda import Agenda
from tests.simulation.outsiders import MANNERS
from tests.simulation.weather import Weather

NODE = "n1"
_SHUT_DOWN = "SYSTEM_SHUTDOWN"
_REFUSALS = {"0": ORIGINATOR_CANCEL, "1": ORIGINATOR_CANCEL, "2": LOSE_RACE}
"""By the last digit of a leg's id: how its phone refuses, where not as most do."""
BEAT = 20 * SECOND
APOLOGY_MS = 4_000
SENTENCE_MS = 7_000
"""How long a place and a wait are spoken."""
# How long after a bridge, and after a hold, a real switch does not look at what is to be played (tests/contract).
NEW_BRIDGE, NEW_HOLD = 200 * MILLISECOND, 150 * MILLISECOND

Reply = Callable[[str], None]
"""Takes the answer of a refused command; "" where it was done."""


class Listener(Protocol):
    """A link that is connected."""

    def hear(self, fact: f.Fact, channel: str) -> None:
        """Take news; the order of one channel is kept."""

    def cut(self, why: str) -> None:
        """The connection is lost."""


@dataclass(slots=True, eq=False)
class Caller:
    """Somebody who calls: how long they wait, how long they talk, and at which moment they may give up."""

    dialled: str
    patience_ms: int
    talk_ms: int
    gives_up_when: str = ""
    """One of queued, rung, answered, joining, bridged; empty for none of these."""
    gives_up_ms: int = 0
    name: str = ""
    number: str = ""


@dataclass(slots=True, eq=False)
class Phone:
    """An agent's phone. `manner` is what it mostly does; whoever it answers puts the others on hold."""

    extension: str
    manner: str = "answers"
    ring_ms: tuple[int, int] = (300, 6_000)
    talks_auto: bool = True
    registered: bool = True
    lines: int = 1
    """Calls at a time; one more finds it busy."""
    calls: int = 0
    """Calls that it has now, from whichever switch."""
    at: str = ""
    """The switch at which it is registered; at all of them where this is empty."""


@dataclass(slots=True, eq=False)
class Leg:
    """One channel."""

    uuid: str
    inbound: bool
    born: int
    caller: Caller | None = None
    phone: Phone | None = None
    contact: str = ""
    offer: str = ""
    job: str = ""
    up: bool = False
    rang: bool = False
    early: bool = False
    """Whether it sent sound before it was answered."""
    parked: bool = False
    silent_since: int = 0
    """Since when the leg hears nothing; 0 while it hears something."""
    context: str = contexts.INBOUND
    dialled: str = ""
    """What a phone dialled by itself."""
    peer: "Leg | None" = None
    joining: "Leg | None" = None
    held: bool = False
    settles_at: int = 0
    """Until when, after a bridge or a hold, the switch does not look at what is to be played."""
    music_queued: bool = False
    """Music of a hold that was begun too soon, or resumed too soon: it begins when it is over."""
    music_over_talk_since: int = 0
    recordings: dict[str, bool] = field(default_factory=dict)
    """The files into which it is recorded, and whether silence is written."""
    numbers_heard: list[tuple[str, bool]] = field(default_factory=list)
    """With which agent's leg an employee number was heard, and whether a recording had begun before it."""
    hears_place: tuple[str, ...] = ()
    """What is being said of the place in the queue, until when, and since when that is heard instead of a talk."""
    place_until: int = 0
    place_over_talk_since: int = 0
    room: str = ""
    """The conference room in which it is."""
    enters: bool = False
    """Whether it was sent into one, and is not there yet."""
    muted: bool = False
    """Whether nobody hears it."""
    stays: bool = False
    """Whether it is parked, instead of hung up, when whoever it talks with leaves."""
    overhears: "Leg | None" = None
    """The agent's leg whose talk it hears, and how it is heard there."""
    heard_as: str = ""
    drowned_since: int = 0
    """Since when a mute of the agent's leg silences it, too, because it was let in before; 0 where none does."""
    first: bool = False
    """Whether it is the first leg of the bridge that is, or was, made with it: the caller's."""
    near: "tuple[Switch, Leg] | None" = None
    """Of a leg to a phone for another switch: that one, and the agent's leg there."""
    far: "tuple[Switch, tuple[Leg, ...]] | None" = None
    """Of an agent's leg that leads to another switch: that one, and its half of it."""
    alive: bool = True
    reply: Reply | None = field(default=None, repr=False)


OfCaller = i.AnswerCaller | i.ClaimCaller | i.PlayNotice | i.PlayWaiting | i.PlayApology


class Switch:
    """The channels of one node. `phones` may be shared with other nodes."""

    def __init__(
        self, agenda: Agenda, dice: Random, weather: Weather, node: str = NODE, phones: dict[str, Phone] | None = None
    ) -> None:
        self.node = node
        self.agenda = agenda
        self.dice = dice
        self.weather = weather
        self.legs: dict[str, Leg] = {}
        self.phones: dict[str, Phone] = phones if phones is not None else {}
        self.listeners: list[Listener] = []
        self.up = True
        self.core = f"{node}-core-1"
        self.starts = 1
        self.calls = 0
        self.others: dict[str, Switch] = {}
        """All switches of the run by their names, with which it shares a trunk."""
        self.drained = False
        self.rung: dict[str, str] = {}
        """Every leg that was made for a phone, and how far it came: made, rang, answered."""
        self.agenda.after(BEAT, self._beat)

    # --- telling -----------------------------------------------------------------------------------------------------
    def tell(self, fact: f.Fact, channel: str) -> None:
        for listener in tuple(self.listeners):
            listener.hear(fact, channel)

    def register(self, extension: str, *, registered: bool) -> None:
        """A phone registers, also again, or is gone; every switch that is up gets to know."""
        self.phones[extension].registered = registered
        if self.phones[extension].at not in ("", self.node):
            return
        if self.up and registered:
            self.tell(f.PhoneRegistered(node=self.node, at=self.agenda.now, extension=extension), f"phone-{extension}")
        elif self.up:
            self.tell(f.PhoneGone(node=self.node, at=self.agenda.now, extension=extension), f"phone-{extension}")

    def has(self, phone: Phone) -> bool:
        """Whether this phone is registered here."""
        return phone.registered and phone.at in ("", self.node)

    def _beat(self) -> None:
        if self.up:
            self.tell(f.Heartbeat(node=self.node, at=self.agenda.now, core=self.core, sessions=len(self.legs)), "")
        self.agenda.after(BEAT, self._beat)

    def _news(self, leg: Leg) -> dict[str, object]:
        return {"node": self.node, "at": self.agenda.now, "leg": leg.uuid, "contact": leg.contact, "offer": leg.offer}

    def _say(self, kind: type[f.LegFact], leg: Leg, **more: object) -> None:
        self.tell(kind(**self._news(leg), **more), leg.uuid)  # type: ignore[arg-type]  # the fields of `kind`

    # --- callers -----------------------------------------------------------------------------------------------------
    def call(self, caller: Caller) -> None:
        """Somebody calls, unless the switch is down; a drained one refuses, and the carrier tries another."""
        if self.drained and self.up:
            others = [other for other in self.others.values() if other.up and not other.drained]
            if others:
                others[0].call(caller)
            return
        if not self.up:
            return
        self.calls += 1
        leg = Leg(derived_id(self.core, "call", self.calls), inbound=True, born=self.agenda.now, caller=caller)
        self.legs[leg.uuid] = leg
        self._say(f.LegCreated, leg, inbound=True)
        self.agenda.soon(1, 8, lambda: self._park(leg))
        self.agenda.after(caller.patience_ms * MILLISECOND, lambda: self._lose_patience(leg))

    def dial_alone(self, phone: Phone, dialled: str = "9") -> None:
        """An agent's phone dials by itself."""
        if not self.up:
            return
        self.calls += 1
        leg = Leg(derived_id(self.core, "call", self.calls), inbound=True, born=self.agenda.now, phone=phone)
        leg.context, leg.dialled = contexts.AGENTS, dialled
        phone.calls += 1
        self.legs[leg.uuid] = leg
        self._say(f.LegCreated, leg, inbound=True)
        self.agenda.soon(1, 8, lambda: self._park(leg))

    def _lose_patience(self, leg: Leg) -> None:
        if leg.alive and leg.peer is None and not leg.room:
            self.hang_up(leg, "ORIGINATOR_CANCEL" if not leg.up else "NORMAL_CLEARING")

    def moment(self, leg: Leg | None, moment: str) -> None:
        """A moment of the call at which its caller may give up."""
        caller = leg.caller if leg is not None and leg.alive else None
        if caller is not None and caller.gives_up_when == moment and leg is not None:
            caller.gives_up_when = ""
            self.agenda.after(caller.gives_up_ms * MILLISECOND, lambda: self.hang_up(leg, "NORMAL_CLEARING"))

    def _park(self, leg: Leg) -> None:
        if not leg.alive or leg.room:
            return
        leg.parked, leg.silent_since = True, self.agenda.now
        caller = leg.caller
        self._say(
            f.LegParked,
            leg,
            inbound=leg.inbound,
            dialled=caller.dialled if caller else leg.dialled,
            caller_number=caller.number if caller else "",
            caller_name=caller.name if caller else "",
            context=leg.context,
            trunk="carrier",
            early=leg.early and not leg.up,
            account=leg.phone.extension if leg.inbound and leg.phone is not None else "",
        )

    # --- the end of a leg --------------------------------------------------------------------------------------------
    def lose(self, leg: Leg, cause: str) -> None:
        """End a leg for any cause of the network: a phone that is lost while it rings is out of reach."""
        if not leg.up and cause in NOT_PASSED:
            self.rung[leg.uuid] = "unreachable"
        self.hang_up(leg, cause)

    def hang_up(self, leg: Leg, cause: str, *, shut_down: bool = False) -> None:
        """End a leg; what hangs on it follows. `shut_down`: by the BYE of another switch, which says that it is."""
        if not leg.alive:
            return
        self._bury(leg)
        del self.legs[leg.uuid]
        for file in tuple(leg.recordings):
            self._end_recording(leg, file)
        self._end_other_half(leg, shut_down=cause == _SHUT_DOWN)
        self._leave_room(leg)
        peer, joining = leg.peer, leg.joining
        leg.peer = leg.joining = None
        if peer is not None:
            peer.peer = None
            self._say(f.LegUnbridged, leg, other=peer.uuid)
            self._after_talk(peer)
        elif joining is not None:
            joining.joining = None
            self._after_window(leg, joining)
        if leg.job and not leg.up and self.dice.random() < 0.5:
            self._end_job(leg, cause)
            self._say(f.LegHungUp, leg, cause=cause, inbound=leg.inbound)
        else:
            self._say(f.LegHungUp, leg, cause=cause, inbound=leg.inbound, shut_down=shut_down)
            if leg.job and not leg.up:
                self._end_job(leg, cause)

    def _bury(self, leg: Leg) -> None:
        leg.alive, leg.overhears = False, None
        for other in self.legs.values():
            if other.overhears is leg:
                other.overhears = None
        if leg.phone is not None and leg.far is None:
            leg.phone.calls -= 1

    # --- the trunk to other switches ---------------------------------------------------------------------------------
    def _over_trunk(self, given: i.RingAgent, reply: Reply) -> None:
        """An agent's leg that leads to another switch, which has the phone."""
        phone, there = self.phones[given.extension], self.others[given.via]
        leg = Leg(given.leg, inbound=False, born=self.agenda.now, phone=phone, job=given.id)
        leg.contact, leg.offer, leg.far = given.contact, given.offer, (there, ())
        self.legs[leg.uuid] = leg
        self.rung[leg.uuid] = "unreachable"
        reply("")
        self._say(f.LegCreated, leg)
        self.moment(next((c for c in self.legs.values() if c.contact == given.contact and c.inbound), None), "rung")
        self.agenda.soon(1, 10, lambda: there.bring(self, leg, given.ring_ms))

    def bring(self, near: "Switch", leg: Leg, ring_ms: int) -> None:
        """Another switch brings a caller to a phone that is registered here."""
        phone = leg.phone
        if not leg.alive or phone is None:
            return
        if not self.up:
            near.hang_up(leg, "NORMAL_TEMPORARY_FAILURE")
            return
        if not self.has(phone):
            near.hang_up(leg, "NO_USER_RESPONSE")
            return
        self.calls += 1
        trunk = Leg(derived_id(self.core, "call", self.calls), inbound=True, born=self.agenda.now)
        trunk.context = between.CONTEXT
        half = Leg(between.far_leg(leg.uuid), inbound=False, born=self.agenda.now, phone=phone)
        for each in (trunk, half):
            each.near = (near, leg)
            self.legs[each.uuid] = each
            self._say(f.LegCreated, each, inbound=each.inbound)
        leg.far = (self, (trunk, half))
        busy = phone.calls >= phone.lines
        phone.calls += 1
        near.rung[leg.uuid] = "made"
        if busy:
            self.agenda.soon(10, 60, lambda: near.hang_up(leg, "USER_BUSY"))
        else:
            near.ring(leg, phone, ring_ms)

    def _end_other_half(self, leg: Leg, *, shut_down: bool) -> None:
        """A leg ends: its other half, on another switch, hears of it."""
        if leg.far is not None:
            there, halves = leg.far
            for half in halves:
                self.agenda.soon(1, 20, partial(there.hang_up, half, "NORMAL_CLEARING"))
        elif leg.near is not None:
            there, near = leg.near
            trunk_and_phone = near.far[1] if near.far is not None else ()
            self.agenda.soon(1, 20, partial(there.hang_up, near, "NORMAL_CLEARING", shut_down=shut_down))
            for half in trunk_and_phone:
                self.agenda.soon(1, 20, partial(self.hang_up, half, "NORMAL_CLEARING"))

    def _forsake(self, leg: Leg) -> None:
        """A leg died with its switch: its other half finds out when the session's time is over, at the latest."""
        if leg.far is not None:
            there, halves = leg.far
        elif leg.near is not None:
            there, halves = leg.near[0], (leg.near[1],)
        else:
            return
        for half in halves:
            self.agenda.soon(1, 120_000, partial(there.hang_up, half, "RECOVERY_ON_TIMER_EXPIRE"))

    def _end_job(self, leg: Leg, cause: str) -> None:
        job, leg.job = leg.job, ""
        done = f.JobDone(node=self.node, at=self.agenda.now, job=job, ok=not cause, answer=cause or leg.uuid)
        self.tell(done, f"job-{job}")

    def _after_talk(self, left: Leg) -> None:
        if left.stays:
            self._left(left)
        elif not left.first or self.dice.random() < 0.5:
            self.agenda.soon(1, 30, lambda: self.hang_up(left, "NORMAL_CLEARING"))
        else:
            self.agenda.soon(1, 10, lambda: self._park(left))

    def _after_window(self, gone: Leg, left: Leg) -> None:
        if left.stays and self.dice.random() < 0.7:
            if self.dice.random() < 0.5:
                self._left(left)
            else:
                self.agenda.soon(1, 60, lambda: self._cancelled(left))
            return
        if gone.first:
            return  # the agent's leg is left alone, and nothing is said
        if self.weather.parks_on_cancel:
            self.agenda.soon(1, 20, lambda: self._park(left))
        else:
            self.agenda.soon(1, 20, lambda: self.hang_up(left, "ORIGINATOR_CANCEL"))

    def _cancelled(self, left: Leg) -> None:
        """The bridge that came to nothing is noticed late: also where the leg was told into another one by now."""
        if left.peer is not None or left.room:
            return
        if left.joining is not None:
            left.joining.joining = None  # left waiting for somebody who does not come
            left.joining = None
        self._park(left)

    # --- commands ----------------------------------------------------------------------------------------------------
    def execute(self, given: i.Instruction, reply: Reply) -> None:
        """Carry out one instruction as it comes off the socket. Background commands start a little later, in any
        order.
        """
        match given:
            case i.AnswerCaller() | i.ClaimCaller() | i.PlayNotice() | i.PlayWaiting() | i.PlayApology():
                self._on_caller(given, reply)
            case i.PlayRinging():
                reply("" if given.leg in self.legs else "invalid session id")
            case i.SayAndHangUp():
                self._say_and_hang_up(given, reply)
            case i.RingAgent():
                self._job(lambda: self._originate(given, reply))
            case i.DialOutside():
                self._job(lambda: self._dial(given, reply))
            case i.BridgeLegs():
                self._job(lambda: self._bridge(given, reply))
            case i.KeepLeg():
                self._keep(given, reply)
            case i.ConferLeg():
                self._confer(given, reply)
            case i.ParkLeg():
                self._park_out(given, reply)
            case i.HangUpLeg():
                self._job(lambda: self._kill(given, reply))
            case i.HoldLeg() | i.ResumeLeg():
                self._job(lambda: self._hold(given, reply))
            case i.AnswerPhone():
                self._job(lambda: self._talk(given, reply))
            case i.StartRecording():
                self._job(lambda: self._record(given, reply))
            case i.StopRecording():
                self._job(lambda: self._stop_recording(given, reply))
            case i.MaskRecording() | i.UnmaskRecording():
                self._mask(given, reply)
            case i.MuteLeg() | i.UnmuteLeg() | i.SendDigits():
                self._speak(given, reply)
            case i.AnnounceNumber():
                self._announce(given, reply)
            case i.SayPlace() | i.HushPlace():
                self._tell_place(given, reply)
            case i.MarkDrained(on=on):
                self.drained = on
                reply("")
            case i.EavesdropLeg() | i.SteerEavesdrop():
                self._eavesdrop(given, reply)
            case _:
                raise TypeError(f"the model switch does not know {type(given).__name__}")

    def _job(self, work: Callable[[], None]) -> None:
        core = self.core

        def start() -> None:
            if self.up and self.core == core:
                work()

        self.agenda.soon(0.05, self.dice.choice((1, 1, 1, 15)), start)

    def _on_caller(self, given: OfCaller, reply: Reply) -> None:
        leg = self.legs.get(given.leg)
        if leg is None:
            reply("invalid session id")
            return
        reply("")
        match given:
            case i.AnswerCaller():
                leg.contact = given.contact
                if not leg.up:
                    leg.up = True
                    self._say(f.LegAnswered, leg)
                self.moment(leg, "queued")
            case i.ClaimCaller():
                leg.contact = given.contact
                self.moment(leg, "queued")
            case i.PlayNotice() | i.PlayWaiting():
                leg.silent_since = 0
            case i.PlayApology():
                leg.silent_since = 0
                self.agenda.after(APOLOGY_MS * MILLISECOND, lambda: self.hang_up(leg, given.cause))

    def _say_and_hang_up(self, given: i.SayAndHangUp, reply: Reply) -> None:
        leg = self.legs.get(given.leg)
        reply("" if leg is not None else "invalid session id")
        if leg is None:
            return
        leg.up = True
        self._say(f.LegAnswered, leg)
        self.agenda.soon(500, 7_000, lambda: self.hang_up(leg, given.cause))  # put down earlier, or read very slowly

    def _originate(self, given: i.RingAgent, reply: Reply) -> None:
        phone = self.phones.get(given.extension)
        if given.leg in self.legs:
            reply("DUPLICATE_UUID")
            return
        if given.via:
            self._over_trunk(given, reply)
            return
        if phone is None or not self.has(phone):
            self.rung.setdefault(given.leg, "unreachable")
            reply("")
            ghost = Leg(given.leg, inbound=False, born=self.agenda.now, job=given.id)
            self.agenda.soon(1, 40, lambda: self._end_job(ghost, "USER_NOT_REGISTERED"))
            return
        busy = phone.calls >= phone.lines
        leg = Leg(
            given.leg,
            inbound=False,
            born=self.agenda.now,
            phone=phone,
            contact=given.contact,
            offer=given.offer,
            job=given.id,
            stays=given.stays,
        )
        self.legs[leg.uuid] = leg
        phone.calls += 1
        self.rung[leg.uuid] = "made"
        reply("")
        self._say(f.LegCreated, leg)
        self.moment(next((c for c in self.legs.values() if c.contact == given.contact and c.inbound), None), "rung")
        if busy:
            self.agenda.soon(10, 60, lambda: self.hang_up(leg, "USER_BUSY"))
            return
        self.ring(leg, phone, given.ring_ms)

    def ring(self, leg: Leg, phone: Phone, ring_ms: int) -> None:
        """The phone of this leg is called."""
        # A manner is what the phone mostly does; now and then it does something else.
        does = phone.manner if self.dice.random() < 0.8 else self.dice.choice(("answers", "rejects", "ignores"))
        if does == "dead":
            self.rung[leg.uuid] = "unreachable"
        elif does == "unreachable":
            self.rung[leg.uuid] = "unreachable"
            self.agenda.soon(20, 100, lambda: self.hang_up(leg, "DESTINATION_OUT_OF_ORDER"))
        elif does == "busy":
            self.agenda.soon(20, 100, lambda: self.hang_up(leg, "USER_BUSY"))
        else:
            self.agenda.soon(10, 150, lambda: self._rings(leg))
            wait = self.dice.randint(*phone.ring_ms)
            if does == "answers":
                self.agenda.soon(wait, wait + (500 if wait else 20), lambda: self.answer(leg))
            elif does == "rejects":
                # Not every phone says it in the same words (SIP 603, 487, and 200 of another one at the same account).
                cause = _REFUSALS.get(leg.uuid[-1], CALL_REJECTED)
                self.agenda.soon(wait, wait + 500, lambda: None if leg.up else self.hang_up(leg, cause))
        self.agenda.after(ring_ms * MILLISECOND, lambda: None if leg.up else self.hang_up(leg, "NO_ANSWER"))

    def _dial(self, given: i.DialOutside, reply: Reply) -> None:
        if given.leg in self.legs:
            reply("DUPLICATE_UUID")
            return
        does = self.dice.choice(MANNERS)
        if does == "refused":
            reply("GATEWAY_DOWN")
            return
        leg = Leg(given.leg, inbound=False, born=self.agenda.now, contact=given.contact, offer=given.offer)
        leg.job, leg.stays = given.id, True
        leg.caller = Caller(dialled="9", patience_ms=0, talk_ms=self.dice.choice((self.dice.randint(1, 300), 5_000)))
        self.legs[leg.uuid] = leg
        reply("")
        self._say(f.LegCreated, leg)
        if does == "unreachable":
            self.agenda.soon(20, 100, lambda: self.hang_up(leg, "NO_ROUTE_DESTINATION"))
        elif does == "busy":
            self.agenda.soon(20, 100, lambda: self.hang_up(leg, "USER_BUSY"))
        elif does != "dead":
            early = given.early and self.dice.random() < 0.4
            self.agenda.soon(10, 150, lambda: self._sounds(leg) if early else self._rings(leg))
            if does == "answers":
                wait = self.dice.choice((0, 500, 4_000))
                self.agenda.soon(wait, wait + 500, lambda: self.answer(leg))
        self.agenda.after(given.ring_ms * MILLISECOND, lambda: None if leg.up else self.hang_up(leg, "NO_ANSWER"))

    def _rings(self, leg: Leg) -> None:
        if leg.alive and not leg.up:
            leg.rang = True
            self.rung[leg.uuid] = "rang"
            self._say(f.LegRinging, leg)

    def _sounds(self, leg: Leg) -> None:
        """The far end sends sound before it answers: the originate is done, and its leg parks."""
        if not leg.alive or leg.up:
            return
        self._say(f.LegRinging, leg)
        leg.early = True
        self._end_job(leg, "")
        self.agenda.soon(0.1, 5, lambda: self._park(leg) if leg.joining is None and leg.peer is None else None)

    def answer(self, leg: Leg) -> None:
        """The phone of this leg is picked up."""
        if not leg.alive or leg.up:
            return
        leg.up = True
        self.rung[leg.uuid] = "answered"
        self._say(f.LegAnswered, leg)
        for other in self.legs.values():
            if other.phone is leg.phone and other is not leg and other.peer is not None and not other.held:
                self._press_hold(other)
        if leg.early:
            return
        if leg.job:
            self._end_job(leg, "")
        self.agenda.soon(0.1, 5, lambda: self._park(leg) if leg.joining is None and leg.peer is None else None)
        self.moment(next((c for c in self.legs.values() if c.contact == leg.contact and c.inbound), None), "answered")
        if self.dice.random() < 0.05:
            self.agenda.soon(0, 80, lambda: self.hang_up(leg, "NORMAL_CLEARING"))  # picked up and put down

    def _bridge(self, given: i.BridgeLegs, reply: Reply) -> None:
        caller, agent = self.legs.get(given.leg), self.legs.get(given.other)
        if caller is None or agent is None:
            reply("Invalid uuid")
            return
        reply("")
        if not caller.up:
            # `uuid_answer` is written before `uuid_bridge` (esl/perform).
            caller.up = True
            self._say(f.LegAnswered, caller)
        for leg, other in ((caller, agent), (agent, caller)):
            self._leave_room(leg)
            if leg.joining is not None and leg.joining is not other:
                leg.joining.joining = None  # left alone with what it was doing
        if caller.peer is agent:
            caller.peer = agent.peer = None
            self._say(f.LegUnbridged, caller, other=agent.uuid)
        for leg in (caller, agent):
            leg.overhears = None
            self._taken_away(leg)
        caller.parked = agent.parked = False
        caller.first, agent.first = True, False
        caller.silent_since = self.agenda.now
        caller.joining, agent.joining = agent, caller
        self.moment(caller, "joining")
        if self.dice.random() < 0.98:
            self.agenda.soon(2, self.dice.choice((30, 30, 60, 400)), lambda: self._joined(caller, agent))
        else:
            # The two never meet: both wait for each other until somebody looks after them.
            self.agenda.soon(6_000, 60_000, lambda: self._joined(caller, agent))

    def _taken_away(self, leg: Leg) -> None:
        """One of a consultation is joined with the other one of the two: whoever heard it is left."""
        peer, leg.peer = leg.peer, None
        if peer is not None:
            peer.peer = None
            self._say(f.LegUnbridged, leg, other=peer.uuid)
            if not peer.inbound:
                self._left(peer)
            else:
                self.agenda.soon(
                    1, 30, lambda: self._park(peer) if peer.joining is None and peer.peer is None else None
                )

    def _joined(self, caller: Leg, agent: Leg) -> None:
        if caller.joining is not agent or agent.joining is not caller:
            return
        caller.joining = agent.joining = None
        caller.peer, agent.peer = agent, caller
        agent.settles_at, agent.music_queued = self.agenda.now + NEW_BRIDGE, False
        caller.music_over_talk_since = 0
        caller.place_over_talk_since = self.agenda.now if self.agenda.now < caller.place_until else 0
        caller.silent_since = agent.silent_since = 0
        self._say(f.LegBridged, caller, other=agent.uuid)
        self.moment(caller, "bridged")
        # Of a consultation neither one is the caller.
        talk = caller.caller.talk_ms if caller.caller is not None else self.dice.choice((300, 3_000, 12_000))
        ends = caller if self.dice.random() < 0.6 else agent
        self.agenda.after(talk * MILLISECOND, lambda: self.hang_up(ends, "NORMAL_CLEARING"))
        # Whoever is left alone on the line puts down some time later.
        self.agenda.after((talk + 90_000) * MILLISECOND, lambda: self.hang_up(caller, "NORMAL_CLEARING"))

    def _left(self, leg: Leg) -> None:
        """Its peer was taken away: a leg that stays parks, another one goes."""
        if leg.stays:
            self.agenda.soon(1, 30, lambda: self._park(leg) if leg.joining is None and leg.peer is None else None)
        else:
            self.agenda.soon(1, 30, lambda: self.hang_up(leg, "NORMAL_CLEARING"))

    def _keep(self, given: i.KeepLeg, reply: Reply) -> None:
        leg = self.legs.get(given.leg)
        reply("" if leg is not None else "No such channel!")
        if leg is not None:
            leg.stays = True

    def _confer(self, given: i.ConferLeg, reply: Reply) -> None:
        leg = self.legs.get(given.leg)
        if leg is None:
            reply("No such channel!")
            return
        reply("")
        self._leave_room(leg)
        if leg.joining is not None:
            leg.joining.joining = None
        leg.joining, leg.parked, leg.enters = None, False, True
        self._taken_away(leg)

        def enter() -> None:
            leg.enters = False
            if leg.alive and leg.peer is None and leg.joining is None:
                leg.room, leg.parked, leg.silent_since = given.room, False, self.agenda.now
                self._say(f.ConferenceChanged, leg, conference=leg.room, action="add-member")
                if not leg.inbound and not leg.settles_at:  # a guest: whoever was in a bridge before hangs up anyway
                    stays_ms = self.dice.choice((300, 3_000, 12_000, 40_000))
                    self.agenda.after(stays_ms * MILLISECOND, lambda: self.hang_up(leg, "NORMAL_CLEARING"))
                for each in (leg, *self._mates(leg)):
                    each.silent_since = 0 if self._mates(leg) else each.silent_since

        self.agenda.soon(1, self.dice.choice((30, 30, 300)), enter)

    def _mates(self, leg: Leg) -> list[Leg]:
        return [other for other in self.legs.values() if leg.room and other.room == leg.room and other is not leg]

    def _leave_room(self, leg: Leg) -> None:
        mates, room, leg.room = self._mates(leg), leg.room, ""
        if room:
            self._say(f.ConferenceChanged, leg, conference=room, action="del-member")
        if len(mates) == 1:
            mates[0].silent_since = self.agenda.now

    def _park_out(self, given: i.ParkLeg, reply: Reply) -> None:
        """Whoever heard it goes by itself; one that was only being joined with it is left alone without a word."""
        leg = self.legs.get(given.leg)
        if leg is None:
            reply("No such channel!")
            return
        reply("")
        self._leave_room(leg)
        peer, joining = leg.peer, leg.joining
        leg.peer = leg.joining = leg.overhears = None
        if joining is not None:
            joining.joining = None
        if peer is not None:
            peer.peer = None
            self._say(f.LegUnbridged, leg, other=peer.uuid)
            self._left(peer)
        self.agenda.soon(1, 30, lambda: self._park(leg) if leg.joining is None and leg.peer is None else None)

    def _kill(self, given: i.HangUpLeg, reply: Reply) -> None:
        leg = self.legs.get(given.leg)
        if leg is None:
            reply("No such channel!")
            return
        reply("")
        self.agenda.soon(0.1, 10, lambda: self.hang_up(leg, given.cause))

    def _hold(self, given: i.HoldLeg | i.ResumeLeg, reply: Reply) -> None:
        leg = self.legs.get(given.leg)
        on = isinstance(given, i.HoldLeg)
        if leg is None or leg.peer is None:
            reply("")  # the real one says +OK of any leg that is not there
            return
        if leg.held == on:
            reply("Operation failed")
            return
        if not on:
            leg.held = False
            if self.agenda.now < leg.settles_at:
                leg.music_queued = True
            if leg.music_queued:
                leg.peer.music_over_talk_since = self.agenda.now
                leg.music_queued = False
            reply("")
            self._say(f.LegResumed, leg)
            return
        reply("")
        self._press_hold(leg)

    def _press_hold(self, leg: Leg) -> None:
        leg.held = True
        if self.agenda.now < leg.settles_at:
            leg.music_queued = True
        leg.settles_at = max(leg.settles_at, self.agenda.now + NEW_HOLD)
        if leg.peer is not None:
            leg.peer.music_over_talk_since = 0
        self._say(f.LegHeld, leg)

    def _talk(self, given: i.AnswerPhone, reply: Reply) -> None:
        leg = self.legs.get(given.leg)
        if leg is None:
            reply("No such channel!")
            return
        reply("")
        there, rung = leg.near or (self, leg)
        if rung.rang and rung.phone is not None and rung.phone.talks_auto:
            self.agenda.soon(20, 200, lambda: there.answer(rung))

    def _record(self, given: i.StartRecording, reply: Reply) -> None:
        leg = self.legs.get(given.leg)
        if leg is None:
            reply("Cannot locate session!")
            return
        reply("")
        file = f"/recordings/{given.file}"
        if file not in leg.recordings:
            leg.recordings[file] = False
            self._say(f.RecordingStarted, leg, path=file)

    def _end_recording(self, leg: Leg, file: str) -> None:
        del leg.recordings[file]
        self._say(f.RecordingStopped, leg, path=file, length_ms=1_000, cause="success-silence")

    def _stop_recording(self, given: i.StopRecording, reply: Reply) -> None:
        leg, file = self.legs.get(given.leg), f"/recordings/{given.file}"
        if leg is None or file not in leg.recordings:
            reply("Cannot stop record session!" if leg is not None else "Cannot locate session!")
            return
        reply("")
        self._end_recording(leg, file)

    def _mask(self, given: i.MaskRecording | i.UnmaskRecording, reply: Reply) -> None:
        leg, file = self.legs.get(given.leg), f"/recordings/{given.file}"
        if leg is None or file not in leg.recordings:
            reply("Cannot mask recording session!" if leg is not None else "Cannot locate session!")
            return
        leg.recordings[file] = isinstance(given, i.MaskRecording)
        reply("")

    def _speak(self, given: i.MuteLeg | i.UnmuteLeg | i.SendDigits, reply: Reply) -> None:
        leg = self.legs.get(given.leg)
        if leg is not None and not isinstance(given, i.SendDigits):
            begins, leg.muted = isinstance(given, i.MuteLeg) and not leg.muted, isinstance(given, i.MuteLeg)
            for other in self.legs.values():
                if other.overhears is leg and (begins or not leg.muted):
                    other.drowned_since = self.agenda.now if begins else 0
        reply("" if leg is not None else "No such channel!")

    def _announce(self, given: i.AnnounceNumber, reply: Reply) -> None:
        leg, other = self.legs.get(given.leg), self.legs.get(given.other)
        if leg is None or other is None:
            reply("Cannot locate session!")
            return
        reply("")
        leg.numbers_heard.append((other.uuid, bool(leg.recordings)))

    def _eavesdrop(self, given: i.EavesdropLeg | i.SteerEavesdrop, reply: Reply) -> None:
        leg = self.legs.get(given.leg)
        if isinstance(given, i.SteerEavesdrop):
            reply("")  # that there is no such leg, or that it hears nothing, nobody says
            if leg is not None and leg.overhears is not None:
                leg.heard_as = given.mode
            return
        reply("" if leg is not None else "invalid session id")
        other = self.legs.get(given.other)
        if leg is None or leg.overhears is not None or other is None or not other.up:
            return  # one that hears a talk takes the second for nothing
        leg.overhears, leg.heard_as, leg.drowned_since = other, given.mode, 0
        if self.dice.random() < 0.4:
            self.agenda.soon(500, 15_000, lambda: self.hang_up(leg, "NORMAL_CLEARING") if leg.overhears else None)

    def _tell_place(self, given: i.SayPlace | i.HushPlace, reply: Reply) -> None:
        leg = self.legs.get(given.leg)
        being_said = leg is not None and self.agenda.now < leg.place_until and leg.hears_place == given.prompts
        if isinstance(given, i.HushPlace):
            reply("")  # nobody listens to it (esl/perform)
            if leg is not None and being_said:
                leg.place_until = 0
        elif leg is None or being_said:
            reply("Cannot displace session!" if being_said else "Cannot locate session!")
        else:
            reply("")
            leg.hears_place, leg.place_until = given.prompts, self.agenda.now + SENTENCE_MS * MILLISECOND

    # --- looked at by the rules --------------------------------------------------------------------------------------
    def lives(self, leg: str) -> bool:
        return leg in self.legs

    def channels(self) -> list[str]:
        return list(self.legs)

    def talks_with(self, leg: str) -> str:
        peer = self.legs[leg].peer if leg in self.legs else None
        if leg in self.legs and self.legs[leg].room:
            peer = next(iter(self._mates(self.legs[leg])), None)
        return peer.uuid if peer is not None else ""

    def heard_as(self, leg: str) -> str:
        found = self.legs.get(leg)
        return found.heard_as if found is not None and found.overhears is not None else ""

    def drowned_since(self, leg: str) -> int:
        found = self.legs.get(leg)
        return found.drowned_since if found is not None and found.overhears is not None else 0

    def silent_since(self, leg: str) -> int:
        return self.legs[leg].silent_since if leg in self.legs else 0

    def parked_since(self, leg: str) -> int:
        return self.legs[leg].silent_since if leg in self.legs and self.legs[leg].parked else 0

    def music_over_talk_since(self, leg: str) -> int:
        found = self.legs.get(leg)
        return found.music_over_talk_since if found is not None and found.peer is not None else 0

    def numbers_heard(self, leg: str) -> list[tuple[str, bool]]:
        return self.legs[leg].numbers_heard if leg in self.legs else []

    def taped(self, leg: str) -> dict[str, bool]:
        return self.legs[leg].recordings if leg in self.legs else {}

    def room(self, leg: str) -> str:
        return self.legs[leg].room if leg in self.legs else ""

    def enters_room(self, leg: str) -> bool:
        return leg in self.legs and self.legs[leg].enters

    def is_muted(self, leg: str) -> bool:
        return leg in self.legs and self.legs[leg].muted

    def place_over_talk_since(self, leg: str) -> int:
        found = self.legs.get(leg)
        return found.place_over_talk_since if found is not None and found.peer is not None else 0

    def how_far(self, leg: str) -> str:
        return self.rung.get(leg, "never made")

    # --- questions ---------------------------------------------------------------------------------------------------
    def exists(self, leg: str) -> bool:
        return leg in self.legs

    def look(self) -> tuple[f.SeenLeg, ...]:
        """All channels, by a list that now and then lacks the youngest ones."""
        youngest = self.agenda.now - (300 * MILLISECOND if self.dice.random() < 0.1 else 0)
        return tuple(self._seen(leg) for leg in self.legs.values() if leg.born <= youngest)

    def _seen(self, leg: Leg) -> f.SeenLeg:
        caller = leg.caller
        return f.SeenLeg(
            leg=leg.uuid,
            inbound=leg.inbound,
            ringing=leg.rang and not leg.up,
            answered=leg.up,
            parked=leg.parked,
            bridged_to=leg.peer.uuid if leg.peer is not None else "",
            held=leg.held,
            room=leg.room,
            contact=leg.contact,
            offer=leg.offer,
            dialled=caller.dialled if caller else leg.dialled,
            caller_number=caller.number if caller else "",
            caller_name=caller.name if caller else "",
            context=leg.context if leg.inbound else contexts.AGENTS,
            trunk="carrier",
            created=Instant(leg.born),
        )

    # --- the whole switch --------------------------------------------------------------------------------------------
    def restart(self, down_ms: int, *, orderly: bool) -> None:
        """Die, and come back empty."""
        if not self.up:
            return
        if orderly:
            self.tell(f.SwitchStopping(node=self.node, at=self.agenda.now), "")
            for leg in tuple(self.legs.values()):
                self.hang_up(leg, _SHUT_DOWN)
        self.up = self.drained = False
        for leg in self.legs.values():
            self._bury(leg)
            self._forsake(leg)
            leg.peer = leg.joining = None
        self.legs.clear()
        for listener in tuple(self.listeners):
            listener.cut("the switch is gone")
        self.agenda.after(down_ms * MILLISECOND, self._start)

    def _start(self) -> None:
        self.starts += 1
        self.core = f"{self.node}-core-{self.starts}"
        self.up = True


class Switches:
    """Several nodes looked at as one."""

    def __init__(self, switches: list[Switch]) -> None:
        self.switches = switches

    def lives(self, leg: str) -> bool:
        return any(switch.lives(leg) for switch in self.switches)

    def channels(self) -> list[str]:
        return [leg for switch in self.switches for leg in switch.channels()]

    def talks_with(self, leg: str) -> str:
        return next((other for switch in self.switches if (other := switch.talks_with(leg))), "")

    def heard_as(self, leg: str) -> str:
        return next((heard for switch in self.switches if (heard := switch.heard_as(leg))), "")

    def drowned_since(self, leg: str) -> int:
        return max(switch.drowned_since(leg) for switch in self.switches)

    def silent_since(self, leg: str) -> int:
        return max(switch.silent_since(leg) for switch in self.switches)

    def parked_since(self, leg: str) -> int:
        return max(switch.parked_since(leg) for switch in self.switches)

    def music_over_talk_since(self, leg: str) -> int:
        return max(switch.music_over_talk_since(leg) for switch in self.switches)

    def numbers_heard(self, leg: str) -> list[tuple[str, bool]]:
        return [heard for switch in self.switches for heard in switch.numbers_heard(leg)]

    def taped(self, leg: str) -> dict[str, bool]:
        return {file: silent for switch in self.switches for file, silent in switch.taped(leg).items()}

    def room(self, leg: str) -> str:
        return next((room for switch in self.switches if (room := switch.room(leg))), "")

    def enters_room(self, leg: str) -> bool:
        return any(switch.enters_room(leg) for switch in self.switches)

    def is_muted(self, leg: str) -> bool:
        return any(switch.is_muted(leg) for switch in self.switches)

    def place_over_talk_since(self, leg: str) -> int:
        return max(switch.place_over_talk_since(leg) for switch in self.switches)

    def how_far(self, leg: str) -> str:
        came = (switch.how_far(leg) for switch in self.switches)
        return next((how_far for how_far in came if how_far != "never made"), "never made")
