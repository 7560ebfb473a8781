"""`ringledger recordings`: the files of recordings, kept encrypted, compared with the log, put right."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from orchestrator.columns import print_table
from orchestrator.settings import load

if TYPE_CHECKING:
    from orchestrator.service.keeping import Finding


@click.group()
def recordings() -> None:
    """The files of recordings: kept encrypted, compared with the log, put right."""


@recordings.command()
@click.option("--node", default="", help="Only the recordings of this switch, whose folder is here.")
def keep(node: str) -> None:
    """Encrypt each recording once the switch has finished it, until SIGTERM; `ringledger run` starts this."""
    from orchestrator.service.keeping import run

    sys.exit(run(load(), node=node))


@recordings.command()
@click.option("--digests", is_flag=True, help="Read all that is kept, too, and compare its digests.")
def check(digests: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Say in what log and folders differ; exit code 1 where they do."""
    from orchestrator.service import keeping

    settings = load()
    with keeping.opened(settings, "ringledger recordings check") as (log, found):
        _tell(keeping.check(log, found, digests=digests))


@recordings.command()
def repair() -> None:
    """Keep what was not kept, remove what was left over, and say in the log what is gone; exit code 1 where it is."""
    from orchestrator.service import keeping

    settings = load()
    with keeping.opened(settings, "ringledger recordings repair") as (log, found):
        _tell(keeping.repair(found, keeping.check(log, found, digests=True)))


def _tell(findings: Sequence["Finding"]) -> None:
    if findings:
        print_table(("what", "file", "contact"), [(each.what, each.file, each.contact_id) for each in findings])
        sys.exit(1)
    click.echo("log and folders agree")
