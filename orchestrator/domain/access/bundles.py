"""Incidents that were taken out of the house: who made a bundle of which window, and how it is known again.

Stream `bundle-<id>`, one event. A desk stream, written when the bundle is made and before it can be had.
"""

from orchestrator.domain.kernel import Event, Instant, Personal


class BundleMade(Event, frozen=True, kw_only=True):
    """Events and tape of a window were written to a file. `fingerprint` is the SHA-256 of its manifest, in hex."""

    fingerprint: str
    begins: Instant
    ends: Instant
    pseudonymous: bool
    """Whether personal text was replaced; otherwise it is in the file, sealed under a key of its own."""
    events: int
    lines: int
    """Lines of the tape."""
    reason: Personal = ""
