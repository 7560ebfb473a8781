"""A process that ends with the one that started it, however that one ended."""

import ctypes
import signal
from typing import Final

# PR_SET_PDEATHSIG of prctl(2): a child whose parent was killed gets SIGTERM.
_PR_SET_PDEATHSIG: Final = 1
_libc: Final = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """To be called in the child, between fork and exec."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
