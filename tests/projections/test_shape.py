"""Every read model is one file of one shape, and its tables are its own."""

import re
from pathlib import Path
from types import ModuleType

import psycopg
import pytest

from projections.catalogue import MODULES, PROJECTIONS
from projections.tables import Table
from tests.projections.kit import ReadKit, rows_of

_CREATED = re.compile(r"CREATE TABLE (\w+)")


@pytest.mark.parametrize("module", MODULES, ids=[module.NAME for module in MODULES])
def test_a_read_model_has_the_common_shape(module: ModuleType) -> None:
    """Docstring that names its streams and its clock, name, version, tables, indexes, apply, in this order."""
    assert module.__name__ == f"projections.{module.NAME}"
    assert module.__doc__
    assert "Streams: " in module.__doc__
    assert "clock" in module.__doc__
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    places = [source.index(word) for word in ("\nNAME", "\nVERSION", "\nTABLES", "\nINDEXES", "\ndef apply(")]
    assert places == sorted(places)
    for table in _CREATED.findall(module.TABLES):
        assert table == module.NAME or table.startswith(f"{module.NAME}_")
        assert f"read.{table}" not in module.TABLES


def test_the_tables_of_structs_are_those_that_are_made(kit: ReadKit) -> None:
    kit.build(*PROJECTIONS.values())
    with psycopg.connect(kit.database.reader) as reader:
        for module in MODULES:
            structs = {table.name: table for table in vars(module).values() if isinstance(table, Table)}
            for name in _CREATED.findall(module.TABLES):
                found = reader.execute(
                    "SELECT column_name::text FROM information_schema.columns"
                    " WHERE table_schema = 'read' AND table_name = %s",
                    (name,),
                ).fetchall()
                assert found, f"no reader sees {name}"
                if name in structs:
                    assert {column for (column,) in found} == set(structs[name].columns)


def test_no_generation_is_left_but_the_live_one(kit: ReadKit) -> None:
    for _ in range(3):
        kit.build(*PROJECTIONS.values())
    with psycopg.connect(kit.database.projector) as connection:
        (schemas,) = connection.execute(
            "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'read\\_%'"
        ).fetchone() or (0,)
    assert schemas == len(PROJECTIONS)
    assert rows_of(kit.database.projector, "read") == {"projections": kit_rows(kit)}


def kit_rows(kit: ReadKit) -> list[tuple[str]]:
    with psycopg.connect(kit.database.projector) as connection:
        return connection.execute("SELECT p::text FROM read.projections AS p WHERE live ORDER BY 1").fetchall()
