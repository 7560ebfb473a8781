"""Runs through frames: the bundled simulator's model instead of the light one, and the bytes of its event socket.

    caller, phone ─▶ freeswitch.simulator.Model ─events─▶ Connection ─bytes─▶ FrameReader ─▶ decode ─▶ translate ─▶ step
                            ▲                                                                                        │
                            └───── bytes ◀─ commands' text ◀─ the production Performer ◀────── instructions ◀────────┘

In between stands one link of ours in virtual time, where the product has greenlets and sockets.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import cast

from freeswitch import simulator
from freeswitch.simulator.bus import Event, EventFault
from freeswitch.simulator.conferring import mates
from freeswitch.simulator.connection import Connection
from orchestrator.domain.contacts.announcing import BEFORE
from orchestrator.domain.kernel import MILLISECOND
from orchestrator.domain.switch import facts as f
from orchestrator.domain.switch import instructions as i
from orchestrator.esl import commands
from orchestrator.esl.events import SwitchEvent, decode_json, decode_plain
from orchestrator.esl.frames import FrameReader
from orchestrator.esl.node import SUBSCRIBED, SUBSCRIBED_CUSTOM
from orchestrator.esl.node import Link as EslLink
from orchestrator.esl.pacing import Pace
from orchestrator.esl.perform import Performer
from orchestrator.esl.replies import REPLY_MS, Done, NoReply, Outcome, Reply
from orchestrator.esl.resync import listed_legs, listed_phones, seen_leg, session_count
from orchestrator.esl.translate import translate
from tests.simulation.agenda import Agenda
from tests.simulation.engine import AnyLink, Engine
from tests.simulation.run import Run
from tests.simulation.sight import AnySwitch
from tests.simulation.switch import NODE, Caller, Phone, Switch
from tests.simulation.weather import Weather

_PASSWORD = "secret"
_BEHAVIOUR = {"answers": "answer", "rejects": "reject", "ignores": "no_answer", "busy": "busy"}
_MOMENT = {
    "": "", "queued": "answered", "rung": "ringing", "answered": "agent_answered", "joining": "agent_answered",
    "bridged": "bridged",
}  # fmt: skip
_LOOKS = 5


class Phones(dict[str, Phone]):
    """The phones by extension; setting one sets it up in the simulator too."""

    def __init__(self, switch: "Simulated") -> None:
        super().__init__()
        self._switch = switch

    def __setitem__(self, extension: str, phone: Phone) -> None:
        super().__setitem__(extension, phone)
        given = simulator.Phone(
            extension=extension,
            registered=phone.registered,
            behaviour=_BEHAVIOUR.get(phone.manner, "unreachable"),
            answer_after_ms=phone.ring_ms[1] // 2,
            obeys_talk=phone.talks_auto,
            lines=phone.lines,
        )
        self._switch.model.phone(given, self._switch.agenda.now)


class Simulated:
    """The simulator's model in the virtual time of a run."""

    def __init__(
        self, agenda: Agenda, dice: Random, weather: Weather, *, options: simulator.Options | None = None
    ) -> None:
        self.node = NODE
        self.agenda = agenda
        self.dice = dice
        self.up = True
        options = options or simulator.Options(write_recordings=False, poll_ms=0, burn=0.1)
        self.model = simulator.Model(options, now=agenda.now, seed=dice.randrange(2**32))
        self.phones = Phones(self)
        self.sockets: list[Socket] = []
        self._quiet: dict[str, int] = {}
        self._over_talk: dict[str, int] = {}
        self._planned: int | None = None
        self._weather = weather
        for kind, probability in (("drop", weather.lost), ("double", weather.doubled), ("delay", weather.late)):
            if probability:
                self.model.fault(EventFault(kind, count=-1, probability=probability))
        self.pump()

    @property
    def weather(self) -> Weather:
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self._weather = weather
        self.model.switch.bus.faults.clear()

    # --- time --------------------------------------------------------------------------------------------------------
    def pump(self) -> None:
        """Let the model live until now, hand its news out, and come back when something happens in it by itself."""
        now = self.agenda.now
        events = self.model.advance(now)
        for socket in tuple(self.sockets):
            socket.offer(events)
        due = self.model.next_due()
        if due is not None and (self._planned is None or due < self._planned or self._planned <= now):
            self._planned = max(due, now)
            self.agenda.at(self._planned, self._pump_as_planned)

    def _pump_as_planned(self) -> None:
        if self._planned is not None and self.agenda.now >= self._planned:
            self._planned = None
            self.pump()

    # --- people ------------------------------------------------------------------------------------------------------
    def call(self, caller: Caller) -> None:
        """Somebody calls, unless the switch is down."""
        if not self.up:
            return
        self.model.call(
            simulator.Caller(
                dialled=caller.dialled,
                number=caller.number,
                name=caller.name,
                patience_ms=caller.patience_ms,
                talk_ms=caller.talk_ms,
                hang_up_when=_MOMENT[caller.gives_up_when],
                hang_up_after_ms=caller.gives_up_ms,
            ),
            self.agenda.now,
        )
        self.pump()

    def dial_alone(self, phone: Phone, dialled: str = "9") -> None:
        """An agent's phone dials by itself."""
        if self.up and phone.registered:
            self.model.dial(simulator.Dialling(extension=phone.extension, dialled=dialled), self.agenda.now)
            self.pump()

    def register(self, extension: str, *, registered: bool) -> None:
        """A phone registers, also again, or says goodbye."""
        phone = self.phones[extension]
        phone.registered = registered
        self.phones[extension] = phone
        self.pump()

    def restart(self, down_ms: int, *, orderly: bool) -> None:
        """Die, and come back empty."""
        if not self.up:
            return
        if orderly:
            self.model.shut_down(self.agenda.now)
            self.pump()
        self.up = False
        self.model.switch.timeline.clear()
        for socket in tuple(self.sockets):
            socket.cut()
        self.agenda.after(down_ms * MILLISECOND, self._start)

    def _start(self) -> None:
        faults = self.model.switch.bus.faults
        self.model.restart(self.agenda.now)
        self.model.switch.bus.faults = faults
        self.up = True
        self.pump()

    # --- looked at by the rules --------------------------------------------------------------------------------------
    def lives(self, leg: str) -> bool:
        return self.up and self.model.switch.registry.locate(leg) is not None

    def channels(self) -> list[str]:
        return list(self.model.switch.legs) if self.up else []

    def talks_with(self, leg: str) -> str:
        channel = self.model.switch.legs.get(leg)
        if channel is not None and channel.room:
            return next((other.uuid for other in mates(self.model.switch, channel)), "")
        talks = channel is not None and channel.exchanging and self.lives(channel.partner)
        return channel.partner if channel is not None and talks else ""

    def silent_since(self, leg: str) -> int:
        channel = self.model.switch.legs.get(leg)
        # Not by the application that ran last: one that begins while music plays leaves it playing.
        if channel is None or not self.up or channel.playing or mates(self.model.switch, channel):
            self._quiet.pop(leg, None)
            return 0
        return self._quiet.setdefault(leg, self.agenda.now)

    def music_over_talk_since(self, leg: str) -> int:
        channel = self.model.switch.legs.get(leg)
        agent = self.model.switch.legs.get(self.talks_with(leg))
        talks = channel is not None and agent is not None and self.up and not agent.held
        if not talks or channel is None or not channel.broadcasting:
            self._over_talk.pop(leg, None)
            return 0
        return self._over_talk.setdefault(leg, self.agenda.now)

    def numbers_heard(self, leg: str) -> list[tuple[str, bool]]:
        """Those that it hears at this moment."""
        found = self.model.switch.legs.get(leg)
        numbers = [path for path in found.displaced if BEFORE in path] if found is not None else []
        return [(found.partner, bool(found.recordings)) for _ in numbers] if found is not None else []

    def taped(self, leg: str) -> dict[str, bool]:
        found = self.model.switch.legs.get(leg)
        tapes = found.recordings.values() if found is not None else ()
        return {tape.path: bool(tape.mask_began) for tape in tapes}

    def room(self, leg: str) -> str:
        found = self.model.switch.legs.get(leg)
        return found.room if found is not None and self.up else ""

    def enters_room(self, leg: str) -> bool:
        return False

    def is_muted(self, leg: str) -> bool:
        found = self.model.switch.legs.get(leg)
        return found is not None and found.muted

    def place_over_talk_since(self, leg: str) -> int:
        """Now, where it is so at this moment."""
        found = self.model.switch.legs.get(leg)
        if found is None or not found.partner:
            return 0
        return self.agenda.now if any("place_" in path for path in found.displaced) else 0

    def how_far(self, leg: str) -> str:
        return "not told here"


class Socket:
    """One connection to the event socket: bytes in both directions, with the delays of a network."""

    def __init__(
        self, switch: Simulated, *, on_event: Callable[[SwitchEvent], None], on_lost: Callable[[], None]
    ) -> None:
        self.alive = True
        self._switch = switch
        self._agenda = switch.agenda
        self._dice = switch.dice
        self._on_event = on_event
        self._on_lost = on_lost
        self._peer = Connection(switch.model, _PASSWORD)
        self._reader = FrameReader()
        self._waiting: deque[Done] = deque()
        self._read_at = self._written_at = 0
        switch.sockets.append(self)
        self.send(f"auth {_PASSWORD}", _nobody)

    def send(self, text: str, done: Done) -> None:
        """Write a command; `done` gets its reply, in order."""
        if not self.alive:
            done(NoReply("link_down"))
            return
        self._waiting.append(done)
        data = text.encode() + b"\n\n"
        self._written_at = max(self._agenda.now + self._dice.randint(30, 500), self._written_at + 1)
        self._agenda.at(self._written_at, lambda: self._arrives(data))

    def _arrives(self, data: bytes) -> None:
        if self.alive:
            self._peer.receive(data, self._agenda.now)
            self._switch.pump()

    def offer(self, events: list[Event]) -> None:
        """News of the switch, and whatever else it has for us by now."""
        self._peer.offer(events)
        self._peer.flush(self._agenda.now)
        if self._peer.outgoing:
            data = bytes(self._peer.outgoing)
            self._peer.outgoing.clear()
            self._read_at = max(self._agenda.now + self._dice.randint(30, 1_500), self._read_at + 1)
            self._agenda.at(self._read_at, lambda: self._take(data))

    def _take(self, data: bytes) -> None:
        for chunk in self._chunks(data):
            for frame in self._reader.feed(chunk):
                if not self.alive:
                    return
                match frame.content_type:
                    case "text/event-json":
                        self._on_event(decode_json(frame.body))
                    case "text/event-plain":
                        self._on_event(decode_plain(frame.body))
                    case "command/reply":
                        self._waiting.popleft()(Reply(frame.header("Reply-Text")))
                    case "api/response":
                        self._waiting.popleft()(Reply(frame.text))

    def _chunks(self, data: bytes) -> Iterator[bytes]:
        """The bytes as the network may cut them."""
        cut = self._dice.randint(0, len(data))
        yield from (data[:cut], data[cut:])

    def cut(self) -> None:
        """The connection is lost, with all that is on its way."""
        if not self.alive:
            return
        self.alive = False
        self._switch.sockets.remove(self)
        while self._waiting:
            self._waiting.popleft()(NoReply("link_down"))
        self._on_lost()


class AtOnce(Pace):
    """No pacing: virtual time has no load."""

    def go(self, write: Callable[[], bool]) -> None:
        """Write now."""
        write()


class WatchedPerformer(Performer):
    """The production one, telling of what it wrote."""

    wrote: Callable[[i.Instruction], None]

    def _write(self, link: EslLink, instruction: i.Instruction) -> bool:
        written = super()._write(link, instruction)
        if written:
            self.wrote(instruction)
        return written


class FrameLink:
    """What `esl.node.Link` is, in virtual time: two connections, jobs, snapshots. The Performer writes through it."""

    def __init__(self, agenda: Agenda, switch: Simulated, engine: Engine) -> None:
        self.node = NODE
        self.up = False
        self.core = ""
        self._agenda = agenda
        self._switch = switch
        self._engine = engine
        self._events: Socket | None = None
        self._questions: Socket | None = None
        self._jobs: dict[str, Done] = {}
        self._early: list[SwitchEvent] | None = None
        self._gone: dict[str, None] = {}
        self._told: dict[str, bool] = {}
        self._look = 0
        self._stopped = False
        self._performer = WatchedPerformer(
            cast("Mapping[str, EslLink]", {NODE: self}),
            may_write=engine.may_write,
            offer_open=engine.offer_open,
            deliver=lambda item, _at: self._deliver(cast("f.Fact", item)),
            clock=engine.clock,
            recordings="/recordings",
            pace=AtOnce,
        )
        self._performer.wrote = lambda instruction: engine.watcher.wrote(engine, instruction)

    def perform(self, given: i.Instruction) -> None:
        """Check again, and write."""
        self._performer.perform(given)

    # --- the connection ----------------------------------------------------------------------------------------------
    def connect(self) -> None:
        """Connect now, or try again in a moment, for ever."""
        if self._stopped or self._events is not None:
            return
        if not self._switch.up:
            self._agenda.soon(200, 2_000, self.connect)
            return
        self._early = []
        self._events = socket = Socket(self._switch, on_event=self._hear, on_lost=self._lost)
        core: list[str] = []
        socket.send(
            commands.CORE, lambda outcome: core.append(outcome.text.strip() if isinstance(outcome, Reply) else "")
        )

        def subscribed(outcome: Outcome) -> None:
            if isinstance(outcome, Reply) and core[0]:
                self._announce(core[0])

        socket.send(commands.subscribe(SUBSCRIBED, SUBSCRIBED_CUSTOM), subscribed)

    def _announce(self, core: str) -> None:
        if self.core and core != self.core:
            for job in tuple(self._jobs):
                self._end_job(job, NoReply("link_down"))
        self.core, self.up = core, True
        early, self._early = self._early or [], None
        self._deliver(f.LinkUp(node=NODE, core=core))
        for event in early:
            self._translate(event)
        self.take_snapshot()

    def cut(self, node: str) -> None:
        """The connection is lost; another is tried in a moment."""
        if self._events is not None:
            self._events.cut()

    def part(self, node: str, away_ms: int) -> None:
        raise AssertionError(f"no run with frames parts {node} from us for {away_ms} ms")

    def press(self, *, behind: bool) -> None:
        """The switch does late what it is told from now on, or keeps up again."""
        if self.up:
            self.tell(f.SwitchBehind(node=NODE, behind_ms=400) if behind else f.SwitchCaughtUp(node=NODE))

    def _lost(self) -> None:
        was_up, self.up, self._events, self._early = self.up, False, None, None
        self._look += 1
        if self._questions is not None:
            self._questions.cut()
        if self._stopped:
            return
        if was_up:
            self._deliver(f.LinkDown(node=NODE, why="connection reset"))
        self._agenda.soon(100, 3_000, self.connect)

    def stop(self) -> None:
        """The engine is gone, and its connections with it."""
        self._stopped = True
        for socket in (self._events, self._questions):
            if socket is not None:
                socket.cut()

    def calm(self, weather: Weather) -> None:
        """Faults are the simulator's own here."""

    # --- news --------------------------------------------------------------------------------------------------------
    def _hear(self, event: SwitchEvent) -> None:
        if self._early is not None:
            self._early.append(event)
        else:
            self._translate(event)
        if event.name == "CHANNEL_HANGUP_COMPLETE":
            self._gone[event.leg] = None
        elif event.name == "BACKGROUND_JOB":
            self._end_job(event.job, Reply(event.body))

    def _translate(self, event: SwitchEvent) -> None:
        for fact in translate(NODE, event):
            if isinstance(fact, f.PhoneRegistered | f.PhoneGone):
                self._told[fact.extension] = isinstance(fact, f.PhoneRegistered)
            self._deliver(fact)

    def _deliver(self, fact: f.Fact) -> None:
        if not self._stopped:
            self._engine.take(fact)

    def tell(self, fact: f.Fact) -> None:
        """A fact of ours, after everything that was received before it."""
        self._agenda.at(self._agenda.now, lambda: self._deliver(fact))

    # --- what the performer writes -----------------------------------------------------------------------------------
    def command(
        self, text: str, done: Done, *, deadline_ms: int = REPLY_MS, still: Callable[[], bool] | None = None
    ) -> None:
        """Write a quick command."""
        assert deadline_ms > 0
        assert still is None or still()
        if self._events is None or not self.up:
            done(NoReply("link_down"))
        else:
            self._events.send(text, done)

    def job(
        self, job: str, text: str, done: Done, *, deadline_ms: int, still: Callable[[], bool] | None = None
    ) -> None:
        """Start a background command under this id."""

        def started(outcome: Outcome) -> None:
            if isinstance(outcome, NoReply) or not outcome.ok:
                self._end_job(job, outcome)

        self._jobs[job] = done
        self._agenda.after(deadline_ms * MILLISECOND, lambda: self._end_job(job, NoReply("timeout")))
        self.command(commands.background(text, job), started, still=still)

    def _end_job(self, job: str, outcome: Outcome) -> None:
        done = self._jobs.pop(job, None)
        if done is not None:
            done(outcome)

    def ask(self, text: str, done: Done, *, deadline_ms: int = REPLY_MS) -> None:
        """Ask on the second connection."""
        assert deadline_ms > 0
        if not self._switch.up:
            done(NoReply("link_down"))
            return
        if self._questions is None or not self._questions.alive:
            self._questions = Socket(self._switch, on_event=_nobody, on_lost=_nothing)
        self._questions.send(text, done)

    # --- snapshots ---------------------------------------------------------------------------------------------------
    def take_snapshot(self) -> None:
        """Have all channels asked for; one that is being made begins again."""
        if not self.up:
            return
        self._look += 1
        self._gone.clear()
        self._list(self._look, {}, 0)

    def _list(self, look: int, listed: dict[str, None], attempt: int) -> None:
        sessions: list[int | None] = []
        self.ask(commands.STATUS, lambda outcome: sessions.append(_count(outcome)))

        def channels(outcome: Outcome) -> None:
            if look != self._look:
                return
            legs = listed_legs(outcome.text) if isinstance(outcome, Reply) else None
            count = sessions[0] if sessions else None
            if legs is None or count is None:
                self._agenda.soon(100, 100, lambda: self._list(look, {}, 0) if look == self._look else None)
                return
            listed.update(dict.fromkeys(legs))
            if len(legs) < count and attempt < _LOOKS:
                self._agenda.soon(
                    100, 100, lambda: self._list(look, listed, attempt + 1) if look == self._look else None
                )
            else:
                self._dump(look, sorted(listed))

        self.ask(commands.CHANNELS, channels)

    def _dump(self, look: int, legs: list[str]) -> None:
        seen: list[f.SeenLeg] = []
        waiting = [len(legs)]

        def one(leg: str, outcome: Outcome) -> None:
            found = seen_leg(leg, outcome.text) if isinstance(outcome, Reply) else None
            if found is not None:
                seen.append(found)
            waiting[0] -= 1
            if not waiting[0]:
                self._ask_phones(look, seen)

        for leg in legs:
            self.ask(commands.dump(leg), lambda outcome, leg=leg: one(leg, outcome))  # type: ignore[misc]  # per leg
        if not legs:
            self._ask_phones(look, seen)

    def _ask_phones(self, look: int, seen: list[f.SeenLeg]) -> None:
        self._told.clear()
        self.ask(commands.PHONES, lambda outcome: self._seen(look, seen, outcome))

    def _seen(self, look: int, seen: list[f.SeenLeg], phones: Outcome) -> None:
        if look == self._look and self.up:
            kept = tuple(leg for leg in seen if leg.leg not in self._gone)
            listed = listed_phones(phones.text) if isinstance(phones, Reply) else {}
            self._deliver(f.Snapshot(node=NODE, core=self.core, legs=kept, phones=listed | self._told))


class FrameRun(Run):
    """A run whose switch is the simulator and whose news and commands are bytes."""

    knows_rings = False

    def make_switches(self) -> list[Switch]:
        """One switch; it has all that a run looks at in one."""
        switch = Simulated(self.agenda, self.dice, self.weather)
        self.phones = switch.phones
        return [cast("Switch", switch)]

    def look_at(self, switches: list[Switch]) -> AnySwitch:
        """What the rules look at."""
        return switches[0]

    def connect(self, engine: Engine) -> AnyLink:
        """A link from an engine to the switch."""
        return FrameLink(self.agenda, cast("Simulated", self.switches[0]), engine)


def _count(outcome: Outcome) -> int | None:
    return session_count(outcome.text) if isinstance(outcome, Reply) else None


def _nobody(_: object) -> None:
    """The second connection is subscribed to nothing."""


def _nothing() -> None:
    """It is made anew when it is needed."""
