"""What a switch bears: let in up to the limit, told beyond it, refused without a word beyond that."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.kernel import SECOND, Instant
from orchestrator.domain.routing.limits import LimitConfigured, LimitRemoved, Limits

NOW = Instant(1_000 * SECOND)


def test_a_burst_is_let_in_and_then_so_many_a_second() -> None:
    """Issue 4, admission."""
    limits = Limits()
    limits.configure("any", LimitConfigured(calls_per_s=2, burst=3))
    let_in = 0
    while limits.room("served", "n1", NOW):
        limits.take("served", "n1", NOW)
        let_in += 1
    assert let_in == 3
    assert not limits.room("served", "n1", Instant(NOW + SECOND // 2 - 1))
    assert limits.room("served", "n1", Instant(NOW + SECOND // 2))
    assert limits.room("told", "n1", NOW), "whoever is told is counted by itself"
    assert limits.room("served", "n2", NOW), "and so is every switch"


def test_a_switchs_own_limit_goes_before_that_of_any_and_without_one_there_is_none() -> None:
    limits = Limits()
    assert limits.room("served", "n1", NOW)
    limits.configure("any", LimitConfigured(calls_per_s=1))
    limits.configure("n1", LimitConfigured(calls_per_s=5))
    for _ in range(5):
        assert limits.room("served", "n1", NOW)
        limits.take("served", "n1", NOW)
    assert not limits.room("served", "n1", NOW)
    limits.configure("n1", LimitRemoved())
    limits.configure("any", LimitRemoved())
    assert limits.room("served", "n1", NOW)


@given(
    per_s=st.integers(1, 50),
    burst=st.integers(0, 50),
    gaps=st.lists(st.integers(0, 300_000), min_size=1, max_size=300),
)
def test_however_they_come_no_second_lets_in_more_than_burst_and_rate(per_s: int, burst: int, gaps: list[int]) -> None:
    """Property."""
    limits = Limits()
    limits.configure("any", LimitConfigured(calls_per_s=per_s, burst=burst))
    at, let_in = NOW, []
    for gap in gaps:
        at = Instant(at + gap)
        if limits.room("served", "n1", at):
            limits.take("served", "n1", at)
            let_in.append(at)
    for first in let_in:
        assert sum(first <= each < first + SECOND for each in let_in) <= per_s + (burst or per_s)
