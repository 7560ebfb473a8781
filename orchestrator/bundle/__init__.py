"""Bundles: an incident as one file, which a laptop replays without a database (feature 11.3, 11.4).

    make    log and tape of a window ──▶ erased, pseudonyms ──▶ driven again ──▶ told in the log ──▶ FILE, FILE.key
    open    FILE ──▶ digests, bounds ──▶ a log in memory (`store.filed`) and a tape: pictures, why, verify, re-drive
    to-test FILE ──▶ a file for pytest that drives it again

Nothing of a bundle is ever unpacked to a disk.
"""

from orchestrator.bundle.form import BadBundle, Manifest
from orchestrator.bundle.opened import Opened, opened
from orchestrator.bundle.regression import problems

__all__ = ["BadBundle", "Manifest", "Opened", "opened", "problems"]
