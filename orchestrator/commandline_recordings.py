"""`ringledger recordings`: the files of recordings, kept encrypted, compared with the log, put right."""

import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.columns import print_table
from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.settings import load

if TYPE_CHECKING:
    from orchestrator.service.keeping import Finding


@click.group()
def recordings() -> None:
    """The files of recordings: kept encrypted, compared with the log, put right."""


_node = click.option("--node", default="", help="Only the recordings of this switch, whose folder is here.")


@recordings.command()
@_node
def keep(node: str) -> None:
    """Encrypt each recording once the switch has finished it, until SIGTERM; `ringledger run` starts this."""
    from orchestrator.service.keeping import run

    sys.exit(run(load(), node=node))


@recordings.command()
@click.option("--digests", is_flag=True, help="Read all that is kept, too, and compare its digests.")
@_node
def check(digests: bool, node: str) -> None:  # noqa: FBT001 - click passes flags so
    """Say in what log and folders differ; exit code 1 where they do."""
    from orchestrator.service import keeping

    settings = load()
    with keeping.opened(settings, "ringledger recordings check", node=node) as tools:
        _tell(keeping.check(tools.log, tools.recordings, digests=digests))


@recordings.command()
@_node
def repair(node: str) -> None:
    """Keep what was not kept, remove what was left over, and say in the log what is gone; exit code 1 where it is."""
    from orchestrator.service import keeping

    settings = load()
    with keeping.opened(settings, "ringledger recordings repair", node=node) as tools:
        _tell(keeping.repair(tools.recordings, keeping.check(tools.log, tools.recordings, digests=True)))


@recordings.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
@_node
def retain(dry_run: bool, node: str) -> None:  # noqa: FBT001 - click passes flags so
    """Delete the recordings that were kept for their time, but those that are held; each night `keep` does the same."""
    from orchestrator.service import keeping, retention

    settings = load()
    with keeping.opened(settings, "ringledger recordings retain", node=node) as tools:
        found = retention.find(tools.log, tools.recordings, Instant(time.time_ns() // 1000))
        gone = {due.file for due in found if not due.held and not due.away}
        if not dry_run:
            gone = {due.file for due in retention.retain(tools.recordings, found)}
    going = "would be deleted" if dry_run else "deleted"
    if found:
        rows = [
            (
                f"{datetime.fromtimestamp(due.recorded_at / SECOND, settings.timezone):%Y-%m-%d %H:%M}",
                due.file,
                due.queue_id,
                str(due.days),
                going if due.file in gone else f"on {due.away}, which is away" if due.away else "held",
            )
            for due in found
        ]
        print_table(("recorded", "file", "queue", "days", "so"), rows)
    click.echo(f"{len(gone)} {going}, {len(found) - len(gone)} held or away")


@recordings.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("name")
def medium(folder: Path, name: str) -> None:
    """Make FOLDER, such as a disk that is mounted there, a medium called NAME, onto which old recordings may be moved.

    Its whole name ends in a few digits of its own, so that no other medium has it: write that on it.
    """
    from orchestrator.service.media import label

    try:
        whole = label(folder, name, kept=load().kept)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written ({error.strerror}).") from None
    click.echo(f"{folder} is the medium {whole}; name the folder in RINGLEDGER_ARCHIVE")


@recordings.command()
@click.option("--older-than", type=click.IntRange(1), help="Days; instead of the site's archive_days.")
@click.option("--dry-run", is_flag=True, help="Say what would be moved, and move nothing.")
@_node
def archive(older_than: int | None, dry_run: bool, node: str) -> None:  # noqa: FBT001 - click passes flags so
    """Move old recordings to the first medium of RINGLEDGER_ARCHIVE that is there; each night `keep` does the same."""
    from orchestrator.service import keeping, retention

    with keeping.opened(load(), "ringledger recordings archive", node=node) as tools:
        old = retention.find_old(tools.log, tools.recordings, Instant(time.time_ns() // 1000), older_than)
        found = [file for file in old if not tools.recordings.is_erased(file)]  # those stay for good
        moved = found if dry_run else retention.archive(tools.recordings, found)
    for file in moved:
        click.echo(file)
    click.echo(f"{len(moved)} {'would be moved' if dry_run else 'moved'}, {len(found) - len(moved)} left")
    if len(moved) < len(found):
        sys.exit(1)


@recordings.command()
def serve() -> None:
    """Hand sealed recordings of this machine to players of other machines, at RINGLEDGER_FETCH, until SIGTERM."""
    from orchestrator.service.keeping import serve

    sys.exit(serve(load()))


@recordings.command()
@click.argument("name", default="")
def aside(name: str) -> None:
    """Files about calls that a switch served alone, and that could not be read: their names, or what stands in one."""
    from orchestrator.service import call_files, keeping

    settings = load()
    folder = settings.recordings.with_name("unattended")
    if not name:
        for path in sorted((folder / call_files.ASIDE).glob(f"*{call_files.SEALED}")):
            click.echo(path.name)
        return
    if Path(name).name != name:
        raise click.BadParameter("give a name as `ringledger recordings aside` lists it", param_hint="NAME")
    with keeping.opened(settings, "ringledger recordings aside") as tools:
        try:
            for piece in call_files.aside(folder, name, tools.vault):
                click.echo(piece, nl=False)
        except OSError as error:
            raise click.ClickException(f"{name} cannot be read ({error.strerror}).") from None


def _tell(findings: Sequence["Finding"]) -> None:
    if findings:
        print_table(("what", "file", "contact"), [(each.what, each.file, each.contact_id) for each in findings])
        sys.exit(1)
    click.echo("log and folders agree")
