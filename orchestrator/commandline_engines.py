"""`ringledger engines`, `ringledger handover`: who decides, who stands by, and a planned change between them."""

import os
import pwd
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from orchestrator import cluster
from orchestrator.columns import print_table
from orchestrator.control import Client, control_path
from orchestrator.domain.engine import EngineActivated, HandoverBegun
from orchestrator.domain.kernel import MILLISECOND, Instant, Refused
from orchestrator.engines import Roster, Seen
from orchestrator.runner import inputs
from orchestrator.settings import Settings, load
from orchestrator.store import Log, Source

# Past this whoever was to follow did not: any other standby takes the lease after 1.5 s.
_PATIENCE_S: Final = 10.0


@click.command()
def engines() -> None:
    """Every engine of this site, on whatever machine: which one decides, and which could go on at once."""
    settings = load()
    with _reader(settings) as source:
        found = Roster(source, settings.site).all()
    print_table(
        ("engine", "state", "ready", "position", "switches", "without", "heard of"),
        (
            (
                each.holder.removeprefix("ringledger "),
                "silent" if each.silent else each.standing.state.value,
                _ready(each),
                str(each.standing.position),
                " ".join(each.standing.reached),
                " ".join(each.standing.missed),
                f"{each.silent_s:.1f} s ago",
            )
            for each in found
        ),
    )


@click.command()
@click.option("--to", default="", help="The engine, as `ringledger engines` names it; any that is ready by default.")
def handover(to: str) -> None:
    """Let an engine that stands by decide from now on; the one that does so now stands by."""
    settings = load()
    client = Client(control_path(settings.home))
    wanted = f"ringledger {to}" if to else ""
    try:
        position = client.do(inputs.HandOver(to=wanted, by=f"admin:{pwd.getpwuid(os.geteuid()).pw_name}"))
    finally:
        client.close()
    with _reader(settings) as source:
        click.echo(_outcome(Log(source), position))


def _ready(each: Seen) -> str:
    if each.may_follow:
        return "yes"
    return "" if each.standing.state != "standby" or each.silent else "not yet"


def _outcome(log: Log, position: int) -> str:
    """What became of the handover at this position, once an engine is active again. Raises `Refused` for nothing."""
    begun = Instant(0)
    over = threading.Event()
    timer = threading.Timer(_PATIENCE_S, over.set)
    timer.daemon = True
    timer.start()
    for batch in log.follow(position - 1, over):
        for record in batch:
            match record.event:
                case HandoverBegun() if record.position == position:
                    begun = record.about.at
                case EngineActivated(epoch=epoch, host=host, why=why):
                    timer.cancel()
                    took_ms = (record.about.at - begun) // MILLISECOND
                    how = "" if why == "handed_over" else f", though it was not chosen ({why})"
                    return f"handed over after {took_ms} ms; active now with epoch {epoch}, on {host}{how}"
    raise Refused(
        "not_taken",
        f"Nobody has become active within {_PATIENCE_S:g} s; see `ringledger engines`, and the engines' own logs.",
    )


@contextmanager
def _reader(settings: Settings) -> Iterator[Source]:
    database = cluster.ensure_running(settings, lambda text: click.echo(text, err=True))
    source = Source(database.url_reader, name="ringledger reader")
    try:
        yield source
    finally:
        source.close()
        database.stop()
