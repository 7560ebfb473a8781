"""What the commands do. Each imports what it needs when it is called: only the engine may load the event socket."""

import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import msgspec

from orchestrator import cluster
from orchestrator.columns import print_table
from orchestrator.commandline_admission import blacklist, holidays, notice
from orchestrator.commandline_bundle import bundle, redrive
from orchestrator.commandline_engines import engines, handover
from orchestrator.commandline_nodes import nodes
from orchestrator.commandline_past import opened_past, past, replay
from orchestrator.commandline_people import token, user
from orchestrator.commandline_recordings import recordings
from orchestrator.commandline_sizing import size
from orchestrator.commandline_spool import spool
from orchestrator.commandline_whatif import whatif
from orchestrator.commandline_wishes import WISHES
from orchestrator.control import Client, ControlError, control_path
from orchestrator.domain.kernel import SECOND, Refused
from orchestrator.settings import Settings, SettingsError, load, table
from orchestrator.store import Log, Source, StoreError
from orchestrator.vault import VaultError

T = TypeVar("T")

# What a person is told in one line; everything else is a bug and shows its trace.
EXPECTED = (Refused, ControlError, SettingsError, StoreError, VaultError, cluster.ClusterError)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def ringledger() -> None:
    """Ringledger: a contact centre on FreeSWITCH whose every step stands in one log."""


ringledger.add_command(user)
ringledger.add_command(token)
ringledger.add_command(blacklist)
ringledger.add_command(notice)
ringledger.add_command(nodes)
ringledger.add_command(engines)
ringledger.add_command(handover)
ringledger.add_command(spool)
ringledger.add_command(recordings)
ringledger.add_command(replay)
ringledger.add_command(past)
ringledger.add_command(size)
ringledger.add_command(redrive)
ringledger.add_command(bundle)
ringledger.add_command(whatif)
for wish in WISHES:
    ringledger.add_command(wish)


def main() -> None:
    """The console script."""
    try:
        ringledger.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except EXPECTED as error:
        _fail(error)


def _fail(error: Exception) -> NoReturn:
    click.echo(f"ringledger: {error}", err=True)
    sys.exit(1)


# --- running -------------------------------------------------------------------------------------------------------


@ringledger.command()
def run() -> None:
    """Start everything (database, switch, engine, demo) and show calls being served; Ctrl-C stops it."""
    from orchestrator import supervise

    try:
        status = supervise.run(load(), click.echo)
    except supervise.StartError as error:
        _fail(error)
    sys.exit(status)


@ringledger.command()
def engine() -> None:
    """Run the deciding process alone, against RINGLEDGER_SWITCHES; it stands by while another one is active."""
    from orchestrator.bootstrap import run_engine

    sys.exit(run_engine(load()))


@ringledger.command()
def web() -> None:
    """Serve the screens and the API at RINGLEDGER_WEB."""
    from web.serve import run_web

    sys.exit(run_web(load()))


@ringledger.command()
def watch() -> None:
    """Show the log in words as it grows."""
    from orchestrator.watch import show

    settings = load()
    try:
        _with_log(settings, lambda log: show(log, settings.timezone, click.echo, threading.Event()))
    except KeyboardInterrupt:
        sys.exit(130)


@ringledger.command("settings")
def settings_command() -> None:
    """List every RINGLEDGER_* variable with its value, default and meaning; check that all can be used."""
    for row in table():
        click.echo(f"{row.name}={row.value}{'' if row.is_set else '   (default)'}\n    {row.meaning}")
    load()


# --- asking --------------------------------------------------------------------------------------------------------


@ringledger.command()
@click.option("--last", default=20, show_default=True, help="How many contacts.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def calls(last: int, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """The last contacts: live ones and how the others ended."""
    from orchestrator.calls import recent

    settings = load()
    rows = _with_log(settings, lambda log: recent(log.history(kinds=("contact",)), last))
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    zone = settings.timezone
    print_table(
        ("contact", "arrived", "queue", "agent", "offers", "waited", "talked", "ended"),
        (
            (
                row.contact_id[:8],
                datetime.fromtimestamp(row.arrived_at / SECOND, zone).strftime("%m-%d %H:%M:%S"),
                row.queue_id,
                row.agent_id,
                str(row.offers),
                _seconds(row.waited_ms),
                _seconds(row.talked_ms) if row.talked_ms else "",
                row.ended or "live",
            )
            for row in rows
        ),
    )


@ringledger.command()
def agents() -> None:
    """Every agent and what they do now."""
    rows = _ask("agents")
    print_table(
        ("agent", "extension", "phone", "state", "reason", "desk", "contact", "skills"),
        (
            (
                row["number"],
                row["extension"],
                row["phone"],
                row["state"],
                row["reason"],
                row["desk"]["state"] if row["desk"] else "",
                row["contact_id"][:8],
                " ".join(f"{skill}:{level}" for skill, level in sorted(row["skills"].items())),
            )
            for row in rows
        ),
    )


@ringledger.command()
def queues() -> None:
    """Every queue and who waits in it now."""
    rows = _ask("queues")
    click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())


@ringledger.command()
def parked() -> None:
    """Who is parked: by place, with who parked them and until when they are left there."""
    rows = [(row["parked"], row) for row in _ask("calls") if row["parked"]]
    print_table(
        ("place", "contact", "queue", "agent", "since", "until"),
        (
            (str(at["place"]), row["contact_id"][:8], row["queue_id"], at["agent_id"], at["since"], at["until"])
            for at, row in sorted(rows, key=lambda pair: int(pair[0]["place"]))
        ),
    )


@ringledger.command()
def status() -> None:
    """Whether the engine is active, and where it stands."""
    click.echo(msgspec.json.format(msgspec.json.encode(_ask("status")), indent=2).decode())


# --- the log -------------------------------------------------------------------------------------------------------


@ringledger.command()
@click.option("--expect", default=1, show_default=True, help="Fail where fewer contacts than this stand in the log.")
@click.option("--settled", is_flag=True, help="Fail where a contact is still live.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def verify(expect: int, settled: bool, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Prove from the log alone that every contact ended exactly once and nothing is missing."""
    from orchestrator.audit.verify import verify as check

    report = _with_log(load(), lambda log: check(log.history(), expect_contacts=expect, settled=settled))
    click.echo(msgspec.json.encode(report).decode() if as_json else report.text())
    sys.exit(0 if report.ok else 1)


@ringledger.command()
@click.argument("contact")
@click.option("--agent", default="", metavar="EMPLOYEE_NUMBER", help="Of this agent alone.")
@click.option("--offer", default=0, metavar="N", help="Of this offer of the contact alone, from 1.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def why(contact: str, agent: str, offer: int, as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """For each offer of CONTACT, why each agent did or did not get it: derived by replay."""
    from web.history import command

    settings = load()
    with opened_past(settings) as (log, snapshots):
        found = command.why(log, settings, contact, agent=agent, offer=offer, as_json=as_json, snapshots=snapshots)
    click.echo(found)


@ringledger.group()
def config() -> None:
    """The configuration: queues, entry points, agents. It is history, too."""


@config.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def plan(file: Path) -> None:
    """Show what applying FILE would change."""
    from orchestrator.service import configuration

    click.echo(configuration.plan_file(load(), _read(file)).text())


@config.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--expect-version", type=int, help="Refuse unless the configuration is at this version.")
@click.option("--reason", default="", help="Why, for the history.")
def apply(file: Path, expect_version: int | None, reason: str) -> None:
    """Make FILE the configuration: one transaction, refused where somebody else edited meanwhile."""
    from orchestrator.service import configuration

    click.echo(configuration.apply_file(load(), _read(file), expect_version=expect_version, reason=reason))


@config.command()
def show() -> None:
    """Print the configuration as TOML that `config apply` takes."""
    from orchestrator.service import configuration

    click.echo(configuration.show(load()), nl=False)


config.add_command(holidays)


@ringledger.group()
def projections() -> None:
    """The read models: tables folded from the log, which may be rebuilt from it at any time."""


@projections.command("run")
def projections_run() -> None:
    """Keep all read models up to date until stopped (`ringledger run` does this by itself)."""
    from projections import command

    sys.exit(command.run(load()))


@projections.command("status")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def projections_status(as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Where each read model stands."""
    from projections import command

    rows = command.status(load())
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    print_table(
        ("model", "state", "generation", "version", "position", "behind", "lag", "building", "error"),
        (
            (
                row.name,
                row.state,
                str(row.generation),
                str(row.version),
                str(row.position),
                str(row.behind),
                _seconds(row.lag_ms),
                "" if row.building is None else f"at {row.building}",
                row.error,
            )
            for row in rows
        ),
    )


@projections.command("rebuild")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "every", is_flag=True, help="All of them.")
def projections_rebuild(names: tuple[str, ...], every: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Fold read models anew from the whole log; readers see the old ones until the new ones are whole."""
    from projections import command

    if every == bool(names):
        raise click.UsageError("Name one or more read models (`ringledger projections status`), or give --all.")
    sys.exit(command.rebuild(load(), names, click.echo))


@ringledger.command("switch-files")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--node", default="", help="Which entry of RINGLEDGER_SWITCHES; the first where not given.")
@click.option("--sip-port", default=5060, show_default=True, help="Where agents' phones register.")
@click.option("--trunk-port", default=5080, show_default=True, help="Where callers arrive.")
@click.option("--rtp-first", default=16_384, show_default=True, help="The first of 2 000 ports for sound.")
@click.option(
    "--language", default="zh", type=click.Choice(("zh", "yue", "en")), show_default=True, help="What callers hear."
)
@click.option(
    "--patience",
    default=15,
    type=click.IntRange(min=0),
    show_default=True,
    help="Seconds without a sign of life of the engine after which the switch serves callers by itself; 0: never.",
)
@click.option(
    "--fallback",
    multiple=True,
    help="Whom it rings for them, all at once: an extension, or TRUNK/NUMBER; several times. By default some phones.",
)
def switch_files(
    folder: Path,
    node: str,
    sip_port: int,
    trunk_port: int,
    rtp_first: int,
    language: str,
    patience: int,
    fallback: tuple[str, ...],
) -> None:
    """Write a FreeSWITCH's configuration, the agents' SIP accounts, music and prompts into FOLDER."""
    from orchestrator.switch_files import write

    settings = load()
    _with_log(
        settings,
        lambda log: write(
            settings,
            log,
            folder,
            click.echo,
            node=node,
            sip_port=sip_port,
            trunk_port=trunk_port,
            rtp_first=rtp_first,
            language=language,
            patience_s=patience,
            fallback=fallback,
        ),
    )


@ringledger.command()
@click.option("--check", is_flag=True, help="Only say which are stale, and fail.")
def docs(check: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Generate docs/events.md and docs/features.md from the code and its tests."""
    from orchestrator import documents

    if not check:
        documents.write()
    stale = documents.check()
    for each in stale:
        click.echo(f"stale: {each}; run `ringledger docs`", err=True)
    sys.exit(1 if stale else 0)


@ringledger.command()
@click.option("--check", is_flag=True, help="Only say what is missing, and fail.")
def translations(check: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Bring the catalogue of translations up to what code and templates show."""
    from web import wording

    left = wording.problems() if check else wording.update()
    for each in left:
        click.echo(each, err=True)
    sys.exit(1 if left else 0)


# --- helpers -------------------------------------------------------------------------------------------------------


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}") from None


def _ask(question: str) -> Any:  # noqa: ANN401 - JSON
    client = Client(control_path(load().home))
    try:
        return client.ask(question)
    finally:
        client.close()


def _with_log(settings: Settings, work: Callable[[Log], T]) -> T:
    """Do something with the log, as its reader; the database is started where it is ours and does not run."""
    database = cluster.ensure_running(settings, lambda text: click.echo(text, err=True))
    source = Source(database.url_reader, name="ringledger reader")
    try:
        return work(Log(source))
    finally:
        source.close()
        database.stop()


def _seconds(milliseconds: int | None) -> str:
    return "" if milliseconds is None else f"{milliseconds / 1000:.1f} s"
