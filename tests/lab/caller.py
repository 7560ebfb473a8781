"""Callers: sipp, sending real SIP and RTP, and keeping its own count of what became of its calls."""

import csv
import itertools
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

from tests.lab.patience import until
from tests.lab.ports import free_port, free_range
from tests.lab.process import Child
from tests.lab.sound import alaw_tone

SCENARIOS = Path(__file__).with_name("scenarios")
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Account:
    """A sipp process's own story, call by call, and its final counts (-1 while it runs)."""

    answered: int
    hung_up: int
    """Ended by the caller after the answer."""
    was_hung_up: int
    """Ended by the other side after the answer."""
    gave_up: int
    """Cancelled by the caller before an answer."""
    refused: tuple[int, ...]
    """SIP statuses of calls that were refused."""
    successful: int = -1
    failed: int = -1
    """Calls that went otherwise than any caller should see: a time-out, an unexpected message."""


class SippCaller:
    """One or many callers to one number. They begin when the block is entered and are gone when it is left.

    A single caller hangs up on `hang_up()`, after `talk_ms`, or when the switch ends the call; whichever comes first.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        dialled: str = "4000",
        number: str = "+31201234567",
        name: bytes = b'"Caller" ',
        calls: int = 1,
        per_second: int = 1,
        patience_ms: int | None = None,
        talk_ms: int | None = None,
        address: str = "127.0.0.1",
        tone_hz: int | None = 1_000,
    ) -> None:
        """`name` is put before the address of the From header byte for byte. `patience_ms` gives up before an answer.

        `tone_hz` None sends no sound. All calls come from `address` and share one port.
        """
        self.folder = folder / f"caller-{next(_numbers)}"
        self.folder.mkdir(parents=True)
        self.address, self.calls = address, calls
        self.port = free_port()
        self.sends_sound = tone_hz is not None
        stream = ""
        if tone_hz is not None:
            sound = alaw_tone(self.folder / "tone.alaw", tone_hz)
            stream = f'<exec rtp_stream="{sound.name},-1,8"/>'
        text = Template((SCENARIOS / "caller.xml").read_text("latin-1")).substitute(
            dialled=dialled,
            number=number,
            from_name="$from_name",
            waiting=_after(patience_ms, 1),
            talking=_after(talk_ms, 2),
            stream=stream,
        )
        scenario = self.folder / "caller.xml"
        # sipp fills in what stands in brackets, so a bracket of the name is itself one of the things filled in.
        scenario.write_bytes(text.encode("latin-1").replace(b"$from_name", name.replace(b"[", b"[bracket]")))
        rtp = free_range(4 + 4 * min(calls, 500)) if self.sends_sound else free_range(4)
        self.command = [
            *("sipp", f"127.0.0.1:{port}", "-sf", str(scenario), "-i", address, "-p", str(self.port)),
            *("-m", str(calls), "-r", str(per_second), "-l", str(calls)),
            *("-cid_str", f"%u-{os.getpid()}-{self.port}@lab"),
            *("-key", "bracket", "["),
            *("-mi", address, "-mp", str(rtp)),
            *("-trace_logs", "-log_file", "story.log", "-trace_stat", "-stf", "counts.csv", "-fd", "1"),
            *("-trace_err", "-error_file", "errors.log", "-nostdin", "-skip_rlimit", "-aa"),
        ]
        self.child: Child | None = None

    def __enter__(self) -> Self:
        self.child = Child(self.command, output=self.folder / "output.txt", folder=self.folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.child is not None:
            self.child.stop(patience_s=2)

    def hang_up(self, call: int = 1) -> None:
        """Order the caller to end its call now: CANCEL before an answer, BYE after it. Returns once it obeys."""
        ident = f"{call}-{os.getpid()}-{self.port}@lab"
        order = (
            f"INFO sip:caller@{self.address}:{self.port} SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-order\r\n"
            f"From: <sip:laboratory@127.0.0.1>;tag=1\r\nTo: <sip:caller@127.0.0.1>\r\n"
            f"Call-ID: {ident}\r\nCSeq: 1 INFO\r\nContent-Length: 0\r\n\r\n"
        )
        before = self._endings()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:

            def obeyed() -> bool:
                # An order that arrives between two steps of the scenario is passed over, so it is given again.
                sender.sendto(order.encode(), (self.address, self.port))
                return self._endings() > before or not (self.child and self.child.running)

            until(obeyed, "the caller to hang up")

    def _endings(self) -> int:
        account = self.account()
        return account.hung_up + account.gave_up + account.was_hung_up

    def await_answer(self, within_s: float = 30.0) -> None:
        """Return once the (first) caller's call was answered, by the caller's own account."""
        until(lambda: self.account().answered > 0, "the caller to be answered", within_s=within_s)

    def await_end(self, within_s: float = 30.0) -> Account:
        """The final account, once all calls are over and sipp has ended by itself."""
        assert self.child is not None, "enter the block first"
        self.child.wait(within_s)
        return self.account()

    def account(self) -> Account:
        """The account so far."""
        story = self.folder / "story.log"
        lines = [line.split() for line in story.read_text().splitlines()] if story.exists() else []
        words = [line[0] for line in lines if line]
        successful = failed = -1
        if self.child is not None and not self.child.running:
            successful, failed = self._totals()
        return Account(
            answered=words.count("answered"),
            hung_up=words.count("hung-up"),
            was_hung_up=words.count("was-hung-up"),
            gave_up=words.count("gave-up"),
            refused=tuple(int(line[2]) for line in lines if line and line[0] == "refused"),
            successful=successful,
            failed=failed,
        )

    def last_words(self) -> str:
        """What sipp found unexpected, if anything."""
        errors = self.folder / "errors.log"
        return errors.read_text(errors="replace")[-2_000:] if errors.exists() else "(sipp found nothing unexpected)"

    def _totals(self) -> tuple[int, int]:
        with (self.folder / "counts.csv").open(newline="") as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
        return int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])


def _after(milliseconds: int | None, label: int) -> str:
    return "" if milliseconds is None else f'timeout="{milliseconds}" ontimeout="{label}"'
