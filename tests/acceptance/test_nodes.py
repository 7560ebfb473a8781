"""Two switches and one engine: callers at one, agents at the other; one is drained, and a third does not let us in."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.runner import inputs
from orchestrator.settings import Switch
from tests.acceptance.conftest import SIMULATED
from tests.acceptance.house import House, url_of
from tests.contract.pair import Pair, start_pair, url_with_peer
from tests.lab.patience import until

KINDS = SIMULATED


@pytest.fixture
def pair(
    kind: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[Pair, dict[str, int]]]:
    """Two switches for this test, and the ports of the trunk between them."""
    binary: Path | None = request.getfixturevalue("freeswitch") if kind == "real" else None
    pair, ports = start_pair(lambda node: tmp_path_factory.mktemp(f"{kind}-{node}"), binary)
    for driver in pair:
        driver.begin()
    yield pair, ports
    for driver in pair:
        with suppress(ConnectionError):  # one that was shut down cannot be told that its phones leave
            driver.__exit__(None, None, None)


def test_agents_of_one_switch_serve_callers_of_another_and_a_third_keeps_nobody_from_it(
    pair: tuple[Pair, dict[str, int]], tmp_path: Path
) -> None:
    """Feature 12.5, issue 5: registered there, rung there; drained by name; a wrong password is named."""
    (here, there), ports = pair
    locked = Switch("locked", "127.0.0.1", here.switch.port, "not-the-password")
    urls = [url_with_peer(url_of(each.switch), each.switch, ports) for each in (here, there)]
    urls.append(f"{url_of(locked)}&peer=127.0.0.1:9")
    (tmp_path / "house").mkdir()
    with House(here, tmp_path / "house", variables={"RINGLEDGER_SWITCHES": ",".join(urls)}) as house:
        engine = house.start_engine()
        house.await_active()
        engine.await_log("switch 'locked'")
        assert "does not take the password in its entry of RINGLEDGER_SWITCHES" in engine.log
        until(lambda: states(house) == ["in_step", "lost", "in_step"], "the two good ones to be in step")
        there.phone("1001")
        house.sign_in("801")
        until(lambda: house.agent("801")["phone"] == "registered", "the phone to be registered")
        caller = here.call()
        house.await_state("801", "talking")
        made = house.ledger.all(c.OfferMade)[-1]
        assert [held.via for held in made.reservations] == ["there"]
        house.do(inputs.Hold(agent="801"))
        house.await_state("801", "held")
        house.do(inputs.Resume(agent="801"))
        house.await_state("801", "talking")
        _drain(house, here.switch.name)
        here.call()
        caller.hang_up()
        house.await_no_contacts()
        assert len(house.ledger.all(c.ContactArrived)) == 1, "the switch refuses by itself"
        assert house.run("nodes", "undrain", "here")[0] == 0
        house.await_state("801", "ready")
        here.call()
        house.await_state("801", "talking")
        house.do(inputs.HangUp(agent="801"))
        house.close_day(contacts=2)


def states(house: House) -> list[str]:
    """How the engine has each switch, in their order."""
    return [row["status"] for row in house.client.ask("nodes")]


def _drain(house: House, node: str) -> None:
    status, said = house.run("nodes", "drain", node, "--reason", "new_disk")
    assert status == 0, said
    status, said = house.run("nodes")
    assert status == 0, said
    (row,) = [line for line in said.splitlines() if line.startswith(f"{node} ")]
    assert "new_disk" in row
