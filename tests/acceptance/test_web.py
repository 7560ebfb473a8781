"""The web as `make run` starts it: where it is, who can sign in, and that it comes back when it dies."""

import os
import re
import shutil
import signal
import sys
from contextlib import ExitStack
from http.client import HTTPConnection
from urllib.parse import urlencode

import msgspec
import pytest

from orchestrator.cluster import places
from tests.acceptance.conftest import SIMULATED
from tests.acceptance.house import ROOT, House
from tests.acceptance.test_run import Shop, _pids
from tests.acceptance.test_spool import await_word
from tests.lab.patience import until
from tests.lab.ports import free_port
from tests.lab.process import Child
from tests.postgres import make_reachable_directory

KINDS = SIMULATED


class Visit:
    """A browser as thin as it gets: it keeps cookies."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and text of the answer; redirects are not followed."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(fields) if fields is not None else None, headers)
        response = connection.getresponse()
        for header in response.headers.get_all("Set-Cookie") or ():
            name, _, value = header.partition(";")[0].partition("=")
            self._cookies[name] = value
        text = response.read().decode()
        connection.close()
        return response.status, text

    def sign_in(self, name: str, password: str) -> int:
        """The status of the answer: 303 is success."""
        token = re.search(r'name="csrf-token" content="([^"]+)"', self.ask("GET", "/sign-in")[1])
        assert token is not None
        return self.ask("POST", "/sign-in", {"csrf_token": token[1], "name": name, "password": password})[0]


def health(port: int) -> dict[str, object]:
    """What `/healthz` says; nothing where it does not answer."""
    try:
        found: dict[str, object] = msgspec.json.decode(Visit(port).ask("GET", "/healthz")[1])
    except OSError:
        return {}
    return found


@pytest.mark.slow
def test_whoever_reads_the_terminal_can_sign_in_and_the_web_comes_back_when_it_dies() -> None:
    folder = make_reachable_directory()
    shop = Shop(folder, None, sys.executable)
    with shop.run() as run:
        until(lambda: f"web: http://127.0.0.1:{shop.port}" in run.output.read_text(), "the address", within_s=90)
        printed = re.findall(r"^ {5}(\w+) +([\w-]+) +(\S{16})$", run.output.read_text(), re.MULTILINE)
        assert len(printed) == 9
        until(lambda: Visit(shop.port).ask("GET", "/sign-in")[0] == 200, "the database to be open")
        visit = Visit(shop.port)
        roles = {role: (name, password) for role, name, password in printed}
        assert visit.sign_in(*roles["auditor"]) == 303
        assert Visit(shop.port).sign_in("auditor", roles["ops"][1]) == 422
        until(lambda: health(shop.port).get("ok"), "everything to be well", within_s=60)
        (pid,) = _pids(b"orchestrator\0web", str(shop.home).encode())
        os.kill(pid, signal.SIGKILL)
        until(lambda: health(shop.port).get("ok"), "the web to be back", within_s=60)
        assert visit.ask("GET", "/sessions")[0] == 200, "a session outlives the process"
        run.signal(signal.SIGINT)
        assert run.wait(30) == 0
    assert "Traceback" not in (shop.home / "log" / "web.log").read_text()
    shutil.rmtree(folder)


def test_a_web_that_is_started_while_the_database_is_away_says_so_and_comes_by_itself(house: House) -> None:
    """Feature 12.2: the engine serves calls by the spool, and nobody waits for a page that does not answer."""
    port = free_port()
    url = house.database.url_owner
    await_word(house)
    house.kill_database()
    house.sign_in("801")
    environment = house.environment(RINGLEDGER_WEB=f"127.0.0.1:{port}", RINGLEDGER_DATABASE_URL=url)
    command = [sys.executable, "-m", "orchestrator", "web"]
    with Child(command, output=house.folder / "web.log", folder=ROOT, environment=environment) as web:
        until(lambda: "components" in health(port), "the web to answer", within_s=60)
        components = health(port)["components"]
        assert isinstance(components, dict)
        assert components["database"] == {"ok": False, "why": "database_away"}
        assert (components["engine"]["ok"], components["engine"]["switches"]) == (True, {"simulated": True})
        status, text = Visit(port).ask("GET", "/sign-in")
        assert status == 503
        assert "Calls go on" in text
        house.restart_database()
        # A browser that is refused in between shows a page of its own, which does not come by itself.
        until(lambda: Visit(port).ask("GET", "/sign-in")[0] == 200, "the page by itself", within_s=60)
        web.stop(patience_s=15)
    assert "web-waits" in (house.folder / "web.log").read_text()
    house.close_day(contacts=0)


def test_a_web_whose_database_does_not_come_up_stays_and_says_where_to_look(house: House) -> None:
    """Feature 12.2: its files were edited wrongly. Whoever puts that right need not start the web again."""
    port = free_port()
    await_word(house)
    house.kill_database()
    file = house.home / "postgres" / "data" / "postgresql.conf"
    right = file.read_text()
    file.write_text(right + "no_such_setting = on\n")
    log = house.folder / "web.log"
    environment = house.environment(RINGLEDGER_WEB=f"127.0.0.1:{port}")
    with Child([sys.executable, "-m", "orchestrator", "web"], output=log, folder=ROOT, environment=environment) as web:
        until(lambda: health(port).get("components"), "the web to answer", within_s=60)

        def is_stuck() -> bool:
            components = health(port)["components"]
            assert isinstance(components, dict)
            return bool(components["database"] == {"ok": False, "why": "database_not_started"})

        until(is_stuck, "it to say that the database does not come up", within_s=60)
        status, text = Visit(port).ask("GET", "/sign-in")
        assert status == 503
        assert "database-not-started" in text
        assert "no_such_setting" not in text, "the page is everybody's"
        said = log.read_text()
        assert "database-not-started" in said
        assert "no_such_setting" in said
        file.write_text(right)
        until(lambda: Visit(port).ask("GET", "/sign-in")[0] == 200, "the page by itself", within_s=60)
        web.stop(patience_s=15)
    house.close_day(contacts=0)


def test_a_web_whose_database_takes_long_to_be_had_says_so_meanwhile(house: House) -> None:
    """Feature 12.2: another process starts it, which takes minutes after a crash of a large ledger."""
    port = free_port()
    command = [sys.executable, "-m", "orchestrator", "web"]
    environment = house.environment(RINGLEDGER_WEB=f"127.0.0.1:{port}")
    with ExitStack() as stack:
        starting = stack.enter_context(ExitStack())
        starting.enter_context(places.exclusive(house.home / "postgres.lock", 10))
        web = stack.enter_context(Child(command, output=house.folder / "web.log", folder=ROOT, environment=environment))
        until(lambda: "components" in health(port), "the web to answer", within_s=60)
        assert Visit(port).ask("GET", "/sign-in")[0] == 503
        starting.close()
        until(lambda: Visit(port).ask("GET", "/sign-in")[0] == 200, "the page by itself", within_s=60)
        web.stop(patience_s=15)
    house.close_day(contacts=0)
