"""A switch for each kind, started once a session, and a house of its own for each test."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.house import House
from tests.contract.driver import Driver, RealDriver, SimulatedDriver

BOTH = (pytest.param("simulated"), pytest.param("real", marks=pytest.mark.switch))
SIMULATED, REAL = (BOTH[0],), (BOTH[1],)
"""What a module's KINDS may be, where its tests are not for both."""

Build = Callable[..., House]
BUILT = pytest.StashKey[list[House]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        kinds = getattr(metafunc.module, "KINDS", BOTH)
        metafunc.parametrize("kind", kinds, scope="session")


@pytest.fixture(scope="session")
def switches() -> Iterator[dict[str, Driver]]:
    """Those started so far."""
    started: dict[str, Driver] = {}
    with ExitStack() as stack:
        yield started
        for driver in started.values():
            stack.push(driver)


@pytest.fixture
def driver(
    kind: str, switches: dict[str, Driver], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Driver]:
    """The far ends. A channel that the test leaves behind is hung up and is an error."""
    found = switches.get(kind)
    if found is None:
        folder = tmp_path_factory.mktemp(kind)
        found = RealDriver(folder, request.getfixturevalue("freeswitch")) if kind == "real" else SimulatedDriver(folder)
        switches[kind] = found.__enter__()
    found.begin()
    # What the tests before recorded is nobody's here.
    for file in found.recordings.glob("*.wav"):
        file.unlink(missing_ok=True)
    yield found
    found.end()


@pytest.fixture
def build(driver: Driver, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Build]:
    """Makes a house with the times and variables that are given; it is taken down after the test."""
    built: list[House] = request.node.stash.setdefault(BUILT, [])
    with ExitStack() as stack:

        def make(**given: Any) -> House:  # noqa: ANN401 - whatever House takes
            folder = tmp_path / f"house-{len(built) + 1}"
            folder.mkdir()
            house = stack.enter_context(House(driver, folder, **given))
            built.append(house)
            return house

        yield make


@pytest.fixture
def house(build: Build) -> House:
    """A house that is open, with nobody signed in."""
    house = build()
    house.open()
    return house


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows the log and what the engines said."""
    report = yield
    if report.failed:
        report.sections += [("the house", house.text()) for house in item.stash.get(BUILT, [])]
    return report
