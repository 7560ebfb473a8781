"""Supervisors, on both switches, from their first word to the end; the engine starts again in the middle."""

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import monitor_events as m
from orchestrator.domain.contacts.speaking import AgentMuted
from orchestrator.domain.switch.nodes import NodeReconciled
from orchestrator.runner import inputs
from tests.acceptance.house import House
from tests.contract.driver import Driver
from tests.lab.sound import AGENT_HZ, CALLER_HZ, listen

SUPERVISOR_HZ = 700
ALL_HZ = (AGENT_HZ, SUPERVISOR_HZ, CALLER_HZ)


def test_a_supervisor_whispers_barges_in_and_takes_over_and_the_one_recording_has_it_all_but_the_whisper(
    house: House,
) -> None:
    """Features 1.2, 4.3, 8.3, 11.8; complaint 14: by samples where there is sound, also while the agent is muted."""
    house.driver.phone("1001")
    house.driver.phone("1002", hertz=SUPERVISOR_HZ)
    house.sign_in("801")
    house.driver.call()
    house.ledger.await_event(c.RecordingBegun)
    house.do(inputs.SignIn(agent="802"))
    contact_id = next(iter(house.ledger.contacts()))
    for count, mode in enumerate(("whisper", "barge"), start=1):
        house.do(inputs.Monitor(agent="802", contact=contact_id, mode=mode, reason="coaching"))
        house.ledger.await_event(m.MonitorBegun, count=count)
        house.driver.let_hear(1_500)
    house.do(inputs.Mute(agent="801"))
    house.ledger.await_event(AgentMuted)
    house.driver.let_hear(1_500)
    house.engines[-1].child.kill()
    house.open()
    house.ledger.await_event(NodeReconciled, count=2)
    house.do(inputs.TakeOverCall(agent="802", about=contact_id, reason="complaint"))
    house.await_state("802", "talking")
    house.driver.let_hear(1_500)
    house.do(inputs.HangUp(agent="802"))
    report = house.close_day(contacts=1)
    assert (report.counts.monitors, report.counts.transfers) == (1, 1)
    assert [event.agent_id for event in house.ledger.all(c.ContactConnected)] == ["ann", "bob"]
    (finished,) = house.ledger.all(c.RecordingFinished)
    if house.driver.has_sound:
        _heard(house.driver, finished.file, finished.length_ms / 1_000)


def _heard(driver: Driver, file: str, lasted_s: float) -> None:
    """In turn: the agent alone while it is whispered, both while it is barged in, the supervisor alone from the agent's
    mute on; at most half a second of nobody, all told, as they are let in behind it, and as they take over.
    """
    path = driver.recordings / file
    seconds = [at / 4 for at in range(1, int(lasted_s * 4) - 2)]
    shares = [listen(path, 1, from_s=at, to_s=at + 0.25, for_hz=ALL_HZ).share for at in seconds]
    own = [share[SUPERVISOR_HZ] for share in shares]
    first = next(place for place, share in enumerate(own) if share > 0.1)
    assert seconds[first] > 1.0, "whispered for more than a second, and none of it is here"
    assert max(share for share in own[: first - 1]) < 0.02
    assert shares[first + 2][AGENT_HZ] > 0.1, "both are heard while the supervisor barges in"
    assert min(own[-3:]) > 0.5
    assert sum(share < 0.1 for share in own[first:]) <= 2, own
    assert max(share[AGENT_HZ] for share in shares[-3:]) < 0.02
