"""A simulated switch in virtual time, watched by two clients at once, one in each format. No sockets, no waiting."""

from collections.abc import Callable
from itertools import count

from freeswitch.simulator import Caller, Model, Options, Phone
from freeswitch.simulator.bus import Event
from freeswitch.simulator.connection import Connection
from freeswitch.simulator.timeline import MILLISECOND, SECOND

START = 1_795_327_827_000_000
"""Any instant would do."""

DEADLINE = 120 * SECOND


class Stage:
    """Drives a model by its own plans. `told` is every event so far; `streams` is what each client has received."""

    def __init__(self, options: Options | None = None, *, seed: int = 1) -> None:
        self.options = options or Options(write_recordings=False, poll_ms=0)
        self.model = Model(self.options, now=START, seed=seed)
        self.now = START
        self.told: list[Event] = []
        self.clients = {form: Connection(self.model, "secret") for form in ("json", "plain")}
        for form, client in self.clients.items():
            client.receive(f"auth secret\n\nevent {form} ALL\n\n".encode(), self.now)
        self._received = {client: bytearray() for client in self.clients.values()}
        self._jobs = count(1)

    # --- time ----------------------------------------------------------------------------------------------------

    def run(self, ms: float) -> list[Event]:
        """Let so much time pass; returns what was told in it."""
        before = len(self.told)
        self.run_to(self.now + int(ms * MILLISECOND))
        return self.told[before:]

    def run_to(self, moment: int) -> None:
        while (due := self.model.next_due()) is not None and due <= moment:
            self._advance(due)
        self._advance(max(moment, self.now))

    def until(self, fits: Callable[[Event], bool], *, since: int = 0) -> Event:
        """Let time pass until such an event was told (from place `since` on); AssertionError after two minutes."""
        at = since
        latest = self.now + DEADLINE
        while True:
            while at < len(self.told):
                if fits(self.told[at]):
                    return self.told[at]
                at += 1
            due = self.model.next_due()
            assert due is not None, "nothing more will happen"
            assert due <= latest, f"in vain waited; told was {self.names()}"
            self._advance(due)

    def until_told(self, name: str, leg: str = "", *, since: int = 0) -> Event:
        """The first such event of this leg (or of any)."""
        return self.until(lambda event: event.name == name and (not leg or event.lane == leg), since=since)

    def _advance(self, moment: int) -> None:
        self.now = max(moment, self.now)
        events = self.model.advance(self.now)
        self.told += events
        for client in self.clients.values():
            client.offer(events)
            client.flush(self.now)
            self._received[client] += client.outgoing
            client.outgoing.clear()

    # --- acting --------------------------------------------------------------------------------------------------

    def say(self, command: str) -> str:
        """A command that is answered at once; its answer."""
        answer = self.model.command(command, self.now).text
        assert answer is not None, f"{command} blocks"
        return answer

    def api(self, command: str) -> str:
        return self.say(f"api {command}")

    def background(self, command: str) -> str:
        """Start a job; its id."""
        job = f"job-{next(self._jobs)}"
        assert job in self.say(f"bgapi {command}\nJob-UUID: {job}")
        return job

    def job(self, command: str) -> str:
        """Run a job to its end; its reply."""
        job = self.background(command)
        return self.until(lambda event: event.name == "BACKGROUND_JOB" and event.get("Job-UUID") == job).body

    def execute(self, leg: str, name: str, argument: str = "", *, locked: bool = True) -> None:
        lock = "\nevent-lock: true" if locked else ""
        command = f"sendmsg {leg}\ncall-command: execute\nexecute-app-name: {name}\nexecute-app-arg: {argument}{lock}"
        assert self.say(command) == "+OK"

    def phone(self, extension: str, **script: object) -> None:
        self.model.phone(Phone(extension=extension, **script), self.now)  # type: ignore[arg-type] # a test's own words

    def caller(self, **script: object) -> str:
        """A caller who arrives, waits until it parked; its leg."""
        leg = self.model.call(Caller(**{"dialled": "4001", **script}), self.now)  # type: ignore[arg-type] # as above
        self.until_told("CHANNEL_PARK", leg)
        return leg

    def answered_caller(self, **script: object) -> str:
        leg = self.caller(**script)
        self.execute(leg, "answer")
        self.until_told("CHANNEL_ANSWER", leg)
        return leg

    def agent(self, extension: str = "1001", leg: str = "agent", **script: object) -> str:
        """An agent's leg that answered and parked."""
        self.phone(extension, **{"answer_after_ms": 100, **script})
        self.background(f"originate {{origination_uuid={leg},originate_timeout=20}}user/{extension}@ringledger &park()")
        self.until_told("CHANNEL_PARK", leg)
        return leg

    def talk(self, **script: object) -> tuple[str, str]:
        """A caller and an agent, bridged."""
        caller = self.answered_caller(**script)
        agent = self.agent()
        self.background(f"uuid_bridge {caller} {agent}")
        self.until_told("CHANNEL_BRIDGE", caller)
        return caller, agent

    # --- looking -------------------------------------------------------------------------------------------------

    @property
    def legs(self) -> int:
        return len(self.model.switch.legs)

    def names(self, leg: str = "", *, since: int = 0) -> list[str]:
        return [event.name for event in self.told[since:] if not leg or event.lane == leg]

    def cause(self, leg: str) -> str:
        return self.until_told("CHANNEL_HANGUP_COMPLETE", leg).get("Hangup-Cause")

    def stream(self, form: str) -> bytes:
        """What the client of this format has received."""
        return bytes(self._received[self.clients[form]])
