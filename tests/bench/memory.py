"""What the decisions of one call cost while their memory is at hand, and while it is not.

A step touches some hundred kilobytes that nothing touches again for milliseconds: what runs in between, here or beside
us on a shared host, decides whether they are still in the processor's caches. In one run on one machine the two differ
by three to four, which is what `orchestrator.cpu_ms_per_call` moves between (docs/decisions/0129).
"""

import os
import statistics
import time
from typing import Final

from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import RingAgent
from orchestrator.runner.inputs import Body
from tests.runner.scene import NODE, Scene

AGENTS: Final = 9
CALLS: Final = 100
ROUNDS: Final = 5
BETWEEN_BYTES: Final = 16 << 20
"""More than a core's share of any cache that we met."""


def core_ms(*, cold: bool) -> float:
    """Milliseconds in the runner for a call that is served, the median of `ROUNDS` times `CALLS`; `cold`: with
    `BETWEEN_BYTES` read between every two steps.
    """
    scene = Scene(agents=AGENTS, wrap_up_ms=0, record=False)
    scene.ready(*range(1, AGENTS + 1))
    others = bytearray(os.urandom(BETWEEN_BYTES))
    spent = 0.0

    def give(body: Body) -> None:
        nonlocal spent
        if cold:
            others.count(b"\0\0\0")
        begun = time.perf_counter()
        scene.give(body)
        spent += time.perf_counter() - begun
        scene.records.clear()

    def call(leg: str) -> None:
        give(facts.LegParked(node=NODE, leg=leg, inbound=True, dialled="4001", context="ringledger-inbound"))
        ring = next(each for each in scene.outcome.instructions if isinstance(each, RingAgent))
        give(facts.LegRinging(node=NODE, leg=ring.leg, contact=ring.contact, offer=ring.offer))
        give(facts.LegParked(node=NODE, leg=ring.leg, contact=ring.contact, offer=ring.offer))
        give(facts.LegBridged(node=NODE, leg=leg, other=ring.leg))
        give(facts.LegHungUp(node=NODE, leg=leg, cause="NORMAL_CLEARING"))
        give(facts.LegHungUp(node=NODE, leg=ring.leg, cause="NORMAL_CLEARING"))
        scene.told.clear()

    rounds = []
    for number in range(ROUNDS + 1):
        spent = 0.0
        for place in range(CALLS):
            call(f"caller-{number}-{place}")
        rounds.append(1_000 * spent / CALLS)
    return statistics.median(rounds[1:])  # the first finds everything new
