"""How long nobody decides when the active engine dies or hands over, with 500 contacts live on the simulated switch.

    takeover    SIGKILL of the active engine → the standby's ledger and switch are compared, and contacts are offered
    handover    the old engine decides nothing more → the same; `asked`: the wish is made → the same
    adoption    the new engine has its link → the same, for 1 000 channels
    cut_off     nothing comes through to or from the active engine's host → the same (one caller; root only)

Half of the contacts talk, the other half wait. No contact may end, and no leg be closed, by any of it.
"""

import shutil
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.engine import EngineActivated, HandoverBegun
from orchestrator.domain.kernel import Record
from orchestrator.domain.switch.nodes import NodeConnected, NodeReconciled
from orchestrator.engines import Roster
from orchestrator.leader import LeaderState
from orchestrator.runner import inputs
from orchestrator.store import Source
from tests.acceptance.far import far_engine
from tests.acceptance.house import Engine, House
from tests.contract.driver import SimulatedDriver
from tests.lab.apart import why_not
from tests.lab.patience import until
from tests.postgres import make_reachable_directory

TALKING: Final = 250
WAITING: Final = 250
KILLS: Final = 12
HANDOVERS: Final = 12
CUT_OFF: Final = 3
_CHANNELS: Final = 2 * TALKING + WAITING
_FIRST: Final = 2001
# More new callers than these at once would be a rush, which is another figure.
_AT_ONCE: Final = 25


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group."""
    with ExitStack() as stack:
        place = make_reachable_directory()
        stack.callback(shutil.rmtree, place)
        lab = place / "lab"
        lab.mkdir()
        driver = stack.enter_context(SimulatedDriver(lab))
        driver.begin()
        stack.callback(driver.end)
        house = House(driver, place, max_wait_s=3_600, wrap_up_s=600, queue="record = false")
        house.configuration += "".join(_agent(extension) for extension in _extensions())
        stack.enter_context(house)
        source = Source(house.database.url_reader, name="bench")
        stack.callback(source.close)
        roster = Roster(source, house.settings.site)
        engine = house.open()
        _fill(house)
        kills, adoptions = [], []
        for _ in range(KILLS):
            successor = _stand_by(house, roster)
            began = time.time()
            engine.child.signal(signal.SIGKILL)
            engine.child.wait(10)
            kills.append(_until_decided(house, round(began * 1e6)))
            adoptions.append(_adoption_s(house))
            engine = successor
        yield _figure("takeover.p50_ms", statistics.median(kills), contacts=TALKING + WAITING, kills=KILLS)
        yield _figure("takeover.p95_ms", _p95(kills), at_most=1_500)
        per_1000 = statistics.median(adoptions) * 1_000 / _CHANNELS
        yield {"name": "adoption.s_per_1000", "value": round(per_1000, 3), "unit": "s", "channels": _CHANNELS}
        _stand_by(house, roster)
        handovers, asked = [], []
        for _ in range(HANDOVERS):
            until(lambda: _has_both(roster), "one to be active and another to be ready", within_s=60)
            began = time.time_ns() // 1_000
            handovers.append(_hand_over(house))
            asked.append(_until_decided(house, began))
        _nothing_lost(house)
    yield _figure("handover.p50_ms", statistics.median(handovers), contacts=TALKING + WAITING, handovers=HANDOVERS)
    yield _figure("handover.p95_ms", _p95(handovers), at_most=300)
    yield _figure("handover.asked_p95_ms", _p95(asked))
    if not why_not():
        yield _figure("takeover.cut_off_ms", statistics.median(_cut_off() for _ in range(CUT_OFF)), at_most=10_000)


def _extensions() -> range:
    return range(_FIRST, _FIRST + TALKING)


def _agent(extension: int) -> str:
    return (
        f'\n[agent.a{extension}]\nnumber = "{extension}"\nname = "Agent {extension}"\nextension = "{extension}"\n'
        "skills = { support = 1 }\n"
    )


def _fill(house: House) -> None:
    """So many talk, and so many wait."""
    for extension in _extensions():
        house.driver.phone(str(extension), expires_s=3_600)
        house.sign_in(str(extension))
    for number in range(1, TALKING + WAITING + 1):
        house.driver.call()
        if number % _AT_ONCE == 0:
            house.ledger.await_event(c.ContactQueued, count=number, within_s=60)
            house.ledger.await_event(c.ContactConnected, count=min(number, TALKING), within_s=60)


def _stand_by(house: House, roster: Roster) -> Engine:
    """One more engine, warm."""
    engine = house.start_engine()
    pid = str(engine.child.popen.pid)
    until(
        lambda: any(each.may_follow and each.holder.split()[2] == pid for each in roster.all()),
        "the standby to be ready",
        within_s=60,
    )
    return engine


def _has_both(roster: Roster) -> bool:
    known = roster.all()
    active = any(each.standing.state is LeaderState.ACTIVE and not each.silent for each in known)
    return active and any(each.may_follow for each in known)


def _hand_over(house: House) -> float:
    """Milliseconds from the end of the old engine's decisions until the next one has its switch in step."""
    house.client.close()
    asked = time.time_ns() // 1_000
    house.do(inputs.HandOver())
    begun = until(lambda: _last(house, HandoverBegun, after=asked), "the handover to be recorded")
    return _until_decided(house, begun.about.at)


def _until_decided(house: House, since: int) -> float:
    """Milliseconds from this instant until a switch is in step with the ledger again."""
    house.client.close()
    record = until(lambda: _last(house, NodeReconciled, after=since), "the switch to be in step", within_s=60)
    return float(record.about.at - since) / 1_000


def _cut_off() -> float:
    """Milliseconds from the moment that the active engine's host is cut off until the other one has its switch."""
    with ExitStack() as stack:
        place = make_reachable_directory()
        stack.callback(shutil.rmtree, place)
        lab = place / "lab"
        lab.mkdir()
        driver = stack.enter_context(SimulatedDriver(lab))
        driver.begin()
        stack.callback(driver.end)
        house = stack.enter_context(House(driver, place, max_wait_s=3_600))
        _, cable, _ = stack.enter_context(far_engine(house))
        caller = driver.call()
        house.ledger.await_event(c.ContactQueued)
        house.stand_by()
        house.client.close()
        began = time.time_ns() // 1_000
        cable.pull_out()
        took = _until_decided(house, began)
        caller.hang_up()
        house.ledger.await_event(c.ContactEnded)
        return took


def _adoption_s(house: House) -> float:
    connected, reconciled = _last(house, NodeConnected), _last(house, NodeReconciled)
    assert connected is not None
    assert reconciled is not None
    return float(reconciled.about.at - connected.about.at) / 1e6


def _last(house: House, kind: type, *, after: int = 0) -> Record | None:
    found: list[Record] = [r for r in house.ledger.read() if isinstance(r.event, kind) and r.about.at > after]
    return found[-1] if found else None


def _nothing_lost(house: House) -> None:
    """Every contact is as it was, and nobody was told otherwise."""
    activated = len(house.ledger.all(EngineActivated))
    assert activated == 1 + KILLS + HANDOVERS, f"{activated} engines became active"
    assert not house.ledger.all(c.ContactEnded)
    assert not house.ledger.all(c.LegClosed)
    assert len(house.ledger.all(c.ContactConnected)) == TALKING


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[94]


def _figure(name: str, value: float, **more: int) -> dict[str, Any]:
    return {"name": name, "value": round(value, 1), "unit": "ms", **more}
