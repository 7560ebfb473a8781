"""`make capture`: record from a real switch what the captures of others lack, into freeswitch/captures/own-*.

Each scenario is played once for each format: one subscriber of everything gives all the commands itself, so that its
stream holds their replies among the events. `NAME.FORMAT.esl.gz` is what the socket sent, `.idx.gz` the time and offset
of each read, `.sent.gz` the time and text of each command, in order.
"""

import argparse
import gzip
import json
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from orchestrator.esl.frames import FrameReader
from tests.lab.caller import SippCaller
from tests.lab.control import Control
from tests.lab.patience import until
from tests.lab.phone import BaresipPhone, RefusingPhone
from tests.lab.switch import RealSwitch

INTO: Final = Path(__file__).parents[2] / "freeswitch" / "captures"
FORMATS: Final = ("json", "plain")
EXTENSIONS: Final = ("1001", "1002", "1003", "1004", "1005")
ATTEMPTS: Final = 20
"""A race has to be met: so often is a scenario played until it went as its name says."""


class Missed(Exception):
    """The scenario did not go the way that is to be recorded."""


class Recorder:
    """A subscriber that keeps every byte. Commands are written one at a time, each after the reply to the last."""

    def __init__(self, switch: RealSwitch, form: str) -> None:
        self.form = form
        self.data = bytearray()
        self.reads: list[tuple[float, int]] = []
        self.sent: list[tuple[float, str]] = []
        self._reader = FrameReader()
        self._replies: list[str] = []
        self._socket = socket.create_connection(("127.0.0.1", switch.plan.esl_port), timeout=10)
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._password = switch.plan.esl_password

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: bool(self.reads), "the greeting")
        self.send(f"auth {self._password}", shown="auth …")
        self.send(f"event {self.form} ALL")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.send("exit")
        self._thread.join(5)
        self._socket.close()

    def send(self, command: str, *, shown: str = "") -> str:
        """Write a command; returns its reply, as text."""
        expected = len(self._replies) + 1
        self.sent.append((time.monotonic() - self._began, shown or command))
        self._socket.sendall(command.encode() + b"\n\n")
        until(lambda: len(self._replies) >= expected, f"the reply to {shown or command!r}")
        return self._replies[expected - 1]

    def background(self, command: str) -> str:
        """Write a bgapi command under an id of ours, which is returned."""
        job = str(uuid4())
        self.send(f"bgapi {command}\nJob-UUID: {job}")
        return job

    def execute(self, leg: str, application: str, argument: str = "", *, locked: bool = False) -> str:
        """Queue an application on a leg."""
        lines = [f"sendmsg {leg}", "call-command: execute", f"execute-app-name: {application}"]
        lines += [f"execute-app-arg: {argument}"] if argument else []
        lines += ["event-lock: true"] if locked else []
        return self.send("\n".join(lines))

    def write(self, folder: Path, name: str) -> str:
        """Put the stream and its two tables into `folder`; returns a line about them."""
        stem = f"{name}.{self.form}.esl"
        index = "".join(f"{at:.6f} {offset}\n" for at, offset in self.reads)
        sent = "".join(json.dumps([round(at, 6), command]) + "\n" for at, command in self.sent)
        for suffix, content in ((".gz", bytes(self.data)), (".idx.gz", index.encode()), (".sent.gz", sent.encode())):
            (folder / f"{stem}{suffix}").write_bytes(gzip.compress(content, mtime=0))
        size = (folder / f"{stem}.gz").stat().st_size
        return f"{stem}.gz: {len(self.data)} bytes, {len(self.sent)} commands, {size} bytes packed"

    def _read(self) -> None:
        while True:
            try:
                data = self._socket.recv(65_536)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            self.reads.append((time.monotonic() - self._began, len(self.data)))
            self.data += data
            for frame in self._reader.feed(data):
                if frame.content_type == "command/reply":
                    self._replies.append(frame.header("Reply-Text"))
                elif frame.content_type == "api/response":
                    self._replies.append(frame.text)


class Play:
    """One scenario being played: the recorder, and a second, silent connection on which it is watched."""

    def __init__(self, switch: RealSwitch, folder: Path, recorder: Recorder, watch: Control) -> None:
        self.switch = switch
        self.folder = folder
        self.record = recorder
        self.watch = watch

    def caller(self) -> SippCaller:
        return SippCaller(self.folder, self.switch.plan.trunk_port)

    def parked(self) -> str:
        """The caller's leg, once it is parked."""
        return str(self.watch.await_event("CHANNEL_PARK", Call_Direction="inbound")["Unique-ID"])

    def answered(self, caller: SippCaller) -> str:
        """The caller's leg, answered and with music."""
        leg = self.parked()
        self.record.send(f"api uuid_setvar {leg} ringledger_contact c-1")
        self.record.execute(leg, "answer", locked=True)
        self.record.execute(leg, "playback", "local_stream://ringledger")
        caller.await_answer()
        return leg

    def ring(self, extension: str, *, seconds: int = 20) -> tuple[str, str]:
        """A new leg to this phone, and its job."""
        leg = str(uuid4())
        variables = (
            f"origination_uuid={leg},ringledger_contact=c-1,ringledger_offer=o-1,originate_timeout={seconds},"
            "ignore_early_media=true,origination_caller_id_number=+31201234567,origination_caller_id_name='Ada'"
        )
        return leg, self.record.background(f"originate {{{variables}}}user/{extension}@ringledger &park()")

    def agent(self, extension: str = "1001") -> str:
        """A leg to this phone, answered and parked."""
        leg, _ = self.ring(extension)
        self.watch.await_event("CHANNEL_PARK", Unique_ID=leg)
        return leg

    def phone(self) -> BaresipPhone:
        return BaresipPhone(self.folder, self.switch.phone("1001"), self.switch.plan.sip_port)

    def ended(self, leg: str) -> None:
        self.watch.await_event("CHANNEL_HANGUP_COMPLETE", Unique_ID=leg, within_s=20)

    def job_ended(self, job: str) -> str:
        return str(self.watch.await_event("BACKGROUND_JOB", Job_UUID=job, within_s=20)["_body"]).strip()


def replies(play: Play) -> None:
    """Every command of ours on a living call, then each on a leg that is gone, and a few that are no commands."""
    record = play.record
    with play.phone() as phone, play.caller() as caller:
        leg = play.answered(caller)
        other = play.agent()
        record.background(f"uuid_bridge {leg} {other}")
        play.watch.await_event("CHANNEL_BRIDGE")
        record.background(f"uuid_record {leg} start {play.switch.plan.recordings}/own.wav")
        play.watch.await_event("RECORD_START")
        time.sleep(0.4)  # a hold sooner than this after the bridge is another story
        record.background(f"uuid_hold {other}")
        play.watch.await_event("CHANNEL_HOLD")
        time.sleep(0.4)
        record.background(f"uuid_hold off {other}")
        play.watch.await_event("CHANNEL_UNHOLD")
        record.background(f"uuid_phone_event {other} talk")
        for question in (f"uuid_exists {leg}", f"uuid_dump {leg} json", "show channels as json", "status"):
            record.send(f"api {question}")
        record.send("api global_setvar ringledger_alive=1700000000")
        record.send("api global_getvar core_uuid")
        record.background(f"uuid_kill {other} NORMAL_CLEARING")
        play.watch.await_event("CHANNEL_PARK", Unique_ID=leg)
        record.background(f"uuid_kill {leg} NORMAL_CLEARING")
        play.ended(leg)
        phone.await_count("CALL_CLOSED", 1)
    for command in (
        *(f"uuid_kill {leg} NORMAL_CLEARING", f"uuid_bridge {leg} {other}", f"uuid_hold {other}"),
        *(f"uuid_hold off {other}", f"uuid_record {leg} start {play.switch.plan.recordings}/own.wav"),
        f"uuid_phone_event {other} talk",
    ):
        play.job_ended(record.background(command))
    record.execute(leg, "answer")
    for question in (f"uuid_exists {leg}", f"uuid_dump {leg} json", f"uuid_setvar {leg} a b", f"uuid_break {leg} all"):
        record.send(f"api {question}")
    record.send("api nothing_of_the_kind")
    record.send("nothing of the kind")
    play.job_ended(record.background("nothing_of_the_kind"))


def ghost(play: Play) -> None:
    """The caller hangs up between the agent's answer and the bridge: the agent's leg is left alone until killed."""
    with play.phone(), play.caller() as caller:
        leg = play.answered(caller)
        other = play.agent()
        job = play.record.background(f"uuid_bridge {leg} {other}")
        caller.hang_up()
        play.ended(leg)
        reply = play.job_ended(job)
        alone = play.record.send(f"api uuid_exists {other}") == "true"
        bridged = any(event["Event-Name"] == "CHANNEL_BRIDGE" for event in play.watch.events)
        play.record.background(f"uuid_kill {other} NORMAL_CLEARING")
        if not alone or bridged or not reply.startswith("+OK"):
            raise Missed
        play.ended(other)


def orphan(play: Play) -> None:
    """The agent's leg dies between its answer and the bridge: the caller is parked again, and waits on."""
    with play.phone(), play.caller() as caller:
        leg = play.answered(caller)
        other = play.agent()
        play.record.background(f"uuid_bridge {leg} {other}")
        play.record.background(f"uuid_kill {other} NORMAL_CLEARING")
        play.ended(other)
        if any(event["Event-Name"] == "CHANNEL_BRIDGE" for event in play.watch.events):
            raise Missed
        play.watch.await_event("CHANNEL_PARK", Unique_ID=leg)
        play.record.execute(leg, "playback", "local_stream://ringledger")
        play.watch.await_event("PLAYBACK_START", Unique_ID=leg)
        caller.hang_up()
        play.ended(leg)


def refusals(play: Play) -> None:
    """Phones that do not answer: busy, rejecting, ringing on, not registered, in no directory."""
    port = play.switch.plan.sip_port
    with (
        RefusingPhone(play.folder, play.switch.phone("1002"), port, 486),
        RefusingPhone(play.folder, play.switch.phone("1003"), port, 603),
        BaresipPhone(play.folder, play.switch.phone("1004"), port, answers=False),
    ):
        for extension in ("1002", "1003", "1004", "1005", "4242"):
            leg, job = play.ring(extension, seconds=2)
            play.job_ended(job)
            if extension in ("1002", "1003", "1004"):
                play.ended(leg)


def apology(play: Play) -> None:
    """A caller waits to music, hears the prompt to its end, and is hung up."""
    with play.caller() as caller:
        leg = play.answered(caller)
        play.watch.await_event("PLAYBACK_START", Unique_ID=leg)
        play.record.send(f"api uuid_break {leg} all")
        play.record.execute(leg, "playback", "apology.wav", locked=True)
        play.record.execute(leg, "hangup", "NORMAL_CLEARING", locked=True)
        play.ended(leg)


SCENARIOS: Final[dict[str, Callable[[Play], None]]] = {
    "own-replies": replies,
    "own-ghost": ghost,
    "own-orphan": orphan,
    "own-refusals": refusals,
    "own-apology": apology,
}


def record(switch: RealSwitch, folder: Path, name: str, form: str, into: Path) -> str:
    """Play one scenario and write its stream; returns a line about it. AssertionError where it never went right."""
    for attempt in range(1, ATTEMPTS + 1):
        with switch.control() as watch:
            watch.subscribe(
                "CHANNEL_PARK CHANNEL_BRIDGE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_HANGUP_COMPLETE RECORD_START "
                "PLAYBACK_START BACKGROUND_JOB"
            )
            try:
                with Recorder(switch, form) as recorder:
                    SCENARIOS[name](Play(switch, folder, recorder, watch))
                    until(lambda: switch.channels(watch) == 0, "the switch to have no channel left")
            except Missed:
                until(lambda: switch.channels(watch) == 0, "the switch to have no channel left")
                continue
        return f"{recorder.write(into, name)}, at attempt {attempt}"
    raise AssertionError(f"{name} did not go as it should in {ATTEMPTS} attempts")


def main() -> int:
    """Record all scenarios, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.capture", description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(SCENARIOS))
    parser.add_argument("--into", type=Path, default=INTO, help="folder (default: freeswitch/captures)")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    with tempfile.TemporaryDirectory(prefix="ringledger-capture-") as name:
        folder = Path(name)
        with RealSwitch(folder, extensions=EXTENSIONS) as switch:
            for scenario in asked.names or SCENARIOS:
                for form in FORMATS:
                    sys.stdout.write(record(switch, folder, scenario, form, asked.into) + "\n")
                    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
