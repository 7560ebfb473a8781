"""One switch, kept in touch with: connected for as long as it can be, its news in order, its snapshot after each gap.

Two connections. The first has the events and the quick commands. The second is for questions (`show channels`,
`uuid_dump`, `uuid_exists`): a blocking api holds up every event of its own connection.

    down ──connect──▶ standing by ──subscribe──▶ LinkUp ──ask for all channels──▶ Snapshot ──▶ events, events …
      ▲                                                                                             │
      └── LinkDown ◀── end of stream, stuck, too large a frame, we fell behind ─────────────────────┘

A link of an engine that stands by is connected and asks nothing but whether the switch lives: it is `up`, and can carry
commands, only once it serves. Where it is about to serve it subscribes and looks at all channels before (`prepare`), so
that its first snapshot needs no more than what has moved since.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import gevent
import structlog
from gevent.event import AsyncResult
from gevent.event import Event as Flag

from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch import facts as f
from orchestrator.domain.switch.facts import Fact
from orchestrator.esl import commands
from orchestrator.esl.events import SwitchEvent, decode_json, decode_plain
from orchestrator.esl.foresight import Foresight
from orchestrator.esl.frames import Frame
from orchestrator.esl.link import CHECK_S, POKE_S, Clock, EventSocket, LinkError
from orchestrator.esl.ownership import Ownership
from orchestrator.esl.replies import REPLY_MS, Done, NoReply, Outcome, Pending, Reply
from orchestrator.esl.survey import LIST_SETTLES_S, SETTLED_LOOKS, Look, look, phones
from orchestrator.esl.translate import checked_name, translate
from orchestrator.settings import Switch

log = structlog.get_logger(__name__)

SUBSCRIBED: Final = (
    "CHANNEL_CREATE",
    "CHANNEL_PARK",
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_ANSWER",
    "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE",
    "CHANNEL_HOLD",
    "CHANNEL_UNHOLD",
    "CHANNEL_HANGUP_COMPLETE",
    "RECORD_START",
    "RECORD_STOP",
    "BACKGROUND_JOB",
    "HEARTBEAT",
    "SHUTDOWN",
)
SUBSCRIBED_CUSTOM: Final = (
    "sofia::register",
    "sofia::unregister",
    "sofia::expire",
    "conference::maintenance",
    "ringledger::unattended",
)

# The switch keeps 100 000 events for a slow listener and then throws it out. We give up on ourselves earlier: a
# snapshot (92 ms for 300 channels on a real switch) tells more, sooner, than 50 000 old events.
MOST_WAITING: Final = 50_000
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
# A list of 1 500 channels is about 1.5 MB, from a switch that may be at its limit.
_LOOK_MS = 8_000
_BREATHE_EVERY = 200
_SAY_EVERY_S = 10.0
# The switch tells of a phone's end before it takes it off the list (sofia_reg.c, sofia_reg_check_expire): for so long
# what it told counts, and not the list.
_SETTLES_S = 2.0
# A switch that keeps up answers in a millisecond, a busy one in ten. One that owes an answer for so long, seen twice in
# a row (once may be our own fault), is behind, until it has answered quickly for a while.
BEHIND_MS: Final = 250
_PROMPT_MS: Final = 50
_CALM_S: Final = 0.25
# Asked so often without a readable answer, which takes 1.5 s at least, somebody has to look.
_ALARM_AFTER = 5
# So long a link that looked ahead waits until it is to serve; then nobody hands over to it, and it stands by again.
_AHEAD_S: Final = 15.0

Item = SwitchEvent | Fact
Deliver = Callable[[Item, Instant], None]


class Link:
    """The standing link to one switch. `deliver(item, received_at)` gets everything in order, one at a time.

    An exception of `deliver` is logged and counted (`faults`), and the next item is delivered.
    """

    def __init__(
        self, switch: Switch, deliver: Deliver, *, clock: Clock, ledger: str = "", poke_s: float | None = POKE_S
    ) -> None:
        """`ledger` is whose switch it must be; empty where that is not minded."""
        self.switch = switch
        self.node = switch.name
        self.core = ""
        """The switch's own id, new at each of its starts; empty until it was first reached."""
        self.up = False
        """Whether commands can be written and events flow."""
        self.reached = False
        """Whether there is a connection, be it that nobody wants it to serve yet."""
        self.faults = 0
        self.flaws = 0
        """Frames that had to be passed over, and events that could not be decoded, since the start."""
        self.snapshots_failed = 0
        """How often the switch did not say in a readable way which channels it has, since the start."""
        self._failures = 0  # in a row
        self._flaw_said = -_SAY_EVERY_S
        self._deliver = deliver
        self._clock = clock
        self._ownership = Ownership(ledger)
        self._poke_s = poke_s
        self._socket: EventSocket | None = None
        self._questions: EventSocket | None = None
        self._asking: deque[tuple[str, Done, int]] = deque()
        self._asker: gevent.Greenlet | None = None
        self._jobs: dict[str, Pending] = {}
        self._inbox: deque[tuple[Item, Instant]] = deque()
        self._early: list[tuple[Item, Instant]] | None = None  # events that came before LinkUp was said
        self._gone: set[str] | None = None  # legs whose end was seen while a snapshot is being made
        self._phones: dict[str, tuple[bool, float]] = {}  # what was told last of each, and when
        self._snapshooter: gevent.Greenlet | None = None
        self._foresight: Foresight | None = None
        self._foreseer: gevent.Greenlet | None = None
        self._behind = False
        self._late_looks = 0
        self._late_at = 0.0
        self._arrived = Flag()
        self._delivering = False
        self._lost = Flag()
        self._wanted = Flag()
        self._ahead = Flag()
        self._why_down = ""
        self._greenlets: list[gevent.Greenlet] = []
        self._dice = random.SystemRandom()

    # --- begin and end -----------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin to connect, for ever, in the background, and serve."""
        self.serve()
        self.stand_by()

    def serve(self) -> None:
        """From now on want news, and take commands: an engine has become active."""
        self._why_down = ""
        self._wanted.set()

    def prepare(self) -> None:
        """It will serve before long: subscribe, look at all channels, and keep up with them; `prepared` says when."""
        self._ahead.set()

    @property
    def prepared(self) -> bool:
        """Whether it has looked ahead, and nothing is left but what moves from now on."""
        return self._foresight is not None and self._foresight.ready

    def stand_by(self) -> None:
        """Begin to connect, for ever, in the background."""
        self._greenlets = [gevent.spawn(work) for work in (self._keep, self._dispatch, self._watch)]

    def stop(self) -> None:
        """Close both connections. Nothing is delivered any more once this has returned."""
        gevent.killall(self._greenlets)
        for helper in (self._asker, self._snapshooter, self._foreseer):
            if helper is not None:
                helper.kill()
        for connection in (self._socket, self._questions):
            if connection is not None:
                connection.stop()
        self.up = self.reached = False

    def drop_what_is_unheard(self) -> None:
        """Where the switch has not heard what was written to it, it is never to hear it: nobody knows how much later
        that would be.
        """
        if self._socket is not None and self._socket.is_unheard():
            self._socket.cut("it does not hear us, and the lease under which we spoke is over")

    @property
    def looking(self) -> bool:
        """Whether a snapshot is being made, or will be once the list of channels has settled."""
        return self._snapshooter is not None and not self._snapshooter.dead

    @property
    def backlog(self) -> int:
        """Items received and not yet delivered."""
        return len(self._inbox)

    # --- commands ----------------------------------------------------------------------------------------------------
    def command(
        self, text: str, done: Done, *, deadline_ms: int = REPLY_MS, still: Callable[[], bool] | None = None
    ) -> None:
        """Write a quick command now; `done` is called once with its outcome. See `EventSocket.submit`."""
        if self._socket is None or not self.up:
            done(NoReply("link_down"))
        else:
            self._socket.submit(text, done, deadline_ms=deadline_ms, still=still)

    def together(self) -> AbstractContextManager[None]:
        """Commands given inside are written in one packet at the end. Nothing inside may wait."""
        return nullcontext() if self._socket is None else self._socket.together()

    def job(
        self, job: str, text: str, done: Done, *, deadline_ms: int, still: Callable[[], bool] | None = None
    ) -> None:
        """Start a background command under this id; `done` is called once, when it has ended or its time is over.

        A job outlives the connection: its end is still heard after a reconnect. It is `link_down` at once where the
        command itself was not acknowledged before the connection was lost.
        """

        def started(outcome: Outcome) -> None:
            if isinstance(outcome, NoReply) or not outcome.ok:
                self._end_job(job, outcome)

        self._jobs[job] = Pending(done, deadline_ms)
        self.command(commands.background(text, job), started, still=still)

    def ask(self, text: str, done: Done, *, deadline_ms: int = REPLY_MS) -> None:
        """Ask on the second connection, which is made when it is needed. `link_down` at once while the first one is:
        a switch that was restarted would say of every leg that it is gone, before anybody has heard of the restart.
        """
        if self.up:
            self._ask(text, done, deadline_ms)
        else:
            done(NoReply("link_down"))

    def _ask(self, text: str, done: Done, deadline_ms: int) -> None:
        """The same for a look ahead, too: what that asks is told to nobody before LinkUp."""
        if not self._may_ask():
            done(NoReply("link_down"))
        elif self._questions is not None and self._questions.connected:
            self._questions.submit(text, done, deadline_ms=deadline_ms)
        else:
            self._asking.append((text, done, deadline_ms))
            if self._asker is None or self._asker.dead:
                self._asker = gevent.spawn(self._open_questions)

    def take_snapshot(self) -> None:
        """Have all channels asked for; a Snapshot follows. While the link is down one comes by itself when it is up."""
        if not self.up:
            return
        if self._snapshooter is not None:
            self._snapshooter.kill(block=False)
        self._gone = set()
        self._snapshooter = gevent.spawn(self._snapshot)

    def tell(self, fact: Fact) -> None:
        """Deliver a fact of ours, after everything that was received before it."""
        self._put(fact, self._clock())

    # --- the standing connection -------------------------------------------------------------------------------------
    def _keep(self) -> None:
        wait = _FIRST_WAIT_S
        while True:
            self._lost.clear()
            try:
                self._begin()
            except LinkError as error:
                self._down(str(error))
            except Exception as error:
                log.exception("link-fault", node=self.node)
                self._down(f"a fault of ours: {type(error).__name__}")
            else:
                wait = _FIRST_WAIT_S
                self._lost.wait()
            while len(self._inbox) > MOST_WAITING // 2:
                gevent.sleep(CHECK_S)
            pause_s = wait * self._dice.uniform(0.5, 1.0)
            wait = min(wait * 2, _LONGEST_WAIT_S)
            if self._wanted.is_set():
                gevent.sleep(pause_s)
            elif self._wanted.wait(pause_s):
                wait = _FIRST_WAIT_S  # callers wait now for what nobody waited for before

    def _begin(self) -> None:
        """Connect; once that is wanted subscribe, say LinkUp, and have a snapshot made. Raises LinkError."""
        connection = EventSocket(
            self.switch,
            clock=self._clock,
            on_event=self._take,
            on_lost=self._down,
            on_read=self._deliver_read,
            poke_s=None,
        )
        self._early = []
        try:
            connection.connect()
            core = ""
            if not self._wanted.is_set():
                self._ownership.check(connection)
                core = self._await_wanted(connection)
            self._ownership.claim(connection)
            core = core or self._subscribe(connection)
        except BaseException:  # `stop` ends us wherever we wait
            connection.stop()
            raise
        if not connection.connected:
            raise LinkError(self._why_down)  # lost with the very answer
        self._socket = connection
        self.reached = True
        self._announce(core)

    def _subscribe(self, connection: EventSocket) -> str:
        """Have its events from now on; the switch's own id. Raises LinkError."""
        core = connection.send(commands.CORE).text.strip()
        reply = connection.send(commands.subscribe(SUBSCRIBED, SUBSCRIBED_CUSTOM))
        if not connection.connected:
            raise LinkError(self._why_down)  # lost with the very answer
        if not reply.ok or not checked_name(core):
            raise LinkError(f"{connection.where} answers unlike a FreeSWITCH: {reply.answer[:80]!r}, {core[:80]!r}")
        if self._poke_s is not None:
            connection.poke_every(self._poke_s)
        return core

    def _await_wanted(self, connection: EventSocket) -> str:
        """Keep the connection until news is wanted; the switch's own id where it was looked at ahead, else nothing.
        Raises LinkError where it is lost meanwhile, or was looked at for nothing.
        """
        if self._questions is None or not self._questions.connected:
            self._open_questions()
        self.reached, self._why_down = connection.connected, ""
        log.info("switch-link-stands-by", node=self.node)
        core = ""
        gevent.wait([self._wanted, self._lost, self._ahead], count=1)
        if self._ahead.is_set() and connection.connected and not self._wanted.is_set():
            core = self._look_ahead(connection)
            gevent.wait([self._wanted, self._lost], count=1, timeout=_AHEAD_S)
            self._ahead.clear()
            if not self._wanted.is_set() and connection.connected:
                raise LinkError(f"{connection.where} was looked at ahead, and nobody handed over")
        if not connection.connected:
            raise LinkError(self._why_down or f"{connection.where} was lost")
        return core

    def _look_ahead(self, connection: EventSocket) -> str:
        self._foresight = foresight = Foresight(self._ask_all)
        self.core = core = self._subscribe(connection)
        self._foreseer = gevent.spawn(foresight.keep)
        log.info("switch-link-looks-ahead", node=self.node)
        return core

    def _see_no_further(self) -> None:
        """From now on a snapshot is made by looking at everything."""
        if self._foreseer is not None:
            self._foreseer.kill(block=False)
        self._foresight = self._foreseer = None

    def _announce(self, core: str) -> None:
        """LinkUp, then what was heard meanwhile, then (in its own time) a snapshot."""
        if self.core and core != self.core:
            self._end_jobs("link_down")  # it was restarted: whatever it was doing is gone
        self.core, self.up, self._why_down = core, True, ""
        early, self._early = self._early or [], None
        self._put(f.LinkUp(node=self.node, core=core), self._clock())
        for item, at in early:
            self._put(item, at)
        log.info("switch-link-up", node=self.node, core=core)
        self.take_snapshot()

    def _down(self, why: str) -> None:
        """The connection is lost, or could not be made. Said once, until it is up again or the reason is another."""
        was_up, self.up = self.up or (self.reached and not self._wanted.is_set()), False
        self.reached = False
        self._early = self._gone = None
        self._see_no_further()
        self._failures = self._late_looks = 0
        self._behind = False
        if self._snapshooter is not None:
            self._snapshooter.kill(block=False)
        if was_up or why != self._why_down:
            log.warning("switch-link-down", node=self.node, why=why)
        if self._wanted.is_set() and (was_up or not self._why_down):
            self._put(f.LinkDown(node=self.node, why=why), self._clock())
        self._why_down = why
        self._lost.set()
        if self._inbox:
            self._arrived.set()

    def _take(self, frame: Frame, at: Instant) -> None:
        """One event frame, in the reader's greenlet: decode it, see what concerns the link itself, put it in line."""
        event = decode_json(frame.body) if frame.content_type == "text/event-json" else decode_plain(frame.body)
        if event.flaws:
            self._note_flaw(event)
        if event.name == "CUSTOM":
            self._note_phone(event)
        if self._foresight is not None:
            self._foresight.note(event)
            if not self._wanted.is_set():
                return  # whoever decides meanwhile hears it, too, and what comes of it stands in the log
        if self._early is not None:
            self._early.append((event, at))
        elif len(self._inbox) >= MOST_WAITING:
            if self._socket is not None:
                self._socket.lose(f"we fell {MOST_WAITING} events behind and start afresh from a snapshot")
            return
        elif event.core and event.core != self.core:
            self._early = [(event, at)]
            self._announce(event.core)
        else:
            self._inbox.append((event, at))  # delivered by `_deliver_read`
        if event.name == "CHANNEL_HANGUP_COMPLETE" and self._gone is not None:
            self._gone.add(event.leg)
        elif event.name == "BACKGROUND_JOB":
            self._end_job(event.job, Reply(event.body))

    def _snapshot(self) -> None:
        """Say what there is, and again once the list of channels has settled where somebody may be missing in it."""
        for attempt in range(SETTLED_LOOKS):
            if attempt:
                gevent.sleep(LIST_SETTLES_S)
                self._gone = set()
            if self._say_what_there_is():
                break

    def _say_what_there_is(self) -> bool:
        """Ask for all channels until they are known, and for the phones; a leg that ended meanwhile is left out.
        Whether nobody can be missing.
        """
        wait = _FIRST_WAIT_S
        while (seen := self._see()) is None:
            self._note_no_snapshot(wait)
            gevent.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_S)
        found, listed, listed_at = seen
        self._failures = 0
        told_since = listed_at - _SETTLES_S
        told = {phone: there for phone, (there, at) in self._phones.items() if at >= told_since and phone in listed}
        gone, self._gone = self._gone or set(), None
        kept = tuple(leg for leg in found.legs if leg.leg not in gone)
        self._put(f.Snapshot(node=self.node, core=self.core, legs=kept, phones=listed | told), self._clock())
        return found.complete

    def _see(self) -> tuple[Look, dict[str, bool], float] | None:
        """All channels, and all phones and when those were asked for; None where the switch does not say. What was
        foreseen is told once: from then on nobody keeps up with it.
        """
        if (foresight := self._foresight) is not None:
            if self._foreseer is not None:
                self._foreseer.kill()
            found = foresight.finish()
            self._see_no_further()
            return None if found is None else (found, foresight.phones, foresight.phones_at)
        found = look(self._ask_all)
        if found is None:
            return None
        asked_at = time.monotonic()
        return found, phones(self._ask_all), asked_at

    def _note_phone(self, event: SwitchEvent) -> None:
        for fact in translate(self.node, event):
            if isinstance(fact, f.PhoneRegistered | f.PhoneGone):
                self._phones[fact.extension] = (isinstance(fact, f.PhoneRegistered), time.monotonic())

    def _note_no_snapshot(self, again_in_s: float) -> None:
        """Count it; an alarm, and a fact for the log, once in a row of failures."""
        self.snapshots_failed += 1
        self._failures += 1
        log.warning("snapshot-failed", node=self.node, in_a_row=self._failures, again_in_s=again_in_s)
        if self._failures == _ALARM_AFTER:
            log.error(
                "snapshot-missing",
                node=self.node,
                failures=self._failures,
                remedy="nobody knows what it has; see whether `show channels as json` answers, and how loaded it is",
            )
            self._put(f.SnapshotMissing(node=self.node, failures=self._failures), self._clock())

    def _ask_all(self, questions: Sequence[str]) -> list[Outcome]:
        """The outcome of each question, in their order."""
        waiting = [AsyncResult() for _ in questions]
        for question, answer in zip(questions, waiting, strict=True):
            self._ask(question, answer.set, _LOOK_MS)
        return [answer.get() for answer in waiting]

    def _note_flaw(self, event: SwitchEvent) -> None:
        """Count it; say it now and then only: whoever can send one odd name can send a thousand."""
        self.flaws += 1
        if time.monotonic() >= self._flaw_said + _SAY_EVERY_S:
            self._flaw_said = time.monotonic()
            log.warning(
                "event-hard-to-read", node=self.node, flaws=event.flaws, name=event.name[:40], so_far=self.flaws
            )

    # --- the inbox ---------------------------------------------------------------------------------------------------
    def _put(self, item: Item, at: Instant) -> None:
        self._inbox.append((item, at))
        if self._socket is None or not self._socket.taking:  # else the reader delivers it in a moment
            self._arrived.set()

    def _dispatch(self) -> None:
        """Deliver what somebody else than the reader put in line, and what the reader left."""
        while True:
            self._arrived.wait()
            self._arrived.clear()
            while self._inbox:
                self._deliver_some()
                gevent.sleep(0)

    def _deliver_read(self) -> None:
        """At the end of a read, in the reader's greenlet: waking another costs as much as half of what it would do."""
        try:
            self._deliver_some()
        finally:
            if self._inbox:
                self._arrived.set()

    def _deliver_some(self) -> None:
        """Deliver what is in line, up to where others should breathe; nothing while another greenlet delivers."""
        if self._delivering:
            return
        self._delivering = True
        left = _BREATHE_EVERY
        try:
            while self._inbox and left:
                item, at = self._inbox.popleft()
                try:
                    self._deliver(item, at)
                except Exception:
                    self.faults += 1
                    log.exception("delivery-failed", node=self.node, item=type(item).__name__)
                left -= 1
        finally:
            # Whoever delivers may be killed in the middle of it, with the connection that it reads: others go on.
            self._delivering = False

    # --- jobs --------------------------------------------------------------------------------------------------------
    def _end_job(self, job: str, outcome: Outcome) -> None:
        found = self._jobs.pop(job, None)
        if found is not None:
            found.settle(outcome)

    def _end_jobs(self, why: str) -> None:
        for job in tuple(self._jobs):
            self._end_job(job, NoReply(why))

    def _watch(self) -> None:
        """End jobs whose time is over; see whether the switch keeps up."""
        while True:
            gevent.sleep(CHECK_S)
            now = time.monotonic()
            self._look_at_its_answers(now)
            for job in [job for job, one in self._jobs.items() if now >= one.deadline]:
                self._end_job(job, NoReply("timeout"))

    def _look_at_its_answers(self, now: float) -> None:
        if self._socket is None or not self.up:
            return
        owed_ms = self._socket.owed_ms()
        if owed_ms >= _PROMPT_MS:
            self._late_at = now
        self._late_looks = self._late_looks + 1 if owed_ms >= BEHIND_MS else 0
        if not self._behind and self._late_looks >= 2:  # noqa: PLR2004 - twice in a row
            self._behind = True
            log.warning("switch-behind", node=self.node, owed_ms=round(owed_ms))
            self.tell(f.SwitchBehind(node=self.node, behind_ms=round(owed_ms)))
        elif self._behind and now - self._late_at >= _CALM_S:
            self._behind = False
            self.tell(f.SwitchCaughtUp(node=self.node))

    # --- questions ---------------------------------------------------------------------------------------------------
    def _open_questions(self) -> None:
        connection = EventSocket(self.switch, clock=self._clock, on_event=_nothing, on_lost=_nothing, poke_s=None)
        try:
            connection.connect()
            core = connection.send(commands.CORE).text.strip()
        except LinkError as error:
            log.warning("switch-questions-down", node=self.node, why=str(error))
            self._leave_unasked()
            return
        if self._may_ask() and core != self.core:
            log.warning("switch-questions-down", node=self.node, why="it was restarted, and has not said so yet")
            connection.stop()
            self._leave_unasked()
            return
        self._questions = connection
        if not self._may_ask():
            self._leave_unasked()
        while self._asking:
            text, done, deadline_ms = self._asking.popleft()
            connection.submit(text, done, deadline_ms=deadline_ms)

    def _may_ask(self) -> bool:
        """Whether the first connection is there, and would be lost if the switch were another."""
        return self.up or self._foresight is not None

    def _leave_unasked(self) -> None:
        while self._asking:
            self._asking.popleft()[1](NoReply("link_down"))


def _nothing(*_: object) -> None:
    """The second connection is not subscribed to anything, and is made anew when it is needed."""
