"""One connection to an event socket: greenswitch's InboundESL with its dangerous parts replaced.

Kept from greenswitch: the connection as an object with `connect`, `send`, `stop`, and its fields. Replaced: connecting
(a deadline, clear errors), reading (our frames, no spinning, nothing swallowed), sending (whole, never blocking, with a
deadline for each reply), and the end (every pending reply fails at once). All of it needs gevent, patched or not.
"""

import os
import socket as plain
import struct
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import gevent
import structlog
from gevent import Timeout
from gevent.event import AsyncResult
from gevent.event import Event as Flag
from gevent.socket import create_connection, socket
from greenswitch.esl import InboundESL

from orchestrator.domain.kernel import Instant
from orchestrator.esl.frames import Frame, FrameError, FrameReader
from orchestrator.esl.outbox import Letter, Outbox
from orchestrator.esl.replies import REPLY_MS, STUCK_MS, Done, NoReply, Outcome, Pending, Reply
from orchestrator.settings import Switch

log = structlog.get_logger(__name__)

Clock = Callable[[], Instant]

CONNECT_S: Final = 5.0
# mod_event_socket looks at its queue of events every 20 ms while its socket is silent; a lone line feed makes it look
# at once (commands it sees at once anyway). From asking for an event to having it, p50 / p99 of 200, of which asking
# takes about 1.3 ms, and what our side of one idle connection costs of one core: none 10.1 / 20.1 ms; 10 ms 6.0 / 10.6,
# 0.9 %; 5 ms 3.7 / 6.1, 1.6 %; 4 ms 2.8 / 5.1, 1.6 %; 2 ms 1.7 / 3.0, 2.7 %; 1 ms 1.6 / 1.9, 5.3 %.
POKE_S: Final = 0.004
# A switch that has much to say, which it has if it was quiet for no longer than `BUSY_S`, is read no more often than
# this, and all that came meanwhile at once: each wake-up costs as much as what it is for (docs/decisions/0100).
TOGETHER_S: Final = 0.002
BUSY_S: Final = 0.004
# How exactly a wait of some seconds ends: each look wakes the process, for every connection.
CHECK_S: Final = 0.2
# HEARTBEAT comes every 20 s at most; silence is asked about long before.
SILENCE_S: Final = 10.0
_RECV = 65_536
# tcpi_retransmits in struct tcp_info, tcp(7): how often it was sent again since something was acknowledged last.
_RETRANSMITS: Final = 2
_AT_ONCE: Final = struct.pack("ii", 1, 0)
_READ = 1  # of gevent's loop


class LinkError(Exception):
    """The event socket did not do what was asked; the message says what happened and what to do."""


class WrongPassword(LinkError):
    """The switch does not take our password. Trying again will not help until someone changes one of the two."""


class EventSocket(InboundESL):  # type: ignore[misc]  # greenswitch has no types
    """A connection from `connect()` until `stop()` or until it is lost.

    `on_event(frame, received_at)` gets every event frame, in order, and must return at once. `on_read()` follows once
    all that came in one piece was taken; it may give way to other greenlets. `on_lost(why)` is called once, when the
    connection ends without `stop()` having been called. `poke_s` None does not poke: for a connection without events.
    """

    def __init__(
        self,
        switch: Switch,
        *,
        clock: Clock,
        on_event: Callable[[Frame, Instant], None],
        on_lost: Callable[[str], None],
        on_read: Callable[[], None] | None = None,
        poke_s: float | None = POKE_S,
    ) -> None:
        super().__init__(switch.host, switch.port, switch.password, timeout=CONNECT_S)
        self.switch = switch
        self.frames = FrameReader()
        self._clock = clock
        self._on_event = on_event
        self._on_lost = on_lost
        self._on_read = on_read
        self._poke_s = poke_s
        self._commands_sent: deque[Pending] = deque()
        self._greeted = Flag()
        self._goodbye = ""
        self._why_lost = ""
        self._outbox: Outbox | None = None
        self._heard = self._said = time.monotonic()
        self._greenlets: list[gevent.Greenlet] = []
        self.taking = False
        """Whether what was read is being taken, so that `on_read` follows before anything else runs."""
        self._reads = False  # what was read is being worked on: whoever does so is not to be killed
        self._poker: Any = None  # a timer of gevent's loop, which has no types

    # --- begin and end -----------------------------------------------------------------------------------------------
    def connect(self) -> None:
        """Connect and authenticate within `CONNECT_S`. Raises LinkError and leaves nothing open."""
        try:
            with Timeout(CONNECT_S, LinkError(f"{self.where} did not let us in within {CONNECT_S:g} s")):
                self._open()
                self.authenticate()
        except OSError as error:
            self.stop()
            raise LinkError(
                f"{self.where} cannot be reached ({error.strerror or error}): is FreeSWITCH running there, and is "
                "mod_event_socket loaded?"
            ) from None
        except LinkError:
            self.stop()
            raise

    @property
    def where(self) -> str:
        """The switch by name and address, never with its password."""
        return f"switch {self.switch.name!r} ({self.host}:{self.port})"

    def _open(self) -> None:
        self.sock: socket = create_connection((self.host, self.port), timeout=CONNECT_S)
        self.sock.settimeout(None)
        for level, option, value in (
            (plain.IPPROTO_TCP, plain.TCP_NODELAY, 1),
            (plain.SOL_SOCKET, plain.SO_KEEPALIVE, 1),
            (plain.IPPROTO_TCP, plain.TCP_KEEPIDLE, 5),
            (plain.IPPROTO_TCP, plain.TCP_KEEPINTVL, 2),
            (plain.IPPROTO_TCP, plain.TCP_KEEPCNT, 3),
            (plain.IPPROTO_TCP, plain.TCP_USER_TIMEOUT, STUCK_MS),
        ):
            self.sock.setsockopt(level, option, value)
        self.connected = True
        self._outbox = Outbox(self.sock, self.lose)
        self._greenlets = [gevent.spawn(self.receive_events), gevent.spawn(self._tend)]
        if self._poke_s is not None:
            self.poke_every(self._poke_s)
        self._greeted.wait()
        if not self.connected:
            raise LinkError(f"{self.where} closed the connection at once: {self._why_lost}")

    def poke_every(self, poke_s: float) -> None:
        """Poke from now on, on a connection that did not yet: events will come."""
        self._poke_s = poke_s
        self._poker = gevent.get_hub().loop.timer(poke_s, poke_s)
        self._poker.start(self._poke)

    def authenticate(self) -> None:
        """Give the password. Raises WrongPassword, naming the setting to look at."""
        reply = self.send(f"auth {self.password}")
        if not reply.text.startswith("+OK"):
            raise WrongPassword(
                f"{self.where} does not take the password in its entry of RINGLEDGER_SWITCHES; make it the one in the "
                "switch's event_socket.conf"
            )

    def stop(self) -> None:
        """Close without a word to `on_lost`; whoever waits for a reply gets `link_down`."""
        self._on_lost = _nobody
        self.lose("closed by us")

    def lose(self, why: str) -> None:
        """End the connection for this reason, once."""
        if self._why_lost:
            return
        self._why_lost = self._goodbye or why
        self.taking = False
        self.connected = False
        self._run = False
        if self._poker is not None:
            self._poker.stop()
            self._poker.close()
        if self._outbox is not None:
            self._outbox.close()
            self.sock.close()
        pending, self._commands_sent = self._commands_sent, deque()
        for one in pending:
            one.settle(NoReply("link_down"))
        self._greeted.set()
        self._on_lost(self._why_lost)
        spared = {gevent.getcurrent(), self._greenlets[0] if self._reads else None}
        gevent.killall([one for one in self._greenlets if one not in spared], block=False)

    # --- commands ----------------------------------------------------------------------------------------------------
    def submit(
        self, command: str, done: Done, *, deadline_ms: int = REPLY_MS, still: Callable[[], bool] | None = None
    ) -> None:
        """Write one command now and return; `done` gets the outcome exactly once and must return at once.

        `still` was true a moment ago; where the bytes have to wait for the peer it is asked again (`not_sent` if not).
        """
        if not self.connected or self._outbox is None:
            done(NoReply("link_down"))
            return
        pending = Pending(done, deadline_ms)

        def dropped() -> None:
            self._commands_sent.remove(pending)
            pending.settle(NoReply("not_sent"))

        self._commands_sent.append(pending)
        self._said = pending.since
        self._outbox.write(Letter(command.encode() + b"\n\n", still, dropped))

    def together(self) -> AbstractContextManager[None]:
        """Commands submitted inside are written in one packet at the end. Nothing inside may wait."""
        return nullcontext() if self._outbox is None else self._outbox.together()

    def send(self, data: str) -> Reply:
        """Write one command and wait for its reply. Raises LinkError where none comes within `REPLY_MS`."""
        waiting: AsyncResult = AsyncResult()
        self.submit(data, waiting.set)
        outcome: Outcome = waiting.get()
        if isinstance(outcome, NoReply):
            word = data.split(" ", 1)[0]
            raise LinkError(f"{self.where} gave no answer to {word!r}: {self._why_lost or outcome.why}")
        return outcome

    def owed_ms(self) -> float:
        """For how long the switch has owed us the answer to the oldest command that it has not answered; 0 for none."""
        return 1000 * (time.monotonic() - self._commands_sent[0].since) if self._commands_sent else 0.0

    def is_unheard(self) -> bool:
        """Whether the other end's kernel has not acknowledged what was written, and was sent it again in vain."""
        if not self.connected:
            return False
        info: bytes = self.sock.getsockopt(plain.IPPROTO_TCP, plain.TCP_INFO, _RETRANSMITS + 1)
        return info[_RETRANSMITS] > 0

    def cut(self, why: str) -> None:
        """End the connection, and have the kernel throw away what it has not brought to the other end yet."""
        if self.connected:
            self.sock.setsockopt(plain.SOL_SOCKET, plain.SO_LINGER, _AT_ONCE)
        self.lose(why)

    # --- reading -----------------------------------------------------------------------------------------------------
    def receive_events(self) -> None:
        """Read until the stream ends. Never blocks on anything but the socket, never spins."""
        # The socket's own recv() tries first and then waits, with watchers made anew each time.
        hub, fd = gevent.get_hub(), self.sock.fileno()
        readable = hub.loop.io(fd, _READ)
        try:
            hub.wait(readable)
            # Once the connection is closed its number may already be another's.
            while self.connected:
                try:
                    data = os.read(fd, _RECV)
                except BlockingIOError:
                    hub.wait(readable)
                    continue
                if not data:
                    break
                now = time.monotonic()
                busy, self._heard = now - self._heard < BUSY_S, now
                if self._poker is not None:
                    self._poker.again(self._poke, update=False)
                at = self._clock()
                self.taking = True
                for frame in self.frames.feed(data):
                    self._take(frame, at)
                    if self._why_lost:
                        return
                self.taking = False
                if self._on_read is not None:
                    self._reads = True
                    self._on_read()
                    self._reads = False
                    if self._why_lost:
                        return
                # Only where events come, for whoever asks something waits for the answer; and not where more is there.
                if busy and self._poker is not None and len(data) < _RECV:
                    with hub.loop.timer(TOGETHER_S) as pause:
                        hub.wait(pause)
                else:
                    hub.wait(readable)
            cut = self.frames.cut()
            why = f"it closed the connection{' in the middle: ' + cut if cut else ''}"
        except FrameError as error:
            why = str(error)
        except OSError as error:
            why = f"reading from it failed: {error.strerror or error}"
        except Exception as error:
            # A dead reader on a connection that looks alive is how calls are lost in silence: a bug must end it too.
            log.exception("reader-fault", switch=self.switch.name)
            why = f"a fault of ours while reading: {type(error).__name__}"
        finally:
            readable.close()
        self.lose(why)

    def _take(self, frame: Frame, at: Instant) -> None:
        match frame.content_type:
            case "text/event-json" | "text/event-plain":
                self._on_event(frame, at)
            case "command/reply":
                self._answer(Reply(frame.header("Reply-Text")))
            case "api/response":
                self._answer(Reply(frame.text))
            case "auth/request":
                self._greeted.set()
            case "text/disconnect-notice" | "text/rude-rejection":
                first = frame.text.strip().split("\n")[0] or "it hung up on us"
                if frame.content_type == "text/rude-rejection":
                    first += " (its apply-inbound-acl does not list our address)"
                self._goodbye = f"it said: {first}"
            case other:
                self.frames.flaws[f"unexpected frame {other[:40]!r}"] += 1

    def _answer(self, reply: Reply) -> None:
        if not self._commands_sent:
            self.frames.flaws["reply to nothing"] += 1
            return
        self._commands_sent.popleft().settle(reply)

    # --- meanwhile ---------------------------------------------------------------------------------------------------
    def _tend(self) -> None:
        """End waits whose time is over, ask after silence whether the switch lives."""
        while self.connected:
            gevent.sleep(CHECK_S)
            self._check(time.monotonic())

    def _poke(self) -> None:
        """Make a switch look at its queue that has said nothing for `poke_s`: whatever it says begins that time anew.

        Runs in the hub itself, hundreds of times a second: a greenlet that sleeps as often costs several times as much.
        """
        if self._outbox is not None:
            self._outbox.poke()

    def _check(self, now: float) -> None:
        for pending in tuple(self._commands_sent):
            if now >= pending.deadline:
                pending.settle(NoReply("timeout"))
        if self._commands_sent and now - self._commands_sent[0].since >= STUCK_MS / 1000:
            self.lose(f"it has not answered a command for {STUCK_MS / 1000:g} s")
        elif now - self._heard >= SILENCE_S and now - self._said >= SILENCE_S and self._greeted.is_set():
            self.submit("api global_getvar core_uuid", _nobody)


def _nobody(_: object) -> None:
    """Whoever listened does so no more."""
