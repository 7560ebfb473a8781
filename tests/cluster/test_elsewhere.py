"""A PostgreSQL of somebody else's, named by RINGLEDGER_DATABASE_URL."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from orchestrator.cluster import PROJECTOR, READER, WRITER, ClusterError, roles
from orchestrator.store import schema
from tests.cluster.conftest import Start, ask
from tests.postgres import Database, settings_for


def test_on_a_server_of_yours_the_owner_makes_the_roles_it_needs(home: Path, place: Path, start: Start) -> None:
    yours = start(home)
    with psycopg.connect(yours.url_admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE boss LOGIN CREATEROLE PASSWORD 'p@ss/word'")
        connection.execute("CREATE DATABASE shop OWNER boss")
    with psycopg.connect(roles.url_for(yours.url_admin, "ringledger_admin", "", "shop"), autocommit=True) as connection:
        connection.execute("DROP DATABASE ringledger")
        connection.execute(f"DROP ROLE {WRITER}, {READER}, {PROJECTOR}")
    url = roles.url_for(yours.url_admin, "boss", "p@ss/word", "shop")
    settings = settings_for(place / "other", RINGLEDGER_DATABASE_URL=url)
    for _ in range(2):  # the second time finds all of it
        cluster = start(settings)
        assert cluster.url_owner == url
        assert ask(cluster.url_writer, "SELECT current_user || ' ' || current_database()") == f"{WRITER} shop"
        assert ask(cluster.url_reader, "SELECT current_user::text") == READER
        assert ask(cluster.url_projector, "SELECT has_database_privilege('shop', 'CREATE')") is True
        schema.create(cluster.url_owner)
        assert ask(cluster.url_projector, "SELECT count(*) FROM read.projections") == 0
        assert cluster.stop() is False
    assert ask(url, "SELECT 1") == 1


def test_an_owner_who_may_not_make_roles_is_told_what_an_administrator_must_run(
    empty_database: Database, place: Path, start: Start
) -> None:
    settings = settings_for(place / "other", RINGLEDGER_DATABASE_URL=empty_database.owner)
    with pytest.raises(ClusterError, match="CREATE ROLE ringledger_writer LOGIN") as refusal:
        start(settings)
    assert unquote(str(urlsplit(empty_database.owner).password)) not in str(refusal.value)


def test_a_database_that_does_not_answer_is_named_without_its_password(place: Path, start: Start) -> None:
    settings = settings_for(
        place / "other", RINGLEDGER_DATABASE_URL=f"postgresql://boss:s3cret@/shop?host={place}/nowhere"
    )
    with pytest.raises(ClusterError, match="cannot be reached") as refusal:
        start(settings)
    assert "s3cret" not in str(refusal.value)
    assert "boss" in str(refusal.value)
