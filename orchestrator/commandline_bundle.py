"""`ringledger redrive` and `ringledger bundle …`: an incident looked at again, here or on a laptop."""

import sys
from pathlib import Path

import click

from orchestrator.domain.kernel import Instant
from orchestrator.settings import Settings, load

_INSTANT = "An instant, such as 2026-11-22T10:15:00+08:00."
_KEY = click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="Its key; by default FILE.key.")
_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@click.option("--from", "since", default="", help=_INSTANT)
@click.option("--to", "until", default="", help=_INSTANT)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def redrive(since: str, until: str, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Put the tape through today's code again and say what it decides otherwise than was recorded.

    Exit code 1 where anything is different, 2 where nothing could be compared.
    """
    from orchestrator.redrive.here import opened, redrive_here
    from web.redrive import command

    settings = load()
    with opened(settings) as home:
        driven = redrive_here(home, _instant(since, settings), _instant(until, settings))
    report, names = driven.report, command.names_of(driven.records)
    click.echo(command.as_json(report) if as_json else command.text(report, names, settings.timezone))
    if not driven.whole:
        click.echo(command.NOT_WHOLE, err=True)
    sys.exit(command.exit_code(report))


@click.group()
def bundle() -> None:
    """An incident in one file: events, configuration and tape of a window. It needs no database to be looked at."""


@bundle.command()
@_FILE
@click.option("--from", "since", required=True, help=_INSTANT)
@click.option("--to", "until", required=True, help=_INSTANT)
@click.option("--pseudonymous", is_flag=True, help="Replace numbers, names and notes; the file needs no key then.")
@click.option("--reason", default="", help="Why it is taken out, for the history.")
def make(file: Path, since: str, until: str, pseudonymous: bool, reason: str) -> None:  # noqa: FBT001
    """Write FILE; that it was made stands in the log. Without --pseudonymous it is sealed, and FILE.key opens it."""
    from orchestrator.bundle.made import make as made
    from orchestrator.redrive.here import opened
    from orchestrator.replay import parse_time
    from web.redrive import bundles

    settings = load()
    begins, ends = parse_time(since, settings.timezone), parse_time(until, settings.timezone)
    with opened(settings) as home:
        click.echo(bundles.made(made(home, begins, ends, file, pseudonymous=pseudonymous, reason=reason), file))


@bundle.command("open")
@_FILE
@_KEY
@click.option("--at", "at", default="", help="Queues, shifts and contacts as they were at an instant of the window.")
@click.option("--events", is_flag=True, help="Every event of the window in words.")
@click.option("--of", "of", default="", metavar="ID", help="With --events: of streams that begin so alone.")
@click.option("--why", "contact", default="", metavar="CONTACT", help="Why each agent did or did not get its offers.")
@click.option("--agent", default="", metavar="EMPLOYEE_NUMBER", help="With --why: of this agent alone.")
@click.option(
    "--redrive",
    "drive",
    is_flag=True,
    help="Put its tape through today's code; exit 1 where it differs, 2 where none is.",
)
@click.option("--web", is_flag=True, help="Its window on the replay screen, for this machine alone, until Ctrl-C.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="With --web: at this port; by default a free one."
)
def open_(  # noqa: PLR0913 - an option each
    file: Path,
    key: Path | None,
    *,
    at: str,
    events: bool,
    of: str,
    contact: str,
    agent: str,
    drive: bool,
    web: bool,
    port: int,
) -> None:
    """Look into FILE; without options: what it is, who called, and whether its log holds and today's code agrees."""
    from orchestrator.bundle import opened
    from web.redrive import bundles, command

    with opened(file, key) as found:
        if web:
            from web.bundle.serve import serve

            serve(found, file.name, click.echo, port=port)
        elif at:
            click.echo(bundles.picture(found, at))
        elif events:
            for line in bundles.events(found, of):
                click.echo(line)
        elif contact:
            click.echo(bundles.why(found, contact, agent))
        elif drive:
            report = found.redriven()
            click.echo(command.text(report, command.names_of(found.records()), found.timezone))
            sys.exit(command.exit_code(report))
        else:
            click.echo(bundles.overview(found, file.name))


@bundle.command("to-test")
@_FILE
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=Path("tests/incidents"),
              show_default=True, help="The folder of the test and of its copy of the bundle.")  # fmt: skip
@click.option("--wrong", type=int, multiple=True, metavar="POSITION",
              help="The log position of an event that should not have been; may be given several times.")  # fmt: skip
def to_test(file: Path, into: Path, wrong: tuple[int, ...]) -> None:
    """Turn FILE into a test for pytest, which drives it through the code of the day.

    Without --wrong what was recorded is right, and the test fails while the code decides otherwise. With it the test
    fails while the code still decides so.
    """
    from orchestrator.bundle.regression import left_out, write_test

    test = write_test(file, into, wrong)
    if count := left_out(file):
        click.echo(f"{count} inputs are left out: pseudonyms alone change what is decided of them.")
    click.echo(f"{test} written; run it with: python -m pytest {test}")


def _instant(text: str, settings: Settings) -> Instant | None:
    from orchestrator.replay import parse_time

    return parse_time(text, settings.timezone) if text else None
