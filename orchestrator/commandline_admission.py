"""`ringledger blacklist`, `ringledger notice`, `ringledger config holidays`: who is let in, from the shell."""

import os
import pwd
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from orchestrator.columns import print_table
from orchestrator.domain.kernel import Instant
from orchestrator.settings import load

if TYPE_CHECKING:
    from orchestrator.service.blacklist import Blacklists
    from orchestrator.service.deciding import Who

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _command(group: click.Group, name: str, work: Callable[..., None], *params: click.Parameter) -> None:
    described = work.__doc__ or ""
    group.add_command(click.Command(name, callback=work, params=list(params), help=described, short_help=described))


@click.group()
def blacklist() -> None:
    """Numbers whose calls are refused before anybody's phone rings."""


def _change(work: Callable[["Blacklists", "Who"], str]) -> str:
    from orchestrator.service.blacklist import Blacklists
    from orchestrator.service.configuration import opened
    from orchestrator.service.deciding import Who

    settings = load()
    with opened(settings) as (log, desk):
        who = Who(actor=f"admin:{pwd.getpwuid(os.geteuid()).pw_name}")
        return work(Blacklists(desk, log, region=settings.region), who)


def _blacklist_list() -> None:
    """Every entry, the latest first."""
    from orchestrator.service.blacklist import Blacklists
    from orchestrator.service.configuration import opened

    settings = load()
    with opened(settings) as (log, desk):
        now = Instant((datetime.now(UTC) - _EPOCH) // timedelta(microseconds=1))
        rows = [
            (
                entry.blacklisting_id,
                entry.number,
                entry.reason,
                "holds" if entry.holds(now) else "over",
                _moment(entry.until) if entry.until else "for ever",
                record.about.actor,
                _moment(record.about.at),
                entry.note,
            )
            for entry, record in Blacklists(desk, log, region=settings.region).every()
        ]
    print_table(("id", "number", "reason", "state", "until", "by", "since", "note"), rows)


def _blacklist_add(number: str, reason: str, days: int, note: str) -> None:
    """Refuse calls from NUMBER from now on."""
    until = _in_days(days) if days else Instant(0)
    ident = _change(lambda kept, who: kept.add(who, number, reason, until=until, note=note).ident)
    click.echo(f"{ident} is on the blacklist; a running engine knows within a second")


def _blacklist_change(ident: str, reason: str | None, days: int | None, note: str | None) -> None:
    """Say another reason, end or note of an entry; --days 0: it never ends."""
    until = None if days is None else _in_days(days) if days else Instant(0)
    _change(lambda kept, who: kept.change(who, ident, reason=reason, until=until, note=note).ident)
    click.echo(f"{ident} is changed")


def _blacklist_expire(ident: str) -> None:
    """Let an entry end now; it is still listed."""
    _change(lambda kept, who: kept.expire(who, ident).ident)
    click.echo(f"{ident} is over; its number may call")


def _blacklist_lift(ident: str) -> None:
    """Take an entry off the list."""
    _change(lambda kept, who: kept.lift(who, ident).ident)
    click.echo(f"{ident} is off the blacklist; its number may call")


_IDENT = click.Argument(["ident"], metavar="ID")
_REASON = click.Option(["--reason"], default="nuisance", show_default=True, help="A code: nuisance, fraud, …")
_DAYS = click.Option(["--days"], type=click.IntRange(0, 36_500), default=0, help="How long; for ever where not given.")
_NOTE = click.Option(["--note"], default="", help="What else is to be known; it is sealed.")
_command(blacklist, "list", _blacklist_list)
_command(blacklist, "add", _blacklist_add, click.Argument(["number"]), _REASON, _DAYS, _NOTE)
_command(
    blacklist,
    "change",
    _blacklist_change,
    _IDENT,
    click.Option(["--reason"]),
    click.Option(["--days"], type=click.IntRange(0, 36_500)),
    click.Option(["--note"]),
)
_command(blacklist, "expire", _blacklist_expire, _IDENT)
_command(blacklist, "lift", _blacklist_lift, _IDENT)


@click.group()
def notice() -> None:
    """What callers hear before the music while it is on: bad weather, a fault."""


def _notice_on(ident: str) -> None:
    """Let callers hear the notice ID of the configuration from now on."""
    _switch(ident, on=True)


def _notice_off(ident: str) -> None:
    """Let callers hear the notice ID no more."""
    _switch(ident, on=False)


def _switch(ident: str, *, on: bool) -> None:
    from orchestrator.service import configuration

    click.echo(configuration.switch_notice_here(load(), ident, on=on))


_command(notice, "on", _notice_on, _IDENT)
_command(notice, "off", _notice_off, _IDENT)


@click.command()
@click.argument("year", type=click.IntRange(1970, 2099))
@click.option("--of", "country", default="CN", show_default=True, help="A country, perhaps with its part: CN, DE-BY.")
def holidays(year: int, country: str) -> None:
    """Print the holidays of YEAR, and the working days that it moves to weekends, as calendars get them."""
    from orchestrator.service import calendar_days

    if not calendar_days.is_known(country):
        raise click.UsageError(
            f"No holidays are known for {country}; give a country such as CN, or a part such as DE-BY."
        )
    days = calendar_days.days_of(country, year, year)
    moved = dict.fromkeys(days.moved_workdays, "a working day")
    listed = sorted({**days.holidays, **moved}.items())
    print_table(("day", "", "what"), ((day, f"{date.fromisoformat(day):%a}", what) for day, what in listed))
    if days.known_until < f"{year}-12-31":
        click.echo(
            f"Which working days {year} moves to weekends is not published yet, or not known here: days in the "
            "configuration can say it."
        )


def _in_days(days: int) -> Instant:
    return Instant((datetime.now(UTC) + timedelta(days=days) - _EPOCH) // timedelta(microseconds=1))


def _moment(at: Instant) -> str:
    return (_EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%d %H:%M:%S UTC")
