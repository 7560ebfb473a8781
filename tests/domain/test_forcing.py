"""A leader makes an agent ready, not ready, or signs them out: what follows, and what cannot be (feature 8.3)."""

import pytest

from orchestrator.domain.kernel import Event, Instant, Refused
from orchestrator.domain.staff import presence
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.staff.forcing import AgentForced, Force

SIGNED_IN = (s.AgentSignedIn(agent_id="a1", extension="1001"),)
READY = (*SIGNED_IN, s.AgentMadeReady())
TALKING = (
    *READY,
    s.AgentReserved(offer_id="o1", contact_id="c1"),
    s.AgentConnected(contact_id="c1", offer_id="o1", segment_id="g1"),
)
WRAPPING_UP = (*TALKING, s.WrapUpStarted(contact_id="c1", segment_id="g1", until=Instant(90)))
ABSENT = (
    *SIGNED_IN,
    presence.DeskAttached(desk_id="d"),
    presence.DeskLost(desk_id="d", until=Instant(9), cause="closed"),
    presence.DeskGraceEnded(desk_id="d"),
)


def shift_after(*events: Event) -> s.Shift:
    """The shift, an event a µs."""
    shift: s.Shift | None = None
    for at, event in enumerate(events, start=1):
        shift = s.evolve(shift, event, Instant(at), "s1")
    assert shift is not None
    return shift


def forced(shift: s.Shift, to: str) -> list[str] | str:
    """The events that follow, by name, or the code of the refusal."""
    try:
        events = s.decide(shift, Force(to=to, reason="break", by="user:lee"))
    except Refused as refused:
        return refused.code
    assert events[0] == AgentForced(to=to, reason="break", by="user:lee")
    return [type(event).__name__ for event in events[1:]]


@pytest.mark.parametrize(
    ("before", "ready", "paused", "signed_out"),
    (
        (SIGNED_IN, ["AgentMadeReady"], ["AgentPaused"], ["AgentSignedOut"]),
        (READY, "already_so", ["AgentPaused"], ["AgentSignedOut"]),
        (TALKING, "agent_in_contact", ["PauseRequested"], ["SignOutRequested"]),
        (
            WRAPPING_UP,
            ["WrapUpEnded"],
            ["WrapUpEnded", "AgentPaused"],
            ["WrapUpEnded", "AgentSignedOut"],
        ),
        (ABSENT, "agent_desk_lost", ["AgentPaused"], ["AgentSignedOut"]),
        ((*READY, s.AgentPaused(reason="break")), ["AgentMadeReady"], "already_so", ["AgentSignedOut"]),
        (
            (*TALKING, s.SignOutRequested(reason="agent")),
            ["SignOutRequested"],
            ["PauseRequested"],
            "already_so",
        ),
    ),
    ids=("just signed in", "ready", "talking", "wrapping up", "desk absent", "paused so", "signing out"),
)
def test_what_is_forced_has_the_consequences_of_the_agents_own_wish(
    before: tuple[Event, ...], ready: list[str] | str, paused: list[str] | str, signed_out: list[str] | str
) -> None:
    shift = shift_after(*before)
    assert [forced(shift, to) for to in ("ready", "paused", "signed_out")] == [ready, paused, signed_out]


def test_the_agent_is_told_until_they_move_on_also_where_it_came_after_a_contact() -> None:
    told = AgentForced(to="paused", reason="break", by="user:lee")
    later = shift_after(
        *TALKING, told, s.PauseRequested(reason="break"),
        s.WrapUpStarted(contact_id="c1", segment_id="g1", until=Instant(9)),
        s.WrapUpEnded(how="timer"), s.AgentPaused(reason="break"),
    )  # fmt: skip
    assert later.forced is not None
    assert (later.forced.to, later.forced.by) == ("paused", "user:lee")
    back = s.evolve(later, s.AgentMadeReady(), Instant(99), "s1")
    assert back is not None
    assert back.forced is None
