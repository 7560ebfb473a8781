"""The time of a site goes by the database's clock, whatever the host's says (docs/decisions/0120)."""

import pytest
from structlog.testing import capture_logs

from orchestrator.clock import SiteClock
from orchestrator.domain.kernel import SECOND, Instant

NOW = 1_800_000_000 * SECOND
HOUR = 3_600 * SECOND


class World:
    """A database, a host, and real time, each with a clock of its own."""

    def __init__(self, *, host_off: int = 0) -> None:
        self.real = 0
        self.host_off = host_off
        self.database_off = 0
        self.clock = SiteClock(wall=lambda: Instant(NOW + self.real + self.host_off), elapsed=lambda: self.real)

    def hear(self, *, way: int = 500) -> None:
        """The lease's row is looked at, `way` µs there and as long back."""
        asked = self.real
        self.real += 2 * way
        self.clock.hear(NOW + asked + way + self.database_off, asked, self.real)

    def go(self, seconds: float, *, hearing: bool = True) -> None:
        """So much goes by, with four looks a second; or with none, while the database is away."""
        end = self.real + int(seconds * SECOND)
        while self.real < end:
            self.real = min(end, self.real + SECOND // 4)
            if hearing:
                self.hear()

    @property
    def off(self) -> int:
        """By how much the site's time is ahead of real time."""
        return self.clock() - NOW - self.real


@pytest.mark.parametrize("host_off", (0, HOUR, -HOUR))
def test_it_is_the_databases_whatever_the_clock_of_the_host_says(host_off: int) -> None:
    """Issue 6, bad input: clocks an hour apart. A successor has the time of whoever decided before."""
    world = World(host_off=host_off)
    world.clock()
    world.hear()
    assert abs(world.off) <= 1_000
    world.clock.go_on_from(Instant(NOW - 60 * SECOND))
    assert abs(world.off) <= 1_000, "a minute in which nobody decided is a minute"
    assert abs(world.clock.host_off - host_off) <= 1_000


@pytest.mark.parametrize("step", (HOUR, -HOUR))
@pytest.mark.parametrize("hearing", (True, False))
def test_a_host_whose_clock_is_set_goes_on_deciding_by_the_same_time(step: int, hearing: bool) -> None:  # noqa: FBT001
    """Issue 6: a step of NTP in a tenure, also while the database is away."""
    world = World()
    world.hear()
    world.go(10)
    world.host_off = step
    world.go(10, hearing=hearing)
    assert abs(world.off) <= 1_000
    assert abs(world.clock.host_off - step) <= 1_000


@pytest.mark.parametrize("step", (HOUR, -HOUR))
def test_a_database_whose_clock_is_set_is_followed_by_a_hundredth_and_never_back(step: int) -> None:
    """A deadline of ten seconds is a tenth of one shorter or longer then, and nobody is turned away."""
    world = World()
    world.hear()
    world.database_off = step
    last = world.clock()
    for _ in range(400):
        world.go(0.25)
        now = world.clock()
        assert now >= last
        last = now
    assert abs(world.off) == pytest.approx(SECOND, rel=0.05), "a second in a hundred"
    assert (world.off > 0) == (step > 0)
    assert world.clock.database_off == pytest.approx(step - world.off, abs=2_000)


def test_a_small_difference_is_gone_soon_and_then_it_is_followed_no_further() -> None:
    world = World()
    world.hear()
    world.database_off = 50_000
    world.go(4)
    assert 30_000 < world.off < 45_000
    world.go(4)
    assert world.off == pytest.approx(50_000, abs=1_000)


def test_a_slow_answer_moves_nothing() -> None:
    """Whatever the database said may be as old as the question."""
    world = World()
    world.hear()
    world.hear(way=400_000)
    assert abs(world.off) <= 1_000


def test_where_the_log_is_ahead_of_the_database_time_goes_on_from_it_at_its_pace() -> None:
    """A replica with a wrong clock took over: `at` stands still for no hour, so that a wrap-up ends."""
    world = World()
    world.hear()
    last_at = Instant(NOW + HOUR)
    world.clock.go_on_from(last_at)
    assert last_at <= world.clock() <= last_at + 2_000
    world.go(10)
    assert world.clock() - last_at == pytest.approx(9.9 * SECOND, rel=0.01)
    assert world.clock.database_off == pytest.approx(-HOUR, rel=0.01)


def test_a_clock_that_is_wrong_is_said_once_and_again_once_it_is_right() -> None:
    world = World(host_off=HOUR)
    with capture_logs() as said:
        world.clock.say()
        assert not said, "nobody knows what is right yet"
        world.hear()
        world.clock.say()
        world.clock.say()
        world.host_off = 0
        world.clock.say()
        world.database_off = -HOUR
        world.go(1)
        world.clock.say()
    assert [(line["event"], line["log_level"]) for line in said] == [
        ("host-clock-off", "error"),
        ("host-clock-off", "info"),
        ("host-clock-off", "error"),
        ("database-clock-off", "error"),
    ]
