"""A real FreeSWITCH with our configuration, for the length of a test."""

import os
import pwd
import secrets
import shutil
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from freeswitch.directory import Phone
from freeswitch.prompts.__main__ import make
from freeswitch.render import SwitchPlan, arguments, render
from tests.lab.control import Control
from tests.lab.patience import until
from tests.lab.ports import free_range, own_port
from tests.lab.process import Child

VARIABLE = "RINGLEDGER_FREESWITCH"
RTP_PORTS = 1_000


def freeswitch_binary() -> Path | None:
    """The real switch on this machine: what RINGLEDGER_FREESWITCH names, or `freeswitch` on PATH, or None."""
    named = os.environ.get(VARIABLE)
    if named:
        path = Path(named)
        if not path.is_file():
            raise FileNotFoundError(f"{VARIABLE} names {path}, which is no file: give the path of the program")
        return path
    found = shutil.which("freeswitch")
    return Path(found) if found else None


class RealSwitch:
    """A switch of our own on free loopback ports. Usable from `start()` (or entering) until `stop()` (or leaving)."""

    def __init__(
        self,
        folder: Path,
        *,
        binary: Path | None = None,
        extensions: Sequence[str] = ("1001", "1002", "1003"),
        sounds: Path | None = None,
        log_level: str = "warning",
        user: str | None = None,
        peer_port: int = 0,
        patience_s: int = 0,
    ) -> None:
        """`user` is who the switch runs as, None for whoever we are; only root may choose. `peer_port` is where other
        switches (see `know`) bring their callers; 0 where there are none. After `patience_s` without a sign of life of
        an orchestrator it serves callers by itself; 0: never.
        """
        found = binary or freeswitch_binary()
        if found is None:
            raise FileNotFoundError(f"no FreeSWITCH: set {VARIABLE} to its program, or put it on PATH")
        self.binary = found
        self.home = folder / "switch"
        self.user = user
        self.sounds = sounds or folder / "sounds"
        self.child: Child | None = None
        self.plan = SwitchPlan(
            esl_port=own_port(),
            esl_password=secrets.token_urlsafe(18),
            sip_port=own_port(),
            trunk_port=own_port(),
            peer_port=peer_port,
            rtp_first=(first := free_range(RTP_PORTS)),
            rtp_last=first + RTP_PORTS - 1,
            recordings=folder / "recordings",
            sounds=self.sounds,
            outside={"outside": f"127.0.0.1:{own_port()}"},
            phones=[Phone(extension, secrets.token_urlsafe(18)) for extension in extensions],
            log_level=log_level,
            realtime=False,
            patience_s=patience_s,
        )

    def know(self, **others: int) -> None:
        """These are the other switches, each by the port where it takes our callers. Before it is started."""
        self.plan = replace(self.plan, nodes={name: f"127.0.0.1:{port}" for name, port in others.items()})

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *, within_s: float = 30.0) -> Self:
        """Start it and wait until it takes commands and both SIP profiles listen."""
        make(self.sounds)
        self.home.mkdir(parents=True, exist_ok=True)
        render(self.home, self.plan)
        self._give_away()
        command = arguments(self.binary, self.home, self.plan)
        self.child = Child(command, output=self.home / "output.txt", folder=self.home, user=self.user)
        try:
            until(self._is_ready, "FreeSWITCH to listen on its event socket and both SIP ports", within_s=within_s)
        except AssertionError as error:
            self.stop()
            raise AssertionError(f"{error}. {self.last_words()}") from None
        return self

    def stop(self) -> None:
        """End it in order: calls are hung up, SHUTDOWN is said. Killed when it takes too long."""
        if self.child is not None:
            self.child.stop(patience_s=15)
            self.child = None

    def kill(self) -> None:
        """End it as a power failure would."""
        assert self.child is not None, "it does not run"
        self.child.kill()
        self.child = None

    def freeze(self) -> None:
        """Let it stand still, its sockets open (SIGSTOP)."""
        assert self.child is not None, "it does not run"
        self.child.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        assert self.child is not None, "it does not run"
        self.child.signal(signal.SIGCONT)

    def control(self) -> Control:
        """A new connection to its event socket."""
        return Control(self.plan.esl_port, self.plan.esl_password)

    def phone(self, extension: str) -> Phone:
        """The account of an agent's phone."""
        return next(phone for phone in self.plan.phones if phone.extension == extension)

    @property
    def outside_port(self) -> int:
        """Where its trunk to the outside leads."""
        return int(self.plan.outside["outside"].rpartition(":")[2])

    def channels(self, control: Control) -> int:
        """How many channels live in the switch at this moment (its sessions, not the lagging table)."""
        return int(control.api("status").split(" session(s) - peak")[0].rsplit("\n", 1)[-1])

    def last_words(self) -> str:
        """The ends of its log and of what it printed."""
        log = self.home / "log" / "freeswitch.log"
        text = log.read_text(errors="replace")[-2_000:] if log.exists() else "(no log)"
        printed = (self.home / "output.txt").read_text(errors="replace")[-1_000:]
        return f"Its log ends: …{text}\nIt printed: …{printed}"

    def _give_away(self) -> None:
        """Make the user whom the switch runs as the owner of what it needs."""
        if self.user is None:
            return
        owner = pwd.getpwnam(self.user)
        for top in (self.home, self.plan.recordings, self.sounds):
            for each in (top, *top.rglob("*")):
                os.chown(each, owner.pw_uid, owner.pw_gid)

    def _is_ready(self) -> bool:
        assert self.child is not None
        assert self.child.running, f"FreeSWITCH ended by itself. {self.last_words()}"
        try:
            with self.control() as control:
                status = control.api("sofia status")
        except (ConnectionError, TimeoutError, OSError):
            return False
        return status.count("RUNNING") == (3 if self.plan.peer_port else 2)
