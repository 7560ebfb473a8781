"""Timers in memory: in order, moved, cancelled, and never more in memory than are set."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.kernel import Instant, ident_of, kind_of
from orchestrator.domain.timers import SPARE, Timers
from orchestrator.domain.world import World
from tests.audit.test_verify import busy_day


def at(instant: int) -> Instant:
    return Instant(instant)


def test_timers_come_in_the_order_in_which_they_are_due() -> None:
    """Law 9."""
    timers = Timers()
    for name, due in (("c", 30), ("a", 10), ("b", 20)):
        timers.set(("offer", name), at(due))
    assert timers.next_due() == 10
    assert timers.pop_due(at(9)) is None
    assert [timers.pop_due(at(25)) for _ in range(3)] == [(("offer", "a"), 10), (("offer", "b"), 20), None]
    assert list(timers) == [(("offer", "c"), 30)]


def test_a_timer_that_is_set_again_is_moved_either_way() -> None:
    """Feature 3.6: from the deadline of the ring to that of the join."""
    timers = Timers()
    for due in (20, 40, 10):
        timers.set(("offer", "a"), at(due))
    assert timers.next_due() == 10
    timers.set(("offer", "a"), at(50))
    assert timers.pop_due(at(49)) is None
    assert timers.pop_due(at(50)) == (("offer", "a"), 50)
    assert timers.next_due() is None


def test_a_timer_that_is_cancelled_never_comes() -> None:
    timers = Timers()
    timers.set(("visit", "a"), at(10))
    timers.cancel(("visit", "a"))
    timers.cancel(("visit", "never set"))
    assert timers.next_due() is None
    assert timers.due_of(("visit", "a")) is None


def test_timers_that_were_moved_do_not_pile_up() -> None:
    """Feature 12.5."""
    timers = Timers()
    for n in range(10_000):
        timers.set(("offer", str(n % 10)), at(1_000_000 - n))
    assert len(timers._heap) <= SPARE + 2 * 10 + 1
    assert timers.next_due() == 1_000_000 - 9_999


def test_what_is_noted_of_whoever_waits_for_days_does_not_pile_up() -> None:
    """Feature 12.5: a standby asks for no timer."""
    story = [record for record in busy_day().records if kind_of(record.stream) == "contact"]
    records = [record for record in story if record.stream == story[0].stream][:2]
    world = World()
    for record in records:
        world.apply(record)
    contact = world.contacts[ident_of(records[0].stream)]
    for _ in range(1_000):
        world.timers.note(contact, contact, records[-1].event, records[-1].about.at)
    assert len(world.timers._noted.get(contact.contact_id, ())) < 50


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.none() | st.integers(0, 50)),
        max_size=200,
    )
)
def test_what_is_set_comes_once_at_its_last_time(changes: list[tuple[str, int | None]]) -> None:
    """Law 9: compared with a plain dictionary."""
    timers, plain = Timers(), dict[str, int]()
    for name, due in changes:
        if due is None:
            timers.cancel(("offer", name))
            plain.pop(name, None)
        else:
            timers.set(("offer", name), at(due))
            plain[name] = due
    assert [(key[1], due) for key, due in timers] == sorted(plain.items())
    came = []
    while (popped := timers.pop_due(at(100))) is not None:
        came.append((popped[1], popped[0][1]))
    assert came == sorted((due, name) for name, due in plain.items())
