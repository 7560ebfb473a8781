"""A recording of another machine, fetched sealed and compared with the log (feature 8.2: it lies where it was made)."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from orchestrator.domain.contacts import keeping as k
from orchestrator.domain.kernel import Instant, Refused
from orchestrator.domain.routing.recording import RecordingsConfigured
from orchestrator.service import fetching, retention
from orchestrator.service.fetching import Door, Elsewhere, Prove, prover
from orchestrator.service.keeping import Keeper, check, repair
from orchestrator.service.media import Media
from orchestrator.service.recordings import Recordings
from orchestrator.settings import Address
from tests.service.recorder import FILE, LATER_S, SOUND, Keeping, unreadable
from tests.service.test_waveforms import wav

HERE = Address("127.0.0.1", 0)
TIMEOUT_S = 5.0


@contextmanager
def opened(folder: Path, prove: Prove, media: Media | None = None) -> Iterator[Door]:
    """The door of the machine whose files these are."""
    with Door(HERE, folder, prove, media=media) as door:
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield door
        finally:
            door.shutdown()
            thread.join(10)


def player(kept: Keeping, door: Address, prove: Prove | None = None, timeout_s: float = TIMEOUT_S) -> Recordings:
    """What a player on a machine without any file asks."""
    elsewhere = Elsewhere({"sw1": door}, prove or prover(kept.kit.vault), timeout_s=timeout_s)
    empty = kept.recordings.clear.parent / "player"
    return Recordings(kept.kit.desk, kept.kit.log, clear=empty, kept=empty, elsewhere=elsewhere)


def heard(recordings: Recordings, begin: int = 0, end: int | None = None) -> bytes:
    sound = recordings.sound(FILE, whole=begin == 0)
    assert sound is not None
    return b"".join(sound.read(begin, sound.length if end is None else end))


@pytest.fixture
def prove(kept: Keeping) -> Prove:
    return prover(kept.kit.vault)


def test_a_player_elsewhere_hears_what_was_recorded_from_anywhere_in_it(kept: Keeping, prove: Prove) -> None:
    kept.sealed()
    with opened(kept.recordings.kept, prove) as door:
        far = player(kept, door.address)
        assert heard(far) == SOUND
        assert heard(far, 65_530, 65_550) == SOUND[65_530:65_550]
        assert heard(far, len(SOUND) - 3) == SOUND[-3:]
    assert not far.kept.exists(), "nothing of it is written down here"


def test_the_shape_comes_with_it(kept: Keeping, prove: Prove) -> None:
    kept.sealed(sound=wav([(9_000, 0)] * 800))
    with opened(kept.recordings.kept, prove) as door:
        assert player(kept, door.address).shape(FILE) == kept.recordings.shape(FILE) is not None


def test_what_goes_over_the_line_is_sealed(kept: Keeping, prove: Prove) -> None:
    kept.sealed()
    with opened(kept.recordings.kept, prove) as door:
        place = Elsewhere({"sw1": door.address}, prove).place("sw1", "talk-1.sealed")
        size = place.begin(1)[1]
        with place.opened(0, size) as line:
            came = line.read(size)
    assert came == (kept.recordings.kept / "talk-1.sealed").read_bytes()
    assert SOUND[:32] not in came


def test_what_comes_changed_is_not_played_and_no_damage_for_all_that(kept: Keeping, prove: Prove) -> None:
    """Who stands in between can change what is sealed, and must not make the log say that it is damaged; the machine
    that has it says so where it is.
    """
    kept.sealed()
    path = kept.recordings.kept / "talk-1.sealed"
    whole = path.read_bytes()
    with opened(kept.recordings.kept, prove) as door:
        for changed in (whole[:-1] + b"x", b"x" + whole[1:]):
            path.write_bytes(changed)
            with pytest.raises(Refused) as refused:
                heard(player(kept, door.address))
            assert refused.value.code == "recording_away"
    assert kept.alarms() == []
    assert kept.repaired() == ["damaged"]
    assert kept.alarms() == ["damaged"]


def test_one_that_is_gone_there_is_lost_once_that_machine_has_proved_that_it_said_so(
    kept: Keeping, prove: Prove
) -> None:
    kept.sealed()
    (kept.recordings.kept / "talk-1.sealed").unlink()
    with opened(kept.recordings.kept, prove) as door:
        assert player(kept, door.address).sound(FILE, whole=True) is None
    assert kept.alarms() == ["lost"]


def test_a_disk_there_that_answers_with_an_error_is_told_by_that_machine_and_nothing_is_taken_for_lost(
    kept: Keeping, prove: Prove
) -> None:
    kept.sealed()
    with opened(kept.recordings.kept, prove) as door:
        far = player(kept, door.address)
        with unreadable(kept.recordings.kept / "talk-1.sealed"), pytest.raises(Refused) as refused:
            heard(far)
        assert refused.value.code == "recording_unreadable"
        assert kept.alarms() == []
        assert heard(far) == SOUND, "and the door is open for the next one"


def test_a_machine_that_is_away_is_named_and_nothing_is_taken_for_lost(kept: Keeping) -> None:
    kept.sealed()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(Refused, match="switch sw1, which does not answer") as refused:
            heard(player(kept, Address("127.0.0.1", nobody.getsockname()[1])))
    assert refused.value.code == "recording_away"
    assert kept.alarms() == []


def test_one_that_takes_the_question_and_says_nothing_is_away_in_time(kept: Keeping) -> None:
    kept.sealed()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(Refused) as refused:
            heard(player(kept, Address("127.0.0.1", silent.getsockname()[1]), timeout_s=0.05))
    assert refused.value.code == "recording_away"


def test_a_line_that_is_cut_is_away_and_no_damage(kept: Keeping, prove: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.sealed()
    with opened(kept.recordings.kept, prove) as door:
        say = fetching._Asked._say

        def promise_more(
            asked: fetching._Asked, wanted: fetching._Wanted, status: int, total: int, length: int
        ) -> None:
            say(asked, wanted, status, total, length + 1)
            asked.close_connection = True

        monkeypatch.setattr(fetching._Asked, "_say", promise_more)
        with pytest.raises(Refused) as refused:
            heard(player(kept, door.address))
    assert refused.value.code == "recording_away"
    assert kept.alarms() == []


def test_an_answer_without_the_sites_key_is_not_believed(kept: Keeping) -> None:
    """Somebody who took that address says that the recording is gone."""
    kept.sealed()
    own = prover(kept.kit.vault)

    def halfway(text: str) -> str:
        return own(text) if text.startswith("ask") else "0" * 64

    with opened(kept.recordings.clear, halfway) as door, pytest.raises(Refused) as refused:
        heard(player(kept, door.address))
    assert refused.value.code == "recording_away"
    assert kept.alarms() == []


def test_whoever_has_no_proof_or_an_old_one_or_asks_for_something_else_gets_nothing(
    kept: Keeping, prove: Prove
) -> None:
    kept.sealed()
    asked = (
        ("/talk-1.sealed", "bytes=0-9", 0, "0" * 64),
        ("/talk-1.sealed", "bytes=0-9", 0, "ä" * 64),
        ("/talk-1.sealed", "bytes=0-9", fetching.GOOD_S + 1, ""),
        ("/../kek.sealed", "bytes=0-9", 0, ""),
        ("/talk-1.wav", "bytes=0-9", 0, ""),
        ("/talk-1.sealed", "", 0, ""),
        ("/talk-1.sealed", "bytes=9-", 0, ""),
    )
    with opened(kept.recordings.kept, prove) as door:
        for path, stretch, late_s, false in asked:
            moment = str(int(door.clock()) - late_s)
            proof = false or prove(f"ask\n{path[1:]}\n{stretch}\n{moment}")
            headers = {"Range": stretch, "X-Ringledger-Moment": moment, "X-Ringledger-Proof": proof}
            line = HTTPConnection(door.address.host, door.address.port, timeout=TIMEOUT_S)
            line.request("GET", path, headers=headers)
            with line.getresponse() as answer:
                assert (answer.status, answer.read()) == (403, b""), (path, stretch)
            line.close()


def test_whoever_asks_drop_by_drop_loses_their_place_in_time(
    kept: Keeping, prove: Prove, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every wait has an end: that of the whole question, and not of each byte of it."""
    kept.sealed()
    monkeypatch.setattr(fetching, "AT_ONCE", 1)
    monkeypatch.setattr(fetching._Asked, "timeout", 0.3)
    with opened(kept.recordings.kept, prove) as door:
        with socket.create_connection((door.address.host, door.address.port), timeout=0.02) as line:
            line.sendall(b"GET / HTTP/1.0\r\nX: ")
            assert told_after_drops(line) == b"", "closed, though something came all the time"
        assert door.places.acquire(timeout=TIMEOUT_S), "the place is free again"
        door.places.release()
        assert heard(player(kept, door.address)) == SOUND


def told_after_drops(line: socket.socket) -> bytes:
    """What comes back to somebody who sends a byte whenever nothing has come for a moment."""
    until = time.monotonic() + TIMEOUT_S
    while time.monotonic() < until:
        try:
            return line.recv(100)
        except TimeoutError:
            try:
                line.sendall(b"a")
            except OSError:
                return b""
        except ConnectionError:
            return b""
    return b"open"


def test_what_lies_elsewhere_is_neither_missed_nor_deleted_here(kept: Keeping, prove: Prove) -> None:
    kept.sealed()
    (event,) = kept.told()
    assert isinstance(event, k.RecordingSealed)
    assert event.node == "sw1"
    kept.configured(RecordingsConfigured(keep_days=1))
    empty = kept.recordings.clear.parent / "player"
    keeper = Recordings(kept.kit.desk, kept.kit.log, clear=empty, kept=empty, node="sw2")
    for far in (player(kept, HERE, prove), keeper):
        assert check(kept.kit.log, far, digests=True, now_s=LATER_S) == []
        assert retention.find(kept.kit.log, far, Instant(10_000 * retention.DAY)) == []
    own = Recordings(kept.kit.desk, kept.kit.log, clear=empty, kept=empty, node="sw1")
    assert [each.what for each in check(kept.kit.log, own, now_s=LATER_S)] == ["lost"]


def test_a_keeper_waits_for_nothing_that_lies_elsewhere(kept: Keeping, prove: Prove) -> None:
    """`ringledger run` keeps for all switches of its machine, and names none."""
    kept.recorded()
    keeper = Keeper(player(kept, HERE, prove), clock=lambda: kept.now)
    keeper.take(kept.kit.log.history())
    for _ in range(2):
        assert keeper.work() == 0
        kept.now += 1_000.0
    assert kept.alarms() == []
    assert keeper.position == max(record.position for record in kept.kit.log.history())


def test_what_was_sealed_before_the_log_said_where_lies_where_it_was_begun(kept: Keeping, prove: Prove) -> None:
    """Old events: `RecordingSealed` without its node."""
    kept.recorded()
    assert kept.recordings.keep("c1", FILE) == ""
    kept.configured(RecordingsConfigured(keep_days=1))
    empty = kept.recordings.clear.parent / "player"
    other = Recordings(kept.kit.desk, kept.kit.log, clear=empty, kept=empty, node="sw2")
    for far in (player(kept, HERE, prove), other):
        assert check(kept.kit.log, far, now_s=LATER_S) == []
        assert retention.find(kept.kit.log, far, Instant(10_000 * retention.DAY)) == []
    (due,) = retention.find(kept.kit.log, kept.recordings, Instant(10_000 * retention.DAY))
    assert due.file == FILE


def test_a_file_that_nobody_told_of_lies_where_it_was_found(kept: Keeping, prove: Prove) -> None:
    own = Recordings(kept.kit.desk, kept.kit.log, clear=kept.recordings.clear, kept=kept.recordings.kept, node="sw1")
    (own.clear / "orphan-1.wav").write_bytes(SOUND)
    found = check(kept.kit.log, own, now_s=LATER_S)
    assert [each.what for each in found] == ["orphan"]
    assert repair(own, found) == []
    assert check(kept.kit.log, player(kept, HERE, prove), now_s=LATER_S) == []
