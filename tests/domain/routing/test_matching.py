"""Who is offered whom: skills and levels, longest idle, first come first served, priority; and what it costs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.contacts.contacts import Contact, Visit
from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing import lines, pools
from orchestrator.domain.routing.matching import PHONE_BUSY, Matching
from orchestrator.domain.routing.pools import PHONE_GONE
from orchestrator.domain.routing.queues import Queue, QueueConfigured
from orchestrator.domain.routing.requirements import own
from orchestrator.domain.staff.agents import Agent
from orchestrator.domain.staff.shifts import Shift

NOW = Instant(10**12)


def queue(queue_id: str = "q", skill: str = "zh", **more: int) -> Queue:
    return Queue(queue_id=queue_id, settings=QueueConfigured(name=queue_id, skill=skill, **more))  # type: ignore[arg-type]  # numbers only


def agent(name: str, **skills: int) -> Agent:
    return Agent(agent_id=name, number=name, name=name, extension=name, skills=skills)


def shift(name: str, idle_since: int = 0, status: str = "ready", **more: object) -> Shift:
    return Shift(
        shift_id=name,
        agent_id=name,
        extension=name,
        status=status,
        reason="",
        since=Instant(0),
        signed_in_at=Instant(0),
        idle_since=Instant(idle_since),
        **more,  # type: ignore[arg-type]  # a test's own words
    )


def contact(name: str, queued_at: int = 0, queue_id: str = "q", priority: int = 0, status: str = "waiting") -> Contact:
    visit = Visit(
        visit_id=name, queue_id=queue_id, priority=priority, queued_at=Instant(queued_at), leave_by=Instant(10**15)
    )
    return Contact(
        contact_id=name,
        status=status,
        node="n",
        caller_leg=name,
        dialled="",
        arrived_at=Instant(0),
        queue_id=queue_id,
        visit=visit,
    )


def placed(*agents: tuple[str, int, dict[str, int]], queues: tuple[Queue, ...] = ()) -> Matching:
    """A queue, and agents by name, idle since, skills."""
    matching = Matching()
    for each in queues or (queue(),):
        matching.configure_queue(each)
    for name, idle_since, skills in agents:
        matching.configure_agent(name, agent(name, **skills))
        matching.place_shift(shift(name, idle_since))
    return matching


def best(matching: Matching, queue_id: str = "q", count: int = 9, now: Instant = NOW) -> list[str]:
    return [standing.agent_id for standing in matching.best_agents(queue_id, count, now)]


def order(matching: Matching, queue_id: str = "q") -> list[str]:
    """All waiting contacts, in the order in which they would be served."""
    served = []
    while (head := matching.next_contact(queue_id, NOW)) is not None:
        served.append(head)
        matching.place_contact(contact(head, status="offered", queue_id=queue_id), reachable=True)
    return served


# --- agents ----------------------------------------------------------------------------------------------------------


def test_among_equal_skills_the_agent_who_has_been_idle_longest_comes_first() -> None:
    """Feature 3.2."""
    matching = placed(("late", 30, {"zh": 3}), ("early", 10, {"zh": 3}), ("middle", 20, {"zh": 3}))
    assert best(matching) == ["early", "middle", "late"]


def test_a_higher_level_for_the_asked_skill_comes_before_idle_time() -> None:
    """Feature 3.2: level is the first key."""
    matching = placed(("novice", 1, {"zh": 1}), ("expert", 99, {"zh": 9, "en": 1}), ("both", 50, {"zh": 5, "en": 9}))
    assert best(matching) == ["expert", "both", "novice"]


def test_agents_below_the_least_level_or_without_the_skill_are_not_candidates() -> None:
    """Feature 3.1."""
    matching = placed(
        ("weak", 1, {"zh": 2}), ("fit", 2, {"zh": 3}), ("other", 3, {"en": 9}), queues=(queue(min_level=3),)
    )
    assert best(matching) == ["fit"]
    assert matching.states("q") == {"ready": 1}


def test_a_queue_without_a_least_level_still_asks_for_its_skill() -> None:
    """Feature 3.1: level 0 is no skill at all."""
    matching = placed(("other", 1, {"en": 9}), ("fit", 2, {"zh": 1}), queues=(queue(min_level=0),))
    assert best(matching) == ["fit"]
    matching.configure_queue(queue(min_level=0))
    assert best(matching) == ["fit"]
    assert matching.states("q") == {"ready": 1}


@pytest.mark.parametrize(
    ("state", "label"),
    (
        (shift("a", status="paused"), "paused"),
        (shift("a", status="reserved"), "reserved"),
        (shift("a", status="talking"), "talking"),
        (shift("a", status="wrapping_up"), "wrapping_up"),
        (shift("a", cooling_until=Instant(9)), "cooling_down"),
    ),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_only_a_ready_agent_who_is_not_cooling_down_is_free(state: Shift, label: str) -> None:
    """Complaint 6; features 3.6, 3.9: the others are counted by their state."""
    matching = placed(("a", 0, {"zh": 3}))
    matching.place_shift(state)
    assert best(matching) == []
    assert not matching.is_free("a")
    assert matching.states("q") == {label: 1}
    matching.place_shift(shift("a", 5))
    assert best(matching) == ["a"]


def test_an_agent_whose_phone_still_has_a_leg_of_ours_is_not_free() -> None:
    """Complaint 3."""
    matching = placed(("a", 0, {"zh": 3}))
    matching.place_shift(shift("a"), phone=PHONE_BUSY)
    assert best(matching) == []
    assert matching.states("q") == {"phone_busy": 1}
    matching.place_shift(shift("a"))
    assert best(matching) == ["a"]


def test_an_agent_whose_phone_is_gone_is_neither_free_nor_waited_for() -> None:
    """Issue 5: an unreachable phone is never offered; complaint 6: and nobody is kept waiting for it."""
    matching = placed(("a", 0, {"zh": 3}))
    assert matching.anybody_for("q", own(queue().settings))
    matching.place_shift(shift("a"), phone=PHONE_GONE)
    assert best(matching) == []
    assert matching.states("q") == {"phone_gone": 1}
    assert matching.is_out("a")
    assert not matching.anybody_for("q", own(queue().settings))
    matching.place_shift(shift("a"))
    assert best(matching) == ["a"]
    assert matching.anybody_for("q", own(queue().settings))


def test_skills_that_change_count_from_the_next_question_on() -> None:
    """Feature 3.1."""
    matching = placed(("a", 1, {"zh": 3}), ("b", 2, {"zh": 3}))
    matching.configure_agent("b", agent("b", zh=9))
    assert best(matching) == ["b", "a"]
    matching.configure_agent("b", None)
    assert best(matching) == ["a"]
    matching.configure_queue(queue(skill="en"))
    assert best(matching) == []
    matching.configure_agent("a", agent("a", en=1))
    assert best(matching) == ["a"]


@pytest.mark.parametrize("phone", (PHONE_BUSY, PHONE_GONE))
def test_a_phone_stays_busy_or_gone_when_its_agents_skills_change(phone: str) -> None:
    matching = placed(("a", 1, {"zh": 3}))
    matching.place_shift(shift("a", 1), phone=phone)
    matching.configure_agent("a", agent("a", zh=5))
    assert best(matching) == []


def test_asking_does_not_use_an_agent_up() -> None:
    matching = placed(("a", 1, {"zh": 3}), ("b", 2, {"zh": 3}))
    assert best(matching) == best(matching) == ["a", "b"]
    assert best(matching, count=1) == ["a"]


# --- contacts --------------------------------------------------------------------------------------------------------


def test_callers_are_served_first_come_first_served_and_priority_goes_before() -> None:
    """Feature 3.3."""
    matching = placed()
    for name, queued_at, priority in (("second", 20, 0), ("first", 10, 0), ("vip", 30, 5), ("vip2", 40, 5)):
        matching.place_contact(contact(name, queued_at, priority=priority), reachable=True)
    assert matching.waiting("q") == 4
    assert order(matching) == ["vip", "vip2", "first", "second"]


def test_callers_of_the_same_instant_are_served_in_the_order_of_their_records() -> None:
    """Feature 3.3: calls found by one snapshot are queued in one step; their ids are no order."""
    names = [f"{n}" for n in (9, 3, 7, 1, 8, 2)]
    matching = placed()
    for name in names:
        matching.place_contact(contact(name), reachable=True)
    assert order(matching) == names


def test_a_caller_whose_offer_failed_keeps_the_place() -> None:
    """Features 3.3, 3.6."""
    matching = placed()
    for name in ("a", "b", "c"):
        matching.place_contact(contact(name), reachable=True)
    matching.place_contact(contact("a", status="offered"), reachable=True)
    assert matching.next_contact("q", NOW) == "b"
    matching.place_contact(contact("a"), reachable=True)
    assert order(matching) == ["a", "b", "c"]


def test_a_caller_whose_switch_is_away_is_passed_over_and_keeps_the_place() -> None:
    """Features 3.3, 12.4."""
    matching = placed()
    for name in ("a", "b"):
        matching.place_contact(contact(name), reachable=True)
    matching.place_contact(contact("a"), reachable=False)
    assert matching.next_contact("q", NOW) == "b"
    matching.place_contact(contact("a"), reachable=True)
    assert order(matching) == ["a", "b"]


def test_an_agent_takes_whoever_should_be_served_first_over_all_queues() -> None:
    """Features 3.3, 3.1; complaint 21."""
    matching = placed(("a", 0, {"zh": 1, "en": 1}), queues=(queue("q"), queue("e", "en"), queue("x", "fr")))
    matching.place_contact(contact("young", 20, "q"), reachable=True)
    matching.place_contact(contact("old", 10, "e"), reachable=True)
    matching.place_contact(contact("foreign", 1, "x"), reachable=True)
    assert matching.best_contact("a", NOW) == "old"
    assert list(matching.in_turn(NOW)) == ["old", "young"]


def test_a_queue_that_nobody_configured_has_nobody() -> None:
    matching = placed()
    matching.place_contact(contact("lost", queue_id="nowhere"), reachable=True)
    assert best(matching, "nowhere") == []
    assert matching.next_contact("nowhere", NOW) is None
    assert matching.waiting("nowhere") == 0
    assert matching.states("nowhere") == {}


# --- what it costs ---------------------------------------------------------------------------------------------------


@contextmanager
def counted() -> Iterator[list[int]]:
    """How many times an entry of a heap was moved in or out."""
    count = [0]
    right = {name: getattr(lines, name) for name in ("heappush", "heappop")}

    def counting(move: Callable[..., object]) -> Callable[..., object]:
        def moved(*args: object) -> object:
            count[0] += 1
            return move(*args)

        return moved

    for name, move in right.items():
        for module in (lines, pools):
            setattr(module, name, counting(move))
    try:
        yield count
    finally:
        for name, move in right.items():
            for module in (lines, pools):
                setattr(module, name, move)


def work_of(waiting: int, agents: int) -> int:
    """Moves for a hundred rounds of: an agent comes free, is matched, is reserved, and the contact leaves the queue."""
    matching = placed(*((f"a{n}", n, {"zh": 1 + n % 9}) for n in range(agents)))
    for n in range(agents):
        matching.place_shift(shift(f"a{n}", n, status="talking"))
    for n in range(waiting):
        matching.place_contact(contact(f"c{n}", n), reachable=True)
    assert matching.waiting("q") == waiting
    with counted() as count:
        for round_ in range(100):
            name = f"a{round_ % agents}"
            matching.place_shift(shift(name, 10_000 + round_))
            head = matching.best_contact(name, NOW)
            assert head == f"c{round_}"
            assert best(matching, count=1) == [name]
            matching.place_shift(shift(name, 10_000 + round_, status="reserved"))
            matching.place_contact(contact(head, round_, status="offered"), reachable=True)
    return count[0]


def test_matching_does_not_cost_waiting_contacts_times_agents() -> None:
    """Feature 12.5: counted in moves, not in time. A hundred times as many of both, hardly more moves."""
    small, large = work_of(waiting=110, agents=5), work_of(waiting=11_000, agents=500)
    assert large <= 2 * small


def test_who_comes_and_goes_while_nobody_asks_is_not_put_in_order() -> None:
    """Feature 12.5: a fold of the past moves nothing in a heap until its end; then everything is where it belongs."""
    matching = placed(("a", 0, {"zh": 3}), ("b", 1, {"zh": 3}))
    with counted() as count:
        for n in range(100):
            matching.place_shift(shift("a", n))
            matching.place_contact(contact(f"c{n}", n), reachable=True)
            matching.place_contact(contact(f"c{n}", n, status="offered"), reachable=True)
            matching.place_shift(shift("a", n, status="reserved"))
        matching.place_contact(contact("last", 200), reachable=True)
    assert count == [0]
    assert best(matching) == ["b"]
    assert matching.next_contact("q", NOW) == "last"
    assert matching.states("q") == {"ready": 1, "reserved": 1}


def test_entries_that_are_no_longer_true_do_not_pile_up() -> None:
    """Feature 12.5: agents who come and go all night, while one of a higher level stays free."""
    matching = placed(("best", 0, {"zh": 9}), ("restless", 0, {"zh": 1}))
    for n in range(5_000):
        matching.place_shift(shift("restless", n))
        assert matching.is_free("restless")
        matching.place_shift(shift("restless", n, status="paused"))
    for n in range(5_000):
        matching.place_contact(contact("head"), reachable=True)
        matching.place_contact(contact(f"c{n}", n + 1), reachable=True)
        assert matching.waiting("q") == 2
        matching.place_contact(contact(f"c{n}", n + 1, status="offered"), reachable=True)
    (lane,) = matching._lanes.values()
    assert len(lane.order.ready) < 100
    assert len(lane._aged) < 100
    assert best(matching) == ["best"]
    assert matching.next_contact("q", NOW) == "head"


# --- against the plainest way of doing it ----------------------------------------------------------------------------


@given(st.integers(0, 2**32))
def test_the_index_says_what_sorting_everything_would_say(seed: int) -> None:
    """Features 3.1, 3.2, 3.3: a few hundred changes in any order, compared with sorting all agents and all contacts."""
    dice = Random(seed)
    matching = Matching()
    queues = {name: queue(name, skill, min_level=dice.randint(1, 3)) for name, skill in (("q", "zh"), ("e", "en"))}
    for each in queues.values():
        matching.configure_queue(each)
    skills: dict[str, dict[str, int]] = {}
    shifts: dict[str, tuple[Shift, bool]] = {}
    waiting: dict[str, tuple[int, Contact]] = {}
    for step in range(150):
        name = f"a{dice.randrange(6)}"
        match dice.randrange(5):
            case 0:
                skills[name] = {skill: dice.randint(1, 5) for skill in ("zh", "en") if dice.random() < 0.7}
                matching.configure_agent(name, agent(name, **skills[name]))
            case 1 | 2:
                status, free = dice.choice((("ready", True), ("ready", False), ("talking", True)))
                shifts[name] = (shift(name, dice.randrange(1_000), status=status), free)
                matching.place_shift(shifts[name][0], phone="" if free else dice.choice((PHONE_BUSY, PHONE_GONE)))
            case 3:
                newcomer = contact(f"c{step}", step // 4, dice.choice(("q", "e")), priority=dice.choice((0, 0, 3)))
                waiting[newcomer.contact_id] = (step, newcomer)
                matching.place_contact(newcomer, reachable=True)
            case _ if waiting:
                served = dice.choice(sorted(waiting))
                _, gone = waiting.pop(served)
                matching.place_contact(contact(served, 0, gone.queue_id, status="offered"), reachable=True)
    for queue_id, each in queues.items():
        need = each.settings
        able = [
            (-skills.get(name, {}).get(need.skill, 0), one.idle_since, name)
            for name, (one, free) in shifts.items()
            if free and one.status == "ready" and skills.get(name, {}).get(need.skill, 0) >= need.min_level
        ]
        assert best(matching, queue_id) == [name for _, _, name in sorted(able)]
        line = sorted(
            (-one.visit.priority, one.visit.queued_at, arrived, name)
            for name, (arrived, one) in waiting.items()
            if one.queue_id == queue_id and one.visit is not None
        )
        assert order(matching, queue_id) == [name for *_, name in line]
