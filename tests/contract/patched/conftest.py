"""Each contract test runs once for each kind of switch; each kind is started once a session."""

from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from tests.contract.desk import Desk
from tests.contract.driver import Driver, RealDriver, SimulatedDriver

KINDS = (pytest.param("simulated"), pytest.param("real", marks=pytest.mark.switch))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", KINDS, scope="session")


@pytest.fixture(scope="session")
def switches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Driver]]:
    """Those started so far."""
    started: dict[str, Driver] = {}
    yield started
    for driver in started.values():
        driver.__exit__(None, None, None)


@pytest.fixture
def driver(
    kind: str, switches: dict[str, Driver], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Driver]:
    """The far ends. The test must leave no channel behind: it is hung up, and said."""
    found = switches.get(kind)
    if found is None:
        folder = tmp_path_factory.mktemp(kind)
        if kind == "real":
            binary: Path = request.getfixturevalue("freeswitch")
            found = RealDriver(folder, binary)
        else:
            found = SimulatedDriver(folder)
        switches[kind] = found.__enter__()
    found.begin()
    yield found
    found.end()


@pytest.fixture
def desk(driver: Driver) -> Iterator[Desk]:
    """The product's side, connected."""
    desk = Desk(driver.switch, driver.recordings)
    desk.start()
    yield desk
    desk.stop()
    gevent.sleep(0)
    assert desk.link.faults == 0
