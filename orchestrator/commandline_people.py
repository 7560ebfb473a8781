"""`ringledger user …` and `ringledger token`: people and programs, by administrators at the machine."""

from collections.abc import Callable

import click

from orchestrator.columns import print_table
from orchestrator.domain.access.scope import scope_of
from orchestrator.domain.access.users import Create, Grant
from orchestrator.settings import load

_ROLE = click.Option(["--role", "roles"], multiple=True, help="May be given several times.")
_TEAM = click.Option(["--team", "teams"], multiple=True, help="May be given several times; without it, every team.")
_BRANCH = click.Option(
    ["--branch", "branches"], multiple=True, help="May be given several times; without it, every branch."
)
_GENERATE = click.Option(["--generate"], is_flag=True, help="A random password, printed this once.")


@click.group()
def user() -> None:
    """People who sign in on the web: who they are and what they may do."""


def _user_command(name: str, work: Callable[..., None], *params: click.Parameter) -> None:
    described = work.__doc__ or ""
    user.add_command(click.Command(name, callback=work, params=list(params), help=described, short_help=described))


def _password(generate: bool) -> Callable[[], str] | None:  # noqa: FBT001 - click passes flags so
    return None if generate else lambda: str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _user_add(
    user_id: str,
    name: str,
    agent: str,
    roles: tuple[str, ...],
    teams: tuple[str, ...],
    branches: tuple[str, ...],
    generate: bool,  # noqa: FBT001
) -> None:
    """Add somebody, with roles and a password."""
    from web.access import command

    granted = Grant(roles=roles, teams=teams, branches=branches)
    made = command.add(load(), user_id, Create(name=name, agent_id=agent), granted, ask=_password(generate))
    click.echo(f"{user_id} may sign in" + (f" with {made}" if made else ""))


def _user_roles(user_id: str, roles: tuple[str, ...], teams: tuple[str, ...], branches: tuple[str, ...]) -> None:
    """Give somebody these roles, teams and branches and no others; it holds for their next click."""
    from web.access import command

    command.change_roles(load(), user_id, Grant(roles=roles, teams=teams, branches=branches))
    click.echo(f"{user_id} is now {', '.join(roles) or 'nothing'}")


def _user_disable(user_id: str, reason: str) -> None:
    """Keep somebody out from now on; their sessions end."""
    from web.access import command

    command.disable(load(), user_id, reason=reason)
    click.echo(f"{user_id} may not sign in any more")


def _user_enable(user_id: str) -> None:
    """Let somebody in again."""
    from web.access import command

    command.enable(load(), user_id)
    click.echo(f"{user_id} may sign in again")


def _user_password(user_id: str, generate: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Give somebody a new password; their sessions end."""
    from web.access import command

    made = command.change_password(load(), user_id, ask=_password(generate))
    click.echo(f"{user_id} has a new password" + (f": {made}" if made else ""))


def _user_list() -> None:
    """Everybody, with roles, teams and branches."""
    from web.access import command

    print_table(("user", "name", "roles", "teams", "branches", "agent", "state"), command.everybody(load()))


_USER = click.Argument(["user_id"], metavar="SIGN_IN_NAME")
_NAME = click.Option(["--name"], required=True, help="The person's name.")
_AGENT = click.Option(["--agent"], default="", help="Who they are at the desk: the agent's id in the configuration.")
_REASON = click.Option(["--reason"], default="", help="Why; it is recorded.")
_user_command("add", _user_add, _USER, _NAME, _AGENT, _ROLE, _TEAM, _BRANCH, _GENERATE)
_user_command("roles", _user_roles, _USER, _ROLE, _TEAM, _BRANCH)
_user_command("disable", _user_disable, _USER, _REASON)
_user_command("enable", _user_enable, _USER)
_user_command("password", _user_password, _USER, _GENERATE)
_user_command("list", _user_list)


@click.command()
@click.option("--role", default="", help="What the program may do: the same as people of this role; or wallboard.")
@click.option("--days", default=90, show_default=True, help="How long.")
@click.option("--team", "teams", multiple=True, help="May be given several times; without it, every team.")
@click.option("--branch", "branches", multiple=True, help="May be given several times; without it, every branch.")
@click.option("--note", default="", help="What it is for.")
@click.option("--revoke", default="", metavar="TOKEN_ID", help="End one; its id is the part between the underscores.")
@click.option("--list", "show", is_flag=True, help="Show all, without their secrets.")
def token(
    role: str,
    days: int,
    teams: tuple[str, ...],
    branches: tuple[str, ...],
    note: str,
    revoke: str,
    show: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Issue a token for the API or for a screen on a wall, printed this once; revoke one; or show all."""
    from web.access import command

    if bool(role) + bool(revoke) + show != 1:
        raise click.UsageError("Say for which --role a token is issued, or which one to --revoke, or --list them.")
    if show:
        print_table(("token", "role", "teams", "branches", "until", "last used", "note"), command.every_token(load()))
        return
    if revoke:
        command.revoke_token(load(), revoke)
        click.echo(f"{revoke} is good for nothing any more")
    else:
        issued = command.issue_token(load(), role, days=days, scope=scope_of(teams, branches), note=note)
        click.echo(issued)
        if role == "wallboard":
            click.echo(f"for the screen: {command.wall_address(load(), issued)}")
