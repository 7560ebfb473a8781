"""Sealed recordings of another machine: a door that hands them out as they lie there, and whoever asks at it.

    player ── GET /NAME.sealed, Range, proof ──▶ door of the machine that recorded it
           ◀── 206, sealed bytes, proof ───────

The door opens nothing: what goes over the line is what lies on the disk, encrypted piece by piece under a key that only
the log has, bound to its name and place; its digest is in the log. A proof is a keyed hash that needs the site's key
file; it covers the question and its moment, and in the answer what was said of the file, so that nobody else can ask,
nor say that a recording is gone. Every wait has an end, and so many may ask at once.
"""

import errno
import hmac
import io
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import structlog
from msgspec import Struct

from orchestrator.domain.kernel import Refused
from orchestrator.service.media import Media
from orchestrator.service.sealed_files import Readable, unreadable
from orchestrator.settings import Address
from orchestrator.vault import Vault

log = structlog.get_logger(__name__)

# A proof is good for so long before and after its moment: clocks differ.
GOOD_S: Final = 60
TIMEOUT_S: Final = 5.0
AT_ONCE: Final = 32
# Whoever comes while there is no place waits so long for one.
_FOR_A_PLACE_S: Final = 0.5
_PIECE: Final = 65_536
PROOF, MOMENT, WISH = "X-Ringledger-Proof", "X-Ringledger-Moment", "X-Ringledger-Wish"
_NAME: Final = re.compile(r"/([A-Za-z0-9][A-Za-z0-9-]{0,80}\.(?:sealed|peaks))")
_RANGE: Final = re.compile(r"bytes=([0-9]{1,15})-([0-9]{1,15})")
_TOTAL: Final = re.compile(r"bytes [0-9]+-[0-9]+/([0-9]{1,15})")
_OK, _GONE, _UNREADABLE = 206, 404, 503

Prove = Callable[[str], str]
"""The proof of a text."""
Calls = Callable[[str, str, str], bytes]
"""The answer, sealed, to a wish about a path, in a question (`calls_elsewhere`). Raises OSError and ValueError."""


def prover(vault: Vault) -> Prove:
    """Proofs that whoever has the site's key file can make and check."""
    return lambda text: vault.token("recordings fetched", text).hex()


def question(name: str, asked: str, moment: str) -> str:
    """What a proof is of: this was asked for in this way at this moment."""
    return f"ask\n{name}\n{asked}\n{moment}"


def _answer(question: str, status: int, total: int) -> str:
    return f"answer\n{status}\n{total}\n{question}"


def _same(proof: str, told: str) -> bool:
    """Whether the proof that came is this one, whatever characters came."""
    return hmac.compare_digest(proof.encode(), told.encode())


# --- asking ----------------------------------------------------------------------------------------------------------
class Elsewhere:
    """The machines whose recordings are not here: the door of each, by the name of its switch."""

    def __init__(self, doors: Mapping[str, Address], prove: Prove, *, timeout_s: float = TIMEOUT_S) -> None:
        self._doors = doors
        self._prove = prove
        self._timeout_s = timeout_s

    def __contains__(self, node: str) -> bool:
        """Whether this switch's recordings lie on another machine."""
        return node in self._doors

    def place(self, node: str, name: str) -> "Fetched":
        """The file of this name on that machine. Raises KeyError for a switch whose recordings are here."""
        return Fetched(self._doors[node], node, name, self._prove, self._timeout_s)


class Fetched:
    """A sealed file of another machine (`sealed_files.Place`). Raises FileNotFoundError where that machine says that it
    has none, and `Refused` where it cannot be asked (`recording_away`), or cannot read it (`recording_unreadable`).
    """

    def __init__(self, door: Address, node: str, name: str, prove: Prove, timeout_s: float) -> None:
        self._door = door
        self._node = node
        self._name = name
        self._prove = prove
        self._timeout_s = timeout_s

    def begin(self, length: int) -> tuple[bytes, int]:
        with self._asked(0, length) as (answer, total):
            return _Coming(answer, self.away).read(length), total

    @contextmanager
    def opened(self, begin: int, end: int) -> Iterator[Readable]:
        with self._asked(begin, end) as (answer, _):
            yield _Coming(answer, self.away)

    def whole(self, most: int) -> bytes:
        """All of a small file, up to `most` bytes of it."""
        return self.begin(most)[0]

    @contextmanager
    def _asked(self, begin: int, end: int) -> Iterator[tuple[HTTPResponse, int]]:
        connection = HTTPConnection(self._door.host, self._door.port, timeout=self._timeout_s)
        asked, moment = f"bytes={begin}-{end - 1}", str(int(time.time()))
        asking = question(self._name, asked, moment)
        headers = {"Range": asked, MOMENT: moment, PROOF: self._prove(asking)}
        try:
            try:
                connection.request("GET", f"/{self._name}", headers=headers)
                answer = connection.getresponse()
            except (OSError, HTTPException) as error:
                raise self.away(str(error)) from error
            with answer:
                yield answer, self._checked(answer, asking)
        finally:
            connection.close()

    def _checked(self, answer: HTTPResponse, asking: str) -> int:
        """How long the file is, as that machine has proved that it said."""
        found = _TOTAL.fullmatch(answer.headers.get("Content-Range", ""))
        total = int(found[1]) if found else 0
        proof = self._prove(_answer(asking, answer.status, total))
        if not _same(proof, answer.headers.get(PROOF, "")):
            raise self.away(f"answered {answer.status} without a proof")
        if answer.status == _GONE:
            raise FileNotFoundError(errno.ENOENT, "That machine has no such file", self._name)
        if answer.status == _UNREADABLE:
            raise unreadable(self._name, f"the machine of switch {self._node} says so")
        if answer.status != _OK:
            raise self.away(f"answered {answer.status}")
        return total

    def away(self, why: str) -> Refused:
        """What to raise where it cannot be had from there."""
        log.warning("recording-elsewhere-away", node=self._node, door=str(self._door), why=why)
        return Refused(
            "recording_away",
            f"This recording lies on the machine of switch {self._node}, which does not answer now. It is kept there; "
            f"try again in a while.",
        )


class _Coming:
    """What comes over the line. One that is cut is away, and no damaged file."""

    def __init__(self, answer: HTTPResponse, away: Callable[[str], Refused]) -> None:
        self._answer = answer
        self._left = answer.length or 0
        self._away = away

    def read(self, amount: int, /) -> bytes:
        wanted = min(amount, self._left)
        try:
            found = self._answer.read(wanted)
        except (OSError, HTTPException) as error:
            raise self._away(str(error)) from error
        if len(found) < wanted:
            raise self._away("the line was cut")
        self._left -= wanted
        return found


# --- the door --------------------------------------------------------------------------------------------------------
class Door(ThreadingHTTPServer):
    """Hands out the sealed files of one folder; `serve_forever` until `shutdown`."""

    daemon_threads = True

    def __init__(
        self,
        address: Address,
        folder: Path,
        prove: Prove,
        *,
        calls: Calls | None = None,
        media: Media | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`calls`: what files about calls say, where somebody may ask for them; `media`: where else files may lie.
        Raises OSError where it cannot listen there.
        """
        self.folder = folder
        self.prove = prove
        self.calls = calls
        self.media = media or Media()
        self.clock = clock
        self.places = threading.BoundedSemaphore(AT_ONCE)
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        super().__init__((address.host, address.port), _Asked)

    @property
    def address(self) -> Address:
        """Where it listens."""
        return Address(str(self.server_address[0]), int(self.server_address[1]))

    def place_of(self, name: str) -> Path:
        """Where the file of this name lies: in the folder, or on one of the media that are there."""
        places = (self.folder / name, *(folder / name for _, folder in self.media.mounted()))
        return next((place for place in places if place.is_file()), places[0])

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver has it
        """A thread for each who asks, but not for more than there are places: those are told so by a closed line.

        A place is free a moment after its answer was read, so whoever asks piece after piece is given that moment.
        """
        if not self.places.acquire(timeout=_FOR_A_PLACE_S):
            log.warning("recordings-door-full", most=AT_ONCE)
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver has it
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()

    def handle_error(self, _request: Any, _client: Any) -> None:  # noqa: ANN401 - as socketserver has it
        """Whoever asked went away, or a disk failed: the next one is served all the same."""
        log.error("recordings-door-failed", why=repr(sys.exc_info()[1]))


class _Wanted(Struct, frozen=True):
    """What somebody who may asks for."""

    name: str
    begin: int
    end: int
    question: str


class _Head(io.RawIOBase):
    """What comes over a line, up to a moment: however slowly somebody asks, they hold their place no longer."""

    def __init__(self, line: socket.socket, within_s: float) -> None:
        self._line = line
        self._until = time.monotonic() + within_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - as io has it
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("The question took too long.")
        self._line.settimeout(left)
        return self._line.recv_into(buffer)


class _Asked(BaseHTTPRequestHandler):
    """One question. It has `timeout` seconds to come in whole, and each piece of the answer so many to go."""

    server: Door
    timeout = 2 * TIMEOUT_S
    server_version = "Ringledger"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self.rfile = io.BufferedReader(_Head(self.connection, self.timeout))

    def do_GET(self) -> None:  # the name that http.server calls
        """A range of a file; 403 without a proof, 404 where there is none, 416 for a range that is none of it, 503 for
        a disk that cannot be read.
        """
        self.connection.settimeout(self.timeout)
        if self.path.startswith("/calls"):
            self._calls()
            return
        wanted = self._wanted()
        if wanted is None:
            self.send_response(403)
            self.end_headers()
            return
        with ExitStack() as until_sent:
            try:
                file = until_sent.enter_context(self.server.place_of(wanted.name).open("rb"))
                total = file.seek(0, 2)
                left = min(wanted.end, total) - wanted.begin
                file.seek(wanted.begin)
                piece = file.read(min(_PIECE, max(left, 0)))
            except FileNotFoundError:
                self._say(wanted, _GONE, 0, 0)
                return
            except OSError as error:
                unreadable(wanted.name, error)  # said in the log here, where the disk is
                self._say(wanted, _UNREADABLE, 0, 0)
                return
            if left <= 0:
                self._say(wanted, 416, total, 0)
                return
            self._say(wanted, _OK, total, left)
            while left and piece:
                self.wfile.write(piece)
                left -= len(piece)
                piece = file.read(min(_PIECE, left))

    def _wanted(self) -> _Wanted | None:
        name, asked = _NAME.fullmatch(self.path), self.headers.get("Range", "")
        stretch, moment = _RANGE.fullmatch(asked), self.headers.get(MOMENT, "")
        if name is None or stretch is None or not re.fullmatch("[0-9]{1,12}", moment):
            return None
        asking = question(name[1], asked, moment)
        if not self._is_proved(asking, moment):
            return None
        return _Wanted(name[1], int(stretch[1]), int(stretch[2]) + 1, asking)

    def _is_proved(self, asking: str, moment: str) -> bool:
        if abs(self.server.clock() - int(moment)) > GOOD_S:
            return False
        return _same(self.server.prove(asking), self.headers.get(PROOF, ""))

    def _calls(self) -> None:
        """What the files about calls say to a wish; 403 without a proof, 404 where there is none or it is no wish."""
        wish, moment = self.headers.get(WISH, ""), self.headers.get(MOMENT, "")
        asking, body, status = question(self.path, wish, moment), b"", 403
        if self.server.calls is not None and re.fullmatch("[0-9]{1,12}", moment) and self._is_proved(asking, moment):
            try:
                body, status = self.server.calls(self.path, wish, asking), 200
            except (OSError, ValueError) as error:
                log.warning("calls-not-told", why=type(error).__name__)
                status = 404
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self) -> None:  # the name that http.server calls
        """A file about a call is done with."""
        self.connection.settimeout(self.timeout)
        self._calls()

    def _say(self, wanted: _Wanted, status: int, total: int, length: int) -> None:
        self.send_response(status)
        if total:
            self.send_header("Content-Range", f"bytes {wanted.begin}-{wanted.begin + max(0, length - 1)}/{total}")
        self.send_header("Content-Length", str(length))
        self.send_header(PROOF, self.server.prove(_answer(wanted.question, status, total)))
        self.end_headers()

    def log_message(self, _form: str, *_args: object) -> None:
        """Nothing of each question: who listened stands in the ledger."""
