"""Where somebody goes who cannot wait or has waited for too long: never in circles, never nowhere."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.contacts.events import Hop
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.routing.entries import EntryPoint, EntryPointConfigured
from orchestrator.domain.routing.overflow import (
    MOST_HOPS,
    WHENS,
    House,
    Settled,
    Sight,
    Target,
    enter,
    leave,
    next_look,
    settle,
    target,
)
from orchestrator.domain.routing.queues import Queue, QueueConfigured, Spill


class Made:
    """Queues and entry points for a test. A queue is open and empty, and somebody serves it, unless said otherwise."""

    def __init__(self) -> None:
        self.sights: dict[str, Sight] = {}
        self.entries: dict[str, EntryPoint] = {}
        self.shut: set[str] = set()
        self.house = House(self.sights.get, self.entries.get, lambda calendar: calendar not in self.shut)

    def queue(
        self,
        queue_id: str,
        *rows: Spill,
        closed: bool = False,
        waiting: int = 0,
        nobody: bool = False,
        most: int = 0,
        there: bool = True,
    ) -> Queue:
        settings = QueueConfigured(name=queue_id, skill="zh", overflow=rows, most_waiting=most)
        queue = Queue(queue_id=queue_id, settings=settings, open=there)
        self.sights[queue_id] = Sight(queue=queue, closed=closed, waiting=waiting, nobody=nobody)
        return queue

    def entry(self, entry_id: str, queue_id: str, **more: str) -> EntryPoint:
        settings = EntryPointConfigured(name=entry_id, numbers=(entry_id,), queue_id=queue_id, **more)  # type: ignore[arg-type]  # a test's own words
        self.entries[entry_id] = EntryPoint(entry_id=entry_id, settings=settings)
        return self.entries[entry_id]


def row(when: str, to: str, *, after_ms: int = 0, over: int = 0) -> Spill:
    return Spill(when=when, to=to, after_ms=after_ms, over=over)


def hops(settled: Settled) -> list[tuple[str, str]]:
    return [(hop.queue_id, hop.when) for hop in settled.hops]


def test_an_open_queue_takes_whoever_comes() -> None:
    made = Made()
    made.queue("a", row("closed", "queue:b"), row("length", "queue:b", over=1), row("nobody", "queue:b"))
    assert settle(Target("queue", "a"), (), made.house) == Settled(Target("queue", "a"), ())


def test_each_condition_sends_on_arrival_and_says_why() -> None:
    """Feature 3.5."""
    for state in ({"closed": True}, {"waiting": 3}, {"nobody": True}):
        made = Made()
        when = {"closed": "closed", "waiting": "length", "nobody": "nobody"}[next(iter(state))]
        made.queue("a", row("wait", "queue:c", after_ms=1), row(when, "queue:b", over=3), **state)
        made.queue("b")
        settled = settle(Target("queue", "a"), (), made.house)
        assert (settled.target, hops(settled)) == (Target("queue", "b"), [("a", when)])


def test_the_first_row_that_leads_somewhere_is_taken() -> None:
    """Bad input: a queue that is gone, and one that is closed without a way on, lead nowhere."""
    made = Made()
    rows = [row("nobody", f"queue:{name}") for name in ("gone", "shut", "old", "b")]
    made.queue("a", *rows, nobody=True)
    made.queue("shut", closed=True)
    made.queue("old", there=False)
    made.queue("b")
    assert settle(Target("queue", "a"), (), made.house).target == Target("queue", "b")


def test_where_no_row_leads_anywhere_closed_and_full_queues_say_sorry_and_others_let_wait() -> None:
    """Feature 3.5: the last resort."""
    made = Made()
    made.queue("shut", row("closed", "queue:gone"), closed=True)
    made.queue("full", waiting=2, most=2)
    made.queue("lonely", row("nobody", "queue:gone"), nobody=True)
    shut, full = (settle(Target("queue", name), (), made.house) for name in ("shut", "full"))
    assert (shut.target, shut.why, shut.last_resort) == (Target("apology", "closed"), "closed", True)
    assert (full.target, full.why) == (Target("apology", "queue_full"), "length")
    assert settle(Target("queue", "lonely"), (), made.house).target == Target("queue", "lonely")


def test_two_queues_that_send_to_each_other_send_nobody_in_circles() -> None:
    """Bad input: a loop."""
    made = Made()
    made.queue("a", row("nobody", "queue:b"), nobody=True)
    made.queue("b", row("nobody", "entry:back"), nobody=True)
    made.entry("back", "a")
    settled = settle(Target("queue", "a"), (), made.house)
    assert (settled.target, hops(settled)) == (Target("queue", "b"), [("a", "nobody")])


def test_a_closed_entry_point_sends_where_it_says() -> None:
    """Feature 2.6."""
    made = Made()
    made.shut.add("office")
    made.queue("a")
    made.queue("night")
    day = made.entry("day", "a", hours="office")
    away = made.entry("away", "a", hours="office", closed="queue:night")
    assert enter(day, (), made.house).target == Target("apology", "closed")
    assert enter(away, (), made.house).target == Target("queue", "night")
    assert enter(made.entry("self", "a", hours="office", closed="entry:self"), (), made.house).last_resort


def test_somebody_who_waits_is_not_sent_to_a_place_that_does_not_take_them() -> None:
    """Feature 3.5: better to wait on than to be thrown out by a branch that is closed."""
    made = Made()
    made.shut.add("office")
    queue = made.queue("a", row("wait", "entry:branch", after_ms=1_000), row("wait", "queue:shut", after_ms=2_000))
    made.queue("b")
    made.entry("branch", "b", hours="office")
    made.queue("shut", closed=True)
    assert leave(queue, 5_000, (), made.house, nobody=False) is None
    made.shut.clear()
    found = leave(queue, 5_000, (), made.house, nobody=False)
    assert found is not None
    assert (found.target, found.entry_id, hops(found)) == (Target("queue", "b"), "branch", [("a", "wait")])


def test_a_wait_is_looked_at_when_its_row_is_due_and_no_earlier() -> None:
    """Feature 3.5."""
    made = Made()
    queue = made.queue("a", row("wait", "apology:sorry", after_ms=3_000), row("wait", "queue:b", after_ms=1_000))
    made.queue("b")
    assert leave(queue, 999, (), made.house, nobody=False) is None
    due = leave(queue, 1_000, (), made.house, nobody=False)
    assert due is not None
    assert due.target == Target("queue", "b")
    been = (Hop(queue_id="b", when="wait"),)
    assert leave(queue, 1_000, been, made.house, nobody=False) is None, "it has been there"
    assert leave(queue, 3_000, been, made.house, nobody=False) is not None, "an apology is always a way out"
    begun, rows = Instant(10), queue.settings.overflow
    first, second = Instant(begun + 1_000 * MILLISECOND), Instant(begun + 3_000 * MILLISECOND)
    assert [next_look(rows, begun, now) for now in (begun, first, second)] == [first, second, 0]


# --- whatever is configured ------------------------------------------------------------------------------------------

NAMES = ("a", "b", "c", "d", "e", "f", "g", "h")
_TO = st.one_of(
    st.builds("queue:{}".format, st.sampled_from((*NAMES, "gone"))),
    st.builds("entry:{}".format, st.sampled_from((*NAMES, "gone"))),
    st.just("apology:sorry"),
)
_ROW = st.builds(row, st.sampled_from(WHENS), _TO, after_ms=st.integers(1, 5), over=st.integers(1, 3))


@st.composite
def houses(draw: st.DrawFn) -> Made:
    """Any configuration that a site's file can describe, and more: dangling targets, loops, everything closed."""
    made = Made()
    for name in NAMES:
        if draw(st.booleans()):
            made.queue(
                name,
                *draw(st.lists(_ROW, max_size=4)),
                closed=draw(st.booleans()),
                waiting=draw(st.integers(0, 4)),
                nobody=draw(st.booleans()),
                most=draw(st.integers(0, 3)),
                there=draw(st.booleans()),
            )
        if draw(st.booleans()):
            made.entry(name, draw(st.sampled_from(NAMES)), hours=draw(st.sampled_from(("", "x"))), closed=draw(_TO))
    if draw(st.booleans()):
        made.shut.add("x")
    return made


def sound(made: Made, settled: Settled, start: tuple[Hop, ...]) -> None:
    """What must hold wherever somebody ends up."""
    passed = [hop.queue_id for hop in settled.hops]
    assert passed[: len(start)] == [hop.queue_id for hop in start]
    assert len(set(passed)) == len(passed), "nobody is sent to a queue twice"
    assert len(passed) <= MOST_HOPS + 1
    if settled.target.kind == "queue":
        sight = made.sights[settled.target.name]
        assert settled.target.name not in passed
        assert sight.queue.open
        assert not sight.closed
        assert not sight.queue.settings.most_waiting or sight.waiting < sight.queue.settings.most_waiting
        assert len(passed) <= MOST_HOPS
    else:
        assert settled.target.kind == "apology"
        assert settled.target.name, "silence is no way out"
        assert settled.why


@given(houses(), st.sampled_from(NAMES))
def test_whatever_is_configured_everybody_ends_up_in_a_queue_that_takes_them_or_with_an_apology(
    made: Made, start: str
) -> None:
    """Issue 4: nobody is ever left without a way out, and there are no loops."""
    sound(made, settle(Target("queue", start), (), made.house), ())
    if start in made.entries:
        sound(made, enter(made.entries[start], (), made.house), ())


@given(houses(), st.sampled_from(NAMES), st.integers(0, 6), st.booleans())
def test_whatever_is_configured_whoever_waits_goes_to_a_place_that_takes_them_or_stays(
    made: Made,
    at: str,
    waited_ms: int,
    nobody: bool,  # noqa: FBT001
) -> None:
    """Issue 4, followed from queue to queue until the contact stays or is told sorry."""
    been: tuple[Hop, ...] = ()
    for _ in range(MOST_HOPS + 2):
        if at not in made.sights:
            return
        settled = leave(made.sights[at].queue, waited_ms, been, made.house, nobody=nobody)
        if settled is None:
            return
        sound(made, settled, been)
        assert settled.hops[len(been)].queue_id == at
        if settled.target.kind != "queue":
            assert not settled.last_resort
            return
        at, been = settled.target.name, settled.hops
    raise AssertionError("sent on without an end")


def test_a_target_is_a_kind_and_a_name() -> None:
    assert target("queue:sales") == Target("queue", "sales")
    assert target("callback") == Target("callback", "")
