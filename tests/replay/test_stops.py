"""Where a replay stops by itself, over a run of the simulation: each place to stop is found, none twice."""

import pytest

from orchestrator.domain.contacts.contacts import OfferRejected
from orchestrator.domain.contacts.outward import IN_TURN
from orchestrator.domain.kernel import Record, Refused, UnknownEvent
from orchestrator.domain.staff.shifts import AgentStoodDown
from orchestrator.domain.world import World
from orchestrator.replay import stops
from tests.redrive.taped import TapedRun


@pytest.fixture(scope="module")
def log() -> list[Record]:
    return TapedRun(7).play().log()


def found(log: list[Record], *texts: str) -> list[tuple[int, str]]:
    """Every place at which a replay of the whole log stops, going on from each, and in which queue."""
    places: list[tuple[int, str]] = []
    wanted, position = stops.parse(texts), 0
    while True:
        world = World()
        for record in log:
            if record.position <= position:
                world.apply(record)
        came = stops.first(world, (record for record in log if record.position > position), wanted, position)
        if came.stop is None:
            return places
        places.append((came.position, came.queue_id))
        position = came.position


@pytest.mark.parametrize(("name", "event"), (("OfferRejected", OfferRejected), ("AgentStoodDown", AgentStoodDown)))
def test_it_stops_at_each_event_of_the_name(log: list[Record], name: str, event: type) -> None:
    """Feature 11.3: "offer refused", "agent stood down"."""
    wanted = [(record.position, "") for record in log if isinstance(record.event, event)]
    assert wanted
    assert found(log, f"event:{name}") == wanted


@pytest.mark.parametrize("most", (0, 1))
def test_it_stops_where_a_queue_grows_past_a_length_and_not_while_it_is_long(log: list[Record], most: int) -> None:
    """Feature 11.3: "queue > 20"; of any queue, and of one alone."""
    wanted: list[tuple[int, str]] = []
    world, lengths = World(), dict[str, int]()
    for record in log:
        world.apply(record)
        now: dict[str, int] = {}
        for contact in world.contacts.values():
            if contact.status in IN_TURN:
                now[contact.queue_id] = now.get(contact.queue_id, 0) + 1
        wanted += [
            (record.position, name)
            for name, length in now.items()
            if length == most + 1 and lengths.get(name, 0) == most
        ]
        lengths = now
    assert {name for _, name in wanted} >= {"sales", "support"}
    assert found(log, f"queue:*:{most}") == wanted
    assert found(log, f"queue:sales:{most}") == [place for place in wanted if place[1] == "sales"]


def test_an_event_of_unknown_name_is_a_place_to_stop(log: list[Record]) -> None:
    """Bad input of issue 7: kept and shown, and no state is changed by it."""
    strange = Record(
        stream="moon-1",
        version=1,
        event=UnknownEvent(name="MoonRisen", version=7, body=b"{}"),
        event_id="m",
        about=log[0].about,
        position=log[-1].position + 1,
    )
    assert found([*log, strange], "event:unknown") == [(strange.position, "")]


@pytest.mark.parametrize("text", ("queue", "queue:sales:x", "queue:SALES:1", "event:Nothing", "event:", "../etc"))
def test_what_is_no_place_to_stop_is_refused_with_how_it_is_written(text: str) -> None:
    with pytest.raises(Refused, match="write queue:ID:20 or event:OfferRejected"):
        stops.parse([text])
