"""Callers whom a switch serves by itself, for no orchestrator shows a sign of life (feature 12.3): the same on both."""

import json
import re
from pathlib import Path
from typing import Any

import gevent

from orchestrator.domain.switch import facts as f
from orchestrator.esl import commands
from orchestrator.esl.alive import SignOfLife
from orchestrator.runner.inputs import ImportCall
from orchestrator.runner.unattended import is_unattended
from orchestrator.service.call_files import FIRST, SUFFIX, CallFiles
from orchestrator.service.importing import Here, read, read_first
from orchestrator.vault import DataKey, Vault
from tests.contract.desk import Desk, now
from tests.contract.driver import Driver
from tests.lab.patience import until


def test_who_waits_and_who_arrives_is_served_without_us_and_the_one_who_was_taken_stays(
    driver: Driver, desk: Desk
) -> None:
    """Complaints 1, 2 and 16: nobody waits for a program that is dead. A phone can register meanwhile."""
    sign = SignOfLife({driver.switch.name: desk.link}, lives=lambda: True, every_s=0.2)
    sign.start(lambda _, work: gevent.spawn(work))
    driver.shorten_prompts()
    with driver.patience(2):
        until(lambda: sign.given > 2, "signs of life")
        waiter = driver.call("4001")
        leg = desk.parked_caller("4001")
        desk.answer(leg, "c-1")
        desk.play(leg)
        desk.await_fact(f.LegAnswered, leg=leg)
        sign.stop()
        desk.await_fact(f.LegUnattended, leg=leg, within_s=8)
        driver.phone("1001")
        late = driver.call("4002", number="+4930123456")
        second = desk.await_fact(f.LegUnattended, fits=lambda fact: fact.leg != leg).leg
        seen = {one.leg: one for one in desk.snapshot().legs}
        assert is_unattended(seen[leg])
        assert is_unattended(seen[second])
        bridged = desk.await_fact(f.LegBridged, within_s=30)
        assert bridged.leg in (leg, second)
        desk.link.command(commands.ALIVE, lambda _: None)
        with driver.control() as control:
            until(lambda: control.api("global_getvar ringledger_unattended").strip() != "yes", "the switch to hear us")
        desk.facts.clear()
        third = driver.call("4003")
        desk.parked_caller("4003")
        assert is_unattended({one.leg: one for one in desk.snapshot().legs}[bridged.leg])
    for caller in (waiter, late, third):
        caller.hang_up()
    files = [driver.unattended / f"{each}.cdr.json" for each in (leg, second)]
    until(lambda: all(file.exists() for file in files), "the switch to say what became of them")
    record = json.loads(files[1].read_text())
    assert record["variables"]["ringledger_unattended"] == "yes"
    assert record["callflow"][-1]["caller_profile"]["destination_number"] == "4002"


def test_where_nobody_answers_a_message_is_left(driver: Driver, desk: Desk) -> None:
    driver.shorten_prompts()
    with driver.patience(1):
        with driver.control() as control:
            until(lambda: control.api("global_getvar ringledger_unattended").strip() == "yes", "the switch to give up")
        caller = driver.call("4001")
        leg = desk.await_fact(f.LegUnattended).leg
        message = driver.recordings / f"message-{leg}.wav"
        with driver.control() as control:
            until(
                lambda: control.api(f"uuid_getvar {leg} current_application").strip() == "record",
                "the message to begin",
            )
        driver.let_hear(1_200)
        caller.hang_up()
        record = driver.unattended / f"{leg}.cdr.json"
        until(lambda: _whole(record), "the switch to say what became of the caller")
        variables = json.loads(record.read_text())["variables"]
        assert variables["ringledger_message"] == message.name
        assert int(variables["record_ms"]) >= 1_000
        assert message.stat().st_size > 8_000


def test_a_caller_whose_name_is_a_forged_header_keeps_nobody_waiting(driver: Driver, desk: Desk) -> None:
    """Complaint 1: once taken, it would be sent there anew at each look, before all who came after it."""
    driver.shorten_prompts()
    forger = driver.call("4001", name=b'"Eve%0ACaller-Context%3A ringledger-inbound" ')
    first = desk.parked_caller("4001")
    waiter = driver.call("4002")
    second = desk.parked_caller("4002")
    with driver.control() as control, driver.patience(1):
        swept = control.api("global_getvar ringledger_sweep").strip()
        control.api("global_setvar ringledger_sweep=1")
        try:
            desk.await_fact(f.LegUnattended, leg=first, within_s=30)
            desk.await_fact(f.LegUnattended, leg=second, within_s=30)
        finally:
            control.api(f"global_setvar ringledger_sweep={swept}")
    for caller in (forger, waiter):
        caller.hang_up()


def _first_word(driver: Driver, leg: str) -> dict[str, Any]:
    """What the switch said of this caller when it took them."""
    file = driver.unattended / f"{leg}{FIRST}"
    until(lambda: _whole(file), "the switch to say that it took the caller")
    said: dict[str, Any] = json.loads(file.read_bytes())
    return said


def _whole(record: Path) -> bool:
    """Whether this is there, and written to its end."""
    return record.exists() and record.read_bytes().rstrip(b"\0\n ").endswith(b"}")


def test_the_switch_says_at_once_whom_it_has_taken_and_that_stays_beside_its_record(
    driver: Driver, desk: Desk, tmp_path: Path
) -> None:
    """Complaint 2: whoever waited with us, and whoever comes. What they are called may be anything. Where the record
    cannot be read the first word is what is left.
    """
    name = b'"Eve%22%2C%22uuid%22%3A%22x%0A%C3%BC" '
    caller = driver.call("4001", name=name)
    leg = desk.parked_caller("4001")
    desk.claim(leg, "c-1")
    with driver.patience(1):
        desk.await_fact(f.LegUnattended, leg=leg, within_s=30)
        said = _first_word(driver, leg)
        with driver.control() as control:
            core = control.api("global_getvar core_uuid").strip()
        assert (said["uuid"], said["core"], said["contact"], said["dialled"]) == (leg, core, "c-1", "4001")
        assert all(re.fullmatch(r"[A-Za-z0-9%_.-]*", text) for text in said.values())
        call = read_first(
            (driver.unattended / f"{leg}{FIRST}").read_bytes(),
            leg,
            Here((driver.switch.name,), running={driver.switch.name: "another run"}),
            now(),
        )
        assert isinstance(call, ImportCall)
        assert (call.caller_number, call.earlier) == ("+31201234567", "c-1")
        assert call.caller_name.startswith('Eve","uuid":"x')
        assert 0 < call.arrived_at <= call.taken_at
    caller.hang_up()
    record = driver.unattended / f"{leg}{SUFFIX}"
    until(lambda: _whole(record), "the switch to say what became of the caller")
    with driver.control() as control:
        until(lambda: control.api(f"uuid_exists {leg}").strip() == "false", "the leg to be gone")
    assert read(record.read_bytes(), leg, Here((driver.switch.name,)), now()).leg == leg
    assert _first_word(driver, leg) == said
    files = CallFiles(driver.unattended, tmp_path, Vault(DataKey.fresh().raw, None), settled_s=0.0)  # type: ignore[arg-type]
    record.write_bytes(record.read_bytes()[:-20])
    files.put_aside(leg, "it is cut off", files.told(leg).digest)
    told = files.told(leg)
    assert (told.first, json.loads(told.data)) == (True, said)
    record.write_bytes(b"{}")
    files.done(leg, files.told(leg).digest)
    assert not list(driver.unattended.glob(f"{leg}*"))


def test_of_a_caller_whom_a_switch_took_and_that_was_killed_its_first_word_is_left(driver: Driver, desk: Desk) -> None:
    with driver.control() as control:
        control.api("global_setvar ringledger_patience_s=1")  # the next run waits as long as always
        until(lambda: control.api("global_getvar ringledger_unattended").strip() == "yes", "the switch to give up")
    driver.call("4001")
    leg = desk.await_fact(f.LegUnattended, within_s=30).leg
    said = _first_word(driver, leg)
    driver.restart()
    desk.await_fact(f.LinkUp, fits=lambda fact: fact.core != said["core"])
    assert not (driver.unattended / f"{leg}{SUFFIX}").exists()
    assert _first_word(driver, leg) == said
