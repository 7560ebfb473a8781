"""What tests of recordings as files are built from: a log with a contact, and the folders of a switch and a keeper."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.domain.contacts import keeping as k
from orchestrator.domain.contacts.events import ContactArrived, RecordingBegun, RecordingFinished
from orchestrator.domain.kernel import Event, Instant, Provenance, Record
from orchestrator.domain.routing.recording import RecordingsConfigured
from orchestrator.service.holds import Holds
from orchestrator.service.keeping import Keeper, Tools, check, repair
from orchestrator.service.recordings import Recordings
from tests.store.kit import Kit, take_lease

SOUND = b"RIFF" + bytes(range(256)) * 400
FILE = "talk-1.wav"
LATER_S = 10_000_000_000.0


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """While this lasts, reading the file is answered with EIO, as by a disk that fails: the first page of a process has
    no memory.
    """
    aside = path.rename(path.with_name(f"{path.name}-aside"))
    path.symlink_to("/proc/self/mem")
    try:
        yield
    finally:
        path.unlink()
        aside.rename(path)


class Keeping:
    """A log with a contact, a folder in which a switch writes, and one in which recordings are kept."""

    def __init__(self, kit: Kit, folder: Path) -> None:
        self.kit = kit
        self.now = 0.0
        self.version = 0
        self.recordings = Recordings(kit.desk, kit.log, clear=folder / "clear", kept=folder / "kept")
        self.recordings.clear.mkdir()
        self.holds = Holds(kit.desk, kit.log, self.recordings)
        self.tools = Tools(log=kit.log, recordings=self.recordings, holds=self.holds, vault=kit.vault)
        self.writer = kit.writer(take_lease(kit.database.writer))
        self.happened(ContactArrived(node="sw1", leg="l", dialled="4000", caller_number="13800138000"))

    def happened(self, *events: Event, at: int = 0) -> None:
        """The engine records this of the contact c1."""
        for event in events:
            self.version += 1
            about = Provenance(at=Instant(at or self.version), node="sw1")
            event_id = f"c1-{self.version}"
            record = Record(stream="contact-c1", version=self.version, event=event, event_id=event_id, about=about)
            self.writer.append_live([record])

    def recorded(self, file: str = FILE, sound: bytes = SOUND, at: int = 0) -> Path:
        """The switch has written this file and says so."""
        path = self.recordings.clear / file
        path.write_bytes(sound)
        self.happened(RecordingBegun(file=file), RecordingFinished(file=file, length_ms=1_000), at=at)
        return path

    def sealed(self, file: str = FILE, sound: bytes = SOUND, at: int = 0) -> None:
        """The same, and the file is kept."""
        self.recorded(file, sound, at)
        self.keeper().work()

    def configured(self, event: RecordingsConfigured) -> None:
        """The site says this of recordings."""
        before = len(list(self.kit.log.stream("recordings-main")))
        about = Provenance(at=Instant(1))
        self.kit.desk.append_desk(
            [Record(stream="recordings-main", version=before + 1, event=event, event_id=f"s-{before}", about=about)]
        )

    def keeper(self, node: str = "") -> Keeper:
        """A keeper that has read the log to its end."""
        keeper = Keeper(self.recordings, node=node, clock=lambda: self.now)
        keeper.take(self.kit.log.history(after=keeper.position))
        return keeper

    def heard(self, file: str = FILE) -> bytes:
        """What a player hears."""
        sound = self.recordings.sound(file, whole=True)
        return b"" if sound is None else b"".join(sound.read(0, sound.length))

    def told(self, file: str = FILE) -> list[Event]:
        """What the log says of the file."""
        return [record.event for record in self.kit.log.stream(f"recording-{file.removesuffix('.wav')}")]

    def alarms(self, file: str = FILE) -> list[str]:
        """Why it was not kept."""
        return [event.why for event in self.told(file) if isinstance(event, k.RecordingEndangered)]

    def findings(self, *, digests: bool = False) -> list[tuple[str, str]]:
        """In what log and folders differ, once everything is quiet."""
        found = check(self.kit.log, self.recordings, digests=digests, now_s=LATER_S)
        return [(each.what, each.file) for each in found]

    def repaired(self) -> list[str]:
        """What is left after a repair."""
        found = check(self.kit.log, self.recordings, digests=True, now_s=LATER_S)
        return [each.what for each in repair(self.recordings, found)]
