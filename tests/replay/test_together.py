"""A log folded in parts is the log folded in one, at any place and however its streams are shared out. Feature 11.2."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.domain import parted, world
from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.contacts.contacts import (
    Contact,
    ContactArrived,
    ContactConnected,
    ContactEnded,
    ContactIdentified,
    ContactQueued,
    ContactTurnedAway,
    LegClosed,
    NuisanceMarked,
    QueueVisitEnded,
)
from orchestrator.domain.contacts.unattended import IMPORT
from orchestrator.domain.customers.blacklist import BlacklistingLifted, NumberBlacklisted
from orchestrator.domain.kernel import SECOND, Event, Instant, Provenance, Record, kind_of
from orchestrator.domain.observed import KEPT, QUARTER, Observed
from orchestrator.domain.parted import Part, Unparted, join
from orchestrator.domain.routing import waits
from orchestrator.domain.routing.admission import OVERLOADED
from orchestrator.domain.routing.limits import LimitConfigured, LimitRemoved
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.routing.rules import rule_of
from orchestrator.domain.switch.causes import SERVED_BY_SWITCH
from orchestrator.domain.world import OTHERS
from orchestrator.replay import together
from orchestrator.replay.frozen import Marks, freeze, mark_of, thaw
from orchestrator.store import Log, Share, Source
from orchestrator.store import log as log_reading
from orchestrator.store.connections import Connection
from tests.audit.test_verify import busy_day
from tests.replay.conftest import store
from tests.simulation import comparing
from tests.simulation.run import Run, Size
from tests.store.kit import Kit

_SIZES = (
    Size(),
    Size(routing=True, places=True, hands=0.5),
    Size(outside=True, parks=0.5, transfers=0.5, consults=0.5, dials=0.5),
    Size(nodes=3, phones=4, routing=True, at_desk=0.5, monitors=0.5),
    Size(contacts=120, agents=6, ring_at_once=3, spools=True),
)


def said(world: Observed, now: Instant) -> dict[str, Any]:
    """Everything in a state that anything may rest on, or show."""
    return {
        **comparing.picture(world, now),
        "outside_legs": sorted(world.outside_legs),
        "far_legs": world.far_legs,
        "imported": list(world.imported),
        "left_legs": list(world.left_legs.items()),
        "sent_away": world.sent_away,
        "reasons": world.reasons,
        "conferences": world.conferences,
        "stands": {
            contact_id: world.waits.standing(contact_id, now, able=True) for contact_id in sorted(world.contacts)
        },
        "estimates": {queue: world.waits.expected(queue, 5, free=False) for queue in world.queues},
        "turns": list(world.matching.in_turn(now)),
        "quarters": list(world.quarters.items()),
        "forgotten": world.forgotten,
        "mark": mark_of(world),
    }


def placed(records: Iterable[Record]) -> list[Record]:
    return [replace(record, position=number) for number, record in enumerate(records, 1)]


def whole(records: Sequence[Record]) -> Observed:
    world = Observed()
    for record in records:
        world.apply(record)
    return world


def in_parts(records: Sequence[Record], count: int, dice: random.Random, *, whole_stories: float = 0.7) -> list[Part]:
    """Each contact in a part that is drawn: some record by record, others as `Log.stories` tells them, once they have
    ended, or cut in two.
    """
    parts = [Part() for _ in range(count)]
    mine: dict[str, Part] = {}
    held: dict[str, list[Record]] = {}
    for record in records:
        kind = kind_of(record.stream)
        if kind == "contact":
            if (part := mine.get(record.stream)) is None:
                part = mine[record.stream] = dice.choice(parts)
                if dice.random() < whole_stories:
                    held[record.stream] = []
            if (story := held.get(record.stream)) is None:
                part.apply(record)
                continue
            story.append(record)
            if isinstance(record.event, ContactEnded) or (whole_stories < 1 and dice.random() < 0.01):
                part.apply_story(story)
                held[record.stream] = []
        elif kind == "shift":
            parts[0].apply(record)
        else:
            for part in parts if kind in parted.EVERYBODYS else parts[:1]:
                part.apply(record)
    for stream, story in held.items():
        if story:
            mine[stream].apply_story(story)
    return parts


def joined(parts: Sequence[Part]) -> Observed:
    world = Observed()
    join(parts, world)
    return world


def draws(records: Sequence[Record]) -> bool:
    return any(
        isinstance(record.event, QueueConfigured) and "draw" in rule_of(record.event.rule).looks_at
        for record in records
    )


@pytest.mark.parametrize("seed", range(15))
def test_parts_of_a_fold_come_to_the_fold_at_any_place(seed: int) -> None:
    """In whatever weather, with every rule but drawing; through bytes, as processes hand them over."""
    records = placed(Run(seed, size=_SIZES[seed % len(_SIZES)]).play().ledger.records())
    dice = random.Random(seed)
    for count in (1, 2, 3, 4):
        some = records[: dice.randrange(len(records) // 4, len(records) + 1)]
        now = max((record.about.at for record in some), default=Instant(0))
        parts = in_parts(some, count, dice)
        for part in parts:
            marks = Marks()
            again = thaw(freeze(part, marks), marks.opener)
            assert isinstance(again, Part)
            parts[parts.index(part)] = again
        if draws(some):
            with pytest.raises(Unparted, match="drawn"):
                joined(parts)
            continue
        assert comparing.difference(said(joined(parts), now), said(whole(some), now)) == ""


@pytest.mark.parametrize("seed", range(4))
def test_of_what_came_last_parts_remember_enough(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where next to nothing is remembered, and stories are told long after what others did since."""
    records = placed(Run(seed, size=Size(contacts=150, agents=20)).play().ledger.records())
    for module, name, most in (
        (world, "CLOSED_LEGS_KEPT", 5),
        (parted, "CLOSED_LEGS_KEPT", 5),
        (world, "LAST_AGENTS_KEPT", 2),
        (parted, "LAST_AGENTS_KEPT", 2),
        (waits, "KEPT", 1),
    ):
        monkeypatch.setattr(module, name, most)
    dice = random.Random(seed)
    for _ in range(6):
        some = records[: dice.randrange(len(records) // 2, len(records) + 1)]
        parts = in_parts(some, 2, dice)
        assert all(len(list(part.closed)) <= 10 for part in parts)
        one, many = whole(some), joined(parts)
        assert comparing.difference(said(many, records[-1].about.at), said(one, records[-1].about.at)) == ""
        assert list(many.closed_legs.items()) == list(one.closed_legs.items())
        assert list(many.last_agents.items()) == list(one.last_agents.items())


def test_a_visit_is_counted_by_what_its_queue_was_when_it_ended() -> None:
    """Its queue's target is changed before the contact has ended, and so before its story is told."""
    records = [record for record in busy_day().records if kind_of(record.stream) != "shift"]
    answered = next(
        record for record in records if isinstance(record.event, QueueVisitEnded) and record.event.outcome == "answered"
    )
    changed = [
        made(record.stream, 900, replace(record.event, answer_target_ms=0), answered.about.at)
        for record in records
        if isinstance(record.event, QueueConfigured)
    ]
    place = records.index(answered) + 1
    otherwise = whole(placed([*records[: place - 1], *changed, *records[place - 1 :]]))
    records = placed([*records[:place], *changed, *records[place:]])
    assert any(
        record.stream == answered.stream and isinstance(record.event, ContactEnded) for record in records[place:]
    )
    stories = in_parts(records, 1, random.Random(0), whole_stories=1)
    one = whole(records)
    assert list(joined(stories).quarters.items()) == list(one.quarters.items())
    assert list(otherwise.quarters.items()) != list(one.quarters.items()), "the target counts"


def test_callers_left_to_their_switch_and_calls_imported_are_remembered_as_such() -> None:
    """Of three contacts that have ended one's leg lives on, one was imported, and one did neither."""
    arrived = next(record.event for record in busy_day().records if isinstance(record.event, ContactArrived))
    records: list[Record] = []
    for number, (found, cause) in enumerate((("live", SERVED_BY_SWITCH), (IMPORT, "NORMAL_CLEARING"), ("live", ""))):
        leg = f"leg-{number}"
        story = (
            replace(arrived, leg=leg, found=found),
            LegClosed(leg=leg, cause=cause),
            ContactEnded(reason="caller_hung_up", phase="arrived"),
        )
        records += [made(f"contact-c{number}", place, event, SECOND + number) for place, event in enumerate(story, 1)]
    records = placed(records)
    for whole_stories in (0, 1):
        many = joined(in_parts(records, 2, random.Random(1), whole_stories=whole_stories))
        assert list(many.left_legs.items()) == [("leg-0", "c0")]
        assert list(many.closed_legs.items()) == [("leg-1", "c1"), ("leg-2", "c2")]
        assert list(many.imported) == ["c1"]
        assert comparing.difference(said(many, Instant(0)), said(whole(records), Instant(0))) == ""


def test_who_serves_a_customer_is_known_though_it_is_learned_in_the_middle_of_the_talk() -> None:
    records = [record for record in busy_day().records if kind_of(record.stream) == "contact"]
    talk = next(record for record in records if isinstance(record.event, ContactConnected))
    served = [record for record in records if record.stream == talk.stream]
    place = served.index(talk) + 1
    identified = made(talk.stream, 90, ContactIdentified(customer_id="customer-late", level=""), talk.about.at)
    story = placed([*[each for each in served[:place] if type(each.event) is not ContactIdentified], identified])
    story = placed([*story, *[each for each in served[place:] if type(each.event) is not ContactIdentified]])
    assert isinstance(story[-1].event, ContactEnded)
    part = Part()
    part.apply_story(story)
    assert isinstance(talk.event, ContactConnected)
    assert joined([part]).last_agents == whole(story).last_agents == {"customer-late": talk.event.agent_id}


def test_a_quarter_begins_where_it_was_counted_in_first_whichever_story_is_told_first() -> None:
    """The first of three callers, and of its quarter of an hour, is the last who ends."""
    records: list[Record] = []
    stories = []
    for number, quarter in enumerate((1, 2, 1)):
        at = (2_000_000 + quarter) * QUARTER
        events = [*_served(), ContactEnded(reason="caller_hung_up", phase="arrived")]
        stories.append([made(f"contact-c{number}", place, event, at) for place, event in enumerate(events, 1)])
    records = placed([*stories[0][:-1], *stories[1], *stories[2], stories[0][-1]])
    many = joined(in_parts(records, 1, random.Random(0), whole_stories=1))
    assert list(many.quarters) == list(whole(records).quarters) == [2_000_001, 2_000_002]


@pytest.mark.parametrize("seed", range(6))
def test_a_contacts_legs_are_those_that_are_known_as_its_own(seed: int) -> None:
    """So where none of its legs is open at its end, nothing is left of any."""
    state = Observed()
    for record in Run(seed, size=_SIZES[seed % len(_SIZES)]).play().ledger.records():
        _, after = state.apply(record)
        if isinstance(after, Contact) and after.status != "ended":
            known = {leg for leg, ident in state.contact_of_leg.items() if ident == after.contact_id}
            assert known == set(after.legs) - {""}, record


def test_a_story_is_told_once_it_has_ended_and_nothing_is_told_twice(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    store(kit, Run(5, size=Size(contacts=100, agents=10)).play().ledger.records())
    end = kit.blind_log.position()
    share = together.shares(1)[0]
    history = list(kit.blind_log.happened(until=end, share=share))
    for held in (log_reading.HELD, 0):
        monkeypatch.setattr(log_reading, "HELD", held)
        stories = list(kit.blind_log.stories(share, end, ContactEnded))
        told = [each for story in stories for each in story]
        assert sorted(told, key=lambda each: each.position) == history
        for stream in {each.stream for each in history}:
            versions = [each.version for each in told if each.stream == stream]
            assert versions == sorted(versions)
        wholes = [story for story in stories if isinstance(story[-1].event, ContactEnded)]
        assert wholes
        if held > len(history):
            for story in wholes:
                assert story == [each for each in history if each.stream == story[0].stream]
        else:
            assert any(story[0].version > 1 for story in wholes), "some came before they were whole"


def test_what_comes_after_a_join_is_folded_as_after_one_fold() -> None:
    records = placed(Run(4, size=Size(contacts=60, hands=0.5, places=True)).play().ledger.records())
    dice = random.Random(4)
    for _ in range(6):
        cut = dice.randrange(len(records))
        world = joined(in_parts(records[:cut], 3, dice))
        for record in records[cut:]:
            world.apply(record)
        now = records[-1].about.at
        assert comparing.difference(said(world, now), said(whole(records), now)) == ""


def made(stream: str, version: int, event: Event, at: int, actor: str = "system") -> Record:
    about = Provenance(at=Instant(at), actor=actor)
    return Record(stream=stream, version=version, event=event, event_id=f"{stream}{version}", about=about)


def _served() -> list[Event]:
    """A caller up to the place in a queue."""
    calls = [record for record in busy_day().records if kind_of(record.stream) == "contact"]
    queued = next(record for record in calls if isinstance(record.event, ContactQueued))
    return [record.event for record in calls if record.stream == queued.stream and record.version <= queued.version]


@pytest.mark.parametrize("kept", (parted.TAKEN_KEPT, 30))
def test_the_limits_of_a_switch_are_taken_from_in_the_order_of_the_log(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over three parts, while the limit changes, is taken away and comes back; also where parts forget most calls."""
    monkeypatch.setattr(parted, "TAKEN_KEPT", kept)
    dice = random.Random(1)
    records: list[Record] = []
    at = 1_000 * SECOND
    story = _served()
    for number in range(400):
        at += dice.randrange(SECOND // 4)
        if number % 50 == 10:
            limit = LimitConfigured(calls_per_s=dice.randrange(1, 9), burst=dice.randrange(9))
            records.append(made("limit-any", number + 1, LimitRemoved() if number % 100 == 60 else limit, at))
        records += [made(f"contact-c{number}", place, event, at) for place, event in enumerate(story, 1)]
    records = placed(records)
    for cut in (30, 200, 700, len(records)):
        one = whole(records[:cut])
        parts = in_parts(records[:cut], 3, dice)
        assert max(len(taken) for part in parts for taken in part.limits.taken.values() or ((),)) <= 2 * kept
        assert joined(parts).admission.standing() == one.admission.standing()
    assert whole(records).admission.limits.standing()


def test_a_bucket_that_is_seldom_taken_from_is_remembered_however_much_the_others_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One caller was told once; hundreds were served since, of whom parts know no more."""
    monkeypatch.setattr(parted, "TAKEN_KEPT", 30)
    at = 1_000 * SECOND
    served = _served()
    told = [*served[:-1], ContactTurnedAway(reason=OVERLOADED, prompt="busy")]
    records = [made("limit-any", 1, LimitConfigured(calls_per_s=1, burst=5), at)]
    for number in range(400):
        at += 2 * SECOND
        story = served if number else told
        records += [made(f"contact-c{number}", place, event, at) for place, event in enumerate(story, 1)]
    parts = in_parts(placed(records), 2, random.Random(1))
    assert any(part.limits.before for part in parts)
    assert joined(parts).admission.standing() == whole(placed(records)).admission.standing()


def test_where_what_is_forgotten_of_a_limit_still_counts_the_log_is_not_parted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two callers a second, one of whom the limit makes up for, and a million at once: never full, nor used up."""
    monkeypatch.setattr(parted, "TAKEN_KEPT", 30)
    story = _served()
    at = 1_000 * SECOND
    records = [made("limit-any", 1, LimitConfigured(calls_per_s=1, burst=1_000_000), at)]
    for number in range(200):
        at += SECOND // 2
        records += [made(f"contact-c{number}", place, event, at) for place, event in enumerate(story, 1)]
    with pytest.raises(Unparted, match="limit"):
        joined(in_parts(placed(records), 2, random.Random(1)))


def test_a_number_that_is_marked_in_one_part_and_listed_in_all_is_on_the_list_once() -> None:
    calls = [record for record in busy_day().records if kind_of(record.stream) == "contact"]
    stream = calls[0].stream
    mine = [record for record in calls if record.stream == stream and not isinstance(record.event, ContactEnded)][:3]
    last = mine[-1]
    ident = stream.partition("-")[2]
    number = "+8613800138000"
    at = last.about.at
    ends: tuple[tuple[Event, ...], ...] = (
        (),
        (NumberBlacklisted(number=number, reason="nuisance"),),
        (NumberBlacklisted(number=number, reason="nuisance"), BlacklistingLifted()),
    )
    for end in ends:
        more = [made(f"blacklist-{ident}", place, event, at) for place, event in enumerate(end, 1)]
        records = placed([*mine, made(stream, last.version + 1, NuisanceMarked(), at, "agent:a"), *more])
        for seed in range(4):
            many = joined(in_parts(records, 3, random.Random(seed)))
            one = whole(records)
            assert many.admission.blacklist.standing() == one.admission.blacklist.standing()
            assert many.admission.blacklist.marked == one.admission.blacklist.marked


def test_quarters_of_an_hour_are_forgotten_as_in_one_fold_or_the_log_is_not_parted() -> None:
    calls = [record for record in busy_day().records if kind_of(record.stream) == "contact"]
    queued = next(record for record in calls if isinstance(record.event, ContactQueued))
    ended = next(
        record for record in calls if isinstance(record.event, QueueVisitEnded) and record.stream == queued.stream
    )
    before = [record.event for record in calls if record.stream == queued.stream and record.version < queued.version]

    def came(number: int, quarter: int) -> list[Record]:
        at = quarter * QUARTER
        events = [*before, queued.event]
        return [made(f"contact-c{number}", place, event, at) for place, event in enumerate(events, 1)]

    records = [record for number in range(KEPT + 9) for record in came(number, 2_000_000 + number)]
    usual = placed(records)
    assert whole(usual).forgotten
    one, many = whole(usual), joined(in_parts(usual, 3, random.Random(2)))
    assert (list(many.quarters.items()), many.forgotten) == (list(one.quarters.items()), one.forgotten)

    late = made("contact-c0", len(before) + 2, ended.event, (2_000_000 + KEPT + 8) * QUARTER)
    with pytest.raises(Unparted, match="forgotten"):
        joined(in_parts(placed([*records, late]), 3, random.Random(2)))


def test_a_part_keeps_no_quarters_that_nobody_asks_for() -> None:
    """Those of years would take more memory than all that an engine folds."""
    calls = [record for record in busy_day().records if kind_of(record.stream) == "contact"]
    queued = next(record for record in calls if isinstance(record.event, ContactQueued))
    story = [record.event for record in calls if record.stream == queued.stream and record.version <= queued.version]
    records: list[Record] = []
    for number in range(5 * KEPT):
        at = (2_000_000 + number) * QUARTER
        records += [made(f"contact-c{number}", place, event, at) for place, event in enumerate(story, 1)]
    records = placed(records)
    parts = in_parts(records, 2, random.Random(3))
    assert max(len(part.quarters) for part in parts) <= 2 * KEPT
    one, many = whole(records), joined(parts)
    assert (list(many.quarters.items()), many.forgotten) == (list(one.quarters.items()), one.forgotten)
    engines = Part(counts=False)
    for record in records:
        engines.apply(record)
    assert (engines.quarters, engines.seen) == ({}, {})


def test_shares_have_every_stream_once_and_configuration_in_each(kit: Kit) -> None:
    store(kit, Run(5).play().ledger.records())
    history = list(kit.log.history())
    for count in (1, 2, 3, 4):
        shares = together.shares(count)
        told = [[each.position for each in kit.log.happened(share=share)] for share in shares]
        assert told == [[each.position for each in history if share.has(each.stream)] for share in shares]
        for positions in told:
            assert positions == sorted(positions)
        times = {position: sum(position in some for some in told) for position in range(1, len(history) + 1)}
        for record in history:
            everybodys = kind_of(record.stream) in parted.EVERYBODYS
            assert times[record.position] == (count if everybodys else 1), record.stream


def test_every_kind_of_stream_that_is_folded_is_in_some_part_and_exists() -> None:
    """Only what stands in the list of kinds is folded at all, and every part has all of the list."""
    kinds = {entry.kind for entry in CATALOGUE.values()}
    assert len(set(OTHERS)) == len(OTHERS)
    assert set(OTHERS) < kinds
    assert not {"contact", "shift"} & set(OTHERS)
    for count in (1, 2, 3, 4):
        assert all(set(OTHERS) <= set(share.kinds) for share in together.shares(count))


def test_a_share_that_has_nothing_for_long_is_looked_for_a_span_at_a_time(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No statement looks through all of a log; and nothing is missed between spans, or where a span is full."""
    last = store(kit, Run(5).play().ledger.records())
    history = list(kit.log.history())
    monkeypatch.setattr("orchestrator.store.log._SPAN", 7, raising=False)
    sent = kit.log._recorder.sent
    spans: list[int] = []

    def noted(
        connection: Connection, *, after: int, until: int, limit: int, share: Share | None = None
    ) -> Iterator[Any]:
        spans.append(until - after)
        return sent(connection, after=after, until=until, limit=limit, share=share)

    monkeypatch.setattr(kit.log._recorder, "sent", noted)
    for share in (*together.shares(2), Share(first=False, begins=0, ends=0, kinds=())):
        for batch in (2, 10_000):
            told = [each.position for each in kit.log.happened(until=last - 3, batch=batch, share=share)]
            assert told == [each.position for each in history[:-3] if share.has(each.stream)]
    assert max(spans) == 7


@pytest.mark.parametrize("count", (2, 3))
def test_processes_that_share_a_log_come_to_the_fold_with_its_personal_texts(kit: Kit, count: int) -> None:
    """On the real database, with keys and without; up to a place in the middle."""
    last = store(kit, Run(9, size=Size(contacts=40, hands=0.5)).play().ledger.records())
    until = last * 2 // 3
    now = Instant(max(record.about.at for record in kit.log.history(until=until)))
    for reading in (kit.log, Log(kit.source)):
        one = Observed()
        for record in reading.history(until=until):
            one.apply(record)
        found = together.folded(reading, until, Observed, of=count)
        assert found is not None
        world, highest = found
        assert highest == now
        assert comparing.difference(said(world, now), said(one, now)) == ""


def test_where_the_database_is_away_the_caller_is_told_to_fold_alone() -> None:
    """Whoever folds alone then says what is wrong."""
    nowhere = Log(Source("postgresql://nobody@/nothing?host=/nonexistent"))
    assert together.folded(nowhere, 10, Observed, of=2) is None


@pytest.mark.parametrize("program", ("raise SystemExit('gone')", "print('no part')"))
def test_where_a_process_fails_the_caller_is_told_to_fold_alone(
    kit: Kit, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = store(kit, Run(5).play().ledger.records())
    monkeypatch.setattr(together, "_PROGRAM", program)
    assert together.folded(kit.log, last, Observed, of=2) is None


def test_short_logs_are_folded_alone(kit: Kit) -> None:
    assert together.folded(kit.log, together.LEAST - 1, Observed) is None
