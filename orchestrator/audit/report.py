"""What the verifier found: counts first, for a proof over nothing proves nothing; then problems and where they are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field

from orchestrator.domain.kernel import Instant, Record

# Problems kept in full; the others are counted. A log that is wrong throughout needs no longer list.
KEPT = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Problem(Struct, frozen=True, kw_only=True):
    """Something in the log that must not be. `rule` is a stable code, `text` a sentence."""

    rule: str
    stream: str
    """Empty for a problem of the log as a whole."""
    version: int
    position: int
    """Place in the log; for records that were never stored, their place in the iteration."""
    at: Instant
    text: str

    def __str__(self) -> str:
        if not self.stream:
            return f"{self.rule}: {self.text}"
        place = f"{self.stream} version {self.version}, position {self.position}, {moment(self.at)}"
        return f"{self.rule}: {place}: {self.text}"


class Live(Struct, kw_only=True):
    """What the log leaves open at its end."""

    contacts: int = 0
    queued_contacts: int = 0
    offers: int = 0
    segments: int = 0
    legs: int = 0
    shifts: int = 0
    engaged_shifts: int = 0
    """Shifts that are reserved, talking or wrapping up."""
    stray_legs: int = 0


class Counts(Struct, kw_only=True):
    """What the log holds."""

    events: int = 0
    streams: int = 0
    contacts: int = 0
    queued_contacts: int = 0
    ended_contacts: int = 0
    ended_queued_contacts: int = 0
    unattended: int = 0
    """Calls that a switch served alone."""
    unattended_lost: int = 0
    """Those of them of whose end nothing is known, for the switch died."""
    ended_by_reason: dict[str, int] = field(default_factory=dict)
    turned_away_by_reason: dict[str, int] = field(default_factory=dict)
    overflows: int = 0
    """Queues that a caller left, or did not enter, for another place."""
    offers: int = 0
    offers_by_outcome: dict[str, int] = field(default_factory=dict)
    """connected, rejected, timed_out, withdrawn, failed."""
    declined_reservations: int = 0
    """Agents who dropped out of an offer that lived on with others."""
    segments: int = 0
    """Conversations between a caller and one agent."""
    parks: int = 0
    """Callers whom an agent parked."""
    transfers: int = 0
    """Callers whom an agent passed on."""
    consults: int = 0
    """Consultations about a caller."""
    guests: int = 0
    """Who was invited to three who heard each other."""
    monitors: int = 0
    """Talks that a supervisor heard, or wanted to."""
    callbacks: int = 0
    """Callers who asked to be called back."""
    dialled: int = 0
    """Contacts that agents began by dialling a number."""
    outside_segments: int = 0
    """Conversations between a caller and a number outside."""
    wrap_ups_started: int = 0
    wrap_ups_ended: int = 0
    shifts: int = 0
    shifts_ended: int = 0
    legs: int = 0
    legs_closed: int = 0
    legs_closed_by_repair: int = 0
    stray_legs: int = 0
    alarms: int = 0
    """Calls to a number that no entry point serves."""
    node_losses: int = 0
    node_repairs: int = 0
    configuration_versions: int = 0
    customers: int = 0
    delays_by_recovery: int = 0
    """Deadlines that passed while the engine was away, as a record of its recovery attests."""
    delays_by_outage: int = 0
    """Deadlines that passed while the database was away, as the engine recorded when it was back."""
    database_outages: int = 0
    database_away_ms: int = 0
    """All of them together."""
    delays_by_silence: int = 0
    """Deadlines that passed while nothing at all was heard of the engine."""
    steps_back: int = 0
    """Records whose `at` is earlier than that of the record before them."""
    largest_switch_skew_ms: int = 0
    """The largest distance between our clock and the switch's on one record."""
    unknown_events: dict[str, int] = field(default_factory=dict)
    """Events that this code does not know, by name and version."""


class Report(Struct, frozen=True, kw_only=True):
    """The outcome of one walk over the log."""

    ok: bool
    """Whether nothing is wrong and there was enough to prove something."""
    counts: Counts
    live: Live
    problems: tuple[Problem, ...]
    """The first ones; `problem_count` is how many there are."""
    problem_count: int
    last_position: int
    first_at: Instant
    last_at: Instant

    def text(self) -> str:
        """The report for people, in lines."""
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The report for people: counts, what is still open, problems, verdict."""
        counts = self.counts
        span = f", {moment(self.first_at)} to {moment(self.last_at)}" if counts.events else ""
        yield f"events      {counts.events} in {counts.streams} streams, up to position {self.last_position}{span}"
        reasons = _parts(counts.ended_by_reason)
        yield f"contacts    {counts.contacts}: {counts.queued_contacts} queued, {counts.ended_contacts} ended{reasons}"
        if counts.unattended:
            lost = f", {counts.unattended_lost} of them until it died" if counts.unattended_lost else ""
            yield f"unattended  {counts.unattended} calls that a switch served alone{lost}"
        if counts.turned_away_by_reason or counts.overflows:
            away = sum(counts.turned_away_by_reason.values())
            yield f"turned away {away}{_parts(counts.turned_away_by_reason)}; {counts.overflows} waits overflowed"
        yield f"offers      {counts.offers}{_parts(counts.offers_by_outcome)}, {counts.declined_reservations} declined"
        yield (
            f"shifts      {counts.shifts}, {counts.shifts_ended} ended; {counts.segments} conversations, "
            f"{counts.wrap_ups_started} wrap-ups started, {counts.wrap_ups_ended} ended"
        )
        if counts.parks:
            yield f"parked      {counts.parks}"
        if counts.transfers or counts.consults:
            guests = f", {counts.guests} more invited" if counts.guests else ""
            yield f"transfers   {counts.transfers}, {counts.consults} consultations{guests}"
        if counts.monitors:
            yield f"monitored   {counts.monitors}"
        if counts.callbacks or counts.outside_segments:
            yield f"outside     {counts.callbacks} callbacks asked for, {counts.outside_segments} conversations outside"
        if counts.dialled:
            yield f"dialled     {counts.dialled} contacts begun by agents"
        yield (
            f"legs        {counts.legs}, {counts.legs_closed} closed ({counts.legs_closed_by_repair} by repair), "
            f"{counts.stray_legs} strays"
        )
        yield (
            f"also        {counts.configuration_versions} configuration versions, {counts.customers} customers, "
            f"{counts.alarms} alarms, {counts.node_losses} node losses, {counts.node_repairs} repairs, "
            f"{counts.steps_back} steps back of the clock, switch clock off by up to {counts.largest_switch_skew_ms} ms"
        )
        yield (
            f"delays      {counts.delays_by_recovery} explained by a recovery, {counts.delays_by_outage} by the "
            f"database's absence ({counts.database_outages} times, {counts.database_away_ms} ms in all), "
            f"{counts.delays_by_silence} by silence of the engine"
        )
        live = self.live
        yield (
            f"still open  {live.contacts} contacts ({live.queued_contacts} queued), {live.offers} offers, "
            f"{live.segments} conversations, {live.legs} legs, {live.shifts} shifts ({live.engaged_shifts} engaged), "
            f"{live.stray_legs} strays"
        )
        if counts.unknown_events:
            yield f"unknown     {_parts(counts.unknown_events).strip(' ()')}"
        for problem in self.problems:
            yield str(problem)
        if self.problem_count > len(self.problems):
            yield f"… and {self.problem_count - len(self.problems)} more problems"
        if self.ok:
            yield f"verified: {counts.ended_queued_contacts} queued contacts ended exactly once each; no problem found"
        else:
            yield f"NOT verified: {self.problem_count} problem{'s' if self.problem_count > 1 else ''}"


def problem(rule: str, record: Record, place: int, text: str) -> Problem:
    """A problem seen at this record."""
    return Problem(
        rule=rule, stream=record.stream, version=record.version, position=place, at=record.about.at, text=text
    )


def moment(at: Instant) -> str:
    """An instant as people write it, in UTC; the bare number where no calendar reaches it."""
    try:
        return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return f"{at} µs"


def _parts(counted: dict[str, int]) -> str:
    return f" ({', '.join(f'{count} {name}' for name, count in sorted(counted.items()))})" if counted else ""
