"""Failed sign-ins, counted by account and by address, so that nobody tries out passwords.

A try counts before its password is looked at, and is taken back where it was right: of a thousand that come at the same
moment, no more are looked at than of a thousand one after the other.
"""

from typing import Final, cast

from orchestrator.store import Source
from orchestrator.vault import Vault

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
    """Counts under keyed hashes: the table names neither accounts nor addresses. Raises `Away` without a database."""

    def __init__(self, source: Source, vault: Vault) -> None:
        self._source = source
        self._vault = vault

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
        with self._source.borrow() as connection:
            connection.execute("DELETE FROM web.attempts WHERE key = %s", (self._key("account", account),))
            connection.execute(_TAKE_BACK, (self._key("address", address),))

    def _key(self, kind: str, what: str) -> bytes:
        return self._vault.token(f"attempts {kind}", what)
