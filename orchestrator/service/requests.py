"""Requests of programs that carry an idempotency key: the same key answers the same, and does nothing again.

Two layers. This table gives a repeat the very answer of the first, and tells a key that came back with another request.
Below it, whatever writes to the log gets the key too and writes once for it (`service.deciding`, `control.Once`): so a
request whose answer was lost, with its process or with this table, may be repeated just as well.

Only what was done is kept: after a refusal nothing has changed, and the next try decides anew.
"""

import hashlib
from typing import Final, cast

from msgspec import Struct

from orchestrator.domain.kernel import Refused
from orchestrator.store import Source

# A program that was restarted comes back within a day; whoever repeats later is told by the log's own keys.
KEPT_S: Final = 86_400
# One that is still under way after this long died with its process: no request waits that long for its answer.
UNDER_WAY_S: Final = 60

_BEGIN: Final = """
INSERT INTO web.requests AS r (caller, key, digest) VALUES (%(caller)s, %(key)s, %(digest)s)
ON CONFLICT (caller, key) DO UPDATE SET made_at = clock_timestamp()
  WHERE r.digest = excluded.digest AND r.status IS NULL
    AND r.made_at < clock_timestamp() - make_interval(secs => %(under_way_s)s)
RETURNING 1
"""
_FIND: Final = "SELECT digest, status, content_type, body FROM web.requests WHERE caller = %s AND key = %s"
_DONE: Final = "UPDATE web.requests SET status = %s, content_type = %s, body = %s WHERE caller = %s AND key = %s"
_FORGET: Final = "DELETE FROM web.requests WHERE caller = %s AND key = %s AND status IS NULL"
_SWEEP: Final = "DELETE FROM web.requests WHERE made_at < clock_timestamp() - make_interval(secs => %s)"


class KeyReused(Refused):
    """The key came with another request before."""

    def __init__(self) -> None:
        super().__init__("key_reused", "This key was given to another request; make a new key for each.")


class UnderWay(Refused):
    """The first request with this key has no answer yet."""

    def __init__(self) -> None:
        super().__init__("under_way", "The first request with this key has no answer yet; ask again in a second.")


class Answered(Struct, frozen=True):
    """How the first request was answered."""

    status: int
    content_type: str
    body: bytes


class Requests:
    """What was asked for under which key. Thread-safe. Methods raise `Away` where the database is not there."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def begin(self, caller: str, key: str, content: bytes) -> Answered | None:
        """None where this is the first: it must then be ended by `done` or `forget`. Else how the first was answered.

        Raises `KeyReused` and `UnderWay`.
        """
        digest = hashlib.sha256(content).digest()
        row = {"caller": caller, "key": key, "digest": digest, "under_way_s": UNDER_WAY_S}
        with self._source.borrow() as connection:
            connection.execute(_SWEEP, (KEPT_S,))
            if connection.execute(_BEGIN, row).fetchone() is not None:
                return None
            found = connection.execute(_FIND, (caller, key)).fetchone()
        if found is None:
            raise UnderWay  # it was just refused and forgotten
        before, status, content_type, body = found
        if bytes(cast("bytes", before)) != digest:
            raise KeyReused
        if status is None:
            raise UnderWay
        return Answered(cast("int", status), cast("str", content_type), bytes(cast("bytes", body)))

    def done(self, caller: str, key: str, answered: Answered) -> None:
        """Keep the answer for whoever repeats the request."""
        values = (answered.status, answered.content_type, answered.body, caller, key)
        self._source.run(lambda connection: connection.execute(_DONE, values))

    def forget(self, caller: str, key: str) -> None:
        """Nothing was done: the next one with this key is a first one."""
        self._source.run(lambda connection: connection.execute(_FORGET, (caller, key)))
