"""A state that was kept and taken up again is the fold from the beginning, or it is not used."""

import pickle
import random
import threading
import zlib
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import psycopg
import pytest
from msgspec.structs import replace

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.contacts.contacts import NuisanceMarked
from orchestrator.domain.contacts.dial_events import ContactDialled
from orchestrator.domain.customers.blacklist import NumberBlacklisted
from orchestrator.domain.kernel import SECOND, Instant, Provenance, Record
from orchestrator.domain.observed import Observed
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.replay import as_of
from orchestrator.replay.frozen import Damaged, Marks, freeze, mark_of, thaw
from orchestrator.replay.keeper import Gone, Keeper, nights
from orchestrator.replay.night import Night, walks
from orchestrator.replay.picture import picture
from orchestrator.replay.scrubber import Scrubber
from orchestrator.replay.snapshots import Snapshots, stood_at
from orchestrator.store import Log, Source
from orchestrator.store.mapper import LedgerMapper
from orchestrator.vault import ERASED, SEALED
from tests.audit.centre import BEGINNING, CALLER, Centre
from tests.audit.test_verify import busy_day
from tests.lab.patience import until
from tests.postgres import Database
from tests.replay.conftest import store
from tests.simulation.run import Run
from tests.store.kit import Kit

_PATIENCE_S = 30


@pytest.fixture
def projector(database: Database) -> Iterator[Source]:
    source = Source(database.projector)
    yield source
    source.close()


def kept(kit: Kit, projector: Source, *, interval: int = 20, of: str = "") -> Snapshots:
    """Snapshots of the log as it is."""
    snapshots = Snapshots(projector, of=of)
    keeper = Keeper(projector, snapshots, interval=interval)
    keeper.begin()
    keeper.take(keeper.log.history(after=keeper.position))
    return snapshots


def told(world: Observed, at: Instant) -> dict[str, object]:
    """Everything of a state that can be compared, personal text included."""
    return {
        "picture": picture(world, at, position=0, personal=True),
        "mark": mark_of(world),
        "callbacks": world.callbacks,
        "blacklist": world.admission.blacklist.standing(),
        "agents": {agent.agent_id: agent for agent in world.agents.values()},
        "numbers": {contact.contact_id: contact.from_number for contact in world.contacts.values()},
    }


def folded(log: Log, position: int) -> Observed:
    world = Observed()
    for record in log.history(until=position) if position else ():
        world.apply(record)
    return world


@pytest.mark.parametrize("seed", (3, 11))
def test_the_state_from_a_snapshot_is_the_fold_from_the_beginning_at_any_instant(
    kit: Kit, projector: Source, seed: int
) -> None:
    """Feature 11.2, exact to the event: a simulated shift with bad weather, at random instants."""
    store(kit, Run(seed).play().ledger.records())
    snapshots = kept(kit, projector)
    assert snapshots.reached()
    times = [record.about.at for record in kit.log.history()]
    dice = random.Random(seed)
    for _ in range(12):
        instant = Instant(dice.choice(times) + dice.choice((-1, 0, 1)))
        past = as_of(kit.log, instant, snapshots)
        whole = as_of(kit.log, instant)
        assert (past.position, past.highest_at) == (whole.position, whole.highest_at)
        assert told(past.world, instant) == told(whole.world, instant)


@pytest.mark.parametrize("seed", range(4))
def test_a_fold_of_what_happened_is_the_fold_of_the_records(seed: int) -> None:
    """Feature 11.2: what is left unread of a row makes no difference to the state, in whatever weather."""
    mapper = LedgerMapper(CATALOGUE)
    quick, whole = Observed(), Observed()
    for number, record in enumerate(Run(seed).play().ledger.records(), 1):
        draft = mapper.draft(record)
        row = (record.stream, record.version, draft.topic, mapper.finish(draft, lambda text: text.text[::-1]))
        (each,) = mapper.told([(number, *row)], opener=lambda _stream, _path, sealed: sealed[::-1])
        quick.apply(each)
        whole.apply(record)
    assert whole.contacts or whole.shifts
    assert told(quick, Instant(0)) == told(whole, Instant(0))


def test_what_is_folded_on_top_of_a_snapshot_comes_to_the_same(kit: Kit, projector: Source) -> None:
    """Feature 11.2: a state that was taken up again goes on as if it had never been kept."""
    records = busy_day().records
    last = store(kit, records)
    snapshots = kept(kit, projector, interval=7)
    for start in range(8, last, 9):
        found = snapshots.before(start)
        assert found is not None
        world = thaw(found.state, kit.log)
        for record in kit.log.history(after=found.position):
            world.apply(record)
        assert told(world, Instant(0)) == told(folded(kit.log, last), Instant(0))


def test_two_entries_of_one_number_are_found_by_it_in_a_state_that_was_taken_up_again(
    kit: Kit, projector: Source
) -> None:
    """Features 2.5 and 11.2: a number that was marked and listed as well; then one of the two is lifted."""
    centre = Centre()
    centre.ready(1)
    centre.call()
    (contact_id,) = centre.world.contacts
    about = Provenance(at=centre.now)
    version = centre.world.versions[f"contact-{contact_id}"]
    listed = Record(
        stream="blacklist-b1",
        version=1,
        event=NumberBlacklisted(number=CALLER, reason="nuisance"),
        event_id="listed",
        about=about,
    )
    marked = Record(
        stream=f"contact-{contact_id}", version=version + 1, event=NuisanceMarked(), event_id="marked", about=about
    )
    last = store(kit, [*centre.records, listed, marked])
    marks = Marks()
    world = folded(Log(projector, opener=marks.opener), last)
    again = thaw(freeze(world, marks), kit.log)
    assert told(again, centre.now) == told(folded(kit.log, last), centre.now)
    assert again.admission.blacklist.holds(CALLER, centre.now)


def test_no_snapshot_holds_a_name_or_a_number(kit: Kit, projector: Source, database: Database) -> None:
    """Law 11: only where in the log each stands."""
    centre = Centre()
    centre.ready(1)
    centre.call()
    store(kit, centre.records)
    kept(kit, projector, interval=len(centre.records))
    with psycopg.connect(database.reader) as reader:
        rows = reader.execute("SELECT state FROM past.snapshots").fetchall()
    assert rows
    for (state,) in rows:
        clear = zlib.decompress(state)
        assert CALLER[3:].encode() not in clear
        assert b"Wang Fang" not in clear
        assert b"Agent 1" not in clear


def test_whoever_is_erased_is_erased_in_every_snapshot(kit: Kit, projector: Source) -> None:
    """Complaint 20, law 11: the snapshot was made before, and is read after."""
    centre = Centre()
    centre.ready(1)
    centre.call()
    (contact_id,) = centre.world.contacts
    last = store(kit, centre.records)
    snapshots = kept(kit, projector, interval=last)
    found = snapshots.before(last)
    assert found is not None
    assert thaw(found.state, kit.log).contacts[contact_id].caller_number == CALLER
    assert thaw(found.state, kit.blind_log).contacts[contact_id].caller_number == SEALED
    kit.desk.erase(f"contact-{contact_id}")
    kit.vault.forget()
    erased = thaw(found.state, kit.log).contacts[contact_id]
    assert (erased.caller_number, erased.caller_name) == (ERASED, ERASED)
    assert told(thaw(found.state, kit.log), centre.now) == told(folded(kit.log, last), centre.now)


def test_a_changed_fold_never_reads_a_snapshot_of_the_one_before(
    kit: Kit, projector: Source, database: Database
) -> None:
    """Feature 11.2: they are tagged by the code; a day later, and once it has come as far, the new one throws the old
    ones away: two versions that run beside each other leave each other's alone.
    """
    store(kit, busy_day().records)
    kept(kit, projector, of="yesterdays")
    today = Snapshots(projector)
    assert today.shape != "yesterdays"
    assert today.reached() == 0
    assert today.before(1_000_000) is None
    kept(kit, projector, of="tomorrows")
    kept(kit, projector)
    yesterdays, last = Snapshots(projector, of="yesterdays"), today.reached()
    assert yesterdays.reached() == last > 0
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute("UPDATE past.snapshots SET made_at = made_at - interval '2 days' WHERE shape = 'yesterdays'")
        further = "UPDATE past.snapshots SET position = %s WHERE shape = 'yesterdays' AND position = %s"
        owner.execute(further, (last + 1, last))
        kept(kit, projector)
        assert yesterdays.reached() == last + 1, "it tells what today's does not yet"
        owner.execute(further, (last, last + 1))
    kept(kit, projector)
    assert yesterdays.reached() == 0
    assert Snapshots(projector, of="tomorrows").reached() == today.reached() > 0


def test_a_damaged_snapshot_is_passed_over_and_the_night_throws_it_away(
    kit: Kit, projector: Source, database: Database
) -> None:
    """Feature 11.2: bytes that are not as they were kept are not used, and the look is exact all the same."""
    last = store(kit, busy_day().records)
    snapshots = kept(kit, projector)
    damaged = snapshots.reached()
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute("UPDATE past.snapshots SET state = 'x' || state WHERE position = %s", (damaged,))
    found = snapshots.before(last)
    assert found is not None
    assert found.position < damaged
    instant = next(r.about.at for r in kit.log.history(after=damaged))
    assert told(as_of(kit.log, instant, snapshots).world, instant) == told(as_of(kit.log, instant).world, instant)
    walk = Night(projector, snapshots, threading.Event()).walk()
    assert (walk.ok, walk.thrown_away) == (True, 1)
    again = snapshots.before(last)
    assert again is not None
    assert again.position == damaged, "and makes it anew"
    assert told(thaw(again.state, kit.log), instant) == told(folded(kit.log, damaged), instant)


def test_the_night_throws_away_what_is_not_the_fold(kit: Kit, projector: Source, database: Database) -> None:
    """Feature 11.2: a state of another place, whole and with its digest, is found out by the fold."""
    store(kit, busy_day().records)
    snapshots = kept(kit, projector)
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute(
            "UPDATE past.snapshots AS it SET (state, digest, mark) = (SELECT state, digest, mark FROM past.snapshots"
            " ORDER BY position LIMIT 1) WHERE position = %s",
            (snapshots.reached(),),
        )
        owner.execute(
            "UPDATE past.snapshots SET lowest_at = 0 WHERE position = (SELECT min(position) FROM past.snapshots)"
        )
    night = Night(projector, snapshots, threading.Event())
    walk = night.walk()
    assert walk.thrown_away == 2
    assert walk.snapshots == len(busy_day().records) // 20
    assert night.walk().thrown_away == 0, "and what stands there now is right"


def test_a_keeper_whose_snapshots_are_gone_begins_anew_and_leaves_no_stretch_out(kit: Kit, projector: Source) -> None:
    """Feature 11.2: somebody threw them away meanwhile; what it would have made next stands on nothing."""
    store(kit, busy_day().records)
    snapshots = Snapshots(projector)
    keeper = Keeper(projector, snapshots, interval=20)
    keeper.begin()
    records = list(keeper.log.history())
    keeper.take(records[:30])
    projector.run(lambda connection: connection.execute("DELETE FROM past.snapshots").rowcount)
    with pytest.raises(Gone):
        keeper.take(records[30:])
    assert snapshots.reached() == 0
    keeper.begin()
    keeper.take(keeper.log.history(after=keeper.position))
    for record in records:
        position = max(each.position for each in records if each.about.at <= record.about.at)
        assert snapshots.position_at(kit.log, record.about.at) == position


def test_the_night_keeps_what_the_verifier_found(kit: Kit, projector: Source, database: Database) -> None:
    """Features 11.7 and 11.8: how far it is, counts, and whether it is proved."""
    last = store(kit, busy_day().records)
    snapshots = kept(kit, projector)
    night = Night(projector, snapshots, threading.Event())
    walk = night.walk()
    assert walk.report is not None
    assert (walk.ok, walk.position, walk.until) == (True, last, last)
    assert walk.report.counts.events == len(busy_day().records)
    assert not night.is_due(walk.begun_at)
    with psycopg.connect(database.reader) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("DELETE FROM past.verifications")


def test_a_walk_that_is_stopped_says_so_and_another_is_due_after_a_while(
    kit: Kit, projector: Source, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feature 11.8: half a proof is none."""
    monkeypatch.setattr("orchestrator.replay.night._TELL_EVERY", 5)
    store(kit, busy_day().records)
    stop = threading.Event()
    stop.set()
    night = Night(projector, Snapshots(projector), stop)
    walk = night.walk()
    assert (walk.ok, walk.report) == (None, None)
    assert "stopped" in walk.error
    assert walks(projector)[0] == walk
    assert not night.is_due(walk.begun_at), "what fails is not tried again at once"
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute("UPDATE past.verifications SET moved_at = moved_at - interval '1 hour'")
    assert night.is_due(walk.begun_at)


def test_a_night_that_fails_is_tried_again_and_proves_the_log_in_the_end(
    kit: Kit, projector: Source, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feature 11.8: what cannot be read or written tonight ends one walk, not all that would come after it."""
    for name in ("keeper.DEAD_S", "keeper._LOOK_S", "night.DEAD_S"):
        monkeypatch.setattr(f"orchestrator.replay.{name}", 0)
    last = store(kit, busy_day().records)
    stop = threading.Event()
    watching = threading.Thread(target=nights, args=(projector, ZoneInfo("Asia/Shanghai"), stop), daemon=True)
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute("REVOKE SELECT ON past.snapshots FROM ringledger_projector")
        watching.start()
        until(lambda: len(walks(projector)) > 1, "the night to be tried again")
        assert "permission denied" in walks(projector)[-1].error
        owner.execute("GRANT SELECT ON past.snapshots TO ringledger_projector")
        until(lambda: bool(walks(projector, with_result=True)), "the proof")
    stop.set()
    watching.join(_PATIENCE_S)
    (walk,) = walks(projector, with_result=True)
    assert (walk.ok, walk.position) == (True, last)


def test_a_walk_that_does_not_move_goes_on_no_more(projector: Source, database: Database) -> None:
    with psycopg.connect(database.projector, autocommit=True) as tables:
        tables.execute("INSERT INTO past.verifications (until, position) VALUES (200, 50)")
        assert [each.goes_on for each in walks(projector)] == [True]
        tables.execute("UPDATE past.verifications SET moved_at = moved_at - interval '11 minutes'")
        assert [each.goes_on for each in walks(projector)] == [False]


@pytest.mark.parametrize("forged", (b"", b"nothing", zlib.compress(b"nothing"), "a call of the system"))
def test_bytes_that_are_no_state_are_refused_and_nothing_in_them_is_run(kit: Kit, forged: bytes | str) -> None:
    """Law 10: whoever can write into the table still cannot make a reader run anything."""

    class Call:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise SystemExit('it ran')",)

    state = forged if isinstance(forged, bytes) else zlib.compress(pickle.dumps(()) + pickle.dumps(Call()))
    with pytest.raises(Damaged):
        thaw(state, kit.log)


# --- clocks ----------------------------------------------------------------------------------------------------------
def put_back(kit: Kit, by_s: int) -> None:
    """A queue that is renamed every minute, and whose clock is put back in the midst of it."""
    at, records = int(BEGINNING), []
    for number in range(1, 9):
        at += 60 * SECOND - (by_s * SECOND if number == 5 else 0)
        event = QueueConfigured(name=f"Sales {number}", skill="sales")
        about = Provenance(at=Instant(at))
        records.append(Record(stream="queue-sales", version=number, event=event, event_id=f"q{number}", about=about))
    store(kit, records)


@pytest.mark.parametrize("interval", (3, 1_000))
def test_where_a_clock_was_put_back_an_instant_is_its_second_time_and_says_so(
    kit: Kit, projector: Source, interval: int
) -> None:
    """Features 11.1 and 11.2: the prefix up to the last record that is not later, found whatever clocks did."""
    put_back(kit, by_s=90)
    snapshots = kept(kit, projector, interval=interval)
    log = list(kit.log.history())
    moments = sorted({record.about.at + step for record in log for step in (-1, 0, 1)})
    told_twice = 0
    for moment in moments:
        instant = Instant(moment)
        position = max((record.position for record in log if record.about.at <= instant), default=0)
        past = as_of(kit.log, instant, snapshots)
        assert past.position == position
        highest = max((record.about.at for record in log if record.position <= position), default=0)
        assert past.highest_at == highest
        assert past.put_back == (highest - instant if highest - instant > 10 * SECOND else 0)
        told_twice += past.put_back > 0
    assert told_twice


@pytest.mark.parametrize("whose", ("nobody", "today", "yesterdays"))
def test_where_a_clock_was_ahead_for_a_while_every_instant_is_found(kit: Kit, projector: Source, whose: str) -> None:
    """Issue 7, bad input: also where no state is kept, and right after an upgrade, when only old code kept any."""
    records = busy_day().records
    ahead = range(len(records) * 4 // 10, len(records) * 6 // 10)
    store(
        kit,
        [
            replace(each, about=replace(each.about, at=Instant(each.about.at + 86_400 * SECOND * (place in ahead))))
            for place, each in enumerate(records)
        ],
    )
    if whose != "nobody":
        kept(kit, projector, of="" if whose == "today" else whose)
    log = list(kit.log.history())
    for record in log:
        exact = max(each.position for each in log if each.about.at <= record.about.at)
        assert stood_at(kit.log, record.about.at) == exact
    assert stood_at(kit.log, Instant(0)) == 0


def test_a_scrubber_takes_what_is_kept_and_forgets_after_a_while(kit: Kit, projector: Source) -> None:
    """Feature 11.2: the same as a fold from the beginning, and no text of an erased person is remembered for long."""
    last = store(kit, busy_day().records)
    scrubber = Scrubber(kit.log, snapshots=kept(kit, projector), spacing=3, kept_s=0.0)
    for position in (last, 5, last // 2, last - 1):
        assert told(scrubber.at_position(position), Instant(0)) == told(folded(kit.log, position), Instant(0))


def test_two_states_of_a_number_that_is_dialled_have_two_marks() -> None:
    """Feature 11.2: the night tells a snapshot that is not what the fold has by its mark alone."""
    dialled = ContactDialled(
        node="sw1", shift_id="s1", agent_id="a1", caller_number=CALLER, show="+8675500000001", queue_id="sales"
    )
    about = Provenance(at=BEGINNING)
    worlds = (Observed(), Observed())
    for world in worlds:
        world.apply(Record(stream="contact-c1", version=1, event=dialled, event_id="e1", about=about))
    one, other = (world.contacts["c1"] for world in worlds)
    assert mark_of(worlds[0]) == mark_of(worlds[1])
    assert other.dial is not None
    worlds[1].contacts["c1"] = replace(other, dial=replace(other.dial, reached=True))
    assert one.status == other.status
    assert mark_of(worlds[0]) != mark_of(worlds[1])


@pytest.mark.parametrize("told", ("a leg left to its switch", "a call imported"))
def test_two_states_that_know_other_calls_of_switches_alone_have_two_marks(told: str) -> None:
    """Feature 11.2: what the next import is decided by."""
    known, other = Observed(), Observed()
    if told == "a call imported":
        known.imported["c1"] = None
    else:
        known.left_legs["leg-1"] = "c1"
    assert mark_of(known) != mark_of(other)


class Watched(Observed):
    """Knows what was asked of it."""

    def __getattribute__(self, name: str) -> object:
        found = super().__getattribute__(name)
        if not name.startswith("_"):
            super().__getattribute__("__dict__").setdefault("_asked", set()).add(name)
        return found


def test_nothing_that_a_state_keeps_is_left_out_of_its_mark() -> None:
    """Feature 11.2. Callbacks stand in their contacts, prefixes in their branches."""
    world = Watched()
    for record in Run(3).play().ledger.records():
        world.apply(record)
    vars(world).pop("_asked")
    mark_of(world)
    assert set(vars(Observed())) - vars(world)["_asked"] == {"callbacks", "branch_of_prefix"}


@pytest.mark.parametrize("part", ("skills", "rules of a queue", "entries", "recordings", "counts of an agent"))
def test_a_snapshot_with_another_configuration_has_another_mark(part: str) -> None:
    """Feature 11.2: what an operator changes by mistake is what is looked for at night."""
    world, other = Observed(), Observed()
    records = Run(3).play().ledger.records()
    for each in (world, other):
        for record in records:
            each.apply(record)
    assert mark_of(world) == mark_of(other)
    match part:
        case "skills":
            other.agents["a1001"] = replace(other.agents["a1001"], skills={"nothing": 9})
        case "rules of a queue":
            queue = other.queues["support"]
            other.queues["support"] = replace(queue, settings=replace(queue.settings, wrap_up_ms=12_345))
        case "entries":
            other.entries.clear()
        case "recordings":
            other.recordings = replace(other.recordings, keep_days=12_345)
        case "counts of an agent":
            other.counters = Observed().counters
    assert mark_of(world) != mark_of(other)
    name = next(iter(world.agents))
    world.agents[name] = replace(world.agents[name], name="Somebody")
    other = thaw(freeze(world, Marks()), lambda *_: "")
    other.agents[name] = replace(other.agents[name], name="Somebody else")
    assert mark_of(world) == mark_of(other), "names are apart"
