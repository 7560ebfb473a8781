"""A process that folds its share of a log: told on its input what, it writes the part on its output, and ends.

Started by `replay.together`. Personal texts stay sealed in it: it is given no keys, and whoever joins the parts opens
what is left of them.
"""

import gc
import sys
from typing import Final

import msgspec
from msgspec import Struct

from orchestrator.domain.kernel import Instant
from orchestrator.domain.parted import Part
from orchestrator.parent import die_with_parent
from orchestrator.replay.frozen import Marks, freeze
from orchestrator.store import Log, Share, Source

# Not pressed: it goes through a pipe once.
_EFFORT: Final = 0


class Job(Struct, frozen=True, kw_only=True):
    """Whose log, from its beginning up to which position, and which of its streams. Holds a password."""

    url: str
    name: str
    until: int
    share: Share
    counts: bool
    """Whether quarters of an hour are counted."""


def folded(job: Job) -> bytes:
    """The part, frozen. Raises as `Log.happened` does."""
    source = Source(job.url, name=job.name)
    try:
        marks = Marks()
        part = Part(counts=job.counts)
        apply, highest = part.apply, Instant(0)
        for each in Log(source, opener=marks.opener).happened(until=job.until, share=job.share):
            apply(each)
            if each.about.at > highest:  # noqa: PLR1730 - `max` is several times as dear, and this is done for every record
                highest = each.about.at
        part.highest_at = highest
        return freeze(part, marks, effort=_EFFORT)
    finally:
        source.close()


def main() -> None:
    """One job."""
    die_with_parent()
    # A fold makes no cycles, and the process ends with it.
    gc.disable()
    sys.stdout.buffer.write(folded(msgspec.json.decode(sys.stdin.buffer.read(), type=Job)))
