"""Whoever comes in the morning sees whether the log was proved at night, and how far everything is."""

import html
import itertools
import threading

import psycopg

from orchestrator.engines import Roster, Standing
from orchestrator.leader import LeaderState
from orchestrator.replay import Snapshots
from orchestrator.replay.keeper import Keeper
from orchestrator.replay.night import Night
from orchestrator.store import Source
from tests.postgres import Database
from tests.web.conftest import Site
from tests.web.day import played

NO_PROOF = "There is no proof of the log that is younger than 26 hours."


def test_the_proof_of_the_night_snapshots_and_read_models_are_on_one_page(site: Site, database: Database) -> None:
    """Features 11.7 and 11.8: not verified yet, a problem, a walk that goes on, proved, a rebuild beside; a walk that
    died and a proof that is too old.
    """
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
            assert walk.report is not None
            page = ops.get("/ops/").text
            assert not walk.ok, "a caller of this day is left waiting for months"
            assert "NOT proved" in page
            assert "1 problem was found" in page
            assert walk.report.problems[0].text in html.unescape(page)
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
                tables.execute("UPDATE past.verifications SET ok = true WHERE ok IS NOT NULL")
                page = ops.get("/ops/").text
                assert NO_PROOF not in page
                tables.execute(
                    "UPDATE past.verifications SET moved_at = now() - interval '11 minutes' WHERE ok IS NULL"
                )
                page = ops.get("/ops/").text
                assert "came to no end" in page, "nobody moved it for ten minutes"
                assert "25 %" not in page
                tables.execute("UPDATE past.verifications SET ended_at = now() - interval '27 hours' WHERE ok")
                page = ops.get("/ops/").text
                assert NO_PROOF in page
                assert page.count("</span> proved") == 1, "that night was, among the nights; the log of today is not"
                assert "26 小时" in ops.get("/ops/", headers={"Accept-Language": "zh"}).text
                tables.execute("UPDATE past.verifications SET ended_at = now() - interval '25 hours' WHERE ok")
            page = ops.get("/ops/").text
            assert NO_PROOF not in page
            assert f"Verified up to position {walk.position} on" in page
            assert f'value="{100 * (day.last // 2) // site.reading.log.position()}" aria-label="contact_log"' in page
    finally:
        projector.close()


def test_engines_stand_there_with_their_lights(site: Site, database: Database) -> None:
    """Features 9.2 and 12.1: who decides, who is ready, who is not, who stopped, who vanished; and that nobody is."""
    ops = site.as_role("ops")
    assert "No engine could go on at once" in ops.get("/ops/").text
    pids = itertools.count(1)

    def told(state: LeaderState, *, abreast: bool = True, reached: tuple[str, ...] = ("fs1",), faults: int = 0) -> None:
        source = Source(database.writer, name=f"ringledger one {next(pids)} 00000000")
        standing = Standing(state=state, position=7, abreast=abreast, reached=reached, missed=("fs2",), faults=faults)
        Roster(source, site.parts.settings.site).tell("one", standing)
        source.close()

    told(LeaderState.ACTIVE)
    told(LeaderState.STARTING, abreast=False)
    told(LeaderState.STANDBY, reached=())
    told(LeaderState.STOPPED)
    page = ops.get("/ops/").text
    assert "No engine could go on at once" in page
    for light in ("active: decides", "starting: reads the log", "standby: not ready yet", "stopped"):
        assert light in page
    assert "faults beside the calls" not in page
    told(LeaderState.STANDBY, faults=3)
    page = ops.get("/ops/").text
    assert "No engine could go on at once" not in page
    assert "standby: ready to go on at once" in page
    assert "faults beside the calls: 3" in page
    assert "not heard of any more" not in page
    health = site.browser().get("/healthz").json
    assert health is not None
    states = {"stopped": 1, "starting": 1, "standby": 2, "active": 1}
    assert health["components"]["engines"] == {"ok": True, "ready": 1, "states": states, "silent": 0, "faults": 3}
    with psycopg.connect(database.writer, autocommit=True) as tables:
        tables.execute("UPDATE ringledger_engines SET seen_at = now() - interval '4 s' WHERE state = 'active'")
    assert "not heard of any more" in ops.get("/ops/").text
