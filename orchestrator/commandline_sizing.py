"""`ringledger size …`: how many agents and lines, from figures, from customers, or from a day of the log."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from orchestrator import cluster
from orchestrator.columns import print_table
from orchestrator.domain.kernel import Refused
from orchestrator.domain.sizing import seats
from orchestrator.domain.sizing.seats import LIMITS, Demand, Plan, Terms
from orchestrator.settings import load
from orchestrator.store import KeyShelf, Log, Source
from orchestrator.vault import Vault

if TYPE_CHECKING:
    from web.sizing.command import Told


class _Figure(click.ParamType[float]):
    """A number within the limits of what it is for."""

    name = "number"

    def __init__(self, field: str) -> None:
        self.field = field

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - click
        try:
            return seats.read(self.field, str(value))
        except Refused as refused:
            self.fail(refused.message, param, ctx)


def _option(name: str, field: str, words: str, default: float | None = None, *, required: bool = False) -> click.Option:
    low, high = LIMITS[field]
    text = f"{words} {low:,.10g} to {high:,.10g}." + (f" Without it: {default:g}." if default is not None else "")
    unit = "PERCENT" if field.endswith("_percent") else "SECONDS" if field.endswith("_s") else "NUMBER"
    return click.Option([name, field], type=_Figure(field), metavar=unit, required=required, help=text)


_USUAL: Final = Terms()


def _terms(*, of_day: bool) -> list[click.Parameter]:
    within, patience = (None, None) if of_day else (_USUAL.within_s, _USUAL.patience_s)
    own = " Without it: the queue's own target." if of_day else ""
    told = " Without it: as the callers of that day had." if of_day else ""
    return [
        _option("--level", "level_percent", "Service level: so many answered in time.", _USUAL.level_percent),
        _option("--within", "within_s", f"In time: within so many seconds.{own}", within),
        _option("--occupancy", "occupancy_percent", "The highest load of agents.", _USUAL.occupancy_percent),
        _option("--shrinkage", "shrinkage_percent", "Paid time that is no work.", _USUAL.shrinkage_percent),
        _option("--patience", "patience_s", f"Mean patience of callers, for Erlang A.{told}", patience),
        _option("--blocking", "blocking_percent", "Callers who may find no line.", _USUAL.blocking_percent),
    ]


_OF_PLAN: Final = "ringledger size plan --customers 20000000 --daily 0.3 --busy 20 --handling 150 --occupancy 75"
_OF_CALLS: Final = "ringledger size calls --calls 100 --handling 180 --level 80 --within 20"
_OF_DAY: Final = "ringledger size day 2026-11-22 --queue sales --within 30"


def _examples(*lines: str) -> str:
    """What help shows below the options; the first character keeps lines as they are."""
    return "\n".join(("\b", "For example:", *(f"  {line}" for line in lines)))


@click.group(epilog=_examples(_OF_PLAN, _OF_CALLS, _OF_DAY))
def size() -> None:
    """How many agents and lines are needed: planning formula, Erlang B, C and A side by side, and why they differ.

    Percentages are written as 80 or 80%.
    """


def _command(name: str, work: Callable[..., None], example: str, *params: click.Parameter) -> None:
    described = work.__doc__ or ""
    size.add_command(click.Command(name, callback=work, params=list(params), help=described, epilog=_examples(example)))


def _plan(as_json: bool, **given: float | None) -> None:  # noqa: FBT001 - click passes flags so
    """Seats for so many customers: customers × daily calls × busy hour × handling ÷ (3600 × highest load), and what
    Erlang C and A say of the same busy hour.
    """
    from web.sizing import command

    plan = {name: given.pop(name) or 0.0 for name in Plan.__struct_fields__}
    _print(command.of_plan(Plan(**plan), _asked(given)), as_json=as_json)


def _calls(
    calls: float,
    handling_s: float,
    span_s: float | None,
    as_json: bool,  # noqa: FBT001 - click passes flags so
    **given: float | None,
) -> None:
    """Agents and lines for so many calls in an interval."""
    from web.sizing import command

    demand = Demand(calls=calls, handling_s=handling_s, span_s=span_s or 1_800)
    _print(command.of_calls(demand, _asked(given)), as_json=as_json)


def _day(day: str, queue: str, play: bool, as_json: bool, **given: float | None) -> None:  # noqa: FBT001 - click passes flags so
    """Each half hour of DAY (2026-11-22, today where it is not given): needed by each formula, beside those who were
    really there and the service level reached.
    """
    from orchestrator.whatif import asking
    from orchestrator.whatif.changes import Wanted
    from projections.sizing import Asked
    from web.sizing import command
    from web.whatif.command import span

    settings = load()
    database = cluster.ensure_running(settings, lambda text: click.echo(text, err=True))
    source = Source(database.url_reader, name="ringledger size")
    try:
        answer = None
        if play:
            log = Log(source, vault=Vault.unlock(settings.kek_file, KeyShelf(source)))
            answer = asking.ask(log, span(settings, day, 1), Wanted(region=settings.region))
        with source.borrow() as connection:
            told = command.of_day(connection, settings, Asked(day=day, queue_id=queue, **given), answer)
    finally:
        source.close()
        database.stop()
    _print(told, as_json=as_json)


def _asked(given: dict[str, float | None]) -> Terms:
    return Terms(**{name: value for name, value in given.items() if value is not None})


def _print(told: "Told", *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(told.data, enc_hook=str).decode())
        return
    for line in told.before:
        click.echo(line)
    if told.rows:
        print_table(told.rows[0], told.rows[1:])
    for line in told.after:
        click.echo(line)


def _json() -> click.Option:
    return click.Option(["--json", "as_json"], is_flag=True, help="For programs.")


_HANDLING: Final = _option("--handling", "handling_s", "Talk, hold and after-call work of a call.", required=True)
_command(
    "plan",
    _plan,
    _OF_PLAN,
    _option("--customers", "customers", "How many there are.", required=True),
    _option("--daily", "daily_percent", "Of the customers, so many call on a day.", required=True),
    _option("--busy", "busy_percent", "Of a day's calls, so many come in the busy hour.", required=True),
    _HANDLING,
    *_terms(of_day=False),
    _json(),
)
_command(
    "calls",
    _calls,
    _OF_CALLS,
    _option("--calls", "calls", "How many come in the interval.", required=True),
    _HANDLING,
    _option("--interval", "span_s", "How long the interval is.", 1_800),
    *_terms(of_day=False),
    _json(),
)
_command(
    "day",
    _day,
    _OF_DAY,
    click.Argument(["day"], default=""),
    click.Option(["--queue"], default="", help="The queue's id; all together where it is not given."),
    *_terms(of_day=True),
    click.Option(["--play"], is_flag=True, help="Play the day again, too (see `ringledger whatif`): a minute or more."),
    _json(),
)
