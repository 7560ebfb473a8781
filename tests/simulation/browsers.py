"""Pages in browsers, the networks to them, and the web process that holds their connections: all of it comes and goes.

Only the web process talks to the engine, as `orchestrator.runner.inputs` tells it to. What really is connected stands
in `Page.connected`; the engine hears of it late, by a beat, or not at all.
"""

from random import Random

from orchestrator.domain.kernel import SECOND, Refused
from orchestrator.runner import inputs as i
from tests.simulation.agenda import Agenda
from tests.simulation.engine import Engine

# The web process notices a dead connection when it cannot write to it any more.
NOTICED_WITHIN = 20 * SECOND
# Every code that the web process may get back when it tells of desks.
WEB_REFUSALS = frozenset({"database_away", "desk_elsewhere", "unknown_agent"})


class Page:
    """An agent's page. `desk` is the tab in which the agent works."""

    def __init__(self, web: "Web", number: str, agenda: Agenda, dice: Random) -> None:
        self.number = number
        self.desk = f"tab-{number}-1"
        self.connected = False
        self.gone_since = agenda.now
        self.back_since = agenda.now
        self._tabs = 1
        self._losses = 0
        self._web = web
        self._agenda = agenda
        self._dice = dice
        agenda.soon(0, 3_000, self.connect)

    def connect(self) -> None:
        """Open the stream; once more in a moment where the web process is away."""
        if self.connected:
            return
        if not self._web.alive:
            self._agenda.soon(500, 5_000, self.connect)
            return
        self.connected = True
        self.back_since = self._agenda.now
        self._web.holds[self.number] = self.desk
        self._web.tell(i.DeskSeen(agent=self.number, desk=self.desk))

    def lose(self, back_ms: tuple[float, float], noticed_ms: tuple[float, float]) -> None:
        """The stream breaks; the browser comes back by itself, the web process notices the end by itself."""
        if not self.connected:
            return
        self.connected = False
        self.gone_since = self._agenda.now
        self._losses += 1
        losses = self._losses
        self._agenda.soon(*noticed_ms, lambda: self._noticed(losses))
        self._agenda.soon(*back_ms, self.connect)

    def _noticed(self, losses: int) -> None:
        if self._web.alive and self._losses == losses and not self.connected:
            self._web.holds.pop(self.number, None)
            self._web.tell(i.DeskGone(agent=self.number, desk=self.desk))

    def open_another(self) -> None:
        """A second tab: it is told of the first, and the agent moves over or closes it again."""
        if self.connected and self._web.alive:
            self._tabs += 1
            desk = f"tab-{self.number}-{self._tabs}"
            self._web.tell(i.DeskSeen(agent=self.number, desk=desk), lambda refused: self._told(desk, refused))

    def _told(self, desk: str, refused: Refused | None) -> None:
        if refused is None:
            self._move_to(desk)  # the first was lost in the same moment, or nobody has signed in
        elif refused.code == "desk_elsewhere" and self._dice.random() < 0.6:
            self._agenda.soon(300, 4_000, lambda: self._take_over(desk))

    def _take_over(self, desk: str) -> None:
        if not self.connected or not self._web.alive:
            return
        self._web.tell(
            i.TakeOver(agent=self.number, desk=desk), lambda refused: None if refused else self._move_to(desk)
        )

    def _move_to(self, desk: str) -> None:
        earlier, self.desk = self.desk, desk
        if self.connected and self._web.alive:
            self._web.holds[self.number] = desk
        self._agenda.soon(100, 5_000, lambda: self._web.tell(i.DeskGone(agent=self.number, desk=earlier)))

    def cut(self) -> None:
        """The web process is gone, and the connection with it."""
        if self.connected:
            self.connected = False
            self.gone_since = self._agenda.now
            self._losses += 1
            self._agenda.soon(500, 5_000, self.connect)


class Web:
    """The web process: it keeps the streams, and beats."""

    def __init__(self, agenda: Agenda, dice: Random, numbers: list[str]) -> None:
        self.engine: Engine | None = None
        self.alive = True
        self.holds: dict[str, str] = {}
        self.refused: list[str] = []
        self._agenda = agenda
        self._dice = dice
        self.pages = {number: Page(self, number, agenda, dice) for number in numbers}
        agenda.soon(0, 3_000, self._beat)

    def trouble(self, begin: int, end: int) -> None:
        """Draw what goes wrong between the two."""
        dice = self._dice
        for page in self.pages.values():
            at = begin + int(dice.uniform(5, 60) * SECOND)
            while at < end:
                self._agenda.at(at, lambda page=page: self._disturb(page))  # type: ignore[misc]  # a lambda's default
                at += int(dice.uniform(15, 90) * SECOND)
        for _ in range(dice.choice((0, 0, 1, 2))):
            self._agenda.at(begin + int(dice.random() * (end - begin)), self.die)

    def _disturb(self, page: Page) -> None:
        match self._dice.randrange(4):
            case 0:
                page.lose((100, 2_000), (0, 500))
            case 1:
                page.lose((2_000, 60_000), (0, NOTICED_WITHIN / 1_000))
            case 2:
                page.lose((20_000, 60_000), (0, 500))
            case _:
                page.open_another()

    def tell(self, command: i.DeskCommand, answered: object = None) -> None:
        """Send it to the engine, if there is one; nothing is sent again."""
        if self.engine is None or not self.engine.alive:
            return

        def note(refused: Refused | None) -> None:
            if refused is not None:
                self.refused.append(refused.code)
            if callable(answered):
                answered(refused)

        self.engine.command(command, note)

    def _beat(self) -> None:
        self._agenda.after(int(i.DESK_BEAT_S * SECOND), self._beat)
        if self.alive and self.holds:
            self.tell(i.DeskBeat(desks=dict(self.holds)))

    def die(self) -> None:
        """It is gone without a word, and comes back."""
        if not self.alive:
            return
        self.alive = False
        self.holds.clear()
        for page in self.pages.values():
            page.cut()
        self._agenda.soon(1_000, 90_000, self._back)

    def _back(self) -> None:
        self.alive = True
