"""The verifier accepts what the engine writes and refuses what it must not: each rule is broken once, by hand."""

import re
import tracemalloc
from collections.abc import Callable, Iterator

import msgspec
import pytest
from msgspec.structs import replace

from orchestrator.audit import Report, books, verify
from orchestrator.audit.contacts import Contacts
from orchestrator.audit.shifts import Shifts
from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.contacts import events as contacts
from orchestrator.domain.contacts.dial_events import ContactDialled, NumberAnswered, NumberDelivered, NumberDialled
from orchestrator.domain.customers.blacklist import NumberBlacklisted
from orchestrator.domain.engine import DatabaseReturned, SpoolBegun
from orchestrator.domain.kernel import MILLISECOND, SECOND, Event, Instant, Provenance, Record, UnknownEvent, kind_of
from orchestrator.domain.staff import shifts
from orchestrator.domain.switch import facts, nodes
from orchestrator.runner import inputs
from tests.audit.centre import BEGINNING, NODE, Centre, stored
from tests.runner.test_dial import Dialled

Log = list[Record]


def busy_day() -> Centre:
    """Every kind of ending: served, abandoned while ringing, missed by one agent, held, paused during a call."""
    centre = Centre(agents=2)
    centre.ready(1)
    centre.ready(2)
    centre.serve()
    centre.pass_ms(31_000)
    caller = centre.call()
    missed = centre.rung[-1]
    centre.give(facts.LegRinging(node=NODE, leg=missed.leg), 50)
    centre.pass_ms(20_000)
    centre.hang_up(missed.leg, cause="NO_ANSWER")
    centre.hang_up(caller, centre.rung[-1].leg)
    centre.pass_ms(31_000)
    caller = centre.call()
    ring = centre.rung[-1]
    centre.answer(ring)
    centre.bridge(caller, ring)
    agent = next(a.number for a in centre.world.agents.values() if a.extension == ring.extension)
    centre.give(inputs.Hold(agent=agent), 100)
    centre.give(facts.LegHeld(node=NODE, leg=ring.leg), 20)
    centre.give(inputs.Resume(agent=agent), 5_000)
    centre.give(facts.LegResumed(node=NODE, leg=ring.leg), 20)
    centre.give(inputs.Pause(agent=agent, reason="break"), 20)
    centre.hang_up(ring.leg, caller)
    centre.stop()
    return centre


def day() -> Log:
    return stored(busy_day().records)


def proof(log: Log, *, strict: bool = True) -> Report:
    return verify(log, settled=True, strict=strict)


def rules(report: Report) -> set[str]:
    return {problem.rule for problem in report.problems}


def place(log: Log, cls: type[Event], nth: int = 0) -> int:
    return [index for index, record in enumerate(log) if isinstance(record.event, cls)][nth]


def renumbered(log: Log) -> Log:
    """The same records with positions and versions as if they had always been like this."""
    versions: dict[str, int] = {}
    out = []
    for position, record in enumerate(log, start=1):
        version = versions[record.stream] = versions.get(record.stream, 0) + 1
        out.append(replace(record, position=position, version=version))
    return out


def without(log: Log, cls: type[Event], nth: int = 0) -> Log:
    cut = place(log, cls, nth)
    return renumbered(log[:cut] + log[cut + 1 :])


def changed(log: Log, cls: type[Event], nth: int = 0, **fields: object) -> Log:
    at = place(log, cls, nth)
    return [*log[:at], replace(log[at], event=replace(log[at].event, **fields)), *log[at + 1 :]]


def inserted(log: Log, before: int, stream: str, event: Event) -> Log:
    about = log[before].about
    extra = Record(stream=stream, version=1, event=event, event_id="extra", about=about)
    return renumbered([*log[:before], extra, *log[before:]])


def later(log: Log, cls: type[Event], by_ms: int, nth: int = 0) -> Log:
    """That record and all after it happened later."""
    at = place(log, cls, nth)
    return log[:at] + [_moved(record, by_ms) for record in log[at:]]


def _moved(record: Record, by_ms: int) -> Record:
    return replace(record, about=replace(record.about, at=Instant(record.about.at + by_ms * MILLISECOND)))


def test_a_day_of_calls_is_verified_and_counted() -> None:
    """Features 11.1, 11.8: every queued contact ends exactly once, and the counts say how many were looked at."""
    report = proof(day())
    assert report.ok, report.text()
    counts = report.counts
    assert counts.queued_contacts == counts.ended_queued_contacts == 3
    assert counts.ended_by_reason == {"completed": 2, "abandoned": 1}
    assert counts.offers_by_outcome == {"connected": 2, "timed_out": 1, "withdrawn": 1}
    assert counts.offers == 4
    assert counts.wrap_ups_started == counts.wrap_ups_ended == counts.segments == 2
    assert (counts.shifts, counts.shifts_ended) == (2, 2)
    assert counts.legs == counts.legs_closed == 7
    assert counts.configuration_versions == 1
    assert report.last_position == counts.events == len(day())
    assert "3 queued contacts ended exactly once each" in report.text()


def test_records_that_were_never_stored_are_verified_too() -> None:
    """Feature 11.8: simulations hand over what the runner made, without positions."""
    assert proof(busy_day().records).ok


def test_an_offer_to_two_phones_at_once_is_verified() -> None:
    centre = Centre(agents=2, ring_at_once=2)
    centre.ready(1)
    centre.ready(2)
    caller = centre.call()
    first, second = centre.rung
    centre.answer(first)
    centre.bridge(caller, first)
    centre.hang_up(second.leg, cause="LOSE_RACE")
    centre.hang_up(caller, first.leg)
    centre.stop()
    report = proof(stored(centre.records))
    assert report.ok, report.text()
    assert report.counts.declined_reservations == 1


def test_an_empty_log_proves_nothing() -> None:
    report = verify([])
    assert not report.ok
    assert rules(report) == {"expected"}
    assert verify([], expect_contacts=0).ok


def test_a_log_with_fewer_contacts_than_expected_is_refused() -> None:
    assert verify(day(), expect_contacts=3).ok
    assert rules(verify(day(), expect_contacts=4)) == {"expected"}


def test_contacts_in_progress_are_allowed_and_counted_apart() -> None:
    centre = Centre()
    centre.ready(1)
    centre.serve()
    centre.pass_ms(31_000)
    centre.call()
    log = stored(centre.records)
    report = verify(log)
    assert report.ok, report.text()
    live = report.live
    assert (live.contacts, live.queued_contacts, live.offers, live.legs) == (1, 1, 1, 2)
    assert (live.shifts, live.engaged_shifts) == (1, 1)
    assert rules(verify(log, settled=True)) == {"unsettled"}


def test_a_report_can_be_read_by_programs() -> None:
    told = msgspec.json.decode(msgspec.json.encode(proof(without(day(), contacts.OfferWithdrawn))))
    assert told["ok"] is False
    assert told["problems"][0].keys() == {"rule", "stream", "version", "position", "at", "text"}
    assert told["counts"]["queued_contacts"] == 3


# --- each rule broken once -------------------------------------------------------------------------------------------


def _stuck_offer(log: Log) -> Log:
    """Complaint 1: everything after the offer that was missed is lost but another call goes on."""
    offer = log[place(log, contacts.OfferTimedOut)].event
    assert isinstance(offer, contacts.OfferTimedOut)
    return later(log, contacts.OfferTimedOut, 15_000)


def _second_end(log: Log) -> Log:
    end = log[place(log, contacts.ContactEnded)]
    return [*log, replace(end, version=end.version + 1, position=len(log) + 1, event_id="again")]


def _double_offer(log: Log) -> Log:
    """The second call is offered to the agent who is talking in the first."""
    talking = log[place(log, contacts.ContactConnected)].event
    assert isinstance(talking, contacts.ContactConnected)
    made = place(log, contacts.OfferMade, 1)
    event = log[made].event
    assert isinstance(event, contacts.OfferMade)
    moved = event.reservations[0]
    connected = place(log, contacts.ContactConnected)
    rows = [
        *log[:made],
        replace(log[made], event=replace(event, reservations=(replace(moved, shift_id=talking.shift_id),))),
    ]
    head, tail = rows[: connected + 3], rows[connected + 3 : made - 2]
    arrival = rows[made - 2 : made + 1]
    return renumbered(head + arrival + [r for r in tail if kind_of(r.stream) == "contact"])


BROKEN: dict[str, tuple[Callable[[Log], Log], str]] = {
    "an event that is missing in a stream": (lambda log: log[:20] + log[21:], "versions"),
    "an event that is stored twice": (lambda log: [*log[:20], log[20], *log[20:]], "versions"),
    "positions out of order": (lambda log: [*log[:20], log[21], log[20], *log[22:]], "order"),
    "an event id used twice": (
        lambda log: [*log[:21], replace(log[21], event_id=log[20].event_id), *log[22:]],
        "event_id",
    ),
    "a contact that ends twice (feature 11.8)": (_second_end, "ends_once"),
    "a contact that never ends": (lambda log: without(log, contacts.ContactEnded), "unsettled"),
    "a contact that ends with a leg open": (lambda log: without(log, contacts.LegClosed), "open_at_end"),
    "a contact that ends in its queue": (lambda log: without(log, contacts.QueueVisitEnded), "open_at_end"),
    "a contact that ends in a conversation": (lambda log: without(log, contacts.AgentSegmentEnded), "open_at_end"),
    "a wait that is measured from before the caller came (feature 12.4)": (
        lambda log: changed(log, contacts.ContactQueued, came_at=Instant(1)),
        "visit",
    ),
    "a contact that never arrived": (lambda log: without(log, contacts.ContactArrived), "beginning"),
    "a leg that closes twice": (
        lambda log: changed(log, contacts.LegClosed, 1, leg="caller-1"),
        "leg",
    ),
    "a stuck offer (complaint 1)": (_stuck_offer, "overdue"),
    "an agent not reserved by an offer": (lambda log: without(log, shifts.AgentReserved), "half_done"),
    "an agent left reserved (complaint 3)": (lambda log: without(log, shifts.AgentReleased), "half_done"),
    "an agent released without reason": (lambda log: without(log, contacts.OfferTimedOut), "unfounded"),
    "an offer to an agent who has another contact": (_double_offer, "capacity"),
    "an offer after the caller left (complaint 5)": (
        lambda log: inserted(
            log,
            place(log, contacts.ContactEnded),
            log[place(log, contacts.ContactEnded)].stream,
            log[place(log, contacts.OfferMade)].event,
        ),
        "offer",
    ),
    "a conversation without wrap-up (complaint 11)": (lambda log: without(log, shifts.WrapUpStarted), "half_done"),
    "a wrap-up without an end (complaint 11)": (lambda log: without(log, shifts.WrapUpEnded), "shift"),
    "a wrap-up that is cut short by a new offer (complaint 11)": (
        lambda log: without(log, shifts.WrapUpEnded, 0),
        "shift",
    ),
    "an agent connected to another offer": (
        lambda log: changed(log, shifts.AgentConnected, offer_id="other"),
        "shift",
    ),
    "an offer outcome for an offer that is not open": (
        lambda log: changed(log, contacts.OfferTimedOut, offer_id="other"),
        "offer",
    ),
    "a leg answered that the offer does not ring": (
        lambda log: changed(log, contacts.OfferAnswered, leg="other"),
        "offer",
    ),
    "hold outside a conversation": (lambda log: changed(log, contacts.ContactHeld, segment_id="other"), "segment"),
    "an agent in two seats": (
        lambda log: inserted(
            log, place(log, contacts.ContactArrived), "shift-x", shifts.AgentSignedIn(agent_id="a1", extension="9")
        ),
        "one_seat",
    ),
    "two agents at one phone": (
        lambda log: inserted(
            log, place(log, contacts.ContactArrived), "shift-x", shifts.AgentSignedIn(agent_id="a9", extension="2001")
        ),
        "one_seat",
    ),
    "an event after signing out": (
        lambda log: [
            *log,
            replace(
                log[place(log, shifts.AgentMadeReady)],
                version=log[-1].version + 1,
                stream=log[-1].stream,
                position=len(log) + 1,
                event_id="after",
            ),
        ],
        "after_end",
    ),
    "an event of another kind of stream": (
        lambda log: inserted(log, 30, "shift-y", contacts.ContactHeld(segment_id="s")),
        "kind",
    ),
    "a clock that goes back": (lambda log: [*log[:30], _moved(log[30], -60_000), *log[31:]], "time"),
    "an event without a time": (
        lambda log: [replace(log[0], about=replace(log[0].about, at=Instant(0))), *log[1:]],
        "time",
    ),
    "configuration that no version lists": (
        lambda log: [r for r in log if r.stream != "config-main"],
        "configuration",
    ),
    "a version that lists other changes": (
        lambda log: without(log, type(log[0].event)),
        "configuration",
    ),
    "a restart of a switch that nobody noticed": (
        lambda log: inserted(log, 30, f"node-{NODE}", nodes.NodeConnected(core="run-2")),
        "node",
    ),
    "a switch that is dead though it is connected": (
        lambda log: inserted(log, 30, f"node-{NODE}", nodes.NodeDied(silent_ms=60_000)),
        "node",
    ),
    "a stray leg that was never found": (
        lambda log: inserted(log, 30, f"node-{NODE}", nodes.StrayLegClosed(leg="x", cause="NORMAL_CLEARING")),
        "stray",
    ),
    "a stray leg that lives on (complaint 5)": (
        lambda log: inserted(log, 30, f"node-{NODE}", nodes.StrayLegFound(leg="x", contact_id="c", offer_id="o")),
        "unsettled",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_log_is_refused(name: str) -> None:
    """Features 11.5, 11.8; complaints 1, 3, 5, 11: each rule sees the break that it is there for."""
    breaking, rule = BROKEN[name]
    report = proof(breaking(day()))
    assert not report.ok
    assert rule in rules(report), report.text()


# What may be missing without a contradiction: these say more, but nothing rests on them.
_TELL_ONLY = {
    "HoldRequested",
    "OfferAnswered",
    "OfferDelivered",
    "PauseRequested",
    "ResumeRequested",
    "ContactHeld",
    "ContactResumed",
    "AgentSignedOut",  # who stays signed in is no contradiction
    "AgentStoodDown",
    "NodeConnected",
    "OfferAccepted",
}


def test_nothing_that_others_rest_on_can_be_cut_out_even_with_new_numbers() -> None:
    """Feature 11.5: an event taken out leaves a contradiction, though all positions and versions follow on."""
    log = day()
    unseen = set()
    for cut, record in enumerate(log):
        report = proof(renumbered(log[:cut] + log[cut + 1 :]))
        if report.ok:
            unseen.add(type(record.event).__name__)
    assert unseen <= _TELL_ONLY, unseen - _TELL_ONLY


def test_a_problem_names_its_place() -> None:
    log = day()
    cut = place(log, contacts.LegClosed)
    report = proof(log[:cut] + log[cut + 1 :])
    first = report.problems[0]
    assert (first.rule, first.stream, first.version, first.position) == (
        "versions",
        log[cut].stream,
        log[cut].version + 1,
        log[cut].position + 1,
    )
    assert f"{log[cut].stream} version {log[cut].version + 1}, position {log[cut].position + 1}" in report.text()


def test_a_log_that_is_wrong_throughout_is_told_in_bounded_length() -> None:
    log = [replace(record, position=1) for record in day() * 10]
    report = proof(log)
    assert len(report.problems) == 200 < report.problem_count
    assert f"and {report.problem_count - 200} more problems" in report.text()


# --- deadlines -------------------------------------------------------------------------------------------------------


def _offer_over_an_outage(*, recovery: bool) -> Log:
    """An offer made just before the engine went away for a minute, and closed after."""
    centre = Centre(agents=2)
    centre.ready(1)
    caller = centre.call()
    centre.stand_still_ms(60_000)
    if recovery:
        centre.give(inputs.Started(epoch=2, position=0))
        centre.give(facts.LinkUp(node=NODE, core="run-1"), 100)
        leg = facts.SeenLeg(leg=caller, inbound=True, parked=True, answered=True, context="ringledger-inbound")
        centre.give(facts.Snapshot(node=NODE, core="run-1", legs=(leg,)), 100)
    centre.pass_ms(100)
    centre.hang_up(caller, centre.rung[0].leg)
    centre.stop()
    return stored(centre.records)


def test_an_offer_that_outlives_an_outage_is_explained_by_the_recovery() -> None:
    """Feature 12.1: after a restart the open offer is withdrawn, late, by a record of recovery."""
    report = proof(_offer_over_an_outage(recovery=True))
    assert report.ok, report.text()
    assert report.counts.delays_by_recovery == 1
    assert report.counts.delays_by_silence == 0


def _offer_over_an_absence_of_the_database(away_ms: int) -> Log:
    """The engine lives and its database was away for a minute, or says that it was away for so long."""
    centre = Centre(agents=2)
    centre.ready(1)
    caller = centre.call()
    centre.stand_still_ms(60_000)
    centre.give(inputs.DatabaseBack(away_ms=away_ms, held=2))
    centre.pass_ms(100)
    centre.hang_up(caller, centre.rung[0].leg)
    centre.stop()
    return stored(centre.records)


def test_an_offer_that_outlives_an_absence_of_the_database_is_explained_by_the_fact() -> None:
    """Complaint 1, feature 12.2: the log says that nothing could be decided, and for how long."""
    report = proof(_offer_over_an_absence_of_the_database(59_000))
    assert report.ok, report.text()
    assert (report.counts.delays_by_outage, report.counts.delays_by_silence) == (1, 0)
    assert (report.counts.database_outages, report.counts.database_away_ms) == (1, 59_000)
    assert "1 by the database's absence (1 times, 59000 ms in all)" in report.text()


def test_an_absence_of_the_database_explains_only_what_fell_due_in_it() -> None:
    """Complaint 1: the offer was due half a minute before the database went away."""
    assert rules(proof(_offer_over_an_absence_of_the_database(9_000))) == {"overdue"}


def _stored_after_what_others_wrote(away_ms: int) -> Log:
    """The caller came just before the database was away; somebody else wrote first when it was back."""
    log = _offer_over_an_absence_of_the_database(away_ms)
    back = log[place(log, DatabaseReturned)].about.at
    first = place(log, contacts.ContactArrived)
    log = inserted(log, first, "blacklist-x", NumberBlacklisted(number="+861", reason="nuisance"))
    return [*log[:first], _moved(log[first], (back - log[first].about.at) // 1_000 - 100), *log[first + 1 :]]


def test_what_was_on_its_way_to_a_database_that_went_away_may_be_older_than_what_others_wrote_at_its_return() -> None:
    """Feature 12.2: the log says for how long nothing could be stored."""
    report = proof(_stored_after_what_others_wrote(60_000))
    assert report.ok, report.text()


def test_a_clock_that_goes_back_is_not_explained_by_a_shorter_absence_of_the_database() -> None:
    assert "time" in rules(proof(_stored_after_what_others_wrote(9_000)))


def _spooled_behind_what_others_wrote(*, returned: bool = True) -> Log:
    """Two minutes of a spool come to the log when somebody else has written there already."""
    centre = Centre(agents=2)
    centre.ready(1)
    caller = centre.call()
    centre.hang_up(centre.rung[0].leg, caller)
    centre.give(inputs.DatabaseAway(spool="spool-1", away_ms=200))
    for _ in range(12):
        centre.pass_ms(10_000)
        centre.give(inputs.SignIn(agent="1002"))
        centre.give(inputs.SignOut(agent="1002"))
    if returned:
        centre.give(inputs.DatabaseBack(away_ms=120_000, held=0, spooled=50))
        centre.pass_ms(1_000)
    centre.stop()
    log = stored(centre.records)
    first = place(log, SpoolBegun)
    log = inserted(log, first, "blacklist-x", NumberBlacklisted(number="+861", reason="nuisance"))
    return [*log[:first], _moved(log[first], 120_000), *log[first + 1 :]]


def test_what_comes_from_a_spool_may_be_older_than_what_others_wrote_at_the_database_s_return() -> None:
    """Feature 12.2: its own order is what counts."""
    report = proof(_spooled_behind_what_others_wrote())
    assert report.ok, report.text()
    assert report.counts.delays_by_outage > 20


def test_a_clock_that_goes_back_within_a_spool_or_behind_one_that_did_not_end_is_refused() -> None:
    log = _spooled_behind_what_others_wrote()
    middle = place(log, shifts.AgentSignedOut, 6)
    moved = [*log[:middle], _moved(log[middle], -60_000), *log[middle + 1 :]]
    assert "time" in rules(proof(moved))
    assert "time" in rules(proof(_spooled_behind_what_others_wrote(returned=False)))


def test_an_offer_closed_late_after_silence_is_counted_and_refused_when_strict() -> None:
    """Complaint 1: without a record of recovery only the engine's silence speaks for it, which a simulation refuses."""
    log = _offer_over_an_outage(recovery=False)
    report = proof(log, strict=False)
    assert report.ok, report.text()
    assert report.counts.delays_by_silence == 1
    assert "1 by silence" in report.text()
    assert rules(proof(log)) == {"overdue"}


def test_an_offer_closed_late_while_the_engine_was_awake_is_refused() -> None:
    """Complaint 1: an offer for ever open while other things go on."""
    centre = Centre(agents=2)
    centre.ready(1)
    caller = centre.call()
    centre.world.timers.cancel(("offer", next(iter(centre.world.contacts))))
    for _ in range(12):  # the engine lives: agent 2 comes and goes, and nobody looks after the offer
        centre.stand_still_ms(2_500)
        centre.give(inputs.SignIn(agent="1002"))
        centre.give(inputs.SignOut(agent="1002"))
    centre.hang_up(centre.rung[0].leg, caller)
    centre.stop()
    assert rules(proof(stored(centre.records), strict=False)) == {"overdue"}


def test_an_offer_still_open_long_after_its_deadline_is_refused() -> None:
    """Complaint 1: nobody ever closed it."""
    centre = Centre()
    centre.ready(1)
    centre.call()
    log = stored(centre.records)
    assert verify(log, expect_contacts=0).ok
    late = Instant(log[-1].about.at + 30 * SECOND)
    report = verify(log, expect_contacts=0, now=late)
    assert rules(report) == {"overdue"}
    assert "is still open" in report.text()


def test_an_event_from_the_future_is_refused() -> None:
    assert "time" in rules(verify(day(), now=BEGINNING))


def test_a_leg_that_outlives_its_reason_by_minutes_is_refused() -> None:
    """Complaint 5: the agent's phone goes on ringing after the caller left."""
    centre = Centre()
    centre.ready(1)
    caller = centre.call()
    centre.hang_up(caller)
    centre.pass_ms(250_000)  # the ledger asks after it now and then, and the switch says nothing
    assert rules(verify(stored(centre.records), expect_contacts=0)) == {"overdue"}
    centre.hang_up(centre.rung[0].leg)
    assert rules(verify(stored(centre.records))) == {"overdue"}


@pytest.mark.parametrize("left_out", (NumberDialled, NumberAnswered))
def test_a_talk_with_a_number_that_was_not_called_or_did_not_answer_is_refused(left_out: type[Event]) -> None:
    """Feature 1.2: what an agent dials is called, answers, and only then talks."""
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    ring = scene.agent_answers()
    scene.bridge(scene.number_answers(), ring)
    report = verify(stored(scene.records), expect_contacts=0)
    assert report.ok, report.text()
    cut = renumbered([record for record in stored(scene.records) if not isinstance(record.event, left_out)])
    assert "dial" in rules(verify(stored(cut), expect_contacts=0))


def test_a_number_that_is_heard_without_having_been_called_is_refused() -> None:
    """Feature 1.2."""
    scene = Dialled()
    scene.ready(1)
    scene.dial()
    ring = scene.agent_answers()
    scene.give(facts.LegRinging(node=scene.it.node, leg=scene.called().leg, contact=scene.it.contact_id))
    scene.bridge(scene.number_answers(), ring)
    log = stored(scene.records)
    report = verify(log, expect_contacts=0)
    assert report.ok, report.text()
    (at,) = (place for place, record in enumerate(log) if isinstance(record.event, NumberDelivered))
    of_another = replace(log[at], event=replace(log[at].event, leg="another"))
    assert "dial" in rules(verify(stored([*log[:at], of_another, *log[at + 1 :]]), expect_contacts=0))


@pytest.mark.parametrize(
    ("kind", "first"),
    (("contact", {contacts.ContactArrived, ContactDialled}), ("shift", {shifts.AgentSignedIn})),
)
def test_every_event_of_a_contact_or_shift_is_judged(kind: str, first: set[type[Event]]) -> None:
    """An event added to the catalogue must be given its place here, too."""
    empty = books.Books(slack_ms=0, capacity=1, strict=True)
    handlers: set[type[Event]] = {*(Contacts(empty).handlers if kind == "contact" else Shifts(empty).handlers)}
    assert handlers | first == {entry.cls for entry in CATALOGUE.values() if entry.kind == kind}


# --- what is not known -----------------------------------------------------------------------------------------------


def test_events_of_a_later_version_are_counted_and_shown() -> None:
    log = day()
    cut = next(n for n in range(30, len(log)) if log[n].about.causation != log[n - 1].about.causation)
    about = Provenance(at=log[cut].about.at)
    unknown = Record(
        stream="lead-1",
        version=1,
        event=UnknownEvent(name="LeadImported", version=3, body=b"{}"),
        event_id="u",
        about=about,
    )
    report = proof(renumbered([*log[:cut], unknown, *log[cut:]]))
    assert report.ok, report.text()
    assert report.counts.unknown_events == {"LeadImported v3": 1}
    assert "1 LeadImported v3" in report.text()


def test_memory_does_not_grow_with_what_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Feature 11.8: a log of years can be verified; ended contacts are forgotten but for a bounded list of names."""
    monkeypatch.setattr(books, "ENDED_KEPT", 500)
    monkeypatch.setattr(books, "IDS_KEPT", 500)
    centre = Centre()
    centre.ready(1)
    before = len(centre.records)
    centre.serve()
    centre.pass_ms(31_000)
    begun, call = centre.records[:before], centre.records[before:]

    def calls(count: int) -> Iterator[Record]:
        yield from begun
        versions = {record.stream: record.version for record in begun}
        for number in range(count):
            yield from _copy(call, number, versions)

    def peak(count: int) -> int:
        tracemalloc.start()
        report = verify(calls(count), strict=True)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert report.counts.ended_queued_contacts == count
        assert report.ok, report.text()
        return used

    peak(1)  # what is made when it is first asked for is there from then on
    assert peak(2_400) < 1.1 * peak(800)


def _copy(call: Log, number: int, versions: dict[str, int]) -> Iterator[Record]:
    """One more call like this: the contact's ids made new, the shift's stream going on."""
    shift = number * 63 * SECOND
    for record in call:
        text = msgspec.json.encode(record.event).decode().replace("caller-", f"caller-{number}-")
        text = re.sub(r"\b1767\d{12}\b", lambda found: str(int(found[0]) + shift), text)  # deadlines move along
        stream = record.stream
        for old in {r.stream for r in call if r.stream.startswith("contact-")}:
            text = text.replace(old[8:], f"{old[8:]}-{number}")
            if stream == old:
                stream = f"{old}-{number}"
        if stream == record.stream:
            versions[stream] += 1
        yield replace(
            record,
            stream=stream,
            version=versions.get(stream, record.version),
            event=msgspec.json.decode(text, type=type(record.event)),
            event_id=f"{record.event_id}-{number}",
            about=replace(
                record.about,
                at=Instant(record.about.at + shift),
                causation=f"{record.about.causation}-{number}",
            ),
        )
