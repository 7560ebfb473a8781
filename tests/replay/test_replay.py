"""The state at any instant is the fold of what had happened by then, exact to the event."""

from zoneinfo import ZoneInfo

import msgspec
import pytest

from orchestrator.audit import verify
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant
from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.world import World
from orchestrator.replay import BadTime, as_of, parse_time, picture_at
from orchestrator.replay.moments import iso, local
from orchestrator.replay.picture import picture
from orchestrator.vault import SEALED
from tests.audit.centre import BEGINNING, CALLER, Centre
from tests.audit.test_verify import busy_day
from tests.replay.conftest import store
from tests.store.kit import Kit

ZONE = ZoneInfo("Asia/Shanghai")
NEVER = Instant(BEGINNING * 2)


def seen(world: World, at: Instant) -> dict[str, object]:
    return picture(world, at, position=0, personal=True)


def test_as_of_any_instant_is_the_fold_of_everything_up_to_it(kit: Kit) -> None:
    """Feature 11.2, exact to the event: on, just before and just after each record of a day."""
    centre = busy_day()
    store(kit, centre.records)
    log = list(kit.log.history())
    assert len(log) == len(centre.records)
    moments = sorted({record.about.at + step for record in log for step in (-1, 0, 1)})
    for moment in moments:
        instant = Instant(moment)
        world = World()
        for record in log:
            if record.about.at <= instant:
                world.apply(record)
        past = as_of(kit.log, instant)
        assert seen(past.world, instant) == seen(world, instant)
        assert past.position == max((r.position for r in log if r.about.at <= instant), default=0)


def test_an_instant_between_records_out_of_order_is_the_prefix_up_to_the_last_one_not_later(kit: Kit) -> None:
    """Feature 11.2: the desk's process stamped two seconds before the engine's last record, and appended after it."""
    centre = Centre()
    centre.ready(1)
    centre.now = Instant(centre.now + 5 * SECOND)
    centre.call()
    late = centre.now
    centre.now = Instant(late - 2 * SECOND)
    centre.configure({"queue-sales": QueueConfigured(name="Sales", skill="sales", ring_ms=5_000)})
    last = store(kit, centre.records)
    past = as_of(kit.log, Instant(late - 1 * SECOND))
    assert past.position == last
    assert past.world.queues["sales"].settings.ring_ms == 5_000
    assert past.world.contacts


def test_the_replayed_picture_is_the_live_one(kit: Kit) -> None:
    """Feature 11.2: what the engine shows now is what the log says of now, at every stage of a call."""
    centre = Centre(agents=2)
    live: list[dict[str, object]] = []

    def look() -> None:
        live.append(picture(centre.world, centre.now, position=len(centre.records)))
        centre.pass_ms(1)

    centre.ready(1)
    look()
    caller = centre.call()
    look()
    centre.call()
    look()
    ring = centre.rung[0]
    centre.answer(ring)
    look()
    centre.bridge(caller, ring)
    look()
    centre.hang_up(caller)
    look()
    centre.hang_up(ring.leg)
    look()
    store(kit, centre.records)
    for shown in live:
        instant = parse_time(str(shown["at"]), ZONE)
        past = as_of(kit.blind_log, instant)
        assert picture(past.world, instant, position=past.position) == shown


def test_the_picture_shows_who_waits_rings_and_talks(kit: Kit) -> None:
    """Feature 9.1 (its data): waiting in order of service, ringing and talking, and the longest wait."""
    centre = Centre(agents=2)
    for agent in (1, 2):
        centre.ready(agent)
    caller = centre.call()
    first = centre.rung[0]
    centre.answer(first)
    centre.bridge(caller, first)
    centre.call()
    centre.call()
    centre.call()
    store(kit, centre.records)
    shown = picture_at(kit.blind_log, iso(centre.now), ZONE, now=NEVER)
    (queue,) = shown["queues"]
    assert queue["queue_id"] == "sales"
    assert (queue["ringing"], queue["talking"]) == (1, 1)
    assert [waiting["wait_ms"] for waiting in queue["waiting"]] == [100, 0]
    assert queue["longest_wait_ms"] == 200
    assert queue["agents"] == {"reserved": 1, "talking": 1}
    assert sorted(shift["state"] for shift in shown["shifts"]) == ["reserved", "talking"]
    talking, ringing, *waiting = shown["contacts"]
    assert talking["segment"]["agent_id"] == first.extension.replace("200", "a")
    assert talking["visit"] is None
    assert talking["legs"] == ["caller-1", first.leg]
    assert ringing["offer"]["reservations"][0]["state"] == "calling"
    assert [contact["status"] for contact in waiting] == ["waiting", "waiting"]
    assert shown["config_version"] == 1
    assert shown["position"] == kit.log.position()
    assert msgspec.json.decode(msgspec.json.encode(shown)) == shown


def test_numbers_and_names_are_masked_unless_they_are_asked_for(kit: Kit) -> None:
    """Feature 5.8 (its rule for pictures): personal fields show only to whoever asks for them, with the keys."""
    centre = Centre()
    centre.ready(1)
    centre.call()
    store(kit, centre.records)
    moment = iso(centre.now)
    masked = picture_at(kit.log, moment, ZONE, now=NEVER)
    assert CALLER not in str(masked)
    assert "Wang Fang" not in str(masked)
    assert "Agent 1" not in str(masked)
    opened = picture_at(kit.log, moment, ZONE, now=NEVER, personal=True)
    assert opened["contacts"][0]["caller_number"] == CALLER
    assert opened["shifts"][0]["name"] == "Agent 1"
    without_keys = picture_at(kit.blind_log, moment, ZONE, now=NEVER, personal=True)
    assert without_keys["contacts"][0]["caller_number"] == SEALED


def test_the_configuration_of_then_is_in_the_picture(kit: Kit) -> None:
    """Features 11.1, 11.2: the state at an instant includes the rules of that instant."""
    centre = Centre()
    before = centre.now
    centre.pass_ms(1_000)
    centre.configure({"queue-sales": QueueConfigured(name="Sales and more", skill="sales")})
    store(kit, centre.records)
    then = picture_at(kit.blind_log, iso(before), ZONE, now=NEVER)
    after = picture_at(kit.blind_log, iso(centre.now), ZONE, now=NEVER)
    assert (then["config_version"], then["queues"][0]["name"]) == (1, "Sales")
    assert (after["config_version"], after["queues"][0]["name"]) == (2, "Sales and more")


def test_the_stored_day_is_verified(kit: Kit) -> None:
    """Feature 11.8: the verifier over the log itself, read by somebody without keys."""
    store(kit, busy_day().records)
    report = verify(kit.blind_log.history(), settled=True, strict=True)
    assert report.ok, report.text()
    assert report.last_position == kit.log.position()


# --- times as people write them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "same"),
    (
        ("2026-01-01T08:00:00", BEGINNING),
        ("2026-01-01 08:00", BEGINNING),
        ("2026-01-01T00:00:00Z", BEGINNING),
        ("2026-01-01T01:00:00+01:00", BEGINNING),
        ("2026-01-01T08:00:00.250", BEGINNING + 250 * MILLISECOND),
        (" 20260101T080000 ", BEGINNING),
    ),
)
def test_a_time_without_a_zone_is_the_sites(text: str, same: int) -> None:
    assert parse_time(text, ZONE) == same


@pytest.mark.parametrize("text", ("", "yesterday", "2026-13-01T00:00:00", "25:00", "%0A", "2026-01-01T08:00:00+99:00"))
def test_a_text_that_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadTime, match="2026-01-31T10:15:00"):
        parse_time(text, ZONE)


def test_a_local_time_that_exists_twice_or_never_is_refused() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    with pytest.raises(BadTime, match=r"exists twice .* 2026-10-25T02:30:00\+02:00 or 2026-10-25T02:30:00\+01:00"):
        parse_time("2026-10-25T02:30:00", berlin)
    with pytest.raises(BadTime, match="does not exist in Europe/Berlin"):
        parse_time("2026-03-29T02:30:00", berlin)
    assert parse_time("2026-10-25T02:30:00+01:00", berlin)


def test_a_time_before_the_first_event_is_refused_and_told_when_that_was(kit: Kit) -> None:
    store(kit, Centre().records)
    with pytest.raises(BadTime, match=r"before the beginning: the first event is of 2026-01-01T08:00:00\.000\+08:00"):
        picture_at(kit.blind_log, "2026-01-01T07:59:59", ZONE, now=NEVER)


def test_a_time_in_the_future_is_refused(kit: Kit) -> None:
    store(kit, Centre().records)
    with pytest.raises(BadTime, match="in the future"):
        picture_at(kit.blind_log, "2026-01-01T08:00:01", ZONE, now=BEGINNING)
    with pytest.raises(BadTime, match="in the future"):
        picture_at(kit.blind_log, "2999-01-01T08:00:01", ZONE)


def test_the_last_hour_of_the_calendar_is_in_the_future_too(kit: Kit) -> None:
    """Bad input: it has no local time in a zone that is ahead of UTC; nor have instants past the ends."""
    assert local(Instant(2**62), ZONE) == "9999-12-31T23:59:59.999+00:00"
    assert local(Instant(-(2**62)), ZONE) == "0001-01-01T00:00:00.000+00:00"
    with pytest.raises(BadTime, match=r"9999-12-31T.*is in the future"):
        picture_at(kit.log, "9999-12-31T23:59:59Z", ZONE)


def test_an_empty_log_has_no_past(kit: Kit) -> None:
    with pytest.raises(BadTime, match="empty"):
        picture_at(kit.blind_log, "2026-01-01T08:00:00", ZONE)
