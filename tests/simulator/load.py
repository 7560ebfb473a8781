"""How many calls a second the simulated switch sets up and tears down, on one core, with one client.

Each call: a caller arrives and parks, is answered, an agent's leg is made, both are bridged, the agent hangs up, the
caller is hung up. Run `python -m tests.simulator.load [calls a second] [seconds]`; it prints one JSON line.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Self

EVENTS = (
    "CHANNEL_CREATE CHANNEL_PARK CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_BRIDGE "
    "CHANNEL_UNBRIDGE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_HANGUP_COMPLETE RECORD_START RECORD_STOP BACKGROUND_JOB "
    "HEARTBEAT SHUTDOWN CUSTOM sofia::register sofia::unregister sofia::expire"
)
PHONES = 50
_HEADER = re.compile(rb'"(Event-Name|Unique-ID|Call-Direction|Bridge-B-Unique-ID)":"([^"]*)"')
_LENGTH = re.compile(rb"Content-Length: (\d+)")


@dataclass
class Figures:
    """What was measured. CPU is the simulator's own, user and system."""

    calls: int
    seconds: float
    calls_per_s: float
    events: int
    megabytes: float
    cpu_s: float
    cpu_ms_per_call: float
    cores_used: float


class Simulator:
    """A simulated switch in a process of its own, for the length of a measurement."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "freeswitch.simulator", "--port", "0", "--password", "load", *options]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout is not None
        self.port = int(self.child.stdout.readline().rpartition(":")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.terminate()
        assert self.child.wait(10) == 0
        assert self.child.stdout is not None
        self.child.stdout.close()

    def cpu(self) -> float:
        """Seconds of CPU that it has used so far."""
        with open(f"/proc/{self.child.pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - one line of one read
            words = file.read().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Load:
    """One client that plays a very small orchestrator, without reading more of an event than it must."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.buffer = b""
        self.events = 0
        self.received = 0
        self.ended = 0
        self.callers: dict[bytes, bytes] = {}
        self.seen: set[bytes] = set()
        self.made = 0
        self.say("auth load", f"event json {EVENTS}")
        for number in range(PHONES):
            phone = {"extension": str(2000 + number), "answer_after_ms": 20, "talk_ms": 100, "lines": 100_000}
            self.say(f"api simulator phone {json.dumps(phone)}")

    def say(self, *commands: str) -> None:
        self.sock.sendall("".join(f"{command}\n\n" for command in commands).encode())

    def arrive(self, calls: int) -> None:
        for _ in range(calls):
            self.made += 1
            caller = {"dialled": "4008001001", "number": f"138{self.made:08}", "name": "Load Caller"}
            self.say(f"api simulator call {json.dumps(caller)}")

    def work(self, until: float) -> None:
        """Serve until this time (monotonic seconds)."""
        while (left := until - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(1 << 20)
            except TimeoutError:
                return
            assert data, "the simulator closed the connection"
            self.received += len(data)
            self.buffer += data
            self._read()

    def _read(self) -> None:
        buffer, at = self.buffer, 0
        answers: list[str] = []
        while (end := buffer.find(b"\n\n", at)) >= 0:
            found = _LENGTH.search(buffer, at, end)
            length = int(found[1]) if found else 0
            if len(buffer) < end + 2 + length:
                break
            if length and b"event-json" in buffer[at:end]:
                self.events += 1
                self._event(dict(_HEADER.findall(buffer, end + 2, end + 2 + length)), answers)
            at = end + 2 + length
        self.buffer = buffer[at:]
        if answers:
            self.say(*answers)

    def _event(self, event: dict[bytes, bytes], answers: list[str]) -> None:
        name, leg = event[b"Event-Name"], event.get(b"Unique-ID", b"")
        if name == b"CHANNEL_PARK" and event[b"Call-Direction"] == b"inbound":
            if leg in self.seen:
                answers.append(f"bgapi uuid_kill {leg.decode()} NORMAL_CLEARING")
                return
            agent = b"agent-" + leg
            self.seen.add(leg)
            self.callers[agent] = leg
            extension = 2000 + len(self.seen) % PHONES
            variables = f"origination_uuid={agent.decode()},ringledger_contact=c{leg.decode()},originate_timeout=20"
            answers += [
                f"sendmsg {leg.decode()}\ncall-command: execute\nexecute-app-name: answer\nevent-lock: true",
                f"bgapi originate {{{variables},ignore_early_media=true}}user/{extension}@ringledger &park()",
            ]
        elif name == b"CHANNEL_PARK":
            answers.append(f"bgapi uuid_bridge {self.callers[leg].decode()} {leg.decode()}")
        elif name == b"CHANNEL_HANGUP_COMPLETE" and event[b"Call-Direction"] == b"inbound":
            self.ended += 1


def measure(rate: float, seconds: float) -> Figures:
    """Let callers arrive evenly at this rate and serve them all. Raises AssertionError when one is not served."""
    with Simulator("--max-sessions", "20000", "--no-recordings") as simulator:
        load = Load(simulator.port)
        load.work(time.monotonic() + 0.5)
        cpu, began = simulator.cpu(), time.monotonic()
        while (now := time.monotonic()) < began + seconds:
            load.arrive(int((now - began) * rate) - load.made)
            load.work(now + 0.01)
        deadline = time.monotonic() + 60
        while load.ended < load.made and time.monotonic() < deadline:
            load.work(time.monotonic() + 0.01)
        took = time.monotonic() - began
        used = simulator.cpu() - cpu
        assert load.ended == load.made, f"{load.made - load.ended} of {load.made} callers were not served"
        load.sock.close()
    return Figures(
        calls=load.made,
        seconds=round(took, 2),
        calls_per_s=round(load.made / took, 1),
        events=load.events,
        megabytes=round(load.received / 1e6, 1),
        cpu_s=round(used, 2),
        cpu_ms_per_call=round(used / load.made * 1000, 3),
        cores_used=round(used / took, 2),
    )


if __name__ == "__main__":
    asked = [float(word) for word in sys.argv[1:]]
    print(json.dumps(asdict(measure(*(asked or [200, 5])))))
