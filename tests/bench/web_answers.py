"""What open pages answer to signs of life, as browsers do: by a few connections that stay, several at a time."""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any, Final

from web.push.hub import BEAT_S

AT_ONCE: Final = 8
_PATIENCE_S: Final = 60
_TOKEN: Final = re.compile(rb'name="csrf-token" content="([^"]+)"')


def page_name(page: int) -> str:
    """What a page calls itself."""
    return f"bench-page-{page}"


class Answers:
    """The answers of all pages; none before `begin`: while five hundred streams open at once the server has enough to
    do, and a page whose stream is refused would come back later, which pages do not do here.
    """

    def __init__(self, port: int, cookies: list[str]) -> None:
        self.unheard = 0
        """Answers that the server did not take for those of an open page."""
        self._port = port
        self._cookies = cookies
        self._form = self._token = ""
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._waiting = 0

    def begin(self) -> None:
        """Get a token for forms, with the cookie that goes with it."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=20)
        connection.request("GET", "/desk/", headers={"Cookie": f"ringledger={self._cookies[0]}", "Accept": "text/html"})
        answer = connection.getresponse()
        found = _TOKEN.search(answer.read())
        if found is None:
            raise RuntimeError(f"a desk's page answered {answer.status}, without a token for forms")
        self._token = found[1].decode()
        self._form = answer.getheader("Set-Cookie", "").partition(";")[0]
        connection.close()

    def give_soon(self, page: int) -> None:
        """This page has had a sign of life."""
        if not self._token:
            return
        with self._lock:
            self._waiting += 1
        self._pool.submit(self._give, page)

    def cpu_ms(self, pages: int, spent_s: Callable[[], float]) -> dict[str, Any]:
        """What an answer costs the web process: each page's once, with nothing else going on but the beats."""
        self.await_given()
        before = spent_s()
        for page in range(pages):
            self.give_soon(page)
        self.await_given()
        value = 1_000 * (spent_s() - before) / pages
        return {
            "name": "web.here.cpu_ms",
            "value": round(value, 2),
            "unit": "ms of the web process, an answer",
            "core_share": round(value / 1_000 * pages / BEAT_S, 3),
            "unheard": self.unheard,
        }

    def await_given(self) -> None:
        """Return once no page has anything to answer."""
        deadline = time.monotonic() + _PATIENCE_S
        while self._waiting:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self._waiting} pages' answers were not taken in {_PATIENCE_S} s")
            time.sleep(0.01)

    def close(self) -> None:
        """Answer no more."""
        self._pool.shutdown(cancel_futures=True)

    def _give(self, page: int) -> None:
        try:
            taken = self._ask(page)
        except OSError:
            taken = False
        with self._lock:
            self._waiting -= 1
            self.unheard += not taken

    def _ask(self, page: int) -> bool:
        connection = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = HTTPConnection("127.0.0.1", self._port, timeout=20)
        head = {
            "Cookie": f"ringledger={self._cookies[page]}; {self._form}",
            "Content-Type": "application/x-www-form-urlencoded",
            "X-CSRFToken": self._token,
            "X-Requested-With": "fetch",
        }
        connection.request("POST", "/stream/here", body=f"page={page_name(page)}", headers=head)
        answer = connection.getresponse()
        return b"true" in answer.read() and answer.status == 200
