"""The whole switch without sockets and without a clock: time and commands go in, replies and events come out.

    model = Model(now=now, seed=1)
    model.call(Caller(dialled="4001"), now)
    answer = model.command("bgapi uuid_kill …", now)
    for event in model.advance(now): …
    now = model.next_due()

The same seed, the same calls and the same times give the same events.
"""

from collections.abc import Callable, Container
from random import Random

from freeswitch.simulator import (
    bridging,
    conferring,  # noqa: F401 - its application is known by that
    control,
    deadman,
    eavesdropping,
    life,
    originating,
    registering,
    sip,
    trunk,
)
from freeswitch.simulator.bus import Bus, Event, EventFault, Headers
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.commands import COMMANDS
from freeswitch.simulator.core import Switch
from freeswitch.simulator.executing import queue
from freeswitch.simulator.leg_commands import press
from freeswitch.simulator.options import Options
from freeswitch.simulator.parties import Customer, Robot, leave
from freeswitch.simulator.people import Caller, Dialling, Party, Phone
from freeswitch.simulator.switch_commands import shut_down
from freeswitch.simulator.timeline import MILLISECOND, Steps, Thread, Timeline
from freeswitch.simulator.trunk import Message
from freeswitch.simulator.wire import Request, RequestReader

originating.LIVES.update(inbound=life.inbound, outbound=life.outbound)

_JOB_STARTS_WITHIN = 800
"""µs until a background job's own thread runs; so two jobs given at once may run in either order."""


class Answer:
    """The reply to one command. `text` is None while the command still works (a blocking `api originate`)."""

    __slots__ = ("_then", "kind", "text")

    def __init__(self, kind: str, text: str | None = None) -> None:
        self.kind = kind
        """`api` or `command`: how the event socket frames it."""
        self.text = text
        self._then: Callable[[], None] | None = None

    def done(self, text: str) -> None:
        self.text = text
        if self._then is not None:
            self._then()

    def when_done(self, then: Callable[[], None]) -> None:
        """Call back once, at once when it is done already."""
        if self.text is None:
            self._then = then
        else:
            then()


class Model:
    """A simulated switch. All times are µs since 1970-01-01 UTC and never run backwards."""

    def __init__(self, options: Options | None = None, *, now: int, seed: int = 0) -> None:
        self.options = options or Options()
        self.random = Random(seed)
        self.restarts = 0
        self._control = control.Control(self)
        self.switch = self._boot(now)

    def _boot(self, now: int) -> Switch:
        timeline = Timeline(now)
        bus = Bus(timeline, self.random, self.options, "")
        switch = Switch(self.options, timeline, self.random, bus)
        bus.core_uuid = switch.new_uuid()
        switch.counts.started = now
        switch.globals.update(
            core_uuid=bus.core_uuid,
            hostname=self.options.hostname,
            switchname=self.options.switchname,
            local_ip_v4=self.options.ipv4,
            domain=self.options.domain,
        )
        registering.beat_for_ever(switch)
        deadman.look_for_ever(switch)
        return switch

    # --- time ----------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        return self.switch.now

    @property
    def core_uuid(self) -> str:
        return self.switch.bus.core_uuid

    @property
    def interest(self) -> Container[str] | None:
        """Names of events, and subclasses of CUSTOM ones, that are wanted; None: all. Others are not even made."""
        return self.switch.bus.interest

    @interest.setter
    def interest(self, names: Container[str] | None) -> None:
        self.switch.bus.interest = names

    def advance(self, now: int) -> list[Event]:
        """Let the switch live until `now`; returns the events that it told since the last time, oldest first."""
        switch = self.switch
        switch.timeline.run(now)
        return switch.bus.take()

    def next_due(self) -> int | None:
        """When something happens next by itself (a beat of its heart at the latest)."""
        due = self.switch.timeline.next_due()
        told = self.switch.bus.next_due()
        if due is None or told is None:
            return told if due is None else due
        return min(due, told)

    # --- commands ------------------------------------------------------------------------------------------------

    def command(self, text: str, now: int) -> Answer:
        """One command as a client writes it, without the empty line behind: `api`, `bgapi`, `sendmsg`, `sendevent`."""
        reader = RequestReader()
        requests = reader.feed(text.encode("utf-8", "surrogateescape") + b"\n\n")
        return self.request(requests[0], now) if requests else Answer("command", "-ERR command not found")

    def request(self, request: Request, now: int) -> Answer:
        """The same, already taken apart."""
        self.switch.timeline.run(now)
        verb, _, rest = request.line.partition(" ")
        match verb.lower():
            case "api" if rest.strip():
                return self._run(rest.strip())
            case "bgapi" if rest.strip():
                return self._background(rest.strip(), request.headers.get("job-uuid", ""))
            case "sendmsg":
                return self._message(rest.strip() or request.headers.get("session-id", ""), request)
            case "sendevent":
                return self._event(request)
            case _:
                return Answer("command", "-ERR command not found")

    def _run(self, line: str) -> Answer:
        name, _, argument = line.partition(" ")
        asked: Headers = {"API-Command": name}
        if argument:
            asked["API-Command-Argument"] = argument
        bus = self.switch.bus
        news = bus.draw("API", asked)
        answer = Answer("api")
        if name == "simulator":
            answer.done(self._control.run(argument))
            return answer
        run = COMMANDS.get(name)
        if run is None:
            bus.fire(news)
            answer.done(f"-ERR {name} Command not found!\n")
            return answer
        thread: list[Thread] = []
        outcome = run(self.switch, argument, thread)
        if isinstance(outcome, str):
            bus.fire(news)
            answer.done(outcome)
        else:
            worker = Thread(
                self.switch.timeline,
                self._finish(outcome, bus, news, answer),
                tick=self.options.originate_poll_ms * MILLISECOND,
                phase=self.random.randrange(self.options.originate_poll_ms * MILLISECOND),
            )
            thread.append(worker)
            worker.begin()
        return answer

    @staticmethod
    def _finish(steps: Steps[str], bus: Bus, news: Event | None, answer: Answer) -> Steps[None]:
        text = yield from steps
        bus.fire(news)
        answer.done(text)

    def _background(self, line: str, job: str) -> Answer:
        job = job or self.switch.new_uuid()
        self.switch.timeline.after(self.random.randrange(_JOB_STARTS_WITHIN), lambda: self._start_job(line, job))
        return Answer("command", f"~Reply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n\n")

    def _start_job(self, line: str, job: str) -> None:
        answer = self._run(line)
        answer.when_done(lambda: self._end_job(line, job, answer.text or ""))

    def _end_job(self, line: str, job: str, text: str) -> None:
        name, _, argument = line.partition(" ")
        headers: Headers = {"Job-UUID": job, "Job-Command": name}
        if argument:
            headers["Job-Command-Arg"] = argument
        if self.switch.lose_jobs:
            self.switch.lose_jobs -= 1
            self.switch.bus.burn()
            return
        self.switch.bus.emit("BACKGROUND_JOB", headers, body=text)

    def _message(self, uuid: str, request: Request) -> Answer:
        leg = self.switch.registry.locate(uuid)
        if leg is None:
            return Answer("command", f"-ERR invalid session id [{uuid}]")
        headers = dict(request.headers)
        if "execute-app-arg" not in headers and headers.get("content-type") == "text/plain":
            headers["execute-app-arg"] = request.body
        queue(leg, headers)
        return Answer("command", "+OK")

    def _event(self, request: Request) -> Answer:
        """A message for a leg's session. That there is no such leg, the real one does not say either."""
        leg = self.switch.registry.locate(request.headers.get("unique-id", ""))
        if leg is not None:
            eavesdropping.steer(leg, request.headers.get("eavesdrop-command", ""))
        return Answer("command", f"+OK {self.switch.new_uuid()}")

    # --- people --------------------------------------------------------------------------------------------------

    @property
    def link_faults(self) -> list[tuple[str, int]]:
        """What a server has still to do to its connections: kind, and for how many ms (see control.py)."""
        return self._control.link_faults

    @link_faults.setter
    def link_faults(self, faults: list[tuple[str, int]]) -> None:
        self._control.link_faults = faults

    def call(self, caller: Caller, now: int) -> str:
        """Somebody calls. Returns the uuid of the leg; raises ValueError when the caller's script makes no sense."""
        problem = caller.problem()
        if problem:
            raise ValueError(problem)
        self.switch.timeline.run(now)
        switch, options = self.switch, self.options
        uuid = caller.uuid or switch.new_uuid()
        party = Customer(switch, caller)
        self._arrive(uuid, caller, party, context=options.inbound_context, profile=options.trunk_profile)
        return uuid

    def dial(self, dialling: Dialling, now: int) -> str:
        """A registered phone dials. Returns the uuid of the leg; raises ValueError when that makes no sense."""
        problem = dialling.problem()
        if problem:
            raise ValueError(problem)
        self.switch.timeline.run(now)
        phone = self.switch.phones.get(dialling.extension)
        if phone is None or not phone.registered:
            raise ValueError(f"phone {dialling.extension!r} is not registered, so it has no account to call with")
        switch, options = self.switch, self.options
        uuid = switch.new_uuid()
        caller = Caller(dialled=dialling.dialled, number=dialling.number or dialling.extension)
        context, profile = options.agents_context, options.agents_profile
        party = Customer(switch, caller)
        self._arrive(uuid, caller, party, context=context, profile=profile, account=dialling.extension)
        return uuid

    def _arrive(
        self, uuid: str, caller: Caller, party: Party, *, context: str, profile: str, account: str = ""
    ) -> None:
        switch, options = self.switch, self.options
        name = f"sofia/{profile}/{caller.number}@127.0.0.1:15060"
        leg = Channel(uuid, name, inbound=True, now=switch.now)
        shown = caller.name or caller.number
        leg.profile = {
            "Username": caller.number,
            "Dialplan": "XML",
            "Caller-ID-Name": shown,
            "Caller-ID-Number": caller.number,
            "Orig-Caller-ID-Name": shown,
            "Orig-Caller-ID-Number": caller.number,
            "Network-Addr": "127.0.0.1",
            "ANI": caller.number,
            "Destination-Number": caller.dialled,
            "Source": "mod_sofia",
            "Context": context,
        }
        sip.inbound_variables(
            leg,
            number=caller.number,
            name=caller.name,
            dialled=caller.dialled,
            profile=profile,
            port=options.trunk_port,
            call=switch.new_uuid(),
        )
        if account:  # sofia_reg.c puts there whose password it was, whatever the phone says of itself
            for name in ("sip_auth_username", "user_name"):
                leg.set(name, account)
            leg.set("sip_authorized", "true")
        leg.party = party
        switch.adopt(leg, life.inbound(switch, leg))
        party.invited(leg)

    def from_peer(self, peer: str, message: Message, now: int) -> None:
        """Another switch says something of a call between the two."""
        self.switch.timeline.run(now)
        if trunk.deliver(self.switch, message) or message.get("does") != "invite":
            return
        call = str(message.get("call", ""))
        caller = Caller(
            dialled=str(message.get("dialled", "")),
            number=str(message.get("number", "")),
            name=str(message.get("name", "")),
        )
        party = trunk.Far(self.switch, peer, call)
        self._arrive(self.switch.new_uuid(), caller, party, context=trunk.CONTEXT, profile=trunk.PROFILE)

    def to_peers(self) -> list[tuple[str, Message]]:
        """What is to be said to other switches, since it was last asked for."""
        said, self.switch.trunk.outbox = self.switch.trunk.outbox, []
        return said

    def phone(self, phone: Phone, now: int) -> None:
        """Set up a phone or change its script; telling the switch of a change of its registration, as phones do.

        Raises ValueError when the script makes no sense.
        """
        problem = phone.problem()
        if problem:
            raise ValueError(problem)
        self.switch.timeline.run(now)
        before = self.switch.phones.get(phone.extension)
        if before is not None:
            phone.calls = before.calls
        self.switch.phones[phone.extension] = phone
        if phone.registered:
            registering.registered(self.switch, phone)
        elif before is not None and before.registered:
            registering.unregistered(self.switch, phone)

    def outsider(self, phone: Phone, now: int) -> None:
        """Say what the number outside that is this phone's `extension` does with calls.

        Raises ValueError when the script makes no sense.
        """
        problem = phone.problem()
        if problem:
            raise ValueError(problem)
        self.switch.timeline.run(now)
        before = self.switch.outsiders.get(phone.extension)
        if before is not None:
            phone.calls = before.calls
        self.switch.outsiders[phone.extension] = phone

    def expire(self, extension: str, now: int) -> bool:
        """The phone lost its power, and the switch has noticed by now. False when it was not registered."""
        self.switch.timeline.run(now)
        phone = self.switch.phones.get(extension)
        if phone is None or not phone.registered:
            return False
        phone.registered = False
        registering.expired(self.switch, phone)
        return True

    def hang_up(self, uuid: str, now: int) -> bool:
        """The far end of this leg hangs up. False when there is no such leg."""
        self.switch.timeline.run(now)
        leg = self.switch.registry.locate(uuid)
        if leg is None:
            return False
        leave(self.switch, leg)
        return True

    def pick_up(self, uuid: str, now: int) -> bool:
        """The ringing phone at the far end of this leg is answered. False when there is no such leg."""
        self.switch.timeline.run(now)
        leg = self.switch.registry.locate(uuid)
        if leg is None or not isinstance(leg.party, Robot):
            return False
        leg.party.pick_up(leg)
        return True

    def press(self, uuid: str, digits: str, now: int) -> bool:
        """Keys are pressed at the far end of this leg. False when there is no such leg."""
        self.switch.timeline.run(now)
        leg = self.switch.registry.locate(uuid)
        if leg is None:
            return False
        press(leg, digits)
        return True

    def hold(self, uuid: str, now: int, *, on: bool = True) -> bool:
        """The phone at the far end puts its call on hold, or takes it off. False when there is no such leg."""
        self.switch.timeline.run(now)
        leg = self.switch.registry.locate(uuid)
        if leg is None:
            return False
        if on:
            return bridging.hold(self.switch, leg, by_phone=True)
        self.switch.spawn(_ignoring(bridging.unhold(self.switch, leg, by_phone=True)))
        return True

    # --- trouble -------------------------------------------------------------------------------------------------

    def fault(self, fault: EventFault) -> None:
        """Let something go wrong with events to come."""
        self.switch.bus.faults.append(fault)

    def vanish(self, uuid: str, now: int) -> bool:
        """End a leg of which nothing is told any more. False when there is no such leg."""
        self.switch.timeline.run(now)
        leg = self.switch.registry.locate(uuid)
        if leg is None:
            return False
        self.switch.bus.muted.add(uuid)
        self.switch.hangup(leg, "NORMAL_CLEARING")
        return True

    def shut_down(self, now: int) -> None:
        """An orderly stop: SHUTDOWN is told and every leg is ended."""
        self.switch.timeline.run(now)
        shut_down(self.switch)

    def restart(self, now: int) -> None:
        """The machine lost its power and is back: no legs, no farewells, a new Core-UUID. Phones register again."""
        self.switch.timeline.run(now)
        interest, phones, outsiders = self.switch.bus.interest, self.switch.phones, self.switch.outsiders
        self.restarts += 1
        self.switch = self._boot(now)
        self.switch.bus.interest = interest
        for phone in phones.values():
            phone.calls = 0
            self.phone(phone, now)
        for outsider in outsiders.values():
            outsider.calls = 0
            self.outsider(outsider, now)


def _ignoring(steps: Steps[bool]) -> Steps[None]:
    yield from steps
