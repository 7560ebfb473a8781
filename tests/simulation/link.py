"""A link to the model switch: news with delays and losses, commands in order, snapshots, a check before each write.

It does what `esl.node` and `esl.perform` do, without sockets; what is looked at again before each kind of instruction
comes from the very table that they use.
"""

from collections.abc import Callable
from random import Random

from orchestrator.domain.kernel import MILLISECOND
from orchestrator.domain.switch import facts as f
from orchestrator.domain.switch import instructions as i
from orchestrator.esl.performing import ROWS, Recheck
from tests.simulation.agenda import Agenda
from tests.simulation.switch import Switch
from tests.simulation.weather import Weather

_IN_THE_BACKGROUND = (
    i.RingAgent,
    i.BridgeLegs,
    i.HangUpLeg,
    i.HoldLeg,
    i.ResumeLeg,
    i.AnswerPhone,
    i.StartRecording,
    i.StopRecording,
)

# Their answer says how things are, and one connection is answered in the order in which it asked.
_ANSWERED_IN_TURN = (i.MuteLeg, i.UnmuteLeg)


class Link:
    """One engine's connection to the switch, made again for as long as the engine lives."""

    def __init__(
        self,
        agenda: Agenda,
        dice: Random,
        weather: Weather,
        switch: Switch,
        *,
        deliver: Callable[[f.Fact], None],
        may_write: Callable[[], bool],
        offer_open: Callable[[str], bool],
        wrote: Callable[[i.Instruction], None],
        clock: Callable[[], int],
    ) -> None:
        self.up = False
        self.node = switch.node
        self._agenda = agenda
        self._dice = dice
        self._weather = weather
        self._switch = switch
        self._deliver = deliver
        self._may_write = may_write
        self._offer_open = offer_open
        self._wrote = wrote
        self._clock = clock
        self._connection = 0
        self._heard: dict[str, int] = {}
        self._written_at = 0
        self._answered_at = 0
        self._taken: dict[str, None] = {}
        self._jobs: dict[str, i.Instruction] = {}
        self._looking = 0
        self._gone: dict[str, None] = {}
        self._told: dict[str, bool] = {}
        """What came of phones while a snapshot is being made."""
        self._stopped = False
        self._parted_until = 0

    # --- the connection ----------------------------------------------------------------------------------------------
    def connect(self) -> None:
        """Connect now, or try again in a moment."""
        if self._stopped or self.up:
            return
        if self._agenda.now < self._parted_until:
            return
        if not self._switch.up:
            self._agenda.soon(200, 2_000, self.connect)
            return
        self.up = True
        self._connection += 1
        self._switch.listeners.append(self)
        self._tell(f.LinkUp(node=self.node, core=self._switch.core))
        self.take_snapshot()

    def cut(self, why: str) -> None:
        """The connection is lost; another is tried in a moment."""
        if not self.up:
            return
        self._drop()
        self._tell(f.LinkDown(node=self.node, why=why))
        self._agenda.soon(100, 4_000, self.connect)

    def part(self, away_ms: int) -> None:
        """The network between us and the switch is away for so long; calls go on."""
        if self.up:
            self._drop()
            self._tell(f.LinkDown(node=self.node, why="no route to host"))
        self._parted_until = self._agenda.now + away_ms * MILLISECOND
        self._agenda.after(away_ms * MILLISECOND, self.connect)

    def press(self, *, behind: bool) -> None:
        """The switch does late what it is told from now on, or keeps up again."""
        if self.up:
            found = f.SwitchBehind(node=self.node, behind_ms=400) if behind else f.SwitchCaughtUp(node=self.node)
            self._tell(found)

    def calm(self, weather: Weather) -> None:
        """From now on the weather is this."""
        self._weather = weather

    def stop(self) -> None:
        """The engine is gone, and its connection with it."""
        self._stopped = True
        if self.up:
            self._drop()

    def _drop(self) -> None:
        self.up = False
        self._connection += 1
        self._looking += 1
        self._switch.listeners.remove(self)

    # --- news --------------------------------------------------------------------------------------------------------
    def hear(self, fact: f.Fact, channel: str) -> None:
        """News on its way from the switch."""
        weather, dice = self._weather, self._dice
        if weather.lost and dice.random() < weather.lost:
            return
        when = self._agenda.now + dice.randint(300, 8_000)
        if weather.late and dice.random() < weather.late:
            when += dice.randint(50, 3_000) * MILLISECOND
        if weather.scrambled and dice.random() < weather.scrambled:
            when += dice.randint(1, 300) * MILLISECOND
        else:
            when = self._heard[channel] = max(when, self._heard.get(channel, 0) + 1)
        self._arrive(fact, when)
        if weather.doubled and dice.random() < weather.doubled:
            self._arrive(fact, when + dice.randint(0, 2_000) * MILLISECOND)

    def _arrive(self, fact: f.Fact, when: int) -> None:
        connection = self._connection

        def arrived() -> None:
            if connection != self._connection or self._stopped:
                return
            if isinstance(fact, f.LegHungUp):
                self._gone[fact.leg] = None
            elif isinstance(fact, f.PhoneRegistered | f.PhoneGone):
                self._told[fact.extension] = isinstance(fact, f.PhoneRegistered)
            self._deliver(fact)
            if isinstance(fact, f.JobDone):
                given = self._jobs.pop(fact.job, None)
                if given is not None and not fact.ok:
                    self._fail(given, fact.answer)
                elif isinstance(given, i.StartRecording):
                    self._tell(f.RecordingSet(node=self.node, leg=given.leg, file=given.file))

        self._agenda.at(when, arrived)

    def _tell(self, fact: f.Fact) -> None:
        """A fact of our own, after everything that was received before it."""
        self._agenda.at(self._agenda.now, lambda: None if self._stopped else self._deliver(fact))

    # --- snapshots and questions -------------------------------------------------------------------------------------
    def take_snapshot(self) -> None:
        """Look at all channels; one that is being made begins again."""
        if not self.up:
            return
        self._looking += 1
        look = self._looking
        self._gone.clear()
        self._agenda.soon(3, 80, lambda: self._look(look))

    def _look(self, look: int) -> None:
        if look != self._looking:
            return
        seen = self._switch.look()
        core = self._switch.core
        phones = {extension: self._switch.has(phone) for extension, phone in self._switch.phones.items()}
        self._told.clear()

        def looked() -> None:
            if look == self._looking and not self._stopped:
                kept = tuple(leg for leg in seen if leg.leg not in self._gone)
                self._deliver(f.Snapshot(node=self.node, core=core, legs=kept, phones=phones | self._told))

        self._agenda.soon(1, 50, looked)

    def _check(self, given: i.CheckLeg) -> None:
        if not self.up:
            self._fail(given, "link_down")
            return

        def asked() -> None:
            exists = self._switch.exists(given.leg)
            up = self._switch.up
            self._agenda.soon(
                0.2,
                10,
                lambda: (
                    self._tell(f.LegPresence(node=self.node, leg=given.leg, exists=exists))
                    if up
                    else self._fail(given, "timeout")
                ),
            )

        self._agenda.soon(0.2, 10, asked)

    # --- instructions ------------------------------------------------------------------------------------------------
    def perform(self, given: i.Instruction) -> None:
        """Check again, and write."""
        if isinstance(given, i.CheckLeg):
            self._check(given)
            return
        if isinstance(given, i.TakeSnapshot):
            self.take_snapshot()
            return
        if given.id in self._taken:
            self._skip(given, "repeat")
            return
        self._taken[given.id] = None
        why = self._why_not(given)
        if why:
            del self._taken[given.id]
            self._skip(given, why)
        elif not self.up:
            self._fail(given, "link_down")
        else:
            self._wrote(given)
            self._write(given)

    def _why_not(self, given: i.Instruction) -> str:
        return next((recheck.value for recheck in ROWS[type(given)].rechecks if not self._holds(recheck, given)), "")

    def _holds(self, recheck: Recheck, given: i.Instruction) -> bool:
        match recheck:
            case Recheck.LEASE:
                return self._may_write()
            case Recheck.OFFER:
                offer = getattr(given, "offer", "")
                return not offer or self._offer_open(offer)
            case Recheck.DEADLINE:
                return self._clock() < int(getattr(given, "deadline", 0))

    def _write(self, given: i.Instruction) -> None:
        connection, core = self._connection, self._switch.core
        when = self._agenda.now + self._dice.randint(100, 3_000)
        when = self._written_at = max(when, self._written_at + 1)
        if isinstance(given, _IN_THE_BACKGROUND):
            self._jobs[given.id] = given
            ring_ms = given.ring_ms if isinstance(given, i.RingAgent) else 0
            patience = (ROWS[type(given)].deadline_ms + ring_ms) * MILLISECOND
            self._agenda.at(when + patience, lambda: self._give_up(given))

        def reply(answer: str) -> None:
            if isinstance(given, _ANSWERED_IN_TURN):
                self._answered_at = max(self._agenda.now + self._dice.randint(200, 5_000), self._answered_at + 1)
                self._agenda.at(self._answered_at, lambda: self._replied(given, answer, connection))
            else:
                self._agenda.soon(0.2, 5, lambda: self._replied(given, answer, connection))

        def came() -> None:
            # What was on its way when the connection broke may or may not have come through.
            same = core == self._switch.core and self._switch.up
            if connection == self._connection or (same and self._dice.random() < 0.5):
                self._switch.execute(given, reply)
            if connection != self._connection and self._jobs.pop(given.id, None) is not None:
                self._fail(given, "link_down")

        self._agenda.at(when, came)

    def _replied(self, given: i.Instruction, answer: str, connection: int) -> None:
        if connection != self._connection:
            return
        if isinstance(given, i.RingAgent):
            if answer:
                self.hear(f.JobDone(node=self.node, at=self._agenda.now, job=given.id, ok=False, answer=answer), "")
        elif isinstance(given, _IN_THE_BACKGROUND):
            done = f.JobDone(node=self.node, at=self._agenda.now, job=given.id, ok=not answer, answer=answer)
            self.hear(done, f"job-{given.id}")
        elif answer:
            self._fail(given, answer)
        elif isinstance(given, i.MaskRecording | i.UnmaskRecording):
            on = isinstance(given, i.MaskRecording)
            self._tell(f.MaskSet(node=self.node, leg=given.leg, file=given.file, on=on))
        elif isinstance(given, i.EavesdropLeg | i.SteerEavesdrop):
            self._tell(f.EavesdropSet(node=self.node, leg=given.leg, mode=given.mode))
        elif isinstance(given, i.MuteLeg | i.UnmuteLeg):
            self._tell(f.MuteSet(node=self.node, leg=given.leg, on=isinstance(given, i.MuteLeg)))

    def _give_up(self, given: i.Instruction) -> None:
        if self._jobs.pop(given.id, None) is not None:
            self._fail(given, "timeout")

    def _skip(self, given: i.Instruction, why: str) -> None:
        self._tell(
            f.InstructionSkipped(
                node=self.node, instruction=given.id, kind=type(given).__name__, leg=given.leg, why=why
            )
        )

    def _fail(self, given: i.Instruction, answer: str) -> None:
        self._tell(
            f.InstructionFailed(
                node=self.node, instruction=given.id, kind=type(given).__name__, leg=given.leg, answer=answer
            )
        )


class Links:
    """An engine's links to several switches."""

    def __init__(self, links: list[Link]) -> None:
        self.links = links

    def connect(self) -> None:
        """Connect now, or try again in a moment, for ever."""
        for link in self.links:
            link.connect()

    def cut(self, node: str) -> None:
        """The connection to this node is lost; another is tried in a moment."""
        for link in self.links:
            if link.node == node:
                link.cut("connection reset")

    def part(self, node: str, away_ms: int) -> None:
        """The network between us and this node is away for so long."""
        for link in self.links:
            if link.node == node:
                link.part(away_ms)

    def press(self, *, behind: bool) -> None:
        """The switches do late what they are told from now on, or keep up again."""
        for link in self.links:
            link.press(behind=behind)

    def stop(self) -> None:
        """The engine is gone, and its connections with it."""
        for link in self.links:
            link.stop()

    def calm(self, weather: Weather) -> None:
        """From now on the weather is this."""
        for link in self.links:
            link.calm(weather)

    def perform(self, given: i.Instruction) -> None:
        """Check again, and write."""
        next(link for link in self.links if link.node == given.node).perform(given)
