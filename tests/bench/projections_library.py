"""The library's own way to fold the same log, for comparison: `python -m tests.bench.projections_library URL SECONDS`.

Its ProjectionRunner over its PostgresTrackingRecorder: each event with its upsert and its tracking in one transaction.
Prints events a second.
"""

import sys
import time
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from eventsourcing.application import Application
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.kernel import Record, kind_of
from orchestrator.store.mapper import LedgerMapper


class OurMapper(LedgerMapper):
    """Our events, as the library makes its mappers."""

    def __init__(self, **_: object) -> None:
        super().__init__(CATALOGUE)


class Ringledger(Application[str]):
    """Only its name matters: its table is ours."""

    name = "ringledger"


class CountView(PostgresTrackingRecorder):
    """A count for each kind of stream and actor."""

    def __init__(self, datastore: PostgresDatastore, **given: Any) -> None:  # noqa: ANN401 - the library's own
        super().__init__(datastore, **given)
        self.sql_create_statements.append(
            SQL("CREATE TABLE IF NOT EXISTS bench_counts (kind text PRIMARY KEY, seen bigint NOT NULL)").format()
        )

    def count(self, kind: str, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO bench_counts VALUES (%s, 1) ON CONFLICT (kind) DO UPDATE SET seen = bench_counts.seen + 1",
                (kind,),
                prepare=True,
            )


class Counts(Projection[CountView]):
    """One upsert for each event."""

    name = "bench"

    def process_event(self, domain_event: Record, tracking: Tracking) -> None:
        self.view.count(kind_of(domain_event.stream), tracking)


def main(url: str, seconds: str) -> None:
    """Run it for so long and print its rate."""
    parts = urlsplit(url)
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.strip("/"),
        "POSTGRES_HOST": parse_qs(parts.query)["host"][0],
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": unquote(parts.username or ""),
        "POSTGRES_PASSWORD": unquote(parts.password or ""),
        "ORIGINATOR_ID_TYPE": "text",
        "MAPPER_TOPIC": "tests.bench.projections_library:OurMapper",
        "RINGLEDGER_CREATE_TABLE": "n",
    }
    with ProjectionRunner(
        application_class=Ringledger, projection_class=Counts, view_class=CountView, env=env
    ) as runner:
        first, begun = runner.projection.view.max_tracking_id("ringledger") or 0, time.perf_counter()
        runner.run_forever(timeout=float(seconds))
        last = runner.projection.view.max_tracking_id("ringledger") or 0
        print((last - first) / (time.perf_counter() - begun))


if __name__ == "__main__":
    main(*sys.argv[1:])
