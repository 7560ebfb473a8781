"""Callers are identified beside the ring path, a few at a time, and whatever goes wrong concerns those few alone."""

from collections.abc import Iterator, Sequence

import pytest

from orchestrator.service.callers import Callers
from orchestrator.service.customers import Caller
from orchestrator.store import Away
from tests.lab.patience import until


class Directory:
    """Knows everybody whose number begins with +86; what it was asked; and whether it is out of order."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.fault: Exception | None = None
        self.found: list[tuple[str, str]] = []

    def identify(self, numbers: Sequence[str]) -> list[Caller | None]:
        self.asked.append(list(numbers))
        if self.fault is not None:
            raise self.fault
        return [Caller(f"customer of {number}") if number.startswith("+86") else None for number in numbers]

    def told(self, contact: str, caller: Caller) -> None:
        self.found.append((contact, caller.customer_id))


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def callers(directory: Directory) -> Iterator[Callers]:
    callers = Callers(directory.identify, directory.told)
    callers.start()
    yield callers
    callers.stop()


def test_callers_of_one_moment_are_looked_up_together_and_each_who_is_known_is_told(
    directory: Directory, callers: Callers
) -> None:
    """Feature 5.2; whoever has no number stays without a name."""
    for number in ("+861", "anonymous", "+862"):
        callers.came(f"contact {number}", number)
    until(lambda: len(directory.found) == 2, "both to be found")
    assert directory.asked == [["+861", "anonymous", "+862"]]
    assert directory.found == [("contact +861", "customer of +861"), ("contact +862", "customer of +862")]


def test_a_crowd_is_looked_up_in_handfuls_and_nobody_is_left_out(directory: Directory, callers: Callers) -> None:
    for number in range(250):
        callers.came(str(number), f"+86{number}")
    until(lambda: len(directory.found) == 250, "all to be found")
    assert [len(numbers) for numbers in directory.asked] == [100, 100, 50]


@pytest.mark.parametrize("fault", (Away("no database"), ValueError("a fault of ours")))
def test_those_who_come_after_a_failure_are_identified(
    directory: Directory, callers: Callers, fault: Exception
) -> None:
    directory.fault = fault
    callers.came("first", "+861")
    until(lambda: len(directory.asked) == 1, "the look-up that fails")
    directory.fault = None
    callers.came("second", "+862")
    until(lambda: len(directory.found) == 1, "the next caller to be found")
    assert directory.found == [("second", "customer of +862")]
