"""One share of a log, folded. As a process it is told on its input what, writes the part on its output, and ends.

Started by `replay.together`, which folds one share itself. Personal texts stay sealed in it: it is given no keys, and
whoever joins the parts opens what is left of them.
"""

import gc
import sys
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from orchestrator.domain.contacts.contacts import ContactEnded
from orchestrator.domain.parted import Part
from orchestrator.parent import die_with_parent
from orchestrator.replay.frozen import Marks, freeze
from orchestrator.store import Log, Share, Source

# Not pressed: it goes through a pipe once.
EFFORT: Final = 0
# So many records are a few milliseconds' work.
AT_ONCE: Final = 200


class Job(Struct, frozen=True, kw_only=True):
    """Whose log, from its beginning up to which position, and which of its streams. Holds a password."""

    url: str
    name: str
    until: int
    share: Share
    counts: bool
    """Whether quarters of an hour are counted."""


def fold(reading: Log, until: int, share: Share, *, counts: bool, breathe: Callable[[], None] | None = None) -> Part:
    """This share of the log up to a position. Raises as `Log.happened` does.

    `breathe`: called now and then, for a process that has other things to do.
    """
    part = Part(counts=counts)
    since = 0
    for records in reading.stories(share, until, ContactEnded):
        part.apply_story(records)
        since += len(records)
        if breathe is not None and since > AT_ONCE:
            breathe()
            since = 0
    return part


def folded(job: Job) -> bytes:
    """The part, frozen. Raises as `Log.happened` does."""
    source = Source(job.url, name=job.name)
    try:
        marks = Marks()
        part = fold(Log(source, opener=marks.opener), job.until, job.share, counts=job.counts)
        return freeze(part, marks, effort=EFFORT)
    finally:
        source.close()


def main() -> None:
    """One job."""
    die_with_parent()
    # A fold makes no cycles, and the process ends with it.
    gc.disable()
    sys.stdout.buffer.write(folded(msgspec.json.decode(sys.stdin.buffer.read(), type=Job)))
