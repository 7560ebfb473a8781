"""Two are on the way into a conference as whoever was asked first leaves it, on both switches (feature 4.3)."""

from collections.abc import Callable

import pytest

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import guest_events as g
from orchestrator.domain.kernel import Event
from orchestrator.runner import inputs
from tests.acceptance.conftest import Build
from tests.acceptance.house import House
from tests.lab.control import Control
from tests.lab.patience import until

pytestmark = pytest.mark.slow
DEE = """
[agent.dee]
number = "804"
name = "Dee Dyer"
extension = "1004"
skills = {support = 5}
"""
MOST_ROUNDS = 15


def _next(house: House, kind: type[Event], wish: inputs.AgentCommand) -> None:
    """Ask for it, and wait until this happened once more."""
    before = len(house.ledger.all(kind))
    house.do(wish)
    house.ledger.await_event(kind, count=before + 1)


def test_two_who_are_brought_back_as_whoever_was_asked_first_hangs_up_are_both_there(build: Build) -> None:
    """Decision 0104: nobody is cut off who was told into the room, at whatever moment of it the other one leaves."""
    _play(build, _two_come)


def test_one_who_is_brought_back_while_the_agent_speaks_with_another_alone_is_with_the_caller(build: Build) -> None:
    """Decision 0104: whoever was asked first hangs up; who comes stays, and the two who speak alone are left alone."""
    _play(build, _one_comes)


def _play(build: Build, round_of: Callable[[House, Control], bool]) -> None:
    """Rounds, until in one of them somebody was on the way in at that moment."""
    house = build()
    house.apply(house.configuration + DEE)
    house.open()
    for number in ("801", "802", "803", "804"):
        house.driver.phone(f"100{number[-1]}")
    rounds = met = 0
    with house.driver.control() as control:
        while not met and rounds < MOST_ROUNDS:
            rounds += 1
            met += round_of(house, control)
            house.do(inputs.EndAll(reason="evening"))
            house.await_no_contacts()
    assert met, "never on the way at that moment"
    assert house.close_day(contacts=rounds).ok


def _together(house: House) -> str:
    """One conference of five; the leg of whoever was asked first."""
    house.sign_in("801")
    house.driver.call()
    until(lambda: house.agent("801")["state"] == "talking", "the two to talk")
    for number in ("802", "803", "804"):
        house.sign_in(number)
    # Nobody presses within milliseconds; a real switch may drop a leg that is moved while it is being joined.
    house.driver.let_hear(200)
    _next(house, e.ConsultJoined, inputs.Consult(agent="801", to_agent="802"))
    house.driver.let_hear(200)
    _next(house, e.ConsultJoined, inputs.Confer(agent="801"))
    for number in ("803", "804"):
        _next(house, g.GuestJoined, inputs.Invite(agent="801", to_agent=number))
        _next(house, g.GuestHeld, inputs.HoldMember(agent="801", to_agent=number))
    reservation = house.ledger.all(e.ConsultAsked)[-1].reservation
    assert reservation is not None
    return reservation.leg


def _two_come(house: House, control: Control) -> bool:
    """Two are brought back as the first one leaves; whether both were on the way in then."""
    first = _together(house)
    guests = {event.guest_id for event in house.ledger.all(g.GuestInvited)[-2:]}
    before = {
        kind: len(house.ledger.all(kind)) for kind in (g.GuestClosed, g.GuestJoined, g.GuestPromoted, e.ConsultJoined)
    }
    for number in ("803", "804"):
        house.do(inputs.RecallMember(agent="801", to_agent=number))
    assert control.api(f"uuid_kill {first}").startswith("+OK")

    def came() -> set[str]:
        joined = {event.guest_id for event in house.ledger.all(g.GuestJoined)[before[g.GuestJoined] :]}
        return joined | {event.consult_id for event in house.ledger.all(e.ConsultJoined)[before[e.ConsultJoined] :]}

    house.ledger.await_event(g.GuestPromoted, count=before[g.GuestPromoted] + 1)
    until(lambda: came() == guests, "both to be in the room")
    assert len(house.ledger.all(g.GuestClosed)) == before[g.GuestClosed], "nobody is cut off"
    return {"MemberJoined", "GuestJoined"} <= _since_promoted(house)


def _one_comes(house: House, control: Control) -> bool:
    """One is brought back as the first one leaves, while the agent speaks with the other; whether on the way then."""
    first = _together(house)
    _next(house, g.AsideBegun, inputs.SpeakAlone(agent="801", to_agent="803"))
    closed, promoted = (len(house.ledger.all(kind)) for kind in (g.GuestClosed, g.GuestPromoted))
    house.do(inputs.RecallMember(agent="801", to_agent="804"))
    assert control.api(f"uuid_kill {first}").startswith("+OK")
    house.ledger.await_event(g.GuestPromoted, count=promoted + 1)
    comes = house.ledger.all(g.GuestInvited)[-1].guest_id
    assert house.ledger.all(g.GuestPromoted)[-1].guest_id == comes, "the one who comes is who is asked"
    story = house.ledger.story
    contact = house.ledger.contacts()[-1]
    until(lambda: {"GuestJoined", "ConsultJoined"} & {*_since(story(contact), "GuestRecalled")}, "them to be there")
    met = "MemberJoined" in _since_promoted(house)
    _next(house, g.AgentReturned, inputs.RecallMember(agent="801", to_agent="803"))
    until(lambda: "GuestJoined" in _since(story(contact), "AgentReturned", "AsideEnded"), "all to be together")
    assert len(house.ledger.all(g.GuestClosed)) == closed, "nobody is cut off"
    return met


def _since_promoted(house: House) -> set[str]:
    return {*_since(house.ledger.story(house.ledger.contacts()[-1]), "GuestPromoted")}


def _since(story: list[str], *names: str) -> list[str]:
    """What came after the last of each of these, whichever came first."""
    return story[min(len(story) - 1 - story[::-1].index(name) for name in names) :]
