"""`ringledger spool`: what the lease says of a spool, and how one is given up that nobody can bring back."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager

import click

from orchestrator import cluster
from orchestrator.settings import Settings, load
from orchestrator.spools import GivingUp
from orchestrator.store import KeyShelf, Log, Source
from orchestrator.vault import Vault


@click.group(invoke_without_command=True)
@click.pass_context
def spool(context: click.Context) -> None:
    """The spool that the lease names: its holder may decide into it while the database is away."""
    if context.invoked_subcommand is None:
        with _giving_up(load()) as giving:
            click.echo(giving.told())


@spool.command("give-up")
@click.option("--reason", required=True, help="Why what is in it is lost; stands in the log.")
@click.option(
    "--machine-is-off",
    is_flag=True,
    help="You have seen to it that the machine whose spool it is is off, or that no engine runs on it.",
)
def give_up(reason: str, *, machine_is_off: bool) -> None:
    """Let another engine go on without the spool that the lease waits for: what was decided into it is lost."""
    with _giving_up(load()) as giving:
        actor = f"admin:{pwd.getpwuid(os.geteuid()).pw_name}"
        position = giving.give_up(reason, actor=actor, machine_is_off=machine_is_off)
    click.echo(f"given up, at position {position}; the next engine that stands by goes on")


@contextmanager
def _giving_up(settings: Settings) -> Iterator[GivingUp]:
    database = cluster.ensure_running(settings, lambda text: click.echo(text, err=True))
    source = Source(database.url_writer, name="ringledger spool")
    try:
        vault = Vault.unlock(settings.kek_file, KeyShelf(source))
        yield GivingUp(source, vault, Log(source, vault=vault), settings.site)
    finally:
        source.close()
        database.stop()
