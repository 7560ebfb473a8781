"""The blacklist as a list."""

import psycopg
import pytest
from psycopg import sql

from orchestrator.domain.customers.blacklist import BlacklistingChanged, BlacklistingLifted, NumberBlacklisted
from orchestrator.domain.kernel import SECOND, Instant, Refused
from projections import blacklist
from projections.base import live_place, schema_of
from projections.blacklist import Listed
from projections.catalogue import PROJECTIONS
from tests.projections.kit import MORNING, ReadKit
from tests.projections.test_plans import Asked, nodes

LIST = PROJECTIONS["blacklist"]
NUMBER, OTHER = "+8613800138000", "+8613800138001"
NOON = Instant(MORNING + 2 * 3600 * SECOND)
ROWS = 20_000


def listed(kit: ReadKit, ident: str, number: str = NUMBER, *, until: int = 0) -> None:
    """One more entry."""
    event = NumberBlacklisted(number=number, reason="nuisance", until=Instant(until))
    kit.tell(f"blacklist-{ident}", event, actor="user:ann")


def found(kit: ReadKit, *, state: str = "", number: str = "", now: Instant = NOON) -> list[Listed]:
    """The first page."""
    return kit.read(lambda c: blacklist.search(c, kit.kit.vault, now=now, state=state, number=number)).items


def test_an_entry_is_listed_as_it_is_now_with_who_made_it(kit: ReadKit) -> None:
    """Feature 5.5."""
    listed(kit, "b1")
    kit.tell("blacklist-b1", BlacklistingChanged(reason="fraud", until=Instant(NOON + 1)), 5, actor="user:bob")
    kit.build(LIST)
    (row,) = found(kit)
    assert (row.listed_by, row.listed_at, row.reason, row.until) == ("user:ann", MORNING, "fraud", NOON + 1)
    assert NUMBER not in repr(kit.rows(LIST)), "nobody reads the number without keys"
    assert kit.read(blacklist.reasons) == ["fraud"]


def test_each_state_has_its_own_entries(kit: ReadKit) -> None:
    """The end itself is no longer within."""
    listed(kit, "ever")
    listed(kit, "later", until=Instant(NOON + 1))
    listed(kit, "over", until=NOON)
    listed(kit, "off")
    kit.tell("blacklist-off", BlacklistingLifted(), 1)
    kit.build(LIST)
    states = {state: {row.blacklisting_id for row in found(kit, state=state)} for state in ("", *blacklist.STATES)}
    assert states == {
        "": {"ever", "later", "over", "off"},
        "holds": {"ever", "later"},
        "over": {"over"},
        "lifted": {"off"},
    }
    assert {row.blacklisting_id: row.state(NOON) for row in found(kit)} == {
        "ever": "holds", "later": "holds", "over": "over", "off": "lifted",
    }  # fmt: skip


def test_a_number_finds_all_its_entries_and_no_others_until_its_key_is_destroyed(kit: ReadKit) -> None:
    listed(kit, "b1")
    listed(kit, "b2", OTHER)
    listed(kit, "b3")
    kit.build(LIST)
    assert {row.blacklisting_id for row in found(kit, number=NUMBER)} == {"b1", "b3"}
    assert found(kit, number="+8613800138002") == []
    kit.kit.desk.erase("blacklist-b1")
    assert {row.blacklisting_id for row in found(kit, number=NUMBER)} == {"b3"}
    assert len(found(kit)) == 3, "that there was one is no secret"


@pytest.mark.parametrize("cursor", ("x", "W10", "WzEsMl0"))
def test_a_cursor_of_another_list_is_refused(kit: ReadKit, cursor: str) -> None:
    """Bad input."""
    kit.build(LIST)
    with pytest.raises(Refused):
        kit.read(lambda c: blacklist.search(c, kit.kit.vault, now=NOON, cursor=cursor))


@pytest.mark.parametrize("state", ("", "holds", "lifted"))
def test_a_page_of_a_long_list_is_found_by_an_index(kit: ReadKit, state: str) -> None:
    """A page costs what its rows cost: nothing is sorted, and not every entry is looked at."""
    kit.build(LIST)
    with kit.connection.transaction(), kit.connection.cursor() as cursor:
        place = live_place(cursor, "blacklist")
        assert place is not None
        cursor.execute("SELECT set_config('search_path', %s, true)", (schema_of("blacklist", place.generation),))
        cursor.execute(
            "INSERT INTO blacklist SELECT 'b' || n, %s + n, 'user:ann', '', 't' || n, 'nuisance', 0, '', n %% 2 = 0, n"
            " FROM generate_series(1, %s) AS n",
            (MORNING, ROWS),
        )
        cursor.execute("ANALYZE blacklist")
    with psycopg.connect(kit.database.reader, autocommit=True) as connection:
        asked = Asked(connection)
        page = blacklist.search(asked, kit.kit.vault, now=NOON, state=state)  # type: ignore[arg-type]  # as one
        assert len(page.items) == 50
        ((plan,),) = connection.execute(
            sql.SQL("EXPLAIN (FORMAT JSON) {}").format(asked.query), asked.values
        ).fetchall()
        kinds = {node["Node Type"] for node in nodes(plan[0]["Plan"])}
        assert not kinds & {"Seq Scan", "Sort"}, kinds
