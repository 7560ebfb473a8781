"""How soon the switch does what is asked of a live call: one caller after the other, with an agent who answers.

    record.start       CHANNEL_BRIDGE → RECORD_START: what of each talk no recording has
    control.hold       the hold key → CHANNEL_HOLD
    control.transfer   the wish to pass the caller on → CHANNEL_PARK of the caller's leg
    transfer.gap_ms    how long the caller then hears nothing (`control_gaps`)

The key is the desk's command to the engine, so decision and commit are in it. The switch's news is read at a connection
that is none of the engine's; both moments by one clock of ours. A real switch where there is one, otherwise the
simulated one, which does at once what it is told: each line says which.
"""

import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self

from orchestrator.runner.inputs import Hold, Resume, Transfer
from tests.acceptance.house import House
from tests.bench.control_gaps import gaps
from tests.contract.driver import Driver, RealDriver, SimulatedDriver
from tests.lab.patience import until
from tests.lab.switch import freeswitch_binary
from tests.postgres import make_reachable_directory

CALLS: Final = 40
AGENT: Final = "801"
SETTLED_MS: Final = 600
"""So long after a bridge, a hold or a resume the next key is pressed: a younger one has to wait for the switch
(`handling.SETTLE`), and that is no figure.
"""
_POKE_S: Final = 0.001


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group."""
    binary = freeswitch_binary()
    with ExitStack() as stack:
        place = make_reachable_directory()
        stack.callback(shutil.rmtree, place)
        lab = place / "lab"
        lab.mkdir()
        driver: Driver = stack.enter_context(RealDriver(lab, binary) if binary is not None else SimulatedDriver(lab))
        driver.begin()
        stack.callback(driver.end)
        house = stack.enter_context(House(driver, place))
        house.open()
        driver.phone("1001")
        house.sign_in(AGENT)
        ear = stack.enter_context(_Ear(driver))
        took: dict[str, list[float]] = {"record.start": [], "control.hold": [], "control.transfer": []}
        for _ in range(CALLS):
            _call(house, ear, took)
        passed_on = list(gaps(house, ear.hears, time.monotonic))
    for name, all_ms in took.items():
        yield {
            "name": f"{name}.p95_ms",
            "value": round(statistics.quantiles(all_ms, n=100, method="inclusive")[94], 2),
            "unit": "ms",
            "p50_ms": round(statistics.median(all_ms), 2),
            "calls": len(all_ms),
            "switch": driver.name,
        }
    yield from passed_on


def _call(house: House, ear: "_Ear", took: dict[str, list[float]]) -> None:
    house.await_state(AGENT, "ready")
    began = time.monotonic()
    caller = house.driver.call()
    bridged = ear.hears("CHANNEL_BRIDGE", began)
    took["record.start"].append(1_000 * (ear.hears("RECORD_START", began) - bridged))
    house.await_state(AGENT, "talking")
    house.driver.let_hear(SETTLED_MS)
    pressed = time.monotonic()
    house.do(Hold(agent=AGENT))
    took["control.hold"].append(1_000 * (ear.hears("CHANNEL_HOLD", pressed) - pressed))
    house.driver.let_hear(SETTLED_MS)
    pressed = time.monotonic()
    house.do(Resume(agent=AGENT))
    ear.hears("CHANNEL_UNHOLD", pressed)
    house.driver.let_hear(SETTLED_MS)
    pressed = time.monotonic()
    house.do(Transfer(agent=AGENT, to_queue="sales"))
    took["control.transfer"].append(1_000 * (ear.hears("CHANNEL_PARK", pressed) - pressed))
    caller.hang_up()
    house.await_no_contacts()


class _Ear:
    """When the switch said what, by our clock."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._heard: list[tuple[str, float]] = []
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        self._control = self._driver.control()
        self._control.subscribe("CHANNEL_BRIDGE RECORD_START CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_PARK")
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)
        self._control.socket.close()

    def hears(self, name: str, since: float) -> float:
        """When it was first told this event since then; waits for it."""
        return until(lambda: next((at for what, at in self._heard if what == name and at > since), None), name)

    def _listen(self) -> None:
        """A switch looks at what it has to tell every 20 ms, unless it is poked: it is."""
        while not self._stop.is_set():
            self._control.socket.sendall(b"\n")
            for event in self._control.drain(_POKE_S):
                self._heard.append((event["Event-Name"], time.monotonic()))
