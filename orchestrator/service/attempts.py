"""Failed sign-ins, counted by account and by address, so that nobody tries out passwords."""

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
"""
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

    def failed(self, account: str, address: str) -> None:
        """Count a failure against both."""
        with self._source.borrow() as connection:
            connection.execute(_SWEEP, (WINDOW_S,))
            for kind, what in (("account", account), ("address", address)):
                connection.execute(_COUNT, {"key": self._key(kind, what), "window_s": WINDOW_S})

    def succeeded(self, account: str) -> None:
        """Forget the account's failures. The address keeps its own: one right password does not excuse a thousand."""
        with self._source.borrow() as connection:
            connection.execute("DELETE FROM web.attempts WHERE key = %s", (self._key("account", account),))

    def _key(self, kind: str, what: str) -> bytes:
        return self._vault.token(f"attempts {kind}", what)
