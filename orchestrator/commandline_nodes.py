"""`ringledger nodes`: the switches, and one of them taken out of service for maintenance."""

import os
import pwd
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from orchestrator.columns import print_table
from orchestrator.control import Client, control_path
from orchestrator.runner import inputs
from orchestrator.settings import load

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@click.group(invoke_without_command=True)
@click.pass_context
def nodes(context: click.Context) -> None:
    """Every switch: whether it is there, takes new calls, and what it has now."""
    if context.invoked_subcommand is not None:
        return
    client = Client(control_path(load().home))
    try:
        rows = client.ask("nodes")
    finally:
        client.close()
    print_table(
        ("node", "status", "since", "drained", "contacts", "phones", "rung for others"),
        (
            (
                row["node"],
                row["status"] if row["configured"] else f"{row['status']}, not configured",
                (_EPOCH + timedelta(microseconds=row["since"])).strftime("%Y-%m-%d %H:%M:%S UTC"),
                row["drained"],
                str(row["contacts"]),
                str(row["phones"]),
                str(row["phones_rung_for_others"]),
            )
            for row in rows
        ),
    )


@nodes.command()
@click.argument("node")
@click.option("--reason", default="maintenance", show_default=True, help="A code.")
@click.option("--anyway", is_flag=True, help="Also where no other switch takes calls.")
def drain(node: str, reason: str, anyway: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Let NODE finish what it has and take no new calls; `ringledger nodes` says when it has none left."""
    _do(inputs.DrainNode(node=node, reason=reason, anyway=anyway, by=_by()))


@nodes.command()
@click.argument("node")
def undrain(node: str) -> None:
    """Let NODE take new calls again."""
    _do(inputs.UndrainNode(node=node, by=_by()))


def _do(command: inputs.DeskCommand) -> None:
    position = Client(control_path(load().home)).do(command)
    click.echo(f"done, at position {position}" if position else "nothing to do")


def _by() -> str:
    return f"admin:{pwd.getpwuid(os.geteuid()).pw_name}"
