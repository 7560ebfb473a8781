"""A day played again: beside Erlang's answer, beside the day itself, and with other staff and rules (feature 10.4)."""

from datetime import date
from random import Random
from statistics import stdev

import pytest
from msgspec.structs import replace

from orchestrator.audit import verify
from orchestrator.domain.contacts import contacts
from orchestrator.domain.kernel import MILLISECOND, SECOND, Instant, Refused
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.sizing.seats import Blocked, Demand, Terms, expected_impatient
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.staff.answering import AT_DESK
from orchestrator.service import site_text
from orchestrator.whatif import asking
from orchestrator.whatif.asking import Answer, Real
from orchestrator.whatif.changes import Changes, Wanted
from orchestrator.whatif.day import ANSWERED, Agent, Day, Ring, Taker, Talk
from tests.simulation.run import Run, Size
from tests.whatif import made
from web.whatif import words

TODAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def real() -> Real:
    """A morning of 250 calls for four agents, as its log tells it."""
    return asking.taken(made.records(made.brought(250, 4, hours=(8, 10), agents_pause=False)), made.FIRST, made.LAST)


@pytest.fixture(scope="module")
def unchanged(real: Real) -> Answer:
    return ask(real, seeds=5)


def ask(real: Real, seeds: int = 3, **wanted: object) -> Answer:
    return asking.answer(real, Wanted(region="CN", **wanted), seeds=seeds, today=TODAY)  # type: ignore[arg-type]  # a test's own


# --- how far it can be believed --------------------------------------------------------------------------------------
def test_unchanged_rules_reproduce_the_real_day_within_the_stated_band(unchanged: Answer) -> None:
    """What callers and agents brought is read from the log alone, their patience estimated; the seeds are others."""
    for name in ("service_level", "given_up", "answer_wait_s", "wait_s", "occupancy", "agent_hours"):
        figure = unchanged.figures[name]
        assert figure.real is not None
        assert figure.same is not None
        assert figure.same.least <= figure.real <= figure.same.most, name
    level = unchanged.figures["service_level"].same
    assert level is not None
    assert 0 < level.most - level.least < 0.3  # a band that says something


def test_of_a_day_that_is_not_over_both_sides_know_no_more_than_the_log_does() -> None:
    """Issue 7: too few agents, half an hour after they began: many wait at that moment."""
    whole = made.records(made.brought(900, 3, hours=(8, 10)))
    last = Instant(made.FIRST + (8 * 60 + 30) * 60 * SECOND)
    cut = ask(asking.taken([each for each in whole if each.about.at < last], made.FIRST, last), seeds=3)
    figures = {name: (each.real, each.same) for name, each in cut.figures.items()}
    left = {}
    for side in (0, 1):
        offered, answered, abandoned = (
            found if isinstance(found, float | int) else found.mean  # type: ignore[union-attr]  # neither is None here
            for found in (figures[name][side] for name in ("offered", "answered", "abandoned"))
        )
        left[side] = offered - answered - abandoned
    assert min(left.values()) > 3, "whoever waits at the end is neither answered nor gone"
    assert abs(left[0] - left[1]) < 6


def test_who_hangs_up_as_an_agent_answers_does_so_again_and_tells_nothing_of_patience() -> None:
    """Issue 7: a third of the callers go in the moment in which they would be joined; agents answer at other times in
    each play, so by the clock alone many of them would be served.
    """
    day = made.brought(250, 4, hours=(8, 10), agents_pause=False)
    callers = [
        replace(each, at_answer=50 * MILLISECOND) if place % 3 == 0 else each for place, each in enumerate(day.callers)
    ]
    real = asking.taken(made.records(replace(day, callers=callers)), made.FIRST, made.LAST)
    answer = ask(real, seeds=5)
    lost = answer.figures["given_up"]
    assert lost.real is not None
    assert lost.same is not None
    assert lost.real > 0.35
    assert lost.same.mean == pytest.approx(lost.real, abs=0.03)
    assert lost.same.least <= lost.real <= lost.same.most
    told = answer.patience
    assert 40 < told.at_answer < 84
    assert told.gave_up + told.at_answer == real.measured.of_queue()["abandoned"]
    said = " ".join(words.sentences(answer))
    assert f"{told.at_answer} hung up in the moment in which an agent answered." in said
    assert f"{told.at_ring} of those who gave up did so while a phone rang for them." in said
    assert f"{100 * told.at_ring / 250:.1f} points" in said


def test_agents_who_answer_at_the_desk_are_played_so() -> None:
    """Feature 10.4: their phones are called once they have accepted, and the day comes to the same, as its log says."""
    day = made.brought(120, 4, hours=(8, 9), agents_pause=False)
    agents = {
        name: replace(agent, rings=[replace(ring, at_desk=ring.after - SECOND // 4) for ring in agent.rings])
        for name, agent in day.agents.items()
    }
    configured = [
        replace(record, event=replace(record.event, answer=AT_DESK))
        if isinstance(record.event, AgentConfigured)
        else record
        for record in day.configured
    ]
    log = made.records(replace(day, agents=agents, configured=configured))
    assert not verify(log).problems
    asked = {record.event.leg for record in log if isinstance(record.event, contacts.OfferAcceptRequested)}
    answered = {record.event.leg for record in log if isinstance(record.event, contacts.OfferAnswered)}
    assert len(answered) > 60
    assert answered <= asked
    real = asking.taken(log, made.FIRST, made.LAST)
    rings = [ring for agent in real.day.agents.values() for ring in agent.rings if ring.outcome == ANSWERED]
    assert {ring.after - ring.at_desk for ring in rings} == {SECOND // 4}
    answer = ask(real, seeds=5)
    for name in ("answer_wait_s", "given_up", "occupancy"):
        figure = answer.figures[name]
        assert figure.real is not None
        assert figure.same is not None
        assert figure.same.least <= figure.real <= figure.same.most, name


def test_a_queue_of_its_own_does_as_erlang_a_says() -> None:
    """An answer from elsewhere: calls at random, talks and patience exponential, agents who answer at once."""
    dice = Random(11)
    calls, agents, talk_s, patience_s = 1_200, 6, 180, 90.0
    day = made.brought(calls, agents, hours=(0, 12), wrap_up_ms=0)
    end = made.FIRST + 12 * 3_600 * SECOND
    callers = [
        replace(each, dialled="4001", talks=[Talk("support", max(1, int(dice.expovariate(1 / talk_s) * 1000)))])
        for each in day.callers
    ]
    staff = {f"a{n}": Agent(f"a{n}", wishes=_there_all_day(), rings=[Ring(ANSWERED, MILLISECOND)]) for n in range(99)}
    staff = {name: agent for name, agent in staff.items() if int(name[1:]) < agents}
    configured = [
        replace(each, event=replace(each.event, skills={"support": 3})) if each.stream.startswith("agent-") else each
        for each in day.configured
    ]
    day = _day(day, configured=configured, callers=callers, agents=staff, patience_s=patience_s)
    found = asking.taken(made.records(day), made.FIRST, Instant(end)).measured.of_queue("support")
    demand = Demand(calls=calls / 24, handling_s=talk_s)
    told = expected_impatient(demand, Terms(patience_s=patience_s), agents, Blocked(demand.traffic))
    assert found["offered"] == calls
    assert found["service_level"] == pytest.approx(told.level, abs=0.05)
    assert found["given_up"] == pytest.approx(told.gives_up, abs=0.025)
    assert found["wait_s"] == pytest.approx(told.wait_s, rel=0.25)


def _there_all_day() -> list:  # type: ignore[type-arg]  # wishes
    return [wish for wish in made.brought(1, 1, hours=(0, 12)).agents["a0"].wishes if wish.what in ("in", "ready")][:2]


def _day(day: Day, *, patience_s: float, **given: object) -> Day:
    patience = replace(day.patience, mean_s=patience_s)
    return replace(day, patience=patience, delivered=0, joined=MILLISECOND, **given)


def test_the_same_seed_plays_the_same_day(real: Real) -> None:
    setting = Changes(real.day, Wanted(region="CN"), TODAY).of(3)
    assert asking.play(real, setting, 3) == asking.play(real, setting, 3)
    assert asking.play(real, setting, 3) != asking.play(real, setting, 4)


def test_patience_is_stated_with_where_it_comes_from(real: Real, unchanged: Answer) -> None:
    """Of callers who wait 90 s on average the curve is found, though two in three were served before."""
    told = unchanged.patience
    assert told.told
    assert told.callers == 250
    assert told.within["60"] == pytest.approx(0.49, abs=0.15)
    assert real.measured.of_queue()["given_up"] == pytest.approx(told.gave_up / 250, abs=0.01)


# --- what would have been --------------------------------------------------------------------------------------------
def test_an_agent_more_answers_sooner_and_one_fewer_later(real: Real) -> None:
    more, fewer = ask(real, agents=1), ask(real, agents=-1)
    for answer, sign in ((more, 1), (fewer, -1)):
        level, lost = answer.figures["service_level"].difference, answer.figures["given_up"].difference
        hours = answer.figures["agent_hours"].difference
        assert level is not None
        assert lost is not None
        assert hours is not None
        assert sign * level.mean > 0.05
        assert sign * lost.mean < 0
        assert hours.mean == pytest.approx(sign * 2.3, rel=0.3)
    assert (more.more_agents, more.changed, more.changes) == (1, True, ())


def test_agents_more_or_fewer_are_those_who_serve_the_queue(real: Real) -> None:
    """Drawn by the seed: the result is not one about whom it happened to be."""
    able = {name for name, event in made.configuration(4).items() if "sales" in getattr(event, "skills", ())}
    more = Changes(real.day, Wanted(agents=2, queue_id="sales", region="CN"), TODAY)
    for record in more.of(1).configured[-2:]:
        assert "sales" in record.event.skills  # type: ignore[attr-defined]  # an agent
    fewer = Changes(real.day, Wanted(agents=-1, queue_id="sales", region="CN"), TODAY)
    gone = [real.day.agents.keys() - fewer.of(seed).staff.keys() for seed in range(20)]
    assert {f"agent-{name}" for names in gone for name in names} == able
    assert {len(names) for names in gone} == {1}


def test_another_configuration_is_played_as_it_would_decide(real: Real) -> None:
    """Whatever the file says, through the production step: here a skill that nobody has so well."""
    events = made.configuration(4)
    harder = replace(events["queue-sales"], min_level=9, priority=100)
    text = site_text.write({**events, "queue-sales": harder}, site="main", version=1)
    answer = ask(real, seeds=1, text=text)
    (change,) = answer.changes
    assert "priority = 100 (was 0)" in change
    sales, support = (answer.queues[name] for name in ("sales", "support"))
    assert sales["answered"].wanted == asking.spread([0.0])
    assert support["service_level"].difference is not None
    assert support["service_level"].difference.mean > 0, "all agents have time for the other queue"


def test_rules_of_the_outside_that_name_no_region_are_read_in_the_sites(real: Real) -> None:
    text = site_text.write(made.configuration(4), site="main", version=1) + '\n[outside.main]\nallowed = ["+852"]\n'
    records = Changes(real.day, Wanted(text=text, region="HK"), TODAY).of(1).configured
    assert [each.event.region for each in records if isinstance(each.event, OutsideConfigured)] == ["HK"]


def test_an_answer_never_names_an_agent(real: Real) -> None:
    events = made.configuration(5)
    renamed = replace(events["agent-a1"], name="Wang Fang", skills={"sales": 9})
    answer = ask(real, seeds=1, text=site_text.write({**events, "agent-a1": renamed}, site="main", version=1))
    assert answer.changes == ("changed agent-a1: name, skills", "added agent-a4")
    hours = answer.figures["agent_hours"].difference
    assert hours is not None
    assert hours.mean == pytest.approx(2.3, rel=0.4), "whom a file adds works like one who was there"


# --- what cannot be asked --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wanted", "code", "words"),
    (
        ({"agents": -4}, "bad_staff", "4 agents worked on that day; leave at least one: 3 fewer at most."),
        ({"agents": 1_001}, "bad_staff", "Up to 1000"),
        ({"agents": 1, "queue_id": "nowhere"}, "bad_queue", "no queue 'nowhere'"),
        ({"text": "[queue.sales]\nname = 'S'\nskill = 'sales'\nring_s = 'long'"}, "bad_configuration", "ring_s"),
    ),
)
def test_what_cannot_be_played_is_refused_with_what_to_ask(
    real: Real, wanted: dict[str, object], code: str, words: str
) -> None:
    with pytest.raises(Refused) as refused:
        ask(real, seeds=1, **wanted)
    assert refused.value.code == code
    assert words in refused.value.message


def test_a_configuration_without_any_agent_who_worked_is_refused(real: Real) -> None:
    """Zero agents."""
    events = {name: event for name, event in made.configuration(4).items() if not name.startswith("agent-")}
    with pytest.raises(Refused) as refused:
        ask(real, seeds=1, text=site_text.write(events, site="main", version=1))
    assert refused.value.code == "no_agents"


def test_more_than_is_played_is_refused_with_what_is(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_CALLS", 750)
    with pytest.raises(Refused, match="250 calls are too many for 4 seeds; ask with 3 seeds at most"):
        ask(real, seeds=4)
    for days, seeds, code in ((0, 1, "bad_days"), (8, 1, "bad_days"), (1, 51, "bad_seeds"), (1, 0, "bad_seeds")):
        with pytest.raises(Refused) as refused:
            asking.checked(days, seeds)
        assert refused.value.code == code


# --- over many seeds -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("seeds", "t"), ((16, 2.1314), (17, 2.1199), (21, 2.0860), (26, 2.0595), (50, 2.0096)))
def test_the_interval_is_students_for_as_many_seeds_as_may_be_asked_for(seeds: int, t: float) -> None:
    """Known answers: tables of Student's t for 95 %, 15 to 49 degrees of freedom. Half of so many days 1 apart."""
    values = [0.0, 1.0] * (seeds // 2) + [0.5] * (seeds % 2)
    found = asking.spread(values)
    assert found.high - found.mean == pytest.approx(t * stdev(values) / seeds**0.5, rel=2e-4)


def test_the_interval_of_a_mean_is_students() -> None:
    """Known answer: 1 … 5 have mean 3, deviation 1.5811; t for four degrees of freedom is 2.776."""
    found = asking.spread([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.mean, found.high) == pytest.approx((3.0, 3.0 + 2.776 * 1.58114 / 5**0.5))
    assert found.most == pytest.approx(3.0 + 2.776 * 1.58114 * 1.2**0.5)
    assert asking.spread([2.0]) == asking.Spread(2.0, 2.0, 2.0, 2.0, 2.0)


def test_who_was_asked_before_the_caller_came_to_them_tells_nothing_of_how_long_phones_ring() -> None:
    """Feature 10.4: a completed consultation, a talk that was taken over, a room that was left to a guest: in the log
    each is an offer that is answered at once.
    """
    at_once = heard = 0
    for seed in range(6):
        size = Size(contacts=40, transfers=1.0, consults=1.0, monitors=1.0)
        log = Run(seed, size=size).play().ledger.records()
        offered: dict[tuple[str, str], int] = {}
        for record in log:
            if isinstance(record.event, contacts.OfferMade):
                offered |= {
                    (record.event.offer_id, held.shift_id): record.about.at for held in record.event.reservations
                }
            elif isinstance(record.event, contacts.OfferAnswered):
                at_once += offered.get((record.event.offer_id, record.event.shift_id)) == record.about.at
        times = [record.about.at for record in log]
        taker = Taker(Instant(min(times)), Instant(max(times)))
        for record in log:
            taker.take(record)
        rings = [ring for agent in taker.day([], []).agents.values() for ring in agent.rings]
        heard += len(rings)
        assert all(ring.after > 0 for ring in rings if ring.outcome == ANSWERED)
    assert at_once
    assert heard > 60


def test_a_phone_that_picks_up_by_itself_says_nothing_of_how_soon_somebody_accepts_at_a_desk() -> None:
    """Feature 10.4: the day's phones answered by themselves, and is played with desks that are to accept."""
    day = made.brought(40, 3, hours=(8, 9), agents_pause=False)
    agents = {
        name: replace(agent, rings=[Ring(ANSWERED, 70 * MILLISECOND) for _ in agent.rings])
        for name, agent in day.agents.items()
    }
    configured = [
        replace(record, event=replace(record.event, answer=AT_DESK))
        if isinstance(record.event, AgentConfigured)
        else record
        for record in day.configured
    ]
    offered: dict[str, int] = {}
    took: list[int] = []
    for record in made.records(replace(day, agents=agents, configured=configured)):
        if isinstance(record.event, contacts.OfferMade):
            offered[record.event.offer_id] = record.about.at
        elif isinstance(record.event, contacts.OfferAcceptRequested):
            took.append(record.about.at - offered[record.event.offer_id])
    assert len(took) > 20
    assert min(took) > SECOND
