"""How soon five hundred desks are told, and how long a desk's page takes: the web process as `ringledger web` runs it,
over a PostgreSQL of its own (fsync on), with a stream open for each of 500 agents and five pages of the floor, whose
pages answer each sign of life.

From the moment at which the append returned, for the process that appended, to the moment at which the event that says
so has been read from the agent's socket. Writer and readers are one process here, the server is another; both moments
are by one clock.
"""

import gzip
import re
import select
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import psycopg

from orchestrator import cluster as clusters
from orchestrator.cluster import Cluster
from orchestrator.domain.access.users import Grant
from orchestrator.domain.contacts import events as c
from orchestrator.domain.kernel import Event, Instant, Provenance, Record
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.settings import Settings, environment_with
from orchestrator.store import DeskWriter, KeyShelf, LiveWriter, Log, Source, schema
from orchestrator.vault import Vault
from projections.live import LiveView
from projections.reading import Reading, reading_of
from tests.bench.projections_log import FENCE, fill
from tests.bench.web_answers import Answers, page_name
from tests.postgres import make_reachable_directory, settings_for

DESKS: Final = 500
FLOORS: Final = 5
PACE: Final = 50
"""Decisions a second, each of two or three events: about what 500 agents with calls of three minutes make."""
PACED_S: Final = 20
WARM_S: Final = 3
PAGES: Final = 300
COPIES: Final = 3
_START_S: Final = 60
# The instant (ms) since when the agent is in its state, as the desk's bar has it.
_SINCE: Final = re.compile(rb'data-since="(\d+)"')


def run() -> Iterator[dict[str, Any]]:
    """The figures of group `web`, in about a minute and a half."""
    place = make_reachable_directory("rl-bench-")
    port = _free_port()
    home = {"RINGLEDGER_HOME": str(place / "home"), "RINGLEDGER_WEB": f"127.0.0.1:{port}", "RINGLEDGER_METRICS": ""}
    settings = settings_for(place / "home", **{key: value for key, value in home.items() if key != "RINGLEDGER_HOME"})
    cluster = clusters.ensure_running(settings, lambda _: None)
    try:
        yield from _measured(cluster, settings, home, place, port)
    finally:
        cluster.stop()
        unix = Path(parse_qs(urlsplit(cluster.url_writer).query)["host"][0])
        if unix.name.startswith("ringledger-"):
            shutil.rmtree(unix, ignore_errors=True)
        shutil.rmtree(place)


def _measured(
    cluster: Cluster, settings: Settings, home: dict[str, str], place: Path, port: int
) -> Iterator[dict[str, Any]]:
    schema.create(cluster.url_owner, admin_url=cluster.url_admin)
    with psycopg.connect(cluster.url_writer) as connection:
        connection.execute("INSERT INTO ringledger_lease (site, holder, epoch) VALUES ('main', 'bench', 1)")
    with ExitStack() as stack:
        source = Source(cluster.url_writer)
        stack.callback(source.close)
        vault = Vault.unlock(settings.kek_file, KeyShelf(source))
        writer = LiveWriter(source, vault, FENCE).start()
        stack.callback(writer.close)
        centre = Centre(DeskWriter(source, vault), writer)
        fill(centre.desk, writer, COPIES)
        centre.configure()
        centre.sign_in()
        reading = stack.enter_context(reading_of(settings, cluster.url_reader, cluster.url_writer, name="bench"))
        yield from _begin(reading.log)
        cookies = _sign_in(reading)
        output = stack.enter_context((place / "web.log").open("wb"))
        command = [sys.executable, "-m", "orchestrator", "web"]
        web = subprocess.Popen(command, env=environment_with(**home), stdout=output, stderr=output)
        stack.callback(web.wait, 20)
        stack.callback(web.terminate)
        _await_web(port, cookies[0])
        answers = Answers(port, cookies)
        stack.callback(answers.close)
        pages = Pages(port, cookies, answers)
        stack.callback(pages.close)
        pages.begin()
        answers.begin()
        yield from _told(centre, pages, web.pid)
        yield answers.cpu_ms(DESKS, lambda: _cpu_s(web.pid))
        yield from _page_times(port, cookies, centre)


class Centre:
    """Agents at their desks, and what happens to them, appended as the engine does."""

    def __init__(self, desk: DeskWriter, writer: LiveWriter) -> None:
        self.desk = desk
        self._writer = writer
        self._versions: dict[str, int] = {}
        self._made = 0
        self._calls: deque[str] = deque()
        self._ready: dict[int, bool] = {}

    def configure(self) -> None:
        """One queue, and the agents."""
        events: dict[str, Event] = {"queue-bench": QueueConfigured(name="Bench", skill="bench")}
        for n in range(DESKS):
            events[f"agent-b{n}"] = AgentConfigured(
                number=f"9{n:03}", name=f"Agent {n}", extension=f"9{n:03}", skills={"bench": 3}
            )
        self.desk.append_desk([self._record(stream, event) for stream, event in events.items()])

    def sign_in(self) -> None:
        """All of them."""
        for n in range(DESKS):
            self._append((f"shift-bench{n}", s.AgentSignedIn(agent_id=f"b{n}", extension=f"9{n:03}")))

    def move(self, n: int) -> int:
        """Something happens to this agent; the instant (ms) at which it was decided. Stored when this returns."""
        now_ready = self._ready[n] = not self._ready.get(n, False)
        event = s.AgentMadeReady() if now_ready else s.AgentPaused(reason="break")
        record = self._record(f"shift-bench{n}", event)
        self._writer.append_live([record])
        return record.about.at // 1_000

    def call(self) -> int:
        """Somebody calls and waits; whoever has waited longest, once there are twenty, gives up."""
        self._made += 1
        ident = f"contact-bench{self._made}"
        self._calls.append(ident)
        arrived = c.ContactArrived(node="sw1", leg=f"leg{self._made}", dialled="4000", caller_number="+8613800138000")
        visit = f"visit{self._made}"
        queued = c.ContactQueued(
            visit_id=visit,
            queue_id="bench",
            entry_id="",
            skill="bench",
            min_level=1,
            priority=0,
            music="",
            leave_by=Instant(2**60),
        )
        position = self._append((ident, arrived), (ident, queued))
        if len(self._calls) > 20:
            left = self._calls.popleft()
            number = left.removeprefix("contact-bench")
            gone = c.QueueVisitEnded(visit_id=f"visit{number}", queue_id="bench", outcome="abandoned")
            closed = c.LegClosed(leg=f"leg{number}", cause="NORMAL_CLEARING")
            position = self._append(
                (left, closed), (left, gone), (left, c.ContactEnded(reason="abandoned", phase="waiting"))
            )
        return position

    def _append(self, *events: tuple[str, Event]) -> int:
        return self._writer.append_live([self._record(stream, event) for stream, event in events])

    def _record(self, stream: str, event: Event) -> Record:
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        about = Provenance(at=Instant(time.time_ns() // 1000), causation=f"bench-{time.monotonic_ns()}")
        return Record(stream=stream, version=version, event=event, event_id=f"{stream}-{version}", about=about)


class Pages:
    """The open pages, read by one thread: for each when it was shown which state of its agent."""

    def __init__(self, port: int, cookies: list[str], answers: Answers) -> None:
        self._answers = answers
        self._port = port
        self._cookies = cookies
        self._sockets: dict[int, tuple[int, socket.socket]] = {}
        self._tails: dict[int, bytes] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._poll = select.epoll()
        self._refused: deque[int] = deque()
        self.seen: dict[int, list[tuple[float, int]]] = {}
        self.refused = 0
        """How often a page was refused as all came at once."""
        self.bytes = 0

    def begin(self) -> None:
        """Open them all, the refused ones again after a while, as browsers do; returns once each was told something."""
        self.seen = {page: [] for page in range(len(self._cookies))}
        for page in self.seen:
            self._open(page)
        self._thread.start()
        deadline = time.monotonic() + _START_S
        while any(not each for each in self.seen.values()):
            if time.monotonic() > deadline:
                late = sum(not each for each in self.seen.values())
                raise RuntimeError(f"{late} pages were not told anything in {_START_S} s")
            time.sleep(0.5)
            while self._refused:
                self.refused += 1
                self._open(self._refused.popleft())

    def _open(self, page: int) -> None:
        topics = f"desk:b{page},queue:bench" if page < DESKS else "floor"
        asked = f"/stream?topics={topics}&page={page_name(page)}"
        connection = socket.create_connection(("127.0.0.1", self._port))
        head = f"GET {asked} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ringledger={self._cookies[page]}\r\n\r\n"
        connection.sendall(head.encode())
        connection.setblocking(False)
        self._sockets[connection.fileno()] = (page, connection)
        self._tails[connection.fileno()] = b""
        self._poll.register(connection.fileno(), select.EPOLLIN)

    def close(self) -> None:
        """Close them."""
        self._stop.set()
        self._thread.join(5)
        for _, connection in self._sockets.values():
            connection.close()

    def told(self, page: int, since: int) -> float | None:
        """When this page was first shown the state of that instant, None where it was not."""
        return next((at for at, shown in self.seen[page] if shown == since), None)

    def _read(self) -> None:
        while not self._stop.is_set():
            for file, _ in self._poll.poll(0.2):
                page, connection = self._sockets[file]
                data = connection.recv(262_144)
                now = time.monotonic()
                if not data or (data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 200 ")):
                    self._poll.unregister(file)
                    if not self.seen[page]:
                        self._refused.append(page)
                    continue
                self.bytes += len(data)
                *blocks, tail = (self._tails[file] + data).replace(b"\r\n", b"\n").split(b"\n\n")
                self._tails[file] = tail
                for block in blocks:
                    if b"event: desk\n" in block or b"event: floor\n" in block:
                        found = _SINCE.search(block)
                        self.seen[page].append((now, int(found[1]) if found else 0))
                    elif b"event: beat\n" in block:
                        self._answers.give_soon(page)


def _told(centre: Centre, pages: Pages, pid: int) -> Iterator[dict[str, Any]]:
    """Commit to received, at a pace."""
    sent: list[tuple[int, int, float]] = []
    begun, spent, count = time.monotonic(), _cpu_s(pid), 0
    while (past := time.monotonic() - begun) < WARM_S + PACED_S:
        if count > past * PACE:
            time.sleep(0.001)
            continue
        count += 1
        if count % 3 == 0:
            centre.call()
            continue
        agent = (count * 7) % DESKS
        since = centre.move(agent)
        if past > WARM_S:
            sent.append((agent, since, time.monotonic()))
    used = (_cpu_s(pid) - spent) / (time.monotonic() - begun)
    time.sleep(1)
    moments = [(pages.told(agent, since), when) for agent, since, when in sent]
    took = [(at - when) * 1_000 for at, when in moments if at is not None]
    missing = len(sent) - len(took)
    about: dict[str, Any] = {
        "desks": DESKS,
        "floors": FLOORS,
        "decisions_per_s": PACE,
        "measured": len(took),
        "never_told": missing,
    }
    about["refused_at_first"] = pages.refused
    percent = statistics.quantiles(took, n=100, method="inclusive")
    yield {"name": "web.sse.p50_ms", "value": round(percent[49], 2), "unit": "ms", **about}
    yield {"name": "web.sse.p99_ms", "value": round(percent[98], 2), "unit": "ms", "at_most": 50, **about}
    yield {"name": "web.sse.never_told", "value": missing, "unit": "changes", "at_most": 0}
    yield {
        "name": "web.sse.cpu_share",
        "value": round(used, 3),
        "unit": "of one core, by the web process",
        "kB_per_s": round(pages.bytes / 1_000 / (WARM_S + PACED_S)),
    }


def _page_times(port: int, cookies: list[str], centre: Centre) -> Iterator[dict[str, Any]]:
    """A desk's page while all the streams are open and something happens twenty times a second."""
    stop = threading.Event()

    def disturb() -> None:
        count = 0
        while not stop.wait(0.05):
            count += 1
            centre.move((count * 11) % DESKS)

    noise = threading.Thread(target=disturb, daemon=True)
    noise.start()
    try:
        for name, path in (("web.desk.p95_ms", "/desk/"), ("web.desk.pane.p95_ms", "/desk/day")):
            took = []
            for n in range(PAGES):
                began = time.monotonic()
                status, _ = _get(port, path, cookies[(n * 13) % DESKS])
                took.append((time.monotonic() - began) * 1_000)
                if status != 200:
                    raise RuntimeError(f"{path} answered {status}")
            value = statistics.quantiles(took, n=100, method="inclusive")
            yield {
                "name": name,
                "value": round(value[94], 2),
                "unit": "ms",
                "at_most": 30,
                "p50_ms": round(value[49], 2),
                "streams_open": len(cookies),
                "includes": "a connection, the session's look-up, the network of one machine",
            }
    finally:
        stop.set()
        noise.join(5)
    yield _weight(port, cookies[0])


def _weight(port: int, cookie: str) -> dict[str, Any]:
    """What a browser fetches to show a desk for the first time, gzipped."""
    _, page = _get(port, "/desk/", cookie)
    wanted = sorted(set(re.findall(rb'(?:href|src)="(/static/[^"]+)"', page)))
    wanted += [
        url.rpartition(b"/")[0] + b"/" + name
        for url in wanted
        if url.endswith(b"/desk.js")
        for name in _imports(port, url)
    ]
    parts = {"page": len(gzip.compress(page, 9))}
    for url in dict.fromkeys(wanted):
        parts[url.decode().rpartition("/")[2]] = len(gzip.compress(_get(port, url.decode(), cookie)[1], 9))
    total = sum(parts.values()) / 1_000
    return {"name": "desk.weight_kb", "value": round(total, 1), "unit": "kB gzipped", "at_most": 150, "parts": parts}


def _imports(port: int, url: bytes) -> list[bytes]:
    _, script = _get(port, url.decode(), "")
    return re.findall(rb'from "\./([\w.]+)"', script)


def _begin(log: Log) -> Iterator[dict[str, Any]]:
    """How long a web process takes until it knows what is now."""
    position = log.position()
    view = LiveView(log)
    began = time.monotonic()
    view.start()
    view.wait_ready(_START_S)
    took = time.monotonic() - began
    view.stop()
    began = time.monotonic()
    events = sum(1 for _ in log.history())
    whole = time.monotonic() - began
    yield {
        "name": "web.live.begin_s",
        "value": round(took, 3),
        "unit": "s",
        "events_in_log": events,
        "last_position": position,
        "peer": round(whole, 2),
        "peer_what": "reading all of the log, without folding it",
    }


def _sign_in(reading: Reading) -> list[str]:
    """A session for each page: agents' desks first, then leaders'. Passwords are not measured here."""
    cookies = []
    for n in range(DESKS + FLOORS):
        user_id, role = (f"bench-{n}", "agent") if n < DESKS else (f"bench-{n}", "leader")
        agent = f"b{n}" if role == "agent" else ""
        reading.users.create(user_id, f"Agent {n}", actor="admin:bench", agent_id=agent)
        reading.users.change(user_id, Grant(roles=(role,), teams=()), actor="admin:bench")
        user = reading.users.get(user_id)
        if user is None:
            raise RuntimeError(f"{user_id} was not made")
        cookies.append(reading.sessions.begin(user, address="127.0.0.1", browser="bench").new_key)
    return cookies


def _await_web(port: int, cookie: str) -> None:
    """Until a desk is shown: until then everything is being read, and streams are refused."""
    deadline = time.monotonic() + _START_S
    while True:
        try:
            if _get(port, "/desk/", cookie)[0] == 200:
                return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise RuntimeError("the web process does not answer")
        time.sleep(0.1)


def _get(port: int, path: str, cookie: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers={"Cookie": f"ringledger={cookie}", "Accept": "text/html"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used (proc(5), fields 14 and 15)."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / 100


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
