"""What goes wrong in one run, drawn from its seed."""

from random import Random

from msgspec import Struct


class Weather(Struct, frozen=True, kw_only=True):
    """The faults of one run. Probabilities are per fact; counts are events spread over the run."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    """Held up by up to three seconds, and with it everything that follows on the same channel."""
    scrambled: float = 0.0
    """Overtaken by later news of its own channel, which a real switch never does."""
    flaps: int = 0
    """The event socket is lost, calls go on."""
    restarts: int = 0
    """The switch dies and comes back empty."""
    crashes: int = 0
    """The engine dies anywhere, mostly between a commit and its instructions, and starts again from the log."""
    pauses: int = 0
    """The engine is stopped like by SIGSTOP until another has taken over, then goes on unaware."""
    absences: int = 0
    """The database is away."""
    configurations: int = 0
    """Somebody changes queues and agents."""
    lonely_phones: int = 0
    """An agent's phone dials by itself."""
    slow_commits: float = 0.02
    """How many commits take 20 to 300 ms."""
    closings: int = 0
    """Somebody ends everything, and the agents come back."""
    pressures: int = 0
    """A switch does late what it is told, and lets nobody else in until it keeps up again."""
    clocks: tuple[int, ...] = ()
    """By how many seconds the clocks of the engines' hosts are off, one engine after another; each is set to the next
    every so often. None given: all are right.
    """
    switches: int = 1
    """How many switches callers arrive at."""
    parks_on_cancel: bool = False
    """Whether a caller whose agent's leg dies before the bridge is parked again instead of being hung up."""

    @property
    def news_is_whole(self) -> bool:
        """Whether everything that the switch reports to a living engine arrives, once and in order per channel."""
        return not (self.lost or self.doubled or self.late or self.scrambled or self.flaps or self.restarts)


def draw(dice: Random) -> Weather:
    """One of: calm, one kind of trouble, or everything at once."""
    kind = dice.choice(
        (
            "calm", "lossy", "lossy", "scrambled", "flaps", "restarts", "crashes", "crashes", "pauses", "absences",
            "configurations", "all", "all",
        )
    )  # fmt: skip
    parks = dice.random() < 0.5
    switches = dice.choice((1, 1, 1, 2))
    if kind == "all":
        return Weather(
            lost=dice.choice((0.0, 0.01, 0.03)),
            doubled=dice.choice((0.0, 0.03)),
            late=dice.choice((0.0, 0.02)),
            scrambled=dice.choice((0.0, 0.05)),
            flaps=dice.randint(0, 2),
            restarts=dice.randint(0, 1),
            crashes=dice.randint(0, 2),
            pauses=dice.randint(0, 1),
            absences=dice.randint(0, 1),
            configurations=dice.randint(0, 2),
            lonely_phones=dice.randint(0, 2),
            closings=dice.randint(0, 1),
            pressures=2,
            switches=switches,
            parks_on_cancel=parks,
        )
    return Weather(
        lost=dice.choice((0.005, 0.02, 0.05)) if kind == "lossy" else 0.0,
        doubled=dice.choice((0.01, 0.1)) if kind in ("lossy", "scrambled") else 0.0,
        late=dice.choice((0.0, 0.05)) if kind == "lossy" else 0.0,
        scrambled=dice.choice((0.05, 0.3)) if kind == "scrambled" else 0.0,
        flaps=dice.randint(1, 3) if kind == "flaps" else 0,
        restarts=dice.randint(1, 2) if kind == "restarts" else 0,
        crashes=dice.randint(1, 3) if kind == "crashes" else 0,
        pauses=dice.randint(1, 2) if kind == "pauses" else 0,
        absences=dice.randint(1, 2) if kind == "absences" else 0,
        configurations=3 if kind == "configurations" else 0,
        lonely_phones=dice.randint(0, 1),
        closings=1 if kind == "calm" else 0,
        pressures=1 if kind in ("crashes", "flaps", "restarts") else 0,
        switches=switches,
        parks_on_cancel=parks,
    )
