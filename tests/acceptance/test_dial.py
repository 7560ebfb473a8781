"""An agent dials a number outside, on both switches, from the own phone that rings to the end."""

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import dial_events as d
from orchestrator.domain.kernel import Event
from orchestrator.domain.staff import shifts as s
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import OUTSIDE, House
from tests.contract.driver import Outsider
from tests.lab.sound import CALLER_HZ, stretches

CUSTOMER = "+31201234567"
HAARLEM = "+31235550000"
BRANCH = f"""show_at = {{ haarlem = "{HAARLEM}" }}
[branch.haarlem]
name = "Haarlem"
"""


def _house(build: Build) -> House:
    """A house in which Ann works at the branch in Haarlem, and numbers outside may be called."""
    house = build()
    at_home = house.configuration.replace('name = "Ann Archer"', 'name = "Ann Archer"\nbranch = "haarlem"')
    house.apply(at_home + OUTSIDE.format(ring_s=5) + BRANCH)
    house.open()
    return house


def test_whoever_is_dialled_sees_the_number_of_the_agents_branch_talks_is_recorded_and_held(build: Build) -> None:
    """Features 1.2, 4.3, 8.1: own phone → number → talk → hold → hang up; no queue, no abandonment, one end."""
    house = _house(build)
    house.driver.outside(CUSTOMER)
    house.driver.phone("1001")
    house.sign_in("801")
    assert house.refusal(inputs.Dial(agent="801", number="112")) == "withheld"
    house.do(inputs.Dial(agent="801", number=CUSTOMER))
    house.await_state("801", "talking")
    assert house.driver.number_shown(CUSTOMER) == HAARLEM
    house.ledger.await_event(c.RecordingBegun)
    house.do(inputs.Hold(agent="801"))
    house.ledger.await_event(c.ContactHeld)
    house.do(inputs.HangUp(agent="801"))
    report = house.close_day(contacts=0)
    assert (report.counts.dialled, report.counts.queued_contacts) == (1, 0)
    assert [event.reason for event in house.ledger.all(c.ContactEnded)] == ["completed"]


@pytest.mark.parametrize(
    ("behaviour", "event", "hertz", "least_s"),
    (("slow", d.NumberDelivered, 450, 0.3), ("early", d.NumberSounded, CALLER_HZ, 1.5)),
)
def test_an_agent_hears_the_number_ring_or_what_its_network_plays_until_it_answers(
    build: Build, behaviour: Outsider, event: type[Event], hertz: int, least_s: float
) -> None:
    """Feature 1.2: by samples of what the agent's phone is sent, where there is sound."""
    house = _house(build)
    house.driver.outside(CUSTOMER, behaviour)
    house.driver.phone("1001")
    house.sign_in("801")
    house.do(inputs.Dial(agent="801", number=CUSTOMER))
    leg = house.ledger.await_event(c.OfferAccepted).leg
    path = house.driver.folder / f"heard-{behaviour}.wav"
    with house.driver.control() as control:
        control.api(f"uuid_setvar {leg} RECORD_STEREO true")
        control.api(f"uuid_record {leg} start {path}")
    house.ledger.await_event(event)
    assert not house.ledger.all(d.NumberAnswered)
    house.await_state("801", "talking")
    house.driver.let_hear(1_000)
    house.do(inputs.HangUp(agent="801"))
    house.close_day(contacts=0)
    assert [each.reason for each in house.ledger.all(c.ContactEnded)] == ["completed"]
    if house.driver.has_sound:
        heard = sum(length for _, length in stretches(path, 1, hertz))
        assert heard >= least_s, stretches(path, 1, hertz)


@pytest.mark.parametrize(("behaviour", "reason"), (("busy", "number_busy"), ("rings", "number_no_answer")))
def test_a_number_that_is_not_reached_says_why_and_the_agent_is_ready_again(
    build: Build, behaviour: Outsider, reason: str
) -> None:
    """Feature 1.2. The one that rings goes on ringing, and is called once, though the engine is killed meanwhile."""
    house = _house(build)
    house.driver.outside(CUSTOMER, behaviour)
    house.driver.phone("1001")
    house.sign_in("801")
    house.do(inputs.Dial(agent="801", number=CUSTOMER))
    house.ledger.await_event(d.NumberDialled)
    if behaviour == "rings":
        house.await_ringing(CUSTOMER)
        house.engines[-1].child.kill()
        house.start_engine()
        house.await_switch()
    assert house.ledger.await_event(c.ContactEnded, within_s=60).reason == reason
    house.await_state("801", "ready")
    assert len(house.ledger.all(d.NumberDialled)) == 1
    assert not house.ledger.all(s.AgentStoodDown)
    house.close_day(contacts=0)
