"""A projector in a process of its own, to be killed: `python -m tests.projections.child WORK URL KEY_FILE`.

`follow` keeps all models up to date until its input ends; `rebuild` rebuilds them again and again. Says `begun` first.
"""

import sys
from pathlib import Path

from orchestrator.store import KeyShelf, Source
from orchestrator.vault import Vault
from projections.base import Site
from projections.catalogue import PROJECTIONS
from projections.command import collect_rarely, rebuild_from
from projections.follower import Follower
from tests.projections.kit import ZONE


def main(work: str, url: str, kek: str) -> None:
    """Do this until killed, or until standard input is closed."""
    source = Source(url, name=f"ringledger child {work}")
    site = Site(ZONE, Vault.unlock(Path(kek), KeyShelf(source)), region="CN")
    collect_rarely()
    print("begun", flush=True)
    if work == "follow":
        follower = Follower(source, site, PROJECTIONS.values()).start()
        sys.stdin.read()
        follower.stop()
    else:
        while rebuild_from(source, site, tuple(PROJECTIONS), lambda _: None):
            print("rebuilt", flush=True)
    source.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
