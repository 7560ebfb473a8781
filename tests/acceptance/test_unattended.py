"""The orchestrator is away for good, and comes back: the switch serves callers meanwhile (feature 12.3)."""

import hashlib
import sys

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.keeping import RecordingSealed
from orchestrator.domain.contacts.unattended import LOST, MESSAGE, UnattendedCallEnded, UnattendedCallLost
from orchestrator.domain.kernel import Refused
from orchestrator.service.recordings import SUFFIX, Recordings
from orchestrator.store import DeskWriter, KeyShelf, Log, Source
from orchestrator.vault import Vault
from tests.acceptance.house import ROOT, House, url_of
from tests.acceptance.tap import Gate
from tests.contract.driver import sessions
from tests.lab.patience import until
from tests.lab.process import Child


def test_callers_of_a_dead_engine_are_served_and_the_next_engine_leaves_them_alone(house: House) -> None:
    """Complaints 1, 2, 16: the engine is killed in mid-call. The talk goes on, who waits and who arrives hears why and
    is joined with a phone of the fallback group, and whoever calls once an engine is there again is served as always.
    """
    driver = house.driver
    driver.shorten_prompts()
    driver.phone("1001")
    house.sign_in("801")
    with driver.control() as control, driver.patience(5):
        until(lambda: control.api("global_getvar ringledger_silent_s").strip() == "0", "the switch to hear the engine")
        until(lambda: control.api("global_getvar ringledger_unattended").strip() != "yes", "it to be patient")
        talking = driver.call()
        house.await_state("801", "talking")
        waiting = driver.call(number="+31201111111")
        house.ledger.await_event(c.ContactQueued, count=2)
        house.engines[-1].child.kill()
        driver.phone("1003")  # it registers while no engine runs, and is the only one that is free
        until(lambda: sessions(control) == 4, "the waiting caller to be joined with a phone", within_s=30)
        arriving = driver.call(number="+31202222222")
        until(lambda: sessions(control) >= 5, "the second to be taken")
        house.open()
        ended = house.ledger.await_event(c.ContactEnded)
        assert ended.reason == "unattended"
        for caller in (waiting, arriving):
            caller.hang_up()
        until(lambda: sessions(control) == 2, "the two to be gone, and the talk to go on")
        assert house.agent("801")["state"] == "talking"
        talking.hang_up()
        house.ledger.await_event(c.ContactEnded, count=2)
        until(lambda: control.api("global_getvar ringledger_unattended").strip() != "yes", "the switch to hear of it")
        last = driver.call(number="+31203333333")
        house.await_state("801", "talking")
        last.hang_up()
        house.ledger.await_event(UnattendedCallEnded, count=2)
        house.ledger.await_event(c.ContactEnded, count=5)
    waited = house.ledger.contacts()[1]
    calls = house.ledger.all(UnattendedCallEnded)
    assert [call.earlier for call in calls if call.earlier] == [waited]
    assert {call.agent_id for call in calls if call.joined_at} <= {"ann", "cem"}
    assert any(call.joined_at for call in calls)
    assert all(call.arrived_at < call.ended_at for call in calls)
    report = house.close_day(contacts=3)
    assert report.counts.unattended == 2
    until(lambda: not list(driver.unattended.glob("*.cdr.json")), "the files to be gone")


def test_whoever_was_served_and_left_just_before_the_engine_is_back_did_not_give_up(house: House) -> None:
    """Feature 12.3, complaint 2: however many they are. Each waited with us, was taken by the switch, and hung up."""
    driver = house.driver
    driver.shorten_prompts()
    many = 3 if driver.has_sound else 40  # of a real switch each caller is a process of its own
    with driver.control() as control, driver.patience(5):
        until(lambda: control.api("global_getvar ringledger_silent_s").strip() == "0", "the switch to hear the engine")
        callers = [driver.call(number=f"+3120{number:07}") for number in range(many)]
        house.ledger.await_event(c.ContactQueued, count=many)
        house.engines[-1].child.kill()

        def taken() -> int:
            return sum("served-by-the-switch" in line for line in control.api("show channels").splitlines())

        until(lambda: taken() == many, "all of them to be taken")
        for caller in callers:
            caller.hang_up()
        until(lambda: sessions(control) == 0, "all of them to be gone")
        house.open()
        house.ledger.await_event(UnattendedCallEnded, count=many)
        house.ledger.await_event(c.ContactEnded, count=2 * many)
    waited = house.ledger.contacts()[:many]
    assert {call.earlier for call in house.ledger.all(UnattendedCallEnded)} == set(waited)
    report = house.close_day(contacts=many)
    assert report.counts.ended_by_reason.pop("unattended") == report.counts.unattended == many
    assert "abandoned" not in report.counts.ended_by_reason


@pytest.mark.parametrize("word", (b"event json", b"api show channels"))
def test_whoever_leaves_between_the_look_at_the_files_and_the_switchs_answer_did_not_give_up(
    house: House, word: bytes
) -> None:
    """Feature 12.3, complaint 2: the engine has looked, and is about to listen, or to ask what the switch has; just
    then the caller goes.
    """
    driver = house.driver
    driver.shorten_prompts()
    with driver.control() as control, driver.patience(5), Gate(driver.switch, word) as gate:
        until(lambda: control.api("global_getvar ringledger_silent_s").strip() == "0", "the switch to hear the engine")
        caller = driver.call(number="+31201111111")
        house.ledger.await_event(c.ContactQueued)
        house.engines[-1].child.kill()
        until(lambda: "served-by-the-switch" in control.api("show channels"), "the caller to be taken")
        house.start_engine(RINGLEDGER_SWITCHES=url_of(gate.switch))
        assert gate.asked.wait(60)
        house.await_active()
        caller.hang_up()
        until(lambda: any(driver.unattended.glob("*.cdr.json")), "the switch to say what became of the caller")
        until(lambda: sessions(control) == 0, "the caller to be gone")
        gate.opened.set()
        house.ledger.await_event(UnattendedCallEnded)
        house.ledger.await_event(c.ContactEnded, count=2)
        report = house.close_day(contacts=1)
    assert report.counts.ended_by_reason.pop("unattended") == 1
    assert "abandoned" not in report.counts.ended_by_reason


def test_nobody_vanishes_where_the_switch_is_killed_while_it_serves_alone(house: House) -> None:
    """Feature 12.3, complaint 2: no engine, and then no switch either. One had waited with us, one had just come."""
    driver = house.driver
    driver.shorten_prompts()
    with driver.control() as control:
        until(lambda: control.api("global_getvar ringledger_silent_s").strip() == "0", "the switch to hear the engine")
        driver.call(number="+31201111111")
        house.ledger.await_event(c.ContactQueued)
        house.engines[-1].child.kill()
        control.api("global_setvar ringledger_patience_s=2")  # the next run waits as long as always
        until(lambda: "served-by-the-switch" in control.api("show channels"), "the caller to be taken")
        driver.call(number="+31202222222", name=b'"Eve%22%2C%22uuid%22%3A%22x%0A" ')
        until(lambda: len(list(driver.unattended.glob("*.taken.json"))) == 2, "the other one to be taken")
    driver.restart()
    house.open()
    lost = house.ledger.await_event(UnattendedCallLost, count=2)
    assert lost.arrived_at <= lost.taken_at
    house.ledger.await_event(c.ContactEnded, count=3)
    (waited,) = [call.earlier for call in house.ledger.all(UnattendedCallLost) if call.earlier]
    assert waited == house.ledger.contacts()[0]
    assert [event.reason for event in house.ledger.all(c.ContactEnded)].count(LOST) == 2
    assert not house.ledger.all(UnattendedCallEnded)
    report = house.close_day(contacts=1)
    assert (report.counts.unattended, report.counts.unattended_lost) == (2, 2)
    assert "abandoned" not in report.counts.ended_by_reason
    until(lambda: not list(driver.unattended.glob("*.json*")), "the files to be gone")


def test_a_message_left_with_the_switch_is_sealed_once_it_is_imported(house: House) -> None:
    """Features 8.2, 12.3: as any other recording. The clear file is gone, the log has the SHA-256 of what the switch
    wrote, what is kept is heard again to the byte, and nobody hears it once its caller was erased.
    """
    driver = house.driver
    for other in driver.recordings.glob("message-*.wav"):  # of callers of other tests, whose ledgers are gone
        other.unlink()
    driver.shorten_prompts()
    with driver.control() as control, driver.patience(2):
        until(lambda: control.api("global_getvar ringledger_silent_s").strip() == "0", "the switch to hear the engine")
        house.engines[-1].child.kill()
        until(lambda: control.api("global_getvar ringledger_unattended").strip() == "yes", "the switch to give up")
        caller = driver.call(number="+31201234567")

        def records() -> bool:
            return any(",record," in line for line in control.api("show channels").splitlines())

        until(records, "the message to begin", within_s=60)
        driver.let_hear(1_500)
        caller.hang_up()
        until(lambda: sessions(control) == 0, "the caller to be gone")
        until(lambda: any(driver.unattended.glob("*.cdr.json")), "the switch to say what became of the caller")
        (clear,) = driver.recordings.glob("message-*.wav")
        written = clear.read_bytes()
        assert len(written) > 8_000
        house.open()
        house.ledger.await_event(UnattendedCallEnded)
        finished = house.ledger.await_event(c.RecordingFinished)
        assert finished.file == clear.name
        assert finished.length_ms >= 1_000, "one of no length would count as too short to be kept"
        assert house.ledger.await_event(c.ContactEnded).reason == MESSAGE
    command = [sys.executable, "-m", "orchestrator", "recordings", "keep"]
    with Child(command, output=house.folder / "keep.log", folder=ROOT, environment=house.environment()) as child:
        sealed = house.ledger.await_event(RecordingSealed)
        until(lambda: not clear.exists(), "the clear file to be gone")
        child.stop(patience_s=15)
    assert (sealed.file, sealed.length) == (clear.name, len(written))
    assert sealed.digest == hashlib.sha256(written).hexdigest()
    assert sealed.contact_id == house.ledger.contacts()[0]
    kept = (house.settings.kept / f"{clear.stem}{SUFFIX}").read_bytes()
    assert b"RIFF" not in kept
    assert written[4_000:4_064] not in kept
    status, said = house.run("recordings", "check", "--digests")
    assert (status, said.strip()) == (0, "log and folders agree"), said
    source = Source(house.database.url_writer, name="player")
    try:
        vault = Vault.unlock(house.settings.kek_file, KeyShelf(source))
        desk, log = DeskWriter(source, vault), Log(source, vault=vault)
        found = Recordings(desk, log, clear=driver.recordings, kept=house.settings.kept)
        sound = found.sound(clear.name, whole=True)
        assert sound is not None
        assert b"".join(sound.read(0, sound.length)) == written
        (named,) = house.ledger.all(c.ContactIdentified)
        desk.erase(f"customer-{named.customer_id}")
        with pytest.raises(Refused) as refused:
            found.sound(clear.name, whole=True)
        assert refused.value.code == "recording_erased"
    finally:
        source.close()
