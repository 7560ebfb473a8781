"""What the verifier's parts share: the record at hand, complaints, debts between streams, and late deadlines.

A *debt* is what one stream owes another within the same decision: an offer that closes owes each agent that it held a
release. All records of one decision carry the same causation and stand side by side in the log; when the next decision
begins, every debt must be paid.
"""

from collections import OrderedDict

from msgspec import Struct

from orchestrator.audit.report import KEPT, Counts, Problem, problem
from orchestrator.domain.kernel import MILLISECOND, Instant, Record

# Ended streams are forgotten; the last ones are kept by name, so that an event after the end is called by its name.
ENDED_KEPT = 50_000

# An input that was stepped twice makes the same event ids again, soon after.
IDS_KEPT = 20_000

# The origin of all that the runner does after a start or a resync: it attests that the engine was away or blind.
RECOVERY = "recovery"


class Debt(Struct, frozen=True):
    """`what` is owed to a shift, on behalf of `ref` (an offer or a segment)."""

    what: str
    ref: str
    record: Record
    place: int


class _Late(Struct, frozen=True):
    problem: Problem
    due: Instant
    until: Instant
    beside: bool = False
    """Older only than what others wrote, as what is brought from a spool may be."""


class _Absence(Struct):
    """The last time that the engine was away: since when nothing was heard of it, and when it was back."""

    since: Instant = Instant(0)
    until: Instant = Instant(0)

    def explains(self, due: Instant, at: Instant, slack: int) -> bool:
        """Whether what was due within it, or just before, may be as late as `at`."""
        return self.since <= due + slack and due <= self.until and at <= self.until + slack


class Books:
    """State shared by the parts of one walk."""

    def __init__(self, *, slack_ms: int, capacity: int, strict: bool) -> None:
        self.counts = Counts()
        self.problems: list[Problem] = []
        self.problem_count = 0
        self.slack = slack_ms * MILLISECOND
        self._capacity = capacity
        self.capacities: dict[str, int] = {}
        """How many calls each agent may have at a time, as configured last."""
        self.agent_of: dict[str, str] = {}
        """The agent of each shift that goes on. Told by shifts' streams."""
        self.record: Record
        self.place = 0
        self.step = ""
        self.held: dict[str, dict[str, str]] = {}
        """Shift to the contacts that hold it: the contact's id to the offer or segment. Told by contacts' streams."""
        self.node_up_since: dict[str, Instant] = {}
        """Nodes that are connected, since when."""
        self.in_step: set[str] = set()
        """Nodes that are connected, and with which the ledger has been compared since."""
        self.versions: dict[str, int] = {}
        """The last version of each stream that has not ended."""
        self.ended: OrderedDict[str, int] = OrderedDict()
        """The last version of the streams that ended last."""
        self._event_ids: OrderedDict[str, None] = OrderedDict()
        self._debts: dict[str, list[Debt]] = {}
        self._late: list[_Late] = []
        self._strict = strict
        self._alive_at = Instant(0)
        self._silence = _Absence()
        self._recovery = _Absence()
        self._outage = _Absence()
        self._spooled_since: Instant | None = None
        """Since when what was decided went to a spool, of which not all has come yet."""

    # --- complaints -----------------------------------------------------------------------------------------------
    def complain(self, rule: str, text: str) -> None:
        """Note a problem at the record at hand."""
        self.note(problem(rule, self.record, self.place, text))

    def note(self, found: Problem) -> None:
        """Note a problem that was seen elsewhere."""
        self.problem_count += 1
        if len(self.problems) < KEPT:
            self.problems.append(found)

    def see_event_id(self, event_id: str) -> None:
        """Complain about an id that occurred not long ago."""
        if event_id in self._event_ids:
            self.complain("event_id", f"event id {event_id} occurs a second time")
        self._event_ids[event_id] = None
        if len(self._event_ids) > IDS_KEPT:
            self._event_ids.popitem(last=False)

    def end_stream(self) -> None:
        """The stream of the record at hand is over."""
        self.ended[self.record.stream] = self.record.version
        self.versions.pop(self.record.stream, None)
        if len(self.ended) > ENDED_KEPT:
            self.ended.popitem(last=False)

    # --- who is held by whom --------------------------------------------------------------------------------------
    def hold(self, shift: str, contact: str, ref: str) -> None:
        """A contact holds a shift; complains where that is one contact too many."""
        holders = self.held.setdefault(shift, {})
        new = contact not in holders
        holders[contact] = ref
        if new and len(holders) > self.capacities.get(self.agent_of.get(shift, ""), self._capacity):
            others = ", ".join(sorted(holders.keys() - {contact}))
            self.complain("capacity", f"shift {shift} is offered or engaged with {contact} while it has {others}")

    def let_go(self, shift: str, contact: str) -> None:
        """A contact holds a shift no longer."""
        holders = self.held.get(shift)
        if holders is not None:
            holders.pop(contact, None)
            if not holders:
                del self.held[shift]

    # --- debts ----------------------------------------------------------------------------------------------------
    def owe(self, shift: str, what: str, ref: str) -> None:
        """The record at hand asks something of a shift, within this decision: after what was asked of it before."""
        self._debts.setdefault(shift, []).append(Debt(what, ref, self.record, self.place))

    def pay(self, shift: str, what: str, ref: str) -> None:
        """The record at hand does what was asked of its shift; complains where nothing was."""
        debts = self._debts.get(shift, [])
        if not debts or (debts[0].what, debts[0].ref) != (what, ref):
            self.complain("unfounded", f"{what} for {ref}, of which no contact knows in this decision")
            return
        del debts[0]

    def settle_debts(self) -> None:
        """A decision is over: everything must have been paid."""
        for shift, debts in self._debts.items():
            for debt in debts:
                self._default(shift, debt)
        self._debts.clear()

    def _default(self, shift: str, debt: Debt) -> None:
        text = f"{debt.what} of shift {shift} for {debt.ref} did not follow in the same decision"
        self.note(problem("half_done", debt.record, debt.place, text))

    # --- deadlines ------------------------------------------------------------------------------------------------
    def check_deadline(self, due: Instant, what: str) -> None:
        """What was due has happened with the record at hand; complain if too late and nothing explains it.

        What explains a delay is a record of recovery, or one that the database was away, close to the event: before
        it, or soon after. Unless the walk is strict, so does the engine's silence: not one live record between the
        deadline and a moment just before the event, as when its process was away. All are counted.
        """
        about = self.record.about
        if about.at <= due + self.slack:
            return
        if about.origin == RECOVERY or self._recovery.explains(due, about.at, self.slack):
            self.counts.delays_by_recovery += 1
        elif self._outage.explains(due, about.at, self.slack):
            self.counts.delays_by_outage += 1
        elif self._silence.explains(due, about.at, self.slack) and not self._strict:
            self.counts.delays_by_silence += 1
        else:
            text = f"{what} was due {(about.at - due) // MILLISECOND} ms earlier"
            found = problem("overdue", self.record, self.place, text)
            self._late.append(_Late(found, due, Instant(about.at + self.slack)))

    def check_clock(self, latest: Instant, *, by_engine: bool, beside: bool) -> None:
        """The record at hand is much older than one before it. What the engine decided just before the database went
        away, or by a spool, is stored when it is back, maybe after what others wrote at once: then a record soon after,
        or at the end of what was spooled, tells why. `beside`: it is older only than what others wrote.
        """
        at = self.record.about.at
        found = problem("time", self.record, self.place, f"the clock went back by {(latest - at) // MILLISECOND} ms")
        if by_engine:
            self._late.append(_Late(found, at, Instant(latest + self.slack), beside))
        else:
            self.note(found)

    def see_sign_of_life(self) -> None:
        """The record at hand is the engine's own: judge its absences, and the late ones anew."""
        about = self.record.about
        if about.at > self._alive_at + self.slack:
            self._silence = _Absence(self._alive_at, about.at)
        if about.at > self._alive_at:  # noqa: PLR1730 - `max` is several times as dear, and this is done for every record
            self._alive_at = about.at
        if about.origin == RECOVERY:
            self._recovery = _Absence(Instant(0), about.at)
        if self._late:
            self._judge(about.at)

    def see_outage(self, away_ms: int) -> None:
        """The record at hand says that the database was away until now."""
        at = self.record.about.at
        self.counts.database_outages += 1
        self.counts.database_away_ms += away_ms
        self._outage = _Absence(Instant(at - away_ms * MILLISECOND), at)
        self._judge(at)

    def see_spool_begin(self, away_ms: int) -> None:
        """What is decided from the record at hand on went to a spool; for so long before nothing could be kept."""
        self._spooled_since = Instant(self.record.about.at - away_ms * MILLISECOND)

    def see_spool_end(self) -> None:
        """With the record at hand all that was spooled is in the log."""
        since, self._spooled_since = self._spooled_since, None
        if since is None:
            return
        spooled = _Absence(since, self.record.about.at)
        waiting = [
            late for late in self._late if not (late.beside and spooled.explains(late.due, late.due, self.slack))
        ]
        self.counts.delays_by_outage += len(self._late) - len(waiting)
        self._late = waiting

    def _judge(self, now: Instant) -> None:
        waiting = []
        for late in self._late:
            if late.beside and self._spooled_since is not None:
                waiting.append(late)
            elif late.until < now:
                self.note(late.problem)
            elif self._recovery.explains(late.due, late.problem.at, self.slack):
                self.counts.delays_by_recovery += 1
            elif self._outage.explains(late.due, late.problem.at, self.slack):
                self.counts.delays_by_outage += 1
            else:
                waiting.append(late)
        self._late = waiting

    def finish(self) -> None:
        """The log is over: what is unpaid or unexplained stays so."""
        self.settle_debts()
        for late in self._late:
            self.note(late.problem)
        self._late.clear()
