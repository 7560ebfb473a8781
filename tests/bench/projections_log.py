"""A log for the figures of read models: what the production step recorded of simulated callers, several times over
under other names, and the lives of some customers.
"""

import re
from collections.abc import Iterator
from itertools import groupby

import msgspec

from orchestrator.domain.kernel import LIVE_KINDS, Record, kind_of
from orchestrator.store import DeskWriter, Fence, LiveWriter
from tests.projections.lives import lives
from tests.simulation.run import Run, Size
from tests.simulation.weather import Weather

CONTACTS = 800
SECONDS_BETWEEN = 1.2
_IDS = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_APPENDED = 400


def simulated(seed: int = 5) -> list[Record]:
    """A long shift of forty agents, in fair weather."""
    size = Size(contacts=CONTACTS, agents=40, lasts=int(CONTACTS * SECONDS_BETWEEN * 1_000_000))
    return Run(seed, weather=Weather(), size=size).play().ledger.records()


def renamed(records: list[Record], copy: int) -> Iterator[Record]:
    """The live records under other ids: the same stories of other contacts and shifts."""
    for record in records:
        if kind_of(record.stream) in LIVE_KINDS and kind_of(record.stream) != "node":
            encoded = _IDS.sub(lambda found: b"%08x" % copy + found[0][8:], msgspec.json.encode(record.event))
            stream = _IDS.sub(lambda found: b"%08x" % copy + found[0][8:], record.stream.encode()).decode()
            yield msgspec.structs.replace(
                record,
                stream=stream,
                event=msgspec.json.decode(encoded, type=type(record.event)),
                event_id=f"{copy}-{record.event_id}",
            )


def append(desk: DeskWriter, writer: LiveWriter, records: list[Record]) -> None:
    """Store these in order."""
    for is_live, group in groupby(records, lambda record: kind_of(record.stream) in LIVE_KINDS):
        some = list(group)
        for first in range(0, len(some), _APPENDED):
            part = some[first : first + _APPENDED]
            (writer.append_live if is_live else desk.append_desk)(part)


def fill(desk: DeskWriter, writer: LiveWriter, copies: int) -> list[Record]:
    """Store it all; the simulated records as they were first."""
    records = simulated()
    append(desk, writer, records)
    for copy in range(1, copies):
        append(desk, writer, list(renamed(records, copy)))
    append(desk, writer, lives(5, customers=500))
    return records


FENCE = Fence("main", 1, "bench")
