"""`ringledger whatif …`: a day of the log, played again with other rules or staff."""

import sys
from pathlib import Path

import click
import msgspec

from orchestrator.columns import print_table
from orchestrator.settings import load


@click.command(
    epilog="\b\nFor example:\n  ringledger whatif 2026-11-22 --agents -3 --queue sales\n"
    "  ringledger config show > other.toml && ringledger whatif 2026-11-22 --config other.toml"
)
@click.argument("day")
@click.option("--days", default=1, show_default=True, help="So many days together, from DAY on.")
@click.option(
    "--config",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A configuration in place of that of the day, as `config show` prints it.",
)
@click.option("--agents", default=0, help="So many agents more, or (below 0) fewer.")
@click.option("--queue", "queue_id", default="", help="Of those who serve this queue, by its id; without it of all.")
@click.option("--seeds", default=0, help="How often the day is played; without it 10 times, a large one less often.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def whatif(day: str, days: int, file: Path | None, agents: int, queue_id: str, seeds: int, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """What if DAY (2026-11-22) had had other staff, skills, queue rules, priorities or strategies.

    The day's calls, talks and shifts are played again through the rules that decide live: as they were, to see how far
    that can be believed, and as wanted.
    """
    from orchestrator.service import configuration
    from orchestrator.whatif import asking
    from orchestrator.whatif.changes import Wanted
    from web.whatif import command

    text = ""
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise click.ClickException(f"{file} cannot be read: {error}") from None
    settings = load()
    wanted = Wanted(text=text, agents=agents, queue_id=queue_id, region=settings.region)
    span = command.span(settings, day, days)
    with configuration.opened(settings) as (log, _):
        found = asking.ask(log, span, wanted, seeds=seeds, progress=_show if sys.stderr.isatty() else _hide)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    told = command.told(found, settings)
    for line in told.before:
        click.echo(line)
    for head, *rows in told.tables:
        click.echo("")
        print_table(head, rows)
    for line in told.after:
        click.echo(line)


def _show(done: int, plays: int) -> None:
    click.echo(f"\rplayed {done} of {plays} ", err=True, nl=done == plays)


def _hide(_done: int, _plays: int) -> None:
    """Nobody watches."""
