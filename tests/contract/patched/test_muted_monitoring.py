"""A mute that begins while a supervisor is heard: the agent is silent, the supervisor is not (features 1.2, 8.3)."""

from pathlib import Path

from orchestrator.domain.switch import facts as f
from tests.contract.desk import Desk
from tests.contract.driver import Driver
from tests.contract.patched.test_monitoring import ALL_HZ, PART, SUPERVISOR_HZ, TRACE, Monitored
from tests.lab.sound import AGENT_HZ, Heard, listen


def test_whoever_is_let_in_again_behind_a_mute_is_heard_on_while_the_agent_is_not(driver: Driver, desk: Desk) -> None:
    """By samples: the switch silences what came before the mute, so a supervisor let in before it goes with it."""
    it = Monitored(driver, desk, "barge")
    desk.record(it.caller, "muted.wav")
    path = Path(desk.await_fact(f.RecordingStarted, leg=it.caller).path)
    driver.let_hear(1_500)
    desk.mute(it.agent)
    desk.await_fact(f.MuteSet, leg=it.agent, on=True)
    driver.let_hear(1_500)
    desk.park(it.supervisor)
    it.hear("barge")
    driver.let_hear(1_500)
    desk.mute(it.agent, on=False)
    desk.await_fact(f.MuteSet, leg=it.agent, on=False)
    driver.let_hear(1_500)
    assert desk.exists(it.caller)
    it.gone(it.supervisor, it.caller)
    if driver.has_sound:
        both, silenced, behind, again = (_heard(path, place) for place in range(4))
        assert min(both.share[AGENT_HZ], both.share[SUPERVISOR_HZ]) > PART
        assert silenced.silent, "the switch does not silence who came before the mute: there is no need to let in again"
        assert behind.share[SUPERVISOR_HZ] > PART
        assert behind.share[AGENT_HZ] < TRACE
        assert min(again.share[AGENT_HZ], again.share[SUPERVISOR_HZ]) > PART
    driver.await_empty()


def _heard(path: Path, place: int) -> Heard:
    """What the caller hears in the middle of the stretch at this place."""
    begin = 1.5 * place + 0.6
    return listen(path, 1, from_s=begin, to_s=begin + 0.6, for_hz=ALL_HZ)
