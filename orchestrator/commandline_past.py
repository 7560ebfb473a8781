"""`ringledger replay`: how it was; `ringledger past`: what keeps that quick, and the nightly proof."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from orchestrator import cluster
from orchestrator.columns import print_table
from orchestrator.settings import Settings, load
from orchestrator.store import Log, Source, schema

if TYPE_CHECKING:
    from orchestrator.replay import Snapshots
    from orchestrator.replay.night import Walk

_THINGS: Final = {
    "queue": "A queue, by its id.",
    "agent": "An agent, by employee number or id.",
    "contact": "A contact, by its whole id; ended ones too.",
    "customer": "A customer, by id.",
    "order": "A work order, by id.",
}


def _things() -> list[click.Parameter]:
    return [click.Option([f"--{name}"], default="", metavar="ID", help=words) for name, words in _THINGS.items()]


def _replay(at: str, *, configuration: bool, as_json: bool, **things: str) -> None:
    from orchestrator.replay import picture_at
    from orchestrator.replay.asof import then_at, thing_at
    from orchestrator.replay.moments import parse_time
    from orchestrator.replay.past import clock, refuse_outside

    asked = [(kind, ident) for kind, ident in things.items() if ident] + [("configuration", "")] * configuration
    if len(asked) > 1:
        raise click.UsageError("Ask for one thing, or for none and see queues, shifts and contacts.")
    settings = load()
    with opened_past(settings) as (log, snapshots):
        found: dict[str, Any]
        if not asked:
            found = picture_at(log, at, settings.timezone, snapshots=snapshots)
        else:
            instant = parse_time(at, settings.timezone)
            refuse_outside(log, instant, settings.timezone, clock())
            found = thing_at(then_at(log, instant, settings.site, snapshots=snapshots), *asked[0])
    if configuration and not as_json:
        click.echo(found["configuration"]["toml"], nl=False)
        return
    encoded = msgspec.json.encode(found)
    click.echo((encoded if as_json else msgspec.json.format(encoded, indent=2)).decode())


replay = click.Command(
    "replay",
    callback=_replay,
    help="Queues, shifts and contacts as they were at an instant; or one thing of then.",
    params=[
        click.Option(["--at"], required=True, help="An instant, such as 2026-11-22T10:15:00+08:00."),
        *_things(),
        click.Option(["--configuration"], is_flag=True, help="The configuration, as TOML."),
        click.Option(["--json", "as_json"], is_flag=True, help="For programs."),
    ],
)


@click.group()
def past() -> None:
    """What makes any moment of a long log quick, and the nightly proof of all of it."""


@past.command()
def keep() -> None:
    """Make snapshots as the log grows and verify all of it at night, until SIGTERM; `ringledger run` starts this."""
    from orchestrator.replay.keeper import run

    sys.exit(run(load()))


@past.command()
def verify() -> None:
    """What is done at night, now: verify the whole log, compare every snapshot with it, keep the result."""
    from orchestrator.replay import Snapshots
    from orchestrator.replay.keeper import opened
    from orchestrator.replay.night import Night

    with opened(load(), "ringledger past verify") as source:
        walk = Night(source, Snapshots(source), threading.Event()).walk()
    click.echo(walk.report.text() if walk.report is not None else walk.error)
    click.echo(f"snapshots   {walk.snapshots} compared, {walk.thrown_away} thrown away")
    sys.exit(0 if walk.ok and not walk.thrown_away else 1)


@past.command()
@click.option("--last", default=10, show_default=True, help="How many nights.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(last: int, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """How far snapshots are, and what the last nights found."""
    from orchestrator.replay import Snapshots
    from orchestrator.replay.keeper import opened
    from orchestrator.replay.night import walks

    with opened(load(), "ringledger past status") as source:
        reached, end, found = Snapshots(source).reached(), Log(source).position(), walks(source, last)
    if as_json:
        click.echo(msgspec.json.encode({"snapshots_to": reached, "position": end, "walks": found}).decode())
        return
    click.echo(f"snapshots to position {reached} of {end}")
    print_table(
        ("begun", "took", "verified to", "result", "problems", "snapshots", "thrown away", "error"),
        (_row(walk) for walk in found),
    )


def _row(walk: "Walk") -> tuple[str, ...]:
    result = "goes on" if walk.goes_on else {True: "proved", False: "NOT proved", None: "no end"}[walk.ok]
    return (
        f"{walk.begun_at:%Y-%m-%d %H:%M}",
        "" if walk.ended_at is None else f"{(walk.ended_at - walk.begun_at).total_seconds():.1f} s",
        str(walk.position),
        result,
        "" if walk.report is None else str(walk.report.problem_count),
        str(walk.snapshots),
        str(walk.thrown_away),
        walk.error,
    )


@contextmanager
def opened_past(settings: Settings) -> Iterator[tuple[Log, "Snapshots"]]:
    """The log without keys, and its snapshots; our own database is started where it does not run."""
    from orchestrator.replay import Snapshots

    database = cluster.ensure_running(settings, lambda text: click.echo(text, err=True))
    source = Source(database.url_reader, name="ringledger replay")
    try:
        schema.check(source)
        yield Log(source), Snapshots(source)
    finally:
        source.close()
        database.stop()
