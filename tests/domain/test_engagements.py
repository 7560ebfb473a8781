"""What an agent may have in hand at once: channels, capacity, and whatever order things come in."""

from hypothesis import given as for_any
from hypothesis import strategies as st

from orchestrator.domain.kernel import Event, Instant, Refused
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.staff.engagements import VOICE, capacity_of, load
from tests.domain.cases import NOW

READY = (s.AgentSignedIn(agent_id="a1", extension="1001"), s.AgentMadeReady())
MESSAGE = "message"


def after(*history: Event) -> s.Shift:
    shift: s.Shift | None = None
    for event in history:
        shift = s.evolve(shift, event, NOW, "x1")
    assert shift is not None
    return shift


def reserved(number: int, channel: str = VOICE, *, by_hand: bool = False) -> s.AgentReserved:
    return s.AgentReserved(offer_id=f"o{number}", contact_id=f"c{number}", channel=channel, by_hand=by_hand)


def connected(number: int) -> s.AgentConnected:
    return s.AgentConnected(offer_id=f"o{number}", contact_id=f"c{number}", segment_id=f"g{number}")


def test_messages_share_the_discipline_of_calls_up_to_their_own_capacity() -> None:
    """Feature 1.9; complaint 22: one call, or N messages; never one beside the other by distribution."""
    shift = after(*READY)
    for number in range(3):
        assert s.available(shift, MESSAGE, 3)
        assert s.available(shift, VOICE, 2) == (number == 0)
        shift = after(*READY, *(x for n in range(number + 1) for x in (reserved(n, MESSAGE), connected(n))))
    assert not s.available(shift, MESSAGE, 3)
    assert s.available(shift, MESSAGE, 4)
    talking = after(*READY, reserved(1), connected(1))
    assert not s.available(talking, VOICE, 6)
    assert not s.available(talking, MESSAGE, 6)


def test_whoever_wants_a_break_is_offered_no_further_message() -> None:
    shift = after(*READY, reserved(1, MESSAGE), connected(1), s.PauseRequested(reason="break"))
    assert not s.available(shift, MESSAGE, 3)


def test_a_channel_that_nobody_configured_has_its_usual_capacity() -> None:
    assert (capacity_of({}, VOICE), capacity_of({VOICE: 2}, VOICE), capacity_of({}, MESSAGE)) == (1, 2, 0)


STEPS = st.lists(
    st.tuples(st.sampled_from(("reserve", "pick", "connect", "release", "end", "wrap", "pause", "ready", "out")),
              st.integers(1, 4)),
    max_size=40,
)  # fmt: skip


def command(what: str, number: int, capacity: int) -> s.Command:
    until = Instant(NOW + 5)
    match what:
        case "reserve" | "pick":
            by_hand = what == "pick"
            return s.Reserve(offer_id=f"o{number}", contact_id=f"c{number}", capacity=capacity, by_hand=by_hand)
        case "connect":
            return s.Connect(offer_id=f"o{number}", contact_id=f"c{number}", segment_id=f"g{number}")
        case "release":
            return s.Release(offer_id=f"o{number}", outcome="withdrawn", cool_until=until)
        case "end":
            return s.StartWrapUp(contact_id=f"c{number}", segment_id=f"g{number}", until=until, wrap_up_ms=5)
        case "wrap":
            return s.EndWrapUp(how="timer")
        case "pause":
            return s.Pause(reason="break")
        case "ready":
            return s.MakeReady()
    return s.SignOut(reason="agent")


@for_any(STEPS, st.integers(1, 3))
def test_whatever_is_asked_no_more_is_in_hand_than_may_be_and_the_state_says_so(
    steps: list[tuple[str, int]], capacity: int
) -> None:
    """Features 1.9, 3.8; complaints 3, 11: never beyond capacity, no wrap-up with anybody in hand."""
    shift = after(*READY)
    for what, number in steps:
        try:
            events = s.decide(shift, command(what, number, capacity))
        except Refused:
            continue
        for event in events:
            moved = s.evolve(shift, event, NOW, "x1")
            assert moved is not None
            shift = moved
        in_hand = shift.engagements
        assert load(in_hand, VOICE) <= capacity
        assert len({each.contact_id for each in in_hand}) == len(in_hand)
        assert (shift.status in s.ENGAGED) == bool(in_hand)
        assert (shift.status == "talking") == any(each.segment_id for each in in_hand)
        assert not (shift.status == "wrapping_up" and in_hand)
        assert s.available(shift, VOICE, capacity) == (shift.status == "ready")
