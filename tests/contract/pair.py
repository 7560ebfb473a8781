"""Two switches, real or simulated, that know each other: `here`, where callers arrive, and `there`."""

from collections.abc import Callable
from pathlib import Path

from orchestrator.settings import Switch
from tests.contract.driver import Driver, RealDriver, SimulatedDriver
from tests.lab.ports import free_port

Pair = tuple[Driver, Driver]


def start_pair(folder_of: Callable[[str], Path], binary: Path | None) -> tuple[Pair, dict[str, int]]:
    """Both, started, and the ports at which each takes the other's callers; simulated ones without a `binary`."""
    ports = {"here": free_port(), "there": free_port()}
    made: list[Driver] = []
    sounds = folder_of("sounds")
    for node, beside in (("here", "there"), ("there", "here")):
        folder = folder_of(node)
        if binary is not None:
            made.append(RealDriver(folder, binary, node=node, peer_port=ports[node], sounds=sounds))
        else:
            made.append(SimulatedDriver(folder, node=node, peer_port=ports[node]))
        made[-1].know(**{beside: ports[beside]})
    return (made[0].__enter__(), made[1].__enter__()), ports


def url_with_peer(url: str, switch: Switch, ports: dict[str, int]) -> str:
    """A switch as RINGLEDGER_SWITCHES names it where there are others."""
    return f"{url}&peer=127.0.0.1:{ports[switch.name]}"
