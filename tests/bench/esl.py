"""How fast the edge is: captured streams of a real switch through frame reader, decoder and translation, on one core.

Beside it, in the same run and on the same calls, greenswitch's own reader and parser (which has no JSON, so it gets the
plain captures) and what the tape costs for each event.
"""

import gc
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gevent.event import AsyncResult
from greenswitch.esl import InboundESL

from orchestrator.domain.kernel import Instant
from orchestrator.esl.events import SwitchEvent, decode_json, decode_plain
from orchestrator.esl.frames import FrameReader
from orchestrator.esl.node import SUBSCRIBED
from orchestrator.esl.translate import translate
from orchestrator.tape import TapeWriter
from orchestrator.vault import DataKey, Vault
from tests.esl.captures import STREAMS, events, stream

ROUNDS = 7
CHUNK = 65_536
ASIDE = 20_000  # events in one round of the tape


def run() -> Iterator[dict[str, Any]]:
    """The figures of group `esl`: medians of seven rounds, ours and theirs in turn so that noise hits both alike."""
    rates: dict[str, list[float]] = {"json": [], "plain": [], "theirs": []}
    for _ in range(ROUNDS):
        rates["json"].append(_rate(lambda: sum(_ours(name, "json", decode_json) for name in STREAMS)))
        rates["theirs"].append(_rate(lambda: sum(_theirs(name) for name in STREAMS)))
        rates["plain"].append(_rate(lambda: sum(_ours(name, "plain", decode_plain) for name in STREAMS)))
    ours, theirs = statistics.median(rates["json"]), statistics.median(rates["theirs"])
    yield _figure("esl.translate.events_per_s", ours, "events/s", target=60_000, rounds=ROUNDS)
    wanted = b"".join(_subscribed())
    rate = statistics.median(_rate(lambda: _count(wanted, decode_json)) for _ in range(ROUNDS))
    yield _figure("esl.translate_subscribed.events_per_s", rate, "events/s", rounds=ROUNDS, what="facts in each event")
    yield _figure("esl.translate_plain.events_per_s", statistics.median(rates["plain"]), "events/s", rounds=ROUNDS)
    yield _figure("esl.greenswitch.events_per_s", theirs, "events/s", rounds=ROUNDS, input="plain")
    yield _figure("esl.translate.vs_greenswitch", ours / theirs, "ratio")
    write, total, size = _tape()
    yield _figure("tape.write_us_per_event", write, "us", rounds=ROUNDS, what="in the loop")
    yield _figure("tape.cost_us_per_event", total, "us", rounds=ROUNDS, what="all CPU, its worker included")
    yield _figure("tape.bytes_per_event", size, "bytes")


def peers_events_per_s() -> float:
    """How many events greenswitch's reader takes in a second of CPU, now: a yardstick for how fast a host is."""
    return statistics.median(_rate(lambda: sum(_theirs(name) for name in STREAMS)) for _ in range(ROUNDS))


def _figure(name: str, value: float, unit: str, **more: object) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, **more}


_loaded: dict[tuple[str, str], bytes] = {}


def _stream(name: str, form: str) -> bytes:
    if (name, form) not in _loaded:
        _loaded[name, form] = stream(name, form)
    return _loaded[name, form]


def _rate(work: Callable[[], int]) -> float:
    """Events a second of CPU time: what others do to the machine meanwhile does not count."""
    work()  # loads the streams, warms the caches
    gc.collect()
    begun = time.process_time()
    count = 0
    while (spent := time.process_time() - begun) < 0.3:
        count += work()
    return count / spent


def _ours(name: str, form: str, decode: Callable[[bytes], SwitchEvent]) -> int:
    return _count(_stream(name, form), decode)


def _count(data: bytes, decode: Callable[[bytes], SwitchEvent]) -> int:
    reader = FrameReader()
    count = 0
    for start in range(0, len(data), CHUNK):
        for frame in reader.feed(data[start : start + CHUNK]):
            if frame.content_type.startswith("text/event-"):
                translate("fs1", decode(frame.body))
                count += 1
    return count


def _subscribed() -> Iterator[bytes]:
    """The frames of those events that we ask a switch for: the captures have ALL."""
    for name in STREAMS:
        for frame in FrameReader().feed(_stream(name, "json")):
            if frame.content_type == "text/event-json" and decode_json(frame.body).name in SUBSCRIBED:
                yield frame.head + b"\n\n" + frame.body


class _Theirs(InboundESL):  # type: ignore[misc]  # greenswitch has no types
    """greenswitch's reader on bytes from memory: everything after the socket is its own."""

    def __init__(self, data: bytes) -> None:
        super().__init__("nowhere", 0, "")
        self.sock_file = io.BytesIO(data)
        self.connected = True
        self._commands_sent = [AsyncResult() for _ in range(3)]  # auth, event, exit


def _theirs(name: str) -> int:
    reader = _Theirs(_stream(name, "plain"))
    reader.receive_events()
    return sum(
        reader._esl_event_queue.get_nowait().headers.get("Event-Name") is not None
        for _ in range(reader._esl_event_queue.qsize())
    )


def _tape() -> tuple[float, float, float]:
    """Microseconds an event in the loop, microseconds of CPU in all, bytes on disk: medians."""
    some = [event for name in STREAMS for event in events([_stream(name, "json")]) if translate("fs1", event)]
    vault = Vault(DataKey.fresh().raw, None)  # type: ignore[arg-type]  # the tape asks for no key of the database
    writes, totals, sizes = [], [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            begun = time.process_time()
            writer = TapeWriter(Path(folder), vault, epoch=1, max_mb=512)
            in_write = 0
            for number in range(ASIDE):
                body = ("fs1", some[number % len(some)])
                before = time.perf_counter_ns()
                writer.write(f"1-{number}", Instant(number), body)
                in_write += time.perf_counter_ns() - before
            writer.close()
            totals.append((time.process_time() - begun) * 1e6 / ASIDE)
            writes.append(in_write / 1e3 / ASIDE)
            sizes.append(sum(path.stat().st_size for path in Path(folder).iterdir()) / ASIDE)
    return statistics.median(writes), statistics.median(totals), statistics.median(sizes)
