"""Agents' phones: baresip for those that talk, sipp for those that refuse. Each keeps its own count.

`BaresipPhone` answers by itself or rings until told; it sends 500 Hz. `RefusingPhone` says a SIP status of the test's
choice. `vanished` registers a phone that is not there.
"""

import itertools
import json
import socket
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Any, Self

from freeswitch.directory import Phone
from tests.lab.caller import SCENARIOS
from tests.lab.patience import until
from tests.lab.ports import free_port, free_range
from tests.lab.process import Child
from tests.lab.sound import alaw_tone

_numbers = itertools.count(1)

MODULES = ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules")

CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{sip}
rtp_ports {rtp}-{rtp_last}
call_local_timeout 600
call_max_calls 8
audio_source ausine,{hertz}
ausrc_srate 48000
ausrc_channels 2
audio_player aubridge,nobody
audio_alert aubridge,nobody
module_path {modules}
module g711.so
module ausine.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""

ACCOUNT = (
    "<sip:{extension}@127.0.0.1:{port};transport=udp>"
    ";auth_user={extension};auth_pass={password};regint={expires_s};answermode={mode};audio_codecs=pcma\n"
)


class BaresipPhone:
    """A talking phone, registered when the block is entered. `answers`: it picks up by itself, at once."""

    def __init__(
        self,
        folder: Path,
        account: Phone,
        port: int,
        *,
        answers: bool = True,
        hertz: int = 500,
        expires_s: int = 60,
        listens_at: int = 0,
    ) -> None:
        """`expires_s` 0: it registers nowhere, and is called at the port `listens_at`."""
        self.folder = folder / f"phone-{account.extension}-{next(_numbers)}"
        self.folder.mkdir(parents=True)
        self.account, self.registrar = account, port
        self.control_port = free_port()
        self.counts: Counter[str] = Counter()
        """How many events of each type this phone itself reported, e.g. CALL_INCOMING, CALL_ESTABLISHED."""
        self.child: Child | None = None
        self._socket: socket.socket | None = None
        self._buffer = b""
        self._answers: list[str] = []
        modules = next((folder for folder in MODULES if Path(folder).is_dir()), None)
        assert modules, f"baresip's modules are in none of {MODULES}: install baresip"
        rtp = free_range(20)
        self.sip_port = listens_at or free_port()
        self._registers = expires_s > 0
        config = CONFIG.format(
            sip=self.sip_port, rtp=rtp, rtp_last=rtp + 19, hertz=hertz, modules=modules, control=self.control_port
        )
        (self.folder / "config").write_text(config)
        mode = "auto" if answers else "manual"
        line = ACCOUNT.format(
            extension=account.extension, port=port, password=account.password, mode=mode, expires_s=expires_s
        )
        (self.folder / "accounts").write_text(line)
        (self.folder / "contacts").write_text("")

    def __enter__(self) -> Self:
        command = ["baresip", "-f", str(self.folder)]
        self.child = Child(command, output=self.folder / "output.txt", folder=self.folder)
        try:
            self._socket = until(self._connected, "baresip to take commands")
            if self._registers:
                until(self._registered, f"phone {self.account.extension} to be registered")
        except AssertionError as error:
            self.child.stop()
            raise AssertionError(f"{error}. {self.child.last_words()}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()
        if self.child is not None:
            self.child.stop()

    def accept(self) -> None:
        """Pick up the ringing call."""
        self.command("accept")

    def hang_up(self) -> None:
        """End the talk; or refuse the ringing call, which this phone does with 486 Busy Here."""
        self.command("hangup")

    def hold(self) -> None:
        """Press the phone's own hold key (a re-INVITE)."""
        self.command("hold")

    def resume(self) -> None:
        """Press the phone's own hold key again."""
        self.command("resume")

    def dial(self, number: str) -> None:
        """Call this number by itself; it puts whoever it talks with on hold first."""
        counts = self.look()
        if counts["CALL_ESTABLISHED"] > counts["CALL_CLOSED"]:
            self.hold()
        self.command("dial", f"sip:{number}@127.0.0.1:{self.registrar}")

    def leave(self) -> None:
        """Be switched off: it says goodbye to the switch."""
        assert self.child is not None, "enter the block first"
        self.child.stop()

    def die(self) -> None:
        """Lose power: no BYE, no unregister."""
        assert self.child is not None, "enter the block first"
        self.child.kill()

    def command(self, name: str, parameters: str = "") -> None:
        """Send one of baresip's long commands."""
        assert self._socket is not None, "enter the block first"
        body = json.dumps({"command": name, "params": parameters})
        self._socket.sendall(f"{len(body)}:{body},".encode())

    def await_count(self, event: str, count: int, *, within_s: float = 30.0) -> None:
        """Return once this phone itself has reported `count` events of this type."""
        what = f"phone {self.account.extension} to report {count} {event}"
        until(lambda: self.look()[event] >= count, what, within_s=within_s)

    def look(self) -> Counter[str]:
        """Read what the phone has reported so far; returns the counts."""
        assert self._socket is not None, "enter the block first"
        self._socket.setblocking(False)
        try:
            while data := self._socket.recv(65_536):
                self._buffer += data
        except BlockingIOError:
            pass
        finally:
            self._socket.setblocking(True)
        for message in self._messages():
            if message.get("event"):
                self.counts[message["type"]] += 1
            else:
                self._answers.append(str(message.get("data", "")))
        return self.counts

    def _registered(self) -> bool:
        # Asked, not listened for: the news may have come before we did. Its answer shows a coloured OK a line.
        self.command("reginfo")
        self.look()
        return any("OK" in answer for answer in self._answers)

    def _messages(self) -> list[dict[str, Any]]:
        """Whole netstrings (length:text,) received so far."""
        found: list[dict[str, Any]] = []
        while True:
            length, colon, rest = self._buffer.partition(b":")
            if not colon or len(rest) <= int(length):
                return found
            found.append(json.loads(rest[: int(length)].decode(errors="replace")))
            self._buffer = rest[int(length) + 1 :]

    def _connected(self) -> socket.socket | None:
        assert self.child is not None
        assert self.child.running, f"baresip ended by itself. {self.child.last_words()}"
        try:
            return socket.create_connection(("127.0.0.1", self.control_port), timeout=5)
        except ConnectionError:
            return None


class NumberAtPhone(BaresipPhone):
    """A number behind a trunk, at a phone that puts down when it is told to."""

    def __init__(self, folder: Path, number: str, port: int, *, answers: bool = True) -> None:
        """`port` is where the switch's trunk leads."""
        super().__init__(folder, Phone(number, "nobody registers"), port, answers=answers, expires_s=0, listens_at=port)


class SippPhones:
    """Registered phones played by one sipp process, as a scenario says."""

    expires_s = 120
    """So long they are registered: they do not renew it."""

    def __init__(
        self, folder: Path, accounts: Sequence[Phone], port: int, scenario_text: str, *, sip_port: int | None = None
    ) -> None:
        self.folder = folder / f"phones-{accounts[0].extension}-{next(_numbers)}"
        self.folder.mkdir(parents=True)
        self.accounts, self.registrar = accounts, port
        self.sip_port = sip_port or free_port()
        scenario = self.folder / "phone.xml"
        scenario.write_text(scenario_text)
        self.command = [
            *("sipp", "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(self.sip_port), "-mp", str(free_range(4))),
            *("-trace_logs", "-log_file", "story.log", "-trace_err", "-error_file", "errors.log"),
            *("-nostdin", "-skip_rlimit"),
        ]
        self.child: Child | None = None

    def __enter__(self) -> Self:
        for account in self.accounts:
            address = f"127.0.0.1:{self.sip_port}"
            register(self.folder, account, self.registrar, address, expires_s=self.expires_s)
        self.child = Child(self.command, output=self.folder / "output.txt", folder=self.folder)
        until(self._listens, "sipp to listen as a phone")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.child is not None:
            self.child.stop(patience_s=2)

    @property
    def rung(self) -> int:
        """How often they were called, by their own account."""
        return self._told("rang")

    @property
    def answered(self) -> int:
        """How many calls they answered and saw acknowledged, by their own account."""
        return self._told("answered")

    def _told(self, word: str) -> int:
        story = self.folder / "story.log"
        return sum(line.startswith(word) for line in story.read_text().splitlines()) if story.exists() else 0

    def _errors(self) -> str:
        errors = self.folder / "errors.log"
        return errors.read_text(errors="replace")[-1_000:] if errors.exists() else "(sipp found nothing unexpected)"

    def _listens(self) -> bool:
        """Asked of the kernel: whoever tried the port by binding it would now and then take it from sipp."""
        assert self.child is not None
        assert self.child.running, f"sipp ended by itself: {self._errors()}. {self.child.last_words()}"
        sockets = Path("/proc/net/udp").read_text().splitlines()[1:]
        return any(int(line.split()[1].rpartition(":")[2], 16) == self.sip_port for line in sockets)


class RefusingPhone(SippPhones):
    """A registered phone that rings `ring_ms` and answers every call with one SIP status, e.g. 486, 603 or 302."""

    def __init__(self, folder: Path, account: Phone, port: int, status: int, *, ring_ms: int = 100) -> None:
        super().__init__(folder, [account], port, refusing(status, ring_ms))


class ObedientPhone(SippPhones):
    """A registered phone that rings until the switch asks it to answer by itself (NOTIFY `talk`), and then does."""

    def __init__(self, folder: Path, account: Phone, port: int) -> None:
        super().__init__(folder, [account], port, _scenario("phone_obeys", rtp=free_range(2)))


class AnsweringPhones(SippPhones):
    """Many registered phones without sound that answer every call after `answer_ms`: cheap, for load.

    They hang up `talk_ms` after the answer, where that is given.
    """

    expires_s = 300  # as long as our switch lets it hold (sip-force-expires-max): figures take minutes

    def __init__(
        self, folder: Path, accounts: Sequence[Phone], port: int, *, answer_ms: int = 0, talk_ms: int | None = None
    ) -> None:
        super().__init__(folder, accounts, port, answering(answer_ms, talk_ms))


class OutsideNumbers(SippPhones):
    """Every number behind a trunk: they ring for `ring_ms`, then answer, or refuse with a SIP status."""

    def __init__(self, folder: Path, port: int, *, status: int = 200, ring_ms: int = 100) -> None:
        """`port` is where the switch's trunk leads."""
        text = answering(ring_ms) if status == 200 else refusing(status, ring_ms)
        super().__init__(folder, [Phone("outside", "nobody registers")], port, text, sip_port=port)
        self.accounts = ()


class EarlyNumbers(SippPhones):
    """Every number behind a trunk: they send a tone before they answer, after `answer_ms`, and go on with it."""

    def __init__(self, folder: Path, port: int, *, answer_ms: int, hertz: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        tone = alaw_tone(folder / "tone.alaw", hertz)
        text = _scenario("sounds_early", answer_ms=answer_ms, tone=tone.resolve())
        super().__init__(folder, [Phone("outside", "nobody registers")], port, text, sip_port=port)
        self.command += ["-mi", "127.0.0.1"]
        self.accounts = ()


def answering(answer_ms: int, talk_ms: int | None = None) -> str:
    """The scenario of phones that answer after `answer_ms`, and hang up `talk_ms` later where that is given."""
    talking = "" if talk_ms is None else f'timeout="{talk_ms}" ontimeout="1"'
    return _scenario("phones_answer", answer_ms=answer_ms, rtp=free_range(2), talking=talking)


def refusing(status: int, ring_ms: int) -> str:
    """The scenario of a phone that rings `ring_ms` and then says this SIP status."""
    reason = "Moved Temporarily" if status == 302 else "Refused"
    return _scenario("phone_refuses", status=status, reason=reason, ring_ms=ring_ms)


def _scenario(name: str, **values: object) -> str:
    """A scenario filled in: KeyError for a place of it that nothing was given for."""
    return Template((SCENARIOS / f"{name}.xml").read_text()).substitute(values)


def register(folder: Path, account: Phone, port: int, contact: str, *, expires_s: int = 120) -> None:
    """Register (or, with `expires_s` 0, unregister) an account at `contact`, host:port, phone or no phone.

    AssertionError when the switch does not take it.
    """
    text = _scenario(
        "register", extension=account.extension, password=account.password, contact=contact, expires=expires_s
    )
    scenario = folder / f"register-{time.monotonic_ns()}.xml"
    scenario.write_text(text)
    command = [
        *("sipp", f"127.0.0.1:{port}", "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(free_port())),
        *(
            "-m",
            "1",
            "-mp",
            str(free_range(4)),
            "-nostdin",
            "-skip_rlimit",
            "-trace_err",
            "-error_file",
            "register.log",
        ),
    ]
    with Child(command, output=folder / "register.txt", folder=folder) as child:
        status = child.wait(15)
    errors = folder / "register.log"
    said = errors.read_text(errors="replace")[-1_000:] if errors.exists() else ""
    assert status == 0, f"the switch did not register {account.extension}: {said}"


def take_over(
    folder: Path, account: Phone, port: int, call_id: str, *, header: str = "", stays_ms: int = 2_000
) -> bool:
    """Let a phone ask for the call with this Call-ID (INVITE with Replaces, and one more header line if given).

    Returns whether the switch sent it away; otherwise it had what it wanted for `stays_ms`.
    """
    text = _scenario(
        "steals",
        extension=account.extension,
        password=account.password,
        call_id=call_id,
        extra=f"{header}\n" if header else "",
        rtp=free_range(2),
        stays_ms=stays_ms,
    )
    scenario = folder / f"steals-{time.monotonic_ns()}.xml"
    scenario.write_text(text)
    command = [
        *("sipp", f"127.0.0.1:{port}", "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(free_port())),
        *("-m", "1", "-mp", str(free_range(4)), "-nostdin", "-skip_rlimit"),
    ]
    with Child(command, output=folder / "steals.txt", folder=folder) as child:
        return child.wait(15) == 0


def dial_as(folder: Path, account: Phone, port: int, number: str, *, says: str) -> None:
    """Let a phone with this account call `number` and say in each header that it is `says`, until the switch refuses or
    ends it. AssertionError where the switch does neither.
    """
    text = _scenario(
        "dials_as",
        extension=account.extension,
        password=account.password,
        says=says,
        number=number,
        rtp=free_range(2),
    )
    scenario = folder / f"dials-{time.monotonic_ns()}.xml"
    scenario.write_text(text)
    command = [
        *("sipp", f"127.0.0.1:{port}", "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(free_port())),
        *("-m", "1", "-mp", str(free_range(4)), "-nostdin", "-skip_rlimit"),
    ]
    with Child(command, output=folder / "dials.txt", folder=folder) as child:
        assert child.wait(15) == 0, child.last_words()


def vanished(folder: Path, account: Phone, port: int) -> None:
    """Register a phone at a port where nobody listens."""
    folder.mkdir(parents=True, exist_ok=True)
    register(folder, account, port, f"127.0.0.1:{free_port()}")
