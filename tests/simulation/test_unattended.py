"""Engines that are away for long, switches that serve callers alone, and die while they do: nobody vanishes (12.3)."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import pytest

from freeswitch import simulator
from orchestrator.audit.verify import verify
from orchestrator.domain.contacts.contacts import ContactArrived, ContactEnded
from orchestrator.domain.contacts.unattended import IMPORT, UnattendedCallEnded, UnattendedCallLost
from orchestrator.domain.kernel import SECOND, Provenance, Record, Refused, ident_of
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.runner.inputs import ImportCall
from orchestrator.service import importing
from orchestrator.service.call_files import SUFFIX, CallFiles
from orchestrator.vault import DataKey, Vault
from tests.simulation.agenda import START, Agenda
from tests.simulation.engine import Engine, Watcher
from tests.simulation.frames import FrameLink, Simulated
from tests.simulation.ledger import Ledger
from tests.simulation.switch import NODE
from tests.simulation.weather import Weather

SEEDS: Final = 40
CALLERS: Final = 8
PATIENCE_S: Final = 4
CALM: Final = Weather()
VAULT: Final = Vault(DataKey.fresh().raw, None)  # type: ignore[arg-type]  # a named key needs no shelf


class House:
    """Callers, one switch with its dead-man's switch, engines one after another, and the importer of each."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.dice = Random(seed)
        self.agenda = Agenda(self.dice)
        self.ledger = Ledger()
        self.folder = folder
        options = simulator.Options(
            write_recordings=False,
            poll_ms=0,
            patience_s=PATIENCE_S,
            fallback="user/1001@ringledger",
            unattended=str(folder),
            recordings=str(folder / "recordings"),
        )
        self.switch = Simulated(self.agenda, self.dice, CALM, options=options)
        self.switch.model.phone(simulator.Phone(extension="1001", answer_after_ms=500, talk_ms=6_000), self.agenda.now)
        self.engine: Engine | None = None
        self.taken: dict[str, None] = {}
        self.died_serving: set[str] = set()

    # --- what happens ------------------------------------------------------------------------------------------------
    def play(self) -> None:
        """An engine serves, dies, and another comes; the switch is killed at any moment, most while it is alone."""
        draw = self.dice.uniform
        self._configure()
        self._start()
        self._live()
        for _ in range(CALLERS):
            caller = simulator.Caller(dialled="4001", number="+31201234567", patience_ms=int(draw(2_000, 40_000)))
            self._at(draw(1, 35), partial(self._call, caller))
        for moment in (draw(2, 8), draw(10, 70)):
            self._at(moment, self._kill_engine)
        self._at(draw(12, 40), partial(self._kill_switch, int(draw(200, 3_000))))
        for moment in (draw(9, 45), 75):
            self._at(moment, self._start)
        while self.agenda.now < START + 120 * SECOND:
            self.agenda.step()

    def _at(self, second: float, action: Callable[[], None]) -> None:
        self.agenda.at(START + int(second * SECOND), action)

    def _call(self, caller: simulator.Caller) -> None:
        if self.switch.up:
            self.switch.model.call(caller, self.agenda.now)
            self.switch.pump()

    def _live(self) -> None:
        """Every half second: the sign of life, and who has been taken by now."""
        if self.switch.up:
            if self.engine is not None and self.engine.acting:
                self.switch.model.command("global_setvar ringledger_alive=yes", self.agenda.now)
            self.switch.pump()
            self._note_taken()
        self.agenda.after(SECOND // 2, self._live)

    def _note_taken(self) -> None:
        for leg in self.switch.model.switch.legs.values():
            if leg.inbound and leg.get("ringledger_unattended") == "yes":
                self.taken[leg.uuid] = None

    def _kill_switch(self, down_ms: int) -> None:
        self.switch.pump()
        self._note_taken()
        known = {file.name.removesuffix(SUFFIX) for file in self.folder.iterdir()} | _fates(self)[0].keys()
        self.died_serving = self.taken.keys() - known
        self.switch.restart(down_ms, orderly=False)

    def _configure(self) -> None:
        plain = {
            "queue-support": QueueConfigured(name="Support", skill="zh"),
            "entry-main": EntryPointConfigured(name="main", numbers=("4001",), queue_id="support"),
            "config-main": ConfigurationApplied(digest="", changed=("entry-main", "queue-support")),
        }
        about = Provenance(at=self.agenda.now, actor="admin:test", origin="config")
        self.ledger.configure(
            [
                Record(stream=stream, version=1, event=event, event_id=stream, about=about)
                for stream, event in plain.items()
            ]
        )

    # --- engines -----------------------------------------------------------------------------------------------------
    def _kill_engine(self) -> None:
        if self.engine is not None:
            self.engine.die("SIGKILL")

    def _start(self) -> None:
        if self.engine is not None and self.engine.alive:
            return
        connect = partial(FrameLink, self.agenda, self.switch)
        self.engine = engine = Engine(self.agenda, self.dice, CALM, self.ledger, Watcher(), connect)
        link = engine.link
        assert isinstance(link, FrameLink)

        def here() -> importing.Here:
            return importing.Here((NODE,), running={NODE: link.core} if link.up else {})

        files = CallFiles(self.folder, self.folder, VAULT, settled_s=0.0)
        looking = importing.Importer(
            [importing.Lying(files, here)],
            carry=partial(_carry, engine),
            identify=lambda _: [None],
            clock=lambda: self.agenda.now,
            # The engine's own memory has to do.
            whose=lambda _: {},
            earlier=lambda _: "",
        )

        def look() -> None:
            if engine.alive:
                looking.look()
                self.agenda.after(int(importing.EVERY_S * SECOND), look)

        self.agenda.after(SECOND, look)


def _carry(engine: Engine, command: ImportCall) -> int:
    """As the engine's own (`loop.Engine.command`) where it gives up waiting: the next look says if it is stored."""
    answers: list[Refused | None] = []
    engine.command(command, answers.append)
    if not answers or answers[0] is not None:
        raise answers[0] if answers and answers[0] is not None else Refused("unsure", "It stands still.")
    if any(record.about.origin == IMPORT for record in engine.unstored()):
        raise Refused("unsure", "It may not have been recorded.")
    return 0


def _fates(house: House) -> tuple[dict[str, str], Counter[str]]:
    """What became of each call that was imported, by its leg; and how often each was."""
    legs, fates, times = {}, {}, Counter[str]()
    for record in house.ledger.records():
        match record.event:
            case ContactArrived(found=found, leg=leg) if found == IMPORT:
                legs[ident_of(record.stream)] = leg
                times[leg] += 1
            case UnattendedCallEnded():
                fates[legs[ident_of(record.stream)]] = "ended"
            case UnattendedCallLost():
                fates[legs[ident_of(record.stream)]] = "lost"
    return fates, times


def test_whoever_was_taken_by_a_switch_that_dies_is_in_the_log_once_with_what_is_known(tmp_path: Path) -> None:
    """Complaints 1, 2, 16: the switch is killed at any moment, most while it serves alone."""
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        house = House(seed, folder)
        house.play()
        fates, times = _fates(house)
        assert set(times) == set(house.taken), f"seed {seed}: who was taken, and who is known"
        assert set(times.values()) <= {1}, f"seed {seed}: each once"
        assert {leg for leg, fate in fates.items() if fate == "lost"} == house.died_serving, f"seed {seed}"
        report = verify(house.ledger.records(), expect_contacts=0)
        assert not report.problems, f"seed {seed}: {report.problems}"
        ended = [record for record in house.ledger.records() if isinstance(record.event, ContactEnded)]
        assert len(ended) == report.counts.contacts, f"seed {seed}: every contact ends once"
        assert not list(folder.glob("*.json*")), f"seed {seed}: no file is left"
        seen.update(fates.values())
    assert seen["lost"] > SEEDS // 4
    assert seen["ended"] > SEEDS // 4


def test_a_switch_that_says_nothing_when_it_takes_a_caller_would_lose_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule above fails where the first word is missing: it looks at what it says."""
    monkeypatch.setattr("freeswitch.simulator.cdr._SCRIPT", "another.lua")
    vanished = 0
    for seed in range(SEEDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        house = House(seed, folder)
        house.play()
        vanished += len(set(house.taken) - set(_fates(house)[1]))
        assert set(house.taken) - set(_fates(house)[1]) == house.died_serving
    assert vanished > SEEDS // 4
