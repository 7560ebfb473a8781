"""The past: the live state as it was at any instant, folded from the log, and as a picture for people and programs.

`picture_at(log, "2026-01-31T10:15:00+08:00", zone)` is what `ringledger replay` shows, `asof` shows one thing of it.
`as_of` gives the state itself. With `Snapshots` each is quick however long the log is.
"""

from orchestrator.replay.moments import BadTime, parse_time
from orchestrator.replay.past import Past, as_of, picture_at
from orchestrator.replay.scrubber import Scrubber
from orchestrator.replay.snapshots import Snapshots

__all__ = ["BadTime", "Past", "Scrubber", "Snapshots", "as_of", "parse_time", "picture_at"]
