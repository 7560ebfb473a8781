"""Whoever comes in the morning sees whether the log was proved at night, and how far everything is."""

import threading

import psycopg

from orchestrator.replay import Snapshots
from orchestrator.replay.keeper import Keeper
from orchestrator.replay.night import Night
from orchestrator.store import Source
from tests.postgres import Database
from tests.web.conftest import Site
from tests.web.day import played


def test_the_proof_of_the_night_snapshots_and_read_models_are_on_one_page(site: Site, database: Database) -> None:
    """Features 11.7 and 11.8: not proved yet, proved, a walk that goes on, a problem, a rebuild beside the live one."""
    projector = Source(database.projector)
    try:
        with played(site, database) as day:
            ops = site.as_role("ops")
            assert "has not been verified yet" in ops.get("/ops/").text
            snapshots = Snapshots(projector)
            keeper = Keeper(projector, snapshots, interval=20)
            keeper.begin()
            keeper.take(keeper.log.history())
            walk = Night(projector, snapshots, threading.Event()).walk()
            page = ops.get("/ops/").text
            assert walk.ok
            assert f"Verified up to position {day.last} on" in page
            assert f"Made by this program up to position {snapshots.reached()} of" in page
            assert "contact_log" in page
            with psycopg.connect(database.projector, autocommit=True) as tables:
                tables.execute(
                    "INSERT INTO read.projections (name, shape, state, position)"
                    " VALUES ('contact_log', 'x', 'building', %s)",
                    (day.last // 2,),
                )
                tables.execute("INSERT INTO past.verifications (until, position) VALUES (200, 50)")
                assert "25 %" in ops.get("/ops/").text
                assert "goes on" in ops.get("/ops/").text
                tables.execute(
                    "UPDATE past.verifications SET ok = false, ended_at = clock_timestamp(), report = jsonb_set((SELECT"
                    " report FROM past.verifications WHERE ok LIMIT 1), '{problem_count}', '3') WHERE ok IS NULL"
                )
            page = ops.get("/ops/").text
            assert "NOT proved" in page
            assert "3 problems were found" in page
            assert f'value="{100 * (day.last // 2) // site.reading.log.position()}" aria-label="contact_log"' in page
    finally:
        projector.close()
