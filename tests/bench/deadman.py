"""What the sign of life costs: commands a second to each of two simulated switches, over the engine's own links.

`deadman.commands_per_s_per_node`: about one, for the switch looks once a second.
"""

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

MEASURED_S: Final = 10.0
NODES: Final = ("one", "two")


def run() -> Iterator[dict[str, Any]]:
    """The figure, from a process that is patched as the engine is."""
    command = [sys.executable, "-m", "tests.bench.deadman"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    yield json.loads(told.stdout.splitlines()[-1])


def _measured() -> dict[str, Any]:
    import gevent

    from orchestrator.clock import wall_clock
    from orchestrator.esl.alive import SignOfLife
    from orchestrator.esl.node import Link
    from tests.contract.driver import SimulatedDriver
    from tests.lab.patience import until

    with ExitStack() as stack:
        links = {}
        for node in NODES:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            driver = stack.enter_context(SimulatedDriver(folder, node=node))
            links[node] = Link(driver.switch, lambda *_: None, clock=wall_clock)
            links[node].start()
            stack.callback(links[node].stop)
        until(lambda: all(link.up for link in links.values()), "both links to be up")
        sign = SignOfLife(links, lives=lambda: True)
        sign.start(lambda _, work: gevent.spawn(work))
        stack.callback(sign.stop)
        began = time.monotonic()
        time.sleep(MEASURED_S)
        rate = sign.given / len(NODES) / (time.monotonic() - began)
    return {"name": "deadman.commands_per_s_per_node", "value": round(rate, 2), "unit": "commands/s", "at_most": 1.2}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measured()) + "\n")
