"""The process that keeps recordings: it follows the log, and seals each file that the switch has finished.

`ringledger recordings keep` runs it, `check` compares log and folders, `repair` puts right what can be. How far it came
stands in a file of its own beside what it keeps; where that is lost, it begins anew and finds what was done. Each night
it compares, repairs, and deletes what was kept for its time.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from msgspec import Struct

from orchestrator import cluster, logs
from orchestrator.domain.contacts import keeping
from orchestrator.domain.contacts.events import ContactConnected, ContactEnded, RecordingBegun, RecordingFinished
from orchestrator.domain.contacts.outward_events import OutsideConnected
from orchestrator.domain.contacts.recording import WITHOUT_A_FILE, talks_in
from orchestrator.domain.kernel import SECOND, Instant, Record, ident_of
from orchestrator.service import retention
from orchestrator.service.call_files import CallFiles, folder_beside, message_of, spoken_of
from orchestrator.service.calls_elsewhere import door_of
from orchestrator.service.fetching import Door, Elsewhere, prover
from orchestrator.service.holds import Holds
from orchestrator.service.media import Media, name_of
from orchestrator.service.recordings import SUFFIX, Recordings, is_file_name
from orchestrator.settings import Settings, SettingsError
from orchestrator.store import DeskWriter, KeyShelf, Log, Source, StoreError, schema
from orchestrator.vault import Vault

log = structlog.get_logger(__name__)

# What fails is tried again so soon; a file that the log knows may come late where its folder is shared.
AGAIN_S: Final = 10.0
MISSING_S: Final = 60.0
# A recording that lasted no longer may hold nothing: then the switch keeps no file, and its word of that can be lost.
EMPTY_WITHIN: Final = 1 * SECOND
_POSITION: Final = "position"
_NIGHT: Final = "night"
# The hour of the site's day from which on the night's work is done.
NIGHT_H: Final = 3
# For so long the night's work goes on before those files are sealed that came meanwhile.
SLICE_S: Final = 2.0

# Of these an alarm is enough: trying again changes nothing. `check` tells them, and `repair` tries.
_GIVEN_UP: Final = (keeping.MISSING, keeping.TWICE)


class _Open(Struct, frozen=True):
    """A file that a switch writes, by what the log says."""

    contact_id: str
    position: int
    node: str
    began: Instant


class _Due(Struct):
    """A file to be kept. `since` and `again_at` by the monotonic clock."""

    contact_id: str
    position: int
    since: float
    length_ms: int
    node: str
    found: str = keeping.FINISHED
    """`unfinished`: its contact has ended, and nobody heard that the file has."""
    empty: bool = False
    """Whether the switch may have thrown it away, for nothing was in it."""
    again_at: float = 0.0


class Keeper:
    """What is to be kept, and what was. One of these works on one pair of folders; its methods take turns."""

    def __init__(self, recordings: Recordings, *, node: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        """`node`: keep the recordings of this switch only; empty: of all that are not elsewhere."""
        self._recordings = recordings
        self._node = node
        self._clock = clock
        self._open: dict[str, _Open] = {}
        self._due: dict[str, _Due] = {}
        self._remember_at = clock()
        self._taken = self._stored = _read_position(self._position_file)

    @property
    def _position_file(self) -> Path:
        return self._recordings.kept / (f"{_POSITION}-{self._node}" if self._node else _POSITION)

    @property
    def position(self) -> int:
        """Up to here every recording of the log was kept, or given up with an alarm; none is being written that began
        before.
        """
        awaited = (*(each.position for each in self._open.values()), *(each.position for each in self._due.values()))
        return min(awaited, default=self._taken + 1) - 1

    def take(self, records: Iterable[Record]) -> None:
        """Note which files these records tell of."""
        for record in records:
            self._taken = record.position
            contact_id, event = ident_of(record.stream), record.event
            match event:
                case RecordingBegun() if self._is_ours(event.file, record.about.node):
                    self._open[event.file] = _Open(contact_id, record.position, record.about.node, record.about.at)
                case RecordingFinished():
                    self._open.pop(event.file, None)
                    if event.cause not in WITHOUT_A_FILE and self._is_ours(event.file, record.about.node):
                        self._due[event.file] = _Due(
                            contact_id, record.position, self._clock(), event.length_ms, record.about.node
                        )
                case ContactEnded():
                    self._never_finished(contact_id, record.about.at)

    def _is_ours(self, file: str, node: str) -> bool:
        return is_file_name(file) and self._node in ("", node) and not self._recordings.is_elsewhere(node)

    def _never_finished(self, contact_id: str, at: Instant) -> None:
        """Whatever of an ended contact is written still is complete, though nobody heard so."""
        for file, each in [(file, each) for file, each in self._open.items() if each.contact_id == contact_id]:
            del self._open[file]
            due = _Due(contact_id, each.position, self._clock(), -1, each.node, found=keeping.UNFINISHED)
            due.empty = at - each.began < EMPTY_WITHIN
            self._due[file] = due

    def _is_quiet(self, file: str) -> bool | None:
        """Whether nobody has written to it for a while; None where there is no such file."""
        try:
            return (self._recordings.clear / file).stat().st_mtime <= time.time() - QUIET_S
        except FileNotFoundError:
            return None

    def work(self) -> int:
        """Keep what is due, or let it go; how many were. Raises what the database's absence raises: what was not done
        stays due.
        """
        kept = 0
        least_ms = self._recordings.least_ms() if self._due else 0
        for file, due in list(self._due.items()):
            if due.again_at > self._clock():
                continue
            quiet = self._is_quiet(file) if due.found == keeping.UNFINISHED else True
            if quiet is None and due.empty:
                del self._due[file]  # kept already, or thrown away by the switch: whether it was, nobody heard
                continue
            if quiet is False:
                due.again_at = self._clock() + AGAIN_S
                continue
            if 0 <= due.length_ms < least_ms:
                why = self._recordings.discard(due.contact_id, file, due.length_ms, least_ms)
            else:
                why = self._recordings.keep(due.contact_id, file, found=due.found, node=due.node)
            if why == keeping.MISSING and self._clock() < due.since + MISSING_S:
                due.again_at = self._clock() + AGAIN_S
                continue
            if why:
                log.error("recording-not-kept", file=file, why=why)
                self._recordings.alarm(due.contact_id, file, why)
            if why and why not in _GIVEN_UP:
                due.again_at = self._clock() + AGAIN_S
                continue
            del self._due[file]
            kept += not why
        self._remember()
        return kept

    def _remember(self) -> None:
        """Where the folder is not the one, or its disk takes nothing, that is an error of the log, and tried again: a
        keeper that begins anew looks at more, and finds what was done.
        """
        if self.position == self._stored or self._clock() < self._remember_at:
            return
        try:
            if not self._position_file.is_file():
                self._recordings.insist()
            self._write_position()
        except (OSError, SettingsError) as refused:
            self._remember_at = self._clock() + AGAIN_S
            log.error("recordings-position-not-kept", position=self.position, why=str(refused))  # noqa: TRY400 - a disk is away

    def _write_position(self) -> None:
        self._recordings.kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = self._position_file.with_suffix(".half")
        half.write_text(f"{self.position}\n", encoding="ascii")
        half.replace(self._position_file)
        self._stored = self.position


def _read_position(path: Path) -> int:
    """Where it stood; from the beginning where that is not known."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return 0
    return int(text) if text.isdigit() else 0


# --- as a process ----------------------------------------------------------------------------------------------------
class Tools(Struct, frozen=True, kw_only=True):
    """What works on recordings. `log` opens nothing."""

    log: Log
    recordings: Recordings
    holds: Holds
    vault: Vault


@contextmanager
def opened(settings: Settings, name: str, *, node: str = "") -> Iterator[Tools]:
    """The tools, for the recordings of this switch only where one is named; our own database is started where it does
    not run.
    """
    database = cluster.ensure_running(settings, lambda _: None)
    reader, writer = Source(database.url_reader, name=name), Source(database.url_writer, name=name)
    try:
        schema.check(reader)
        vault = Vault.unlock(settings.kek_file, KeyShelf(writer))
        desk, opening = DeskWriter(writer, vault), Log(reader, vault=vault)
        elsewhere = Elsewhere(settings.fetch_from, prover(vault))
        recordings = Recordings(
            desk,
            opening,
            clear=settings.recordings,
            kept=settings.kept,
            elsewhere=elsewhere,
            node=node,
            media=Media(settings.archive),
        )
        yield Tools(log=Log(reader), recordings=recordings, holds=Holds(desk, opening, recordings), vault=vault)
    finally:
        reader.close()
        writer.close()
        database.stop()


def run(settings: Settings, *, node: str = "") -> int:
    """Keep recordings until SIGTERM or SIGINT; the exit code."""
    logs.configure(settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened(settings, "ringledger recordings", node=node) as tools:
        keeper = Keeper(tools.recordings, node=node)
        log.info("recordings-kept-from", position=keeper.position)
        follow(tools.log, keeper, stop, Nights(tools, settings.timezone, stop))
    return 0


def serve(settings: Settings) -> int:
    """Hand sealed recordings of this machine to players of others, and what its switches served alone to the engine,
    until SIGTERM or SIGINT; the exit code.
    """
    logs.configure(settings.log_level)
    with opened(settings, "ringledger recordings door") as tools:
        prove = prover(tools.vault)
        files = CallFiles(folder_beside(settings.recordings), settings.recordings, tools.vault)
        calls = door_of(files, tools.vault)
    with Door(settings.fetch, settings.kept, prove, calls=calls, media=Media(settings.archive)) as door:
        for number in (signal.SIGTERM, signal.SIGINT):
            # `shutdown` waits for the loop that this handler interrupts.
            signal.signal(number, lambda *_: threading.Thread(target=door.shutdown).start())
        log.info("recordings-door-open", address=str(door.address), folder=str(settings.kept))
        door.serve_forever()
    return 0


class Nights:
    """What is done once a night: compare, repair, delete what was kept for its time, archive what is old. Each is done
    whatever becomes of the others.
    """

    def __init__(
        self,
        tools: Tools,
        zone: ZoneInfo,
        stop: threading.Event,
        *,
        clock: Callable[[], float] = time.time,
        slice_s: float = SLICE_S,
    ) -> None:
        """`clock`: Unix time. `slice_s`: for how long files are worked on at once, but one of them in any case."""
        self._tools = tools
        self._zone = zone
        self._stop = stop
        self._clock = clock
        self._slice_s = slice_s
        self._night: Iterator[None] | None = None
        self._move: retention.Move | None = None
        self._file = tools.recordings.kept / _NIGHT
        self._done = self._file.read_text(encoding="ascii").strip() if self._file.is_file() else ""

    def look(self) -> bool:
        """Do it if it is due: from that hour on, where it was not done on this day; whether it was. At each look only a
        slice is done, and the next at the next one: so what was recorded meanwhile is sealed. What a disk refuses is
        told, and tried in the next night, and so where the folder is not there; raises what the database's absence
        raises: then it is begun anew.
        """
        now = self._clock()
        local = datetime.fromtimestamp(now, self._zone)
        day = local.date().isoformat()
        if self._night is None and (local.hour < NIGHT_H or day <= self._done):
            self._archive()
            return False
        if self._night is None and not self._is_there():
            self._done = day
            log.error("recordings-night-refused", folder=str(self._tools.recordings.kept), why="not the one of the log")
            return True
        if not self._go_on(self._night or self._work(now, day)):
            return False
        self._archive()
        return True

    def _go_on(self, night: Iterator[None]) -> bool:
        """A slice of what is put right and deleted; whether that was the last one."""
        enough, self._night = self._slice(), None
        for _ in night:
            if enough():
                self._night = night
                return False
        return True

    def _slice(self) -> Callable[[], bool]:
        """Whether it is enough for now."""
        until = time.monotonic() + self._slice_s
        return lambda: self._stop.is_set() or time.monotonic() >= until

    def _is_there(self) -> bool:
        try:
            return self._tools.recordings.is_there()
        except OSError:
            return False

    def _work(self, now: float, day: str) -> Iterator[None]:
        tools, at = self._tools, Instant(int(now * 1_000_000))
        left: list[Finding] = []
        deleted = 0
        with _apart("repair"):
            for finding in repairing(tools.recordings, check(tools.log, tools.recordings, now_s=now)):
                left += () if finding is None else (finding,)
                yield
        found = retention.find(tools.log, tools.recordings, at)
        with _apart("delete"):
            for due in retention.retaining(tools.recordings, found):
                deleted += due is not None
                yield
        log.info(
            "recordings-night",
            deleted=deleted,
            media_away=sorted({due.away for due in found if due.away}),
            held=sum(due.held for due in found),
            left=[f"{each.what} {each.file}" for each in left[:20]],
            copies_destroyed=tools.holds.settle(),
        )
        self._move = retention.Move(tools.recordings, retention.find_old(tools.log, tools.recordings, at))
        self._done = day
        with _apart("remember"):
            tools.recordings.insist()  # its disk may have gone meanwhile
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file.write_text(f"{day}\n", encoding="ascii")

    def _archive(self) -> None:
        """A slice of what is to be moved; where something is old enough and no medium is there, that is an error of the
        log.
        """
        move = self._move
        if move is None:
            return
        try:
            if move.go_on(self._slice()):
                return
            if move.moved or move.waiting:
                log.info("recordings-archived", moved=len(move.moved), waiting=move.waiting)
        except SettingsError as away:
            log.error("recordings-not-archived", waiting=move.waiting, why=str(away))  # noqa: TRY400 - a medium is away
        self._move = None


@contextmanager
def _apart(part: str) -> Iterator[None]:
    """What a disk refuses to a part of the night's work is told, and the others are done."""
    try:
        yield
    except (OSError, SettingsError) as error:
        log.error("recordings-night-failed", part=part, why=str(error))  # noqa: TRY400 - a disk refuses


def follow(reading: Log, keeper: Keeper, stop: threading.Event, nights: Nights | None = None) -> None:
    """Keep what the log tells of, as it is told, until `stop`; and once a night what is to be done then."""
    for records in reading.follow(
        keeper.position, stop, on_away=lambda away: log.warning("database-away", why=str(away))
    ):
        keeper.take(records)
        if records:
            continue  # first to the end of the log, in one go
        try:
            keeper.work()
            if nights is not None:
                nights.look()
        except StoreError as error:
            log.warning("recordings-wait", why=str(error))


# --- comparing -------------------------------------------------------------------------------------------------------
# A file that nobody told of may still be written: it is looked at once it has been quiet for so long.
QUIET_S: Final = 600.0

UNSEALED: Final = "unsealed"
LEFT: Final = "left"
STRAY: Final = "stray"
UNDELETED: Final = "undeleted"
COPIED: Final = "copied"


class Finding(Struct, frozen=True, kw_only=True):
    """Something that does not fit. `what`: unsealed, unfinished, orphan, left (a clear file beside its sealed one),
    missing, lost, damaged, stray (a sealed file that the log does not know), undeleted (one that should be gone),
    copied (one beside that on its medium).
    """

    what: str
    file: str
    contact_id: str = ""
    node: str = ""
    """The switch that wrote it, where the log says so."""


def check(reading: Log, recordings: Recordings, *, digests: bool = False, now_s: float | None = None) -> list[Finding]:
    """Everything in which log and this machine's folders differ; `digests`: read all that is kept, too. Reads the whole
    log.

    `now_s`: Unix time by which files are quiet.
    """
    told = _Told()
    for record in reading.history(kinds=("contact", "recording")):
        told.note(record)
    quiet = (time.time() if now_s is None else now_s) - QUIET_S
    here = {path.name: path for path in _files(recordings.clear, ".wav") if is_file_name(path.name)}
    # A message of which a file waits to be imported will have a contact, under which it is then sealed.
    waiting = {message_of(leg) for leg in spoken_of(folder_beside(recordings.clear))}
    found = [
        _of_clear(told, name, quiet=path.stat().st_mtime <= quiet and name not in waiting)
        for name, path in here.items()
    ]
    kept = {f"{path.stem}.wav" for path in _files(recordings.kept, SUFFIX)}
    lying = _lying(recordings.media)
    found += [Finding(what=STRAY, file=name) for name in kept - told.sealed.keys() - told.deleted]
    found += [Finding(what=UNDELETED, file=name) for name in kept.union(*lying.values()) & told.deleted]
    found += [Finding(what=COPIED, file=name) for name in kept & told.media.keys() - told.deleted]
    for name, contact_id in told.finished.items():
        if name not in here and name not in told.settled and not recordings.is_elsewhere(told.nodes.get(name, "")):
            found.append(Finding(what=keeping.MISSING, file=name, contact_id=contact_id))
    for name, contact_id in told.sealed.items():
        if name in told.deleted or (name not in kept and recordings.is_elsewhere(told.nodes.get(name, ""))):
            continue
        medium = told.media.get(name, "")
        if medium and medium not in lying:
            continue  # nobody could say what is on it
        is_lost = name not in kept and name not in lying.get(medium, ())
        if not is_lost and not digests:
            continue
        known = recordings.state(name)
        if known.deleted or known.medium != medium:
            continue  # meanwhile
        if is_lost:
            found.append(Finding(what=keeping.LOST, file=name, contact_id=contact_id))
        elif recordings.damage(known) and not recordings.is_away(medium):
            found.append(Finding(what=keeping.DAMAGED, file=name, contact_id=contact_id))
    return sorted((each for each in found if each is not None), key=lambda each: (each.what, each.file))


def repair(recordings: Recordings, findings: Sequence[Finding]) -> list[Finding]:
    """Put right what can be, say in the log what cannot; what is left as it was, as is what a disk refuses. A finding
    is looked at anew first.

    Raises `SettingsError` where the folder is not the one: then nothing was said.
    """
    return [each for each in repairing(recordings, findings) if each is not None]


def repairing(recordings: Recordings, findings: Sequence[Finding]) -> Iterator[Finding | None]:
    """`repair`, one after another, so that something else can be done in between: each that is left as it was, None for
    one that is put right. Raises as that.
    """
    recordings.insist()
    for each in findings:
        recordings.insist()
        try:
            done = _repaired(recordings, each)
        except OSError as error:
            log.warning("recording-not-repaired", what=each.what, file=each.file, why=str(error))
            done = False
        yield None if done else each


def _repaired(recordings: Recordings, finding: Finding) -> bool:
    match finding.what:
        case "unsealed" | "left" | keeping.UNFINISHED | keeping.ORPHAN:
            return _kept(recordings, finding)
        case "stray":
            # Of an attempt that the log never heard of. It goes where the clear file is there to be sealed anew.
            return recordings.drop_stray(finding.file)
        case "undeleted":
            return recordings.remove_deleted(finding.file)
        case "copied":
            return recordings.drop_copied(finding.file)
    recordings.alarm(finding.contact_id, finding.file, finding.what)
    return False


def _kept(recordings: Recordings, finding: Finding) -> bool:
    """Seal a clear file; one whose name is taken gets a name of its own first. A voice lies in the clear nowhere."""
    file, found = finding.file, finding.what
    if found not in (keeping.UNFINISHED, keeping.ORPHAN):
        found = keeping.FINISHED
    if finding.what == LEFT and (second := recordings.rename_second(file)):
        recordings.alarm(finding.contact_id, file, keeping.TWICE)
        file, found = second, keeping.SECOND
    why = recordings.keep(finding.contact_id, file, found=found, node=finding.node)
    if why:
        recordings.alarm(finding.contact_id, file, why)
    return not why


class _Told:
    """What the log says of recordings."""

    def __init__(self) -> None:
        self.begun: dict[str, str] = {}
        self.talks: dict[str, str] = {}
        """Each conversation with its contact: after it its files are named, of which nothing else need be heard."""
        self.finished: dict[str, str] = {}
        """Files that there must be, with their contacts."""
        self.without: set[str] = set()
        self.sealed: dict[str, str] = {}
        self.settled: set[str] = set()
        """Files that nobody waits for: sealed, or discarded."""
        self.deleted: set[str] = set()
        self.nodes: dict[str, str] = {}
        self.media: dict[str, str] = {}
        """On which media the archived ones lie."""
        self.ended: set[str] = set()

    def note(self, record: Record) -> None:
        event, contact_id = record.event, ident_of(record.stream)
        match event:
            case ContactConnected() | OutsideConnected():
                self.talks[event.segment_id] = contact_id
            case RecordingBegun():
                self.begun[event.file] = contact_id
                self.nodes[event.file] = record.about.node
            case RecordingFinished() if event.cause in WITHOUT_A_FILE:
                self.without.add(event.file)
            case RecordingFinished() if is_file_name(event.file):
                self.finished[event.file] = contact_id
                self.nodes[event.file] = record.about.node
            case keeping.RecordingSealed():
                self.sealed[event.file] = event.contact_id
                self.settled.add(event.file)
                self.nodes[event.file] = event.node or self.nodes.get(event.file, "")
            case keeping.RecordingDiscarded():
                self.settled.add(event.file)
            case keeping.RecordingArchived():
                self.media[event.file] = event.medium
            case keeping.RecordingDeleted():
                self.deleted.add(event.file)
            case ContactEnded():
                self.ended.add(contact_id)


def _of_clear(told: _Told, name: str, *, quiet: bool) -> Finding | None:
    """What is to be said of a file in the clear, None where all is well with it or may yet be."""
    if name in told.sealed:
        return Finding(what=LEFT, file=name, contact_id=told.sealed[name], node=told.nodes.get(name, ""))
    if name in told.finished:
        return Finding(what=UNSEALED, file=name, contact_id=told.finished[name], node=told.nodes.get(name, ""))
    contact_id = told.begun.get(name, "") or next(
        (told.talks[talk] for talk in talks_in(name) if talk in told.talks), ""
    )
    if not quiet or (contact_id and contact_id not in told.ended):
        return None
    what = keeping.UNFINISHED if contact_id else keeping.ORPHAN
    return Finding(what=what, file=name, contact_id=contact_id, node=told.nodes.get(name, ""))


def _lying(media: Media) -> dict[str, set[str]]:
    """What lies on each medium that is there."""
    lying: dict[str, set[str]] = {}
    for name, folder in media.mounted():
        files = {f"{path.stem}.wav" for path in _files(folder, SUFFIX)}
        if name_of(folder) == name:  # not one that went while it was read
            lying.setdefault(name, set()).update(files)
    return lying


def _files(folder: Path, ending: str) -> list[Path]:
    return [path for path in folder.glob(f"*{ending}") if path.is_file()] if folder.is_dir() else []
