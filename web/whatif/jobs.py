"""Days that are played for a page: each in a process of its own, one at a time, ended when nobody waits for it.

    POST ──▶ start ──▶ process (orchestrator.whatif.job) ──▶ home/whatif/<id>.json, kept
    page asks `state` every second or two; not asked for `UNASKED_S`, after `LONGEST_S`, or with the web, it is ended

The id is a digest of the question: the same question finds the answer that there is. Answers hold no personal data.
"""

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

import msgspec
import structlog
from flask import Flask, current_app
from msgspec import Struct

from orchestrator.domain.kernel import Refused
from orchestrator.parent import die_with_parent
from orchestrator.whatif.asking import VERSION, Answer
from orchestrator.whatif.job import Reply, Request
from web.parts import parts

log = structlog.get_logger(__name__)

UNASKED_S: Final = 30.0
LONGEST_S: Final = 1_800.0
KEPT: Final = 200
_KEY: Final = "ringledger-whatif"
_LOOK_S: Final = 0.2
_END_S: Final = 5.0
_ID_DIGITS: Final = 24
_MOST_SAID: Final = 4_000
_SHOWN: Final = 10


class State(Struct, frozen=True):
    """How far a question has come: `running`, `done`, `refused`, `ended` (nobody waited, too long, or it broke down),
    or `unknown`.
    """

    state: str
    done: int = 0
    plays: int = 0
    code: str = ""
    message: str = ""


class Jobs:
    """Questions and their answers, in a folder. Thread-safe."""

    def __init__(self, folder: Path, *, unasked_s: float = UNASKED_S) -> None:
        self._folder = folder
        self._unasked_s = unasked_s
        self._lock = threading.Lock()
        self._running: tuple[str, subprocess.Popen[bytes]] | None = None
        self._watching: threading.Thread | None = None
        self._asked_at = 0.0
        self._cancelled = False
        self._over: dict[str, State] = {}
        """Of questions without an answer, why."""

    def start(self, request: Request) -> str:
        """Have it answered, unless it is, or is about to be; its id. Raises `Refused` (`whatif_busy`)."""
        job_id = identity(request)
        with self._lock:
            if self._answer_file(job_id).is_file() or (self._running is not None and self._running[0] == job_id):
                return job_id
            if self._running is not None:
                raise Refused("whatif_busy", "Another day is being played; wait until it is done, or cancel it.")
            self._over.pop(job_id, None)
            begun: Future[subprocess.Popen[bytes]] = Future()
            self._watching = threading.Thread(target=self._play, args=(job_id, request, begun), daemon=True)
            self._watching.start()
            process = begun.result()
            self._running, self._asked_at, self._cancelled = (job_id, process), time.monotonic(), False
        return job_id

    def state(self, job_id: str) -> State:
        """How far it has come; whoever asks waits for it."""
        with self._lock:
            if self._running is not None and self._running[0] == job_id:
                self._asked_at = time.monotonic()
                return State("running", *self._progress(job_id))
            if job_id in self._over:
                return self._over[job_id]
        return State("done" if _is_id(job_id) and self._answer_file(job_id).is_file() else "unknown")

    def cancel(self, job_id: str) -> None:
        """End it, where it runs."""
        with self._lock:
            self._cancelled |= self._running is not None and self._running[0] == job_id

    def close(self) -> None:
        """End what runs: nobody is left to ask for it."""
        with self._lock:
            self._cancelled, watching = True, self._watching
        if watching is not None:
            watching.join(_END_S)

    def answer(self, job_id: str) -> Answer | None:
        """What was answered, where it was, and by today's way of playing."""
        if not _is_id(job_id):
            return None
        with suppress(OSError, msgspec.MsgspecError):
            found = msgspec.json.decode(self._answer_file(job_id).read_bytes(), type=Reply).answer
            return found if found is not None and found.version == VERSION else None
        return None

    def last(self) -> Iterator[tuple[str, Answer]]:
        """The last answers, the newest first."""
        for path in self._kept()[:_SHOWN]:
            if (found := self.answer(path.stem)) is not None:
                yield path.stem, found

    def running(self) -> str:
        """The id of the question that is being answered; empty for none."""
        with self._lock:
            return self._running[0] if self._running is not None else ""

    # --- the process -------------------------------------------------------------------------------------------------
    def _spawn(self, job_id: str, request: Request) -> subprocess.Popen[bytes]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        asked = self._folder / f"{job_id}.ask"
        for mine in (asked, self._part(job_id)):
            mine.touch(mode=0o600)
        asked.write_bytes(msgspec.json.encode(request))
        try:
            # Files, not pipes: nobody has to keep reading them.
            with (
                asked.open("rb") as given,
                self._part(job_id).open("wb") as answered,
                self._progress_file(job_id).open("wb") as told,
            ):
                command = (sys.executable, "-m", "orchestrator.whatif.job")
                return subprocess.Popen(
                    command,
                    stdin=given,
                    stdout=answered,
                    stderr=told,
                    preexec_fn=die_with_parent,  # noqa: PLW1509 - only prctl, before any thread exists in the child
                )
        finally:
            asked.unlink()

    def _play(self, job_id: str, request: Request, begun: "Future[subprocess.Popen[bytes]]") -> None:
        """Make the process and wait for it, in one thread: it gets its signal when the thread that made it ends, which
        must not be the one of a request.
        """
        try:
            process = self._spawn(job_id, request)
        except BaseException as error:  # noqa: BLE001 - whoever asked is told
            begun.set_exception(error)
            return
        begun.set_result(process)
        self._watch(job_id, process)

    def _watch(self, job_id: str, process: subprocess.Popen[bytes]) -> None:
        ended: State | None = State("ended", code="broken")
        try:
            why = self._wait(process)
            with self._lock:
                ended = self._settle(job_id, process.returncode, why)
        except Exception:
            log.exception("whatif-not-settled", remedy="see whether the disk is full; the question can be asked again")
        finally:
            # Whatever went wrong with this question, the next one has its place.
            with self._lock:
                if ended is not None:
                    self._over[job_id] = ended
                self._running = None

    def _wait(self, process: subprocess.Popen[bytes]) -> str:
        """Until it ends; why it was ended, empty where it did so by itself."""
        begun = time.monotonic()
        while process.poll() is None:
            now = time.monotonic()
            with self._lock:
                unasked = now - self._asked_at > self._unasked_s
                cancelled = self._cancelled
            why = "cancelled" if cancelled or unasked else "too_long" if now - begun > LONGEST_S else ""
            if why:
                process.kill()
                process.wait()
                return why
            time.sleep(_LOOK_S)
        return ""

    def _settle(self, job_id: str, code: int, why: str) -> State | None:
        """Keep the answer, or say why there is none."""
        part, progress = self._part(job_id), self._progress_file(job_id)
        try:
            if why or code:
                if not why:
                    log.error("whatif-broke-down", code=code, said=progress.read_text(errors="replace")[-_MOST_SAID:])
                return State("ended", code=why or "broken")
            reply = msgspec.json.decode(part.read_bytes(), type=Reply)
            if reply.answer is None:
                log.info("whatif-refused", code=reply.code, said=progress.read_text(errors="replace")[-_MOST_SAID:])
                return State("refused", code=reply.code, message=reply.message)
            part.rename(self._answer_file(job_id))
            for old in self._kept()[KEPT:]:
                old.unlink(missing_ok=True)
        finally:
            part.unlink(missing_ok=True)
            progress.unlink(missing_ok=True)
        return None

    def _progress(self, job_id: str) -> tuple[int, int]:
        with suppress(OSError, ValueError, IndexError):
            done, plays = self._progress_file(job_id).read_text().split("\n")[-2].split()
            return int(done), int(plays)
        return 0, 0

    def _kept(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)

    def _answer_file(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.json"

    def _part(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.part"

    def _progress_file(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.progress"


def jobs() -> Jobs:
    """Those of the app that serves the current request: one for all who ask."""
    found = current_app.extensions.setdefault(_KEY, None) or Jobs(parts().settings.home / "whatif")
    current_app.extensions[_KEY] = found
    return cast("Jobs", found)


def end_all(app: Flask) -> None:
    """The web ends: its question, too."""
    if (found := app.extensions.get(_KEY)) is not None:
        found.close()


def identity(request: Request) -> str:
    """The same for the same question, however the database is reached."""
    asked = msgspec.structs.replace(request, url="", kek_file="")
    return hashlib.sha256(msgspec.json.encode([VERSION, asked])).hexdigest()[:_ID_DIGITS]


def _is_id(text: str) -> bool:
    return len(text) == _ID_DIGITS and all(letter in "0123456789abcdef" for letter in text)
