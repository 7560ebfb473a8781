"""What is counted of each agent, in which window; and that a rebuild counts the same."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.kernel import MILLISECOND, SECOND, Event, Instant
from orchestrator.domain.staff import events as s
from orchestrator.domain.staff.counters import HOUR, WINDOWS, Counters, Counts, begin

MIDNIGHT = Instant(20_000 * 24 * HOUR)
SIGN_IN = s.AgentSignedIn(agent_id="a", extension="1001")
RESERVED = s.AgentReserved(offer_id="o", contact_id="c")
CONNECTED = s.AgentConnected(contact_id="c", offer_id="o", segment_id="g")
OVER = s.WrapUpStarted(contact_id="c", segment_id="g", until=Instant(0))


def at(hours: float) -> Instant:
    return Instant(MIDNIGHT + round(hours * HOUR))


def counted(*events: tuple[float, Event]) -> Counters:
    counters = Counters()
    for hours, event in events:
        counters.note("a", event, at(hours))
    return counters


def call(hours: float, seconds: int = 60) -> list[tuple[float, Event]]:
    return [(hours, RESERVED), (hours, CONNECTED), (hours + seconds / 3_600, OVER)]


def test_calls_and_talk_time_are_counted_in_each_window_from_its_own_beginning() -> None:
    """Feature 3.2: the window is stated; nobody resets anything."""
    counters = counted((7.0, SIGN_IN), *call(7.5), *call(8.2, 30), *call(8.4))
    assert counters.of("a", "shift", 0, at(8.5)) == Counts(3, 150_000, at(8.4))
    assert counters.of("a", "hour", 0, at(8.5)) == Counts(2, 90_000, at(8.4))
    assert counters.of("a", "hour", 0, at(9.0)) == Counts(0, 0, at(8.4))
    assert counters.of("a", "day", 0, at(9.0)) == Counts(3, 150_000, at(8.4))
    assert counters.of("a", "day", 8, at(9.0)) == Counts(2, 90_000, at(8.4))
    assert counters.of("a", "day", 0, at(24.0)) == Counts(0, 0, at(8.4))


def test_a_new_shift_counts_anew_and_the_day_goes_on() -> None:
    """Feature 3.2: whoever signs out and in again has not worked less today."""
    counters = counted((7.0, SIGN_IN), *call(7.5), (8.0, SIGN_IN))
    assert counters.of("a", "shift", 0, at(8.5)).calls == 0
    assert counters.of("a", "day", 0, at(8.5)).calls == 1


def test_whoever_never_signed_in_has_counted_nothing() -> None:
    assert Counters().of("nobody", "day", 0, MIDNIGHT) == Counts()


@pytest.mark.parametrize(
    ("window", "day_begins_h", "hours", "began"),
    (("hour", 0, 8.7, 8), ("day", 0, 8.7, 0), ("day", 16, 8.7, -8), ("day", 16, 16.0, 16), ("day", 16, 23.9, 16)),
)
def test_a_window_begins_by_the_clock(window: str, day_begins_h: int, hours: float, began: int) -> None:
    assert begin(window, day_begins_h, at(hours)) == at(began)


@given(st.integers(0, 2**32))
def test_counters_folded_again_from_the_log_are_equal_and_nothing_counts_twice(seed: int) -> None:
    """Complaint 12: recomputed from the log in the plainest way, for every window, at any moment."""
    dice = Random(seed)
    log: list[tuple[str, Event, Instant]] = []
    calls: list[tuple[str, Instant]] = []
    talks: list[tuple[str, Instant, int]] = []
    signed_in: dict[str, Instant] = {}
    now = MIDNIGHT
    live = Counters()
    for _ in range(dice.randint(1, 60)):
        now = Instant(now + dice.randint(1, 5_000) * SECOND)
        name = dice.choice("ab")
        todo: list[tuple[Event, Instant]] = []
        if name not in signed_in or dice.random() < 0.1:
            signed_in[name] = now
            todo = [(SIGN_IN, now)]
        else:
            length = dice.randint(0, 4_000) * SECOND
            over = Instant(now + length)
            todo = [(RESERVED, now), (CONNECTED, now), (OVER, over)]
            calls.append((name, now))
            talks.append((name, over, length // MILLISECOND))
            now = over
        for event, when in todo:
            live.note(name, event, when)
            log.append((name, event, when))
        live.of(name, dice.choice(WINDOWS), dice.randrange(24), now)  # asking changes nothing
    again = Counters()
    for name, event, when in log:
        again.note(name, event, when)
    for name in "ab":
        for window in WINDOWS:
            day = dice.randrange(24)
            counts = live.of(name, window, day, now)
            assert counts == again.of(name, window, day, now)
            since = signed_in.get(name, MIDNIGHT) if window == "shift" else begin(window, day, now)
            assert counts.calls == sum(who == name and when >= since for who, when in calls)
            assert counts.talk_ms == sum(ms for who, when, ms in talks if who == name and when >= since)
