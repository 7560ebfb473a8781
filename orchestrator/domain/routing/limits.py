"""What a switch can bear: how many new callers a second it is let in for, and what becomes of the others.

Stream `limit-<switch>`, `limit-any` for every switch without one of its own. Written by `config apply` (a desk stream);
read by the runner.

Past the point where a switch sets up calls as fast as it can, each further one makes all of them slower, and fewer are
served than below it. So a caller beyond the limit is told so at once. Telling costs the switch something too: as many
again hear it, and whoever comes beyond that is refused without a word.
"""

from typing import Final

from msgspec import Struct

from orchestrator.domain.kernel import SECOND, Event, Instant

ANY_SWITCH: Final = "any"


class LimitConfigured(Event, frozen=True, kw_only=True):
    """The switch lets in so many callers a second from now on."""

    calls_per_s: int
    burst: int = 0
    """So many may come at once; 0: those of one second."""


class LimitRemoved(Event, frozen=True, kw_only=True):
    """The switch has no limit of its own any more."""


class _Bucket(Struct):
    """Callers that may still come, in millionths of one, as of an instant."""

    level: int
    at: Instant


class Limits:
    """The limits of all switches, and how near each is to its own: a fold of the calls that were let in or told."""

    def __init__(self) -> None:
        self._limits: dict[str, LimitConfigured] = {}
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def configure(self, node: str, event: Event) -> None:
        """Take over one switch's limit, or that it has none."""
        self._limits.pop(node, None)
        if isinstance(event, LimitConfigured):
            self._limits[node] = event

    def room(self, what: str, node: str, now: Instant) -> bool:
        """Whether this switch bears one more: `served`, or `told` that it does not."""
        limit = self.of(node)
        return limit is None or self._level(what, node, limit, now) >= SECOND

    def take(self, what: str, node: str, at: Instant) -> None:
        """One more was let in, or told."""
        limit = self.of(node)
        if limit is not None:
            level = self._level(what, node, limit, at) - SECOND
            self._buckets[what, node] = _Bucket(max(level, 0), at)

    def stood(self, what: str, node: str, level: int, at: Instant) -> None:
        """Take over how near a switch was to its limit, in millionths of a caller, when one came last."""
        self._buckets[what, node] = _Bucket(level, at)

    def standing(self) -> dict[tuple[str, str], tuple[int, Instant]]:
        """How near each switch is to its limit: what there is room for, in millionths of a caller, as of when."""
        return {key: (bucket.level, bucket.at) for key, bucket in self._buckets.items()}

    def of(self, node: str) -> LimitConfigured | None:
        """The limit of this switch; None where it has none."""
        return self._limits.get(node) or self._limits.get(ANY_SWITCH)

    def _level(self, what: str, node: str, limit: LimitConfigured, now: Instant) -> int:
        most = (limit.burst or limit.calls_per_s) * SECOND
        bucket = self._buckets.get((what, node))
        if bucket is None:
            return most
        return min(most, bucket.level + max(0, now - bucket.at) * limit.calls_per_s)
