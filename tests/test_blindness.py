"""When an active engine that reaches no switch lets another one decide, and when not (feature 12.1)."""

from datetime import UTC, datetime

from orchestrator.engines import BLIND_S, HELD_S, Blindness, Seen, Standing
from orchestrator.leader import LeaderState


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def standby(name: str, *reached: str, silent_s: float = 0.5) -> Seen:
    standing = Standing(state=LeaderState.STANDBY, position=1, abreast=True, reached=reached, missed=("dead",))
    return Seen(holder=name, host="h", standing=standing, since=datetime(2026, 1, 1, tzinfo=UTC), silent_s=silent_s)


def test_the_one_is_to_decide_that_saw_a_switch_for_as_long_as_we_saw_none() -> None:
    clock = Clock()
    blind = Blindness(clock)
    clock.now += HELD_S
    assert blind.note(reaches=False)
    assert blind.follower([standby("a", "fs1")]) is None
    clock.now += BLIND_S
    assert blind.follower([standby("b", "fs1", "fs2")]) is None, "one that sees since a moment may not a moment later"
    clock.now += BLIND_S
    found = blind.follower([standby("b", "fs1", "fs2"), standby("c", "fs1"), standby("d")])
    assert found is not None
    assert found.holder == "b"


def test_whoever_sees_one_switch_again_keeps_the_lease() -> None:
    clock = Clock()
    blind = Blindness(clock)
    clock.now += HELD_S
    for _ in range(4):
        blind.note(reaches=False)
        assert blind.follower([standby("a", "fs1")]) is None
        clock.now += BLIND_S - 1
        assert not blind.note(reaches=True)
    assert blind.follower([standby("a", "fs1")]) is None


def test_a_standby_that_sees_nothing_or_is_not_heard_of_is_no_better() -> None:
    clock = Clock()
    blind = Blindness(clock)
    clock.now += HELD_S
    for _ in range(5):
        blind.note(reaches=False)
        assert blind.follower([standby("a"), standby("b", "fs1", silent_s=3.0)]) is None
        clock.now += BLIND_S


def test_two_that_lose_their_switches_in_turn_do_not_hand_callers_to_and_fro() -> None:
    clock = Clock()
    blind = Blindness(clock)
    blind.note(reaches=False)
    assert blind.follower([standby("a", "fs1")]) is None
    clock.now += HELD_S - 1
    assert blind.follower([standby("a", "fs1")]) is None, "it has decided for too short a time"
    clock.now += 1
    assert blind.follower([standby("a", "fs1")]) is not None
