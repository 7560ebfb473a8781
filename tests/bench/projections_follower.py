"""The follower in a separate process: `python -m tests.bench.projections_follower URL KEY_FILE`. Ends with its input."""

import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestrator.store import KeyShelf, Source
from orchestrator.vault import Vault
from projections.base import Site
from projections.catalogue import PROJECTIONS
from projections.follower import Follower


def main(url: str, kek: str) -> None:
    """Follow until standard input is closed."""
    source = Source(url, name="ringledger bench")
    site = Site(ZoneInfo("Asia/Shanghai"), Vault.unlock(Path(kek), KeyShelf(source)))
    follower = Follower(source, site, PROJECTIONS.values()).start()
    sys.stdin.read()
    follower.stop()
    source.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
