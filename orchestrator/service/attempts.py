"""Failed sign-ins, counted by account and by address, so that nobody tries out passwords.

A try counts before its password is looked at, and is taken back where it was right: of a thousand that come at the same
moment, no more are looked at than of a thousand one after the other. While the database is away each process counts by
itself, and goes on to heed what it counted when that is back.
"""

import math
import threading
import time
from typing import Final, cast

import structlog
from psycopg import OperationalError

from orchestrator.store import Away, Source
from orchestrator.vault import Vault

log = structlog.get_logger(__name__)

WINDOW_S: Final = 900
# Few people miss their own password ten times; an address may be a whole office behind one router.
MOST: Final = {"account": 10, "address": 50}

_COUNT: Final = """
INSERT INTO web.attempts AS a (key, failures) VALUES (%(key)s, 1)
ON CONFLICT (key) DO UPDATE SET
    failures = CASE WHEN a.since < clock_timestamp() - make_interval(secs => %(window_s)s) THEN 1
                    ELSE a.failures + 1 END,
    since = CASE WHEN a.since < clock_timestamp() - make_interval(secs => %(window_s)s) THEN clock_timestamp()
                 ELSE a.since END
RETURNING failures
"""
_TAKE_BACK: Final = "UPDATE web.attempts SET failures = greatest(failures - 1, 0) WHERE key = %s"
_LEFT: Final = """
SELECT key, failures, ceil(extract(epoch FROM since + make_interval(secs => %s) - clock_timestamp()))::integer
  FROM web.attempts WHERE key = ANY(%s) AND since > clock_timestamp() - make_interval(secs => %s)
"""
_SWEEP: Final = "DELETE FROM web.attempts WHERE since < clock_timestamp() - make_interval(secs => %s)"


class Attempts:
    """Counts under keyed hashes: the table names neither accounts nor addresses. Thread-safe."""

    def __init__(self, source: Source, vault: Vault) -> None:
        self._source = source
        self._vault = vault
        self._lock = threading.Lock()
        self._here: dict[bytes, tuple[int, float]] = {}
        """Tries while the database was away, and since when (monotonic s)."""

    def wait_s(self, account: str, address: str) -> int:
        """Seconds until another try is allowed, 0 where it is now."""
        most = {self._key(kind, what): MOST[kind] for kind, what in (("account", account), ("address", address))}
        rows = self._source.run(
            lambda connection: connection.execute(_LEFT, (WINDOW_S, list(most), WINDOW_S)).fetchall()
        )
        return max(
            (cast("int", left) for key, failures, left in rows if cast("int", failures) >= most[cast("bytes", key)]),
            default=0,
        )

    def begin(self, account: str, address: str) -> int:
        """Count a try against both; 0 where its password may be looked at, else the seconds to wait."""
        if wait_s := self._wait_here_s(account, address):
            return wait_s
        try:
            return self._begin(account, address)
        except (Away, OperationalError):
            return self._begin_here(account, address)

    def _begin(self, account: str, address: str) -> int:
        if wait_s := self.wait_s(account, address):
            return wait_s
        within = True
        with self._source.borrow() as connection:
            connection.execute(_SWEEP, (WINDOW_S,))
            for kind, what in (("account", account), ("address", address)):
                words = {"key": self._key(kind, what), "window_s": WINDOW_S}
                row = connection.execute(_COUNT, words).fetchone()
                within = within and row is not None and cast("int", row[0]) <= MOST[kind]
        return 0 if within else max(1, self.wait_s(account, address))

    def succeeded(self, account: str, address: str) -> None:
        """The password was right: the account's failures are forgotten, and this try does not count for the address,
        which keeps its others. One right password does not excuse a thousand.
        """
        self._take_back_here(account, address)
        try:
            with self._source.borrow() as connection:
                connection.execute("DELETE FROM web.attempts WHERE key = %s", (self._key("account", account),))
                connection.execute(_TAKE_BACK, (self._key("address", address),))
        except (Away, OperationalError) as error:
            log.info("attempts-not-taken-back", why=str(error))

    # --- while the database is away ----------------------------------------------------------------------------------
    def _wait_here_s(self, account: str, address: str) -> int:
        with self._lock:
            self._forget_here()
            full = [
                self._here[key][1]
                for kind, key in self._keys(account, address)
                if key in self._here and self._here[key][0] >= MOST[kind]
            ]
        return max(1, math.ceil(max(full) + WINDOW_S - time.monotonic())) if full else 0

    def _begin_here(self, account: str, address: str) -> int:
        with self._lock:
            within = True
            for kind, key in self._keys(account, address):
                tries, since = self._here.get(key, (0, time.monotonic()))
                self._here[key] = tries + 1, since
                within = within and tries < MOST[kind]
        return 0 if within else max(1, self._wait_here_s(account, address))

    def _take_back_here(self, account: str, address: str) -> None:
        with self._lock:
            self._here.pop(self._key("account", account), None)
            tries, since = self._here.get(self._key("address", address), (0, 0.0))
            if tries:
                self._here[self._key("address", address)] = tries - 1, since

    def _forget_here(self) -> None:
        oldest = time.monotonic() - WINDOW_S
        for key in [key for key, (_, since) in self._here.items() if since < oldest]:
            del self._here[key]

    def _keys(self, account: str, address: str) -> list[tuple[str, bytes]]:
        return [(kind, self._key(kind, what)) for kind, what in (("account", account), ("address", address))]

    def _key(self, kind: str, what: str) -> bytes:
        return self._vault.token(f"attempts {kind}", what)
