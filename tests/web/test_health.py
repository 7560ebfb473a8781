"""`/healthz` tells of every component, and of no secret."""

import pytest

from tests.web.conftest import Site


def test_each_component_is_told_of_and_one_that_is_missing_makes_503(site: Site) -> None:
    answer = site.browser().get("/healthz")
    assert answer.status_code == 503
    assert answer.json is not None
    found = answer.json["components"]
    assert set(found) == {"database", "engine", "engines", "spool", "projections", "live"}
    assert found["database"] == {"ok": True, "position": site.reading.log.position()}
    assert found["engine"] == {"ok": False, "why": "no_answer"}
    none = {"stopped": 0, "starting": 0, "standby": 0, "active": 0}
    assert found["engines"] == {"ok": False, "ready": 0, "states": none, "silent": 0, "faults": 0}
    assert found["spool"]["ok"] is False
    assert found["spool"]["state"] == "silent"
    assert {model["state"] for model in found["projections"]["models"].values()} == {"missing"}
    assert answer.json["ledger"] == site.parts.settings.mark


def test_a_database_that_is_away_is_said_and_nothing_breaks(site: Site) -> None:
    site.lose_database()
    answer = site.browser().get("/healthz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["components"]["database"] == {"ok": False, "why": "database_away"}


@pytest.mark.parametrize("secret", ("postgresql://", "/home", "password"))
def test_no_secret_is_told(site: Site, secret: str) -> None:
    assert secret not in site.browser().get("/healthz").text
