"""A page costs what its rows cost, however many there are: every search walks an index and sorts nothing."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg import sql

from projections import contact_log
from projections.base import Connection, live_place, schema_of
from projections.catalogue import PROJECTIONS
from projections.contact_log import Caller, Search
from tests.projections.kit import MORNING, ReadKit

ROWS = 100_000


class Asked:
    """A connection that keeps what it was asked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.query: Any = None
        self.values: Sequence[Any] = ()

    def execute(self, query: Any, values: Sequence[Any] = (), **given: Any) -> "psycopg.Cursor[Any]":  # noqa: ANN401
        self.query, self.values = query, values
        return self._connection.execute(query, values, **given)


@pytest.fixture
def crowded(kit: ReadKit) -> ReadKit:
    """A contact log of many rows, in which one agent, queue and customer in a hundred is looked for."""
    kit.build(PROJECTIONS["contact_log"])
    with kit.connection.transaction(), kit.connection.cursor() as cursor:
        place = live_place(cursor, "contact_log")
        assert place is not None
        cursor.execute("SELECT set_config('search_path', %s, true)", (schema_of("contact_log", place.generation),))
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(
            "INSERT INTO contact_log SELECT 'c' || n, %s + n, 'n1', '4001', '', '', '', 'inbound', '', 'q' || n %% 100,"
            " 'k' || n, 'a' || n %% 100, CASE n %% 100 WHEN 0 THEN '' ELSE 'completed' END, '', NULL, NULL, NULL,"
            " 0, 0, 0, NULL, NULL, NULL, 0, 0, '', NULL, '', NULL, CASE n %% 10 WHEN 0 THEN 'often' ELSE 't' || n END,"
            " n FROM generate_series(1, %s) AS n",
            (MORNING, ROWS),
        )
        cursor.execute("ANALYZE contact_log")
    return kit


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


SEARCHES = {
    "everything": Search(),
    "an agent": Search(agent_id="a7"),
    "a queue": Search(queue_id="q7"),
    "an outcome": Search(outcome="completed"),
    "a customer": Search(customer_id="k77"),
    "an hour": Search(since=MORNING + 50_000, until=MORNING + 51_000),
    "an agent's hour": Search(agent_id="a7", since=MORNING + 50_000, until=MORNING + 51_000),
    "a number of nobody's": Search(caller=Caller(token="t5")),
    "a number and its customer": Search(caller=Caller(token="t5", customer_id="k6")),
    "somebody who calls all day": Search(caller=Caller(token="often")),
}


@pytest.mark.parametrize("wanted", SEARCHES.values(), ids=SEARCHES)
def test_a_page_of_many_contacts_is_found_by_an_index(crowded: ReadKit, wanted: Search) -> None:
    """Feature 11.6: stays fast at ten million rows: the first page and a later one."""
    with psycopg.connect(crowded.database.reader, autocommit=True) as connection:
        first = contact_log.search(connection, wanted, limit=20)
        assert first.items
        for cursor in ("", first.next_cursor):
            asked = Asked(connection)
            contact_log.search(asked, wanted, cursor=cursor, limit=20)  # type: ignore[arg-type]
            explained = connection.execute(
                sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) {}").format(asked.query), asked.values
            ).fetchone()
            assert explained is not None
            plan = explained[0][0]["Plan"]
            kinds = [node["Node Type"] for node in nodes(plan)]
            assert "Seq Scan" not in kinds
            touched = max(node.get("Actual Rows", 0) + node.get("Rows Removed by Filter", 0) for node in nodes(plan))
            assert touched <= 100, msgspec.json.encode(plan)
