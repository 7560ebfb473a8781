"""Acts a captured stream of a real switch out again on the simulated one: the same stimuli, in the same order.

A capture holds what came from outside (calls, commands, digits, hang-ups of the far ends) and what the switch told
of it. The first is done again, at the same distance in time; of the second we wait until the simulator has told as
much as the real one had at that point, because the next stimulus may have been an answer to it.
"""

import json
from collections import Counter, defaultdict

from freeswitch.simulator import Caller, Options, Phone
from freeswitch.simulator.dialplan import Dialplan, Rule
from freeswitch.simulator.timeline import SECOND
from tests.esl.captures import frames, stream
from tests.simulator.stage import Stage

DIALPLAN = Dialplan(
    rules=(
        Rule("public", "^4008001001$", (("set", "did=4008001001"), ("answer", ""), ("park", ""))),
        Rule(
            "default",
            r"^(10\d\d)$",
            (
                ("set", "call_timeout=20"),
                ("set", "hangup_after_bridge=true"),
                ("set", "continue_on_fail=true"),
                ("bridge", "user/$1@127.0.0.1"),
            ),
        ),
    )
)
"""What the capturing switch's dialplan did."""

_PROMPT = "ivr/ivr-please_enter_pin_followed_by_pound.wav"
_INVALID = "ivr/ivr-that_was_an_invalid_entry.wav"

DIGITS = Dialplan(
    rules=(
        Rule(
            "public",
            "^.*$",
            (
                ("answer", ""),
                ("play_and_get_digits", f"4 4 3 5000 # {_PROMPT} {_INVALID} my_digits " + r"\d{4} 3000"),
                ("log", "INFO got digits ${my_digits}"),
                ("park", ""),
            ),
        ),
    )
)
"""The one of capture f."""


LEAVE = frozenset({"sofia_contact"})
"""Commands that the switch gave itself."""


def capture(name: str) -> list[dict[str, str]]:
    """All events of a captured stream with all their headers; the body is `_body`."""
    found = []
    for frame in frames([stream(name, "json")]):
        if frame.content_type == "text/event-json":
            headers = json.loads(frame.body)
            found.append({key: value if isinstance(value, str) else "|".join(value) for key, value in headers.items()})
    return found


def options(name: str) -> Options:
    """A switch like the one that was captured."""
    return Options(
        domain="127.0.0.1",
        trunk_profile="external",
        inbound_context="public",
        dialplan=DIGITS if name == "f" else DIALPLAN,
        late_negotiation=True,
        presence=True,
        directory_variables={"hold_music": "local_stream://moh"},
        write_recordings=False,
        poll_ms=0,
    )


class Reenactment:
    """One capture, acted out. Afterwards `stage` holds what the simulator told, `legs` its names of captured legs."""

    def __init__(self, name: str, *, seed: int = 1) -> None:
        self.events = capture(name)
        self.stage = Stage(options(name), seed=seed)
        self.legs: dict[str, str] = {}
        self._jobs: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._due: Counter[tuple[str, str]] = Counter()
        self._held: set[str] = set()
        for extension in ("1001", "1002", "1003"):
            self.stage.model.phone(Phone(extension=extension, answer_after_ms=8), self.stage.now)
        self.stage.run(0)
        self.stage.told.clear()
        for client in self.stage.clients.values():
            client.outgoing.clear()
        for event in self.events:
            if event["Event-Name"] == "BACKGROUND_JOB":
                self._jobs[event["Job-Command"], event.get("Job-Command-Arg", "")].append(event["Job-UUID"])

    def act(self) -> Stage:
        """Play it to its end."""
        began = int(self.events[0]["Event-Date-Timestamp"])
        start = self.stage.now
        for event in sorted(self.events, key=lambda event: int(event["Event-Sequence"])):
            at = max(start + int(event["Event-Date-Timestamp"]) - began, self.stage.now)
            if not self._stimulus(event, at):
                self._await(event)
        self.stage.run(500)
        return self.stage

    def _await(self, event: dict[str, str]) -> None:
        """Wait until the simulator has told of this leg as often as the real switch had; at most a second."""
        name, leg = event["Event-Name"], event.get("Unique-ID", "")
        if not leg or name == "CALL_UPDATE":
            return
        self._due[name, leg] += 1
        latest = self.stage.now + SECOND
        while self._count(name, leg) < self._due[name, leg]:
            due = self.stage.model.next_due()
            if due is None or due > latest:
                return  # the comparison will say what is missing
            self.stage.run_to(due)

    def _count(self, name: str, leg: str) -> int:
        if leg not in self.legs:
            new = (event.lane for event in self.stage.told if event.lane and event.lane not in self.legs.values())
            found = leg if any(event.lane == leg for event in self.stage.told) else next(new, "")
            if not found:
                return 0
            self.legs[leg] = found
        return sum(event.name == name and event.lane == self.legs[leg] for event in self.stage.told)

    def _stimulus(self, event: dict[str, str], at: int) -> bool:
        """Do what came from outside, if this event tells of such. True when nothing is to be waited for."""
        name, leg = event["Event-Name"], event.get("Unique-ID", "")
        model = self.stage.model
        if name == "API":
            if event["API-Command"] not in LEAVE:
                self.stage.run_to(at)
                self._command(event["API-Command"], event.get("API-Command-Argument", ""))
            return True
        if name == "CHANNEL_STATE" and event["Channel-State"] == "CS_NEW":
            self.stage.run_to(at)
            model.call(self._caller(leg), self.stage.now)
        elif name == "DTMF" and event["DTMF-Source"] == "RTP":
            self.stage.run_to(at)
            model.press(leg, event["DTMF-Digit"], self.stage.now)
        elif name == "CHANNEL_HOLD" and event["Event-Calling-Function"] == "switch_channel_mark_hold":
            self.stage.run_to(at)
            self._held.add(leg)
            model.hold(leg, self.stage.now)
        elif name == "PLAYBACK_STOP" and event.get("Other-Leg-Unique-ID", "") in self._held:
            self.stage.run_to(at)
            self._held.discard(event["Other-Leg-Unique-ID"])
            model.hold(event["Other-Leg-Unique-ID"], self.stage.now, on=False)
        elif name == "CHANNEL_HANGUP" and self._far_end_left(leg):
            self.stage.run_to(at)
            model.hang_up(leg, self.stage.now)
        return False

    def _far_end_left(self, leg: str) -> bool:
        """Whether nobody told the switch to end this leg, and it was not a bridge's end that did."""
        told = any(e["Event-Name"] == "API" and leg in e.get("API-Command-Argument", "") for e in self._kills())
        hangup = next(e for e in self.events if e["Event-Name"] == "CHANNEL_HANGUP" and e["Unique-ID"] == leg)
        alone = int(hangup["Event-Sequence"]) == min(
            int(e["Event-Sequence"]) for e in self.events if e["Event-Name"] == "CHANNEL_HANGUP"
        )
        return not told and alone and hangup["Hangup-Cause"] == "NORMAL_CLEARING"

    def _kills(self) -> list[dict[str, str]]:
        return [event for event in self.events if event.get("API-Command") == "uuid_kill"]

    def _caller(self, leg: str) -> Caller:
        created = next(e for e in self.events if e["Event-Name"] == "CHANNEL_CREATE" and e["Unique-ID"] == leg)
        return Caller(
            uuid=leg,
            dialled=created["Caller-Destination-Number"],
            number=created["Caller-Caller-ID-Number"],
            name=created["Caller-Caller-ID-Name"],
        )

    def _command(self, name: str, argument: str) -> None:
        jobs = self._jobs[name, argument]
        line = f"{name} {argument}".strip()
        if jobs:
            self.stage.say(f"bgapi {line}\nJob-UUID: {jobs.pop(0)}")
        else:
            self.stage.model.command(f"api {line}", self.stage.now)
