"""Run pytest in a process that gevent has patched before anything else was imported: `python -m tests.run_patched`."""

from gevent import monkey

monkey.patch_all()

import sys

import pytest

if __name__ == "__main__":
    # No xdist here: its workers would start unpatched.
    sys.exit(pytest.main(["-p", "no:xdist", *sys.argv[1:]]))
