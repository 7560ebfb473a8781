"""Which desks are there, as the orchestrator is told: when they come, when the last stream ends, and at each beat."""

from collections.abc import Iterator

import pytest

from orchestrator.control import ControlError
from orchestrator.domain.kernel import Refused
from orchestrator.runner.inputs import DESKS_IN_A_BEAT, DeskBeat, DeskCommand, DeskGone, DeskSeen
from tests.lab.patience import until
from web.desk.attendance import Attendance

Told = list[DeskCommand]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def attendance(told: Told) -> Iterator[Attendance]:
    def do(command: DeskCommand) -> int:
        told.append(command)
        return 0

    attendance = Attendance(do).start()
    yield attendance
    attendance.stop()


def seen(told: Told, kind: type[DeskCommand]) -> Told:
    return [command for command in told if isinstance(command, kind)]


def test_a_desk_comes_with_its_first_stream_and_goes_with_its_last(attendance: Attendance, told: Told) -> None:
    """Issue 3, desk presence: a page that is loaded again opens its new stream before the old one has ended."""
    first = attendance.come("101", "d1")
    second = attendance.come("101", "d1")
    until(lambda: len(seen(told, DeskSeen)) == 2, "the desk to be told of")
    first()
    first()
    assert attendance.open == {("101", "d1")}
    assert not seen(told, DeskGone)
    second()
    until(lambda: seen(told, DeskGone) == [DeskGone(agent="101", desk="d1")], "its end to be told")
    assert attendance.open == frozenset()


def test_all_that_are_open_are_told_at_each_beat(attendance: Attendance, told: Told) -> None:
    for number in range(DESKS_IN_A_BEAT + 5):
        attendance.come(f"{number}", f"d{number}")
    attendance.come("0", "another")
    until(lambda: len(seen(told, DeskBeat)) >= 2, "two beats")
    desks = [(agent, desk) for beat in seen(told, DeskBeat)[:2] for agent, desk in beat.desks.items()]  # type: ignore[attr-defined]
    assert sorted(desks) == sorted(attendance.open)


@pytest.mark.parametrize("error", (Refused("desk_elsewhere", "there"), Refused("bad_desk", "x"), ControlError("away")))
def test_an_orchestrator_that_is_away_or_refuses_ends_nothing(error: Exception) -> None:
    """A stream must open whether or not the orchestrator hears of it; the next beat says the same."""
    tries: Told = []

    def do(command: DeskCommand) -> int:
        tries.append(command)
        raise error

    attendance = Attendance(do).start()
    leave = attendance.come("101", "d1")
    until(lambda: seen(tries, DeskBeat) != [], "the next beat")
    leave()
    until(lambda: seen(tries, DeskGone) != [], "its end to be told")
    attendance.stop()
