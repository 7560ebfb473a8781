"""A recording from its rule to the encrypted file: masked, asked for, kept, on both switches (features 8.1, 8.2)."""

import sys
from pathlib import Path

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import recording as r
from orchestrator.domain.contacts.keeping import RecordingSealed
from orchestrator.domain.kernel import SECOND
from orchestrator.runner import inputs
from orchestrator.service.media import name_of
from orchestrator.service.recordings import Recordings
from orchestrator.store import DeskWriter, KeyShelf, Log, Source
from orchestrator.vault import Vault
from tests.acceptance.conftest import Build
from tests.acceptance.house import ROOT, House
from tests.lab.process import Child
from tests.lab.sound import QUIET, length_s, listen

pytestmark = pytest.mark.slow
STRETCH_MS = 1_500
EDGE_S = 0.35


def loudness(path: Path, from_s: float, to_s: float) -> list[float]:
    """How loud both sides are between two moments."""
    return [listen(path, side, from_s=from_s, to_s=to_s).loudness for side in (0, 1)]


def since_begun(house: House, kind: type) -> float:
    """Seconds from the beginning of the recording to the first such event, by our own clock."""
    at = {type(record.event): record.about.at for record in reversed(list(house.ledger.read()))}
    return (at[kind] - at[c.RecordingBegun]) / SECOND


def kept(house: House, to: Path) -> Path:
    """What a player reads of the one recording, once the keeping process has encrypted it."""
    command = [sys.executable, "-m", "orchestrator", "recordings", "keep"]
    with Child(command, output=house.folder / "keep.log", folder=ROOT, environment=house.environment()) as child:
        sealed = house.ledger.await_event(RecordingSealed)
        child.stop(patience_s=15)
    assert not (house.driver.recordings / sealed.file).exists()
    reader, writer = Source(house.database.url_reader, name="player"), Source(house.database.url_writer, name="player")
    try:
        vault = Vault.unlock(house.settings.kek_file, KeyShelf(writer))
        found = Recordings(
            DeskWriter(writer, vault),
            Log(reader, vault=vault),
            clear=house.driver.recordings,
            kept=house.settings.kept,
        )
        sound = found.sound(sealed.file, whole=True)
        assert sound is not None
        to.write_bytes(b"".join(sound.read(0, sound.length)))
        assert sound.length == sealed.length
        shape = found.shape(sealed.file)
        assert shape is not None
        assert (len(shape.sides), bool(sealed.node)) == (2, True)
        assert abs(shape.length_ms / 1_000 - length_s(to)) < EDGE_S
        assert min(max(side) for side in shape.sides) > 0, "both sides are heard"
    finally:
        reader.close()
        writer.close()
    return to


def test_what_is_masked_is_silent_in_what_is_kept_though_the_engine_died_meanwhile(
    house: House, tmp_path: Path
) -> None:
    """Features 8.1, 8.2, 12.1: the mask is the log's, and the file keeps its length."""
    house.driver.phone("1001")
    house.sign_in("801")
    caller = house.driver.call()
    house.ledger.await_event(c.RecordingBegun)
    house.driver.let_hear(STRETCH_MS)
    assert house.run("mask", "801")[0] == 0
    house.ledger.await_event(r.RecordingMasked)
    house.driver.press_keys(house.ledger.all(c.ContactArrived)[0].leg, "4111")
    house.engines[-1].child.kill()
    house.open()
    house.driver.let_hear(STRETCH_MS)
    house.do(inputs.MaskRecording(agent="801"))
    house.do(inputs.UnmaskRecording(agent="801"))
    house.ledger.await_event(r.RecordingUnmasked)
    house.driver.let_hear(STRETCH_MS)
    caller.hang_up()
    finished = house.ledger.await_event(c.RecordingFinished)
    house.close_day(contacts=1)
    assert len(house.ledger.all(r.MaskAsked)) == 1
    masked, unmasked, ended = (
        since_begun(house, kind) for kind in (r.RecordingMasked, r.RecordingUnmasked, c.RecordingFinished)
    )
    path = kept(house, tmp_path / "kept.wav")
    assert abs(length_s(path) - ended) < EDGE_S
    assert abs(finished.length_ms / 1_000 - ended) < EDGE_S
    assert min(loudness(path, EDGE_S, masked - EDGE_S)) > QUIET
    assert loudness(path, masked + EDGE_S, unmasked - EDGE_S) == [0.0, 0.0]
    assert min(loudness(path, unmasked + EDGE_S, ended - 2 * EDGE_S)) > QUIET
    status, said = house.run("recordings", "check", "--digests")
    assert (status, said.strip()) == (0, "log and folders agree"), said
    status, said = house.run("recordings", "retain", "--dry-run")
    assert (status, said.strip()) == (0, "0 would be deleted, 0 held or away"), "without a word of the site all is kept"
    status, said = house.run("recordings", "medium", str(tmp_path), "tape-7")
    whole = name_of(tmp_path)
    assert (status, whole.startswith("tape-7."), f"is the medium {whole};" in said) == (0, True, True), said
    status, said = house.run("recordings", "medium", str(tmp_path), "tape-8")
    assert (status, f"is the medium {whole} already" in said) == (1, True), said
    status, said = house.run("recordings", "archive", "--older-than", "1")
    assert (status, said.strip()) == (0, "0 moved, 0 left"), "what is of today stays"


def test_an_agent_who_may_asks_for_a_recording_and_ends_it(build: Build, tmp_path: Path) -> None:
    """Feature 8.1: on demand, from the command line as from the desk."""
    house = build(queue='record = "on_demand"')
    house.open()
    house.driver.phone("1001")
    house.sign_in("801")
    house.driver.call()
    house.ledger.await_event(c.ContactConnected)
    assert house.refusal(inputs.MaskRecording(agent="801")) == "not_recorded"
    assert not house.ledger.all(c.RecordingBegun)
    assert house.run("record", "801")[0] == 0
    house.ledger.await_event(c.RecordingBegun)
    house.driver.let_hear(STRETCH_MS)
    house.do(inputs.StopRecording(agent="801"))
    finished = house.ledger.await_event(c.RecordingFinished)
    assert house.agent("801")["state"] == "talking"
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=1)
    assert abs(length_s(kept(house, tmp_path / "kept.wav")) - finished.length_ms / 1_000) < EDGE_S


def test_a_mask_that_nobody_ends_ends_by_itself(build: Build) -> None:
    """Feature 8.1, law 9."""
    house = build(queue="\n[recordings.main]\nmask_most_s = 10\n")
    house.open()
    house.driver.phone("1001")
    house.sign_in("801")
    caller = house.driver.call()
    house.ledger.await_event(c.RecordingBegun)
    house.do(inputs.MaskRecording(agent="801"))
    assert house.ledger.await_event(r.RecordingUnmasked, within_s=20).reason == "limit"
    caller.hang_up()
    house.close_day(contacts=1)
